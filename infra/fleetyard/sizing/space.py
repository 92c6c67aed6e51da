"""The space of layouts of one model on one kind of chip: every legal one for many counts of chips, and the best of
each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetyard.sizing.constants import Constants, constants
from fleetyard.sizing.footprint import PARTS, footprint
from fleetyard.sizing.frameworks import Framework, frameworks
from fleetyard.sizing.hardware import Chip
from fleetyard.sizing.models import Model
from fleetyard.sizing.plans import Gear, Layout, Net, Plans, Style, gear_of, net_of, style_of
from fleetyard.sizing.step import BOUNDS, step_times

PLAN_YEAR = 2026.0
"""The year whose software plans are made for: the newest that calibration saw much of."""

CHUNK = 16_384
"""Plans evaluated at once: what keeps intermediate arrays in the caches of a core."""

TENSORS = (1, 2, 4, 8, 16)
PIPELINES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16)
CONTEXTS = (1, 2, 4, 8, 16)
EXPERTS = (1, 2, 4, 8, 16, 32, 64, 128)
MICROS = (1.0, 2.0, 4.0)
AGAIN = ((0.0, 0.0, 1.0), (0.08, 0.0, 0.6), (1.0, 0.0, 0.0))
"""What is done again (share of a layer, attention) and what share of activations is kept instead."""
ROOM = 0.93
"""Share of a chip's memory that a plan may fill: the published peaks lie up to a tenth above what their parts add up
to."""

SHORTEST_PART = 4096
"""Tokens of a sequence that one chip keeps at least when a sequence is spread."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What stays the same over a space: model, chip and its network, number format, sequence and batch (in
    sequences)."""

    model: Model
    chip: Chip
    precision: str
    nic: float | None
    sequence: int
    batch: float
    lora: bool = False

    @property
    def framework(self) -> Framework:
        """The software that plans for this chip assume."""
        known = frameworks()
        return known[{"google": "xla", "aws": "neuron"}.get(self.chip.vendor, "megatron")]


@dataclass(frozen=True, slots=True)
class Best:
    """For each count of chips the fastest layout that fits. Seconds are infinite where none fits or is legal.

    shape: tensor, pipeline, context, expert, interleave, micro-batch, ZeRO stage, share done again; need and have:
    GiB of the layout that needs least where none fits.
    """

    chips: NDArray[np.float64]
    step_s: NDArray[np.float64]
    shape: NDArray[np.float64]
    memory: NDArray[np.float64]
    bound: NDArray[np.intp]
    need: NDArray[np.float64]
    have: float
    legal: NDArray[np.bool_]
    evaluated: int

    def bound_by(self, index: int) -> str:
        """What bounds the best layout of one count."""
        return BOUNDS[int(self.bound[index])]

    def parts(self, index: int) -> dict[str, float]:
        """GiB of each part on the worst rank."""
        return dict(zip(PARTS, (float(value) for value in self.memory[index]), strict=True))


def combinations(ground: Ground) -> NDArray[np.float64]:
    """Every legal combination that does not depend on the count: rows of tensor, pipeline, context, expert, interleave,
    micro-batch, ZeRO stage, share done again, attention done again, share kept."""
    model, chip = ground.model, ground.chip
    tpu = chip.tpu
    tensors = [t for t in TENSORS if t <= min(8 if not tpu else 16, chip.domain, model.heads)]
    # Layers divide over stages, by themselves or with embedding and head counted as two more.
    pipelines = [1] if tpu else [p for p in PIPELINES if model.layers % p == 0 or (model.layers + 2) % p == 0]
    contexts = [c for c in CONTEXTS if c == 1 or ground.sequence // c >= SHORTEST_PART]
    moe = model.moe_layers > 0
    experts = [e for e in EXPERTS if model.experts % e == 0 and e <= chip.domain] if moe else [1]
    rows = [
        (t, p, c, e, v, b, z, *again)
        for t, p, c, e, b, z, again in product(
            tensors, pipelines, contexts, experts, MICROS, (3.0,) if tpu else (1.0, 3.0), AGAIN
        )
        for v in _chunks(model, p)
        if not (z == 3.0 and p > 1)
    ]
    return np.array(rows, dtype=np.float64)


def _chunks(model: Model, pipeline: int) -> tuple[int, ...]:
    """Chunks of a stage: one, and as many as leave four layers in each."""
    per_stage = model.layers // pipeline
    many = max(1, per_stage // 4)
    return (1, many) if pipeline > 1 and many > 1 and model.layers % (pipeline * many) == 0 else (1,)


def plans_of(ground: Ground, rows: NDArray[np.float64], chips: NDArray[np.float64]) -> Plans:
    """Combinations on so many chips each, as plans."""
    tensor, pipeline, context, expert, interleave, micro, zero, again, attention, kept = rows.T
    data = chips / (tensor * pipeline * context)
    # A step takes whole micro-batches: the last round may be short, and costs what a full one costs.
    rounds = np.ceil(ground.batch / (data * micro))
    layout = Layout(
        chips=chips,
        tensor=tensor,
        pipeline=pipeline,
        data=data,
        context=context,
        expert=expert,
        expert_tensor=np.where(ground.model.experts <= 16, np.minimum(tensor, chips / (pipeline * expert)), 1.0),
        interleave=interleave,
        micro=micro,
        batch=rounds * data * micro,
        sequence=float(ground.sequence),
        zero=zero,
        recompute=again,
        recompute_attention=attention,
        kept=kept,
        lora=float(ground.lora),
        packed=1.0,
        bytes_per_weight=2.0 if ground.precision in ("bf16", "fp16", "fp32", "tf32") else 1.0,
    )
    gear = Gear(**gear_of(ground.chip, ground.precision, ground.nic))
    style = Style(**style_of(ground.framework, PLAN_YEAR, ground.chip))
    return Plans(Net(**net_of(ground.model)), gear, style, layout)


def best(ground: Ground, counts: Sequence[int], k: Constants | None = None) -> Best:
    """The fastest layout that fits, for each count of chips."""
    k = k or constants()
    rows = combinations(ground)
    chips = np.array(counts, dtype=np.float64)
    which, row = _legal(ground, rows, chips)
    step = np.full(len(which), np.inf)
    need = np.empty(len(which))
    for begin in range(0, len(which), CHUNK):
        part = slice(begin, begin + CHUNK)
        plans = plans_of(ground, rows[row[part]], chips[which[part]])
        held = footprint(plans)
        need[part] = held.total
        fits = np.flatnonzero(held.total <= held.have * ROOM)
        if len(fits):
            step[begin + fits] = step_times(plans.take(fits), k).step
    return _pick(ground, rows, chips, which, row, step, need, k)


def _legal(ground: Ground, rows: NDArray[np.float64], chips: NDArray[np.float64]) -> tuple[Any, Any]:
    """Index of the count and of the combination of every legal pair."""
    tensor, pipeline, context, expert, _, micro = rows.T[:6]
    group = tensor * pipeline * context
    data = chips[:, None] / group
    whole = (np.mod(data, 1.0) == 0) & (data >= 1) & (data * micro <= ground.batch)
    inside = chips[:, None] / (pipeline * expert)
    pairs = np.nonzero(whole & (np.mod(inside, 1.0) == 0) & (inside >= 1))
    return pairs[0], pairs[1]


def _pick(
    ground: Ground,
    rows: NDArray[np.float64],
    chips: NDArray[np.float64],
    which: NDArray[np.intp],
    row: NDArray[np.intp],
    step: NDArray[np.float64],
    need: NDArray[np.float64],
    k: Constants,
) -> Best:
    order = np.lexsort((need, step, which))
    places = np.searchsorted(which[order], np.arange(len(chips)))
    legal = np.zeros(len(chips), dtype=bool)
    legal[which] = True
    first = order[np.minimum(places, len(order) - 1)] if len(order) else np.zeros(len(chips), dtype=np.intp)
    least = np.full(len(chips), np.inf)
    np.minimum.at(least, which, need)
    found = np.where(legal, step[first] if len(order) else np.inf, np.inf)
    fine = np.isfinite(found)
    shape = np.full((len(chips), 8), np.nan)
    memory = np.full((len(chips), len(PARTS)), np.nan)
    bound = np.zeros(len(chips), dtype=np.intp)
    if fine.any():
        chosen = rows[row[first[fine]]]
        plans = plans_of(ground, chosen, chips[fine])
        shape[fine] = chosen[:, :8]
        held = footprint(plans)
        memory[fine] = np.stack([held.parts[name] for name in PARTS], axis=1)
        bound[fine] = step_times(plans, k).bound()
    return Best(chips, found, shape, memory, bound, least, ground.chip.memory_gib, legal, len(which))


def layout_text(shape: NDArray[np.float64], chips: float) -> str:
    """A layout in the words of the field."""
    tensor, pipeline, context, expert, interleave, micro, zero, again = (float(value) for value in shape)
    data = chips / (tensor * pipeline * context)
    words = [f"TP {tensor:.0f}"] if tensor > 1 else []
    words += [f"PP {pipeline:.0f}" + (f" in {interleave:.0f} chunks" if interleave > 1 else "")] if pipeline > 1 else []
    words += [f"CP {context:.0f}"] if context > 1 else []
    words += [f"EP {expert:.0f}"] if expert > 1 else []
    words += [f"DP {data:.0f}" + (" fully sharded" if zero >= 3 else " with a sharded optimizer" if data > 1 else "")]
    words += [f"micro-batch {micro:.0f}"]
    words += ["activations kept" if again == 0 else "all recomputed" if again >= 1 else "some modules recomputed"]
    return ", ".join(words)
