"""What a preview costs when the number of accelerators grows from 8 to 16,384."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from typing import Any

from bench.measure import Ratio, Result, in_turn
from bench.sandbox import sandbox, stack_config

SCALE_BUDGET = 1.1
NO_LIMIT = {"usd_per_hour": 10_000_000, "usd": 10_000_000_000}
KEY = "fleetyard:stack"


def scale(pairs: int) -> Iterator[Result]:
    """16,384 accelerators beside 8: p5.48xlarge machines, v5p slices, and v5e slices of 256 chips at most."""
    cases = (
        ("p5.48xlarge", _aws(2048), _aws(1), SCALE_BUDGET, "1 machine"),
        ("v5p, 4 slices of 4,096 chips", _tpu("v5p-8192", 4), _tpu("v5p-16", 1), SCALE_BUDGET, "1 slice of 8"),
        # Google sells v5e in slices of 256 chips at most and one resource is one slice, so this one cannot stay flat.
        ("v5e, 64 slices of 256 chips", _tpu("v5litepod-256", 64), _tpu("v5litepod-16", 1), None, "1 slice of 16"),
    )
    with sandbox() as place:
        for number, (name, large, small, budget, against) in enumerate(cases):
            ours = place.ours({f"large-{number}": large, f"small-{number}": small})
            a, b = in_turn(partial(ours.preview, f"large-{number}"), partial(ours.preview, f"small-{number}"), pairs)
            yield Ratio(f"preview of 16,384: {name}", a, b, budget, against)


def _aws(count: int) -> dict[str, Any]:
    config, stack = _stack("a100-train")
    return config | {KEY: stack | {"pools": _pools(stack, machine="p5.48xlarge", count=count)}}


def _tpu(machine: str, slices: int) -> dict[str, Any]:
    config, stack = _stack("tpu-train")
    zone = "us-east5-a" if machine.startswith("v5p") else "us-west4-a"
    place = {"region": zone[:-2], "zones": [zone]}
    return config | {KEY: stack | place | {"pools": _pools(stack, machine=machine, slices=slices)}}


def _stack(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    config = stack_config(name)
    stack: dict[str, Any] = copy.deepcopy(config[KEY])
    del stack["workloads"]
    stack["budget"] = NO_LIMIT
    return config, stack


def _pools(stack: dict[str, Any], **changes: Any) -> dict[str, Any]:
    train: dict[str, Any] = {
        k: v for k, v in stack["pools"]["train"].items() if k not in ("count", "slices", "topology")
    }
    pools: dict[str, Any] = stack["pools"]
    return pools | {"train": train | changes}
