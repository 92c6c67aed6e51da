"""Health in operation: what is heard of a node, and what is done about it. Pure; nothing here drains anything."""

from __future__ import annotations

from fleetyard.health.actions import Action, Ruling, worst
from fleetyard.health.classify import classify, from_rows
from fleetyard.health.devices import counter_rulings, drive_action, gpu_rulings, persistent

__all__ = [
    "Action",
    "Ruling",
    "classify",
    "counter_rulings",
    "drive_action",
    "from_rows",
    "gpu_rulings",
    "persistent",
    "worst",
]
