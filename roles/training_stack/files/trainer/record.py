"""The loss of every step as JSON lines: to standard output, and to the store, one object for each start of the run."""

from __future__ import annotations

import json
import sys
import threading
import time

from trainer.stores import Store

FOLDER = "loss/"
EVERY_S = 2.0


class Record:
    """Collects lines and ships them in the background, so that a slow store does not slow training down."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.restarts = len(store.names(FOLDER))
        self._name = f"{FOLDER}{self.restarts:04d}.jsonl"
        self._lines: list[str] = []
        self._shipped = -1
        self._one = threading.Lock()
        self._over = threading.Event()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._ship()
        self._worker.start()

    def add(self, step: int, loss: float, seconds: float) -> None:
        """A step's line. seconds: how long the step took."""
        line = json.dumps(
            {
                "step": step,
                "loss": round(loss, 6),
                "time": round(time.time(), 3),
                "restarts": self.restarts,
                "seconds": round(seconds, 4),
            }
        )
        self._lines.append(line)
        print(line, flush=True)

    def ship(self) -> None:
        """Ship now, as before a checkpoint: the record of a run that continues from there then has no gap.

        A store that fails is said, and does not stop the training.
        """
        try:
            self._ship()
        except Exception as wrong:  # the next round tries again; the last one, in close, does not hide it
            print(f"trainer: the loss record waits: {wrong}", file=sys.stderr, flush=True)

    def _ship(self) -> None:
        # One at a time: an older part must not arrive after a newer one.
        with self._one:
            lines = list(self._lines)
            if len(lines) == self._shipped:
                return
            self._store.put(self._name, "".join(line + "\n" for line in lines).encode())
            self._shipped = len(lines)

    def _work(self) -> None:
        while not self._over.wait(EVERY_S):
            self.ship()

    def close(self) -> None:
        """Ship what is left."""
        self._over.set()
        self._worker.join()
        self._ship()
