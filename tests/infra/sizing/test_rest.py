"""The rest of the machine: tiers and caches, spares and cold starts, energy and carbon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetyard.catalog import Cloud, Unknown
from fleetyard.sizing import availability, energy, tiers


@given(st.floats(0, 1e6), st.floats(0, 1e3))
def test_a_file_system_holds_and_reads_what_is_asked(data_gb: float, gb_per_s: float) -> None:
    found = tiers.lustre_for(data_gb, gb_per_s)
    assert found.tib * tiers.TIB_GB >= data_gb * (1 - 1e-9)
    assert found.gb_per_s >= gb_per_s * (1 - 1e-9)
    assert found.tib == 1.2 or found.tib / tiers.LUSTRE_STEP_TIB == pytest.approx(round(found.tib / 2.4))


@given(st.floats(0, 1e6), st.floats(1, 1e6), st.floats(1, 100))
def test_a_cache_serves_no_more_than_it_holds(cache_gb: float, data_gb: float, passes: float) -> None:
    rate = tiers.hit_rate(cache_gb, data_gb, passes)
    assert 0 <= rate <= min(1.0, cache_gb / data_gb)
    assert tiers.hit_rate(cache_gb, data_gb, passes + 1) >= rate


def test_a_first_pass_hits_nothing() -> None:
    assert tiers.hit_rate(100, 100, 1) == 0
    assert tiers.hit_rate(50, 100, 2) == pytest.approx(0.25)


@given(st.floats(0, 1), st.floats(0.1, 100), st.floats(0.1, 100))
def test_reads_are_between_the_store_and_the_cache(hit: float, cache: float, store: float) -> None:
    rate = tiers.read_gb_per_s(hit, cache, store)
    assert min(cache, store) * (1 - 1e-9) <= rate <= max(cache, store) * (1 + 1e-9)


def test_oversubscription_divides_the_network() -> None:
    assert tiers.oversubscribed(50e9, 2.0) == 25e9
    with pytest.raises(ValueError, match="factor"):
        tiers.oversubscribed(50e9, 0.5)


def test_storage_grows_with_what_is_kept() -> None:
    assert tiers.storage_gb(70e9, 0, keep_last=3, milestones=0, slack=0) == pytest.approx(70 * 14 * 3)
    assert tiers.storage_gb(70e9, 1000) > tiers.storage_gb(70e9, 0)


@given(st.integers(1, 40), st.floats(0.9, 0.9999))
def test_spares_reach_the_target(needed: int, each: float) -> None:
    count = availability.replicas_for(needed, each, 0.999)
    assert count >= max(2, needed)
    assert availability.available(count, needed, each) >= 0.999
    if count > max(2, needed):
        assert availability.available(count - 1, needed, each) < 0.999


@given(st.integers(1, 100), st.integers(2, 6))
def test_a_zone_may_be_lost(needed: int, zones: int) -> None:
    count = availability.over_zones(needed, zones)
    assert count % zones == 0
    assert count - count // zones >= needed


def test_a_cold_start_reads_image_and_weights() -> None:
    slow, fast = (availability.cold_start_s(10, 140, rate) for rate in (1, 10))
    assert slow - fast == pytest.approx(150 * 0.9)


def test_an_unpublished_grid_stays_unknown() -> None:
    assert isinstance(energy.site(Cloud.AWS, "nowhere-9").grams_per_kwh, Unknown)
    assert energy.site(Cloud.GCP, "us-central1").overhead >= 1


@given(st.floats(0, 1e5), st.floats(0, 2000))
def test_power_is_linear_in_chips_and_above_their_share(chips: float, watts: float) -> None:
    one, two = energy.fleet_kw(chips, watts, 1.1), energy.fleet_kw(2 * chips, watts, 1.1)
    assert two == pytest.approx(2 * one)
    assert energy.carbon_kg(one, 400) == pytest.approx(one * 0.4)
