"""What a preview found, as data. Nothing here holds a property's value: a comment on a pull request is public."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Op(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


class Outcome(StrEnum):
    """What could be said about a stack."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    """Nothing that the stack is made of differs, so nothing was run."""
    NEW = "new"
    REMOVED = "removed"
    """The stack file is gone. Nothing is destroyed by that; what stands keeps standing."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource. `because`: the properties that force a replacement; `changed`: all that differ, as dotted paths.

    `follows`: it is replaced only since what it refers to is (every property in `because` is known after that).
    """

    op: Op
    type: str
    name: str
    because: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What a version of a stack amounts to. usd_per_hour: None where a price is not known or nobody could tell."""

    accelerators: int | None = None
    usd_per_hour: float | None = None
    findings: tuple[str, ...] = ()
    errors: int = 0
    warnings: int = 0


@dataclass(frozen=True, slots=True)
class StackChange:
    """One stack, before and after."""

    stack: str
    outcome: Outcome
    resources: tuple[ResourceChange, ...] = ()
    before: Facts = field(default_factory=Facts)
    after: Facts = field(default_factory=Facts)
    problems: tuple[str, ...] = ()
    """Why the base could not be brought up, or the head not be previewed."""

    def count(self, op: Op) -> int:
        """How many resources it happens to."""
        return sum(resource.op is op for resource in self.resources)

    def of(self, op: Op) -> list[ResourceChange]:
        """The resources it happens to, in the order of type and name; what only follows from another comes last."""
        return sorted((r for r in self.resources if r.op is op), key=lambda r: (r.follows, r.type, r.name))


@dataclass(frozen=True, slots=True)
class Preview:
    """All stacks. `where`: `simulated`, or the account that was looked at."""

    base: str
    head: str
    where: str
    stacks: tuple[StackChange, ...]

    def failed(self) -> bool:
        """Whether a stack of the head cannot be previewed or has errors."""
        return any(stack.outcome is Outcome.FAILED or stack.after.errors for stack in self.stacks)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for `--json`."""
        return asdict(self)


_OPS = {
    "create": Op.CREATE,
    "update": Op.UPDATE,
    "replace": Op.REPLACE,
    "create-replacement": Op.REPLACE,
    "delete-replaced": Op.REPLACE,
    "delete": Op.DELETE,
    "import": Op.CREATE,
    "discard": Op.DELETE,
}


def changes_of(steps: Iterable[Mapping[str, Any]]) -> tuple[ResourceChange, ...]:
    """The resources that the steps of `pulumi preview --json` touch. A replacement is one change, however many steps.

    The stack itself and the providers are left out: they are nothing that anybody pays for or loses.
    """
    found: dict[str, ResourceChange] = {}
    for step in steps:
        op = _OPS.get(str(step.get("op")))
        urn = str(step.get("urn", ""))
        kind, _, name = urn.split("::", 2)[-1].split("$")[-1].partition("::")
        if op is None or kind.startswith("pulumi:") or (op is not Op.REPLACE and urn in found):
            continue
        because = tuple(sorted({*(step.get("replaceReasons") or ()), *(found[urn].because if urn in found else ())}))
        differing = {*(step.get("detailedDiff") or ()), *(step.get("diffReasons") or ())} - {"__provider"}
        before = found[urn].changed if urn in found else ()
        follows = (found[urn].follows if urn in found else False) or _follows(step)
        found[urn] = ResourceChange(op, kind, name, because, _outermost({*differing, *before}), follows)
    return tuple(found.values())


_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a value that is known only after the update."""


def _follows(step: Mapping[str, Any]) -> bool:
    reasons = step.get("replaceReasons") or ()
    inputs = (step.get("newState") or {}).get("inputs") or {}
    roots = [reason.partition(".")[0].partition("[")[0] for reason in reasons]
    return bool(roots) and all(_UNKNOWN in json.dumps(inputs.get(root)) for root in roots)


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Of paths and their parts, the longer ones: `tags.owner` says more than `tags`."""
    each = sorted(set(paths))
    return tuple(p for p in each if not any(q.startswith((f"{p}.", f"{p}[")) for q in each))


def totals(stacks: Sequence[StackChange], side: str) -> tuple[int | None, float | None]:
    """Accelerators and dollars an hour of all stacks; None where one of them is not known."""
    facts = [getattr(stack, side) for stack in stacks if stack.outcome is not Outcome.UNCHANGED]
    accelerators = [each.accelerators for each in facts]
    prices = [each.usd_per_hour for each in facts]
    return (
        None if None in accelerators else sum(accelerators),
        None if None in prices else sum(prices),
    )
