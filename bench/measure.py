"""Two sides measured in turn, and the ratio of their medians.

A machine is rarely quiet, so a second measured now says little about a second measured a minute ago. The sides take
turns (A B, B A, A B ...), each pair meets the same weather, and only ratios are judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

Timed = Callable[[], float]
"""Does one thing once and returns the seconds that count; making ready and clearing up do not."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """What one comparison gave: seconds of our side and of the other's, pair by pair, and the ratio that is allowed."""

    name: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    budget: float | None = None
    against: str = ""
    """What the other side is, in a few words."""

    @property
    def value(self) -> float:
        """The ratio of the medians."""
        return median(self.ours) / median(self.theirs)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest ratio of one pair."""
        pairs = [a / b for a, b in zip(self.ours, self.theirs, strict=True)]
        return min(pairs), max(pairs)

    @property
    def missed(self) -> bool:
        """Whether there is a budget and it is exceeded."""
        return self.budget is not None and self.value > self.budget


@dataclass(frozen=True, slots=True)
class Plain:
    """Something worth knowing that is no comparison: a name and what was seen."""

    name: str
    seen: str


@dataclass(frozen=True, slots=True)
class Defect:
    """Something that must not happen, and happened."""

    name: str
    seen: str


Result = Ratio | Plain | Defect


def in_turn(ours: Timed, theirs: Timed, pairs: int, warm: int = 1) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Seconds of both sides, `pairs` times each, after `warm` pairs that do not count."""
    a: list[float] = []
    b: list[float] = []
    for number in range(warm + pairs):
        # The side that goes second must not always be the same: it may find caches warm, or the disk busy.
        for side, kept in _order(number, (ours, a), (theirs, b)):
            seconds = side()
            if number >= warm:
                kept.append(seconds)
    return tuple(a), tuple(b)


def _order(
    number: int, first: tuple[Timed, list[float]], second: tuple[Timed, list[float]]
) -> Iterator[tuple[Timed, list[float]]]:
    yield from (first, second) if number % 2 == 0 else (second, first)


def seconds_of(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def spread_text(seconds: tuple[float, ...]) -> str:
    """`2.91 s (2.80..3.10)`; milliseconds below a tenth of a second."""
    scale, unit = (1.0, "s") if median(seconds) >= 0.1 else (1e3, "ms")
    low, middle, high = min(seconds) * scale, median(seconds) * scale, max(seconds) * scale
    return f"{middle:.2f} {unit} ({low:.2f}..{high:.2f})"
