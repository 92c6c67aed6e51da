"""A branch of the control groups for each host, so that no host's systemd sees, or counts, another one's services.

With version 1 a host sees its branch read-only, and may mount it anew to write in (Slurm keeps jobs apart by it); with
version 2 it gets its branch as a whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
BRANCH = "fleetyard-hosts"
KINDS = ("systemd", "unified", "freezer", "cpuset", "devices", "pids", "memory")
"""Not `cpu`: all hosts together would then weigh as much as one process beside them."""


def folders(name: str) -> tuple[Path, ...]:
    """The groups of a host, one in each hierarchy that this computer has."""
    if (ROOT / "cgroup.controllers").exists():
        return (ROOT / BRANCH / name,)
    return tuple(ROOT / kind / BRANCH / name for kind in KINDS if (ROOT / kind).is_dir())


def make(groups: Sequence[Path]) -> None:
    """Make them."""
    for group in groups:
        group.mkdir(parents=True, exist_ok=True)
        for folder in (group.parent, group):
            for setting in ("cpuset.cpus", "cpuset.mems"):
                if (folder / setting).exists() and not (folder / setting).read_text().strip():
                    (folder / setting).write_text((folder.parent / setting).read_text())


def remove(groups: Sequence[Path]) -> None:
    """Remove them, with the groups that the host's services left in them. Busy ones stay until the next time."""
    for group in groups:
        for folder in (*sorted(group.rglob("*/"), reverse=True), group):
            if folder.is_dir():
                with contextlib.suppress(OSError):
                    folder.rmdir()


def remove_branch() -> None:
    """Remove what an earlier process left, and the branch itself."""
    for branch in (ROOT / BRANCH, *(ROOT / kind / BRANCH for kind in KINDS)):
        if branch.is_dir():
            remove([path for path in branch.iterdir() if path.is_dir()])
            with contextlib.suppress(OSError):
                branch.rmdir()
