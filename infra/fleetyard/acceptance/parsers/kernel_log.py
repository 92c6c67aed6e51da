"""Kernel messages of accelerators and drives: `dmesg`, `dmesg -T`, `journalctl -k`, /dev/kmsg.

Finds NVIDIA's Xid and SXid lines, links of network cards that went down, NVMe controllers that were reset, EFA trouble.
Everything else is no event: a kernel log is never an error, however odd.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from fleetyard.catalog import Unknown

TOOL = "kernel log"

_XID = re.compile(r"NVRM: Xid \((?:PCI:)?(?P<bus>[0-9A-Fa-f:.]+)\): (?P<code>\d{1,4}),\s*(?P<said>.*)")
_XID_GPU = re.compile(r"NVRM: Xid \((?:PCI:)?(?P<bus>[0-9A-Fa-f:.]+)[^)]*\): (?P<code>\d{1,4})\s*$")
_SXID = re.compile(
    r"nvidia-nvswitch(?P<switch>\d+): SXid \((?:PCI:)?(?P<bus>[0-9A-Fa-f:.]+)\): (?P<code>\d{4,5}), (?P<said>.+)"
)
_DOWN = re.compile(
    r"(?:mlx5_core|ena|efa|mlx5_\d+)\s+(?P<bus>[0-9a-f:.]{7,14})\s*(?P<name>\S*?):?\s+(?:Link down|link down)\b", re.I
)
_UP = re.compile(
    r"(?:mlx5_core|ena|efa|mlx5_\d+)\s+(?P<bus>[0-9a-f:.]{7,14})\s*(?P<name>\S*?):?\s+(?:Link up|link up)\b", re.I
)
_NVME = re.compile(
    r"nvme (?P<name>nvme\d+): (?P<said>(?:controller is down|Removing after|I/O \d+ .*timeout|.*not ready).*)", re.I
)
_PCIE = re.compile(
    r"(?:pcieport|nvidia) (?P<bus>[0-9a-f:.]{7,14}): (?P<said>.*(?:AER: .*|severity=)(?:Uncorrect|Fatal).*)", re.I
)

_KMSG = re.compile(r"^\d+,\d+,(?P<us>\d+),[^;]*;")
_BOOT = re.compile(r"^\[\s*(?P<s>\d+\.\d+)\]\s")
_CTIME = re.compile(r"^\[(?P<t>[A-Z][a-z]{2} [A-Z][a-z]{2}\s+\d+ \d\d:\d\d:\d\d \d{4})\]\s")
_ISO = re.compile(r"^(?P<t>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[+-]\d\d:?\d\d|Z)?)\s")


@dataclass(frozen=True, slots=True)
class Event:
    """One line that says something. `seconds` counts from any fixed point: only differences mean something."""

    kind: str
    code: int | None
    device: str
    said: str
    seconds: float | Unknown


def parse(text: str) -> tuple[Event, ...]:
    """All events in order. A last line without newline is left out when it breaks off within its code."""
    found = []
    for line in text.splitlines(keepends=True):
        event = _event(line.rstrip("\n"), cut=not line.endswith("\n"))
        if event is not None:
            found.append(event)
    return tuple(found)


def _event(line: str, *, cut: bool) -> Event | None:
    when = _when(line)
    if xid := _XID.search(line):
        return Event("xid", int(xid["code"]), xid["bus"].lower(), xid["said"].strip(), when)
    if (xid := _XID_GPU.search(line)) and not cut:
        return Event("xid", int(xid["code"]), xid["bus"].lower(), "", when)
    if sxid := _SXID.search(line):
        return Event("sxid", int(sxid["code"]), sxid["bus"].lower(), sxid["said"].strip(), when)
    for kind, pattern in (("link-down", _DOWN), ("link-up", _UP), ("nvme", _NVME), ("pcie", _PCIE)):
        if match := pattern.search(line):
            parts = match.groupdict()
            device = parts.get("name") or parts.get("bus") or ""
            return Event(kind, None, device, (parts.get("said") or match[0]).strip(), when)
    return None


def _when(line: str) -> float | Unknown:
    if match := _KMSG.match(line):
        return int(match["us"]) / 1e6
    if match := _BOOT.match(line):
        return float(match["s"])
    try:
        if match := _CTIME.match(line):
            return datetime.strptime(re.sub(r"\s+", " ", match["t"]), "%a %b %d %H:%M:%S %Y").timestamp()
        if match := _ISO.match(line):
            return datetime.fromisoformat(match["t"].replace(",", ".")).timestamp()
    except ValueError:
        return Unknown("a time that is none")
    return Unknown("the line carries no time that can be compared")
