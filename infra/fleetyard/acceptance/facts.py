"""What the gate knows beyond the catalogue, typed: `facts.toml`, read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fleetyard.catalog import Unknown


@dataclass(frozen=True, slots=True)
class ChipFacts:
    """What a healthy board of one kind shows in a machine of the cloud. `hbm`: its memory needs no room for ECC."""

    names: tuple[str, ...]
    hbm: bool
    nvlinks: int | Unknown
    nvlink_gb_per_s: float | Unknown
    pcie_generation: int | Unknown
    pcie_width: int | Unknown
    sm_mhz: int | Unknown
    source: str


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What one machine type adds: the rate of its accelerators' network, RDMA devices, rate of its local drives."""

    fabric_gbps: float | Unknown
    rdma_devices: int | Unknown
    nvme_read_gb_per_s: float | Unknown
    nvme_write_gb_per_s: float | Unknown
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything. Shares are fractions of a published or derived value that a healthy node reaches."""

    chips: Mapping[str, ChipFacts]
    machines: Mapping[str, MachineFacts]
    shares: Mapping[str, float]
    shares_source: str
    tcp_flow_gbps: float
    all_reduce_bytes: int
    limits_source: str

    def chip(self, accelerator_id: str) -> ChipFacts:
        """One accelerator's facts; all unknown for one that nobody looked at."""
        return self.chips.get(accelerator_id) or _chip({"names": [], "hbm": True, "source": "none"})

    def machine(self, name: str) -> MachineFacts:
        """One machine's facts; all unknown for one that nobody looked at."""
        return self.machines.get(name) or _machine({"source": "none"})


def _chip(row: Mapping[str, Any]) -> ChipFacts:
    missing = Unknown("no source for this accelerator")
    keys = ("nvlinks", "nvlink_gb_per_s", "pcie_generation", "pcie_width", "sm_mhz")
    values: dict[str, Any] = {key: row.get(key, missing) for key in keys}
    return ChipFacts(names=tuple(row["names"]), hbm=row["hbm"], source=row["source"], **values)


def _machine(row: Mapping[str, Any]) -> MachineFacts:
    missing = Unknown("no source for this machine")
    keys = ("fabric_gbps", "rdma_devices", "nvme_read_gb_per_s", "nvme_write_gb_per_s")
    values: dict[str, Any] = {key: row.get(key, missing) for key in keys}
    return MachineFacts(source=row["source"], **values)


@cache
def facts() -> Facts:
    """The facts, read once."""
    top = tomllib.loads((Path(__file__).parent / "facts.toml").read_text(encoding="utf-8"))
    shares = dict(top["shares"])
    return Facts(
        {name: _chip(row) for name, row in top["accelerators"].items()},
        {name: _machine(row) for name, row in top["machines"].items()},
        {name: value for name, value in shares.items() if name != "source"},
        shares["source"],
        top["limits"]["tcp_flow_gbps"],
        top["limits"]["all_reduce_bytes"],
        top["limits"]["source"],
    )
