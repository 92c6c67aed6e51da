"""The probe's own measurement on accelerators: a line of JSON for each device (`probe.py gemm`)."""

from __future__ import annotations

from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import (
    ParseError,
    field_number,
    field_text,
    json_in,
    mapping,
    whole_lines,
)
from fleetyard.catalog import Unknown, known

TOOL = "probe.py gemm"


@dataclass(frozen=True, slots=True)
class Gemm:
    """One device: matrix multiplication in TFLOPS, and a copy within its memory in GB/s (bytes read plus written)."""

    device: int
    dtype: str
    tflops: float
    copy_gb_per_s: float | Unknown


def parse(text: str) -> tuple[Gemm, ...]:
    """Read all devices. Raises ParseError for a line of another form, and for no line at all."""
    found = []
    for line in whole_lines(TOOL, text, "a line of JSON for each device"):
        row = mapping(TOOL, json_in(TOOL, line, "a JSON object"), "a device")
        if "error" in row:
            raise ParseError(TOOL, "a measurement", str(row["error"]))
        device, tflops = field_number(TOOL, row, "device"), field_number(TOOL, row, "tflops")
        if not known(device) or not known(tflops) or tflops <= 0:
            raise ParseError(TOOL, "device and a positive rate", line.strip())
        found.append(
            Gemm(int(device), field_text(TOOL, row, "dtype"), tflops, field_number(TOOL, row, "copy_gb_per_s"))
        )
    return tuple(found)
