"""A place to measure in: a world of its own, Pulumi projects beside it, nothing in the work tree, nothing left."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.bare import program
from bench.measure import seconds_of
from fleetyard import simulated

ROOT = Path(__file__).parents[1]
SILENT = ("--non-interactive", "--color", "never")


class EngineError(Exception):
    """A `pulumi` command that should have worked did not; the message is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Project:
    """One Pulumi project and the environment in which it runs."""

    folder: Path
    env: Mapping[str, str]

    def pulumi(self, *words: str) -> str:
        """Run one command; what it printed. Raises EngineError."""
        done = subprocess.run(
            ["pulumi", *words, *SILENT],
            cwd=self.folder,
            env=dict(self.env),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise EngineError(f"pulumi {' '.join(words)} ended with exit status {done.returncode}:\n{tail}")
        return done.stdout

    def timed(self, *words: str) -> float:
        """Seconds of one command."""
        return seconds_of(lambda: self.pulumi(*words))

    def preview(self, stack: str) -> float:
        """Seconds of `pulumi preview`."""
        return self.timed("preview", "--stack", stack)

    def up(self, stack: str) -> float:
        """Seconds of `pulumi up` on an empty stack, which is taken down again outside the measured time."""
        seconds = self.timed("up", "--yes", "--skip-preview", "--stack", stack)
        self.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)
        return seconds

    def recorded(self, stack: str) -> dict[str, Any]:
        """What the engine recorded of this stack when it stood: it is brought up and taken down for this."""
        self.pulumi("up", "--yes", "--skip-preview", "--stack", stack)
        exported: dict[str, Any] = json.loads(self.pulumi("stack", "export", "--stack", stack))
        self.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)
        return exported


class Sandbox:
    """Everything of one run, below one temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "sim"
        simulated.start(self.home, fresh=True)
        self.env = simulated.environment(self.home)
        self._nothing: subprocess.Popen[str] | None = None

    def close(self) -> None:
        """Stop what runs."""
        simulated.stop(self.home)
        if self._nothing is not None and self._nothing.stdin is not None:
            self._nothing.stdin.close()
            self._nothing.wait(timeout=10)

    def ours(self, stacks: Mapping[str, Mapping[str, Any]]) -> Project:
        """Fleetyard's own program on the simulated clouds. stacks: name to the value of `config`."""
        project = self._project("ours")
        link = project / "infra"
        if not link.exists():
            link.symlink_to(ROOT / "infra")
            shutil.copy(ROOT / "Pulumi.yaml", project)
            for lock in (ROOT / "stacks").glob("*.sizing.json"):
                shutil.copy(lock, project / "stacks")
        return self._with_stacks(Project(project, self.env), stacks)

    def bare(self, stack: str, recorded: Mapping[str, Any]) -> Project:
        """The plainest program that registers what was recorded, on providers that do nothing."""
        project = self._project(f"bare-{stack}")
        (project / "infra").mkdir(exist_ok=True)
        (project / "infra" / "__main__.py").write_text(program(recorded))
        shutil.copy(ROOT / "Pulumi.yaml", project)
        config = {"pulumi:disable-default-providers": ["*"]}
        return self._with_stacks(Project(project, self.env_of_nothing()), {stack: config})

    def env_of_nothing(self) -> dict[str, str]:
        """The environment in which a program meets providers that do nothing."""
        state = self.folder / "bare-state"
        state.mkdir(exist_ok=True)
        return {**self.env, "PULUMI_DEBUG_PROVIDERS": self._nothing_ports(), "PULUMI_BACKEND_URL": state.as_uri()}

    def _project(self, name: str) -> Path:
        project = self.folder / name
        (project / "stacks").mkdir(parents=True, exist_ok=True)
        return project

    def _with_stacks(self, project: Project, stacks: Mapping[str, Mapping[str, Any]]) -> Project:
        for name, config in stacks.items():
            file = project.folder / "stacks" / f"Pulumi.{name}.yaml"
            if not file.exists():
                file.write_text(yaml.safe_dump({"config": dict(config)}, sort_keys=False))
                project.pulumi("stack", "init", name)
        return project

    def _nothing_ports(self) -> str:
        if self._nothing is None:
            self._nothing = subprocess.Popen(
                [sys.executable, "-m", "bench.nothing", "aws", "gcp"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self._nothing.stdout is not None
            self._ports = self._nothing.stdout.readline().strip()
        return self._ports


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="fleetyard-bench-") as folder:
        place = Sandbox(Path(folder))
        try:
            yield place
        finally:
            place.close()


def stack_config(name: str) -> dict[str, Any]:
    """The `config` of one of the repository's stack files."""
    text = (ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load(text)["config"]
    return config
