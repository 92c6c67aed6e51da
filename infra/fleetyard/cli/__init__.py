"""The `fleetyard` command. `pulumi` and `ansible-playbook` work without it.

Each subcommand is a module of this package with `add(parser)` and `run(args) -> int`, named in `COMMANDS`. Only the
module of the subcommand that was asked for is imported, so that `--help` is quick and nothing imports Pulumi by
accident.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Protocol, cast

from fleetyard.findings import Exit, Finding, FleetyardError, Level, render_json, render_text

COMMANDS: dict[str, tuple[str, str]] = {
    "size": ("fleetyard.cli.size", "size the pools of a stack for its workloads, and lock the counts"),
    "check": ("fleetyard.cli.check", "say what is wrong with a stack before anything is bought"),
    "demo": ("fleetyard.cli.demo", "run both environments through the whole road on the simulated cloud"),
    "demo-hosts": ("fleetyard.cli.demo_hosts", "the same with booted hosts: a training job outlives a lost host"),
    "sim": ("fleetyard.cli.sim", "start, stop and look into the simulated AWS and GCP"),
    "show": ("fleetyard.cli.show", "show what stands, as a table and as a picture"),
    "bootstrap": ("fleetyard.cli.bootstrap", "write what has to stand before the first up: state, key, identities"),
    "preview": ("fleetyard.cli.preview", "say what a change does to every stack, without an account"),
    "accept": ("fleetyard.cli.accept", "judge nodes by what they show: what was paid for has to be there"),
    "health": ("fleetyard.cli.health", "say what is done about what a node reports: ignore, drain, replace"),
    "drift": ("fleetyard.cli.drift", "say what differs from what was deployed, in the cloud and on the nodes"),
    "recover": ("fleetyard.cli.recover", "put right what a killed `pulumi up` left behind"),
    "versions": ("fleetyard.cli.versions", "list the locked versions, or say what is wrong with what a node has"),
    "image": ("fleetyard.cli.image", "write templates that bake a pool's image, or tell what a baked one saves"),
    "mirror": ("fleetyard.cli.mirror", "list what a mirror must hold for machines without a way out"),
    "catalog": ("fleetyard.cli.catalog", "list machines, or the facts of one with their sources"),
}
"""Subcommand to the module that implements it and the line that `--help` prints."""

INTERRUPTED = 130
"""What shells say for a command that Ctrl-C ended."""


class Command(Protocol):
    """What a module of a subcommand offers."""

    def add(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommand's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it, and return an exit status. Raises FleetyardError for what the person can mend."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status (`fleetyard.findings.Exit`).

    Raises nothing: a defect of ours prints its traceback and is exit status 70.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        command, args = _parse(words)
        status = int(command.run(args))
        sys.stdout.flush()
        return status
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(Exit.USAGE if done.code else Exit.DONE)
    except FleetyardError as wrong:
        return _report(wrong, as_json="--json" in words)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        return int(Exit.DONE)
    except Exception as defect:  # the one place that turns every defect into exit status 70
        return _defect(defect, as_json="--json" in words)


def _parse(words: Sequence[str]) -> tuple[Command, argparse.Namespace]:
    parser = argparse.ArgumentParser(
        prog="fleetyard", description="Size, check and show accelerator clusters on AWS and Google Cloud."
    )
    parser.add_argument(
        "--version", action="version", version=f"fleetyard {_version() if '--version' in words else ''}"
    )
    each = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in words if not word.startswith("-")), None)
    modules: dict[str, Command] = {}
    for name, (module, about) in COMMANDS.items():
        sub = each.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
        if name == chosen:
            modules[name] = cast("Command", importlib.import_module(module))
            modules[name].add(sub)
    args = parser.parse_args(words)
    return modules[args.command], args


def _version() -> str:
    from importlib.metadata import version

    return version("fleetyard")


def _report(wrong: FleetyardError, as_json: bool) -> int:
    if as_json:
        print(render_json(wrong.findings), end="")
    else:
        print(render_text(wrong.findings), file=sys.stderr)
    return wrong.exit_code


def _defect(defect: Exception, as_json: bool) -> int:
    traceback.print_exception(defect)
    message = f"{type(defect).__name__}: {defect}"
    finding = Finding(
        "FY7000", Level.ERROR, "fleetyard", message, "report this: it is a defect of Fleetyard, not yours"
    )
    if as_json:
        print(render_json([finding]), end="")
    print(finding, file=sys.stderr)
    return int(Exit.DEFECT)
