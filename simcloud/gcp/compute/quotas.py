"""Quotas: limits, use counted from what exists, and the refusal of what exceeds them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts
from simcloud.gcp.compute.base import last, of_kind
from simcloud.gcp.errors import rule

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

rule(
    "compute.quota",
    "a project's quotas are not exceeded",
    "docs.cloud.google.com/compute/resource-usage; API errors seen: QUOTA_EXCEEDED",
)

_METRIC = {
    "nvidia-tesla-t4": "NVIDIA_T4_GPUS",
    "nvidia-tesla-v100": "NVIDIA_V100_GPUS",
    "nvidia-tesla-a100": "NVIDIA_A100_GPUS",
    "nvidia-a100-80gb": "NVIDIA_A100_80GB_GPUS",
    "nvidia-h100-80gb": "NVIDIA_H100_GPUS",
    "nvidia-l4": "NVIDIA_L4_GPUS",
}


def limit(world: GcpWorld, scope: str, metric: str) -> float | None:
    """The limit of a metric in a region or `global`; None when there is none."""
    knob = world.state.knobs.quota.get(f"{scope}/{metric}")
    if knob is not None:
        return float(knob)
    table = facts.data("quotas")
    if metric.startswith("GPUS_PER_GPU_FAMILY:"):
        return float(table["families"][metric.partition(":")[2]])
    found = table["global" if scope == "global" else "regional"].get(metric)
    return None if found is None else float(found)


def needs(instance: dict[str, Any]) -> Counter[str]:
    """What one instance uses, by metric."""
    machine = last(instance["machineType"])
    zone = last(instance["zone"])
    spec = facts.machine(machine, zone)
    used: Counter[str] = Counter({"INSTANCES": 1})
    scheduling = instance.get("scheduling", {})
    cheap = scheduling.get("preemptible") or scheduling.get("provisioningModel") in ("SPOT", "FLEX_START")
    if scheduling.get("provisioningModel") == "RESERVATION_BOUND":
        return used
    if spec is not None:
        used["PREEMPTIBLE_CPUS" if cheap else "CPUS"] += spec.vcpus
    for card in instance.get("guestAccelerators", []):
        name, count = last(card["acceleratorType"]), int(card["acceleratorCount"])
        metric = _METRIC.get(name)
        if metric is None:
            used[f"GPUS_PER_GPU_FAMILY:{name}"] += count
        else:
            used[f"PREEMPTIBLE_{metric}" if cheap else metric] += count
        used["GPUS_ALL_REGIONS"] += count
    for disk in instance.get("disks", []):
        if disk.get("type") == "SCRATCH":
            used["LOCAL_SSD_TOTAL_GB"] += 375
    return used


def disk_metric(disk: dict[str, Any]) -> str:
    """The metric that counts a disk's size."""
    return "SSD_TOTAL_GB" if last(disk["type"]) in ("pd-ssd", "pd-balanced") else "DISKS_TOTAL_GB"


def usage(world: GcpWorld, project: str, region: str) -> Counter[str]:
    """What a project uses in a region, by metric."""
    used: Counter[str] = Counter()
    for _, item in of_kind(world, "instances", project):
        if facts.region_of(last(item["zone"])) == region and item["status"] != "TERMINATED":
            used.update(needs(item))
    for key, item in of_kind(world, "disks", project):
        place = key.split("/")[3]
        if region in (place, facts.region_of(place)):
            # A regional disk counts in both of its zones.
            used[disk_metric(item)] += int(item["sizeGb"]) * (2 if place == region else 1)
    for key, item in of_kind(world, "addresses", project):
        if f"/regions/{region}/" in key and item.get("addressType", "EXTERNAL") == "EXTERNAL":
            used["STATIC_ADDRESSES"] += 1
    for kind, metric in (("instanceGroupManagers", "INSTANCE_GROUP_MANAGERS"), ("instanceGroups", "INSTANCE_GROUPS")):
        for key, _ in of_kind(world, kind, project):
            parts = key.split("/")
            if region in (parts[3], facts.region_of(parts[3])):
                used[metric] += 1
    return used


def global_usage(world: GcpWorld, project: str) -> Counter[str]:
    """What a project uses everywhere, by metric."""
    used: Counter[str] = Counter()
    plural = {"networks": "NETWORKS", "subnetworks": "SUBNETWORKS", "firewalls": "FIREWALLS", "routes": "ROUTES"}
    plural |= {"routers": "ROUTERS", "images": "IMAGES", "healthChecks": "HEALTH_CHECKS"}
    for key, item in world.state.compute.items():
        parts = key.split("/")
        if parts[1] != project:
            continue
        if parts[-2] in plural:
            used[plural[parts[-2]]] += 1
        if parts[-2] == "instances" and item["status"] != "TERMINATED":
            used["GPUS_ALL_REGIONS"] += needs(item)["GPUS_ALL_REGIONS"]
    return used


def exceeded(world: GcpWorld, project: str, region: str, wanted: Counter[str]) -> tuple[str, str, int] | None:
    """The error of the first quota that `wanted` more would exceed: code, message, HTTP status."""
    used, everywhere = world.ledger.regional(project, region), world.ledger.everywhere(project)
    for metric, amount in wanted.items():
        overall = metric in facts.data("quotas")["global"]
        scope = "global" if overall else region
        bound = limit(world, scope, metric)
        now = everywhere[metric] if overall else used[metric]
        if bound is not None and amount and now + amount > bound:
            where = "globally" if overall else f"in region {region}"
            name = metric.partition(":")
            shown = f"GPUS_PER_GPU_FAMILY, gpu_family {name[2]}" if name[2] else metric
            return "QUOTA_EXCEEDED", f"Quota '{shown}' exceeded.  Limit: {bound:.1f} {where}.", 403
    return None


def regional(world: GcpWorld, project: str, region: str) -> list[dict[str, Any]]:
    """The quotas of a region as `regions.get` shows them."""
    used = usage(world, project, region)
    return [
        {"metric": m, "limit": limit(world, region, m), "usage": float(used[m])}
        for m in facts.data("quotas")["regional"]
    ]


def global_(world: GcpWorld, project: str) -> list[dict[str, Any]]:
    """The quotas of a project as `projects.get` shows them."""
    used = global_usage(world, project)
    return [
        {"metric": m, "limit": limit(world, "global", m), "usage": float(used[m])}
        for m in facts.data("quotas")["global"]
    ]
