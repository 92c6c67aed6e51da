"""Which pools are sized, and what every pool's count is."""

from __future__ import annotations

from collections.abc import Mapping

from fleetyard.findings import Finding, FleetyardError, Level, StackPath
from fleetyard.spec import Stack


def sized_pools(stack: Stack) -> tuple[str, ...]:
    """The pools whose count the sizing lock must give."""
    return tuple(name for name, pool in stack.pools.items() if "sized" in (pool.count, pool.slices))


def counts(stack: Stack, sized: Mapping[str, int]) -> dict[str, int]:
    """Pool to count:

    machines, or slices. Raises FleetyardError (exit 65) for a sized pool that `sized` does not hold.
    """
    missing = [name for name in sized_pools(stack) if name not in sized]
    if missing:
        raise FleetyardError(_not_sized(stack, name) for name in missing)
    result = {}
    for name, pool in stack.pools.items():
        typed = pool.slices if pool.slices is not None else pool.count
        result[name] = typed if isinstance(typed, int) else sized[name]
    return result


def _not_sized(stack: Stack, name: str) -> Finding:
    path = StackPath("pools") / name / ("slices" if stack.pools[name].slices is not None else "count")
    fix = f"run `fleetyard size --stack {stack.name}`, or write a number"
    return Finding("FY1301", Level.ERROR, path, "is `sized`, but the sizing lock has no number for it", fix)
