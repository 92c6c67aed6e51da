"""Deleting what others still use: again, until they have let go."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

from fleetyard.findings import Exit, error

PATIENCE_S = 600.0
"""A NAT gateway or a group with machines takes minutes to go."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0


class Answer(StrEnum):
    """What a refused deletion means."""

    GONE = "gone"
    BUSY = "busy"
    REFUSED = "refused"


class RefusedError(Exception):
    """A cloud did not delete something. code: the service's own; what it means stands in `answer`."""

    def __init__(self, code: str, message: str, answer: Answer) -> None:
        super().__init__(f"{code}: {message}")
        self.answer = answer


def patiently(what: str, delete: Callable[[], None], patience_s: float = PATIENCE_S) -> None:
    """Delete; once more while it is busy. Raises FleetyardError (exit 69, FY1708) when it is refused or stays busy."""
    end, pause = time.monotonic() + patience_s, FIRST_PAUSE_S
    while True:
        try:
            delete()
            return
        except RefusedError as refused:
            if refused.answer is Answer.GONE:
                return
            if refused.answer is Answer.REFUSED or time.monotonic() > end:
                fix = "delete it by hand, then run this again"
                raise error("FY1708", what, f"could not be deleted: {refused}", fix, Exit.REFUSED) from None
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_S)
