"""What an EC2 instance goes through that moto does not know: boots, lost drives, failed hardware, a cut network.

Sources: EC2 User Guide, "Instance lifecycle" (instance store is lost when an instance stops, EBS stays), "Status
checks for your instances".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Life:
    """One instance's. boots: starts and restarts. disk, drives: how often its root disk, its local drives were lost."""

    boots: int = 1
    disk: int = 0
    drives: int = 0
    dead: bool = False
    """The hardware under it failed: it runs no more, whatever EC2 says."""
    cut: bool = False
    """Its network is cut."""
    since: datetime | None = None
    """Since when its status checks fail."""
