"""Choosing what to train on: the whole space, the Pareto front over time, cost and carbon, and why everything else
lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from fleetyard.catalog import Catalog, catalog
from fleetyard.sizing.assumptions import Assumptions, assumptions
from fleetyard.sizing.intervals import extrapolates, plan_half_width
from fleetyard.sizing.models import Model
from fleetyard.sizing.offers import Offer, Refused, Wanted, offers
from fleetyard.sizing.outcome import Outcome, Vector, outcome
from fleetyard.sizing.result import ImpossibleError, plain
from fleetyard.sizing.space import ROOM, Best, Ground, best, layout_text

MORE = 1.10
"""How far a constraint is relaxed to say what that buys."""

GROWTH = 1.12
"""Between counts that are looked at; around the chosen one every count is."""

EVERY = 24
DAY_S = 86400.0

OBJECTIVES = ("cost", "time", "carbon")


@dataclass(frozen=True, slots=True)
class Question:
    """A training run to choose machines for. Limits that are None do not bind; `by` is what is made small."""

    model: Model
    tokens: float
    deadline_s: float | None = None
    budget_usd: float | None = None
    carbon_kg: float | None = None
    wanted: Wanted = field(default_factory=Wanted)
    precisions: tuple[str, ...] = ("bf16",)
    batch_tokens: int | None = None
    sequence: int | None = None
    most_chips: int = 16_384
    by: str = "cost"


@dataclass(frozen=True, slots=True)
class Row:
    """One fleet: what it is, how long it takes (expected, and at the upper end of the interval), what it costs and
    emits.

    usd, kwh and carbon_kg are None where a fact behind them is unknown; parts: GiB on one chip.
    """

    machine: str
    cloud: str
    region: str
    buy: str
    chip: str
    units: int
    unit: str
    chips: int
    precision: str
    layout: str
    step_s: float
    step_low_s: float
    step_high_s: float
    seconds: float
    sure_s: float
    goodput: float
    usd: float | None
    kwh: float | None
    carbon_kg: float | None
    bound_by: str
    memory_gib: float
    usable_gib: float
    parts: tuple[tuple[str, float], ...]
    extrapolated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """An alternative and why it was not taken."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What giving one constraint a tenth more buys."""

    constraint: str
    buys: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The chosen fleet, the Pareto front, why the others lost, what binds, and how large the space was."""

    chosen: Row
    front: tuple[Row, ...]
    lost: tuple[Lost, ...]
    binding: str
    relaxed: tuple[Relaxed, ...]
    rows: tuple[Row, ...]
    plans: int


@dataclass(frozen=True, slots=True)
class _Field:
    """Everything that one offer can do in one precision."""

    offer: Offer
    precision: str
    sequence: int
    found: Best
    out: Outcome
    slower: Vector

    @property
    def name(self) -> str:
        return f"{self.offer.name} in {self.offer.choice.region} ({self.offer.buy.value}, {self.precision})"


def choose(question: Question, facts: Catalog | None = None, assume: Assumptions | None = None) -> Answer:
    """The best fleet for a question. Raises ImpossibleError when there is none: the constraint that fails, by how much,
    and the nearest fleet; ValueError for numbers that cannot be meant.
    """
    _check(question)
    facts, assume = facts or catalog(), assume or assumptions()
    found, refused = offers(facts, question.wanted)
    if not found:
        why = (
            "; ".join(f"{each.name}: {each.why}" for each in refused[:4]) or "nothing that is allowed has accelerators"
        )
        raise ImpossibleError(
            "machines", 1, 0, "machines to choose from", why, "allow more machines, regions or ways to buy"
        )
    fields = _fields(question, found, assume)
    picked = _pick(question, fields)
    if picked is None:
        raise _nearest(question, fields)
    chosen = _row(*picked)
    meeting = [_row(each, index) for each in fields for index in _feasible(question, each)]
    reasons = ((each.name, _why(question, each, picked)) for each in fields)
    lost = [Lost(name, why) for name, why in reasons if why is not None]
    lost += [Lost(one.name, one.why) for one in refused]
    return Answer(
        chosen=chosen,
        front=pareto(meeting),
        lost=tuple(lost),
        binding=_binding(question, fields, picked),
        relaxed=tuple(_relaxed(question, fields, chosen)),
        rows=tuple(meeting),
        plans=sum({id(each.found): each.found.evaluated for each in fields}.values()),
    )


def _check(question: Question) -> None:
    numbers = {
        "tokens": question.tokens,
        "deadline": question.deadline_s,
        "budget": question.budget_usd,
        "carbon": question.carbon_kg,
        "batch_tokens": question.batch_tokens,
        "sequence": question.sequence,
        "most_chips": question.most_chips,
    }
    for name, value in numbers.items():
        if value is not None and not (isfinite(value) and 0 < value < 1e18):
            raise ValueError(f"{name}: {value} is no number between 0 and 1e18")
    if question.by not in OBJECTIVES:
        raise ValueError(f"by: {question.by!r} is none of {', '.join(OBJECTIVES)}")
    if not question.precisions:
        raise ValueError("precisions: at least one")


def _fields(question: Question, found: Sequence[Offer], assume: Assumptions) -> list[_Field]:
    model = question.model
    sequence = question.sequence or model.sequence
    batch_tokens = question.batch_tokens or model.batch_tokens or assume.batch_tokens
    batch = float(max(1, batch_tokens // sequence))
    steps = question.tokens / (batch * sequence)
    done: dict[tuple[object, ...], tuple[Best, Vector]] = {}
    fields = []
    for offer in found:
        each = offer.choice.accelerators_per_unit
        counts = np.array(_counts(max(1, question.most_chips // each)), dtype=np.intp)
        for precision in question.precisions:
            if precision != "bf16" and offer.chip.peak["fp8"] <= offer.chip.peak["bf16"]:
                continue
            key = (offer.chip.id, offer.chip.domain, offer.nic, each, precision)
            ground = Ground(model, offer.chip, precision, offer.nic, sequence, batch)
            if key not in done:
                bests = best(ground, [int(count) * each for count in counts])
                done[key] = bests, np.exp(plan_half_width(ground, bests.chips))
            bests, slower = done[key]
            out = outcome(offer, counts, bests.step_s, slower, model, steps, assume)
            fields.append(_Field(offer, precision, sequence, bests, out, slower))
    return fields


def _counts(most: int) -> list[int]:
    counts = list(range(1, min(EVERY, most) + 1))
    while counts[-1] < most:
        counts.append(min(most, max(counts[-1] + 1, int(counts[-1] * GROWTH))))
    powers = (2**power for power in range(most.bit_length()))
    return sorted({*counts, *powers})


def _value(each: _Field, index: int, by: str) -> float:
    """What is made small; infinite where it is unknown, so that an unknown never wins."""
    known = {"cost": each.out.usd, "time": each.out.sure_s, "carbon": each.out.carbon_kg}[by]
    return float("inf") if known is None else float(known[index])


def _limits(question: Question, each: _Field) -> list[tuple[str, Vector | None, float]]:
    found: list[tuple[str, Vector | None, float | None]] = [
        ("deadline", each.out.sure_s, question.deadline_s),
        ("budget", each.out.usd, question.budget_usd),
        ("carbon", each.out.carbon_kg, question.carbon_kg),
    ]
    return [(name, values, limit) for name, values, limit in found if limit is not None]


def _feasible(question: Question, each: _Field) -> list[int]:
    """Counts that fit and keep every limit. A limit on something unknown is not kept."""
    fine = np.isfinite(each.out.sure_s)
    for _, values, limit in _limits(question, each):
        fine &= values <= limit if values is not None else False
    return [int(index) for index in np.flatnonzero(fine)]


def _pick(question: Question, fields: Iterable[_Field]) -> tuple[_Field, int] | None:
    """The best feasible fleet; of equals the one with fewer chips. None where nothing is feasible or all are
    unknown."""
    options = [
        (_value(each, index, question.by), float(each.found.chips[index]), place, index, each)
        for place, each in enumerate(fields)
        for index in _feasible(question, each)
    ]
    options = [option for option in options if isfinite(option[0])]
    if not options:
        return None
    least = min(options, key=lambda option: option[:4])
    return least[4], least[3]


def _row(each: _Field, index: int) -> Row:
    offer, out, found = each.offer, each.out, each.found
    step = float(found.step_s[index])
    return Row(
        machine=offer.name,
        cloud=offer.choice.machine.cloud.value,
        region=offer.choice.region,
        buy=offer.buy.value,
        chip=offer.chip.id,
        units=int(out.counts[index]),
        unit=offer.choice.unit,
        chips=int(found.chips[index]),
        precision=each.precision,
        layout=layout_text(found.shape[index], float(found.chips[index])),
        step_s=step,
        step_low_s=step / float(each.slower[index]),
        step_high_s=step * float(each.slower[index]),
        seconds=float(out.seconds[index]),
        sure_s=float(out.sure_s[index]),
        goodput=float(out.goodput[index]),
        usd=None if out.usd is None else float(out.usd[index]),
        kwh=None if out.kwh is None else float(out.kwh[index]),
        carbon_kg=None if out.carbon_kg is None else float(out.carbon_kg[index]),
        bound_by=found.bound_by(index),
        memory_gib=float(found.memory[index].sum()),
        usable_gib=found.have * ROOM,
        parts=tuple(found.parts(index).items()),
        extrapolated=extrapolates(offer.chip.id, float(found.chips[index]), each.sequence),
    )


def pareto(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows that no other row beats in time, cost and carbon at once, fastest first. Unknown counts as worst."""

    def point(row: Row) -> tuple[float, float, float]:
        worst = float("inf")
        return row.sure_s, worst if row.usd is None else row.usd, worst if row.carbon_kg is None else row.carbon_kg

    ordered = sorted(rows, key=lambda row: (*point(row), row.chips, row.machine))
    front: list[Row] = []
    for row in ordered:
        here = point(row)
        if not any(all(a <= b for a, b in zip(point(other), here, strict=True)) for other in front):
            front.append(row)
    return tuple(front)


def _why(question: Question, each: _Field, picked: tuple[_Field, int]) -> str | None:
    """Why an offer was not taken; None for the one that was."""
    winner, place = picked
    if each is winner:
        return None
    fits = np.isfinite(each.out.sure_s)
    if not fits.any():
        return _misfit(each)
    usable = _feasible(question, each)
    if not usable:
        return _misses(question, each, fits)
    value = min(_value(each, index, question.by) for index in usable)
    if not isfinite(value):
        unknown = "price" if question.by == "cost" else "power or grid intensity"
        return f"its {unknown} is unknown, and unknown never wins"
    best_value = _value(winner, place, question.by)
    over = value / best_value - 1
    words = {"cost": f"${value:,.0f}", "time": f"{value / DAY_S:.1f} days", "carbon": f"{value:,.0f} kg CO2e"}[
        question.by
    ]
    return f"{words} at best, {over:.0%} more" if over >= 0.005 else f"{words} at best, the same with more chips"


def _misfit(each: _Field) -> str:
    least = float(np.min(each.found.need))
    have = each.found.have * ROOM
    if not isfinite(least):
        return "no legal layout of this model and batch on so few chips"
    if least <= have:
        return "no number of them divides the batch"
    return f"does not fit: {least:.1f} GiB needed of {have:.1f} GiB on each chip, in the layout that needs least"


def _misses(question: Question, each: _Field, fits: NDArray[np.bool_]) -> str:
    reasons = []
    for name, values, limit in _limits(question, each):
        if values is None:
            reasons.append(f"its {'price' if name == 'budget' else 'carbon'} is unknown, so the {name} cannot be held")
            continue
        least = float(np.min(values[fits]))
        if least > limit:
            over = {
                "deadline": f"{(least - limit) / DAY_S:.1f} days late at its fastest",
                "budget": f"${least - limit:,.0f} over the budget at its cheapest",
                "carbon": f"{least - limit:,.0f} kg CO2e over the limit at its cleanest",
            }[name]
            reasons.append(over)
    return "; ".join(reasons) or _together(question, each, fits)


def _together(question: Question, each: _Field, fits: NDArray[np.bool_]) -> str:
    """By how much limits miss that can be kept one by one and not at once: the last of them, where the others hold."""
    *others, (name, values, limit) = _limits(question, each)
    for _, other, bound in others:
        if other is not None:
            fits = fits & (other <= bound)
    held = " and ".join(name for name, _, _ in others)
    if values is None or not fits.any():
        return "no number of them keeps all limits at once"
    over = float(np.min(values[fits])) - limit
    amount = f"${over:,.0f}" if name == "budget" else f"{over:,.0f} kg CO2e"
    return f"{amount} over the {name} where the {held} is kept"


def _binding(question: Question, fields: Sequence[_Field], picked: tuple[_Field, int]) -> str:
    """The limit without which another fleet would be chosen, else memory or nothing."""
    each, index = picked
    for name, free in (
        ("deadline", replace(question, deadline_s=None)),
        ("budget", replace(question, budget_usd=None)),
        ("carbon", replace(question, carbon_kg=None)),
    ):
        if free == question:
            continue
        other = _pick(free, fields)
        if other is not None and (other[0] is not each or other[1] != index):
            return f"{name}, {each.found.bound_by(index)}"
    fewer = np.isfinite(each.out.sure_s[:index])
    return (
        "memory"
        if index and not fewer.any()
        else f"none: the best is inside every limit ({each.found.bound_by(index)})"
    )


def _relaxed(question: Question, fields: Sequence[_Field], chosen: Row) -> Iterable[Relaxed]:
    """What ten per cent more of each limit buys."""
    changes: list[tuple[str, float | None, Callable[[float], Question]]] = [
        ("deadline", question.deadline_s, lambda value: replace(question, deadline_s=value)),
        ("budget", question.budget_usd, lambda value: replace(question, budget_usd=value, by="time")),
        ("carbon", question.carbon_kg, lambda value: replace(question, carbon_kg=value)),
    ]
    for name, limit, change in changes:
        if limit is None:
            continue
        before = _pick(change(limit), fields)
        after = _pick(change(limit * MORE), fields)
        if before is None or after is None:
            continue
        old, new = _row(*before), _row(*after)
        buys = _difference(old, new)
        fastest = name == "budget" and question.by != "time" and buys != "nothing"
        yield Relaxed(name, f"the fastest fleet {buys}" if fastest else buys)


def _difference(old: Row, new: Row) -> str:
    parts = []
    if old.usd is not None and new.usd is not None and abs(new.usd - old.usd) > 0.005 * old.usd:
        parts.append(f"${abs(new.usd - old.usd):,.0f} {'less' if new.usd < old.usd else 'more'}")
    if abs(new.sure_s - old.sure_s) > 0.005 * old.sure_s:
        parts.append(f"{abs(new.sure_s - old.sure_s) / DAY_S:.1f} days {'less' if new.sure_s < old.sure_s else 'more'}")
    if not parts:
        return "nothing"
    return f"{', '.join(parts)}, with {new.units} {new.machine} instead of {old.units} {old.machine}"


def _nearest(question: Question, fields: Sequence[_Field]) -> ImpossibleError:
    """Why nothing is feasible: the limit that fails, by how much, and the fleet that comes nearest."""
    fitting = [each for each in fields if np.isfinite(each.out.sure_s).any()]
    if not fitting:
        each = min(fields, key=lambda one: float(np.min(one.found.need)) / one.found.have)
        need, have = float(np.min(each.found.need)), each.found.have * ROOM
        why = f"{question.model.name} fits nothing that is allowed; nearest is {each.name}"
        return ImpossibleError("memory", need, have, "GiB", why, "accelerators with more memory, or more of them")
    for name, limit, unit, scale in (
        ("deadline", question.deadline_s, "days", DAY_S),
        ("budget", question.budget_usd, "dollars", 1.0),
        ("carbon", question.carbon_kg, "kg CO2e", 1.0),
    ):
        if limit is None:
            continue
        alone = replace(
            question,
            deadline_s=limit if name == "deadline" else None,
            budget_usd=limit if name == "budget" else None,
            carbon_kg=limit if name == "carbon" else None,
            by={"deadline": "time", "budget": "cost", "carbon": "carbon"}[name],
        )
        if _pick(alone, fields) is not None:
            continue
        free = replace(alone, deadline_s=None, budget_usd=None, carbon_kg=None)
        near = _pick(free, fields)
        if near is None:
            why = f"nobody published what a limit on {name} needs, for anything that is allowed"
            return ImpossibleError(name, limit / scale, 0, unit, why, f"no {name}, or other machines or regions")
        row = _row(*near)
        need = _value(near[0], near[1], free.by) / scale
        why = f"the nearest fleet is {row.units} {row.machine} in {row.region} ({row.buy}, {row.precision})"
        return ImpossibleError(name, need, limit / scale, unit, why, f"{name}: {plain(need)} {unit}")
    priced = _pick(replace(question, by="time"), fields)
    if priced is not None:
        row = _row(*priced)
        why = f"nothing that keeps the limits has a known {'price' if question.by == 'cost' else 'carbon'}"
        fix = f"choose by time: {row.units} {row.machine} in {row.region} takes {row.sure_s / DAY_S:.1f} days"
        return ImpossibleError(question.by, 1, 0, "known values", why, fix)
    return _not_at_once(question, fields)


def _not_at_once(question: Question, fields: Sequence[_Field]) -> ImpossibleError:
    """Limits that can each be kept alone: the best fleet where the last of them is lifted, and by how much it
    misses."""
    why = "each limit can be kept alone, but not all of them at once"
    for name, limit, by, unit, lifted in (
        ("budget", question.budget_usd, "cost", "dollars", replace(question, budget_usd=None, by="cost")),
        ("carbon", question.carbon_kg, "carbon", "kg CO2e", replace(question, carbon_kg=None, by="carbon")),
    ):
        near = None if limit is None else _pick(lifted, fields)
        if near is not None and limit is not None:
            row, need = _row(*near), _value(near[0], near[1], by)
            why = f"{why}; nearest is {row.units} {row.machine} in {row.region} ({row.buy}, {row.precision})"
            return ImpossibleError(name, need, limit, unit, why, f"{name}: {plain(need)} {unit}, or a later deadline")
    return ImpossibleError("limits", 1, 0, "fleets", why, "a later deadline, or a larger budget")


__all__ = ["OBJECTIVES", "Answer", "Lost", "Question", "Refused", "Relaxed", "Row", "choose", "pareto"]
