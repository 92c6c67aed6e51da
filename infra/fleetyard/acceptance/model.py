"""The words of the gate: one check's outcome, one node's verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

REASON_LIMIT = 200
"""Characters of a reason that Slurm's tools show without folding."""


class Verdict(StrEnum):
    """What a check found. Unknown: it was not, or could not be, found out; the reason says why."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Measure:
    """A value with its unit: a number, or a word such as `Enabled`."""

    value: float | str
    unit: str = ""

    def __str__(self) -> str:
        shown = self.value if isinstance(self.value, str) else f"{self.value:.6g}"
        return f"{shown} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check says of one node.

    `blocks`: whether it keeps the node out: a failure does, and an unknown of a check that the gate cannot do without.
    """

    code: str
    name: str
    verdict: Verdict
    measured: Measure | None
    floor: Measure | None
    source: str
    reason: str
    fix: str
    blocks: bool

    def as_dict(self) -> dict[str, object]:
        """Plain data for `--json`."""
        return {
            "code": self.code,
            "check": self.name,
            "verdict": str(self.verdict),
            "measured": None if self.measured is None else self.measured.value,
            "floor": None if self.floor is None else self.floor.value,
            "unit": (self.measured or self.floor or Measure("")).unit,
            "source": self.source,
            "reason": self.reason,
            "fix": self.fix,
            "blocks": self.blocks,
        }


class Decision(StrEnum):
    """What becomes of a node."""

    OPEN = "open"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True)
class NodeVerdict:
    """One node: what was found, what becomes of it, and why in one line that fits the scheduler.

    stand_ins: programs that answered in the place of a vendor's tool, where the accelerators are played.
    """

    host: str
    machine: str
    decision: Decision
    reason: str
    outcomes: tuple[Outcome, ...]
    stand_ins: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Plain data for `--json`."""
        return {
            "host": self.host,
            "stand_ins": list(self.stand_ins),
            "machine": self.machine,
            "decision": str(self.decision),
            "reason": self.reason,
            "checks": [each.as_dict() for each in self.outcomes],
        }
