"""How sure a prediction is: 80 % intervals, wider where calibration is thin or inputs are missing."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetyard.sizing.cases import Case
from fleetyard.sizing.serving import Service
from fleetyard.sizing.space import Ground

SEEN = {
    "a100-sxm4-40gb",
    "a100-sxm4-80gb",
    "h100-sxm-80gb",
    "h100-sxm-96gb-500w",
    "h200-sxm-141gb",
    "b200-sxm",
    "b300-sxm",
    "gb200",
    "gb300",
    "tpu-v5e",
    "tpu-v5p",
    "tpu-v7x",
    "tpu-v4",
}
"""Chips of which several published training runs were calibrated on."""

MOST_CHIPS = 8192
LONGEST = 32_768


@cache
def widths() -> dict[str, dict[str, float]]:
    """The calibrated half-widths."""
    found: dict[str, Any] = tomllib.loads((Path(__file__).parent / "intervals.toml").read_text(encoding="utf-8"))
    return found


def half_width(
    cases: Sequence[Case], fits: NDArray[np.bool_], part: dict[str, float] | None = None
) -> NDArray[np.float64]:
    """Half-width of the 80 % interval of each case's step time, as a natural logarithm."""
    w = part or widths()["training"]
    table = features(cases, fits)
    squares = np.array([w[name] ** 2 for name in FEATURES])
    return np.asarray(np.sqrt(table @ squares))


def plan_half_width(ground: Ground, chips: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half-widths of the 80 % interval of plans of ours on so many chips, of which everything is known, as natural
    logarithms."""
    w = widths()["training"]
    parts = {
        "base": True,
        "moe": ground.model.moe_layers > 0,
        "adapters": ground.lora,
        "google": ground.chip.vendor == "google",
        "other_vendor": ground.chip.vendor not in ("google", "nvidia"),
        "long_sequence": ground.sequence > LONGEST,
        "unseen_chip": ground.chip.id not in SEEN,
    }
    known = sum(w[name] ** 2 for name, there in parts.items() if there)
    beyond = np.maximum(0.0, np.log2(chips / MOST_CHIPS))
    return np.asarray(np.sqrt(known + beyond * w["beyond_chips"] ** 2))


FEATURES = (
    "base",
    "moe",
    "adapters",
    "google",
    "other_vendor",
    "no_framework",
    "each_missing",
    "long_sequence",
    "unseen_chip",
    "beyond_chips",
    "not_fitting",
)


def features(cases: Sequence[Case], fits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What widens the interval of each case: a row of counts in the order of FEATURES."""
    rows = [
        (
            1.0,
            float(case.model.moe_layers > 0),
            float(case.lora),
            float(case.chip.vendor == "google"),
            float(case.chip.vendor not in ("google", "nvidia")),
            float(not case.named_framework),
            float(min(case.missing, 9)),
            float(case.sequence > LONGEST),
            float(case.chip.id not in SEEN),
            float(max(0.0, np.log2(case.chips / MOST_CHIPS))),
            float(not fit),
        )
        for case, fit in zip(cases, fits, strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


def extrapolates(chip: str, chips: float, sequence: int) -> tuple[str, ...]:
    """In which ways a training run lies outside what calibration saw; its interval is wider for each."""
    found = []
    if chip not in SEEN:
        found.append(f"extrapolated: no published training run on {chip} was calibrated on")
    if chips > MOST_CHIPS:
        found.append(f"extrapolated: {chips:,.0f} chips, calibrated runs had up to {MOST_CHIPS:,}")
    if sequence > LONGEST:
        found.append(f"extrapolated: sequences of {sequence:,}, most calibrated runs' had up to {LONGEST:,}")
    return tuple(found)


SERVING_FEATURES = (
    "throughput",
    "first",
    "each",
    "each_missing",
    "moe",
    "google_or_aws",
    "limited",
    "static",
    "not_fitting",
)


def serving_features(services: Sequence[Service], fits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What widens the intervals: for throughput, first token and each token, a row of each service."""
    rows = np.array(
        [
            (
                0.0,
                0.0,
                0.0,
                float(min(service.missing, 6)),
                float(service.model.moe_layers > 0),
                float(service.chip.vendor in ("google", "aws")),
                float(service.limits is not None),
                float(service.static),
                float(not fit),
            )
            for service, fit in zip(services, fits, strict=True)
        ],
        dtype=np.float64,
    ).reshape(len(services), len(SERVING_FEATURES))
    found = np.stack([rows, rows, rows])
    for kind in range(3):
        found[kind, :, kind] = 1.0
    return found


def serving_half_widths(services: Sequence[Service], fits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Half-widths of throughput, time to first token and time per token of each service, as natural logarithms."""
    w = widths()["serving"]
    return np.asarray(np.sqrt(serving_features(services, fits) @ np.array([w[name] ** 2 for name in SERVING_FEATURES])))
