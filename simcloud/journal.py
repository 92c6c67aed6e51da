"""The world's memory: an append-only file with one line per call that may have changed something.

A line is written before the call is carried out, and the caller gets its answer after. So a call that was answered is
always in the journal, and a call that was cut off in between is carried out when the world next opens, as a cloud
carries out a request whose reply was lost. Each line ends with a checksum; a last line without a right one was never
answered and is dropped, a wrong line before the last is damage and is refused.

What was asked is sealed (`simcloud.seal`): a request holds whatever secrets a program has. When, which cloud and the
line's number stay readable.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from simcloud.seal import Seal, SealBrokenError, key_path
from simcloud.wire import Request


class JournalDamagedError(Exception):
    """The journal cannot be read to its end. The message names the line and what can be done."""


@dataclass(frozen=True, slots=True)
class Record:
    """One journal line: which cloud was asked what, when."""

    seq: int
    at: datetime
    cloud: str
    kind: str
    """`call`, `control` or `tick`."""
    body: Mapping[str, Any]

    def request(self) -> Request:
        """The recorded HTTP request of a `call`."""
        b = self.body
        return Request(b["method"], b["path"], b.get("query", ""), b.get("headers", {}), base64.b64decode(b["body"]))


def request_body(request: Request) -> dict[str, Any]:
    """What a `call` record holds of a request. The signature and any token are left out: nothing replays them."""
    kept = {
        name: _without_signature(value) if name == "authorization" else value
        for name, value in request.headers.items()
        if name not in _NOT_RECORDED
    }
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": kept,
        "body": base64.b64encode(request.body).decode(),
    }


_NOT_RECORDED = frozenset(
    {"x-amz-security-token", "cookie", "accept-encoding", "connection", "user-agent", "amz-sdk-invocation-id"}
)


def _without_signature(authorization: str) -> str:
    """The credential scope of a SigV4 header (it names service and region); nothing of any other header."""
    if not authorization.startswith("AWS4-HMAC-SHA256"):
        return ""
    return authorization.split(", SignedHeaders")[0].split(",SignedHeaders")[0]


_REMEDY = "Fix: restore the file from a copy, or start an empty world with `fleetyard sim start --fresh`."


class Journal:
    """The file. One process writes it."""

    def __init__(self, path: Path, seal: Seal | None = None) -> None:
        self.path = path
        self._seal = seal or Seal()
        self._file: int | None = None

    def read(self, start: int = 0) -> Iterator[Record]:
        """All records in order, from byte `start` on; cuts an unfinished last line off the file.

        Raises JournalDamagedError.
        """
        if not self.path.exists():
            return
        good_bytes = start
        with self.path.open("rb") as lines:
            lines.seek(start)
            for number, line in enumerate(lines, 1):
                record = self._parsed(line, number)
                if record is None:
                    if lines.read(1):
                        raise JournalDamagedError(
                            f"{self.path.name}, line {number}: the checksum is wrong and lines follow. {_REMEDY}"
                        )
                    break
                good_bytes += len(line)
                yield record
        if good_bytes != self.path.stat().st_size:
            os.truncate(self.path, good_bytes)

    def append(self, record: Record) -> None:
        """Write one record; it is safe from the death of this process when this returns. Raises OSError."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        line = self._line(record)
        start = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, line)
            if written != len(line):
                raise OSError(f"wrote {written} of {len(line)} bytes to {self.path.name}: is the disk full?")
        except OSError:
            # A half-written line would make every later line unreadable.
            os.ftruncate(self._file, start)
            raise

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def size(self) -> int:
        """Bytes written so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def checksum(self, end: int) -> int:
        """The checksum of everything before byte `end`; -1 when the file is shorter."""
        found, left = 0, end
        if self.size() < end:
            return -1
        with self.path.open("rb") as file:
            while left and (piece := file.read(min(left, 1 << 20))):
                found, left = zlib.crc32(piece, found), left - len(piece)
        return found

    def _line(self, record: Record) -> bytes:
        at = record.at.isoformat()
        plain = json.dumps(record.body, separators=(",", ":")).encode()
        sealed = self._seal.close(plain, _context(record.seq, at, record.cloud, record.kind))
        body = base64.b64encode(sealed).decode()
        text = json.dumps([record.seq, at, record.cloud, record.kind, body], separators=(",", ":")).encode()
        return b"%s\t%08x\n" % (text, zlib.crc32(text))

    def _parsed(self, line: bytes, number: int) -> Record | None:
        text, tab, checksum = line.rstrip(b"\n").rpartition(b"\t")
        if not tab or not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
            return None
        seq, at, cloud, kind, body = json.loads(text)
        try:
            plain = self._seal.open(base64.b64decode(body), _context(seq, at, cloud, kind))
        except (SealBrokenError, TypeError):
            raise JournalDamagedError(
                f"{self.path.name}, line {number}: it was not sealed with this user's key ({key_path()}). "
                f"Fix: put that key back, or start an empty world with `fleetyard sim start --fresh`."
            ) from None
        return Record(seq, datetime.fromisoformat(at), cloud, kind, json.loads(plain))


def _context(seq: int, at: str, cloud: str, kind: str) -> bytes:
    return f"{seq} {at} {cloud} {kind}".encode()
