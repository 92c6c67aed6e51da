"""Fill the wheel folder that simulated hosts install from: the training stack's locked packages, for each Python.

Run at set-up with any Python >= 3.11 that has pip. The folder lies in the user's cache and is a simple package index
(PEP 503) for any static file server.
"""

from __future__ import annotations

import hashlib
import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "roles" / "training_stack" / "files" / "requirements.txt"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
PYTHONS = ("3.11", "3.13")
"""What Debian 12 and 13 have."""
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
"""What both can load, newest first."""


def cache_home() -> Path:
    """The user's cache folder for Fleetyard."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fleetyard"


def folder() -> Path:
    """Where the wheels of this lock lie (or will lie): serve this folder, and `simple/` in it is the index."""
    return cache_home() / "wheels" / hashlib.sha256(LOCK.read_bytes() + repr(PYTHONS).encode()).hexdigest()[:16]


def _download(into: Path, python: str) -> None:
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    wanted = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version", python, *platforms]
    command = [*PIP, "download", "--quiet", *wanted, "--requirement", str(LOCK), "--dest", str(into)]
    subprocess.run(command, check=True)


def index(wheels: Path, into: Path) -> None:
    """Lay wheels out as an index: one folder a project, one page in each with the files and their hashes."""
    projects: dict[str, list[Path]] = {}
    for wheel in sorted(wheels.glob("*.whl")):
        projects.setdefault(re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower(), []).append(wheel)
    into.mkdir(parents=True)
    (into / "index.html").write_text(_page({name: f"{name}/" for name in projects}))
    for name, files in projects.items():
        (into / name).mkdir()
        links = {}
        for wheel in files:
            links[wheel.name] = f"{wheel.name}#sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}"
            wheel.rename(into / name / wheel.name)
        (into / name / "index.html").write_text(_page(links))


def _page(links: dict[str, str]) -> str:
    lines = (f'<a href="{html.escape(where)}">{html.escape(name)}</a><br>' for name, where in links.items())
    return "<!DOCTYPE html><html><body>\n" + "\n".join(lines) + "\n</body></html>\n"


def fill() -> Path:
    """Download what is missing; return `folder()`. The hash of every file is checked against the lock."""
    done = folder()
    if (done / "simple").is_dir():
        return done
    making = done.with_name(f"{done.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    (making / "wheels").mkdir(parents=True)
    try:
        for python in PYTHONS:
            _download(making / "wheels", python)
        index(making / "wheels", making / "simple")
        (making / "wheels").rmdir()
        shutil.rmtree(done, ignore_errors=True)
        making.rename(done)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return done


def environment() -> Path:
    """A virtual environment on this machine with the same packages, made from the folder; its path. For tests."""
    wheels = fill()
    made = wheels.with_name(f"{wheels.name}-here-{sys.version_info.major}.{sys.version_info.minor}")
    if (made / ".complete").exists():
        return made
    shutil.rmtree(made, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
    files = sorted({str(path.parent) for path in (wheels / "simple").glob("*/*.whl")})
    links = [word for path in files for word in ("--find-links", path)]
    pip = [str(made / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-index", *links, "--require-hashes", "--requirement", str(LOCK)], check=True)
    (made / ".complete").touch()
    return made


if __name__ == "__main__":
    print(fill())
