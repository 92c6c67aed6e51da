"""Numbers as people read them. Unknown prints `unknown`, always."""

from __future__ import annotations

from fleetyard.catalog import Unknown

UNKNOWN = "unknown"


def usd(amount: float | Unknown | None) -> str:
    """US dollars: cents below a thousand, whole dollars above."""
    if amount is None or isinstance(amount, Unknown):
        return UNKNOWN
    return f"${amount:,.2f}" if abs(amount) < 1000 else f"${amount:,.0f}"


def duration(seconds: float | None) -> str:
    """Seconds in the two largest units that matter."""
    if seconds is None:
        return UNKNOWN
    if seconds < 120:
        return f"{seconds:.3g} s"
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def number(value: float | Unknown | None) -> str:
    """A number without trailing zeros."""
    if value is None or isinstance(value, Unknown):
        return UNKNOWN
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"
