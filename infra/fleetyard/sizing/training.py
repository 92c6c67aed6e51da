"""Prediction of training runs: cases in, the best way that fits each, with its times and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetyard.sizing.cases import Case, Way, complete
from fleetyard.sizing.constants import Constants, constants
from fleetyard.sizing.footprint import footprint
from fleetyard.sizing.plans import Gear, Layout, Net, Plans, Style, gear_of, net_of, stack, style_of
from fleetyard.sizing.step import Times, step_times

FEW_EXPERTS = 16
"""Models with so few experts have large ones, which the tensor-parallel group shares; many small ones stay whole."""

PACKED = 0.3
"""Share of the scores that fine-tuning on packed short samples computes: attention does not cross samples."""

OVERFLOW_POWER = 4
"""How a way that does not fit counts against one that does, where a run is known to have fitted: its time is
multiplied by the overflow to this power, so that the smallest of too large ways wins."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Cases with all their ways as plans; `owner` says to which case a plan belongs."""

    cases: tuple[Case, ...]
    ways: tuple[Way, ...]
    owner: NDArray[np.intp]
    plans: Plans


@dataclass(frozen=True, slots=True)
class Prediction:
    """For each case: its times, memory of the worst rank, whether it fits, and the way that was taken."""

    times: Times
    memory_gib: NDArray[np.float64]
    fits: NDArray[np.bool_]
    ways: tuple[Way, ...]


def fleet_of(cases: Sequence[Case]) -> Fleet:
    """All ways of all cases as one structure of arrays."""
    ways: list[Way] = []
    owner: list[int] = []
    for index, case in enumerate(cases):
        found = complete(case)
        ways += found
        owner += [index] * len(found)
    owners = np.array(owner, dtype=np.intp)
    net = stack(Net, [_cached_net(case) for case in cases])
    gear = stack(Gear, [_gear(case) for case in cases])
    style = stack(Style, [_cached_style(case) for case in cases])
    spread: Any = Plans(net, gear, style, _shared(cases)).take(owners)
    chosen = np.array(
        [(w.tensor, w.pipeline, w.context, w.expert, w.interleave, w.micro, w.zero, *w.again) for w in ways],
        dtype=np.float64,
    ).T
    tensor, pipeline, context, expert, interleave, micro, zero, recompute, attention, kept = chosen
    base = spread.layout
    layout = Layout(
        chips=base.chips,
        tensor=tensor,
        pipeline=pipeline,
        data=np.maximum(1.0, base.chips / (tensor * pipeline * context)),
        context=context,
        expert=expert,
        expert_tensor=np.where(
            spread.net.experts <= FEW_EXPERTS, np.minimum(tensor, base.chips / (pipeline * expert)), 1.0
        ),
        interleave=interleave,
        micro=micro,
        batch=base.batch,
        sequence=base.sequence,
        zero=zero,
        recompute=recompute,
        recompute_attention=attention,
        kept=kept,
        lora=base.lora,
        packed=base.packed,
        bytes_per_weight=base.bytes_per_weight,
    )
    return Fleet(tuple(cases), tuple(ways), owners, Plans(spread.net, spread.gear, spread.style, layout))


def _cached_net(case: Case) -> dict[str, float]:
    return net_of(case.model)


def _cached_style(case: Case) -> dict[str, float]:
    return style_of(case.framework, case.year, case.chip)


def _gear(case: Case) -> dict[str, float]:
    gear = gear_of(case.chip, case.precision, case.nic)
    if case.cores > 1:
        for name in ("linear", "wide", "peak_linear", "memory_rate", "memory_gib", "link", "nic"):
            gear[name] /= case.cores
        gear["domain"] *= case.cores
    return gear


def _shared(cases: Sequence[Case]) -> Layout:
    one = np.ones(len(cases))
    return Layout(
        chips=np.array([float(case.chips * case.cores) for case in cases]),
        tensor=one,
        pipeline=one,
        data=one,
        context=one,
        expert=one,
        expert_tensor=one,
        interleave=one,
        micro=one,
        batch=np.array([case.batch for case in cases]),
        sequence=np.array([float(case.sequence) for case in cases]),
        zero=one,
        recompute=one,
        recompute_attention=one,
        kept=one,
        lora=np.array([float(case.lora) for case in cases]),
        packed=np.array([PACKED if case.tuned else 1.0 for case in cases]),
        bytes_per_weight=np.where(
            np.array([case.precision in ("bf16", "fp16", "fp32", "tf32") for case in cases]), 2.0, 1.0
        ),
    )


def choose(fleet: Fleet, times: Times, total: NDArray[np.float64], have: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each case the plan that software would have run: the fastest that fits, else the one that misses by least."""
    over = np.maximum(1.0, total / have)
    score = times.step * over**OVERFLOW_POWER * np.where(over > 1.0, 10.0, 1.0)
    order = np.lexsort((score, fleet.owner))
    first = np.searchsorted(fleet.owner[order], np.arange(len(fleet.cases)))
    return np.asarray(order[first], dtype=np.intp)


def predict(cases: Sequence[Case], k: Constants | None = None, fleet: Fleet | None = None) -> Prediction:
    """Step time and memory of each case."""
    fleet = fleet or fleet_of(cases)
    times = step_times(fleet.plans, k or constants())
    held = footprint(fleet.plans)
    best = choose(fleet, times, held.total, held.have)
    parts = (times.step, times.compute, times.memory, times.network, times.pipeline, times.host)
    picked = Times(*(np.broadcast_to(part, times.step.shape)[best] for part in parts))
    cores = np.array([case.cores for case in fleet.cases], dtype=np.float64)
    return Prediction(picked, held.total[best] * cores, held.fits[best], tuple(fleet.ways[i] for i in best))
