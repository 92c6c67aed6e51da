"""The world's state in one file, so that a long journal need not be carried out again from its beginning.

The journal stays the truth. A snapshot says up to which byte of which journal it reaches (with the checksum of all
before) and with which code it was made; one that does not fit, for whatever reason, is passed over and the journal is
carried out whole. It is sealed with the user's key, and so nobody else can have written what is unpickled here.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import threading
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from simcloud.seal import Seal, SealBrokenError

FILE = "snapshot"
_MADE_WITH = ("moto", "botocore", "google-api-python-client")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a snapshot goes: the last record's number and time, the journal's bytes and their checksum."""

    seq: int
    at: str
    journal_bytes: int
    checksum: int


def save(folder: Path, seal: Seal, reach: Reach, state: Mapping[str, Any]) -> bool:
    """Write a snapshot in place of the last one. False, and a remark in the log, when the state cannot be written."""
    try:
        frozen = pickle.dumps({name: _frozen(part) for name, part in state.items()})
    except Exception:
        # Something that a service keeps has no form on disk; the journal alone must do.
        traceback.print_exc()
        return False
    header = json.dumps(asdict(reach) | {"code": _code()}).encode()
    unfinished = folder / f"{FILE}.new"
    unfinished.unlink(missing_ok=True)
    unfinished.touch(0o600)
    try:
        unfinished.write_bytes(header + b"\n" + seal.close(frozen, header))
        unfinished.replace(folder / FILE)
    except OSError:
        traceback.print_exc()
        unfinished.unlink(missing_ok=True)
        return False
    return True


def reach(folder: Path) -> Reach | None:
    """How far the folder's snapshot goes; None when there is none or other code made it."""
    try:
        with (folder / FILE).open("rb") as file:
            header = json.loads(file.readline())
        return Reach(**header) if header.pop("code") == _code() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def load(folder: Path, seal: Seal) -> dict[str, bytes] | None:
    """The parts of the folder's snapshot, for `thawed`; None when it is not whole or not ours."""
    try:
        header, _, sealed = (folder / FILE).read_bytes().partition(b"\n")
        found: dict[str, bytes] = pickle.loads(seal.open(sealed, header))  # noqa: S301 - the user's own seal is on it
        return found
    except (SealBrokenError, OSError):
        return None


def thawed(part: bytes) -> Any:
    """One part of a snapshot. What it belongs to must have been made before: it may hold on to it."""
    return pickle.loads(part)  # noqa: S301 - it came out of a snapshot with the user's own seal


def _frozen(part: Any) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(part)
    return buffer.getvalue()


def _code() -> str:
    """What the state's form depends on: this package's files and the libraries whose objects are in it."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        stat = path.stat()
        digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    for name in _MADE_WITH:
        digest.update(f"{name} {metadata.version(name)}\n".encode())
    return digest.hexdigest()


_LOCKS = (type(threading.Lock()), type(threading.RLock()))


class _Pickler(pickle.Pickler):
    """Locks come back open; private keys, which a library keeps in its own memory, as their standard form."""

    def reducer_override(self, value: Any) -> Any:
        """How to make a value again that pickle itself cannot."""
        if isinstance(value, _LOCKS):
            return (threading.Lock if isinstance(value, _LOCKS[0]) else threading.RLock, ())
        if hasattr(value, "private_bytes") and not isinstance(value, type):
            from cryptography.hazmat.primitives import serialization as form

            pem = value.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
            return (_private_key, (pem,))
        return NotImplemented


def _private_key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(pem, password=None)
