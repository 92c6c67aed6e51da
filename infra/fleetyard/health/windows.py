"""Rates over windows: how often something happened within so many seconds, and whether a link flaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def most_within(times: Iterable[float], window_s: float) -> int:
    """The most events that lie within any window of that length (closed at both ends). Raises ValueError for none."""
    if not window_s > 0:
        raise ValueError("a window lasts some time")
    found = sorted(times)
    best = first = 0
    for last, time in enumerate(found):
        while time - found[first] > window_s:
            first += 1
        best = max(best, last - first + 1)
    return best


def episodes(times: Iterable[float], gap_s: float) -> tuple[float, ...]:
    """When each episode began: events closer than `gap_s` to the one before belong together.

    Raises ValueError for a gap that lasts no time.
    """
    if not gap_s > 0:
        raise ValueError("a gap lasts some time")
    begun: list[float] = []
    before: float | None = None
    for time in sorted(times):
        if before is None or time - before > gap_s:
            begun.append(time)
        before = time
    return tuple(begun)


def rate_per_s(before: int, after: int, seconds: float) -> float:
    """How fast a counter grew. One that went backwards was reset between, and counts from nought.

    Raises ValueError for no time between the readings, or a negative reading.
    """
    if not seconds > 0 or before < 0 or after < 0:
        raise ValueError("two readings of a counter, some time apart")
    return (after - before if after >= before else after) / seconds


def flaps(changes: Sequence[tuple[float, bool]], window_s: float) -> int:
    """How often a link came back after it went down, at most within one window. `changes`: (seconds, up) in order."""
    times, down = [], False
    for seconds, up in changes:
        if up and down:
            times.append(seconds)
        down = not up
    return most_within(times, window_s) if times else 0


def down_now(changes: Sequence[tuple[float, bool]]) -> bool:
    """Whether the last that was heard of a link is that it is down."""
    return bool(changes) and not changes[-1][1]
