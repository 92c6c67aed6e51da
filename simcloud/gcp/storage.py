"""Cloud Storage: buckets, their policies, objects with generations."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import Message
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts, kms, policies
from simcloud.gcp.call import Call, handles, project_number
from simcloud.gcp.crc32c import crc32c
from simcloud.gcp.documents import document
from simcloud.gcp.errors import Refusal, missing_field, rule
from simcloud.wire import Moment, Response

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

_DOC = "docs.cloud.google.com/storage/docs"
NAME = rule("bucket.name", "bucket names follow the rules", _DOC + "/buckets#naming", ours=True)
rule("bucket.exists", "bucket names are one space for all", "API errors seen: 409 conflict")
PLACE = rule("bucket.location", "a location is a region, a dual region or a multi-region", _DOC + "/locations")
CLASS = rule("bucket.class", "a storage class is one of those that exist", _DOC + "/storage-classes", ours=True)
LIFECYCLE = rule(
    "bucket.lifecycle",
    "a lifecycle rule has a legal action and conditions; at most 100",
    _DOC + "/lifecycle",
    ours=True,
)
SOFT = rule("bucket.soft-delete", "soft delete is off or lasts 7 to 90 days", _DOC + "/soft-delete", ours=True)
rule(
    "bucket.cmek",
    "a default key exists, lies at the bucket's location, and the service agent may use it",
    _DOC + "/encryption/customer-managed-keys",
)
CMEK_PLACE = rule(
    "bucket.cmek-location",
    "a default key lies where its bucket lies",
    _DOC + "/encryption/customer-managed-keys",
    ours=True,
)
UNIFORM = rule(
    "bucket.uniform",
    "uniform access cannot be switched off after 90 days, ACLs are refused with it",
    _DOC + "/uniform-bucket-level-access",
    ours=True,
)
PREVENT = rule(
    "bucket.public-access", "with prevention enforced, allUsers gets nothing", _DOC + "/public-access-prevention"
)
CONDITION = rule(
    "bucket.condition",
    "conditions in a bucket's policy need uniform access",
    _DOC + "/access-control/iam#conditions",
    ours=True,
)
LABELS = rule("bucket.labels", "labels follow the pattern; at most 64", _DOC + "/tags-and-labels", ours=True)
OBJECT = rule(
    "object.name", "an object name has 1 to 1024 bytes without line ends", _DOC + "/objects#naming", ours=True
)
UPLOAD = rule("object.upload", "an upload is media, multipart or resumable", "discovery document storage.v1", ours=True)
PIECES = rule(
    "object.resumable",
    "the pieces of an upload follow each other; all but the last are multiples of 256 KiB",
    _DOC + "/performing-resumable-uploads",
    ours=True,
)
RANGE = rule("object.range", "a range begins within the object", "RFC 9110, section 14.2")
RETENTION = rule("bucket.retention", "objects under retention are not deleted", _DOC + "/bucket-lock", ours=True)
_CLASSES = frozenset(
    {"STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "DURABLE_REDUCED_AVAILABILITY", "REGIONAL", "MULTI_REGIONAL"}
)
_API = "https://www.googleapis.com/storage/v1/b/"

_LEGACY_POLICY = (
    ("roles/storage.legacyBucketOwner", ("projectEditor:{p}", "projectOwner:{p}")),
    ("roles/storage.legacyBucketReader", ("projectViewer:{p}",)),
)


def _location(value: str) -> tuple[str, str]:
    known = facts.data("places")["buckets"]
    wanted = value.upper()
    if wanted in known["multi"]:
        return wanted, "multi-region"
    if wanted in known["dual"]:
        return wanted, "dual-region"
    if value.lower() in facts.regions():
        return wanted, "region"
    raise Refusal(400, "The specified location constraint is not valid.", reason="invalid", rule=PLACE)


def _check_name(name: str) -> None:
    ok = re.fullmatch(r"[a-z0-9][a-z0-9_.-]{1,220}[a-z0-9]", name) is not None
    ok = ok and all(0 < len(part) <= 63 for part in name.split(".")) and ("." in name or len(name) <= 63)
    ok = ok and not name.startswith("goog") and "google" not in name and "g00gle" not in name
    try:
        ipaddress.IPv4Address(name)
        ok = False
    except ValueError:
        pass
    if not ok:
        raise Refusal(400, f"Invalid bucket name: '{name}'", reason="invalid", rule=NAME)


def _bucket(call: Call, name: str | None = None) -> dict[str, Any]:
    found = call.world.state.buckets.get(name or call.args["bucket"])
    if found is None:
        raise Refusal(404, "The specified bucket does not exist.", reason="notFound")
    return found


def _settings(call: Call, body: dict[str, Any], project: str) -> None:
    """Raises Refusal for a bucket's settings that are not legal; fills in what Cloud Storage fills in."""
    if body.get("storageClass") and body["storageClass"] not in _CLASSES:
        raise Refusal(400, f"Invalid storage class: {body['storageClass']}", reason="invalid", rule=CLASS)
    _check_lifecycle(body.get("lifecycle", {}).get("rule", []))
    if (soft := body.get("softDeletePolicy")) is not None:
        seconds = int(soft.get("retentionDurationSeconds", 0))
        if seconds and not 604800 <= seconds <= 7776000:
            raise Refusal(400, "Soft delete lasts 0 or from 7 to 90 days.", reason="invalid", rule=SOFT)
        soft["retentionDurationSeconds"] = str(seconds)
        soft.setdefault("effectiveTime", call.now)
    labels = body.get("labels", {})
    if len(labels) > 64 or any(
        (v is not None and not re.fullmatch(r"[\w-]{0,63}", v)) or not re.fullmatch(r"[^\W\dA-Z_][\w-]{0,62}", k)
        for k, v in labels.items()
    ):
        raise Refusal(400, f"Invalid labels: {labels}", reason="invalid", rule=LABELS)
    if any(v != (v or "").lower() for v in labels.values() if v):
        raise Refusal(400, f"Invalid labels: {labels}", reason="invalid", rule=LABELS)
    key = body.get("encryption", {}).get("defaultKmsKeyName")
    if key:
        _check_key(call, key, body["location"], project)
    access = body.setdefault("iamConfiguration", {})
    uniform = access.setdefault("uniformBucketLevelAccess", {"enabled": False})
    uniform.setdefault("enabled", False)
    if uniform["enabled"]:
        ninety = call.moment.now + timedelta(days=90)
        uniform.setdefault("lockedTime", ninety.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z")
        if body.get("acl") or call.query.get("predefinedAcl"):
            raise Refusal(
                400,
                "Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled.",
                rule=UNIFORM,
            )
    else:
        uniform.pop("lockedTime", None)
    access["bucketPolicyOnly"] = dict(uniform)
    access.setdefault("publicAccessPrevention", "inherited")


_ACTIONS = frozenset({"Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"})


def _check_lifecycle(rules: list[dict[str, Any]]) -> None:
    if len(rules) > 100:
        raise Refusal(400, "A bucket has at most 100 lifecycle rules.", reason="invalid", rule=LIFECYCLE)
    for entry in rules:
        action, condition = entry.get("action", {}), entry.get("condition", {})
        kind = action.get("type")
        if kind not in _ACTIONS:
            raise Refusal(400, f"Invalid lifecycle action: {kind}", reason="invalid", rule=LIFECYCLE)
        if (kind == "SetStorageClass") != bool(action.get("storageClass")):
            raise Refusal(400, "A storage class goes with SetStorageClass.", reason="invalid", rule=LIFECYCLE)
        if action.get("storageClass") and action["storageClass"] not in _CLASSES:
            raise Refusal(400, f"Invalid storage class: {action['storageClass']}", reason="invalid", rule=LIFECYCLE)
        if not condition:
            raise Refusal(400, "A lifecycle rule needs a condition.", reason="invalid", rule=LIFECYCLE)
        if any(isinstance(v, int) and v < 0 for v in condition.values()):
            raise Refusal(400, "A lifecycle condition is not negative.", reason="invalid", rule=LIFECYCLE)
        if kind == "AbortIncompleteMultipartUpload" and set(condition) - {"age", "matchesPrefix", "matchesSuffix"}:
            raise Refusal(400, "Only age, prefix and suffix abort an upload.", reason="invalid", rule=LIFECYCLE)


def _check_key(call: Call, key: str, location: str, project: str) -> None:
    if not kms.usable(call.world, key):
        raise Refusal(
            400,
            f"Cloud KMS key '{key}' does not exist or its primary version is not enabled.",
            reason="invalid",
            rule=CMEK_PLACE,
        )
    where = key.split("/")[3]
    same = {"US": "us", "EU": "europe", "ASIA": "asia"}.get(location, location.lower())
    if where not in (same, "eu" if same == "europe" else same):
        raise Refusal(400, f"The key lies in '{where}', the bucket in '{location}'.", reason="invalid", rule=CMEK_PLACE)
    agent = policies.agent(project, "gs-project-accounts.iam.gserviceaccount.com")
    if not kms.may_encrypt(call.world, key, agent):
        raise Refusal(
            403,
            "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been "
            "authorized to use this key.",
            reason="forbidden",
        )


@handles("storage.buckets.insert")
def insert(call: Call) -> dict[str, Any]:
    """A bucket. Its name is taken for everybody."""
    body = call.body
    project = call.query.get("project", "")
    if not project:
        raise missing_field("project")
    name = body.get("name", "")
    if not name:
        raise missing_field("resource.name")
    _check_name(name)
    taken = call.world.state.buckets.get(name)
    if taken is not None:
        mine = taken["projectNumber"] == project_number(project)
        raise Refusal(
            409,
            "Your previous request to create the named bucket succeeded and you already own it."
            if mine
            else "The requested bucket name is not available. The bucket namespace is shared by all users of the "
            "system. Please select a different name and try again.",
            reason="conflict",
        )
    place, kind = _location(body.get("location", "US"))
    made: dict[str, Any] = {
        "kind": "storage#bucket",
        "selfLink": _API + name,
        "id": name,
        "name": name,
        "projectNumber": project_number(project),
        "generation": str(int(call.moment.now.timestamp() * 1e6)),
        "metageneration": "1",
        **{k: v for k, v in body.items() if k not in ("id", "selfLink", "kind", "acl", "defaultObjectAcl")},
        "location": place,
        "locationType": kind,
        "timeCreated": call.now,
        "updated": call.now,
    }
    made.setdefault("storageClass", "STANDARD")
    made.setdefault("softDeletePolicy", {"retentionDurationSeconds": "604800"})
    if kind in ("multi-region", "dual-region"):
        made.setdefault("rpo", "DEFAULT")
    _settings(call, made, project)
    if "retentionPolicy" in made:
        made["retentionPolicy"].setdefault("effectiveTime", call.now)
    made["etag"] = base64.b64encode(b"\x08\x01").decode()
    call.world.state.buckets[name] = made
    call.world.state.objects[name] = []
    bindings = [{"role": r, "members": [m.format(p=project) for m in members]} for r, members in _LEGACY_POLICY]
    call.world.state.policies[f"b/{name}"] = {"version": 1, "bindings": bindings, "etag": "CAE="}
    return made


@handles("storage.buckets.get")
def get(call: Call) -> dict[str, Any]:
    """A bucket."""
    return _bucket(call)


@handles("storage.buckets.list")
def list_all(call: Call) -> dict[str, Any]:
    """A project's buckets."""
    number = project_number(call.query.get("project", ""))
    prefix = call.query.get("prefix", "")
    found = [
        b for n, b in sorted(call.world.state.buckets.items()) if b["projectNumber"] == number and n.startswith(prefix)
    ]
    return {"kind": "storage#buckets", **({"items": found} if found else {})}


@handles("storage.buckets.patch", "storage.buckets.update")
def patch(call: Call) -> dict[str, Any]:
    """A bucket changes in place; a member sent as null goes. Its name and location stay."""
    item = _bucket(call)
    _precondition(call, item)
    sent = call.request.json()
    wanted = json.loads(json.dumps(item))
    for name, value in sent.items():
        if name in ("name", "location", "id", "kind", "selfLink", "projectNumber", "timeCreated", "updated", "etag"):
            continue
        if name not in document("storage")["schemas"]["Bucket"]["properties"]:
            continue
        wanted[name] = _merge(wanted.get(name), value)
        if wanted[name] is None:
            del wanted[name]
    before = item.get("iamConfiguration", {}).get("uniformBucketLevelAccess", {})
    after = wanted.get("iamConfiguration", {}).get("uniformBucketLevelAccess", {})
    locked = before.get("lockedTime")
    if before.get("enabled") and not after.get("enabled") and locked and locked < call.now:
        raise Refusal(400, "Uniform access has been on for 90 days and stays.", reason="invalid", rule=UNIFORM)
    if after.get("enabled") and not before.get("enabled"):
        after.pop("lockedTime", None)
    project = call.query.get("project", "") or _project_of(call, item)
    _settings(call, wanted, project)
    wanted["updated"] = call.now
    wanted["metageneration"] = str(int(item["metageneration"]) + 1)
    call.world.state.buckets[item["name"]] = wanted
    return dict(wanted)


def _project_of(call: Call, item: dict[str, Any]) -> str:
    """The project's id of a bucket, found by its number among the projects the world has seen."""
    for project in call.world.state.projects:
        if project_number(project) == item["projectNumber"]:
            return project
    return ""


def _merge(old: Any, new: Any) -> Any:
    """JSON merge patch (RFC 7396), which Cloud Storage's patch follows."""
    if not isinstance(new, dict):
        return new
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


def _precondition(call: Call, item: dict[str, Any]) -> None:
    wanted = call.query.get("ifMetagenerationMatch")
    if wanted is not None and wanted != item["metageneration"]:
        raise Refusal(412, "At least one of the pre-conditions you specified did not hold.", reason="conditionNotMet")


@handles("storage.buckets.delete")
def delete(call: Call) -> Response:
    """An empty bucket goes. Noncurrent versions count as content."""
    item = _bucket(call)
    _precondition(call, item)
    if _live(call.world, item["name"]):
        raise Refusal(409, "The bucket you tried to delete is not empty.", reason="conflict")
    state = call.world.state
    del state.buckets[item["name"]]
    state.objects.pop(item["name"], None)
    state.policies.pop(f"b/{item['name']}", None)
    for key in [k for k in state.things if k.startswith(f"storage/b/{item['name']}/")]:
        del state.things[key]
    return Response(204)


def _live(world: GcpWorld, bucket: str) -> list[dict[str, Any]]:
    """Objects and noncurrent versions; those that are only soft-deleted do not count."""
    return [o for o in world.state.objects.get(bucket, []) if "softDeleteTime" not in o]


@handles("storage.buckets.getIamPolicy")
def get_policy(call: Call) -> dict[str, Any]:
    """The policy on a bucket."""
    return _policy(call, policies.read(call.world, f"b/{_bucket(call)['name']}"))


def _policy(call: Call, policy: dict[str, Any]) -> dict[str, Any]:
    shown = {k: v for k, v in policy.items() if not k.startswith("_")}
    return {"kind": "storage#policy", "resourceId": f"projects/_/buckets/{call.args['bucket']}", **shown}


@handles("storage.buckets.setIamPolicy")
def set_policy(call: Call) -> dict[str, Any]:
    """Replace the policy on a bucket."""
    item = _bucket(call)
    if item["iamConfiguration"]["publicAccessPrevention"] == "enforced":
        for binding in call.body.get("bindings", []):
            if {"allUsers", "allAuthenticatedUsers"} & set(binding.get("members", [])):
                raise Refusal(
                    412,
                    "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access "
                    "prevention is enforced.",
                    reason="conditionNotMet",
                    rule=PREVENT,
                )
    conditional = any("condition" in b for b in call.body.get("bindings", []))
    if conditional and not item["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]:
        raise Refusal(400, "Conditions need uniform bucket-level access.", reason="invalid", rule=CONDITION)
    return _policy(call, policies.write(call, f"b/{item['name']}", call.body))


@handles("storage.buckets.testIamPermissions")
def test_permissions(call: Call) -> dict[str, Any]:
    """The simulated caller has every permission."""
    wanted = call.request.params().get("permissions", [])
    return {"kind": "storage#testIamPermissionsResponse", "permissions": wanted}


@handles("storage.projects.serviceAccount.get")
def service_agent(call: Call) -> dict[str, Any]:
    """The project's Cloud Storage service agent."""
    email = policies.agent(call.args["projectId"], "gs-project-accounts.iam.gserviceaccount.com")
    return {"kind": "storage#serviceAccount", "email_address": email}


# Objects ------------------------------------------------------------------------------------------------------------


def _parts(call: Call) -> tuple[dict[str, Any], str, bytes]:
    """Metadata, content type and content of an upload."""
    kind = call.request.headers.get("content-type", "application/octet-stream")
    upload = call.query.get("uploadType", "")
    if upload == "media":
        return {}, kind, call.request.body
    if upload != "multipart":
        raise Refusal(400, f"Upload type '{upload}' is not modelled.", reason="invalid", rule=UPLOAD)
    message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + call.request.body)
    found = message.get_payload()
    parts = [p for p in found if isinstance(p, Message)] if isinstance(found, list) else []
    if len(parts) != 2:
        raise Refusal(400, "A multipart upload has two parts.", reason="invalid", rule=UPLOAD)
    meta, media = parts
    content = _raw_part(call.request.body, kind)
    told = meta.get_payload(decode=True)
    try:
        body = json.loads(told if isinstance(told, bytes) and told else b"{}")
    except ValueError:
        raise Refusal(400, "The first part is JSON.", reason="parseError", rule=UPLOAD) from None
    return body, str(media.get("Content-Type") or "application/octet-stream"), content


def upload_name(call: Call) -> str:
    """The name of the object that an upload is for; empty when it says none."""
    if call.query.get("upload_id"):
        begun = call.world.state.uploads.get(call.query["upload_id"])
        return begun.name if begun is not None else ""
    if call.query.get("name"):
        return call.query["name"]
    if not call.match.method.upload:
        return str(call.body.get("name", ""))
    kind = call.request.headers.get("content-type", "")
    if call.query.get("uploadType") == "resumable":
        told = call.request.body
    else:
        found = re.search(r'boundary="?([^";]+)"?', kind)
        if found is None:
            return ""
        first = call.request.body.split(b"--" + found.group(1).encode(), 2)[1:2]
        told = b"".join(first)[b"".join(first).find(b"{") :]
    try:
        said = json.loads(told.strip() or b"{}")
    except ValueError:
        return ""
    return str(said.get("name", "")) if isinstance(said, dict) else ""


def stands(world: GcpWorld, bucket: str, name: str) -> bool:
    """Whether there is an object of this name now."""
    return _current(world, bucket, name) is not None


def _raw_part(body: bytes, kind: str) -> bytes:
    """The second part of a multipart body, byte for byte."""
    found = re.search(r'boundary="?([^";]+)"?', kind)
    mark = b"--" + (found.group(1) if found else "").encode()
    part = body.split(mark)[2]
    # Lines end as the client ends them; what comes first tells how.
    end = b"\r\n" if part.startswith(b"\r\n") else b"\n"
    content = part.partition(end + end)[2]
    return content.removesuffix(end)


@handles("storage.objects.insert")
def insert_object(call: Call) -> Response | dict[str, Any]:
    """A new generation of an object; of one that comes in pieces, what is there so far."""
    bucket = _bucket(call)
    if call.match.method.upload and call.query.get("uploadType") == "resumable":
        return _piece(call, bucket) if call.query.get("upload_id") else _begin(call, bucket)
    meta, kind, content = _parts(call) if call.match.method.upload else (call.body, "application/octet-stream", b"")
    name = call.query.get("name") or meta.get("name", "")
    if not name:
        raise missing_field("name")
    return _keep(call, bucket, name, {**meta, "contentType": meta.get("contentType") or kind}, content)


def _begin(call: Call, bucket: dict[str, Any]) -> Response:
    """An upload in pieces begins: where they are to be sent."""
    from simcloud.gcp.world import Upload

    try:
        meta = call.request.json()
    except ValueError:
        raise Refusal(400, "The metadata is JSON.", reason="parseError", rule=UPLOAD) from None
    name = call.query.get("name") or meta.get("name", "")
    if not name:
        raise missing_field("name")
    kind = call.request.headers.get("x-upload-content-type", "application/octet-stream")
    id = call.hexadecimal(40)
    asked = {k: v for k, v in call.query.items() if k in ("ifGenerationMatch", "kmsKeyName")}
    meta = {**meta, "contentType": meta.get("contentType") or kind, "_asked": asked}
    call.world.state.uploads[id] = Upload(bucket["name"], name, meta)
    host = call.request.headers.get("host", "storage.googleapis.com")
    scheme = "https" if host.endswith(".googleapis.com") else "http"
    where = f"{scheme}://{host}{call.request.path}?uploadType=resumable&upload_id={id}"
    return Response(200, {"location": where, "x-guploader-uploadid": id})


_SPAN = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_STEP = 256 * 1024


def _piece(call: Call, bucket: dict[str, Any]) -> Response | dict[str, Any]:
    """One piece, or the question how much has arrived. The last one makes the object."""
    id = call.query["upload_id"]
    begun = call.world.state.uploads.get(id)
    if begun is None or begun.bucket != bucket["name"]:
        raise Refusal(404, "No such upload.", reason="notFound")
    body = call.request.body
    span = _SPAN.fullmatch(call.request.headers.get("content-range", f"bytes 0-{max(0, len(body) - 1)}/{len(body)}"))
    if span is None:
        raise Refusal(400, "Invalid Content-Range.", reason="badRequest", rule=PIECES)
    first, end, whole = span.group(1), span.group(2), span.group(3)
    if first is not None and body:
        if int(first) != begun.size or int(end) - int(first) + 1 != len(body):
            raise Refusal(400, f"The next piece begins at {begun.size}.", reason="badRequest", rule=PIECES)
        if whole == "*" and len(body) % _STEP:
            raise Refusal(
                400, "A piece that is not the last is a multiple of 256 KiB.", reason="badRequest", rule=PIECES
            )
        begun.pieces.append(base64.b64encode(body).decode())
        begun.size += len(body)
    if whole == "*" or begun.size < int(whole):
        arrived = {"range": f"bytes=0-{begun.size - 1}"} if begun.size else {}
        return Response(308, {**arrived, "x-guploader-uploadid": id})
    del call.world.state.uploads[id]
    meta = dict(begun.meta)
    call.query |= meta.pop("_asked")
    return _keep(call, bucket, begun.name, meta, b"".join(map(base64.b64decode, begun.pieces)))


def _keep(call: Call, bucket: dict[str, Any], name: str, meta: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Store a new generation."""
    if len(name.encode()) > 1024 or "\n" in name or "\r" in name or name in (".", ".."):
        raise Refusal(400, f"Invalid object name: '{name}'", reason="invalid", rule=OBJECT)
    kept = call.world.state.objects[bucket["name"]]
    current = _current(call.world, bucket["name"], name)
    wanted = call.query.get("ifGenerationMatch")
    if wanted is not None and wanted != (current["generation"] if current else "0"):
        raise Refusal(412, "At least one of the pre-conditions you specified did not hold.", reason="conditionNotMet")
    key = call.query.get("kmsKeyName") or bucket.get("encryption", {}).get("defaultKmsKeyName")
    if key:
        _check_key(call, key, bucket["location"], _project_of(call, bucket))
    if current is not None:
        _retire(call, bucket, current)
    newest = max((int(o["generation"]) for o in kept), default=0)
    generation = str(max(int(call.moment.now.timestamp() * 1e6), newest + 1))
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    made: dict[str, Any] = {
        "kind": "storage#object",
        "id": f"{bucket['name']}/{name}/{generation}",
        "selfLink": f"{_API}{bucket['name']}/o/{_quote(name)}",
        "mediaLink": f"https://storage.googleapis.com/download/storage/v1/b/{bucket['name']}/o/{_quote(name)}"
        f"?generation={generation}&alt=media",
        "bucket": bucket["name"],
        "name": name,
        "generation": generation,
        "metageneration": "1",
        "contentType": meta.get("contentType") or "application/octet-stream",
        "storageClass": meta.get("storageClass") or bucket["storageClass"],
        "size": str(len(content)),
        "md5Hash": base64.b64encode(digest).decode(),
        "crc32c": base64.b64encode(crc32c(content).to_bytes(4, "big")).decode(),
        "etag": base64.b64encode(generation.encode()[-6:]).decode(),
        "timeCreated": call.now,
        "updated": call.now,
        "timeStorageClassUpdated": call.now,
        **{k: meta[k] for k in _META if meta.get(k) is not None},
        "_data": base64.b64encode(content).decode(),
    }
    if key:
        made["kmsKeyName"] = f"{key}/cryptoKeyVersions/1"
    kept.append(made)
    return _public(made)


_META = (
    "metadata",
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "temporaryHold",
    "eventBasedHold",
    "customTime",
)


def _quote(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def _public(item: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in item.items() if not k.startswith("_")}


def _current(world: GcpWorld, bucket: str, name: str) -> dict[str, Any] | None:
    items: list[dict[str, Any]] = world.state.objects.get(bucket, [])
    for item in items[::-1]:
        if item["name"] == name and "timeDeleted" not in item and "softDeleteTime" not in item:
            return item
    return None


def _retire(call: Call, bucket: dict[str, Any], item: dict[str, Any], *, for_good: bool = False) -> None:
    """What happens to a generation that is overwritten or deleted."""
    if item.get("temporaryHold") or item.get("eventBasedHold"):
        raise Refusal(
            403,
            f"Object '{item['id']}' is under active hold and cannot be deleted.",
            reason="retentionPolicyNotMet",
            rule=RETENTION,
        )
    period = int(bucket.get("retentionPolicy", {}).get("retentionPeriod", 0))
    made = datetime.fromisoformat(item["timeCreated"].replace("Z", "+00:00"))
    if period and made + timedelta(seconds=period) > call.moment.now:
        raise Refusal(
            403,
            f"Object '{item['id']}' is subject to the bucket's retention policy.",
            reason="retentionPolicyNotMet",
            rule=RETENTION,
        )
    if bucket.get("versioning", {}).get("enabled") and not for_good:
        item["timeDeleted"] = call.now
        return
    seconds = int(bucket.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
    if seconds:
        item["softDeleteTime"] = call.now
        until = call.moment.now + timedelta(seconds=seconds)
        item["hardDeleteTime"] = until.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    else:
        call.world.state.objects[bucket["name"]].remove(item)


def _object(
    call: Call, bucket: str | None = None, name: str | None = None, generation: str | None = None
) -> dict[str, Any]:
    bucket = _bucket(call, bucket)["name"]
    name, generation = name or call.args["object"], generation or call.query.get("generation")
    if generation is None:
        found = _current(call.world, bucket, name)
    else:
        known = _live(call.world, bucket)
        found = next((o for o in known if o["name"] == name and o["generation"] == generation), None)
    if found is None:
        raise Refusal(404, f"No such object: {bucket}/{name}", reason="notFound")
    return found


@handles("storage.objects.get")
def get_object(call: Call) -> Response | dict[str, Any]:
    """An object's metadata, or its content with `alt=media`."""
    item = _object(call)
    if call.query.get("alt") == "media":
        return _content(item, base64.b64decode(item["_data"]), call.request.headers.get("range", ""))
    return _public(item)


_WANTED = re.compile(r"bytes=(\d*)-(\d*)")


def _content(item: dict[str, Any], content: bytes, wanted: str) -> Response:
    """An object's content, or the one range of it that is asked for."""
    headers = {
        "content-type": item["contentType"],
        "accept-ranges": "bytes",
        "etag": item["etag"],
        "x-goog-generation": item["generation"],
        "x-goog-hash": f"crc32c={item['crc32c']},md5={item['md5Hash']}",
        "x-goog-stored-content-length": item["size"],
    }
    span = _WANTED.fullmatch(wanted)
    if span is None or not any(span.groups()):
        return Response(200, headers, content)
    if span.group(1):
        first, last = int(span.group(1)), min(int(span.group(2) or len(content)), len(content) - 1)
    else:
        first, last = max(0, len(content) - int(span.group(2))), len(content) - 1
    if first > last:
        raise Refusal(416, "Requested range not satisfiable", reason="requestedRangeNotSatisfiable", rule=RANGE)
    return Response(
        206, {**headers, "content-range": f"bytes {first}-{last}/{len(content)}"}, content[first : last + 1]
    )


@handles("storage.objects.list")
def list_objects(call: Call) -> dict[str, Any]:
    """Objects of a bucket, with noncurrent versions when asked."""
    bucket = _bucket(call)["name"]
    prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
    every = call.query.get("versions") == "true"
    soft = call.query.get("softDeleted") == "true"
    chosen = []
    prefixes: set[str] = set()
    for item in sorted(call.world.state.objects.get(bucket, []), key=lambda o: (o["name"], int(o["generation"]))):
        if not item["name"].startswith(prefix) or ("softDeleteTime" in item) != soft:
            continue
        if "timeDeleted" in item and not every and not soft:
            continue
        rest = item["name"][len(prefix) :]
        if delimiter and delimiter in rest:
            prefixes.add(prefix + rest.partition(delimiter)[0] + delimiter)
            continue
        chosen.append(_public(item))
    start = int(call.query.get("pageToken", "0") or 0)
    size = min(int(call.query.get("maxResults", "1000") or 1000), 1000)
    answer: dict[str, Any] = {"kind": "storage#objects"}
    if chosen[start : start + size]:
        answer["items"] = chosen[start : start + size]
    if prefixes:
        answer["prefixes"] = sorted(prefixes)
    if start + size < len(chosen):
        answer["nextPageToken"] = str(start + size)
    return answer


@handles("storage.objects.copy", "storage.objects.rewrite")
def copy_object(call: Call) -> dict[str, Any]:
    """A new object with the content of another one, in one step."""
    source = _object(call, call.args["sourceBucket"], call.args["sourceObject"], call.query.get("sourceGeneration"))
    bucket = _bucket(call, call.args["destinationBucket"])
    meta = {**{k: source[k] for k in _META if k in source}, "contentType": source["contentType"], **call.body}
    made = _keep(call, bucket, call.args["destinationObject"], meta, base64.b64decode(source["_data"]))
    if call.match.method.id.endswith(".copy"):
        return made
    size = source["size"]
    return {
        "kind": "storage#rewriteResponse",
        "totalBytesRewritten": size,
        "objectSize": size,
        "done": True,
        "resource": made,
    }


@handles("storage.objects.patch", "storage.objects.update")
def patch_object(call: Call) -> dict[str, Any]:
    """An object's metadata changes in place."""
    item = _object(call)
    for name, value in call.request.json().items():
        if name in _META or name == "contentType":
            merged = _merge(item.get(name), value)
            if merged is None:
                item.pop(name, None)
            else:
                item[name] = merged
    item["updated"] = call.now
    item["metageneration"] = str(int(item["metageneration"]) + 1)
    return _public(item)


@handles("storage.objects.delete")
def delete_object(call: Call) -> Response:
    """An object goes; in a versioned bucket it becomes noncurrent, unless its generation is named."""
    bucket = _bucket(call)
    item = _object(call)
    _retire(call, bucket, item, for_good=call.query.get("generation") is not None)
    return Response(204)


def reconcile(world: GcpWorld, moment: Moment) -> bool:
    """Soft-deleted objects whose time is over go."""
    now = moment.now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    changed = False
    for bucket, items in world.state.objects.items():
        left = [o for o in items if "hardDeleteTime" not in o or o["hardDeleteTime"] > now]
        changed |= len(left) != len(items)
        world.state.objects[bucket] = left
    return changed


def inventory(world: GcpWorld) -> Iterator[dict[str, Any]]:
    """Buckets, and the objects in them by count."""
    for name, item in world.state.buckets.items():
        yield {
            "type": "storage.buckets",
            "name": f"b/{name}",
            "link": item["selfLink"],
            "labels": dict(item.get("labels", {})),
            "objects": len(_live(world, name)),
        }


def kept(world: GcpWorld) -> list[dict[str, Any]]:
    """Soft-deleted objects of buckets that stand."""
    return [
        {
            "type": "storage.objects",
            "name": o["id"],
            "state": "SOFT_DELETED",
            "until": o["hardDeleteTime"],
            "reason": "soft delete keeps a deleted object for the bucket's retention time",
            "source": _DOC + "/soft-delete",
        }
        for items in world.state.objects.values()
        for o in items
        if "hardDeleteTime" in o
    ]
