"""Both sides of a comparison do the same work, and what the bench feeds in is what it says."""

from __future__ import annotations

import ast
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from bench.bare import differences, program, sdk_class
from bench.fuzz import WAYS, says_enough
from bench.nothing import Nothing
from bench.scale import _aws, _tpu
from bench.sequence import REGION, SERVICES, Round
from fleetyard.catalog import catalog
from fleetyard.findings import Finding, Level
from fleetyard.plan import make_plan
from fleetyard.spec import parse_stack
from simcloud.aws.inner import Clients
from simcloud.provider.values import from_struct, to_struct
from simcloud.server import open_world

HEAD = "urn:pulumi:s::p::"
STACK = f"{HEAD}pulumi:pulumi:Stack::p-s"
PROVIDER = f"{HEAD}pulumi:providers:aws::aws"
NETWORK = f"{HEAD}x:Network::n"
VPC = f"{HEAD}x:Network$aws:ec2/vpc:Vpc::n"
SUBNET = f"{HEAD}x:Network$aws:ec2/subnet:Subnet::n-a"


def row(urn: str, custom: bool = True, **more: Any) -> dict[str, Any]:
    return {"urn": urn, "type": urn.split("::")[2].split("$")[-1], "custom": custom, **more}


def deployment() -> dict[str, Any]:
    return {
        "deployment": {
            "resources": [
                row(STACK, custom=False, outputs={"fleetyard": {"cloud": "aws"}}),
                row(PROVIDER, inputs={"region": "us-east-1"}, propertyDependencies={"region": []}),
                row(NETWORK, custom=False, parent=STACK),
                row(
                    VPC,
                    parent=NETWORK,
                    inputs={"cidrBlock": "10.0.0.0/16", "instanceTenancy": "default"},
                    propertyDependencies={"cidrBlock": []},
                    retainOnDelete=True,
                ),
                row(
                    SUBNET,
                    parent=NETWORK,
                    inputs={"cidrBlock": "10.0.0.0/24", "vpcId": "vpc-1"},
                    propertyDependencies={"cidrBlock": [], "vpcId": [VPC]},
                    dependencies=[VPC],
                ),
            ]
        }
    }


def test_the_bare_program_says_what_was_recorded_and_no_more() -> None:
    text = program(deployment())
    ast.parse(text)
    assert "from pulumi_aws import Provider, ec2\n" in text
    assert "r1 = Provider('aws', region='us-east-1'" in text
    assert (
        "r2 = pulumi.ComponentResource('x:Network', 'n', None, pulumi.ResourceOptions(providers={'aws': r1}))" in text
    )
    wanted = "ec2.Vpc('n', cidr_block='10.0.0.0/16', opts=pulumi.ResourceOptions(parent=r2, retain_on_delete=True))"
    assert wanted in text
    assert "vpc_id=after('vpc-1', [r3])" in text
    assert "depends_on" not in text
    assert "pulumi.export('fleetyard', after({'cloud': 'aws'}, [r1, r3, r4]))" in text


def test_a_dependency_that_no_property_shows_is_kept() -> None:
    recorded = deployment()
    recorded["deployment"]["resources"][4]["dependencies"] = [VPC, PROVIDER]
    assert "depends_on=[r1]" in program(recorded)


def test_names_of_arguments_are_the_sdks_own() -> None:
    vpc = sdk_class("aws:ec2/vpc:Vpc")
    assert vpc.spelled == "ec2.Vpc"
    assert vpc.arguments["enableDnsHostnames"] == "enable_dns_hostnames"


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [(3, "inputs", {"cidrBlock": "10.1.0.0/16"}), (3, "retainOnDelete", False), (4, "parent", STACK)],
)
def test_a_program_that_registers_something_else_is_noticed(place: int, key: str, value: Any) -> None:
    other = deployment()
    other["deployment"]["resources"][place][key] = value
    assert len(differences(deployment(), other)) == 1
    del other["deployment"]["resources"][place]
    assert differences(deployment(), other)


def test_what_a_provider_fills_in_is_no_difference() -> None:
    other = deployment()
    other["deployment"]["resources"][3]["inputs"]["instanceTenancy"] = "dedicated"
    assert differences(deployment(), other) == []


def test_the_provider_that_does_nothing_gives_back_what_it_got() -> None:
    nothing, context = Nothing(), SimpleNamespace()
    said = to_struct({"cidrBlock": "10.0.0.0/16"})
    checked = nothing.Check(provider_pb2.CheckRequest(news=said), context)
    assert (from_struct(checked.inputs), list(checked.failures)) == ({"cidrBlock": "10.0.0.0/16"}, [])
    planned = nothing.Create(provider_pb2.CreateRequest(properties=said, preview=True), context)
    made = nothing.Create(provider_pb2.CreateRequest(properties=said), context)
    assert not planned.id
    assert made.id
    assert made.properties == said


@pytest.mark.parametrize(
    ("config", "accelerators"),
    [
        (_aws(2048), 16384),
        (_aws(1), 8),
        (_tpu("v5p-8192", 4), 16384),
        (_tpu("v5p-16", 1), 8),
        (_tpu("v5litepod-256", 64), 16384),
    ],
)
def test_the_stacks_of_the_scale_measure_have_as_many_accelerators_as_they_say(
    config: dict[str, Any], accelerators: int
) -> None:
    plan = make_plan(parse_stack(config["fleetyard:stack"], "x"), {})
    found = next(each for each in plan.pools if each.name == "train")
    facts, name = catalog(), found.machine_name
    each = facts.machine("aws", name).accelerators if plan.cloud == "aws" else facts.tpu_shape(name).chips
    assert found.count * each == accelerators


def test_the_sequence_of_calls_leaves_nothing_but_keys(tmp_path: Path) -> None:
    world = open_world(tmp_path)
    try:
        inside = Clients(lambda request: world.call("aws", request))
        walked = Round({name: inside.get(name, REGION) for name in SERVICES}, 0).walk()
        assert set(walked.calls) == set(walked.seconds) == set(SERVICES)
        assert all(number >= 5 for number in walked.calls.values())
        assert world.inventory() == []
        assert len(world.kept()) >= 1
    finally:
        world.close()


def test_a_seed_makes_one_broken_file_and_a_finding_without_a_fix_is_not_enough() -> None:
    text = "config: {fleetyard:stack: {owner: a}}\n"
    for way in WAYS:
        assert way(text, random.Random(3)) == way(text, random.Random(3))
    assert says_enough(Finding("FY1015", Level.ERROR, "zones", "wrong", "write a list"))
    assert not says_enough(Finding("FY1015", Level.ERROR, "zones", "wrong"))
    assert not says_enough(Finding("FY1015", Level.ERROR, "", "wrong", "write a list"))
    assert says_enough(Finding("FY2204", Level.INFO, "pools.train", "told"))
