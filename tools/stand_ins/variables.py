"""Host variables of a node whose accelerators are played: its hardware, its versions, and where they are had from.

The hardware comes from the catalogue and from what the acceptance gate knows, so a wrong fact there is played as it is
written: what stand-ins answer proves the roles and the gate's workings, and no fact.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fleetyard.acceptance.facts import facts
from fleetyard.catalog import Machine, catalog, known
from fleetyard.versions import Target, choose, manifest

BASE = "http://169.254.169.250/stand-ins"
"""Where hosts see the folder."""
SHOWN_HBM, SHOWN_GDDR = 0.9956, 0.94
"""Share of the memory that drivers show: an H100 says 81559 of 81920 MiB, a T4 15360 of 16384 MiB."""
SLICED = ("a100", "h100", "h200", "b200", "b300", "gb200", "gb300")
"""Which can be cut into instances. Source: NVIDIA MIG user guide, supported GPUs."""


def hardware(machine: Machine) -> dict[str, Any]:
    """What a machine of the catalogue is to the programs. Facts that nobody published are left out."""
    chip = machine.accelerator
    about: dict[str, Any] = {"machine": machine.name, "cloud": str(machine.cloud), "kind": "none", "count": 0}
    if chip is None:
        return about
    more, here = facts().chip(chip.id), facts().machine(machine.name)
    shown = SHOWN_HBM if more.hbm else SHOWN_GDDR
    name = more.names[0] if more.names else chip.id
    found = {
        "kind": chip.kind,
        "accelerator": chip.id,
        "generation": chip.generation,
        "count": machine.accelerators,
        "product": name if name.startswith(("NVIDIA", "Tesla")) else f"NVIDIA {name}",
        "memory_mib": int(chip.memory_mib * shown) if known(chip.memory_mib) else None,
        "watts": chip.watts,
        "sm_mhz": more.sm_mhz,
        "nvlinks": more.nvlinks,
        "nvlink_gb_per_s": more.nvlink_gb_per_s,
        "pcie_generation": more.pcie_generation,
        "pcie_width": more.pcie_width,
        "mig": chip.id.partition("-")[0] in SLICED,
        "fabric": str(machine.fabric),
        "efa": machine.efa,
        "rdma": here.rdma_devices,
    }
    return about | {key: value for key, value in found.items() if value is not None and (value == 0 or known(value))}


def node(cloud: str, machine: str, tree: Path, os: str = "debian-12", version_set: str = "") -> dict[str, Any]:
    """All variables of one node, for an inventory. tree: the folder that `fill` made.

    Raises what the catalogue and the manifest raise for names that they do not know.
    """
    row = catalog().machine(cloud, machine)
    checksums = json.loads((tree / "checksums.json").read_text())
    versions = {}
    for chosen in choose(version_set or manifest().default, Target.of(row, os, "slurm")):
        path = f"{chosen.origin}/{chosen.path}" if chosen.path else ""
        versions[chosen.component] = {
            "version": chosen.version,
            "url": f"{BASE}/{path}" if path else "",
            "sha256": checksums.get(path, ""),
        }
    return {
        "fleetyard_stand_in": True,
        "fleetyard_hardware": hardware(row),
        "fleetyard_versions": versions,
        "fleetyard_package_base": BASE,
        "fleetyard_package_key": (tree / "fingerprint").read_text().strip(),
    }
