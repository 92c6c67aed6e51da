"""Which process this is, and the start of the group: from Slurm's environment, from the command line, or alone."""

from __future__ import annotations

import os

import jax

from trainer.settings import Settings


def join(settings: Settings) -> None:
    """Join the other processes. Afterwards `jax.process_index()` and `jax.process_count()` are known.

    A process that is silent for heartbeat_s ends all others: what runs them (Slurm, systemd) starts them again.
    """
    # The flag in every step says when to stop; JAX's own handler of SIGTERM would take the signal away from it.
    jax.config.update("jax_enable_preemption_service", False)
    limits = {"initialization_timeout": settings.start_s, "heartbeat_timeout_seconds": settings.heartbeat_s}
    if settings.coordinator is not None:
        where = {
            "coordinator_address": settings.coordinator,
            "num_processes": settings.processes,
            "process_id": settings.process,
        }
        jax.distributed.initialize(**where, **limits)
    elif int(os.environ.get("SLURM_NTASKS", "1")) > 1:
        jax.distributed.initialize(cluster_detection_method="slurm", **limits)
