"""Enough SVG to draw boxes in boxes: shapes, text with a safe estimate of its width, and blocks that stack.

A block knows its size before it is painted, so boxes grow with what they hold and nothing is clipped or overlaps.
Colours are CSS classes with a light and a dark value, and the picture follows the reader's setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

NARROW = frozenset("ijltfrI.,:;'|!()[]/ ")
WIDE = frozenset("mwMW@%&")

FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif"


def text_width(text: str, size: float, bold: bool = False) -> float:
    """A width, in pixels, that the text does not exceed in any common sans-serif font."""
    each = (0.42 if c in NARROW else 0.98 if c in WIDE else 0.70 if c.isupper() or c.isdigit() else 0.62 for c in text)
    return sum(each) * size * (1.15 if bold else 1.0)


def number(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.1f}".removesuffix(".0")


@dataclass(slots=True)
class Canvas:
    """Collects the elements of a picture in the order they are painted."""

    parts: list[str] = field(default_factory=list)

    def rect(self, x: float, y: float, width: float, height: float, style: str, radius: float = 6) -> None:
        """A rectangle with rounded corners; style: its CSS classes."""
        self.parts.append(
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
            f' rx="{number(radius)}" class="{style}"/>'
        )

    def text(self, x: float, y: float, text: str, style: str, size: float, anchor: str = "start") -> None:
        """One line of text on the baseline y; style: its CSS classes."""
        where = f'x="{number(x)}" y="{number(y)}"' + ("" if anchor == "start" else f' text-anchor="{anchor}"')
        self.parts.append(f'<text {where} font-size="{number(size)}" class="{style}">{escape(text)}</text>')

    def circle(self, x: float, y: float, radius: float, style: str) -> None:
        """A dot."""
        self.parts.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" class="{style}"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        """A straight line."""
        self.parts.append(
            f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" class="{style}"/>'
        )

    def document(self, width: float, height: float, title: str, about: str, css: str) -> str:
        """The whole picture, with a title and a description for those who do not see it."""
        size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{escape(FONT)}">\n'
            f"<title>{escape(title)}</title>\n<desc>{escape(about)}</desc>\n<style>{css}</style>\n"
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


Paint = Callable[[Canvas, float, float], None]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the picture with its size; `paint` draws it with its upper left corner at a point."""

    width: float
    height: float
    paint: Paint


def nothing(width: float = 0, height: float = 0) -> Block:
    """Empty space."""
    return Block(width, height, lambda canvas, x, y: None)


def label(text: str, style: str, size: float, bold: bool = False) -> Block:
    """One line of text as a block."""
    height = size * 1.4
    classes = f"{style} bold" if bold else style
    return Block(
        text_width(text, size, bold),
        height,
        lambda canvas, x, y: canvas.text(x, y + size * 1.05, text, classes, size),
    )


def column(blocks: Sequence[Block], gap: float = 0) -> Block:
    """Blocks below each other, aligned left."""
    shown = [block for block in blocks if block.height]
    height = sum(block.height for block in shown) + gap * max(0, len(shown) - 1)

    def paint(canvas: Canvas, x: float, y: float) -> None:
        for block in shown:
            block.paint(canvas, x, y)
            y += block.height + gap

    return Block(max((block.width for block in shown), default=0), height, paint)


def row(blocks: Sequence[Block], gap: float = 0, bottom: bool = False) -> Block:
    """Blocks beside each other, aligned at the top, or at the bottom."""
    shown = [block for block in blocks if block.width]
    width = sum(block.width for block in shown) + gap * max(0, len(shown) - 1)

    def paint(canvas: Canvas, x: float, y: float) -> None:
        for block in shown:
            block.paint(canvas, x, y + height - block.height if bottom else y)
            x += block.width + gap

    height = max((block.height for block in shown), default=0)
    return Block(width, height, paint)


def wrapped(blocks: Sequence[Block], per_row: int, gap: float) -> Block:
    """Blocks in rows of at most `per_row`."""
    rows = [row(blocks[start : start + per_row], gap) for start in range(0, len(blocks), per_row)]
    return column(rows, gap)


def frame(
    inner: Block,
    style: str,
    caption: str = "",
    pad: float = 14,
    radius: float = 8,
    width: float = 0,
    height: float = 0,
) -> Block:
    """A box around a block, with a caption in its upper left corner, at least `width` wide and `height` high."""
    head = label(caption, "muted", 12, bold=True) if caption else nothing()
    top = head.height + (pad * 0.3 if caption else 0)
    width = max(inner.width + 2 * pad, head.width + 2 * pad, width)
    height = max(inner.height + top + 2 * pad, height)

    def paint(canvas: Canvas, x: float, y: float) -> None:
        canvas.rect(x, y, width, height, style, radius)
        head.paint(canvas, x + pad, y + pad * 0.7)
        inner.paint(canvas, x + pad, y + pad + top)

    return Block(width, height, paint)


def stylesheet(light: Mapping[str, str], dark: Mapping[str, str], common: str) -> str:
    """CSS rules by selector for a light and a dark page."""
    day = "".join(f"{selector}{{{rule}}}" for selector, rule in light.items())
    night = "".join(f"{selector}{{{rule}}}" for selector, rule in dark.items())
    return f"{common}{day}@media (prefers-color-scheme:dark){{{night}}}"
