"""What becomes of each find: a pure function of the state and of what the cloud lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fleetyard.recover.state import CREATING, Pending, Recorded, ids_by_type, plain


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of the stack's that the cloud lists.

    type: Pulumi's token; id: as Pulumi records it; why: what shows that it is ours; facts: inputs by which a pending
    create is known (`tags.Name`, `vpcId`); holds: what forbids its deletion; lasting: a store or a key, which
    `on_destroy: keep` leaves behind on purpose; at: whatever its deletion needs besides the id.
    """

    type: str
    id: str
    name: str
    why: str
    facts: Mapping[str, str] = field(default_factory=dict)
    holds: str = ""
    lasting: bool = False
    at: Mapping[str, str] = field(default_factory=dict)
    made: datetime | None = None
    """When, as the cloud says (aware); known for what is lasting."""
    healed_by_up: bool = False
    """The next `up` writes it again, and finds it no obstacle: known only to complete a pending create."""


class Action(StrEnum):
    """What will be done."""

    IMPORT = "import"
    DELETE = "delete"
    CLEAR = "clear"
    REFRESH = "refresh"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Decision:
    """One find, and what will be done about it."""

    action: Action
    type: str
    id: str
    name: str
    why: str
    urn: str = ""
    thing: Thing | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data, without anything from inputs."""
        return {
            "action": str(self.action),
            "type": self.type,
            "id": self.id,
            "name": self.name,
            "why": self.why,
            "urn": self.urn,
        }


def decide(
    rows: Sequence[Recorded],
    operations: Sequence[Pending],
    things: Sequence[Thing],
    ever_recorded: Callable[[Thing], bool | None],
    delete: bool,
) -> list[Decision]:
    """What to do, imports first, then what is cleared, deleted and kept, each in the order of the lists.

    ever_recorded: whether a thing stands in an earlier state of the stack; None when nobody knows. delete: remove
    pending creates' resources instead of recording them, and what may have been kept on purpose, if it is empty.
    """
    known = ids_by_type(rows)
    taken = {row.urn for row in rows if row.taken}
    left = [thing for thing in things if (thing.type, thing.id) not in known]
    decisions: list[Decision] = []
    for operation in operations:
        if operation.operation != CREATING:
            why = f"was cut off while {operation.operation}; a refresh reads what it is now"
            decisions.append(_of(Action.REFRESH, operation, operation.id, why))
            continue
        found = next((thing for thing in left if is_made_by(thing, operation)), None)
        if found is None:
            decisions.append(
                _of(Action.CLEAR, operation, "", "its creation was begun, and the cloud has nothing of it")
            )
        elif operation.urn in taken:
            why = "its creation was begun, but what it was to replace still has its place"
            decisions.append(_of(Action.CLEAR, operation, "", why))
        elif delete and not found.holds:
            decisions.append(_of(Action.CLEAR, operation, "", "its creation was begun; --delete removes what was made"))
        else:
            left.remove(found)
            why = f"its creation was begun and not recorded; {found.why}"
            decisions.append(_of(Action.IMPORT, operation, found.id, why, found))
    return decisions + [_unrecorded(thing, ever_recorded, delete) for thing in left if not thing.healed_by_up]


def _of(action: Action, operation: Pending, id: str, why: str, thing: Thing | None = None) -> Decision:
    return Decision(action, operation.type, id, operation.name, why, operation.urn, thing)


def is_made_by(thing: Thing, operation: Pending) -> bool:
    """Whether a pending create made this thing: the id that it already knows, or else every fact that both state."""
    if thing.type != operation.type:
        return False
    if operation.id:
        return thing.id == operation.id
    said = plain(operation.inputs)
    shared = thing.facts.keys() & said.keys()
    return bool(shared) and all(thing.facts[name] == said[name] for name in shared)


def _unrecorded(thing: Thing, ever_recorded: Callable[[Thing], bool | None], delete: bool) -> Decision:
    def to(action: Action, why: str) -> Decision:
        return Decision(action, thing.type, thing.id, thing.name, why, "", thing)

    if thing.holds:
        return to(Action.KEEP, f"{thing.why}; never deleted here: it {thing.holds}")
    before = ever_recorded(thing) if thing.lasting else False
    if before and not delete:
        return to(Action.KEEP, f"{thing.why}; an earlier destroy kept it on purpose. --delete removes it")
    if before is None and not delete:
        return to(Action.KEEP, f"{thing.why}; an earlier destroy may have kept it on purpose. --delete removes it")
    return to(Action.DELETE, f"{thing.why}; recorded nowhere")


def with_objects(stores: Sequence[Thing]) -> str:
    """Why the stack's keys must not go: a store with objects, which they may encrypt; empty when there is none."""
    full = [store.id for store in stores if store.holds and store.lasting]
    return f"may be what the objects of {full[0]} are encrypted with" if full else ""


def to_do(decisions: Sequence[Decision]) -> list[Decision]:
    """Without what is only shown."""
    return [each for each in decisions if each.action is not Action.KEEP]
