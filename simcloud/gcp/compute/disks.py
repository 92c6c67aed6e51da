"""Disks and their types."""

from __future__ import annotations

from collections import Counter
from typing import Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, fingerprint, handles
from simcloud.gcp.compute import images, quotas
from simcloud.gcp.compute.base import (
    check_labels,
    check_place,
    collection,
    key_from,
    key_of,
    last,
    link,
    listing,
    new,
    operation,
    reference,
    resource,
    store,
)
from simcloud.gcp.errors import Refusal, in_use, invalid_field, not_found, rule

_DOC = "docs.cloud.google.com/compute/docs/disks"
TYPE = rule("disk.type", "a disk type exists in the zone", _DOC)
SIZE = rule(
    "disk.size", "a disk's size lies in its type's bounds and holds its image", _DOC + "/persistent-disks", ours=True
)
SHRINK = rule("disk.shrink", "a disk only grows", _DOC + "/resize-persistent-disk", ours=True)
PERFORMANCE = rule("disk.performance", "only hyperdisks have provisioned performance", _DOC + "/hyperdisks", ours=True)

TYPES: dict[str, tuple[int, int, int]] = {
    "pd-standard": (10, 65536, 500),
    "pd-balanced": (10, 65536, 100),
    "pd-ssd": (10, 65536, 100),
    "pd-extreme": (500, 65536, 1000),
    "hyperdisk-balanced": (4, 65536, 100),
    "hyperdisk-extreme": (64, 65536, 1000),
    "hyperdisk-throughput": (2048, 32768, 2048),
    "hyperdisk-ml": (4, 65536, 100),
    "local-ssd": (375, 375, 375),
}
"""Smallest, largest and default size in GiB."""


def type_link(call: Call, zone: str, value: str, field: str) -> str:
    """The self link of a disk type given by name or URL. Raises Refusal when the zone has none such."""
    name = last(value)
    key = f"projects/{call.project}/zones/{zone}/diskTypes/{name}"
    if name not in TYPES:
        raise invalid_field(field, link(key), "The referenced diskType resource cannot be found.")
    return link(key)


def make(call: Call, item: dict[str, Any], zone: str, field: str = "resource") -> dict[str, Any]:
    """Complete a disk: type, size, image. Raises Refusal for what is not legal."""
    item["type"] = type_link(call, zone, item.get("type") or "pd-standard", f"{field}.type")
    low, high, usual = TYPES[last(item["type"])]
    least = 0
    if item.get("sourceImage"):
        image = images.find(call, item["sourceImage"], f"{field}.sourceImage")
        item["sourceImage"], item["sourceImageId"] = image["selfLink"], image["id"]
        item.setdefault("architecture", image["architecture"])
        item.setdefault("guestOsFeatures", image.get("guestOsFeatures", []))
        item.setdefault("licenses", image.get("licenses", []))
        least = int(image["diskSizeGb"])
    size = int(item.get("sizeGb") or max(least, low) if least else item.get("sizeGb") or usual)
    if not low <= size <= high:
        raise invalid_field(f"{field}.sizeGb", size, f"Disk size must be from {low} to {high} GB.", rule=SIZE)
    if size < least:
        raise invalid_field(
            f"{field}.sizeGb",
            size,
            f"Requested disk size cannot be smaller than the image size ({least} GB)",
        )
    item["sizeGb"] = str(size)
    for name in ("provisionedIops", "provisionedThroughput"):
        if item.get(name) is not None and not last(item["type"]).startswith(("hyperdisk", "pd-extreme")):
            raise invalid_field(f"{field}.{name}", item[name], "Only for hyperdisks.", rule=PERFORMANCE)
    if last(item["type"]).startswith("hyperdisk-balanced"):
        item.setdefault("provisionedIops", str(min(3000 + 6 * max(0, size - 6), 3060)))
        item.setdefault("provisionedThroughput", "155")
    item.setdefault("physicalBlockSizeBytes", "4096")
    item["status"] = "READY"
    item.setdefault("enableConfidentialCompute", False)
    item["labelFingerprint"] = fingerprint(item.get("labels"))
    check_labels(item.get("labels", {}))
    return item


@handles("compute.disks.insert")
def insert(call: Call) -> dict[str, Any]:
    """A disk, empty or from an image."""
    item = new(call, "disk", labels=True)
    if call.query.get("sourceImage"):
        item["sourceImage"] = call.query["sourceImage"]
    make(call, item, call.args["zone"])
    item["resourcePolicies"] = [
        reference(call, p, "resourcePolicies", "resource.resourcePolicies") for p in item.get("resourcePolicies", [])
    ]
    if not item["resourcePolicies"]:
        del item["resourcePolicies"]
    region = facts.region_of(call.args["zone"])
    wanted = Counter({quotas.disk_metric(item): int(item["sizeGb"])})
    error = quotas.exceeded(call.world, call.project, region, wanted)
    if error is not None:
        return operation(call, key_from(item["selfLink"]), "insert", error=error)
    return operation(call, store(call, item), "insert")


@collection("disks", "disk", labels=True)
def delete(call: Call, key: str, item: dict[str, Any]) -> None:
    """Refuses while an instance or a TPU node uses it."""
    for user in item.get("users", []):
        raise in_use("disk", key, key_from(user))
    for name, node in call.world.state.nodes.items():
        if any(key_from(d["sourceDisk"]) == key for d in node.get("dataDisks", [])):
            raise in_use("disk", key, name)


@handles("compute.disks.resize")
def resize(call: Call) -> dict[str, Any]:
    """A disk grows."""
    key = key_of(call)
    item = resource(call, key)
    size = int(call.body.get("sizeGb", 0))
    if size < int(item["sizeGb"]):
        raise invalid_field("sizeGb", size, f"New disk size must be larger than {item['sizeGb']} GB.", rule=SHRINK)
    if size > TYPES[last(item["type"])][1]:
        raise invalid_field("sizeGb", size, "Disk size is too large.", rule=SIZE)
    item["sizeGb"] = str(size)
    return operation(call, key, "resizeDisk")


@handles("compute.diskTypes.list")
def list_types(call: Call) -> dict[str, Any]:
    """Disk types of a zone."""
    check_place(call)
    return listing(call, [_type(call, n) for n in TYPES], "diskTypeList")


@handles("compute.diskTypes.get")
def get_type(call: Call) -> dict[str, Any]:
    """A disk type of a zone."""
    check_place(call)
    if call.args["diskType"] not in TYPES:
        raise not_found(f"projects/{call.project}/zones/{call.args['zone']}/diskTypes/{call.args['diskType']}")
    return _type(call, call.args["diskType"])


def _type(call: Call, name: str) -> dict[str, Any]:
    zone = call.args["zone"]
    low, high, usual = TYPES[name]
    return {
        "kind": "compute#diskType",
        "name": name,
        "description": name,
        "validDiskSize": f"{low}GB-{high}GB",
        "defaultDiskSizeGb": str(usual),
        "zone": link(f"projects/{call.project}/zones/{zone}"),
        "selfLink": link(f"projects/{call.project}/zones/{zone}/diskTypes/{name}"),
    }


def check_machine(machine: facts.Machine, name: str) -> None:
    """Raises Refusal when a machine type does not take a disk type."""
    if name.startswith("pd-") and not machine.persistent_disk:
        raise Refusal(400, f"[{name}] features are not compatible for creating instance.", reason="badRequest")
    if name in ("pd-extreme", "hyperdisk-ml", "hyperdisk-balanced") and machine.family in ("e2", "n1"):
        raise Refusal(400, f"[{name}] features are not compatible for creating instance.", reason="badRequest")
