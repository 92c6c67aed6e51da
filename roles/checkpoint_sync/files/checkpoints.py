"""Keeps a folder of checkpoints in an object store, and brings the newest one back.

    checkpoints.py watch --folder /var/lib/fleetyard/checkpoints --to s3://BUCKET/pools/train/local [--every 60]
    checkpoints.py sync ...      once
    checkpoints.py restore ...   the newest one from the store, if it is newer than what is here

A checkpoint is a folder directly below, or the files of one stem (`00000100.npz`) once `00000100.json` lies beside
them. Names that begin with a dot are not finished and not looked at. The newest has the highest number in its name.

`latest.json` in the store names the newest whole checkpoint with the size and the hash of each file. It is written in
one step, after all of them, and never goes back: a reader finds the old one or the new one. Files that were sent are
not sent again after a restart. `watch` sends once more when it is told to stop.

Exit status: 0 done, 65 the store holds something else than it says, 69 the store does not answer, 74 the disk is full
or broken, 77 no right.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from fleetyard_store import MissingError, Object, Store, StoreError, open_store, sha256_of, write_whole

LATEST = "latest.json"
VERSION = 1
BAD_DATA, BROKEN_DISK = 65, 74


class RunError(Exception):
    """The run cannot go on."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint in the folder. files: their paths below the folder."""

    name: str
    files: tuple[str, ...]
    written: float


def order(name: str) -> tuple[int, str]:
    """By the last number in the name, then by the name."""
    numbers = re.findall(r"\d+", name)
    return (int(numbers[-1]) if numbers else -1, name)


def local(folder: Path) -> list[Checkpoint]:
    """The whole checkpoints of a folder, oldest first."""
    found: dict[str, list[Path]] = {}
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            if path.name.startswith("."):
                continue
            if path.is_dir():
                found[path.name] = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
            elif (folder / f"{path.stem}.json").is_file():
                found.setdefault(path.stem, []).append(path)
    made = []
    for name, paths in found.items():
        if paths:
            times = [p.stat().st_mtime for p in paths]
            made.append(Checkpoint(name, tuple(p.relative_to(folder).as_posix() for p in sorted(paths)), max(times)))
    return sorted(made, key=lambda each: order(each.name))


class Keeper:
    """One folder and its place in the store."""

    def __init__(self, folder: Path, store: Store, prefix: str, jobs: int) -> None:
        self.folder, self.store, self.jobs = folder, store, jobs
        self.prefix = f"{prefix}/" if prefix else ""
        self.newest = ""
        self._notes = folder / ".sent.json"
        self._lock = threading.Lock()

    def latest(self) -> dict[str, Any] | None:
        """What `latest.json` says; None when there is none. Raises RunError for something else."""
        try:
            said = json.loads(self.store.get(self.prefix + LATEST))
            if said["version"] != VERSION:
                raise RunError(
                    BAD_DATA, f"{self._where(LATEST)} has version {said['version']}, this program reads {VERSION}"
                )
            for row in said["files"]:
                parts = PurePosixPath(row["key"]).parts
                if not parts or parts[0] == "/" or any(part.startswith(".") for part in parts):
                    raise RunError(BAD_DATA, f"{self._where(LATEST)} lists {row['key']!r}, no plain path")
                int(row["bytes"]), str(row["sha256"])
            return {"checkpoint": str(said["checkpoint"]), "files": said["files"]}
        except MissingError:
            return None
        except (ValueError, KeyError, TypeError) as wrong:
            text = f"{self._where(LATEST)} cannot be read ({wrong!r}). Fix: write it again or remove it"
            raise RunError(BAD_DATA, text) from None

    def sync(self, newest_only: bool = False) -> str:
        """Send what is newer than the store's newest; the name of the newest there now, '' for none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        there = self.latest()
        newest = self.newest = there["checkpoint"] if there else ""
        waiting = [each for each in local(self.folder) if not newest or order(each.name) > order(newest)]
        for checkpoint in waiting[-1:] if newest_only else waiting:
            try:
                rows = self._send(checkpoint)
            except FileNotFoundError:
                # The trainer keeps few and removed this one; the next is already there.
                continue
            # Another host may have been faster.
            again = self.latest()
            if again and order(again["checkpoint"]) >= order(checkpoint.name):
                newest = again["checkpoint"]
                continue
            pointer = {"version": VERSION, "checkpoint": checkpoint.name, "files": rows, "sent": round(time.time(), 3)}
            self.store.put(self.prefix + LATEST, json.dumps(pointer, indent=1).encode())
            newest = self.newest = checkpoint.name
            print(f"{checkpoint.name}: {len(rows)} files, {sum(r['bytes'] for r in rows)} bytes sent", flush=True)
        return newest

    def _send(self, checkpoint: Checkpoint) -> list[dict[str, Any]]:
        sent = self._sent()
        listed = {each.name: each.size for each in self.store.list(f"{self.prefix}{checkpoint.name}")}

        def one(key: str) -> dict[str, Any]:
            path = self.folder / key
            about = path.stat()
            mark = [about.st_size, about.st_mtime_ns]
            if sent.get(key, [])[:2] == mark and listed.get(self.prefix + key) == about.st_size:
                return {"key": key, "bytes": about.st_size, "sha256": sent[key][2]}
            digest = sha256_of(path)
            self.store.upload(self.prefix + key, path)
            if path.stat().st_mtime_ns != about.st_mtime_ns:
                raise RunError(BAD_DATA, f"{path} was written to while it was sent. Fix: write elsewhere, then rename")
            with self._lock:
                sent[key] = [*mark, digest]
                write_whole(self._notes, json.dumps(sent).encode())
            return {"key": key, "bytes": about.st_size, "sha256": digest}

        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(one, checkpoint.files))

    def _sent(self) -> dict[str, list[Any]]:
        """What was sent of files that are still here."""
        with contextlib.suppress(OSError, ValueError):
            kept = json.loads(self._notes.read_text())
            return {key: mark for key, mark in kept.items() if (self.folder / key).exists()}
        return {}

    def restore(self) -> str:
        """Bring the store's newest checkpoint here unless it is here; its name, '' when there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        there = self.latest()
        if there is None:
            return ""
        name = there["checkpoint"]
        here = local(self.folder)
        if here and order(here[-1].name) >= order(name):
            return here[-1].name
        listed = {each.name: each for each in self.store.list(f"{self.prefix}{name}")}
        coming = self.folder / f".{name}.coming"
        try:
            with ThreadPoolExecutor(self.jobs) as pool:
                list(pool.map(lambda row: self._fetch(row, listed, coming), there["files"]))
            # What completes a checkpoint comes last.
            for top in sorted(
                {PurePosixPath(row["key"]).parts[0] for row in there["files"]}, key=lambda t: t.endswith(".json")
            ):
                target = self.folder / top
                if target.is_dir():
                    shutil.rmtree(target)
                (coming / top).replace(target)
        except OSError as wrong:
            raise disk_problem(self.folder, wrong) from None
        shutil.rmtree(coming, ignore_errors=True)
        print(f"{name}: {len(there['files'])} files restored", flush=True)
        return str(name)

    def _fetch(self, row: dict[str, Any], listed: dict[str, Object], coming: Path) -> None:
        path, where = coming / row["key"], self._where(row["key"])
        if path.is_file() and path.stat().st_size == row["bytes"] and sha256_of(path) == row["sha256"]:
            return
        found = listed.get(self.prefix + row["key"])
        if found is None or found.size != row["bytes"]:
            size = "is missing" if found is None else f"has {found.size} bytes"
            raise RunError(BAD_DATA, f"{where} {size}, {LATEST} says {row['bytes']} bytes. Fix: send it again")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as sink:
            for piece in self.store.read(found, 0, found.size) if found.size else ():
                sink.write(piece)
        if sha256_of(path) != row["sha256"]:
            path.unlink()
            raise RunError(BAD_DATA, f"{where} is not what {LATEST} lists. Fix: send it again")

    def _where(self, key: str) -> str:
        return f"{self.store.url}/{self.prefix}{key}"


def disk_problem(folder: Path, wrong: OSError) -> RunError:
    """What the disk said, for a person."""
    if wrong.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError(BROKEN_DISK, f"{folder}: the disk is full. Fix: make room, then run this again")
    return RunError(BROKEN_DISK, f"{wrong.filename or folder}: {wrong.strerror}")


def write_metrics(path: Path | None, folder: Path, newest: str, success: bool) -> None:
    """For node exporter's textfile collector."""
    if path is None:
        return
    here = local(folder)
    unsent = [each.written for each in here if not newest or order(each.name) > order(newest)]
    unsent_since, written = min(unsent, default=0), here[-1].written if here else 0
    values = {
        "sync_success": ("Whether the last run ended well.", int(success)),
        "sync_timestamp_seconds": ("When the last run ended.", time.time()),
        "unsent_since_seconds": ("When the oldest one that is not in the store was written, 0 for none.", unsent_since),
        "written_timestamp_seconds": ("When the newest one here was written, 0 for none.", written),
        "sent_step": ("Number of the newest one in the store, -1 for none.", order(newest)[0] if newest else -1),
    }
    lines = []
    for name, (about, value) in values.items():
        full = f"fleetyard_checkpoint_{name}"
        lines += [f"# HELP {full} {about}", f"# TYPE {full} gauge", f"{full} {value:.3f}"]
    try:
        write_whole(path, ("\n".join(lines) + "\n").encode())
        path.chmod(0o644)
    except OSError as wrong:
        print(f"{path}: metrics are not written: {wrong.strerror}", file=sys.stderr)


def once(keeper: Keeper, metrics: Path | None, newest_only: bool = False) -> int:
    """One sending; its exit status."""
    try:
        newest = keeper.sync(newest_only)
    except (RunError, StoreError) as wrong:
        print(f"checkpoints: {wrong}", file=sys.stderr, flush=True)
        write_metrics(metrics, keeper.folder, keeper.newest, success=False)
        return wrong.status
    write_metrics(metrics, keeper.folder, newest, success=True)
    return 0


def watch(keeper: Keeper, metrics: Path | None, every: float) -> int:
    """Restore, then send every so often until told to stop, and once more then."""
    told = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: told.set())
    try:
        keeper.restore()
    except (RunError, StoreError) as wrong:
        # Going on would put a run from its beginning over the one that is in the store.
        print(f"checkpoints: {wrong}", file=sys.stderr, flush=True)
        return wrong.status
    _ready()
    while not told.is_set():
        once(keeper, metrics)
        told.wait(every)
    return once(keeper, metrics, newest_only=True)


def _ready() -> None:
    """Tell the service manager that what was to be restored is here."""
    import socket

    if address := os.environ.get("NOTIFY_SOCKET", ""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out, contextlib.suppress(OSError):
            out.connect("\0" + address[1:] if address.startswith("@") else address)
            out.send(b"READY=1")


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="checkpoints.py", description="Keep checkpoints in an object store.")
    parser.add_argument("act", choices=["watch", "sync", "restore"])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--to", required=True, metavar="URL")
    parser.add_argument("--jobs", type=int, default=8, help="connections at once")
    parser.add_argument("--every", type=float, default=60, help="seconds between two looks at the folder")
    parser.add_argument("--metrics", type=Path, metavar="FILE")
    args = parser.parse_args(words)
    try:
        store, prefix = open_store(args.to, connections=args.jobs)
        keeper = Keeper(args.folder, store, prefix, args.jobs)
        if args.act == "restore":
            keeper.restore()
            return 0
        return watch(keeper, args.metrics, args.every) if args.act == "watch" else once(keeper, args.metrics)
    except (RunError, StoreError) as wrong:
        print(f"checkpoints: {wrong}", file=sys.stderr)
        return wrong.status


if __name__ == "__main__":
    sys.exit(main())
