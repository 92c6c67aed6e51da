"""The performance model keeps physics: never faster than the peak, monotone, parts that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans_bench import held, plans, step_s, times, with_gear

from fleetyard.sizing.constants import Constants, bounds, constants
from fleetyard.sizing.footprint import PARTS
from fleetyard.sizing.hardware import chips
from fleetyard.sizing.models import model
from fleetyard.sizing.serving_facts import serving_bounds
from fleetyard.sizing.step import BOUNDS, step_times

CHIPS = sorted(name for name, chip in chips().items() if chip.memory_gib > 30)
NAMES = st.sampled_from(["llama-2-7b", "llama-3.1-70b", "llama-3.1-405b", "gpt3-175b", "deepseek-v3", "mixtral-8x7b"])
LAYOUTS = st.fixed_dictionaries(
    {
        "chips": st.sampled_from([64.0, 256.0, 1024.0, 8192.0]),
        "tensor": st.sampled_from([1.0, 2.0, 4.0, 8.0]),
        "pipeline": st.sampled_from([1.0, 2.0, 4.0, 8.0]),
        "micro": st.sampled_from([1.0, 2.0, 4.0]),
        "batch": st.sampled_from([65536.0, 131072.0]),
        "sequence": st.sampled_from([2048.0, 8192.0, 32768.0]),
        "recompute": st.sampled_from([0.0, 0.5, 1.0]),
        "zero": st.sampled_from([0.0, 1.0, 3.0]),
    }
)


@settings(max_examples=60, deadline=None)
@given(NAMES, st.sampled_from(CHIPS), st.sampled_from(["bf16", "fp8"]), LAYOUTS)
def test_no_plan_is_faster_than_the_printed_peak(
    name: str, chip: str, precision: str, layout: dict[str, float]
) -> None:
    wanted = model(name)
    multiplied = wanted.active_parameters - (0 if wanted.tied else wanted.vocabulary * wanted.hidden)
    work = 6 * multiplied * layout["batch"] * layout["sequence"]
    peak = chips()[chip].peak[precision] * layout["chips"]
    assert step_s(plans(name, chip, precision, **layout)) > work / peak


@settings(max_examples=40, deadline=None)
@given(NAMES, st.sampled_from(CHIPS), LAYOUTS)
def test_parts_add_up_to_the_step_and_none_is_negative(name: str, chip: str, layout: dict[str, float]) -> None:
    found = times(plans(name, chip, **layout))
    parts = [found.compute, found.memory, found.network, found.pipeline, found.host]
    assert all(float(part[0]) >= 0 for part in parts)
    assert float(found.step[0]) == pytest.approx(sum(float(part[0]) for part in parts))
    assert BOUNDS[int(found.bound()[0])] in BOUNDS


@settings(max_examples=40, deadline=None)
@given(
    NAMES,
    LAYOUTS,
    st.sampled_from(["linear", "wide", "memory_rate", "link", "nic"]),
    st.floats(min_value=1.01, max_value=4),
)
def test_a_faster_chip_or_network_is_never_slower(
    name: str, layout: dict[str, float], rate: str, factor: float
) -> None:
    given_plan = plans(name, **layout)
    now = getattr(given_plan.gear, rate)
    if rate == "linear":  # the printed peak limits what multiplications reach
        given_plan = with_gear(given_plan, peak_linear=given_plan.gear.peak_linear * 8)
    assert step_s(with_gear(given_plan, **{rate: now * factor})) <= step_s(given_plan) * (1 + 1e-9)


@settings(max_examples=30, deadline=None)
@given(NAMES, LAYOUTS, st.floats(min_value=1.05, max_value=8))
def test_more_work_takes_longer(name: str, layout: dict[str, float], factor: float) -> None:
    base = step_s(plans(name, **layout))
    assert step_s(plans(name, **{**layout, "batch": layout["batch"] * 2})) > base
    again = step_s(plans(name, **{**layout, "recompute": min(1.0, layout["recompute"] + 0.4)}))
    assert again >= base * (1 - 1e-9)
    more = plans(name, **layout)
    longer = replace(more, layout=replace(more.layout, sequence=more.layout.sequence * factor))
    # Not strictly: what attention adds may hide behind the gathering of sharded weights, which is longer then.
    assert step_s(longer) >= base * (1 - 1e-9)


def test_a_deeper_pipeline_with_few_micro_batches_idles_more_and_chunks_help() -> None:
    shallow = times(plans(pipeline=2.0, batch=64.0))
    deep = times(plans(pipeline=8.0, batch=64.0))
    chunked = times(plans(pipeline=8.0, batch=64.0, interleave=5.0))
    assert float(deep.pipeline[0]) > float(chunked.pipeline[0]) > 0
    assert float(deep.pipeline[0] / deep.step[0]) > float(shallow.pipeline[0] / shallow.step[0])


def test_adapters_cost_less_than_full_training_and_fp8_less_than_bf16() -> None:
    assert step_s(plans(lora=1.0)) < step_s(plans())
    assert step_s(plans(precision="fp8", bytes_per_weight=1.0)) < step_s(plans())


@settings(max_examples=40, deadline=None)
@given(NAMES, LAYOUTS)
def test_memory_parts_add_up_and_sharding_never_needs_more(name: str, layout: dict[str, float]) -> None:
    found = held(plans(name, **layout))
    assert set(found.parts) == set(PARTS)
    assert all(float(part[0]) >= 0 for part in found.parts.values())
    assert float(found.total[0]) == pytest.approx(sum(float(part[0]) for part in found.parts.values()))
    spread = {**layout, "pipeline": 1.0}
    states = [
        sum(float(held(plans(name, **{**spread, "zero": zero})).parts[part][0]) for part in ("gradients", "optimizer"))
        for zero in (0.0, 1.0, 3.0)
    ]
    assert states[0] >= states[1] >= states[2]


def test_an_array_of_plans_gives_what_each_plan_gives_alone() -> None:
    one, two = plans(tensor=2.0), plans(tensor=8.0, micro=2.0)
    names = one.layout.__slots__
    both = replace(
        one,
        layout=type(one.layout)(
            **{name: np.concatenate([getattr(one.layout, name), getattr(two.layout, name)]) for name in names}
        ),
    )
    found = step_times(both, constants()).step
    assert found.tolist() == pytest.approx([step_s(one), step_s(two)])
    assert both.take(np.array([1])).layout.tensor.tolist() == [8.0]  # type: ignore[union-attr]


def test_calibrated_constants_keep_their_bounds_and_name_a_source() -> None:
    assert set(bounds()) == set(Constants.__slots__)
    for name, bound in {**bounds(), **serving_bounds()}.items():
        assert bound.low <= bound.value <= bound.high, name
        assert bound.low <= bound.prior <= bound.high, name
        assert len(bound.source) > 15, name
