"""`fleetyard preview` on the real engine: a branch that changes one stack, adds one, removes one and breaks one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from engine_bench import BIN, ROOT, Engine


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", "-C", root, *who, *words], check=True, capture_output=True)


def fleetyard(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "GOOGLE_", "PULUMI_", "GITHUB_", "CI_"))}
    env |= {"PATH": f"{BIN}:{env['PATH']}", "HOME": os.environ["HOME"], "TMPDIR": str(root.parent / "tmp")}
    command = [sys.executable, "-m", "fleetyard", "preview", *words]
    return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=300, check=False)


def edit(root: Path, stack: str, old: str, new: str) -> None:
    path = root / "stacks" / f"Pulumi.{stack}.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A project with the smallest stack under four names, on a branch of its own."""
    root = tmp_path / "project"
    (root / "stacks").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    (root / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    shutil.copytree(ROOT / "infra", root / "infra", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    text = (ROOT / "stacks" / "Pulumi.gpu-mig.yaml").read_text()
    text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("encryptionsalt"))
    for name in ("edited", "left-alone", "removed", "broken"):
        (root / "stacks" / f"Pulumi.{name}.yaml").write_text(text)
        for lock in (ROOT / "stacks").glob("gpu-mig.sizing.json"):
            (root / "stacks" / f"{name}.sizing.json").write_text(lock.read_text())
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "base")
    git(root, "checkout", "-qb", "change")
    return root


def test_a_branch_is_previewed_stack_by_stack(clone: Path) -> None:
    edit(clone, "edited", "owner: ", "owner: other-")
    (clone / "stacks" / "Pulumi.added.yaml").write_text((clone / "stacks" / "Pulumi.left-alone.yaml").read_text())
    (clone / "stacks" / "Pulumi.removed.yaml").unlink()
    edit(clone, "broken", "region: ", "region: no-such-")
    done = fleetyard(clone, "--base", "main", "--json")
    assert done.returncode == 1, done.stdout + done.stderr  # one stack cannot be previewed
    found = {stack["stack"]: stack for stack in json.loads(done.stdout)["stacks"]}
    assert {name: stack["outcome"] for name, stack in found.items()} == {
        "added": "new",
        "broken": "failed",
        "edited": "changed",
        "left-alone": "unchanged",
        "removed": "removed",
    }
    edited = {(r["op"], r["type"].rpartition(":")[2]): r for r in found["edited"]["resources"]}
    assert "labels" in str(edited["replace", "InstanceTemplate"]["because"])
    assert ("update", "Bucket") in edited
    assert found["edited"]["before"]["accelerators"] == found["edited"]["after"]["accelerators"] > 0
    assert {r["op"] for r in found["added"]["resources"]} == {"create"}
    assert found["added"]["before"]["accelerators"] == 0
    assert found["removed"]["after"]["accelerators"] == 0
    assert "no-such-" in str(found["broken"]["problems"])
    # Nothing is left: no world runs, no folder lies about, the clone is as it was.
    assert list((clone.parent / "tmp").iterdir()) == []
    status = subprocess.run(["git", "-C", clone, "status", "--porcelain"], capture_output=True, text=True, check=True)
    assert sorted(status.stdout.split()[1::2]) == [
        "stacks/Pulumi.added.yaml",
        "stacks/Pulumi.broken.yaml",
        "stacks/Pulumi.edited.yaml",
        "stacks/Pulumi.removed.yaml",
    ]


def test_a_branch_that_changes_nothing_runs_nothing(clone: Path) -> None:
    (clone / "README.md").write_text("words\n")
    done = fleetyard(clone, "--base", "main", "--markdown")
    assert done.returncode == 0, done.stderr
    assert "No stack is affected." in done.stdout
    assert "brought up" not in done.stderr


def test_a_work_tree_is_previewed_against_what_stands(engine: Engine) -> None:
    engine.use_fleetyard()
    git(engine.project, "init", "-q")
    git(engine.project, "add", ".")
    git(engine.project, "commit", "-qm", "base")
    engine.pulumi("stack", "init", "gpu-mig")
    engine.pulumi("up", "--yes", "--skip-preview", "--stack", "gpu-mig")
    same = engine.fleetyard("preview", "--account", "--stack", "gpu-mig")
    assert same.status == 0, same.text
    engine.edit("gpu-mig", "owner: ", "owner: other-")
    done = engine.fleetyard("preview", "--account", "--stack", "gpu-mig", "--markdown")
    assert done.out.startswith("<!-- fleetyard-preview account -->")
    assert "Against what stands in the simulated account" in done.out
    assert "`gcp:compute/instanceTemplate:InstanceTemplate`" in done.out
