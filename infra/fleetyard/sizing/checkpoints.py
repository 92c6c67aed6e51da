"""What failures cost a long job, and how often to save against them."""

from __future__ import annotations

from math import sqrt

from fleetyard.sizing.guard import finite, positive

CHECKPOINT_BYTES = 14
"""Bytes of one parameter in a checkpoint: bf16 weight 2, fp32 master weight 4, Adam's moments 8. Source: BLOOM and
Nemotron-4 publish 12.9 to 13.1."""


def checkpoint_gb(parameters: float) -> float:
    """Size of a checkpoint from which training resumes exactly, decimal GB.

    Raises ValueError for a negative count.
    """
    finite(parameters=parameters)
    return parameters * CHECKPOINT_BYTES / 1e9


def job_mtbf_s(accelerator_hours_per_failure: float, accelerators: int) -> float:
    """Mean seconds between failures of a whole job: one accelerator's, divided by their number.

    Raises ValueError for no accelerator. Source: Kokolis 2024 (arXiv 2410.21680).
    """
    positive(accelerator_hours_per_failure=accelerator_hours_per_failure, accelerators=accelerators)
    return accelerator_hours_per_failure * 3600 / accelerators


def checkpoint_interval_s(stall_s: float, mtbf_s: float) -> float:
    """Seconds between checkpoints that lose least work.

    stall_s: seconds that training stands still for one checkpoint; mtbf_s: mean seconds between failures of the
    whole job. For stall_s >= 2 * mtbf_s the optimum is mtbf_s itself. Raises ValueError for a negative or non-finite
    argument.
    Source: Daly 2006, eq. 37 (first order: Young 1974).
    """
    finite(stall_s=stall_s, mtbf_s=mtbf_s)
    if stall_s >= 2 * mtbf_s:
        return mtbf_s
    ratio = stall_s / (2 * mtbf_s)
    return sqrt(2 * stall_s * mtbf_s) * (1 + sqrt(ratio) / 3 + ratio / 9) - stall_s


def goodput(stall_s: float, interval_s: float, mtbf_s: float, restart_s: float) -> float:
    """The share of time that trains, 0 to 1: without checkpoints, lost work and restarts.

    interval_s: seconds between checkpoints; restart_s: seconds from a failure to the next step. 0 when failures come
    faster than work. Raises ValueError for a negative or non-finite argument, or an interval or mtbf of zero.
    Source: first order of Daly 2006; checked against Llama 3's "more than 90 %" (arXiv 2407.21783).
    """
    positive(interval_s=interval_s, mtbf_s=mtbf_s)
    finite(stall_s=stall_s, restart_s=restart_s)
    return max(0.0, 1 - stall_s / interval_s - (interval_s / 2 + restart_s) / mtbf_s)
