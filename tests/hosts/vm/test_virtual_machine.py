"""What containers cannot show, on one virtual machine: its first boot, a second run, a stop and a start."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hosts_bench import Hosts, Play
from vm_bench import VOLUME, Machine

pytestmark = pytest.mark.timeout(1500)
HERE = Path(__file__).resolve().parent
VARIABLES = {
    "time_sources": [{"address": "127.0.0.1", "options": "iburst minpoll 0 maxpoll 2"}],
    "slurm_address": "10.0.2.15",
    "slurm_controller": "vm",
    "slurm_compute": ["vm"],
    "slurm_accounting": False,
    "slurm_gres": [{"name": "gpu", "type": "a100", "count": 4, "device": "/dev/nvidia"}],
    "slurm_gres_stand_in": True,
}


@dataclass
class Run:
    """The machine after the roles, and what was before."""

    machine: Machine
    hosts: Hosts
    first: Play
    volume: str


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    machine = Machine(tmp_path_factory.mktemp("vm"))
    before = digest(machine.volume)
    try:
        machine.start()
        (machine.folder / "time_source.py").write_text((HERE / "time_source.py").read_text())
        source = (HERE / "time_source.py").read_text()
        machine.run(f"cat > /root/time_source.py <<'EOF'\n{source}\nEOF")
        # The machine's clock is an hour off; the source of time knows better.
        started = "systemd-run --unit=time-source --collect python3 /root/time_source.py"
        machine.run(f"date -s @{int(time.time()) - 3600} && {started} {time.time()}")
        hosts = machine.hosts(VARIABLES)
        first = hosts.playbook(HERE / "machine.yml")
        yield Run(machine, hosts, first, before)
    finally:
        machine.kill()


def test_the_roles_converge(run: Run) -> None:
    run.first.worked()


def test_the_cache_is_an_array_of_all_instance_store_drives(run: Run) -> None:
    detail = run.machine.said("mdadm --detail $(findmnt -no SOURCE /cache)")
    assert re.search(r"Raid Level : raid0", detail)
    assert re.search(r"Raid Devices : 2", detail)
    assert run.machine.said("findmnt -no FSTYPE,OPTIONS /cache").startswith("xfs")
    assert "noatime" in run.machine.said("findmnt -no OPTIONS /cache")


def test_the_volume_is_untouched(run: Run) -> None:
    link = run.machine.said(f"readlink -f /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{VOLUME}")
    assert run.machine.run(f"blkid {link}", check=False).stdout == ""
    assert link not in run.machine.said("mdadm --detail --scan --verbose")
    run.machine.run("sync")
    assert digest(run.machine.volume) == run.volume


def test_memory_and_kernel_settings_take_effect(run: Run) -> None:
    wanted = {"vm.swappiness": "1", "vm.max_map_count": "1048576", "kernel.pid_max": "4194304"}
    said = run.machine.said(f"sysctl {' '.join(wanted)}")
    assert dict(line.split(" = ") for line in said.splitlines()) == wanted


def test_the_memory_that_jobs_may_pin_is_unlimited(run: Run) -> None:
    limits = run.machine.said("cat /proc/$(pgrep -x slurmd)/limits")
    assert re.search(r"Max locked memory +unlimited +unlimited", limits)


def test_a_clock_that_was_an_hour_off_is_right(run: Run) -> None:
    # An emulated machine takes seconds to be asked: its answer lies between before and after.
    before = time.time()
    said = float(run.machine.said("date +%s.%N"))
    assert before - 2 < said < time.time() + 2


def test_slurm_gives_a_job_its_devices_and_cores_and_no_others(run: Run) -> None:
    look = "for i in 0 1 2 3; do (exec 3</dev/nvidia$i) 2>&1 | sed 's/.*: //'; done; cat /proc/self/cgroup"
    said = run.machine.said(f'srun --gres=gpu:2 bash -c "{look.replace("$i", chr(92) + "$i")}"').splitlines()
    # The stand-ins have no driver: a device that is given says so, one that is not given is forbidden.
    assert said[:4] == ["No such device or address"] * 2 + ["Operation not permitted"] * 2
    assert re.fullmatch(r"0::/.*slurm.*/job_\d+/step_0/.*", said[4])


def test_audit_rules_are_obeyed(run: Run) -> None:
    run.machine.run(
        "systemctl start auditd && auditctl -w /etc/munge/munge.key -p r -k key && cat /etc/munge/munge.key"
    )
    found = run.machine.until(lambda: run.machine.run("ausearch --input-logs -k key -i", check=False).stdout, 20)
    assert "/etc/munge/munge.key" in found


def test_a_folder_is_exported_and_mounted_as_training_wants_it(run: Run) -> None:
    run.machine.run(
        "mkdir -p /srv/shared && chmod 777 /srv/shared && systemctl start nfs-server"
        " && exportfs -o rw,fsid=1 127.0.0.1:/srv/shared"
    )
    mount = {"name": "shared", "kind": "nfs", "source": "127.0.0.1:/srv/shared", "at": "/mnt/shared-home"}
    words = ["-e", json.dumps({"shared_storage_mounts": [mount]})]
    run.hosts.playbook(HERE / "shared_storage.yml", *words).worked()
    options = set(run.machine.said("findmnt -no OPTIONS /mnt/shared-home").split(","))
    assert {"vers=4.2", "hard", "nconnect=8", "noatime"} <= options
    assert run.machine.said("cat /sys/class/bdi/$(mountpoint -d /mnt/shared-home)/read_ahead_kb") == "15380"
    run.machine.run("echo kept > /mnt/shared-home/file; sync")
    assert run.machine.said("cat /srv/shared/file") == "kept"
    assert run.hosts.playbook(HERE / "shared_storage.yml", *words).worked().changed == 0
    # The server is this machine: it must not go down under its own mount.
    run.machine.run("systemctl disable --now 'mnt-shared\\x2dhome.mount'")


def test_a_second_run_changes_nothing(run: Run) -> None:
    again = run.hosts.playbook(HERE / "machine.yml", "--tags", "nvme_cache,limits").worked()
    assert again.changed == 0, again.text


def test_a_reboot_keeps_the_cache_and_a_stop_gives_an_empty_one(run: Run) -> None:
    run.machine.run("echo data > /cache/file; sync")
    run.machine.stop()
    run.machine.start()
    run.machine.until(lambda: run.machine.run("mountpoint -q /cache", check=False).returncode == 0)
    assert run.machine.said("cat /cache/file") == "data"

    run.machine.stop(wipe=True)
    run.machine.start()
    run.machine.until(lambda: run.machine.run("mountpoint -q /cache", check=False).returncode == 0)
    assert run.machine.said("ls /cache") == ""
    assert "raid0" in run.machine.said("mdadm --detail $(findmnt -no SOURCE /cache)")
    assert run.machine.run("systemctl is-failed fleetyard-cache", check=False).stdout.strip() == "active"
    assert digest(run.machine.volume) == run.volume
