"""Layouts measured side by side: does the model rank the measured best first?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from bench.sizing.fit import Vector
from bench.sizing.training import Sample

CLEAR = 0.03
"""Layouts whose measured speeds differ by less than this (logarithm) are equals: releases of one recipe differ by
more."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of layouts measured side by side, in how many the best was found, and the mean loss where it was not."""

    groups: int
    found: int
    pairs: int
    ordered: int
    loss: float


def layouts(whole: Sample, errors: Vector) -> Groups:
    """Ranks within groups of one source, model, chip, number of chips, sequence and precision. errors: of the step
    time."""
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, (run, case) in enumerate(zip(whole.runs, whole.cases, strict=True)):
        key = (
            run.family,
            case.model.name,
            case.model.layers,
            case.lora,
            case.chip.id,
            case.chips,
            case.sequence,
            case.precision,
        )
        groups[key].append(index)
    count = found = pairs = ordered = 0
    losses: list[float] = []
    tokens = np.array([np.log(case.batch * case.sequence) for case in whole.cases])
    measured, predicted = whole.truth - tokens, whole.truth + errors - tokens
    for rows in groups.values():
        shapes = {_shape(whole, row) for row in rows}
        if len(shapes) < 2 or np.ptp(measured[rows]) < CLEAR:
            continue
        real, said = measured[rows], predicted[rows]
        count += 1
        chosen = int(np.argmin(said))
        loss = float(real[chosen] - real.min())
        found += loss < CLEAR
        losses.append(loss)
        for a in range(len(rows)):
            for b in range(a):
                if abs(real[a] - real[b]) >= CLEAR and _shape(whole, rows[a]) != _shape(whole, rows[b]):
                    pairs += 1
                    ordered += (real[a] < real[b]) == (said[a] < said[b])
    return Groups(count, found, pairs, ordered, float(np.mean(losses)) if losses else 0.0)


def _shape(whole: Sample, index: int) -> tuple[object, ...]:
    case = whole.cases[index]
    shape = (
        case.tensor,
        case.pipeline,
        case.context,
        case.expert,
        case.micro,
        case.interleave,
        case.recompute,
        case.zero,
    )
    return (*shape, round(case.batch))
