"""Small pictures of machines and slices: accelerators as squares, network cards as dots."""

from __future__ import annotations

from fleetyard.catalog import Port
from fleetyard.plan import PoolPlan
from fleetyard.report.svg import Block, Canvas, frame, label, wrapped

SHOWN = 8
"""Machines of a pool that are drawn; the others are a number."""
SHOWN_LARGE = 4
"""The same for large slices."""
LARGE = 120.0
PER_ROW = 4
SQUARE, GAP = 11.0, 4.0
MOST_CARDS = 8
"""Cards that are drawn as dots; more become a number."""
MOST_CHIPS = 8
"""Chips along one side of a slice that are drawn."""


def glyphs(pool: PoolPlan) -> Block:
    """The machines of a pool, in a dashed frame where they stand close together."""
    one = _slice(pool) if pool.shape else _machine(pool)
    most = SHOWN_LARGE if one.width > LARGE else SHOWN
    shown = [one] * min(pool.count, most)
    if pool.count > most:
        shown = [one] * (most - 1) + [_more(pool.count - most + 1, one)]
    drawn = wrapped(shown, PER_ROW, 10)
    if not pool.together:
        return drawn
    name = "cluster placement group" if pool.machine and pool.machine.cloud == "aws" else "compact placement"
    return frame(drawn, "group dash", name, pad=10)


def _more(count: int, like: Block) -> Block:
    text = label(f"+ {count:,}", "muted", 14, bold=True)

    def paint(canvas: Canvas, x: float, y: float) -> None:
        text.paint(canvas, x + (width - text.width) / 2, y + (like.height - text.height) / 2)

    width = max(like.width, text.width)
    return Block(width, like.height, paint)


def _machine(pool: PoolPlan) -> Block:
    machine = pool.machine
    count = machine.accelerators if machine else 0
    kind = machine.accelerator.kind if machine and machine.accelerator else ""
    across = max(1, min(count, 4 if count <= 8 else 8))
    down = -(-count // across) if count else 0
    cards = _cards(pool)
    inner = max(across * (SQUARE + GAP) - GAP, min(len(cards), MOST_CARDS) * 11, 44)
    width = inner + 16
    body = down * (SQUARE + GAP) if count else 22
    height = body + 24

    def paint(canvas: Canvas, x: float, y: float) -> None:
        canvas.rect(x, y, width, height, "machine", 5)
        left = x + (width - across * (SQUARE + GAP) + GAP) / 2
        for index in range(count):
            at = (left + index % across * (SQUARE + GAP), y + 8 + index // across * (SQUARE + GAP))
            canvas.rect(*at, SQUARE, SQUARE, kind, 2)
        if not count and machine:
            canvas.text(x + width / 2, y + 21, f"{machine.vcpu} vCPU", "muted", 10, "middle")
        _paint_cards(canvas, cards, x + width / 2, y + height - 10)

    return Block(width, height, paint)


def _cards(pool: PoolPlan) -> list[str]:
    """One style for each network card that is used: fabric where it takes an EFA interface, else IP alone."""
    by_card: dict[int, bool] = {}
    for interface in pool.interfaces:
        by_card[interface.card] = by_card.get(interface.card, False) or interface.kind is not Port.ENA
    return ["fabric" if by_card[card] else "ip" for card in sorted(by_card)]


def _paint_cards(canvas: Canvas, cards: list[str], middle: float, y: float) -> None:
    if len(cards) > MOST_CARDS:
        fabric = cards.count("fabric")
        canvas.circle(middle - 20, y, 3.5, "fabric")
        canvas.text(middle - 12, y + 3.5, f"× {fabric}", "muted", 10)
        return
    start = middle - (len(cards) - 1) * 5.5
    for index, style in enumerate(cards):
        canvas.circle(start + index * 11, y, 3.5, style)


def _slice(pool: PoolPlan) -> Block:
    """A slice as its chips: the first two axes as a grid, more axes as layers in words."""
    axes = [int(axis) for axis in (pool.topology or "1x1").split("x")]
    down, across = min(axes[0], MOST_CHIPS), min(axes[1], MOST_CHIPS)
    clipped = axes[0] > MOST_CHIPS or axes[1] > MOST_CHIPS or len(axes) > 2
    step = SQUARE + 7
    words = pool.topology or ""
    width = max(across * step - 7, len(words) * 7 if clipped else 0) + 18
    height = down * step - 7 + 18 + (14 if clipped else 0)

    def paint(canvas: Canvas, x: float, y: float) -> None:
        canvas.rect(x, y, width, height, "machine", 5)
        left, top = x + (width - across * step + 7) / 2, y + 9
        for line in range(down):
            middle = top + line * step + SQUARE / 2
            canvas.line(left, middle, left + (across - 1) * step + SQUARE, middle, "link")
        for line in range(across):
            middle = left + line * step + SQUARE / 2
            canvas.line(middle, top, middle, top + (down - 1) * step + SQUARE, "link")
        for index in range(down * across):
            canvas.rect(left + index % across * step, top + index // across * step, SQUARE, SQUARE, "tpu", 2)
        if clipped:
            canvas.text(x + width / 2, y + height - 8, words, "muted", 10, "middle")

    return Block(width, height, paint)
