"""Time of one optimizer step: operators, collectives, pipeline, optimizer and host, for many plans at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetyard.sizing.collectives import Wires
from fleetyard.sizing.constants import Constants
from fleetyard.sizing.plans import Plans

BOUNDS = ("compute", "memory", "network", "pipeline", "host")
"""What a step can be bound by, in the order of `Times.bound`."""

MODEST_EXPERT = 2048.0
"""Width of an expert at which the extra time of grouped multiplications is half that of very narrow ones."""

YEAR = 2025.0
"""The year from which `year_gain` and `moe_decay` count."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one step and of its parts; the parts add up to the step."""

    step: NDArray[np.float64]
    compute: NDArray[np.float64]
    memory: NDArray[np.float64]
    network: NDArray[np.float64]
    pipeline: NDArray[np.float64]
    host: NDArray[np.float64]

    def bound(self) -> NDArray[np.intp]:
        """Index into BOUNDS of the largest part."""
        parts = np.stack(
            [
                np.broadcast_to(part, self.step.shape)
                for part in (self.compute, self.memory, self.network, self.pipeline, self.host)
            ]
        )
        return np.asarray(np.argmax(parts, axis=0), dtype=np.intp)


def step_times(plans: Plans, k: Constants) -> Times:
    """Seconds of one optimizer step of each plan.

    Sources: FLOPs: Kaplan 2020, PaLM appendix B, Narayanan 2021; collectives: nccl-tests; pipeline: Narayanan 2021,
    section 2.2; expert parallelism: DeepSeek-V3. What does not fit memory
    is timed too.
    """
    n, g, s, y = plans.net, plans.gear, plans.style, plans.layout
    wires = Wires(g, k, np.asarray(s.flat * (y.zero >= 2.5), dtype=np.float64))
    us = 1e-6
    gain = np.exp(-k.year_gain * np.clip(s.year - YEAR, -4.0, 2.0))
    narrow = np.minimum(g.narrow, 1.0)
    share = k.matrix_share + narrow * (k.matrix_share_fp8 - k.matrix_share)
    share = share + np.clip(g.narrow - 1.5, 0.0, 0.5) * 2.0 * (k.matrix_share_fp4 - k.matrix_share_fp8)
    sku = (1.0 + g.ampere * (k.ampere_share - 1.0)) * (1.0 + g.blackwell * (k.blackwell_share - 1.0))
    sku = sku * (1.0 + g.torus * (k.xla_share - 1.0)) * (1.0 - k.young * s.young)
    linear: Any = np.minimum(g.linear * share * sku / gain, g.peak_linear)
    wide: Any = g.wide * np.minimum(k.matrix_share * sku, 1.05)
    bandwidth = g.memory_rate * k.memory_share
    kernel = k.kernel_us * us * (1.0 - 0.7 * g.torus)

    tokens = y.micro * y.sequence / y.context
    # Rows at half rate: below the ridge a multiplication reads weights for longer than it multiplies.
    rows = 1.0 + k.rows_share * linear / g.memory_rate * (0.5 * y.bytes_per_weight) / tokens
    back = 2.0 - y.lora  # adapters: no gradients of the frozen weights

    # Projections and MLP, one layer, one micro-batch, forward.
    hidden, tensor = n.hidden, y.tensor
    deep = 1.0 + k.inner / hidden
    rate = linear * 0.5 / tokens * tensor / rows  # parameters a second
    into = n.input_parameters * deep / rate
    out = n.output_parameters * (1.0 + k.inner * tensor / n.value_width) / rate
    projections = into + out + 2.0 * kernel
    up = (n.matrices - 1.0) * hidden * n.ffn * deep / rate
    down = n.ffn * hidden * (1.0 + k.inner * tensor / np.maximum(n.ffn, 1.0)) / rate
    mlp = np.where(n.ffn > 0, up + down + 2.0 * kernel, 0.0)

    # Attention scores: causal, windowed where the model says so.
    length = y.sequence
    window = np.minimum(n.window, length)
    seen = (n.attending - n.windowed) * 0.5 * length + n.windowed * window * (1.0 - 0.5 * window / length)
    seen = np.where(s.flash > 0, seen * y.packed, n.attending * length) / np.maximum(n.attending, 1.0)
    scores = 2.0 * tokens * seen * (n.score_width + n.value_width) / tensor
    native = k.attention_share * (k.attention_foreign + s.native * (1.0 - k.attention_foreign))
    # Exponentials cost the same for every head size; a torus chip multiplies heads in blocks of 128.
    block = np.where(g.torus > 0, np.ceil(n.head_size / 128.0) * 128.0 / n.head_size, 1.0)
    heads = n.head_size / (n.head_size + k.softmax) * (128.0 + k.softmax) / 128.0 / block
    fused_rate = wide * native * g.attention * heads / gain * length / (length + k.attention_length)
    fused = scores / fused_rate + kernel
    # Unfused: scores written and read by products, scaled softmax and dropout; caches keep a part of them.
    plain_scores = scores * (1.0 + k.inner / n.head_size) / wide
    plain_bytes = n.heads * tokens * length / tensor / bandwidth
    unfused = plain_scores + 10.0 * plain_bytes + 6.0 * kernel
    attention = np.where(s.flash > 0, fused, unfused)
    unfused_back = 2.0 * plain_scores + 14.0 * plain_bytes + 8.0 * kernel
    attention_back = np.where(s.flash > 0, 2.5 * k.attention_back * fused, unfused_back)

    # Element-wise work: norms and residuals on the hidden width, activation on the MLP's, rotation on queries and keys.
    split = np.where(s.sequence_parallel > 0, tensor, 1.0)
    traffic = k.traffic * s.traffic * gain
    wide_bytes = 2.0 * tokens / bandwidth
    casts = narrow * k.cast * 2.0  # of one 16-bit element: one read, two narrow writes
    norm = (5.0 * hidden / split * traffic) * wide_bytes
    turn = (
        2.0 * (n.score_width + n.kv_width) / tensor * traffic + casts * (hidden + n.value_width) / tensor
    ) * wide_bytes
    act = (n.matrices * n.ffn / tensor * traffic + casts * (hidden + n.ffn) / tensor) * wide_bytes

    # Experts: tokens copied to top_k experts over the expert group, multiplied in groups.
    routed = tokens / tensor * n.top_k
    each = routed * y.expert * y.expert_tensor / n.experts
    expert_rows = 1.0 + k.rows_share * linear / g.memory_rate * 0.5 * y.bytes_per_weight / np.maximum(each, 1.0)
    expert_deep = 1.0 + k.inner / np.minimum(n.expert_hidden, n.expert_ffn)
    grouped = 2.0 * routed * n.expert_parameters * expert_deep * expert_rows / linear
    shared = 2.0 * tokens * n.expert_fixed / tensor * deep * rows / linear
    passes = (k.moe_traffic + casts) * n.expert_hidden + (n.matrices * traffic + casts) * n.expert_ffn
    permute = routed * passes * 2.0 / bandwidth
    # Software for experts is young: every release makes all of it faster. XLA's is taken as one.
    release = np.where(
        g.torus > 0, k.xla_experts, np.exp(-k.moe_decay * (np.clip(s.year, 2024.3, 2026.6) - YEAR - 1.0))
    )
    narrowness = MODEST_EXPERT / (MODEST_EXPERT + n.expert_ffn)
    plain = 2.0 * routed * n.expert_parameters / linear
    grouped = grouped + k.moe_narrow * narrowness * release * plain
    permute = permute * release
    moe_host = k.moe_layer_us * us * release * (1.0 - 0.8 * g.torus)
    moe_link = wires.dispatch(routed * n.expert_hidden * (2.0 - 0.5 * narrow), y.expert, n.top_k) * release

    # State-space layers.
    mamba = np.where(n.mambas > 0, n.mamba_parameters * deep / rate + 2.0 * kernel, 0.0)
    scan = tokens * n.mamba_inner / tensor * (k.scan_bytes / bandwidth + 6.0 * n.mamba_state / wide)

    fwd_matrix = n.attending * (projections + attention) + n.mlps * mlp + n.moes * (grouped + shared) + n.mambas * mamba
    bwd_matrix = n.attending * (back * projections + attention_back) + back * (
        n.mlps * mlp + n.moes * (grouped + shared) + n.mambas * mamba
    )
    parts = n.attending + n.mlps + n.moes + n.mambas  # each with its norm and residual
    count = np.maximum(1.0, n.attending + n.mambas)
    fwd_memory = parts * norm + n.attending * turn + n.mlps * act + n.moes * permute + n.mambas * scan
    bwd_memory = 2.0 * fwd_memory

    # Tensor, context and expert traffic in one micro-batch.
    message = 2.0 * tokens * hidden
    gathers = parts
    tp_once = np.where(tensor > 1, 2.0 * wires.gather(message, tensor), 0.0)
    hide_tp = np.minimum(k.hide * s.hide_tp, 0.95)
    tp_fwd = gathers * tp_once * (1.0 - hide_tp)
    kv = 2.0 * tokens * n.kv_width / tensor * (y.context - 1.0)
    cp_rate = np.where(tensor * y.context <= g.domain, wires.up, wires.out)
    cp_time = np.where(y.context > 1, kv / cp_rate + (y.context - 1.0) * wires.up_alpha, 0.0)
    cp_over = np.maximum(0.0, cp_time - np.minimum(k.hide * s.hide_cp, 0.95) * attention)
    cp_fwd = n.attending * cp_over
    ep_fwd = n.moes * 2.0 * np.where(y.expert > 1, moe_link, 0.0) * (1.0 - np.minimum(k.hide * s.hide_ep, 0.9))
    fwd_net = tp_fwd + cp_fwd + ep_fwd
    bwd_net = tp_fwd + 2.0 * cp_fwd + ep_fwd

    again = y.recompute
    # A compiler drops the last multiplication of a layer from what is done again: nobody needs its result.
    dropped = s.skip_last * n.mlps * down
    matrix_s = (
        fwd_matrix + again * (fwd_matrix - dropped) + bwd_matrix + y.recompute_attention * n.attending * attention
    )
    memory_s = fwd_memory * (1.0 + again) + bwd_memory
    network_s = fwd_net * (1.0 + 0.8 * again) + bwd_net
    host_moe = n.moes * moe_host * (2.5 + again)

    # The loss: on the last stage, or spread where layers do not divide evenly.
    head = 2.0 * tokens * hidden * n.vocabulary / tensor * deep / wide
    loss = head * (2.0 + (1.0 - y.lora)) + tokens * n.vocabulary / tensor * k.loss_traffic / bandwidth
    stages = y.pipeline
    uneven = np.mod(count, stages) > 0
    loss_stage = np.where(uneven, loss / stages, loss)

    stage_compute = matrix_s / stages + loss_stage
    stage_memory = memory_s / stages
    stage_network = network_s / stages
    stage_host = host_moe / stages
    p2p = np.where(stages > 1, 2.0 * wires.send(message / split, y.chips / stages) * y.interleave, 0.0)
    stage = stage_compute + stage_memory + stage_network + stage_host

    micros = np.maximum(1.0, y.batch / (y.data * y.micro))
    launches = k.launch_us * us * s.launch * count / stages * (1.0 + 0.3 * again)
    waiting = np.maximum(0.0, launches - stage)

    # Sharded weights: gathered forward and backward, gradients scattered, for every micro-batch.
    weights = 2.0 * (n.fixed_parameters + n.table_parameters) / (tensor * stages)
    experts = 2.0 * n.routed_parameters / (stages * y.expert * y.expert_tensor)
    ranks = y.data * y.context
    stride = tensor
    full = y.zero >= 2.5
    move = wires.gather(weights, ranks, stride)
    expert_ranks = np.maximum(1.0, y.chips / (stages * y.expert * y.expert_tensor))
    move_experts = np.where(n.moes > 0, wires.gather(experts, expert_ranks, y.expert), 0.0)
    learn = 1.0 - y.lora
    hidden_share = np.minimum(k.hide * s.hide_fsdp, 0.97)
    fsdp = np.where(full, (2.0 + learn) * (move + move_experts), 0.0)
    fsdp_seen = fsdp * (1.0 - hidden_share) + np.maximum(0.0, hidden_share * fsdp - stage)
    # Otherwise once a step: gradients in 32 bits scattered, weights gathered.
    per_step = np.where(full, 0.0, learn * 3.0 * (move + move_experts))
    dp_hidden = np.minimum(k.hide * s.hide_dp, 0.95)
    dp_seen = per_step * (1.0 - dp_hidden) + np.maximum(0.0, dp_hidden * per_step - stage)

    idle = (stages - 1.0) / y.interleave
    own = 0.5 * (weights + experts)  # parameters: the sizes above are bytes of 16 bits
    shard = np.where(y.zero >= 0.5, ranks, 1.0)
    optimizer = learn * own * (k.optimizer_bytes / shard + 4.0) / bandwidth

    pace = 1.0 + k.straggler * np.log2(np.maximum(1.0, y.chips / 8.0))
    extra = k.pipeline_extra * (stages > 1)
    compute = micros * stage_compute * pace
    memory = (micros * stage_memory + optimizer) * pace
    network = (micros * (stage_network + fsdp_seen + p2p * 0.5) + dp_seen) * pace
    host = micros * (stage_host + waiting) * pace + k.step_ms * 1e-3
    pipeline = idle * (stage + fsdp_seen + p2p) * pace + extra * micros * stage / stages
    step = compute + memory + network + host + pipeline
    return Times(*(np.asarray(part, dtype=np.float64) for part in (step, compute, memory, network, pipeline, host)))
