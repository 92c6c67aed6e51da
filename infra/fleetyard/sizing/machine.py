"""Rates of a machine choice, with every gap in the catalogue filled by a stated assumption or refused."""

from __future__ import annotations

from dataclasses import dataclass

from fleetyard.catalog import Accelerator, Catalog, Machine, known
from fleetyard.sizing.assumptions import Assumptions
from fleetyard.sizing.hardware import Chip
from fleetyard.sizing.result import GIB, Choice, ImpossibleError

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Rates:
    """What one unit and one accelerator deliver. Bytes a second; memory in GiB.

    network_bytes_per_s: None where nobody published the machine's network rate.
    """

    accelerator: Accelerator
    memory_gib: float
    memory_bytes_per_s: float | None
    network_bytes_per_s: float | None
    store_gb_per_s: float
    notes: tuple[str, ...]


def rates(choice: Choice, assume: Assumptions) -> Rates:
    """What the chosen machines deliver. Raises ImpossibleError when a fact that sizing needs is unknown or missing."""
    machine = choice.machine
    chip = machine.accelerator
    if chip is None or not choice.accelerators_per_unit:
        raise ImpossibleError(
            "accelerators", 1, 0, "accelerators", f"{machine.name} has none", "choose a machine with accelerators"
        )
    if not known(chip.bf16_tflops_peak) or not known(chip.memory_mib):
        missing = "bf16 rate" if not known(chip.bf16_tflops_peak) else "memory"
        why = f"nobody published the {missing} of {chip.id}, so its time cannot be predicted"
        raise ImpossibleError("facts", 1, 0, f"published {missing}", why, "write a count instead of `sized`")
    memory_gib = chip.memory_mib * MIB / GIB
    store_gbps, notes = _ip_gbps(machine, assume)
    network = machine.network_gbps
    if not known(network):
        notes += (f"network rate of {machine.name} unknown: traffic between machines is not counted",)
    return Rates(
        accelerator=chip,
        memory_gib=memory_gib,
        memory_bytes_per_s=chip.memory_gb_per_s * 1e9 if known(chip.memory_gb_per_s) else None,
        network_bytes_per_s=(network * 1e9 / 8 * choice.hosts_per_unit if known(network) else None),
        store_gb_per_s=store_gbps / 8 * assume.store_efficiency,
        notes=notes,
    )


def store_gb_per_s(machine: Machine, assume: Assumptions) -> float:
    """Rate at which one machine reads or writes an object store, decimal GB/s."""
    return _ip_gbps(machine, assume)[0] / 8 * assume.store_efficiency


def _ip_gbps(machine: Machine, assume: Assumptions) -> tuple[float, tuple[str, ...]]:
    """The rate at which one machine talks IP, Gbps: its first card that carries IP, else the machine's rate."""
    cards = [card.gbps for card in machine.network_cards if card.ena]
    rate = cards[0] if cards else machine.network_gbps
    if known(rate):
        return rate, ()
    return assume.ip_gbps, (f"IP rate of {machine.name} unknown: {assume.ip_gbps} Gbps taken",)


class NoSuchNodeError(LookupError):
    """No machine of the catalogue has that many accelerators."""

    def __init__(self, accelerators: int, most: int) -> None:
        super().__init__(f"no machine of the catalogue has {accelerators} accelerators in one node; the most is {most}")
        self.accelerators = accelerators
        self.most = most


def machines_with(facts: Catalog, accelerators: int) -> tuple[Machine, ...]:
    """The machines with so many accelerators in one node. Raises NoSuchNodeError when there is none."""
    found = tuple(machine for machine in facts.machines() if machine.accelerators == accelerators)
    if not found:
        raise NoSuchNodeError(accelerators, max(machine.accelerators for machine in facts.machines()))
    return found


def require_format(chip: Chip, precision: str) -> None:
    """Raises ImpossibleError where a number format is no faster on the chip than bf16, so nobody should ask for it."""
    if precision != "bf16" and chip.peak[precision] <= chip.peak["bf16"]:
        why = f"{chip.id} computes {precision} no faster than bf16"
        raise ImpossibleError("precision", 2, 1, "times the rate of bf16", why, "precision: bf16, or a newer chip")
