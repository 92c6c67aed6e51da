"""nccl-tests (`all_reduce_perf` and its sisters): the table of sizes, times and bandwidths."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError
from fleetyard.catalog import Unknown

TOOL = "nccl-tests"
_TAG = re.compile(r"^\[\d+,\d+\]<std(?:out|err)>:\s?")
_RATE = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_WRONG = rf"N/A|{_RATE}"
_ROW = re.compile(
    rf"\s*(?P<size>\d+)\s+(?P<count>\d+)\s+(?P<type>[a-z]\w*)\s+(?:(?P<op>[a-z]\w*)\s+)?(?:(?P<root>-?\d+)\s+)?"
    rf"(?P<time>{_RATE})\s+(?P<alg>{_RATE})\s+(?P<bus>{_RATE})\s+(?P<wrong>{_WRONG})"
    rf"(?:\s+(?P<time_in>{_RATE})\s+(?P<alg_in>{_RATE})\s+(?P<bus_in>{_RATE})\s+(?P<wrong_in>{_WRONG}))?(?:\s+\d+)?\s*"
)
_RANK = re.compile(
    r"#\s+Rank\s+(?P<rank>\d+)\s+.*?\bPid\s+\d+ on\s+(?P<host>\S+)"
    r" device\s+(?P<device>\d+) \[[^\]]*\] (?P<name>.+)"
)
_AVERAGE = re.compile(r"#\s*Avg bus bandwidth\s*:\s*(?P<rate>\d+(?:\.\d+)?)\s*(?:OK|FAILED)?\s*")
_FAILED = ("Test failure", "Test NCCL failure", "Cuda failure")
_BOUNDS = re.compile(r"#\s*Out of bounds values\s*:\s*(?P<count>\d+)\s*(?P<said>OK|FAILED)\s*")


@dataclass(frozen=True, slots=True)
class Size:
    """One message size: microseconds, algorithm and bus bandwidth in GB/s, out of place; `wrong` values, if checked."""

    bytes: int
    us: float
    algorithm_gb_per_s: float
    bus_gb_per_s: float
    wrong: int | Unknown
    bus_in_place_gb_per_s: float | Unknown


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run: hosts and ranks as listed, sizes, and the tool's own average, which small messages pull down.

    `failure` is the tool's own complaint, empty for none: wrong values, or less bandwidth than it was asked to see.
    """

    hosts: tuple[str, ...]
    ranks: int
    devices: tuple[str, ...]
    sizes: tuple[Size, ...]
    average_gb_per_s: float
    out_of_bounds: int | Unknown
    failure: str

    def best(self, at_least_bytes: int) -> float | Unknown:
        """The highest bus bandwidth of messages of at least that size, GB/s."""
        rates = [each.bus_gb_per_s for each in self.sizes if each.bytes >= at_least_bytes]
        return max(rates) if rates else Unknown(f"no message of {at_least_bytes} bytes or more")


def parse(text: str) -> Run:
    """Read a run. Raises ParseError when it did not reach its average: it was cut, or it failed."""
    ranks: list[tuple[str, str]] = []
    sizes: list[Size] = []
    average: float | None = None
    failure = ""
    bounds: int | Unknown = Unknown("not printed")
    for raw in text.splitlines():
        line = _TAG.sub("", raw)
        rank, row, mean, out = (
            _RANK.match(line),
            _ROW.fullmatch(line),
            _AVERAGE.fullmatch(line),
            _BOUNDS.fullmatch(line),
        )
        if rank:
            if int(rank["rank"]) != len(ranks):
                raise ParseError(TOOL, f"rank {len(ranks)}", line.strip())
            ranks.append((rank["host"], rank["name"].strip()))
        elif row:
            sizes.append(_size(row))
        elif mean:
            average = float(mean["rate"])
        elif out:
            bounds = int(out["count"])
        elif re.match(r"\s*\d+\s+\d+\s+[a-z]", line):
            raise ParseError(TOOL, "size, count, type, times and bandwidths", line.strip())
        elif any(word in line for word in _FAILED):
            failure = line.strip()
    if average is None or not sizes:
        raise ParseError(TOOL, "the average bus bandwidth at the end", text.strip()[-60:] or "nothing")
    if not text.rstrip("\n").rstrip().endswith("#") and not re.search(r"Avg bus bandwidth.*\n", text):
        raise ParseError(TOOL, "a newline after the average", text.rstrip()[-60:])
    hosts = tuple(dict.fromkeys(host for host, _ in ranks))
    return Run(
        hosts, len(ranks), tuple(dict.fromkeys(name for _, name in ranks)), tuple(sizes), average, bounds, failure
    )


def _size(row: re.Match[str]) -> Size:
    def wrong(text: str | None) -> int | Unknown:
        return Unknown("N/A") if text in (None, "N/A") else int(float(text or 0))

    halves = [wrong(row["wrong"]), wrong(row["wrong_in"])]
    counted = [half for half in halves if not isinstance(half, Unknown)]
    return Size(
        int(row["size"]),
        float(row["time"]),
        float(row["alg"]),
        float(row["bus"]),
        sum(counted) if counted else Unknown("not checked"),
        float(row["bus_in"]) if row["bus_in"] else Unknown("not run in place"),
    )
