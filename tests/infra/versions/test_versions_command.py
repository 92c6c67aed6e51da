"""`fleetyard versions` and `fleetyard mirror`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from example_stacks import change

from fleetyard.cli import main

LOCK = {"nvidia-driver": "580.159.04", "nvidia-module-open": "580.159.04", "fabric-manager": "580.159.04"}


def node(tmp_path: Path, value: Any) -> str:
    path = tmp_path / "node.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return str(path)


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def locked(folder: Path, capsys: pytest.CaptureFixture[str], pool: str = "a100-train.train") -> dict[str, str]:
    main(["versions", "list", "--stacks", str(folder), "--stack", "a100-train", "--json"])
    return {name: each["version"] for name, each in said(capsys)[pool]["versions"].items()}


def test_the_locked_versions_of_a_stack_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", "list", "--stacks", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "a100-train.train: 2026-10" in text
    assert "tpu-train.train: 2026-10" in text
    change(folder, "image: ubuntu-22.04", "image: ubuntu-22.04\n        versions: {efa: 1.51.0}")
    assert locked(folder, capsys)["efa"] == "1.51.0"
    change(folder, "scheduler: slurm", "scheduler: slurm\n    versions: {set: 2025-08}")
    assert locked(folder, capsys)["nvidia-driver"] == "570.172.08"


def test_one_machines_versions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", "list", "--machine", "a4x-highgpu-4g", "--os", "ubuntu-24.04", "--json"]) == 0
    versions = said(capsys)["a4x-highgpu-4g"]["versions"]
    assert versions["imex"]["version"] == versions["nvidia-driver"]["version"]


def test_a_node_that_keeps_its_lock_is_fine(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installed = {**locked(folder, capsys), "machine": "p4d.24xlarge", "os": "ubuntu-22.04", "gvnic": None, "nvlsm": ""}
    command = ["versions", "check", "--installed", node(tmp_path, installed), "--kernel", "6.8.0-1021-aws"]
    assert main(command) == 0
    assert "go together" in capsys.readouterr().out
    assert main([*command, "--stack", "a100-train", "--pool", "train", "--stacks", str(folder), "--json"]) == 0
    assert said(capsys) == {"findings": []}


def test_a_driver_upgraded_by_hand_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installed = {**locked(folder, capsys), "nvidia-driver": "580.173.02", "nccl": "2.28.9-1+cuda12.9"}
    del installed["docker"]
    command = ["versions", "check", "--installed", node(tmp_path, installed), "--machine", "p4d.24xlarge", "--json"]
    command += ["--os", "ubuntu-22.04", "--stack", "a100-train", "--pool", "train", "--stacks", str(folder)]
    assert main(command) == 1
    told = {(finding["code"], finding["path"]) for finding in said(capsys)["findings"]}
    assert told == {
        ("FY2010", "installed.nvidia-module-open"),
        ("FY2033", "installed.fabric-manager"),
        ("FY2027", "installed.nccl"),
        ("FY2007", "installed.nvidia-driver"),
        ("FY2007", "installed.nccl"),
        ("FY2007", "installed.docker"),
    }


def test_what_a_package_adds_to_a_version_is_no_difference(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = {
        **locked(folder, capsys),
        "dcgm": "1:4.5.2-1-cuda13",
        "enroot": "3.5.0-1",
        "cuda": "13.0.2-1",
        "dkms": "3.0.11-1",
    }
    command = ["versions", "check", "--installed", node(tmp_path, installed), "--machine", "p4d.24xlarge"]
    assert (
        main([*command, "--os", "ubuntu-22.04", "--stack", "a100-train", "--pool", "train", "--stacks", str(folder)])
        == 0
    )


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("{", "FY1814"),
        ("[" * 100_000, "FY1814"),
        ([1], "FY1814"),
        ({"cuda": 13.0}, "FY1814"),
        ({"cuda": {"version": "13"}}, "FY1814"),
        ({"machine": "p5.48xlarg"}, "FY1801"),
        ({"machine": "p5.48xlarge", "os": "debain-12"}, "FY1817"),
        ({"machine": "p5.48xlarge"}, "FY1817"),
        ({"os": "debian-12"}, "FY1801"),
    ],
)
def test_a_broken_report_is_refused(value: Any, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", "check", "--installed", node(tmp_path, value), "--json"]) == 65
    (finding,) = said(capsys)["findings"]
    assert finding["code"] == code
    assert finding["fix"]


def test_a_report_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", "check", "--installed", str(tmp_path / "none.json"), "--machine", "p5.48xlarge"]) == 65
    assert "FY1814" in capsys.readouterr().err


def test_the_check_refuses_a_conflict_before_anything_is_bought(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, "image: ubuntu-22.04", "image: ubuntu-22.04\n        versions: {fabric-manager: 580.126.20}")
    assert main(["check", "--stacks", str(folder), "--stack", "a100-train"]) == 1
    assert "FY2033 error pools.train.versions.fabric-manager" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("versions", "code", "path"),
    [
        ("{cuda: 13.0}", "FY1012", "pools.train.versions.cuda"),
        ("{CUDA: 13.0.2}", "FY1012", "pools.train.versions.CUDA"),
        ("{cuda: '13 0'}", "FY1012", "pools.train.versions.cuda"),
        ("[cuda]", "FY1012", "pools.train.versions"),
        ("{cudaa: 13.0.2}", "FY2091", "pools.train.versions.cudaa"),
        ("{cuda: newest}", "FY2092", "pools.train.versions.cuda"),
    ],
)
def test_what_is_mistyped_in_a_stack_file_is_told(
    versions: str, code: str, path: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, "image: ubuntu-22.04", f"image: ubuntu-22.04\n        versions: {versions}")
    assert main(["check", "--stacks", str(folder), "--stack", "a100-train", "--json"]) in (1, 65)
    found = [f for f in said(capsys)["stacks"]["a100-train"] if f["code"] == code]
    assert [finding["path"] for finding in found] == [path]
    assert found[0]["fix"]


def test_an_unknown_set_is_refused_everywhere(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, "scheduler: slurm", "scheduler: slurm\n    versions: {set: 2026-1}")
    assert main(["check", "--stacks", str(folder), "--stack", "a100-train"]) == 1
    assert "FY2003 error versions.set" in capsys.readouterr().out
    for command in (["versions", "list"], ["versions", "vars"], ["mirror"]):
        assert (
            main(
                [
                    *command,
                    "--stacks",
                    str(folder),
                    "--stack",
                    "a100-train",
                    *(["--json"] if "vars" not in command else []),
                ]
            )
            == 65
        )
        streams = capsys.readouterr()
        assert "FY1811" in streams.out + streams.err


def test_roles_get_exact_versions(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = "https://mirror.example.org"
    command = ["versions", "vars", "--stacks", str(folder), "--stack", "a100-train", "--base", f"{base}/"]
    assert main(command) == 0
    groups = said(capsys)
    assert set(groups) == {"pool_control", "pool_train"}
    versions = groups["pool_train"]["fleetyard_versions"]
    assert versions["efa"]["url"] == f"{base}/efa/aws-efa-installer-1.50.0.tar.gz"
    assert len(versions["efa"]["sha256"]) == 64
    assert versions["nccl"]["sha256"] == ""
    assert main([*command, "--real"]) == 65
    assert "FY1812 error versions.nccl" in capsys.readouterr().err
    main(["mirror", "--stacks", str(folder), "--stack", "a100-train", "--json"])
    sums = {each["path"]: "cd" * 32 for each in said(capsys)["files"] if each["sha256"] is None}
    assert main([*command, "--real", "--checksums", node(tmp_path, sums)]) == 0
    assert said(capsys)["pool_train"]["fleetyard_versions"]["nccl"]["sha256"] == "cd" * 32


def test_the_mirror_lists_what_it_must_hold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mirror", "--stacks", str(folder), "--base", "https://mirror.example.org", "--json"]) == 0
    document = said(capsys)
    assert document["stacks"] == ["a100-train", "gpu-mig", "tpu-train"]
    paths = [each["path"] for each in document["files"]]
    assert len(paths) == len(set(paths)) > 10
    assert {"redistributable", "licence", "sha256", "component", "version", "url", "source"} <= set(
        document["files"][0]
    )
    assert main(["mirror", "--stacks", str(folder), "--stack", "a100-train"]) == 0
    assert "without a known checksum" in capsys.readouterr().out


@pytest.mark.parametrize("base", ["mirror", "ftp://x", "https://u:p@h"])
def test_a_wrong_mirror_is_refused(base: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["mirror"], ["versions", "vars"]):
        assert main([*command, "--stacks", str(folder), "--stack", "a100-train", "--base", base]) == 65
        assert "FY1813" in capsys.readouterr().err


def test_a_pool_that_is_not_there_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "versions",
        "check",
        "--installed",
        node(tmp_path, LOCK),
        "--machine",
        "p4d.24xlarge",
        "--os",
        "debian-12",
    ]
    assert main([*command, "--stacks", str(folder), "--stack", "a100-train", "--pool", "trian"]) == 65
    assert "--pool train" in capsys.readouterr().err
    assert main([*command, "--pool", "train"]) == 65
    assert "FY1818" in capsys.readouterr().err


def test_the_command_stays_light() -> None:
    """Neither an engine nor a cloud's SDK is needed to judge a node."""
    code = "import sys, fleetyard.versions, fleetyard.cli.versions, fleetyard.cli.mirror; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pulumi", "pulumi_aws", "pulumi_gcp", "boto3", "googleapiclient", "numpy"} & set(loaded)


def test_the_page_says_what_the_code_says() -> None:
    from versions_page import page  # beside this file

    written = (Path(__file__).parents[3] / "docs" / "versions.md").read_text(encoding="utf-8")
    assert written == page(), "PYTHONPATH=tests/infra python tests/infra/versions/versions_page.py > docs/versions.md"
