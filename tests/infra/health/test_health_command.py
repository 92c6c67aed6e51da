# ruff: noqa: E501
"""`fleetyard health`: logs in every dress, exit statuses, files that are none."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from fleetyard.cli import main

FALLEN = "NVRM: Xid (PCI:0000:9b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
PAGE_FAULT = "NVRM: Xid (PCI:0000:9b:00): 31, pid=4711, name=python3, MMU Fault: ENGINE GRAPHICS"


def entry(message: str, micros: int) -> str:
    return json.dumps({"MESSAGE": message, "__REALTIME_TIMESTAMP": str(micros), "SYSLOG_IDENTIFIER": "kernel"}) + "\n"


@pytest.mark.parametrize(
    ("text", "status", "action"),
    [
        (f"[ 12.0] usb 1-1: new device\n[ 4711.25] {FALLEN}\n", 1, "replace"),
        (f"[ 4711.25] {PAGE_FAULT}\n", 0, "restart-app"),
        ("", 0, "ignore"),
        ("[ 12.0] usb 1-1: new device\n", 0, "ignore"),
        (entry("usb", 1) + entry(PAGE_FAULT, 2_000_000), 0, "restart-app"),
        (entry(FALLEN, 2_000_000), 1, "replace"),
        (json.dumps({"MESSAGE": [78, 86], "__REALTIME_TIMESTAMP": "1"}) + "\n", 0, "ignore"),
        ("".join(entry(PAGE_FAULT, hour * 3_600_000_000) for hour in range(5)), 1, "drain"),
        (json.dumps({"events": [{"kind": "xid", "code": 48, "device": "a"}]}), 1, "drain"),
        (json.dumps({"version": 1, "host": "a", "took_s": 1, "parts": {},
                     "tools": {"kernel_log": {"command": "dmesg", "status": 0, "out": f"[1.0] {FALLEN}\n", "err": ""}}}), 1, "replace"),
    ],
)  # fmt: skip
def test_classify(text: str, status: int, action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert main(["health", "classify", str(log)]) == status
    assert capsys.readouterr().out.splitlines()[-1] == action
    assert main(["health", "classify", "--json", str(log)]) == status
    assert json.loads(capsys.readouterr().out)["action"] == action


def test_a_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(FALLEN + "\n"))
    assert main(["health", "classify", "-"]) == 1
    assert "GPU fell off the bus" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["{", '{"a": 1}', '{"events": [1]}', '{"events": [{"kind": "x"}]}', entry("a", 1) + '{"MESSAGE"']
)
def test_files_that_are_none(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert main(["health", "classify", str(log)]) == 65
    assert "FY3200" in capsys.readouterr().err
    assert main(["health", "classify", str(tmp_path / "absent")]) == 65


def test_the_codes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", "codes", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["codes"]
    assert {"code": 79, "title": "GPU fell off the bus", "bucket": "RESTART_BM", "action": "replace"} in rows
    assert main(["health", "codes"]) == 0
