"""`fleetyard show`: from an export or a plan to tables, data and a picture, with an error for everything else."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fleetyard.cli import main
from fleetyard.findings import Exit

STACK = """
config:
  fleetyard:stack:
    owner: research
    cloud: aws
    region: us-east-1
    zones: [use1-az6]
    network: { cidr: 10.40.0.0/16 }
    pools:
      train: { role: compute, machine: p4d.24xlarge, count: COUNT }
"""
EXPORT: dict[str, Any] = {
    "version": 1, "stack": "demo", "owner": "research", "cloud": "aws", "region": "us-east-1", "project": None,
    "scheduler": "none", "endpoints": {}, "usd_per_hour": 43.915, "stores": {},
    "network": {"id": "vpc-1", "cidr": "10.40.0.0/16", "subnets": {}},
    "pools": {
        "train": {
            "role": "compute", "machine": "p4d.24xlarge", "count": 2, "hosts": 2, "accelerators": 16,
            "zones": ["use1-az6"], "buy": "on-demand", "kind": "autoscaling-group", "groups": {"all": "demo-train"},
            "identity": "role", "cache": None, "update": "on-next-boot", "usd_per_hour": 43.915,
        }
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def real_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLEETYARD_SIM", "FLEETYARD_SIM_HOME", "AWS_ENDPOINT_URL", "PULUMI_DEBUG_PROVIDERS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    write(tmp_path, 2)
    (tmp_path / "export.json").write_text(json.dumps(EXPORT), encoding="utf-8")
    return tmp_path


def write(folder: Path, count: int) -> None:
    (folder / "Pulumi.demo.yaml").write_text(STACK.replace("COUNT", str(count)), encoding="utf-8")


def show(stacks: Path, *words: str) -> int:
    return main(["show", "--stacks", str(stacks), *words])


def test_an_export_is_shown_as_tables_and_a_picture(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = stacks / "demo.svg"
    status = show(stacks, "--outputs", str(stacks / "export.json"), "--no-live", "--svg", str(picture))
    assert status == Exit.DONE
    printed = capsys.readouterr()
    assert "2  " in printed.out
    assert "$43.91 an hour" in printed.out
    assert "simulated" not in printed.out
    assert printed.err == ""
    assert ElementTree.fromstring(picture.read_text(encoding="utf-8")).tag.endswith("svg")


def test_the_whole_of_pulumis_outputs_is_taken_too(
    stacks: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"fleetyard": EXPORT})))
    assert show(stacks, "--outputs", "-", "--no-live", "--json") == Exit.DONE
    data = json.loads(capsys.readouterr().out)
    assert data["stack"]["pools"]["train"]["groups"] == {"all": "demo-train"}
    assert (data["members"], data["findings"], data["simulated"]) == (None, [], False)


def test_a_stack_file_that_says_otherwise_is_exit_status_one(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(stacks, 3)
    assert show(stacks, "--outputs", str(stacks / "export.json"), "--no-live") == Exit.FINDINGS
    assert "FY1903 warning pools.train.count: is 3; what stands has 2" in capsys.readouterr().err


def test_a_plan_is_shown_without_anything_standing(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = stacks / "demo.svg"
    assert show(stacks, "--planned", "--svg", str(picture)) == Exit.DONE
    assert "planned" in capsys.readouterr().out
    assert "PLANNED" in picture.read_text(encoding="utf-8")
    assert show(stacks, "--planned", "--json") == Exit.DONE
    assert json.loads(capsys.readouterr().out)["pools"]["train"]["hosts"] == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "FY1906"), ("[]", "FY1501"), ("{}", "FY1501"), ('{"version": 99}', "FY1502"), ('{"version": 1}', "FY1501")],
)
def test_what_is_no_export_is_bad_input(stacks: Path, capsys: pytest.CaptureFixture[str], text: str, code: str) -> None:
    (stacks / "export.json").write_text(text, encoding="utf-8")
    assert show(stacks, "--outputs", str(stacks / "export.json"), "--no-live") == Exit.BAD_INPUT
    assert capsys.readouterr().err.startswith(f"{code} error ")


def test_a_file_that_is_not_there_is_bad_input(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(stacks, "--outputs", str(stacks / "nothing.json")) == Exit.BAD_INPUT
    assert "FY1906" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_exit_status_77(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(stacks, "--planned", "--svg", str(stacks / "no" / "demo.svg")) == Exit.PERMISSION
    assert "FY1902" in capsys.readouterr().err


def test_without_pulumi_it_says_how_to_get_it(
    stacks: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(stacks))
    assert show(stacks) == Exit.BAD_INPUT
    assert "FY1904 error pulumi: is not on PATH. Fix: make setup" in capsys.readouterr().err


def test_what_pulumi_says_is_passed_on(
    stacks: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = stacks / "pulumi"
    pulumi.write_text("#!/bin/sh\necho \"error: no stack named 'demo' found\" >&2\nexit 255\n", encoding="utf-8")
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", str(stacks))
    assert show(stacks) == Exit.BAD_INPUT
    assert "FY1905 error stack demo: its export cannot be read: no stack named 'demo' found" in capsys.readouterr().err


def test_the_export_is_read_from_the_state_that_pulumi_names(
    stacks: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = stacks / "pulumi"
    pulumi.write_text(
        f'#!/bin/sh\necho "$@" >{stacks}/asked\nwhile read -r l; do echo "$l"; done <{stacks}/export.json\n'
    )
    pulumi.chmod(0o755)
    (stacks / "export.json").write_text(json.dumps(EXPORT) + "\n", encoding="utf-8")
    monkeypatch.setenv("PATH", str(stacks))
    assert show(stacks, "--no-live") == Exit.DONE
    asked = (stacks / "asked").read_text(encoding="utf-8")
    assert asked == "stack output fleetyard --json --stack demo --non-interactive\n"


def test_two_stacks_and_no_name_is_a_question(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (stacks / "Pulumi.other.yaml").write_text(STACK.replace("COUNT", "1"), encoding="utf-8")
    assert show(stacks, "--planned") == Exit.USAGE
    assert "one of demo, other" in capsys.readouterr().err


def test_mixed_settings_are_refused_before_anything_is_asked(
    stacks: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5000")
    assert show(stacks, "--planned") == Exit.BAD_INPUT
    assert "FY1402" in capsys.readouterr().err
