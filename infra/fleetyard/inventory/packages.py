"""Where a stack's hosts get packages from: the vendors, a mirror that the inventory file names, or stand-ins."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleetyard.findings import error
from fleetyard.versions.mirror import check_base, supplied_checksums

STAND_INS = "FLEETYARD_STAND_INS"
"""`0`: the accelerators of simulated hosts are left out, and so is all that is installed for them."""
SIMULATED_BASE = "http://169.254.169.250/stand-ins"
"""Where simulated hosts see the folder of stand-ins."""
SIMULATED_OS = "debian-12"
"""What they boot, whatever image the stack names."""


@dataclass(frozen=True, slots=True)
class Packages:
    """base: of a mirror that has every origin as a folder; empty: the vendors. key: fingerprint of what signs there.

    checksums: path on the mirror to SHA-256. os: what the hosts run where that is not what the stack's image says.
    stand_in: the accelerators are played.
    """

    base: str = ""
    key: str = ""
    checksums: Mapping[str, str] = field(default_factory=dict)
    os: str = ""
    stand_in: bool = False

    @classmethod
    def mirror(cls, base: str | None, key: str | None, checksums: Path | None) -> Packages:
        """As an inventory file says. Raises FleetyardError: FY1813 for the base, FY1814 and FY1815 for checksums."""
        supplied = {} if checksums is None else supplied_checksums(_read(checksums), checksums.name)
        return cls(check_base(base) if base else "", key or "", supplied)

    @classmethod
    def stand_ins(cls, folder: Path) -> Packages:
        """What `make setup-hosts` laid out in a folder of stand-ins."""
        checksums = supplied_checksums(_read(folder / "checksums.json"), "checksums.json")
        key = (folder / "fingerprint").read_text(encoding="utf-8").strip()
        return cls(SIMULATED_BASE, key, checksums, SIMULATED_OS, stand_in=True)

    @classmethod
    def simulated(cls, env: Mapping[str, str]) -> Packages | None:
        """Stand-ins, where they are there and wanted; None: hosts get nothing for accelerators."""
        cache = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME", "~")).expanduser() / ".cache")
        folder = cache / "fleetyard" / "mirror" / "stand-ins"
        if env.get(STAND_INS, "1") == "0" or not os.path.exists(folder / "fingerprint"):
            return None
        return cls.stand_ins(folder)


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise error("FY1814", path.name, f"cannot be read: {wrong.strerror}", "check the path") from None
    except ValueError:
        raise error("FY1814", path.name, "is no JSON", "an object in JSON") from None
