"""Make all repositories, once for each state of the manifest and of this tool."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from setup import cache_home

from fleetyard.versions import manifest
from stand_ins import archives, packages, repository, services
from stand_ins.deb import Package, build

FOLDER = "stand-ins"
FLAT = "compute/cuda/repos/debian12/x86_64"
ALIKE = ("debian13", "ubuntu2204", "ubuntu2404")
"""Distributions that get the same packages: a stand-in depends on no library."""


def home() -> Path:
    """The user's cache folder of stand-ins: the key, and one folder for each state."""
    return cache_home() / FOLDER


def fill(at: Path | None = None, mirror: Path | None = None) -> Path:
    """Make what is not there yet, and show it where hosts look; the folder that is served.

    at: where it is kept; mirror: the folder that hosts are served from. Raises RuntimeError when a tool refuses.
    """
    at = at or home()
    mirror = mirror or at.parent / "mirror"
    signer = repository.key(at / "gnupg")
    target = at / f"tree-{_state(signer)}"
    if not target.exists():
        at.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=at))
        try:
            _make(unfinished, signer)
            unfinished.chmod(0o755)
            unfinished.rename(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    mirror.mkdir(parents=True, exist_ok=True)
    link = mirror / FOLDER
    if not link.is_symlink() or link.resolve() != target:
        fresh = mirror / f".{FOLDER}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.replace(link)
    return target


def _state(signer: repository.Key) -> str:
    here = Path(__file__).resolve().parent
    parts = [
        packages.MANIFEST,
        *sorted(path for path in here.rglob("*") if path.suffix in ("", ".py") and path.is_file()),
    ]
    digest = hashlib.sha256(signer.fingerprint.encode())
    for part in parts:
        digest.update(part.read_bytes())
    return digest.hexdigest()[:12]


def _build(rows: Iterable[Package], folder: Path) -> None:
    for package in rows:
        build(package, folder)


def _make(root: Path, signer: repository.Key) -> None:
    versions = packages.pinned()
    work = root / ".work"
    (root / "key.asc").write_bytes(signer.public())
    (root / "key.gpg").write_bytes(signer.binary())
    (root / "fingerprint").write_text(signer.fingerprint + "\n")

    nvidia = root / "nvidia" / FLAT
    _build([*packages.nvidia_repository(versions), *services.exporter()], nvidia)
    repository.index(nvidia, "/", "NVIDIA", signer)
    for name in ALIKE:
        nvidia.parent.with_name(name).symlink_to(nvidia.parent.name)

    toolkit = root / "nvidia-container" / "stable/deb/amd64"
    made = [package for version in versions["container-toolkit"] for package in packages.toolkit(version)]
    _build([packages.base(), *made], toolkit)
    repository.index(toolkit, "/", "NVIDIA Container Toolkit", signer)

    for name, suite, rows in (
        ("neuron-apt", "jammy", packages.neuron_repository(versions)),
        ("google-apt", "gpudirect-gib-apt", packages.google_repository(versions)),
    ):
        _build(rows, root / name / "pool/main")
        repository.index(root / name, suite, name, signer)

    for version in versions["enroot"]:
        page = root / "github/NVIDIA/enroot/releases/download" / f"v{version.partition('-')[0]}"
        for package in packages.enroot(version):
            deb = build(package, work)
            page.mkdir(parents=True, exist_ok=True)
            deb.rename(page / deb.name.replace("_all", "_amd64"))
    for version in sorted({each.partition("+")[0] for each in versions["pyxis"]}):
        archives.pyxis(version, root / "github/NVIDIA/pyxis/archive" / f"v{version}.tar.gz")
    for version, libfabric, plugin in _efa():
        archives.efa(version, libfabric, plugin, root / "efa" / f"aws-efa-installer-{version}.tar.gz", work)
    services.make(root, versions, signer)
    shutil.rmtree(work, ignore_errors=True)
    (root / "checksums.json").write_text(json.dumps(repository.checksums(root), indent=1) + "\n")


def _efa() -> list[tuple[str, str, str]]:
    """Each installer with the libfabric and the plugin that the same set pins."""
    found: dict[str, dict[str, str]] = {}
    for pin in manifest().pins:
        if pin.component in ("efa", "libfabric", "ofi-nccl"):
            for name in pin.sets:
                found.setdefault(name, {})[pin.component] = pin.version
    return sorted({(row["efa"], row["libfabric"], row["ofi-nccl"]) for row in found.values()})
