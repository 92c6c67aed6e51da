"""Hosts that no cloud owns boot, are reached, restart, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from conftest import Labs
from hosts_bench import Hosts


@pytest.fixture(scope="module")
def two(labs: Labs) -> Hosts:
    return labs({"control": ("control", 1), "train": ("compute", 1)})


def test_ansible_reaches_them_and_knows_their_keys(two: Hosts) -> None:
    said = two.ansible("fleetyard", "-m", "ansible.builtin.ping")
    assert said.out.count("ping: pong") == 2, said.text


def test_systemd_runs_as_on_any_machine(two: Hosts) -> None:
    said = two.until(lambda: two.inside("control-0", "systemctl is-system-running || true").strip() == "running")
    assert said


def test_they_see_each_other_by_the_router_alone(two: Hosts) -> None:
    neighbours = two.inside("train-0", "ping -c1 -W2 10.90.0.10 >/dev/null && ip neigh")
    own = two.inside("train-0", "cat /sys/class/net/host0/address").strip()
    router = {line.split()[4] for line in neighbours.splitlines() if "lladdr" in line}
    assert len(router) == 1
    assert own not in router


def test_a_host_that_reboots_itself_comes_back_on_its_disk(two: Hosts) -> None:
    two.inside("train-0", "touch /root/kept; systemctl reboot")
    two.until(lambda: "rebooted" in two.sim("events"))
    two.wait(2)
    assert two.inside("train-0", "ls /root/kept").strip() == "/root/kept"


def test_no_host_outlives_its_process(two: Hosts) -> None:
    pids = [row["init"] for row in two.listed()]
    keeper = int((two.home / "hosts" / "pid").read_text())
    inits = [_outer(keeper, pid) for pid in pids]
    assert all(Path(f"/proc/{pid}").exists() for pid in inits)
    os.kill(keeper, signal.SIGKILL)
    two.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in inits), 10)
    assert str(two.home) not in Path("/proc/self/mounts").read_text()
    two.sim("start", "--fleet", str(two.home / "fleet.json"))
    two.wait(2)
    assert two.inside("train-0", "ls /root/kept").strip() == "/root/kept"


def _outer(keeper: int, pid: int) -> int:
    """A process id of the keeper's namespace, as it is here."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            row = next(line for line in status.read_text().splitlines() if line.startswith("NSpid:"))
        except (OSError, StopIteration):
            continue
        ids = row.split()[1:]
        if len(ids) >= 2 and ids[1] == str(pid) and _under(int(status.parent.name), keeper):
            return int(status.parent.name)
    raise AssertionError(f"no process {pid} of {keeper}")


def _under(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def test_a_machine_that_goes_takes_its_disk_along(two: Hosts) -> None:
    fleet = json.loads((two.home / "fleet.json").read_text())
    fleet["machines"] = [row for row in fleet["machines"] if row["key"] != "i-train-0"]
    (two.home / "fleet.json").write_text(json.dumps(fleet))
    two.until(lambda: len(two.listed()) == 1)
    assert len(list((two.home / "hosts" / "disks").iterdir())) == 1
    assert "i-train-0" not in (two.home / "hosts" / "known_hosts").read_text()


def test_stopping_leaves_nothing_running(two: Hosts) -> None:
    two.stop()
    assert two.listed() == []
    # Hosts of other tests may run: theirs are the only control groups, and each has a process.
    groups = [path for path in Path("/sys/fs/cgroup").glob("*/fleetyard-hosts/*") if path.is_dir()]
    assert [group for group in groups if not any(each.read_text() for each in group.rglob("cgroup.procs"))] == []
