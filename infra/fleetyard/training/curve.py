"""The loss of a training job over its steps, drawn, with the restarts marked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from fleetyard.report.svg import Canvas, number, stylesheet

WIDTH, HEIGHT = 860.0, 420.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 24.0, 64.0, 56.0
SERIES = 4
"""Starts that have a colour of their own; more take turns."""

_LIGHT = {
    ".page": "fill:#fcfcfb;stroke:#e4e7eb",
    ".ink": "fill:#1d2530",
    ".muted": "fill:#5c6673",
    ".grid": "stroke:#e1e5ea",
    ".axis": "stroke:#8d97a5",
    ".mark": "stroke:#c0392b;stroke-dasharray:4 4",
    ".mark-text": "fill:#a93226",
    ".s0": "stroke:#3b78d8",
    ".s1": "stroke:#4f8f2f",
    ".s2": "stroke:#8e5bc0",
    ".s3": "stroke:#c07a1a",
}
_DARK = {
    ".page": "fill:#15191f;stroke:#2a313a",
    ".ink": "fill:#e6eaf0",
    ".muted": "fill:#9aa5b3",
    ".grid": "stroke:#272e37",
    ".axis": "stroke:#6b7684",
    ".mark": "stroke:#e57368;stroke-dasharray:4 4",
    ".mark-text": "fill:#f0938a",
    ".s0": "stroke:#6d9eeb",
    ".s1": "stroke:#8fca6c",
    ".s2": "stroke:#b48be0",
    ".s3": "stroke:#f0a85c",
}
_COMMON = ".bold{font-weight:600}.curve{fill:none;stroke-width:1.8;stroke-linejoin:round}"


@dataclass(frozen=True, slots=True)
class Point:
    """One step. time: seconds since 1970; restarts: how often the job had been started again before it."""

    step: int
    loss: float
    time: float
    restarts: int


def read_points(lines: Iterable[str]) -> list[Point]:
    """The steps in a record of JSON lines (all starts of a job, in any order), by restart and step.

    Lines that are no JSON, as a host that lost power leaves them, are passed over.
    """
    points = []
    for line in lines:
        try:
            told = json.loads(line)
            points.append(Point(int(told["step"]), float(told["loss"]), float(told["time"]), int(told["restarts"])))
        except (ValueError, KeyError, TypeError):
            continue
    return sorted(points, key=lambda point: (point.restarts, point.step))


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Round values from below `low` to above `high`, about so many."""
    if low == high:
        low, high = low - 1, high + 1
    rough = (high - low) / about
    power = 10.0 ** floor(log10(rough))
    size = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
    return [round(size * each, 10) for each in range(floor(low / size), ceil(high / size) + 1)]


def draw(points: Sequence[Point], title: str) -> str:
    """The loss curve as SVG, one colour for each start of the job. Raises ValueError when there is nothing to draw."""
    if not points:
        raise ValueError("no steps: the job has recorded none yet")
    across = _ticks(0, max(p.step for p in points), 8)
    up = _ticks(min(p.loss for p in points), max(p.loss for p in points), 5)

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / across[-1]

    def y(loss: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (loss - up[0]) / (up[-1] - up[0])

    canvas = Canvas()
    canvas.rect(0.5, 0.5, WIDTH - 1, HEIGHT - 1, "page", 8)
    canvas.text(LEFT, 30, title, "ink bold", 16)
    for tick in up:
        canvas.line(LEFT, y(tick), WIDTH - RIGHT, y(tick), "grid")
        canvas.text(LEFT - 8, y(tick) + 4, f"{tick:g}", "muted", 11, "end")
    for tick in across:
        canvas.text(x(tick), HEIGHT - BOTTOM + 18, f"{tick:g}", "muted", 11, "middle")
    canvas.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis")
    canvas.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "step", "muted", 12, "middle")
    canvas.text(LEFT, 50, "loss, nats a byte", "muted", 12)

    starts: dict[int, list[Point]] = {}
    for point in points:
        starts.setdefault(point.restarts, []).append(point)
    before: Point | None = None
    for order, run in enumerate(starts.values()):
        path = " ".join(f"{number(x(p.step))},{number(y(p.loss))}" for p in run)
        if before:
            at = x(run[0].step - 0.5)
            canvas.line(at, TOP, at, HEIGHT - BOTTOM, "mark")
            said = f"resumed at step {run[0].step}, {run[0].time - before.time:.0f} s after step {before.step}"
            right = at > WIDTH * 0.6
            canvas.text(
                at + (-6 if right else 6),
                TOP + 12 + 14 * (order - 1),
                said,
                "mark-text",
                11,
                "end" if right else "start",
            )
        canvas.parts.append(f'<polyline points="{path}" class="curve s{order % SERIES}"/>')
        before = max(run, key=lambda point: point.time)
    count = len(starts) - 1
    about = (
        f"Loss from {points[0].loss:.2f} at step {points[0].step} to {points[-1].loss:.2f} at step {points[-1].step},"
        f" {count} restart{'s' * (count != 1)}."
    )
    return canvas.document(WIDTH, HEIGHT, title, about, stylesheet(_LIGHT, _DARK, _COMMON))
