"""Instances."""

from __future__ import annotations

from typing import Any

from simcloud.gcp import facts, lives
from simcloud.gcp.call import Call, fingerprint, handles
from simcloud.gcp.compute import machines, networks
from simcloud.gcp.compute.base import (
    SHOWN,
    check_labels,
    check_place,
    collection,
    collection_of,
    key_from,
    key_of,
    last,
    link,
    operation,
    reference,
    resource,
    stale,
)
from simcloud.gcp.errors import Refusal, already_exists, in_use, invalid_field, missing_field, rule

PROTECTED = rule(
    "instance.protected",
    "a protected instance is not deleted",
    "docs.cloud.google.com/compute/docs/instances/preventing-accidental-vm-deletion",
    ours=True,
)
STOPPED = rule(
    "instance.stopped",
    "machine type, accelerators and service account change while stopped",
    "docs.cloud.google.com/compute/docs/instances/changing-machine-type-of-stopped-instance",
    ours=True,
)


RUNNING = rule(
    "instance.running",
    "an instance that does not run is not reset",
    "docs.cloud.google.com/compute/docs/instances/instance-life-cycle",
    ours=True,
)


def _hide(_world: Any, item: dict[str, Any]) -> dict[str, Any]:
    shown = [{k: v for k, v in d.items() if not k.startswith("_")} for d in item.get("disks", [])]
    return {"disks": shown}


SHOWN["instances"] = _hide


@handles("compute.instances.insert")
def insert(call: Call) -> dict[str, Any]:
    """An instance; with `sourceInstanceTemplate`, out of a template, whose members the body overrides."""
    check_place(call)
    body = call.body
    template = call.query.get("sourceInstanceTemplate")
    if template:
        found = resource(
            call, key_from(reference(call, template.partition("?")[0], "instanceTemplates", "sourceInstanceTemplate"))
        )
        body = {**found["properties"], **body}
    if not body.get("name"):
        raise missing_field("resource.name")
    key = f"{collection_of(call)}/{body['name']}"
    if key in call.world.state.compute:
        raise already_exists(key)
    made, failure = machines.launch(call, call.args["zone"], body)
    return operation(call, made, "insert", error=failure)


@collection("instances", "instance")
def delete(call: Call, key: str, item: dict[str, Any]) -> None:
    """Refuses a protected one; takes automatic disks along."""
    if item.get("deletionProtection"):
        raise Refusal(
            400,
            f"Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion: {key}'.",
            reason="invalidResourceUsage",
            rule=PROTECTED,
        )
    machines.drop(call.world, key)


@handles("compute.instances.setLabels")
def set_labels(call: Call) -> dict[str, Any]:
    """Replace the labels, with the current fingerprint."""
    key = key_of(call)
    item = resource(call, key)
    if call.body.get("labelFingerprint") != item["labelFingerprint"]:
        raise stale("Labels fingerprint either invalid or resource labels have changed")
    check_labels(call.body.get("labels", {}))
    item["labels"] = call.body.get("labels", {})
    item["labelFingerprint"] = fingerprint(item["labels"])
    return operation(call, key, "setLabels")


@handles("compute.instances.setMetadata")
def set_metadata(call: Call) -> dict[str, Any]:
    """Replace the metadata, with the current fingerprint."""
    key = key_of(call)
    item = resource(call, key)
    if call.body.get("fingerprint") != item["metadata"]["fingerprint"]:
        raise stale("Supplied fingerprint does not match current metadata fingerprint")
    machines.check_metadata(call.body, "resource")
    entries = call.body.get("items", [])
    item["metadata"] = {"kind": "compute#metadata", "fingerprint": fingerprint(entries), "items": entries}
    return operation(call, key, "setMetadata")


@handles("compute.instances.setTags")
def set_tags(call: Call) -> dict[str, Any]:
    """Replace the network tags, with the current fingerprint."""
    key = key_of(call)
    item = resource(call, key)
    if call.body.get("fingerprint") != item["tags"]["fingerprint"]:
        raise stale("Supplied fingerprint does not match current tags fingerprint")
    entries = call.body.get("items", [])
    item["tags"] = {"fingerprint": fingerprint(entries), "items": entries}
    return operation(call, key, "setTags")


@handles("compute.instances.setDeletionProtection")
def protect(call: Call) -> dict[str, Any]:
    """Protect an instance from deletion, or no more."""
    key = key_of(call)
    resource(call, key)["deletionProtection"] = call.query.get("deletionProtection", "true") != "false"
    return operation(call, key, "setDeletionProtection")


@handles("compute.instances.setScheduling")
def set_scheduling(call: Call) -> dict[str, Any]:
    """Restart and maintenance behaviour change in place."""
    key = key_of(call)
    item = resource(call, key)
    wanted = {**item["scheduling"], **call.body}
    if item.get("guestAccelerators") and wanted.get("onHostMaintenance") != "TERMINATE":
        raise Refusal(400, "Instances with guest accelerators do not support live migration.", reason="badRequest")
    item["scheduling"] = wanted
    return operation(call, key, "setScheduling")


def _stopped(call: Call) -> tuple[str, dict[str, Any]]:
    key = key_of(call)
    item = resource(call, key)
    if item["status"] != "TERMINATED":
        raise Refusal(400, f"The instance '{key}' must be stopped.", reason="resourceNotReady", rule=STOPPED)
    return key, item


@handles("compute.instances.setMachineType")
def set_machine_type(call: Call) -> dict[str, Any]:
    """Change a stopped instance's machine type."""
    key, item = _stopped(call)
    name, zone = last(call.body.get("machineType", "")), call.args["zone"]
    if facts.machine(name, zone) is None:
        raise invalid_field("machineType", name, f"Machine type with name '{name}' does not exist in zone '{zone}'.")
    item["machineType"] = link(f"projects/{call.project}/zones/{zone}/machineTypes/{name}")
    return operation(call, key, "setMachineType")


@handles("compute.instances.setServiceAccount")
def set_service_account(call: Call) -> dict[str, Any]:
    """Change a stopped instance's service account."""
    key, item = _stopped(call)
    item["serviceAccounts"] = [call.body] if call.body.get("email") else []
    return operation(call, key, "setServiceAccount")


@handles("compute.instances.update")
def update(call: Call) -> dict[str, Any]:
    """What has no method of its own: description, forwarding of packets, features of the machine."""
    key = key_of(call)
    item = resource(call, key)
    if call.body.get("fingerprint") and call.body["fingerprint"] != item.get("fingerprint"):
        raise stale("Invalid fingerprint")
    changed = {n for n in _UPDATED if n in call.body and call.body[n] != item.get(n)}
    if "advancedMachineFeatures" in changed and item["status"] != "TERMINATED":
        raise Refusal(400, f"The instance '{key}' must be stopped.", reason="resourceNotReady", rule=STOPPED)
    for name in _UPDATED:
        if name in call.body:
            item[name] = call.body[name]
        elif name == "description":
            item.pop(name, None)
    item["fingerprint"] = fingerprint({n: item.get(n) for n in _UPDATED})
    return operation(call, key, "update")


_UPDATED = ("description", "canIpForward", "advancedMachineFeatures", "keyRevocationActionType")


def _set_stopped(verb: str, member: str) -> None:
    def put(call: Call) -> dict[str, Any]:
        key, item = _stopped(call)
        item[member] = call.body.get(member) if member in call.body else call.body
        return operation(call, key, verb)

    handles(f"compute.instances.{verb}")(put)


_set_stopped("setMinCpuPlatform", "minCpuPlatform")
_set_stopped("updateShieldedInstanceConfig", "shieldedInstanceConfig")
_set_stopped("updateDisplayDevice", "displayDevice")


def _interface(call: Call, item: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    wanted = call.query.get("networkInterface", "")
    for i, nic in enumerate(item["networkInterfaces"]):
        if nic["name"] == wanted:
            return i, nic
    raise invalid_field("networkInterface", wanted, "There is no such interface.", rule=STOPPED)


@handles("compute.instances.updateNetworkInterface")
def update_interface(call: Call) -> dict[str, Any]:
    """An interface of a stopped machine goes to another network, subnetwork or address."""
    key = key_of(call)
    item = resource(call, key)
    i, nic = _interface(call, item)
    moves = any(n in call.body for n in ("network", "subnetwork", "networkIP"))
    if moves and item["status"] != "TERMINATED":
        raise Refusal(400, f"The instance '{key}' must be stopped.", reason="resourceNotReady", rule=STOPPED)
    wanted = {k: v for k, v in nic.items() if k not in ("network", "subnetwork", "networkIP") or not moves} | call.body
    if moves:
        machines.place_interface(call, wanted, facts.region_of(call.args["zone"]), f"networkInterfaces[{i}]")
    item["networkInterfaces"][i] = wanted
    return operation(call, key, "updateNetworkInterface")


@handles("compute.instances.addAccessConfig")
def add_access(call: Call) -> dict[str, Any]:
    """An interface gets an external address."""
    key = key_of(call)
    item = resource(call, key)
    _, nic = _interface(call, item)
    if nic.get("accessConfigs"):
        raise Refusal(400, "At most one access config is supported.", reason="invalid", rule=STOPPED)
    access = {"type": "ONE_TO_ONE_NAT", "name": "External NAT", "networkTier": "PREMIUM", **call.body}
    access.setdefault("natIP", networks.external_address(call))
    nic["accessConfigs"] = [{**access, "kind": "compute#accessConfig"}]
    return operation(call, key, "addAccessConfig")


@handles("compute.instances.deleteAccessConfig")
def delete_access(call: Call) -> dict[str, Any]:
    """An interface loses its external address."""
    key = key_of(call)
    item = resource(call, key)
    _, nic = _interface(call, item)
    name = call.query.get("accessConfig", "")
    kept = [a for a in nic.get("accessConfigs", []) if a["name"] != name]
    if len(kept) == len(nic.get("accessConfigs", [])):
        raise invalid_field("accessConfig", name, "There is no such access config.", rule=STOPPED)
    nic["accessConfigs"] = kept
    return operation(call, key, "deleteAccessConfig")


def _policies(call: Call, *, add: bool) -> dict[str, Any]:
    key = key_of(call)
    item = resource(call, key)
    given = [reference(call, p, "resourcePolicies", "resourcePolicies") for p in call.body.get("resourcePolicies", [])]
    now = item.get("resourcePolicies", [])
    item["resourcePolicies"] = [*now, *given] if add else [p for p in now if p not in given]
    return operation(call, key, "addResourcePolicies" if add else "removeResourcePolicies")


handles("compute.instances.addResourcePolicies")(lambda call: _policies(call, add=True))
handles("compute.instances.removeResourcePolicies")(lambda call: _policies(call, add=False))


@handles("compute.instances.stop")
def stop(call: Call) -> dict[str, Any]:
    """Stop an instance."""
    key = key_of(call)
    item = resource(call, key)
    if item["status"] != "TERMINATED":
        lives.stopped(call.world, item, keep_drives=call.query.get("discardLocalSsd") == "false")
    item["status"] = "TERMINATED"
    item["lastStopTimestamp"] = call.compute_now
    return operation(call, key, "stop")


@handles("compute.instances.start")
def start(call: Call) -> dict[str, Any]:
    """Start a stopped instance."""
    key = key_of(call)
    item = resource(call, key)
    if item["status"] == "TERMINATED":
        lives.started(call.world, item)
    item["status"] = "RUNNING"
    item["lastStartTimestamp"] = call.compute_now
    return operation(call, key, "start")


@handles("compute.instances.reset")
def reset(call: Call) -> dict[str, Any]:
    """Reset an instance: it boots again, on its hardware."""
    item = resource(call)
    if item["status"] != "RUNNING":
        raise Refusal(400, f"The instance '{item['name']}' is not running.", reason="resourceNotReady", rule=RUNNING)
    lives.started(call.world, item)
    return operation(call, key_from(resource(call)["selfLink"]), "reset")


@handles("compute.instances.attachDisk")
def attach(call: Call) -> dict[str, Any]:
    """Attach an existing disk."""
    key = key_of(call)
    item = resource(call, key)
    source = reference(call, call.body.get("source", ""), "disks", "source")
    disk = resource(call, key_from(source))
    if disk.get("users"):
        raise in_use("disk", key_from(source), key_from(disk["users"][0]))
    index = len(item["disks"])
    entry = {"type": "PERSISTENT", "mode": "READ_WRITE", "boot": False, "autoDelete": False, "interface": "SCSI"}
    entry |= {"deviceName": f"persistent-disk-{index}", **call.body, "source": source, "index": index}
    entry["diskSizeGb"] = disk["sizeGb"]
    item["disks"].append(entry)
    disk["users"] = [item["selfLink"]]
    return operation(call, key, "attachDisk")


@handles("compute.instances.detachDisk")
def detach(call: Call) -> dict[str, Any]:
    """Detach a disk."""
    key = key_of(call)
    item = resource(call, key)
    name = call.query.get("deviceName", "")
    for entry in item["disks"]:
        if entry["deviceName"] == name and not entry["boot"]:
            item["disks"].remove(entry)
            disk = call.world.state.compute.get(key_from(entry.get("source", "")))
            if disk is not None:
                disk.pop("users", None)
            return operation(call, key, "detachDisk")
    raise invalid_field("deviceName", name, "No attached disk has this device name.", rule=STOPPED)


@handles("compute.instances.getSerialPortOutput")
def serial(call: Call) -> dict[str, Any]:
    """What the machine wrote; the simulated one is silent here."""
    item = resource(call)
    return {"kind": "compute#serialPortOutput", "selfLink": item["selfLink"], "contents": "", "start": "0", "next": "0"}
