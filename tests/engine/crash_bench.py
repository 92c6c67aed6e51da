"""Killing an `up` at a chosen call, and asking what is left of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine_bench import Engine

from simcloud.client import ask
from simcloud.server import running

LONG_S = 60.0
HOLD_S = 0.5
"""How long the call in which somebody dies is held: the kill lands while it is on its way."""


@dataclass(frozen=True)
class Blow:
    """What happens at a call of an `up`.

    who: `engine`, `program`, `world` (before the call), `world after` (it is done, not answered), `both` (the engine,
    then the world after), `reply` (nobody dies, the answer is lost). call: as faults name it. after: so many such
    calls pass. finds: what recovery must find, as (action, last part of the type). lost: another call, before, whose
    answer is lost.
    """

    who: str
    call: str
    after: int = 0
    finds: frozenset[tuple[str, str]] = frozenset()
    lost: str = ""

    def __str__(self) -> str:
        return f"{self.who} at {self.call}"


def blow(who: str, call: str, *finds: tuple[str, str], after: int = 0, lost: str = "") -> Blow:
    return Blow(who, call, after, frozenset(finds), lost)


@dataclass
class Wreck:
    """One stack of the project, and the life that it leads here."""

    engine: Engine
    stack: str
    log: list[str] = field(default_factory=list)

    def strike(self, at: Blow) -> int:
        """Run `up` and let the blow fall; the status with which `up` ended (negative: a signal)."""
        kinds = {"world": "crash-before", "world after": "crash-after", "reply": "lose-reply"}
        self._fault(kinds.get(at.who, "slow"), at.call, at.after)
        if at.who == "both":
            self._fault("crash-after", at.call, at.after)
        if at.lost:
            self._fault("lose-reply", at.lost, 0)
        up = self._up()
        try:
            if at.who in ("engine", "program", "both"):
                self._wait(lambda: self._fired() or up.poll() is not None, f"{at} never came")
                assert up.poll() is None, f"up ended before {at}: {self._said()}"
                os.kill(program_of(up.pid) if at.who == "program" else up.pid, signal.SIGKILL)
            status = up.wait(LONG_S)
        finally:
            if up.poll() is None:
                up.kill()
                up.wait()
        if at.who == "both":
            self._wait(lambda: running(self.engine.home) is None, f"the world survived {at}")
        if running(self.engine.home) is None:
            self.engine.start()
        else:
            assert self._fired(), f"{at} never came: {self._said()}"
            self._settle()
            self._ask("faults/clear")
        return status

    def _fault(self, kind: str, call: str, after: int) -> None:
        self._ask("fault", {"match": call, "kind": kind, "after": after, "times": 1, "seconds": HOLD_S})

    def _ask(self, what: str, args: dict[str, Any] | None = None) -> Any:
        world = running(self.engine.home)
        assert world is not None
        return ask(world, what, args)

    def _up(self) -> subprocess.Popen[bytes]:
        pulumi = shutil.which("pulumi", path=self.engine.env["PATH"])
        assert pulumi
        words = ["up", "--yes", "--skip-preview", "--stack", self.stack, "--non-interactive", "--color", "never"]
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [pulumi, *words], cwd=self.engine.project, env=self.engine.env, stdout=log, stderr=log
            )

    @property
    def _log(self) -> Path:
        return self.engine.home / "up.log"

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def _fired(self) -> bool:
        world = running(self.engine.home)
        return world is not None and ask(world, "status")["faults"][0]["fired"] > 0

    def _settle(self) -> None:
        """Until what was on its way has arrived."""
        journal, seen = self.engine.home / "journal", -1
        time.sleep(HOLD_S)
        while seen != (size := journal.stat().st_size):
            seen = size
            time.sleep(0.2)

    @staticmethod
    def _wait(ready: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + LONG_S
        while not ready():
            assert time.monotonic() < end, what
            time.sleep(0.01)

    # What is left

    def recover(self, *words: str) -> tuple[int, dict[str, Any]]:
        """`fleetyard recover --json`: its status and what it says."""
        done = self.engine.fleetyard("recover", "--stack", self.stack, "--json", *words)
        assert done.status in (0, 1), done.text
        return done.status, json.loads(done.out)

    @property
    def files(self) -> Path:
        return self.engine.home / "state" / ".pulumi"

    def locks(self) -> list[Path]:
        return list((self.files / "locks" / "organization" / "fleetyard" / self.stack).glob("*.json"))

    def state(self) -> dict[str, Any]:
        """The recorded deployment, read past the engine."""
        text = (self.files / "stacks" / "fleetyard" / f"{self.stack}.json").read_text()
        return dict(json.loads(text)["checkpoint"].get("latest") or {})

    def pending(self) -> list[str]:
        return [op["type"] for op in self.state().get("pending_operations") or ()]

    def recorded(self) -> set[str]:
        return {row["id"] for row in self.state().get("resources", []) if row.get("custom") and row.get("id")}

    def standing(self) -> set[str]:
        """The ids of what exists, as inventories of both clouds say them."""
        return {row["id"] for row in self._ask("inventory")["resources"]}


def program_of(engine: int) -> int:
    """The process below the engine that runs the program."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = (int(stat[1]), (folder / "cmdline").read_bytes())
            except OSError:
                continue
    below = {engine}
    while more := {pid for pid, (parent, _) in parents.items() if parent in below} - below:
        below |= more
    found = [pid for pid in below if b"language-python-exec" in parents[pid][1]]
    assert len(found) == 1, [parents[pid] for pid in below]
    return found[0]
