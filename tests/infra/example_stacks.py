"""Small stacks that pass every rule, and a way to change one thing in them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from fleetyard.plan import Plan, make_plan
from fleetyard.spec import Stack, parse_stack

AWS: dict[str, Any] = {
    "owner": "research",
    "cloud": "aws",
    "region": "us-east-1",
    "zones": ["use1-az6"],
    "network": {"cidr": "10.40.0.0/16", "egress": "nat-shared", "access": ["ssm"]},
    "stores": {"data": {"kind": "object", "on_destroy": "keep"}},
    "pools": {
        "control": {"role": "control", "machine": "m7i.xlarge", "count": 1},
        "train": {"role": "compute", "machine": "p4d.24xlarge", "count": 4, "cache": {"from": "data"}},
    },
    "scheduler": "slurm",
    "workloads": {"job": {"kind": "train", "pool": "train", "model": "llama-2-7b", "tokens": 2e11, "deadline": "14d"}},
    "budget": {"usd_per_hour": 700},
}
TPU: dict[str, Any] = {
    "owner": "research",
    "cloud": "gcp",
    "project": "demo-project",
    "region": "us-central1",
    "zones": ["us-central1-a"],
    "network": {"cidr": "10.60.0.0/16", "access": ["iap"]},
    "stores": {"data": {"on_destroy": "keep"}},
    "pools": {
        "train": {
            "role": "compute",
            "machine": "v5litepod-16",
            "topology": "4x4",
            "slices": 2,
            "cache": {"from": "data"},
        }
    },
    "budget": {"usd_per_hour": 700},
}
GPU: dict[str, Any] = {
    **TPU,
    "pools": {
        "train": {
            "role": "compute",
            "machine": "a2-highgpu-1g",
            "count": 2,
            "local_ssds": 1,
            "cache": {"from": "data"},
        }
    },
    "budget": {},
}
GONE = object()
"""As a new value: take the key away."""


def varied(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with values replaced at dotted places; missing mappings on the way are made."""
    value = copy.deepcopy(base)
    for path, new in changes.items():
        *parents, last = path.split("/")
        place = value
        for part in parents:
            place = place.setdefault(part, {})
        if new is GONE:
            place.pop(last, None)
        else:
            place[last] = new
    return value


def stack_of(base: dict[str, Any], name: str = "demo", **changes: Any) -> Stack:
    """The stack of a changed example; `pools__train__zones=[...]` changes one place."""
    return parse_stack(varied(base, {key.replace("__", "/"): new for key, new in changes.items()}), name)


def plan_of(base: dict[str, Any], changes: dict[str, Any] | None = None, name: str = "demo", sized: int = 1) -> Plan:
    """The plan of a changed example."""
    stack = parse_stack(varied(base, changes or {}), name)
    return make_plan(stack, dict.fromkeys(stack.pools, sized))


def change(folder: Path, old: str, new: str) -> None:
    """Write something else into the A100 stack's file of a copy."""
    path = folder / "Pulumi.a100-train.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
