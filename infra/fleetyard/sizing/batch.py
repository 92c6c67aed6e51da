"""Batch prediction: published or planned runs as table rows in, predictions with intervals as table rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fleetyard.sizing.cases import Case, read_case
from fleetyard.sizing.cells import CellError
from fleetyard.sizing.intervals import half_width, serving_half_widths
from fleetyard.sizing.serving import Service, predict_serving, read_service
from fleetyard.sizing.step import BOUNDS
from fleetyard.sizing.tables import digits
from fleetyard.sizing.training import predict

TRAINING_COLUMNS = ("id", "step_time_s", "step_time_low_s", "step_time_high_s", "memory_gib", "bound_by", "error")
"""Columns of a table of training predictions."""

A_LITTLE = 1.25
FULL = 0.97
"""Share of a chip's memory that a run which barely fits takes."""

TOO_FAR = "the numbers of this row are too far apart to predict"

Row = Mapping[str, str | None]


def training_rows(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """One line of TRAINING_COLUMNS for each row, in order. A row that cannot be predicted has its reason in `error`."""
    cases: list[Case] = []
    places: list[int] = []
    lines: list[tuple[str, ...]] = []
    for index, row in enumerate(rows):
        lines.append(("",) * len(TRAINING_COLUMNS))
        try:
            cases.append(read_case(row))
            places.append(index)
        except (CellError, ValueError, OverflowError) as wrong:
            lines[index] = (row.get("id") or "", "", "", "", "", "", str(wrong))
    if cases:
        for place, line in zip(places, _predicted(cases), strict=True):
            lines[place] = (rows[place].get("id") or "", *line)
    return lines


def _predicted(cases: Sequence[Case]) -> list[tuple[str, ...]]:
    found = predict(cases)
    half = half_width(cases, found.fits)
    step, bound = found.times.step, found.times.bound()
    have = np.array([case.chip.memory_gib for case in cases])
    # A little over is an error of the model, for the run ran: its peak lay just below what the chip has.
    memory = np.where(found.memory_gib <= have * A_LITTLE, np.minimum(found.memory_gib, have * FULL), found.memory_gib)
    low, high = step * np.exp(-half), step * np.exp(half)
    return [
        (digits(step[i]), digits(low[i]), digits(high[i]), digits(memory[i]), BOUNDS[bound[i]], "")
        if np.isfinite(step[i]) and step[i] > 0
        else ("", "", "", "", "", TOO_FAR)
        for i in range(len(cases))
    ]


SERVING_COLUMNS = (
    "id",
    *(f"{name}{end}" for name in ("throughput_tokens_per_s", "ttft_ms", "tpot_ms") for end in ("", "_low", "_high")),
    "error",
)
"""Columns of a table of serving predictions."""


def serving_rows(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """One line of SERVING_COLUMNS for each row, in order. A row that cannot be predicted has its reason in `error`."""
    services: list[Service] = []
    places: list[int] = []
    blank = ("",) * (len(SERVING_COLUMNS) - 2)
    lines: list[tuple[str, ...]] = []
    for index, row in enumerate(rows):
        lines.append(())
        try:
            services.append(read_service(row))
            places.append(index)
        except (CellError, ValueError, OverflowError) as wrong:
            lines[index] = (row.get("id") or "", *blank, str(wrong))
    if services:
        for place, cells in zip(places, _served(services), strict=True):
            lines[place] = (rows[place].get("id") or "", *(cells or blank), "" if cells else TOO_FAR)
    return lines


def _served(services: Sequence[Service]) -> list[tuple[str, ...] | None]:
    found = predict_serving(services)
    half = serving_half_widths(services, found.fits)
    middle = np.stack([found.tokens_per_s, found.first_s * 1e3, found.each_s * 1e3])
    sound = np.all(np.isfinite(middle) & (middle > 0), axis=0)
    three = np.stack([middle, middle * np.exp(-half), middle * np.exp(half)], axis=1).reshape(9, -1)
    return [tuple(digits(value) for value in three[:, i]) if sound[i] else None for i in range(len(services))]
