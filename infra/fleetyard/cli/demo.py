"""`fleetyard demo`: both environments through the whole road on the simulated cloud, in a world of its own.

Size, check, preview, up, show, refresh, destroy; then what is left. The stack files are copied first: Pulumi writes
into them, and the work tree shall stay clean.
"""

from __future__ import annotations

import argparse
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from fleetyard import simulated
from fleetyard.cli.project import project_root
from fleetyard.cli.steps import Commands, alone, counts, indented, step, what_is_left
from fleetyard.copies import copy
from fleetyard.findings import Exit

ENVIRONMENTS = ("a100-train", "tpu-train")


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument(
        "stacks", nargs="*", default=list(ENVIRONMENTS), help="which stacks (default: both environments)"
    )
    parser.add_argument(
        "--pictures", type=Path, default=None, help="where to write the SVGs (default: the demo's home)"
    )


def run(args: argparse.Namespace) -> int:
    """Run it. Exit status 1 when something is left that nobody asked to keep; a failed step raises FleetyardError."""
    with alone("demo") as home:
        return _run(args, home)


def _run(args: argparse.Namespace, home: Path) -> int:
    root = project_root()
    began = time.monotonic()
    print("Fleetyard demo. Everything below is simulated: nothing is bought, no account is needed.\n", flush=True)
    with step("start a simulated AWS and Google Cloud"):
        simulated.start(home, fresh=True)
    try:
        env = simulated.environment(home)
        shutil.rmtree(home / "project", ignore_errors=True)
        project = copy(root, home / "project")
        log = home / "demo.log"
        log.unlink(missing_ok=True)
        demo = Demo(Commands(project, env, log), args.pictures or home)
        for stack in args.stacks:
            demo.walk(stack)
        left = what_is_left(home, args.stacks)
    finally:
        simulated.stop(home)
    print(f"\nDone in {time.monotonic() - began:.0f} s. Pictures and the whole log: {demo.pictures}")
    return Exit.FINDINGS if left else Exit.DONE


@dataclass(frozen=True)
class Demo:
    """What every step of the demo needs."""

    do: Commands
    pictures: Path

    def walk(self, stack: str) -> None:
        """One environment from its stack file to nothing and back."""
        print(f"\n{stack}", flush=True)
        with step("size"):
            sized = self.do.fleetyard("size", "--stack", stack)
        indented(sized)
        with step("check") as said:
            self.do.fleetyard("check", "--stack", stack)
            said.append("nothing stands in the way")
        self.do.pulumi("stack", "init", stack)
        with step("pulumi preview") as said:
            said.append(counts(self.do.pulumi("preview", "--stack", stack)))
        with step("pulumi up") as said:
            said.append(counts(self.do.pulumi("up", "--yes", "--skip-preview", "--stack", stack)))
        picture = self.pictures / f"{stack}.svg"
        with step("show what stands"):
            shown = self.do.fleetyard("show", "--stack", stack, "--svg", str(picture))
        indented(shown)
        print(f"    picture: {picture}")
        with step("pulumi refresh") as said:
            said.append(
                counts(self.do.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack))
            )
        with step("pulumi destroy") as said:
            said.append(counts(self.do.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)))
