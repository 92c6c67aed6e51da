"""Which address range belongs to whom. Pure arithmetic over one network; nothing moves when a zone is added.

A zone's place in the network comes from the zone's own name (the number of a zone id such as use1-az6, the letter of a
zone such as us-west4-a), never from its place in a list. The network is cut into eight equal slots, one per zone that a
region can have; the slots of zones that are not used stay reserved. No region of either cloud numbers its zones beyond
eight today; a zone beyond is refused rather than squeezed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from itertools import pairwise

ZONE_SLOTS = 8
SMALLEST_SUBNET = 28
"""Longest prefix of a subnet. Source: Amazon VPC User Guide, "Subnet sizing" (/16 to /28); Google Cloud allows /29."""
LARGEST_AWS_NETWORK = 16
TAKEN_AWS = 5
"""Addresses of every subnet that AWS keeps. Source: Amazon VPC User Guide, "Subnet sizing"."""
TAKEN_GCP = 4
"""Addresses of every primary range that Google keeps. Source: Google Cloud VPC documentation, "Subnets"."""

_AWS_ZONE = re.compile(r"^[a-z]+\d+-az(\d{1,2})$", re.ASCII)
_GCP_ZONE = re.compile(r"^[a-z]+-[a-z]+\d+-([a-z])$", re.ASCII)


class AddressError(ValueError):
    """The addresses asked for do not fit; `fix` says what would."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Range:
    """One subnet's range: of a zone and a role, with named ranges beside it (Google's secondary ranges)."""

    zone: str | None
    role: str
    cidr: IPv4Network
    secondary: Mapping[str, IPv4Network] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Addresses:
    """A whole network: `ranges` are given out, `reserves` are kept for later. Together they are the network exactly."""

    network: IPv4Network
    ranges: tuple[Range, ...]
    reserves: tuple[IPv4Network, ...]


def zone_slot(zone: str) -> int:
    """Where a zone lies in every network: 0..7. Raises AddressError for a name that is no ordinary zone's."""
    if match := _AWS_ZONE.match(zone):
        slot = int(match[1]) - 1
    elif match := _GCP_ZONE.match(zone):
        slot = ord(match[1]) - ord("a")
    else:
        raise AddressError(f"{zone} is not a zone id", "an id such as use1-az6 (AWS) or us-west4-a (Google Cloud)")
    if not 0 <= slot < ZONE_SLOTS:
        raise AddressError(f"{zone} lies beyond the {ZONE_SLOTS} zones that a network is cut for", "use another zone")
    return slot


def zonal_addresses(network: IPv4Network, zones: Sequence[str]) -> Addresses:
    """Subnets that belong to zones (AWS): in each zone's slot the first half is private, a small range public.

    The public range is an eighth of the other half, at least a /28: it holds NAT gateways and load balancers, never
    machines. Raises AddressError when the network is too large for a VPC, too small for a slot, or a zone has no slot.
    """
    if network.prefixlen < LARGEST_AWS_NETWORK:
        raise AddressError(f"{network} is larger than a VPC can be", f"{network.network_address}/{LARGEST_AWS_NETWORK}")
    slots = list(_slots(network))
    ranges = []
    for zone in zones:
        private, rest = slots[zone_slot(zone)].subnets(prefixlen_diff=1)
        public = next(rest.subnets(new_prefix=max(rest.prefixlen, min(rest.prefixlen + 3, SMALLEST_SUBNET))))
        ranges += [Range(zone, "private", private), Range(zone, "public", public)]
    return Addresses(network, tuple(ranges), tuple(_remainder(network, (r.cidr for r in ranges))))


def regional_addresses(network: IPv4Network) -> Addresses:
    """One subnet for the region (Google Cloud): a quarter for machines, half for pods, a sixteenth for services.

    Raises AddressError when that leaves a range smaller than a /28.
    """
    if network.prefixlen + 4 > SMALLEST_SUBNET:
        raise AddressError(
            f"{network} is too small to divide", f"{network.network_address}/{SMALLEST_SUBNET - 4} or larger"
        )
    first, pods = network.subnets(prefixlen_diff=1)
    machines, others = first.subnets(prefixlen_diff=1)
    services = next(others.subnets(prefixlen_diff=2))
    subnet = Range(None, "private", machines, {"pods": pods, "services": services})
    return Addresses(network, (subnet,), tuple(_remainder(network, (machines, pods, services))))


def _slots(network: IPv4Network) -> Iterator[IPv4Network]:
    slot_bits = (ZONE_SLOTS - 1).bit_length()
    if network.prefixlen + slot_bits + 1 > SMALLEST_SUBNET:
        largest = SMALLEST_SUBNET - slot_bits - 1
        raise AddressError(
            f"{network} is too small to give each zone a private and a public subnet",
            f"{IPv4Network((int(network.network_address), largest), strict=False)} or larger",
        )
    return network.subnets(prefixlen_diff=slot_bits)


def _remainder(network: IPv4Network, taken: Iterable[IPv4Network]) -> list[IPv4Network]:
    """What is left of a network, in order, in as few pieces as prefixes allow."""
    free = [network]
    for cidr in taken:
        holder = next(piece for piece in free if cidr.subnet_of(piece))
        free.remove(holder)
        free.extend(holder.address_exclude(cidr))
    return sorted(free)


def overlaps(ranges: Iterable[IPv4Network]) -> bool:
    """Whether any two ranges share an address."""
    ordered = sorted(ranges)
    return any(a.overlaps(b) for a, b in pairwise(ordered))
