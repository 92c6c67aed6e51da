"""What goes into a sizing and what comes out. These shapes stay when the model behind them is replaced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleetyard.catalog import Machine, Price, TpuShape, Unknown, known

GIB = 2**30


class Kind(StrEnum):
    """What a workload does."""

    TRAIN = "train"
    SERVE = "serve"


@dataclass(frozen=True, slots=True)
class Workload:
    """One model to train on `tokens` by a deadline, or to serve at `requests_per_s`."""

    name: str
    kind: Kind
    model: str
    tokens: float | None = None
    deadline_s: float | None = None
    requests_per_s: float | None = None
    prompt_tokens: float | None = None
    output_tokens: float | None = None
    precision: str = "bf16"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a pool is made of: machines of one type, or slices of one shape on such machines.

    price: for one hour of one machine or chip; region: where it stands; count: units that are fixed already, or None
    to find the fewest.
    """

    machine: Machine
    shape: TpuShape | None
    price: Price | Unknown
    count: int | None = None
    region: str = ""

    @property
    def unit(self) -> str:
        """What the pool is counted in."""
        return "slices" if self.shape else "machines"

    @property
    def accelerators_per_unit(self) -> int:
        """Accelerators of one machine, or chips of one slice."""
        return self.shape.chips if self.shape else self.machine.accelerators

    @property
    def hosts_per_unit(self) -> int:
        """Machines of one unit."""
        return self.shape.hosts if self.shape else 1

    @property
    def price_note(self) -> str:
        """Which price the cost was taken from."""
        if isinstance(self.price, Unknown):
            return f"cost unknown: {self.price.reason}"
        age = f"of {self.price.date}" if known(self.price.date) else "without a date"
        return f"{self.price.buy.value} price in {self.price.region} {age}, machines only: no storage, no traffic"

    def usd_per_hour(self, count: int) -> float | Unknown:
        """What `count` units cost each hour."""
        if isinstance(self.price, Unknown):
            return self.price
        each = self.accelerators_per_unit if self.price.per == "chip" else self.hosts_per_unit
        return self.price.usd_per_hour * each * count


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one accelerator, GiB: the parts that the workload needs, and what the chip has left for them."""

    parts_gib: tuple[tuple[str, float], ...]
    usable_gib: float

    @property
    def need_gib(self) -> float:
        """The sum of the parts."""
        return sum(size for _, size in self.parts_gib)

    @property
    def fits(self) -> bool:
        """Whether the parts fit."""
        return self.need_gib <= self.usable_gib


@dataclass(frozen=True, slots=True)
class Sizing:
    """How large a pool must be for one workload, and what follows.

    seconds: wall-clock of a training run with failures and filling the cache, None for serving, and
    seconds_high the same at the upper end of the 80 % interval, which deadlines are held against; step_s: one optimizer
    step, or one decoded token, with the 80 % interval from step_low_s to step_high_s; layout: how the model lies on the
    accelerators; kwh, carbon_kg: of the whole run, of one hour for serving; checkpoint and goodput: None for serving;
    hydrate_s: until caches and weights are loaded; usd: of the whole run, None for serving; binding: the constraint
    that set the count.
    """

    workload: str
    kind: Kind
    unit: str
    count: int
    hosts: int
    accelerators: int
    seconds: float | None
    seconds_high: float | None
    step_s: float
    step_low_s: float
    step_high_s: float
    layout: str
    memory: Memory
    checkpoint_gb: float | None
    checkpoint_interval_s: float | None
    goodput: float | None
    hydrate_s: float
    usd_per_hour: float | Unknown
    usd: float | Unknown | None
    kwh: float | Unknown
    carbon_kg: float | Unknown
    binding: str
    assumptions: tuple[str, ...]


def plain(value: float) -> str:
    """A number as people read it: four digits, whole from ten thousand on."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


class ImpossibleError(Exception):
    """No count of these machines does the workload: which constraint fails, what it needs, what there is."""

    def __init__(self, constraint: str, need: float, have: float, unit: str, why: str, fix: str) -> None:
        super().__init__(f"{constraint}: needs {plain(need)} {unit}, has {plain(have)} {unit}: {why}")
        self.constraint = constraint
        self.need = need
        self.have = have
        self.unit = unit
        self.why = why
        self.fix = fix
