"""What the first-order model assumes, as data with reasons."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Efficiency:
    """The share of the bf16 peak that training uses, 0 to 1, and whether that already pays for recomputation."""

    mfu: float
    recompute_included: bool
    source: str


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Numbers that neither the stack file nor the catalogue gives. Units stand in the names."""

    mfu: float
    full_recompute: float
    network_efficiency: float
    store_efficiency: float
    ip_gbps: float
    runtime_gib: float
    fragmentation: float
    accelerator_hours_per_failure: float
    restart_s: float
    batch_tokens: int
    token_bytes: int
    tensor_parallel: int
    decode_bandwidth: float
    prefill_mfu: float
    utilisation: float
    serve_batch: int
    prompt_tokens: int
    output_tokens: int
    by_accelerator: Mapping[str, Efficiency]

    def efficiency(self, accelerator_id: str) -> Efficiency:
        """What published runs on a chip reached, or the default where none were read."""
        default = Efficiency(self.mfu, recompute_included=False, source="no published run of this chip: a low default")
        return self.by_accelerator.get(accelerator_id, default)


@cache
def assumptions() -> Assumptions:
    """The assumptions, loaded once."""
    table: dict[str, Any] = tomllib.loads((Path(__file__).parent / "assumptions.toml").read_text(encoding="utf-8"))
    rows = {
        chip: Efficiency(row["mfu"], row["recompute"] == "full", row["source"])
        for chip, row in table["efficiency"].items()
    }
    return Assumptions(by_accelerator=rows, **table["default"])
