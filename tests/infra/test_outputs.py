"""The export of a stack: what is written is what readers get, and nothing else is taken for it."""

from __future__ import annotations

from typing import Any

import pytest

from fleetyard.findings import FleetyardError
from fleetyard.outputs import VERSION, parse_outputs

EXPORT: dict[str, Any] = {
    "version": VERSION,
    "stack": "demo",
    "owner": "research",
    "cloud": "aws",
    "region": "us-east-1",
    "project": None,
    "scheduler": "slurm",
    "network": {
        "id": "vpc-1",
        "cidr": "10.0.0.0/16",
        "subnets": {"a": {"id": "s", "cidr": "10.0.0.0/20", "zone": None}},
    },
    "pools": {},
    "stores": {},
    "endpoints": {},
    "usd_per_hour": None,
}


def test_an_export_is_read_back() -> None:
    assert parse_outputs(EXPORT).network.subnets["a"].cidr == "10.0.0.0/20"


def test_what_a_newer_version_adds_is_ignored() -> None:
    assert parse_outputs({**EXPORT, "more": 1}).stack == "demo"


@pytest.mark.parametrize(
    ("exported", "code"),
    [
        (None, "FY1501"),
        ({}, "FY1501"),
        ([], "FY1501"),
        ({**EXPORT, "version": 99}, "FY1502"),
        ({**EXPORT, "network": {}}, "FY1501"),
        ({key: value for key, value in EXPORT.items() if key != "pools"}, "FY1501"),
    ],
)
def test_anything_else_is_refused(exported: Any, code: str) -> None:
    with pytest.raises(FleetyardError) as wrong:
        parse_outputs(exported)
    assert wrong.value.findings[0].code == code
