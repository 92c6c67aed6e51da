# ruff: noqa: D102
"""Fills a local cache from an object store, or publishes a folder to one.

    hydrate.py fill --from s3://BUCKET/datasets --to /cache/datasets [--jobs 16] [--metrics FILE] [--verify]
    hydrate.py publish FOLDER s3://BUCKET/datasets/NAME

A dataset is a folder of objects with a `manifest.json` that lists them: {"version": 1, "objects": [{"key": "a.bin",
"bytes": 5, "sha256": "..."}]}. `publish` writes the manifest last, `fill` copies it last: a folder with a manifest is
whole. Files appear by renaming, each checked against its hash. What an ended run has fetched is kept and not fetched
again. An object that is shorter than listed, or changes while it is read, ends the run with status 65.

Exit status: 0 done (also when nothing is published), 65 the data is not what the manifest says, 66 no such bucket,
69 the store does not answer, 74 the disk is full or broken, 75 another run holds the cache, 77 no right to read.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from fleetyard_store import ChangedError, MissingError, Object, Store, StoreError, open_store, sha256_of, write_whole

MANIFEST = "manifest.json"
VERSION = 1
TRIES = 5
BUSY, BROKEN_DISK, BAD_DATA = 75, 74, 65
SAY_EVERY_S = 10.0


class RunError(Exception):
    """The run cannot go on."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


@dataclass(frozen=True)
class Entry:
    """A line of a manifest."""

    key: str
    size: int
    sha256: str


@dataclass
class Dataset:
    """A dataset to be filled: what the manifest lists, and where it goes."""

    name: str
    folder: Path
    manifest: bytes
    entries: list[Entry]
    objects: dict[str, Object]


@dataclass
class Progress:
    """What a run did, for its metrics and its last line."""

    datasets: int = 0
    objects: int = 0
    bytes_listed: int = 0
    bytes_fetched: int = 0
    began: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, count: int) -> None:
        with self.lock:
            self.bytes_fetched += count
            if (now := time.monotonic()) - self.said > SAY_EVERY_S:
                self.said = now
                rate = self.bytes_fetched / max(now - self.began, 0.001) / 1e6
                print(f"{self.bytes_fetched / 1e9:.2f} GB fetched, {rate:.0f} MB/s", flush=True)


# Manifests


def read_manifest(where: str, data: bytes) -> list[Entry]:
    """The entries of a manifest. Raises RunError for another shape, or for a key that leaves its folder."""
    try:
        said = json.loads(data)
        if said["version"] != VERSION:
            raise RunError(BAD_DATA, f"{where} has version {said['version']}, this program reads {VERSION}")
        found = [Entry(str(row["key"]), int(row["bytes"]), str(row["sha256"]).lower()) for row in said["objects"]]
    except (ValueError, KeyError, TypeError) as wrong:
        raise RunError(BAD_DATA, f"{where} is no manifest ({wrong!r}). Fix: publish the dataset again") from None
    seen: set[str] = set()
    for entry in found:
        parts = PurePosixPath(entry.key).parts
        hidden = any(part.startswith(".") for part in parts)
        if not parts or entry.key.startswith("/") or hidden or str(PurePosixPath(*parts)) != entry.key:
            raise RunError(BAD_DATA, f"{where} lists {entry.key!r}, which is no plain path below its folder")
        if entry.key == MANIFEST or entry.key in seen or entry.size < 0 or len(entry.sha256) != 64:
            raise RunError(BAD_DATA, f"{where} lists {entry.key!r} twice, or without a size and a sha256")
        seen.add(entry.key)
    return found


def find(store: Store, prefix: str, to: Path, only: Sequence[str]) -> list[Dataset]:
    """The datasets below a prefix, each checked against what the store lists. Raises RunError."""
    listed = {each.name: each for each in store.list(f"{prefix}/" if prefix else "")}
    found = []
    for name in sorted(n for n in listed if PurePosixPath(n).name == MANIFEST):
        root = name.removesuffix(MANIFEST)
        title = root.removeprefix(prefix).strip("/")
        if only and title not in only:
            continue
        data = store.get(name)
        entries = read_manifest(f"{store.url}/{name}", data)
        objects = {}
        for entry in entries:
            there = listed.get(root + entry.key)
            where = f"{store.url}/{root}{entry.key}"
            if there is None:
                raise RunError(BAD_DATA, f"{where} is listed in {MANIFEST} and not there. Fix: publish it again")
            if there.size != entry.size:
                text = f"{where} has {there.size} bytes, {MANIFEST} says {entry.size}: it was truncated or replaced"
                raise RunError(BAD_DATA, f"{text} after it was published. Fix: publish the dataset again")
            objects[entry.key] = there
        found.append(Dataset(title, to / title if title else to, data, entries, objects))
    missing = sorted(set(only) - {each.name for each in found})
    if missing:
        raise RunError(66, f"{store.url}/{prefix} has no dataset {', '.join(missing)}. Fix: publish it, or its name")
    return found


# Files


class File:
    """One object on its way to the disk: parts fetched in any order, then checked, then renamed."""

    def __init__(self, folder: Path, entry: Entry, found: Object, chunk: int) -> None:
        self.entry, self.found, self.chunk = entry, found, chunk
        self.path = folder / entry.key
        self.part = self.path.with_name(f".{self.path.name}.part")
        self.notes = self.path.with_name(f".{self.path.name}.part.json")
        self.lock = threading.Lock()
        self.done: set[int] = set()
        self.left: set[int] = set()

    def prepare(self) -> list[tuple[int, int]]:
        """Take up what an earlier run left; the ranges that are still to be fetched."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        about = {"version": self.found.version, "sha256": self.entry.sha256, "chunk": self.chunk}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self.notes.read_text())
            same = {name: kept[name] for name in about} == about
            if same and self.part.stat().st_size == self.entry.size:
                self.done = {int(start) for start in kept["done"]}
        if not self.done:
            self.notes.unlink(missing_ok=True)
            with self.part.open("wb") as sink:
                sink.truncate(self.entry.size)
        starts = range(0, self.entry.size, self.chunk) if self.entry.size else range(0)
        self.left = set(starts) - self.done
        return [(start, min(start + self.chunk, self.entry.size)) for start in sorted(self.left)]

    def note(self, start: int) -> bool:
        """A part is on disk. True when it was the last one."""
        with self.lock:
            self.done.add(start)
            self.left.discard(start)
            if not self.left:
                return True
            about = {"version": self.found.version, "sha256": self.entry.sha256, "chunk": self.chunk}
            write_whole(self.notes, json.dumps({**about, "done": sorted(self.done)}).encode())
            return False

    def finish(self) -> list[int]:
        """Check the hash and let the file appear; what to remember of it. Raises RunError."""
        if (seen := sha256_of(self.part)) != self.entry.sha256:
            self.forget()
            text = f"{self.found.name} has sha256 {seen}, {MANIFEST} says {self.entry.sha256}"
            raise RunError(BAD_DATA, f"{text}: its content changed. Fix: publish the dataset again")
        self.part.chmod(0o644)
        self.part.replace(self.path)
        self.notes.unlink(missing_ok=True)
        there = self.path.stat()
        return [there.st_size, there.st_mtime_ns]

    def forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)


class Memory:
    """Which files were checked, by their size and time: so that a whole cache is not read at every run."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".hydrate.json"
        self.files: dict[str, list[Any]] = {}
        with contextlib.suppress(OSError, ValueError):
            self.files = dict(json.loads(self._path.read_text()))

    def knows(self, folder: Path, entry: Entry) -> bool:
        kept = self.files.get(entry.key)
        try:
            there = (folder / entry.key).stat()
        except OSError:
            return False
        return kept == [there.st_size, there.st_mtime_ns, entry.sha256] and there.st_size == entry.size

    def save(self) -> None:
        write_whole(self._path, json.dumps(self.files).encode())


# Filling


class Run:
    """One filling of a cache."""

    def __init__(self, store: Store, jobs: int, chunk: int, progress: Progress, verify: bool = False) -> None:
        self.store, self.jobs, self.chunk, self.progress, self.verify = store, jobs, chunk, progress, verify
        self._stop = threading.Event()

    def fill(self, dataset: Dataset) -> None:
        """Fetch what is missing, check it, and let the manifest appear last. Raises RunError or StoreError."""
        dataset.folder.mkdir(parents=True, exist_ok=True)
        memory = Memory(dataset.folder)
        wanted = [entry for entry in dataset.entries if not self._there(dataset, entry, memory)]
        files = [File(dataset.folder, entry, dataset.objects[entry.key], self.chunk) for entry in wanted]
        self._room(dataset, files)
        try:
            self._fetch(files, memory)
        except OSError as wrong:
            raise disk_problem(dataset.folder, wrong) from None
        finally:
            memory.save()
        listed = {entry.key for entry in dataset.entries}
        for key in sorted(set(memory.files) - listed):
            (dataset.folder / key).unlink(missing_ok=True)
            del memory.files[key]
        memory.save()
        write_whole(dataset.folder / MANIFEST, dataset.manifest)
        self.progress.datasets += 1
        self.progress.objects += len(dataset.entries)
        self.progress.bytes_listed += sum(entry.size for entry in dataset.entries)

    def _there(self, dataset: Dataset, entry: Entry, memory: Memory) -> bool:
        if not self.verify and memory.knows(dataset.folder, entry):
            return True
        path = dataset.folder / entry.key
        if not path.is_file() or path.stat().st_size != entry.size or sha256_of(path) != entry.sha256:
            return False
        there = path.stat()
        memory.files[entry.key] = [there.st_size, there.st_mtime_ns, entry.sha256]
        return True

    def _room(self, dataset: Dataset, files: Sequence[File]) -> None:
        """Refuse at once what cannot fit."""
        kept = sum(each.part.stat().st_blocks * 512 for each in files if each.part.exists())
        needed = sum(each.entry.size for each in files) - kept
        disk = os.statvfs(dataset.folder)
        free = disk.f_bavail * disk.f_frsize
        if needed > free:
            text = f"the disk is full: {needed / 1e9:.2f} GB are to be fetched, {free / 1e9:.2f} GB are free"
            fix = "Fix: make room, or a machine with more local disk"
            raise RunError(BROKEN_DISK, f"{dataset.folder}: {text}. {fix}")

    def _fetch(self, files: Sequence[File], memory: Memory) -> None:
        pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="fetch")
        waiting: set[Future[None]] = set()
        try:
            for file in files:
                ranges = file.prepare()
                for start, end in ranges or [(0, 0)]:
                    waiting.add(pool.submit(self._part, file, start, end, memory))
                    # A few ahead: a list of a million parts would only take memory.
                    if len(waiting) >= 4 * self.jobs:
                        waiting = self._some(waiting)
            while waiting:
                waiting = self._some(waiting)
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            self._stop.clear()

    def _some(self, waiting: set[Future[None]]) -> set[Future[None]]:
        done, rest = wait(waiting, timeout=1, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        return rest

    def _part(self, file: File, start: int, end: int, memory: Memory) -> None:
        """Fetch one range, again from where it broke off."""
        if self._stop.is_set():
            return
        at, last = start, ""
        try:
            handle = os.open(file.part, os.O_WRONLY)
        except FileNotFoundError:
            return  # another part found that the object had changed, and tells
        try:
            for attempt in range(TRIES if end > start else 0):
                if attempt:
                    time.sleep(0.2 * 2**attempt)
                try:
                    for piece in self.store.read(file.found, at, end):
                        if self._stop.is_set():
                            return
                        at += os.pwrite(handle, piece, at)
                        self.progress.add(len(piece))
                except (ChangedError, MissingError) as gone:
                    file.forget()
                    raise RunError(BAD_DATA, f"{gone}. Fix: publish the dataset again, then run this again") from None
                except StoreError as broken:
                    if broken.status == 77:
                        raise
                    last = str(broken)
                if at >= end:
                    break
            else:
                if end > start:
                    text = f"{at - start} of {end - start} bytes came from byte {start} on, in {TRIES} tries"
                    raise RunError(69, f"{self.store.url}/{file.found.name} is cut off: {text}. {last}".rstrip())
        finally:
            os.close(handle)
        if file.note(start):
            size, changed = file.finish()
            memory.files[file.entry.key] = [size, changed, file.entry.sha256]


def disk_problem(folder: Path, wrong: OSError) -> RunError:
    """What the disk said, for a person."""
    if wrong.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError(
            BROKEN_DISK, f"{folder}: the disk is full. What was fetched is kept. Fix: make room, run this again"
        )
    return RunError(BROKEN_DISK, f"{wrong.filename or folder}: {wrong.strerror}")


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """One run at a time. Raises RunError (75) when another one works."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".hydrate.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(BUSY, f"another run fills {folder}. Fix: wait until it has ended") from None
        yield


def write_metrics(path: Path | None, progress: Progress, success: bool) -> None:
    """For node exporter's textfile collector."""
    if path is None:
        return
    taken = time.monotonic() - progress.began
    last = None
    if not success:
        with contextlib.suppress(OSError):
            lines = [
                line for line in path.read_text().splitlines() if line.startswith("fleetyard_hydrate_last_success")
            ]
            last = float(lines[0].split()[1]) if lines else None
    values = {
        "success": ("Whether the last run ended well.", int(success)),
        "last_run_timestamp_seconds": ("When the last run ended.", time.time()),
        "last_success_timestamp_seconds": ("When a run last ended well.", time.time() if success else last),
        "duration_seconds": ("How long the last run took.", taken),
        "fetched_bytes": ("Bytes that the last run fetched.", progress.bytes_fetched),
        "listed_bytes": ("Bytes of all datasets in the cache.", progress.bytes_listed),
        "datasets": ("Datasets in the cache.", progress.datasets),
        "objects": ("Files in the cache.", progress.objects),
    }
    lines = []
    for name, (about, value) in values.items():
        if value is not None:
            full = f"fleetyard_hydrate_{name}"
            lines += [f"# HELP {full} {about}", f"# TYPE {full} gauge", f"{full} {value:.3f}"]
    try:
        write_whole(path, ("\n".join(lines) + "\n").encode())
        path.chmod(0o644)
    except OSError as wrong:
        print(f"{path}: metrics are not written: {wrong.strerror}", file=sys.stderr)


def fill(args: argparse.Namespace, progress: Progress) -> None:
    """All datasets below the store's prefix into the folder."""
    store, prefix = open_store(args.source, connections=args.jobs)
    with held(args.to):
        run = Run(store, args.jobs, args.chunk_mib << 20, progress, args.verify)
        for dataset in find(store, prefix, args.to, args.only):
            run.fill(dataset)
    taken = time.monotonic() - progress.began
    rate = progress.bytes_fetched / 1e6 / taken
    print(
        f"{progress.datasets} datasets, {progress.objects} files, {progress.bytes_listed / 1e9:.3f} GB in {args.to}; "
        f"fetched {progress.bytes_fetched / 1e9:.3f} GB in {taken:.1f} s ({rate:.0f} MB/s)"
    )


def publish(args: argparse.Namespace, progress: Progress) -> None:
    """A folder's files into the store, its manifest last."""
    store, prefix = open_store(args.url, connections=args.jobs)
    base = f"{prefix}/" if prefix else ""
    hidden = {
        path for path in args.folder.rglob("*") if any(p.startswith(".") for p in path.relative_to(args.folder).parts)
    }
    paths = sorted(p for p in args.folder.rglob("*") if p.is_file() and p not in hidden and p.name != MANIFEST)
    if not paths:
        raise RunError(66, f"{args.folder} has no files to publish")

    def one(path: Path) -> dict[str, Any]:
        key = path.relative_to(args.folder).as_posix()
        store.upload(base + key, path)
        progress.add(path.stat().st_size)
        return {"key": key, "bytes": path.stat().st_size, "sha256": sha256_of(path)}

    with ThreadPoolExecutor(args.jobs) as pool:
        rows = list(pool.map(one, paths))
    store.put(base + MANIFEST, json.dumps({"version": VERSION, "objects": rows}, indent=1).encode())
    print(f"{len(rows)} files, {sum(row['bytes'] for row in rows) / 1e9:.3f} GB in {args.url}")


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="hydrate.py", description="Fill a local cache from an object store.")
    parser.set_defaults(metrics=None)
    actions = parser.add_subparsers(required=True)
    one = actions.add_parser("fill", help="fetch what is missing and check all of it")
    one.set_defaults(act=fill)
    one.add_argument("--from", dest="source", required=True, metavar="URL")
    one.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    one.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these datasets instead of all")
    one.add_argument("--chunk-mib", type=int, default=32, help="bytes asked for at once")
    one.add_argument("--metrics", type=Path, metavar="FILE")
    one.add_argument("--verify", action="store_true", help="read and check every file again")
    two = actions.add_parser("publish", help="a folder into the store, with its manifest")
    two.set_defaults(act=publish)
    two.add_argument("folder", type=Path)
    two.add_argument("url")
    for each in (one, two):
        each.add_argument("--jobs", type=int, default=16, help="connections at once")
    args = parser.parse_args(words)
    progress = Progress()
    status, text = 0, ""
    try:
        args.act(args, progress)
    except (RunError, StoreError) as wrong:
        status, text = wrong.status, str(wrong)
    except OSError as wrong:
        found = disk_problem(getattr(args, "to", Path(".")), wrong)
        status, text = found.status, str(found)
    # A run that only found another one at work says nothing about the cache.
    if status != BUSY:
        write_metrics(args.metrics, progress, status == 0)
    if status:
        print(f"hydrate: {text}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
