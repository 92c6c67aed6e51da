"""`lsblk -J -b`: block devices with their sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fleetyard.acceptance.parsers.reading import ParseError, field_number, field_text, json_in, mapping, objects
from fleetyard.catalog import Unknown

TOOL = "lsblk -J -b"


@dataclass(frozen=True, slots=True)
class Block:
    """One block device; bytes are unknown where lsblk was asked for readable sizes."""

    name: str
    kind: str
    bytes: float | Unknown
    model: str
    mounts: tuple[str, ...]


def parse(text: str) -> tuple[Block, ...]:
    """Read all devices, those below others too. Raises ParseError for anything but a whole document."""
    top = mapping(TOOL, json_in(TOOL, text, "a JSON document"), "the document")
    if "blockdevices" not in top:
        raise ParseError(TOOL, "blockdevices", ", ".join(map(str, top)))
    return tuple(_blocks(top["blockdevices"]))


def _blocks(rows: Any) -> Iterator[Block]:
    for row in objects(TOOL, rows, "block devices"):
        size = row.get("size")
        readable = isinstance(size, str) and not size.isdigit()
        held = Unknown(f"{size} is rounded; lsblk -b gives bytes") if readable else field_number(TOOL, row, "size")
        mounts = row.get("mountpoints", [row.get("mountpoint")])
        mounts = mounts if isinstance(mounts, list) else [mounts]
        yield Block(
            field_text(TOOL, row, "name").removeprefix("/dev/"),
            field_text(TOOL, row, "type") if "type" in row else "unknown",
            held,
            str(row.get("model") or "").strip(),
            tuple(str(each) for each in mounts if each),
        )
        yield from _blocks(row.get("children") or [])
