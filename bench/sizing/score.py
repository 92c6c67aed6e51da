"""Errors of predictions in the words in which they are judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.sizing.fit import Vector


@dataclass(frozen=True, slots=True)
class Score:
    """|predicted / measured - 1| in per cent over some runs; bias: median of predicted / measured - 1."""

    rows: int
    median: float
    mean: float
    p90: float
    worst: float
    bias: float

    def cells(self) -> tuple[str, ...]:
        """As cells of a table."""
        return (
            str(self.rows),
            *(f"{value:.1f}" for value in (self.median, self.mean, self.p90)),
            f"{self.worst:.0f}",
            f"{self.bias:+.1f}",
        )


HEAD = ("rows", "median %", "mean %", "p90 %", "worst %", "bias %")


def score(errors: Vector) -> Score | None:
    """Score of logarithmic errors; None where there are none."""
    if not len(errors):
        return None
    ratio = np.exp(errors) - 1.0
    size = np.abs(ratio) * 100
    return Score(
        len(size),
        float(np.median(size)),
        float(np.mean(size)),
        float(np.quantile(size, 0.9)),
        float(np.max(size)),
        float(np.median(ratio) * 100),
    )
