"""The real engine on a simulated cloud of its own: a world, a project folder, and the commands that people type."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Done:
    """A command that ended."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Engine:
    """One world and one project folder."""

    home: Path
    project: Path
    env: dict[str, str] = field(default_factory=dict)

    def sim(self, *words: str) -> Done:
        return self._run([sys.executable, "-m", "simcloud", "--home", str(self.home), *words], dict(os.environ))

    def start(self) -> None:
        started = self.sim("start")
        assert started.status == 0, started.text
        self.env = dict(os.environ)
        for line in self.sim("env").out.splitlines():
            word, _, rest = line.partition(" ")
            name, _, value = rest.partition("=")
            if word == "unset":
                self.env.pop(name, None)
            else:
                self.env[name] = "".join(shlex.split(value))

    def stop(self) -> None:
        self.sim("stop")

    def inventory(self) -> Any:
        return json.loads(self.sim("inventory", "--json").out)

    def fleetyard(self, *words: str, seconds: float = 240) -> Done:
        return self._run([sys.executable, "-m", "fleetyard", *words], self.env, seconds)

    def pulumi(self, *words: str, fails: bool = False) -> Done:
        """Run pulumi; its success is asserted unless `fails`, then its failure is."""
        pulumi = shutil.which("pulumi", path=self.env["PATH"])
        assert pulumi, "no pulumi on PATH: run make setup"
        done = self._run([pulumi, *words, "--non-interactive", "--color", "never"], self.env)
        assert (done.status != 0) == fails, done.text
        return done

    def errors(self, *words: str, fails: bool) -> dict[str, str]:
        """What an update says of each resource that failed, by logical name; what no resource is to blame for is ''."""
        found: dict[str, str] = {}
        for line in self.pulumi(*words, "--json", fails=fails).out.splitlines():
            said = json.loads(line).get("diagnosticEvent", {}) if line.startswith("{") else {}
            if said.get("severity") == "error":
                name = said.get("urn", "").split("::")[-1]
                found[name] = found.get(name, "") + said["message"]
        return found

    def steps(self, *words: str) -> dict[str, str]:
        """A preview as data: what is planned for each resource that is not left alone, by type and name."""
        planned = json.loads(self.pulumi("preview", "--json", *words).out)
        return {s["urn"].split("::", 2)[2].split("$")[-1]: s["op"] for s in planned["steps"] if s["op"] != "same"}

    def _run(self, command: list[str], env: dict[str, str], seconds: float = 240) -> Done:
        done = subprocess.run(
            command, cwd=self.project, env=env, capture_output=True, text=True, timeout=seconds, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    # Projects

    def use_fleetyard(self) -> None:
        """The project's own program and copies of its stack files."""
        (self.project / "stacks").mkdir(parents=True)
        shutil.copy(ROOT / "Pulumi.yaml", self.project)
        (self.project / "infra").symlink_to(ROOT / "infra")
        for file in (ROOT / "stacks").iterdir():
            kept = [
                line for line in file.read_text().splitlines(keepends=True) if not line.startswith("encryptionsalt:")
            ]
            (self.project / "stacks" / file.name).write_text("".join(kept))

    def use_program(self, text: str, config: str = "") -> None:
        """A plain Pulumi program that has nothing to do with Fleetyard, and its stack `dev`."""
        self.project.mkdir(parents=True, exist_ok=True)
        (self.project / "Pulumi.yaml").write_text("name: plain\nruntime: python\n")
        (self.project / "__main__.py").write_text(text)
        if config:
            (self.project / "Pulumi.dev.yaml").write_text(config)
        self.pulumi("stack", "init", "dev")

    def edit(self, stack: str, old: str, new: str) -> None:
        """Change a stack file; the text must be there."""
        path = self.project / "stacks" / f"Pulumi.{stack}.yaml"
        text = path.read_text()
        assert old in text, f"{old!r} is not in {path.name}"
        path.write_text(text.replace(old, new))

    def api(self, service: str, region: str = "us-east-1") -> Any:
        """boto3, as a person on the side would use it."""
        import boto3

        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.env["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
        )
