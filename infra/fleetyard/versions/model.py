"""The types in which versions are stated: a component, a pin, a set, and the target that they are chosen for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fleetyard.catalog import Machine, Unknown


class Licence(StrEnum):
    """What may be done with a component's files."""

    OPEN = "redistributable"
    """Under an open licence: a mirror may be public."""
    VENDOR = "vendor terms"
    """A mirror inside one organisation; the vendor's terms say who else may have it."""
    DISTRIBUTION = "distribution"
    """Comes with the operating system's own archive."""


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that is installed. `on`: the targets that need it, as in a pin's `when`; empty: every one."""

    name: str
    title: str
    licence: Licence
    on: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a vendor publishes. `url` has no slash at its end."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a set is chosen for: one machine with one operating system.

    os: `ubuntu-24.04`; scheduler: `slurm` or `none`; kind: `gpu`, `tpu`, `neuron` or `none`. Empty: not known.
    """

    cloud: str
    machine: str
    accelerator: str
    kind: str
    vendor: str
    generation: str
    fabric: str
    accelerators: int
    efa: int
    arch: str
    os: str
    scheduler: str = "none"

    @classmethod
    def of(cls, machine: Machine, os: str, scheduler: str = "none") -> Target:
        """The target that a machine of the catalogue is."""
        chip = machine.accelerator
        return cls(
            cloud=machine.cloud.value,
            machine=machine.name,
            accelerator=chip.id if chip else "",
            kind=chip.kind if chip else "none",
            vendor=chip.vendor if chip else "",
            generation=chip.generation if chip else "",
            fabric=machine.fabric.value,
            accelerators=machine.accelerators,
            efa=machine.efa,
            arch=machine.arch,
            os=os,
            scheduler=scheduler,
        )

    def matches(self, when: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether every condition names this target."""
        return all(getattr(self, key) in values for key, values in when.items())


@dataclass(frozen=True, slots=True)
class Pin:
    """One component's exact version for some targets. `floor`: any newer one does too (kernels, DKMS).

    path: under the origin, with `{version}` and the like filled in for a target; None where nothing is fetched.
    """

    component: str
    sets: tuple[str, ...]
    when: Mapping[str, tuple[str, ...]]
    version: str
    sha256: str | Unknown
    origin: str
    path: str | None
    rpm: str | None
    rpm_origin: str
    source: str
    floor: bool


@dataclass(frozen=True, slots=True)
class VersionSet:
    """Versions that belong together. `os`: what it was made for; `not_for`: accelerators that it is too old for."""

    name: str
    about: str
    os: tuple[str, ...]
    not_for: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A component's version for one target. `overridden`: the stack file says so, and the checksum is not known."""

    component: str
    version: str
    sha256: str | Unknown
    origin: str
    path: str | None
    source: str
    floor: bool
    overridden: bool = False
