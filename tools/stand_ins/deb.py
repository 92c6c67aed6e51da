"""One package: its control fields and files, made by dpkg-deb."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NOTE = "stand-in: answers as the vendor's program would, does no work"
SAME_TIME = {"SOURCE_DATE_EPOCH": "1767225600"}
"""All files have one time, so that a package is the same in every repository and on every computer."""
MAINTAINER = "Fleetyard stand-ins <nobody@invalid>"


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a package."""

    to: str


@dataclass(frozen=True, slots=True)
class File:
    """A file in a package."""

    content: bytes
    mode: int = 0o644


Files = Mapping[str, File | Link]


@dataclass(frozen=True, slots=True)
class Package:
    """A package by its true name and version. files: by path below the root. scripts: `postinst` and the like."""

    name: str
    version: str
    title: str
    files: Files = field(default_factory=dict)
    depends: tuple[str, ...] = ()
    relations: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        """As vendors name it: without the epoch."""
        return f"{self.name}_{self.version.split(':')[-1]}_all.deb"

    def control(self, size_kib: int) -> str:
        """The control file."""
        fields = {
            "Package": self.name,
            "Version": self.version,
            "Architecture": "all",
            "Maintainer": MAINTAINER,
            "Section": "misc",
            "Priority": "optional",
            "Installed-Size": str(size_kib),
            "Depends": ", ".join(self.depends),
            **self.relations,
            "Description": f"{self.title} ({NOTE})",
        }
        return "".join(f"{key}: {value}\n" for key, value in fields.items() if value)


def build(package: Package, folder: Path) -> Path:
    """Make the package in a folder; where it lies. Raises RuntimeError with what dpkg-deb said."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        root.chmod(0o755)
        size = 0
        for name, what in package.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(what, Link):
                path.symlink_to(what.to)
            else:
                path.write_bytes(what.content)
                path.chmod(what.mode)
                size += len(what.content)
        control = root / "DEBIAN"
        control.mkdir()
        (control / "control").write_text(package.control(size // 1024 + 1))
        for name, text in package.scripts.items():
            (control / name).write_text(text)
            (control / name).chmod(0o755)
        if any(".so" in Path(name).name for name in package.files):
            # As packages with libraries do: the loader reads its paths again.
            (control / "triggers").write_text("activate-noawait ldconfig\n")
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / package.file_name
        command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(root), str(target)]
        done = subprocess.run(command, env={**os.environ, **SAME_TIME}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{package.name}: {done.stderr.strip()}")
    return target
