"""What sizing assumes where nobody says, as data with reasons."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Numbers that neither the stack file nor the catalogue gives. Units stand in the names."""

    store_efficiency: float
    ip_gbps: float
    accelerator_hours_per_failure: float
    restart_s: float
    batch_tokens: int
    token_bytes: int
    tensor_parallel: int
    utilisation: float
    prompt_tokens: int
    output_tokens: int
    spot_hours_per_interruption: float
    zones: int


@cache
def assumptions() -> Assumptions:
    """The assumptions, loaded once."""
    table = tomllib.loads((Path(__file__).parent / "assumptions.toml").read_text(encoding="utf-8"))
    return Assumptions(**table["default"])
