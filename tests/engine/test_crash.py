"""Kill -9 of engine, program and world all along an `up`: plain Pulumi behaves as on a real cloud, `recover` puts it
right, the next `up` completes, and `destroy` leaves what is kept on purpose."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from crash_bench import Blow, Wreck, blow
from engine_bench import Engine

JOURNEYS = {
    "a100-train, its engine": (
        "a100-train",
        [
            blow("engine", "ec2:CreateVpc", ("import", "Vpc")),
            blow("engine", "ec2:CreateSubnet", ("import", "Subnet"), after=1),
            blow("engine", "ec2:CreateRoute", ("import", "Route")),
            blow("engine", "autoscaling:CreateAutoScalingGroup", ("import", "Group")),
        ],
    ),
    "a100-train, its world": (
        "a100-train",
        [
            blow("world after", "ec2:CreateSubnet", ("delete", "Vpc"), ("delete", "Subnet"), lost="ec2:CreateVpc"),
            blow("world after", "ec2:CreateRoute", ("delete", "Route")),
            blow("both", "autoscaling:CreateAutoScalingGroup", ("import", "Group")),
        ],
    ),
    "tpu-train": (
        "tpu-train",
        [
            blow("world after", "compute.networks.insert", ("delete", "Network")),
            blow("engine", "compute.networks.insert", ("import", "Network")),
            blow("world", "compute.subnetworks.insert"),
            blow("program", "compute.subnetworks.insert"),
            blow("world after", "tpu.projects.locations.nodes.create", ("delete", "V2Vm")),
        ],
    ),
    "gpu-mig": (
        "gpu-mig",
        [
            blow("engine", "compute.subnetworks.insert", ("import", "Subnetwork")),
            blow("both", "compute.instanceTemplates.insert", ("import", "InstanceTemplate")),
            blow("reply", "compute.instanceGroupManagers.insert", ("delete", "InstanceGroupManager")),
        ],
    ),
}
"""Each call comes only after those before it have been made: nothing of a later blow happens by chance before."""
KEPT = {
    "a100-train": {"AWS::S3::Bucket": 1, "AWS::KMS::Key": 1},
    "tpu-train": {"storage.buckets": 1, "cloudkms.cryptoKeys": 1, "iam.binding": 1},
    "gpu-mig": {},
}
"""What `on_destroy: keep` leaves after a life without any accident."""


@pytest.mark.parametrize("journey", JOURNEYS)
def test_an_up_that_is_killed_again_and_again_comes_to_its_end(engine: Engine, journey: str) -> None:
    stack, blows = JOURNEYS[journey]
    engine.use_fleetyard()
    engine.pulumi("stack", "init", stack)
    wreck = Wreck(engine, stack)
    for at in blows:
        status = wreck.strike(at)
        _left_as_by_a_real_cloud(wreck, at, status)
        if at is blows[0]:
            _only_shown(wreck)
        _recovered(wreck, at)
    ended = engine.pulumi("up", "--yes", "--skip-preview", "--stack", stack)
    assert not re.search(r"\d+ (replaced|deleted)", ended.text), ended.text
    status, said = wreck.recover()
    assert (status, said["resources"]) == (0, [])
    engine.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)
    left = engine.inventory()["resources"]
    assert Counter(row["type"] for row in left) == KEPT[stack], left


def _left_as_by_a_real_cloud(wreck: Wreck, at: Blow, status: int) -> None:
    """A killed engine leaves its lock and its pending operations, any other end leaves neither; no call that was
    answered is lost."""
    killed = at.who in ("engine", "both")
    assert bool(wreck.locks()) == killed, at
    assert ("creating" in wreck.pending()) == killed, at
    if at.who != "reply":
        assert status != 0, at
    known = {each.partition(" ")[0] for each in wreck.standing()}
    assert not {id for id in wreck.recorded() if _listed(id)} - known, at
    if killed:
        refused = wreck.engine.pulumi("up", "--yes", "--skip-preview", "--stack", wreck.stack, fails=True)
        assert re.search(r"currently locked by 1 lock|failed to load checkpoint: EOF", refused.text), refused.text


def _listed(id: str) -> bool:
    """Whether inventories list the kind of thing that has this id."""
    aws = ("vpc-", "subnet-", "rtb-", "sg-", "igw-", "eipalloc-", "nat-", "vpce-", "lt-", "fl-")
    gcp = re.search(r"/(networks|subnetworks|routers|firewalls|nodes|serviceAccounts)/[^/]+$", id)
    return id.startswith(aws) or bool(gcp)


def _only_shown(wreck: Wreck) -> None:
    """Without --yes nothing changes, and the status says that there is something to do."""
    before = wreck.state(), wreck.standing(), wreck.locks()
    assert wreck.recover()[0] == 1
    assert (wreck.state(), wreck.standing(), wreck.locks()) == before


def _recovered(wreck: Wreck, at: Blow) -> None:
    """What must be found is found, and put right."""
    status, said = wreck.recover("--yes")
    assert status == 0, said
    found = {(row["action"], row["type"].rpartition(":")[2]) for row in said["resources"]}
    assert at.finds <= found, (at, found)
    assert bool(said["locks"]) == (at.who in ("engine", "both")), said
    assert (wreck.locks(), wreck.pending()) == ([], [])


def test_a_stack_in_use_is_left_alone(engine: Engine) -> None:
    """The owner of the lock lives: nothing is touched, and it is said who it is."""
    import json
    import os
    import socket
    from datetime import UTC, datetime, timedelta

    engine.use_fleetyard()
    engine.pulumi("stack", "init", "gpu-mig")
    folder = engine.home / "state/.pulumi/locks/organization/fleetyard/gpu-mig"
    folder.mkdir(parents=True, exist_ok=True)

    def lock(host: str) -> str:
        at = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        text = {"pid": os.getpid(), "username": "mira", "hostname": host, "timestamp": at}
        (folder / "one.json").write_text(json.dumps(text))
        done = engine.fleetyard("recover", "--stack", "gpu-mig", "--yes")
        assert done.status == 1
        assert (folder / "one.json").exists()
        return done.text

    said = lock(socket.gethostname())
    assert "FY1702" in said
    assert f"mira@{socket.gethostname()} (process {os.getpid()})" in said
    assert "FY1703" in lock("another-machine")


def test_a_full_bucket_that_nobody_recorded_is_never_deleted(engine: Engine) -> None:
    engine.use_fleetyard()
    engine.pulumi("stack", "init", "a100-train")
    s3 = engine.api("s3")
    tags = {"TagSet": [{"Key": "fleetyard-stack", "Value": "a100-train"}]}
    for name in ("a100-train-data-0000001", "a100-train-data-0000002"):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_tagging(Bucket=name, Tagging=tags)
    s3.put_object(Bucket="a100-train-data-0000001", Key="checkpoint", Body=b"weights")
    wreck = Wreck(engine, "a100-train")
    status, said = wreck.recover("--yes", "--delete")
    assert status == 0
    assert {row["id"]: row["action"] for row in said["resources"]} == {
        "a100-train-data-0000001": "keep",
        "a100-train-data-0000002": "delete",
    }
    assert wreck.standing() == {"a100-train-data-0000001"}


def test_a_state_that_was_being_written_is_made_readable_again(engine: Engine) -> None:
    """What a kill between two writes of the file backend leaves: seen in one of a dozen kills of the engine."""
    engine.use_fleetyard()
    engine.pulumi("stack", "init", "gpu-mig")
    wreck = Wreck(engine, "gpu-mig")
    attributes = wreck.files / "stacks/fleetyard/gpu-mig.json.attrs"
    attributes.write_text("")
    (attributes.parent / "gpu-mig.json.18ea4e05a4c25a29.tmp").write_text('{"version":3')
    assert "EOF" in engine.pulumi("stack", "export", "--stack", "gpu-mig", fails=True).text
    status, said = wreck.recover()
    assert (status, len(said["torn"])) == (1, 2)
    assert attributes.exists()
    assert wreck.recover("--yes")[0] == 0
    engine.pulumi("stack", "export", "--stack", "gpu-mig")
    assert wreck.recover()[0] == 0
