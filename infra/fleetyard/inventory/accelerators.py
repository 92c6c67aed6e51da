"""What a host's accelerators are and which versions it gets, for roles: from catalogue, manifest and export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fleetyard.acceptance.facts import facts
from fleetyard.catalog import Machine, Unknown, known
from fleetyard.inventory.packages import Packages
from fleetyard.versions import Chosen, Target, planned
from fleetyard.versions.mirror import file_of, with_checksums

if TYPE_CHECKING:
    from fleetyard.outputs import PoolOut

SHOWN_HBM, SHOWN_GDDR = 0.9956, 0.94
"""Share of the memory that drivers show: an H100 says 81559 of 81920 MiB, a T4 15360 of 16384 MiB."""
SLICED = ("a100", "h100", "h200", "b200", "b300", "gb200", "gb300")
"""Which can be cut into instances. Source: NVIDIA MIG user guide, supported GPUs."""


def variables(pool: PoolOut, scheduler: str, machine: Machine, packages: Packages | None) -> dict[str, Any]:
    """The host variables of one pool's machines that `playbooks/accelerators.yml` explains.

    Raises FleetyardError for a set of versions that the manifest has not, and FY1816 for a mirror's wrong file.
    """
    # A stack that was brought up before exports said versions gets none until it is brought up again.
    if packages is None or machine.accelerator is None or not pool.version_set:
        return {}
    target = Target.of(machine, packages.os or pool.os, scheduler)
    return {
        "fleetyard_stand_in": packages.stand_in,
        "fleetyard_os": target.os,
        "fleetyard_hardware": hardware(machine),
        "fleetyard_versions": versions(planned(pool.version_set, target, pool.versions)[1], packages),
        "fleetyard_package_base": packages.base,
        "fleetyard_package_key": packages.key,
    }


def versions(chosen: tuple[Chosen, ...], packages: Packages) -> dict[str, dict[str, str]]:
    """By component: version, URL (empty: nothing is fetched for it) and SHA-256 (empty: nobody knows it)."""
    found = {}
    for each in chosen:
        file = file_of(each, packages.base or None)
        digest: str | Unknown = ""
        if file is not None and packages.stand_in:
            # A stand-in's file is not the vendor's, so its checksum is its own.
            digest = packages.checksums.get(file.path, "")
        elif file is not None:
            digest = with_checksums([file], packages.checksums)[0].sha256
        found[each.component] = {
            "version": each.version,
            "url": file.url if file else "",
            "sha256": "" if isinstance(digest, Unknown) else digest,
        }
    return found


def hardware(machine: Machine) -> dict[str, Any]:
    """What a machine of the catalogue is to roles and to what plays it. Facts that nobody published are left out."""
    chip = machine.accelerator
    about: dict[str, Any] = {"machine": machine.name, "cloud": str(machine.cloud), "kind": "none", "count": 0}
    if chip is None:
        return about
    more, here = facts().chip(chip.id), facts().machine(machine.name)
    shown = SHOWN_HBM if more.hbm else SHOWN_GDDR
    name = more.names[0] if more.names else chip.id
    found: Mapping[str, Any] = {
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
