"""A folder that a stand-in takes for its host, and the programs started there as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from stand_ins.variables import hardware  # noqa: E402

from fleetyard.catalog import catalog  # noqa: E402

PROGRAM = ROOT / "tools" / "stand_ins" / "node" / "run"
DRIVER = "580.159.04"


@dataclass
class PlayedNode:
    """One node. The driver is installed, and its module built, unless taken away."""

    root: Path

    @classmethod
    def make(cls, root: Path, cloud: str = "aws", machine: str = "p5.48xlarge", **more: Any) -> PlayedNode:
        node = cls(root)
        node.write("etc/fleetyard/stand-in.json", json.dumps(hardware(catalog().machine(cloud, machine)) | more))
        node.says("nvidia-driver", DRIVER)
        node.module(DRIVER)
        (root / "bin").mkdir()
        return node

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def says(self, component: str, version: str) -> None:
        """As a stand-in package would, when it is installed."""
        self.write(f"usr/share/fleetyard-stand-in/{component}", version + "\n")

    def module(self, version: str) -> None:
        """As DKMS would."""
        link = self.root / "var/lib/dkms/nvidia/kernel-6.1.0-x86_64"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(f"{version}/6.1.0/x86_64")

    def plant(self, **faults: Any) -> None:
        assert self.run("fleetyard-stand-in", "plant", json.dumps(faults)).returncode == 0

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        return {**os.environ, "FLEETYARD_STAND_IN_ROOT": str(self.root), "PATH": path}

    def link(self, program: str) -> Path:
        found = self.root / "bin" / program
        if not found.is_symlink():
            found.symlink_to(PROGRAM)
        return found

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.link(program)), *words]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=30, check=False)

    def said(self, program: str, *words: str) -> str:
        done = self.run(program, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def calls(self) -> list[dict[str, Any]]:
        path = self.root / "var/lib/fleetyard-stand-in/calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
