"""What anyone could do without a model: constant utilisation, and the median utilisation of a chip's other runs."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from bench.sizing.fit import Vector
from bench.sizing.training import Sample
from fleetyard.sizing.cases import Case
from fleetyard.sizing.plans import LINEAR_FORMATS

MFU = 0.40


def ideal_s(case: Case) -> float:
    """Seconds of one step at the printed peak: 6 FLOPs (4 with adapters) for each active parameter and token, plus
    scores."""
    model = case.model
    per_token = 6 * model.active_parameters + 6 * model.attending * model.attention_width * case.sequence
    work = per_token * case.batch * case.sequence * (4 / 6 if case.lora else 1)
    return work / (case.chips * case.chip.peak[LINEAR_FORMATS[case.precision]])


def constant(whole: Sample) -> Vector:
    """Logarithmic errors of 40 % utilisation for every run."""
    return np.array([np.log(ideal_s(case) / MFU) for case in whole.cases]) - whole.truth


def look_up(whole: Sample) -> Vector:
    """Logarithmic errors of the median utilisation of other groups on the same chip, precision and kind; 40 % where
    none is."""
    seen: dict[tuple[object, ...], list[tuple[tuple[str, str, str], float]]] = defaultdict(list)
    ideal = np.array([np.log(ideal_s(case)) for case in whole.cases])
    for run, case, value in zip(whole.runs, whole.cases, ideal - whole.truth, strict=True):
        seen[_kind(case)].append((run.group, value))
    errors = []
    for run, case, value in zip(whole.runs, whole.cases, ideal - whole.truth, strict=True):
        others = [use for group, use in seen[_kind(case)] if group != run.group]
        errors.append(value - (float(np.median(others)) if others else np.log(MFU)))
    return np.array(errors)


def _kind(case: Case) -> tuple[object, ...]:
    return case.chip.id, case.precision, case.model.moe_layers > 0, case.lora
