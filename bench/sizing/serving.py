"""Calibration and scoring of the serving model on the published serving runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.sizing.fit import Problem, Vector, solve, values, weights
from bench.sizing.runs import Run, serving_runs
from fleetyard.sizing.cells import CellError
from fleetyard.sizing.serving import Service, predict_serving, read_service
from fleetyard.sizing.serving_facts import ServingConstants, serving_bounds

MEASURES = ("throughput_tokens_per_s", "ttft_ms", "tpot_ms")
IMPORTANCE = {"throughput_tokens_per_s": 1.0, "ttft_ms": 0.3, "tpot_ms": 1.0}
"""How much one measurement counts in calibration: times to a first token scatter most."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Runs that can be predicted, and each measurement with the run and kind that it belongs to."""

    runs: tuple[Run, ...]
    services: tuple[Service, ...]
    owner: NDArray[np.intp]
    kind: NDArray[np.intp]
    truth: Vector

    def predicted(self, k: ServingConstants) -> Vector:
        """Logarithms of the predictions, one for each measurement."""
        found = predict_serving(self.services, k)
        all_of = np.stack([found.tokens_per_s, found.first_s * 1e3, found.each_s * 1e3])
        return np.asarray(np.log(all_of[self.kind, self.owner]), dtype=np.float64)

    def errors(self, k: ServingConstants) -> Vector:
        """Logarithm of predicted over measured."""
        return self.predicted(k) - self.truth


def sample(runs: Sequence[Run] | None = None) -> tuple[Sample, list[tuple[str, str]]]:
    """Serving runs, and those that are refused with the reason."""
    kept: list[tuple[Run, Service]] = []
    refused: list[tuple[str, str]] = []
    for run in serving_runs() if runs is None else runs:
        try:
            kept.append((run, read_service(run.row)))
        except CellError as wrong:
            refused.append((run.id, str(wrong)))
    return _sample(kept), refused


def _sample(kept: Sequence[tuple[Run, Service]]) -> Sample:
    rows = [
        (index, MEASURES.index(name), np.log(value))
        for index, (run, _) in enumerate(kept)
        for name, value in run.measured.items()
    ]
    owner, kind, truth = (np.array(column) for column in zip(*rows, strict=True))
    return Sample(tuple(r for r, _ in kept), tuple(s for _, s in kept), owner, kind, truth)


def part(whole: Sample, mask: NDArray[np.bool_]) -> Sample:
    """Some of a sample; mask: one value for each run."""
    return _sample([(r, s) for r, s, keep in zip(whole.runs, whole.services, mask, strict=True) if keep])


def fits(whole: Sample) -> NDArray[np.bool_]:
    """Whether each service fits its chips."""
    return predict_serving(whole.services).fits


def calibrate(learn: Sample, start: Vector | None = None, rounds: int = 14) -> tuple[ServingConstants, Vector]:
    """Constants that fit a sample."""
    limits = serving_bounds()
    names = list(limits)
    importance = np.array([IMPORTANCE[MEASURES[kind]] for kind in learn.kind])
    weight = weights(learn.runs)[learn.owner] * importance
    problem = Problem(limits, lambda t: learn.predicted(values(ServingConstants, t, names)), learn.truth, weight)
    theta = solve(problem, rounds, start)
    return values(ServingConstants, theta, names), theta
