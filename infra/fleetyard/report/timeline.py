"""What happened when, in lanes: a text to read and a picture to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleetyard.report.svg import Canvas, stylesheet, text_width

LANES = ("cloud", "boot", "configure", "data", "job", "loss", "recovery", "alert")
"""From top to bottom."""
WIDTH = 1100.0
LEFT, RIGHT, TOP, BOTTOM = 96.0, 24.0, 56.0, 48.0
LANE, ROW, BAR = 14.0, 18.0, 12.0
"""Pixels: between lanes, of one row of a lane, of a bar."""

_LIGHT = {
    ".page": "fill:#fcfcfb;stroke:#e4e7eb",
    ".ink": "fill:#1d2530",
    ".muted": "fill:#5c6673",
    ".grid": "stroke:#e1e5ea",
    ".cloud": "fill:#3b78d8",
    ".boot": "fill:#4f8f2f",
    ".configure": "fill:#8e5bc0",
    ".data": "fill:#2a9d8f",
    ".job": "fill:#1d6f8a",
    ".loss": "fill:#c0392b",
    ".recovery": "fill:#c07a1a",
    ".alert": "fill:#d1495b",
}
_DARK = {
    ".page": "fill:#15191f;stroke:#2a313a",
    ".ink": "fill:#e6eaf0",
    ".muted": "fill:#9aa5b3",
    ".grid": "stroke:#272e37",
    ".cloud": "fill:#6d9eeb",
    ".boot": "fill:#8fca6c",
    ".configure": "fill:#b48be0",
    ".data": "fill:#5cc4b7",
    ".job": "fill:#5db3cf",
    ".loss": "fill:#e57368",
    ".recovery": "fill:#f0a85c",
    ".alert": "fill:#ef7d8c",
}

_Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. at_s, until_s: seconds from the beginning; until_s None: at one moment."""

    at_s: float
    lane: str
    text: str
    until_s: float | None = None

    @property
    def end_s(self) -> float:
        """When it was over."""
        return self.at_s if self.until_s is None else self.until_s


def listed(events: Sequence[Event]) -> str:
    """A line for each event, in order of time."""
    lines = []
    for event in sorted(events, key=lambda each: (each.at_s, each.end_s)):
        took = "" if event.until_s is None else f"{event.until_s - event.at_s:6.1f} s"
        lines.append(f"{event.at_s:7.1f} s  {took:>8}  {event.lane:<10} {event.text}")
    return "\n".join(lines)


def draw(events: Sequence[Event], title: str) -> str:
    """The timeline as SVG: a bar for what took time, a dot for a moment. Raises ValueError without events."""
    if not events:
        raise ValueError("nothing happened yet")
    last = max(event.end_s for event in events) or 1.0
    tick_s = next(size for size in (5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600) if last / size <= 12 or size == 3600)

    def x(at_s: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at_s / last

    canvas = Canvas()
    placed = [(lane, _rows([event for event in events if event.lane == lane], x)) for lane in LANES]
    placed = [(lane, rows) for lane, rows in placed if rows]
    height = TOP + sum(LANE + ROW * len(rows) for _, rows in placed) + BOTTOM
    canvas.rect(0.5, 0.5, WIDTH - 1, height - 1, "page", 8)
    canvas.text(20, 30, title, "ink bold", 16)
    for number in range(int(last // tick_s) + 1):
        at = x(number * tick_s)
        canvas.line(at, TOP - 8, at, height - BOTTOM + 6, "grid")
        canvas.text(at, height - BOTTOM + 22, _clock(number * tick_s), "muted", 11, "middle")
    y = TOP
    for lane, rows in placed:
        canvas.text(20, y + 10, lane, "muted bold", 12)
        for row in rows:
            for event in row:
                _paint(canvas, event, x, y)
            y += ROW
        y += LANE
    about = f"{len(events)} events in {_clock(last)}: " + "; ".join(event.text for event in events[:12])
    return canvas.document(WIDTH, height, title, about, stylesheet(_LIGHT, _DARK, ".bold{font-weight:600}"))


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _paint(canvas: Canvas, event: Event, x: _Scale, y: float) -> None:
    start, end = x(event.at_s), x(event.end_s)
    if event.until_s is None:
        canvas.circle(start, y + BAR / 2, 4.5, event.lane)
        end = start + 6
    else:
        end = max(end, start + 3)
        canvas.rect(start, y, end - start, BAR, event.lane, 3)
    if _turned(event, x):
        canvas.text(start - 8, y + BAR - 2, event.text, "ink", 11, "end")
    else:
        canvas.text(end + 5, y + BAR - 2, event.text, "ink", 11)


def _turned(event: Event, x: _Scale) -> bool:
    """Whether its words stand before it, for lack of room behind."""
    return x(event.end_s) + 12 + text_width(event.text, 11) > WIDTH - RIGHT


def _rows(events: Sequence[Event], x: _Scale) -> list[list[Event]]:
    """Events of one lane in as few rows as their bars and words fit in without touching."""
    rows: list[list[Event]] = []
    spans: list[list[tuple[float, float]]] = []
    for event in sorted(events, key=lambda each: each.at_s):
        words = text_width(event.text, 11) + 16
        turned = _turned(event, x)
        span = (x(event.at_s) - (words if turned else 6), x(event.end_s) + (6 if turned else words))
        for row, taken in zip(rows, spans, strict=True):
            if all(span[0] > end or span[1] < start for start, end in taken):
                row.append(event)
                taken.append(span)
                break
        else:
            rows.append([event])
            spans.append([span])
    return rows
