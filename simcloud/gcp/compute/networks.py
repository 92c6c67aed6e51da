"""Networks, subnetworks, firewalls, routes, routers with NAT, addresses."""

from __future__ import annotations

import copy
import ipaddress
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, fingerprint, handles, inner
from simcloud.gcp.compute.base import (
    MAKE_DEFAULT,
    SHOWN,
    collection,
    key_from,
    key_of,
    last,
    link,
    new,
    of_kind,
    operation,
    reference,
    refuse_use,
    resource,
    stale,
    store,
    users_of,
)
from simcloud.gcp.errors import Refusal, in_use, invalid_field, missing_field, rule
from simcloud.wire import Moment

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

_SUBNETS = "docs.cloud.google.com/vpc/docs/subnets"
LEGACY = rule(
    "network.legacy", "a network is auto or custom mode; legacy ones cannot be made", "vpc/docs/legacy", ours=True
)
MTU = rule("network.mtu", "an MTU lies between 1300 and 8896", "discovery document compute.v1: Network.mtu", ours=True)
AUTO = rule("subnet.auto", "an auto mode network takes a subnet only outside 10.128.0.0/9", _SUBNETS, ours=True)
rule("subnet.overlap", "ranges of one network do not overlap, secondary ones included", _SUBNETS)
SIZE = rule("subnet.size", "a primary range is /29 or larger", _SUBNETS, ours=True)
PROHIBITED = rule("subnet.prohibited", "some ranges are never legal", _SUBNETS + "#prohibited-ranges", ours=True)
HOST_BITS = rule("subnet.host-bits", "a range has no host bits set", "API errors seen")
SECONDARY = rule("subnet.secondary-count", "at most 170 secondary ranges", "vpc/docs/quota", ours=True)
SHRINK = rule("subnet.expand-only", "a primary range only grows around itself", _SUBNETS + "#expand", ours=True)
PURPOSE = rule("subnet.purpose", "a purpose is one of those that exist", "discovery document", ours=True)
FIREWALL = rule(
    "firewall.shape",
    "allowed or denied, not both; ranges are CIDR; ports are numbers",
    "docs.cloud.google.com/firewall/docs/firewalls",
    ours=True,
)
PRIORITY = rule("priority", "a priority is 0 to 65535", "discovery document", ours=True)
NEXT_HOP = rule("route.next-hop", "a route has one next hop", "docs.cloud.google.com/vpc/docs/routes", ours=True)
NAT = rule(
    "nat.shape",
    "a NAT's name is unique on its router, its subnets are named, its ports are legal",
    "docs.cloud.google.com/nat/docs/ports-and-addresses",
    ours=True,
)
NAT_ALL = rule(
    "nat.all-subnets",
    "one NAT of a network and region covers all subnets",
    "docs.cloud.google.com/nat/docs/overview",
    ours=True,
)
ADDRESS = rule(
    "address.range",
    "an internal address lies in its subnet and is free",
    "docs.cloud.google.com/compute/docs/ip-addresses",
    ours=True,
)
ASN = rule(
    "router.asn",
    "a private ASN is 64512-65534 or 4200000000-4294967294",
    "docs.cloud.google.com/network-connectivity/docs/router",
    ours=True,
)

_NEVER = [
    ipaddress.IPv4Network(n)
    for n in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "199.36.153.4/30",
        "199.36.153.8/30",
    )
]
_PURPOSES = frozenset(
    {"PRIVATE", "PRIVATE_RFC_1918", "REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY", "PRIVATE_SERVICE_CONNECT"}
    | {"PRIVATE_NAT", "INTERNAL_HTTPS_LOAD_BALANCER", "PEER_MIGRATION"}
)


def network_range(value: str, field: str) -> ipaddress.IPv4Network:
    """An IPv4 range. Raises Refusal when it is malformed or has host bits set."""
    try:
        return ipaddress.IPv4Network(value)
    except ValueError:
        pass
    try:
        ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        raise invalid_field(field, value, "Must be a valid CIDR address range.") from None
    raise invalid_field(field, value, "Must be a CIDR address range with no host bits set.", rule=HOST_BITS)


# Networks -----------------------------------------------------------------------------------------------------------


@handles("compute.networks.insert")
def insert_network(call: Call) -> dict[str, Any]:
    """A network with its default route, and with a subnet per region in auto mode."""
    item = new(call, "network")
    if "autoCreateSubnetworks" not in item:
        raise Refusal(400, "Legacy networks can no longer be created.", reason="invalid", rule=LEGACY)
    mtu = item.setdefault("mtu", 1460)
    if not 1300 <= mtu <= 8896:
        raise invalid_field("resource.mtu", mtu, "Must be from 1300 to 8896.", rule=MTU)
    item.setdefault("routingConfig", {}).setdefault("routingMode", "REGIONAL")
    item["routingConfig"].setdefault("bgpBestPathSelectionMode", "LEGACY")
    item.setdefault("networkFirewallPolicyEnforcementOrder", "AFTER_CLASSIC_FIREWALL")
    key = key_from(item["selfLink"])
    item["selfLinkWithId"] = link("/".join([*key.split("/")[:-1], item["id"]]))
    store(call, item)
    _default_route(call, key, item)
    if item["autoCreateSubnetworks"]:
        _auto_subnets(call, key, item)
    return operation(call, key, "insert")


def _default_route(call: Call, key: str, network: dict[str, Any]) -> None:
    project = key.split("/")[1]
    _made_route(
        call,
        f"projects/{project}/global/routes/default-route-{call.hexadecimal(16)}",
        network["selfLink"],
        "0.0.0.0/0",
        "Default route to the Internet.",
        nextHopGateway=link(f"projects/{project}/global/gateways/default-internet-gateway"),
        priority=1000,
        madeBy=key,
    )


def _subnet_route(call: Call, network: str, cidr: str, madeBy: str) -> None:  # noqa: N803 - the stored member's name
    project = madeBy.split("/")[1]
    _made_route(
        call,
        f"projects/{project}/global/routes/default-route-r-{call.hexadecimal(16)}",
        network,
        cidr,
        f"Default local route to the subnetwork {cidr}.",
        nextHopNetwork=network,
        priority=0,
        madeBy=madeBy,
    )


def _made_route(call: Call, key: str, network: str, dest: str, text: str, **more: Any) -> None:
    by = more.pop("madeBy")
    call.world.state.compute[key] = {
        "kind": "compute#route",
        "id": call.number(),
        "creationTimestamp": call.compute_now,
        "name": last(key),
        "description": text,
        "network": network,
        "destRange": dest,
        "selfLink": link(key),
        "_madeBy": by,
        **more,
    }


def _auto_subnets(call: Call, key: str, network: dict[str, Any]) -> None:
    project = key.split("/")[1]
    for region, cidr in facts.data("places")["auto_subnets"].items():
        name = f"projects/{project}/regions/{region}/subnetworks/{network['name']}"
        call.world.state.compute[name] = {
            "kind": "compute#subnetwork",
            "id": call.number(),
            "creationTimestamp": call.compute_now,
            "name": network["name"],
            "network": network["selfLink"],
            "ipCidrRange": cidr,
            "gatewayAddress": str(ipaddress.IPv4Network(cidr)[1]),
            "region": link(f"projects/{project}/regions/{region}"),
            "selfLink": link(name),
            "privateIpGoogleAccess": False,
            "fingerprint": fingerprint({"cidr": cidr}),
            "privateIpv6GoogleAccess": "DISABLE_GOOGLE_ACCESS",
            "purpose": "PRIVATE",
            "stackType": "IPV4_ONLY",
            "_madeBy": key,
        }
        _subnet_route(call, network["selfLink"], cidr, name)


def _subnets_of(world: GcpWorld, item: dict[str, Any]) -> dict[str, Any]:
    links = [s["selfLink"] for _, s in of_kind(world, "subnetworks") if s["network"] == item["selfLink"]]
    return {"subnetworks": links} if links else {}


SHOWN["networks"] = _subnets_of


@collection("networks", "network")
def delete_network(call: Call, key: str, item: dict[str, Any]) -> None:
    """Takes the network's own routes and automatic subnets along; refuses when anything else is on it."""
    state = call.world.state
    own = {k for k, v in state.compute.items() if v.get("_madeBy") == key}
    own |= {k for k, v in state.compute.items() if v.get("_madeBy") in own}
    users = ((k, v) for k, v in users_of(call.world, *_ON_NETWORK) if k not in own)
    refuse_use(call, key, users)
    for name, node in state.nodes.items():
        if any(c.get("network") == key for c in _node_nets(node)):
            raise in_use("network", key, name)
    for name in own:
        del state.compute[name]


_ON_NETWORK = (
    "subnetworks",
    "firewalls",
    "routes",
    "routers",
    "addresses",
    "instances",
    "forwardingRules",
    "networkEndpointGroups",
    "instanceGroups",
    "backendServices",
)


def _node_nets(node: dict[str, Any]) -> list[dict[str, Any]]:
    return node.get("networkConfigs") or [node.get("networkConfig", {})]


@handles("compute.networks.patch")
def patch_network(call: Call) -> dict[str, Any]:
    """Routing mode, MTU and enforcement order change in place; auto mode only by switchToCustomMode."""
    key = key_of(call)
    item = resource(call, key)
    for name in call.body:
        if name not in (*_CHANGING, "routingConfig", "description", "fingerprint"):
            if call.body[name] == item.get(name):
                continue
            raise invalid_field(f"resource.{name}", call.body[name], "Cannot change this field.", rule=LEGACY)
    if "mtu" in call.body and not 1300 <= call.body["mtu"] <= 8896:
        raise invalid_field("resource.mtu", call.body["mtu"], "Must be from 1300 to 8896.", rule=MTU)
    item["routingConfig"] = {**item["routingConfig"], **call.body.get("routingConfig", {})}
    for name in _CHANGING:
        if name in call.body:
            item[name] = call.body[name]
    return operation(call, key, "patch")


_CHANGING = ("mtu", "networkFirewallPolicyEnforcementOrder", "enableUlaInternalIpv6", "internalIpv6Range")


def make_default(world: GcpWorld, project: str) -> None:
    """The network `default` of a new project, with its four firewall rules (vpc/docs/firewalls, "Pre-populated").

    It is as old as the project: what it is made of follows from the project's name alone, not from who asks first.
    """
    born = Moment(datetime(2024, 1, 1, tzinfo=UTC), random.Random(f"default network of {project}"))  # noqa: S311
    before = set(world.state.compute)
    call = inner(world, born, project=project)
    where = f"v1/projects/{project}/global"
    call.match = replace(call.match, name=f"{where}/networks")
    call.body = {"name": "default", "autoCreateSubnetworks": True, "description": "Default network for the project"}
    insert_network(call)
    call.match = replace(call.match, name=f"{where}/firewalls")
    every = {"ports": ["0-65535"]}
    for name, allowed, source in (
        (
            "internal",
            [{"IPProtocol": "tcp"} | every, {"IPProtocol": "udp"} | every, {"IPProtocol": "icmp"}],
            "10.128.0.0/9",
        ),
        ("ssh", [{"IPProtocol": "tcp", "ports": ["22"]}], "0.0.0.0/0"),
        ("rdp", [{"IPProtocol": "tcp", "ports": ["3389"]}], "0.0.0.0/0"),
        ("icmp", [{"IPProtocol": "icmp"}], "0.0.0.0/0"),
    ):
        call.body = {"name": f"default-allow-{name}", "network": f"{where[3:]}/networks/default", "allowed": allowed}
        call.body |= {"sourceRanges": [source], "priority": 65534}
        insert_firewall(call)
    world.state.defaults[project] = True
    for key in world.state.compute.keys() - before:
        world.state.compute[key].setdefault("_madeBy", f"projects/{project}")


MAKE_DEFAULT.append(make_default)


# Subnetworks --------------------------------------------------------------------------------------------------------


def _taken(world: GcpWorld, network: str, *, but: str = "") -> Iterator[tuple[ipaddress.IPv4Network, dict[str, Any]]]:
    for key, item in of_kind(world, "subnetworks"):
        if item["network"] != network or key == but:
            continue
        yield ipaddress.IPv4Network(item["ipCidrRange"]), item
        for second in item.get("secondaryIpRanges", []):
            yield ipaddress.IPv4Network(second["ipCidrRange"]), item


def _check_range(call: Call, cidr: str, field: str, network: dict[str, Any], *, but: str = "") -> ipaddress.IPv4Network:
    wanted = network_range(cidr, field)
    if wanted.prefixlen > 29 or wanted.prefixlen < 4:
        raise invalid_field(field, cidr, "The prefix length must be from 4 to 29.", rule=SIZE)
    for never in _NEVER:
        if wanted.overlaps(never):
            raise invalid_field(field, cidr, f"The range overlaps {never}, which is never legal.", rule=PROHIBITED)
    if network.get("autoCreateSubnetworks") and wanted.overlaps(ipaddress.IPv4Network("10.128.0.0/9")):
        raise invalid_field(field, cidr, "10.128.0.0/9 is kept for automatic subnets.", rule=AUTO)
    for taken, owner in _taken(call.world, network["selfLink"], but=but):
        if wanted.overlaps(taken):
            raise Refusal(
                400,
                f"Invalid IPCidrRange: {cidr} conflicts with existing subnetwork '{owner['name']}' "
                f"in region '{last(owner['region'])}'.",
                reason="invalid",
            )
    return wanted


@handles("compute.subnetworks.insert")
def insert_subnetwork(call: Call) -> dict[str, Any]:
    """A subnetwork: its ranges overlap nothing in the network."""
    item = new(call, "subnetwork")
    for name in ("network", "ipCidrRange"):
        if not item.get(name):
            raise missing_field(f"resource.{name}")
    item["network"] = reference(call, item["network"], "networks", "resource.network")
    network = resource(call, key_from(item["network"]))
    if item.setdefault("purpose", "PRIVATE") not in _PURPOSES:
        raise invalid_field("resource.purpose", item["purpose"], "Unknown purpose.", rule=PURPOSE)
    ranges = [_check_range(call, item["ipCidrRange"], "resource.ipCidrRange", network)]
    _check_secondary(call, item.get("secondaryIpRanges", []), network, ranges)
    item["gatewayAddress"] = str(ranges[0][1])
    item.setdefault("privateIpGoogleAccess", False)
    item.setdefault("privateIpv6GoogleAccess", "DISABLE_GOOGLE_ACCESS")
    item.setdefault("stackType", "IPV4_ONLY")
    _log_defaults(item)
    item["fingerprint"] = _subnet_print(item)
    key = store(call, item)
    for one in ranges:
        _subnet_route(call, item["network"], str(one), key)
    return operation(call, key, "insert")


def _log_defaults(item: dict[str, Any]) -> None:
    log = item.get("logConfig")
    if log is None and "enableFlowLogs" not in item:
        return
    log = {"enable": bool(item.get("enableFlowLogs", True)), **(log or {})}
    if log["enable"]:
        log.setdefault("aggregationInterval", "INTERVAL_5_SEC")
        log.setdefault("flowSampling", 0.5)
        log.setdefault("metadata", "INCLUDE_ALL_METADATA")
        log.setdefault("filterExpr", "true")
    item["logConfig"] = log
    item["enableFlowLogs"] = log["enable"]


def _subnet_print(item: dict[str, Any]) -> str:
    mutable = ("ipCidrRange", "secondaryIpRanges", "logConfig", "privateIpGoogleAccess", "description", "role")
    return fingerprint({n: item.get(n) for n in mutable})


def _check_secondary(
    call: Call,
    wanted: list[dict[str, Any]],
    network: dict[str, Any],
    ranges: list[ipaddress.IPv4Network],
    *,
    but: str = "",
) -> None:
    if len(wanted) > 170:
        raise invalid_field("resource.secondaryIpRanges", len(wanted), "At most 170 ranges.", rule=SECONDARY)
    names: set[str] = set()
    for i, second in enumerate(wanted):
        field = f"resource.secondaryIpRanges[{i}]"
        for name in ("rangeName", "ipCidrRange"):
            if not second.get(name):
                raise missing_field(f"{field}.{name}")
        if second["rangeName"] in names:
            raise invalid_field(f"{field}.rangeName", second["rangeName"], "Duplicate range name.", rule=SECONDARY)
        names.add(second["rangeName"])
        one = _check_range(call, second["ipCidrRange"], f"{field}.ipCidrRange", network, but=but)
        for other in ranges:
            if one.overlaps(other):
                raise Refusal(
                    400, f"Invalid IPCidrRange: {one} overlaps {other} of the same subnetwork.", reason="invalid"
                )
        ranges.append(one)


@collection("subnetworks", "subnetwork")
def delete_subnetwork(call: Call, key: str, item: dict[str, Any]) -> None:
    """Refuses while an instance, an address, a NAT or a TPU node uses it; takes its routes along."""
    refuse_use(call, key, users_of(call.world, "instances", "addresses", "routers"))
    for name, node in call.world.state.nodes.items():
        if any(c.get("subnetwork") == key for c in _node_nets(node)):
            raise in_use("subnetwork", key, name)
    if item.get("_madeBy"):
        raise Refusal(
            400,
            f"Invalid value for field 'resource.name': '{item['name']}'. Cannot delete auto subnetwork.",
            reason="invalid",
            rule=AUTO,
        )
    _drop_routes(call, key)


def _drop_routes(call: Call, key: str, but: frozenset[str] = frozenset()) -> None:
    compute = call.world.state.compute
    for name in [k for k, v in compute.items() if v.get("_madeBy") == key and v.get("destRange") not in but]:
        del compute[name]


@handles("compute.subnetworks.patch")
def patch_subnetwork(call: Call) -> dict[str, Any]:
    """Secondary ranges, flow logs and role change in place, with the current fingerprint."""
    key = key_of(call)
    item = resource(call, key)
    if call.body.get("fingerprint") != item["fingerprint"]:
        raise stale("Fingerprint mismatch") if call.body.get("fingerprint") else missing_field("resource.fingerprint")
    network = resource(call, key_from(item["network"]))
    if "secondaryIpRanges" in call.body:
        ranges = [ipaddress.IPv4Network(item["ipCidrRange"])]
        _check_secondary(call, call.body["secondaryIpRanges"], network, ranges, but=key)
        item["secondaryIpRanges"] = call.body["secondaryIpRanges"]
        _drop_routes(call, key)
        for one in ranges:
            _subnet_route(call, item["network"], str(one), key)
    for name in ("role", "purpose", "stackType", "privateIpv6GoogleAccess", "privateIpGoogleAccess", "description"):
        if name in call.body:
            item[name] = call.body[name]
    if "logConfig" in call.body:
        item["logConfig"] = call.body["logConfig"]
        item.pop("enableFlowLogs", None)
        _log_defaults(item)
    elif "enableFlowLogs" in call.body:
        item["logConfig"] = {"enable": call.body["enableFlowLogs"]}
        item.pop("enableFlowLogs", None)
        _log_defaults(item)
    item["fingerprint"] = _subnet_print(item)
    return operation(call, key, "patch")


@handles("compute.subnetworks.expandIpCidrRange")
def expand(call: Call) -> dict[str, Any]:
    """A primary range grows: the new one holds the old one."""
    key = key_of(call)
    item = resource(call, key)
    cidr = call.body.get("ipCidrRange")
    if not cidr:
        raise missing_field("resource.ipCidrRange")
    network = resource(call, key_from(item["network"]))
    old = ipaddress.IPv4Network(item["ipCidrRange"])
    wanted = _check_range(call, cidr, "resource.ipCidrRange", network, but=key)
    if not wanted.supernet_of(old) or wanted == old:
        raise invalid_field("resource.ipCidrRange", cidr, f"Must be larger than and contain {old}.", rule=SHRINK)
    item["ipCidrRange"] = cidr
    item["fingerprint"] = _subnet_print(item)
    _drop_routes(call, key, frozenset(s["ipCidrRange"] for s in item.get("secondaryIpRanges", [])))
    _subnet_route(call, item["network"], cidr, key)
    return operation(call, key, "expandIpCidrRange")


@handles("compute.subnetworks.setPrivateIpGoogleAccess")
def private_access(call: Call) -> dict[str, Any]:
    """Private Google Access on or off."""
    key = key_of(call)
    item = resource(call, key)
    item["privateIpGoogleAccess"] = bool(call.body.get("privateIpGoogleAccess"))
    item["fingerprint"] = _subnet_print(item)
    return operation(call, key, "setPrivateIpGoogleAccess")


NO_ADDRESS = rule("subnet.full", "a subnet has an address left", "API errors seen: IP_SPACE_EXHAUSTED")


def used_addresses(world: GcpWorld, subnetwork: str) -> set[str]:
    """Addresses in use in a subnetwork (by self link)."""
    used: set[str] = set()
    for _, item in of_kind(world, "instances"):
        used |= {
            n["networkIP"]
            for n in item.get("networkInterfaces", [])
            if n.get("subnetwork") == subnetwork and "networkIP" in n
        }
    for _, item in of_kind(world, "addresses"):
        if item.get("subnetwork") == subnetwork:
            used.add(item["address"])
    short = key_from(subnetwork)
    for node in world.state.nodes.values():
        if any(c.get("subnetwork") == short for c in _node_nets(node)):
            used |= {e["ipAddress"] for e in node.get("networkEndpoints", [])}
    return used


def free_addresses(world: GcpWorld, subnetwork: str, count: int = 1) -> list[str]:
    """The lowest free addresses of a subnetwork. Google keeps the first two and the last two of a primary range
    (vpc/docs/subnets, "Unusable addresses"). Raises Refusal when too few are left."""
    cidr = ipaddress.IPv4Network(world.state.compute[key_from(subnetwork)]["ipCidrRange"])
    ledger = world.ledger
    used = ledger.addresses(subnetwork)
    found: list[str] = []
    for offset in range(ledger.first_free.get(subnetwork, 2), cidr.num_addresses - 2):
        if len(found) == count:
            break
        address = str(cidr[offset])
        if address not in used:
            if not found:
                ledger.first_free[subnetwork] = offset
            found.append(address)
    if len(found) < count:
        raise Refusal(
            400,
            f"IP space of '{key_from(subnetwork)}' is exhausted.",
            reason="ipSpaceExhausted",
            state="RESOURCE_EXHAUSTED",
            rule=NO_ADDRESS,
        )
    return found


# Firewalls ----------------------------------------------------------------------------------------------------------

_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_PROTOCOLS = frozenset({"tcp", "udp", "icmp", "esp", "ah", "ipip", "sctp", "all"})


def _check_firewall(call: Call, item: dict[str, Any]) -> None:
    allowed, denied = item.get("allowed"), item.get("denied")
    if bool(allowed) == bool(denied):
        raise invalid_field("resource", item.get("name"), "Give either allowed or denied.", rule=FIREWALL)
    which = "allowed" if allowed else "denied"
    for i, entry in enumerate(allowed or denied or []):
        field = f"resource.{which}[{i}]"
        protocol = entry.get("IPProtocol")
        if not protocol:
            raise missing_field(f"{field}.IPProtocol")
        if protocol not in _PROTOCOLS and not (protocol.isdigit() and int(protocol) < 256):
            raise invalid_field(f"{field}.IPProtocol", protocol, "Unknown protocol.", rule=FIREWALL)
        for port in entry.get("ports", []):
            found = _PORTS.fullmatch(port)
            ends = [int(p) for p in found.groups() if p] if found else []
            if (
                not ends
                or max(ends) > 65535
                or ends != sorted(ends)
                or protocol not in ("tcp", "udp", "sctp", "6", "17", "132")
            ):
                raise invalid_field(
                    f"{field}.ports", port, "Not a port or a port range of this protocol.", rule=FIREWALL
                )
    if not 0 <= item["priority"] <= 65535:
        raise invalid_field("resource.priority", item["priority"], "Must be from 0 to 65535.", rule=PRIORITY)
    egress = item["direction"] == "EGRESS"
    for name in ("sourceRanges", "destinationRanges"):
        for value in item.get(name, []):
            try:
                ipaddress.ip_network(value, strict=False)
            except ValueError:
                raise invalid_field(f"resource.{name}", value, "Must be a valid CIDR address range.") from None
    if egress and (item.get("sourceTags") or item.get("sourceServiceAccounts")):
        raise invalid_field("resource.sourceTags", item.get("sourceTags"), "Not for EGRESS rules.", rule=FIREWALL)
    tags = item.get("sourceTags") or item.get("targetTags")
    accounts = item.get("sourceServiceAccounts") or item.get("targetServiceAccounts")
    if tags and accounts:
        raise invalid_field(
            "resource.targetServiceAccounts", accounts, "Tags and service accounts do not mix.", rule=FIREWALL
        )


def _fill_firewall(item: dict[str, Any]) -> None:
    item.setdefault("direction", "INGRESS")
    item.setdefault("priority", 1000)
    item.setdefault("disabled", False)
    item.setdefault("logConfig", {}).setdefault("enable", False)
    if item["logConfig"]["enable"]:
        item["logConfig"].setdefault("metadata", "INCLUDE_ALL_METADATA")
    if item["direction"] == "INGRESS":
        if not any(item.get(n) for n in ("sourceRanges", "sourceTags", "sourceServiceAccounts")):
            item["sourceRanges"] = ["0.0.0.0/0"]
    elif not item.get("destinationRanges"):
        item["destinationRanges"] = ["0.0.0.0/0"]


@handles("compute.firewalls.insert")
def insert_firewall(call: Call) -> dict[str, Any]:
    """A firewall rule."""
    item = new(call, "firewall")
    item["network"] = reference(call, item.get("network", "global/networks/default"), "networks", "resource.network")
    _fill_firewall(item)
    _check_firewall(call, item)
    return operation(call, store(call, item), "insert")


@handles("compute.firewalls.patch", "compute.firewalls.update")
def patch_firewall(call: Call) -> dict[str, Any]:
    """A rule changes in place, except its name, network and direction."""
    key = key_of(call)
    item = resource(call, key)
    wanted = {**item, **{k: v for k, v in call.body.items() if k not in ("name", "direction")}}
    wanted["network"] = reference(call, wanted["network"], "networks", "resource.network")
    for one, other in (("allowed", "denied"), ("denied", "allowed")):
        if call.body.get(one):
            wanted.pop(other, None)
    for name in [n for n, v in wanted.items() if v == []]:
        del wanted[name]
    _fill_firewall(wanted)
    _check_firewall(call, wanted)
    call.world.state.compute[key] = wanted
    return operation(call, key, "patch")


@collection("firewalls", "firewall")
def delete_firewall(call: Call, key: str, item: dict[str, Any]) -> None:
    """Nothing uses a firewall rule."""


# Routes -------------------------------------------------------------------------------------------------------------

_HOPS = ("nextHopGateway", "nextHopInstance", "nextHopIp", "nextHopVpnTunnel", "nextHopIlb", "nextHopNetwork")


@handles("compute.routes.insert")
def insert_route(call: Call) -> dict[str, Any]:
    """A static route."""
    item = new(call, "route")
    for name in ("network", "destRange"):
        if not item.get(name):
            raise missing_field(f"resource.{name}")
    item["network"] = reference(call, item["network"], "networks", "resource.network")
    try:
        ipaddress.ip_network(item["destRange"])
    except ValueError:
        raise invalid_field("resource.destRange", item["destRange"], "Must be a valid CIDR address range.") from None
    hops = [h for h in _HOPS if item.get(h)]
    if len(hops) != 1:
        raise invalid_field("resource.nextHop", hops, "Exactly one next hop must be given.", rule=NEXT_HOP)
    if hops == ["nextHopGateway"]:
        if last(item["nextHopGateway"]) != "default-internet-gateway":
            raise invalid_field("resource.nextHopGateway", item["nextHopGateway"], "Unknown gateway.", rule=NEXT_HOP)
        item["nextHopGateway"] = link(f"projects/{call.project}/global/gateways/default-internet-gateway")
    if hops == ["nextHopInstance"]:
        item["nextHopInstance"] = reference(call, item["nextHopInstance"], "instances", "resource.nextHopInstance")
    item.setdefault("priority", 1000)
    if not 0 <= item["priority"] <= 65535:
        raise invalid_field("resource.priority", item["priority"], "Must be from 0 to 65535.", rule=PRIORITY)
    item["routeType"] = "STATIC"
    return operation(call, store(call, item), "insert")


LOCAL_ROUTE = rule(
    "route.local", "a subnet's route goes only with its subnet", "docs.cloud.google.com/vpc/docs/routes", ours=True
)


@collection("routes", "route")
def delete_route(call: Call, key: str, item: dict[str, Any]) -> None:
    """Subnet routes stay as long as their subnet."""
    if item.get("nextHopNetwork"):
        raise Refusal(400, f"The local route '{key}' cannot be deleted.", reason="invalid", rule=LOCAL_ROUTE)


# Routers ------------------------------------------------------------------------------------------------------------

_PRIVATE_ASN = ((64512, 65534), (4200000000, 4294967294))


def _check_router(call: Call, key: str, item: dict[str, Any]) -> None:
    asn = item.get("bgp", {}).get("asn")
    if asn is not None and asn != 16550 and not any(low <= asn <= high for low, high in _PRIVATE_ASN):
        raise invalid_field("resource.bgp.asn", asn, "Not a private ASN.", rule=ASN)
    if "bgp" in item:
        item["bgp"].setdefault("advertiseMode", "DEFAULT")
        item["bgp"].setdefault("keepaliveInterval", 20)
    names: set[str] = set()
    for i, nat in enumerate(item.get("nats", [])):
        _check_nat(call, item, nat, f"resource.nats[{i}]")
        if nat["name"] in names:
            raise invalid_field(f"resource.nats[{i}].name", nat["name"], "Duplicate NAT name.", rule=NAT)
        names.add(nat["name"])
    _check_coverage(call, key, item)


_EVERY = ("ALL_SUBNETWORKS_ALL_IP_RANGES", "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES")


def _check_coverage(call: Call, key: str, item: dict[str, Any]) -> None:
    region = key.split("/")[3]
    others = [
        nat
        for other, router in of_kind(call.world, "routers", call.project)
        if other != key and router["network"] == item["network"] and other.split("/")[3] == region
        for nat in router.get("nats", [])
    ]
    nats = [*others, *item.get("nats", [])]
    every = [n for n in nats if n.get("sourceSubnetworkIpRangesToNat") in _EVERY and n.get("type") != "PRIVATE"]
    if every and len([n for n in nats if n.get("type") != "PRIVATE"]) > 1:
        raise invalid_field(
            "resource.nats",
            every[0]["name"],
            "A NAT for all subnetworks is the only one of its network and region.",
            rule=NAT_ALL,
        )


def _check_nat(call: Call, router: dict[str, Any], nat: dict[str, Any], field: str) -> None:
    if not nat.get("name"):
        raise missing_field(f"{field}.name")
    source = nat.get("sourceSubnetworkIpRangesToNat")
    if not source:
        raise missing_field(f"{field}.sourceSubnetworkIpRangesToNat")
    listed = source == "LIST_OF_SUBNETWORKS"
    if listed != bool(nat.get("subnetworks")):
        why = "Subnetworks must be given." if listed else "Subnetworks are only for LIST_OF_SUBNETWORKS."
        raise invalid_field(f"{field}.subnetworks", nat.get("subnetworks"), why, rule=NAT)
    for j, sub in enumerate(nat.get("subnetworks", [])):
        sub["name"] = reference(call, sub.get("name", ""), "subnetworks", f"{field}.subnetworks[{j}].name")
        if resource(call, key_from(sub["name"]))["network"] != router["network"]:
            raise invalid_field(f"{field}.subnetworks[{j}].name", sub["name"], "It lies in another network.", rule=NAT)
        sub.setdefault("sourceIpRangesToNat", ["ALL_IP_RANGES"])
    nat.setdefault("type", "PUBLIC")
    if nat["type"] == "PUBLIC":
        manual = nat.setdefault("natIpAllocateOption", "MANUAL_ONLY" if nat.get("natIps") else "AUTO_ONLY")
        if (manual == "MANUAL_ONLY") != bool(nat.get("natIps")):
            raise invalid_field(f"{field}.natIps", nat.get("natIps"), "NAT addresses go with MANUAL_ONLY.", rule=NAT)
        nat["natIps"] = [reference(call, a, "addresses", f"{field}.natIps") for a in nat.get("natIps", [])]
        if not nat["natIps"]:
            del nat["natIps"]
    dynamic = nat.setdefault("enableDynamicPortAllocation", False)
    if dynamic and nat.get("enableEndpointIndependentMapping"):
        raise invalid_field(
            f"{field}.enableDynamicPortAllocation", dynamic, "Not together with endpoint independent mapping.", rule=NAT
        )
    low, high = nat.get("minPortsPerVm"), nat.get("maxPortsPerVm")
    if high is not None and not dynamic:
        raise invalid_field(f"{field}.maxPortsPerVm", high, "Only with dynamic port allocation.", rule=NAT)
    if dynamic:
        nat.setdefault("minPortsPerVm", 32)
        nat.setdefault("maxPortsPerVm", 65536)
        for bound in (nat["minPortsPerVm"], nat["maxPortsPerVm"]):
            if bound & (bound - 1) or not 32 <= bound <= 65536:
                raise invalid_field(
                    f"{field}.minPortsPerVm", bound, "Must be a power of two from 32 to 65536.", rule=NAT
                )
    elif low is not None and not 2 <= low <= 65536:
        raise invalid_field(f"{field}.minPortsPerVm", low, "Must be from 2 to 65536.", rule=NAT)
    nat.setdefault("enableEndpointIndependentMapping", False)
    nat.setdefault("endpointTypes", ["ENDPOINT_TYPE_VM"])
    nat.setdefault("autoNetworkTier", "PREMIUM")


@handles("compute.routers.insert")
def insert_router(call: Call) -> dict[str, Any]:
    """A Cloud Router, with its NATs."""
    item = new(call, "router")
    if not item.get("network"):
        raise missing_field("resource.network")
    item["network"] = reference(call, item["network"], "networks", "resource.network")
    item.setdefault("encryptedInterconnectRouter", False)
    _check_router(call, key_from(item["selfLink"]), item)
    return operation(call, store(call, item), "insert")


@handles("compute.routers.patch", "compute.routers.update")
def patch_router(call: Call) -> dict[str, Any]:
    """A router changes in place; a given list of NATs replaces the old one."""
    key = key_of(call)
    item = resource(call, key)
    wanted = copy.deepcopy(item) | {k: v for k, v in call.body.items() if k not in ("name", "network", "region")}
    if "bgp" in call.body:
        wanted["bgp"] = {**item.get("bgp", {}), **call.body["bgp"]}
    _check_router(call, key, wanted)
    call.world.state.compute[key] = wanted
    return operation(call, key, "patch")


@collection("routers", "router")
def delete_router(call: Call, key: str, item: dict[str, Any]) -> None:
    """A router takes its NATs along."""


@handles("compute.routers.getRouterStatus")
def router_status(call: Call) -> dict[str, Any]:
    """What a router does now."""
    item = resource(call)
    nats = [
        {"name": n["name"], "numVmEndpointsWithNatMappings": 0, "minExtraNatIpsNeeded": 0} for n in item.get("nats", [])
    ]
    return {"kind": "compute#routerStatusResponse", "result": {"network": item["network"], "natStatus": nats}}


# Addresses ----------------------------------------------------------------------------------------------------------


def external_address(call: Call) -> str:
    """A free address out of the ranges that are for documentation and benchmarks (RFC 5737, RFC 2544)."""
    used = {i.get("address") for _, i in of_kind(call.world, "addresses")}
    used |= {i.get("IPAddress") for _, i in of_kind(call.world, "forwardingRules")}
    used |= {
        access.get("natIP")
        for _, item in of_kind(call.world, "instances")
        for nic in item["networkInterfaces"]
        for access in nic.get("accessConfigs", [])
    }
    for net in ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "198.18.0.0/15"):
        for host in ipaddress.IPv4Network(net).hosts():
            if str(host) not in used:
                return str(host)
    raise Refusal(403, "Quota 'STATIC_ADDRESSES' exceeded.", reason="quotaExceeded")


@handles("compute.addresses.insert", "compute.globalAddresses.insert")
def insert_address(call: Call) -> dict[str, Any]:
    """A reserved address, external or out of a subnet."""
    item = new(call, "address", labels=True)
    kind = item.setdefault("addressType", "EXTERNAL")
    item.setdefault("ipVersion", "IPV4") if "region" not in call.args else None
    if kind == "INTERNAL" and "region" in call.args:
        if not item.get("subnetwork"):
            raise missing_field("resource.subnetwork")
        item["subnetwork"] = reference(call, item["subnetwork"], "subnetworks", "resource.subnetwork")
        sub = resource(call, key_from(item["subnetwork"]))
        if item.get("address"):
            inside = ipaddress.IPv4Address(item["address"]) in ipaddress.IPv4Network(sub["ipCidrRange"])
            if not inside or item["address"] in used_addresses(call.world, item["subnetwork"]):
                raise invalid_field("resource.address", item["address"], "Outside its subnet or in use.", rule=ADDRESS)
        else:
            item["address"] = free_addresses(call.world, item["subnetwork"])[0]
        item.setdefault("purpose", "GCE_ENDPOINT")
    elif kind == "INTERNAL":
        if not item.get("network") or not item.get("prefixLength"):
            raise missing_field("resource.network" if not item.get("network") else "resource.prefixLength")
        item["network"] = reference(call, item["network"], "networks", "resource.network")
        item.setdefault("address", "10.250.0.0")
        item.setdefault("purpose", "VPC_PEERING")
    else:
        item.setdefault("address", external_address(call))
        item.setdefault("networkTier", "PREMIUM")
    item["status"] = "RESERVED"
    return operation(call, store(call, item), "insert")


def _delete_address(call: Call, key: str, item: dict[str, Any]) -> None:
    refuse_use(call, key, users_of(call.world, "routers"))
    for user in item.get("users", []):
        raise in_use("address", key, key_from(user))


collection("addresses", "address", labels=True)(_delete_address)
collection("globalAddresses", "address", labels=True)(_delete_address)


@handles("compute.networks.getEffectiveFirewalls")
def effective_firewalls(call: Call) -> dict[str, Any]:
    """The rules of a network."""
    item = resource(call)
    return {"firewalls": [f for _, f in of_kind(call.world, "firewalls") if f["network"] == item["selfLink"]]}
