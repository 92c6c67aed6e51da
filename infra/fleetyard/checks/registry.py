"""A rule is one function that says one thing. This is where rules are registered, listed, run and waived."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fleetyard.findings import Finding, Level, StackPath, heaviest_first
from fleetyard.plan import Plan


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule yields: where, what is wrong, what to type instead. Code and level come from the rule."""

    path: str
    message: str
    fix: str = ""


Check = Callable[[Plan], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule. `title` is the first line of its documentation, `about` the whole of it."""

    code: str
    level: Level
    check: Check

    @property
    def title(self) -> str:
        """One line that says what holds when the rule is kept."""
        return self.about.splitlines()[0]

    @property
    def about(self) -> str:
        """The rule's documentation."""
        return inspect.getdoc(self.check) or self.check.__name__.replace("_", " ")


_RULES: dict[str, Rule] = {}


def rule(code: str, level: Level) -> Callable[[Check], Check]:
    """Register a generator function over a plan as a rule. Raises ValueError for a code that is taken."""

    def register(check: Check) -> Check:
        if code in _RULES:
            raise ValueError(f"{code} is taken by {_RULES[code].check.__name__}")
        _RULES[code] = Rule(code, level, check)
        return check

    return register


def rules() -> tuple[Rule, ...]:
    """All rules, by code."""
    return tuple(_RULES[code] for code in sorted(_RULES))


UNKNOWN_WAIVER = "FY2001"


def check(plan: Plan) -> list[Finding]:
    """Run every rule over a plan. A waived finding becomes info and carries the reason; errors come first."""
    findings = [
        _waived(finding, plan.waive.get(each.code))
        for each in rules()
        for finding in (Finding(each.code, each.level, hit.path, hit.message, hit.fix) for hit in each.check(plan))
    ]
    findings += [
        Finding(
            UNKNOWN_WAIVER, Level.WARNING, StackPath("waive") / code, "waives a rule that does not exist", "remove it"
        )
        for code in plan.waive
        if code not in _RULES
    ]
    return heaviest_first(findings)


def _waived(finding: Finding, reason: str | None) -> Finding:
    if reason is None or finding.level is Level.INFO:
        return finding
    return Finding(finding.code, Level.INFO, finding.path, f"{finding.message} (waived: {reason})", finding.fix)
