"""The resources that a plan becomes on AWS."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections import Counter
from functools import cache
from typing import Any

import pytest
from example_stacks import AWS, plan_of
from resource_graph import Row, graph, planned

import fleetyard.aws
from fleetyard.outputs import parse_outputs

ID = "cr-0123456789abcdef0"


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def built(changes: dict[str, Any] | None = None) -> list[Row]:
    rows, _ = graph(lambda: fleetyard.aws.build(plan_of(AWS, changes)))
    return rows


@cache
def repository_stack() -> tuple[list[Row], dict[str, Any]]:
    return graph(lambda: fleetyard.aws.build(planned("a100-train", train=12)))


def one(rows: list[Row], token: str, name: str) -> Row:
    (row,) = [row for row in rows if row.token.endswith(f":{token}") and row.name == name]
    return row


def test_the_repositorys_stack_is_these_resources() -> None:
    rows, _ = repository_stack()
    assert Counter(row.token.split(":")[-1] for row in rows) == {
        "aws": 1,
        "Network": 1,
        "Encryption": 1,
        "Store": 1,
        "Pool": 2,
        "Vpc": 1,
        "Subnet": 2,
        "RouteTable": 2,
        "RouteTableAssociation": 2,
        "InternetGateway": 1,
        "Eip": 1,
        "NatGateway": 1,
        "Route": 2,
        "VpcEndpoint": 4,
        "SecurityGroup": 2,
        "SecurityGroupIngressRule": 2,
        "SecurityGroupEgressRule": 2,
        "LogGroup": 1,
        "FlowLog": 1,
        "Key": 1,
        "Alias": 1,
        "Bucket": 1,
        "BucketOwnershipControls": 1,
        "BucketPublicAccessBlock": 1,
        "BucketVersioning": 1,
        "BucketServerSideEncryptionConfiguration": 1,
        "BucketPolicy": 1,
        "BucketLifecycleConfiguration": 1,
        "Role": 3,
        "RolePolicy": 2,
        "RolePolicyAttachment": 2,
        "InstanceProfile": 2,
        "PlacementGroup": 1,
        "LaunchTemplate": 2,
        "Group": 2,
    }


def test_the_graph_does_not_grow_with_the_machines() -> None:
    assert len(built({"pools/train/count": 1})) == len(built({"pools/train/count": 2048}))


def test_every_resource_hangs_in_a_component_and_uses_the_stacks_provider() -> None:
    rows, _ = repository_stack()
    for row in rows:
        if row.token.startswith("fleetyard:"):
            continue
        if row.token == "pulumi:providers:aws":
            assert row.inputs["region"] == "us-east-1"
            assert json.loads(row.inputs["defaultTags"])["tags"]["fleetyard-stack"] == "a100-train"
            continue
        assert "fleetyard:aws:" in row.parent, row
        assert "pulumi:providers:aws::aws" in row.provider, row


def test_every_card_of_a_p4d_gets_its_interface() -> None:
    rows, _ = repository_stack()
    template = one(rows, "LaunchTemplate", "a100-train-train").inputs
    cards = [
        (int(i["networkCardIndex"]), int(i["deviceIndex"]), i["interfaceType"]) for i in template["networkInterfaces"]
    ]
    assert cards == [
        (0, 0, "interface"),
        (0, 1, "efa-only"),
        (1, 0, "efa-only"),
        (2, 0, "efa-only"),
        (3, 0, "efa-only"),
    ]
    for interface in template["networkInterfaces"]:
        assert interface["deleteOnTermination"] == "true"
        assert interface["securityGroups"] == ["a100-train-id"]
        assert "associatePublicIpAddress" not in interface


def test_the_security_group_allows_itself_everything_both_ways() -> None:
    rows, _ = repository_stack()
    for way in ("SecurityGroupIngressRule", "SecurityGroupEgressRule"):
        rule = one(rows, way, f"a100-train-self-{'in' if 'Ingress' in way else 'out'}").inputs
        assert rule["ipProtocol"] == "-1"
        assert rule["securityGroupId"] == rule["referencedSecurityGroupId"] == "a100-train-id"


def test_machines_are_pinned_encrypted_and_answer_imds_with_tokens_only() -> None:
    rows, _ = repository_stack()
    template = one(rows, "LaunchTemplate", "a100-train-train").inputs
    assert template["imageId"].startswith("ami-")
    assert template["metadataOptions"]["httpTokens"] == "required"
    assert template["blockDeviceMappings"][0]["ebs"]["encrypted"] == "true"
    assert "mdadm --create" in base64.b64decode(template["userData"]).decode()
    kinds = {spec["resourceType"]: spec["tags"] for spec in template["tagSpecifications"]}
    assert kinds["instance"]["fleetyard-pool"] == "train"
    assert set(kinds) == {"instance", "volume", "network-interface"}


def test_the_role_touches_its_prefixes_and_its_key_only() -> None:
    rows, _ = repository_stack()
    policy = json.loads(one(rows, "RolePolicy", "a100-train-train-data").inputs["policy"])
    resources = {tuple(s["Action"]): s["Resource"] for s in policy["Statement"]}
    bucket = "arn:a100-train-data"
    assert resources["s3:GetObject", "s3:GetObjectVersion"] == [f"{bucket}/datasets/*", f"{bucket}/pools/train/*"]
    assert resources["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"] == [f"{bucket}/pools/train/*"]
    assert resources["kms:Decrypt", "kms:GenerateDataKey"] == ["arn:a100-train"]
    assert all("*" not in statement["Action"] for statement in policy["Statement"])
    assert not [r for r in rows if r.token.endswith(":RolePolicy") and r.name.startswith("a100-train-control")]


def test_the_bucket_is_closed_versioned_encrypted_and_tls_only() -> None:
    rows, _ = repository_stack()
    name = "a100-train-data"
    assert one(rows, "BucketVersioning", name).inputs["versioningConfiguration"] == {"status": "Enabled"}
    closed = one(rows, "BucketPublicAccessBlock", name).inputs
    assert all(closed[k] for k in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"))
    (rule,) = one(rows, "BucketServerSideEncryptionConfiguration", name).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:a100-train"}
    (deny,) = json.loads(one(rows, "BucketPolicy", name).inputs["policy"])["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    (lifecycle,) = one(rows, "BucketLifecycleConfiguration", name).inputs["rules"]
    assert [(int(t["days"]), t["storageClass"]) for t in lifecycle["transitions"]] == [
        (30, "STANDARD_IA"),
        (365, "GLACIER"),
    ]


@pytest.mark.parametrize(
    ("on_destroy", "kept", "emptied"), [("keep", True, False), ("empty", False, True), ("refuse", False, False)]
)
def test_destroy_keeps_empties_or_refuses(on_destroy: str, kept: bool, emptied: bool) -> None:
    rows = built({"stores/data/on_destroy": on_destroy})
    bucket = one(rows, "Bucket", "demo-data")
    assert bucket.retain_on_delete is kept
    assert bool(bucket.inputs.get("forceDestroy")) is emptied
    assert one(rows, "Key", "demo").retain_on_delete is kept
    assert one(rows, "BucketPolicy", "demo-data").retain_on_delete is kept
    assert one(rows, "Vpc", "demo").retain_on_delete is False


def test_ways_to_buy_are_said_in_the_template() -> None:
    def template(**changes: Any) -> dict[str, Any]:
        changed = {f"pools/train/{key}": value for key, value in changes.items()}
        return one(built(changed), "LaunchTemplate", "demo-train").inputs

    plain = template()
    assert "instanceMarketOptions" not in plain
    assert "capacityReservationSpecification" not in plain
    spot = template(buy=["spot"])
    assert spot["instanceMarketOptions"] == {"marketType": "spot"}
    assert "spot-instances-request" in {s["resourceType"] for s in spot["tagSpecifications"]}
    target = {"capacityReservationTarget": {"capacityReservationId": ID}}
    reserved = template(buy=["reservation"], reservation=ID)
    assert reserved["capacityReservationSpecification"] == target
    assert "instanceMarketOptions" not in reserved
    block = template(buy=["capacity-block"], reservation=ID)
    assert block["capacityReservationSpecification"] == target
    assert block["instanceMarketOptions"] == {"marketType": "capacity-block"}
    rows = built({"pools/train/buy": ["capacity-block"], "pools/train/reservation": ID})
    assert not [row for row in rows if row.token.endswith(":PlacementGroup")]


@pytest.mark.parametrize(
    ("update", "followed", "refreshed"),
    [("rolling", True, True), ("on-next-boot", True, False), ("none", False, False)],
)
def test_a_template_change_reaches_machines_as_the_pool_says(update: str, followed: bool, refreshed: bool) -> None:
    row = one(built({"pools/train/update": update}), "Group", "demo-train")
    assert row.inputs["launchTemplate"]["version"] == "1"
    assert row.ignore_changes == ([] if followed else ["launchTemplate.version"])
    assert ("instanceRefresh" in row.inputs) is refreshed
    assert row.inputs["minSize"] == row.inputs["maxSize"] == row.inputs["desiredCapacity"] == 4


def test_a_template_change_is_told_before_it_happens() -> None:
    rows, _ = repository_stack()
    assert one(rows, "LaunchTemplate", "a100-train-train").before_update == ["a100-train-train-template"]
    assert planned("a100-train", train=12).pool("train").template_change == (
        "pool train (update: on-next-boot): running machines (12) stay as they are; "
        "machines started later get the new template"
    )


def test_zones_bring_their_own_subnets_and_gateways() -> None:
    rows = built(
        {"zones": ["use1-az6", "use1-az1"], "pools/train/zones": ["use1-az6"], "network/egress": "nat-per-zone"}
    )
    assert Counter(r.token.split(":")[-1] for r in rows)["NatGateway"] == 2
    assert one(rows, "Group", "demo-train").inputs["vpcZoneIdentifiers"] == ["demo-use1-az6-private-id"]
    assert len(one(rows, "Group", "demo-control").inputs["vpcZoneIdentifiers"]) == 2
    route = one(rows, "Route", "demo-use1-az1-private").inputs
    assert route["natGatewayId"] == "demo-nat-use1-az1-id"


def test_without_a_way_out_there_is_no_gateway() -> None:
    kinds = {row.token.split(":")[-1] for row in built({"network/egress": "none"})}
    assert not kinds & {"InternetGateway", "NatGateway", "Eip", "Route"}
    assert "VpcEndpoint" in kinds


def test_the_export_is_what_readers_parse() -> None:
    _, exported = repository_stack()
    outputs = parse_outputs(exported)
    assert outputs.pools["train"].accelerators == 96
    assert outputs.pools["train"].groups == {"all": "a100-train-train-1234567"}
    assert outputs.stores["data"].url == "s3://a100-train-data-id"
    assert outputs.network.subnets["use1-az6-private"].cidr == "10.40.160.0/20"
    assert outputs.usd_per_hour == pytest.approx(12 * 21.957642 + 0.2016, abs=0.05)


def test_importing_one_cloud_never_imports_the_others_sdk() -> None:
    for mine, other in (("aws", "pulumi_gcp"), ("gcp", "pulumi_aws")):
        code = f"import sys, fleetyard.{mine}; sys.exit('{other}' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)


def test_machines_start_when_their_network_and_rights_are_there() -> None:
    rows, _ = repository_stack()
    (group,) = [row for row in rows if row.token.endswith(":Group") and row.name.endswith("-train")]
    needed = {urn.split("::", 2)[2].split("$")[-1] for urn in group.depends_on}
    assert {
        "aws:iam/rolePolicy:RolePolicy::a100-train-train-data",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment::a100-train-train-ssm",
        "aws:ec2/natGateway:NatGateway::a100-train-nat-shared",
        "aws:ec2/vpcEndpoint:VpcEndpoint::a100-train-s3",
    } <= needed
