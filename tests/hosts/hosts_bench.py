"""Real hosts for tests: a lab of hosts that no cloud owns, and a stack on a simulated cloud whose instances boot."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine_bench import BIN, ROOT, Done, Engine

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

    def wait(self, count: int, seconds: float = 120) -> None:
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
        (pool, role, f"i-{pool}-{index}", f"{pool}-{index}", f"10.90.{place}.{10 + index}")
        for place, (pool, (role, count)) in enumerate(pools.items())
        for index in range(count)
    ]
    machines = [
        {
            "cloud": "aws",
            "key": key,
            "name": name,
            "host_name": name,
            "network": "vpc-lab",
            "subnet": "lab",
            "cidr": "10.90.0.0/16",
            "address": address,
            "machine": "m7i.xlarge",
            "zone": "lab",
            "region": "lab",
            "image": suite,
            "identity": "",
            "disk": "1",
            "boots": 1,
            "power": True,
        }
        for _, _, key, name, address in rows
    ]
    free = [
        {"machine": key, "direction": direction, "peers": ["0.0.0.0/0"], "protocol": "all"}
        for _, _, key, _, _ in rows
        for direction in ("in", "out")
    ]
    fleet = {"revision": "", "machines": machines, "networks": [], "rules": free}
    (home / "fleet.json").write_text(json.dumps(fleet))
    more = ["--layer", layer] if layer else []
    hosts.env["FLEETYARD_SIM_HOME"] = str(home)
    hosts.sim("start", "--suite", suite, *more, "--fleet", str(home / "fleet.json"))
    hosts.inventory.write_text(json.dumps(_lab_inventory(home, rows)))
    hosts.wait(len(rows))
    return hosts


def _lab_inventory(home: Path, rows: Sequence[tuple[str, str, str, str, str]]) -> dict[str, Any]:
    own = home / "hosts"
    groups: dict[str, Any] = {}
    members = [
        {"name": name, "address": address, "pool": pool, "role": role, "instance": key}
        for pool, role, key, name, address in rows
    ]
    for pool, role, key, name, address in rows:
        proxy = shlex.join([sys.executable, "-m", "simcloud.hosts", "connect", key])
        options = [f"ProxyCommand={proxy}", f"HostKeyAlias={key}", f"UserKnownHostsFile={own / 'known_hosts'}"]
        options += ["StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null"]
        variables = {
            "ansible_host": key,
            "ansible_user": "ansible",
            "ansible_ssh_private_key_file": str(own / "id_ed25519"),
            "ansible_ssh_common_args": " ".join(f"-o {shlex.quote(option)}" for option in options),
            "fleetyard_pool": pool,
            "fleetyard_role": role,
            "fleetyard_zone": "lab",
            "fleetyard_machine": "m7i.xlarge",
            "fleetyard_instance": key,
            "fleetyard_state": "running",
            "fleetyard_address": address,
            "fleetyard_accelerator": "",
            "fleetyard_accelerators": 0,
            "fleetyard_drives": 0,
            "fleetyard_cache": "",
            "fleetyard_cache_store": "",
            "fleetyard_cache_medium": "nvme",
        }
        for group in (f"pool_{pool}", f"role_{role}", "cloud_aws", "fleetyard"):
            groups.setdefault(group, {"hosts": {}})["hosts"][name] = variables
    groups["fleetyard"]["vars"] = {
        "fleetyard_stack": "lab",
        "fleetyard_owner": "lab",
        "fleetyard_cloud": "aws",
        "fleetyard_region": "lab",
        "fleetyard_project": "",
        "fleetyard_scheduler": "slurm",
        "fleetyard_network": "10.90.0.0/16",
        "fleetyard_simulated": True,
        "fleetyard_stores": {},
        "fleetyard_endpoint_environment": {},
        "fleetyard_members": members,
    }
    return {"all": {"children": groups}}


# A whole stack


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


def cluster(folder: Path, stack: str, edits: Sequence[tuple[str, str]] = (), layer: str | None = None) -> Cluster:
    """A world, its hosts' process and a project with the stack, not yet up.

    edits: replacements in the stack file, for example ("count: sized # or a number", "count: 2").
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "project").mkdir()
    engine = Engine(folder / "home", folder / "project")
    engine.start()
    engine.use_fleetyard()
    for name in ("playbooks", "roles", "plugins", "inventory", "ansible.cfg"):
        (engine.project / name).symlink_to(ROOT / name)
    for old, new in edits:
        engine.edit(stack, old, new)
    inventory = folder / f"{stack}.fleetyard.yml"
    inventory.write_text(f"plugin: fleetyard\nstack: {stack}\nproject: {engine.project}\n")
    hosts = Hosts(engine.home, inventory, engine.env)
    hosts.sim("start", *(["--layer", layer] if layer else []))
    engine.pulumi("stack", "init", stack)
    return Cluster(engine, hosts, stack)
