"""Which program answers to which name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import PurePath

from stand_in import buckets, daemons, dcgm, exporter, grafana, plant, smi, tools
from stand_in.node import Node

PROGRAMS: dict[str, Callable[[Node, list[str]], int]] = {
    "nvidia-smi": smi.run,
    "nvidia-persistenced": daemons.persistenced,
    "nv-fabricmanager": daemons.fabric_manager,
    "nvlsm": daemons.subnet_manager,
    "nvidia-imex": daemons.imex,
    "nv-hostengine": daemons.hostengine,
    "dcgmi": dcgm.run,
    "nvidia-ctk": tools.ctk,
    "nvidia-container-runtime": tools.container_runtime,
    "nvcc": tools.nvcc,
    "gdrcopy_sanity": tools.gdrcopy,
    "fi_info": tools.fi_info,
    "ibstat": tools.ibstat,
    "ibv_devinfo": tools.ibv_devinfo,
    "neuron-ls": tools.neuron_ls,
    "neuron-top": tools.neuron_top,
    "enroot": tools.enroot,
    "dcgm-exporter": exporter.run,
    "grafana-server": grafana.run,
    "gcsfuse": buckets.gcsfuse,
    "mount-s3": buckets.mount_s3,
    "mount.lustre": buckets.lustre,
    "lctl": buckets.lustre,
    "lfs": buckets.lustre,
    "fleetyard-stand-in": plant.run,
}


def main(words: list[str]) -> int:
    """Record the call and answer it."""
    program, node = PurePath(words[0]).name, Node(program=words[0])
    if program not in PROGRAMS:
        print(f"{program}: nothing stands in for it", file=sys.stderr)
        return 127
    if program != "fleetyard-stand-in":
        node.record(program, words[1:])
    return PROGRAMS[program](node, words[1:])
