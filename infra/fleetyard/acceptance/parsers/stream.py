"""STREAM (5.10): memory bandwidth of the host by kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError

TOOL = "STREAM"
_ROW = re.compile(r"(?P<kernel>Copy|Scale|Add|Triad):\s+(?P<rate>\d+\.\d+)\s+\d+\.\d+\s+\d+\.\d+\s+\d+\.\d+\s*")


@dataclass(frozen=True, slots=True)
class Stream:
    """Best rates in decimal GB/s, bytes read plus bytes written as STREAM counts them."""

    copy: float
    scale: float
    add: float
    triad: float


def parse(text: str) -> Stream:
    """Read the four rates. Raises ParseError unless all are there and the run says that its results validate."""
    rates = {
        row["kernel"].lower(): float(row["rate"]) / 1e3 for line in text.splitlines() if (row := _ROW.fullmatch(line))
    }
    if len(rates) != 4:
        raise ParseError(
            TOOL, "rates of Copy, Scale, Add and Triad", ", ".join(rates) or text.strip()[:60] or "nothing"
        )
    if "Solution Validates" not in text:
        raise ParseError(TOOL, "Solution Validates", text.strip().splitlines()[-1])
    return Stream(**rates)
