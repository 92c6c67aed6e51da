"""`dcgmi health -c`: the report of the health watches, as a table or as JSON (`-j`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleetyard.acceptance.parsers.reading import ParseError, json_in, mapping

TOOL = "dcgmi health -c"
_STATES = {"healthy": "healthy", "warning": "warning", "failure": "failure"}
_CELL = re.compile(r"\|(?P<key>[^|]*)\|(?P<value>[^|]*)\|")


@dataclass(frozen=True, slots=True)
class Health:
    """`overall` is `healthy`, `warning` or `failure`; incidents are what the report says besides, line by line."""

    overall: str
    incidents: tuple[str, ...]


def parse(text: str) -> Health:
    """Read either form. Raises ParseError for watches that are off, an unknown state, or a cut table."""
    if text.lstrip().startswith("{"):
        return _json(mapping(TOOL, json_in(TOOL, text, "a JSON document"), "the report"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    borders = [line for line in lines if re.fullmatch(r"\+[-=+]+\+", line)]
    if "Health Monitor Report" not in text or not borders:
        raise ParseError(TOOL, "a Health Monitor Report", text.strip() or "nothing")
    if lines[-1] not in borders or len(lines[-1]) != len(borders[0]):
        raise ParseError(TOOL, "the table's last line", lines[-1])
    overall, incidents = "", []
    for line in lines:
        cell = _CELL.fullmatch(line)
        if cell is None:
            continue
        key, value = cell["key"].strip(), cell["value"].strip()
        if key == "Overall Health":
            overall = value
        elif value:
            incidents.append(f"{key.strip('-> ')}: {value}" if key.strip("-> ") else value)
    return Health(_state(overall), tuple(incidents))


def _state(text: str) -> str:
    found = _STATES.get(text.strip().lower())
    if found is None:
        raise ParseError(TOOL, "Overall Health as Healthy, Warning or Failure", text or "nothing")
    return found


def _json(document: Mapping[str, Any]) -> Health:
    body = mapping(TOOL, document.get("body"), "the body")
    overall = mapping(TOOL, body.get("Overall Health"), "Overall Health")
    incidents: list[str] = []

    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("value"), str):
                incidents.append(f"{path}: {node['value']}")
            for key, each in node.items():
                if key != "value":
                    walk(each, f"{path} {key}".strip() if key != "children" else path)

    for key, each in body.items():
        if key != "Overall Health":
            walk(each, str(key))
    return Health(_state(str(overall.get("value", ""))), tuple(incidents))
