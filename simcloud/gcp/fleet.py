"""What the simulated Google Cloud has to run: instances, TPU hosts, their networks, and the firewall as one rule a row.

A rule's tags and service accounts are resolved to the machines that have them (VPC documentation, "Firewall rules").
Of the two implied rules only the one that allows egress is listed: what no rule accepts is dropped anyway. Left out:
network firewall policies, IPv6, interfaces beside the first, and protocols other than TCP, UDP and ICMP.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from simcloud.fleet import Part, hosts_of
from simcloud.gcp import facts
from simcloud.gcp.compute.base import key_from, last, of_kind
from simcloud.gcp.lives import Life
from simcloud.hosts.model import Machine, Network, Rule

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld, State

IMPLIED = 65535
ANYWHERE = "0.0.0.0/0"
_UP = frozenset({"PROVISIONING", "STAGING", "RUNNING"})
_NODE_UP = frozenset({"READY", "REPAIRING", "RESTARTING", "REIMAGING", "CREATING"})
_PROTOCOLS: Mapping[str, Literal["tcp", "udp", "icmp", "all"]] = {
    "all": "all",
    "tcp": "tcp",
    "6": "tcp",
    "udp": "udp",
    "17": "udp",
    "icmp": "icmp",
    "1": "icmp",
}


@dataclass(frozen=True, slots=True)
class _Member:
    """One machine as the firewall sees it."""

    machine: Machine
    tags: frozenset[str]


def fleet(world: GcpWorld) -> Part:
    """Every instance and every host of a TPU slice."""
    members = [*_instances(world), *_hosts(world)]
    used = dict.fromkeys(m.machine.network for m in members)
    networks = tuple(_network(world, key) for key in used)
    rules = tuple(rule for key in used for rule in _rules(world, key, [m for m in members if m.machine.network == key]))
    return Part(tuple(m.machine for m in members), networks, rules)


def _instances(world: GcpWorld) -> Iterator[_Member]:
    for key, item in of_kind(world, "instances"):
        nic = (item.get("networkInterfaces") or [{}])[0]
        subnet = key_from(nic.get("subnetwork", ""))
        if subnet not in world.state.compute or not nic.get("networkIP"):
            continue
        life = world.state.lives.get(item["id"]) or Life()
        parts = key.split("/")
        boot: dict[str, Any] = next((d for d in item.get("disks", []) if d.get("boot")), {})
        disk = world.state.compute.get(key_from(boot.get("source", "")), {})
        image = str(disk.get("sourceImage") or "")
        made = Machine(
            cloud="gcp",
            key=item["id"],
            name=item["name"],
            host_name=item["name"],
            network=key_from(nic["network"]),
            subnet=subnet,
            cidr=world.state.compute[subnet]["ipCidrRange"],
            address=nic["networkIP"],
            mac=mac_of(nic["networkIP"]),
            machine=last(item["machineType"]),
            zone=parts[3],
            region=facts.region_of(parts[3]),
            image=key_from(image) or image,
            image_name=last(image),
            identity=next((str(a["email"]) for a in item.get("serviceAccounts", [])), ""),
            disk=f"{disk.get('id') or item['id']}/{life.disk}",
            drives_life=f"{item['id']}/{life.drives}",
            boots=life.boots,
            power=item["status"] in _UP and not life.dead,
            reachable=not life.cut,
            failed=life.dead,
            user_data=attributes(world.state, item).get("startup-script", ""),
            project=parts[1],
            tags=dict(item.get("labels") or {}),
            drives=sum(d.get("type") == "SCRATCH" for d in item.get("disks", [])),
            accelerators=_accelerators(item),
        )
        yield _Member(made, frozenset(item.get("tags", {}).get("items", ())))


def attributes(state: State, instance: Mapping[str, Any]) -> dict[str, str]:
    """An instance's metadata, with its project's where it has none of that name."""
    project = key_from(instance["selfLink"]).split("/")[1]
    common = state.compute.get(f"projects/{project}/global/metadata/common", {})
    entries = [*common.get("items", ()), *instance.get("metadata", {}).get("items", ())]
    return {str(e["key"]): str(e.get("value", "")) for e in entries}


def _accelerators(item: Mapping[str, Any]) -> int:
    cards = sum(int(c.get("acceleratorCount") or 0) for c in item.get("guestAccelerators") or ())
    kind = facts.machines().get(last(item["machineType"]))
    return cards or (kind.tpu[1] if kind is not None and kind.tpu else 0)


def _hosts(world: GcpWorld) -> Iterator[_Member]:
    for name, node in world.state.nodes.items():
        config = (node.get("networkConfigs") or [node.get("networkConfig") or {}])[0]
        subnet = world.state.compute.get(config.get("subnetwork", ""))
        if subnet is None:
            continue
        parts = name.split("/")
        ends = node["networkEndpoints"]
        shape = node["acceleratorConfig"]
        slice = facts.tpu_slice(shape["type"], shape["topology"])
        chips = slice.chips // slice.hosts if slice is not None else 0
        for worker, end in enumerate(ends):
            key = f"{name}/{worker}"
            life = world.state.lives.get(f"{node['id']}/{worker}") or Life()
            made = Machine(
                cloud="gcp",
                key=key,
                name=f"{parts[-1]}-w-{worker}",
                host_name=host_name(node, worker),
                network=config["network"],
                subnet=config["subnetwork"],
                cidr=subnet["ipCidrRange"],
                address=end["ipAddress"],
                mac=mac_of(end["ipAddress"]),
                machine=node["acceleratorType"],
                zone=parts[3],
                region=facts.region_of(parts[3]),
                image=node["runtimeVersion"],
                image_name=node["runtimeVersion"],
                identity=str(node.get("serviceAccount", {}).get("email", "")),
                # A node that was deleted and made again under its name has other disks.
                disk=f"{node['id']}/{worker}/{life.disk}",
                drives_life=f"{node['id']}/{worker}/{life.drives}",
                boots=life.boots,
                power=node["state"] in _NODE_UP and not life.dead,
                reachable=not life.cut,
                failed=life.dead,
                user_data=str(node.get("metadata", {}).get("startup-script", "")),
                project=parts[1],
                tags=dict(node.get("labels") or {}),
                accelerators=chips,
            )
            yield _Member(made, frozenset(node.get("tags", ())))


def host_name(node: Mapping[str, Any], worker: int) -> str:
    """The name that a TPU VM gives itself: `t1v-n-`, eight hex digits of its slice, `-w-`, its number."""
    digest = hashlib.sha256(f"tpu {node['name']} {node['id']}".encode()).hexdigest()
    return f"t1v-n-{digest[:8]}-w-{worker}"


def mac_of(address: str) -> str:
    """The hardware address of an interface: 42:01 and its internal address."""
    return "42:01:" + ":".join(f"{byte:02x}" for byte in ipaddress.IPv4Address(address).packed)


def _network(world: GcpWorld, key: str) -> Network:
    subnets = {k: s["ipCidrRange"] for k, s in of_kind(world, "subnetworks") if key_from(s["network"]) == key}
    return Network("gcp", key, tuple(subnets.values()), subnets)


def _rules(world: GcpWorld, network: str, members: list[_Member]) -> Iterator[Rule]:
    """Rules by machine; in the order in which they are judged: of equal priority the refusal wins."""
    held = [f for _, f in of_kind(world, "firewalls") if key_from(f["network"]) == network and not f.get("disabled")]
    held.sort(key=lambda f: (f["priority"], "denied" not in f))
    found: dict[str, list[Rule]] = {m.machine.key: [] for m in members}
    for firewall in held:
        targets = [m for m in members if _is_target(firewall, m)]
        for template in _templates(firewall, members):
            for member in targets:
                if _at(firewall, member.machine.address):
                    found[member.machine.key].append(Rule(member.machine.key, *template))
    for key, rows in found.items():
        yield from rows
        yield Rule(key, "out", (ANYWHERE,), "all", None, True, IMPLIED)


_Template = tuple[
    Literal["in", "out"],
    tuple[str, ...],
    Literal["tcp", "udp", "icmp", "all"],
    tuple[int, int] | None,
    bool,
    int,
]
"""A `Rule` without its machine."""


def _templates(firewall: Mapping[str, Any], members: Iterable[_Member]) -> Iterator[_Template]:
    egress = firewall["direction"] == "EGRESS"
    peers = _ranges(firewall.get("destinationRanges" if egress else "sourceRanges"))
    if not egress:
        named = [m.machine.address for m in members if _is_source(firewall, m)]
        peers = tuple(dict.fromkeys([*peers, *hosts_of(named)]))
    if not peers:
        return
    for entry in firewall.get("allowed") or firewall.get("denied") or ():
        protocol = _PROTOCOLS.get(entry["IPProtocol"])
        if protocol is None:
            continue
        spans: list[tuple[int, int] | None] = [_ports(p) for p in entry.get("ports") or ()]
        for ports in spans or [None]:
            accept, priority = "denied" not in firewall, int(firewall["priority"])
            yield "out" if egress else "in", peers, protocol, ports, accept, priority


def _ranges(values: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(v, strict=False)) for v in values or () if ":" not in v)


def _ports(text: str) -> tuple[int, int]:
    first, _, end = text.partition("-")
    return int(first), int(end or first)


def _is_target(firewall: Mapping[str, Any], member: _Member) -> bool:
    tags, accounts = firewall.get("targetTags") or (), firewall.get("targetServiceAccounts") or ()
    if not tags and not accounts:
        return True
    return bool(member.tags & set(tags)) or member.machine.identity in accounts


def _is_source(firewall: Mapping[str, Any], member: _Member) -> bool:
    accounts = firewall.get("sourceServiceAccounts") or ()
    return bool(member.tags & set(firewall.get("sourceTags") or ())) or member.machine.identity in accounts


def _at(firewall: Mapping[str, Any], address: str) -> bool:
    """Whether an ingress rule is for this address: it may name its destinations, too."""
    given = firewall.get("destinationRanges") if firewall["direction"] == "INGRESS" else None
    return not given or any(ipaddress.IPv4Address(address) in ipaddress.ip_network(r, strict=False) for r in given)
