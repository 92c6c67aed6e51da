"""Unmanaged instance groups, and autoscalers of managed ones."""

from __future__ import annotations

from typing import Any

from simcloud.gcp.call import Call, fingerprint, handles
from simcloud.gcp.compute.base import (
    key_from,
    key_of,
    last,
    link,
    new,
    operation,
    reference,
    refuse_use,
    resource,
    store,
)
from simcloud.gcp.compute.declared import Shape, shape
from simcloud.gcp.errors import Refusal, invalid_field, missing_field, rule

GROUP = rule(
    "instance-group.members",
    "members lie in the group's zone and network; a managed group's own is not changed by hand",
    "docs.cloud.google.com/compute/docs/instance-groups/creating-groups-of-unmanaged-instances",
    ours=True,
)
SCALE = rule(
    "autoscaler.shape",
    "an autoscaler has a maximum not below its minimum, a signal, and a group of its own that is not sized otherwise",
    "docs.cloud.google.com/compute/docs/autoscaler",
    ours=True,
)


@handles("compute.instanceGroups.insert")
def insert(call: Call) -> dict[str, Any]:
    """An unmanaged group; it takes the network of its first member."""
    item = new(call, "instanceGroup")
    if item.get("network"):
        item["network"] = reference(call, item["network"], "networks", "resource.network")
    item["size"] = 0
    item["fingerprint"] = fingerprint(item.get("namedPorts"))
    item["_members"] = []
    return operation(call, store(call, item), "insert")


def _own(call: Call) -> tuple[str, dict[str, Any]]:
    key = key_of(call)
    item = resource(call, key)
    if "_members" not in item:
        raise Refusal(400, f"'{last(key)}' belongs to a managed instance group.", reason="invalid", rule=GROUP)
    return key, item


def delete(call: Call) -> dict[str, Any]:
    """Refuses while something uses the group."""
    key, _ = _own(call)
    refuse_use(call, key, call.world.state.compute.items())
    answer = operation(call, key, "delete")
    del call.world.state.compute[key]
    return answer


handles("compute.instanceGroups.delete")(delete)


@handles("compute.instanceGroups.addInstances")
def add(call: Call) -> dict[str, Any]:
    """Machines of the zone join."""
    key, item = _own(call)
    for i, entry in enumerate(call.body.get("instances", [])):
        where = f"instances[{i}].instance"
        found = reference(call, str(entry.get("instance") or ""), "instances", where)
        machine = resource(call, key_from(found))
        if machine["zone"] != item["zone"]:
            raise invalid_field(where, found, "It lies in another zone than the group.", rule=GROUP)
        network = machine["networkInterfaces"][0]["network"]
        if item.setdefault("network", network) != network:
            raise invalid_field(where, found, "It lies in another network than the group.", rule=GROUP)
        if found in item["_members"]:
            raise Refusal(400, f"'{found}' is already a member of '{link(key)}'.", reason="memberAlreadyExists")
        item["_members"].append(found)
    item["size"] = len(item["_members"])
    return operation(call, key, "addInstances")


@handles("compute.instanceGroups.removeInstances")
def remove(call: Call) -> dict[str, Any]:
    """Members leave."""
    key, item = _own(call)
    gone = {
        reference(call, str(e.get("instance") or ""), "instances", "instances") for e in call.body.get("instances", [])
    }
    item["_members"] = [m for m in item["_members"] if m not in gone]
    item["size"] = len(item["_members"])
    return operation(call, key, "removeInstances")


@handles("compute.instanceGroups.setNamedPorts")
def set_ports(call: Call) -> dict[str, Any]:
    """Names for ports, by which backend services reach the members."""
    key = key_of(call)
    item = resource(call, key)
    for i, port in enumerate(call.body.get("namedPorts", [])):
        if not 1 <= int(port.get("port") or 0) <= 65535:
            raise invalid_field(f"namedPorts[{i}].port", port.get("port"), "Must be from 1 to 65535.", rule=GROUP)
    item["namedPorts"] = call.body.get("namedPorts", [])
    item["fingerprint"] = fingerprint(item["namedPorts"])
    return operation(call, key, "setNamedPorts")


def _autoscaler(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    policy = item.get("autoscalingPolicy")
    if not policy:
        raise missing_field("resource.autoscalingPolicy")
    if policy.get("maxNumReplicas") is None:
        raise missing_field("resource.autoscalingPolicy.maxNumReplicas")
    low, high = policy.setdefault("minNumReplicas", 2), policy["maxNumReplicas"]
    if low > high or low < 0:
        raise invalid_field(
            "resource.autoscalingPolicy.minNumReplicas",
            low,
            f"It must be from 0 to maxNumReplicas ({high}).",
            rule=SCALE,
        )
    policy.setdefault("coolDownPeriodSec", 60)
    policy.setdefault("mode", "ON")
    cpu = policy.get("cpuUtilization")
    if cpu is None and not any(
        policy.get(n) for n in ("loadBalancingUtilization", "customMetricUtilizations", "scalingSchedules")
    ):
        cpu = policy.setdefault("cpuUtilization", {})
    if cpu is not None:
        cpu.setdefault("utilizationTarget", 0.6)
        cpu.setdefault("predictiveMethod", "NONE")
        if not 0 < float(cpu["utilizationTarget"]) <= 1:
            raise invalid_field(
                "resource.autoscalingPolicy.cpuUtilization.utilizationTarget",
                cpu["utilizationTarget"],
                "It must be above 0 and at most 1.",
                rule=SCALE,
            )
    for key, other in call.world.state.compute.items():
        if key.split("/")[-2] == "autoscalers" and other["target"] == item["target"] and link(key) != item["selfLink"]:
            raise Refusal(
                400,
                f"The resource '{key_from(item['target'])}' is already being autoscaled by '{key}'.",
                reason="resourceInUseByAnotherResource",
                rule=SCALE,
            )
    item["status"] = "ACTIVE"
    item["recommendedSize"] = max(low, min(high, int(resource(call, key_from(item["target"])).get("targetSize", low))))
    _size(call, item)


def _size(call: Call, item: dict[str, Any]) -> None:
    """The group is kept between the bounds."""
    if item["autoscalingPolicy"]["mode"] == "ON":
        resource(call, key_from(item["target"]))["targetSize"] = item["recommendedSize"]
        call.world.state.stirred = True


for _name in ("autoscalers", "regionAutoscalers"):
    shape(
        Shape(
            _name,
            "autoscaler",
            {"target": ("instanceGroupManagers",)},
            needed=("target",),
            fill=_autoscaler,
            updates=(),
            fixed=frozenset({"target"}),
        )
    )


@handles("compute.autoscalers.patch", "compute.regionAutoscalers.patch")
def patch_autoscaler(call: Call) -> dict[str, Any]:
    """The autoscaler is named by a query parameter."""
    return _named(call, "patch")


@handles("compute.autoscalers.update", "compute.regionAutoscalers.update")
def update_autoscaler(call: Call) -> dict[str, Any]:
    """The autoscaler is named by a query parameter or by the body."""
    return _named(call, "update")


def _named(call: Call, verb: str) -> dict[str, Any]:
    from simcloud.gcp.compute.declared import SHAPES, change

    name = call.query.get("autoscaler") or call.body.get("name")
    if not name:
        raise missing_field("autoscaler")
    where = "/".join(call.match.name.split("/")[1:6])
    return change(call, SHAPES["autoscalers"], f"{where}/{name}", verb)
