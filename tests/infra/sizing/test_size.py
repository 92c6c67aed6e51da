"""Sizing a workload: the fewest units that do it, and a reason with a number when none does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.catalog import Buy, Price, Unknown, catalog, known
from fleetyard.sizing import Choice, ImpossibleError, Kind, Workload, size

DAY_S = 86400.0
BOOK = catalog()
P4D = Choice(BOOK.machine("aws", "p4d.24xlarge"), None, BOOK.price("p4d.24xlarge", "us-east-1"))
V5E = Choice(
    BOOK.machine("gcp", "ct5lp-hightpu-4t"), BOOK.tpu_shape("v5litepod-16"), BOOK.price("tpu-v5e", "us-central1")
)
TRAIN = Workload("train", Kind.TRAIN, "llama-2-7b", tokens=200e9, deadline_s=14 * DAY_S)
SERVE = Workload("serve", Kind.SERVE, "llama-2-70b", requests_per_s=40)


def test_the_a100_case_meets_its_deadline_even_at_the_upper_end_of_the_interval() -> None:
    found = size(TRAIN, P4D)
    assert found.unit == "machines"
    assert found.accelerators == 8 * found.count
    assert found.seconds is not None
    assert found.seconds_high is not None
    assert found.seconds < found.seconds_high <= 14 * DAY_S
    assert found.step_low_s < found.step_s < found.step_high_s
    assert found.memory.fits
    assert found.binding == "deadline, compute"
    assert found.checkpoint_gb == pytest.approx(94.3, abs=0.1)
    # No faster than the printed peak, no slower than a fifth of it.
    flops = 6 * 6.6e9 * 4e6 / found.step_s / found.accelerators
    assert 0.2 * 312e12 < flops < 312e12


def test_the_tpu_case_takes_two_slices_of_sixteen_chips() -> None:
    found = size(Workload("train", Kind.TRAIN, "gpt3-6.7b", tokens=100e9, deadline_s=21 * DAY_S), V5E)
    assert (found.unit, found.count, found.hosts, found.accelerators) == ("slices", 2, 8, 32)
    assert found.memory.fits


def test_the_count_is_the_fewest_that_meets_the_deadline() -> None:
    found = size(TRAIN, P4D)
    with pytest.raises(ImpossibleError, match="deadline"):
        size(TRAIN, replace(P4D, count=found.count - 1))
    assert size(TRAIN, replace(P4D, count=found.count)).seconds == found.seconds


@settings(max_examples=40, deadline=None)
@given(
    st.floats(min_value=2, max_value=60),
    st.floats(min_value=1.01, max_value=3),
    st.sampled_from(["llama-2-7b", "gpt3-6.7b"]),
)
def test_more_time_or_less_work_never_takes_more_machines(days: float, factor: float, model: str) -> None:
    tight = Workload("t", Kind.TRAIN, model, tokens=50e9, deadline_s=days * DAY_S)
    wide = replace(tight, deadline_s=days * factor * DAY_S)
    light = replace(tight, tokens=50e9 / factor)
    tight_count = size(tight, P4D).count
    assert size(wide, P4D).count <= tight_count
    assert size(light, P4D).count <= tight_count


@settings(max_examples=40, deadline=None)
@given(st.floats(min_value=0.1, max_value=500), st.floats(min_value=1, max_value=4))
def test_more_requests_never_take_fewer_machines(rate: float, factor: float) -> None:
    few = size(replace(SERVE, requests_per_s=rate), P4D)
    assert size(replace(SERVE, requests_per_s=rate * factor), P4D).count >= few.count


def test_cost_is_hours_times_price_and_unknown_stays_unknown() -> None:
    found = size(TRAIN, P4D)
    assert known(found.usd_per_hour)
    assert found.usd_per_hour == pytest.approx(found.count * 21.957642)
    assert known(found.usd)
    assert found.seconds is not None
    assert found.usd == pytest.approx(found.usd_per_hour * found.seconds / 3600)  # type: ignore[operator]
    unpriced = size(TRAIN, replace(P4D, price=Unknown("nobody said")))
    assert not known(unpriced.usd)
    assert not known(unpriced.usd_per_hour)
    assert "cost unknown: nobody said" in unpriced.assumptions


def test_a_price_for_a_chip_is_multiplied_by_chips() -> None:
    assert V5E.usd_per_hour(2) == pytest.approx(1.20 * 32)
    per_machine = Price(10.0, "r", Buy.ON_DEMAND, "machine", "2026-01-01", "s")
    assert replace(V5E, price=per_machine).usd_per_hour(2) == pytest.approx(10.0 * 8)


def test_a_model_too_big_for_the_machine_says_which_memory_and_by_how_much() -> None:
    small = Choice(BOOK.machine("aws", "g4dn.xlarge"), None, Unknown())
    chip = BOOK.accelerator("tpu-v5e")
    assert known(chip.memory_mib)
    one = Choice(BOOK.machine("gcp", "ct5lp-hightpu-1t"), BOOK.tpu_shape("v5litepod-1"), Unknown(), count=1)
    with pytest.raises(ImpossibleError) as caught:
        size(replace(TRAIN, tokens=1e9), one)
    assert caught.value.constraint == "memory"
    assert caught.value.need > caught.value.have
    assert f"{caught.value.need - caught.value.have:.1f} GiB over" in str(caught.value)
    with pytest.raises(ImpossibleError, match="bf16 rate"):
        size(TRAIN, small)


def test_a_deadline_that_the_batch_does_not_allow_says_how_late() -> None:
    with pytest.raises(ImpossibleError) as caught:
        size(replace(TRAIN, deadline_s=3600), P4D)
    assert caught.value.constraint == "deadline"
    assert caught.value.unit == "days"
    assert "days late" in str(caught.value)
    assert caught.value.fix.startswith("deadline: ")


def test_a_machine_without_accelerators_is_refused() -> None:
    control = Choice(BOOK.machine("aws", "m7i.xlarge"), None, Unknown())
    with pytest.raises(ImpossibleError, match="has none"):
        size(TRAIN, control)


def test_a_fleet_whose_network_is_slow_is_slowed_by_it() -> None:
    """One GPU of a big model each: states must be shared over many machines with a 10 Gbps network."""
    machine = replace(BOOK.machine("aws", "p5.4xlarge"), network_gbps=10.0)
    found = size(
        Workload("t", Kind.TRAIN, "llama-2-70b", tokens=1e9, deadline_s=20 * DAY_S), Choice(machine, None, Unknown())
    )
    fast = size(
        Workload("t", Kind.TRAIN, "llama-2-70b", tokens=1e9, deadline_s=20 * DAY_S),
        Choice(replace(machine, network_gbps=3200.0), None, Unknown()),
    )
    assert fast.count <= found.count
    assert fast.step_s * fast.count < found.step_s * found.count
    assert found.memory.fits


def test_what_is_assumed_is_said() -> None:
    text = " ".join(size(TRAIN, P4D).assumptions)
    for word in ("TFLOPS", "271 achievable", "312 peak", "4 million tokens a step", "on-demand price in us-east-1"):
        assert word in text


def test_a_machine_whose_network_nobody_published_says_so() -> None:
    lone = Choice(BOOK.machine("gcp", "a2-highgpu-1g"), None, Unknown())
    found = size(Workload("t", Kind.TRAIN, "gpt3-6.7b", tokens=1e9, deadline_s=20 * DAY_S), lone)
    assert any("network rate of a2-highgpu-1g unknown" in line for line in found.assumptions)


def test_serving_needs_the_weights_to_fit() -> None:
    found = size(SERVE, P4D)
    assert found.seconds is None
    assert found.usd is None
    assert found.memory.fits
    with pytest.raises(ImpossibleError, match="memory"):
        size(replace(SERVE, model="llama-3.1-405b"), P4D)
    with pytest.raises(ImpossibleError) as caught:
        size(replace(SERVE, requests_per_s=1e6), replace(P4D, count=1))
    assert caught.value.constraint == "rate"


def test_an_incomplete_workload_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="deadline"):
        size(replace(TRAIN, deadline_s=None), P4D)
    with pytest.raises(ValueError, match="rate"):
        size(replace(SERVE, requests_per_s=None), P4D)


def test_more_machines_than_the_batch_has_work_for_are_refused_at_once() -> None:
    with pytest.raises(ImpossibleError) as caught:
        size(TRAIN, replace(P4D, count=10**9))
    assert caught.value.constraint == "batch"
    assert caught.value.have < caught.value.need
