"""Calibration and scoring of the training model on the published training runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.sizing.fit import Problem, Vector, solve, values, weights
from bench.sizing.runs import Run, training_runs
from fleetyard.sizing.cases import Case, read_case
from fleetyard.sizing.cells import CellError
from fleetyard.sizing.constants import Constants, bounds
from fleetyard.sizing.footprint import footprint
from fleetyard.sizing.step import step_times
from fleetyard.sizing.training import Fleet, Prediction, choose, fleet_of, predict

TURNS = 3
"""How often the ways that fill blanks are chosen anew while constants move."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Runs that can be predicted, as cases with all their ways, and what was measured."""

    runs: tuple[Run, ...]
    cases: tuple[Case, ...]
    fleet: Fleet
    total: NDArray[np.float64]
    have: NDArray[np.float64]
    truth: Vector

    def errors(self, k: Constants) -> Vector:
        """Logarithm of predicted over measured."""
        return np.log(predict(self.cases, k, self.fleet).times.step) - self.truth

    def prediction(self, k: Constants) -> Prediction:
        """What the model says."""
        return predict(self.cases, k, self.fleet)


def sample(runs: Sequence[Run] | None = None) -> tuple[Sample, list[tuple[str, str]]]:
    """Runs with a step time, and those that are refused with the reason."""
    kept: list[tuple[Run, Case]] = []
    refused: list[tuple[str, str]] = []
    for run in training_runs() if runs is None else runs:
        try:
            kept.append((run, read_case(run.row)))
        except CellError as wrong:
            refused.append((run.id, str(wrong)))
    return _sample(kept), refused


def _sample(kept: Sequence[tuple[Run, Case]]) -> Sample:
    cases = tuple(case for _, case in kept)
    fleet = fleet_of(cases)
    held = footprint(fleet.plans)
    truth = np.log(np.array([run.measured["step_time_s"] for run, _ in kept]))
    return Sample(tuple(run for run, _ in kept), cases, fleet, held.total, held.have, truth)


def part(whole: Sample, mask: NDArray[np.bool_]) -> Sample:
    """Some of a sample."""
    return _sample([(run, case) for run, case, keep in zip(whole.runs, whole.cases, mask, strict=True) if keep])


def calibrate(learn: Sample, start: Vector | None = None, rounds: int = 10) -> tuple[Constants, Vector]:
    """Constants that fit a sample."""
    theta = start
    weight = weights(learn.runs)
    for turn in range(TURNS):
        k = _constants(theta) if theta is not None else _constants(_priors())
        chosen = choose(learn.fleet, step_times(learn.fleet.plans, k), learn.total, learn.have)
        plans = learn.fleet.plans.take(chosen)
        problem = Problem(
            bounds(), lambda t, plans=plans: np.log(step_times(plans, _constants(t)).step), learn.truth, weight
        )
        theta = solve(problem, rounds if turn == 0 else max(3, rounds // 2), theta)
    assert theta is not None
    return _constants(theta), theta


def _priors() -> Vector:
    return np.log(np.array([bound.prior for bound in bounds().values()]))


def _constants(theta: Vector) -> Constants:
    return values(Constants, theta, list(bounds()))
