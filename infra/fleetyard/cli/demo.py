"""`fleetyard demo`: both environments through the whole road on the simulated cloud, in a world of its own.

Size, check, preview, up, show, refresh, destroy; then what is left. The stack files are copied first: Pulumi writes
into them, and the work tree shall stay clean.
"""

from __future__ import annotations

import argparse
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
from fleetyard.cli.project import project_root
from fleetyard.copies import copy
from fleetyard.findings import Exit, error

ENVIRONMENTS = ("a100-train", "tpu-train")
QUIET_S = 5.0
"""A step that takes longer says every so often that it is alive."""


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument(
        "stacks", nargs="*", default=list(ENVIRONMENTS), help="which stacks (default: both environments)"
    )
    parser.add_argument(
        "--pictures", type=Path, default=None, help="where to write the SVGs (default: the demo's home)"
    )


def run(args: argparse.Namespace) -> int:
    """Run it. Exit status 1 when something is left that nobody asked to keep; a failed step raises FleetyardError."""
    root = project_root()
    home = _home()
    began = time.monotonic()
    print("Fleetyard demo. Everything below is simulated: nothing is bought, no account is needed.\n", flush=True)
    with _step("start a simulated AWS and Google Cloud"):
        simulated.start(home, fresh=True)
    try:
        env = simulated.environment(home)
        shutil.rmtree(home / "project", ignore_errors=True)
        project = copy(root, home / "project")
        demo = Demo(project, env, home / "demo.log", args.pictures or home)
        demo.log.unlink(missing_ok=True)
        for stack in args.stacks:
            demo.walk(stack)
        left = _what_is_left(home, args.stacks)
    finally:
        simulated.stop(home)
    print(f"\nDone in {time.monotonic() - began:.0f} s. Pictures and the whole log: {demo.pictures}")
    return Exit.FINDINGS if left else Exit.DONE


def _home() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "fleetyard" / "demo"


@contextmanager
def _step(what: str) -> Iterator[list[str]]:
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
class Demo:
    """What every step of the demo needs."""

    project: Path
    env: Mapping[str, str]
    log: Path
    pictures: Path

    def walk(self, stack: str) -> None:
        """One environment from its stack file to nothing and back."""
        print(f"\n{stack}", flush=True)
        with _step("size"):
            sized = self._fleetyard("size", "--stack", stack)
        _indented(sized)
        with _step("check") as said:
            self._fleetyard("check", "--stack", stack)
            said.append("nothing stands in the way")
        self._pulumi("stack", "init", stack)
        with _step("pulumi preview") as said:
            said.append(_counts(self._pulumi("preview", "--stack", stack)))
        with _step("pulumi up") as said:
            said.append(_counts(self._pulumi("up", "--yes", "--skip-preview", "--stack", stack)))
        picture = self.pictures / f"{stack}.svg"
        with _step("show what stands"):
            shown = self._fleetyard("show", "--stack", stack, "--svg", str(picture))
        _indented(shown)
        print(f"    picture: {picture}")
        with _step("pulumi refresh") as said:
            said.append(
                _counts(self._pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack))
            )
        with _step("pulumi destroy") as said:
            said.append(_counts(self._pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)))

    def _fleetyard(self, *words: str) -> str:
        return self._run([sys.executable, "-m", "fleetyard", *words])

    def _pulumi(self, *words: str) -> str:
        pulumi = shutil.which("pulumi", path=self.env.get("PATH"))
        if pulumi is None:
            raise error("FY1502", "pulumi", "is not on PATH", "make setup")
        return self._run([pulumi, *words, "--non-interactive", "--color", "never"])

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run(  # noqa: S603 - pulumi and ourselves
            command, cwd=self.project, env=dict(self.env), capture_output=True, text=True, check=False
        )
        with self.log.open("a") as log:
            log.write(f"$ {' '.join(command[1:])}\n{done.stdout}{done.stderr}\n")
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
            message = f"ended with exit status {done.returncode}:\n{tail}\n"
            raise error("FY1503", " ".join(command[1:4]), message, f"the whole log is {self.log}", Exit.REFUSED)
        return done.stdout


def _indented(text: str) -> None:
    print("\n".join(f"    {line}" for line in text.rstrip().splitlines()), flush=True)


def _counts(text: str) -> str:
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


def _what_is_left(home: Path, stacks: Sequence[str]) -> bool:
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
