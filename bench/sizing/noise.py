"""The noise floor: how far runs with identical inputs lie apart, over fabrics, submitters and releases."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from bench.sizing.fit import Vector
from bench.sizing.training import Sample


@dataclass(frozen=True, slots=True)
class Noise:
    """Groups of runs whose inputs are the same but for release and fabric: per cent from the median of their group."""

    groups: int
    rows: int
    median: float
    p90: float


def noise(whole: Sample, moe: bool) -> Noise:
    """Spread of repeated runs. moe: of mixtures of experts, or of dense models."""
    groups: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for case, truth in zip(whole.cases, whole.truth, strict=True):
        if (case.model.moe_layers > 0) == moe:
            layout = (case.tensor, case.pipeline, case.context, case.expert, case.micro, case.recompute)
            key = (
                case.model.name,
                case.model.layers,
                case.chip.id,
                case.chips,
                case.sequence,
                case.precision,
                case.lora,
            )
            groups[(*key, *layout, round(case.batch))].append(float(truth))
    again = [np.array(values) for values in groups.values() if len(values) > 1]
    apart: Vector = np.concatenate([np.abs(np.exp(v - np.median(v)) - 1) for v in again]) if again else np.zeros(1)
    # Of two runs the median lies between them: the distance of each from the truth is larger by the root of two.
    apart = apart * np.sqrt(2.0)
    return Noise(len(again), len(apart), float(np.median(apart)) * 100, float(np.quantile(apart, 0.9)) * 100)
