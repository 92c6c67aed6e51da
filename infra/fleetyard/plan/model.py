"""The deployment that a stack means, in words that both clouds share. Frozen: what is decided stays decided.

Nothing here is random or depends on the clock. A plan can be made of a stack that makes no sense (an unknown machine, a
network too small): the fields say so with None or `Unknown`, and the rules turn that into findings. Components run
only on a plan that passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from fleetyard.catalog import Buy, Cloud, Fabric, Image, Interface, Machine, TpuShape, Unknown
from fleetyard.findings import StackPath
from fleetyard.spec import Access, Egress, OnDestroy, Role, Tier, Update


@dataclass(frozen=True, slots=True)
class SubnetPlan:
    """A subnet. `zone` is None where subnets span a region. `key` is the stable part of its name."""

    key: str
    zone: str | None
    role: str
    cidr: IPv4Network
    secondary: Mapping[str, IPv4Network]


@dataclass(frozen=True, slots=True)
class NatPlan:
    """One way out to the internet: a gateway in the public subnet of `zone` (None: regional) serving `serves`."""

    key: str
    zone: str | None
    serves: tuple[str, ...]
    """Keys of the private subnets that leave through it."""


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """The private network."""

    name: str
    region: str
    cidr: IPv4Network
    subnets: tuple[SubnetPlan, ...]
    reserves: tuple[IPv4Network, ...]
    egress: Egress
    nats: tuple[NatPlan, ...]
    access: tuple[Access, ...]
    flow_log_days: int
    tags: Mapping[str, str]

    def private(self) -> tuple[SubnetPlan, ...]:
        """The subnets that machines stand in."""
        return tuple(subnet for subnet in self.subnets if subnet.role == "private")


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a pool's ladder of ways to buy: taken or passed over, and why."""

    buy: Buy
    taken: bool
    why: str


@dataclass(frozen=True, slots=True)
class CachePlan:
    """Fast space on each machine. `medium`: `nvme` (RAID0 over the local drives) or `ram` (a share of memory)."""

    store: str
    at: str
    medium: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a pool may do in a store: read under some prefixes, write under others. A prefix ends in a slash."""

    store: str
    read: tuple[str, ...]
    write: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """Machines that are alike. `count` is machines, or slices for a TPU pool; `hosts` is always machines.

    machine: None when the catalogue holds no such machine; shape: the slice, for TPU pools; image: the boot image, or
    for a TPU pool the runtime, or Unknown; buy: the rung taken, or None.
    """

    path: StackPath
    name: str
    full_name: str
    role: Role
    machine_name: str
    machine: Machine | None
    near_machines: tuple[str, ...]
    shape: TpuShape | None
    topology: str | None
    project: str | None
    count: int
    hosts: int
    counts_slices: bool
    """Whether the person wrote `slices` rather than `count`."""
    zones: tuple[str, ...]
    subnets: tuple[str, ...]
    """Keys of the subnets its machines stand in."""
    ladder: tuple[Rung, ...]
    buy: Buy | None
    reservation: str | None
    queued: bool
    image_name: str
    image: Image | str | Unknown
    os: str
    """What the image is made of: `ubuntu-22.04`; empty where nobody said so of an image of one's own."""
    disk_gib: int
    disk_type: str
    """The boot disk's type, in the cloud's words."""
    local_ssds: int
    nic_layout: str
    interfaces: tuple[Interface, ...]
    fabric: Fabric
    together: bool
    cache: CachePlan | None
    grants: tuple[Grant, ...]
    update: Update
    user_data: str
    usd_per_hour: float | Unknown
    tags: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=dict)
    """Components to versions that the person chose, in the place of the set's."""

    @property
    def tpu(self) -> bool:
        """Whether the pool is made of TPU slices."""
        return self.shape is not None

    @property
    def template_change(self) -> str:
        """What becomes of running machines when what they are started from changes; said before it happens."""
        if self.tpu:
            return "its hosts take the new boot script on their next boot"
        machines = f"running machines ({self.hosts})"
        told = {
            Update.ROLLING: f"{machines} are replaced a few at a time, and what runs on them ends",
            Update.ON_NEXT_BOOT: f"{machines} stay as they are; machines started later get the new template",
            Update.NONE: f"{machines} and later ones keep the template they have",
        }
        return f"pool {self.name} (update: {self.update}): {told[self.update]}"

    def per_zone(self) -> dict[str, int]:
        """Machines in each zone: as even as can be, the first zones take what is over."""
        each, over = divmod(self.count, len(self.zones))
        return {zone: each + (index < over) for index, zone in enumerate(self.zones)}

    @property
    def accelerators(self) -> int:
        """Chips or GPUs in the whole pool."""
        if self.shape is not None:
            return self.count * self.shape.chips
        return self.count * (self.machine.accelerators if self.machine else 0)

    @property
    def addresses_per_machine(self) -> int:
        """Private addresses that one machine takes: EFA-only interfaces take none."""
        return sum(interface.kind != "efa-only" for interface in self.interfaces) or 1


@dataclass(frozen=True, slots=True)
class LifecyclePlan:
    """Objects older than `days` move to `tier`, or are deleted."""

    days: int
    tier: Tier


@dataclass(frozen=True, slots=True)
class StorePlan:
    """A bucket."""

    path: StackPath
    name: str
    full_name: str
    on_destroy: OnDestroy
    lifecycle: tuple[LifecyclePlan, ...]
    tags: Mapping[str, str]
    noncurrent_days: int = 30
    """How long an overwritten or deleted object can still be brought back."""
    unfinished_days: int = 7
    """How long the parts of an upload that never finished are kept."""


@dataclass(frozen=True, slots=True)
class WorkloadPlan:
    """What a pool was sized for, as far as the rules need it."""

    path: StackPath
    name: str
    kind: str
    pool: str
    model: str
    hours: float | None
    """How long it may take; None for what never ends."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One cluster, decided."""

    stack: str
    cloud: Cloud
    region: str
    project: str | None
    owner: str
    zones: tuple[str, ...]
    network: NetworkPlan
    pools: tuple[PoolPlan, ...]
    stores: tuple[StorePlan, ...]
    workloads: tuple[WorkloadPlan, ...]
    scheduler: str
    tags: Mapping[str, str]
    own_tags: Mapping[str, str]
    """The tags that the person asked for; `tags` holds these and ours."""
    budget_usd_per_hour: float | None
    budget_usd: float | None
    usd_per_hour: float | Unknown
    """What all pools cost while they stand, without storage and traffic."""
    waive: Mapping[str, str]
    sized_pools: tuple[str, ...]
    """Pools whose count comes from the sizing lock."""
    cache_sources: Mapping[str, str]
    """Pool to the store that its cache names, whether or not the store exists."""
    version_set: str | None = None
    """The set of versions that the person named; None for the newest."""

    @property
    def keeps_data(self) -> bool:
        """Whether something outlives `destroy`, and with it the key that reads it."""
        return any(store.on_destroy is OnDestroy.KEEP for store in self.stores)

    def pool(self, name: str) -> PoolPlan:
        """One pool by name. Raises KeyError."""
        return next((pool for pool in self.pools if pool.name == name), None) or _missing(name)


def _missing(name: str) -> PoolPlan:
    raise KeyError(name)
