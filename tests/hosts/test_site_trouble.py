"""A planted fault on a whole cluster: heard, drained, given back, replaced, accepted, and all of it recorded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Done
from hosts_bench import Cluster

pytestmark = pytest.mark.timeout(1200)
FALLEN = "NVRM: Xid (PCI:0000:9b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
FAULT = "NVRM: Xid (PCI:0000:9b:00): 31, pid=4711, name=python3, MMU Fault: ENGINE GRAPHICS"


@dataclass
class Operated:
    """A converged cluster with one node that reported a fault, and what `fleetyard health` said and did about it."""

    cluster: Cluster
    sick: dict[str, Any]
    spare: str
    extra: Path
    quiet: Done | None = None
    heard: Done | None = None
    acted: Done | None = None
    again: Done | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def health(self, act: str, *words: str) -> Done:
        """`fleetyard health`, as an operator would type it."""
        return self.cluster.engine.fleetyard("health", act, "--stack", self.cluster.stack, *words, seconds=900)

    def play_words(self) -> tuple[str, ...]:
        return ("--inventory", str(self.cluster.hosts.inventory), "--extra-vars", f"@{self.extra}")

    def slurm(self, command: str) -> str:
        row = next(row for row in self.cluster.hosts.listed() if row["machine"] != self.sick["machine"])
        return self.cluster.hosts.inside(row["key"], command)

    def record(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.health("history", "--json").out.splitlines()]


@pytest.fixture(scope="module")
def operated(aws: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Operated:
    aws.hosts.playbook("playbooks/site.yml").worked()
    computing = [row for row in aws.hosts.listed() if row["machine"] == "p4d.24xlarge"]
    computing.sort(key=lambda row: str(row["host"]))
    # These machines have no GPU: the gate measures them, and opens them for one who says why.
    checks = json.loads(aws.engine.fleetyard("accept", "checks", "--json").out)["checks"]
    extra = tmp_path_factory.mktemp("health") / "extra.json"
    waived = [f"{row['code']}=simulated machine" for row in checks]
    extra.write_text(json.dumps({"accept_disk_mib": 32, "accept_waive": waived}))
    made = Operated(aws, computing[0], computing[1]["host"], extra)
    made.quiet = made.health("watch", *made.play_words())
    # A job's own fault beside the machine's: of the first a person should not hear as of the second.
    aws.hosts.inside(computing[1]["key"], f'logger -t kernel "{FAULT}"')
    aws.hosts.inside(made.sick["key"], f'logger -t kernel "{FALLEN}"')
    made.heard = made.health("watch", *made.play_words())
    made.acted = made.health("act", "--grace", "2", *made.play_words())
    made.again = made.health("act", *made.play_words())
    made.rows = made.record()
    return made


def steps(operated: Operated) -> list[dict[str, Any]]:
    return [row for row in operated.rows if row.get("incident")]


def test_nothing_is_said_of_nodes_that_are_well(operated: Operated) -> None:
    assert operated.quiet is not None
    assert (operated.quiet.status, operated.quiet.out) == (0, ""), operated.quiet.text


def test_watching_says_what_is_wrong_and_changes_nothing(operated: Operated) -> None:
    assert operated.heard is not None
    assert operated.heard.status == 1, operated.heard.text
    assert "Xid 79: GPU fell off the bus on 0000:9b:00: replace" in operated.heard.out
    assert "Xid 31: page fault on the GPU on 0000:9b:00: restart-app" in operated.heard.out
    assert operated.rows[0]["what"] == operated.rows[1]["what"] == "heard"
    assert operated.rows[2]["what"] == "opened"


def test_a_planted_fault_ends_with_another_machine_that_was_accepted(operated: Operated) -> None:
    assert operated.acted is not None
    assert operated.acted.status == 0, operated.acted.text
    done = steps(operated)
    assert [row["what"] for row in done] == [
        "opened", "drained", "vacated", "asked", "came", "configured", "accepted",
    ]  # fmt: skip
    assert {row["incident"] for row in done} == {f"{operated.sick['key']}/1"}
    assert all(re.fullmatch(r"\S+@\S+", row["by"]) and row["at"].endswith("Z") for row in operated.rows)
    assert done[0]["more"]["source"].startswith("NVIDIA Xid errors")
    assert done[3]["why"] == "autoscaling SetInstanceHealth Unhealthy"
    assert done[-1]["instance"] not in ("", operated.sick["key"])
    seconds = [_seconds(row) for row in (done[0], done[-1])]
    print(f"\nfrom the fault that was heard to a machine that was accepted: {seconds[1] - seconds[0]:.0f} s")


def _seconds(row: dict[str, Any]) -> float:
    from datetime import datetime

    return datetime.fromisoformat(row["at"]).timestamp()


def test_the_cloud_has_ended_the_machine_and_says_why(operated: Operated) -> None:
    engine = operated.cluster.engine
    said = engine.api("ec2").describe_instances(InstanceIds=[operated.sick["key"]])["Reservations"][0]["Instances"][0]
    assert said["State"]["Name"] in ("shutting-down", "terminated")
    there = {row["key"] for row in operated.cluster.hosts.listed()}
    assert operated.sick["key"] not in there
    assert steps(operated)[-1]["instance"] in there


def test_the_node_took_no_job_between(operated: Operated) -> None:
    """It was drained from the fault on, and its successor until it was accepted: both opened once, by the gate."""
    log = operated.slurm("grep -h 'update_node: node' /var/log/slurm/slurmctld.log || true")
    assert "Xid 79" in log, log
    new = steps(operated)[-1]["node"]
    of_new = [line for line in log.splitlines() if f"update_node: node {new} " in line]
    assert "state set to DRAIN" in of_new[-2] or "reason set to: fleetyard: acceptance" in " ".join(of_new)
    assert re.search(r"state set to (IDLE|RESUME)|state set to idle", of_new[-1], re.I), of_new
    assert operated.slurm(f"sinfo -h -N -n {new} -o %T").strip() == "idle"


def test_a_fault_that_was_cured_is_not_heard_again(operated: Operated) -> None:
    assert operated.again is not None
    assert (operated.again.status, operated.again.out) == (0, ""), operated.again.text


def test_the_record_can_be_read_and_drawn(operated: Operated, tmp_path: Path) -> None:
    picture = tmp_path / "health.svg"
    told = operated.health("history", "--svg", str(picture))
    assert told.status == 0
    assert "asked" in told.out
    assert picture.read_text().startswith("<svg")
