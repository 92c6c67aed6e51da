"""Plans to test the performance model with: one way of one case, changed field by field."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fleetyard.sizing.constants import constants
from fleetyard.sizing.footprint import Footprint, footprint
from fleetyard.sizing.frameworks import frameworks
from fleetyard.sizing.hardware import chips
from fleetyard.sizing.models import model
from fleetyard.sizing.plans import Gear, Layout, Net, Plans, Style, gear_of, net_of, style_of
from fleetyard.sizing.step import Times, step_times


def plans(
    name: str = "llama-3.1-70b",
    chip: str = "h100-sxm-80gb",
    precision: str = "bf16",
    year: float = 2025.5,
    nic: float | None = None,
    **layout: float,
) -> Plans:
    """One plan, 64 chips unless said otherwise. `data` follows from the rest."""
    given = {
        "chips": 64.0,
        "tensor": 4.0,
        "pipeline": 4.0,
        "context": 1.0,
        "expert": 1.0,
        "expert_tensor": 1.0,
        "interleave": 1.0,
        "micro": 1.0,
        "batch": 256.0,
        "sequence": 4096.0,
        "zero": 1.0,
        "recompute": 0.0,
        "recompute_attention": 0.0,
        "kept": 1.0,
        "lora": 0.0,
        "packed": 1.0,
        "bytes_per_weight": 2.0,
        **layout,
    }
    given["data"] = given["chips"] / (given["tensor"] * given["pipeline"] * given["context"])
    arrays = {field: np.array([value], dtype=np.float64) for field, value in given.items()}
    style = style_of(frameworks()["megatron"], year, chips()[chip])
    gear = gear_of(chips()[chip], precision, nic)
    return Plans(Net(**net_of(model(name))), Gear(**gear), Style(**style), Layout(**arrays))


def times(given: Plans) -> Times:
    """Its times with the calibrated constants."""
    return step_times(given, constants())


def step_s(given: Plans) -> float:
    """Seconds of its step."""
    return float(times(given).step[0])


def held(given: Plans) -> Footprint:
    """Its memory."""
    return footprint(given)


def with_gear(given: Plans, **changes: float) -> Plans:
    """The same plan on a chip that differs in some rate."""
    return replace(given, gear=replace(given.gear, **changes))
