"""The results as a table that fits a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from statistics import median

from bench.measure import Defect, Plain, Ratio, Result

HEADS = ("what", "ours", "other", "ratio", "by pair", "budget", "")
WIDTH = 118


def table(results: Sequence[Result]) -> str:
    """Ratios first, each with its budget; then what is plain; defects and missed budgets last and loud."""
    ratios = [r for r in results if isinstance(r, Ratio)]
    lines: list[str] = []
    if ratios:
        lines += _columns([HEADS, *(_row(r) for r in ratios)])
    plain = [r for r in results if isinstance(r, Plain)]
    if plain:
        width = max(len(r.name) for r in plain)
        lines.append("")
        for r in plain:
            seen = textwrap.wrap(r.seen, max(WIDTH - width - 2, 40))
            lines += [f"{name.ljust(width)}  {text}" for name, text in zip_longest([r.name], seen, fillvalue="")]
    missed = [r for r in ratios if r.missed]
    defects = [r for r in results if isinstance(r, Defect)]
    if missed or defects:
        lines.append("")
    lines += [f"BUDGET MISSED: {r.name}: {r.value:.2f}, allowed {r.budget}" for r in missed]
    lines += [f"DEFECT: {r.name}: {r.seen}" for r in defects]
    if not missed and not defects:
        lines += ["", "Every budget that was measured is met."] if any(r.budget for r in ratios) else []
    return "\n".join(lines)


def _row(ratio: Ratio) -> tuple[str, ...]:
    low, high = ratio.spread
    name = f"{ratio.name} / {ratio.against}" if ratio.against else ratio.name
    budget = "" if ratio.budget is None else f"<= {ratio.budget}"
    verdict = "" if ratio.budget is None else "MISSED" if ratio.missed else "met"
    return (
        name,
        _seconds(median(ratio.ours)),
        _seconds(median(ratio.theirs)),
        f"{ratio.value:.2f}",
        f"{low:.2f}..{high:.2f}",
        budget,
        verdict,
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1e3:.2f} ms"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    aligned = [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    return [line.rstrip() for line in aligned]
