"""The simulated cloud from outside: Fleetyard starts it as a program of its own and imports nothing of it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fleetyard.findings import Exit, error


def _sim(home: Path, *words: str) -> str:
    env = {**os.environ, "FLEETYARD_SIM_HOME": str(home)}
    command = [sys.executable, "-m", "simcloud", "--home", str(home), *words]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)  # noqa: S603 - our own program
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise error("FY1501", "simulated cloud", said or "ended without a word", "fleetyard sim status", Exit.REFUSED)
    return done.stdout


def start(home: Path, fresh: bool = False) -> str:
    """Start the world of a home folder, emptied first if `fresh`; what it said. Raises FleetyardError (exit 69)."""
    return _sim(home, "start", *(["--fresh"] if fresh else [])).strip()


def stop(home: Path) -> None:
    """Stop it. Its journal stays."""
    _sim(home, "stop")


def environment(home: Path) -> dict[str, str]:
    """The whole environment for programs that shall see the simulated cloud and nothing else."""
    env = dict(os.environ)
    for line in _sim(home, "env").splitlines():
        word, _, rest = line.partition(" ")
        name, _, value = rest.partition("=")
        if word == "unset":
            env.pop(name, None)
        elif word == "export":
            env[name] = "".join(shlex.split(value))
    return env


@contextmanager
def throw_away() -> Iterator[tuple[Path, dict[str, str]]]:
    """A world for one purpose: its home, where more may be put, and its environment; gone afterwards, with all in it.

    Raises FleetyardError (exit 69) when it does not start.
    """
    home = Path(tempfile.mkdtemp(prefix="fleetyard-"))
    try:
        start(home)
        yield home, environment(home)
    finally:
        stop(home)
        shutil.rmtree(home, ignore_errors=True)


def inventory(home: Path) -> Mapping[str, Any]:
    """`resources` that exist and what is `kept` by the clouds' own rules."""
    found: Mapping[str, Any] = json.loads(_sim(home, "inventory", "--json"))
    return found


def called(home: Path) -> Mapping[str, Mapping[str, int]]:
    """Which API operations were called since the world began to run, by cloud."""
    found: Mapping[str, Mapping[str, int]] = json.loads(_sim(home, "called", "--json"))
    return found


def read_actions(types: Sequence[str]) -> tuple[str, ...]:
    """The IAM actions that AWS's own registry lists for reading these types of resources."""
    found: Mapping[str, Sequence[str]] = json.loads(_sim(Path("."), "read-actions", *types))
    return tuple(sorted({action for actions in found.values() for action in actions}))
