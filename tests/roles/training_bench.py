"""Runs the training program as the hosts do: its own processes, with the packages that the hosts get."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "roles" / "training_stack" / "files"
SMALL = (
    "--width=16",
    "--layers=1",
    "--heads=2",
    "--context=16",
    "--batch=8",
    "--checkpoint-every=4",
    "--heartbeat-s=10",
)


@cache
def python() -> str:
    """The interpreter with the training stack's packages; `make setup` has filled the folder it is made from."""
    spec = importlib.util.spec_from_file_location("wheels", ROOT / "tools" / "wheels.py")
    assert spec
    assert spec.loader
    wheels = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(wheels)
    return str(wheels.environment() / "bin" / "python")


def write_data(folder: Path) -> Path:
    """A small data set with its manifest."""
    folder.mkdir()
    objects = []
    for number in range(2):
        content = bytes((each * each + number) % 61 for each in range(3000))
        (folder / f"{number}.bin").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        objects.append({"key": f"{number}.bin", "bytes": len(content), "sha256": sha256})
    (folder / "manifest.json").write_text(json.dumps({"objects": objects}))
    return folder


class Job:
    """A training job of one or several processes on this machine."""

    def __init__(self, data: Path, store: Path, compiled: Path, *more: str) -> None:
        self.store = store
        self._arguments = ["--data", str(data), "--store", str(store), *SMALL, *more]
        self._env = {
            **os.environ,
            "PYTHONPATH": str(PROGRAM),
            "PYTHONDONTWRITEBYTECODE": "1",
            "JAX_COMPILATION_CACHE_DIR": str(compiled),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
        }

    def start(self, processes: int) -> list[subprocess.Popen[str]]:
        """Start it."""
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        started = []
        for number in range(processes):
            group = [f"--coordinator=127.0.0.1:{port}", f"--processes={processes}", f"--process={number}"]
            command = [python(), "-m", "trainer", *self._arguments, *(group if processes > 1 else [])]
            pipe = subprocess.PIPE
            started.append(subprocess.Popen(command, env=self._env, stdout=pipe, stderr=pipe, text=True))
        return started

    def run(self, processes: int = 1) -> tuple[list[int], str]:
        """Run it to its end: the exit statuses, and what the processes wrote to standard error."""
        started = self.start(processes)
        told = [each.communicate(timeout=240)[1] for each in started]
        return [each.returncode for each in started], "\n".join(told)

    def losses(self) -> dict[int, float]:
        """The loss of each step; of a step that ran twice, the later one."""
        return {line["step"]: line["loss"] for line in self.lines()}

    def lines(self) -> list[dict[str, float]]:
        """The record, start after start."""
        return [
            json.loads(line)
            for path in sorted((self.store / "loss").glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]


sys.path.insert(0, str(PROGRAM))
