#!/usr/bin/python3
"""Counters of EFA devices, in Prometheus' text format: efa_metrics.py SYSFS FILE.

Every number in ports/*/hw_counters of a device becomes node_amazonefa_NAME{device, port}. Devices of other drivers are
left out. Standard library alone.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

PREFIX = "node_amazonefa_"
SPAN = {"lifespan"}
"""What is no counter: how long the kernel keeps an answer, in ms."""


def is_efa(device: Path) -> bool:
    """By its driver; a device whose driver cannot be read, by a counter that only EFA has."""
    with suppress(OSError):
        return (device / "device" / "driver").resolve(strict=True).name == "efa"
    return any(device.glob("ports/*/hw_counters/rdma_read_wrs"))


def counters(sysfs: Path) -> dict[str, dict[tuple[str, str], int]]:
    """By counter, by device and port. What cannot be read is left out: a driver may be going away."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    for device in sorted(path for path in sysfs.glob("*") if is_efa(path)):
        for path in sorted(device.glob("ports/*/hw_counters/*")):
            with suppress(OSError, ValueError):
                found.setdefault(path.name, {})[device.name, path.parents[1].name] = int(path.read_text())
    return found


def page(sysfs: Path) -> str:
    """The metrics. Without a device: that there is none."""
    rows = counters(sysfs)
    devices = sorted({place for values in rows.values() for place in values})
    lines = ["# HELP fleetyard_efa_devices EFA devices that the kernel has.", "# TYPE fleetyard_efa_devices gauge"]
    lines.append(f"fleetyard_efa_devices {len({device for device, _ in devices})}")
    for name, values in sorted(rows.items()):
        kind = "gauge" if name in SPAN else "counter"
        lines += [f"# HELP {PREFIX}{name} EFA's hardware counter {name}.", f"# TYPE {PREFIX}{name} {kind}"]
        lines += [f'{PREFIX}{name}{{device="{place[0]}",port="{place[1]}"}} {value}' for place, value in values.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(page(Path(sys.argv[1])))
