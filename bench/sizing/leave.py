"""Predictions of runs that calibration has not seen: one key after the other is left out, and the rest is fitted
anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bench.sizing import serving, training
from bench.sizing.fit import Vector
from bench.sizing.runs import Run

KEYS: dict[str, Callable[[Run], str]] = {
    "source": lambda run: run.family,
    "publisher": lambda run: run.publisher,
    "chip": lambda run: run.row["hardware"] or "",
}
"""What is left out at once: a source and release, all releases of a publisher, a chip."""


def training_left_out(whole: training.Sample, key: str, start: Vector) -> Vector:
    """Logarithmic errors of each run's step time when everything with its key was left out."""
    keys = [KEYS[key](run) for run in whole.runs]
    errors = np.full(len(keys), np.nan)
    for value in dict.fromkeys(keys):
        mask = np.array([each == value for each in keys])
        found, _ = training.calibrate(training.part(whole, ~mask), start, 6)
        errors[mask] = training.part(whole, mask).errors(found)
    return errors


def serving_left_out(whole: serving.Sample, key: str, start: Vector) -> Vector:
    """Logarithmic errors of each measurement when everything with its key was left out."""
    keys: Sequence[str] = [KEYS[key](run) for run in whole.runs]
    errors = np.full(len(whole.truth), np.nan)
    for value in dict.fromkeys(keys):
        mask = np.array([each == value for each in keys])
        found, _ = serving.calibrate(serving.part(whole, ~mask), start, 8)
        errors[mask[whole.owner]] = serving.part(whole, mask).errors(found)
    return errors
