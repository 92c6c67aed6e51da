"""The counts that the sizing lock holds for a stack. The program reads the lock; only `fleetyard size` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fleetyard.plan.counts import sized_pools
from fleetyard.spec import Stack


def read_sized(stack: Stack, folder: Path) -> Mapping[str, int]:
    """Pool to count, from `<folder>/<stack>.sizing.json`; empty when nothing is sized, and then no lock is read.

    Raises FleetyardError (exit 65) when the lock is missing, broken, or made from other inputs than the stack has now.
    """
    if not sized_pools(stack):
        return {}
    from fleetyard.sizing.lock import lock_path, read_lock, require_fresh

    lock = read_lock(lock_path(folder, stack.name))
    require_fresh(lock, stack)
    return lock.pools
