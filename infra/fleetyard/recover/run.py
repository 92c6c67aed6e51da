"""Recovery from beginning to end: the lock, the torn files, the finds, and what is done about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fleetyard.findings import Exit, error
from fleetyard.recover import state
from fleetyard.recover.backend import Backend, Past
from fleetyard.recover.decide import Action, Decision, Thing, decide, to_do
from fleetyard.recover.engine import Engine
from fleetyard.recover.owner import Life, Lock, Verdict, verdict
from fleetyard.recover.patience import RefusedError, patiently

__all__ = ["CloudSide", "Found", "RefusedError", "look", "mend"]


class CloudSide(Protocol):
    """One cloud, as recovery needs it."""

    def things(self) -> list[Thing]:
        """Everything of the stack's."""

    def delete(self, thing: Thing) -> None:
        """Delete one. Raises RefusedError."""

    def order(self, thing: Thing) -> int:
        """What goes first when several are deleted."""


@dataclass(frozen=True)
class Found:
    """What a killed run left."""

    locks: Sequence[tuple[Lock, Verdict]] = ()
    torn: Sequence[Path] = ()
    decisions: Sequence[Decision] = field(default_factory=tuple)

    def anything(self) -> bool:
        """Whether there is something to do."""
        return bool(self.locks or self.torn or to_do(self.decisions))

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "locks": [
                {"user": lock.user, "host": lock.host, "pid": lock.pid, "at": lock.at.isoformat(), "proof": said.proof}
                for lock, said in self.locks
            ],
            "torn": [path.name for path in self.torn],
            "resources": [each.as_dict() for each in self.decisions],
        }


def dead_locks(locks: Iterable[Lock]) -> list[tuple[Lock, Verdict]]:
    """The locks, each with the proof that its owner is dead.

    Raises FleetyardError (exit 1, FY1702) when an owner lives, (FY1703) when it cannot be known from here.
    """
    judged = [(lock, verdict(lock)) for lock in locks]
    for lock, said in judged:
        if said.life is Life.ALIVE:
            message = f"the stack is in use by {lock}: {said.proof}"
            raise error("FY1702", "lock", message, "wait for it to end, or end it", Exit.FINDINGS)
        if said.life is Life.ELSEWHERE:
            message = (
                f"the stack is locked by {lock}, and that its owner is dead cannot be proven from here: {said.proof}"
            )
            fix = f"run this on {lock.host}; or make sure that no `pulumi` runs there, then `pulumi cancel --yes`"
            raise error("FY1703", "lock", message, fix, Exit.FINDINGS)
    return judged


def look(files: Backend | None, engine: Engine, cloud: CloudSide, delete: bool) -> Found:
    """What was left. Changes nothing. Raises FleetyardError as `dead_locks`, the engine and the clouds do."""
    locks = dead_locks(files.locks()) if files else []
    torn = files.torn() if files else []
    # Pulumi itself reads nothing beside a torn file.
    deployment = files.deployment() if files and torn else engine.deployment().get("deployment") or {}
    past = files.past() if files else Past("", None)

    def ever_recorded(thing: Thing) -> bool | None:
        return past.recorded(thing.id, thing.made)

    found = decide(state.recorded(deployment), state.pending(deployment), cloud.things(), ever_recorded, delete)
    return Found(locks, torn, found)


def mend(found: Found, files: Backend | None, engine: Engine, cloud: CloudSide, say: Callable[[str], None]) -> None:
    """Do what `look` found, saying each step. Raises FleetyardError; what was done until then stays done."""
    if files:
        dead_locks(files.locks())  # somebody may have come since
    for path in found.torn:
        path.unlink(missing_ok=True)
        say(f"removed {path.name}, which a cut-off write left")
    if found.locks:
        engine.cancel()
        say(f"removed {len(found.locks)} lock{'s' if len(found.locks) > 1 else ''}")
    _record(found.decisions, engine, say)
    doomed = [each for each in found.decisions if each.action is Action.DELETE and each.thing]
    for each in sorted(doomed, key=lambda one: cloud.order(_thing(one))):
        thing = _thing(each)
        patiently(f"{each.type} {each.id}", lambda thing=thing: cloud.delete(thing))  # type: ignore[misc]
        say(f"deleted {each.type} {each.id}")


def _thing(decision: Decision) -> Thing:
    assert decision.thing is not None  # noqa: S101 - whatever is deleted was listed
    return decision.thing


def _record(decisions: Sequence[Decision], engine: Engine, say: Callable[[str], None]) -> None:
    """Put imports into the state and take what is pending out of it; then read what was cut off from the cloud.

    `pulumi refresh --import-pending-creates` would be the engine's own way, but in the supported versions it only marks
    the operation as importing, and the refresh that follows forgets it (`cmd/pulumi/operations/refresh.go`).
    """
    concerned = [each for each in decisions if each.action in (Action.IMPORT, Action.CLEAR, Action.REFRESH)]
    if not concerned:
        return
    exported: Mapping[str, Any] = engine.deployment()
    ids = {each.urn: each.id for each in concerned if each.action is Action.IMPORT}
    engine.import_deployment({**exported, "deployment": state.with_imported(exported["deployment"], ids)})
    for each in concerned:
        if each.action is not Action.REFRESH:
            say(f"{'recorded' if each.action is Action.IMPORT else 'cleared'} {each.type} {each.id or each.name}")
    again = [each.urn for each in concerned if each.action is not Action.CLEAR]
    if again:
        engine.refresh(again)
        say(f"read {len(again)} resource{'s' if len(again) > 1 else ''} from the cloud")
