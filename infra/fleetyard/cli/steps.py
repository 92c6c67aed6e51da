"""What the demonstrations are told with: steps that say how long they take, commands with a log, and what is left."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetyard import simulated
from fleetyard.findings import Exit, error

QUIET_S = 5.0
"""A step that takes longer says every so often that it is alive."""


@contextmanager
def alone(name: str) -> Iterator[Path]:
    """The folder of a demonstration, held until the block ends.

    Raises FleetyardError (FY1508) when another one of the same name runs: it would lose its world.
    """
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    home = Path(state) / "fleetyard" / name
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise error("FY1508", str(home), "another demonstration runs in it", "wait for its end", 75) from None
        yield home


@contextmanager
def step(what: str) -> Iterator[list[str]]:
    """One step: its name, its elapsed time, and what its block appends to the list it gets."""
    print(f"  {what} ", end="", flush=True)
    started = time.monotonic()
    done = threading.Event()

    def alive() -> None:
        while not done.wait(QUIET_S):
            print(f"… {time.monotonic() - started:.0f} s ", end="", flush=True)

    watcher = threading.Thread(target=alive, daemon=True)
    watcher.start()
    said: list[str] = []
    try:
        yield said
    except BaseException:
        print("failed", flush=True)
        raise
    finally:
        done.set()
        watcher.join()
    print(f"({time.monotonic() - started:.1f} s){': ' if said else ''}{'; '.join(said)}", flush=True)


@dataclass(frozen=True)
class Commands:
    """Runs the programs that a person would type, in a project folder; what they say goes into a log."""

    project: Path
    env: Mapping[str, str]
    log: Path

    def fleetyard(self, *words: str) -> str:
        """`fleetyard ...`; what it printed. Raises FleetyardError when it fails."""
        return self.run([sys.executable, "-m", "fleetyard", *words])

    def pulumi(self, *words: str) -> str:
        """`pulumi ...`, the same."""
        pulumi = shutil.which("pulumi", path=self.env.get("PATH"))
        if pulumi is None:
            raise error("FY1502", "pulumi", "is not on PATH", "make setup")
        return self.run([pulumi, *words, "--non-interactive", "--color", "never"])

    def run(self, command: Sequence[str]) -> str:
        """Any program, the same."""
        lines: list[str] = []
        with self.log.open("a", buffering=1) as log:
            log.write(f"$ {' '.join(command[1:])}\n")
            with subprocess.Popen(  # noqa: S603 - pulumi, ansible and ourselves
                command,
                cwd=self.project,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as child:
                for line in child.stdout or ():
                    log.write(line)
                    lines.append(line)
        if child.returncode:
            tail = "\n".join(self.log.read_text().strip().splitlines()[-12:])
            message = f"ended with exit status {child.returncode}:\n{tail}\n"
            raise error("FY1503", " ".join(command[1:4]), message, f"the whole log is {self.log}", Exit.REFUSED)
        return "".join(lines)


def indented(text: str) -> None:
    """Print what a command said below its step."""
    print("\n".join(f"    {line}" for line in text.rstrip().splitlines()), flush=True)


def counts(text: str) -> str:
    """The engine's own summary: `54 created`."""
    lines = text.splitlines()
    at = max((i for i, line in enumerate(lines) if line.strip() == "Resources:"), default=None)
    if at is None:
        return "nothing to do"
    found = []
    for line in lines[at + 1 :]:
        match = re.match(r"\s+[-+~]* ?(\d+ .+)$", line)
        if not match:
            break
        found.append(match.group(1).strip())
    return ", ".join(found) or "nothing to do"


_MEANT_TO_STAY = ("bucket", "kms", "iam.binding")
"""With `on_destroy: keep`, a store stays: its bucket, its objects' key, and the bucket's right to use that key."""


def what_is_left(home: Path, stacks: Sequence[str]) -> bool:
    """Print what exists after `destroy`, and why. True when something is there that nobody asked to keep."""
    found = simulated.inventory(home)
    meant: list[Mapping[str, Any]] = []
    other: list[Mapping[str, Any]] = []
    for row in found["resources"]:
        mine = any(stack in json.dumps([row["id"], row["tags"]]) for stack in stacks)
        stays = mine and any(word in row["type"].lower() for word in _MEANT_TO_STAY)
        (meant if stays else other).append(row)
    print("\nAfter destroy")
    _rows("kept because the stack files say `on_destroy: keep`", meant, lambda row: "")
    _rows("kept by the clouds themselves", found["kept"], lambda row: f" ({row['state'].lower()}: {row['why']})")
    if other:
        _rows("LEFT BEHIND, and nobody asked for it", other, lambda row: "")
    else:
        print("  anything else: nothing")
    return bool(other)


def _rows(title: str, rows: Sequence[Mapping[str, Any]], more: Callable[[Mapping[str, Any]], str]) -> None:
    print(f"  {title}:{'' if rows else ' nothing'}")
    for row in rows:
        name = str(row["id"])
        print(f"    {row['type']} {name if len(name) < 100 else '…' + name[-99:]}{more(row)}")
