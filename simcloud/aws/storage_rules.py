"""What S3, KMS and CloudWatch Logs refuse and moto accepts."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import TYPE_CHECKING, Any

from simcloud.aws import moto_bridge
from simcloud.aws.calls import Call
from simcloud.aws.rules import rule
from simcloud.provider.model import CloudError

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld

_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@rule("s3:CreateBucket", "S3 User Guide, 'General purpose bucket naming rules'")
def bucket_name(call: Call, world: AwsWorld) -> None:
    """A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, and none of the reserved forms."""
    name = call.params["Bucket"]
    bad = (
        not _BUCKET.match(name)
        or ".." in name
        or name.startswith(_RESERVED_PREFIXES)
        or name.endswith(_RESERVED_SUFFIXES)
    )
    try:
        ipaddress.ip_address(name)
        bad = True
    except ValueError:
        pass
    if bad:
        raise CloudError("InvalidBucketName", call.operation, "The specified bucket is not valid.")


_TRANSITION_ORDER = ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]


@rule(
    "s3:PutBucketLifecycleConfiguration",
    "S3 User Guide, 'Transitioning objects using Amazon S3 Lifecycle': constraints",
)
def lifecycle_order(call: Call, world: AwsWorld) -> None:
    """Transitions go from warm to cold, later ones later, to infrequent access after 30 days, and expire last."""
    rules = (call.params.get("LifecycleConfiguration") or {}).get("Rules") or []
    for one in rules:
        transitions = sorted(one.get("Transitions") or [], key=lambda t: t.get("Days") or 0)
        last = -1
        for step in transitions:
            days, tier = step.get("Days"), step.get("StorageClass")
            if tier in ("STANDARD_IA", "ONEZONE_IA") and days is not None and days < 30:
                raise CloudError(
                    "InvalidArgument",
                    call.operation,
                    f"'Days' in Transition action must be greater than or equal to 30 for storageClass '{tier}'",
                )
            if tier in _TRANSITION_ORDER:
                if _TRANSITION_ORDER.index(tier) < last:
                    raise CloudError(
                        "InvalidArgument",
                        call.operation,
                        f"A transition to {tier} cannot follow one to a colder class (simulator's words)",
                    )
                last = _TRANSITION_ORDER.index(tier)
        expires = (one.get("Expiration") or {}).get("Days")
        if expires is not None and transitions and expires <= (transitions[-1].get("Days") or 0):
            raise CloudError(
                "InvalidArgument",
                call.operation,
                "'Days' in the Expiration action for filter must be greater than 'Days' in the Transition action",
            )


@rule("s3:PutBucketEncryption", "S3 API reference, PutBucketEncryption", own_wording=True)
def encryption_key_exists(call: Call, world: AwsWorld) -> None:
    """A default encryption key in this account must exist and be usable."""
    rules = (call.params.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or []
    for one in rules:
        key = (one.get("ApplyServerSideEncryptionByDefault") or {}).get("KMSMasterKeyID")
        if key and not _key_exists(key, call.region):
            raise CloudError("KMS.NotFoundException", call.operation, f"Key {key!r} does not exist")


@rule("logs:CreateLogGroup", "CloudWatch Logs API reference, CreateLogGroup: kmsKeyId", own_wording=True)
def log_key_exists(call: Call, world: AwsWorld) -> None:
    """A log group's key must exist."""
    key = call.params.get("kmsKeyId")
    if key and not _key_exists(key, call.region):
        raise CloudError("InvalidParameterException", call.operation, f"The specified KMS key does not exist: {key}")


def _key_exists(key: str, region: str) -> bool:
    backend = moto_bridge.backend("kms", region)
    id = key.rsplit("/", 1)[-1] if ":key/" in key else key
    if ":alias/" in key or key.startswith("alias/"):
        name = "alias/" + key.rsplit("alias/", 1)[-1]
        return name.startswith("alias/aws/") or backend.get_key_id_from_alias(name) is not None
    return id in backend.keys and backend.keys[id].key_state != "PendingDeletion"


def _bucket(call: Call) -> Any:
    return moto_bridge.backend("s3", call.region).buckets.get(call.params["Bucket"])


@rule("s3:PutBucketPolicy", "S3 error codes, MalformedPolicy; S3 User Guide, 'Block Public Access'")
def bucket_policy(call: Call, world: AwsWorld) -> None:
    """A bucket's policy is about the bucket, and lets not everybody in where that is blocked."""
    name, bucket = call.params["Bucket"], _bucket(call)
    try:
        rows = json.loads(call.params["Policy"]).get("Statement") or []
    except (ValueError, AttributeError):
        raise CloudError("MalformedPolicy", call.operation, "This policy contains invalid Json") from None
    rows = rows if isinstance(rows, list) else [rows]
    blocked = bucket is not None and bucket.public_access_block and bucket.public_access_block.block_public_policy
    for one in rows:
        if one.get("Effect") not in ("Allow", "Deny"):
            raise CloudError("MalformedPolicy", call.operation, f"Invalid effect: {one.get('Effect')}")
        resources = one.get("Resource") or one.get("NotResource") or []
        resources = [resources] if isinstance(resources, str) else resources
        for arn in resources:
            target = str(arn).split(":::", 1)[-1].split("/", 1)[0]
            if not str(arn).startswith("arn:aws") or (target != name and "*" not in target):
                raise CloudError("MalformedPolicy", call.operation, "Policy has invalid resource")
        principal = one.get("Principal")
        everybody = principal == "*" or (isinstance(principal, dict) and principal.get("AWS") in ("*", ["*"]))
        if blocked and everybody and one.get("Effect") == "Allow" and not one.get("Condition"):
            raise CloudError(
                "AccessDenied",
                call.operation,
                f"User is not authorized to perform: s3:PutBucketPolicy on resource: arn:aws:s3:::{name} because "
                "public policies are blocked by the BlockPublicPolicy block public access setting.",
                403,
            )


@rule("s3:PutBucketAcl", "S3 User Guide, 'Controlling ownership of objects': BucketOwnerEnforced is the default")
def bucket_acl(call: Call, world: AwsWorld) -> None:
    """Where the bucket's owner owns everything, which is so from the start, there are no access lists."""
    bucket = _bucket(call)
    if bucket is None:
        return
    kind = bucket.ownership_rule
    if kind in (None, "BucketOwnerEnforced"):
        raise CloudError("AccessControlListNotSupported", call.operation, "The bucket does not allow ACLs")


@rule("s3:PutBucketWebsite", "S3 API reference, IndexDocument: Suffix")
def website_index(call: Call, world: AwsWorld) -> None:
    """The name of an index is not empty and has no slash."""
    index = (call.params.get("WebsiteConfiguration") or {}).get("IndexDocument")
    if index is not None and (not index.get("Suffix") or "/" in index["Suffix"]):
        raise CloudError("InvalidArgument", call.operation, "The IndexDocument Suffix is not well formed")
