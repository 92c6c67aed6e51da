"""What is wrong, where, and how to fix it: the one form in which Fleetyard reports to a person or a program."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Level(StrEnum):
    """How much a finding weighs: an error stops the stack, a warning is shown, info is for the curious."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Exit(IntEnum):
    """Exit statuses of the `fleetyard` command, the same for every subcommand."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    BAD_INPUT = 65
    REFUSED = 69
    DEFECT = 70
    PERMISSION = 77


class StackPath(str):
    """A place in the stack file, written with dots: `StackPath("pools") / "train" / "zones"`."""

    __slots__ = ()

    def __truediv__(self, part: str | int) -> StackPath:
        if isinstance(part, int):
            return StackPath(f"{self}[{part}]")
        return StackPath(f"{self}.{part}" if self else part)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about a stack.

    code: stable `FYnnnn`; path: where in the stack file (or the file, or the setting); fix: what to type instead.
    """

    code: str
    level: Level
    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f" Fix: {self.fix}" if self.fix else ""
        return f"{self.code} {self.level} {self.path}: {_sentence(self.message)}{fix}"

    def as_dict(self) -> dict[str, str]:
        """The same as plain data, for `--json`."""
        return {
            "code": self.code,
            "level": str(self.level),
            "path": self.path,
            "message": self.message,
            "fix": self.fix,
        }


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


class FleetyardError(Exception):
    """The run cannot go on; carries the findings that say why and the exit status to end with."""

    def __init__(self, findings: Finding | Iterable[Finding], exit_code: int = Exit.BAD_INPUT) -> None:
        self.findings: tuple[Finding, ...] = (findings,) if isinstance(findings, Finding) else tuple(findings)
        self.exit_code = int(exit_code)
        super().__init__(render_text(self.findings))


def error(code: str, path: str, message: str, fix: str = "", exit_code: int = Exit.BAD_INPUT) -> FleetyardError:
    """A FleetyardError with a single error finding, ready to raise."""
    return FleetyardError(Finding(code, Level.ERROR, path, message, fix), exit_code)


def heaviest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then by code; findings of one code stay in their order."""
    weight = list(Level)
    return sorted(findings, key=lambda finding: (weight.index(finding.level), finding.code))


def render_text(findings: Iterable[Finding]) -> str:
    """One line per finding."""
    return "\n".join(str(finding) for finding in findings)


def render_json(findings: Iterable[Finding]) -> str:
    """A JSON document `{"findings": [...]}` with a trailing newline."""
    return json.dumps({"findings": [finding.as_dict() for finding in findings]}, indent=2, ensure_ascii=False) + "\n"


def has_errors(findings: Iterable[Finding]) -> bool:
    """True when at least one finding is an error."""
    return any(finding.level is Level.ERROR for finding in findings)
