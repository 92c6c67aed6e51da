"""SMART of NVMe drives: `nvme smart-log -o json`, or `smartctl -j -a`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleetyard.acceptance.parsers.reading import ParseError, field_number, json_in, mapping
from fleetyard.catalog import Unknown

TOOL = "NVMe SMART"


@dataclass(frozen=True, slots=True)
class Smart:
    """Health of one drive: warning bits (0: none), spare blocks and their threshold in percent, wear, media errors."""

    device: str
    critical_warning: int | Unknown
    spare_percent: float | Unknown
    spare_threshold_percent: float | Unknown
    used_percent: float | Unknown
    media_errors: float | Unknown


def parse(text: str, device: str = "") -> Smart:
    """Read one drive. Raises ParseError for anything but a whole document with an NVMe health log."""
    top = mapping(TOOL, json_in(TOOL, text, "a JSON document"), "the document")
    about = top.get("device")
    name = str(about.get("name", device)) if isinstance(about, dict) else device
    if "nvme_smart_health_information_log" in top:
        row = mapping(TOOL, top["nvme_smart_health_information_log"], "the health log")
        return _smart(name, row, "available_spare", "available_spare_threshold", "percentage_used")
    if "critical_warning" in top:
        return _smart(name, top, "avail_spare", "spare_thresh", "percent_used")
    raise ParseError(TOOL, "an NVMe health log", ", ".join(map(str, top))[:60])


def _smart(name: str, row: Mapping[str, Any], spare: str, threshold: str, used: str) -> Smart:
    warning = row.get("critical_warning")
    if isinstance(warning, dict):  # nvme-cli 2 splits the bits
        warning = warning.get("value")
    bits = field_number(TOOL, {"critical_warning": warning}, "critical_warning")
    return Smart(
        name,
        bits if isinstance(bits, Unknown) else int(bits),
        field_number(TOOL, row, spare),
        field_number(TOOL, row, threshold),
        field_number(TOOL, row, used),
        field_number(TOOL, row, "media_errors"),
    )
