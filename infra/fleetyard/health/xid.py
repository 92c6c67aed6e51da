"""NVIDIA's Xid and SXid codes as rulings: `xid.toml`, read once, and what a line says besides its code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fleetyard.health.actions import Action

BY_SEVERITY, BY_RECOVERY = "by-severity", "by-recovery"


@dataclass(frozen=True, slots=True)
class Xid:
    """One code. `action` is an Action, or says what in the line decides (`by-severity`, `by-recovery`)."""

    code: int
    title: str
    bucket: str
    action: str
    why: str
    source: str


@cache
def table() -> Mapping[int, Xid]:
    """All codes, in order."""
    top = tomllib.loads((Path(__file__).parent / "xid.toml").read_text(encoding="utf-8"))
    rows = [
        _row(int(code), {**group, "title": title})
        for group in top["groups"].values()
        for code, title in group["codes"].items()
    ]
    rows += [_row(int(code), row) for code, row in top["codes"].items()]
    found = {row.code: row for row in rows}
    if len(found) != len(rows):
        raise ValueError("xid.toml: a code stands twice")
    return dict(sorted(found.items()))


@cache
def sources() -> Mapping[str, str]:
    """Names of the table's sources to what they are."""
    top = tomllib.loads((Path(__file__).parent / "xid.toml").read_text(encoding="utf-8"))
    return dict(top["sources"])


def _row(code: int, row: Mapping[str, Any]) -> Xid:
    if row["action"] not in (*Action, BY_SEVERITY, BY_RECOVERY):
        raise ValueError(f"xid.toml: {code} has no such action as {row['action']}")
    return Xid(code, row["title"], row["bucket"], row["action"], row.get("why", ""), row["source"])


_RECOVERY = (
    (re.compile(r"node reboot|drain and reset|gpu reset|drain p2p|reset required|reboot required", re.I), Action.DRAIN),
    (re.compile(r"\(none\)|\bnone\b", re.I), Action.IGNORE),
)


def xid_action(code: int, said: str) -> Action:
    """What a code means on a line with these words. A code that is in no table is looked at."""
    row = table().get(code)
    if row is None:
        return Action.LOOK
    if row.action == BY_SEVERITY:
        # The new links mark each line; a mark that is cut off is not taken for a good one.
        if re.search(r"\bNonfatal\b", said):
            return Action.IGNORE
        return Action.DRAIN
    if row.action == BY_RECOVERY:
        return next((action for pattern, action in _RECOVERY if pattern.search(said)), Action.LOOK)
    return Action(row.action)


def sxid_action(said: str) -> Action:
    """What an NVSwitch's line means: the switch marks fatal errors itself, after which its fabric needs a reset."""
    if re.search(r"\bnon-?fatal\b", said, re.I):
        return Action.IGNORE
    return Action.DRAIN if re.search(r"\bfatal\b", said, re.I) else Action.LOOK
