"""`pulumi up` of 200 resources of many types in a plain program, against the same on a provider that does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Ratio, Result, in_turn
from bench.sandbox import Project, Sandbox, sandbox

BUDGET = 1.5
STACK = "mixed"
PROGRAM = """
import pulumi_aws as aws
import pulumi_gcp as gcp

TRUST = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", ' \\
    '"Principal": {"Service": "ec2.amazonaws.com"}}]}'

for i in range(10):
    vpc = aws.ec2.Vpc(f"vpc-{i}", cidr_block=f"10.{i}.0.0/16", tags={"n": str(i)})
    gateway = aws.ec2.InternetGateway(f"igw-{i}", vpc_id=vpc.id)
    subnet = aws.ec2.Subnet(f"subnet-{i}", vpc_id=vpc.id, cidr_block=f"10.{i}.1.0/24")
    table = aws.ec2.RouteTable(f"table-{i}", vpc_id=vpc.id)
    aws.ec2.Route(f"route-{i}", route_table_id=table.id, destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id)
    aws.ec2.RouteTableAssociation(f"assoc-{i}", subnet_id=subnet.id, route_table_id=table.id)
    group = aws.ec2.SecurityGroup(f"sg-{i}", vpc_id=vpc.id, description="bench")
    role = aws.iam.Role(f"role-{i}", assume_role_policy=TRUST)
    bucket = aws.s3.Bucket(f"bucket-{i}")
    aws.cloudwatch.LogGroup(f"logs-{i}", retention_in_days=7)

    network = gcp.compute.Network(f"net-{i}", auto_create_subnetworks=False)
    gcp.compute.Subnetwork(f"subnet-{i}", network=network.id, ip_cidr_range="10.0.0.0/20", region="us-central1")
    gcp.compute.Firewall(f"fw-{i}", network=network.id, allows=[{"protocol": "tcp", "ports": ["22"]}],
                         source_ranges=["10.0.0.0/8"])
    router = gcp.compute.Router(f"router-{i}", network=network.id, region="us-central1")
    gcp.compute.Address(f"address-{i}", region="us-central1")
    account = gcp.serviceaccount.Account(f"account-{i}", account_id=f"account-{i}")
    gcp.projects.IAMMember(f"member-{i}", project="bench-project", role="roles/viewer",
                           member=account.email.apply(lambda e: f"serviceAccount:{e}"))
    store = gcp.storage.Bucket(f"store-{i}", location="US")
    gcp.storage.BucketObject(f"object-{i}", bucket=store.name, content="bench", name="object")
    gcp.compute.HealthCheck(f"health-{i}", tcp_health_check={"port": 80})
"""


def mixed(pairs: int) -> Iterator[Result]:
    """200 resources of 20 types on both clouds."""
    with sandbox() as place:
        ours = _project(place, "mixed-ours", place.env)
        bare = _project(place, "mixed-bare", place.env_of_nothing())
        a, b = in_turn(lambda: ours.up(STACK), lambda: bare.up(STACK), pairs)
        yield Ratio("up of 200 mixed resources", a, b, BUDGET, "bare engine, no cloud")


def _project(place: Sandbox, name: str, env: dict[str, str]) -> Project:
    folder = place.folder / name
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: mixed\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / f"Pulumi.{STACK}.yaml").write_text("config:\n  aws:region: us-east-1\n  gcp:project: bench-project\n")
    project = Project(folder, env)
    project.pulumi("stack", "init", STACK)
    return project
