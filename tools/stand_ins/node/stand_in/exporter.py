"""dcgm-exporter: the fields of its file of counters, in Prometheus' format, from what the node plays."""

from __future__ import annotations

import csv
import signal
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stand_in import smi
from stand_in.daemons import ready
from stand_in.node import NOTE, Node, bus, uuid

THERMAL_BIT = 0x40
"""Of the clocks' event reasons: hardware slows down for heat. Source: NVML, nvmlClocksEventReasonHwThermalSlowdown."""


def _memory(node: Node, index: int) -> int:
    return int(node.fault("memory_mib", index) or node.fact("memory_mib", 0))


FIELDS: dict[str, Callable[[Node, int], float]] = {
    "DCGM_FI_DEV_SM_CLOCK": lambda node, index: float(node.fact("sm_mhz", 0)) / 4,
    "DCGM_FI_DEV_GPU_TEMP": lambda node, index: 93 if node.fault("thermal", index) else 31 + index,
    "DCGM_FI_DEV_POWER_USAGE": lambda node, index: float(node.fact("watts", 0)) / 8,
    "DCGM_FI_DEV_GPU_UTIL": lambda node, index: 0,
    "DCGM_FI_DEV_FB_USED": lambda node, index: 0,
    "DCGM_FI_DEV_FB_FREE": _memory,
    "DCGM_FI_DEV_XID_ERRORS": lambda node, index: int((node.settings().get("xid") or {}).get(str(index), 0)),
    "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL": lambda node, index: int(node.fault("ecc_correctable", index)),
    "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": lambda node, index: int(node.fault("ecc_uncorrectable", index)),
    "DCGM_FI_DEV_ROW_REMAP_FAILURE": lambda node, index: int(bool(node.fault("remap_failed", index))),
    "DCGM_FI_DEV_ROW_REMAP_PENDING": lambda node, index: int(bool(node.fault("remap_pending", index))),
    "DCGM_FI_DEV_CLOCKS_EVENT_REASONS": lambda node, index: THERMAL_BIT if node.fault("thermal", index) else 0,
    "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL": lambda node, index: 0,
    "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": lambda node, index: 0,
}


def page(counters: str, host: str) -> str:
    """What is answered: of each field that the file names and this stand-in knows, one line a GPU."""
    node = Node()
    driver = smi.driver(node)
    lines = [f"# {NOTE}"]
    with open(counters) as file:
        rows = [
            [word.strip() for word in row] for row in csv.reader(file) if row and not row[0].lstrip().startswith("#")
        ]
    for name, kind, about in rows:
        if name not in FIELDS:
            continue
        lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
        for index in node.gpus():
            labels = (
                f'gpu="{index}",UUID="{uuid(index)}",pci_bus_id="{bus(index)}",device="nvidia{index}",'
                f'modelName="{node.fact("product")}",Hostname="{host}",DCGM_FI_DRIVER_VERSION="{driver}"'
            )
            lines.append(f"{name}{{{labels}}} {FIELDS[name](node, index):g}")
    return "\n".join(lines) + "\n"


def run(node: Node, arguments: list[str]) -> int:
    """The daemon: `-f` file of counters, `-a` address, `-r` host engine."""
    if "--version" in arguments or "-v" in arguments:
        print(f"DCGM Exporter version {node.version('dcgm-exporter')} ({NOTE})")
        return 0
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    counters = options.get("-f", "/etc/dcgm-exporter/default-counters.csv")
    where, _, port = options.get("-a", ":9400").rpartition(":")
    if not (node.root / "run/fleetyard-stand-in/hostengine").exists():
        print(
            f'level=fatal msg="Error connecting to nv-hostengine: Host engine connection invalid" ({NOTE})',
            file=sys.stderr,
        )
        return 1
    host = socket.gethostname()
    page(counters, host)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, body = (200, page(counters, host)) if self.path == "/metrics" else (404, "")
            except smi.Refused as refused:
                status, body = 500, str(refused)
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Not every question."""

    return serve(ThreadingHTTPServer((where, int(port)), Handler), "dcgm-exporter")


def serve(server: ThreadingHTTPServer, title: str) -> int:
    """Answer until the end is asked for."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    ready(f"{title} on {server.server_address[0]!s}:{server.server_address[1]}")
    server.serve_forever()
    return 0
