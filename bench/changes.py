"""`fleetyard preview` of a change that touches ten stacks, against the slowest of them alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Ratio, Result, in_turn, seconds_of
from bench.sandbox import ROOT, EngineError

BUDGET = 3.0
COPIES = {"a100-train": 4, "tpu-train": 3, "gpu-mig": 3}
"""How many stacks of each kind there are."""


def changes(pairs: int) -> Iterator[Result]:
    """Every stack gets another owner, so that each has tags, labels or templates to change."""
    with tempfile.TemporaryDirectory(prefix="fleetyard-bench-") as folder:
        project = _clone(Path(folder) / "project")
        alone = {kind: seconds_of(lambda kind=kind: _preview(project, "--stack", f"{kind}-1")) for kind in COPIES}
        slowest = max(alone, key=lambda kind: alone[kind])
        ten, one = in_turn(
            lambda: seconds_of(lambda: _preview(project, "--all")),
            lambda: seconds_of(lambda: _preview(project, "--stack", f"{slowest}-1")),
            pairs,
            warm=0,
        )
        yield Ratio("preview of a change to 10 stacks", ten, one, BUDGET, f"{slowest} alone")


def _clone(root: Path) -> Path:
    """A project of its own under git, whose work tree differs from its only commit in every stack file."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "infra", root / "infra", ignore=ignored)
    shutil.copy(ROOT / "Pulumi.yaml", root)
    (root / "stacks").mkdir()
    for kind, number in COPIES.items():
        text = (ROOT / "stacks" / f"Pulumi.{kind}.yaml").read_text()
        kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("encryptionsalt"))
        lock = ROOT / "stacks" / f"{kind}.sizing.json"
        for copy in range(1, number + 1):
            (root / "stacks" / f"Pulumi.{kind}-{copy}.yaml").write_text(kept)
            if lock.exists():
                shutil.copy(lock, root / "stacks" / f"{kind}-{copy}.sizing.json")
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "init.defaultBranch=main")
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "base")):
        subprocess.run(["git", "-C", root, *who, *words], check=True)
    for file in (root / "stacks").glob("Pulumi.*.yaml"):
        changed = file.read_text().replace("owner: ", "owner: other-")
        if changed == file.read_text():
            raise EngineError(f"{file.name} names no owner: the bench must learn what else to change")
        file.write_text(changed)
    return root


def _preview(project: Path, *words: str) -> None:
    command = [sys.executable, "-m", "fleetyard", "preview", "--base", "main", *words]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"fleetyard preview {' '.join(words)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
