"""`nvidia-smi topo -m`: how GPUs and network cards of one machine reach each other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError, whole_lines

TOOL = "nvidia-smi topo -m"
_PATH = re.compile(r"X|SYS|NODE|PHB|PXB|PIX|NV\d+|NS|N/A")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Topology:
    """`paths[a][b]`: the connection from device a to b in nvidia-smi's words (NV18, PIX, NODE, SYS ...)."""

    devices: tuple[str, ...]
    paths: dict[str, dict[str, str]]

    @property
    def gpus(self) -> tuple[str, ...]:
        """The GPUs among the devices."""
        return tuple(name for name in self.devices if name.startswith("GPU"))

    def pairs_without_nvlink(self) -> tuple[tuple[str, str], ...]:
        """Pairs of GPUs that do not meet over NVLink."""
        gpus = self.gpus
        return tuple((a, b) for i, a in enumerate(gpus) for b in gpus[i + 1 :] if not self.paths[a][b].startswith("NV"))


def parse(text: str) -> Topology:
    """Read the matrix. Raises ParseError when it is not square, not symmetric, or ends before its legend."""
    lines = whole_lines(TOOL, _ESCAPE.sub("", text), "a matrix and its legend")
    if not any(line.startswith("Legend") for line in lines):
        raise ParseError(TOOL, "a legend after the matrix", lines[-1])
    head = next(
        (i for i, line in enumerate(lines) if line.split()[:1] == ["GPU0"] and "X" not in line.split()[:2]), None
    )
    if head is None:
        raise ParseError(TOOL, "a header that begins with GPU0", lines[0])
    devices = []
    for word in lines[head].split():
        if word == "CPU":
            break
        devices.append(word)
    paths: dict[str, dict[str, str]] = {}
    for line in lines[head + 1 :]:
        cells = line.split()
        if not cells or line.startswith("Legend"):
            break
        name, row = cells[0], cells[1 : len(devices) + 1]
        if name not in devices or len(row) != len(devices) or not all(_PATH.fullmatch(cell) for cell in row):
            raise ParseError(TOOL, f"{len(devices)} connections of one of {', '.join(devices)}", line.strip())
        paths[name] = dict(zip(devices, row, strict=True))
    if set(paths) != set(devices):
        raise ParseError(TOOL, f"a row for each of {', '.join(devices)}", ", ".join(paths))
    for a in devices:
        if paths[a][a] != "X" or any(paths[a][b] != paths[b][a] for b in devices):
            raise ParseError(TOOL, "a symmetric matrix", a)
    return Topology(tuple(devices), paths)
