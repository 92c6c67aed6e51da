"""Address ranges: nothing overlaps, nothing is lost, nothing moves."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.catalog import catalog
from fleetyard.plan.addresses import (
    SMALLEST_SUBNET,
    AddressError,
    Addresses,
    overlaps,
    regional_addresses,
    zonal_addresses,
    zone_slot,
)


@st.composite
def networks(draw: st.DrawFn, longest: int = 24) -> IPv4Network:
    """A private network that is large enough to divide."""
    prefix = draw(st.integers(16, longest))
    base = int(IPv4Network("10.0.0.0/8").network_address)
    return IPv4Network((base + (draw(st.integers(0, 2 ** (prefix - 8) - 1)) << (32 - prefix)), prefix))


@st.composite
def zones(draw: st.DrawFn, least: int = 1) -> list[str]:
    """Zones of one region, in any order."""
    names = [f"use1-az{number}" for number in range(1, 9)]
    return draw(st.lists(st.sampled_from(names), min_size=least, max_size=8, unique=True))


def pieces(addresses: Addresses) -> list[IPv4Network]:
    given_out = [r.cidr for r in addresses.ranges] + [c for r in addresses.ranges for c in r.secondary.values()]
    return [*given_out, *addresses.reserves]


@settings(deadline=None)
@given(networks(), zones())
def test_no_two_ranges_share_an_address(network: IPv4Network, zone_ids: list[str]) -> None:
    assert not overlaps(pieces(zonal_addresses(network, zone_ids)))


@settings(deadline=None)
@given(networks(), zones())
def test_every_address_is_given_out_or_reserved(network: IPv4Network, zone_ids: list[str]) -> None:
    found = pieces(zonal_addresses(network, zone_ids))
    assert all(piece.subnet_of(network) for piece in found)
    assert sum(piece.num_addresses for piece in found) == network.num_addresses


@settings(deadline=None)
@given(networks(), zones(least=2))
def test_adding_a_zone_moves_no_existing_subnet(network: IPv4Network, zone_ids: list[str]) -> None:
    before = {(r.zone, r.role): r.cidr for r in zonal_addresses(network, zone_ids[:-1]).ranges}
    after = {(r.zone, r.role): r.cidr for r in zonal_addresses(network, zone_ids).ranges}
    assert before.items() <= after.items()


@settings(deadline=None)
@given(networks(), zones(), st.randoms())
def test_the_order_of_zones_means_nothing(network: IPv4Network, zone_ids: list[str], chance: object) -> None:
    shuffled = sorted(zone_ids, key=lambda _: chance.random())  # type: ignore[attr-defined]
    ours, theirs = zonal_addresses(network, zone_ids), zonal_addresses(network, shuffled)
    assert set(pieces(ours)) == set(pieces(theirs))


@settings(deadline=None)
@given(networks(), zones())
def test_machines_get_half_of_their_zone_and_every_subnet_is_legal(network: IPv4Network, zone_ids: list[str]) -> None:
    for given_out in zonal_addresses(network, zone_ids).ranges:
        assert given_out.cidr.prefixlen <= SMALLEST_SUBNET
        if given_out.role == "private":
            assert given_out.cidr.prefixlen == network.prefixlen + 4


@settings(deadline=None)
@given(networks())
def test_a_regional_network_is_divided_without_rest(network: IPv4Network) -> None:
    found = pieces(regional_addresses(network))
    assert not overlaps(found)
    assert sum(piece.num_addresses for piece in found) == network.num_addresses


@pytest.mark.parametrize("cidr", ["10.0.0.0/15", "10.0.0.0/25", "10.0.0.0/28"])
def test_a_network_that_cannot_be_cut_is_refused_with_one_that_can(cidr: str) -> None:
    with pytest.raises(AddressError) as wrong:
        zonal_addresses(IPv4Network(cidr), ["use1-az1"])
    fix = IPv4Network(wrong.value.fix.split(" ")[0])
    assert zonal_addresses(fix, ["use1-az1"]).ranges


@pytest.mark.parametrize("zone", ["us-east-1a", "use1-az0", "use1-az9", "usw2-lax1-az1", "us-central1-ai1a", "", "az1"])
def test_a_zone_without_a_place_is_refused(zone: str) -> None:
    with pytest.raises(AddressError):
        zone_slot(zone)


def test_every_zone_of_the_catalogue_has_its_own_place() -> None:
    for cloud in ("aws", "gcp"):
        for region in catalog().regions(cloud):
            slots = [zone_slot(zone.id) for zone in region.zones]
            assert len(set(slots)) == len(slots), region.name


def test_the_documented_network_lies_where_the_documentation_says() -> None:
    """A change here moves the subnets of every stack that stands."""
    found = {(r.zone, r.role): str(r.cidr) for r in zonal_addresses(IPv4Network("10.40.0.0/16"), ["use1-az6"]).ranges}
    assert found == {("use1-az6", "private"): "10.40.160.0/20", ("use1-az6", "public"): "10.40.176.0/23"}
    (regional,) = regional_addresses(IPv4Network("10.60.0.0/16")).ranges
    assert (str(regional.cidr), str(regional.secondary["pods"])) == ("10.60.0.0/18", "10.60.128.0/17")
    assert str(regional.secondary["services"]) == "10.60.64.0/20"
