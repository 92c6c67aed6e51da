"""The types in which facts about machines are stated.

Everything here is frozen. Units stand in the names. A fact that nobody published is `Unknown`, which is falsy and never
compares equal to a number; `known` narrows it away for the type checker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that is missing from every source; the reason says who was asked."""

    reason: str = "nobody published it"

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "unknown"


def known(value: T | Unknown) -> TypeGuard[T]:
    """Say whether a fact is known, and tell the type checker."""
    return not isinstance(value, Unknown)


class Cloud(StrEnum):
    """A cloud provider."""

    AWS = "aws"
    GCP = "gcp"


class Buy(StrEnum):
    """A way to buy capacity, in the words of the stack file."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    RESERVATION = "reservation"
    CAPACITY_BLOCK = "capacity-block"
    FLEX_START = "flex-start"
    CALENDAR = "calendar"


class Answer(StrEnum):
    """Whether something is offered; unknown means that no source says."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Fabric(StrEnum):
    """What carries traffic between machines of one pool."""

    EFA = "efa"
    TCPX = "tcpx"
    TCPXO = "tcpxo"
    ROCE = "roce"
    GVNIC = "gvnic"
    ICI = "ici"
    NONE = "none"


class Port(StrEnum):
    """A kind of network interface, in EC2's words."""

    ENA = "interface"
    EFA = "efa"
    EFA_ONLY = "efa-only"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact was read. `date` is the date of the source, not of the reading."""

    id: str
    title: str
    date: str | Unknown
    url_or_page: str


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One chip as a machine carries it: rates are dense, per chip and for bf16.

    `link_gb_per_s` is what one chip sends to its neighbours inside the scale-up domain (NVLink, NeuronLink, ICI), one
    direction; `open_driver` says whether the open kernel driver supports it (None: not an NVIDIA GPU).
    """

    id: str
    vendor: str
    kind: str
    generation: str
    memory_mib: int | Unknown
    bf16_tflops_peak: float | Unknown
    matmul_tflops_achievable: float | Unknown
    memory_gb_per_s: float | Unknown
    link_gb_per_s: float | Unknown
    watts: float | Unknown
    open_driver: bool | None
    source: str


@dataclass(frozen=True, slots=True)
class NetworkCard:
    """One network card: whether it takes an EFA interface, whether it carries IP, and its rate in one direction."""

    index: int
    efa: bool
    ena: bool
    gbps: float | Unknown


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface that a launch template asks for."""

    card: int
    device: int
    kind: Port


@dataclass(frozen=True, slots=True)
class Nvme:
    """Local drives that are lost with the machine; decimal gigabytes."""

    drives: int
    gb_each: float

    @property
    def total_gb(self) -> float:
        """Sum over the drives, decimal GB."""
        return self.drives * self.gb_each


@dataclass(frozen=True, slots=True)
class Legality:
    """Whether a machine can be bought in one way, why, and who says so."""

    answer: Answer
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Quota:
    """The account limit that a machine draws on: `per_machine` units of `code_or_metric` for each machine."""

    code_or_metric: str | Unknown
    unit: str
    per_machine: float | Unknown


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine type.

    `network_gbps` is one direction; `efa` counts cards that take an EFA interface; `nvme` is what comes with the
    machine (None: no local drive); `ebs_gbps` is None outside AWS. `buy` has an entry for every `Buy`, `quota` one for
    every way to buy that draws on a limit. `refused` says why pools may not use the machine, else None.
    """

    cloud: Cloud
    name: str
    family: str
    accelerator: Accelerator | None
    accelerators: int
    vcpu: int | Unknown
    ram_gib: float | Unknown
    network_gbps: float | Unknown
    network_cards: tuple[NetworkCard, ...]
    efa: int
    fabric: Fabric
    nvme: Nvme | Unknown | None
    ebs_gbps: float | Unknown | None
    arch: str
    buy: Mapping[Buy, Legality]
    quota: Mapping[Buy, Quota]
    refused: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Price:
    """What the cloud asked on a date, in one region, for one machine or one chip."""

    usd_per_hour: float
    region: str
    buy: Buy
    per: str
    date: str | Unknown
    source: str


@dataclass(frozen=True, slots=True)
class TpuShape:
    """One slice that can be ordered whole: chips in a fixed topology on hosts of one machine type."""

    type_name: str
    generation: str
    topology: str
    chips: int
    hosts: int
    chips_per_host: int
    machine: str
    source: str


@dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone by the id that every account shares (AWS) or by its name (GCP)."""

    id: str
    region: str


@dataclass(frozen=True, slots=True)
class Region:
    """A region and its zones."""

    cloud: Cloud
    name: str
    zones: tuple[Zone, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """An image pinned to one build: an AMI id of one region, or a GCP image's full name."""

    name: str
    cloud: Cloud
    region: str | None
    id: str
    arch: str
    date: str | Unknown
    source: str
