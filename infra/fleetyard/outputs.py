"""The one export of a stack, `fleetyard`: what inventory, report and other stacks may rely on. Versioned and typed.

The program exports a plain mapping (some values are known only after `up`); readers parse it back with `parse_outputs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fleetyard.catalog import Unknown
from fleetyard.findings import error
from fleetyard.versions import manifest

if TYPE_CHECKING:
    from fleetyard.plan import Plan

VERSION = 1
NAME = "fleetyard"


class _Out(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class SubnetOut(_Out):
    """A subnet: the cloud's id, its range, and its zone (None: regional)."""

    id: str
    cidr: str
    zone: str | None


class NetworkOut(_Out):
    """The network."""

    id: str
    cidr: str
    subnets: dict[str, SubnetOut]


class PoolOut(_Out):
    """A pool. `groups` are what its live members are found by: Auto Scaling groups, instance groups, or TPU nodes."""

    role: str
    machine: str
    count: int
    hosts: int
    accelerators: int
    zones: list[str]
    buy: str
    kind: str
    """`autoscaling-group`, `instance-group`, `tpu` or `tpu-queue`."""
    groups: dict[str, str]
    identity: str
    """The role or service account that its machines run as."""
    cache: str | None
    cache_store: str | None = None
    """The store that the cache is filled from."""
    os: str = ""
    """What its machines boot: `ubuntu-22.04`."""
    version_set: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of drivers and libraries: a set of the manifest, and what the stack file has in its place."""
    update: str
    usd_per_hour: float | None


class StoreOut(_Out):
    """A bucket."""

    bucket: str
    url: str
    on_destroy: str


class StackOutputs(_Out):
    """Everything that a stack says about itself."""

    version: int
    stack: str
    owner: str
    cloud: str
    region: str
    project: str | None
    scheduler: str
    network: NetworkOut
    pools: dict[str, PoolOut]
    stores: dict[str, StoreOut]
    endpoints: dict[str, str] = Field(default_factory=dict)
    usd_per_hour: float | None


def parse_outputs(exported: Any) -> StackOutputs:
    """The export of a stack, checked.

    Raises FleetyardError (exit 65) for another version or a shape of someone else's.
    """
    if not isinstance(exported, Mapping) or "version" not in exported:
        raise error(
            "FY1501", "output fleetyard", "is missing: the stack was not brought up by Fleetyard", "run `pulumi up`"
        )
    if exported["version"] != VERSION:
        message = f"has version {exported['version']}, this Fleetyard reads {VERSION}"
        raise error("FY1502", "output fleetyard", message, "run `pulumi up` with this version, or use the other one")
    try:
        return StackOutputs.model_validate(exported)
    except ValidationError as wrong:
        place = ".".join(str(part) for part in wrong.errors()[0]["loc"])
        raise error("FY1501", f"output fleetyard.{place}", wrong.errors()[0]["msg"], "run `pulumi up` again") from None


class Reports(Protocol):
    """A component that can say its part of the export."""

    def report(self) -> dict[str, Any]:
        """A mapping of plain values and Pulumi outputs."""


def export(plan: Plan, network: Reports, pools: Mapping[str, Reports], stores: Mapping[str, Reports]) -> dict[str, Any]:
    """Put the export together from the plan and what each component says of itself."""
    planned = {pool.name: pool for pool in plan.pools}
    return {
        "version": VERSION,
        "stack": plan.stack,
        "owner": plan.owner,
        "cloud": str(plan.cloud),
        "region": plan.region,
        "project": plan.project,
        "scheduler": plan.scheduler,
        "network": {"cidr": str(plan.network.cidr), **network.report()},
        "pools": {
            name: {
                "role": str(planned[name].role),
                "machine": planned[name].machine_name,
                "count": planned[name].count,
                "hosts": planned[name].hosts,
                "accelerators": planned[name].accelerators,
                "zones": list(planned[name].zones),
                "buy": str(planned[name].buy),
                "cache": cache.at if (cache := planned[name].cache) else None,
                "cache_store": cache.store if cache else None,
                "os": planned[name].os,
                "version_set": manifest().version_set(plan.version_set).name,
                "versions": dict(planned[name].versions),
                "update": str(planned[name].update),
                "usd_per_hour": _usd(planned[name].usd_per_hour),
                **pool.report(),
            }
            for name, pool in pools.items()
        },
        "stores": {name: {"on_destroy": str(_of(plan, name)), **store.report()} for name, store in stores.items()},
        "endpoints": {},
        "usd_per_hour": _usd(plan.usd_per_hour),
    }


def _usd(amount: float | Unknown) -> float | None:
    """To a tenth of a cent; None where a price is unknown."""
    return None if isinstance(amount, Unknown) else round(amount, 3)


def _of(plan: Plan, store: str) -> str:
    return next(str(each.on_destroy) for each in plan.stores if each.name == store)
