"""Rules about workloads, the scheduler and what pools are for."""

from __future__ import annotations

from collections.abc import Iterator

from fleetyard.checks.registry import Hit, rule
from fleetyard.findings import Level, StackPath
from fleetyard.plan import Plan
from fleetyard.spec import Role, nearest


@rule("FY2601", Level.ERROR)
def scheduler_has_a_home(plan: Plan) -> Iterator[Hit]:
    """A scheduler needs a control pool with a machine in it."""
    if plan.scheduler == "none":
        return
    if not any(pool.role is Role.CONTROL and pool.count for pool in plan.pools):
        fix = "add a pool with role: control and count: 1, or scheduler: none"
        yield Hit(StackPath("scheduler"), f"{plan.scheduler} has no control pool to run on", fix)


@rule("FY2602", Level.ERROR)
def control_is_one_pool(plan: Plan) -> Iterator[Hit]:
    """There is one control pool: two schedulers would give the same machines away twice."""
    control = [pool for pool in plan.pools if pool.role is Role.CONTROL]
    for pool in control[1:]:
        yield Hit(
            pool.path / "role", f"{control[0].name} is the control pool already", "role: login, or remove the pool"
        )


@rule("FY2603", Level.ERROR)
def workload_has_a_pool(plan: Plan) -> Iterator[Hit]:
    """A workload names a pool of the stack."""
    names = [pool.name for pool in plan.pools]
    for load in plan.workloads:
        if load.pool not in names:
            close = nearest(load.pool, names)
            yield Hit(
                load.path / "pool",
                f"there is no pool {load.pool}",
                f"`{close}`" if close else f"one of {', '.join(names)}",
            )


@rule("FY2604", Level.ERROR)
def sized_pool_has_a_workload(plan: Plan) -> Iterator[Hit]:
    """A pool that is to be sized has a workload to be sized for."""
    for name in plan.sized_pools:
        if all(load.pool != name for load in plan.workloads):
            fix = "add a workload with this pool, or write a number"
            yield Hit(StackPath("pools") / name, "is `sized`, but no workload names it", fix)


@rule("FY2605", Level.ERROR)
def workload_fits_the_role(plan: Plan) -> Iterator[Hit]:
    """Training runs on compute pools, serving on serve pools."""
    roles = {"train": Role.COMPUTE, "serve": Role.SERVE}
    pools = {pool.name: pool for pool in plan.pools}
    for load in plan.workloads:
        pool = pools.get(load.pool)
        if pool is not None and pool.role is not roles[load.kind]:
            yield Hit(
                load.path / "pool",
                f"{load.kind}s on {pool.name}, whose role is {pool.role}",
                f"role: {roles[load.kind]}",
            )


@rule("FY2606", Level.WARNING)
def pool_is_not_empty(plan: Plan) -> Iterator[Hit]:
    """A pool holds machines."""
    for pool in plan.pools:
        if pool.count == 0:
            yield Hit(pool.path, "has no machines", "a count of at least 1, or remove the pool")


@rule("FY2607", Level.WARNING)
def accelerators_are_computed_on(plan: Plan) -> Iterator[Hit]:
    """Control and login machines carry no accelerators: they would stand idle."""
    for pool in plan.pools:
        if pool.role in (Role.CONTROL, Role.LOGIN) and pool.machine is not None and pool.machine.accelerators:
            yield Hit(
                pool.path / "machine", f"a {pool.role} pool with accelerators", "a machine without, such as m7i.xlarge"
            )
