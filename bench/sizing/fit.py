"""Calibration: robust least squares on logarithms, with priors, sources weighted so that a big table does not dominate.

`python -m bench.sizing.calibrate` runs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.sizing.runs import Run
from fleetyard.sizing.constants import Bound

Vector = NDArray[np.float64]
T = TypeVar("T")

NOISE = 0.08
"""Logarithm by which identical runs differ: releases and fabrics. Residuals are counted in it."""

TURN = 1.5
"""Residuals beyond so many times NOISE count linearly (Huber)."""

GRADES = {"A": 1.0, "B": 0.4, "C": 0.1}


@dataclass(frozen=True, slots=True)
class Problem:
    """What a calibration minimises. predict: values of the constants to logarithms of the predictions."""

    bounds: Mapping[str, Bound]
    predict: Callable[[Vector], Vector]
    truth: Vector
    weight: Vector

    def start(self) -> Vector:
        """Logarithms of the priors."""
        return np.log(np.array([bound.prior for bound in self.bounds.values()]))


def weights(runs: Sequence[Run]) -> Vector:
    """Weight of each run: groups of neighbours count by the root of their number, and so do the groups of a source."""
    groups = Counter(run.group for run in runs)
    families: dict[str, set[tuple[str, str, str]]] = {}
    for run in runs:
        families.setdefault(run.family, set()).add(run.group)
    raw = [GRADES[run.grade] / np.sqrt(groups[run.group]) / len(families[run.family]) ** 0.25 for run in runs]
    found = np.array(raw)
    return np.asarray(found)


def solve(problem: Problem, rounds: int = 12, start: Vector | None = None) -> Vector:
    """Logarithms of the constants that fit best: Gauss-Newton with Huber weights, priors and bounds."""
    low = np.log(np.array([max(bound.low, 1e-6) for bound in problem.bounds.values()]))
    high = np.log(np.array([bound.high for bound in problem.bounds.values()]))
    prior, sd = problem.start(), np.array([bound.sd for bound in problem.bounds.values()])
    theta = prior.copy() if start is None else start.copy()
    damping = 1e-2
    value = _cost(problem, theta, prior, sd)
    for _ in range(rounds):
        base = problem.predict(theta)
        residual = (base - problem.truth) / NOISE
        robust = problem.weight * np.minimum(1.0, TURN / np.maximum(np.abs(residual), 1e-12))
        slope = np.empty((len(base), len(theta)))
        for index in range(len(theta)):
            step = 0.02 if theta[index] + 0.02 <= high[index] else -0.02
            moved = theta.copy()
            moved[index] += step
            slope[:, index] = (problem.predict(moved) - base) / step / NOISE
        normal = slope.T @ (robust[:, None] * slope) + np.diag(1.0 / sd**2)
        pull = slope.T @ (robust * residual) + (theta - prior) / sd**2
        for _ in range(8):
            change = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -pull)
            trial = np.clip(theta + np.clip(change, -0.5, 0.5), low, high)
            cost = _cost(problem, trial, prior, sd)
            if cost < value:
                break
            damping *= 4.0
        else:
            return theta
        done = value - cost < 1e-4 * value
        theta, value, damping = trial, cost, max(damping / 4.0, 1e-4)
        if done:
            return theta
    return theta


def _cost(problem: Problem, theta: Vector, prior: Vector, sd: Vector) -> float:
    size = np.abs(problem.predict(theta) - problem.truth) / NOISE
    loss = np.where(size <= TURN, 0.5 * size**2, TURN * (size - 0.5 * TURN))
    return float(np.sum(problem.weight * loss) + 0.5 * np.sum(((theta - prior) / sd) ** 2))


def values(kind: type[T], theta: Vector, names: Sequence[str]) -> T:
    """Constants as the model takes them."""
    maker: Any = kind
    return maker(**{name: float(value) for name, value in zip(names, np.exp(theta), strict=True)})  # type: ignore[no-any-return]
