"""What changing a field of the stack file does to what already stands."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """From harmless to costly. A preview repeats it before the person finds out."""

    LIVE = "live"
    """Changes in place; no machine notices."""
    TEMPLATE = "template"
    """Makes a new machine template; the pool's `update` decides what running machines do about it."""
    REPLACES_MACHINES = "replaces machines"
    """Running machines are ended and new ones started."""
    REPLACES_DATA = "replaces data"
    """The thing that holds data is replaced, or data is lost."""


def changes(effect: Effect) -> dict[str, Any]:
    """Metadata for a pydantic field; read back by `fleetyard.spec.update_effect`."""
    return {"effect": effect.value}
