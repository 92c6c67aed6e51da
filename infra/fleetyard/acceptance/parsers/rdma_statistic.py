"""Counters of RDMA ports: `rdma statistic show`, or lines `PATH:VALUE` of the files under /sys/class/infiniband."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fleetyard.acceptance.parsers.reading import ParseError, whole_lines

TOOL = "rdma statistic"
_LINE = re.compile(r"link (?P<port>\S+/\d+)\s+(?P<rest>.+)")
_NAME = re.compile(r"[a-zA-Z][\w.]*")
_FILE = re.compile(
    r"(?:/sys/class/infiniband/)?(?P<dev>[^/]+)/ports/(?P<port>\d+)/(?:hw_)?counters/(?P<name>\w+):(?P<value>.*)"
)

Counters = Mapping[str, Mapping[str, int]]
"""Port (`rdmap16s27/1`) to counter to value."""

ERRORS: Mapping[str, str] = {
    "rdma_read_wr_err": "RDMA reads that ended in an error",
    "rdma_write_wr_err": "RDMA writes that ended in an error",
    "unresponsive_remote_events": "peers that did not answer any more",
    "impaired_remote_conn_events": "connections to peers that ran impaired",
    "retrans_timeout_events": "retransmissions after a time-out",
    "rx_drops": "packets dropped at arrival",
    "local_ack_timeout_err": "acknowledgements that did not come",
    "packet_seq_err": "packets out of sequence",
    "link_downed": "times that the link went down",
    "symbol_error": "symbols that did not decode",
}
"""Counters of EFA and mlx5 that count trouble."""


def parse(text: str) -> Counters:
    """Read all ports. Raises ParseError for a counter without value and for a cut last line."""
    found: dict[str, dict[str, int]] = {}
    for line in whole_lines(TOOL, text, "link DEVICE/PORT and its counters"):
        if not line.strip():
            continue
        one, file = _LINE.fullmatch(line.strip()), _FILE.fullmatch(line.strip())
        if one:
            words = one["rest"].split()
            if len(words) % 2:
                raise ParseError(TOOL, "a value for each counter", words[-1])
            row = found.setdefault(one["port"], {})
            row.update(_pair(*pair) for pair in zip(words[::2], words[1::2], strict=True))
        elif file:
            row = found.setdefault(f"{file['dev']}/{file['port']}", {})
            row.update([_pair(file["name"], file["value"])])
        elif found and re.fullmatch(r"\s+.*", line):
            words = line.split()
            row = found[next(reversed(found))]
            if len(words) % 2:
                raise ParseError(TOOL, "a value for each counter", words[-1])
            row.update(_pair(*pair) for pair in zip(words[::2], words[1::2], strict=True))
        else:
            raise ParseError(TOOL, "link DEVICE/PORT and its counters", line.strip())
    return found


def _pair(name: str, value: str) -> tuple[str, int]:
    if not _NAME.fullmatch(name) or not re.fullmatch(r"\d+", value.strip()):
        raise ParseError(TOOL, f"a count of {name}", value)
    return name, int(value)
