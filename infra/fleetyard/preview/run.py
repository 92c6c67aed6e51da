"""Which runs there are for a change, in what order, and what comes out of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleetyard import simulated
from fleetyard.cli.project import STACKS, stack_names
from fleetyard.copies import copy
from fleetyard.preview import worker
from fleetyard.preview.change import Facts, Outcome, Preview, StackChange, changes_of
from fleetyard.preview.sides import Side, runs_our_code, same
from fleetyard.preview.worker import Job, Ran

Say = Callable[[str], None]
_FAST_STATE = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""The state is thrown away with its world: it need not survive a crash in the middle."""


NOTHING = Facts(accelerators=0, usd_per_hour=0.0)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both versions of the project."""

    base: Side
    head: Side


def preview(pair: Pair, stacks: Sequence[str], say: Say) -> Preview:
    """Bring the base of each stack up in one throw-away simulated cloud, and preview the head against it."""
    # Asked once for each: it reads both versions' files.
    outcomes = {name: _outcome(pair, name) for name in stacks}
    found = {name: StackChange(name, what) for name, what in outcomes.items() if what is Outcome.UNCHANGED}
    affected = {name: what for name, what in outcomes.items() if what is not Outcome.UNCHANGED}
    if affected:
        found |= _in_a_world(pair, affected, say)
    return Preview(pair.base.label, pair.head.label, "simulated", tuple(found[name] for name in stacks))


def all_stacks(pair: Pair) -> list[str]:
    """The stacks of both versions."""
    return sorted({*stack_names(pair.base.root / STACKS), *stack_names(pair.head.root / STACKS)})


def _outcome(pair: Pair, stack: str) -> Outcome:
    in_base, in_head = (_has(side, stack) for side in (pair.base, pair.head))
    if in_base and in_head:
        return Outcome.UNCHANGED if same(pair.base, pair.head, stack) else Outcome.CHANGED
    return Outcome.NEW if in_head else Outcome.REMOVED


def _has(side: Side, stack: str) -> bool:
    return (side.root / STACKS / f"Pulumi.{stack}.yaml").exists()


def _in_a_world(pair: Pair, affected: Mapping[str, Outcome], say: Say) -> dict[str, StackChange]:
    worker.preload(_clouds(pair, list(affected)))
    with simulated.throw_away() as (home, env):
        env |= _FAST_STATE
        folders = {"base": copy(pair.base.root, home / "base"), "head": copy(pair.head.root, home / "head")}
        own = {"base": not runs_our_code(pair.base), "head": not runs_our_code(pair.head)}
        one = _OneStack(folders, own, env, say)
        with ThreadPoolExecutor(max_workers=(os.cpu_count() or 1) + 1) as runs:
            return dict(zip(affected, runs.map(one.change, affected.keys(), affected.values()), strict=True))


def _clouds(pair: Pair, stacks: Sequence[str]) -> set[str]:
    """Which SDKs the runs will need, as the stack files' text has it; a wrong guess costs time only."""
    found = set()
    for side in (pair.base, pair.head):
        for stack in stacks:
            file = side.root / STACKS / f"Pulumi.{stack}.yaml"
            text = file.read_text() if file.exists() else ""
            found |= {cloud for cloud in worker.WARM if f"cloud: {cloud}" in text}
    return found


@dataclass(frozen=True, slots=True)
class _OneStack:
    """What the change of one stack is found with."""

    folders: Mapping[str, Path]
    own_modules: Mapping[str, bool]
    env: Mapping[str, str]
    say: Say

    def change(self, stack: str, outcome: Outcome) -> StackChange:
        """Both runs of one stack."""
        if outcome is Outcome.REMOVED:
            return StackChange(stack, outcome, before=_facts(self._run("facts", "base", stack)), after=NOTHING)
        before, problems = NOTHING, tuple[str, ...]()
        if outcome is Outcome.CHANGED:
            ran = self._run("up", "base", stack, make=True)
            before, problems = _facts(ran), tuple(f"base: {line}" for line in ran.said)
        ran = self._run("preview", "head", stack, make=outcome is Outcome.NEW)
        change = StackChange(stack, outcome, changes_of(ran.steps), before, _facts(ran), (*problems, *ran.said))
        return change if ran.ok else replace(change, outcome=Outcome.FAILED)

    def _run(self, action: str, side: str, stack: str, make: bool = False) -> Ran:
        began = time.monotonic()
        ran = worker.run(Job(action, stack, self.folders[side], self.env, make, self.own_modules[side]))
        word = {"up": "brought up", "preview": "previewed"}.get(action, "read")
        self.say(f"{stack}: {side} {word if ran.ok else 'failed'} ({time.monotonic() - began:.1f} s)")
        return ran


def _facts(ran: Ran) -> Facts:
    found: dict[str, Any] = dict(ran.facts)
    return Facts(**found)
