"""Rules about versions: the ones of `fleetyard.versions`, each under its own code, over every pool of a plan."""

from __future__ import annotations

from collections.abc import Iterator

from fleetyard.checks.registry import Check, Hit, rule
from fleetyard.findings import FleetyardError, Level, StackPath
from fleetyard.plan import Plan, PoolPlan
from fleetyard.versions import Node, Target, VersionRule, all_rules, manifest, missing, planned


def targets(plan: Plan) -> Iterator[tuple[PoolPlan, Target]]:
    """Every pool whose machine the catalogue holds, as a target for versions."""
    for pool in plan.pools:
        if pool.machine is not None:
            yield pool, Target.of(pool.machine, pool.os, plan.scheduler)


def set_of(plan: Plan) -> str | None:
    """The set that the plan uses; None where it names one that there is not."""
    try:
        return manifest().version_set(plan.version_set).name
    except FleetyardError:
        return None


def nodes(plan: Plan) -> Iterator[tuple[PoolPlan, Node]]:
    """What each pool's machines would have installed."""
    name = set_of(plan)
    for pool, target in targets(plan):
        if name is not None:
            yield pool, planned(name, target, pool.versions)[0]


def _over_a_plan(each: VersionRule) -> Check:
    def check(plan: Plan) -> Iterator[Hit]:
        for pool, node in nodes(plan):
            for clash in each.check(node):
                yield Hit(pool.path / "versions" / clash.component[:60], clash.message, clash.fix)

    check.__name__, check.__doc__ = each.check.__name__, each.check.__doc__
    return check


for _each in all_rules():
    rule(_each.code, _each.level)(_over_a_plan(_each))


@rule("FY2003", Level.ERROR)
def version_set_exists(plan: Plan) -> Iterator[Hit]:
    """The set of versions that the stack names is one of the manifest's."""
    try:
        manifest().version_set(plan.version_set)
    except FleetyardError as unknown:
        for finding in unknown.findings:
            yield Hit(StackPath("versions.set"), finding.message, finding.fix)


@rule("FY2004", Level.ERROR)
def version_set_is_for_the_machine(plan: Plan) -> Iterator[Hit]:
    """The set of versions is new enough for every pool's accelerators."""
    name = set_of(plan)
    for pool, target in targets(plan):
        if name and target.accelerator in manifest().sets[name].not_for:
            fits = [other.name for other in manifest().sets.values() if target.accelerator not in other.not_for]
            message = f"the versions of {name} are too old for {target.accelerator} of pool {pool.name}"
            yield Hit(StackPath("versions.set"), message, f"versions: {{ set: {fits[0]} }}")


@rule("FY2005", Level.WARNING)
def version_set_is_for_the_system(plan: Plan) -> Iterator[Hit]:
    """The set of versions was made for the operating system that every pool boots."""
    name = set_of(plan)
    for pool, target in targets(plan):
        if name and target.os not in manifest().sets[name].os:
            known = ", ".join(manifest().sets[name].os)
            yield Hit(pool.path / "image", f"the versions of {name} were not made for {target.os}", f"one of {known}")


@rule("FY2006", Level.ERROR)
def version_set_is_complete(plan: Plan) -> Iterator[Hit]:
    """The set has a version of everything that every pool's machines need."""
    name = set_of(plan)
    for pool, target in targets(plan):
        if name and target.accelerator not in manifest().sets[name].not_for:
            for component in missing(name, target, planned(name, target, pool.versions)[1]):
                message = f"{name} has no {component} for {pool.machine_name} on {target.os}"
                yield Hit(pool.path / "versions" / component, message, "name a version, or another set")
