"""`fleetyard demo-hosts`: simulated instances boot, Ansible configures them, a training job outlives a lost host.

Real are the hosts' systems, their services, Ansible's roles and the job. Simulated are the clouds and their hardware.
Linux, root.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fleetyard import simulated
from fleetyard.cli.project import STACKS, project_root
from fleetyard.cli.steps import Commands, alone, counts, step, what_is_left
from fleetyard.copies import copy
from fleetyard.demo.job import Job, Slices, Slurm
from fleetyard.demo.machines import Machines
from fleetyard.demo.recording import Recording
from fleetyard.demo.store import fill
from fleetyard.findings import Exit
from fleetyard.inventory.packages import STAND_INS

KEY = "fleetyard:stack"
ENVIRONMENTS: Mapping[str, Mapping[str, Any]] = {
    "a100-train": {"pool": {"count": 4}, "hosts": 5, "job": Slurm},
    "tpu-train": {"pool": {"slices": 1}, "hosts": 4, "job": Slices},
}
"""What fits on two cores: one control and four compute hosts, and one slice of four hosts."""
SHARED = ("playbooks", "roles", "plugins", "inventory", "ansible.cfg")
LOST_AT = 0.4
"""How far the job is when a host loses power."""


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("stacks", nargs="*", default=[*ENVIRONMENTS], help="which stacks (default: both)")
    parser.add_argument("--pictures", type=Path, default=None, help="where to write the SVGs (default: its home)")
    parser.add_argument("--layer", default=None, help="the baked image to boot from (default: the bare one)")


def run(args: argparse.Namespace) -> int:
    """Run it. Exit status 1 when something is left that nobody asked to keep; a failed step raises FleetyardError."""
    # What it started is ended too when it is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(Exit.REFUSED))
    with alone("demo-hosts") as home:
        return _run(args, home)


def _run(args: argparse.Namespace, home: Path) -> int:
    root = project_root()
    began = time.monotonic()
    print("Fleetyard demo with hosts. The clouds are simulated, what runs on the hosts is real.\n", flush=True)
    with step("start a simulated AWS and Google Cloud whose instances boot"):
        simulated.start(home, fresh=True)
        machines = Machines(home)
        machines.start(args.layer)
    try:
        shutil.rmtree(home / "project", ignore_errors=True)
        project = copy(root, home / "project")
        for name in SHARED:
            (project / name).symlink_to(root / name)
        log = home / "demo.log"
        log.unlink(missing_ok=True)
        # The job runs on processors: drivers would be played, and only take time.
        do = Commands(project, {**simulated.environment(home), STAND_INS: "0"}, log)
        for stack in args.stacks:
            walk(stack, do, machines, args.pictures or home)
        left = what_is_left(home, args.stacks)
    finally:
        machines.stop()
        simulated.stop(home)
    print(f"\nDone in {time.monotonic() - began:.0f} s. Pictures and the whole log: {args.pictures or home}")
    return Exit.FINDINGS if left else Exit.DONE


def walk(stack: str, do: Commands, machines: Machines, pictures: Path) -> None:
    """One environment from its stack file to a finished job and back to nothing."""
    print(f"\n{stack}", flush=True)
    how = ENVIRONMENTS[stack]
    _set(do.project / STACKS / f"Pulumi.{stack}.yaml", how["pool"])
    recording = Recording()
    do.pulumi("stack", "init", stack)
    with step("pulumi up") as said, recording.span("cloud", "pulumi up"):
        said.append(counts(do.pulumi("up", "--yes", "--skip-preview", "--stack", stack)))
    with step("hosts boot") as said, recording.span("boot", f"{how['hosts']} hosts"):
        machines.wait(how["hosts"])
        said.append(f"{how['hosts']} answer SSH")
    job: Job = how["job"](stack, do, machines, recording)
    with step("data into the store") as said, recording.span("data", "data set"):
        said.append(fill(stack, do))
    with step("ansible-playbook site.yml") as said, recording.span("configure", "site.yml"):
        said.append(job.playbook("site.yml").said())
    with step("the job starts") as said:
        said.append(job.begin())
    with step("a host loses power") as said:
        said.append(job.lose(LOST_AT))
    with step("it is replaced, configured, and the job goes on") as said:
        said.append(job.recover())
    with step("the job ends") as said:
        said.append(job.finish())
    with step("ansible-playbook site.yml, again") as said, recording.span("configure", "again"):
        said.append(job.playbook("site.yml").unchanged())
    for line in job.told():
        print(f"    {line}", flush=True)
    job.draw(pictures)
    with step("pulumi destroy") as said, recording.span("cloud", "destroy"):
        said.append(counts(do.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)))
        machines.none_left()
    print(recording.listed("    "))
    picture = pictures / f"{stack}-timeline.svg"
    picture.write_text(recording.drawn(f"{stack}: from nothing to a trained model, with a host lost"))
    print(f"    pictures: {picture}, {pictures / f'{stack}-loss.svg'}")


def _set(file: Path, changes: Mapping[str, Any]) -> None:
    document = yaml.safe_load(file.read_text())
    document["config"][KEY]["pools"]["train"] |= changes
    file.write_text(yaml.safe_dump(document, sort_keys=False))
