"""Nodes go from one version lock to another, batch by batch, and leave the cluster clean; what goes wrong stops it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts_bench import Hosts, Play, baked
from stand_ins import fill
from stand_ins.variables import node

pytestmark = pytest.mark.timeout(1500)
OLD, NEW = "580.159.04", "580.173.02"
KEPT = ("nvidia-driver", "fabric-manager", "nccl", "cudnn")
"""Of the components of a p5.48xlarge: the others behave alike."""
OWN_PACKAGE = f"""
set -e
mkdir -p /tmp/own/DEBIAN /tmp/own/usr/src/nvidia-{NEW}
touch /tmp/own/usr/src/nvidia-{NEW}/dkms.conf
cat > /tmp/own/DEBIAN/control <<END
Package: own-driver
Version: 1
Architecture: all
Maintainer: eve
Description: own
END
dpkg-deb -b /tmp/own /tmp/own.deb >&2
dpkg -i /tmp/own.deb >&2
"""
CONTROL, FIRST, SECOND = "control-0", "train-0", "train-1"


@dataclass
class Lab:
    """One control and two compute hosts that play a p5.48xlarge, under Slurm."""

    hosts: Hosts
    variables: dict[str, Any]
    folder: Path

    def wanted(self, driver: str, fabric: str | None = None) -> dict[str, Any]:
        versions = dict(self.variables["fleetyard_versions"])
        versions["nvidia-driver"] = versions["nvidia-driver"] | {"version": driver}
        versions["fabric-manager"] = versions["fabric-manager"] | {"version": fabric or driver}
        return {**self.variables, "fleetyard_versions": versions}

    def play(self, path: str, variables: dict[str, Any], *words: str) -> Play:
        file = self.folder / "variables.json"
        file.write_text(json.dumps(variables))
        return self.hosts.playbook(path, "-e", f"@{file}", *words)

    def upgrade(self, driver: str, fabric: str | None = None, **more: Any) -> Play:
        return self.play("playbooks/upgrade.yml", {**self.wanted(driver, fabric), "upgrade_wait_s": 60, **more})

    def on(self, host: str, command: str) -> str:
        return self.hosts.inside(self.hosts.row(host)["key"], command)

    def driver(self, host: str) -> str:
        return self.on(host, "dpkg-query --show --showformat='${Version}' nvidia-driver-cuda").strip()

    def state(self, host: str) -> tuple[str, str]:
        """Slurm's word for the node, and why it is out of service."""
        said = self.on(CONTROL, f"sinfo -h -N -n {host} -o '%T|%E'").strip().splitlines()[0]
        state, _, reason = said.partition("|")
        return state, reason

    def booted(self, host: str) -> str:
        return self.on(host, "cut -d' ' -f22 /proc/1/stat").strip()


@pytest.fixture(scope="module")
def lab(labs: Callable[..., Hosts], tmp_path_factory: pytest.TempPathFactory) -> Lab:
    tree = fill()
    hosts = labs({"control": ("control", 1), "train": ("compute", 2)}, layer=baked())
    hosts.env["FLEETYARD_SIM_HOME"] = str(hosts.home)
    about = node("aws", "p5.48xlarge", tree)
    about["fleetyard_versions"] = {name: about["fleetyard_versions"][name] for name in KEPT}
    made = Lab(hosts, {**about, "fleetyard_os": "debian-12", "slurm_accounting": False}, tmp_path_factory.mktemp("lab"))
    made.play("playbooks/site.yml", made.wanted(OLD), "--tags", "base,accelerators,slurm").worked()
    return made


def folded(play: Play) -> str:
    return re.sub(r"\s+", " ", play.text)


# Refused before anything is touched


def test_a_fabric_manager_ahead_of_its_driver_is_refused_before_anything_is_touched(lab: Lab) -> None:
    refused = lab.upgrade(OLD, fabric=NEW)
    assert refused.status != 0
    assert "FY2884 error" in folded(refused)
    assert "Nothing was changed on any node" in folded(refused)
    assert [lab.state(host)[0] for host in (FIRST, SECOND)] == ["idle", "idle"]
    assert lab.driver(FIRST) == f"{OLD}-1"


def test_a_batch_that_would_go_under_the_floor_is_refused(lab: Lab) -> None:
    refused = lab.upgrade(NEW, upgrade_floor=1, upgrade_batch=2)
    assert refused.status != 0
    assert "FY2880 error pool train: 2 of its 2 nodes at a time leave 0" in folded(refused)
    assert [lab.state(host)[0] for host in (FIRST, SECOND)] == ["idle", "idle"]


# The rollout


def test_a_node_whose_packages_break_stays_drained_and_is_as_it_was(lab: Lab) -> None:
    """Somebody's own package on the second host has a file of the new driver's: apt fails half-way through."""
    lab.on(SECOND, OWN_PACKAGE)
    before = lab.booted(FIRST)
    job = lab.on(CONTROL, f"sbatch --parsable -w {FIRST} -o /dev/null --wrap 'sleep 8'").strip()
    stopped = lab.upgrade(NEW, upgrade_floor=1)
    assert stopped.status != 0
    # The first was drained, waited for its job, moved, restarted and put back.
    assert lab.driver(FIRST) == f"{NEW}-1"
    assert lab.booted(FIRST) != before
    assert lab.state(FIRST)[0] == "idle"
    assert "COMPLETED" in lab.on(CONTROL, f"scontrol show job {job}")
    # The second one has what it had, whole and held, and says why it is out of service.
    assert f"FY2883 error {SECOND}" in folded(stopped)
    assert "What was there before is there again" in folded(stopped)
    assert lab.driver(SECOND) == f"{OLD}-1"
    assert lab.on(SECOND, "dpkg --audit").strip() == ""
    assert "nvidia-driver-cuda" in lab.on(SECOND, "apt-mark showhold").split()
    state, reason = lab.state(SECOND)
    assert state == "drained"
    assert reason.startswith("fleetyard: upgrade failed: FY2883")


def test_run_again_it_goes_on_with_what_is_not_done(lab: Lab) -> None:
    lab.on(SECOND, "dpkg -r own-driver >&2")
    before = lab.booted(FIRST)
    lab.upgrade(NEW, upgrade_floor=1).worked()
    assert [lab.driver(host) for host in (FIRST, SECOND)] == [f"{NEW}-1"] * 2
    assert [lab.state(host)[0] for host in (FIRST, SECOND)] == ["idle", "idle"]
    assert lab.booted(FIRST) == before, "a node that is done is left alone"
    for host in (FIRST, SECOND):
        assert lab.on(host, "nvidia-smi --query-gpu=driver_version --format=csv,noheader").split()[0] == NEW
        assert lab.on(host, "systemctl is-active nvidia-fabricmanager").strip() == "active"
        assert re.search(rf"nvidia/{NEW}, .*: installed", lab.on(host, "dkms status"))
        assert f"Pin: version {NEW}-1" in lab.on(host, "cat /etc/apt/preferences.d/fleetyard-nvidia-driver")
        assert "nvidia-fabricmanager" in lab.on(host, "apt-mark showhold").split()


def test_a_driver_that_was_changed_by_hand_stops_it_and_is_put_back_when_told(lab: Lab) -> None:
    names = "nvidia-kernel-open-dkms nvidia-driver-cuda libcuda1 libnvidia-ml1 nvidia-persistenced nvidia-modprobe"
    exact = " ".join(f"{name}={OLD}-1" for name in names.split())
    lab.on(SECOND, f"apt-get install -y --allow-change-held-packages --allow-downgrades {exact} >&2")
    refused = lab.upgrade(NEW)
    assert refused.status != 0
    assert f"FY2881 error {SECOND}: changed by hand:" in folded(refused)
    assert "upgrade_repair true" in folded(refused)
    assert lab.driver(SECOND) == f"{OLD}-1"
    assert [lab.state(host)[0] for host in (FIRST, SECOND)] == ["idle", "idle"]
    before = lab.booted(FIRST)
    lab.upgrade(NEW, upgrade_repair=True).worked()
    assert lab.driver(SECOND) == f"{NEW}-1"
    assert lab.booted(FIRST) == before
    assert [lab.state(host)[0] for host in (FIRST, SECOND)] == ["idle", "idle"]


# A node that goes


def test_a_node_that_goes_is_emptied_and_put_down_and_the_controller_never(lab: Lab) -> None:
    goes = ("playbooks/decommission.yml", lab.wanted(NEW))
    refused = lab.play(*goes)
    assert "FY2892 error" in folded(refused)
    assert "no --limit says which hosts go" in folded(refused)
    assert "is the controller" in folded(lab.play(*goes, "--limit", CONTROL))
    job = lab.on(CONTROL, f"sbatch --parsable -w {SECOND} -o /dev/null --wrap 'sleep 300'").strip()
    lab.hosts.until(lambda: "RUNNING" in lab.on(CONTROL, f"scontrol show job {job}"))
    assert f"FY2893 error {SECOND}: it runs {job}." in folded(lab.play(*goes, "--limit", SECOND))
    assert lab.state(SECOND)[0] != "drained"
    told = {**lab.wanted(NEW), "decommission_jobs": "cancel", "decommission_wait_s": 0, "decommission_why": "too many"}
    lab.on(SECOND, "mkdir -p /root/.aws && echo secret > /root/.aws/credentials")
    lab.play("playbooks/decommission.yml", told, "--limit", SECOND).worked()
    state, reason = lab.state(SECOND)
    assert (state, reason) == ("drained", "fleetyard: decommissioned: too many")
    assert "CANCELLED" in lab.on(CONTROL, f"scontrol show job {job}")
    assert lab.on(SECOND, "ls /etc/munge/munge.key /root/.aws/credentials 2>/dev/null || true").strip() == ""
    units = "slurmd munge nvidia-fabricmanager"
    assert set(lab.on(SECOND, f"systemctl is-active {units} || true").split()) == {"inactive"}
    assert lab.hosts.row(SECOND)["state"] == "ready", "it stays on"
    (record,) = (lab.hosts.home / "health").glob("*/record.jsonl")
    last = json.loads(record.read_text().splitlines()[-1])
    assert (last["what"], last["node"], last["why"]) == ("decommissioned", SECOND, "too many")
    assert lab.play("playbooks/decommission.yml", told, "--limit", SECOND).worked().changed == 0
