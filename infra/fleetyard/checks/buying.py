"""Rules about ways to buy, quotas and money."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from fleetyard.catalog import Answer, Buy, Cloud, Unknown, known
from fleetyard.checks.registry import Hit, rule
from fleetyard.findings import Level, StackPath
from fleetyard.plan import Plan

_RESERVATION = re.compile(r"^cr-[0-9a-f]{8,17}$")
BLOCK_MACHINES = 64
"""Largest capacity block. Source: EC2 User Guide, "Find and purchase Capacity Blocks"."""


@rule("FY2201", Level.ERROR)
def some_rung_holds(plan: Plan) -> Iterator[Hit]:
    """At least one rung of a pool's ladder can be bought."""
    for pool in plan.pools:
        if pool.buy is None and pool.machine is not None and not pool.machine.refused:
            why = "; ".join(f"{rung.buy}: {rung.why}" for rung in pool.ladder)
            legal = [str(buy) for buy, legality in pool.machine.buy.items() if legality.answer is Answer.YES]
            yield Hit(pool.path / "buy", f"no rung can be bought ({why})", f"buy: [{', '.join(legal)}]")


@rule("FY2202", Level.WARNING)
def no_rung_is_illegal(plan: Plan) -> Iterator[Hit]:
    """A ladder holds no rung that the machine is never sold on: it could never be taken."""
    for pool in plan.pools:
        if pool.machine is None or pool.machine.refused or pool.buy is None:
            continue
        for index, rung in enumerate(pool.ladder):
            legality = pool.machine.buy.get(rung.buy)
            if legality is not None and legality.answer is Answer.NO:
                message = f"{pool.machine_name} is not sold as {rung.buy}: {legality.reason}"
                yield Hit(pool.path / "buy" / index, message, f"remove {rung.buy}")


@rule("FY2203", Level.WARNING)
def rung_is_known(plan: Plan) -> Iterator[Hit]:
    """The rung taken is one that a source says exists."""
    for pool in plan.pools:
        legality = pool.machine.buy.get(pool.buy) if pool.machine is not None and pool.buy is not None else None
        if legality is not None and legality.answer is Answer.UNKNOWN:
            message = f"nobody published whether {pool.machine_name} is sold as {pool.buy}: {legality.reason}"
            yield Hit(pool.path / "buy", message, "add a rung that is known, such as on-demand")


@rule("FY2204", Level.INFO)
def ladder_is_explained(plan: Plan) -> Iterator[Hit]:
    """Says which rung was taken and why the rungs before it were not."""
    for pool in plan.pools:
        lost = []
        for rung in pool.ladder:
            if rung.taken:
                break
            lost.append(f"{rung.buy}: {rung.why}")
        if lost and pool.buy is not None:
            yield Hit(pool.path / "buy", f"{pool.buy} is taken ({'; '.join(lost)})")


@rule("FY2205", Level.ERROR)
def reservation_has_the_clouds_form(plan: Plan) -> Iterator[Hit]:
    """A reservation on AWS is named by its id."""
    for pool in plan.pools:
        if plan.cloud is Cloud.AWS and pool.reservation and not _RESERVATION.match(pool.reservation):
            yield Hit(
                pool.path / "reservation",
                f"{pool.reservation} is no reservation id",
                "an id such as cr-0123456789abcdef0",
            )


@rule("FY2206", Level.WARNING)
def reservation_is_used(plan: Plan) -> Iterator[Hit]:
    """A named reservation is bought from."""
    named = {Buy.RESERVATION, Buy.CAPACITY_BLOCK, Buy.CALENDAR}
    for pool in plan.pools:
        if pool.reservation and pool.buy not in named:
            yield Hit(
                pool.path / "reservation", f"is named, but {pool.buy} is taken", "put `reservation` first in `buy`"
            )


@rule("FY2207", Level.ERROR)
def block_has_one_zone(plan: Plan) -> Iterator[Hit]:
    """A capacity block, like any reservation, lies in one zone."""
    for pool in plan.pools:
        if pool.buy in (Buy.CAPACITY_BLOCK, Buy.RESERVATION) and not pool.tpu and len(pool.zones) > 1:
            yield Hit(pool.path / "zones", f"{len(pool.zones)} zones for one {pool.buy}", "name the zone it lies in")


@rule("FY2208", Level.ERROR)
def block_is_not_too_large(plan: Plan) -> Iterator[Hit]:
    """One capacity block holds at most 64 machines."""
    for pool in plan.pools:
        if pool.buy is Buy.CAPACITY_BLOCK and pool.count > BLOCK_MACHINES:
            yield Hit(
                pool.path / "count", f"{pool.count} machines in one block", f"at most {BLOCK_MACHINES} for a pool"
            )


@rule("FY2209", Level.INFO)
def quota_needed(plan: Plan) -> Iterator[Hit]:
    """Says how much of which quota the stack needs, summed over its pools."""
    needs: dict[tuple[str, str], float] = defaultdict(float)
    for pool in plan.pools:
        quota = pool.machine.quota.get(pool.buy) if pool.machine is not None and pool.buy is not None else None
        if quota is not None and known(quota.code_or_metric) and known(quota.per_machine):
            needs[quota.code_or_metric, quota.unit] += quota.per_machine * pool.hosts
    for (code, unit), amount in needs.items():
        if not amount:
            continue
        yield Hit(StackPath("pools"), f"needs {amount:g} {unit} of quota {code} in {plan.region}")


@rule("FY2210", Level.ERROR)
def hourly_budget_holds(plan: Plan) -> Iterator[Hit]:
    """What stands at once costs no more per hour than the budget says."""
    if plan.budget_usd_per_hour is None:
        return
    cost = sum(float(pool.usd_per_hour) for pool in plan.pools if known(pool.usd_per_hour))
    if cost > plan.budget_usd_per_hour:
        message = f"the pools cost {cost:.2f} USD an hour, the budget is {plan.budget_usd_per_hour:.2f}"
        yield Hit(
            StackPath("budget.usd_per_hour"), message, f"a budget of at least {cost:.2f}, or a smaller or later fleet"
        )


@rule("FY2211", Level.WARNING)
def price_is_known(plan: Plan) -> Iterator[Hit]:
    """With a budget, every price is known; otherwise the budget is kept by hope."""
    if plan.budget_usd_per_hour is None:
        return
    for pool in plan.pools:
        if isinstance(pool.usd_per_hour, Unknown) and pool.buy is not None and pool.count:
            yield Hit(pool.path, f"its price is unknown: {pool.usd_per_hour.reason}", "ask the cloud before buying")


@rule("FY2212", Level.WARNING)
def spot_is_not_for_control(plan: Plan) -> Iterator[Hit]:
    """Control and login machines are not bought on spot: the scheduler would vanish with them."""
    for pool in plan.pools:
        if pool.buy is Buy.SPOT and pool.role in ("control", "login"):
            yield Hit(
                pool.path / "buy", f"a {pool.role} pool on spot can vanish at two minutes' notice", "buy: [on-demand]"
            )


@rule("FY2213", Level.ERROR)
def whole_budget_holds(plan: Plan) -> Iterator[Hit]:
    """What stands until the last deadline costs no more than the whole budget, as far as prices are known."""
    hours = max((load.hours for load in plan.workloads if load.hours is not None), default=None)
    if plan.budget_usd is None or hours is None:
        return
    per_hour = sum(float(pool.usd_per_hour) for pool in plan.pools if known(pool.usd_per_hour))
    cost = per_hour * hours
    if cost > plan.budget_usd:
        message = f"{hours:g} hours until the last deadline cost {cost:.0f} USD, the budget is {plan.budget_usd:.0f}"
        yield Hit(StackPath("budget.usd"), message, f"a budget of at least {cost:.0f}, or a smaller fleet")
