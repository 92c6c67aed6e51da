"""Differences, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

CLOUD = "cloud"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing that is not as it was left.

    where: `cloud`, or a host's name. kind: resource, or package, hold, sysctl, unit, file, user. was, now: in words;
    None for what was or is not there.
    """

    where: str
    kind: str
    name: str
    was: str | None
    now: str | None

    def said(self) -> str:
        """The change in words."""
        if self.was is None:
            return f"new: {self.now}"
        if self.now is None:
            return f"gone; it was {self.was}"
        return f"{self.was} -> {self.now}"


@dataclass(frozen=True, slots=True)
class Report:
    """All differences of a stack, and whom nobody could ask.

    unknown: host to the reason why nothing is known of it. asked: the hosts that answered.
    """

    stack: str
    simulated: bool
    cloud: tuple[Difference, ...]
    nodes: tuple[Difference, ...]
    asked: tuple[str, ...]
    unknown: tuple[tuple[str, str], ...]

    @property
    def clean(self) -> bool:
        """Whether nothing differs, and everything was asked."""
        return not (self.cloud or self.nodes or self.unknown)

    def of(self, where: str) -> list[Difference]:
        """The differences of one host, or of the cloud."""
        return sorted((each for each in (*self.cloud, *self.nodes) if each.where == where), key=_order)

    def drifted(self) -> list[str]:
        """The hosts that differ."""
        return sorted({each.where for each in self.nodes})

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for `--json`."""
        return {
            "stack": self.stack,
            "simulated": self.simulated,
            "clean": self.clean,
            "cloud": [asdict(each) for each in sorted(self.cloud, key=_order)],
            "nodes": [asdict(each) for each in sorted(self.nodes, key=_order)],
            "asked": list(self.asked),
            "unknown": dict(self.unknown),
        }


def counted(differences: Iterable[Difference]) -> dict[str, int]:
    """How many there are of each kind."""
    found: dict[str, int] = {}
    for each in sorted(differences, key=_order):
        found[each.kind] = found.get(each.kind, 0) + 1
    return found


def _order(each: Difference) -> tuple[str, str, str]:
    return each.where, each.kind, each.name
