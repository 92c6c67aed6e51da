"""TPU chips by their device nodes: /dev/accel0 ... (v2 to v4), /dev/vfio/0 ... (v5e and newer)."""

from __future__ import annotations

import re

from fleetyard.acceptance.parsers.reading import ParseError, whole_lines

TOOL = "device nodes"
_ACCEL = re.compile(r"/dev/accel(?:/accel)?(?P<index>\d+)")
_VFIO = re.compile(r"/dev/vfio/(?P<index>\d+)")


def parse(text: str) -> tuple[str, ...]:
    """Chips' nodes, one a line, in order of their numbers. /dev/vfio/vfio is the container, not a chip.

    Raises ParseError for a line that is no such path. A host without chips lists /dev/vfio/vfio alone, or nothing with
    the line `none`.
    """
    accel, vfio = [], []
    for line in whole_lines(TOOL, text, "/dev/accel* and /dev/vfio/*, or none"):
        path = line.strip()
        one, other = _ACCEL.fullmatch(path), _VFIO.fullmatch(path)
        if one:
            accel.append((int(one["index"]), path))
        elif other:
            vfio.append((int(other["index"]), path))
        elif path not in ("/dev/vfio/vfio", "/dev/vfio/devices", "none", ""):
            raise ParseError(TOOL, "/dev/accelN or /dev/vfio/N", path)
    return tuple(path for _, path in sorted(accel or vfio))
