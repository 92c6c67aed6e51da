"""From what was heard to what is done: one ruling for each kind of trouble on each device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from fleetyard.acceptance.parsers.kernel_log import Event
from fleetyard.catalog import Unknown, known
from fleetyard.health.actions import Action, Ruling
from fleetyard.health.windows import down_now, episodes, flaps, most_within
from fleetyard.health.xid import sources, sxid_action, table, xid_action

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Repeated:
    """So often within a window, the same action on the same device turns into a heavier one."""

    action: Action
    count: int
    window_s: float
    becomes: Action
    why: str


REPEATED = (
    Repeated(Action.RESTART_APP, 5, DAY_S, Action.DRAIN, "on five occasions in a day jobs died by the same device"),
    Repeated(Action.DRAIN, 3, 7 * DAY_S, Action.REPLACE, "came back twice within a week"),
)
"""Ours: nobody publishes thresholds. What a reset mends is seen once."""

EPISODE_GAP_S = 600.0
"""Lines of the same code on the same device within ten minutes tell of one fault. Ours."""

FLAPS, FLAP_WINDOW_S = 3, 600.0
"""A link that comes back three times in ten minutes is taken out; one that came back once is not."""

NVME_RESETS, NVME_WINDOW_S = 3, DAY_S

_OURS = "ours (docs/health.md)"


def classify(events: Iterable[Event]) -> tuple[Ruling, ...]:
    """Rulings of a kernel log, the heaviest first. Pure: the order of devices in the log does not matter.

    Repetition counts episodes, not lines: a fault writes many. Lines without a time count as one episode.
    """
    ordered = sorted(events, key=lambda each: (each.kind.startswith("link"), each.kind, each.device, each.code or 0))
    found: list[Ruling] = []
    links: dict[str, list[Event]] = {}
    for (kind, device, code), group in groupby(ordered, key=lambda each: (each.kind, each.device, each.code)):
        rows = list(group)
        if kind in ("link-down", "link-up"):
            links.setdefault(device, []).extend(rows)
        elif kind == "xid" and code is not None:
            found.append(_xid(device, code, rows))
        elif kind == "sxid":
            action = max((sxid_action(row.said) for row in rows), key=lambda each: each.weight)
            source = "NVIDIA Fabric Manager guide: fatal SXid errors need a reset of GPUs and switches"
            found.append(
                _repeated(Ruling(device, kind, code, "NVSwitch error", action, len(rows), rows[-1].said, source), rows)
            )
        elif kind == "pcie":
            ruling = Ruling(
                device, kind, None, "PCIe error, not corrected", Action.DRAIN, len(rows), rows[-1].said, _OURS
            )
            found.append(_repeated(ruling, rows))
        elif kind == "nvme":
            often = _most(rows, NVME_WINDOW_S) >= NVME_RESETS or any("Removing" in row.said for row in rows)
            action = Action.REPLACE if often else Action.LOOK
            found.append(
                Ruling(device, kind, None, "NVMe controller was reset", action, len(rows), rows[-1].said, _OURS)
            )
    found += [_link(device, rows) for device, rows in links.items()]
    return tuple(sorted(found, key=lambda each: (-each.action.weight, each.kind, each.device, each.code or 0)))


def _xid(device: str, code: int, rows: Sequence[Event]) -> Ruling:
    action = max((xid_action(code, row.said) for row in rows), key=lambda each: each.weight)
    row = table().get(code)
    title = f"Xid {code}: {row.title}" if row else f"Xid {code}: in no table"
    source = sources()[row.source] if row else _OURS
    return _repeated(Ruling(device, "xid", code, title, action, len(rows), rows[-1].said, source), rows)


def _most(rows: Sequence[Event], window_s: float) -> int:
    """The most episodes within a window."""
    begun = episodes((row.seconds for row in rows if known(row.seconds)), EPISODE_GAP_S)
    return most_within(begun, window_s) if begun else 1


def _repeated(ruling: Ruling, rows: Sequence[Event]) -> Ruling:
    for rule in REPEATED:
        if ruling.action is rule.action and _most(rows, rule.window_s) >= rule.count:
            return replace(ruling, action=rule.becomes, said=f"{ruling.said} ({rule.why})".strip())
    return ruling


def _link(device: str, rows: Sequence[Event]) -> Ruling:
    changes = [(row.seconds if known(row.seconds) else 0.0, row.kind == "link-up") for row in rows]
    if all(known(row.seconds) for row in rows):
        changes.sort(key=lambda change: change[0])
    else:
        # Without times nobody knows what came last: downs that ups do not outweigh leave the link down.
        downs = sum(row.kind == "link-down" for row in rows)
        changes = [(0.0, up) for _ in range(min(downs, len(rows) - downs)) for up in (False, True)]
        changes += [(0.0, False)] if downs > len(rows) - downs else []
    downs = sum(row.kind == "link-down" for row in rows)
    if down_now(changes):
        return Ruling(device, "link", None, "link is down", Action.DRAIN, downs, rows[-1].said, _OURS)
    came_back = flaps(changes, FLAP_WINDOW_S)
    action = Action.DRAIN if came_back >= FLAPS else Action.LOOK if downs else Action.IGNORE
    title = "link flaps" if came_back >= FLAPS else "link was down and came back" if downs else "link came up"
    return Ruling(device, "link", None, title, action, downs, rows[-1].said, _OURS)


def from_rows(rows: Iterable[Mapping[str, object]]) -> tuple[Event, ...]:
    """Events from plain data: {"kind": "xid", "code": 79, "device": ..., "said": ..., "seconds": ...}.

    Raises ValueError for a row without a kind, or with a code or time that is no number.
    """
    found = []
    for row in rows:
        kind, code, seconds = row.get("kind"), row.get("code"), row.get("seconds")
        if not isinstance(kind, str) or kind not in ("xid", "sxid", "pcie", "nvme", "link-down", "link-up"):
            raise ValueError(f"an event of kind xid, sxid, pcie, nvme, link-down or link-up, not {kind!r}")
        if code is not None and (isinstance(code, bool) or not isinstance(code, int)):
            raise ValueError(f"a code that is a whole number, not {code!r}")
        if kind == "xid" and code is None:
            raise ValueError("an Xid without its code")
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds != seconds
        ):
            raise ValueError(f"seconds that are a number, not {seconds!r}")
        when = Unknown("not given") if seconds is None else float(seconds)
        found.append(Event(kind, code, str(row.get("device", "")), str(row.get("said", "")), when))
    return tuple(found)
