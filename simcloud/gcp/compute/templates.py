"""Instance templates, global and regional. They never change."""

from __future__ import annotations

from typing import Any

from simcloud.gcp.call import Call, fingerprint, handles
from simcloud.gcp.compute import images, machines
from simcloud.gcp.compute.base import check_labels, collection, new, operation, reference, refuse_use, store, users_of
from simcloud.gcp.errors import invalid_field, missing_field, rule

_DOC = "docs.cloud.google.com/compute/docs/instance-templates"
NAMES = rule(
    "template.names", "a template names machine type, disk types and accelerators, not URLs of a zone", _DOC, ours=True
)
DISK = rule("template.disks", "the first disk boots and has an image or a source", _DOC, ours=True)


@handles("compute.instanceTemplates.insert", "compute.regionInstanceTemplates.insert")
def insert(call: Call) -> dict[str, Any]:
    """A template. What depends on a zone is checked when it launches."""
    item = new(call, "instanceTemplate")
    properties = item.get("properties")
    if not properties:
        raise missing_field("resource.properties")
    where = "resource.properties"
    if not properties.get("machineType"):
        raise missing_field(f"{where}.machineType")
    if "/" in properties["machineType"]:
        raise invalid_field(f"{where}.machineType", properties["machineType"], "Give the name only.", rule=NAMES)
    for i, nic in enumerate(properties.get("networkInterfaces", [])):
        field = f"{where}.networkInterfaces[{i}]"
        nic["name"] = f"nic{i}"
        if nic.get("network"):
            nic["network"] = reference(call, nic["network"], "networks", f"{field}.network")
        if nic.get("subnetwork"):
            nic["subnetwork"] = reference(call, nic["subnetwork"], "subnetworks", f"{field}.subnetwork")
            nic.setdefault("network", call.world.state.compute[nic["subnetwork"].partition("/v1/")[2]]["network"])
    _disks(call, properties.get("disks", []), where)
    machines.check_metadata(properties.get("metadata", {}), where)
    check_labels(properties.get("labels", {}), f"{where}.labels")
    _defaults(properties)
    return operation(call, store(call, item), "insert")


def _disks(call: Call, disks: list[dict[str, Any]], where: str) -> None:
    for i, disk in enumerate(disks):
        field = f"{where}.disks[{i}]"
        ask = disk.get("initializeParams", {})
        if disk.get("boot") and i > 0:
            raise invalid_field(f"{field}.boot", True, "The first disk boots.", rule=DISK)
        if ask.get("sourceImage"):
            # A family is kept as it was given: the image is chosen at each launch.
            images.find(call, ask["sourceImage"], f"{field}.initializeParams.sourceImage")
        elif i == 0 and not disk.get("source") and not ask.get("sourceSnapshot"):
            raise invalid_field(f"{field}.initializeParams.sourceImage", "", "A boot disk needs an image.", rule=DISK)
        if "/" in ask.get("diskType", ""):
            raise invalid_field(
                f"{field}.initializeParams.diskType", ask["diskType"], "Give the name only.", rule=NAMES
            )
        disk["index"] = i
        disk["kind"] = "compute#attachedDisk"
        disk.setdefault("type", "PERSISTENT")
        disk.setdefault("mode", "READ_WRITE")
        disk.setdefault("boot", i == 0)
        disk.setdefault("interface", "NVME" if disk["type"] == "SCRATCH" else "SCSI")


def _defaults(properties: dict[str, Any]) -> None:
    metadata = properties.setdefault("metadata", {})
    properties["metadata"] = {"kind": "compute#metadata", "fingerprint": fingerprint(metadata.get("items")), **metadata}
    if properties.get("tags"):
        properties["tags"] = {"fingerprint": fingerprint(properties["tags"].get("items")), **properties["tags"]}
    scheduling = properties.setdefault("scheduling", {})
    spot = machines.is_spot(scheduling)
    scheduling.setdefault("automaticRestart", not spot)
    scheduling.setdefault("provisioningModel", "SPOT" if spot else "STANDARD")
    scheduling.setdefault("preemptible", spot)


def _delete(call: Call, key: str, item: dict[str, Any]) -> None:
    refuse_use(call, key, users_of(call.world, "instanceGroupManagers"))


collection("instanceTemplates", "instanceTemplate")(_delete)
collection("regionInstanceTemplates", "instanceTemplate")(_delete)
