"""Which rung of a pool's ladder is taken, and why the ones before it were not."""

from __future__ import annotations

from collections.abc import Iterable

from fleetyard.catalog import Answer, Buy, Machine
from fleetyard.plan.model import Rung

_NAMED = {Buy.RESERVATION, Buy.CAPACITY_BLOCK, Buy.CALENDAR}


def climb(ladder: Iterable[Buy], machine: Machine | None, reservation: str | None, tpu: bool) -> tuple[Rung, ...]:
    """Take the first rung that the machine is known to be sold on and that has what it needs.

    A rung that no source says anything about is taken only when no rung after it is known to be legal: a fleet should
    not hang on a guess. TPU slices are reserved by project, so their reservations have no name to give.
    """
    judged = [(buy, *_judge(buy, machine, reservation, tpu)) for buy in ladder]
    taken = next((buy for buy, answer, _ in judged if answer is Answer.YES), None)
    if taken is None:
        taken = next((buy for buy, answer, _ in judged if answer is Answer.UNKNOWN), None)
    rungs = []
    for buy, answer, why in judged:
        if answer is Answer.UNKNOWN and buy is not taken:
            why = f"{why}; {taken} is known to be sold" if taken else why
        if answer is Answer.YES and buy is not taken:
            why = f"{taken} comes first"
        rungs.append(Rung(buy, buy is taken, why))
    return tuple(rungs)


def _judge(buy: Buy, machine: Machine | None, reservation: str | None, tpu: bool) -> tuple[Answer, str]:
    if machine is None:
        return Answer.NO, "the catalogue does not hold this machine"
    if machine.refused:
        return Answer.NO, machine.refused
    legality = machine.buy.get(buy)
    if legality is None:
        return Answer.NO, f"{machine.cloud} does not sell machines this way"
    if legality.answer is Answer.NO:
        return Answer.NO, legality.reason
    if buy in _NAMED and reservation is None and not tpu:
        return Answer.NO, "the pool names no `reservation`"
    if buy is Buy.FLEX_START:
        return Answer.NO, "flex-start is asked for with a resize request or a queue, which pools cannot make yet"
    if buy is Buy.CALENDAR and tpu:
        return Answer.NO, "a TPU node cannot name the future reservation that calendar mode makes"
    return legality.answer, legality.reason
