"""`ibstat`: InfiniBand and RoCE adapters with the state and rate of their ports."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError, whole_lines

TOOL = "ibstat"
_CA = re.compile(r"CA '(?P<name>[^']+)'")
_PORT = re.compile(r"\s*Port (?P<port>\d+):")
_FIELD = re.compile(r"\s*(?P<key>[A-Z][\w ]+):\s*(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Port:
    """One port: `state` as Active, Down ..., `physical` as LinkUp, Disabled ..., rate in Gbps."""

    adapter: str
    kind: str
    port: int
    state: str
    physical: str
    gbps: float
    layer: str

    @property
    def up(self) -> bool:
        """Whether it carries traffic."""
        return self.state == "Active" and self.physical == "LinkUp"


def parse(text: str) -> tuple[Port, ...]:
    """Read all ports. Raises ParseError for fewer ports than an adapter has, or one without state or rate."""
    adapters: list[tuple[str, dict[str, str], list[dict[str, str]]]] = []
    for line in whole_lines(TOOL, text, "CA '...' and its ports"):
        if line.startswith("ibwarn:") or not line.strip():
            continue
        ca, port, pair = _CA.fullmatch(line.strip()), _PORT.fullmatch(line.rstrip()), _FIELD.fullmatch(line.rstrip())
        if ca:
            adapters.append((ca["name"], {}, []))
        elif port and adapters:
            adapters[-1][2].append({"Port": port["port"]})
        elif pair and adapters:
            (adapters[-1][2][-1] if adapters[-1][2] else adapters[-1][1])[pair["key"]] = pair["value"].strip()
        else:
            raise ParseError(TOOL, "CA '...', a port or one of their fields", line.strip())
    if not adapters:
        raise ParseError(TOOL, "at least one adapter", text.strip())
    return tuple(_port(name, about, row) for name, about, ports in adapters for row in _all(name, about, ports))


def _all(name: str, about: dict[str, str], ports: list[dict[str, str]]) -> list[dict[str, str]]:
    if about.get("Number of ports") != str(len(ports)):
        raise ParseError(TOOL, f"{about.get('Number of ports', 'a number of')} ports of {name}", f"{len(ports)}")
    return ports


def _port(adapter: str, about: dict[str, str], row: dict[str, str]) -> Port:
    for key in ("State", "Physical state", "Rate", "Link layer"):
        if not row.get(key):
            raise ParseError(TOOL, f"{key} of {adapter} port {row['Port']}", "nothing")
    if not re.fullmatch(r"\d+(\.\d+)?", row["Rate"]):
        raise ParseError(TOOL, f"the rate of {adapter} in Gbps", row["Rate"])
    kind = about.get("CA type", "")
    layer = row["Link layer"]
    return Port(adapter, kind, int(row["Port"]), row["State"], row["Physical state"], float(row["Rate"]), layer)
