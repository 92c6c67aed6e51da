"""What to do next so that the hosts are as the world says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from simcloud.hosts.model import Machine


class Do(StrEnum):
    """Steps on one host."""

    BOOT = "boot"
    """Give it a disk, unless it has one, and its network, and start it."""
    RESTART = "restart"
    """Shut it down and start it again, on its disk."""
    STOP = "stop"
    """Shut it down; its disk stays."""
    CUT_POWER = "cut-power"
    """End it at once, as a failed machine ends; its disk stays."""
    REMOVE = "remove"
    """Shut it down and delete its disk."""
    CUT_NETWORK = "cut-network"
    JOIN_NETWORK = "join-network"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and the machine as it should be after it."""

    do: Do
    machine: Machine


@dataclass(frozen=True, slots=True)
class Present:
    """A host that there is: the machine it was made for, and whether it runs."""

    machine: Machine
    runs: bool


def steps(wanted: Iterable[Machine], present: Mapping[str, Present]) -> list[Step]:
    """The steps that lead from what is there to what should be, at most one for each host; then ask again."""
    wanted_by_key = {machine.key: machine for machine in wanted}
    gone = [Step(Do.REMOVE, there.machine) for key, there in present.items() if key not in wanted_by_key]
    return gone + [step for machine in wanted_by_key.values() if (step := _step(machine, present.get(machine.key)))]


def _step(machine: Machine, there: Present | None) -> Step | None:
    if there is None:
        return Step(Do.BOOT, machine) if machine.power else None
    was = there.machine
    if (was.disk, was.address, was.network) != (machine.disk, machine.address, machine.network):
        return Step(Do.REMOVE, was)
    if there.runs and not machine.power:
        return Step(Do.CUT_POWER if machine.failed else Do.STOP, machine)
    if not there.runs:
        # What shut itself down stays so until the world starts it again.
        started = machine.power and (not was.power or machine.boots > was.boots)
        return Step(Do.BOOT, machine) if started else None
    if machine.boots > was.boots:
        return Step(Do.RESTART, machine)
    if machine.reachable != was.reachable:
        return Step(Do.JOIN_NETWORK if machine.reachable else Do.CUT_NETWORK, machine)
    return None
