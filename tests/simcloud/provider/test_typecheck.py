"""Inputs against the SDKs' own types."""

from __future__ import annotations

from typing import Any

import pytest

from simcloud.provider.typecheck import conform
from simcloud.provider.values import UNKNOWN
from simcloud.schema import TypeIndex

AWS = TypeIndex("aws")
GCP = TypeIndex("gcp")


def failures(index: TypeIndex, token: str, inputs: dict[str, Any]) -> dict[str, str]:
    schema = index.resource(token)
    assert schema is not None
    return {f.property: f.reason for f in conform(index, schema, inputs)[1]}


@pytest.mark.parametrize(
    ("token", "inputs", "place"),
    [
        ("aws:ec2/subnet:Subnet", {}, "vpcId"),
        ("aws:ec2/securityGroup:SecurityGroup", {"ingress": [{"protocol": "tcp", "fromPort": 1}]}, "ingress[0].toPort"),
        ("aws:ec2/securityGroup:SecurityGroup", {"ingress": [{"from_prot": 80}]}, "ingress[0].from_prot"),
        ("aws:ec2/vpc:Vpc", {"cidrBlok": "10.0.0.0/16"}, "cidrBlok"),
        ("aws:ec2/vpc:Vpc", {"enableDnsSupport": "perhaps"}, "enableDnsSupport"),
        ("aws:ec2/vpc:Vpc", {"tags": ["a"]}, "tags"),
        ("aws:autoscaling/group:Group", {"minSize": "many", "maxSize": 1}, "minSize"),
        ("aws:autoscaling/group:Group", {"minSize": 1.5, "maxSize": 2}, "minSize"),
        ("gcp:tpu/v2Vm:V2Vm", {"runtimeVersion": "x", "schedulingConfig": {"spott": True}}, "schedulingConfig.spott"),
    ],
)
def test_a_wrong_input_is_named_by_its_path(token: str, inputs: dict[str, Any], place: str) -> None:
    assert place in failures(AWS if token.startswith("aws") else GCP, token, inputs)


def test_a_near_name_is_offered() -> None:
    assert "'cidrBlock'" in failures(AWS, "aws:ec2/vpc:Vpc", {"cidrBlok": "10.0.0.0/16"})["cidrBlok"]


def test_what_the_bridge_converts_is_converted() -> None:
    schema = AWS.resource("aws:autoscaling/group:Group")
    assert schema is not None
    conformed, wrong = conform(AWS, schema, {"minSize": "1", "maxSize": 2.0, "forceDelete": "true", "name": 7})
    assert wrong == []
    assert conformed == {"minSize": 1, "maxSize": 2, "forceDelete": True, "name": "7"}


def test_a_value_that_is_not_known_yet_fits_everything() -> None:
    assert failures(AWS, "aws:ec2/subnet:Subnet", {"vpcId": UNKNOWN, "mapPublicIpOnLaunch": UNKNOWN}) == {}


def test_a_refusal_never_repeats_the_value() -> None:
    secret = "hunter2"
    assert secret not in str(failures(AWS, "aws:ec2/vpc:Vpc", {"enableDnsSupport": secret}))


def test_every_modelled_type_is_a_type_of_the_sdk_and_names_its_properties_right() -> None:
    from simcloud.aws.types import REGISTRY as AWS_TYPES
    from simcloud.gcp.types import REGISTRY as GCP_TYPES

    for index, types in ((AWS, AWS_TYPES), (GCP, GCP_TYPES)):
        for token, kind in types.items():
            schema = index.resource(token)
            assert schema is not None, token
            known = set(schema.inputs) | set(schema.outputs) | {"namePrefix", "bucketPrefix"}
            for names in (
                kind.replace_on,
                kind.defaults,
                kind.unordered,
                kind.write_only,
                kind.computed,
                kind.changed_by_update,
            ):
                strange = {name for name in names if name.split(".")[0] not in known}
                assert not strange, f"{token}: {strange}"
            assert kind.sources, token
