"""Ratios before and after a change. All are without unit; above 1 is better unless the docstring says otherwise.

The Q numbers are the rows of formulas in the articles that asked for this module; each function is the row's corrected
reading. Where two rows define one ratio both ways round (Q4 and Q12, Q7 and Q14, Q9 and Q15) both are kept and have
names that tell them apart.
"""

from __future__ import annotations

from fleetyard.sizing.guard import finite, positive, share


def speed_up(before_s: float, after_s: float) -> float:
    """How many times faster: time without an accelerator over time with it (Q5 for GPUs, Q6 for TPUs, Q13).

    before_s, after_s: seconds. Raises ValueError for a time that is not above zero.
    Source: Amdahl 1967; any text on performance.
    """
    positive(before_s=before_s, after_s=after_s)
    return before_s / after_s


def delay_improvement(before_s: float, after_s: float) -> float:
    """How many times shorter a delay became by load balancing (Q7).

    before_s, after_s: seconds. Raises ValueError for a delay that is not above zero.
    """
    return speed_up(before_s, after_s)


def relative_delay(before_s: float, after_s: float) -> float:
    """The share of a delay that is left (Q14): smaller is better, the inverse of `delay_improvement`.

    before_s, after_s: seconds. Raises ValueError for a delay that is not above zero.
    """
    return 1 / speed_up(before_s, after_s)


def utilisation_gain(before: float, after: float) -> float:
    """How many times better a link is used (Q15, and Q9 put the right way round).

    before, after: shares of the link, 0 to 1. Raises ValueError outside that range or for nothing before.
    """
    share(before=before, after=after)
    positive(before=before)
    return after / before


def kept_share(original: float, compressed: float) -> float:
    """The share of parameters that compression keeps (Q11 and Q1): 0 to 1, and 1 minus it is what went.

    original, compressed: counts of parameters. Raises ValueError when compression adds parameters.
    """
    positive(original=original)
    finite(compressed=compressed)
    if compressed > original:
        raise ValueError(f"compressed is {compressed}, more than the original {original}")
    return compressed / original


def compression_factor(original: float, compressed: float) -> float:
    """How many times smaller a model became (Q11): original over compressed count of parameters.

    Raises ValueError when compression adds parameters or leaves none.
    """
    positive(compressed=compressed)
    return 1 / kept_share(original, compressed)


def hit_ratio(hits: float, accesses: float) -> float:
    """The share of accesses that a cache answers, 0 to 1 (Q4).

    hits, accesses: counts. Raises ValueError for more hits than accesses, or no access.
    Source: Hennessy and Patterson, Computer Architecture, memory hierarchy.
    """
    positive(accesses=accesses)
    finite(hits=hits)
    if hits > accesses:
        raise ValueError(f"hits is {hits}, more than the {accesses} accesses")
    return hits / accesses


def mean_access_s(hit_ratio: float, hit_s: float, miss_s: float) -> float:
    """Mean seconds of an access through a cache (Q4): hits take hit_s, misses miss_s.

    hit_ratio: 0 to 1; hit_s, miss_s: seconds. Raises ValueError outside that.
    Source: Hennessy and Patterson, Computer Architecture, average memory access time.
    """
    share(hit_ratio=hit_ratio)
    finite(hit_s=hit_s, miss_s=miss_s)
    return hit_ratio * hit_s + (1 - hit_ratio) * miss_s


def relative_latency(hit_s: float, access_s: float) -> float:
    """Time of a hit over time of an access without the cache (Q12): smaller is better, and not a hit ratio.

    hit_s, access_s: seconds. Raises ValueError for a time that is not above zero.
    """
    positive(hit_s=hit_s, access_s=access_s)
    return hit_s / access_s
