"""Memory of the worst rank of a training plan, by part, for many plans at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetyard.sizing.plans import Plans
from fleetyard.sizing.result import GIB

PARTS = ("weights", "gradients", "optimizer", "gathered", "activations", "logits", "runtime")
"""The parts of a rank's memory, in the order in which they are printed."""

RUNTIME_GIB = 1.6
"""Context and communication buffers of one chip: 1 to 2 GB (Megatron and vendor planners)."""

SLACK = 0.04
"""Share of the rest that allocators lose to fragments: 3 to 8 % are seen."""

ADAPTER = 0.004
"""Parameters of adapters (LoRA) against the frozen model's: rank 16 on all projections of a 70B model gives 0.3 %."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """GiB of each part on the worst rank, and their sum."""

    parts: dict[str, NDArray[np.float64]]
    total: NDArray[np.float64]
    have: NDArray[np.float64]

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Whether a rank holds its parts."""
        return np.asarray(self.total <= self.have)


def footprint(plans: Plans) -> Footprint:
    """GiB on the rank that needs most: the first stage of a pipeline, or the last one, which holds the logits.

    Sources: states: Rajbhandari 2020, Megatron's distributed optimizer (fp32 gradient buffer); activations: Korthikanti
    2022, equations 4 to 6, with fused attention and gated MLPs; experts divide by the expert group, not by the tensor
    group.
    """
    n, g, s, y = plans.net, plans.gear, plans.style, plans.layout
    dense = n.fixed_parameters / (y.tensor * y.pipeline)
    tables: Any = n.table_parameters / y.tensor
    tables = np.where(y.pipeline > 1, np.maximum(0.5 * tables, n.vocabulary * n.hidden / y.tensor), tables)
    experts = n.routed_parameters / (y.pipeline * y.expert * y.expert_tensor)
    ranks = y.data * y.context
    expert_ranks = np.maximum(1.0, y.chips / (y.pipeline * y.expert * y.expert_tensor))
    own, full = dense + tables + experts, y.zero >= 2.5
    sharded = (dense + tables) / ranks + experts / expert_ranks
    learn = np.where(y.lora > 0, ADAPTER, 1.0)
    frozen_format = np.where((y.lora > 0) & (g.narrow >= 1.0), 1.0, 2.0)
    # Under a pipeline gathered weights stay until the last micro-batch, and so do whole gradients.
    staying = full & (y.pipeline > 1)
    kept = np.where(full, sharded + np.where(staying, own, 0.0), own)
    weights = kept * frozen_format + np.where((g.narrow >= 0.9) & (y.lora < 0.5) & ~full, 0.5 * own, 0.0)
    each = np.where(s.narrow_gradients > 0, 2.0, 4.0)
    gradients = np.where((y.zero >= 1.5) & ~staying, sharded * 4.0, own * np.where(staying, 4.0, each)) * learn
    optimizer = np.where(y.zero >= 0.5, sharded, own) * 12.0 * learn
    blocks = np.maximum(1.0, n.attending + n.mambas)
    one_block = dense * y.pipeline / blocks + experts * y.pipeline / np.maximum(1.0, n.moes)
    gathered = np.where(full, 2.0 * 2.0 * one_block + 2.0 * tables, 0.0)

    tokens = y.micro * y.sequence / y.context
    split = np.where(s.sequence_parallel > 0, y.tensor, 1.0)
    narrow = np.where((g.narrow >= 0.9), 0.75, 1.0)  # inputs of 8-bit multiplications are kept in 8 bits
    # Inputs of frozen multiplications are not kept: nobody takes the gradient of their weights.
    narrow = narrow * np.where(y.lora > 0, 0.5, 1.0)
    parts = n.attending + n.mlps + n.moes + n.mambas
    hidden_part = 4.0 * n.hidden / split * narrow
    attend_part = (2.0 * (n.score_width + n.kv_width + 2.0 * n.value_width)) / y.tensor
    scores = np.where(s.flash > 0, 0.0, 5.0 * n.heads * y.sequence / y.tensor)
    scores = scores * (1.0 - y.recompute_attention)
    mlp_part = 2.0 * n.matrices * n.ffn / y.tensor * narrow
    expert_part = n.top_k * (4.0 * n.expert_hidden + 2.0 * n.matrices * n.expert_ffn) / y.tensor * narrow
    shared_part = 2.0 * n.expert_fixed / np.maximum(1.0, n.hidden) / y.tensor
    mamba_part = 10.0 * n.mamba_inner / y.tensor
    whole = tokens * (
        parts * hidden_part
        + n.attending * (attend_part + scores)
        + n.mlps * mlp_part
        + n.moes * (expert_part + shared_part)
        + n.mambas * mamba_part
    )
    inputs = 2.0 * tokens * n.hidden / split * blocks
    again = 1.0 - y.kept
    layers = whole * (1.0 - again) + again * inputs
    micros = np.maximum(1.0, y.batch / (y.data * y.micro))
    stages = y.pipeline
    ahead = np.where(stages > 1, stages * (1.0 + (stages - 1.0) / (stages * y.interleave)), 1.0)
    ahead = np.minimum(ahead, np.maximum(micros, 1.0) * np.where(y.interleave > 1, 1.5, 1.0))
    live = again * whole / blocks
    activations = layers / stages * ahead + live
    # Scores and their gradients in 32 and 16 bits; fused losses keep one of the two wide copies.
    each_score = np.where(s.wide_loss > 0, 12.0, 8.0)
    logits = tokens * n.vocabulary / y.tensor * each_score * np.where(y.lora > 0, 0.75, 1.0)
    # The last stage holds logits and few micro-batches, the first many micro-batches and no logits.
    last = layers / stages + live + logits
    deep = stages > 1
    pick_first = deep & (activations > last)
    activations_seen = np.where(deep, np.where(pick_first, activations, layers / stages + live), activations)
    logits_seen = np.where(pick_first, 0.0, logits)
    sizes = [weights, gradients, optimizer, gathered, activations_seen, logits_seen]
    shape = np.broadcast_shapes(*(np.shape(each) for each in sizes), np.shape(g.memory_gib))
    gib = [np.broadcast_to(np.asarray(each / GIB * (1.0 + SLACK)), shape) for each in sizes]
    runtime = np.broadcast_to(np.asarray(RUNTIME_GIB * (1.0 - 0.6 * g.torus)), shape)
    named = dict(zip(PARTS, [*gib, runtime], strict=True))
    total = np.sum(np.stack(list(named.values())), axis=0)
    return Footprint(named, total, np.broadcast_to(np.asarray(g.memory_gib, dtype=np.float64), shape))
