"""What somebody who acts in a role may do: his role's policies, and those of the bucket and the key he touches.

S3 is judged by action, bucket, object and the keys of conditions that a request carries; other services by action and,
where a request names it in a known way, resource. What cannot be judged is let pass, and counted with its reason.
Sources: IAM User Guide, "Policy evaluation logic"; Service Authorization Reference, "Amazon S3", "Amazon EC2"; S3 User
Guide, "Using server-side encryption with AWS KMS keys". The wire of the simulation counts as TLS.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from simcloud.aws import moto_bridge
from simcloud.aws.calls import Call, is_read
from simcloud.aws.policies import Ask, Document, Verdict, judge
from simcloud.aws.sessions import Session
from simcloud.provider.model import CloudError

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld

_PREFIXES = {
    "cloudwatch": "cloudwatch",
    "elbv2": "elasticloadbalancing",
    "elb": "elasticloadbalancing",
    "efs": "elasticfilesystem",
    "stepfunctions": "states",
    "opensearch": "es",
    "service-quotas": "servicequotas",
    "amp": "aps",
    "emr": "elasticmapreduce",
}
"""How IAM names a service where botocore names it otherwise."""


@dataclass
class Judged:
    """What was judged since the world's process began."""

    allowed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    """Let pass though nobody could tell, by the reason."""

    def shown(self) -> dict[str, Any]:
        """For the simulation's own interface."""
        return {"allowed": self.allowed, "refused": dict(self.refused), "passed": dict(self.passed)}


def check(world: AwsWorld, call: Call, session: Session, now: datetime) -> None:
    """Raises the service's own refusal for what a session may not do."""
    if call.name == "sts:GetCallerIdentity":
        return
    role = _role(session)
    if role is None:
        raise _refused(call, session, f"{call.service}:{call.operation}", "*", "its role does not exist")
    own = list(_documents(role))
    boundary = _boundary(role)
    for ask in _asks(world, call, _context(call, session, role, now)):
        found = judge(own, ask)
        among = _resource_policies(world, call, ask, session)
        said = found | among.verdict
        allowed = among.decides(found)
        why = "no identity-based policy allows it"
        if allowed and boundary is not None:
            bound = judge([boundary], ask)
            allowed, why = bound.allows or bound.may_allow, "no permissions boundary allows it"
            said |= Verdict(denies=bound.denies, unsure=bound.unsure)
        if said.denies or not allowed:
            world.judged.refused[ask.action] += 1
            shown = ask.resource or "*"
            raise _refused(call, session, ask.action, shown, "of an explicit deny" if said.denies else why)
        if said.unsure and not said.allows:
            world.judged.passed.update(said.unsure)
        else:
            world.judged.allowed += 1


def hidden(world: AwsWorld, call: Call, session: Session, status: int) -> CloudError | None:
    """S3's refusal of an object that is not there to somebody who may not list its bucket, and so may not know that.

    Whether a right to list under certain prefixes is enough for that nobody here can tell; it counts as one.
    """
    if status != 404 or call.name not in ("s3:GetObject", "s3:HeadObject"):
        return None
    if call.params.get("Bucket") not in moto_bridge.backend("s3", call.region).buckets:
        return None
    role = _role(session)
    ask = Ask("s3:ListBucket", f"arn:aws:s3:::{call.params['Bucket']}", {})
    said = judge(list(_documents(role)), ask) if role is not None else Verdict()
    among = _resource_policies(world, call, ask, session)
    if among.decides(said):
        return None
    world.judged.refused["s3:ListBucket"] += 1
    return _refused(call, session, "s3:ListBucket", str(ask.resource), "no identity-based policy allows it")


def _role(session: Session) -> Any:
    for role in moto_bridge.backend("iam", "us-east-1").roles.values():
        if role.arn == session.role_arn and role.id == session.role_id:
            return role
    return None


@lru_cache(maxsize=512)
def _parsed(text: str) -> Document:
    """A policy's text, read once however often it is judged."""
    found: Document = json.loads(text)
    return found


def _documents(role: Any) -> Iterator[Document]:
    """The policies on a role: its own and attached ones."""
    for text in role.policies.values():
        yield _parsed(text)
    for policy in role.managed_policies.values():
        yield _default_version(policy)


def _default_version(policy: Any) -> Document:
    document = next(v.document for v in policy.versions if v.is_default)
    return _parsed(document) if isinstance(document, str) else document


def _boundary(role: Any) -> Document | None:
    if not role.permissions_boundary_arn:
        return None
    policy = moto_bridge.backend("iam", "us-east-1").managed_policies.get(role.permissions_boundary_arn)
    return _default_version(policy) if policy is not None else {}


def _context(call: Call, session: Session, role: Any, now: datetime) -> dict[str, tuple[str, ...]]:
    """The keys of conditions that every request has."""
    account = (moto_bridge.ACCOUNT,)
    rows, _ = moto_bridge.backend("iam", "us-east-1").list_role_tags(role.name, None)
    tags = {f"aws:principaltag/{row['Key'].lower()}": (str(row["Value"]),) for row in rows}
    return {
        "aws:currenttime": (now.isoformat(),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:principalaccount": account,
        "aws:principalarn": (role.arn,),
        "aws:principaltype": ("AssumedRole",),
        "aws:requestedregion": (call.region,),
        "aws:resourceaccount": account,
        "aws:securetransport": ("true",),
        "aws:userid": (f"{session.role_id}:{session.name}",),
        "aws:viaawsservice": ("false",),
        "aws:multifactorauthpresent": (),
        "s3:resourceaccount": account,
        **tags,
    }


# The policies of what is touched


@dataclass(frozen=True, slots=True)
class _Among:
    """What a resource's own policy says; for a key, whether it leaves the decision to IAM."""

    verdict: Verdict = field(default_factory=Verdict)
    needed: bool = False
    """The resource must agree: a key's policy alone opens a key."""
    leaves_it: bool = False

    def decides(self, own: Verdict) -> bool:
        """Whether the caller's policies and this one together allow it (denials apart)."""
        mine = own.allows or own.may_allow
        theirs = self.verdict.allows or self.verdict.may_allow
        return theirs or (mine and self.leaves_it) if self.needed else mine or theirs


def _resource_policies(world: AwsWorld, call: Call, ask: Ask, session: Session) -> _Among:
    service = ask.action.partition(":")[0]
    principals = frozenset({session.role_arn, session.arn})
    if service == "s3" and ask.resource is not None:
        name = ask.resource.removeprefix("arn:aws:s3:::").partition("/")[0]
        bucket = moto_bridge.backend("s3", call.region).buckets.get(name)
        if bucket is None or not bucket.policy:
            return _Among()
        text = bucket.policy.decode() if isinstance(bucket.policy, bytes) else str(bucket.policy)
        # The account's own principal gives nothing to a role by itself, and denies with everybody else's.
        return _Among(judge([_parsed(text)], ask, principals))
    if service == "kms" and ask.resource is not None:
        key = _key(ask.resource, call.region)
        if key is None:
            return _Among()
        document = _parsed(key.policy)
        account = frozenset({f"arn:aws:iam::{moto_bridge.ACCOUNT}:root", moto_bridge.ACCOUNT})
        to_iam = judge([document], ask, account)
        return _Among(judge([document], ask, principals), needed=True, leaves_it=to_iam.allows)
    return _Among()


def _key(id: str, region: str) -> Any:
    backend = moto_bridge.backend("kms", region)
    for key in backend.keys.values():
        if id in (key.id, key.arn) or last(id) == key.id or any(id.endswith(a) for a in key.aliases):
            return key
    return None


def last(arn: str) -> str:
    """The last part of an ARN's path."""
    return arn.rpartition("/")[2]


def judge_bucket_policies() -> None:
    """Let moto judge a bucket's policy for everybody as it is written: its own judge looks at no condition."""
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    def permission(bucket: Any, action: str, resource: str) -> PermissionResult:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        said = judge([_parsed(bytes(bucket.policy).decode())], Ask(action, resource, _EVERYBODY), frozenset())
        if said.denies:
            return PermissionResult.DENIED
        return PermissionResult.PERMITTED if said.allows else PermissionResult.NEUTRAL

    FakeBucket.get_permission = permission


_EVERYBODY = {"aws:securetransport": ("true",)}


# What a call asks for


def _asks(world: AwsWorld, call: Call, context: Mapping[str, tuple[str, ...]]) -> Iterator[Ask]:
    if call.service == "s3":
        yield from _s3(call, context)
        return
    prefix = _PREFIXES.get(call.service, call.service)
    action = f"{prefix}:{call.operation}"
    resources = list(_named(world, call))
    if not resources:
        # Lists and descriptions are granted for everything or not at all; of other calls nobody here knows it.
        resources = ["*"] if is_read(call.operation) and call.service in ("ec2", "autoscaling") else [None]
    for resource in resources:
        yield Ask(action, resource, context)


def _named(world: AwsWorld, call: Call) -> Iterator[str | None]:
    p, here = call.params, f"{call.region}:{moto_bridge.ACCOUNT}"
    if call.service == "ec2" and not is_read(call.operation):
        ids = [*(p.get("InstanceIds") or ()), *([p["InstanceId"]] if p.get("InstanceId") else ())]
        yield from (f"arn:aws:ec2:{here}:instance/{id}" for id in ids)
    elif call.service == "autoscaling" and not is_read(call.operation):
        for group in world.autoscaling.groups.get(call.region, {}).values():
            if p.get("AutoScalingGroupName") == group.name or p.get("InstanceId") in {m.id for m in group.members}:
                yield group.arn
    elif call.service == "ssm":
        names = [*(p.get("Names") or ()), *([p["Name"]] if p.get("Name") else ())]
        if "Parameter" in call.operation:
            yield from (f"arn:aws:ssm:{here}:parameter/{str(n).lstrip('/')}" for n in names)
    elif call.service == "sts" and p.get("RoleArn"):
        yield str(p["RoleArn"])
    elif call.service == "kms" and p.get("KeyId"):
        key = _key(str(p["KeyId"]), call.region)
        yield key.arn if key is not None else None


_S3_ACTIONS = {
    "HeadObject": "GetObject",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "DeleteObjects": "DeleteObject",
    "GetObjectAttributes": "GetObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
}
"""Operations whose action has another name. Source: Service Authorization Reference, "Amazon S3"."""
_VERSIONED = frozenset({"GetObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"})


def _s3(call: Call, context: Mapping[str, tuple[str, ...]]) -> Iterator[Ask]:
    p = call.params
    bucket, key = p.get("Bucket"), p.get("Key")
    base = dict(context) | _s3_context(call)
    if call.operation in ("CopyObject", "UploadPartCopy"):
        source = _source(p.get("CopySource"))
        yield Ask("s3:GetObject", f"arn:aws:s3:::{source}", base)
        yield from _keys(call, source, base, "kms:Decrypt")
        yield Ask("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", base)
        yield from _keys(call, f"{bucket}/", base, "kms:GenerateDataKey")
        return
    name = _S3_ACTIONS.get(call.operation, call.operation)
    if p.get("VersionId") and name in _VERSIONED:
        name = name.replace("Object", "ObjectVersion")
    if bucket is None:
        yield Ask(f"s3:{name}", "*", base)
    elif call.operation == "DeleteObjects":
        for one in (p.get("Delete") or {}).get("Objects") or ():
            action = "s3:DeleteObjectVersion" if one.get("VersionId") else "s3:DeleteObject"
            yield Ask(action, f"arn:aws:s3:::{bucket}/{one['Key']}", base)
    elif key is None:
        yield Ask(f"s3:{name}", f"arn:aws:s3:::{bucket}", base)
    else:
        yield Ask(f"s3:{name}", f"arn:aws:s3:::{bucket}/{key}", base)
        if call.operation == "GetObject":
            yield from _keys(call, f"{bucket}/{key}", base, "kms:Decrypt")
        elif name == "PutObject":
            yield from _keys(call, f"{bucket}/", base, "kms:GenerateDataKey")
            if call.operation in ("UploadPart", "CompleteMultipartUpload"):
                yield from _keys(call, f"{bucket}/", base, "kms:Decrypt")


def _s3_context(call: Call) -> dict[str, tuple[str, ...]]:
    """Conditions on what a request of S3 says; what it does not say is known not to be there."""
    p, headers = call.params, call.request.headers
    listing = call.operation in ("ListObjects", "ListObjectsV2", "ListObjectVersions")
    found: dict[str, tuple[str, ...]] = {
        name: (str(p[member]),) if p.get(member) is not None else () for name, member in _OF_LISTS.items()
    }
    if not listing:
        found = dict.fromkeys(_OF_LISTS, ())
    for name in _OF_HEADERS:
        found[f"s3:{name}"] = (headers[name],) if name in headers else ()
    found["s3:versionid"] = (str(p["VersionId"]),) if p.get("VersionId") else ()
    return found


_OF_LISTS = {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"}
_OF_HEADERS = (
    "x-amz-acl",
    "x-amz-copy-source",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-metadata-directive",
)


def _source(given: Any) -> str:
    """`bucket/key` of a copy's source."""
    if isinstance(given, Mapping):
        return f"{given['Bucket']}/{given['Key']}"
    return unquote(str(given or "")).lstrip("/").partition("?versionId=")[0]


def _keys(call: Call, place: str, context: Mapping[str, tuple[str, ...]], action: str) -> Iterator[Ask]:
    """The right to use the key under which an object lies or will lie; AWS's own key is open to the account."""
    name, _, key = place.partition("/")
    bucket = moto_bridge.backend("s3", call.region).buckets.get(name)
    if bucket is None:
        return
    id = call.request.headers.get("x-amz-server-side-encryption-aws-kms-key-id", "") if not key else ""
    if not id:
        stored = bucket.keys.get(key) if key else None
        id = str(getattr(stored, "kms_key_id", None) or "") or _default_key(bucket)
    found = _key(id, call.region) if id else None
    if found is not None and found.key_manager == "CUSTOMER":
        via = {"kms:viaservice": (f"s3.{call.region}.amazonaws.com",), "kms:calleraccount": (moto_bridge.ACCOUNT,)}
        yield Ask(action, found.arn, dict(context) | via)


def _default_key(bucket: Any) -> str:
    rules = (bucket.encryption or {}).get("Rule") or (bucket.encryption or {}).get("Rules") or {}
    one = rules[0] if isinstance(rules, list) else rules
    said = one.get("ApplyServerSideEncryptionByDefault") or {}
    return str(said.get("KMSMasterKeyID") or "") if str(said.get("SSEAlgorithm", "")).startswith("aws:kms") else ""


# Refusals


def _refused(call: Call, session: Session, action: str, resource: str, why: str) -> CloudError:
    message = (
        f"User: {session.arn} is not authorized to perform: {action} on resource: {json.dumps(resource)} because {why}"
    )
    if call.service == "ec2":
        return CloudError("UnauthorizedOperation", call.operation, f"You are not authorized. {message}", 403)
    protocol = call.model.service_model.metadata.get("protocol", "") if call.model is not None else ""
    if protocol in ("query", "rest-xml") or call.service == "s3":
        return CloudError("AccessDenied", call.operation, message, 403)
    return CloudError("AccessDeniedException", call.operation, message, 400)
