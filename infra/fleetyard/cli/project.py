"""Where the project's stack files lie, and which stacks there are."""

from __future__ import annotations

import argparse
from pathlib import Path

from fleetyard.findings import FleetyardError, error
from fleetyard.inventory.export import project_root as project_root
from fleetyard.spec import nearest, stack_file

STACKS = "stacks"


def add_stack_arguments(parser: argparse.ArgumentParser, without: str) -> None:
    """The arguments that name a stack. without: what the subcommand does when none is named."""
    parser.add_argument("--stack", "-s", help=f"the stack's name; without it, {without}")
    parser.add_argument("--stacks", type=Path, default=None, help="where stack files lie (default: the project's)")


def stacks_folder(args: argparse.Namespace) -> Path:
    """Where stack files lie: as typed, else the project's."""
    typed: Path | None = args.stacks
    return typed if typed is not None else project_root() / STACKS


def stack_names(folder: Path) -> list[str]:
    """The stacks of a folder, in the order of their names."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in folder.glob("Pulumi.*.yaml"))


def require_stack_file(folder: Path, name: str) -> Path:
    """The file of a stack. Raises FleetyardError (exit 65, FY1001) with the nearest name when there is none."""
    path = stack_file(folder, name)
    if path.exists():
        return path
    raise no_such_stack(folder, name)


def no_such_stack(folder: Path, name: str) -> FleetyardError:
    """The error for a stack that has no file."""
    names = stack_names(folder)
    close = nearest(name, names)
    fix = f"`--stack {close}`" if close else f"one of {', '.join(names)}" if names else f"write {folder.name}/"
    return error("FY1001", stack_file(folder, name).name, "there is no such stack file", fix)
