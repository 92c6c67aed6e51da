"""Arguments that cannot be right end in ValueError, before arithmetic hides them."""

from __future__ import annotations

from math import isfinite


def finite(**values: float) -> None:
    """Raise ValueError for an argument that is negative, infinite or not a number."""
    for name, value in values.items():
        if not isfinite(value) or value < 0:
            raise ValueError(f"{name} is {value}: it must be finite and not negative")


def positive(**values: float) -> None:
    """Raise ValueError for an argument that is zero, negative, infinite or not a number."""
    for name, value in values.items():
        if not isfinite(value) or value <= 0:
            raise ValueError(f"{name} is {value}: it must be finite and above zero")


def share(**values: float) -> None:
    """Raise ValueError for an argument outside 0 to 1."""
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}: it must lie between 0 and 1")
