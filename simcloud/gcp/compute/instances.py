"""Instances."""

from __future__ import annotations

from typing import Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, fingerprint, handles
from simcloud.gcp.compute import machines
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


@handles("compute.instances.stop")
def stop(call: Call) -> dict[str, Any]:
    """Stop an instance."""
    key = key_of(call)
    item = resource(call, key)
    item["status"] = "TERMINATED"
    item["lastStopTimestamp"] = call.compute_now
    return operation(call, key, "stop")


@handles("compute.instances.start")
def start(call: Call) -> dict[str, Any]:
    """Start a stopped instance."""
    key = key_of(call)
    item = resource(call, key)
    item["status"] = "RUNNING"
    item["lastStartTimestamp"] = call.compute_now
    return operation(call, key, "start")


@handles("compute.instances.reset")
def reset(call: Call) -> dict[str, Any]:
    """Reset an instance."""
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
