"""Real hosts for tests: a lab of hosts that no cloud owns, and a stack on a simulated cloud whose instances boot."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine_bench import BIN, ROOT, Done, Engine
from lab import Row, write_fleet, write_inventory

from fleetyard.inventory.packages import STAND_INS

RECAP = re.compile(
    r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)\s+skipped=(\d+)", re.MULTILINE
)


@dataclass(frozen=True)
class Play:
    """A finished `ansible-playbook`."""

    status: int
    text: str
    seconds: float

    @property
    def stats(self) -> dict[str, dict[str, int]]:
        """By host: ok, changed, unreachable, failed, skipped."""
        words = ("ok", "changed", "unreachable", "failed", "skipped")
        return {row[0]: dict(zip(words, map(int, row[1:]), strict=True)) for row in RECAP.findall(self.text)}

    @property
    def changed(self) -> int:
        return sum(host["changed"] for host in self.stats.values())

    def worked(self) -> Play:
        assert self.status == 0, self.text[-6000:]
        assert self.stats, self.text[-2000:]
        return self


@dataclass
class Hosts:
    """Hosts that run, and an inventory that reaches them."""

    home: Path
    inventory: Path
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def sim(self, *words: str, check: bool = True) -> str:
        command = [sys.executable, "-m", "simcloud.hosts", "--home", str(self.home), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.sim("list", "--json"))
        return found

    def row(self, host: str) -> dict[str, Any]:
        return next(row for row in self.listed() if host in (row["host"], row["key"]))

    def wait(self, count: int, seconds: float = 240) -> None:
        self.sim("wait", str(count), "--seconds", str(seconds))

    def until(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        """Ask again until it is so; what it said."""
        end = time.monotonic() + seconds
        while not (said := what()):
            assert time.monotonic() < end, f"not within {seconds} s"
            time.sleep(0.2)
        return said

    def inside(self, host: str, command: str) -> str:
        """As root, past the network: what a console is for."""
        return self.sim("exec", host, "--", "bash", "-c", command)

    def playbook(self, path: str | Path, *words: str, env: Mapping[str, str] | None = None) -> Play:
        """`ansible-playbook` from the project's root, as a person would run it."""
        command = [str(BIN / "ansible-playbook"), "-i", str(self.inventory), str(path), *words]
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**self.env, "ANSIBLE_NOCOLOR": "1", **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        return Play(done.returncode, done.stdout + done.stderr, time.monotonic() - began)

    def ansible(self, hosts: str, *words: str) -> Done:
        """`ansible`, one module."""
        command = [str(BIN / "ansible"), "-i", str(self.inventory), hosts, *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def on(self, host: str, command: str) -> Done:
        """Over SSH, by the inventory's own connection; its standard output as it is."""
        return self.ansible(host, "-b", "-m", "ansible.builtin.raw", "-a", command)

    def stop(self) -> None:
        self.sim("stop", check=False)


# The lab: hosts without a cloud


def lab(home: Path, pools: Mapping[str, tuple[str, int]], suite: str = "bookworm", layer: str | None = None) -> Hosts:
    """Boot hosts that no cloud owns, all in one VPC that lets everything pass.

    pools: by name, role and number of hosts: {"control": ("control", 1), "train": ("compute", 2)}. The inventory has
    the variables of a stack's, with no store.
    """
    home.mkdir(parents=True, exist_ok=True)
    hosts = Hosts(home, home / "inventory.yml")
    rows = [
        Row(f"{pool}-{index}", pool, (role,), f"10.90.{place}.{10 + index}")
        for place, (pool, (role, count)) in enumerate(pools.items())
        for index in range(count)
    ]
    write_fleet(home / "fleet.json", rows)
    more = ["--layer", layer] if layer else []
    try:
        hosts.sim("start", "--suite", suite, *more, "--fleet", str(home / "fleet.json"))
        write_inventory(hosts.inventory, home, rows)
        hosts.wait(len(rows))
    except BaseException:
        hosts.stop()
        raise
    return hosts


# A whole stack


def baked() -> str:
    """The baked image's name, as `make setup-hosts` made it; FLEETYARD_LAYER names another, while roles change."""
    if chosen := os.environ.get("FLEETYARD_LAYER"):
        return chosen
    command = [sys.executable, str(ROOT / "tools" / "setup_hosts.py"), "--layer"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@dataclass
class Cluster:
    """A stack of ours on a simulated cloud, brought up through the engine, its machines booted."""

    engine: Engine
    hosts: Hosts
    stack: str

    def bring_up(self, machines: int) -> None:
        self.engine.pulumi("up", "--yes", "--skip-preview", "--stack", self.stack)
        self.hosts.wait(machines)

    def close(self) -> None:
        self.hosts.stop()
        self.engine.stop()


def cluster(
    folder: Path, stack: str, edits: Sequence[tuple[str, str]] = (), layer: str | None = None, stand_ins: bool = False
) -> Cluster:
    """A world, its hosts' process and a project with the stack, not yet up.

    stand_ins: whether the inventory gives its hosts accelerators that are played.
    edits: replacements in the stack file, for example ("count: sized # or a number", "count: 2").
    """
    (folder / "project").mkdir(parents=True)
    engine = Engine(folder / "home", folder / "project")
    inventory = folder / f"{stack}.fleetyard.yml"
    made = Cluster(engine, Hosts(engine.home, inventory), stack)
    try:
        engine.start()
        # Most tests are about other things than accelerators, whose roles take a minute a run.
        made.hosts.env = {**engine.env, STAND_INS: engine.env.get(STAND_INS, "1" if stand_ins else "0")}
        engine.use_fleetyard()
        for name in ("playbooks", "roles", "plugins", "inventory", "ansible.cfg"):
            (engine.project / name).symlink_to(ROOT / name)
        for old, new in edits:
            engine.edit(stack, old, new)
        inventory.write_text(f"plugin: fleetyard\nstack: {stack}\nproject: {engine.project}\n")
        made.hosts.sim("start", *(["--layer", layer] if layer else []))
        engine.pulumi("stack", "init", stack)
    except BaseException:
        made.close()
        raise
    return made
