"""Plots as SVG: points over two logarithmic axes, and bars of parts. No script, no font, no file beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 74, 20, 40, 52

COLOURS: tuple[str, ...] = ("#3b6fb6", "#c8553d", "#5a9a4a", "#8e5bc0", "#c48a1a", "#3d9c96", "#b04a83", "#6b7684")
COLOURS += ("#8cb4e8", "#f09a85", "#a6d08f", "#c9a8ea", "#e8c067", "#8fd3cd", "#e29cc4", "#b4bdc9")

CSS = """
svg.plot{max-width:100%;height:auto;font:12px system-ui,sans-serif;color-scheme:light dark}
svg.plot text{fill:currentColor}
svg.plot .axis{stroke:currentColor;stroke-opacity:.55}
svg.plot .grid{stroke:currentColor;stroke-opacity:.13}
svg.plot .front{fill:none;stroke:currentColor;stroke-opacity:.6;stroke-width:1.5}
"""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a plot: where, of which series, and what it says when pointed at."""

    x: float
    y: float
    series: str
    title: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis over powers of ten and what lies between."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Where a value lies, in the units of the picture."""
        share = (log10(value) - log10(self.low)) / max(1e-9, log10(self.high) - log10(self.low))
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """One, two and five of each decade that lie inside."""
        decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        many = log10(self.high) - log10(self.low) > 2.5
        found = [base * 10.0**power for power in decades for base in ((1, 3) if many else (1, 2, 5))]
        return [value for value in found if self.low <= value <= self.high]


def scatter(title: str, x_name: str, y_name: str, points: Sequence[Point], front: Sequence[Point] = ()) -> str:
    """Points over two logarithmic axes, with a line through the front; an empty text where there are no points."""
    if not points:
        return ""
    across = Axis(min(p.x for p in points) * 0.85, max(p.x for p in points) * 1.18, LEFT, WIDTH - RIGHT)
    up = Axis(min(p.y for p in points) * 0.85, max(p.y for p in points) * 1.18, HEIGHT - BOTTOM, TOP)
    names = list(dict.fromkeys(p.series for p in points))
    colour = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    lines = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT + 18 * rows(names)}" role="img" aria-label="{escape(title)}">'
    ]
    lines.append(f'<text x="{LEFT}" y="22" font-weight="600">{escape(title)}</text>')
    for value in across.ticks():
        x = across.at(value)
        lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{short(value)}</text>')
    for value in up.ticks():
        y = up.at(value)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>')
    lines.append(f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    lines.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x_name)}</text>'
    )
    lines.append(f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{escape(y_name)}</text>')
    if front:
        path = " ".join(f"{across.at(p.x):.1f},{up.at(p.y):.1f}" for p in sorted(front, key=lambda p: p.x))
        lines.append(f'<polyline class="front" points="{path}"/>')
    for point in sorted(points, key=lambda p: p.marked):
        x, y = across.at(point.x), up.at(point.y)
        ring = ' stroke="currentColor" stroke-width="2.5"' if point.marked else ""
        radius = 7 if point.marked else 3.2
        lines.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour[point.series]}" fill-opacity=".8"{ring}>'
            f"<title>{escape(point.title)}</title></circle>"
        )
    lines += legend(names, colour)
    return "\n".join([*lines, "</svg>"])


COLUMNS = 4


def rows(names: Sequence[str]) -> int:
    """Rows that a legend takes."""
    return ceil(len(names) / COLUMNS)


def legend(names: Sequence[str], colour: dict[str, str]) -> list[str]:
    """Names beside their colours, below the plot."""
    lines = []
    for index, name in enumerate(names):
        x = LEFT + (index % COLUMNS) * (WIDTH - LEFT - RIGHT) / COLUMNS
        y = HEIGHT + 18 * (index // COLUMNS) + 6
        lines.append(f'<circle cx="{x:.0f}" cy="{y - 4}" r="4.5" fill="{colour[name]}"/>')
        lines.append(f'<text x="{x + 10:.0f}" y="{y}">{escape(name)}</text>')
    return lines


def bar(title: str, parts: Sequence[tuple[str, float]], limit: float, unit: str) -> str:
    """One bar of parts against a limit."""
    total = max(limit, sum(size for _, size in parts))
    width = WIDTH - LEFT - RIGHT
    names = [name for name, size in parts if size > 0.005 * total]
    colour = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    lines = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {100 + 18 * rows(names)}" role="img" aria-label="{escape(title)}">'
    ]
    lines.append(f'<text x="{LEFT}" y="22" font-weight="600">{escape(title)}</text>')
    x = float(LEFT)
    for name, size in parts:
        if name in colour:
            wide = size / total * width
            said = escape(f"{name}: {size:.1f} {unit}")
            lines.append(
                f'<rect x="{x:.1f}" y="34" width="{wide:.1f}" height="30" fill="{colour[name]}">'
                f"<title>{said}</title></rect>"
            )
            x += wide
    edge = LEFT + limit / total * width
    lines.append(f'<line class="axis" x1="{edge:.1f}" x2="{edge:.1f}" y1="28" y2="72" stroke-width="2"/>')
    lines.append(f'<text x="{edge - 4:.1f}" y="86" text-anchor="end">{limit:.1f} {unit} usable</text>')
    sizes = dict(parts)
    for index, name in enumerate(names):
        at, y = LEFT + (index % COLUMNS) * width / COLUMNS, 106 + 18 * (index // COLUMNS)
        lines.append(f'<rect x="{at:.0f}" y="{y - 9}" width="9" height="9" fill="{colour[name]}"/>')
        lines.append(f'<text x="{at + 13:.0f}" y="{y}">{escape(name)} {sizes[name]:.1f}</text>')
    return "\n".join([*lines, "</svg>"])


def short(value: float) -> str:
    """A number on an axis."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:.2g}"
