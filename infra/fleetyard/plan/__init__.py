"""The cloud-neutral deployment: a stack and its sized counts in, one frozen `Plan` out."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from fleetyard.catalog import Catalog, Unknown, catalog, known
from fleetyard.findings import StackPath
from fleetyard.plan.counts import counts, sized_pools
from fleetyard.plan.model import (
    CachePlan,
    Grant,
    LifecyclePlan,
    NatPlan,
    NetworkPlan,
    Plan,
    PoolPlan,
    Rung,
    StorePlan,
    SubnetPlan,
    WorkloadPlan,
)
from fleetyard.plan.network import plan_network
from fleetyard.plan.pools import plan_pool
from fleetyard.plan.sized import read_sized
from fleetyard.spec import Stack, Workload

__all__ = [
    "CachePlan",
    "Grant",
    "LifecyclePlan",
    "NatPlan",
    "NetworkPlan",
    "Plan",
    "PoolPlan",
    "Rung",
    "StorePlan",
    "SubnetPlan",
    "WorkloadPlan",
    "make_plan",
    "read_sized",
    "sized_pools",
]


def make_plan(stack: Stack, sized: Mapping[str, int], facts: Catalog | None = None) -> Plan:
    """Decide the whole cluster. sized: pool to count (machines, or slices), read from the sizing lock.

    Raises FleetyardError (exit 65) when a pool is to be sized and `sized` does not hold it.
    """
    facts = facts or catalog()
    count = counts(stack, sized)
    tags = {**stack.tags, "fleetyard-stack": stack.name, "fleetyard-owner": stack.owner}
    network = plan_network(stack, tags)
    pools = tuple(plan_pool(stack, name, count[name], network.subnets, tags, facts) for name in stack.pools)
    return Plan(
        stack=stack.name,
        cloud=stack.cloud,
        region=stack.region,
        project=stack.project,
        owner=stack.owner,
        zones=stack.zones,
        network=network,
        pools=pools,
        stores=_stores(stack, tags),
        workloads=_workloads(stack),
        scheduler=stack.scheduler,
        tags=tags,
        own_tags=stack.tags,
        budget_usd_per_hour=stack.budget.usd_per_hour,
        budget_usd=stack.budget.usd,
        usd_per_hour=_sum(pools),
        waive=stack.waive,
        sized_pools=sized_pools(stack),
        cache_sources={name: pool.cache.source for name, pool in stack.pools.items() if pool.cache},
        version_set=stack.versions.set,
    )


def _stores(stack: Stack, tags: Mapping[str, str]) -> tuple[StorePlan, ...]:
    return tuple(
        StorePlan(
            path=StackPath("stores") / name,
            name=name,
            full_name=f"{stack.name}-{name}",
            on_destroy=store.on_destroy,
            lifecycle=tuple(LifecyclePlan(ceil(s.after.total_seconds() / 86400), s.to) for s in store.lifecycle),
            tags=tags,
        )
        for name, store in stack.stores.items()
    )


def _workloads(stack: Stack) -> tuple[WorkloadPlan, ...]:
    return tuple(
        WorkloadPlan(StackPath("workloads") / name, name, load.kind, load.pool, load.model, _hours(load))
        for name, load in stack.workloads.items()
    )


def _hours(load: Workload) -> float | None:
    return load.deadline.total_seconds() / 3600 if load.deadline else None


def _sum(pools: tuple[PoolPlan, ...]) -> float | Unknown:
    total = 0.0
    for pool in pools:
        if not known(pool.usd_per_hour):
            return Unknown(f"the price of pool {pool.name} is unknown")
        total += pool.usd_per_hour
    return total
