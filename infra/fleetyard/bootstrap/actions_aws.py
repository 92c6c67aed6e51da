"""From API operations to IAM statements: the least that a stack's deployer, and those who only preview, need.

Source of the names that differ from the operation's: Service Authorization Reference, "Actions, resources, and
condition keys for Amazon S3".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Statement = dict[str, Any]
ACCOUNT = "${account}"
"""Stands for the account's number, which the program asks for when it runs."""

NO_RIGHT_NEEDED = frozenset({"sts:GetCallerIdentity"})
"""Source: STS API reference, GetCallerIdentity: "No permissions are required"."""
_S3 = {
    "DeleteBucketEncryption": ("PutEncryptionConfiguration",),
    "DeleteBucketLifecycle": ("PutLifecycleConfiguration",),
    "DeleteBucketOwnershipControls": ("PutBucketOwnershipControls",),
    "DeleteBucketTagging": ("PutBucketTagging",),
    "DeleteObjects": ("DeleteObject", "DeleteObjectVersion"),
    "DeletePublicAccessBlock": ("PutBucketPublicAccessBlock",),
    "GetBucketEncryption": ("GetEncryptionConfiguration",),
    "GetBucketLifecycle": ("GetLifecycleConfiguration",),
    "GetBucketLifecycleConfiguration": ("GetLifecycleConfiguration",),
    "GetPublicAccessBlock": ("GetBucketPublicAccessBlock",),
    "HeadBucket": ("ListBucket",),
    "HeadObject": ("GetObject",),
    "ListBuckets": ("ListAllMyBuckets",),
    "ListObjectVersions": ("ListBucketVersions",),
    "ListObjects": ("ListBucket",),
    "ListObjectsV2": ("ListBucket",),
    "PutBucketEncryption": ("PutEncryptionConfiguration",),
    "PutBucketLifecycle": ("PutLifecycleConfiguration",),
    "PutBucketLifecycleConfiguration": ("PutLifecycleConfiguration",),
    "PutPublicAccessBlock": ("PutBucketPublicAccessBlock",),
}
_READS = ("Get", "List", "Describe", "Head")
_PASSES_A_ROLE = {
    "autoscaling:CreateAutoScalingGroup": "ec2.amazonaws.com",
    "ec2:CreateLaunchTemplate": "ec2.amazonaws.com",
    "ec2:RunInstances": "ec2.amazonaws.com",
    "ec2:CreateFlowLogs": "vpc-flow-logs.amazonaws.com",
}
"""Operations that hand a role to a service, and to which. Source: IAM User Guide, "Grant a user permissions to pass a
role"."""
_LAUNCHES = "autoscaling:CreateAutoScalingGroup"
_OF_A_LAUNCH = ("ec2:RunInstances", "ec2:CreateTags")
"""What Auto Scaling checks of whoever makes a group from a launch template. Source: Auto Scaling User Guide, "Launch
template support"."""


def actions_of(operations: Iterable[str]) -> tuple[str, ...]:
    """The IAM actions of operations such as `ec2:CreateVpc`."""
    found: set[str] = set()
    for operation in operations:
        service, _, name = operation.partition(":")
        if operation in NO_RIGHT_NEEDED:
            continue
        names = _S3.get(name, (name,)) if service == "s3" else (name,)
        found |= {f"{service}:{each}" for each in names}
        if operation == _LAUNCHES:
            found |= set(_OF_A_LAUNCH)
    return tuple(sorted(found))


def reads(actions: Iterable[str]) -> tuple[str, ...]:
    """Those that only look. What lies in objects and parameters is not for everybody who previews."""
    looking = (a for a in actions if a.partition(":")[2].startswith(_READS))
    return tuple(sorted(a for a in looking if a not in ("s3:GetObject", "s3:GetObjectVersion", "ssm:GetParameter")))


def deploying(operations: Sequence[str], also_read: Sequence[str], stack: str, region: str) -> list[Statement]:
    """What the deployer of a stack may do: each right once, on the stack's own names or in its own region."""
    everything = sorted({*actions_of(operations), *_known(also_read, operations)})
    statements = list(_by_place(everything, stack, region))
    passed = sorted({_PASSES_A_ROLE[operation] for operation in operations if operation in _PASSES_A_ROLE})
    if passed:
        statements.append(
            _allow("PassOwnRoles", ["iam:PassRole"], [f"arn:aws:iam::{ACCOUNT}:role/{stack}-*"])
            | {"Condition": {"StringEquals": {"iam:PassedToService": passed}}}
        )
    if _LAUNCHES in operations:
        where = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/*"
        statements.append(
            _allow("FirstGroupOfTheAccount", ["iam:CreateServiceLinkedRole"], [where])
            | {"Condition": {"StringEquals": {"iam:AWSServiceName": "autoscaling.amazonaws.com"}}}
        )
    return statements


def previewing(operations: Sequence[str], also_read: Sequence[str], stack: str, region: str) -> list[Statement]:
    """What a preview against the account may do: look."""
    return list(_by_place(sorted({*reads(actions_of(operations)), *_known(also_read, operations)}), stack, region))


def _known(also_read: Sequence[str], operations: Sequence[str]) -> tuple[str, ...]:
    """Of the registry's reads, whole names only, of services that the stack calls anyway."""
    services = {operation.partition(":")[0] for operation in operations}
    return reads(a for a in also_read if "*" not in a and a.partition(":")[0] in services)


def state(bucket: str, key: str, write: bool) -> list[Statement]:
    """The rights on the state: a preview reads it, a deployer writes it too."""
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"] if write else ["s3:GetObject"]
    seal = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"] if write else ["kms:Decrypt"]
    return [
        _allow("ListState", ["s3:ListBucket"], [f"arn:aws:s3:::{bucket}"]),
        _allow("State", objects, [f"arn:aws:s3:::{bucket}/.pulumi/*"]),
        _allow("StateKey", seal, [key]),
    ]


def _by_place(actions: Sequence[str], stack: str, region: str) -> Iterable[Statement]:
    """IAM and S3 know names, so they are held to the stack's own; other services are held to its region."""
    own = {
        "iam": [f"arn:aws:iam::{ACCOUNT}:{kind}/{stack}-*" for kind in ("instance-profile", "policy", "role")],
        "s3": [f"arn:aws:s3:::{stack}-*"],
    }
    for service, resources in own.items():
        mine = [a for a in actions if a.startswith(f"{service}:") and a not in _OF_THE_ACCOUNT]
        if mine:
            yield _allow(f"Own{service.capitalize()}", mine, resources)
    everywhere = [a for a in actions if a in _OF_THE_ACCOUNT]
    if everywhere:
        yield _allow("AwsPoliciesAndLists", everywhere, ["*"])
    regional = [a for a in actions if a.partition(":")[0] not in own]
    if regional:
        yield _allow("InItsRegion", regional, ["*"]) | {"Condition": {"StringEquals": {"aws:RequestedRegion": region}}}


_OF_THE_ACCOUNT = frozenset({"iam:ListPolicies", "iam:ListRoles", "s3:ListAllMyBuckets"})
"""Actions that name no resource."""


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def allows(statements: Iterable[Mapping[str, Any]], action: str) -> bool:
    """Whether any statement names the action. For the report; IAM itself judges conditions and resources."""
    return any(action in statement["Action"] for statement in statements)
