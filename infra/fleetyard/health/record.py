"""The record of operation: one line of JSON for each thing that happened, appended and never changed."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleetyard.findings import Exit, error


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened. at: seconds since 1970; what: a word of `fleetyard.health.incidents`; why: in words."""

    at: float
    by: str
    what: str
    node: str
    instance: str
    incident: str = ""
    why: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """As it stands in the record."""
        when = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        plain = {
            "at": when, "by": self.by, "what": self.what, "node": self.node, "instance": self.instance,
            "incident": self.incident, "why": self.why, **({"more": dict(self.more)} if self.more else {}),
        }  # fmt: skip
        return json.dumps({key: value for key, value in plain.items() if value != ""}, ensure_ascii=False)


def whoever() -> str:
    """Who acts: the person behind sudo where there is one, and the computer."""
    return f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()}"


class Record:
    """The record of one stack."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: Row) -> None:
        """Write one line, whole and on disk before anything else is done."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(handle).st_size
            # A line that a crash cut off ends where it is; what follows stays readable.
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            os.write(handle, (("\n" if torn else "") + row.line() + "\n").encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def rows(self) -> tuple[Row, ...]:
        """Everything that was recorded, in order. A line that was cut off when its writer ended is left out.

        Raises FleetyardError FY3201 for a line that is whole and none of ours.
        """
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        return tuple(row for number, line in enumerate(lines, 1) if (row := _row(line, f"{self.path}:{number}")))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else acts on the stack meanwhile. Raises FleetyardError FY3202 (exit 75) when somebody does."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                fix = "wait until it has ended"
                raise error(
                    "FY3202", str(self.path), "another `fleetyard health act` runs on this stack", fix, 75
                ) from None
            yield


def _row(line: str, where: str) -> Row | None:
    try:
        top = json.loads(line)
    except ValueError:
        return None
    try:
        texts = {key: top.get(key, "") for key in ("by", "node", "instance", "incident", "why")}
        if not all(isinstance(each, str) for each in texts.values()) or not isinstance(top.get("more", {}), dict):
            raise TypeError
        return Row(
            datetime.fromisoformat(top["at"]).timestamp(), what=str(top["what"]), more=top.get("more", {}), **texts
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        fix = "the record is written by `fleetyard health` alone; put the line right, or move the file away"
        raise error("FY3201", where, "is no line of the record", fix, Exit.BAD_INPUT) from None
