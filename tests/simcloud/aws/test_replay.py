"""The world is its journal: killed at any time, it comes back as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_bench import Bench
from life import assert_same


def picture(aws: Bench) -> Any:
    """What a client can see: ids, addresses, times."""
    ec2 = aws.ec2
    return {
        "inventory": aws.world.inventory(),
        "instances": [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]],
        "interfaces": sorted(i["NetworkInterfaceId"] for i in ec2.describe_network_interfaces()["NetworkInterfaces"]),
        "groups": aws.api("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        "activities": aws.api("autoscaling").describe_scaling_activities()["Activities"],
        "roles": aws.api("iam").list_roles()["Roles"],
        "buckets": aws.api("s3").list_buckets()["Buckets"],
    }


def build(aws: Bench) -> None:
    net = aws.network()
    aws.ec2.create_placement_group(GroupName="close", Strategy="cluster")
    cards = [
        {"NetworkCardIndex": 0, "DeviceIndex": 0, "Groups": [net["group"]]},
        {"NetworkCardIndex": 1, "DeviceIndex": 0, "InterfaceType": "efa-only", "Groups": [net["group"]]},
    ]
    template = aws.template(InstanceType="p4d.24xlarge", NetworkInterfaces=cards, Placement={"GroupName": "close"})
    aws.group(template, [net["subnet"]], 3)
    aws.ec2.terminate_instances(InstanceIds=[aws.members()[0]["InstanceId"]])
    aws.api("iam").create_role(RoleName="node", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    aws.api("s3").create_bucket(Bucket="data-of-mine")
    aws.api("s3").put_object(Bucket="data-of-mine", Key="a", Body=b"some bytes")


def test_a_world_comes_back_exactly_as_it_was(tmp_path: Path) -> None:
    aws = Bench(tmp_path)
    build(aws)
    before = picture(aws)
    aws.open()  # a new world on the same journal, as after kill -9
    assert_same(picture(aws), before)
    assert aws.api("s3").get_object(Bucket="data-of-mine", Key="a")["Body"].read() == b"some bytes"


def test_reads_in_between_change_no_later_id(tmp_path: Path) -> None:
    aws = Bench(tmp_path)
    for region in ("eu-west-1", "us-west-2"):
        aws.clients.get("ec2", region).describe_vpcs()  # opens a region that the journal knows nothing of
    build(aws)
    aws.clients.get("iam", "us-east-1").list_policies()
    before = picture(aws)
    aws.open()
    assert_same(picture(aws), before)


def test_a_refused_call_is_refused_again(tmp_path: Path) -> None:
    aws = Bench(tmp_path)
    net = aws.network()
    aws.refused(aws.ec2.create_subnet, VpcId=net["vpc"], CidrBlock="10.0.1.0/24")
    aws.ec2.create_subnet(VpcId=net["vpc"], CidrBlock="10.0.3.0/24")
    before = picture(aws)
    aws.open()
    assert_same(picture(aws), before)


def test_no_signature_reaches_the_journal(tmp_path: Path) -> None:
    aws = Bench(tmp_path)
    aws.network()
    text = (tmp_path / "journal").read_text()
    assert "Signature=" not in text
    assert "SignedHeaders" not in text
