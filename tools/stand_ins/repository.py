"""Signed apt repositories: an index of packages, a release file and its signatures."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

PERSON = "Fleetyard stand-ins, made on this computer, of no vendor"


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key: the folder that gpg keeps it in, and its fingerprint."""

    folder: Path
    fingerprint: str

    def public(self) -> bytes:
        """The public half, armored."""
        return _gpg(self.folder, "--armor", "--export", self.fingerprint)

    def binary(self) -> bytes:
        """The public half, as gpgv wants it."""
        return _gpg(self.folder, "--export", self.fingerprint)


def key(folder: Path) -> Key:
    """The key in a folder, made if there is none. It is worth nothing anywhere else: it has no passphrase."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    found = _fingerprint(folder)
    if not found:
        _gpg(folder, "--passphrase", "", "--quick-generate-key", PERSON, "ed25519", "sign", "never")
        found = _fingerprint(folder)
    return Key(folder, found)


def _fingerprint(folder: Path) -> str:
    lines = _gpg(folder, "--with-colons", "--list-secret-keys").decode().splitlines()
    return next((line.split(":")[9] for line in lines if line.startswith("fpr:")), "")


@contextmanager
def _home(folder: Path) -> Iterator[str]:
    """A short way to a folder: sockets of gpg's agent take no long one. The agent ends with it."""
    with tempfile.TemporaryDirectory(prefix="fy-gpg-", dir="/tmp") as short:
        link = Path(short) / "h"
        link.symlink_to(folder)
        try:
            yield str(link)
        finally:
            subprocess.run(["gpgconf", "--homedir", str(link), "--kill", "all"], capture_output=True, check=False)


def _gpg(folder: Path, *words: str, text: bytes = b"") -> bytes:
    with _home(folder) as short:
        command = ["gpg", "--homedir", short, "--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", *words]
        done = subprocess.run(
            command, input=text, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"}
        )
    if done.returncode:
        raise RuntimeError(f"gpg {' '.join(words[:2])}: {done.stderr.decode().strip()}")
    return done.stdout


def _stanza(deb: Path, root: Path) -> str:
    control = subprocess.run(["dpkg-deb", "--field", str(deb)], capture_output=True, text=True, check=True).stdout
    data = deb.read_bytes()
    return (
        f"{control.rstrip()}\nFilename: {deb.relative_to(root)}\nSize: {len(data)}\n"
        f"SHA256: {hashlib.sha256(data).hexdigest()}\n"
    )


def index(root: Path, suite: str, origin: str, signer: Key) -> None:
    """Make a folder with packages a repository, signed.

    root: what a source's URI names. suite: `/` for a flat repository, as NVIDIA's are, else a name under dists/ whose
    packages lie in pool/.
    """
    flat = suite == "/"
    top = root if flat else root / "dists" / suite
    # Not below other repositories that lie under this one.
    debs = sorted(root.glob("*.deb") if flat else (root / "pool").rglob("*.deb"))
    body = "\n".join(_stanza(deb, root) for deb in debs).encode()
    places = [Path("Packages")] if flat else [Path(f"main/binary-{arch}/Packages") for arch in ("amd64", "arm64")]
    files: dict[str, bytes] = {}
    for place in places:
        files[str(place)] = body
        files[f"{place}.gz"] = gzip.compress(body, mtime=0)
    for name, data in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(data)
    about = {
        "Origin": origin,
        "Label": f"{origin} (stand-in)",
        "Suite": "stable" if flat else suite,
        "Codename": "stable" if flat else suite,
        "Architectures": "amd64 arm64 all",
        **({} if flat else {"Components": "main"}),
        "Date": formatdate(usegmt=True),
        "Description": "Stand-ins of Fleetyard; nothing of the vendor's",
    }
    release = "".join(f"{name}: {value}\n" for name, value in about.items()) + "SHA256:\n"
    release += "".join(f" {hashlib.sha256(data).hexdigest()} {len(data):>10} {name}\n" for name, data in files.items())
    (top / "Release").write_text(release)
    sign(top, signer)


def sign(top: Path, signer: Key) -> None:
    """Sign a release file, inside (InRelease) and beside it (Release.gpg)."""
    text = (top / "Release").read_bytes()
    (top / "InRelease").write_bytes(_gpg(signer.folder, "--local-user", signer.fingerprint, "--clearsign", text=text))
    beside = _gpg(signer.folder, "--local-user", signer.fingerprint, "--armor", "--detach-sign", text=text)
    (top / "Release.gpg").write_bytes(beside)


def checksums(root: Path) -> Mapping[str, str]:
    """SHA-256 of every file that a role fetches by itself, by its path."""
    kinds = (".deb", ".tar.gz", ".run")
    found = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name.endswith(kinds))
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
