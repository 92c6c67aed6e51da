"""A VPC goes only when what people made in it has gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from aws_bench import Bench

MAKERS: dict[str, Callable[[Bench, str], object]] = {
    "subnet": lambda b, vpc: b.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24"),
    "group": lambda b, vpc: b.ec2.create_security_group(VpcId=vpc, GroupName="g", Description="g"),
    "table": lambda b, vpc: b.ec2.create_route_table(VpcId=vpc),
    "acl": lambda b, vpc: b.ec2.create_network_acl(VpcId=vpc),
    "gateway": lambda b, vpc: b.ec2.attach_internet_gateway(
        VpcId=vpc, InternetGatewayId=b.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ),
    "endpoint": lambda b, vpc: b.ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3"),
}


@pytest.mark.parametrize("what", MAKERS)
def test_what_stands_in_a_vpc_keeps_it(tmp_path: Path, what: str) -> None:
    bench = Bench(tmp_path)
    vpc = bench.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    MAKERS[what](bench, vpc)
    assert bench.refused(bench.ec2.delete_vpc, VpcId=vpc) == ("DependencyViolation", "DeleteVpc")


def test_what_came_with_a_vpc_goes_with_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    vpc = bench.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    bench.ec2.delete_vpc(VpcId=vpc)
    assert vpc not in str(bench.ec2.describe_vpcs()["Vpcs"])
