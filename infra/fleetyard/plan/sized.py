"""The counts that the sizing lock holds for a stack. The program reads the lock; only `fleetyard size` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fleetyard.findings import error
from fleetyard.plan.counts import sized_pools
from fleetyard.spec import Stack


def read_sized(stack: Stack, folder: Path) -> Mapping[str, int]:
    """Pool to count, from `<folder>/<stack>.sizing.json`; empty when nothing is sized.

    Raises FleetyardError (exit 65) FY1302 when the lock is missing or does not belong to the stack as it stands.
    """
    if not sized_pools(stack):
        return {}
    path = folder / f"{stack.name}.sizing.json"
    if not path.exists():
        fix = f"run `fleetyard size --stack {stack.name}`"
        raise error("FY1302", path.name, "is missing, and a pool is `sized`", fix)
    raise NotImplementedError
