"""`fleetyard check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from example_stacks import change

from fleetyard.cli import main


def test_the_repositorys_stacks_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--stacks", str(folder)]) == 0
    said = capsys.readouterr().out
    assert [line.split(":")[0] for line in said.splitlines() if not line.startswith("FY")] == [
        "a100-train",
        "gpu-mig",
        "tpu-train",
    ]


def test_a_broken_rule_is_exit_status_1_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, "zones: [use1-az6]", "zones: [use1-az6, use1-az1]")
    assert main(["check", "--stacks", str(folder), "--stack", "a100-train"]) == 1
    assert "FY2107 error pools.train.zones: 2 zones for an EFA pool. Fix: " in capsys.readouterr().out


def test_json_says_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, "zones: [use1-az6]", "zones: [use1-az6, use1-az1]")
    assert main(["check", "--stacks", str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["stacks"]
    assert "FY2107" in {finding["code"] for finding in found["a100-train"]}
    assert "FY2107" not in {finding["code"] for finding in found["gpu-mig"]}


def test_a_broken_file_is_exit_status_65(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, "role: compute", "role: comput")
    assert main(["check", "--stacks", str(folder), "--stack", "a100-train"]) == 65
    assert "Fix: `compute`" in capsys.readouterr().out


def test_without_a_lock_the_other_findings_are_told_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a100-train.sizing.json").unlink()
    change(folder, "p4d.24xlarge", "p4d.24xlarg")
    assert main(["check", "--stacks", str(folder), "--stack", "a100-train"]) == 65
    said = capsys.readouterr().out
    assert "fleetyard size --stack a100-train" in said
    assert "FY2101" in said


def test_a_stale_lock_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, "deadline: 14d", "deadline: 7d")
    assert main(["check", "--stacks", str(folder), "--stack", "a100-train"]) == 65
    assert "fleetyard size --stack a100-train" in capsys.readouterr().out


def test_a_mistyped_stack_is_answered_with_the_nearest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--stacks", str(folder), "--stack", "a100-trian"]) == 65
    assert "--stack a100-train" in capsys.readouterr().out


def test_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--rules", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["rules"]
    assert {"code": "FY2107", "level": "error"}.items() <= next(r for r in listed if r["code"] == "FY2107").items()
    assert main(["check", "--rules"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(listed)
