"""First-order sizing of serving: one replica on each unit, decoding bound by memory bandwidth or computing."""

from __future__ import annotations

from math import ceil

from fleetyard.sizing import memory, storage
from fleetyard.sizing.assumptions import Assumptions
from fleetyard.sizing.machine import rates
from fleetyard.sizing.models import Model
from fleetyard.sizing.result import GIB, Choice, ImpossibleError, Kind, Memory, Sizing, Workload


def size_serving(workload: Workload, model: Model, choice: Choice, assume: Assumptions) -> Sizing:
    """The fewest units that serve `model` at the workload's rate, without queueing.

    A step reads all weights and the keys and values of the sequences that decode together, or does their FLOPs,
    whichever takes longer. Raises ImpossibleError when weights and one sequence do not fit a unit, or a fixed count is
    too small; ValueError when the rate is missing.
    Source: Pope 2022 (arXiv 2211.05102).
    """
    if workload.requests_per_s is None:
        raise ValueError("a serving workload needs a rate")
    found = rates(choice, assume)
    if found.memory_bytes_per_s is None:
        why = f"nobody published the memory bandwidth of {found.accelerator.id}"
        raise ImpossibleError("facts", 1, 0, "published memory bandwidth", why, "write a count instead of `sized`")
    chips = choice.accelerators_per_unit
    prompt = workload.prompt_tokens or assume.prompt_tokens
    output = workload.output_tokens or assume.output_tokens
    weights = memory.weight_bytes(model.parameters, "bf16")
    sequence_bytes = memory.kv_bytes_per_token(model.layers, model.kv_heads, model.head_size) * (prompt + output)
    room = found.usable_gib * GIB * chips - weights
    together = min(assume.serve_batch, int(room // sequence_bytes))
    if together < 1:
        need, have = (weights + sequence_bytes) / chips / GIB, found.usable_gib
        why = f"{model.name} and one sequence on one of the {choice.unit} are {need - have:.1f} GiB over for each chip"
        raise ImpossibleError("memory", need, have, "GiB", why, "larger machines or accelerators")
    # On average a sequence that decodes has its prompt and half of its answer behind it.
    read = weights + together * sequence_bytes * (prompt + output / 2) / (prompt + output)
    read_s = read / (chips * found.memory_bytes_per_s * assume.decode_bandwidth)
    compute_s = 2 * model.parameters * together / (chips * found.peak_flops_per_s * assume.prefill_mfu)
    step_s = max(read_s, compute_s)
    prefill_s = 2 * model.parameters * prompt / (chips * found.peak_flops_per_s * assume.prefill_mfu)
    each_per_s = assume.utilisation / (prefill_s + output * step_s / together)
    needed = max(1, ceil(workload.requests_per_s / each_per_s))
    count = needed if choice.count is None else choice.count
    if count < needed:
        why = f"{count} {choice.unit} are fixed, {needed} are needed"
        have = each_per_s * count
        raise ImpossibleError("rate", workload.requests_per_s, have, "requests/s", why, f"count: {needed}")
    hosts = count * choice.hosts_per_unit
    hourly = choice.usd_per_hour(count)
    parts = (("weights", weights / chips / GIB), ("keys and values", together * sequence_bytes / chips / GIB))
    slower = "memory bandwidth" if read_s >= compute_s else "computing"
    return Sizing(
        workload=workload.name,
        kind=Kind.SERVE,
        unit=choice.unit,
        count=count,
        hosts=hosts,
        accelerators=count * chips,
        seconds=None,
        step_s=step_s,
        memory=Memory(parts, found.usable_gib),
        checkpoint_gb=None,
        checkpoint_interval_s=None,
        goodput=None,
        hydrate_s=storage.fill_s(weights / 1e9, choice.hosts_per_unit, found.store_gb_per_s),
        usd_per_hour=hourly,
        usd=None,
        binding=f"rate, {'prefill' if prefill_s > output * step_s / together else slower}",
        assumptions=(
            f"one replica on each of the {choice.unit}, {together} sequences decode together",
            f"{prompt:.0f} tokens of prompt, {output:.0f} of answer",
            f"{assume.decode_bandwidth:.0%} of memory bandwidth in decoding",
            f"{assume.prefill_mfu:.0%} of peak in prefill",
            f"{assume.utilisation:.0%} busy at the rate asked for; queueing is not modelled",
            *found.notes,
            choice.price_note,
        ),
    )
