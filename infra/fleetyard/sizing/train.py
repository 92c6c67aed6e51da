"""Sizing of training: the fewest units that meet the deadline, in the layout that the performance model finds
fastest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, exp

from fleetyard.catalog import Unknown, known
from fleetyard.sizing import checkpoints, energy, storage
from fleetyard.sizing.assumptions import Assumptions
from fleetyard.sizing.hardware import Chip, chip_of
from fleetyard.sizing.intervals import extrapolates, plan_half_width
from fleetyard.sizing.machine import Rates, rates, require_format
from fleetyard.sizing.models import Model
from fleetyard.sizing.result import Choice, ImpossibleError, Kind, Memory, Sizing, Workload
from fleetyard.sizing.space import ROOM, Best, Ground, best, layout_text

DAY_S = 86400.0

SMALL = 64
"""So many counts from the least are looked at one by one, more in steps of STEP and then one by one where it matters.
"""

STEP = 1.05

TOGETHER = 24
"""Counts looked at in one go: enough to fill vectors, few enough to stop early."""

MACHINE_DOMAIN = 16
"""Scale-up domains up to this end at the machine; larger ones are racks (NVL72) or slices."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What stays the same for every count."""

    model: Model
    tokens: float
    batch_tokens: int
    deadline_s: float
    choice: Choice
    rates: Rates
    ground: Ground
    assume: Assumptions

    @property
    def sequences(self) -> int:
        """Sequences of one optimizer step."""
        return max(1, self.batch_tokens // self.model.sequence)

    @property
    def most_units(self) -> int:
        """Units beyond which chips would find no sequence to work on, however many share one."""
        sharing = min(self.assume.tensor_parallel, self.choice.accelerators_per_unit)
        return max(1, self.sequences * sharing // self.choice.accelerators_per_unit)


@dataclass(frozen=True, slots=True)
class _Row:
    """The best layout of one count."""

    count: int
    found: Best
    index: int

    @property
    def step_s(self) -> float:
        """One optimizer step."""
        return float(self.found.step_s[self.index])

    @property
    def fits(self) -> bool:
        """Whether any layout is legal and fits."""
        return self.step_s != float("inf")


def size_training(workload: Workload, model: Model, choice: Choice, assume: Assumptions) -> Sizing:
    """The fewest machines or slices that train `model` on the workload's tokens by its deadline.

    With `choice.count` set, the prediction for that count. Raises ImpossibleError, naming the constraint that fails, by
    how much, and the nearest plan; ValueError when tokens or deadline are missing.
    """
    if workload.tokens is None or workload.deadline_s is None:
        raise ValueError("a training workload needs tokens and a deadline")
    job = _job(workload, model, choice, assume)
    if choice.count is not None:
        if choice.count > job.most_units:
            raise _too_many(job, choice.count)
        (row,) = _rows(job, [choice.count])
        if not row.fits:
            raise _too_big(job, [row])
        result = _result(workload, job, row, binding="the count is fixed")
        if result.seconds_high is None or result.seconds_high > job.deadline_s:
            raise _too_slow(job, result, f"{choice.count} {choice.unit} are fixed")
        return result
    return _fewest(workload, job)


def _fewest(workload: Workload, job: _Job) -> Sizing:
    coarse: list[_Row] = []
    meets: _Row | None = None
    counts = _counts(_at_least(job), job.most_units)
    for begin in range(0, len(counts), TOGETHER):
        coarse += _rows(job, counts[begin : begin + TOGETHER])
        meets = next((row for row in coarse if row.fits and _sure_s(job, row) <= job.deadline_s), None)
        if meets is not None:
            break
    fitting = [row for row in coarse if row.fits]
    if not fitting:
        raise _too_big(job, coarse)
    if meets is None:
        fastest = min(fitting, key=lambda row: _sure_s(job, row))
        best_of = f"the fastest is {fastest.count} {job.choice.unit}"
        raise _too_slow(job, _result(workload, job, fastest, ""), best_of)
    before = max((row.count for row in coarse if row.count < meets.count), default=_at_least(job) - 1)
    between = _rows(job, range(before + 1, meets.count)) if before + 1 < meets.count else []
    row = next((each for each in between if each.fits and _sure_s(job, each) <= job.deadline_s), meets)
    return _result(workload, job, row, _binding(row, row.count == fitting[0].count))


def _job(workload: Workload, model: Model, choice: Choice, assume: Assumptions) -> _Job:
    found = rates(choice, assume)
    chip = chip_of(found.accelerator)
    if chip is None:
        why = f"too little is published about {found.accelerator.id} to predict its time"
        raise ImpossibleError("facts", 1, 0, "published rates", why, "write a count instead of `sized`")
    require_format(chip, workload.precision)
    batch = model.batch_tokens or assume.batch_tokens
    nic = found.network_bytes_per_s / choice.accelerators_per_unit if found.network_bytes_per_s else None
    sequences = max(1, batch // model.sequence)
    ground = Ground(model, standing(chip, choice), workload.precision, nic, model.sequence, float(sequences))
    return _Job(
        model,
        workload.tokens or 0.0,
        batch,
        workload.deadline_s or 0.0,
        choice,
        found,
        ground,
        assume,
    )


def standing(chip: Chip, choice: Choice) -> Chip:
    """A chip as it stands in a machine or slice: its links reach no further than these, unless racks join machines."""
    each = choice.accelerators_per_unit
    return replace(chip, domain=each if choice.shape or chip.domain <= MACHINE_DOMAIN else chip.domain)


def _at_least(job: _Job) -> int:
    """Units below which even the printed peak would be too slow, at most what the batch allows."""
    model, chip = job.model, job.ground.chip
    work = 6 * (model.active_parameters - model.table_parameters) * job.tokens
    units = work / (chip.peak[job.ground.precision] * job.choice.accelerators_per_unit * job.deadline_s)
    return min(job.most_units, max(1, int(units)))


def _counts(least: int, most: int) -> list[int]:
    counts = list(range(least, min(least + SMALL, most) + 1))
    while counts[-1] < most:
        counts.append(min(most, max(counts[-1] + 1, int(counts[-1] * STEP))))
    return counts


def _rows(job: _Job, counts: Iterable[int]) -> list[_Row]:
    listed = list(counts)
    found = best(job.ground, [count * job.choice.accelerators_per_unit for count in listed])
    return [_Row(count, found, index) for index, count in enumerate(listed)]


@dataclass(frozen=True, slots=True)
class _Upkeep:
    """What a run needs besides its steps. Seconds and decimal GB."""

    saved_gb: float
    interval_s: float
    good: float
    hydrate_s: float


def _upkeep(job: _Job, count: int) -> _Upkeep:
    choice, assume = job.choice, job.assume
    hosts, chips = count * choice.hosts_per_unit, count * choice.accelerators_per_unit
    saved_gb = checkpoints.checkpoint_gb(job.model.parameters)
    stall_s = storage.fill_s(saved_gb, hosts, job.rates.store_gb_per_s)
    mtbf_s = checkpoints.job_mtbf_s(assume.accelerator_hours_per_failure, chips)
    interval_s = checkpoints.checkpoint_interval_s(stall_s, mtbf_s)
    good = checkpoints.goodput(stall_s, interval_s, mtbf_s, assume.restart_s)
    data_gb = job.tokens * assume.token_bytes / 1e9
    return _Upkeep(saved_gb, interval_s, good, storage.fill_s(data_gb, hosts, job.rates.store_gb_per_s))


def _sure_s(job: _Job, row: _Row) -> float:
    """Wall-clock of the whole run at the upper end of the 80 % interval: what a deadline is held against."""
    return _seconds(job, row, _slower(job, row))


def _slower(job: _Job, row: _Row) -> float:
    """The upper end of the interval of a step against the step itself."""
    return exp(float(plan_half_width(job.ground, row.found.chips[row.index])))


def _seconds(job: _Job, row: _Row, slower: float = 1.0) -> float:
    """Wall-clock of the whole run, with steps `slower` times as long as predicted."""
    upkeep = _upkeep(job, row.count)
    train_s = job.tokens / job.batch_tokens * row.step_s * slower
    return upkeep.hydrate_s + train_s / upkeep.good if upkeep.good else float("inf")


def _result(workload: Workload, job: _Job, row: _Row, binding: str) -> Sizing:
    choice = job.choice
    upkeep, seconds = _upkeep(job, row.count), _seconds(job, row)
    chips = row.count * choice.accelerators_per_unit
    hourly = choice.usd_per_hour(row.count)
    place = energy.site(choice.machine.cloud, choice.region) if choice.region else None
    kwh = _kwh(job, chips, seconds, place)
    return Sizing(
        workload=workload.name,
        kind=Kind.TRAIN,
        unit=choice.unit,
        count=row.count,
        hosts=row.count * choice.hosts_per_unit,
        accelerators=chips,
        seconds=seconds,
        seconds_high=_sure_s(job, row),
        step_s=row.step_s,
        step_low_s=row.step_s / _slower(job, row),
        step_high_s=row.step_s * _slower(job, row),
        layout=layout_text(row.found.shape[row.index], chips),
        memory=Memory(tuple(row.found.parts(row.index).items()), row.found.have * ROOM),
        checkpoint_gb=upkeep.saved_gb,
        checkpoint_interval_s=upkeep.interval_s,
        goodput=upkeep.good,
        hydrate_s=upkeep.hydrate_s,
        usd_per_hour=hourly,
        usd=hourly * seconds / 3600 if known(hourly) else hourly,
        kwh=kwh,
        carbon_kg=energy.carbon_kg(kwh, place.grams_per_kwh)
        if place is not None and known(kwh) and known(place.grams_per_kwh)
        else Unknown("no grid intensity of the region, or no rated power of the chip, in the sources"),
        binding=binding,
        assumptions=_assumed(job, row),
    )


def _kwh(job: _Job, chips: int, seconds: float, place: energy.Site | None) -> float | Unknown:
    watts = job.ground.chip.watts
    if watts is None or place is None:
        return Unknown(f"nobody published the power of {job.rates.accelerator.id}")
    return energy.fleet_kw(chips, watts, place.overhead) * seconds / 3600


def _binding(row: _Row, fewest: bool) -> str:
    if row.count == 1:
        return "none: one is enough"
    if fewest:
        return "memory"
    return f"deadline, {row.found.bound_by(row.index)}"


def _assumed(job: _Job, row: _Row) -> tuple[str, ...]:
    assume, chip, form = job.assume, job.ground.chip, job.ground.precision
    whose = "as published" if job.model.batch_tokens else "assumed"
    hours = assume.accelerator_hours_per_failure
    chips = row.count * job.choice.accelerators_per_unit
    flops = 6 * job.model.active_parameters * job.batch_tokens / row.step_s / chips / 1e12
    return (
        f"{flops:.0f} TFLOPS each of {chip.matmul[form] / 1e12:.0f} achievable, {chip.peak[form] / 1e12:.0f} peak; "
        f"80 % interval of a step {row.step_s / _slower(job, row):.3g} "
        f"to {row.step_s * _slower(job, row):.3g} s",
        f"{job.ground.precision}, Adam with fp32 master weights, software of early 2026",
        f"{job.batch_tokens / 1e6:.3g} million tokens a step ({whose}), {job.model.sequence} a sequence",
        f"one failure in {hours:,.0f} accelerator hours, {assume.restart_s:.0f} s to restart",
        f"each machine reads the store at {job.rates.store_gb_per_s:.3g} GB/s, {assume.token_bytes} bytes a token",
        "training waits while a checkpoint is written",
        *extrapolates(chip.id, chips, job.model.sequence),
        *job.rates.notes,
        job.choice.price_note,
    )


def _too_big(job: _Job, rows: Sequence[_Row]) -> ImpossibleError:
    row = min(rows, key=lambda each: float(each.found.need[each.index]))
    need, have = float(row.found.need[row.index]), row.found.have * ROOM
    if need == float("inf"):
        why = f"no layout of {row.count} {job.choice.unit} divides {job.model.name} and its batch"
        return ImpossibleError(
            "layout", 1, 0, "legal layouts", why, "a count with small factors, such as a power of two"
        )
    why = (
        f"{job.model.name} on {row.count} {job.choice.unit} is {need - have:.1f} GiB over for each "
        f"{job.rates.accelerator.id} in the layout that needs least"
    )
    return ImpossibleError("memory", need, have, "GiB", why, "more units, or accelerators with more memory")


def _too_many(job: _Job, count: int) -> ImpossibleError:
    why = f"one step has {job.sequences:,} sequences of {job.model.sequence}, too few for {count:,} {job.choice.unit}"
    return ImpossibleError("batch", count, job.most_units, job.choice.unit, why, f"at most {job.most_units:,}")


def _too_slow(job: _Job, result: Sizing, why: str) -> ImpossibleError:
    need_s = result.seconds_high or 0.0
    over = (need_s - job.deadline_s) / DAY_S
    late = f"{over:.1f} days late at the upper end of the 80 % interval"
    text = f"{why}, and {job.model.name} on {job.tokens:.3g} tokens is {late}"
    fix = f"deadline: {ceil(need_s / DAY_S)}d, or fewer tokens"
    return ImpossibleError("deadline", need_s / DAY_S, job.deadline_s / DAY_S, "days", text, fix)
