"""Energy and carbon of a fleet: rated power, node and site overhead, grid intensity by region."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fleetyard.catalog import Cloud, Unknown
from fleetyard.sizing.guard import finite, positive


@dataclass(frozen=True, slots=True)
class Site:
    """What a region adds to and emits for each kilowatt-hour. Grams of CO2 equivalent; unknown where nobody
    published."""

    overhead: float
    grams_per_kwh: float | Unknown


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "energy.toml").read_text(encoding="utf-8"))


def site(cloud: Cloud, region: str) -> Site:
    """Overhead and grid intensity of a region (location-based)."""
    overhead, grid = _data()["overhead"][cloud.value], _data()["grams_per_kwh"][cloud.value]
    grams = grid.get(region, Unknown(f"no grid intensity of {region} in the sources"))
    return Site(float(overhead.get(region, overhead["all"])), grams)


def fleet_kw(chips: float, watts: float, overhead: float, training: bool = True) -> float:
    """Mean kilowatts of a fleet at the meter of its site.

    chips: how many; watts: rated power of one; overhead: power usage effectiveness, at least 1. Raises ValueError for a
    negative argument. Source: MLPerf Training power submissions; Patterson 2021 (arXiv 2104.10350).
    """
    finite(chips=chips, watts=watts)
    positive(overhead=overhead)
    share = _data()["node_share"] if training else _data()["serving_share"]
    return float(chips * watts * share * (1 + _data()["fabric_share"]) * overhead / 1e3)


def carbon_kg(kwh: float, grams_per_kwh: float) -> float:
    """Kilograms of CO2 equivalent for some energy. Raises ValueError for a negative argument."""
    finite(kwh=kwh, grams_per_kwh=grams_per_kwh)
    return kwh * grams_per_kwh / 1e3
