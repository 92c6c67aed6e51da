"""`nvidia-smi --query-gpu=... --format=csv`: a header of fields, then one row for each GPU."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError, number, whole_lines
from fleetyard.catalog import Unknown

TOOL = "nvidia-smi --query-gpu"
_HEAD = re.compile(r"(?P<field>[a-z][a-z0-9_.]*)(?: \[(?P<unit>[^\]]+)\])?")


@dataclass(frozen=True, slots=True)
class Row:
    """One GPU: field names as asked for, values as written, units as the header gives them."""

    values: dict[str, str]
    units: dict[str, str]

    def number(self, field: str) -> float | Unknown:
        """A field as a number, in the unit of the header. Raises ParseError for a value that is no number."""
        if field not in self.values:
            return Unknown(f"{field} was not asked for")
        text, unit = self.values[field], self.units.get(field, "")
        return number(TOOL, field, text, unit if unit and text.endswith(f" {unit}") else "")


def parse(text: str) -> tuple[Row, ...]:
    """Read header and rows. Raises ParseError for rows of another length, a cut last row, or no header."""
    lines = whole_lines(TOOL, text, "a header and one row for each GPU")
    head = [_HEAD.fullmatch(cell.strip()) for cell in lines[0].split(",")]
    if not all(head):
        raise ParseError(TOOL, "a header of field names", lines[0])
    names = [match["field"] for match in head if match]
    units = {match["field"]: match["unit"] for match in head if match and match["unit"]}
    rows = []
    for cells in csv.reader(lines[1:], skipinitialspace=True):
        if len(cells) != len(names):
            raise ParseError(TOOL, f"{len(names)} values in a row", ", ".join(cells))
        rows.append(Row(dict(zip(names, (cell.strip() for cell in cells), strict=True)), units))
    if not rows:
        raise ParseError(TOOL, "at least one row", "a header alone")
    return tuple(rows)
