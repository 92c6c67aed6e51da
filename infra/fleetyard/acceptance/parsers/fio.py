"""`fio --output-format=json` (fio 2 and 3): bytes a second that jobs read and wrote."""

from __future__ import annotations

from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError, field_number, field_text, json_in, mapping, objects
from fleetyard.catalog import Unknown, known

TOOL = "fio"


@dataclass(frozen=True, slots=True)
class Job:
    """One job: rates in decimal GB/s; `error` is fio's own, 0 for none."""

    name: str
    error: int
    read_gb_per_s: float | Unknown
    write_gb_per_s: float | Unknown


def parse(text: str) -> tuple[Job, ...]:
    """Read all jobs. Raises ParseError for anything but a whole document with jobs."""
    top = mapping(TOOL, json_in(TOOL, text, "a JSON document"), "the document")
    jobs = tuple(
        Job(field_text(TOOL, row, "jobname"), _error(row.get("error")), _rate(row.get("read")), _rate(row.get("write")))
        for row in objects(TOOL, top.get("jobs"), "jobs")
    )
    if not jobs:
        raise ParseError(TOOL, "at least one job", "none")
    return jobs


def _error(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ParseError(TOOL, "an error number", repr(value))
    return value


def _rate(half: object) -> float | Unknown:
    row = mapping(TOOL, half, "read or write")
    exact = field_number(TOOL, row, "bw_bytes")
    if known(exact):
        return exact / 1e9
    rounded = field_number(TOOL, row, "bw")  # KiB/s, the only one that fio 2 has
    return rounded * 1024 / 1e9 if known(rounded) else rounded
