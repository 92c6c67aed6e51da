"""Networks, addresses and routes."""

from __future__ import annotations

import functools

import pulumi_aws as aws
from planted import CHECK, mistake


@functools.cache
def vpc() -> aws.ec2.Vpc:
    """The network that the area shares."""
    return aws.ec2.Vpc("shared", cidr_block="10.1.0.0/16")


@mistake(
    "subnet-outside-its-vpc",
    source="EC2 API reference: CreateSubnet; EC2 error codes: InvalidSubnet.Range",
    code="InvalidSubnet.Range",
    operation="CreateSubnet",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Subnet(n, vpc_id=vpc().id, cidr_block="10.9.0.0/24" if wrong else "10.1.1.0/24")


@mistake(
    "subnet-whose-flag-is-a-word",
    source="Terraform AWS provider: aws_subnet, map_public_ip_on_launch is a boolean",
    code="expected true or false",
    operation=CHECK,
    property="mapPublicIpOnLaunch",
)
def _(n: str, wrong: bool) -> None:
    flag: str = "sometimes" if wrong else "true"
    aws.ec2.Subnet(n, vpc_id=vpc().id, cidr_block="10.1.2.0/24", map_public_ip_on_launch=flag)  # type: ignore[arg-type]
