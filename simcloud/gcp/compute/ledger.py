"""What is in use, counted once for a call and then kept up as the call launches machines.

Counting anew for each member would make a group of n machines cost n squared. A ledger lives for one call: it is
thrown away when the next one starts and whenever something goes.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from simcloud.gcp.compute import networks, quotas
from simcloud.gcp.compute.base import last, of_kind

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld


class Ledger:
    """Counts of one world, each made when it is first asked for."""

    def __init__(self, world: GcpWorld) -> None:
        self._world = world
        self._regional: dict[tuple[str, str], Counter[str]] = {}
        self._global: dict[str, Counter[str]] = {}
        self._machines: Counter[tuple[str, str]] | None = None
        self._addresses: dict[str, set[str]] = {}
        self.first_free: dict[str, int] = {}
        """By subnetwork: below this offset no address is free."""

    def regional(self, project: str, region: str) -> Counter[str]:
        """Quota use of a project in a region."""
        key = (project, region)
        if key not in self._regional:
            self._regional[key] = quotas.usage(self._world, project, region)
        return self._regional[key]

    def everywhere(self, project: str) -> Counter[str]:
        """Quota use of a project in all."""
        if project not in self._global:
            self._global[project] = quotas.global_usage(self._world, project)
        return self._global[project]

    def machines(self, zone: str, machine: str) -> int:
        """How many machines of a type a zone holds."""
        if self._machines is None:
            self._machines = Counter(
                (last(i["zone"]), last(i["machineType"]))
                for _, i in of_kind(self._world, "instances")
                if i["status"] != "TERMINATED"
            )
        return self._machines[zone, machine]

    def addresses(self, subnetwork: str) -> set[str]:
        """The addresses in use in a subnetwork."""
        if subnetwork not in self._addresses:
            self._addresses[subnetwork] = networks.used_addresses(self._world, subnetwork)
        return self._addresses[subnetwork]

    def launched(self, project: str, region: str, item: dict[str, Any], disks: list[dict[str, Any]]) -> None:
        """Count an instance that has just been stored, and its new disks."""
        needs = quotas.needs(item)
        if (used := self._regional.get((project, region))) is not None:
            used.update(needs)
            for disk in disks:
                used[quotas.disk_metric(disk)] += int(disk["sizeGb"])
        if (overall := self._global.get(project)) is not None:
            overall["GPUS_ALL_REGIONS"] += needs["GPUS_ALL_REGIONS"]
        if self._machines is not None:
            self._machines[last(item["zone"]), last(item["machineType"])] += 1
        for nic in item["networkInterfaces"]:
            if nic["subnetwork"] in self._addresses:
                self._addresses[nic["subnetwork"]].add(nic["networkIP"])
