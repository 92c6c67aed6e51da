"""80 % intervals: how often they hold on runs left out of calibration, and the widths for which they do so best.

`python -m bench.sizing.coverage [--write]` fits the widths of intervals.toml by the interval score (Gneiting and
Raftery 2007): width, plus ten times what the truth lies outside.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.sizing import serving, training
from bench.sizing.calibrate import DATA
from bench.sizing.fit import Vector, weights
from bench.sizing.leave import serving_left_out, training_left_out
from fleetyard.sizing.intervals import FEATURES, SERVING_FEATURES, features, serving_features, widths

MISSED = 0.2
STEPS = 40
LEAST = 1e-3
THIN = {"other_vendor", "unseen_chip", "beyond_chips", "long_sequence", "not_fitting", "static"}
"""Features of which too few independent runs are published: their widths are judged, not fitted."""
SHRINK = 0.85
"""How a trial changes one width; both directions are tried until none helps."""


@dataclass(frozen=True, slots=True)
class Widths:
    """Fitted widths by feature, and how often the interval holds with them."""

    values: dict[str, float]
    covered: float


def covered(errors: Vector, half: Vector, weight: Vector | None = None) -> float:
    """Share of runs whose truth lies inside the interval."""
    inside = np.abs(errors) <= half
    return float(np.average(inside, weights=weight))


def fit(
    errors: Vector, table: NDArray[np.float64], names: tuple[str, ...], start: dict[str, float], weight: Vector
) -> Widths:
    """Widths of the features that minimise the interval score, then scaled together to hold in 80 % of the runs."""
    size = np.abs(errors)
    values = np.array([max(start[name], LEAST) for name in names])
    used = table.any(axis=0) & np.array([name not in THIN for name in names])

    def cost(trial: Vector) -> float:
        half = np.sqrt(table @ trial**2)
        return float(np.average(2 * half + 2 / MISSED * np.maximum(0.0, size - half), weights=weight))

    best = cost(values)
    for _ in range(STEPS):
        before = best
        for index in np.flatnonzero(used):
            for factor in (SHRINK, 1 / SHRINK):
                trial = values.copy()
                trial[index] = np.clip(trial[index] * factor, LEAST, 1.0)
                found = cost(trial)
                if found < best:
                    values, best = trial, found
        if best > before - 1e-6:
            break
    ratio = size / np.sqrt(table @ values**2)
    order = np.argsort(ratio)
    reached = np.searchsorted(np.cumsum(weight[order]) / weight.sum(), 1 - MISSED)
    values = np.where(used, values * ratio[order][min(reached, len(order) - 1)], values)
    return Widths(dict(zip(names, values, strict=True)), covered(errors, np.sqrt(table @ values**2)))


def training_widths() -> Widths:
    """Widths for training, from sources left out."""
    whole, _ = training.sample()
    found, theta = training.calibrate(whole)
    errors = np.concatenate([training_left_out(whole, key, theta) for key in ("source", "publisher", "chip")])
    table = np.tile(features(whole.cases, whole.prediction(found).fits), (3, 1))
    return fit(errors, table, FEATURES, widths()["training"], np.tile(weights(whole.runs), 3))


def serving_widths() -> Widths:
    """Widths for serving, from sources left out."""
    whole, _ = serving.sample()
    _, theta = serving.calibrate(whole)
    errors = np.concatenate([serving_left_out(whole, key, theta) for key in ("source", "chip")])
    rows = serving_features(whole.services, serving.fits(whole))
    table = np.array([rows[kind][owner] for kind, owner in zip(whole.kind, whole.owner, strict=True)])
    weight = weights(whole.runs)[whole.owner]
    return fit(errors, np.tile(table, (2, 1)), SERVING_FEATURES, widths()["serving"], np.tile(weight, 2))


def main() -> None:
    """Fit and print, or write, the widths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the widths into intervals.toml")
    args = parser.parse_args()
    path = DATA / "intervals.toml"
    for section, found in (("training", training_widths()), ("serving", serving_widths())):
        print(f"{section}: the 80 % interval holds in {found.covered:.0%} of the runs left out")
        print("\n".join(f"  {name:16} {value:.3f}" for name, value in found.values.items()))
        if args.write:
            text = path.read_text(encoding="utf-8")
            head, _, rest = text.partition(f"[{section}]")
            for name, value in found.values.items():
                rest = re.sub(rf"^{name} = .*$", f"{name} = {value:.3f}", rest, count=1, flags=re.MULTILINE)
            path.write_text(f"{head}[{section}]{rest}", encoding="utf-8")


if __name__ == "__main__":
    main()
