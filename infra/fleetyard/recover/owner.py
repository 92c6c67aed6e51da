"""Whether the process that holds a lock still lives: proven, or not claimed."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

SLACK = timedelta(seconds=2)
"""Start times are ticks from a boot time in whole seconds: only a clearly later start proves another process."""
DEAD_STATES = frozenset("ZXx")
"""Process states that never run again. Source: proc_pid_stat(5)."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of the file backend: who made it, and when (an aware time)."""

    file: Path
    pid: int
    user: str
    host: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid}) since {self.at:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Process:
    """What the system says of a process id: its state (a letter), and when it was started."""

    state: str
    started: datetime | None


class Life(StrEnum):
    """What can be said of an owner."""

    DEAD = "dead"
    ALIVE = "alive"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the owner lives, and what proves it."""

    life: Life
    proof: str


def judge(lock: Lock, host: str, process: Process | None) -> Verdict:
    """Pure: the owner's life from the lock, this machine's name and what this machine says of the process id."""
    if lock.host != host:
        return Verdict(Life.ELSEWHERE, f"it was made on {lock.host}, and this is {host}")
    if process is None:
        return Verdict(Life.DEAD, f"no process {lock.pid} runs on {host}")
    if process.state in DEAD_STATES:
        return Verdict(Life.DEAD, f"process {lock.pid} has ended and only waits for its parent to notice")
    if process.started is not None and process.started > lock.at + SLACK:
        return Verdict(Life.DEAD, f"process {lock.pid} was started after the lock was made: another one has its number")
    return Verdict(Life.ALIVE, f"process {lock.pid} runs on {host}")


def verdict(lock: Lock) -> Verdict:
    """The same, asking this machine."""
    host = socket.gethostname()
    return judge(lock, host, process(lock.pid) if lock.host == host else None)


def process(pid: int) -> Process | None:
    """What this machine says of a process id; None when there is none."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass  # it runs, as somebody else
    return _from_proc(pid) if Path("/proc/self/stat").exists() else _from_ps(pid)


def _from_proc(pid: int) -> Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except FileNotFoundError:
        return None
    except (OSError, StopIteration):
        return Process("?", None)
    # The name in parentheses may hold anything, spaces and parentheses too.
    fields = text.rpartition(")")[2].split()
    seconds = int(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return Process(fields[0], datetime.fromtimestamp(seconds).astimezone())


def _from_ps(pid: int) -> Process | None:
    done = subprocess.run(  # noqa: S603 - a number is its only argument
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607 - the system's own
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    words = done.stdout.split()
    if len(words) < 6:
        return None
    return Process(words[0][0], datetime.strptime(" ".join(words[1:6]), "%a %b %d %H:%M:%S %Y").astimezone())
