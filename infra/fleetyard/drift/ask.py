"""Ask the engine and the nodes; nothing is changed by it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from fleetyard.drift import cloud, nodes
from fleetyard.drift.model import Difference, Report
from fleetyard.findings import Exit, error
from fleetyard.settings import simulated

REACHED = (0, 2, 4)
"""ansible-playbook: all well, a task failed on a host, a host did not answer. The reports say which."""
TAIL = 600


def drift(project: Path, stack: str, inventory: Path | None, hosts: bool = True) -> Report:
    """Everything that differs. hosts: whether nodes are asked too.

    Raises FleetyardError: FY1520 when the engine fails, FY1521 when the playbook or its inventory does.
    """
    changed = _cloud(project, stack)
    found: list[Difference] = []
    unknown: dict[str, str] = {}
    names: list[str] = []
    if hosts:
        where = inventory or project / "inventory" / f"{stack}.fleetyard.yml"
        names = _names(project, where)
        with tempfile.TemporaryDirectory(prefix="fleetyard-drift-") as folder:
            if names:
                words = ["-e", json.dumps({"node_state_reports": folder}), "playbooks/drift.yml"]
                _ansible(project, "ansible-playbook", "-i", str(where), *words, well=REACHED)
            found, unknown = nodes.read(Path(folder), names)
    asked = tuple(name for name in sorted(names) if name not in unknown)
    rest = tuple(sorted(unknown.items()))
    return Report(stack, simulated(os.environ), tuple(changed), tuple(found), asked, rest)


def _cloud(project: Path, stack: str) -> list[Difference]:
    words = ["refresh", "--preview-only", "--json", "--non-interactive", "--stack", stack]
    status, out, err = run(project, "pulumi", words)
    if status:
        raise error("FY1520", f"stack {stack}", f"the refresh failed: {_last(err or out)}", exit_code=Exit.REFUSED)
    return cloud.read(out)


def _names(project: Path, inventory: Path) -> list[str]:
    listed = _ansible(project, "ansible", "-i", str(inventory), "fleetyard", "--list-hosts")
    return [line.strip() for line in listed.splitlines()[1:] if line.strip()]


def _ansible(project: Path, program: str, *words: str, well: Sequence[int] = (0,)) -> str:
    status, out, err = run(project, program, words, {"ANSIBLE_NOCOLOR": "1"})
    if status not in well:
        raise error("FY1521", program, f"ended with exit status {status}: {_last(err or out)}", exit_code=Exit.REFUSED)
    return out


def run(
    project: Path, program: str, words: Sequence[str], more: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run a program in the project's folder: its exit status and what it said.

    Raises FleetyardError FY1521 where there is no such program.
    """
    # Ansible is installed beside us, also where the environment is not activated.
    beside = Path(sys.executable).with_name(program)
    path = str(beside) if beside.exists() else shutil.which(program)
    if path is None:
        raise error("FY1521", program, "is not on PATH", 'make setup, then eval "$(fleetyard sim env)"')
    done = subprocess.run(  # noqa: S603
        [path, *words],
        cwd=project,
        env={**os.environ, **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def _last(text: str) -> str:
    return text.strip()[-TAIL:]
