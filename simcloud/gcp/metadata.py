"""The metadata server: what a machine is told of itself, as a function of the world and the request.

Sources: Compute Engine documentation, "View and query VM metadata", "Predefined metadata keys"; for TPU hosts the
attributes that JAX and the TPU runtime read. Left out: guest attributes, OS Login, identity tokens (their signature
would have to be Google's).
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts, lives, tokens
from simcloud.gcp.call import project_number
from simcloud.gcp.compute.base import key_from, last
from simcloud.gcp.fleet import host_name, mac_of
from simcloud.tickets import Tickets
from simcloud.wire import Request, Response

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

Tree = Mapping[str, Any]
"""Names, as in paths, to trees and leaves: texts, numbers, lists of texts."""

_LITERAL = frozenset({"attributes", "service-accounts"})
"""Below these, names are what somebody gave and stay as they are in JSON."""
_NUMBERED = frozenset({"access-configs", "disks", "network-interfaces"})
"""Lists, whose entries are numbered in paths."""
_PREFIX = ["computeMetadata", "v1"]


def answer(world: GcpWorld, tickets: Tickets, id: str, request: Request, now: datetime) -> Response:
    """What the server says to a request of one machine. Raises ValueError when there is no such machine."""
    found = lives.find(world, id)
    if request.method not in ("GET", "HEAD"):
        return _error(405, "Method Not Allowed")
    if request.path in ("", "/"):
        return _text("computeMetadata/\n")
    # A browser or a proxy sends neither of the two: that is what they are for.
    if request.headers.get("metadata-flavor", "").lower() != "google" or "x-forwarded-for" in request.headers:
        return _error(403, "Forbidden", "Missing Metadata-Flavor:Google header.")
    query = {name.lower(): values[0] for name, values in request.params().items()}
    path = [p for p in request.path.split("/") if p]
    if path[:2] != _PREFIX:
        return _text("v1/\n") if path == _PREFIX[:1] else _error(404, "Not Found")
    path = path[2:]
    if path[:2] == ["instance", "service-accounts"] and path[3:] == ["token"]:
        return _token(tickets, found, path[2], query, now)
    tree: Any = _tree(world, found)
    for name in path:
        tree = tree.get(name) if isinstance(tree, Mapping) else None
        if tree is None:
            return _error(404, "Not Found")
    if isinstance(tree, Mapping):
        if query.get("recursive", "").lower() == "true":
            if query.get("alt", "json") == "text":
                return _text("".join(f"{k} {v}\n" for k, v in _flat(tree)), tree)
            return _json(_shown(tree, path[-1] if path else ""))
        if not request.path.endswith("/"):
            query_text = f"?{request.query}" if request.query else ""
            moved = _error(301, "Moved Permanently")
            return Response(301, {**moved.headers, "location": f"{request.path}/{query_text}"}, moved.body)
        names = [f"{k}/" if isinstance(v, Mapping) else k for k, v in tree.items()]
        if path[:2] == ["instance", "service-accounts"] and len(path) == 3:
            names.append("token")  # its value is given only to who asks for it
        return _text("".join(f"{name}\n" for name in names), tree)
    if query.get("alt") == "json":
        return _json(tree)
    return _text(_leaf(path, tree))


def _leaf(path: list[str], value: Any) -> str:
    if isinstance(value, list):
        return json.dumps(value) if path[-1] == "tags" else "".join(f"{v}\n" for v in value)
    return str(value)


def _camel(name: str) -> str:
    return re.sub(r"-([a-z0-9])", lambda m: m.group(1).upper(), name)


def _shown(tree: Any, name: str) -> Any:
    """What is called `name`, as JSON: words in camel case, numbered entries as a list."""
    if not isinstance(tree, Mapping):
        return tree
    if name in _NUMBERED:
        return [_shown(v, "") for v in tree.values()]
    return {k if name in _LITERAL else _camel(k): _shown(v, k) for k, v in tree.items()}


def _flat(tree: Tree, before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}/")
        else:
            yield f"{before}{name}", _leaf([name], value)


def _etag(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _text(content: str, of: object = None) -> Response:
    return _answer("application/text", content.encode(), of if of is not None else content)


def _json(content: Any) -> Response:
    return _answer("application/json", json.dumps(content).encode(), content)


def _answer(kind: str, body: bytes, of: object) -> Response:
    # `wait_for_change` is answered at once here: the world's process compares the ETags and waits.
    headers = {"content-type": kind, "metadata-flavor": "Google", "server": "Metadata Server for VM"}
    return Response(200, {**headers, "etag": _etag(of), "x-xss-protection": "0", "x-frame-options": "SAMEORIGIN"}, body)


def _error(status: int, title: str, why: str = "") -> Response:
    page = f"<!DOCTYPE html>\n<html lang=en>\n  <title>Error {status} ({title})!!1</title>\n  <p>{why or title}</p>\n"
    headers = {
        "content-type": "text/html; charset=UTF-8",
        "metadata-flavor": "Google",
        "server": "Metadata Server for VM",
    }
    return Response(status, headers, page.encode())


def _account(found: lives.Found) -> tuple[str, list[str]] | None:
    if found.worker is not None:
        account = found.item.get("serviceAccount") or {}
        return (account["email"], list(account.get("scope") or ())) if account.get("email") else None
    for account in found.item.get("serviceAccounts", []):
        return account["email"], list(account.get("scopes") or ())
    return None


def _token(tickets: Tickets, found: lives.Found, name: str, query: Mapping[str, str], now: datetime) -> Response:
    account = _account(found)
    if account is None or name not in ("default", account[0]):
        return _error(404, "Not Found")
    email, scopes = account
    asked = [s for s in query.get("scopes", "").split(",") if s]
    # A machine's token never has more than its machine; cloud-platform holds the others.
    whole = any(last(s) == "cloud-platform" for s in scopes)
    given = [s for s in asked if whole or s in scopes] if asked else scopes
    token, seconds = tokens.issue(tickets, email, given, now)
    return _json({"access_token": token, "expires_in": seconds, "token_type": "Bearer"})


# What there is to know


def _tree(world: GcpWorld, found: lives.Found) -> Tree:
    project = found.name.split("/")[1]
    common = world.state.compute.get(f"projects/{project}/global/metadata/common", {})
    return {
        "instance": _host(world, found) if found.worker is not None else _instance(world, found),
        "project": {
            "attributes": _entries(common.get("items")),
            "numeric-project-id": int(project_number(project)),
            "project-id": project,
        },
        "universe": {"universe-domain": "googleapis.com"},
    }


def _entries(items: list[dict[str, Any]] | None) -> dict[str, str]:
    return {str(e["key"]): str(e.get("value", "")) for e in items or ()}


def _accounts(found: lives.Found) -> Tree:
    account = _account(found)
    if account is None:
        return {}
    email, scopes = account
    one = {"aliases": ["default"], "email": email, "scopes": scopes}
    return {email: one, "default": one}


def _interface(world: GcpWorld, nic: Mapping[str, Any], number: str) -> dict[str, Any]:
    subnet = world.state.compute[key_from(nic["subnetwork"])]
    network = world.state.compute.get(key_from(nic["network"]), {})
    cidr = ipaddress.IPv4Network(subnet["ipCidrRange"])
    found: dict[str, Any] = {
        "access-configs": {
            str(i): {"external-ip": a.get("natIP", ""), "type": a.get("type", "ONE_TO_ONE_NAT")}
            for i, a in enumerate(nic.get("accessConfigs", []))
        },
        "dns-servers": ["169.254.169.254"],
        "gateway": subnet["gatewayAddress"],
        "ip": nic["networkIP"],
        "mac": mac_of(nic["networkIP"]),
        "mtu": int(network.get("mtu") or 1460),
        "network": f"projects/{number}/networks/{last(nic['network'])}",
        "subnetmask": str(cidr.netmask),
    }
    return found


def _instance(world: GcpWorld, found: lives.Found) -> Tree:
    item = found.item
    project, zone = found.name.split("/")[1], found.name.split("/")[3]
    number = project_number(project)
    scheduling = item.get("scheduling", {})
    boot: dict[str, Any] = next((d for d in item.get("disks", []) if d.get("boot")), {})
    disk = world.state.compute.get(key_from(boot.get("source", "")), {})
    image = str(disk.get("sourceImage") or "")
    drives = {
        str(i): {
            "device-name": d["deviceName"],
            "index": i,
            "interface": d.get("interface", "SCSI"),
            "mode": d.get("mode", "READ_WRITE"),
            "type": "LOCAL-SSD" if d.get("type") == "SCRATCH" else "PERSISTENT-BALANCED",
        }
        for i, d in enumerate(item.get("disks", []))
    }
    return {
        "attributes": _entries(item.get("metadata", {}).get("items")),
        "cpu-platform": item.get("cpuPlatform", ""),
        "description": item.get("description", ""),
        "disks": drives,
        "hostname": f"{item['name']}.{zone}.c.{project}.internal",
        "id": int(item["id"]),
        "image": key_from(image) or image,
        "machine-type": f"projects/{number}/machineTypes/{last(item['machineType'])}",
        "maintenance-event": "NONE",
        "name": item["name"],
        "network-interfaces": {
            str(i): _interface(world, nic, number) for i, nic in enumerate(item["networkInterfaces"])
        },
        "preempted": _said(lives.seen(world, found).preempted),
        "scheduling": {
            "automatic-restart": _said(scheduling.get("automaticRestart")),
            "on-host-maintenance": str(scheduling.get("onHostMaintenance", "")),
            "preemptible": _said(scheduling.get("preemptible")),
        },
        "service-accounts": _accounts(found),
        "tags": list(item.get("tags", {}).get("items", [])),
        "zone": f"projects/{number}/zones/{zone}",
    }


def _said(value: object) -> str:
    return "TRUE" if value else "FALSE"


def _host(world: GcpWorld, found: lives.Found) -> Tree:
    """One host of a TPU slice. The attributes are those that the runtime on it reads."""
    node, worker = found.item, found.worker or 0
    project, zone = found.name.split("/")[1], found.name.split("/")[3]
    number = project_number(project)
    config = (node.get("networkConfigs") or [node["networkConfig"]])[0]
    nic = {**config, "networkIP": node["networkEndpoints"][worker]["ipAddress"]}
    external = node["networkEndpoints"][worker].get("accessConfig", {}).get("externalIp")
    if external:
        nic["accessConfigs"] = [{"natIP": external}]
    name = host_name(node, worker)
    scheduling = node.get("schedulingConfig", {})
    own_id = int(hashlib.sha256(f"{node['id']}/{worker}".encode()).hexdigest()[:15], 16)
    return {
        "attributes": {**node.get("metadata", {}), **_tpu_attributes(world, found, worker)},
        "hostname": f"{name}.{zone}.c.{project}.internal",
        "id": own_id,
        "machine-type": f"projects/{number}/machineTypes/{_machine_type(node)}",
        "maintenance-event": "NONE" if node["state"] != "REPAIRING" else "TERMINATE_ON_HOST_MAINTENANCE",
        "name": name,
        "network-interfaces": {"0": _interface(world, nic, number)},
        "preempted": _said(lives.seen(world, found).preempted),
        "scheduling": {
            "automatic-restart": "FALSE",
            "on-host-maintenance": "TERMINATE",
            "preemptible": _said(scheduling.get("spot") or scheduling.get("preemptible")),
        },
        "service-accounts": _accounts(found),
        "tags": list(node.get("tags", [])),
        "zone": f"projects/{number}/zones/{zone}",
    }


_TPU_MACHINES = {"V5LITE_POD": "ct5lp", "V5P": "ct5p", "V6E": "ct6e", "V4": "ct4p"}


def _machine_type(node: Mapping[str, Any]) -> str:
    shape = node["acceleratorConfig"]
    slice = facts.tpu_slice(shape["type"], shape["topology"])
    chips = slice.chips // slice.hosts if slice is not None else 0
    return f"{_TPU_MACHINES.get(shape['type'], 'ct')}-hightpu-{chips}t"


_HOST_BOUNDS = {1: (1, 1, 1), 4: (2, 2, 1), 8: (2, 4, 1)}
"""How the chips of one host lie, by their number."""


def _tpu_attributes(world: GcpWorld, found: lives.Found, worker: int) -> dict[str, str]:
    node = found.item
    ends = node["networkEndpoints"]
    shape = node["acceleratorConfig"]
    chips = math.prod(int(a) for a in shape["topology"].split("x")) // len(ends)
    here = _HOST_BOUNDS.get(chips, (chips, 1, 1))
    axes = [int(a) for a in shape["topology"].split("x")] + [1, 1]
    bounds = [max(1, a // b) for a, b in zip(axes, here, strict=False)][:3]
    said = {
        "ACCELERATOR_TYPE": node["acceleratorType"],
        "CHIPS_PER_HOST_BOUNDS": ",".join(map(str, here)),
        "HOST_BOUNDS": ",".join(map(str, bounds)),
        "NODE_ID": last(node["name"]),
        "RUNTIME_VERSION": node["runtimeVersion"],
        "TOPOLOGY": shape["topology"],
        "WORKER_ID": str(worker),
        "ZONE": node["name"].split("/")[3],
        **_multislice(world, node),
    }
    return {
        "accelerator-type": node["acceleratorType"],
        "agent-worker-number": str(worker),
        "instance-id": last(node["name"]),
        "tpu-env": "".join(f"{k}: '{v}'\n" for k, v in said.items()),
        "worker-id": str(worker),
        # Whoever reads it takes the third part of each entry; the first two have no documented meaning.
        "worker-network-endpoints": ",".join(f"unknown:unknown:{e['ipAddress']}" for e in ends),
    }


def _multislice(world: GcpWorld, node: Mapping[str, Any]) -> dict[str, str]:
    if not node.get("multisliceNode"):
        return {}
    together = [n for n in world.state.nodes.values() if n.get("queuedResource") == node["queuedResource"]]
    together.sort(key=lambda n: int(re.findall(r"\d+", last(n["name"]))[-1]))
    return {
        "MEGASCALE_COORDINATOR_ADDRESS": f"{together[0]['networkEndpoints'][0]['ipAddress']}:8080",
        "MEGASCALE_NUM_SLICES": str(len(together)),
        "MEGASCALE_SLICE_ID": str(together.index(dict(node))),
    }
