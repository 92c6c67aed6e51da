"""Cloud TPU: nodes (slices), queued resources, accelerator types and runtime versions of a zone."""

from __future__ import annotations

import copy
import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts, lives, policies
from simcloud.gcp.call import Call, handles, inner, project_number
from simcloud.gcp.compute import networks
from simcloud.gcp.compute.base import exists, key_from, last, link, of_kind
from simcloud.gcp.errors import RPC_CODE, Refusal, rule
from simcloud.wire import Moment

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

_DOC = "docs.cloud.google.com/tpu/docs"
PLACE = rule("tpu.location", "a zone exists and offers TPUs", _DOC + "/regions-zones", ours=True)
NODE_ID = rule(
    "tpu.node-id",
    "a node's id is 1 to 63 lower-case letters, digits and dashes",
    _DOC + "/reference/rest/v2/projects.locations.nodes/create",
    ours=True,
)
SHAPE = rule(
    "tpu.shape", "a node names an accelerator type or a configuration, not both", "discovery document tpu.v2", ours=True
)
TYPE = rule("tpu.type", "the zone offers the accelerator type", _DOC + "/regions-zones", ours=True)
TOPOLOGY = rule("tpu.topology", "the generation has the topology", _DOC + "/v5e, /v5p, /v6e, /v4", ours=True)
RUNTIME = rule("tpu.runtime", "the runtime version exists and fits the generation", _DOC + "/runtimes", ours=True)
NETWORK = rule(
    "tpu.network",
    "network and subnetwork exist and lie in the zone's region",
    "discovery document tpu.v2: NetworkConfig",
    ours=True,
)
SCHEDULING = rule("tpu.scheduling", "preemptible, spot and reserved exclude each other", _DOC + "/spot", ours=True)
DISK = rule(
    "tpu.disk",
    "a data disk exists in the node's zone and is attached once for writing; multi-host slices read only",
    _DOC + "/attach-durable-block-storage",
    ours=True,
)
ACCOUNT = rule("tpu.account", "the service account exists", "discovery document tpu.v2", ours=True)
IMMUTABLE = rule(
    "tpu.immutable",
    "a patch changes description, labels, tags, metadata and data disks",
    "discovery document tpu.v2: nodes.patch",
    ours=True,
)
LABELS = rule(
    "tpu.labels", "labels follow the pattern", "docs.cloud.google.com/compute/docs/labeling-resources", ours=True
)
TEXT = rule(
    "tpu.description",
    "a description has at most 512 characters",
    "discovery document tpu.v2: Node.description",
    ours=True,
)
CIDR = rule("tpu.cidr", "a cidrBlock is a /29", "discovery document tpu.v2: Node.cidrBlock", ours=True)
QUEUE = rule(
    "tpu.queue",
    "a queued resource asks for nodes of its zone, once, with a legal time window",
    "discovery document tpu.v2: QueuedResource",
    ours=True,
)
rule(
    "tpu.quota",
    "the TPU API's quotas are not exceeded",
    _DOC + "/quota; API errors seen: Quota limit '...' has been exceeded",
)
rule("tpu.capacity", "the zone has the slice", "API errors seen: There is no more capacity in the zone")
STOP = rule("tpu.stop", "only a single-host slice is stopped", _DOC + "/managing-tpus-tpu-vm", ours=True)
ACTIVE = rule(
    "tpu.queue-delete",
    "an active queued resource is deleted with force, or after its nodes",
    _DOC + "/queued-resources",
    ours=True,
)


def _zone(call: Call) -> str:
    zone = call.args["locationsId"]
    if not facts.zone_exists(zone) or not facts.tpu_types(zone):
        raise Refusal(404, f"Location {zone} is not found or access is unauthorized.", rule=PLACE)
    return zone


def _slice(node: dict[str, Any], zone: str) -> facts.Slice:
    """The slice that a node asks for. Raises Refusal when the zone or the generation has no such slice."""
    name, config = node.get("acceleratorType"), node.get("acceleratorConfig")
    if name and config:
        raise Refusal(400, "Either accelerator_type or accelerator_config, not both.", rule=SHAPE)
    if config:
        found = facts.tpu_slice(config["type"], config["topology"])
        if found is None:
            raise Refusal(400, f"Topology {config['topology']} of {config['type']} is not supported.", rule=TOPOLOGY)
    else:
        name = name or "v2-8"
        found = facts.tpu_slice_by_name(name)
    if found is None or found.generation not in {t.generation for t in facts.tpu_types(zone)}:
        shown = name or f"{config['type']} {config['topology']}" if config else name
        raise Refusal(404 if name else 400, f"Accelerator type {shown} is not found in location {zone}.", rule=TYPE)
    return found


def _check(call: Call, node: dict[str, Any], zone: str) -> facts.Slice:
    """Check a node and write its network's full names into it."""
    slice = _slice(node, zone)
    runtimes = facts.data("tpu")["runtimes"]
    runtime = node.get("runtimeVersion", "")
    fits = runtimes.get(runtime)
    if fits is None or (fits and slice.generation not in fits):
        raise Refusal(400, f"Runtime version {runtime} is not available for {slice.name} in {zone}.", rule=RUNTIME)
    if node.get("networkConfig") and node.get("networkConfigs"):
        raise Refusal(400, "Either network_config or network_configs, not both.", rule=NETWORK)
    configs = node.get("networkConfigs") or [node.setdefault("networkConfig", {})]
    for config in configs:
        _network(call, config, zone)
    scheduling = node.get("schedulingConfig", {})
    if sum(bool(scheduling.get(n)) for n in ("preemptible", "spot", "reserved")) > 1:
        raise Refusal(400, "Preemptible, spot and reserved exclude each other.", rule=SCHEDULING)
    _check_account(call, node)
    _check_disks(call, node, zone, slice)
    _check_texts(node)
    return slice


def _check_texts(node: dict[str, Any]) -> None:
    if len(node.get("description", "")) > 512:
        raise Refusal(400, "The description has more than 512 characters.", rule=TEXT)
    for key, value in node.get("labels", {}).items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) or not re.fullmatch(r"[a-z0-9_-]{0,63}", value):
            raise Refusal(400, f"Invalid label: {key}={value}.", rule=LABELS)
    if node.get("cidrBlock"):
        try:
            block = ipaddress.IPv4Network(node["cidrBlock"])
        except ValueError:
            block = None
        if block is None or block.prefixlen != 29:
            raise Refusal(400, f"Invalid CIDR block {node['cidrBlock']}: it must be a /29.", rule=CIDR)


def _check_account(call: Call, node: dict[str, Any]) -> None:
    account = node.setdefault("serviceAccount", {})
    account.setdefault("email", f"{project_number(call.project)}-compute@developer.gserviceaccount.com")
    account.setdefault("scope", ["https://www.googleapis.com/auth/cloud-platform"])
    if not policies.account_exists(call.world, account["email"], call.project):
        raise Refusal(400, f"Service account {account['email']} does not exist.", rule=ACCOUNT)


def _network(call: Call, config: dict[str, Any], zone: str) -> None:
    compute = call.world.state.compute
    network, subnet = config.get("network", ""), config.get("subnetwork", "")
    region = facts.region_of(zone)
    if subnet:
        key = key_from(subnet) or f"projects/{call.project}/regions/{region}/subnetworks/{last(subnet)}"
        if not exists(call.world, key) or key.split("/")[3] != region:
            raise Refusal(400, f"Subnetwork {subnet} is not found in region {region}.", rule=NETWORK)
        config["subnetwork"] = key
        owner = key_from(compute[key]["network"])
        if network and (key_from(network) or f"projects/{call.project}/global/networks/{last(network)}") != owner:
            raise Refusal(400, f"Subnetwork {subnet} is not in network {network}.", rule=NETWORK)
        config["network"] = owner
    else:
        key = key_from(network) or f"projects/{call.project}/global/networks/{last(network or 'default')}"
        if not exists(call.world, key):
            raise Refusal(400, f"Network {network or 'default'} is not found.", rule=NETWORK)
        inside = [k for k, v in of_kind(call.world, "subnetworks") if key_from(v["network"]) == key]
        here = [k for k in inside if k.split("/")[3] == region]
        if len(here) != 1:
            raise Refusal(400, f"Network {key} needs one subnetwork named in region {region}.", rule=NETWORK)
        config["network"], config["subnetwork"] = key, here[0]
    config.setdefault("enableExternalIps", False)


def _check_disks(call: Call, node: dict[str, Any], zone: str, slice: facts.Slice, *, me: str = "") -> None:
    for disk in node.get("dataDisks", []):
        key = key_from(disk.get("sourceDisk", ""))
        if key not in call.world.state.compute or key.split("/")[3] != zone:
            raise Refusal(400, f"Disk {disk.get('sourceDisk')} is not found in {zone}.", rule=DISK)
        disk.setdefault("mode", "READ_WRITE")
        if slice.hosts > 1 and disk["mode"] == "READ_WRITE":
            raise Refusal(400, "A slice with several hosts attaches data disks READ_ONLY.", rule=DISK)
        for name, other in call.world.state.nodes.items():
            for used in other.get("dataDisks", []):
                clash = "READ_WRITE" in (used["mode"], disk["mode"])
                if name != me and key_from(used["sourceDisk"]) == key and clash:
                    raise Refusal(400, f"Disk {key} is attached to {name}.", rule=DISK)


# Quota and capacity -------------------------------------------------------------------------------------------------


def quota_name(generation: str, *, spot: bool) -> str:
    """The name of the TPU API's quota for a generation."""
    base = facts.data("tpu")["generations"][generation]["quota"]
    middle = "Preemptible" if spot else ""
    if generation == "V5LITE_POD":
        return f"TPUV5s{middle}LitepodPerProjectPerZoneForTPUAPI"
    return (
        f"{base}{middle}PodPerProjectPerZoneForTPUAPI"
        if generation == "V4"
        else f"{middle}{base}PerProjectPerZoneForTPUAPI"
    )


def _spot(node: dict[str, Any]) -> bool:
    scheduling = node.get("schedulingConfig", {})
    return bool(scheduling.get("spot") or scheduling.get("preemptible"))


def _shortage(world: GcpWorld, node: dict[str, Any], slice: facts.Slice, name: str) -> dict[str, Any] | None:
    """The error that a launch meets: quota, a knob, capacity. None when there is none."""
    parts = name.split("/")
    project, zone = parts[1], parts[3]
    knobs = world.state.knobs
    metric = quota_name(slice.generation, spot=_spot(node))
    bound = knobs.quota.get(f"{zone}/{metric}", facts.data("quotas")["tpu"]["limit"])
    used = held = 0
    for other, item in world.state.nodes.items():
        there = other.split("/")
        if there[3] != zone or item["state"] in ("STOPPED", "PREEMPTED", "TERMINATED"):
            continue
        its = _slice(_asked(item), zone)
        held += its.name == slice.name
        if there[1] == project and its.generation == slice.generation and _spot(item) == _spot(node):
            used += its.units
    if used + slice.units > bound:
        return _status(
            "RESOURCE_EXHAUSTED", f"Quota limit '{metric}' has been exceeded. Limit: {bound} in zone {zone}."
        )
    full = knobs.capacity.get(f"{zone}/{slice.name}")
    if knobs.fail_launches > 0 or (full is not None and held >= full):
        knobs.fail_launches = max(0, knobs.fail_launches - 1)
        world.state.stirred |= full is None or held < full
        return _status(
            "RESOURCE_EXHAUSTED",
            f'There is no more capacity in the zone "{zone}"; you can try in another zone where Cloud TPU Nodes are '
            f"offered (see https://cloud.google.com/tpu/docs/regions)",
        )
    return None


def _asked(node: dict[str, Any]) -> dict[str, Any]:
    """A stored node names both its type and its configuration; what it asked for is one of them."""
    return {k: v for k, v in node.items() if k != "acceleratorType"}


def _status(code: str, message: str) -> dict[str, Any]:
    return {"code": RPC_CODE[code], "message": message}


# Nodes --------------------------------------------------------------------------------------------------------------

_NODE_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


def _operation(
    call: Call, target: str, verb: str, response: dict[str, Any] | None = None, error: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A long-running operation: answered as running, found done at the next look."""
    parts = target.split("/")
    stamp = int(call.moment.now.timestamp() * 1000)
    number = f"{stamp}-{call.hexadecimal(13)}-{call.hexadecimal(8)}"
    name = f"projects/{parts[1]}/locations/{parts[3]}/operations/operation-{number}"
    metadata = {
        "@type": "type.googleapis.com/google.cloud.common.OperationMetadata",
        "createTime": call.now,
        "target": target,
        "verb": verb,
        "cancelRequested": False,
        "apiVersion": "v2",
    }
    running = {"name": name, "metadata": metadata, "done": False}
    done: dict[str, Any] = {**running, "done": True, "metadata": {**metadata, "endTime": call.now}}
    if error is not None:
        done["error"] = error
    else:
        done["response"] = response or {"@type": "type.googleapis.com/google.protobuf.Empty"}
    call.world.state.operations[name] = done
    return running


def _launch(call: Call, name: str, node: dict[str, Any], slice: facts.Slice) -> dict[str, Any]:
    """Make a node out of what was asked. Raises Refusal when its subnetwork is full."""
    config = (node.get("networkConfigs") or [node["networkConfig"]])[0]
    addresses = networks.free_addresses(call.world, link(config["subnetwork"]), slice.hosts)
    made = {
        **node,
        "name": name,
        "acceleratorType": slice.name,
        "acceleratorConfig": {"type": slice.generation, "topology": slice.topology},
        "state": "READY",
        "health": "HEALTHY",
        "apiVersion": "V2",
        "id": call.number(),
        "createTime": call.now,
        "schedulingConfig": node.get("schedulingConfig", {}),
        "shieldedInstanceConfig": node.get("shieldedInstanceConfig", {}),
        "networkEndpoints": [_endpoint(config, a, i) for i, a in enumerate(addresses)],
        "cidrBlock": node.get("cidrBlock") or call.world.state.compute[config["subnetwork"]]["ipCidrRange"],
    }
    call.world.state.nodes[name] = made
    return made


def _endpoint(config: dict[str, Any], address: str, index: int) -> dict[str, Any]:
    found: dict[str, Any] = {"ipAddress": address, "port": 8470, "accessConfig": {}}
    if config.get("enableExternalIps"):
        # One external address per internal one, out of a documentation range (RFC 5737).
        tail = int(ipaddress.IPv4Address(address)) % 254 + 1
        found["accessConfig"] = {"externalIp": f"198.51.100.{tail}"}
    return found


@handles("tpu.projects.locations.nodes.create")
def create(call: Call) -> dict[str, Any]:
    """A slice. Quota and capacity are met in the operation, not in the answer."""
    zone = _zone(call)
    id = call.query.get("nodeId", "")
    if not _NODE_ID.fullmatch(id):
        raise Refusal(400, f"Invalid node id '{id}'.", rule=NODE_ID)
    name = f"{call.match.name}/{id}"
    if name in call.world.state.nodes:
        raise Refusal(409, f"Resource '{name}' already exists", state="ALREADY_EXISTS")
    node = call.body
    slice = _check(call, node, zone)
    error = _shortage(call.world, node, slice, name)
    if error is not None:
        return _operation(call, name, "create", error=error)
    made = _launch(call, name, node, slice)
    return _operation(call, name, "create", {"@type": "type.googleapis.com/google.cloud.tpu.v2.Node", **made})


def _node(call: Call) -> dict[str, Any]:
    found = call.world.state.nodes.get(call.match.name)
    if found is None:
        raise Refusal(404, f"Resource '{call.match.name}' was not found")
    return found


@handles("tpu.projects.locations.nodes.get")
def get(call: Call) -> dict[str, Any]:
    """A node."""
    return _node(call)


@handles("tpu.projects.locations.nodes.list")
def list_all(call: Call) -> dict[str, Any]:
    """Nodes of a zone; of every zone with `-`."""
    parts = call.match.name.split("/")
    found = [
        n
        for name, n in call.world.state.nodes.items()
        if name.split("/")[1] == parts[1] and parts[3] in ("-", name.split("/")[3])
    ]
    return {"nodes": found} if found else {}


@handles("tpu.projects.locations.nodes.delete")
def delete(call: Call) -> dict[str, Any]:
    """A node goes; one of a queued resource goes with it only."""
    node = _node(call)
    queued = node.get("queuedResource")
    if queued and call.world.state.queued.get(queued, {}).get("state", {}).get("state") == "ACTIVE":
        call.world.state.queued[queued]["state"] = {"state": "SUSPENDED", "stateInitiator": "USER"}
    del call.world.state.nodes[call.match.name]
    return _operation(call, call.match.name, "delete")


_PATCHABLE = {"description", "labels", "tags", "metadata", "dataDisks"}


@handles("tpu.projects.locations.nodes.patch")
def patch(call: Call) -> dict[str, Any]:
    """Description, labels, tags, metadata and data disks change in place."""
    node = _node(call)
    fields = [
        re.sub(r"_([a-z])", lambda m: m.group(1).upper(), f) for f in call.query.get("updateMask", "").split(",") if f
    ]
    if not fields or set(fields) - _PATCHABLE:
        raise Refusal(400, f"Unsupported update mask: {','.join(fields)}.", rule=IMMUTABLE)
    wanted = dict(node)
    for field in fields:
        if call.body.get(field):
            wanted[field] = call.body[field]
        else:
            wanted.pop(field, None)
    zone = call.args["locationsId"]
    _check_texts({k: v for k, v in wanted.items() if k in ("description", "labels")})
    _check_disks(call, wanted, zone, _slice(_asked(node), zone), me=call.match.name)
    call.world.state.nodes[call.match.name] = wanted
    return _operation(
        call, call.match.name, "update", {"@type": "type.googleapis.com/google.cloud.tpu.v2.Node", **wanted}
    )


def _turn(call: Call, state: str, verb: str) -> dict[str, Any]:
    node = _node(call)
    if len(node["networkEndpoints"]) > 1:
        raise Refusal(400, f"A slice with several hosts cannot {verb}.", state="FAILED_PRECONDITION", rule=STOP)
    if node["state"] != state:
        (lives.node_started if state == "READY" else lives.node_stopped)(call.world, node)
    node["state"] = state
    return _operation(call, call.match.name, verb)


@handles("tpu.projects.locations.nodes.stop")
def stop(call: Call) -> dict[str, Any]:
    """Stop a single-host slice."""
    return _turn(call, "STOPPED", "stop")


@handles("tpu.projects.locations.nodes.start")
def start(call: Call) -> dict[str, Any]:
    """Start a stopped slice."""
    return _turn(call, "READY", "start")


# Lists --------------------------------------------------------------------------------------------------------------


def _type(parent: str, slice: facts.Slice) -> dict[str, Any]:
    config = {"type": slice.generation, "topology": slice.topology}
    return {"name": f"{parent}/acceleratorTypes/{slice.name}", "type": slice.name, "acceleratorConfigs": [config]}


@handles("tpu.projects.locations.acceleratorTypes.list")
def list_types(call: Call) -> dict[str, Any]:
    """The slices that a zone offers."""
    zone = _zone(call)
    parent = call.match.name.removesuffix("/acceleratorTypes")
    return {"acceleratorTypes": [_type(parent, s) for s in facts.tpu_types(zone)]}


@handles("tpu.projects.locations.acceleratorTypes.get")
def get_type(call: Call) -> dict[str, Any]:
    """One slice type of a zone."""
    zone = _zone(call)
    parent, _, name = call.match.name.rpartition("/acceleratorTypes/")
    for slice in facts.tpu_types(zone):
        if slice.name == name:
            return _type(parent, slice)
    raise Refusal(404, f"Resource '{call.match.name}' was not found")


@handles("tpu.projects.locations.runtimeVersions.list")
def list_runtimes(call: Call) -> dict[str, Any]:
    """The runtime versions."""
    _zone(call)
    return {
        "runtimeVersions": [{"name": f"{call.match.name}/{v}", "version": v} for v in facts.data("tpu")["runtimes"]]
    }


@handles("tpu.projects.locations.runtimeVersions.get")
def get_runtime(call: Call) -> dict[str, Any]:
    """One runtime version."""
    _zone(call)
    version = last(call.match.name)
    if version not in facts.data("tpu")["runtimes"]:
        raise Refusal(404, f"Resource '{call.match.name}' was not found")
    return {"name": call.match.name, "version": version}


@handles("tpu.projects.locations.list")
def list_locations(call: Call) -> dict[str, Any]:
    """The zones with TPUs."""
    zones = [z for zs in facts.regions().values() for z in zs if facts.tpu_types(z)]
    return {"locations": [{"name": f"{call.match.name}/{z}", "locationId": z} for z in zones]}


@handles("tpu.projects.locations.operations.get")
def get_operation(call: Call) -> dict[str, Any]:
    """An operation as it is now: done."""
    found = call.world.state.operations.get(call.match.name)
    if found is None:
        raise Refusal(404, f"Resource '{call.match.name}' was not found")
    return found


# Queued resources ---------------------------------------------------------------------------------------------------


@handles("tpu.projects.locations.queuedResources.create")
def create_queued(call: Call) -> dict[str, Any]:
    """A request that waits until the zone can grant it."""
    zone = _zone(call)
    id = call.query.get("queuedResourceId", "")
    if not _NODE_ID.fullmatch(id):
        raise Refusal(400, f"Invalid queued resource id '{id}'.", rule=NODE_ID)
    name = f"{call.match.name}/{id}"
    if name in call.world.state.queued:
        raise Refusal(409, f"Resource '{name}' already exists", state="ALREADY_EXISTS")
    specs = call.body.get("tpu", {}).get("nodeSpec", [])
    if len(specs) != 1:
        raise Refusal(400, "A queued resource has one node spec.", rule=QUEUE)
    if "spot" in call.body and "guaranteed" in call.body:
        raise Refusal(400, "Spot and guaranteed exclude each other.", rule=QUEUE)
    spec = specs[0]
    several = spec.get("multisliceParams")
    if bool(several) == bool(spec.get("nodeId")):
        raise Refusal(400, "Give node_id for one node, or multislice_params for several.", rule=QUEUE)
    if several and int(several.get("nodeCount", 0)) < 2:
        raise Refusal(400, "A multislice request asks for two nodes or more.", rule=QUEUE)
    wanted_parent = call.match.name.removesuffix("/queuedResources")
    parent = spec.get("parent", "")
    if parent.split("/")[-1] != zone or parent.split("/")[1] not in (call.project, project_number(call.project)):
        raise Refusal(400, f"The node's parent must be {wanted_parent}.", rule=QUEUE)
    for node_id in _node_ids(spec, id):
        if f"{wanted_parent}/nodes/{node_id}" in call.world.state.nodes:
            raise Refusal(409, f"Resource '{wanted_parent}/nodes/{node_id}' already exists", state="ALREADY_EXISTS")
    _check(call, spec["node"], zone)
    made = {**call.body, "name": name, "createTime": call.now, "state": {"state": "WAITING_FOR_RESOURCES"}}
    call.world.state.queued[name] = made
    return _operation(call, name, "create", {"@type": "type.googleapis.com/google.cloud.tpu.v2.QueuedResource", **made})


def _node_ids(spec: dict[str, Any], queued: str) -> list[str]:
    several = spec.get("multisliceParams")
    if not several:
        return [spec["nodeId"]]
    prefix = several.get("nodeIdPrefix") or queued
    return [f"{prefix}-{i}" for i in range(int(several["nodeCount"]))]


def _queued(call: Call) -> dict[str, Any]:
    found = call.world.state.queued.get(call.match.name)
    if found is None:
        raise Refusal(404, f"Resource '{call.match.name}' was not found")
    return found


@handles("tpu.projects.locations.queuedResources.get")
def get_queued(call: Call) -> dict[str, Any]:
    """A queued resource."""
    return _queued(call)


@handles("tpu.projects.locations.queuedResources.list")
def list_queued(call: Call) -> dict[str, Any]:
    """Queued resources of a zone."""
    found = [q for n, q in call.world.state.queued.items() if n.startswith(call.match.name + "/")]
    return {"queuedResources": found} if found else {}


@handles("tpu.projects.locations.queuedResources.delete")
def delete_queued(call: Call) -> dict[str, Any]:
    """A queued resource goes; with `force`, its nodes too."""
    item = _queued(call)
    nodes = [n for n, v in call.world.state.nodes.items() if v.get("queuedResource") == call.match.name]
    if nodes and call.query.get("force", "").lower() != "true":
        raise Refusal(
            400, f"Queued resource {item['name']} has nodes; use force.", state="FAILED_PRECONDITION", rule=ACTIVE
        )
    for name in nodes:
        del call.world.state.nodes[name]
    del call.world.state.queued[call.match.name]
    return _operation(call, call.match.name, "delete")


def reconcile(world: GcpWorld, moment: Moment) -> bool:
    """Grant what waits and can be granted: all of its nodes or none."""
    changed = False
    for name, item in world.state.queued.items():
        if item["state"]["state"] != "WAITING_FOR_RESOURCES":
            continue
        changed |= _grant(world, name, item, moment)
    return changed


def _grant(world: GcpWorld, name: str, item: dict[str, Any], moment: Moment) -> bool:
    parent = name.rpartition("/queuedResources/")[0]
    zone, project = parent.split("/")[3], parent.split("/")[1]
    spec = item["tpu"]["nodeSpec"][0]
    call = inner(world, moment, projectsId=project, locationsId=zone)
    made: list[str] = []
    for id in _node_ids(spec, last(name)):
        node = copy.deepcopy(spec["node"])
        if "spot" in item:
            node["schedulingConfig"] = {"spot": True}
        elif item.get("guaranteed", {}).get("reserved") or item.get("reservationName"):
            node["schedulingConfig"] = {"reserved": True}
        try:
            slice = _check(call, node, zone)
            short = _shortage(world, node, slice, f"{parent}/nodes/{id}")
            if short is None:
                launched = _launch(call, f"{parent}/nodes/{id}", node, slice)
                launched["queuedResource"] = name
                launched["multisliceNode"] = "multisliceParams" in spec
                made.append(launched["name"])
                continue
        except Refusal as refusal:
            short = {"code": RPC_CODE.get(refusal.state, 3), "message": refusal.message}
            item["state"] = {"state": "FAILED", "stateInitiator": "SERVICE", "failedData": {"error": short}}
        for gone in made:
            del world.state.nodes[gone]
        return str(item["state"]["state"]) == "FAILED"
    item["state"] = {"state": "ACTIVE", "activeData": {}}
    return True


def inventory(world: GcpWorld) -> Iterator[dict[str, Any]]:
    """Nodes and queued resources."""
    for kind, table in (("nodes", world.state.nodes), ("queuedResources", world.state.queued)):
        for name, item in table.items():
            yield {
                "type": f"tpu.{kind}",
                "name": name,
                "link": f"https://tpu.googleapis.com/v2/{name}",
                "labels": dict(item.get("labels", {})),
            }
