"""What of a locked list applies to a host: entries whose marker holds there, without the marker.

pip judges markers by the interpreter that it runs in; here it is the host's that counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOST = {
    "implementation_name": "cpython", "implementation_version": "3.11.2", "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython", "platform_release": "", "platform_system": "Linux",
    "platform_version": "", "python_full_version": "3.11.2", "python_version": "3.11", "sys_platform": "linux",
}  # fmt: skip
"""Debian 12's Python."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A package of a list. hashes: the words `--hash=sha256:...`."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def line(self) -> str:
        """As pip reads it."""
        return " ".join((f"{self.name}=={self.version}", *self.hashes))


def entries(lock: str) -> list[Entry]:
    """Those that a host of ours installs, in the list's order."""
    found = []
    for row in re.sub(r"\\\n", " ", lock).splitlines():
        text, *hashes = re.split(r"\s+(?=--hash=)", row.strip())
        if not text or text.startswith("#"):
            continue
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate(HOST):
            (pin,) = wanted.specifier
            found.append(Entry(canonicalize_name(wanted.name), pin.version, tuple(hashes)))
    return found
