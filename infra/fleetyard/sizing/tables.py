"""The files of the batch prediction: comma-separated rows in, comma-separated rows out, in the same order."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from fleetyard.findings import Exit, error

Row = dict[str, str | None]

LONGEST_CELL = 2**26
"""Characters of a cell: one long remark does not make the rows beside it unusable."""


def read_table(path: Path) -> list[Row]:
    """Rows of a comma-separated file by column, names lower-cased and without space.

    Raises FleetyardError (exit 65) for a file that is missing, not text, empty, or without a column `id`.
    """
    csv.field_size_limit(LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            names = [name.strip().lower() for name in next(reader, [])]
            if "id" not in names:
                raise error("FY1631", path.name, "has no column `id` in its first line", "add a header line with `id`")
            return [dict(_cells(names, line)) for line in reader if line]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise error("FY1630", path.name, f"cannot be read: {reason}", "a comma-separated file in UTF-8") from None


def _cells(names: Sequence[str], line: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    for index, name in enumerate(names):
        yield name, line[index] if index < len(line) else None


def write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table, whole or not at all. Raises FleetyardError (exit 77) where writing is not allowed."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows(rows)
        os.replace(part, path)
    except OSError as problem:
        message = f"cannot be written: {problem.strerror or problem}"
        raise error("FY1632", path.name, message, "name a file in a folder that is writable", Exit.PERMISSION) from None


def digits(value: float) -> str:
    """A number with six significant digits."""
    return f"{value:.6g}"
