"""The calibrated constants of the performance model: few, physical, bounded, shared by all families."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Constants:
    """Values by name; constants.toml says what each means, its bounds and where it comes from."""

    matrix_share: float
    matrix_share_fp8: float
    matrix_share_fp4: float
    inner: float
    kernel_us: float
    rows_share: float
    attention_share: float
    attention_back: float
    attention_length: float
    attention_foreign: float
    young: float
    softmax: float
    memory_share: float
    traffic: float
    cast: float
    loss_traffic: float
    link_share: float
    nic_share: float
    link_alpha_us: float
    nic_alpha_us: float
    root: float
    hide: float
    tree: float
    moe_layer_us: float
    moe_decay: float
    moe_traffic: float
    moe_narrow: float
    launch_us: float
    step_ms: float
    straggler: float
    optimizer_bytes: float
    year_gain: float
    torus_share: float
    xla_share: float
    blackwell_share: float
    ampere_share: float
    xla_experts: float
    scan_bytes: float
    pipeline_extra: float


@dataclass(frozen=True, slots=True)
class Bound:
    """What a constant may be, and what it is taken for before any run is looked at."""

    value: float
    prior: float
    low: float
    high: float
    sd: float
    source: str


@cache
def bounds() -> dict[str, Bound]:
    """Every constant with its bounds and source."""
    rows = tomllib.loads((Path(__file__).parent / "constants.toml").read_text(encoding="utf-8"))
    return {name: Bound(**row) for name, row in rows.items()}


@cache
def constants() -> Constants:
    """The calibrated values."""
    return Constants(**{field.name: bounds()[field.name].value for field in fields(Constants)})
