"""Managed instance groups, zonal and regional: they launch, heal, resize and roll their members by themselves.

A group keeps a list of members it wants. Each step of `reconcile` brings the instances nearer to it; a step that
cannot launch a member says why in `listErrors` and in the member's last attempt, and tries again next time.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, fingerprint, handles, inner
from simcloud.gcp.compute import machines
from simcloud.gcp.compute.base import (
    SHOWN,
    collection,
    key_from,
    key_of,
    last,
    link,
    listing,
    new,
    of_kind,
    operation,
    reference,
    refuse_use,
    resource,
    stale,
    users_of,
)
from simcloud.gcp.errors import Refusal, invalid_field, missing_field, rule
from simcloud.wire import Moment

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

_DOC = "docs.cloud.google.com/compute/docs/instance-groups"
SIZE = rule("group.size", "a group has 0 to 4000 members", _DOC + "/instance-group-limits", ours=True)
VERSIONS = rule("group.versions", "all versions but one have a target size", _DOC + "/updating-migs#canary", ours=True)
SURGE = rule(
    "group.surge",
    "surge and unavailability are not both zero; recreation wants no surge",
    _DOC + "/updating-migs",
    ours=True,
)
rule(
    "group.surge-zones",
    "a regional group's fixed surge is 0 or at least the number of its zones",
    "API errors seen: has to be either 0 or at least equal to the number of zones",
)
ZONES = rule("group.zones", "a distribution's zones lie in the region", _DOC + "/regional-migs", ours=True)
MEMBER = rule("group.member", "a named instance is a member", "API errors seen", ours=True)
HEALING = rule(
    "group.healing",
    "one auto healing policy, with a health check that exists",
    _DOC + "/autohealing-instances-in-migs",
    ours=True,
)
WORKLOAD = rule(
    "group.workload",
    "a group with a topology has as many members as the topology has hosts, or none",
    _DOC + "/workload-policy",
    ours=True,
)
NAME = rule(
    "group.base-name",
    "a base instance name has 1 to 58 legal characters",
    "discovery document compute.v1: InstanceGroupManager",
    ours=True,
)
DOUBLE = rule(
    "group.policies",
    "a workload policy replaces a placement policy in the template",
    _DOC + "/workload-policy",
    ours=True,
)
PREVENT_REDISTRIBUTION = rule(
    "group.redistribution",
    "redistribution is off for shapes other than EVEN",
    _DOC + "/regional-mig-distribution-shape",
    ours=True,
)

_LETTERS = "0123456789bcdfghjklmnpqrstvwxz"


def _regional(key: str) -> bool:
    return key.split("/")[2] == "regions"


def _zones(key: str, item: dict[str, Any]) -> list[str]:
    place = key.split("/")[3]
    if not _regional(key):
        return [place]
    given = item.get("distributionPolicy", {}).get("zones", [])
    return [last(z["zone"]) for z in given] or facts.regions()[place]


def _template(world: GcpWorld, url: str) -> dict[str, Any] | None:
    return world.state.compute.get(key_from(url.partition("?")[0]))


# Checks -------------------------------------------------------------------------------------------------------------


def _check(call: Call, key: str, item: dict[str, Any]) -> None:
    """Complete a group. Raises Refusal for what is not legal."""
    size = int(item.get("targetSize") or 0)
    if not 0 <= size <= 4000:
        raise invalid_field("resource.targetSize", size, "Must be from 0 to 4000.", rule=SIZE)
    base = item.setdefault("baseInstanceName", item["name"])
    if len(base.rstrip("#")) > 58:
        raise invalid_field("resource.baseInstanceName", base, "At most 58 characters.", rule=NAME)
    _check_versions(call, item)
    _check_zones(key, item)
    _check_update(key, item)
    healing = item.get("autoHealingPolicies", [])
    if len(healing) > 1:
        raise invalid_field("resource.autoHealingPolicies", len(healing), "At most one.", rule=HEALING)
    for policy in healing:
        policy["healthCheck"] = reference(
            call, policy.get("healthCheck", ""), "healthChecks", "resource.autoHealingPolicies[0].healthCheck"
        )
        policy.setdefault("initialDelaySec", 0)
    _check_workload(call, key, item)
    lifecycle = item.setdefault("instanceLifecyclePolicy", {})
    lifecycle.setdefault("forceUpdateOnRepair", "NO")
    lifecycle.setdefault("defaultActionOnFailure", "REPAIR")
    item.setdefault("standbyPolicy", {"mode": "MANUAL", "initialDelaySec": 0})
    item.setdefault("listManagedInstancesResults", "PAGELESS")


def _check_versions(call: Call, item: dict[str, Any]) -> None:
    versions = item.get("versions") or []
    if not versions and item.get("instanceTemplate"):
        versions = [{"instanceTemplate": item["instanceTemplate"]}]
    if not versions:
        raise missing_field("resource.instanceTemplate")
    open_ended = [v for v in versions if not v.get("targetSize")]
    if len(open_ended) != 1:
        raise invalid_field("resource.versions", len(open_ended), "One version is without target size.", rule=VERSIONS)
    for i, version in enumerate(versions):
        url, _, unique = version.get("instanceTemplate", "").partition("?")
        found = reference(call, url, "instanceTemplates", f"resource.versions[{i}].instanceTemplate")
        version["instanceTemplate"] = f"{found}?{unique}" if unique else found
        version.setdefault("targetSize", {})
        fixed = version["targetSize"].get("fixed")
        version["targetSize"].setdefault("calculated", fixed if fixed is not None else 0)
        if not version["targetSize"].get("fixed") and not version["targetSize"].get("percent"):
            version["targetSize"] = {}
    item["versions"] = versions
    item["instanceTemplate"] = versions[0]["instanceTemplate"]


def _check_zones(key: str, item: dict[str, Any]) -> None:
    if not _regional(key):
        return
    region = key.split("/")[3]
    policy = item.setdefault("distributionPolicy", {})
    for entry in policy.get("zones", []):
        name = last(entry.get("zone", ""))
        if name not in facts.regions()[region]:
            raise invalid_field("resource.distributionPolicy.zones", name, f"It is not in {region}.", rule=ZONES)
        entry["zone"] = link(f"projects/{key.split('/')[1]}/zones/{name}")
    if not policy.get("zones"):
        # Without a choice a regional group lies in three zones (regional-migs, "Default zone selection").
        chosen = facts.regions()[region][:3]
        policy["zones"] = [{"zone": link(f"projects/{key.split('/')[1]}/zones/{z}")} for z in chosen]
    policy.setdefault("targetShape", "EVEN")


def _check_update(key: str, item: dict[str, Any]) -> None:
    policy = item.setdefault("updatePolicy", {})
    count = len(_zones(key, item)) if _regional(key) else 1
    policy.setdefault("type", "OPPORTUNISTIC")
    policy.setdefault("minimalAction", "REPLACE")
    policy.setdefault("replacementMethod", "SUBSTITUTE")
    recreate = policy["replacementMethod"] == "RECREATE"
    for name in ("maxSurge", "maxUnavailable"):
        bound = policy.setdefault(name, {"fixed": 0 if name == "maxSurge" and recreate else count})
        if not bound:
            bound["fixed"] = count
        fixed = bound.get("fixed")
        if _regional(key) and fixed is not None and 0 < fixed < count:
            raise Refusal(
                400,
                f"Invalid value for field 'resource.updatePolicy.{name}.fixed': '{fixed}'. Fixed updatePolicy.{name} "
                f"for regional managed instance group has to be either 0 or at least equal to the number of zones.",
                reason="invalid",
            )
    size = max(1, int(item.get("targetSize") or 0))
    surge, away = _bound(policy["maxSurge"], size), _bound(policy["maxUnavailable"], size)
    if surge == 0 and away == 0:
        raise invalid_field("resource.updatePolicy.maxSurge", 0, "maxSurge and maxUnavailable are both 0.", rule=SURGE)
    if recreate and surge:
        raise invalid_field("resource.updatePolicy.maxSurge", surge, "Must be 0 with RECREATE.", rule=SURGE)
    if _regional(key):
        even = item["distributionPolicy"]["targetShape"] == "EVEN"
        kind = policy.setdefault("instanceRedistributionType", "PROACTIVE" if even else "NONE")
        if kind == "PROACTIVE" and not even:
            raise invalid_field(
                "resource.updatePolicy.instanceRedistributionType",
                kind,
                "Must be NONE unless EVEN.",
                rule=PREVENT_REDISTRIBUTION,
            )
    for name in ("maxSurge", "maxUnavailable"):
        policy[name]["calculated"] = _bound(policy[name], size)


def _bound(bound: dict[str, Any], size: int) -> int:
    if bound.get("percent") is not None:
        return math.ceil(size * int(bound["percent"]) / 100)
    return int(bound.get("fixed", 0))


def _check_workload(call: Call, key: str, item: dict[str, Any]) -> None:
    wanted = item.get("resourcePolicies", {}).get("workloadPolicy")
    if not wanted:
        return
    region = key.split("/")[3] if _regional(key) else facts.region_of(key.split("/")[3])
    name = wanted if "/" in wanted else f"regions/{region}/resourcePolicies/{wanted}"
    item["resourcePolicies"]["workloadPolicy"] = reference(
        call, name, "resourcePolicies", "resource.resourcePolicies.workloadPolicy"
    )
    hosts = _hosts(call.world, item)
    size = int(item.get("targetSize") or 0)
    if hosts is not None and size not in (0, hosts):
        raise invalid_field("resource.targetSize", size, f"The topology has {hosts} hosts.", rule=WORKLOAD)
    template = _template(call.world, item["instanceTemplate"]) or {}
    if template.get("properties", {}).get("resourcePolicies"):
        raise invalid_field(
            "resource.resourcePolicies.workloadPolicy", wanted, "The template has a policy, too.", rule=DOUBLE
        )


def _hosts(world: GcpWorld, item: dict[str, Any]) -> int | None:
    """How many machines a group's topology has; None without one."""
    key = key_from(item.get("resourcePolicies", {}).get("workloadPolicy", ""))
    policy = world.state.compute.get(key, {}).get("workloadPolicy", {})
    topology = policy.get("acceleratorTopology")
    template = _template(world, item["instanceTemplate"])
    if not topology or template is None:
        return None
    spec = facts.machines().get(template["properties"]["machineType"])
    chips = math.prod(int(a) for a in topology.split("x"))
    each = spec.tpu[1] if spec and spec.tpu else spec.gpu[1] if spec and spec.gpu else 1
    return max(1, chips // each)


# Steps --------------------------------------------------------------------------------------------------------------


def _running(world: GcpWorld, member: dict[str, Any]) -> bool:
    found = world.state.compute.get(member["key"])
    return found is not None and found["status"] == "RUNNING" and not member.get("unhealthy")


def _wanted_versions(item: dict[str, Any]) -> Counter[str]:
    """How many members each template should have."""
    size = int(item.get("targetSize") or 0)
    left, found = size, Counter[str]()
    for version in item["versions"]:
        target = version.get("targetSize") or {}
        if target:
            many = (
                int(target["fixed"])
                if target.get("fixed") is not None
                else math.ceil(size * int(target["percent"]) / 100)
            )
            many = min(many, left)
            found[version["instanceTemplate"]] += many
            left -= many
    for version in item["versions"]:
        if not version.get("targetSize"):
            found[version["instanceTemplate"]] += left
    return found


def _spare(item: dict[str, Any], but: int | None = None) -> str:
    """The template that the next new member gets."""
    have = Counter(m["template"] for i, m in enumerate(item["_members"]) if i != but)
    for template, many in _wanted_versions(item).items():
        if have[template] < many:
            return template
    newest: str = item["versions"][-1]["instanceTemplate"]
    return newest


def restless(world: GcpWorld) -> bool:
    """Whether a step would change a group. A member whose launch failed is not one to wait for."""
    for _, item in of_kind(world, "instanceGroupManagers"):
        members = item["_members"]
        if len(members) != int(item.get("targetSize") or 0):
            return True
        heals = item["instanceLifecyclePolicy"].get("defaultActionOnFailure") != "DO_NOTHING"
        if any(
            not _running(world, m) and "lastAttempt" not in m and (heals or m["key"] not in world.state.compute)
            for m in members
        ):
            return True
        if item["updatePolicy"]["type"] == "PROACTIVE" and _outdated(item) and _allowed(world, item) > 0:
            return True
    return False


def reconcile(world: GcpWorld, moment: Moment) -> bool:
    """One step for every group. True when something changed."""
    changed = False
    for key, item in list(of_kind(world, "instanceGroupManagers")):
        changed |= _step(world, key, item, moment)
    return changed


def _step(world: GcpWorld, key: str, item: dict[str, Any], moment: Moment) -> bool:
    call = inner(world, moment, project=key.split("/")[1])
    before = _seen(world, item)
    size = int(item.get("targetSize") or 0)
    _heal(world, item)
    while len(item["_members"]) > size:
        _remove(world, item, len(item["_members"]) - 1)
    while len(item["_members"]) < size:
        _add(call, key, item)
    if item["updatePolicy"]["type"] == "PROACTIVE":
        _roll(call, key, item)
    _launch(call, key, item)
    return _seen(world, item) != before


def _seen(world: GcpWorld, item: dict[str, Any]) -> list[tuple[str, bool, str]]:
    return [(m["key"], m["key"] in world.state.compute, m["template"]) for m in item["_members"]]


def _heal(world: GcpWorld, item: dict[str, Any]) -> None:
    """Members that are gone, stopped or sick are launched again under their names."""
    if item["instanceLifecyclePolicy"].get("defaultActionOnFailure") == "DO_NOTHING":
        return
    force = item["instanceLifecyclePolicy"].get("forceUpdateOnRepair") == "YES"
    for i, member in enumerate(item["_members"]):
        sick = member.get("unhealthy") and item.get("autoHealingPolicies")
        there = world.state.compute.get(member["key"])
        if there is None and member.get("launched"):
            member["action"] = "RECREATING"
        elif there is not None and (sick or there["status"] == "TERMINATED"):
            machines.drop(world, member["key"])
            member["action"] = "RECREATING"
        else:
            continue
        member.pop("unhealthy", None)
        if force:
            member["template"] = _spare(item, but=i)


def _add(call: Call, key: str, item: dict[str, Any]) -> None:
    base = item["baseInstanceName"]
    names = {m["name"] for m in item["_members"]}
    while True:
        tail = "".join(call.moment.chance.choice(_LETTERS) for _ in range(4))
        if f"{base}-{tail}" not in names:
            break
    zone = _pick_zone(call.world, key, item)
    item["_members"].append(
        {
            "name": f"{base}-{tail}",
            "zone": zone,
            "key": f"projects/{call.project}/zones/{zone}/instances/{base}-{tail}",
            "template": _spare(item),
            "action": "CREATING",
        }
    )


def _pick_zone(world: GcpWorld, key: str, item: dict[str, Any]) -> str:
    """EVEN: the zone with fewest members. Other shapes: the first zone that still has room for the machine."""
    zones = _zones(key, item)
    held = Counter(m["zone"] for m in item["_members"])
    shape = item.get("distributionPolicy", {}).get("targetShape", "EVEN")
    template = _template(world, item["instanceTemplate"])
    machine = template["properties"]["machineType"] if template else ""
    if shape == "EVEN":
        return min(zones, key=lambda z: (held[z], z))
    fit = [z for z in zones if facts.machine(machine, z) and _room(world, z, machine)] or zones
    if shape == "ANY_SINGLE_ZONE" and held:
        return str(held.most_common(1)[0][0])
    return min(fit, key=lambda z: (held[z] if shape == "BALANCED" else 0, z))


def _room(world: GcpWorld, zone: str, machine: str) -> bool:
    bound = world.state.knobs.capacity.get(f"{zone}/{machine}")
    if bound is None:
        return True
    return world.ledger.machines(zone, machine) < bound


def _remove(world: GcpWorld, item: dict[str, Any], index: int) -> None:
    member = item["_members"].pop(index)
    if member["key"] in world.state.compute:
        machines.drop(world, member["key"])


def _outdated(item: dict[str, Any]) -> list[int]:
    """The members to replace so that each template has the members it should have."""
    wanted = _wanted_versions(item)
    found = []
    for i, member in enumerate(item["_members"]):
        if wanted[member["template"]] > 0:
            wanted[member["template"]] -= 1
        else:
            found.append(i)
    return found


def _allowed(world: GcpWorld, item: dict[str, Any]) -> int:
    """How many members an update may take down now."""
    size = max(1, len(item["_members"]))
    policy = item["updatePolicy"]
    allowed = _bound(policy["maxSurge"], size) + _bound(policy["maxUnavailable"], size)
    return allowed - sum(not _running(world, m) for m in item["_members"])


def _roll(call: Call, key: str, item: dict[str, Any]) -> None:
    """One wave of a rolling update: as many members as surge and unavailability allow, less those not running."""
    policy = item["updatePolicy"]
    for index in _outdated(item)[: max(0, _allowed(call.world, item))]:
        member = item["_members"][index]
        wanted = _spare(item, but=index)
        if policy["replacementMethod"] == "RECREATE":
            if member["key"] in call.world.state.compute:
                machines.drop(call.world, member["key"])
            member |= {"template": wanted, "action": "RECREATING"}
            continue
        if member["key"] in call.world.state.compute:
            machines.drop(call.world, member["key"])
        item["_members"].pop(index)
        _add(call, key, item)
        fresh = item["_members"].pop()
        fresh["template"] = wanted
        item["_members"].insert(index, fresh)


def _launch(call: Call, key: str, item: dict[str, Any]) -> None:
    """Launch the members that are not there; with a topology, all of them or none."""
    together = _hosts(call.world, item) is not None
    made: list[dict[str, Any]] = []
    for member in item["_members"]:
        if member["key"] in call.world.state.compute:
            member["action"] = "NONE"
            continue
        error = _launch_one(call, key, item, member)
        if error is None:
            made.append(member)
            continue
        member["lastAttempt"] = {"errors": {"errors": [{"code": error[0], "message": error[1]}]}}
        _note(call, key, item, member, error)
        if together:
            for other in made:
                machines.drop(call.world, other["key"])
                other |= {"action": "CREATING"}
                other.pop("launched", None)
            return


def _launch_one(call: Call, key: str, item: dict[str, Any], member: dict[str, Any]) -> machines.Failure | None:
    template = _template(call.world, member["template"])
    if template is None:
        return "RESOURCE_NOT_FOUND", f"The template {member['template']} was not found", 404
    asked = {**template["properties"], "name": member["name"]}
    asked.pop("description", None)
    extra = item.get("allInstancesConfig", {}).get("properties", {})
    if extra.get("labels"):
        asked["labels"] = {**asked.get("labels", {}), **extra["labels"]}
    entries = {e["key"]: e for e in asked.get("metadata", {}).get("items", [])}
    for name, value in extra.get("metadata", {}).items():
        entries[name] = {"key": name, "value": value}
    entries["instance-template"] = {"key": "instance-template", "value": key_from(member["template"].partition("?")[0])}
    entries["created-by"] = {"key": "created-by", "value": key}
    asked["metadata"] = {"items": list(entries.values())}
    try:
        made, failure = machines.launch(call, member["zone"], asked, "resource.properties")
    except Refusal as refusal:
        return "CONDITION_NOT_MET" if refusal.status == 412 else refusal.reason.upper(), refusal.message, refusal.status
    if failure is None:
        call.world.state.compute[made]["_madeBy"] = key
        member |= {"launched": True, "action": "NONE"}
        member.pop("lastAttempt", None)
        member.pop("unhealthy", None)
    return failure


def _note(call: Call, key: str, item: dict[str, Any], member: dict[str, Any], error: machines.Failure) -> None:
    """Remember a failed launch; the newest hundred stay."""
    kept = call.world.state.group_errors.setdefault(key, [])
    last_seen = kept[-1] if kept else None
    entry = {
        "error": {"code": error[0], "message": error[1]},
        "instanceActionDetails": {
            "action": member["action"],
            "instance": link(member["key"]),
            "version": {"instanceTemplate": member["template"]},
        },
        "timestamp": call.compute_now,
    }
    if last_seen and all(last_seen[n] == entry[n] for n in ("error", "instanceActionDetails")):
        return
    kept.append(entry)
    del kept[:-100]


def mark_unhealthy(world: GcpWorld, instance: str) -> None:
    """A member's health check fails. Raises ValueError when no group has it."""
    for _, item in of_kind(world, "instanceGroupManagers"):
        for member in item["_members"]:
            if instance in (member["name"], member["key"], link(member["key"])):
                member["unhealthy"] = True
                return
    raise ValueError(f"no group has {instance}")


# The API ------------------------------------------------------------------------------------------------------------


def _status(world: GcpWorld, item: dict[str, Any]) -> dict[str, Any]:
    members = item["_members"]
    running = sum(_running(world, m) for m in members)
    size = int(item.get("targetSize") or 0)
    reached = not _outdated(item)
    waiting = item["updatePolicy"]["type"] == "PROACTIVE" and not reached
    actions = Counter(m["action"].lower() for m in members if not _running(world, m))
    current = dict.fromkeys(_ACTIONS, 0)
    for name, many in actions.items():
        current[name if name in current else "creating"] += many
    current["none"] = running
    versions = []
    for version in item["versions"]:
        target = dict(version.get("targetSize") or {})
        target["calculated"] = _wanted_versions(item)[version["instanceTemplate"]]
        versions.append({**version, "targetSize": target})
    return {
        "versions": versions,
        "currentActions": current,
        "status": {
            "isStable": running == size == len(members) and not waiting,
            "versionTarget": {"isReached": reached},
            "allInstancesConfig": {"effective": True},
            "stateful": {"hasStatefulConfig": False, "perInstanceConfigs": {"allEffective": True}},
        },
    }


_ACTIONS = (
    "none",
    "creating",
    "creatingWithoutRetries",
    "verifying",
    "recreating",
    "deleting",
    "abandoning",
    "restarting",
    "refreshing",
    "suspending",
    "resuming",
    "stopping",
    "starting",
)


SHOWN["instanceGroupManagers"] = _status


def _group_size(world: GcpWorld, item: dict[str, Any]) -> dict[str, Any]:
    if "_manager" not in item:
        return {"size": sum(key_from(m) in world.state.compute for m in item["_members"])}
    members = world.state.compute.get(item["_manager"], {}).get("_members", [])
    return {"size": sum(_running(world, m) for m in members)}


SHOWN["instanceGroups"] = _group_size


@handles("compute.instanceGroupManagers.insert", "compute.regionInstanceGroupManagers.insert")
def insert(call: Call) -> dict[str, Any]:
    """A group and its instance group; its members follow."""
    item = new(call, "instanceGroupManager")
    key = key_from(item["selfLink"])
    if call.body.get("targetSize") is None:
        raise missing_field("resource.targetSize")
    _check(call, key, item)
    group = key.replace("/instanceGroupManagers/", "/instanceGroups/")
    item["instanceGroup"] = link(group)
    item["fingerprint"] = _print(item)
    item["_members"] = []
    template = _template(call.world, item["instanceTemplate"]) or {}
    nics = template.get("properties", {}).get("networkInterfaces") or [{}]
    compute = call.world.state.compute
    compute[key] = item
    compute[group] = {
        "kind": "compute#instanceGroup",
        "id": call.number(),
        "creationTimestamp": call.compute_now,
        "name": item["name"],
        "description": f"This instance group is controlled by Instance Group Manager '{item['name']}'.",
        "selfLink": link(group),
        "fingerprint": fingerprint({"g": item["name"]}),
        **{n: nics[0][n] for n in ("network", "subnetwork") if nics[0].get(n)},
        **{n: item[n] for n in ("zone", "region", "namedPorts") if item.get(n)},
        "_manager": key,
        "_madeBy": key,
    }
    return operation(call, key, "insert")


def _print(item: dict[str, Any]) -> str:
    return fingerprint({n: v for n, v in item.items() if not n.startswith("_") and n != "fingerprint"})


def _delete(call: Call, key: str, item: dict[str, Any]) -> None:
    group = key_from(item["instanceGroup"])
    for used in (key, group):
        refuse_use(call, used, users_of(call.world, "autoscalers", "backendServices"))
    while item["_members"]:
        _remove(call.world, item, len(item["_members"]) - 1)
    call.world.state.compute.pop(key_from(item["instanceGroup"]), None)
    call.world.state.group_errors.pop(key, None)


collection("instanceGroupManagers", "instanceGroupManager")(_delete)
collection("regionInstanceGroupManagers", "instanceGroupManager")(_delete)
collection("instanceGroups", "instanceGroup", delete=False)(lambda call, key, item: None)
collection("regionInstanceGroups", "instanceGroup", delete=False)(lambda call, key, item: None)


@handles(
    "compute.instanceGroupManagers.patch",
    "compute.regionInstanceGroupManagers.patch",
)
def patch(call: Call) -> dict[str, Any]:
    """A group changes in place, except its name and place."""
    key = key_of(call)
    item = resource(call, key)
    if call.body.get("fingerprint") and call.body["fingerprint"] != item["fingerprint"]:
        raise stale("Fingerprint mismatch")
    fixed = ("name", "zone", "region", "fingerprint")
    # A copy all through: what is refused must leave the group as it was.
    wanted = copy.deepcopy(item) | {k: v for k, v in call.body.items() if k not in fixed}
    for block in ("updatePolicy", "instanceLifecyclePolicy", "distributionPolicy"):
        if block in call.body:
            merged = {**item.get(block, {}), **call.body[block]}
            if block == "updatePolicy":
                merged = {k: v for k, v in merged.items() if k not in ("maxSurge", "maxUnavailable")}
                merged |= {k: call.body[block].get(k) or item[block][k] for k in ("maxSurge", "maxUnavailable")}
            wanted[block] = merged
    if "instanceTemplate" in call.body and "versions" not in call.body:
        wanted["versions"] = [{"instanceTemplate": call.body["instanceTemplate"]}]
    _check(call, key, wanted)
    wanted["fingerprint"] = _print(wanted)
    call.world.state.compute[key] = wanted
    return operation(call, key, "compute.instanceGroupManagers.patch")


@handles("compute.instanceGroupManagers.setInstanceTemplate", "compute.regionInstanceGroupManagers.setInstanceTemplate")
def set_template(call: Call) -> dict[str, Any]:
    """Another template, for all members to come."""
    key = key_of(call)
    wanted = copy.deepcopy(resource(call, key)) | {
        "versions": [{"instanceTemplate": call.body.get("instanceTemplate", "")}]
    }
    _check(call, key, wanted)
    wanted["fingerprint"] = _print(wanted)
    call.world.state.compute[key] = wanted
    return operation(call, key, "compute.instanceGroupManagers.setInstanceTemplate")


@handles("compute.instanceGroupManagers.resize", "compute.regionInstanceGroupManagers.resize")
def resize(call: Call) -> dict[str, Any]:
    """Another size."""
    key = key_of(call)
    wanted = copy.deepcopy(resource(call, key)) | {"targetSize": int(call.query.get("size", "0"))}
    _check(call, key, wanted)
    wanted["fingerprint"] = _print(wanted)
    call.world.state.compute[key] = wanted
    return operation(call, key, "compute.instanceGroupManagers.resize")


def _chosen(call: Call, item: dict[str, Any]) -> list[int]:
    wanted = [key_from(i) or i for i in call.body.get("instances", [])]
    keys = {m["key"]: i for i, m in enumerate(item["_members"])}
    short = {"/".join(k.split("/")[2:]): i for k, i in keys.items()}
    found = []
    for name in wanted:
        index = keys.get(name, short.get(name))
        if index is None:
            raise invalid_field("instances", name, "It is not a member of the group.", rule=MEMBER)
        found.append(index)
    return found


@handles("compute.instanceGroupManagers.recreateInstances", "compute.regionInstanceGroupManagers.recreateInstances")
def recreate(call: Call) -> dict[str, Any]:
    """Members go and come back under their names, out of the current template."""
    key = key_of(call)
    item = resource(call, key)
    for index in _chosen(call, item):
        member = item["_members"][index]
        if member["key"] in call.world.state.compute:
            machines.drop(call.world, member["key"])
        member |= {"action": "RECREATING", "template": _spare(item, but=index)}
    return operation(call, key, "compute.instanceGroupManagers.recreateInstances")


@handles("compute.instanceGroupManagers.deleteInstances", "compute.regionInstanceGroupManagers.deleteInstances")
def delete_members(call: Call) -> dict[str, Any]:
    """Members go, and the group shrinks."""
    key = key_of(call)
    item = resource(call, key)
    for index in sorted(_chosen(call, item), reverse=True):
        _remove(call.world, item, index)
    item["targetSize"] = len(item["_members"])
    return operation(call, key, "compute.instanceGroupManagers.deleteInstances")


@handles("compute.instanceGroupManagers.abandonInstances", "compute.regionInstanceGroupManagers.abandonInstances")
def abandon(call: Call) -> dict[str, Any]:
    """Members leave the group and stay; the group shrinks."""
    key = key_of(call)
    item = resource(call, key)
    for index in sorted(_chosen(call, item), reverse=True):
        member = item["_members"].pop(index)
        call.world.state.compute.get(member["key"], {}).pop("_madeBy", None)
    item["targetSize"] = len(item["_members"])
    return operation(call, key, "compute.instanceGroupManagers.abandonInstances")


@handles(
    "compute.instanceGroupManagers.applyUpdatesToInstances",
    "compute.regionInstanceGroupManagers.applyUpdatesToInstances",
)
def apply_updates(call: Call) -> dict[str, Any]:
    """Chosen members are brought to the current template, whatever the update policy."""
    key = key_of(call)
    item = resource(call, key)
    chosen = range(len(item["_members"])) if call.body.get("allInstances") else _chosen(call, item)
    outdated = set(_outdated(item))
    for index in chosen:
        member = item["_members"][index]
        if index in outdated and member["key"] in call.world.state.compute:
            machines.drop(call.world, member["key"])
            member |= {"action": "RECREATING", "template": _spare(item, but=index)}
    return operation(call, key, "compute.instanceGroupManagers.applyUpdatesToInstances")


@handles(
    "compute.instanceGroupManagers.listManagedInstances", "compute.regionInstanceGroupManagers.listManagedInstances"
)
def list_members(call: Call) -> dict[str, Any]:
    """The members, with what the group does with each."""
    item = resource(call)
    found = []
    for member in item["_members"]:
        there = call.world.state.compute.get(member["key"])
        entry: dict[str, Any] = {
            "instance": link(member["key"]),
            "name": member["name"],
            "currentAction": "NONE" if there else member["action"],
            "version": {"instanceTemplate": member["template"]},
            "propertiesFromFlexibilityPolicy": {},
        }
        if there:
            entry |= {"id": there["id"], "instanceStatus": there["status"]}
        if item.get("autoHealingPolicies") and there:
            state = "UNHEALTHY" if member.get("unhealthy") else "HEALTHY"
            entry["instanceHealth"] = [
                {"healthCheck": item["autoHealingPolicies"][0]["healthCheck"], "detailedHealthState": state}
            ]
        if member.get("lastAttempt"):
            entry["lastAttempt"] = member["lastAttempt"]
        found.append(entry)
    return {"managedInstances": found} if found else {}


@handles("compute.instanceGroupManagers.listErrors", "compute.regionInstanceGroupManagers.listErrors")
def list_errors(call: Call) -> dict[str, Any]:
    """Failed launches, newest first."""
    resource(call)
    return {"items": call.world.state.group_errors.get(key_of(call), [])[::-1]}


@handles("compute.instanceGroups.listInstances", "compute.regionInstanceGroups.listInstances")
def list_instances(call: Call) -> dict[str, Any]:
    """The instances of a group."""
    item = resource(call)
    if "_manager" in item:
        keys = [m["key"] for m in call.world.state.compute.get(item["_manager"], {}).get("_members", [])]
    else:
        keys = [key_from(m) for m in item["_members"]]
    found = [
        {"instance": link(k), "status": call.world.state.compute[k]["status"], "name": last(k)}
        for k in keys
        if k in call.world.state.compute
    ]
    return listing(call, found, "instanceGroupsListInstances")
