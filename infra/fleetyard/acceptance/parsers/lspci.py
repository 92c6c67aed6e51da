"""`lspci -vv` (with -D or without): width and speed of every PCI Express link."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError, whole_lines
from fleetyard.catalog import Unknown

TOOL = "lspci -vv"
_DEVICE = re.compile(r"(?P<address>(?:[0-9a-f]{4,}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) (?P<kind>[^:]+): (?P<name>.+)")
_LINK = re.compile(
    r"\s+(?P<which>LnkCap|LnkSta):\s.*?Speed (?P<speed>unknown|[\d.]+ ?GT/s)[^,]*, Width x(?P<width>\d+)\b.*"
)
_GENERATION = {2.5: 1, 5.0: 2, 8.0: 3, 16.0: 4, 32.0: 5, 64.0: 6}
"""GT/s of a lane to the generation of PCI Express."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link could do and does: generation and lanes."""

    generation: int | Unknown
    width: int


@dataclass(frozen=True, slots=True)
class Device:
    """One PCI device; its links are None where lspci shows none (no PCI Express, or not run as root)."""

    address: str
    kind: str
    name: str
    can: Link | None
    does: Link | None

    @property
    def degraded(self) -> bool | Unknown:
        """Whether the link runs narrower than the device could. Speed is left out: idle links slow down."""
        if self.can is None or self.does is None:
            return Unknown("lspci shows no link (run it as root)")
        return self.does.width < self.can.width


def parse(text: str) -> tuple[Device, ...]:
    """Read all devices. Raises ParseError for text without devices and for a link line of another form."""
    found: list[Device] = []
    for line in whole_lines(TOOL, text, "devices by their addresses"):
        device, link = _DEVICE.fullmatch(line.rstrip()), _LINK.fullmatch(line)
        if device:
            found.append(Device(device["address"], device["kind"], device["name"], None, None))
        elif link and found:
            last = found[-1]
            here = Link(_generation(link["speed"]), int(link["width"]))
            can, does = (here, last.does) if link["which"] == "LnkCap" else (last.can, here)
            found[-1] = Device(last.address, last.kind, last.name, can, does)
        elif re.match(r"\s+Lnk(Cap|Sta):", line):
            raise ParseError(TOOL, "speed and width of a link", line.strip())
        elif line.strip() and not line.startswith((" ", "\t", "lspci:", "pcilib:")):
            raise ParseError(TOOL, "a device by its address", line.strip())
    if not found:
        raise ParseError(TOOL, "at least one device", text.strip())
    return tuple(found)


def _generation(speed: str) -> int | Unknown:
    if speed == "unknown":
        return Unknown("lspci does not know the speed")
    rate = float(speed.removesuffix("GT/s").strip())
    if rate not in _GENERATION:
        raise ParseError(TOOL, "a speed of PCI Express", speed)
    return _GENERATION[rate]
