"""Notes what happens when, on one clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from fleetyard.report.timeline import Event, draw, listed


class Recording:
    """Events of one run. It begins when it is made."""

    def __init__(self) -> None:
        self._began = time.time()
        self._events: list[Event] = []

    def now_s(self) -> float:
        """Seconds since the beginning."""
        return time.time() - self._began

    def at(self, lane: str, text: str, unix_s: float | None = None) -> None:
        """Something happened, now or at a time of the clock."""
        self._events.append(Event(self.now_s() if unix_s is None else unix_s - self._began, lane, text))

    def between(self, lane: str, text: str, start_s: float, end_s: float) -> None:
        """Something took from one second of the run to another."""
        self._events.append(Event(start_s, lane, text, end_s))

    @contextmanager
    def span(self, lane: str, text: str) -> Iterator[None]:
        """Something takes as long as the block."""
        start_s = self.now_s()
        yield
        self.between(lane, text, start_s, self.now_s())

    def listed(self, indent: str = "") -> str:
        """All of it as text."""
        return "\n".join(indent + line for line in listed(self._events).splitlines())

    def drawn(self, title: str) -> str:
        """All of it as SVG."""
        return draw(self._events, title)
