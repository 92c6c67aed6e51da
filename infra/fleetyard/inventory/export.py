"""Where a project's folder is, and a stack's export: out of its state, or from a file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from fleetyard.findings import FleetyardError, error
from fleetyard.outputs import NAME


def project_root(start: Path | None = None) -> Path:
    """The nearest folder, going up, with a Pulumi.yaml; the folder itself where there is none."""
    start = start or Path.cwd()
    return next((folder for folder in (start, *start.parents) if (folder / "Pulumi.yaml").exists()), start)


def exported(file: str | None, stack: str, project: Path) -> Any:
    """The export, from a file (`-`: standard input) or from the stack's state.

    Raises FleetyardError: FY1904 without pulumi, FY1905 when the stack does not stand, FY1906 for no such file.
    """
    if file is not None:
        return _from_file(file)
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise error("FY1904", "pulumi", "is not on PATH", 'make setup, then eval "$(fleetyard sim env)"')
    command = [pulumi, "stack", "output", NAME, "--json", "--stack", stack, "--non-interactive"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise _not_standing(stack, done.stderr)
    return _json(done.stdout, "pulumi stack output")


def _not_standing(stack: str, said: str) -> FleetyardError:
    line = next((line for line in said.splitlines() if line.strip()), "pulumi said nothing")
    message = f"its export cannot be read: {line.removeprefix('error: ')}"
    return error("FY1905", f"stack {stack}", message, f"`pulumi up --stack {stack}`, or --planned")


def _from_file(file: str) -> Any:
    try:
        return _json(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"), file)
    except (OSError, UnicodeDecodeError) as problem:
        raise error(
            "FY1906", file, f"cannot be read: {problem}", "the output of `pulumi stack output --json`"
        ) from None


def _json(text: str, where: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise error("FY1906", where, "is no JSON", "the output of `pulumi stack output --json`") from None
    return value[NAME] if isinstance(value, dict) and NAME in value and "version" not in value else value
