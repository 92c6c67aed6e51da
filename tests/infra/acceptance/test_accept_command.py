# ruff: noqa: E501
"""`fleetyard accept`: verdicts as text and JSON, exit statuses, arguments that are wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tool_outputs as out

from fleetyard.acceptance.listing import page
from fleetyard.cli import main

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def probes(tmp_path: Path) -> tuple[Path, Path]:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(out.probe(host="ip-10-40-0-5"))
    bad.write_text(out.probe(out.p4d_tools(nvlink=out.nvlink(8, down=[(3, 7)])), host="ip-10-40-0-6"))
    return good, bad


def test_a_healthy_node_is_opened(probes: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accept", "judge", "--machine", "p4d.24xlarge", str(probes[0])]) == 0
    shown = capsys.readouterr().out
    assert "ip-10-40-0-5 (p4d.24xlarge): open;" in shown
    assert "FY3143" in shown
    assert "FY3101" not in shown


def test_one_failing_node_is_drained_with_its_reason(
    probes: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "all_reduce"
    run.write_text(out.nccl())
    words = ["accept", "judge", "--machine", "p4d.24xlarge", "--all-reduce", str(run), "--json", *map(str, probes)]
    assert main(words) == 1
    good, bad = json.loads(capsys.readouterr().out)["nodes"]
    assert (good["decision"], bad["decision"]) == ("open", "drain")
    assert bad["reason"] == "acceptance: FY3110 nvlink count: 11 links on GPU 3, not 12 links"
    (link,) = [each for each in bad["checks"] if each["code"] == "FY3110"]
    assert (link["measured"], link["floor"], link["unit"], link["verdict"]) == (11, 12, "links", "fail")
    (rate,) = [each for each in good["checks"] if each["code"] == "FY3136"]
    assert rate["verdict"] == "pass"
    assert "2 x 8" in rate["source"]


def test_a_node_whose_accelerators_are_played_says_so(
    probes: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(probes[0].read_text())
    document["tools"]["smi_xml"] |= {"stand_in": True, "command": "nvidia-smi -q -x"}
    probes[0].write_text(json.dumps(document))
    assert main(["accept", "judge", "--machine", "p4d.24xlarge", str(probes[0])]) == 0
    assert "stand-ins answered, nothing of theirs was measured: nvidia-smi" in capsys.readouterr().out


def test_a_waiver_on_the_command_line(probes: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["accept", "judge", "--machine", "p4d.24xlarge", str(probes[1]), "--waive", "FY3110=known: ticket 12"]
    assert main(words) == 0
    assert "known: ticket 12" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--machine", "p4d.24xlarg"], "FY3198"),
        (["--machine", "p4d.24xlarge", "--waive", "FY3110"], "FY3199"),
        (["--machine", "p4d.24xlarge", "--waive", "FY9999=because"], "FY3199"),
        (["--machine", "p4d.24xlarge", "--nodes", "0"], "FY3199"),
        (["--machine", "p4d.24xlarge", "{probe}"], "FY3199"),
        (["--machine", "p4d.24xlarge", "absent.json"], "FY3100"),
        (["--machine", "p4d.24xlarge", "--all-reduce", "absent"], "FY3100"),
    ],
)
def test_wrong_arguments_are_named(
    words: list[str], code: str, probes: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(probes[0]) if word == "{probe}" else word for word in words]
    assert main(["accept", "judge", *given, str(probes[0])]) == 65
    said = capsys.readouterr().err
    assert code in said
    assert "Fix:" in said


def test_an_output_that_is_no_collective_is_unknown(
    probes: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    run.write_text("There are not enough slots available in the system\n")
    assert main(["accept", "judge", "--machine", "p4d.24xlarge", "--all-reduce", str(run), str(probes[0])]) == 0
    assert "nccl-tests: expected" in capsys.readouterr().out


def test_the_checks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accept", "checks", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["checks"]
    assert {"FY3101", "FY3136", "FY3147"} <= {row["code"] for row in rows}
    assert main(["accept", "checks"]) == 0


def test_the_command_is_light() -> None:
    code = "import sys; from fleetyard.cli import main; main(['accept', 'checks']); print([m for m in ('pulumi','numpy','boto3','pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")


def test_the_page_is_what_the_code_says() -> None:
    made = page()
    assert (DOCS / "acceptance.md").read_text(encoding="utf-8") == made, (
        "python -m fleetyard.acceptance.listing > docs/acceptance.md"
    )
