"""Replicas that are up at once, spares over zones, and how long a new one takes to serve."""

from __future__ import annotations

from math import ceil, comb

from fleetyard.sizing.guard import finite, positive, share


def available(replicas: int, needed: int, each: float) -> float:
    """Probability that at least `needed` of `replicas` are up, each with probability `each`, independently.

    Raises ValueError for fewer than none, or a probability outside 0 to 1. Source: binomial distribution.
    """
    share(each=each)
    finite(replicas=replicas, needed=needed)
    return sum(comb(replicas, up) * each**up * (1 - each) ** (replicas - up) for up in range(needed, replicas + 1))


def replicas_for(needed: int, each: float, target: float, most: int = 64) -> int:
    """The fewest replicas, at least two, of which `needed` are up with probability `target`.

    Raises ValueError when `most` spares do not reach it.
    """
    share(each=each, target=target)
    for spare in range(most + 1):
        count = max(2, needed + spare)
        if available(count, needed, each) >= target:
            return count
    raise ValueError(f"{most} spares do not reach {target:.4%} with replicas that are up {each:.2%} of the time")


def over_zones(needed: int, zones: int) -> int:
    """Replicas in all so that losing one whole zone leaves as many as are needed; equal numbers in each zone.

    With one zone nothing can be lost and the answer is what is needed. Raises ValueError for no zone.
    """
    positive(zones=zones)
    finite(needed=needed)
    return needed if zones == 1 else ceil(needed / (zones - 1)) * zones


def cold_start_s(
    image_gb: float, weights_gb: float, gb_per_s: float, graphs_s: float = 30.0, boot_s: float = 60.0
) -> float:
    """Seconds from a launched machine to the first answer: boot, container image, weights, graph capture.

    Sizes in decimal GB, both read at gb_per_s. Raises ValueError for no rate or a negative size.
    Source: vLLM documentation for graph capture; the boot of a cloud machine is taken as a minute.
    """
    positive(gb_per_s=gb_per_s)
    finite(image_gb=image_gb, weights_gb=weights_gb, graphs_s=graphs_s, boot_s=boot_s)
    return boot_s + (image_gb + weights_gb) / gb_per_s + graphs_s
