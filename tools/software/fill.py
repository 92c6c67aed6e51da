"""Make the index and the channel, once for each state of the lists and of this tool."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import wheels as training
from setup import ROOT, cache_home

from software import conda, lists
from software.wheels import play

LISTS = ROOT / "roles" / "python_environment" / "files" / "locks"
REAL = ("conda_client", "jupyterhub", "litert", "ray", "tracking")
"""Installed as they are: 400 MB for one Python, kept in the user's cache folder."""
PLAYED = ("compression", "deepspeed", "horovod", "megatron", "pytorch", "tensorflow", "transformers", "vllm")
"""Too large for a computer without accelerators, or for none at all."""
TRITON = lists.Entry("tritonserver", "2.60.0", ())
"""NVIDIA publishes the server as a container; a stand-in takes its place as a program."""
PLATFORMS = (
    "manylinux_2_35_x86_64", "manylinux_2_34_x86_64", "manylinux_2_31_x86_64", *training.PLATFORMS,
    "manylinux_2_5_x86_64", "manylinux1_x86_64",
)  # fmt: skip
FOLDER = "software"
MIRROR = "http://169.254.169.250"
INDEX = f"{MIRROR}/{FOLDER}/simple"
STAND_INS = f"{MIRROR}/{FOLDER}/stand-ins"
ALIAS = f"{MIRROR}/{FOLDER}/conda"
"""Where hosts find them."""


def locks(at: Path | None = None) -> Path:
    """The folder of lists that install stand-ins and the channel's package, on the control machine."""
    return fill(at) / "locks"


def _state() -> str:
    here = Path(__file__).resolve().parent
    parts = [*sorted(here.rglob("*.py")), *(LISTS / f"{name}.txt" for name in (*REAL, *PLAYED))]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes())
    return digest.hexdigest()[:12]


def fill(at: Path | None = None, mirror: Path | None = None) -> Path:
    """Make what is not there yet, and show it where hosts look; the folder that is served.

    at: where it is kept; mirror: the folder that hosts are served from. Every file is checked against its list.
    """
    at = at or cache_home() / FOLDER
    mirror = mirror or at.parent / "mirror"
    target = at / f"tree-{_state()}"
    if not target.exists():
        at.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=at))
        try:
            _make(unfinished, at / "wheels")
            unfinished.chmod(0o755)
            # Somebody else may have made the same meanwhile.
            with suppress(OSError):
                unfinished.rename(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    mirror.mkdir(parents=True, exist_ok=True)
    link = mirror / FOLDER
    if not link.is_symlink() or link.resolve() != target:
        fresh = mirror / f".{FOLDER}.{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.replace(link)
    return target


def _make(root: Path, store: Path) -> None:
    work, played, kept = root / ".work", root / ".played", root / "locks"
    for folder in (work, played, kept):
        folder.mkdir()
    store.mkdir(exist_ok=True)
    for name in REAL:
        for wheel in _download(lists.entries((LISTS / f"{name}.txt").read_text()), store):
            if not (work / wheel.name).exists():
                os.link(wheel, work / wheel.name)
    for name in PLAYED:
        (kept / f"{name}.txt").write_text(play(lists.entries((LISTS / f"{name}.txt").read_text()), played))
    (kept / "triton.txt").write_text(play([TRITON], played))
    (kept / "conda.txt").write_text(conda.channel(root / "conda"))
    training.index(work, root / "simple")
    # An index of its own: what asks for the real thing is never given a stand-in.
    training.index(played, root / "stand-ins")
    for folder in (work, played):
        folder.rmdir()


def _kept(store: Path) -> dict[str, Path]:
    """Wheels that are there, by their hash."""
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in store.glob("*.whl")}


def _chosen(entries: Iterable[lists.Entry], kept: dict[str, Path]) -> dict[lists.Entry, Path]:
    hashes = {entry: [word.rpartition(":")[2] for word in entry.hashes] for entry in entries}
    return {entry: kept[each] for entry, words in hashes.items() for each in words if each in kept}


def _download(entries: list[lists.Entry], store: Path) -> list[Path]:
    """The wheels of a list. What is there already is not asked for again."""
    kept = _kept(store)
    if missing := [entry for entry in entries if entry not in _chosen(entries, kept)]:
        platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
            listed.write("\n".join(entry.line() for entry in missing) + "\n")
            listed.flush()
            command = [
                sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--require-hashes",
                "--no-deps", "--only-binary=:all:", "--python-version", lists.HOST["python_full_version"], *platforms,
                "--requirement", listed.name, "--dest", str(store),
            ]  # fmt: skip
            subprocess.run(command, check=True)
    found = _chosen(entries, _kept(store))
    assert len(found) == len(entries), "a wheel is missing"
    return list(found.values())
