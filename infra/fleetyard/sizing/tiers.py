"""Where data lies and how fast it comes: object stores, Lustre, local NVMe; caches and their hit rates."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from fleetyard.sizing.guard import finite, positive, share

LUSTRE_MB_PER_S_PER_TIB = (125, 250, 500, 1000)
"""Throughput classes of FSx for Lustre, MB/s for each TiB. Source: FSx documentation."""

LUSTRE_STEP_TIB = 2.4
"""Capacity of such a file system comes in multiples of 2.4 TiB above 1.2. Source: FSx documentation."""

TIB_GB = 2**40 / 1e9


@dataclass(frozen=True, slots=True)
class Lustre:
    """A file system: capacity in TiB, its class in MB/s for each TiB, and what both give in decimal GB/s."""

    tib: float
    mb_per_s_per_tib: int
    gb_per_s: float


def lustre_for(data_gb: float, gb_per_s: float) -> Lustre:
    """The smallest capacity, and of equals the lowest class, that holds the data and reads as fast as is asked.

    Raises ValueError for a negative argument.
    """
    finite(data_gb=data_gb, gb_per_s=gb_per_s)
    found = []
    for rate in LUSTRE_MB_PER_S_PER_TIB:
        wanted = max(data_gb / TIB_GB, gb_per_s * 1000 / rate)
        tib = 1.2 if wanted <= 1.2 else ceil(wanted / LUSTRE_STEP_TIB) * LUSTRE_STEP_TIB
        found.append(Lustre(tib, rate, tib * rate / 1000))
    return min(found, key=lambda each: (each.tib, each.mb_per_s_per_tib))


def storage_gb(parameters: float, data_gb: float, keep_last: int = 3, milestones: int = 5, slack: float = 0.2) -> float:
    """Capacity for a training run, decimal GB: its data, the last full checkpoints, weights of milestones, and slack.

    Full checkpoints take 14 bytes for each parameter, weights 2. Raises ValueError for a negative argument.
    """
    finite(parameters=parameters, data_gb=data_gb, keep_last=keep_last, milestones=milestones, slack=slack)
    return (data_gb + parameters * (14 * keep_last + 2 * milestones) / 1e9) * (1 + slack)


def hit_rate(cache_gb: float, data_gb: float, passes: float) -> float:
    """Share of reads that a cache serves when `passes` over the data are made in random order: the part that it
    holds, on every pass but the first.

    Raises ValueError for no data, or fewer than one pass.
    """
    positive(data_gb=data_gb)
    finite(cache_gb=cache_gb)
    if passes < 1:
        raise ValueError(f"passes is {passes}: at least one")
    return min(1.0, cache_gb / data_gb) * (passes - 1) / passes


def read_gb_per_s(hit: float, cache_gb_per_s: float, store_gb_per_s: float) -> float:
    """Rate at which data comes through a cache with hit rate `hit` (0 to 1), decimal GB/s: times add, rates do not.

    Raises ValueError for a rate of zero, or a hit rate outside 0 to 1.
    """
    share(hit=hit)
    positive(cache_gb_per_s=cache_gb_per_s, store_gb_per_s=store_gb_per_s)
    return 1 / (hit / cache_gb_per_s + (1 - hit) / store_gb_per_s)


def oversubscribed(nic_bytes_per_s: float, factor: float) -> float:
    """What one chip can count on when a fabric is oversubscribed `factor` to one. Raises ValueError for less than
    one."""
    finite(nic_bytes_per_s=nic_bytes_per_s)
    if factor < 1:
        raise ValueError(f"factor is {factor}: a fabric carries at most what its ports carry, so at least 1")
    return nic_bytes_per_s / factor
