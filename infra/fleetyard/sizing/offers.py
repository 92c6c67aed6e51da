"""What can be bought to train on: machines and slices by cloud, region and way of buying, with what they cost."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fleetyard.catalog import Answer, Buy, Catalog, Cloud, Machine, Price, TpuShape, Unknown, known
from fleetyard.sizing.hardware import Chip, chip_of
from fleetyard.sizing.result import Choice
from fleetyard.sizing.train import standing

INFERENCE_ONLY = {"inferentia2"}
"""Chips on which nobody trains. Source: Neuron documentation."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question allows. Empty collections allow everything; `machines` are machine types or slices."""

    clouds: Collection[Cloud] = ()
    regions: Collection[str] = ()
    machines: Collection[str] = ()
    chips: Collection[str] = ()
    buys: Collection[Buy] = (Buy.ON_DEMAND,)


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can be bought in one way: machines of one type, or slices of one shape."""

    choice: Choice
    chip: Chip
    buy: Buy

    @property
    def name(self) -> str:
        """The machine type or slice."""
        return self.choice.shape.type_name if self.choice.shape else self.choice.machine.name

    @property
    def price(self) -> Price | Unknown:
        """What one of them costs."""
        return self.choice.price

    @property
    def nic(self) -> float | None:
        """Bytes a second that one chip sends to other machines, None where nobody published it."""
        machine = self.choice.machine
        if not known(machine.network_gbps):
            return None
        return machine.network_gbps * 1e9 / 8 * self.choice.hosts_per_unit / self.choice.accelerators_per_unit


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that cannot be bought or predicted, and why."""

    name: str
    why: str


def offers(facts: Catalog, wanted: Wanted) -> tuple[tuple[Offer, ...], tuple[Refused, ...]]:
    """Everything that a question allows, and what it names or implies that cannot be had, with the reason.

    Of the sizes of one machine family only the largest is offered, unless a size is named: training fills machines.
    """
    found: list[Offer] = []
    refused: list[Refused] = []
    for machine, shape in _things(facts, wanted):
        name = shape.type_name if shape else machine.name
        chip = chip_of(machine.accelerator) if machine.accelerator else None
        if chip is None:
            refused.append(Refused(name, "too little is published about its chip to predict anything"))
            continue
        if chip.id in INFERENCE_ONLY:
            refused.append(Refused(name, "its chip is made for inference"))
            continue
        if wanted.chips and chip.id not in wanted.chips and (machine.accelerator or chip).id not in wanted.chips:
            continue
        if machine.refused:
            refused.append(Refused(name, machine.refused))
            continue
        for buy in wanted.buys:
            legality = machine.buy.get(buy)
            if legality is not None and legality.answer is Answer.NO:
                refused.append(Refused(f"{name} ({buy.value})", legality.reason))
                continue
            for region in _regions(facts, machine, shape, wanted):
                price = facts.price(machine, region, buy)
                choice = Choice(machine, shape, price, None, region)
                found.append(Offer(choice, standing(chip, choice), buy))
    return tuple(found), tuple(refused)


def _things(facts: Catalog, wanted: Wanted) -> Iterator[tuple[Machine, TpuShape | None]]:
    clouds = tuple(wanted.clouds) or tuple(Cloud)
    largest: dict[tuple[Cloud, str], Machine] = {}
    for cloud in clouds:
        for machine in facts.machines(cloud):
            if machine.accelerator is None or machine.accelerator.kind == "tpu":
                continue
            if wanted.machines:
                if machine.name in wanted.machines:
                    yield machine, None
                continue
            key = (cloud, machine.family)
            if key not in largest or machine.accelerators > largest[key].accelerators:
                largest[key] = machine
    yield from ((machine, None) for machine in largest.values())
    if Cloud.GCP in clouds:
        for shape in facts.tpu_shapes():
            if shape.type_name in wanted.machines if wanted.machines else shape.hosts > 1:
                yield facts.machine(Cloud.GCP, shape.machine), shape


def _regions(facts: Catalog, machine: Machine, shape: TpuShape | None, wanted: Wanted) -> Iterator[str]:
    """Regions to consider: those that are named, else where a price is known, else the first where it is offered."""
    if wanted.regions:
        for region in wanted.regions:
            offered = facts.offered(machine, region)
            if region in {each.name for each in facts.regions(machine.cloud)} and not (known(offered) and not offered):
                yield region
        return
    names = {machine.name, machine.accelerator.id if machine.accelerator else ""}
    priced = {price.region for price in facts.prices() if price.region} if names else set()
    some = [region for region in sorted(priced) if known(facts.price(machine, region, Buy.ON_DEMAND))]
    if some:
        yield from some
        return
    first = next((r.name for r in facts.regions(machine.cloud) if facts.offered(machine, r.name)), None)
    yield first or facts.regions(machine.cloud)[0].name
