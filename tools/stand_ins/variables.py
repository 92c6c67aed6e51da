"""Host variables of a node whose accelerators are played: its hardware, its versions, and where they are had from.

The hardware comes from the catalogue and from what the acceptance gate knows, so a wrong fact there is played as it is
written: what stand-ins answer proves the roles and the gate's workings, and no fact.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fleetyard.catalog import catalog
from fleetyard.inventory.accelerators import hardware, versions
from fleetyard.inventory.packages import SIMULATED_OS, Packages
from fleetyard.versions import Target, choose, manifest


def node(cloud: str, machine: str, tree: Path, os: str = SIMULATED_OS, version_set: str = "") -> dict[str, Any]:
    """All variables of one node, for an inventory. tree: the folder that `fill` made.

    Raises what the catalogue and the manifest raise for names that they do not know.
    """
    row = catalog().machine(cloud, machine)
    packages = Packages.stand_ins(tree)
    return {
        "fleetyard_stand_in": True,
        "fleetyard_os": os,
        "fleetyard_hardware": hardware(row),
        "fleetyard_versions": versions(
            choose(version_set or manifest().default, Target.of(row, os, "slurm")), packages
        ),
        "fleetyard_package_base": packages.base,
        "fleetyard_package_key": packages.key,
    }
