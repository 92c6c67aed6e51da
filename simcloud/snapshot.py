"""The world's state in one file, so that a long journal need not be carried out again from its beginning.

The journal stays the truth. A snapshot says up to which byte of which journal it reaches (with the checksum of all
before) and with which code it was made; one that does not fit, for whatever reason, is passed over and the journal is
carried out whole. It is sealed with the user's key, and so nobody else can have written what is unpickled here.
"""

from __future__ import annotations

import hashlib
import io
import json
import marshal
import pickle
import sys
import threading
import traceback
import weakref
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from types import FunctionType
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


@cache
def _code() -> str:
    """What the state's form depends on: Python, this package's files and the libraries whose objects are in it."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        stat = path.stat()
        digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    for name in _MADE_WITH:
        digest.update(f"{name} {metadata.version(name)}\n".encode())
    return digest.hexdigest()


_LOCKS = (type(threading.Lock()), type(threading.RLock()))


class _Pickler(pickle.Pickler):
    """Writes down what pickle by itself cannot, of which the services that a cloud is made of are full."""

    def reducer_override(self, value: Any) -> Any:
        """How to make a value again that pickle itself cannot."""
        if isinstance(value, type):
            return NotImplemented
        if isinstance(value, _LOCKS):  # they come back open
            return (threading.Lock if isinstance(value, _LOCKS[0]) else threading.RLock, ())
        if isinstance(value, weakref.WeakValueDictionary):
            return (weakref.WeakValueDictionary, (), None, None, iter(list(value.items())))
        if isinstance(value, defaultdict) and type(value) is not defaultdict:
            # A table of a kind of its own, whose constructor takes what a plain table's does not.
            state = (dict(dict.items(value)), vars(value), value.default_factory)
            return (type(value).__new__, (type(value),), state, None, None, _fill)
        if isinstance(value, FunctionType) and "<locals>" in value.__qualname__ and not value.__closure__:
            return (_function, (value.__module__, value.__qualname__, marshal.dumps(value.__code__)))
        return _in_standard_form(value)


def _fill(table: Any, state: tuple[dict[Any, Any], dict[str, Any], Any]) -> None:
    rows, attributes, factory = state
    vars(table).update(attributes)
    table.default_factory = factory
    dict.update(table, rows)


def _function(module: str, qualname: str, code: bytes) -> Any:
    """A function made inside another one, such as a table's factory; it knows its module's names only."""
    made = FunctionType(marshal.loads(code), vars(import_module(module)))  # noqa: S302 - under the user's own seal
    made.__qualname__ = qualname
    return made


def _in_standard_form(value: Any) -> Any:
    """Keys and certificates, which a library keeps in its own memory, as PEM; anything else as pickle does it."""
    if not type(value).__module__.startswith("cryptography."):
        return NotImplemented
    from cryptography.hazmat.primitives import serialization as form

    if hasattr(value, "private_bytes"):
        return (_private_key, (value.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()),))
    if hasattr(value, "not_valid_before_utc"):
        return (_certificate, (value.public_bytes(form.Encoding.PEM),))
    return NotImplemented


def _private_key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(pem, password=None)


def _certificate(pem: bytes) -> Any:
    from cryptography import x509

    return x509.load_pem_x509_certificate(pem)
