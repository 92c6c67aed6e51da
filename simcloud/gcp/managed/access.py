"""Identities beside service accounts: their keys, custom roles, workload identity; services of a project and its
private connections to Google's own."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import Any

from simcloud.gcp.call import Call, handles, project_number
from simcloud.gcp.compute.base import key_from
from simcloud.gcp.errors import Refusal, rule
from simcloud.gcp.kinds import Kind, declare, digest, found, operation, operations, path_of, thing, things, wrong
from simcloud.gcp.managed.common import network

_IAM = "docs.cloud.google.com/iam/docs"
ROLE = rule(
    "iam.custom-role", "a custom role has permissions that look like ones", _IAM + "/creating-custom-roles", ours=True
)
KEYS = rule("account.keys", "an account has at most ten keys of its own", _IAM + "/keys-create-delete", ours=True)
POOL = rule(
    "iam.workload-identity",
    "a pool's and a provider's id, mapping and condition are legal",
    _IAM + "/manage-workload-identity-pools-providers",
    ours=True,
)
SERVICE = rule(
    "serviceusage.service",
    "a service that is switched on exists",
    "docs.cloud.google.com/service-usage/docs/enable-disable",
    ours=True,
)
PEERING = rule(
    "servicenetworking.ranges",
    "a private connection has ranges that are reserved for peering in its network",
    "docs.cloud.google.com/vpc/docs/configure-private-services-access",
    ours=True,
)

# Keys of service accounts ---------------------------------------------------------------------------------------------

_KEYS = Kind("iam.projects.serviceAccounts.keys", full=True, stamps=("", ""), labels="")


def _account(call: Call, name: str) -> dict[str, Any]:
    email = name.rpartition("/")[2]
    for one in call.world.state.accounts.values():
        if email in (one["email"], one["uniqueId"]):
            return one
    raise Refusal(404, f"Service account {name} does not exist.")


@handles("iam.projects.serviceAccounts.keys.create")
def create_key(call: Call) -> dict[str, Any]:
    """A key pair. The private half is told once; here it is none that would open anything."""
    owner = _account(call, call.match.name.removesuffix("/keys"))
    have = list(things(call.world, "iam", re.escape(owner["name"]) + "/keys/.*"))
    if len(have) >= 10:
        raise Refusal(400, "Maximum number of keys on account reached.", state="FAILED_PRECONDITION", rule=KEYS)
    id = call.hexadecimal(40)
    made = {
        "name": f"{owner['name']}/keys/{id}",
        "keyType": "USER_MANAGED",
        "keyOrigin": "GOOGLE_PROVIDED",
        "keyAlgorithm": call.body.get("keyAlgorithm") or "KEY_ALG_RSA_2048",
        "validAfterTime": call.moment.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "validBeforeTime": (call.moment.now + timedelta(days=3650)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    public = f"-----BEGIN CERTIFICATE-----\n{digest('key', id, length=64)}\n-----END CERTIFICATE-----\n"
    call.world.state.things[f"iam/{made['name']}"] = {**made, "_public": public}
    private = {
        "type": "service_account",
        "project_id": owner["projectId"],
        "private_key_id": id,
        "private_key": f"-----BEGIN PRIVATE KEY-----\n{digest('private', id, length=32)}\n-----END PRIVATE KEY-----\n",
        "client_email": owner["email"],
        "client_id": owner["uniqueId"],
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return {
        **made,
        "privateKeyType": call.body.get("privateKeyType") or "TYPE_GOOGLE_CREDENTIALS_FILE",
        "privateKeyData": base64.b64encode(json.dumps(private, indent=2).encode()).decode(),
    }


@handles("iam.projects.serviceAccounts.keys.get")
def get_key(call: Call) -> dict[str, Any]:
    """A key's public half."""
    item = found(call, _KEYS, _key_name(call))
    data = {"publicKeyData": base64.b64encode(item["_public"].encode()).decode()}
    shown = {k: v for k, v in item.items() if not k.startswith("_")}
    return {**shown, **(data if call.query.get("publicKeyType", "TYPE_NONE") != "TYPE_NONE" else {})}


def _key_name(call: Call) -> str:
    head, _, id = call.match.name.rpartition("/keys/")
    return f"{_account(call, head)['name']}/keys/{id}"


@handles("iam.projects.serviceAccounts.keys.list")
def list_keys(call: Call) -> dict[str, Any]:
    """An account's keys."""
    owner = _account(call, call.match.name.removesuffix("/keys"))
    rows = [i for _, i in things(call.world, "iam", re.escape(owner["name"]) + "/keys/.*")]
    return {"keys": [{k: v for k, v in r.items() if not k.startswith("_")} for r in rows]}


@handles("iam.projects.serviceAccounts.keys.delete")
def delete_key(call: Call) -> dict[str, Any]:
    """A key goes."""
    name = _key_name(call)
    found(call, _KEYS, name)
    del call.world.state.things[f"iam/{name}"]
    return {}


# Custom roles ---------------------------------------------------------------------------------------------------------

_PERMISSION = re.compile(r"[a-z][a-zA-Z0-9-]*(\.[a-zA-Z][\w-]*){2}")


@handles("iam.projects.roles.create")
def create_role(call: Call) -> dict[str, Any]:
    """A role of a project's own."""
    id = str(call.body.get("roleId") or "")
    if not re.fullmatch(r"[\w.]{3,64}", id):
        raise wrong(f"The role_id '{id}' has 3 to 64 letters, digits, dots and underscores.", ROLE)
    name = f"{path_of(call)}/{id}"
    old = thing(call.world, "iam", name)
    if old is not None:
        if old.get("deleted"):
            raise Refusal(
                400,
                f"You can't create a role with role_id ({id}) where there is an existing role with that role_id in a "
                "deleted state.",
                state="FAILED_PRECONDITION",
            )
        raise Refusal(409, f"A role named {id} in {path_of(call).removesuffix('/roles')} already exists.")
    item = {**call.body.get("role", {}), "name": name}
    _check_role(item)
    return _keep_role(call, item)


def _check_role(item: dict[str, Any]) -> None:
    for permission in item.get("includedPermissions", []):
        if not _PERMISSION.fullmatch(permission):
            raise wrong(f"Permission {permission} is not valid.", ROLE)
    if item.get("stage") == "DEPRECATED" and not item.get("description"):
        return
    item.setdefault("stage", "GA")


def _keep_role(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    item["etag"] = base64.b64encode(bytes.fromhex(digest(item, call.now, length=16))).decode()
    call.world.state.things[f"iam/{item['name']}"] = item
    return item


@handles("iam.projects.roles.patch")
def patch_role(call: Call) -> dict[str, Any]:
    """Title, description, stage and permissions change in place."""
    item = dict(found(call, Kind("iam.projects.roles")))
    mask = [m for m in (call.query.get("updateMask") or ",".join(call.body)).split(",") if m]
    for member in mask:
        if member in ("name", "etag"):
            continue
        if call.body.get(member) in (None, []):
            item.pop(member, None)
        else:
            item[member] = call.body[member]
    _check_role(item)
    return _keep_role(call, item)


@handles("iam.projects.roles.get")
def get_role(call: Call) -> dict[str, Any]:
    """A role; a deleted one says so."""
    return found(call, Kind("iam.projects.roles"))


@handles("iam.projects.roles.list")
def list_roles(call: Call) -> dict[str, Any]:
    """A project's roles that are not deleted."""
    rows = [r for _, r in things(call.world, "iam", re.escape(path_of(call)) + "/[^/]+") if not r.get("deleted")]
    return {"roles": rows} if rows else {}


@handles("iam.projects.roles.delete")
def delete_role(call: Call) -> dict[str, Any]:
    """A role is marked: its id is not free for 37 days."""
    item = found(call, Kind("iam.projects.roles"))
    item["deleted"] = True
    item["_madeBy"] = "deleted"
    return {k: v for k, v in item.items() if not k.startswith("_")}


@handles("iam.projects.roles.undelete")
def undelete_role(call: Call) -> dict[str, Any]:
    """A deleted role comes back."""
    item = found(call, Kind("iam.projects.roles"))
    if not item.pop("deleted", None):
        raise Refusal(400, f"The role {item['name']} is not deleted.", state="FAILED_PRECONDITION", rule=ROLE)
    item.pop("_madeBy", None)
    return item


# Workload identity ----------------------------------------------------------------------------------------------------


def _pool(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    id = name.rpartition("/")[2]
    if id.startswith("gcp-"):
        raise wrong(f"The prefix gcp- is reserved: {id}.", POOL)
    item["state"] = "ACTIVE"
    parts = name.split("/")
    item["name"] = "/".join(["projects", project_number(parts[1]), *parts[2:]])


def _pool_leave(call: Call, name: str, item: dict[str, Any]) -> None:
    """A pool goes; for 30 days its id is taken."""
    call.world.state.things[f"iam-deleted/{name}"] = {"_madeBy": name, "at": call.now}


def _pool_new(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    if old is None and f"iam-deleted/{name}" in call.world.state.things:
        raise Refusal(409, "Requested entity already exists", state="ALREADY_EXISTS")
    if name.split("/")[-2] == "providers":
        _provider(call, item, name, old)
    _pool(call, item, name, old)


def _provider(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    kinds = [k for k in ("aws", "oidc", "saml", "x509") if k in item]
    if len(kinds) != 1:
        raise wrong("A provider is of one kind: aws, oidc, saml or x509.", POOL)
    mapping = item.get("attributeMapping", {})
    if kinds != ["aws"] and "google.subject" not in mapping:
        raise wrong("The attribute mapping must map google.subject.", POOL)
    for target in mapping:
        if not re.fullmatch(r"google\.(subject|groups)|attribute\.[a-z0-9_]{1,100}", target):
            raise wrong(f"The mapping's target {target} is not legal.", POOL)
    if kinds == ["oidc"] and not str(item["oidc"].get("issuerUri", "")).startswith("https://"):
        raise wrong("The issuer's URI must begin with https://.", POOL)
    if kinds == ["aws"] and not re.fullmatch(r"\d{12}", str(item["aws"].get("accountId", ""))):
        raise wrong("An AWS account id has twelve digits.", POOL)
    if kinds == ["aws"]:
        item.setdefault("attributeMapping", {"google.subject": "assertion.arn"})


_POOL_IDS = r"[a-z][a-z0-9-]{2,30}[a-z0-9]"
for _methods, _id in (
    ("iam.projects.locations.workloadIdentityPools", "workloadIdentityPoolId"),
    ("iam.projects.locations.workloadIdentityPools.providers", "workloadIdentityPoolProviderId"),
):
    declare(
        Kind(
            _methods,
            id=_id,
            operations="below",
            ids=_POOL_IDS,
            places="global",
            labels="",
            stamps=("", ""),
            prepare=_pool_new,
            leave=_pool_leave,
        )
    )
operations(
    "iam",
    "iam.projects.locations.workloadIdentityPools.operations.get",
    "iam.projects.locations.workloadIdentityPools.providers.operations.get",
)

# Services -------------------------------------------------------------------------------------------------------------


def _service_name(call: Call) -> str:
    name = re.sub(r":(enable|disable)$", "", call.match.name)
    parts = name.split("/")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(googleapis\.com|goog)", parts[-1]):
        raise Refusal(
            403, f"Not found or permission denied for service(s): {parts[-1]}.", state="PERMISSION_DENIED", rule=SERVICE
        )
    return name


def _service_state(call: Call, name: str) -> dict[str, Any]:
    kept = thing(call.world, "serviceusage", name) or {}
    parts = name.split("/")
    return {
        "name": f"projects/{project_number(parts[1])}/services/{parts[3]}",
        "parent": f"projects/{project_number(parts[1])}",
        "config": {"name": parts[3], "title": parts[3]},
        "state": kept.get("state", "DISABLED"),
    }


@handles("serviceusage.services.get")
def get_service(call: Call) -> dict[str, Any]:
    """Whether a service is on."""
    return _service_state(call, _service_name(call))


@handles("serviceusage.services.list")
def list_services(call: Call) -> dict[str, Any]:
    """Services that are on."""
    where = re.escape(path_of(call))
    rows = [
        _service_state(call, n)
        for n, i in things(call.world, "serviceusage", where + "/[^/]+")
        if i.get("state") == "ENABLED"
    ]
    return {"services": rows} if rows else {}


def _enable(call: Call, name: str) -> None:
    call.world.state.things[f"serviceusage/{name}"] = {"state": "ENABLED", "_madeBy": name}


@handles("serviceusage.services.enable")
def enable(call: Call) -> dict[str, Any]:
    """Switch a service on."""
    name = _service_name(call)
    _enable(call, name)
    return operation(call, "serviceusage", name, "enable", {"service": _service_state(call, name)})


@handles("serviceusage.services.batchEnable")
def enable_all(call: Call) -> dict[str, Any]:
    """Switch several services on."""
    where = re.sub(r":batchEnable$", "", call.match.name)
    for id in call.body.get("serviceIds", []):
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(googleapis\.com|goog)", id):
            raise Refusal(
                403, f"Not found or permission denied for service(s): {id}.", state="PERMISSION_DENIED", rule=SERVICE
            )
    for id in call.body.get("serviceIds", []):
        _enable(call, f"{where}/{id}")
    return operation(call, "serviceusage", f"{where}/batch", "enable", {})


@handles("serviceusage.services.disable")
def disable(call: Call) -> dict[str, Any]:
    """Switch a service off."""
    name = _service_name(call)
    call.world.state.things.pop(f"serviceusage/{name}", None)
    return operation(call, "serviceusage", name, "disable", {"service": _service_state(call, name)})


operations("serviceusage", "serviceusage.operations.get")

# Private connections --------------------------------------------------------------------------------------------------


def _ranges(call: Call, item: dict[str, Any]) -> str:
    given = str(item.get("network") or "")
    parts = given.split("/")
    project = (
        next((p for p in call.world.state.projects if project_number(p) == parts[1]), "") if len(parts) > 1 else ""
    )
    path = "/".join(["projects", project or parts[1], *parts[2:]]) if len(parts) > 1 else given
    path = network(call, path)
    ranges = item.get("reservedPeeringRanges", [])
    if not ranges:
        raise wrong("A connection has at least one reserved range.", PEERING)
    for name in ranges:
        address = call.world.state.compute.get(f"projects/{path.split('/')[1]}/global/addresses/{name}", {})
        if address.get("purpose") != "VPC_PEERING" or key_from(str(address.get("network"))) != path:
            raise wrong(f"The range '{name}' is not reserved for peering in network '{path}'.", PEERING)
    return path


_CONNECTIONS = Kind("servicenetworking.services.connections", stamps=("", ""), labels="")


@handles("servicenetworking.services.connections.create")
def connect(call: Call) -> dict[str, Any]:
    """Connect a network with a service's own."""
    path = _ranges(call, call.body)
    where = call.match.name
    peering = where.split("/")[1].replace(".", "-")
    name = f"{where}/{path.replace('/', '~')}"
    if thing(call.world, "servicenetworking", name) is not None:
        raise Refusal(
            400,
            "Cannot modify allocated ranges in CreateConnection. Please use UpdateConnection.",
            state="FAILED_PRECONDITION",
        )
    item = {
        "network": call.body["network"],
        "reservedPeeringRanges": call.body["reservedPeeringRanges"],
        "peering": peering,
        "service": "/".join(where.split("/")[:2]),
        "_network": path,
    }
    call.world.state.things[f"servicenetworking/{name}"] = item
    shown = {k: v for k, v in item.items() if not k.startswith("_")}
    return operation(call, "servicenetworking", name, "create", shown)


@handles("servicenetworking.services.connections.list")
def connections(call: Call) -> dict[str, Any]:
    """A network's connections."""
    rows = [
        {k: v for k, v in i.items() if not k.startswith("_")}
        for _, i in things(call.world, "servicenetworking", "services/[^/]+/connections/.*")
        if call.query.get("network") in (None, "", i["network"])
    ]
    return {"connections": rows} if rows else {}


def _connection(call: Call) -> tuple[str, dict[str, Any]]:
    wanted = str(call.body.get("network") or call.body.get("consumerNetwork") or "")
    for name, item in things(call.world, "servicenetworking", "services/[^/]+/connections/.*"):
        if item["network"] == wanted:
            return name, item
    raise Refusal(404, f"No connection of network '{wanted}' was found.")


@handles("servicenetworking.services.connections.patch")
def reconnect(call: Call) -> dict[str, Any]:
    """The ranges of a connection change in place."""
    name, item = _connection(call)
    _ranges(call, call.body)
    item["reservedPeeringRanges"] = call.body["reservedPeeringRanges"]
    return operation(
        call, "servicenetworking", name, "update", {k: v for k, v in item.items() if not k.startswith("_")}
    )


@handles("servicenetworking.services.connections.deleteConnection")
def disconnect(call: Call) -> dict[str, Any]:
    """A connection goes when no service uses it."""
    name, item = _connection(call)
    for user, one in things(call.world, "sql", "projects/[^/]+/instances/[^/]+"):
        if key_from(str(one["settings"]["ipConfiguration"].get("privateNetwork", ""))) == item["_network"]:
            raise Refusal(
                400,
                f"Failed to delete connection; Producer services (e.g. {user}) are still using this connection.",
                state="FAILED_PRECONDITION",
            )
    del call.world.state.things[f"servicenetworking/{name}"]
    return operation(call, "servicenetworking", name, "delete", {})


operations("servicenetworking", "servicenetworking.operations.get")
