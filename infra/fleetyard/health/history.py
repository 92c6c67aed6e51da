"""The record as a picture: what was heard, what was done about it, and how long each took."""

from __future__ import annotations

from collections.abc import Sequence

from fleetyard.health.incidents import (
    ACCEPTED,
    ASKED,
    CAME,
    CONFIGURED,
    DRAINED,
    FAILED,
    HEARD,
    KEPT_OUT,
    OPENED,
    RESTARTED,
)
from fleetyard.health.record import Row
from fleetyard.report.timeline import Event, draw

LANES = {
    HEARD: "alert", OPENED: "loss", FAILED: "loss", KEPT_OUT: "loss", DRAINED: "job", ASKED: "cloud", CAME: "boot",
    RESTARTED: "boot", CONFIGURED: "configure", ACCEPTED: "recovery",
}  # fmt: skip
LASTED = frozenset({CAME, RESTARTED, CONFIGURED})
"""Rows that tell the end of something that began with the row before."""


def events(rows: Sequence[Row]) -> list[Event]:
    """What a timeline shows of a record, in seconds since its first row."""
    began: dict[str, float] = {}
    before: dict[str, float] = {}
    found = []
    for row in rows:
        at = row.at - rows[0].at
        if row.what == OPENED:
            began.setdefault(row.incident, at)
        if row.what in LANES:
            text = f"{row.node} {row.what}" + (f": {row.why}" if row.what in (HEARD, KEPT_OUT, FAILED) else "")
            start = began.get(row.incident, at) if row.what == ACCEPTED else before.get(row.incident, at)
            lasts = row.what in LASTED or row.what == ACCEPTED
            found.append(Event(start if lasts else at, LANES[row.what], text[:90], at if lasts else None))
        if row.incident:
            before[row.incident] = at
    return found


def drawn(rows: Sequence[Row], title: str) -> str:
    """The record as SVG. Raises ValueError for an empty one."""
    return draw(events(rows), title)
