"""What the record says of each node: which trouble is open, how far its cure is, what comes next. Pure.

A cure is a row of steps. Every step is recorded when it is done, so that whoever comes next, after a crash too, goes on
where the last one stopped; each step may be done twice without harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fleetyard.acceptance.parsers.kernel_log import Event
from fleetyard.catalog import known
from fleetyard.health.actions import Action, Ruling
from fleetyard.health.record import Row

OPENED, DRAINED, VACATED, RESTARTED = "opened", "drained", "vacated", "restarted"
ASKED, CAME, CONFIGURED = "asked", "came", "configured"
ACCEPTED, KEPT_OUT, CLOSED = "accepted", "kept-out", "closed"
HEARD, FAILED = "heard", "failed"

STEPS: Mapping[Action, tuple[str, ...]] = {
    Action.DRAIN: (OPENED, DRAINED, VACATED, RESTARTED, ACCEPTED),
    Action.REPLACE: (OPENED, DRAINED, VACATED, ASKED, CAME, CONFIGURED, ACCEPTED),
}
"""What is done about a node, step by step. A node that is not accepted is kept out, which ends the cure as well."""
ENDS = frozenset({ACCEPTED, KEPT_OUT, CLOSED})


@dataclass(frozen=True, slots=True)
class Incident:
    """One trouble of one node.

    step: the last that was done; keys: the machines of its pool when it began;
    successor: who came in its place, name and instance.
    """

    id: str
    node: str
    instance: str
    action: Action
    why: str
    began_at: float
    step: str = OPENED
    ended_at: float | None = None
    failure: str = ""
    pool: str = ""
    keys: tuple[str, ...] = ()
    successor: tuple[str, str] | None = None

    @property
    def machine(self) -> tuple[str, str]:
        """Node and instance that it is about now."""
        return self.successor or (self.node, self.instance)

    @property
    def open(self) -> bool:
        """Whether something is still to be done."""
        return self.ended_at is None

    @property
    def next(self) -> str:
        """The step that comes now. Raises ValueError when there is none."""
        steps = STEPS[self.action]
        return steps[steps.index(self.step) + 1]


def incidents(rows: Iterable[Row]) -> tuple[Incident, ...]:
    """All incidents of a record, in the order in which they began."""
    found: dict[str, Incident] = {}
    for row in rows:
        if row.what == OPENED:
            before = found.get(row.incident)
            began = before.began_at if before else row.at
            action = action_of(row) if action_of(row) in STEPS else Action.DRAIN
            keys = tuple(map(str, row.more.get("keys", ())))
            pool = str(row.more.get("pool", ""))
            found[row.incident] = Incident(
                row.incident, row.node, row.instance, action, row.why, began, pool=pool, keys=keys
            )
        elif row.incident in found:
            found[row.incident] = _after(found[row.incident], row)
    return tuple(found.values())


def _after(incident: Incident, row: Row) -> Incident:
    if not incident.open and row.what != CLOSED:
        return incident
    if row.what == FAILED:
        return replace(incident, failure=row.why)
    if row.what in ENDS:
        return replace(incident, step=row.what, ended_at=row.at, failure="")
    if row.what not in STEPS[incident.action]:
        return incident
    changed = replace(incident, step=row.what, failure="")
    if row.what == CAME:
        return replace(changed, successor=(row.node, row.instance))
    return changed


def heard_until(rows: Iterable[Row], instance: str, booted_s: float) -> float:
    """Events of a machine that are not younger than this are known, or lie before what made it well."""
    latest = booted_s
    for row in rows:
        if row.instance == instance and row.what == HEARD:
            latest = max(latest, float(row.more.get("event_s", 0.0)))
        elif row.instance == instance and row.what in (ACCEPTED, CLOSED):
            latest = max(latest, row.at)
    return latest


def fresh_events(rulings: Iterable[Ruling], events: Sequence[Event], after_s: float) -> tuple[Ruling, ...]:
    """Those rulings to which an event younger than that has led. Older events count for repetition alone."""
    young = {_about(event) for event in events if known(event.seconds) and event.seconds > after_s}
    return tuple(ruling for ruling in rulings if (ruling.kind, ruling.device, ruling.code) in young)


def _about(event: Event) -> tuple[str, str, int | None]:
    return ("link" if event.kind.startswith("link") else event.kind, event.device, event.code)


def fresh_signs(rulings: Iterable[Ruling], rows: Iterable[Row], instance: str) -> tuple[Ruling, ...]:
    """Those signs that were not heard of since the machine was last well: a sign is there at every look."""
    said: set[tuple[str, str]] = set()
    for row in rows:
        if row.instance == instance and row.what in (ACCEPTED, CLOSED):
            said.clear()
        elif row.instance == instance and row.what == HEARD:
            said.add((str(row.more.get("device")), str(row.more.get("title"))))
    return tuple(ruling for ruling in rulings if (ruling.device, ruling.title) not in said)


def due(rows: Sequence[Row], instance: str) -> Row | None:
    """What was heard for which an incident is opened, or an open one made heavier; None when there is nothing to do.

    Everything counts that was heard since the machine was last well, also by somebody who only watched. A machine that
    is kept out already is given back when that is what is due, and is left alone otherwise.
    """
    found: list[Row] = []
    for row in rows:
        if row.instance == instance and row.what in (ACCEPTED, CLOSED):
            found.clear()
        elif row.instance == instance and row.what == HEARD and action_of(row) in STEPS:
            found.append(row)
    if not found:
        return None
    heaviest = max(found, key=lambda row: action_of(row).weight)
    last = next((each for each in reversed(incidents(rows)) if each.instance == instance), None)
    taken_out = last is not None and (last.open or last.step == KEPT_OUT)
    if last is not None and taken_out and last.action.weight >= action_of(heaviest).weight:
        return None
    return heaviest


def action_of(row: Row) -> Action:
    """What a row says is to be done; ignore where it says nothing that is known."""
    said = str(row.more.get("action", ""))
    return Action(said) if said in set(Action) else Action.IGNORE


def name_of(before: Iterable[Incident], instance: str) -> str:
    """The id of the incident of a machine that is to be opened: the open one's own when it grows heavier."""
    of_it = [each for each in before if each.instance == instance]
    if of_it and of_it[-1].open:
        return of_it[-1].id
    return f"{instance or 'node'}/{len(of_it) + 1}"
