"""fleetyard-stand-in: shows what was recorded, plants faults and takes them away.

fleetyard-stand-in calls
fleetyard-stand-in plant '{"missing": [3], "ecc_uncorrectable": {"2": 1}}'
fleetyard-stand-in xid 79 GPU
fleetyard-stand-in bucket NAME
fleetyard-stand-in clear
"""

from __future__ import annotations

import json
import subprocess

from stand_in.buckets import AT
from stand_in.node import NOTE, Node, bus

KNOWN = {
    "missing": "GPUs or chips that do not answer: [index, ...]",
    "ecc_uncorrectable": "uncorrectable errors since boot: {index: count}",
    "ecc_correctable": "corrected errors since boot: {index: count}",
    "ecc_off": "GPUs with ECC off: [index, ...]",
    "remap_pending": "GPUs that wait for a row remap: [index, ...]",
    "remap_failed": "GPUs whose row remap failed: [index, ...]",
    "nvlink_down": "links that are down: {index: [link, ...]}",
    "pcie_width": "lanes: {index: width}",
    "memory_mib": "memory that is reported: {index: MiB}",
    "thermal": "GPUs that are too hot: [index, ...]",
    "driver_version": "what the driver says instead of its version",
    "efa_missing": "EFA devices that are lost: [index, ...]",
    "rdma_down": "RDMA ports that are down: [index, ...]",
}


def run(node: Node, arguments: list[str]) -> int:
    """The program."""
    verb = arguments[0] if arguments else ""
    path = node.root / "etc/fleetyard/stand-in.json"
    if verb == "calls":
        record = node.root / "var/lib/fleetyard-stand-in/calls.jsonl"
        print(record.read_text() if record.exists() else "", end="")
        return 0
    if verb == "plant" and len(arguments) == 2:
        faults = json.loads(arguments[1])
        unknown = sorted(set(faults) - set(KNOWN))
        if unknown:
            print(f"unknown faults: {', '.join(unknown)}. Known: " + "; ".join(f"{k} ({v})" for k, v in KNOWN.items()))
            return 2
        path.write_text(json.dumps({**node.facts, "faults": {**node.faults, **faults}}, indent=2) + "\n")
        return 0
    if verb == "clear":
        node.set(xid={})
        path.write_text(
            json.dumps({key: value for key, value in node.facts.items() if key != "faults"}, indent=2) + "\n"
        )
        return 0
    if verb == "bucket" and len(arguments) == 2:
        # Everybody may write: what a bucket lets whom do is not played.
        folder = node.root / AT / arguments[1]
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        return 0
    if verb == "xid" and len(arguments) in (2, 3):
        index = int(arguments[2]) if len(arguments) == 3 else 0
        said = {"79": "GPU has fallen off the bus.", "48": "DBE (double bit error) ECC error"}.get(arguments[1], NOTE)
        line = f"NVRM: Xid (PCI:{bus(index)[4:-2]}): {arguments[1]}, pid='<unknown>', name=<unknown>, {said}"
        # Who reads `journalctl -t kernel` finds it beside the kernel's own messages.
        node.set(xid={**(node.settings().get("xid") or {}), str(index): int(arguments[1])})
        subprocess.run(["logger", "--tag", "kernel", "--priority", "user.err", line], check=True)
        return 0
    print(__doc__)
    return 2
