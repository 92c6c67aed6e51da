"""Daemons: nvidia-persistenced, nv-fabricmanager, nvlsm, nvidia-imex, nv-hostengine."""

# ruff: noqa: E501 - lines are as long as what the tools print

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import suppress

from stand_in import smi
from stand_in.node import NOTE, Node


def ready(title: str) -> None:
    """Say that the start is over."""
    print(f"{title} ({NOTE}) runs", flush=True)
    where = os.environ.get("NOTIFY_SOCKET", "")
    if where:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(b"READY=1", "\0" + where[1:] if where[0] == "@" else where)


def serve(title: str) -> int:
    """Say that the start is over, and wait for the end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    ready(title)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    return 0


def _driver(node: Node) -> str:
    try:
        return smi.driver(node)
    except smi.Refused as refused:
        sys.exit(str(refused).strip())


def persistenced(node: Node, arguments: list[str]) -> int:
    """Keeps the driver loaded: persistence mode of every GPU."""
    if "--version" in arguments:
        print(f"nvidia-persistenced:  version {node.version('nvidia-driver')} ({NOTE})")
        return 0
    _driver(node)
    if not node.gpus():
        sys.exit("nvidia-persistenced failed to initialize: no devices found")
    node.set(persistence={str(index): 1 for index in node.gpus()})
    return serve("nvidia-persistenced")


def fabric_manager(node: Node, arguments: list[str]) -> int:
    """Refuses a driver of another version, as the real one does."""
    own = node.version("fabric-manager")
    if "--version" in arguments or "-v" in arguments:
        print(f"Fabric Manager version is : {own} ({NOTE})")
        return 0
    driver = _driver(node)
    if own != driver:
        sys.exit(
            f"fabric manager NVIDIA GPU driver interface version {own} don't match with driver version {driver}. "
            "Please update with matching NVIDIA driver package."
        )
    if not node.facts.get("nvlinks"):
        sys.exit(
            "request to query NVSwitch device information from NVSwitch driver failed with error:WARNING Nothing to do [NV_WARN_NOTHING_TO_DO]"
        )
    node.keep("fabric-manager", own)
    return serve("nv-fabricmanager")


def subnet_manager(node: Node, arguments: list[str]) -> int:
    """NVLink subnet manager."""
    if "--version" in arguments:
        print(f"nvlsm {node.version('nvlsm')} ({NOTE})")
        return 0
    return serve("nvlsm")


def imex(node: Node, arguments: list[str]) -> int:
    """Memory export between machines of one NVLink domain."""
    own = node.version("imex")
    if "--version" in arguments or "-v" in arguments:
        print(f"IMEX version is: {own} ({NOTE})")
        return 0
    driver = _driver(node)
    if own != driver:
        sys.exit(f"IMEX version {own} does not match driver version {driver}")
    return serve("nvidia-imex")


def hostengine(node: Node, arguments: list[str]) -> int:
    """DCGM's daemon."""
    if "--version" in arguments:
        print(f"Version : {node.version('dcgm')} ({NOTE})")
        return 0
    node.keep("hostengine", str(os.getpid()))
    return serve("nv-hostengine")
