"""A stack's whole life on a throw-away simulated cloud, for the calls that it makes: up, every tag changed, refresh,
destroy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from fleetyard import simulated
from fleetyard.cli.project import STACKS
from fleetyard.copies import copy
from fleetyard.findings import Exit, error
from fleetyard.preview import worker
from fleetyard.preview.worker import Job

KEY = "fleetyard:stack"


@dataclass(frozen=True, slots=True)
class Life:
    """`calls`: operations as the clouds name them (`ec2:CreateVpc`, `compute.networks.insert`); `types`: what stood."""

    calls: tuple[str, ...]
    types: tuple[str, ...]
    read_actions: tuple[str, ...]
    """What AWS's registry adds for reading these types: its providers read more than the simulated one."""


def live(root: Path, stack: str, cloud: str, say: Callable[[str], None]) -> Life:
    """Walk `stack` through its life. Raises FleetyardError (exit 69, FY2702) when a step fails."""
    worker.preload([cloud])
    with simulated.throw_away() as (home, env):
        project = copy(root, home / "project")
        file = project / STACKS / f"Pulumi.{stack}.yaml"
        _leave_nothing(file)
        types = _step(say, Job("up", stack, project, env, make=True, own_modules=False)).types
        _edit(file)
        _step(say, Job("up", stack, project, env, own_modules=False))
        _step(say, Job("refresh", stack, project, env, own_modules=False))
        _step(say, Job("destroy", stack, project, env, own_modules=False))
        calls = simulated.called(home).get(cloud, {})
        reads = simulated.read_actions(types) if cloud == "aws" else ()
        return Life(tuple(sorted(calls)), types, reads)


def _step(say: Callable[[str], None], job: Job) -> worker.Ran:
    ran = worker.run(job)
    if not ran.ok:
        said = "; ".join(ran.said) or "no reason was given"
        raise error(
            "FY2702", f"pulumi {job.action}", f"{job.stack}: {said}", f"fleetyard check -s {job.stack}", Exit.REFUSED
        )
    say(f"{job.stack}: {job.action} on the simulated cloud")
    return ran


def _leave_nothing(file: Path) -> None:
    """Let `destroy` delete the stores too: whoever may make a bucket must be able to take it away again."""
    text = file.read_text()
    file.write_text(re.sub(r"on_destroy: *(keep|refuse)", "on_destroy: empty", text))


def _edit(file: Path) -> None:
    """Change what can change without replacing the network: the owner, which is on every tag and label."""
    document = yaml.safe_load(file.read_text())
    document["config"][KEY]["owner"] += "-2"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
