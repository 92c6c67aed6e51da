"""Snapshots, regional disks, and the schedules that are attached to disks."""

from __future__ import annotations

from typing import Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, handles
from simcloud.gcp.compute import disks
from simcloud.gcp.compute.base import (
    collection,
    key_from,
    key_of,
    last,
    link,
    new,
    operation,
    reference,
    resource,
    store,
)
from simcloud.gcp.compute.declared import Shape, shape
from simcloud.gcp.errors import Refusal, in_use, invalid_field, missing_field, rule

REGION = rule(
    "disk.regional",
    "a regional disk has two replica zones of its region and a type that is replicated",
    "docs.cloud.google.com/compute/docs/disks/regional-persistent-disk",
    ours=True,
)
SCHEDULE = rule(
    "disk.schedule",
    "a disk has at most one snapshot schedule, of its region",
    "docs.cloud.google.com/compute/docs/disks/scheduled-snapshots",
    ours=True,
)


def _snapshot(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    if old is not None:
        return
    source = resource(call, key_from(item["sourceDisk"]))
    item |= {
        "diskSizeGb": source["sizeGb"],
        "sourceDiskId": source["id"],
        "status": "READY",
        "storageBytes": "0",
        "storageBytesStatus": "UP_TO_DATE",
        "downloadBytes": "0",
        "creationSizeBytes": str(int(source["sizeGb"]) * 2**30),
    }
    item.setdefault("snapshotType", "STANDARD")
    place = item["sourceDisk"].split("/")[-3]
    item.setdefault("storageLocations", [facts.region_of(place) if facts.zone_exists(place) else place])
    for name in ("licenses", "architecture", "guestOsFeatures"):
        if name in source:
            item.setdefault(name, source[name])


shape(
    Shape(
        "snapshots",
        "snapshot",
        {"sourceDisk": ("disks",)},
        needed=("sourceDisk",),
        fill=_snapshot,
        updates=(),
        labels=True,
    )
)


@handles("compute.disks.createSnapshot")
def snapshot_disk(call: Call) -> dict[str, Any]:
    """A snapshot of a disk, as an older method makes it."""
    from dataclasses import replace

    key = key_of(call)
    resource(call, key)
    call.body["sourceDisk"] = link(key)
    call.match = replace(
        call.match, name=f"v1/projects/{call.project}/global/snapshots", args={"project": call.project}
    )
    item = new(call, "snapshot", labels=True)
    _snapshot(call, item, None)
    store(call, item)
    return operation(call, key, "createSnapshot")


_REPLICATED = frozenset({"pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced-high-availability"})


@handles("compute.regionDisks.insert")
def insert_regional(call: Call) -> dict[str, Any]:
    """A disk that lies in two zones."""
    item = new(call, "disk", labels=True)
    zones = [last(z) for z in item.get("replicaZones", [])]
    region = call.args["region"]
    if len(set(zones)) != 2 or any(facts.region_of(z) != region or not facts.zone_exists(z) for z in zones):
        raise invalid_field("resource.replicaZones", zones, f"Two zones of {region} must be given.", rule=REGION)
    if last(item.get("type", "pd-standard")) not in _REPLICATED:
        raise invalid_field("resource.type", item.get("type"), "This type has no replicas.", rule=REGION)
    disks.make(call, item, zones[0])
    item["type"] = link(f"projects/{call.project}/regions/{region}/diskTypes/{last(item['type'])}")
    item["replicaZones"] = [link(f"projects/{call.project}/zones/{z}") for z in zones]
    return operation(call, store(call, item), "insert")


@collection("regionDisks", "disk", labels=True)
def delete_regional(call: Call, key: str, item: dict[str, Any]) -> None:
    """Refuses while an instance uses it."""
    for user in item.get("users", []):
        raise in_use("disk", key, key_from(user))


handles("compute.regionDisks.resize")(disks.resize)


def _schedules(call: Call, key: str, item: dict[str, Any], *, add: bool) -> dict[str, Any]:
    given = call.body.get("resourcePolicies", [])
    if not given:
        raise missing_field("resourcePolicies")
    found = [reference(call, p, "resourcePolicies", "resourcePolicies") for p in given]
    place = key.split("/")[3]
    region = facts.region_of(place) if key.split("/")[2] == "zones" else place
    if any(key_from(f).split("/")[3] != region for f in found):
        raise invalid_field("resourcePolicies", found, f"It must lie in {region}.", rule=SCHEDULE)
    now = item.get("resourcePolicies", [])
    if add:
        if any(f in now for f in found):
            raise Refusal(400, f"Resource policy '{found[0]}' is already attached.", reason="invalid", rule=SCHEDULE)
        if len(now) + len(found) > 1:
            raise invalid_field("resourcePolicies", found, "A disk has one policy at most.", rule=SCHEDULE)
        item["resourcePolicies"] = [*now, *found]
    else:
        item["resourcePolicies"] = [p for p in now if p not in found]
        if not item["resourcePolicies"]:
            del item["resourcePolicies"]
    return operation(call, key, "addResourcePolicies" if add else "removeResourcePolicies")


@handles("compute.disks.addResourcePolicies", "compute.regionDisks.addResourcePolicies")
def add_schedule(call: Call) -> dict[str, Any]:
    """Attach a snapshot schedule."""
    key = key_of(call)
    return _schedules(call, key, resource(call, key), add=True)


@handles("compute.disks.removeResourcePolicies", "compute.regionDisks.removeResourcePolicies")
def remove_schedule(call: Call) -> dict[str, Any]:
    """Take a snapshot schedule off."""
    key = key_of(call)
    return _schedules(call, key, resource(call, key), add=False)
