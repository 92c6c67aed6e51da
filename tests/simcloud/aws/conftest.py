from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from aws_bench import Bench
from life import Life, Made


@pytest.fixture
def aws(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def life(aws: Bench) -> Life:
    return Life(aws)


@pytest.fixture
def vpc(life: Life) -> Made:
    return life.make("aws:ec2/vpc:Vpc", cidrBlock="10.0.0.0/16", tags={"Name": "net"})


@pytest.fixture
def subnet(life: Life, vpc: Made) -> Made:
    return life.make("aws:ec2/subnet:Subnet", vpcId=vpc.id, cidrBlock="10.0.1.0/24", availabilityZone="us-east-1a")


@pytest.fixture
def subnets(life: Life, vpc: Made, subnet: Made) -> list[str]:
    other = life.make("aws:ec2/subnet:Subnet", vpcId=vpc.id, cidrBlock="10.0.2.0/24", availabilityZone="us-east-1b")
    return [subnet.id, other.id]
