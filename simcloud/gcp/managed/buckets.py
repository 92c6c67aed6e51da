"""Cloud Storage beside buckets and objects: access control lists, notifications, HMAC keys."""

from __future__ import annotations

import re
from typing import Any

from simcloud.gcp import policies
from simcloud.gcp.call import Call, handles
from simcloud.gcp.errors import Refusal, rule
from simcloud.gcp.kinds import digest, thing, things
from simcloud.wire import Response

_DOC = "docs.cloud.google.com/storage/docs"
ENTITY = rule("acl.entity", "an entity is one of the known kinds", _DOC + "/access-control/lists#scopes", ours=True)
ROLE = rule(
    "acl.role", "a role is OWNER, WRITER (buckets) or READER", _DOC + "/access-control/lists#permissions", ours=True
)
UNIFORM = rule(
    "acl.uniform", "lists are refused with uniform bucket-level access", _DOC + "/uniform-bucket-level-access"
)
NOTIFY = rule(
    "notification.topic",
    "a notification's topic exists and the service agent may publish to it",
    _DOC + "/reporting-changes",
    ours=True,
)
HMAC = rule(
    "hmac.state", "an HMAC key is inactive before it is deleted", _DOC + "/authentication/managing-hmackeys", ours=True
)

_ENTITY = re.compile(
    r"allUsers|allAuthenticatedUsers|(user|group)-[^@\s]+@[^@\s]+|(user|group)-[0-9a-f]{16,64}|domain-[\w.-]+|"
    r"project-(owners|editors|viewers)-\d+"
)


def _bucket(call: Call) -> dict[str, Any]:
    item = call.world.state.buckets.get(call.args["bucket"])
    if item is None:
        raise Refusal(404, "The specified bucket does not exist.", reason="notFound")
    access = item.get("iamConfiguration", {})
    if access.get("uniformBucketLevelAccess", {}).get("enabled"):
        raise Refusal(
            400,
            "Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. Read more at "
            "https://cloud.google.com/storage/docs/uniform-bucket-level-access",
            reason="invalid",
            rule=UNIFORM,
        )
    return item


def _where(call: Call, kind: str) -> str:
    base = f"storage/b/{call.args['bucket']}"
    return f"{base}/o/{call.args['object']}/acl" if kind == "o" else f"{base}/{kind}"


def _check(call: Call, item: dict[str, Any], bucket: dict[str, Any], kind: str) -> None:
    entity, role = str(item.get("entity") or ""), str(item.get("role") or "")
    if not _ENTITY.fullmatch(entity):
        raise Refusal(400, f"Invalid argument: entity {entity}.", reason="invalid", rule=ENTITY)
    if role not in (("OWNER", "WRITER", "READER") if kind == "acl" else ("OWNER", "READER")):
        raise Refusal(400, f"Invalid argument: role {role}.", reason="invalid", rule=ROLE)
    prevented = bucket.get("iamConfiguration", {}).get("publicAccessPrevention") == "enforced"
    if prevented and entity in ("allUsers", "allAuthenticatedUsers"):
        raise Refusal(
            412,
            "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is "
            "enforced.",
            reason="conditionNotMet",
        )


_METHODS = {
    "acl": "bucketAccessControls",
    "defaultObjectAcl": "defaultObjectAccessControls",
    "o": "objectAccessControls",
}


def _lists(kind: str, methods: str) -> None:
    noun = "storage#bucketAccessControl" if kind == "acl" else "storage#objectAccessControl"

    def put(call: Call) -> dict[str, Any]:
        bucket = _bucket(call)
        entity = call.args.get("entity") or str(call.body.get("entity") or "")
        path = f"{_where(call, kind)}/{entity}"
        item = {**call.world.state.things.get(path, {}), **call.body, "entity": entity, "kind": noun}
        _check(call, item, bucket, kind)
        if kind == "o":
            live = call.world.state.objects.get(call.args["bucket"], [])
            if not any(o["name"] == call.args["object"] for o in live):
                raise Refusal(404, f"No such object: {call.args['bucket']}/{call.args['object']}", reason="notFound")
            item["object"] = call.args["object"]
        item |= {"bucket": call.args["bucket"], "etag": "CAE=", "_madeBy": f"b/{call.args['bucket']}"}
        email = re.fullmatch(r"(?:user|group)-(.+@.+)", entity)
        if email:
            item["email"] = email.group(1)
        call.world.state.things[path] = item
        return {k: v for k, v in item.items() if not k.startswith("_")}

    def get(call: Call) -> dict[str, Any]:
        _bucket(call)
        item = call.world.state.things.get(f"{_where(call, kind)}/{call.args['entity']}")
        if item is None:
            raise Refusal(404, "Not Found", reason="notFound")
        return {k: v for k, v in item.items() if not k.startswith("_")}

    def rows(call: Call) -> dict[str, Any]:
        _bucket(call)
        pattern = re.escape(_where(call, kind).removeprefix("storage/")) + "/[^/]+"
        found = [
            {k: v for k, v in i.items() if not k.startswith("_")} for _, i in things(call.world, "storage", pattern)
        ]
        return {"kind": noun + "s", **({"items": found} if found else {})}

    def delete(call: Call) -> Response:
        get(call)
        del call.world.state.things[f"{_where(call, kind)}/{call.args['entity']}"]
        return Response(204)

    handles(f"storage.{methods}.insert", f"storage.{methods}.update", f"storage.{methods}.patch")(put)
    handles(f"storage.{methods}.get")(get)
    handles(f"storage.{methods}.list")(rows)
    handles(f"storage.{methods}.delete")(delete)


for _kind, _name in _METHODS.items():
    _lists(_kind, _name)


# Notifications --------------------------------------------------------------------------------------------------------


@handles("storage.notifications.insert")
def notify(call: Call) -> dict[str, Any]:
    """Changes of a bucket are told to a topic."""
    name = call.args["bucket"]
    bucket = call.world.state.buckets.get(name)
    if bucket is None:
        raise Refusal(404, "The specified bucket does not exist.", reason="notFound")
    found = re.fullmatch(
        r"//pubsub\.googleapis\.com/(projects/([^/]+)/topics/[^/]+)", str(call.body.get("topic") or "")
    )
    if found is None:
        raise Refusal(400, f"Invalid argument: topic {call.body.get('topic')}.", reason="invalid", rule=NOTIFY)
    topic = found.group(1)
    if thing(call.world, "pubsub", topic) is None:
        raise Refusal(404, f"Cloud Pub/Sub topic {topic} not found.", reason="notFound", rule=NOTIFY)
    number = bucket["projectNumber"]
    agent = f"serviceAccount:service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    roles = frozenset(
        {"roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin", "roles/owner", "roles/editor"}
    )
    places = [f"pubsub/{topic}", f"projects/{found.group(2)}"]
    if not policies.holds(call.world, places, agent, roles):
        raise Refusal(
            403,
            f"The service account '{agent.partition(':')[2]}' does not have permission to publish messages to the "
            f"Cloud Pub/Sub topic '//pubsub.googleapis.com/{topic}', or that topic does not exist.",
            reason="forbidden",
        )
    count = len([k for k in call.world.state.things if k.startswith(f"storage/b/{name}/notificationConfigs/")])
    item = {
        "payload_format": "JSON_API_V1",
        **call.body,
        "id": str(count + 1),
        "kind": "storage#notification",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}/notificationConfigs/{count + 1}",
        "etag": str(count + 1),
        "_madeBy": f"b/{name}",
    }
    call.world.state.things[f"storage/b/{name}/notificationConfigs/{count + 1}"] = item
    return {k: v for k, v in item.items() if not k.startswith("_")}


def _notification(call: Call) -> dict[str, Any]:
    path = f"b/{call.args['bucket']}/notificationConfigs/{call.args['notification']}"
    item = thing(call.world, "storage", path)
    if item is None:
        raise Refusal(404, "Not Found", reason="notFound")
    return item


@handles("storage.notifications.get")
def get_notification(call: Call) -> dict[str, Any]:
    """A notification."""
    return {k: v for k, v in _notification(call).items() if not k.startswith("_")}


@handles("storage.notifications.list")
def list_notifications(call: Call) -> dict[str, Any]:
    """A bucket's notifications."""
    pattern = re.escape(f"b/{call.args['bucket']}/notificationConfigs/") + r"\d+"
    rows = [{k: v for k, v in i.items() if not k.startswith("_")} for _, i in things(call.world, "storage", pattern)]
    return {"kind": "storage#notifications", **({"items": rows} if rows else {})}


@handles("storage.notifications.delete")
def delete_notification(call: Call) -> Response:
    """A notification goes."""
    _notification(call)
    path = f"storage/b/{call.args['bucket']}/notificationConfigs/{call.args['notification']}"
    del call.world.state.things[path]
    return Response(204)


# HMAC keys ------------------------------------------------------------------------------------------------------------


@handles("storage.projects.hmacKeys.create")
def create_hmac(call: Call) -> dict[str, Any]:
    """An HMAC key of a service account. Its secret is told once."""
    email = call.query.get("serviceAccountEmail", "")
    project = call.args["projectId"]
    if not policies.account_exists(call.world, email, project):
        raise Refusal(404, f"Service Account '{email}' not found.", reason="notFound", rule=HMAC)
    id = "GOOG1E" + call.hexadecimal(55).upper()
    item = {
        "kind": "storage#hmacKeyMetadata",
        "id": f"{project}/{id}",
        "accessId": id,
        "projectId": project,
        "serviceAccountEmail": email,
        "state": "ACTIVE",
        "timeCreated": call.now,
        "updated": call.now,
        "etag": digest(id, call.now, length=10),
        "selfLink": f"https://www.googleapis.com/storage/v1/projects/{project}/hmacKeys/{id}",
    }
    call.world.state.things[f"storage/projects/{project}/hmacKeys/{id}"] = item
    return {"kind": "storage#hmacKey", "metadata": item, "secret": digest("hmac", id, length=40)}


def _hmac(call: Call) -> dict[str, Any]:
    item = thing(call.world, "storage", f"projects/{call.args['projectId']}/hmacKeys/{call.args['accessId']}")
    if item is None:
        raise Refusal(404, f"Access ID not found in project {call.args['projectId']}.", reason="notFound")
    return item


@handles("storage.projects.hmacKeys.get")
def get_hmac(call: Call) -> dict[str, Any]:
    """An HMAC key without its secret."""
    return _hmac(call)


@handles("storage.projects.hmacKeys.update")
def update_hmac(call: Call) -> dict[str, Any]:
    """A key is switched on or off."""
    item = _hmac(call)
    if call.body.get("state") not in ("ACTIVE", "INACTIVE"):
        raise Refusal(400, f"Invalid argument: state {call.body.get('state')}.", reason="invalid", rule=HMAC)
    item |= {"state": call.body["state"], "updated": call.now}
    return item


@handles("storage.projects.hmacKeys.delete")
def delete_hmac(call: Call) -> Response:
    """Only an inactive key goes."""
    item = _hmac(call)
    if item["state"] != "INACTIVE":
        raise Refusal(400, "Cannot delete keys in 'ACTIVE' state.", reason="invalid", rule=HMAC)
    del call.world.state.things[f"storage/projects/{call.args['projectId']}/hmacKeys/{call.args['accessId']}"]
    return Response(204)
