"""A world opened from its snapshot is the world that its journal alone would have led to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from simcloud import snapshot
from simcloud.aws.inner import Clients
from simcloud.journal import Journal
from simcloud.provider.translations import translation
from simcloud.seal import Seal
from simcloud.server import open_world
from simcloud.world import World

REGION = "us-east-1"


def fill(world: World) -> None:
    """Some of everything: a network, a group with members, keys, buckets with objects, roles, logs; and on Google."""
    clients = Clients(lambda request: world.call("aws", request))
    ec2, s3, iam = (clients.get(name, REGION) for name in ("ec2", "s3", "iam"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    image = next(i["ImageId"] for i in ec2.describe_images(Owners=["099720109477"])["Images"])
    ec2.create_launch_template(
        LaunchTemplateName="tmpl", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"}
    )
    clients.get("autoscaling", REGION).create_auto_scaling_group(
        AutoScalingGroupName="g",
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=2,
        LaunchTemplate={"LaunchTemplateName": "tmpl", "Version": "$Latest"},
        VPCZoneIdentifier=subnet,
    )
    s3.create_bucket(Bucket="a-bucket-of-ours")
    s3.put_object(Bucket="a-bucket-of-ours", Key="k", Body=b"data")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    clients.get("kms", REGION).create_key(Description="k")
    clients.get("logs", REGION).create_log_group(logGroupName="l")
    gcp = translation("gcp", world).client({"project": "p-123456", "region": "us-central1"})
    gcp.change("compute.networks.insert", project="p-123456", body={"name": "n", "autoCreateSubnetworks": False})
    world.control("generic", "put", {"token": "aws:x/y:Z", "id": "z", "state": {"a": 1}})


def seen(world: World) -> Any:
    """What a user sees of it."""
    clients = Clients(lambda request: world.call("aws", request))
    ec2 = clients.get("ec2", REGION)
    answers = [
        ec2.describe_vpcs()["Vpcs"],
        ec2.describe_subnets()["Subnets"],
        [r["Instances"] for r in ec2.describe_instances()["Reservations"]],
        clients.get("autoscaling", REGION).describe_auto_scaling_groups()["AutoScalingGroups"],
        clients.get("s3", REGION).get_object(Bucket="a-bucket-of-ours", Key="k")["Body"].read(),
        clients.get("iam", REGION).list_roles()["Roles"],
        clients.get("logs", REGION).describe_log_groups()["logGroups"],
    ]
    keys = clients.get("kms", REGION).list_keys()["Keys"]
    return world.inventory(), world.kept(), answers, len(keys)


def settle(world: World) -> None:
    while any(world.cloud(name).pending() for name in ("aws", "gcp")):
        for name in ("aws", "gcp"):
            if world.cloud(name).pending():
                world._recorded(name, "tick", {})


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The home of a world that was filled and closed."""
    world = open_world(tmp_path / "home")
    fill(world)
    settle(world)
    world.close()
    return tmp_path / "home"


def test_a_snapshot_gives_the_world_that_the_journal_gives(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled, tmp_path / "without")
    (tmp_path / "without" / snapshot.FILE).unlink()
    from_journal = open_world(tmp_path / "without")
    expected, records = seen(from_journal), from_journal.records()
    from_snapshot = open_world(filled)
    assert from_snapshot._saved_seq == from_snapshot.records() == records > 10
    assert seen(from_snapshot) == expected


def test_what_came_after_the_snapshot_is_carried_out(filled: Path) -> None:
    world = open_world(filled)
    saved = world.records()
    Clients(lambda request: world.call("aws", request)).get("s3", REGION).create_bucket(Bucket="one-more-of-ours")
    world._journal.close()  # as when the process dies
    again = open_world(filled)
    assert again.records() == saved + 1
    assert "one-more-of-ours" in str(again.inventory())
    # And calls after it get the ids that they would have got.
    fill_more = Clients(lambda request: again.call("aws", request)).get("ec2", REGION)
    made = fill_more.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    again._journal.close()
    (filled / snapshot.FILE).unlink()
    assert made in str(seen(open_world(filled)))


@pytest.mark.parametrize("harm", ["other-code", "cut", "changed", "empty"])
def test_a_snapshot_that_does_not_fit_is_passed_over(filled: Path, harm: str) -> None:
    file = filled / snapshot.FILE
    whole = file.read_bytes()
    if harm == "other-code":
        file.write_bytes(whole.replace(b'"code": "', b'"code": "0', 1))
    elif harm == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif harm == "changed":
        file.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    else:
        file.write_bytes(b"")
    world = open_world(filled)
    assert world._saved_seq == 0
    assert "a-bucket-of-ours" in str(world.inventory())


def test_worlds_of_one_process_see_nothing_of_each_other(filled: Path, tmp_path: Path) -> None:
    def made(name: str) -> tuple[World, Clients]:
        world = open_world(tmp_path / name)
        return world, Clients(lambda request: world.call("aws", request))

    first, clients = made("first")
    clients.get("ssm", REGION).put_parameter(Name="p", Value="v", Type="String")
    clients.get("s3", REGION).create_bucket(Bucket="a-bucket-of-the-first")
    first.close()
    second, clients = made("second")
    assert "SSM" not in str(second.inventory())
    assert "a-bucket-of" not in str(second.inventory())
    assert not clients.get("ssm", REGION).get_parameters_by_path(Path="/")["Parameters"]
    clients.get("s3", REGION).create_bucket(Bucket="a-bucket-of-the-first")  # whose name is free here
    second.close()
    kept = snapshot.load(tmp_path / "second", Seal())
    assert kept is not None
    assert b"a-bucket-of-ours" not in kept["aws"]
    assert "a-bucket-of-ours" in str(open_world(filled).inventory())
    again, clients = made("first")
    assert clients.get("ssm", REGION).get_parameter(Name="p")["Parameter"]["Value"] == "v"
    assert "a-bucket-of-ours" not in str(again.inventory())


def test_nothing_that_was_said_can_be_read_on_disk(tmp_path: Path) -> None:
    world = open_world(tmp_path / "home")
    secret = "correct-horse-battery-staple"
    clients = Clients(lambda request: world.call("aws", request))
    clients.get("ssm", REGION).put_parameter(Name="p", Value=secret, Type="SecureString")
    world.control("generic", "put", {"token": "aws:x/y:Z", "id": "z", "state": {"password": secret}})
    world.close()
    for file in (tmp_path / "home").iterdir():
        assert secret.encode() not in file.read_bytes(), file.name
        assert file.stat().st_mode & 0o077 == 0, f"{file.name} can be read by others"


def test_a_journal_sealed_with_another_key_says_so(filled: Path, tmp_path: Path) -> None:
    from simcloud.journal import JournalDamagedError

    with pytest.raises(JournalDamagedError, match="was not sealed with this user's key"):
        list(Journal(filled / "journal", Seal(tmp_path / "another.key")).read())
