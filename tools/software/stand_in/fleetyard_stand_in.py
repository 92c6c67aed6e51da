"""What stand-ins for Python packages share: the record of calls, and what is said of them."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

RECORD = "var/lib/fleetyard-stand-in/calls.jsonl"


def record(program: str, arguments: list[str]) -> None:
    """Write a call down where other stand-ins write theirs. One that cannot be written does not stop the program."""
    row = {"program": program, "arguments": arguments, "time": round(time.time(), 3), "uid": os.getuid()}
    path = Path(os.environ.get("FLEETYARD_STAND_IN_ROOT", "/")) / RECORD
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        before = os.umask(0)
        try:
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        finally:
            os.umask(before)
        with open(file, "a") as out:
            out.write(json.dumps(row) + "\n")


def imported(name: str, version: str) -> None:
    """Say who this is, and write down who asked."""
    print(f"{name} {version} (stand-in): nothing is computed", file=sys.stderr)
    record(f"import {name}", sys.argv)


def launched(name: str, version: str) -> int:
    """A program that would start other programs: it says its version and starts nothing."""
    record(name, sys.argv[1:])
    if sys.argv[1:] in (["--version"], ["-v"]):
        print(f"{name} {version} (stand-in)")
        return 0
    print(f"{name} {version} (stand-in): the call is recorded, nothing is started", file=sys.stderr)
    return 69
