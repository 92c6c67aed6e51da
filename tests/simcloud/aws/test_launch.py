"""Launching instances: what AWS refuses, each beside a control that it accepts."""

from __future__ import annotations

from typing import Any

import pytest
from aws_bench import UBUNTU, UBUNTU_ARM, Bench

EFA_ON_ALL_CARDS = [
    {"NetworkCardIndex": 0, "DeviceIndex": 0, "InterfaceType": "interface"},
    {"NetworkCardIndex": 0, "DeviceIndex": 1, "InterfaceType": "efa-only"},
    *({"NetworkCardIndex": card, "DeviceIndex": 0, "InterfaceType": "efa-only"} for card in (1, 2, 3)),
]


def launch(aws: Bench, net: dict[str, str], interfaces: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    spec: dict[str, Any] = {"ImageId": UBUNTU, "InstanceType": "p4d.24xlarge", "MinCount": 1, "MaxCount": 1} | more
    if interfaces is None:
        spec["SubnetId"] = net["subnet"]
    else:
        spec["NetworkInterfaces"] = [{**i, "SubnetId": net["subnet"], "Groups": [net["group"]]} for i in interfaces]
    return aws.ec2.run_instances(**spec)


def test_every_card_of_a_p4d_gets_its_interface_and_only_one_takes_an_address(aws: Bench) -> None:
    net = aws.network()
    before = aws.ec2.describe_subnets(SubnetIds=[net["subnet"]])["Subnets"][0]["AvailableIpAddressCount"]
    instance = launch(aws, net, EFA_ON_ALL_CARDS)["Instances"][0]
    cards = {
        (i["Attachment"]["NetworkCardIndex"], i["Attachment"]["DeviceIndex"]): (
            i["InterfaceType"],
            i.get("PrivateIpAddress"),
        )
        for i in instance["NetworkInterfaces"]
    }
    assert {place: kind for place, (kind, _) in cards.items()} == {
        (0, 0): "interface",
        (0, 1): "efa-only",
        (1, 0): "efa-only",
        (2, 0): "efa-only",
        (3, 0): "efa-only",
    }
    assert [address for _, address in cards.values() if address] == [instance["PrivateIpAddress"]]
    after = aws.ec2.describe_subnets(SubnetIds=[net["subnet"]])["Subnets"][0]["AvailableIpAddressCount"]
    assert before - after == 1


def test_terminating_takes_the_interfaces_along(aws: Bench) -> None:
    net = aws.network()
    id = launch(aws, net, EFA_ON_ALL_CARDS)["Instances"][0]["InstanceId"]
    aws.ec2.terminate_instances(InstanceIds=[id])
    assert aws.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


@pytest.mark.parametrize(
    ("interfaces", "code"),
    [
        ([*EFA_ON_ALL_CARDS, {"NetworkCardIndex": 4, "DeviceIndex": 0}], "InvalidParameterValue"),
        ([*EFA_ON_ALL_CARDS, {"NetworkCardIndex": 3, "DeviceIndex": 0}], "InvalidParameterValue"),
        ([{"DeviceIndex": 0, "InterfaceType": "efa-only"}], "InvalidParameterCombination"),
        ([{"DeviceIndex": 1, "InterfaceType": "interface"}], "InvalidParameterCombination"),
        (
            [*EFA_ON_ALL_CARDS, {"NetworkCardIndex": 1, "DeviceIndex": 1, "InterfaceType": "efa"}],
            "AttachmentLimitExceeded",
        ),
        (
            [{**EFA_ON_ALL_CARDS[0], "AssociatePublicIpAddress": True}, *EFA_ON_ALL_CARDS[1:]],
            "InvalidParameterCombination",
        ),
    ],
    ids=["no such card", "place taken", "primary is efa-only", "no primary", "a fifth EFA", "public address with many"],
)
def test_a_wrong_card_layout_is_refused(aws: Bench, interfaces: list[dict[str, Any]], code: str) -> None:
    net = aws.network()
    assert aws.refused(launch, aws=aws, net=net, interfaces=interfaces) == (code, "RunInstances")
    assert launch(aws, net, EFA_ON_ALL_CARDS)["Instances"]


def test_efa_on_a_type_without_it_is_refused(aws: Bench) -> None:
    net = aws.network()
    wrong = aws.refused(launch, aws=aws, net=net, interfaces=EFA_ON_ALL_CARDS[:2], InstanceType="m7i.xlarge")
    assert wrong == ("InvalidParameterCombination", "RunInstances")
    assert launch(aws, net, EFA_ON_ALL_CARDS[:1], InstanceType="m7i.xlarge")["Instances"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"InstanceType": "p4d.42xlarge"}, "InvalidParameterValue"),
        ({"ImageId": "ami-00000000000000000"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "ubuntu"}, "InvalidAMIID.Malformed"),
        ({"ImageId": UBUNTU_ARM}, "InvalidParameterValue"),
        ({"Placement": {"GroupName": "nowhere"}}, "InvalidPlacementGroup.Unknown"),
        ({"SecurityGroupIds": ["sg-00000000000000000"]}, "InvalidGroup.NotFound"),
        ({"InstanceMarketOptions": {"MarketType": "capacity-block"}}, "InvalidParameterCombination"),
    ],
    ids=["type", "image", "image id", "architecture", "placement group", "security group", "block without reservation"],
)
def test_a_wrong_launch_is_refused_and_the_right_one_is_not(aws: Bench, change: dict[str, Any], code: str) -> None:
    net = aws.network()
    assert aws.refused(launch, aws=aws, net=net, **change) == (code, "RunInstances")
    assert launch(aws, net)["Instances"]


def test_a_type_is_refused_in_a_zone_that_does_not_offer_it(aws: Bench) -> None:
    # use1-az3 offers no p4d (AWS's own DescribeInstanceTypeOfferings).
    assert aws.refused(launch, aws=aws, net=aws.network("use1-az3")) == ("Unsupported", "RunInstances")
    assert launch(aws, aws.network("use1-az6", "10.1.0.0/16"))["Instances"]


def test_a_group_of_another_network_is_refused(aws: Bench) -> None:
    here, there = aws.network(), aws.network(cidr="10.1.0.0/16")
    mixed = aws.refused(launch, aws=aws, net=here, SecurityGroupIds=[there["group"]])
    assert mixed == ("InvalidParameter", "RunInstances")
    assert launch(aws, here, SecurityGroupIds=[here["group"]])["Instances"]


def test_capacity_and_quota_run_out(aws: Bench) -> None:
    net = aws.network()
    aws.world.control("aws", "capacity", {"zone": "use1-az6", "type": "p4d.24xlarge", "count": 2})
    launch(aws, net)
    assert aws.refused(launch, aws=aws, net=net, MinCount=2, MaxCount=2)[0] == "InsufficientInstanceCapacity"
    aws.world.control("aws", "quota", {"code": "L-417A185B", "vcpus": 96})
    assert aws.refused(launch, aws=aws, net=net)[0] == "VcpuLimitExceeded"
    aws.world.control("aws", "quota", {"code": "L-417A185B", "vcpus": 192})
    assert launch(aws, net)["Instances"]


def test_a_reservation_holds_its_machines(aws: Bench) -> None:
    net = aws.network()
    held = aws.ec2.create_capacity_reservation(
        InstanceType="p4d.24xlarge",
        InstancePlatform="Linux/UNIX",
        AvailabilityZoneId="use1-az6",
        InstanceCount=1,
        InstanceMatchCriteria="targeted",
    )["CapacityReservation"]["CapacityReservationId"]
    aws.world.control("aws", "capacity", {"zone": "use1-az6", "type": "p4d.24xlarge", "count": 0})
    target = {"CapacityReservationTarget": {"CapacityReservationId": held}}
    assert aws.refused(launch, aws=aws, net=net)[0] == "InsufficientInstanceCapacity"
    assert launch(aws, net, CapacityReservationSpecification=target)["Instances"]
    full = aws.refused(launch, aws=aws, net=net, CapacityReservationSpecification=target)
    assert full[0] == "ReservationCapacityExceeded"


def test_a_placement_group_in_use_stays(aws: Bench) -> None:
    net = aws.network()
    aws.ec2.create_placement_group(GroupName="close", Strategy="cluster")
    assert aws.refused(aws.ec2.create_placement_group, GroupName="close", Strategy="cluster")[0].endswith("Duplicate")
    id = launch(aws, net, Placement={"GroupName": "close"})["Instances"][0]["InstanceId"]
    assert aws.refused(aws.ec2.delete_placement_group, GroupName="close")[0] == "InvalidPlacementGroup.InUse"
    aws.ec2.terminate_instances(InstanceIds=[id])
    aws.ec2.delete_placement_group(GroupName="close")
    assert aws.ec2.describe_placement_groups()["PlacementGroups"] == []


def test_a_launch_template_is_not_validated_when_it_is_made(aws: Bench) -> None:
    template = aws.template(InstanceType="p4d.42xlarge")
    launched = aws.refused(
        aws.ec2.run_instances,
        LaunchTemplate={"LaunchTemplateId": template},
        MinCount=1,
        MaxCount=1,
        SubnetId=aws.network()["subnet"],
    )
    assert launched == ("InvalidParameterValue", "RunInstances")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("p4d.24xlarge", "L-417A185B"),
        ("g5.xlarge", "L-DB2E81BA"),
        ("gr6.4xlarge", "L-DB2E81BA"),
        ("trn1n.32xlarge", "L-2C3B7624"),
        ("inf2.xlarge", "L-1945791B"),
        ("dl1.24xlarge", "L-6E869C2A"),
        ("t4g.micro", "L-1216C47A"),
        ("i4g.large", "L-1216C47A"),
        ("m7i.xlarge", "L-1216C47A"),
    ],
)
def test_each_family_counts_against_its_own_quota(kind: str, code: str) -> None:
    from simcloud.aws.ec2 import quota_code

    assert quota_code(kind) == code
