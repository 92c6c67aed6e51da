"""Regions with their quotas, zones, machine types, accelerator types, projects."""

from __future__ import annotations

from typing import Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, fingerprint, handles, project_number
from simcloud.gcp.compute import quotas
from simcloud.gcp.compute.base import LINK, check_place, link, listing, operation
from simcloud.gcp.compute.machines import check_metadata
from simcloud.gcp.errors import Refusal, not_found, rule

rule(
    "compute.machine-zone",
    "a machine type is offered in the zone",
    "compute/docs/gpus/gpu-regions-zones, tpu/docs/regions-zones",
)


def _stable_id(name: str) -> str:
    return str(1000 + sum(ord(c) * (i + 1) for i, c in enumerate(name)))


def _region(call: Call, name: str) -> dict[str, Any]:
    return {
        "kind": "compute#region",
        "id": _stable_id(name),
        "creationTimestamp": "1969-12-31T16:00:00.000-08:00",
        "name": name,
        "description": name,
        "status": "UP",
        "zones": [link(f"projects/{call.project}/zones/{z}") for z in facts.regions()[name]],
        "quotas": quotas.regional(call.world, call.project, name),
        "selfLink": link(f"projects/{call.project}/regions/{name}"),
        "supportsPzs": False,
    }


def _zone(call: Call, name: str) -> dict[str, Any]:
    return {
        "kind": "compute#zone",
        "id": _stable_id(name),
        "creationTimestamp": "1969-12-31T16:00:00.000-08:00",
        "name": name,
        "description": name,
        "status": "UP",
        "region": link(f"projects/{call.project}/regions/{facts.region_of(name)}"),
        "selfLink": link(f"projects/{call.project}/zones/{name}"),
        "availableCpuPlatforms": sorted({m.cpu for m in facts.machines().values()}),
        "supportsPzs": False,
    }


@handles("compute.regions.get")
def get_region(call: Call) -> dict[str, Any]:
    """A region with quotas and their use."""
    name = call.args["region"]
    if name not in facts.regions():
        raise not_found(f"projects/{call.project}/regions/{name}")
    return _region(call, name)


@handles("compute.regions.list")
def list_regions(call: Call) -> dict[str, Any]:
    """All regions."""
    return listing(call, [_region(call, r) for r in facts.regions()], "regionList")


@handles("compute.zones.get")
def get_zone(call: Call) -> dict[str, Any]:
    """A zone."""
    name = call.args["zone"]
    if not facts.zone_exists(name):
        raise not_found(f"projects/{call.project}/zones/{name}")
    return _zone(call, name)


@handles("compute.zones.list")
def list_zones(call: Call) -> dict[str, Any]:
    """All zones."""
    return listing(call, [_zone(call, z) for zones in facts.regions().values() for z in zones], "zoneList")


def machine_type(call: Call, name: str, zone: str) -> dict[str, Any]:
    """A machine type as the API shows it. Raises Refusal when the zone does not offer it."""
    found = facts.machine(name, zone)
    key = f"projects/{call.project}/zones/{zone}/machineTypes/{name}"
    if found is None:
        raise not_found(key)
    shown: dict[str, Any] = {
        "kind": "compute#machineType",
        "id": _stable_id(name),
        "creationTimestamp": "1969-12-31T16:00:00.000-08:00",
        "name": name,
        "description": f"{found.vcpus} vCPUs, {found.memory_mib / 1024:g} GB RAM",
        "guestCpus": found.vcpus,
        "memoryMb": found.memory_mib,
        "imageSpaceGb": 0,
        "maximumPersistentDisks": 128,
        "maximumPersistentDisksSizeGb": "263168",
        "zone": zone,
        "selfLink": LINK + key,
        "isSharedCpu": name in ("e2-micro", "e2-small", "e2-medium"),
        "architecture": "X86_64",
    }
    if found.gpu:
        shown["accelerators"] = [
            {"guestAcceleratorType": found.gpu[0], "guestAcceleratorCount": found.gpu[1]},
        ]
    if found.tpu:
        shown["accelerators"] = [
            {
                "guestAcceleratorType": name.rpartition("-")[0].replace("hightpu", "hightpu"),
                "guestAcceleratorCount": found.tpu[1],
            },
        ]
    return shown


@handles("compute.machineTypes.get")
def get_machine(call: Call) -> dict[str, Any]:
    """A machine type of a zone."""
    check_place(call)
    return machine_type(call, call.args["machineType"], call.args["zone"])


@handles("compute.machineTypes.list")
def list_machines(call: Call) -> dict[str, Any]:
    """Machine types that a zone offers."""
    check_place(call)
    zone = call.args["zone"]
    found = [machine_type(call, n, zone) for n in facts.machines() if facts.machine(n, zone)]
    return listing(call, found, "machineTypeList")


def _accelerator(call: Call, name: str, zone: str) -> dict[str, Any]:
    spec = facts.accelerators(zone)[name]
    return {
        "kind": "compute#acceleratorType",
        "id": _stable_id(name),
        "creationTimestamp": "1969-12-31T16:00:00.000-08:00",
        "name": name,
        "description": spec["description"],
        "maximumCardsPerInstance": spec["max"],
        "zone": link(f"projects/{call.project}/zones/{zone}"),
        "selfLink": link(f"projects/{call.project}/zones/{zone}/acceleratorTypes/{name}"),
    }


@handles("compute.acceleratorTypes.get")
def get_accelerator(call: Call) -> dict[str, Any]:
    """A GPU type of a zone."""
    check_place(call)
    zone, name = call.args["zone"], call.args["acceleratorType"]
    if name not in facts.accelerators(zone):
        raise not_found(f"projects/{call.project}/zones/{zone}/acceleratorTypes/{name}")
    return _accelerator(call, name, zone)


@handles("compute.acceleratorTypes.list")
def list_accelerators(call: Call) -> dict[str, Any]:
    """GPU types that a zone offers."""
    check_place(call)
    zone = call.args["zone"]
    return listing(call, [_accelerator(call, n, zone) for n in facts.accelerators(zone)], "acceleratorTypeList")


def common_metadata(call: Call) -> dict[str, Any]:
    """A project's metadata, which every instance sees."""
    kept = call.world.state.compute.get(f"projects/{call.project}/global/metadata/common", {})
    items = kept.get("items", [])
    found: dict[str, Any] = {"kind": "compute#metadata", "fingerprint": fingerprint(items)}
    return {**found, "items": items} if items else found


@handles("compute.projects.setCommonInstanceMetadata")
def set_metadata(call: Call) -> dict[str, Any]:
    """Replace a project's metadata."""
    now = common_metadata(call)
    if call.body.get("fingerprint") and call.body["fingerprint"] != now["fingerprint"]:
        raise Refusal(
            412, "Supplied fingerprint does not match current metadata fingerprint.", reason="conditionNotMet"
        )
    check_metadata(call.body, "metadata")
    key = f"projects/{call.project}/global/metadata/common"
    if call.body.get("items"):
        call.world.state.compute[key] = {
            "id": project_number(call.project),
            "name": "common",
            "selfLink": link(key),
            "items": call.body["items"],
        }
    else:
        call.world.state.compute.pop(key, None)
    return operation(
        call, f"projects/{call.project}/global/metadata/common", "compute.projects.setCommonInstanceMetadata"
    )


@handles("compute.projects.get")
def get_project(call: Call) -> dict[str, Any]:
    """The project's global quotas and default service account."""
    if not call.project:
        raise Refusal(400, "Invalid project", reason="invalid")
    number = project_number(call.project)
    return {
        "kind": "compute#project",
        "id": number,
        "creationTimestamp": "2024-01-01T00:00:00.000+00:00",
        "name": call.project,
        "commonInstanceMetadata": common_metadata(call),
        "quotas": quotas.global_(call.world, call.project),
        "selfLink": link(f"projects/{call.project}"),
        "defaultServiceAccount": f"{number}-compute@developer.gserviceaccount.com",
        "defaultNetworkTier": "PREMIUM",
        "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
        "vmDnsSetting": "ZONAL_ONLY",
    }
