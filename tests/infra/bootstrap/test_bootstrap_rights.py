"""From calls to the least rights."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from fleetyard.bootstrap import actions_aws, actions_gcp

CALLS = (
    "autoscaling:CreateAutoScalingGroup",
    "ec2:CreateVpc",
    "ec2:DescribeVpcs",
    "ec2:DeleteVpc",
    "iam:CreateRole",
    "iam:GetRole",
    "s3:HeadBucket",
    "s3:PutBucketEncryption",
    "s3:GetObject",
    "sts:GetCallerIdentity",
)


def test_operations_become_the_actions_that_iam_knows() -> None:
    actions = actions_aws.actions_of(CALLS)
    assert "s3:ListBucket" in actions  # HeadBucket
    assert "s3:PutEncryptionConfiguration" in actions
    assert "ec2:RunInstances" in actions  # whoever makes a group must be allowed what it launches
    assert not any(action.startswith("sts:") for action in actions)


def test_a_deployer_is_held_to_the_stacks_names_and_region() -> None:
    statements = {s["Sid"]: s for s in actions_aws.deploying(CALLS, (), "train", "us-east-1")}
    assert all(":train-" in r or "/train-" in r for r in statements["OwnIam"]["Resource"])
    assert statements["OwnS3"]["Resource"] == ["arn:aws:s3:::train-*"]
    assert statements["InItsRegion"]["Condition"] == {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    passed = statements["PassOwnRoles"]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com"]}}
    assert passed["Resource"] == [f"arn:aws:iam::{actions_aws.ACCOUNT}:role/train-*"]
    assert "*" not in [action for s in statements.values() for action in s["Action"]]


def test_who_only_previews_can_change_and_read_nothing_of_value() -> None:
    statements = actions_aws.previewing(CALLS, ("s3:GetObject", "ssm:GetParameter"), "train", "us-east-1")
    actions = {action for s in statements for action in s["Action"]}
    assert actions == {"ec2:DescribeVpcs", "iam:GetRole", "s3:ListBucket"}
    (objects,) = (s for s in actions_aws.state("bucket", "key", write=False) if s["Sid"] == "State")
    assert objects["Action"] == ["s3:GetObject"]


def test_the_registrys_reads_are_taken_only_whole_and_of_services_in_use() -> None:
    also = ("ec2:DescribeVpcAttribute", "ec2:Describe*", "vpc-lattice:GetService", "ec2:ModifyVpcAttribute")
    actions = {a for s in actions_aws.deploying(("ec2:CreateVpc",), also, "s", "r") for a in s["Action"]}
    assert actions == {"ec2:CreateVpc", "ec2:DescribeVpcAttribute"}


@given(st.lists(st.sampled_from([*CALLS, "kms:CreateKey", "logs:CreateLogGroup", "s3:CreateBucket"]), unique=True))
def test_every_call_is_allowed_to_whoever_deploys_and_reads_to_whoever_previews(calls: list[str]) -> None:
    deploy = actions_aws.deploying(calls, (), "s", "r")
    preview = actions_aws.previewing(calls, (), "s", "r")
    for action in actions_aws.actions_of(calls):
        assert actions_aws.allows(deploy, action)
    for statement in preview:
        for action in statement["Action"]:
            assert actions_aws.allows(deploy, action)
            assert action.partition(":")[2].startswith(("Get", "List", "Describe", "Head"))
    assert len(json.dumps(deploy)) >= len(json.dumps(preview))


def test_methods_become_the_permissions_that_google_knows() -> None:
    methods = (
        "compute.networks.insert",
        "compute.globalOperations.wait",
        "cloudkms.projects.locations.keyRings.cryptoKeys.setIamPolicy",
        "cloudresourcemanager.projects.getIamPolicy",
        "storage.projects.serviceAccount.get",
        "tpu.projects.locations.nodes.create",
        "GET /nowhere",
    )
    found = set(actions_gcp.permissions_of(methods))
    assert {
        "compute.networks.create",
        "compute.globalOperations.get",
        "cloudkms.cryptoKeys.setIamPolicy",
        "resourcemanager.projects.getIamPolicy",
        "resourcemanager.projects.get",
        "tpu.nodes.create",
        "iam.serviceAccounts.actAs",  # a TPU runs as one
        "compute.subnetworks.use",
    } <= found
    assert set(actions_gcp.reads(found)) == {
        "compute.globalOperations.get",
        "resourcemanager.projects.get",
        "resourcemanager.projects.getIamPolicy",
    }
    assert not any("/" in p or " " in p for p in found)
