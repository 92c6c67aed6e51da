"""The smallest shared library: it has a name that ldconfig and the loader find, and nothing in it."""

from __future__ import annotations

import struct

MACHINES = {"x86_64": 62, "aarch64": 183}
_BASE = 0x40 + 2 * 0x38


def shared_library(soname: str, machine: str = "x86_64") -> bytes:
    """An ELF file of type DYN without symbols. Source: System V ABI, chapters 4 and 5."""
    names = b"\0" + soname.encode() + b"\0"
    strings = _BASE
    symbols = (strings + len(names) + 7) & ~7
    table = symbols + 24
    dynamic = (table + 20 + 7) & ~7
    rows = [(14, 1), (5, strings), (10, len(names)), (6, symbols), (11, 24), (4, table), (0, 0)]
    size = dynamic + 16 * len(rows)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    head = struct.pack("<16sHHIQQQIHHHHHH", ident, 3, MACHINES[machine], 1, 0, 0x40, 0, 0, 0x40, 0x38, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 6, 0, 0, 0, size, size, 0x1000)
    where = struct.pack("<IIQQQQQQ", 2, 6, dynamic, dynamic, dynamic, 16 * len(rows), 16 * len(rows), 8)
    body = bytearray(size)
    body[0:0x40] = head
    body[0x40:_BASE] = load + where
    body[strings : strings + len(names)] = names
    # One chain, one symbol: the empty one.
    body[table : table + 20] = struct.pack("<5I", 1, 1, 0, 0, 0)
    for place, row in enumerate(rows):
        body[dynamic + 16 * place : dynamic + 16 * place + 16] = struct.pack("<QQ", *row)
    return bytes(body)
