"""Pulumi's own commands, as recovery needs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fleetyard.findings import Exit, error

TAIL = 12


class Engine:
    """The `pulumi` command in a project's folder, for one stack."""

    def __init__(self, project: Path, stack: str) -> None:
        self._project = project
        self._stack = stack
        self._program = shutil.which("pulumi") or ""
        if not self._program:
            raise error("FY1701", "pulumi", "is not on PATH", 'make setup, then eval "$(fleetyard sim env)"')

    def cancel(self) -> None:
        """Remove every lock of the stack. Raises FleetyardError (exit 69, FY1707), as all of these do."""
        self._run("cancel", "--yes", self._stack)

    def deployment(self) -> Mapping[str, Any]:
        """The stack's export; its secrets stay encrypted."""
        exported: Mapping[str, Any] = json.loads(self._run("stack", "export", "--stack", self._stack))
        return exported

    def import_deployment(self, exported: Mapping[str, Any]) -> None:
        """Put an export in the place of the state. The engine checks that it holds together."""
        self._run("stack", "import", "--stack", self._stack, input=json.dumps(exported))

    def refresh(self, urns: Sequence[str]) -> None:
        """Read these resources from the cloud."""
        targets = [word for urn in urns for word in ("--target", urn)]
        again = f"pulumi refresh --stack {self._stack}"
        self._run("refresh", "--yes", "--skip-preview", "--stack", self._stack, *targets, fix=again)

    def _run(self, *words: str, input: str | None = None, fix: str = "mend what it says, then run this again") -> str:
        command = [self._program, *words, "--non-interactive", "--color", "never"]
        done = subprocess.run(  # noqa: S603 - pulumi
            command, cwd=self._project, env=dict(os.environ), input=input, capture_output=True, text=True, check=False
        )
        if done.returncode:
            lines = (done.stdout + done.stderr).strip().splitlines()
            said = "\n".join(lines[-TAIL:])
            what = f"pulumi {' '.join(words[:2] if words[0] == 'stack' else words[:1])}"
            raise error("FY1707", what, f"ended with exit status {done.returncode}:\n{said}\n", fix, Exit.REFUSED)
        return done.stdout
