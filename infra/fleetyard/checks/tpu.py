"""Rules about TPU slices."""

from __future__ import annotations

from collections.abc import Iterator

from fleetyard.catalog import Buy, Cloud, catalog
from fleetyard.checks.registry import Hit, rule
from fleetyard.findings import Level
from fleetyard.plan import Plan


@rule("FY2501", Level.ERROR)
def topology_is_legal(plan: Plan) -> Iterator[Hit]:
    """A slice's topology is the one that its accelerator type stands for."""
    for pool in plan.pools:
        if pool.shape is not None and pool.topology != pool.shape.topology:
            same = [s.type_name for s in catalog().tpu_shapes(pool.shape.generation) if s.topology == pool.topology]
            other = f", or machine: {same[0]}" if same else ""
            message = f"{pool.machine_name} is {pool.shape.topology}, not {pool.topology}"
            yield Hit(pool.path / "topology", message, f"topology: {pool.shape.topology}{other}")


@rule("FY2502", Level.ERROR)
def slice_has_one_zone(plan: Plan) -> Iterator[Hit]:
    """A slice lies in one zone."""
    for pool in plan.pools:
        if pool.tpu and len(pool.zones) > 1:
            yield Hit(pool.path / "zones", f"{len(pool.zones)} zones for TPU slices", f"zones: [{pool.zones[0]}]")


@rule("FY2503", Level.ERROR)
def slice_zone_is_in_the_region(plan: Plan) -> Iterator[Hit]:
    """A slice's zone lies in the region of its network."""
    for pool in plan.pools:
        for index, zone in enumerate(pool.zones):
            if plan.cloud is Cloud.GCP and not zone.startswith(f"{plan.region}-"):
                yield Hit(
                    pool.path / "zones" / index, f"{zone} does not lie in {plan.region}", f"a zone of {plan.region}"
                )


@rule("FY2504", Level.ERROR)
def queue_can_say_it(plan: Plan) -> Iterator[Hit]:
    """A queued resource takes a type, a runtime and a network, and nothing else.

    `gcp.tpu.V2QueuedResource` (pulumi-gcp 10.2.0) has no place for spot or reserved capacity, topology, metadata and
    with it a startup script, a service account, labels, tags or data disks. What a pool asks for beyond that is
    refused rather than dropped.
    """
    for pool in plan.pools:
        if not pool.queued or not pool.tpu:
            continue
        if pool.buy is not None and pool.buy is not Buy.ON_DEMAND:
            message = f"a queued resource cannot be asked for as {pool.buy}"
            yield Hit(pool.path / "queued", message, "buy: [on-demand], or remove `queued`")
        if pool.cache is not None:
            message = "a queued resource takes no startup script, so nothing would make the cache"
            yield Hit(pool.path / "queued", message, "remove `cache`, or `queued`")


@rule("FY2505", Level.WARNING)
def queue_runs_as_default(plan: Plan) -> Iterator[Hit]:
    """A queued slice runs as the project's default service account and carries no labels: say so."""
    for pool in plan.pools:
        if pool.queued and pool.tpu:
            message = "queued slices run as the project's default service account and carry no labels"
            yield Hit(pool.path / "queued", message, "remove `queued` where that matters")


@rule("FY2506", Level.ERROR)
def slices_are_counted_as_slices(plan: Plan) -> Iterator[Hit]:
    """TPU pools count slices, other pools machines."""
    for pool in plan.pools:
        if pool.tpu != pool.counts_slices and pool.machine is not None:
            if pool.tpu:
                yield Hit(
                    pool.path / "count",
                    f"{pool.machine_name} is a slice of {pool.hosts // max(1, pool.count)} hosts",
                    "`slices`",
                )
            else:
                yield Hit(pool.path / "slices", f"{pool.machine_name} is no TPU slice", "`count`")


@rule("FY2507", Level.ERROR)
def hosts_are_ordered_as_slices(plan: Plan) -> Iterator[Hit]:
    """TPU hosts are ordered as slices, by accelerator type, not as machines."""
    for pool in plan.pools:
        chip = pool.machine.accelerator if pool.machine is not None else None
        if chip is not None and chip.kind == "tpu" and pool.shape is None:
            fits = [s.type_name for s in catalog().tpu_shapes() if s.machine == pool.machine_name]
            yield Hit(
                pool.path / "machine",
                f"{pool.machine_name} is the host of a slice",
                f"a slice: {', '.join(fits) or 'none'}",
            )
