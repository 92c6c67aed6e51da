"""The CI files that ship: their rights, what they run for whom, and their scripts carried out against stand-ins."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "workflows").glob("*.yml")}
GITLAB = yaml.safe_load((ROOT / ".gitlab" / "preview.gitlab-ci.yml").read_text())
MARK = "<!-- fleetyard-preview -->"


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def scripts() -> dict[str, str]:
    found = {
        f"{name}: {step.get('name', step['run'])[:40]}": step["run"]
        for name, workflow in WORKFLOWS.items()
        for step in steps(workflow)
        if "run" in step
    }
    for name, job in GITLAB.items():
        found[f"gitlab: {name}"] = "\n".join([*job["before_script"], *job["script"]])
    return found


def test_the_three_workflows_are_there() -> None:
    assert WORKFLOWS.keys() == {"preview", "comment", "account"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_workflow_gives_a_pull_requests_code_more_than_it_may_have(name: str) -> None:
    workflow = WORKFLOWS[name]
    triggers = workflow[True]  # YAML reads `on` as a boolean
    assert "pull_request_target" not in triggers
    runs_foreign_code = any("checkout" in step.get("uses", "") for step in steps(workflow))
    rights = [workflow["permissions"], *(job.get("permissions", {}) for job in workflow["jobs"].values())]
    granted = {f"{what}: {level}" for each in rights for what, level in each.items()}
    if runs_foreign_code:
        assert granted <= {"contents: read", "id-token: write"}
        assert "secrets." not in json.dumps(workflow)
    else:
        assert granted == {"actions: read", "pull-requests: write"}
    assert ("id-token: write" in granted) == (name == "account")


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_and_leave_no_token_behind(name: str) -> None:
    for step in steps(WORKFLOWS[name]):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", scripts())
def test_scripts_are_sound_and_take_nothing_by_pasting(name: str) -> None:
    script = scripts()[name]
    assert "${{" not in script, "what GitHub pastes into a script can end a quotation: it must come by the environment"
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


FAKE_GH = """#!/usr/bin/env python3
import json, os, pathlib, sys
words = sys.argv[1:]
with open(os.environ["CALLS"], "a") as log:
    log.write(json.dumps(words) + "\\n")
if words[:2] == ["run", "download"]:
    folder = pathlib.Path(words[words.index("--dir") + 1]); folder.mkdir()
    (folder / "comment.md").write_text(os.environ["COMMENT"])
elif words[-1].endswith("/comments") and "--paginate" in words:
    print(os.environ["COMMENTS"])
elif any(w.endswith("/pulls") for w in words):
    print(os.environ["PULLS"])
"""


def posted(tmp_path: Path, comment: str, comments: list[Any], pulls: list[Any]) -> tuple[int, list[list[str]], str]:
    """Carry the posting script out; its status, the calls to gh that write, and what it would have posted."""
    if shutil.which("jq") is None:
        pytest.skip("jq, which every GitHub runner has, is not installed here: apt-get install jq")
    (tmp_path / "gh").write_text(FAKE_GH)
    (tmp_path / "gh").chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "COMMENT": comment,
        "COMMENTS": json.dumps(comments),
        "PULLS": json.dumps(pulls),
        **dict.fromkeys(("GH_TOKEN", "REPOSITORY", "RUN_ID", "HEAD_OWNER", "HEAD_BRANCH"), "x"),
        "HEAD_SHA": "abc",
    }
    (script,) = (step["run"] for step in steps(WORKFLOWS["comment"]))
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    made = [json.loads(line) for line in calls.read_text().splitlines()]
    body = (tmp_path / "body.md").read_text() if (tmp_path / "body.md").exists() else ""
    return done.returncode, [call for call in made if "POST" in call or "PATCH" in call], body


PULL = {"number": 7, "head": {"sha": "abc"}}
BOT = {"login": "github-actions[bot]"}


def test_the_first_comment_is_made(tmp_path: Path) -> None:
    status, calls, body = posted(tmp_path, f"{MARK}\nhello", [], [PULL])
    assert status == 0
    assert [(c[2], c[3]) for c in calls] == [("POST", "repos/x/issues/7/comments")]
    assert body == f"{MARK}\nhello"


def test_the_next_one_takes_its_place_and_nobody_elses(tmp_path: Path) -> None:
    comments = [
        {"id": 1, "user": {"login": "mallory"}, "body": f"{MARK}\nmine"},
        {"id": 2, "user": BOT, "body": "<!-- fleetyard-preview account -->\nother"},
        {"id": 3, "user": BOT, "body": f"{MARK}\nold"},
    ]
    status, calls, _ = posted(tmp_path, f"{MARK}\nnew", comments, [PULL])
    assert status == 0
    assert [(c[2], c[3]) for c in calls] == [("PATCH", "repos/x/issues/comments/3")]


def test_what_is_no_comment_of_ours_is_not_posted(tmp_path: Path) -> None:
    status, calls, _ = posted(tmp_path, "buy things\n", [], [PULL])
    assert status == 1
    assert calls == []


def test_a_pull_request_that_has_gone_on_is_left_alone(tmp_path: Path) -> None:
    status, calls, _ = posted(tmp_path, f"{MARK}\nx", [], [{"number": 7, "head": {"sha": "other"}}])
    assert (status, calls) == (0, [])


def test_gitlab_keeps_posting_apart_from_the_changes_code() -> None:
    assert GITLAB["fleetyard-comment"]["variables"]["GIT_STRATEGY"] == "none"
    assert GITLAB["fleetyard-preview"]["variables"]["FLEETYARD_COMMENT_TOKEN"] == ""
    assert GITLAB["fleetyard-preview"]["variables"]["GIT_DEPTH"] == "0"
