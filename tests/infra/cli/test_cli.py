"""The command: exit statuses of the contract, errors as lines or as data, and no SDK for a `--help`."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fleetyard import cli
from fleetyard.cli import main
from fleetyard.cli.words import duration, number, usd
from fleetyard.findings import Exit, error
from fleetyard.report.tables import table

STACK = """
config:
  fleetyard:stack:
    owner: research
    cloud: aws
    region: us-east-1
    zones: [use1-az6]
    network: {{ cidr: 10.40.0.0/16 }}
    pools:
      train: {{ role: compute, machine: p4d.24xlarge, count: sized }}
    workloads:
      train: {{ kind: train, pool: train, model: {model}, tokens: 200e9, deadline: {deadline} }}
    budget: {{ usd: {budget} }}
"""


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path, model: str = "llama-2-7b", deadline: str = "14d", budget: int = 150000) -> None:
    text = STACK.format(model=model, deadline=deadline, budget=budget)
    (folder / "Pulumi.demo.yaml").write_text(text, encoding="utf-8")


def test_size_writes_the_lock_and_says_what_it_assumed(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["size", "--stack", "demo", "--stacks", str(stacks)]) == Exit.DONE
    lock = json.loads((stacks / "demo.sizing.json").read_text(encoding="utf-8"))
    count = lock["pools"]["train"]["count"]
    printed = capsys.readouterr().out
    for word in (
        f"{count} ({8 * count} accelerators",
        "80 % interval, of 14.0 days",
        "an hour",
        "assumed",
        "271 achievable",
    ):
        assert word in printed


def test_size_as_json_is_what_the_lock_holds(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["size", "--stacks", str(stacks), "--json"]) == Exit.DONE
    printed = json.loads(capsys.readouterr().out)["stacks"]["demo"]
    assert printed == json.loads((stacks / "demo.sizing.json").read_text(encoding="utf-8"))


def test_sizing_twice_changes_nothing(stacks: Path) -> None:
    main(["size", "--stacks", str(stacks)])
    first = (stacks / "demo.sizing.json").read_bytes()
    main(["size", "--stacks", str(stacks)])
    assert (stacks / "demo.sizing.json").read_bytes() == first
    assert sorted(path.name for path in stacks.iterdir()) == ["Pulumi.demo.yaml", "demo.sizing.json"]


def test_a_workload_that_cannot_be_done_is_bad_input_and_locks_nothing(
    stacks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(stacks, deadline="1h")
    assert main(["size", "--stacks", str(stacks)]) == Exit.BAD_INPUT
    said = capsys.readouterr().err
    assert said.startswith("FY1610 error workloads.train: ")
    assert "days late" in said
    assert "Fix: deadline: " in said
    assert not (stacks / "demo.sizing.json").exists()


def test_a_run_over_budget_is_a_finding_with_the_difference(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(stacks, budget=30000)
    assert main(["size", "--stacks", str(stacks)]) == Exit.FINDINGS
    said = re.search(
        r"FY1620 error budget.usd: the workloads cost \$([\d,]+), \$([\d,]+) more", capsys.readouterr().err
    )
    assert said is not None
    cost, over = (int(group.replace(",", "")) for group in said.groups())
    assert cost - over == 30000
    assert not (stacks / "demo.sizing.json").exists()


def test_errors_are_data_with_json(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(stacks, model="llama-2-7")
    assert main(["size", "--stacks", str(stacks), "--json"]) == Exit.BAD_INPUT
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["code"], finding["path"]) == ("FY1613", "workloads.train.model")


def test_a_mistyped_stack_is_answered_with_the_nearest(stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["size", "--stack", "dmo", "--stacks", str(stacks)]) == Exit.BAD_INPUT
    assert "FY1001 error Pulumi.dmo.yaml: there is no such stack file. Fix: `--stack demo`" in capsys.readouterr().err


def test_catalog_prints_facts_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "p4d.24xlarge"]) == Exit.DONE
    printed = capsys.readouterr().out
    assert "8 x a100-sxm4-40gb, 40,960 MiB each, 1,555 GB/s  [ml-engineering]" in printed
    assert "ec2-prices-2026-07-20: EC2 on-demand prices" in printed


@pytest.mark.parametrize("words", [[], ["--slices"], ["--models"], ["--cloud", "gcp"], ["v5litepod-16"]])
def test_catalog_lists_and_every_listing_is_also_json(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", *words]) == Exit.DONE
    assert len(capsys.readouterr().out.splitlines()) > 5
    assert main(["catalog", *words, "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)


def test_unknown_facts_are_printed_as_unknown_and_null(capsys: pytest.CaptureFixture[str]) -> None:
    main(["catalog", "a4x-maxgpu-4g-metal"])
    assert "unknown vCPU, unknown GiB" in capsys.readouterr().out
    main(["catalog", "a4x-maxgpu-4g-metal", "--json"])
    assert json.loads(capsys.readouterr().out)["vcpu"] is None


def test_a_machine_that_is_not_there_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "p4d.24xlage"]) == Exit.BAD_INPUT
    assert "FY1801" in (said := capsys.readouterr().err)
    assert "p4d.24xlarge" in said


@pytest.mark.parametrize("words", [[], ["nonsense"], ["size", "--nonsense"], ["catalog", "--cloud", "azure"]])
def test_wrong_usage_is_exit_status_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == Exit.USAGE
    assert "usage: fleetyard" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["size", "--help"]])
def test_asking_for_help_is_no_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == Exit.DONE
    assert "fleetyard" in capsys.readouterr().out


def run_with(monkeypatch: pytest.MonkeyPatch, raised: BaseException, *words: str) -> int:
    def run(args: argparse.Namespace) -> int:
        raise raised

    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    monkeypatch.setitem(cli.COMMANDS, "fails", ("its.module", "fail"))
    monkeypatch.setattr(cli.importlib, "import_module", lambda name: SimpleNamespace(add=add, run=run))
    return main(["fails", *words])


def test_a_defect_is_a_traceback_and_exit_status_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with(monkeypatch, RuntimeError("the wheel came off")) == Exit.DEFECT
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "FY7000 error fleetyard: RuntimeError: the wheel came off" in said
    assert "report this" in said
    assert run_with(monkeypatch, RuntimeError("again"), "--json") == Exit.DEFECT
    assert json.loads(capsys.readouterr().out)["findings"][0]["code"] == "FY7000"


@pytest.mark.parametrize("status", [Exit.FINDINGS, Exit.BAD_INPUT, Exit.REFUSED, Exit.PERMISSION])
def test_an_error_ends_with_its_own_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: Exit
) -> None:
    assert run_with(monkeypatch, error("FY9999", "place", "is wrong", "mend it", status)) == status
    assert capsys.readouterr().err == "FY9999 error place: is wrong. Fix: mend it\n"


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_with(monkeypatch, KeyboardInterrupt()) == cli.INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    code = "import sys; from fleetyard.cli import main; sys.exit(main(['catalog', '--json']))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == Exit.DONE
    assert said == b""


@pytest.mark.parametrize("words", [["--help"], ["catalog", "p4d.24xlarge"], ["size", "--help"]])
def test_no_cloud_sdk_is_imported_where_none_is_needed(words: list[str]) -> None:
    code = (
        "import sys; from fleetyard.cli import main; main(sys.argv[1:]);"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'pulumi', 'pulumi_aws', 'pulumi_gcp', 'boto3'}))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "unknown"), (0.5, "0.5 s"), (18.29, "18.3 s"), (3721, "62.0 min"), (7200, "2.0 h"), (1087694, "12.6 days")],
)
def test_durations_are_read_at_a_glance(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_money_and_numbers_are_read_at_a_glance() -> None:
    assert [usd(None), usd(0.5), usd(999.999), usd(46439.6)] == ["unknown", "$0.50", "$1,000.00", "$46,440"]
    assert [number(None), number(1152), number(2.083)] == ["unknown", "1,152", "2.083"]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table([("a", "1"), ("long", "22")], right=frozenset({1})) == "a      1\nlong  22\n"
    assert table([]) == ""
