"""`ibv_devinfo`: RDMA devices, EFA among them, with the state of their ports."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError, whole_lines

TOOL = "ibv_devinfo"
_FIELD = re.compile(r"\s*(?P<key>[a-z_]+):\s+(?P<value>\S.*)")
AMAZON = "0x1d0f"


@dataclass(frozen=True, slots=True)
class Device:
    """One device: `states` are its ports' (PORT_ACTIVE, PORT_DOWN ...); `vendor` is the PCI vendor id."""

    name: str
    transport: str
    firmware: str
    vendor: str
    states: tuple[str, ...]
    layers: tuple[str, ...]

    @property
    def efa(self) -> bool:
        """Whether Amazon made it."""
        return self.vendor.lower() == AMAZON

    @property
    def up(self) -> bool:
        """Whether every port is active."""
        return bool(self.states) and all(state == "PORT_ACTIVE" for state in self.states)


def parse(text: str) -> tuple[Device, ...]:
    """Read all devices. Raises ParseError for one whose ports are fewer than it says or lack state or link layer."""
    lines = whole_lines(TOOL, text, "hca_id: ... and its fields")
    blocks: list[list[tuple[str, str]]] = []
    for line in lines:
        pair = _FIELD.fullmatch(line.rstrip())
        if pair is None:
            if line.strip() and not blocks:
                raise ParseError(TOOL, "hca_id", line.strip())
            if ":" in line and line.strip():
                raise ParseError(TOOL, "a field and its value", line.strip())
            continue  # flags of `-v`, one a line
        if pair["key"] == "hca_id":
            blocks.append([])
        elif not blocks:
            raise ParseError(TOOL, "hca_id", line.strip())
        blocks[-1].append((pair["key"], pair["value"].strip()))
    if not blocks:
        raise ParseError(TOOL, "at least one hca_id", text.strip())
    return tuple(_device(block) for block in blocks)


def _device(block: list[tuple[str, str]]) -> Device:
    about = dict(reversed(block))
    name = about["hca_id"]
    states = tuple(value.split(" ")[0] for key, value in block if key == "state")
    layers = tuple(value for key, value in block if key == "link_layer")
    for key in ("transport", "vendor_id", "phys_port_cnt"):
        if key not in about:
            raise ParseError(TOOL, f"{key} of {name}", "nothing")
    if not re.fullmatch(r"0x[0-9a-fA-F]{4}", about["vendor_id"]):
        raise ParseError(TOOL, f"vendor_id of {name}", about["vendor_id"])
    if not states or about["phys_port_cnt"] != str(len(states)) or len(layers) != len(states):
        raise ParseError(TOOL, f"state and link layer of {about['phys_port_cnt']} ports of {name}", f"{len(layers)}")
    return Device(name, about["transport"].split(" ")[0], about.get("fw_ver", ""), about["vendor_id"], states, layers)
