"""The stack file as a person types it. Shapes and single values are checked here; sense is checked by the rules."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleetyard.catalog import Buy, Cloud
from fleetyard.spec.effects import Effect, changes
from fleetyard.spec.units import Amount, Cidr, Count, Duration, Line, MountPoint, Name, Small, Usd, Word, refuse

_LIVE = changes(Effect.LIVE)
_TEMPLATE = changes(Effect.TEMPLATE)
_MACHINES = changes(Effect.REPLACES_MACHINES)
_DATA = changes(Effect.REPLACES_DATA)


class Role(StrEnum):
    """What a pool is for."""

    COMPUTE = "compute"
    LOGIN = "login"
    CONTROL = "control"
    SERVE = "serve"


class Egress(StrEnum):
    """The way out of the private subnets."""

    NAT_SHARED = "nat-shared"
    NAT_PER_ZONE = "nat-per-zone"
    NONE = "none"


class Access(StrEnum):
    """The way in for people, without a public address."""

    SSM = "ssm"
    IAP = "iap"


class OnDestroy(StrEnum):
    """What `destroy` does with a store and what lies in it."""

    KEEP = "keep"
    EMPTY = "empty"
    REFUSE = "refuse"


class Tier(StrEnum):
    """Where a lifecycle rule moves objects."""

    INFREQUENT = "infrequent"
    ARCHIVE = "archive"
    DELETE = "delete"


class Update(StrEnum):
    """What running machines do when their template changes."""

    ROLLING = "rolling"
    ON_NEXT_BOOT = "on-next-boot"
    NONE = "none"


class Placement(StrEnum):
    """How close together a pool's machines stand."""

    TOGETHER = "together"
    ANYWHERE = "anywhere"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class Network(_Model):
    """The private network of the stack."""

    cidr: Cidr = Field(json_schema_extra=_MACHINES)
    egress: Egress = Field(default=Egress.NAT_SHARED, json_schema_extra=_LIVE)
    access: tuple[Access, ...] = Field(default=(), json_schema_extra=_LIVE)
    flow_logs: Duration | None = Field(default=None, json_schema_extra=_LIVE)
    """How long flow logs are kept; nothing means the plan's default, 30 days."""


class LifecycleStep(_Model):
    """Objects older than `after` go `to` a colder tier, or away."""

    after: Duration = Field(json_schema_extra=_LIVE)
    to: Tier = Field(json_schema_extra=_LIVE)


class Store(_Model):
    """A place for data that outlives machines."""

    kind: Literal["object"] = Field(default="object", json_schema_extra=_DATA)
    on_destroy: OnDestroy = Field(default=OnDestroy.REFUSE, json_schema_extra=_LIVE)
    lifecycle: tuple[LifecycleStep, ...] = Field(default=(), json_schema_extra=_LIVE)


class Cache(_Model):
    """Fast local space on each machine, filled from a store."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_by_name=True)
    source: Name = Field(alias="from", json_schema_extra=_TEMPLATE)
    at: MountPoint = Field(default="/cache", json_schema_extra=_TEMPLATE)


Component = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
"""A component's name in the manifest of versions: `nvidia-driver`, `efa`."""
Exact = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+~-]{0,127}$", strict=True)]
"""A version as a package carries it, with epoch and build suffix; in quotes where it looks like a number: `"13.0"`."""


class Versions(_Model):
    """Which versions of drivers and libraries the machines get: a set that belongs together, and what differs."""

    set: Word | None = Field(default=None, json_schema_extra=_LIVE)
    pin: dict[Component, Exact] = Field(default_factory=dict, max_length=64, json_schema_extra=_LIVE)


class Pool(_Model):
    """Machines that are alike, bought alike and used for one purpose."""

    role: Role = Field(json_schema_extra=_TEMPLATE)
    machine: Word = Field(json_schema_extra=_TEMPLATE)
    count: Count | None = Field(default=None, json_schema_extra=_LIVE)
    slices: Count | None = Field(default=None, json_schema_extra=_LIVE)
    topology: Annotated[str, Field(pattern=r"^\d{1,3}x\d{1,3}(x\d{1,3})?$")] | None = Field(
        default=None, json_schema_extra=_MACHINES
    )
    zones: tuple[Word, ...] | None = Field(default=None, json_schema_extra=_MACHINES)
    image: Word | None = Field(default=None, json_schema_extra=_TEMPLATE)
    os: Word | None = Field(default=None, json_schema_extra=_LIVE)
    buy: tuple[Buy, ...] = Field(default=(Buy.ON_DEMAND,), min_length=1, json_schema_extra=_TEMPLATE)
    reservation: Word | None = Field(default=None, json_schema_extra=_TEMPLATE)
    queued: bool = Field(default=False, strict=True, json_schema_extra=_MACHINES)
    cache: Cache | None = Field(default=None, json_schema_extra=_TEMPLATE)
    local_ssds: Small | None = Field(default=None, json_schema_extra=_TEMPLATE)
    disk_gib: Annotated[Small, Field(ge=10, le=16384)] | None = Field(default=None, json_schema_extra=_TEMPLATE)
    nics: Word | None = Field(default=None, json_schema_extra=_TEMPLATE)
    placement: Placement | None = Field(default=None, json_schema_extra=_TEMPLATE)
    update: Update | None = Field(default=None, json_schema_extra=_LIVE)
    versions: dict[Component, Exact] = Field(default_factory=dict, max_length=64, json_schema_extra=_LIVE)

    @model_validator(mode="after")
    def _one_count(self) -> Pool:
        if self.count is not None and self.slices is not None:
            raise refuse("has both `count` and `slices`", "`slices` for TPU slices, `count` for everything else")
        if self.count is None and self.slices is None:
            raise refuse("has no `count`", "count: sized, or a number (for TPU slices: `slices`)")
        if self.zones is not None and not self.zones:
            raise refuse("has an empty `zones` list", "leave `zones` out to use the stack's, or name one")
        return self


class Workload(_Model):
    """What a pool is sized for: a model to train by a deadline, or to serve at a rate."""

    kind: Literal["train", "serve"] = Field(json_schema_extra=_LIVE)
    pool: Name = Field(json_schema_extra=_LIVE)
    model: Word = Field(json_schema_extra=_LIVE)
    tokens: Amount | None = Field(default=None, json_schema_extra=_LIVE)
    deadline: Duration | None = Field(default=None, json_schema_extra=_LIVE)
    requests_per_s: Amount | None = Field(default=None, json_schema_extra=_LIVE)
    prompt_tokens: Amount | None = Field(default=None, json_schema_extra=_LIVE)
    output_tokens: Amount | None = Field(default=None, json_schema_extra=_LIVE)
    precision: Literal["bf16", "fp8"] = Field(default="bf16", json_schema_extra=_LIVE)

    @model_validator(mode="after")
    def _complete(self) -> Workload:
        needs = ("tokens", "deadline") if self.kind == "train" else ("requests_per_s",)
        for field in needs:
            if getattr(self, field) is None:
                example = {"tokens": "200e9", "deadline": "14d", "requests_per_s": "40"}[field]
                raise refuse(f"a workload of kind {self.kind} needs `{field}`", f"{field}: {example}")
        return self


class Budget(_Model):
    """Money. `usd_per_hour` bounds what stands at once, `usd` the whole of what the workloads need."""

    usd_per_hour: Usd | None = Field(default=None, json_schema_extra=_LIVE)
    usd: Usd | None = Field(default=None, json_schema_extra=_LIVE)


class Stack(_Model):
    """One cluster: what a stack file holds under `fleetyard:stack`. `name` comes from the file's name."""

    owner: Line = Field(json_schema_extra=_TEMPLATE)
    cloud: Cloud = Field(json_schema_extra=_DATA)
    project: Word | None = Field(default=None, json_schema_extra=_DATA)
    region: Word = Field(json_schema_extra=_DATA)
    zones: tuple[Word, ...] = Field(min_length=1, max_length=26, json_schema_extra=_MACHINES)
    network: Network = Field(json_schema_extra=_LIVE)
    stores: dict[Name, Store] = Field(default_factory=dict, json_schema_extra=_LIVE)
    pools: dict[Name, Pool] = Field(min_length=1, json_schema_extra=_LIVE)
    scheduler: Literal["slurm", "none"] = Field(default="none", json_schema_extra=_LIVE)
    workloads: dict[Name, Workload] = Field(default_factory=dict, json_schema_extra=_LIVE)
    budget: Budget = Field(default_factory=Budget, json_schema_extra=_LIVE)
    tags: dict[Line, Line] = Field(default_factory=dict, max_length=40, json_schema_extra=_TEMPLATE)
    versions: Versions = Field(default_factory=Versions, json_schema_extra=_LIVE)
    waive: dict[Annotated[str, Field(pattern=r"^FY\d{4}$")], Line] = Field(
        default_factory=dict, json_schema_extra=_LIVE
    )
    name: Name = Field(default="stack", exclude=True)

    @model_validator(mode="after")
    def _place(self) -> Stack:
        if self.cloud is Cloud.GCP and self.project is None:
            raise refuse("a stack on gcp needs `project`", "project: the id of your Google Cloud project")
        if self.cloud is Cloud.AWS and self.project is not None:
            raise refuse("`project` means nothing on aws", "remove `project`")
        for place, zones in (("zones", self.zones), *((f"pools.{n}.zones", p.zones) for n, p in self.pools.items())):
            if zones is not None and len(set(zones)) != len(zones):
                raise refuse(f"`{place}` names a zone twice", "name each zone once")
        return self
