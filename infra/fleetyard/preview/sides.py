"""The two versions of the project: the merge base, taken out of git into a folder, and the work tree as it is."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from fleetyard.findings import Exit, FleetyardError, error

BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""Where a branch usually wants to go, when nobody says so."""
_SHARED = ("Pulumi.yaml", "infra", "requirements/lock.txt")
"""What every stack is made of, beside its own two files."""


@dataclass(frozen=True, slots=True)
class Side:
    """One version of the project. `label` is a commit's short name, with a plus when the work tree differs from it."""

    root: Path
    label: str


def git(root: Path, *words: str) -> str:
    """What git says. Raises FleetyardError (exit 69, FY1921) when it refuses."""
    return _git(root, *words).decode().strip()


def _git(root: Path, *words: str) -> bytes:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        message = said[-1] if said else f"ended with exit status {done.returncode}"
        raise error("FY1921", f"git {words[0]}", message, "run this in a clone of the project", Exit.REFUSED)
    return done.stdout


def merge_base(root: Path, wanted: str | None, env: Mapping[str, str]) -> str:
    """The commit from which the head went its own way: from `wanted`, what CI says, or the usual branches.

    Raises FleetyardError (FY1922) when there is none, as in a clone without history.
    """
    candidates = [wanted] if wanted else [*_of_ci(env), *BRANCHES]
    for name in candidates:
        if _known(root, name):
            try:
                return git(root, "merge-base", "HEAD", name)
            except FleetyardError:  # no common history: the next candidate may have one
                continue
    asked = wanted or "the target branch"
    message = f"this clone holds no commit that HEAD shares with {asked}"
    raise error(
        "FY1922", "--base", message, "fetch the whole history (`fetch-depth: 0`), or name a commit that is here"
    )


def _of_ci(env: Mapping[str, str]) -> list[str]:
    """What GitHub and GitLab say the change is to be merged into."""
    found = []
    if env.get("GITHUB_BASE_REF"):
        found.append(f"origin/{env['GITHUB_BASE_REF']}")
    if env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        found.append(env["CI_MERGE_REQUEST_DIFF_BASE_SHA"])
    if env.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        found.append(f"origin/{env['CI_MERGE_REQUEST_TARGET_BRANCH_NAME']}")
    return found


def _known(root: Path, name: str) -> bool:
    words = ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603


def take_out(root: Path, commit: str, into: Path) -> Side:
    """The project as it was in a commit, in a folder of its own; the clone is left as it is."""
    prefix = git(root, "rev-parse", "--show-prefix")
    top = Path(git(root, "rev-parse", "--show-toplevel"))
    packed = _git(top, "archive", "--format=tar", f"{commit}:{prefix}" if prefix else commit)
    into.mkdir(parents=True)
    with tarfile.open(fileobj=BytesIO(packed)) as tar:
        try:
            tar.extractall(into, filter="data")
        except tarfile.FilterError as unsafe:
            # A link out of the project, or anything else that a checkout of somebody's branch must not be trusted with.
            raise error("FY1923", "git archive", str(unsafe), "take it out of the project") from None
    return Side(into, git(root, "rev-parse", "--short", commit))


def work_tree(root: Path) -> Side:
    """The project as it lies there now."""
    dirty = "+" if git(root, "status", "--porcelain", "--", str(root)) else ""
    return Side(root, git(root, "rev-parse", "--short", "HEAD") + dirty)


def same(base: Side, head: Side, stack: str) -> bool:
    """Whether a stack is made of the very same files in both: program, settings, locked packages, its own two files."""
    own = (f"stacks/Pulumi.{stack}.yaml", f"stacks/{stack}.sizing.json")
    return _contents(base.root, (*_SHARED, *own)) == _contents(head.root, (*_SHARED, *own))


def runs_our_code(side: Side) -> bool:
    """Whether a version's Fleetyard is, file for file, the one that is running."""
    ours = Path(__file__).parents[2]
    return _contents(side.root / "infra", ("fleetyard",)) == _contents(ours, ("fleetyard",))


def _contents(root: Path, names: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in names:
        path = root / name
        if path.is_file():
            found[name] = path.read_bytes()
        for folder, folders, files in os.walk(path):
            folders[:] = [f for f in folders if f != "__pycache__" and not f.endswith(".egg-info")]
            for file in files:
                full = Path(folder, file)
                found[str(full.relative_to(root))] = full.read_bytes()
    return found
