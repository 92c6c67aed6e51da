"""A check is one function that measures one thing against one floor. This is where checks are registered and run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fleetyard.acceptance.evidence import Evidence
from fleetyard.acceptance.facts import ChipFacts, Facts, MachineFacts
from fleetyard.acceptance.model import Measure, Outcome, Verdict
from fleetyard.acceptance.parsers.nccl_tests import Run
from fleetyard.catalog import Accelerator, Machine, Unknown


@dataclass(frozen=True, slots=True)
class Bench:
    """What a check sees: the machine that was paid for, what the probe brought, a collective over `nodes`, if run."""

    machine: Machine
    evidence: Evidence
    facts: Facts
    nodes: int
    all_reduce: Run | Unknown

    @property
    def chip(self) -> Accelerator | None:
        """The machine's accelerator."""
        return self.machine.accelerator

    @property
    def gpu(self) -> bool:
        """Whether nvidia-smi speaks for the accelerators."""
        return self.chip is not None and self.chip.vendor == "nvidia"

    @property
    def of_chip(self) -> ChipFacts:
        """What the gate knows of the accelerator."""
        return self.facts.chip(self.chip.id if self.chip else "")

    @property
    def of_machine(self) -> MachineFacts:
        """What the gate knows of the machine type."""
        return self.facts.machine(self.machine.name)


@dataclass(frozen=True, slots=True)
class Found:
    """What a check yields. `unmeasured`: it is the measurement that is unknown, not the floor."""

    verdict: Verdict
    measured: Measure | None = None
    floor: Measure | None = None
    source: str = ""
    reason: str = ""
    unmeasured: bool = False


def skipped(reason: str) -> Found:
    """The check does not apply to this machine."""
    return Found(Verdict.NOT_APPLICABLE, reason=reason)


def unmeasured(why: Unknown, floor: Measure | None = None, source: str = "") -> Found:
    """Nobody could say how it is."""
    return Found(Verdict.UNKNOWN, None, floor, source, why.reason, unmeasured=True)


def unjudged(measured: Measure | None, why: Unknown) -> Found:
    """It was measured, but no source says what it should be."""
    return Found(Verdict.UNKNOWN, measured, None, "", f"no floor: {why.reason}")


def ruled(good: bool, measured: Measure, floor: Measure, source: str, reason: str = "") -> Found:
    """Pass or fail; the reason is kept for a failure."""
    return Found(Verdict.PASS if good else Verdict.FAIL, measured, floor, source, "" if good else reason)


def at_least(value: float | Unknown, floor: float | Unknown, unit: str, source: str, where: str = "") -> Found:
    """Pass when the value reaches the floor; unknown when either is. `where` names the part that is lowest."""
    if isinstance(value, Unknown):
        return unmeasured(value, None if isinstance(floor, Unknown) else Measure(floor, unit), source)
    if isinstance(floor, Unknown):
        return unjudged(Measure(value, unit), floor)
    measured, wanted = Measure(value, unit), Measure(floor, unit)
    return ruled(value >= floor, measured, wanted, source, f"{measured}{f' {where}' if where else ''}, not {wanted}")


Look = Callable[[Bench], Found]


@dataclass(frozen=True, slots=True)
class Check:
    """A registered check. `required`: a node is not opened while this one could not be measured."""

    code: str
    look: Look
    required: bool
    fix: str

    @property
    def name(self) -> str:
        """The function's name in words."""
        return self.look.__name__.replace("_", " ")

    @property
    def about(self) -> str:
        """The check's documentation, in one line."""
        return " ".join((inspect.getdoc(self.look) or self.name).split())


_CHECKS: dict[str, Check] = {}


def check(code: str, *, required: bool, fix: str) -> Callable[[Look], Look]:
    """Register a function. Raises ValueError for a code that is taken."""

    def register(look: Look) -> Look:
        if code in _CHECKS:
            raise ValueError(f"{code} is taken by {_CHECKS[code].look.__name__}")
        _CHECKS[code] = Check(code, look, required, fix)
        return look

    return register


def checks() -> tuple[Check, ...]:
    """All checks, by code."""
    return tuple(_CHECKS[code] for code in sorted(_CHECKS))


def run(bench: Bench, waive: Mapping[str, str]) -> tuple[Outcome, ...]:
    """Every check's outcome. A waived one that would block says so with its reason, and does not block."""
    return tuple(_outcome(each, each.look(bench), waive.get(each.code)) for each in checks())


def _outcome(each: Check, found: Found, waived: str | None) -> Outcome:
    verdict, reason = found.verdict, found.reason
    blocks = verdict is Verdict.FAIL or (verdict is Verdict.UNKNOWN and each.required and found.unmeasured)
    if blocks and waived is not None:
        verdict, blocks, reason = Verdict.WAIVED, False, f"{waived} ({reason})" if reason else waived
    repair = "let the tool answer (roles/accept installs none), then measure again" if found.unmeasured else each.fix
    fix = repair if blocks else ""
    return Outcome(each.code, each.name, verdict, found.measured, found.floor, found.source, reason, fix, blocks)
