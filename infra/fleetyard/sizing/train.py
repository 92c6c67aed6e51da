"""First-order sizing of training: the fewest units that meet the deadline and hold the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isqrt

from fleetyard.catalog import known
from fleetyard.sizing import checkpoints, compute, memory, network, storage
from fleetyard.sizing.assumptions import Assumptions, Efficiency
from fleetyard.sizing.machine import Rates, rates
from fleetyard.sizing.models import Model
from fleetyard.sizing.result import GIB, Choice, ImpossibleError, Kind, Memory, Sizing, Workload

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class _Job:
    """What stays the same for every count."""

    model: Model
    tokens: float
    batch_tokens: int
    flops: float
    choice: Choice
    rates: Rates
    efficiency: Efficiency
    assume: Assumptions

    @property
    def sequences(self) -> int:
        """Sequences of one optimizer step."""
        return max(1, self.batch_tokens // self.model.sequence)

    @property
    def most_units(self) -> int:
        """Units beyond which accelerators would find no sequence to work on."""
        sharing = min(self.assume.tensor_parallel, self.choice.accelerators_per_unit)
        return max(1, self.sequences * sharing // self.choice.accelerators_per_unit)


@dataclass(frozen=True, slots=True)
class _Layout:
    """One way to spread the model over `count` units: states sharded over `shard` of them, activations kept or not."""

    count: int
    shard: int
    recompute: bool
    memory: Memory
    compute_s: float
    network_s: float

    @property
    def step_s(self) -> float:
        """One optimizer step: communication hides behind computing, or the other way round."""
        return max(self.compute_s, self.network_s)


def size_training(workload: Workload, model: Model, choice: Choice, assume: Assumptions) -> Sizing:
    """The fewest machines or slices that train `model` on the workload's tokens by its deadline.

    With `choice.count` set, the prediction for that count. Raises ImpossibleError, naming the constraint that fails and
    by how much; ValueError when tokens or deadline are missing.
    """
    if workload.tokens is None or workload.deadline_s is None:
        raise ValueError("a training workload needs tokens and a deadline")
    job = _job(workload, model, choice, assume)
    deadline_s = workload.deadline_s
    if choice.count is not None:
        if choice.count > job.most_units:
            raise _too_many(job, choice.count)
        layout = _best(job, choice.count)
        if layout is None:
            raise _too_big(job, choice.count)
        result = _result(workload, job, layout, binding="the count is fixed")
        if result.seconds is None or result.seconds > deadline_s:
            raise _too_slow(job, result, deadline_s, f"{choice.count} {choice.unit} are fixed")
        return result
    first = max(1, ceil(job.flops / (_rate(job, recompute=False) * choice.accelerators_per_unit * deadline_s)))
    needed_for_memory = _fewest_that_fit(job)
    fastest: Sizing | None = None
    for count in range(max(first, needed_for_memory), job.most_units + 1):
        layout = _best(job, count)
        if layout is None:
            continue
        result = _result(workload, job, layout, binding=_binding(count, first, needed_for_memory, layout))
        if result.seconds is not None and result.seconds <= deadline_s:
            return result
        fastest = result if fastest is None or (result.seconds or 0) < (fastest.seconds or 0) else fastest
    if fastest is None:
        need = job.flops / (_rate(job, recompute=False) * choice.accelerators_per_unit * job.most_units)
        raise _late(job, need, deadline_s, f"{job.most_units} {choice.unit} already share one batch")
    raise _too_slow(job, fastest, deadline_s, f"the fastest is {fastest.count} {choice.unit}")


def _job(workload: Workload, model: Model, choice: Choice, assume: Assumptions) -> _Job:
    found = rates(choice, assume)
    tokens = workload.tokens or 0.0
    return _Job(
        model=model,
        tokens=tokens,
        batch_tokens=model.batch_tokens or assume.batch_tokens,
        flops=compute.training_flops(model.parameters, tokens, model.layers, model.attention_width, model.sequence),
        choice=choice,
        rates=found,
        efficiency=assume.efficiency(found.accelerator.id),
        assume=assume,
    )


def _rate(job: _Job, recompute: bool) -> float:
    """FLOPs of the model that one accelerator does each second."""
    rate = job.rates.peak_flops_per_s * job.efficiency.mfu
    return rate * job.assume.full_recompute if recompute and not job.efficiency.recompute_included else rate


def _memory(job: _Job, shards: int, recompute: bool) -> Memory:
    model = job.model
    largest = max(model.layer_parameters, model.vocabulary * model.hidden)
    kept = memory.activation_bytes(model.sequence, 1, model.hidden, model.ffn, model.layers, model.gated, recompute)
    parts = (
        ("weights, gradients, optimizer", memory.training_state_bytes(model.parameters, shards)),
        ("gathered layers", memory.gathered_bytes(largest) if shards > 1 else 0.0),
        ("activations", kept),
        ("logits", memory.logits_bytes(model.sequence, 1, model.vocabulary)),
    )
    return Memory(tuple((name, size / GIB) for name, size in parts), job.rates.usable_gib)


def _layouts(job: _Job, count: int) -> Iterator[_Layout]:
    each = job.choice.accelerators_per_unit
    for shard in _divisors(count):
        for recompute in (False, True):
            held = _memory(job, shard * each, recompute)
            if held.fits:
                yield _Layout(
                    count=count,
                    shard=shard,
                    recompute=recompute,
                    memory=held,
                    compute_s=job.flops / job.tokens * job.batch_tokens / (_rate(job, recompute) * each * count),
                    network_s=_network_s(job, count, shard),
                )


def _best(job: _Job, count: int) -> _Layout | None:
    """The fastest way to spread the model; of equals the one that shards least. None when nothing fits."""
    return min(_layouts(job, count), key=lambda layout: (layout.step_s, layout.shard, layout.recompute), default=None)


def _divisors(count: int) -> list[int]:
    """Numbers of units that can hold one copy of the states, so that copies come out even."""
    small = [shard for shard in range(1, isqrt(count) + 1) if count % shard == 0]
    return sorted({*small, *(count // shard for shard in small)})


def _network_s(job: _Job, count: int, shard: int) -> float:
    """Traffic between units in one step: layers gathered twice and gradients scattered, for each micro-batch, inside a
    group that shares one copy; gradients summed once between groups. Traffic inside a unit is in the efficiency.
    """
    rate = job.rates.network_bytes_per_s
    if rate is None or count == 1:
        return 0.0
    weights = memory.weight_bytes(job.model.parameters, "bf16")
    micro_batches = ceil(job.sequences / (count * job.choice.accelerators_per_unit))
    inside = 3 * micro_batches * network.ring_gather_s(weights, shard, rate)
    return inside + network.ring_all_reduce_s(weights / shard, count // shard, rate)


def _fewest_that_fit(job: _Job) -> int:
    """Units that hold the model with activations recomputed. Raises ImpossibleError when no count does."""
    each = job.choice.accelerators_per_unit
    for count in range(1, job.most_units + 1):
        if _memory(job, count * each, recompute=True).fits:
            return count
    raise _too_big(job, job.most_units)


def _result(workload: Workload, job: _Job, layout: _Layout, binding: str) -> Sizing:
    choice, assume = job.choice, job.assume
    hosts = layout.count * choice.hosts_per_unit
    chips = layout.count * choice.accelerators_per_unit
    saved_gb = checkpoints.checkpoint_gb(job.model.parameters)
    stall_s = storage.fill_s(saved_gb, hosts, job.rates.store_gb_per_s)
    mtbf_s = checkpoints.job_mtbf_s(assume.accelerator_hours_per_failure, chips)
    interval_s = checkpoints.checkpoint_interval_s(stall_s, mtbf_s)
    good = checkpoints.goodput(stall_s, interval_s, mtbf_s, assume.restart_s)
    data_gb = job.tokens * assume.token_bytes / 1e9
    hydrate_s = storage.fill_s(data_gb, hosts, job.rates.store_gb_per_s)
    train_s = job.tokens / job.batch_tokens * layout.step_s
    seconds = hydrate_s + train_s / good if good else float("inf")
    hourly = choice.usd_per_hour(layout.count)
    return Sizing(
        workload=workload.name,
        kind=Kind.TRAIN,
        unit=choice.unit,
        count=layout.count,
        hosts=hosts,
        accelerators=chips,
        seconds=seconds,
        step_s=layout.step_s,
        memory=layout.memory,
        checkpoint_gb=saved_gb,
        checkpoint_interval_s=interval_s,
        goodput=good,
        hydrate_s=hydrate_s,
        usd_per_hour=hourly,
        usd=hourly * seconds / 3600 if known(hourly) else hourly,
        binding=binding,
        assumptions=_assumed(job, layout),
    )


def _binding(count: int, first: int, needed_for_memory: int, layout: _Layout) -> str:
    if layout.network_s > layout.compute_s:
        return "deadline, network"
    if count > 1 and count == needed_for_memory > first:
        return "memory"
    return "deadline, compute" if count > 1 else "none: one is enough"


def _assumed(job: _Job, layout: _Layout) -> tuple[str, ...]:
    assume, chip = job.assume, job.rates.accelerator
    achieved = _rate(job, layout.recompute) / 1e12
    best, peak = chip.matmul_tflops_achievable, chip.bf16_tflops_peak
    of = f"{best:.0f} achievable, {peak:.0f} peak" if known(best) else f"{peak:.0f} peak"
    kept = "recomputed from one input a layer" if layout.recompute else "kept"
    whose = "as published" if job.model.batch_tokens else "assumed"
    shared = f"{layout.shard} {job.choice.unit}" if layout.shard > 1 else f"one of the {job.choice.unit}"
    hours = assume.accelerator_hours_per_failure
    return (
        f"{achieved:.0f} TFLOPS each of {of} ({job.efficiency.source})",
        f"bf16, Adam with fp32 master weights, states sharded over {shared}, activations {kept}",
        f"{job.batch_tokens / 1e6:.3g} million tokens a step ({whose}), {job.model.sequence} a sequence",
        f"one failure in {hours:,.0f} accelerator hours, {assume.restart_s:.0f} s to restart",
        f"each machine reads the store at {job.rates.store_gb_per_s:.3g} GB/s, {assume.token_bytes} bytes a token",
        "training waits while a checkpoint is written",
        *job.rates.notes,
        job.choice.price_note,
    )


def _too_big(job: _Job, count: int) -> ImpossibleError:
    held = _memory(job, count * job.choice.accelerators_per_unit, recompute=True)
    name, size = max(held.parts_gib, key=lambda part: part[1])
    why = (
        f"{job.model.name} on {count} {job.choice.unit} is {held.need_gib - held.usable_gib:.1f} GiB over for each "
        f"{job.rates.accelerator.id} ({name}: {size:.1f} GiB)"
    )
    fix = "more units, or accelerators with more memory"
    return ImpossibleError("memory", held.need_gib, held.usable_gib, "GiB", why, fix)


def _too_many(job: _Job, count: int) -> ImpossibleError:
    why = f"one step has {job.sequences:,} sequences of {job.model.sequence}, too few for {count:,} {job.choice.unit}"
    return ImpossibleError("batch", count, job.most_units, job.choice.unit, why, f"at most {job.most_units:,}")


def _too_slow(job: _Job, result: Sizing, deadline_s: float, why: str) -> ImpossibleError:
    return _late(job, result.seconds or 0.0, deadline_s, why)


def _late(job: _Job, need_s: float, deadline_s: float, why: str) -> ImpossibleError:
    over = (need_s - deadline_s) / DAY_S
    text = f"{why}, and {job.model.name} on {job.tokens:.3g} tokens is {over:.1f} days late"
    return ImpossibleError(
        "deadline",
        need_s / DAY_S,
        deadline_s / DAY_S,
        "days",
        text,
        f"deadline: {ceil(need_s / DAY_S)}d, or fewer tokens",
    )
