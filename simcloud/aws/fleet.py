"""What the simulated EC2 has to run: its instances, their VPCs, and their security groups as one rule a row.

A group that a rule names is resolved to the addresses of all interfaces in it, as AWS does (VPC User Guide, "Security
group rules"). Left out: network ACLs, IPv6, interfaces beside the primary one, and protocols other than TCP, UDP and
ICMP (types of ICMP are not told apart).
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from simcloud.aws import moto_bridge
from simcloud.aws.facts import instance_type
from simcloud.aws.lives import life_of
from simcloud.fleet import Part, hosts_of
from simcloud.hosts.model import Machine, Network, Rule

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld

EXISTING = frozenset({"pending", "running", "stopping", "stopped"})
_PROTOCOLS: Mapping[str, Literal["tcp", "udp", "icmp", "all"]] = {
    "-1": "all",
    "tcp": "tcp",
    "6": "tcp",
    "udp": "udp",
    "17": "udp",
    "icmp": "icmp",
    "1": "icmp",
}


def fleet(world: AwsWorld) -> Part:
    """Every instance of every region that is not terminated."""
    machines: list[Machine] = []
    networks: dict[str, Network] = {}
    rules: list[Rule] = []
    for region in sorted({region for service, region in world.opened() if service == "ec2"}):
        backend = moto_bridge.backend("ec2", region)
        held = [i for i in backend.all_instances() if i.state in EXISTING and i.nics]
        peers = _Peers(backend) if held else None
        for instance in held:
            machines.append(machine(region, instance))
            vpc = machines[-1].network
            if vpc not in networks:
                networks[vpc] = _network(backend, vpc)
            rules.extend(_rules(instance, peers))
    return Part(tuple(machines), tuple(networks.values()), tuple(rules))


def machine(region: str, instance: Any) -> Machine:
    """One instance as the hosts' process needs it."""
    life, tags = life_of(instance), _tags(instance)
    primary = instance.nics[0]
    drives, accelerators = _brings(instance.instance_type)
    return Machine(
        cloud="aws",
        key=instance.id,
        name=tags.get("Name") or instance.id,
        host_name=instance.private_dns_name.partition(".")[0],
        network=primary.subnet.vpc_id,
        subnet=primary.subnet.id,
        cidr=primary.subnet.cidr_block,
        address=primary.private_ip_address,
        mac=primary.mac_address,
        machine=instance.instance_type,
        zone=str(instance.availability_zone),
        region=region,
        image=instance.image_id,
        image_name=_image_name(instance),
        identity=role_arn(instance),
        disk=f"{instance.id}/{life.disk}",
        drives_life=f"{instance.id}/{life.drives}",
        boots=life.boots,
        power=instance.state in ("pending", "running") and not life.dead,
        reachable=not life.cut,
        failed=life.dead,
        user_data=user_data(instance).decode("utf-8", "surrogateescape"),
        project=moto_bridge.ACCOUNT,
        tags=tags,
        drives=drives,
        accelerators=accelerators,
    )


def user_data(instance: Any) -> bytes:
    """The instance's user data as its owner wrote it."""
    return base64.b64decode(str(instance.user_data)) if instance.user_data else b""


def profile_of(instance: Any) -> Any:
    """The instance profile that is on an instance now; None without one."""
    held = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
    if held is not None:
        return held.iam_instance_profile
    named = instance.iam_instance_profile or {}
    arn, name = named.get("Arn") or "", named.get("Name") or ""
    if not arn and not name:
        return None
    for profile in moto_bridge.backend("iam", "us-east-1").instance_profiles.values():
        if (arn and profile.arn == arn) or (name and profile.name == name):
            return profile
    return None


def role_of(instance: Any) -> Any:
    """The role that an instance acts in; None without one."""
    profile = profile_of(instance)
    return profile.roles[0] if profile is not None and profile.roles else None


def role_arn(instance: Any) -> str:
    """That role's ARN, or nothing."""
    role = role_of(instance)
    return str(role.arn) if role is not None else ""


@cache
def _brings(kind: str) -> tuple[int, int]:
    """How many local drives and accelerators an instance type has."""
    found = instance_type(kind)
    return (found.drives, found.accelerators) if found else (0, 0)


def _image_name(instance: Any) -> str:
    image = instance.ec2_backend.amis.get(instance.image_id)
    return str(image.name or "") if image is not None else ""


def _tags(instance: Any) -> dict[str, str]:
    # Not `get_tags`, which looks through those of the whole region.
    return {str(key): str(value) for key, value in instance.ec2_backend.tags.get(instance.id, {}).items()}


def _network(backend: Any, id: str) -> Network:
    vpc = backend.vpcs[id]
    cidrs = [row["cidr_block"] for row in vpc.get_cidr_block_association_set()]
    subnets = {s.id: s.cidr_block for kept in backend.subnets.values() for s in kept.values() if s.vpc_id == id}
    return Network("aws", id, tuple(cidrs or [vpc.cidr_block]), subnets)


class _Peers:
    """The other sides that rules name, each looked up once."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._of_group: dict[str, tuple[str, ...]] = {}
        held: dict[str, list[str]] = defaultdict(list)
        for eni in backend.enis.values():
            if eni.private_ip_address:
                for group in eni.group_set:
                    held[group.id].append(eni.private_ip_address)
        self._addresses = held

    def of(self, rule: Any) -> tuple[str, ...]:
        """The ranges of one rule."""
        if rule.cidr_ipv4:
            return (str(rule.cidr_ipv4),)
        group = rule.source_group.get("GroupId")
        if group:
            if group not in self._of_group:
                self._of_group[group] = hosts_of(self._addresses[group])
            return self._of_group[group]
        return self._of_list(rule.prefix_list_id) if rule.prefix_list_id else ()

    def _of_list(self, id: str) -> tuple[str, ...]:
        found = self._backend.managed_prefix_lists.get(id)
        versions = (found.entries or {}) if found is not None else {}
        # AWS's own lists have one version, whose number moto does not say.
        rows = versions.get(found.version) or versions.get(max(versions)) if versions else []
        return tuple(str(r["Cidr"]) for r in rows or () if ":" not in str(r["Cidr"]))


def _rules(instance: Any, peers: _Peers | None) -> Iterator[Rule]:
    if peers is None:
        return
    for group in instance.nics[0].group_set:
        for direction, held in (("in", group.ingress_rules), ("out", group.egress_rules)):
            for rule in held:
                protocol = _PROTOCOLS.get(str(rule.ip_protocol))
                sides = peers.of(rule)
                if protocol is None or not sides:
                    continue
                ports = None
                if protocol in ("tcp", "udp") and rule.from_port is not None and int(rule.from_port) >= 0:
                    ports = (int(rule.from_port), int(rule.to_port))
                yield Rule(instance.id, "in" if direction == "in" else "out", sides, protocol, ports)
