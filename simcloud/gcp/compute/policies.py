"""Resource policies, health checks, reservations."""

from __future__ import annotations

import re
from typing import Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, handles
from simcloud.gcp.compute.base import collection, key_of, new, operation, refuse_use, resource, store, users_of
from simcloud.gcp.errors import in_use, invalid_field, missing_field, rule

_COMPACT = "docs.cloud.google.com/compute/docs/instances/use-compact-placement-policies"
KIND = rule(
    "policy.kind", "a resource policy is of one kind", "discovery document compute.v1: ResourcePolicy", ours=True
)
GROUP = rule(
    "policy.placement", "compact policies have 1 to 1500 machines and a distance of 1 to 3", _COMPACT, ours=True
)
WORKLOAD = rule(
    "policy.workload",
    "a topology goes with high throughput and is written like 4x4",
    "docs.cloud.google.com/compute/docs/instance-groups/workload-policy",
    ours=True,
)
CHECK = rule(
    "health-check.shape",
    "a health check is of one kind, its timeout not above its interval",
    "docs.cloud.google.com/load-balancing/docs/health-checks",
    ours=True,
)
RESERVE = rule(
    "reservation.shape",
    "a reservation has a count and a machine type",
    "docs.cloud.google.com/compute/docs/instances/reservations-single-project",
    ours=True,
)

_KINDS = (
    "groupPlacementPolicy",
    "workloadPolicy",
    "snapshotSchedulePolicy",
    "instanceSchedulePolicy",
    "diskConsistencyGroupPolicy",
)


@handles("compute.resourcePolicies.insert")
def insert(call: Call) -> dict[str, Any]:
    """A placement, workload, snapshot or instance schedule policy."""
    item = new(call, "resourcePolicy")
    kinds = [k for k in _KINDS if k in item]
    if len(kinds) != 1:
        raise invalid_field("resource", kinds, "A resource policy has one kind.", rule=KIND)
    group = item.get("groupPlacementPolicy", {})
    if group:
        _check_group(group)
    workload = item.get("workloadPolicy", {})
    if workload:
        _check_workload(workload)
    item["status"] = "READY"
    return operation(call, store(call, item), "insert")


def _check_group(group: dict[str, Any]) -> None:
    field = "resource.groupPlacementPolicy"
    if group.get("collocation") == "COLLOCATED" and group.get("availabilityDomainCount"):
        raise invalid_field(
            f"{field}.availabilityDomainCount", group["availabilityDomainCount"], "Not with COLLOCATED.", rule=GROUP
        )
    if group.get("vmCount") is not None and not 1 <= group["vmCount"] <= 1500:
        raise invalid_field(f"{field}.vmCount", group["vmCount"], "Must be from 1 to 1500.", rule=GROUP)
    if group.get("maxDistance") is not None and not 1 <= group["maxDistance"] <= 3:
        raise invalid_field(f"{field}.maxDistance", group["maxDistance"], "Must be from 1 to 3.", rule=GROUP)
    if not group.get("collocation") and not group.get("availabilityDomainCount"):
        raise invalid_field(field, group, "Give collocation or availabilityDomainCount.", rule=GROUP)


def _check_workload(workload: dict[str, Any]) -> None:
    field = "resource.workloadPolicy"
    if not workload.get("type"):
        raise missing_field(f"{field}.type")
    topology = workload.get("acceleratorTopology")
    if topology is not None:
        if workload["type"] != "HIGH_THROUGHPUT" or not re.fullmatch(r"\d+(x\d+){1,2}", topology):
            raise invalid_field(
                f"{field}.acceleratorTopology", topology, "A topology like 4x4, with HIGH_THROUGHPUT.", rule=WORKLOAD
            )
        if workload.get("maxTopologyDistance"):
            raise invalid_field(
                f"{field}.maxTopologyDistance", workload["maxTopologyDistance"], "Not with a topology.", rule=WORKLOAD
            )


@collection("resourcePolicies", "resourcePolicy")
def delete(call: Call, key: str, item: dict[str, Any]) -> None:
    """Refuses while an instance, a disk or a managed group uses it."""
    refuse_use(call, key, users_of(call.world, "instances", "disks", "instanceGroupManagers", "reservations"))


@handles("compute.resourcePolicies.patch")
def patch(call: Call) -> dict[str, Any]:
    """Description and schedules change in place; placements and workloads do not."""
    key = key_of(call)
    item = resource(call, key)
    for name in ("groupPlacementPolicy", "workloadPolicy"):
        if name in call.body and call.body[name] != item.get(name):
            raise invalid_field(f"resource.{name}", call.body[name], "It cannot be changed.", rule=KIND)
    for name in ("description", "snapshotSchedulePolicy", "instanceSchedulePolicy"):
        if name in call.body:
            item[name] = call.body[name]
    return operation(call, key, "patch")


_CHECKS = {
    "tcpHealthCheck": ("TCP", 80),
    "sslHealthCheck": ("SSL", 443),
    "httpHealthCheck": ("HTTP", 80),
    "httpsHealthCheck": ("HTTPS", 443),
    "http2HealthCheck": ("HTTP2", 443),
    "grpcHealthCheck": ("GRPC", None),
}


def fill_check(item: dict[str, Any]) -> None:
    """Fill in a health check. Raises Refusal for one of several kinds, or none."""
    for name, value in (("checkIntervalSec", 5), ("timeoutSec", 5), ("healthyThreshold", 2), ("unhealthyThreshold", 2)):
        item.setdefault(name, value)
    kinds = [k for k in _CHECKS if k in item]
    if len(kinds) != 1:
        raise invalid_field("resource", kinds, "A health check is of one kind.", rule=CHECK)
    item["type"], port = _CHECKS[kinds[0]]
    body = item[kinds[0]]
    if port is not None and not body.get("portName") and body.get("portSpecification") != "USE_SERVING_PORT":
        body.setdefault("port", port)
    if kinds[0] in ("httpHealthCheck", "httpsHealthCheck", "http2HealthCheck"):
        body.setdefault("requestPath", "/")
    if not item["type"].startswith("GRPC"):
        body.setdefault("proxyHeader", "NONE")
    if item["timeoutSec"] > item["checkIntervalSec"]:
        raise invalid_field("resource.timeoutSec", item["timeoutSec"], "It is above the interval.", rule=CHECK)


@handles("compute.healthChecks.insert")
def insert_check(call: Call) -> dict[str, Any]:
    """A health check."""
    item = new(call, "healthCheck")
    fill_check(item)
    return operation(call, store(call, item), "insert")


@handles("compute.healthChecks.patch", "compute.healthChecks.update")
def patch_check(call: Call) -> dict[str, Any]:
    """All but the name change in place."""
    key = key_of(call)
    item = resource(call, key)
    given = {k: v for k, v in call.body.items() if k != "name"}
    wanted = {**item, **given}
    if any(k in _CHECKS for k in given):
        wanted = {k: v for k, v in wanted.items() if k not in _CHECKS or k in given}
    fill_check(wanted)
    call.world.state.compute[key] = wanted
    return operation(call, key, "patch")


@collection("healthChecks", "healthCheck")
def delete_check(call: Call, key: str, item: dict[str, Any]) -> None:
    """Refuses while a managed group heals by it."""
    refuse_use(call, key, users_of(call.world, "instanceGroupManagers", "backendServices", "targetPools"))


@handles("compute.reservations.insert")
def insert_reservation(call: Call) -> dict[str, Any]:
    """A reservation of machines in a zone."""
    item = new(call, "reservation")
    wanted = item.get("specificReservation", {})
    properties = wanted.get("instanceProperties", {})
    if int(wanted.get("count", 0)) < 1 or not properties.get("machineType"):
        raise invalid_field("resource.specificReservation", wanted, "Give a count and a machine type.", rule=RESERVE)
    zone = call.args["zone"]
    machine = facts.machine(properties["machineType"].rpartition("/")[2], zone)
    if machine is None:
        raise invalid_field(
            "resource.specificReservation.instanceProperties.machineType",
            properties["machineType"],
            f"The machine type does not exist in zone {zone}.",
        )
    for i, card in enumerate(properties.get("guestAccelerators", [])):
        name = str(card.get("acceleratorType", "")).rpartition("/")[2]
        if name not in facts.accelerators(zone):
            raise invalid_field(
                f"resource.specificReservation.instanceProperties.guestAccelerators[{i}].acceleratorType",
                name,
                f"The accelerator type does not exist in zone {zone}.",
            )
    share = item.setdefault("shareSettings", {"shareType": "LOCAL"})
    if share.get("shareType") == "SPECIFIC_PROJECTS" and not share.get("projectMap"):
        raise missing_field("resource.shareSettings.projectMap")
    item.setdefault("specificReservationRequired", False)
    wanted.setdefault("inUseCount", "0")
    wanted.setdefault("assuredCount", wanted["count"])
    item["status"] = "READY"
    return operation(call, store(call, item), "insert")


@handles("compute.reservations.resize")
def resize_reservation(call: Call) -> dict[str, Any]:
    """More or fewer machines."""
    key = key_of(call)
    item = resource(call, key)
    count = int(call.body.get("specificSkuCount") or 0)
    if count < 1:
        raise invalid_field("specificSkuCount", count, "Must be at least 1.", rule=RESERVE)
    item["specificReservation"] |= {"count": str(count), "assuredCount": str(count)}
    return operation(call, key, "resize")


@collection("reservations", "reservation")
def delete_reservation(call: Call, key: str, item: dict[str, Any]) -> None:
    """Refuses while a template or an instance asks for it by name."""
    for user, other in users_of(call.world, "instances"):
        affinity = other.get("reservationAffinity", {})
        if item["name"] in affinity.get("values", []) and other.get("zone") == item["zone"]:
            raise in_use("reservation", key, user)
