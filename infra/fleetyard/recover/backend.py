"""The folder of Pulumi's file backend: locks, and what a write that was cut off leaves there.

The backend writes a blob `x` as `x.<hex>.tmp`, then its attributes as `x.attrs`, then renames the first. So a blob is
always whole, but `x.attrs` may be cut off, and then every Pulumi command ends with "failed to load checkpoint: EOF".
A blob without attributes is read as it is: taking a cut-off one away loses a content type and a checksum, no state.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from fleetyard.findings import Exit, error
from fleetyard.recover.owner import Lock

_START = re.compile(r'"startTime":\s*(\d+)')
"""When an update of the history began, in seconds since 1970."""
_UNFINISHED = re.compile(r"\.[0-9a-f]+\.tmp$")


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a stack's files lie."""

    root: Path
    project: str
    stack: str

    @property
    def checkpoint(self) -> Path:
        """The recorded deployment."""
        return self.root / "stacks" / self.project / f"{self.stack}.json"

    def locks(self) -> list[Lock]:
        """The locks of the stack. Raises FleetyardError (exit 65, FY1704) for one that cannot be read."""
        folder = self.root / "locks" / "organization" / self.project / self.stack
        return [_lock(file) for file in sorted(folder.glob("*.json"))]

    def torn(self) -> list[Path]:
        """Attributes and unfinished blobs of the stack that a cut-off write left."""
        folders = (
            self.root / "locks" / "organization" / self.project / self.stack,
            self.root / "stacks" / self.project,
            self.root / "history" / self.project / self.stack,
            self.root / "backups" / self.project / self.stack,
        )
        found = [path for folder in folders for path in sorted(folder.glob("*")) if self._ours(path, folder)]
        meta = self.root / "meta.yaml.attrs"
        return [path for path in [*found, meta] if _is_torn(path)]

    def _ours(self, path: Path, folder: Path) -> bool:
        return folder.name != self.project or path.name.startswith(f"{self.stack}.json")

    def deployment(self) -> Mapping[str, Any]:
        """The recorded deployment, read without Pulumi. Raises FleetyardError (exit 65, FY1705)."""
        try:
            found = json.loads(self.checkpoint.read_text(encoding="utf-8"))["checkpoint"].get("latest") or {}
        except (OSError, ValueError, KeyError, AttributeError) as problem:
            raise error(
                "FY1705", self.checkpoint.name, f"the stack's state cannot be read: {problem}", "restore its .bak"
            ) from None
        return dict(found)

    def past(self) -> Past:
        """What is known of the stack's earlier states."""
        history = self.root / "history" / self.project / self.stack
        texts = [
            _text(path)
            for folder in (history, self.root / "backups" / self.project / self.stack)
            for path in sorted(folder.glob("*.json*"))
            if path.suffix != ".attrs"
        ]
        starts = [int(at) for text in texts if text for at in _START.findall(text)]
        if None in texts or not starts:
            return Past("", None)
        return Past("\n".join(text for text in texts if text), datetime.fromtimestamp(min(starts), UTC))


@dataclass(frozen=True, slots=True)
class Past:
    """Earlier states of a stack: their text, and since when there are any (None: nothing is known)."""

    text: str
    since: datetime | None

    def recorded(self, id: str, made: datetime | None) -> bool | None:
        """Whether one of the states names an id; None for what may be older than the oldest of them."""
        if f'"{id}"' in self.text:
            return True
        return False if self.since and made and made >= self.since else None


def backend(url: str, project: str, stack: str) -> Backend | None:
    """The backend of a `file://` URL; None for any other kind, whose files are not read."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    path = Path(unquote(parts.netloc + parts.path)).expanduser()
    return Backend(path.resolve() / ".pulumi", project, stack)


def _text(path: Path) -> str | None:
    """The text of a checkpoint or a history entry; None for one that cannot be read here."""
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    except (OSError, EOFError, ValueError):
        return None


def _lock(file: Path) -> Lock:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        # Go writes nanoseconds, of which Python's parser takes six digits.
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", said["timestamp"]))
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return Lock(file, int(said["pid"]), str(said["username"]), str(said["hostname"]), at.astimezone(UTC))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        fix = "see that no `pulumi` runs on this stack, then `pulumi cancel --yes`"
        raise error("FY1704", file.name, f"this lock cannot be read: {problem}", fix, Exit.BAD_INPUT) from None


def _is_torn(path: Path) -> bool:
    if _UNFINISHED.search(path.name):
        return True
    if path.suffix != ".attrs" or not path.exists():
        return False
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return False
