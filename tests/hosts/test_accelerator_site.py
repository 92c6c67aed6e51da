"""`site.yml` and `accept.yml` on a stack whose accelerators are played: from the export to a node that takes jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hosts_bench import Cluster, Play, baked, cluster

from fleetyard.catalog import Image, catalog

pytestmark = pytest.mark.timeout(1800)
SITE = "playbooks/site.yml"


@dataclass
class Site:
    """One control and one compute host, converged twice. found: what was installed when the latter had booted."""

    cluster: Cluster
    compute: str
    found: list[str] = field(default_factory=list)
    first: Play = field(init=False)
    second: Play = field(init=False)

    def on(self, command: str, host: str | None = None) -> str:
        row = next(row for row in self.cluster.hosts.listed() if row["host"] == (host or self.compute))
        return self.cluster.hosts.inside(row["key"], command)

    def state(self) -> str:
        return self.on(f"scontrol show node {self.compute}")

    def verdicts(self) -> dict[str, dict[str, Any]]:
        path = self.cluster.engine.home / "acceptance" / self.cluster.stack / f"{self.compute}.verdict.json"
        return {row["code"]: row for row in json.loads(path.read_text())["nodes"][0]["checks"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    edit = ("count: sized # or a number", "count: 1")
    made = cluster(tmp_path_factory.mktemp("played"), "a100-train", [edit], stand_ins=True)
    try:
        # The cloud knows the baked image under an id, and both pools boot from it by that.
        ubuntu = catalog().image("aws", "ubuntu-22.04", "us-east-1")
        assert isinstance(ubuntu, Image)
        copied = {"Name": baked(), "SourceImageId": ubuntu.id, "SourceRegion": "us-east-1"}
        image = made.engine.api("ec2").copy_image(**copied)["ImageId"]
        made.engine.edit(made.stack, "image: ubuntu-22.04", f"image: {image}\n        os: debian-12")
        made.engine.edit(made.stack, "m7i.xlarge, count: 1}", f"m7i.xlarge, count: 1, image: {image}, os: debian-12}}")
        made.bring_up(2)
        done = made.hosts.ansible("role_compute", "--list-hosts")
        site = Site(made, done.out.splitlines()[1].strip())
        site.found = site.on("dpkg-query --show --showformat='${Package}\n'").split()
        site.first = made.hosts.playbook(SITE)
        site.second = made.hosts.playbook(SITE)
        yield site
    finally:
        made.close()


def test_a_pool_boots_from_the_image_that_its_stack_names(site: Site) -> None:
    assert "slurmd" in site.found
    assert "nvidia-driver-cuda" not in site.found


def test_it_converges_and_a_second_run_changes_nothing(site: Site) -> None:
    site.first.worked()
    assert site.second.worked().changed == 0, re.findall(r"^(?:TASK|changed: ).*", site.second.text, re.MULTILINE)


def test_the_roles_of_its_accelerators_ran_and_no_others(site: Site) -> None:
    ran = set(re.findall(r"^TASK \[(\w+) : (?!Validating)", site.first.text, re.MULTILINE))
    assert {"nvidia_driver", "nvidia_fabric", "cuda", "nccl", "dcgm", "efa", "gdrcopy", "enroot_pyxis"} <= ran
    about = json.loads(site.on("cat /etc/fleetyard/stand-in.json"))
    assert (about["machine"], about["count"], about["stand_in"]) == ("p4d.24xlarge", 8, True)
    assert "NVIDIA A100" in site.on("nvidia-smi -L")
    control = next(row["host"] for row in site.cluster.hosts.listed() if row["host"] != site.compute)
    assert "nvidia" not in site.on("dpkg-query --show --showformat='${Package}\n'", control)


# The gate

HOST_PARTS = {
    "FY3141": "shares the processors of this computer",
    "FY3142": "shares the memory of this computer",
    "FY3144": "has no drives of its own",
    "FY3146": "its cache is a folder",
}


def accept(site: Site, waived: dict[str, str]) -> Play:
    told = {"accept_disk_mib": 64, "accept_waive": [f"{code}={why}" for code, why in waived.items()]}
    return site.cluster.hosts.playbook("playbooks/accept.yml", "-e", json.dumps(told))


def test_what_the_host_lacks_keeps_it_drained_whatever_stand_ins_say(site: Site) -> None:
    play = accept(site, {})
    assert play.status != 0
    found = site.verdicts()
    assert {code for code, row in found.items() if row["blocks"]} == set(HOST_PARTS)
    # What stand-ins played passes, and the report says that it was played.
    assert {found[code]["verdict"] for code in ("FY3101", "FY3110", "FY3131", "FY3133")} == {"pass"}
    assert "stand-ins answered: dcgmi, fi_info, ibv_devinfo, nvidia-smi" in " ".join(play.text.split())
    assert "DRAIN" in site.state()
    assert "FY3141" in site.state()


def test_waived_with_a_reason_it_takes_jobs(site: Site) -> None:
    accept(site, HOST_PARTS).worked()
    assert "DRAIN" not in site.state()
    assert {site.verdicts()[code]["verdict"] for code in HOST_PARTS} == {"waived"}


def test_a_gpu_that_is_gone_keeps_it_drained_and_one_that_is_back_opens_it(site: Site) -> None:
    site.on("""fleetyard-stand-in plant '{"missing": [5]}'""")
    assert accept(site, HOST_PARTS).status != 0
    assert "FY3101" in site.state()
    assert "DRAIN" in site.state()
    site.on("fleetyard-stand-in clear")
    accept(site, HOST_PARTS).worked()
    assert "DRAIN" not in site.state()
