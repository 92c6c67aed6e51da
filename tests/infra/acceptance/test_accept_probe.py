"""The probe on this very host: what it measures, what it records of tools, and that it never hangs."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fleetyard.acceptance.evidence import load
from fleetyard.acceptance.judge import judge
from fleetyard.acceptance.parsers import gemm
from fleetyard.acceptance.parsers.reading import ParseError
from fleetyard.catalog import Cloud, Unknown, catalog

PROBE = Path(__file__).parents[3] / "roles" / "accept" / "files" / "probe.py"


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("accept_probe", PROBE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: ModuleType) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program, "PATH", str(tmp_path))
    return tmp_path


def script(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_it_needs_no_newer_python_than_3_9_and_no_package() -> None:
    tree = ast.parse(PROBE.read_text(), feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} - {"torch"} <= sys.stdlib_module_names
    unions = [node for node in ast.walk(tree) if isinstance(node, ast.Match)]
    assert not unions


def test_a_whole_run_on_this_host(tmp_path: Path) -> None:
    target = tmp_path / "node.json"
    words = [
        "run",
        "--out",
        str(target),
        "--host",
        "node-a",
        "--folder",
        str(tmp_path),
        "--disk-mib",
        "48",
        "--budget",
        "60",
    ]
    subprocess.run([sys.executable, "-B", str(PROBE), *words], check=True, timeout=90)
    evidence = load(target.read_text(), str(target))
    assert evidence.host == "node-a"
    count, size = evidence.part("cpu", "count"), evidence.part("memory", "total_gib")
    assert count == len(os.sched_getaffinity(0))
    assert not isinstance(size, Unknown)
    assert size > 0.1
    rate = evidence.part("memory", "copy_gb_per_s")
    assert not isinstance(rate, Unknown)
    assert 0.05 < rate < 5000
    written = evidence.part("disk", "write_gb_per_s")
    assert not isinstance(written, Unknown)
    assert written > 0
    assert list(tmp_path.iterdir()) == [target], "the measured file is gone"
    seen = judge(catalog().machine(Cloud.AWS, "p4d.24xlarge"), evidence)
    assert seen.decision == "drain"


def test_what_a_tool_does_is_kept(program: ModuleType, tools: Path) -> None:
    script(tools, "good", "echo out; echo err >&2; exit 3")
    row = program.ask(("good",), 5)
    assert (row["status"], row["out"], row["err"]) == (3, "out\n", "err\n")
    assert program.ask(("absent", "-x"), 5)["missing"] is True
    script(tools, "speaks", 'echo "$LC_ALL"')
    assert program.ask(("speaks",), 5)["out"] == "C\n"


def test_a_tool_that_is_played_is_marked(
    program: ModuleType, tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tools, "real", "echo out")
    monkeypatch.setattr(program, "STAND_INS", f"{tmp_path}/played/")
    (tmp_path / "played").mkdir()
    script(tmp_path / "played", "run", "echo out")
    (tools / "nvidia-smi").symlink_to(tmp_path / "played" / "run")
    rows = {"smi_xml": program.ask(("nvidia-smi", "-q"), 5), "real": program.ask(("real",), 5)}
    assert "stand_in" not in rows["real"]
    document = {"version": 1, "host": "a", "took_s": 1, "tools": rows, "parts": {}}
    assert load(json.dumps(document), "a.json").stand_ins == ("nvidia-smi",)


def test_a_tool_that_hangs_is_ended_with_all_that_it_started(program: ModuleType, tools: Path) -> None:
    script(tools, "hangs", "echo begun; /bin/sleep 321 & /bin/sleep 322")
    row = program.ask(("hangs",), 3)
    assert (row["timed_out"], row["status"], row["out"]) == (True, None, "begun\n")
    left = [
        p for p in Path("/proc").glob("[0-9]*/cmdline") if _words(p) in (["/bin/sleep", "321"], ["/bin/sleep", "322"])
    ]
    assert left == []


def _words(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode("utf-8", "replace").split("\0")[:2]
    except OSError:
        return []


def test_an_endless_output_is_cut_and_says_so(
    program: ModuleType, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "KEEP_BYTES", 1000)
    script(tools, "talks", "/usr/bin/head -c 5000 /dev/zero")
    row = program.ask(("talks",), 5)
    assert row["cut"] is True
    assert len(row["out"]) == 1000


def test_every_tool_stands_in_the_document_also_without_any(program: ModuleType, tools: Path) -> None:
    found = program.ask_all(time.monotonic() + 20)
    assert {name for name, *_ in program.TOOLS} <= set(found)
    assert all(
        row.get("missing") for name, row in found.items() if name in ("smi_xml", "nvlink", "lsblk", "kernel_log")
    )
    assert found["device_nodes"]["out"].endswith("\n")


@pytest.mark.timeout(90)
def test_everything_hangs_and_the_document_is_whole_all_the_same(
    program: ModuleType, tools: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in {command[0] for _, command, _ in program.TOOLS} | {"journalctl"}:
        script(tools, name, "/bin/sleep 300")
    folder = tmp_path_factory.mktemp("disk")
    args = [
        "run",
        "--budget",
        "37",
        "--folder",
        str(folder),
        "--disk-mib",
        "40",
        "--peer",
        "127.0.0.1:9",
        "--out",
        str(folder / "a"),
    ]
    assert program.main(args) == 0
    evidence = load((folder / "a").read_text(), "a")
    assert all(
        row.get("timed_out") for name, row in evidence.tools.items() if name in ("smi_xml", "dcgm_diag", "kernel_log")
    )


def test_dmesg_that_is_forbidden_is_read_from_the_journal(program: ModuleType, tools: Path) -> None:
    script(tools, "dmesg", "echo 'dmesg: read kernel buffer failed: Operation not permitted' >&2; exit 1")
    script(tools, "journalctl", "echo 'line of the journal'")
    assert program.ask_all(time.monotonic() + 20)["kernel_log"]["out"] == "line of the journal\n"


def test_disk_says_why_it_was_not_measured(program: ModuleType, tmp_path: Path) -> None:
    assert "No such file" in program.disk(str(tmp_path / "absent"), 64, 5)
    assert "too little" in program.disk(str(tmp_path), 4, 5)


def test_a_file_system_in_memory_is_not_read(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = program._passes

    def refuses(path: str, flags: int, *rest: Any, **more: Any) -> Any:
        if flags & os.O_DIRECT:
            raise OSError(22, "Invalid argument")
        return original(path, flags, *rest, **more)

    monkeypatch.setattr(program, "_passes", refuses)
    row = program.disk(str(tmp_path), 40, 10)
    assert row["direct"] is False
    assert "refuses O_DIRECT" in row["read_gb_per_s"]
    assert list(tmp_path.iterdir()) == []


def test_two_nodes_measure_the_way_between_them(program: ModuleType) -> None:
    server = program.Server(0)
    try:
        row = program.send(f"127.0.0.1:{server.port}", 0.3, 3)
        assert row["send_gbps"] > 0.01
        assert server.received > 2**20
        assert server.peers == {"127.0.0.1": server.received}
    finally:
        server.close()


def test_a_peer_that_is_not_there_is_said(program: ModuleType) -> None:
    # Bound but not listening: nobody else can take the port, and no connection can be made to itself.
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        row = program.send(f"127.0.0.1:{held.getsockname()[1]}", 0.1, 0.2)
    assert "does not answer" in row["send_gbps"]
    assert "does not answer" in program.send("127.0.0.1:no", 0.1, 0.1)["send_gbps"]


def test_without_a_gpu_the_measurement_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-B", str(PROBE), "gemm"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "error" in json.loads(done.stdout)
    with pytest.raises(ParseError):
        gemm.parse(done.stdout)
