"""What an instance or a TPU host goes through: boots, lost drives, failed hardware, a cut network.

Sources: Compute Engine documentation, "Instance life cycle", "Local SSD" (its data is lost when the instance stops);
Cloud TPU documentation, "Manage TPU resources".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Life:
    """One machine's. boots: starts and restarts. disk, drives: how often its root disk, its local drives were lost."""

    boots: int = 1
    disk: int = 0
    drives: int = 0
    dead: bool = False
    """The hardware under it failed, and is not replaced yet."""
    cut: bool = False
    """Its network is cut."""
