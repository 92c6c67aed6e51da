"""How long Ansible waits for its hosts: a stack of 1,000, with a cloud that answers at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Plain, Ratio, Result, in_turn, seconds_of
from bench.sandbox import ROOT
from fleetyard.catalog import catalog
from fleetyard.inventory.access import Access
from fleetyard.inventory.hosts import build
from fleetyard.outputs import parse_outputs
from fleetyard.report.members import Member

HOSTS = 1000
BUDGET = 1.0
"""ansible-inventory with our plugin takes no longer than the same hosts out of a plain file."""
POOL = {
    "role": "compute", "machine": "p4d.24xlarge", "count": HOSTS, "hosts": HOSTS, "accelerators": 8 * HOSTS,
    "zones": ["use1-az6"], "buy": "on-demand", "kind": "autoscaling-group", "groups": {"all": "demo"},
    "identity": "role", "cache": "/cache", "cache_store": "data", "update": "on-next-boot", "usd_per_hour": None,
}  # fmt: skip
EXPORT = {
    "version": 1, "stack": "demo", "owner": "bench", "cloud": "aws", "region": "us-east-1", "project": None,
    "scheduler": "slurm", "network": {"id": "vpc-1", "cidr": "10.40.0.0/16", "subnets": {}}, "pools": {"train": POOL},
    "stores": {"data": {"bucket": "demo", "url": "s3://demo", "on_destroy": "keep"}}, "endpoints": {},
    "usd_per_hour": None,
}  # fmt: skip
GROUPS = ("pool_train", "role_compute", "cloud_aws", "fleetyard")
STAND_IN = """\
import sys
from fleetyard.inventory import source
from bench.inventory import members
source.read.__defaults__ = (lambda outputs, env: members(),)
sys.argv[0] = "ansible-inventory"
from ansible.cli.inventory import main
main()
"""


def members() -> list[Member]:
    """The machines, as a cloud would list them."""
    return [
        Member(
            "train", f"i-{n:017x}", "running", "use1-az6", f"10.40.{n // 250}.{n % 250 + 1}", "p4d.24xlarge",
            f"i-{n:017x}", f"ip-10-40-{n // 250}-{n % 250 + 1}",
        )
        for n in range(HOSTS)
    ]  # fmt: skip


def inventory(pairs: int) -> Iterator[Result]:
    """The plugin against a plain file of the same hosts, and the pure part alone."""
    outputs, env = parse_outputs(EXPORT), {"HOME": "/nonexistent"}
    found = members()
    pure = min(seconds_of(lambda: build(outputs, found, Access.of("demo", env), catalog(), env)) for _ in range(pairs))
    yield Plain(f"hosts, groups and variables of {HOSTS:,} machines", f"{pure * 1e3:.0f} ms")
    with tempfile.TemporaryDirectory(prefix="fleetyard-bench-") as name:
        folder = Path(name)
        (folder / "export.json").write_text(json.dumps(EXPORT))
        live = folder / "demo.fleetyard.yml"
        live.write_text("plugin: fleetyard\nstack: demo\noutputs: export.json\n")
        if (count := _listed(folder, live).count("--ip-10-40-")) != len(GROUPS) * HOSTS:
            raise RuntimeError(f"{count} lines of hosts, not {HOSTS} in each of {len(GROUPS)} groups")
        plain = folder / "plain.json"
        made = build(outputs, found, Access.of("demo", env), catalog(), env)
        rows = {host.name: dict(host.variables) for host in made.hosts}
        groups = {name: {"hosts": rows if name == "fleetyard" else dict.fromkeys(rows)} for name in GROUPS}
        groups["fleetyard"]["vars"] = dict(made.common)
        plain.write_text(json.dumps({"all": {"children": groups}}))
        ours, theirs = in_turn(
            lambda: seconds_of(lambda: _listed(folder, live)), lambda: seconds_of(lambda: _listed(folder, plain)), pairs
        )
        yield Ratio(f"ansible-inventory of {HOSTS:,} live hosts", ours, theirs, BUDGET, "a plain file of them")


def _listed(folder: Path, source: Path) -> str:
    """`ansible-inventory --graph`: the groups and their hosts (`--list` repeats what all share for every host)."""
    env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", STAND_IN, "-i", str(source), "--graph"],
        cwd=ROOT,
        env={**env, "HOME": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout
