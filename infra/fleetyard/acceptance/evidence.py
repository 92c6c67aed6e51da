"""What the probe brought from one node, read on demand: every tool's output becomes data or a reason why not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from fleetyard.acceptance.parsers.reading import ParseError
from fleetyard.catalog import Unknown
from fleetyard.findings import error

T = TypeVar("T")
VERSION = 1
_SPEAKS_BY_STATUS = frozenset({"dcgm_diag", "dcgm_health", "nvlink", "lspci", "fi_info"})
"""Tools that end with another status than 0 to say what they found, or that some devices are left out."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One node's probe. `at`: when it was taken, in seconds since 1970."""

    host: str
    took_s: float
    at: float | Unknown
    tools: Mapping[str, Mapping[str, Any]]
    parts: Mapping[str, Any]
    _read: dict[str, Any] = field(default_factory=dict, compare=False)

    def read(self, tool: str, parse: Callable[[str], T]) -> T | Unknown:
        """One tool's output, parsed; unknown with the reason where it is missing, ended badly, or is no such output."""
        if tool not in self._read:
            self._read[tool] = self._parsed(tool, parse)
        found: T | Unknown = self._read[tool]
        return found

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """Programs that only play a vendor's tool: what they said is no measurement."""
        played = (
            str(row.get("command", name)).split(" ")[0] for name, row in self.tools.items() if row.get("stand_in")
        )
        return tuple(sorted(set(played)))

    def names(self, prefix: str) -> tuple[str, ...]:
        """Tools whose name begins so: one for each drive, say."""
        return tuple(sorted(name for name in self.tools if name.startswith(prefix)))

    def part(self, *path: str) -> float | Unknown:
        """A number that the probe measured by itself; unknown with the probe's reason."""
        node: Any = self.parts
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        if isinstance(node, int | float) and not isinstance(node, bool) and node == node and abs(node) != float("inf"):
            return float(node)
        return Unknown(node if isinstance(node, str) else f"the probe has no {' '.join(path)}")

    def _parsed(self, tool: str, parse: Callable[[str], T]) -> T | Unknown:
        row = self.tools.get(tool)
        if row is None:
            return Unknown(f"the probe did not ask {tool}")
        command = str(row.get("command", tool)).split(" ")[0]
        if row.get("missing"):
            return Unknown(f"{command} is not installed")
        if row.get("timed_out"):
            return Unknown(f"{command} did not end within {row.get('limit_s', '?')} s")
        if row.get("cut"):
            return Unknown(f"{command} wrote more than the probe keeps")
        out, status = str(row.get("out", "")), row.get("status")
        if status != 0 and (tool not in _SPEAKS_BY_STATUS or not out.strip()):
            said = next(
                (line.strip() for line in (out + "\n" + str(row.get("err", ""))).splitlines() if line.strip()), ""
            )
            return Unknown(f"{command} ended with status {status}" + (f": {said[:100]}" if said else ""))
        try:
            return parse(out)
        except ParseError as wrong:
            return Unknown(str(wrong))


def load(text: str, path: str) -> Evidence:
    """Read a probe's file. Raises FleetyardError FY3100 (exit 65) for anything but one of this version."""
    fix = "run roles/accept again on the node, with the version that this command came with"
    try:
        top = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise error("FY3100", path, f"not a probe: {wrong}", fix) from None
    if not isinstance(top, dict) or top.get("version") != VERSION or not isinstance(top.get("tools"), dict):
        raise error("FY3100", path, f"not a probe of version {VERSION}", fix)
    tools = top["tools"]
    if not all(isinstance(row, dict) for row in tools.values()) or not isinstance(top.get("parts"), dict):
        raise error("FY3100", path, "not a probe: its tools or parts are not objects", fix)
    host, took = top.get("host"), top.get("took_s")
    if not isinstance(host, str) or not host or isinstance(took, bool) or not isinstance(took, int | float):
        raise error("FY3100", path, "a probe without host or duration", fix)
    return Evidence(host, float(took), _when(top.get("at")), tools, top["parts"])


def _when(text: object) -> float | Unknown:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return Unknown("the probe does not say when it was taken")
