"""Peerings of networks, and policies that guard backends."""

from __future__ import annotations

import ipaddress
from typing import Any

from simcloud.gcp.call import Call, handles
from simcloud.gcp.compute.base import key_from, key_of, of_kind, operation, reference, resource
from simcloud.gcp.compute.declared import Shape, shape
from simcloud.gcp.errors import Refusal, invalid_field, missing_field, rule

PEER = rule(
    "network.peering",
    "networks are peered once, not with themselves, and their subnets do not overlap",
    "docs.cloud.google.com/vpc/docs/vpc-peering",
    ours=True,
)
GUARD = rule(
    "security-policy.rules",
    "a policy's rules have priorities of their own and a match; the last one matches everything",
    "docs.cloud.google.com/armor/docs/security-policy-overview",
    ours=True,
)


def _subnets(call: Call, network: str) -> list[ipaddress.IPv4Network]:
    return [
        ipaddress.IPv4Network(s["ipCidrRange"])
        for _, s in of_kind(call.world, "subnetworks")
        if s["network"] == network
    ]


def _state(call: Call, network: dict[str, Any], peering: dict[str, Any]) -> None:
    other = call.world.state.compute.get(key_from(peering["network"]), {})
    back = [p for p in other.get("peerings", []) if p["network"] == network["selfLink"]]
    state = "ACTIVE" if back else "INACTIVE"
    text = f"[{state}]: " + ("Connected." if back else "Waiting for peer network to connect.")
    for entry in (peering, *back):
        entry |= {"state": state, "stateDetails": text}


@handles("compute.networks.addPeering")
def add(call: Call) -> dict[str, Any]:
    """One side of a peering; it works when the other side is there too."""
    key = key_of(call)
    network = resource(call, key)
    given = call.body.get("networkPeering") or {"name": call.body.get("name"), "network": call.body.get("peerNetwork")}
    if not given.get("name"):
        raise missing_field("networkPeering.name")
    made = {
        "autoCreateRoutes": True,
        "exchangeSubnetRoutes": True,
        "exportCustomRoutes": False,
        "importCustomRoutes": False,
        "exportSubnetRoutesWithPublicIp": True,
        "importSubnetRoutesWithPublicIp": False,
        "stackType": "IPV4_ONLY",
        **given,
    }
    made["network"] = reference(call, str(given.get("network") or ""), "networks", "networkPeering.network")
    if made["network"] == network["selfLink"]:
        raise invalid_field("networkPeering.network", made["network"], "A network is not its own peer.", rule=PEER)
    for old in network.get("peerings", []):
        if old["name"] == made["name"] or old["network"] == made["network"]:
            raise Refusal(
                400,
                f"There is already a peering '{old['name']}' between the two networks.",
                reason="invalid",
                rule=PEER,
            )
    for mine in _subnets(call, network["selfLink"]):
        for theirs in _subnets(call, made["network"]):
            if mine.overlaps(theirs):
                raise Refusal(
                    400,
                    f"An IP range in the peer network ({theirs}) overlaps with an IP range in the local one ({mine}).",
                    reason="invalid",
                    rule=PEER,
                )
    network.setdefault("peerings", []).append(made)
    _state(call, network, made)
    return operation(call, key, "addPeering")


@handles("compute.networks.updatePeering")
def update(call: Call) -> dict[str, Any]:
    """Which routes are exchanged changes in place."""
    key = key_of(call)
    given = call.body.get("networkPeering", {})
    for entry in resource(call, key).get("peerings", []):
        if entry["name"] == given.get("name"):
            entry |= {k: v for k, v in given.items() if k not in ("name", "network", "state")}
            return operation(call, key, "updatePeering")
    raise invalid_field("networkPeering.name", given.get("name"), "There is no such peering.", rule=PEER)


@handles("compute.networks.removePeering")
def remove(call: Call) -> dict[str, Any]:
    """One side goes; the other one waits."""
    key = key_of(call)
    network = resource(call, key)
    name = call.body.get("name")
    gone = [p for p in network.get("peerings", []) if p["name"] == name]
    if not gone:
        raise invalid_field("name", name, "There is no such peering.", rule=PEER)
    network["peerings"] = [p for p in network["peerings"] if p["name"] != name]
    if not network["peerings"]:
        del network["peerings"]
    other = call.world.state.compute.get(key_from(gone[0]["network"]), {})
    for back in other.get("peerings", []):
        if back["network"] == network["selfLink"]:
            back |= {"state": "INACTIVE", "stateDetails": "[INACTIVE]: Peer network deleted its peering."}
    return operation(call, key, "removePeering")


_LAST = 2147483647


def _guard(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    item.setdefault("type", "CLOUD_ARMOR")
    rules = item.setdefault("rules", [])
    if not any(r.get("priority") == _LAST for r in rules):
        everyone = {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}}
        rules.append({"priority": _LAST, "action": "allow", "match": everyone, "description": "default rule"})
    rules.sort(key=lambda r: int(r.get("priority") or 0))
    priorities = [r.get("priority") for r in rules]
    if len(set(priorities)) < len(priorities):
        raise invalid_field("resource.rules", priorities, "Two rules have one priority.", rule=GUARD)
    for i, entry in enumerate(rules):
        entry.setdefault("kind", "compute#securityPolicyRule")
        entry.setdefault("preview", False)
        if not entry.get("match") or not entry.get("action"):
            raise missing_field(f"resource.rules[{i}].match")
        action = str(entry["action"])
        if not (action in ("allow", "throttle", "rate_based_ban", "redirect") or action.startswith("deny")):
            raise invalid_field(f"resource.rules[{i}].action", action, "Unknown action.", rule=GUARD)
        for value in entry["match"].get("config", {}).get("srcIpRanges", []):
            try:
                if value != "*":
                    ipaddress.ip_network(value, strict=False)
            except ValueError:
                raise invalid_field(
                    f"resource.rules[{i}].match.config.srcIpRanges", value, "Not an address range.", rule=GUARD
                ) from None


shape(Shape("securityPolicies", "securityPolicy", {}, fill=_guard, printed=True, labels=False))


def _rule_at(call: Call, item: dict[str, Any], priority: int) -> dict[str, Any]:
    for entry in item["rules"]:
        if entry["priority"] == priority:
            found: dict[str, Any] = entry
            return found
    raise invalid_field("priority", priority, "There is no rule of this priority.", rule=GUARD)


@handles("compute.securityPolicies.addRule")
def add_rule(call: Call) -> dict[str, Any]:
    """One more rule."""
    key = key_of(call)
    item = resource(call, key)
    wanted = {**item, "rules": [*item["rules"], call.body]}
    _guard(call, wanted, item)
    call.world.state.compute[key] = wanted
    return operation(call, key, "addRule")


@handles("compute.securityPolicies.patchRule")
def patch_rule(call: Call) -> dict[str, Any]:
    """A rule changes, found by its priority."""
    key = key_of(call)
    item = resource(call, key)
    entry = _rule_at(call, item, int(call.query.get("priority") or call.body.get("priority") or 0))
    wanted = {**item, "rules": [{**r, **call.body} if r is entry else r for r in item["rules"]]}
    _guard(call, wanted, item)
    call.world.state.compute[key] = wanted
    return operation(call, key, "patchRule")


@handles("compute.securityPolicies.removeRule")
def remove_rule(call: Call) -> dict[str, Any]:
    """A rule goes, found by its priority."""
    key = key_of(call)
    item = resource(call, key)
    entry = _rule_at(call, item, int(call.query.get("priority") or 0))
    item["rules"] = [r for r in item["rules"] if r is not entry]
    return operation(call, key, "removeRule")
