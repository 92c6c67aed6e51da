"""`neuron-ls --json-output`: Trainium and Inferentia devices."""

from __future__ import annotations

from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError, field_number, json_in, objects
from fleetyard.catalog import Unknown, known

TOOL = "neuron-ls"


@dataclass(frozen=True, slots=True)
class Device:
    """One chip: cores, memory in MiB, and whether a process holds it."""

    index: int
    bus: str
    cores: int | Unknown
    memory_mib: float | Unknown
    neighbours: tuple[int, ...]
    busy: bool


def parse(text: str) -> tuple[Device, ...]:
    """Read all devices. Raises ParseError for anything but a whole array."""
    found = []
    for row in objects(TOOL, json_in(TOOL, text, "a JSON array"), "devices"):
        index, cores, size = (field_number(TOOL, row, key) for key in ("neuron_device", "nc_count", "memory_size"))
        if not known(index):
            raise ParseError(TOOL, "neuron_device", repr(row)[:60])
        linked = row.get("connected_to") or []
        if not isinstance(linked, list):
            raise ParseError(TOOL, "connected_to as an array", repr(linked))
        held = row.get("neuron_processes") or []
        found.append(
            Device(
                int(index),
                str(row.get("bdf", "")),
                cores if isinstance(cores, Unknown) else int(cores),
                size / 2**20 if known(size) else size,
                tuple(int(each) for each in linked if isinstance(each, int)),
                bool(held),
            )
        )
    if len({each.index for each in found}) != len(found):
        raise ParseError(TOOL, "every device once", ", ".join(str(each.index) for each in found))
    return tuple(sorted(found, key=lambda each: each.index))
