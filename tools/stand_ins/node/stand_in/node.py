"""What a host plays: its facts and planted faults, what is installed, and the record of calls."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

NOTE = "stand-in"
CONTAINER_KERNELS = "lib/modules"


class Node:
    """The host, seen from `root`: another folder in tests (FLEETYARD_STAND_IN_ROOT)."""

    def __init__(self, root: Path | None = None, program: str = "") -> None:
        self.program = program
        self.root = root or Path(os.environ.get("FLEETYARD_STAND_IN_ROOT", "/"))
        self.facts: dict[str, Any] = self._json("etc/fleetyard/stand-in.json")
        self.faults: dict[str, Any] = self.facts.get("faults") or {}

    def _json(self, path: str) -> dict[str, Any]:
        try:
            found = json.loads((self.root / path).read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def record(self, program: str, arguments: list[str]) -> None:
        """Write the call down. A record that cannot be written does not stop the program: the tool would run, too."""
        row = {"program": program, "arguments": arguments, "time": round(time.time(), 3), "uid": os.getuid()}
        path = self.root / "var/lib/fleetyard-stand-in/calls.jsonl"
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            before = os.umask(0)
            try:
                file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            finally:
                os.umask(before)
            with open(file, "a") as out:
                out.write(json.dumps(row) + "\n")

    # What is installed

    def version(self, component: str) -> str:
        """Of a component, as its stand-in package says; empty when it is not installed."""
        with suppress(OSError):
            return (self.root / "usr/share/fleetyard-stand-in" / component).read_text().strip()
        return ""

    def built(self) -> str:
        """The version of the kernel module that DKMS installed for a kernel; empty without one."""
        for link in sorted((self.root / "var/lib/dkms/nvidia").glob("kernel-*")):
            if link.is_symlink():
                return Path(os.readlink(link)).parts[0]
        return ""

    def loaded(self) -> str:
        """The version of the module that would be loaded: the one that was built when it was first asked for.

        A driver that is changed while this one is loaded needs a restart, as it does on a real machine.
        """
        path = self.root / "run/fleetyard-stand-in/loaded"
        with suppress(OSError):
            return path.read_text().strip()
        built = self.built()
        if built:
            self.keep("loaded", built)
        return built

    # What was set, until the next boot

    def keep(self, name: str, text: str) -> None:
        """Write a file that is gone after a restart."""
        path = self.root / "run/fleetyard-stand-in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def settings(self) -> dict[str, Any]:
        """Persistence, clocks, power caps and MIG, by GPU where it matters."""
        return self._json("run/fleetyard-stand-in/settings.json")

    def set(self, **values: Any) -> None:
        """Change some of them."""
        self.keep("settings.json", json.dumps({**self.settings(), **values}))

    # Its devices

    def gpus(self) -> list[int]:
        """Indices of the GPUs that answer."""
        if self.facts.get("kind") != "gpu":
            return []
        missing = self.faults.get("missing") or []
        return [index for index in range(int(self.facts.get("count") or 0)) if index not in missing]

    def fault(self, name: str, index: int, otherwise: Any = 0) -> Any:
        """A planted fault of one device."""
        rows = self.faults.get(name)
        if isinstance(rows, dict):
            return rows.get(str(index), otherwise)
        if isinstance(rows, list):
            return True if index in rows else otherwise
        return otherwise

    def fact(self, name: str, otherwise: Any = "N/A") -> Any:
        """A fact, or how tools say that they have none."""
        found = self.facts.get(name)
        return otherwise if found is None else found


def uuid(index: int, kind: str = "GPU") -> str:
    """Always the same one for an index."""
    return f"{kind}-{0x57A4D100 + index:08x}-0000-4000-8000-{index:012x}"


def bus(index: int) -> str:
    """A PCI address."""
    return f"00000000:{0x53 + 0x11 * (index % 8):02X}:{index // 8:02X}.0"


def cuda_of(driver: str) -> str:
    """The newest CUDA that a driver's branch knows. Source: NVIDIA CUDA release notes, table of drivers."""
    branch = int(re.match(r"\d*", driver).group() or 0)  # type: ignore[union-attr]
    known = [(590, "13.1"), (580, "13.0"), (575, "12.9"), (570, "12.8"), (560, "12.6"), (550, "12.4"), (535, "12.2")]
    return next((cuda for least, cuda in known if branch >= least), "11.8")
