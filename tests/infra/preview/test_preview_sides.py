"""Both versions of the project out of git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from fleetyard.copies import PLACEHOLDER, copy, without_secrets
from fleetyard.findings import FleetyardError
from fleetyard.preview.sides import merge_base, same, take_out, work_tree


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", "-C", root, *who, *words], capture_output=True, text=True, check=True).stdout.strip()


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


FILES = {
    "Pulumi.yaml": "name: p\nruntime: python\nmain: infra\n",
    "infra/__main__.py": "print('base')\n",
    "stacks/Pulumi.one.yaml": "config:\n  a: 1\nencryptionsalt: v1:x\n",
    "stacks/Pulumi.two.yaml": "config:\n  a: 2\n",
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A project whose branch `change` differs from `main` in one stack, with main gone on since."""
    root = tmp_path / "clone"
    write(root, FILES)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "base")
    git(root, "checkout", "-qb", "change")
    write(root, {"stacks/Pulumi.one.yaml": "config:\n  a: 11\n"})
    git(root, "commit", "-qam", "change")
    git(root, "checkout", "-q", "main")
    write(root, {"stacks/Pulumi.two.yaml": "config:\n  a: 22\n"})
    git(root, "commit", "-qam", "main goes on")
    git(root, "checkout", "-q", "change")
    return root


def test_the_merge_base_is_where_the_branch_left(clone: Path, tmp_path: Path) -> None:
    commit = merge_base(clone, None, {})
    assert git(clone, "log", "-1", "--format=%s", commit) == "base"
    base, head = take_out(clone, commit, tmp_path / "base"), work_tree(clone)
    assert (base.root / "stacks/Pulumi.two.yaml").read_text() == FILES["stacks/Pulumi.two.yaml"]
    assert not same(base, head, "one")
    assert same(base, head, "two")  # main's own change is not this branch's
    assert head.label == git(clone, "rev-parse", "--short", "HEAD")


def test_what_is_not_committed_counts_and_shows(clone: Path, tmp_path: Path) -> None:
    base = take_out(clone, merge_base(clone, "main", {}), tmp_path / "base")
    write(clone, {"infra/__main__.py": "print('edited')\n"})
    head = work_tree(clone)
    assert head.label.endswith("+")
    assert not same(base, head, "two")  # the program is every stack's


@pytest.mark.parametrize(
    "env",
    [
        {"GITHUB_BASE_REF": "main"},
        {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"},
        {"CI_MERGE_REQUEST_DIFF_BASE_SHA": ""},
    ],
)
def test_ci_says_what_the_target_is(clone: Path, env: dict[str, str]) -> None:
    git(clone, "update-ref", "refs/remotes/origin/main", "main")
    assert git(clone, "log", "-1", "--format=%s", merge_base(clone, None, env)) == "base"


def test_a_commit_that_is_not_here_is_named(clone: Path) -> None:
    with pytest.raises(FleetyardError, match=r"FY1922.*no commit that HEAD shares with nowhere"):
        merge_base(clone, "nowhere", {})


def test_a_name_that_looks_like_an_option_is_not_one(clone: Path) -> None:
    with pytest.raises(FleetyardError, match="FY1922"):
        merge_base(clone, "--exec=touch /tmp/x", {})


def test_a_folder_that_is_no_clone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FleetyardError, match="FY1921"):
        work_tree(tmp_path)


def test_a_project_in_a_part_of_a_repository(tmp_path: Path) -> None:
    root = tmp_path / "mono"
    write(root / "fleet", FILES)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "base")
    side = take_out(root / "fleet", "HEAD", tmp_path / "out")
    assert (side.root / "Pulumi.yaml").exists()


def test_a_copy_holds_no_secret_and_no_salt(tmp_path: Path) -> None:
    write(tmp_path / "p", FILES)
    secrets = "config:\n  p:token:\n    secure: v1:abc\n  p:deep:\n    list:\n      - secure: v1:def\n"
    files = {"stacks/Pulumi.one.yaml": secrets + "encryptionsalt: v1:x\n", "stacks/one.sizing.json": "{}"}
    write(tmp_path / "p", files)
    made = copy(tmp_path / "p", tmp_path / "copy")
    written = yaml.safe_load((made / "stacks/Pulumi.one.yaml").read_text())
    assert written == {"config": {"p:token": PLACEHOLDER, "p:deep": {"list": [PLACEHOLDER]}}}
    assert (made / "stacks/one.sizing.json").exists()
    assert (made / "infra/__main__.py").exists()


def test_a_file_without_secrets_stays_as_it_is() -> None:
    text = "# a comment\nconfig:\n  a: [1, 2]\n"
    assert without_secrets(text) == text
    assert without_secrets("a: [broken") == "a: [broken"
