"""What a caller with a service account's token may do: in Cloud Storage by IAM, elsewhere anything, and it is counted.

Roles count on the bucket and on its project, with the conditions of their bindings; the token's scopes bound them.
What cannot be judged is let pass, and counted with its reason. Left out: ACLs of buckets without uniform access, deny
policies, groups. Sources: Cloud Storage documentation, "IAM roles", "IAM permissions for JSON methods".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simcloud.gcp import policies, storage
from simcloud.gcp.call import Call, project_number
from simcloud.gcp.conditions import Facts, holds
from simcloud.gcp.errors import Refusal, rule
from simcloud.gcp.kinds import thing
from simcloud.gcp.tokens import Caller

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

ALLOWED = rule(
    "storage.permission",
    "a service account has the permission on the bucket or its project",
    "docs.cloud.google.com/storage/docs/access-control/iam-json",
)
SCOPE = rule(
    "token.scope",
    "a token's scopes allow the call",
    "docs.cloud.google.com/storage/docs/authentication#oauth-scopes",
)


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


_READ = frozenset({"objects.get", "objects.list"})
_PARTS = frozenset({f"multipartUploads.{verb}" for verb in ("create", "abort", "list", "listParts")})
_LISTED = {
    "storage.objectViewer": _READ,
    "storage.objectCreator": frozenset({"objects.create"}) | _PARTS,
    "storage.objectUser": _READ | _PARTS | {"objects.create", "objects.delete", "objects.update"},
    "storage.objectAdmin": frozenset({"objects.*", "multipartUploads.*"}),
    "storage.admin": frozenset({"*"}),
    "storage.bucketViewer": frozenset({"buckets.get", "buckets.list"}),
    "storage.legacyObjectReader": frozenset({"objects.get"}),
    "storage.legacyObjectOwner": frozenset({"objects.get", "objects.update", "objects.*IamPolicy"}),
    "storage.legacyBucketReader": frozenset({"buckets.get", "objects.list", "multipartUploads.list"}),
    "storage.legacyBucketWriter": _PARTS | {"buckets.get", "objects.list", "objects.create", "objects.delete"},
    "storage.legacyBucketOwner": _PARTS
    | {"buckets.get", "buckets.update", "buckets.*IamPolicy", "objects.list", "objects.create", "objects.delete"},
    "viewer": frozenset({"buckets.list"}),
    "editor": frozenset({"buckets.list", "buckets.create", "buckets.delete"}),
    "owner": frozenset({"buckets.list", "buckets.create", "buckets.delete"}),
}
"""Permissions of predefined roles, without `storage.`; `*` stands for any. Source: "IAM roles for Cloud Storage"."""
_ROLES = {f"roles/{name}": permissions for name, permissions in _LISTED.items()}
_WITHOUT = ("roles/logging.", "roles/monitoring.", "roles/compute.", "roles/tpu.", "roles/iam.", "roles/cloudkms.")
"""Roles that are known to hold nothing of Cloud Storage."""

_CONVENIENT = {"projectOwner": "roles/owner", "projectEditor": "roles/editor", "projectViewer": "roles/viewer"}

_SCOPES = {
    "devstorage.read_only": ("buckets.get", "buckets.list", "objects.get", "objects.list"),
    "devstorage.read_write": ("buckets.get", "buckets.list", "buckets.create", "buckets.delete", "objects.", "multi"),
    "devstorage.full_control": ("",),
    "cloud-platform": ("",),
}
"""The permissions, by how they begin, that a scope leaves."""


@dataclass(frozen=True, slots=True)
class _Need:
    """One permission that a call needs: on a bucket (an object or a list in it), or on a project."""

    permission: str
    bucket: str = ""
    object: str | None = None
    project: str = ""
    prefix: str | None = None


def check(call: Call, caller: Caller, judged: Judged) -> None:
    """Raises Refusal for what a caller may not do in Cloud Storage."""
    if call.match.method.api != "storage":
        judged.passed[f"{call.match.method.api} is not judged"] += 1
        return
    for need in _needs(call):
        if not _in_scope(caller, need.permission):
            judged.refused[f"storage.{need.permission}"] += 1
            raise Refusal(403, "Insufficient Permission", reason="insufficientPermissions", rule=SCOPE)
        said, why = _granted(call, caller, need)
        if said is None:
            judged.passed[why] += 1
        elif said:
            judged.allowed += 1
        else:
            judged.refused[f"storage.{need.permission}"] += 1
            raise _refused(caller, need)


def _refused(caller: Caller, need: _Need) -> Refusal:
    what = "Storage object" if need.permission.startswith("objects.") else "Storage bucket"
    if need.project:
        what = "project"
    permission = f"storage.{need.permission}"
    message = (
        f"{caller.email} does not have {permission} access to the Google Cloud {what}. "
        f"Permission '{permission}' denied on resource (or it may not exist)."
    )
    return Refusal(403, message, reason="forbidden", rule=ALLOWED)


def _needs(call: Call) -> Iterator[_Need]:
    args, method = call.args, call.match.method.id.removeprefix("storage.")
    if method in ("objects.copy", "objects.rewrite"):
        yield _Need("objects.get", args["sourceBucket"], args["sourceObject"])
        yield from _stored(call, args["destinationBucket"], args["destinationObject"])
        return
    bucket, name = args.get("bucket") or args.get("destinationBucket", ""), args.get("object")
    if method == "objects.insert":
        yield from _stored(call, bucket, storage.upload_name(call))
    elif method == "objects.compose":
        yield _Need("objects.get", bucket, "")
        yield from _stored(call, bucket, args["destinationObject"])
    elif method == "objects.list":
        yield _Need("objects.list", bucket, prefix=call.query.get("prefix", ""))
    elif method.startswith("objects."):
        verb = {"patch": "update", "watchAll": "list"}.get(method.partition(".")[2], method.partition(".")[2])
        yield _Need(f"objects.{verb}", bucket, name)
    elif method in ("buckets.insert", "buckets.list"):
        verb = "create" if method.endswith("insert") else "list"
        yield _Need(f"buckets.{verb}", project=call.query.get("project", ""))
    elif method.startswith("buckets."):
        verb = {"patch": "update", "testIamPermissions": ""}.get(method.partition(".")[2], method.partition(".")[2])
        if verb:
            yield _Need(f"buckets.{verb}", bucket)
    elif method == "projects.serviceAccount.get":
        return
    elif bucket:
        yield _Need("buckets.get" if call.request.method == "GET" else "buckets.update", bucket)


def _stored(call: Call, bucket: str, name: str) -> Iterator[_Need]:
    """Storing an object; over one that is there it takes that one away."""
    yield _Need("objects.create", bucket, name)
    if storage.stands(call.world, bucket, name):
        yield _Need("objects.delete", bucket, name)


def _in_scope(caller: Caller, permission: str) -> bool:
    starts = (s for scope in caller.scopes for s in _SCOPES.get(scope.rpartition("/")[2], ()))
    return any(permission.startswith(s) for s in starts)


def _granted(call: Call, caller: Caller, need: _Need) -> tuple[bool | None, str]:
    """Whether some binding grants it; None, with what it hangs on, where that cannot be told."""
    state = call.world.state
    bucket = state.buckets.get(need.bucket)
    if need.bucket and bucket is None:
        return True, ""  # there is nothing to protect; the call itself will say so
    project = need.project or _project(call.world, bucket or {})
    unsure = ""
    for resource in ([f"b/{need.bucket}"] if need.bucket else []) + [f"projects/{project}"]:
        for binding in policies.read(call.world, resource).get("bindings", []):
            if not _is_member(call.world, binding["members"], caller.email, project):
                continue
            said, why = _covers(call, binding, need)
            if said:
                return True, ""
            if said is None:
                unsure = why
    return (None, unsure) if unsure else (False, "")


def _covers(call: Call, binding: Mapping[str, Any], need: _Need) -> tuple[bool | None, str]:
    role = binding["role"]
    permissions = _ROLES.get(role)
    if permissions is None and role.startswith(_WITHOUT):
        return False, ""
    if permissions is None:
        custom = thing(call.world, "iam", role)
        if custom is None or custom.get("deleted"):
            return None, f"what {role} holds"
        permissions = frozenset(
            p.removeprefix("storage.") for p in custom.get("includedPermissions", ()) if p.startswith("storage.")
        )
    if not any(_fits(p, need.permission) for p in permissions):
        return False, ""
    condition = binding.get("condition")
    if condition is None:
        return True, ""
    said = holds(condition["expression"], _facts(need, call.moment.now))
    return said, f"condition {condition.get('title', '')}".strip()


def _fits(pattern: str, permission: str) -> bool:
    if pattern == "*":
        return True
    head, star, tail = pattern.partition("*")
    return permission.startswith(head) and permission.endswith(tail) if star else pattern == permission


def _facts(need: _Need, now: datetime) -> Facts:
    name = f"projects/_/buckets/{need.bucket}"
    kind = "storage.googleapis.com/Bucket"
    if need.object is not None:
        name, kind = f"{name}/objects/{need.object}", "storage.googleapis.com/Object"
    attributes = {} if need.prefix is None else {"storage.googleapis.com/objectListPrefix": need.prefix}
    return Facts(name, kind, now, attributes)


def _project(world: GcpWorld, bucket: Mapping[str, Any]) -> str:
    number = bucket.get("projectNumber")
    return next((p for p in world.state.projects if project_number(p) == number), "")


def _is_member(world: GcpWorld, members: list[str], email: str, project: str) -> bool:
    if {f"serviceAccount:{email}", "allUsers", "allAuthenticatedUsers"} & set(members):
        return True
    for member in members:
        kind, _, of = member.partition(":")
        role = _CONVENIENT.get(kind)
        if role and policies.holds(world, [f"projects/{of}"], f"serviceAccount:{email}", frozenset({role})):
            return True
    return False
