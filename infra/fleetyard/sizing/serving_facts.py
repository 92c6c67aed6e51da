"""Constants and benchmark lengths of the serving model, as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from fleetyard.sizing.constants import Bound


@dataclass(frozen=True, slots=True)
class ServingConstants:
    """Values by name; serving.toml says what each means, its bounds and where it comes from."""

    decode_share: float
    kv_share: float
    compute_share: float
    fp4_share: float
    moe_share: float
    tuned: float
    alone_share: float
    together: float
    layer_us: float
    reduce_us: float
    hop_us: float
    step_us: float
    sequence_us: float
    reserve: float
    older: float
    server_load: float
    slack: float
    wait_steps: float
    python: float
    moe_layer_us: float
    static_power: float
    amd_share: float
    neuron_share: float
    google_share: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """Mean tokens of a request, and p99 limits (first token, each token) in milliseconds by scenario."""

    input: float
    output: float
    server: tuple[float, float]
    interactive: tuple[float, float]


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "serving.toml").read_text(encoding="utf-8"))


@cache
def serving_bounds() -> dict[str, Bound]:
    """Every constant with its bounds and source."""
    return {name: Bound(**row) for name, row in _data()["constants"].items()}


@cache
def serving_constants() -> ServingConstants:
    """The calibrated values."""
    return ServingConstants(**{field.name: serving_bounds()[field.name].value for field in fields(ServingConstants)})


@cache
def traffic(model: str) -> Traffic:
    """What a public benchmark sends to a model; the usual where there is none."""
    row = _data()["benchmark"].get(model, _data()["usual"])
    return Traffic(row["input"], row["output"], tuple(row["server"]), tuple(row["interactive"]))
