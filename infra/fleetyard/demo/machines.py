"""The booted hosts of the demonstration's world, through the simulated cloud's own command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from fleetyard.findings import Exit, error

PATIENCE_S = 180.0


class Machines:
    """Hosts of one world."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def _sim(self, *words: str, status: tuple[int, ...] = (0,)) -> str:
        command = [sys.executable, "-m", "simcloud", "--home", str(self._home), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)  # noqa: S603
        if done.returncode not in status:
            said = (done.stdout + done.stderr).strip()
            exit_code = Exit.PERMISSION if done.returncode == Exit.PERMISSION else Exit.REFUSED
            raise error("FY1504", f"fleetyard sim {' '.join(words[:2])}", said, "make setup-hosts", exit_code)
        return done.stdout

    def start(self, layer: str | None) -> None:
        """Boot instances from now on. Raises FleetyardError (exit 77 without root, 69 when it does not start)."""
        self._sim("hosts", "start", *(["--layer", layer] if layer else []))

    def stop(self) -> None:
        """Shut all down."""
        self._sim("hosts", "stop", status=(0, 1))

    def wait(self, count: int) -> None:
        """Until so many can be logged in to. Raises FleetyardError."""
        self._sim("hosts", "wait", str(count), "--seconds", str(PATIENCE_S))

    def listed(self) -> list[dict[str, Any]]:
        """The hosts that there are."""
        found: list[dict[str, Any]] = json.loads(self._sim("hosts", "list", "--json"))
        return found

    def none_left(self) -> None:
        """Wait until none is there. Raises FleetyardError when one stays."""
        until = time.monotonic() + PATIENCE_S
        while rows := self.listed():
            if time.monotonic() > until:
                names = ", ".join(str(row["host"]) for row in rows)
                raise error("FY1505", "hosts", f"still there after destroy: {names}", "fleetyard sim hosts list", 69)
            time.sleep(0.2)

    def lose_power(self, cloud: str, key: str, noticed_after_s: int) -> None:
        """The hardware under a machine fails at once; the cloud notices some seconds later."""
        self._sim("set", cloud, "power-loss", f"id={key}", f"after={noticed_after_s}")

    def on(self, host: str, command: str) -> str:
        """A command on a host's console, as root; what it printed, whatever its exit status."""
        return self._sim("hosts", "exec", host, "--", "bash", "-c", command, status=tuple(range(256)))
