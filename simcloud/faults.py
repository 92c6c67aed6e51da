"""Making the simulated cloud fail on purpose: throttled, slow and lost calls, and a crash at a chosen call.

A fault says which calls it meets (`match`, a shell pattern over `service:Operation` or `METHOD path`), which of them
(`every`, `after`, `times`) and what happens (`kind`). Faults live in memory and never touch the journal: a world that
restarts is whole.
"""

from __future__ import annotations

import fnmatch
import os
import signal
import threading
import time
from dataclasses import dataclass, field

KINDS = {
    "throttle": "refuse with the service's throttling error, before anything is done",
    "error": "refuse with an internal error, before anything is done",
    "slow": "answer after `seconds`",
    "lose-request": "close the connection before anything is done",
    "lose-reply": "do it, then close the connection without an answer",
    "crash-before": "kill the world (SIGKILL) before anything is done",
    "crash-after": "kill the world (SIGKILL) when it is done, before the answer",
}


@dataclass(slots=True)
class Fault:
    """One planned failure. `after`: calls that match and are let pass first; `every`: then each n-th; `times`: at
    most."""

    match: str
    kind: str
    after: int = 0
    every: int = 1
    times: int | None = None
    seconds: float = 1.0
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault of kind {self.kind!r}: one of {', '.join(KINDS)}")
        if self.every < 1:
            raise ValueError("every: at least 1")


class LostConnectionError(Exception):
    """The caller gets no answer."""


class Faults:
    """The faults that are set. Thread-safe."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._guard = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Set one more."""
        with self._guard:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove all."""
        with self._guard:
            self._faults.clear()

    def listed(self) -> list[dict[str, object]]:
        """What is set, and how often it has fired."""
        with self._guard:
            return [{"match": f.match, "kind": f.kind, "seen": f.seen, "fired": f.fired} for f in self._faults]

    def meeting(self, call: str) -> list[Fault]:
        """The faults that strike this call; counts it."""
        struck = []
        with self._guard:
            for fault in self._faults:
                if not fnmatch.fnmatchcase(call, fault.match):
                    continue
                fault.seen += 1
                turn = fault.seen - fault.after
                if turn < 1 or (turn - 1) % fault.every or (fault.times is not None and fault.fired >= fault.times):
                    continue
                fault.fired += 1
                struck.append(fault)
        return struck


def strike_before(faults: list[Fault]) -> str | None:
    """Carry out what happens before the call; return the kind of refusal (`throttle`, `error`) if it is one."""
    for fault in faults:
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        elif fault.kind == "crash-before":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault.kind == "lose-request":
            raise LostConnectionError
        elif fault.kind in ("throttle", "error"):
            return fault.kind
    return None


def strike_after(faults: list[Fault]) -> None:
    """Carry out what happens after the call has been done and before it is answered."""
    for fault in faults:
        if fault.kind == "crash-after":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault.kind == "lose-reply":
            raise LostConnectionError
