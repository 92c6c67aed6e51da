"""What the simulated AWS says should run: machines, networks, firewall rules, and a revision that tells of changes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from aws_bench import REGION, UBUNTU, Bench

from simcloud.hosts.model import Fleet, Rule

SCRIPT = "#!/bin/sh\necho é > /etc/motd\n"
ENCODED = base64.b64encode(SCRIPT.encode()).decode()


def rules_of(fleet: Fleet, machine: str, direction: str) -> list[Rule]:
    return [r for r in fleet.rules if r.machine == machine and r.direction == direction]


def allow(aws: Bench, group: str, **rule: object) -> None:
    aws.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


@pytest.fixture
def net(aws: Bench) -> dict[str, str]:
    return aws.network()


def test_a_member_of_a_group_comes_with_all_that_its_host_needs(aws: Bench, net: dict[str, str]) -> None:
    aws.api("iam").create_role(RoleName="train", AssumeRolePolicyDocument=json.dumps(TRUST))
    profile = aws.api("iam").create_instance_profile(InstanceProfileName="train")["InstanceProfile"]["Arn"]
    aws.api("iam").add_role_to_instance_profile(InstanceProfileName="train", RoleName="train")
    template = aws.template(
        InstanceType="p4d.24xlarge",
        SecurityGroupIds=[net["group"]],
        UserData=ENCODED,
        IamInstanceProfile={"Arn": profile},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "train"}]}],
    )
    aws.group(template, [net["subnet"]])
    fleet = aws.world.fleet()
    first = fleet.machines[0]
    assert {m.key for m in fleet.machines} == {m["InstanceId"] for m in aws.members()}
    assert (first.name, first.user_data, first.identity) == ("train", SCRIPT, "arn:aws:iam::123456789012:role/train")
    assert first.host_name == "ip-" + first.address.replace(".", "-")
    assert (first.network, first.subnet, first.cidr) == (net["vpc"], net["subnet"], "10.0.1.0/24")
    assert (first.drives, first.accelerators, first.boots, first.power, first.reachable) == (8, 8, 1, True, True)
    assert fleet.networks[0].cidrs == ("10.0.0.0/16",)
    assert fleet.networks[0].subnets == {net["subnet"]: "10.0.1.0/24"}
    assert (first.image, "jammy" in first.image_name) == (UBUNTU, True)
    assert SCRIPT not in repr(fleet)
    assert Fleet.of(json.loads(json.dumps(fleet.as_dict()))) == fleet


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def test_a_group_that_a_rule_names_stands_for_its_members_addresses(aws: Bench, net: dict[str, str]) -> None:
    own = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": net["group"]}]}
    allow(aws, net["group"], **own)
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    allow(aws, net["group"], **ssh)
    allow(aws, net["group"], IpProtocol="icmp", FromPort=8, ToPort=-1, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    template = aws.template(SecurityGroupIds=[net["group"]])
    aws.group(template, [net["subnet"]], size=3)
    fleet = aws.world.fleet()
    machine = fleet.machines[0].key
    found = {(r.protocol, r.ports): r.peers for r in rules_of(fleet, machine, "in")}
    assert found == {
        ("all", None): ("10.0.1.4/31", "10.0.1.6/32"),
        ("tcp", (22, 22)): ("10.0.0.0/16",),
        ("icmp", None): ("0.0.0.0/0",),
    }
    assert rules_of(fleet, machine, "out") == [Rule(machine, "out", ("0.0.0.0/0",), "all")]
    aws.ec2.revoke_security_group_egress(
        GroupId=net["group"], IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    assert rules_of(aws.world.fleet(), machine, "out") == []


def test_a_prefix_list_stands_for_its_ranges(aws: Bench, net: dict[str, str]) -> None:
    lists = aws.ec2.describe_managed_prefix_lists()["PrefixLists"]
    s3 = next(p for p in lists if p["PrefixListName"] == f"com.amazonaws.{REGION}.s3")
    made = aws.ec2.create_managed_prefix_list(
        PrefixListName="office", MaxEntries=3, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24"}]
    )["PrefixList"]
    for id in (s3["PrefixListId"], made["PrefixListId"]):
        allow(aws, net["group"], IpProtocol="tcp", FromPort=443, ToPort=443, PrefixListIds=[{"PrefixListId": id}])
    template = aws.template(SecurityGroupIds=[net["group"]])
    aws.group(template, [net["subnet"]], size=1)
    fleet = aws.world.fleet()
    peers = {p for r in rules_of(fleet, fleet.machines[0].key, "in") for p in r.peers}
    assert "192.0.2.0/24" in peers
    assert any(p.startswith("52.216.") for p in peers)


def test_an_instance_without_a_group_is_in_its_vpcs_default_group(aws: Bench, net: dict[str, str]) -> None:
    for _ in range(2):
        aws.ec2.run_instances(ImageId=UBUNTU, InstanceType="m7i.xlarge", MinCount=1, MaxCount=1, SubnetId=net["subnet"])
    fleet = aws.world.fleet()
    first = fleet.machines[0].key
    assert [(r.peers, r.protocol) for r in rules_of(fleet, first, "in")] == [(("10.0.1.4/31",), "all")]


@pytest.mark.parametrize("by", ["interface", "instance"])
def test_other_groups_take_the_place_of_those_before(aws: Bench, net: dict[str, str], by: str) -> None:
    allow(aws, net["group"], IpProtocol="tcp", FromPort=22, ToPort=22, IpRanges=[{"CidrIp": "10.0.0.0/16"}])
    template = aws.template(SecurityGroupIds=[net["group"]])
    aws.group(template, [net["subnet"]], size=1)
    machine = aws.world.fleet().machines[0].key
    closed = aws.ec2.create_security_group(GroupName="closed", Description="none", VpcId=net["vpc"])["GroupId"]
    if by == "interface":
        seen = aws.ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]
        card = seen["NetworkInterfaces"][0]["NetworkInterfaceId"]
        aws.ec2.modify_network_interface_attribute(NetworkInterfaceId=card, Groups=[closed])
    else:
        aws.ec2.modify_instance_attribute(InstanceId=machine, Groups=[closed])
    assert rules_of(aws.world.fleet(), machine, "in") == []
    seen = aws.ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]
    groups = [seen["SecurityGroups"], seen["NetworkInterfaces"][0]["Groups"]]
    assert [[group["GroupId"] for group in each] for each in groups] == [[closed], [closed]]


def test_the_revision_changes_with_the_fleet_and_with_nothing_else(aws: Bench, net: dict[str, str]) -> None:
    template = aws.template(SecurityGroupIds=[net["group"]])
    aws.group(template, [net["subnet"]])
    before = aws.world.fleet()
    aws.api("s3").create_bucket(Bucket="some-data-of-ours")
    aws.api("s3").put_object(Bucket="some-data-of-ours", Key="a", Body=b"1")
    assert aws.world.fleet() is before, "a stored object made the fleet be worked out again"
    aws.ec2.create_key_pair(KeyName="other")
    assert aws.world.fleet().revision == before.revision
    allow(aws, net["group"], IpProtocol="tcp", FromPort=22, ToPort=22, IpRanges=[{"CidrIp": "10.0.0.0/16"}])
    firewall = aws.world.fleet()
    assert firewall.revision != before.revision
    aws.ec2.terminate_instances(InstanceIds=[aws.members()[0]["InstanceId"]])
    after = aws.world.fleet()
    assert after.revision != firewall.revision
    assert len(after.machines) == 2, "the group replaced its member"
    assert {m.key for m in after.machines} != {m.key for m in before.machines}


def test_a_world_that_comes_back_says_the_same_revision(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    net = bench.network()
    bench.group(bench.template(SecurityGroupIds=[net["group"]]), [net["subnet"]])
    said = bench.world.fleet()
    records = bench.world.records()
    bench.open()
    assert bench.world.fleet() == said
    assert bench.world.records() == records, "looking at the fleet was journaled"
