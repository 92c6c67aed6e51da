"""`fleetyard show`: what stands, as a table and as a picture."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fleetyard.cli.project import add_stack_arguments, require_stack_file, stack_names, stacks_folder
from fleetyard.findings import Exit, error, render_text
from fleetyard.inventory.export import exported, project_root
from fleetyard.outputs import StackOutputs, parse_outputs
from fleetyard.plan import Plan, make_plan, read_sized
from fleetyard.report.members import Member, find
from fleetyard.report.picture import draw
from fleetyard.report.text import differences, missing_members, standing
from fleetyard.settings import refuse_mixed_settings, simulated
from fleetyard.spec import load_stack


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    add_stack_arguments(parser, "the only stack there is")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the topology as a picture too")
    parser.add_argument("--planned", action="store_true", help="show the plan: nothing need stand, no cloud is asked")
    parser.add_argument("--no-live", action="store_true", help="do not ask the cloud for the machines")
    parser.add_argument(
        "--outputs", metavar="FILE", help="read the export `fleetyard` from a file, or - for standard input"
    )
    parser.add_argument("--json", action="store_true", help="print the export and the members as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what stands. Exit status 1 when the stack file says otherwise, or when machines are missing."""
    refuse_mixed_settings(os.environ)
    folder = stacks_folder(args)
    stack = load_stack(require_stack_file(folder, _name(folder, args.stack)))
    plan = make_plan(stack, read_sized(stack, folder))
    labels = ["simulated"] if simulated(os.environ) else []
    if args.planned:
        _write_picture(args.svg, plan, [*labels, "planned"])
        print(_planned(plan, as_json=args.json))
        return Exit.DONE
    outputs = parse_outputs(exported(args.outputs, plan.stack, project_root()))
    members = None if args.no_live else find(outputs, os.environ)
    found = differences(plan, outputs)
    if members is not None:
        found += missing_members(outputs, members)
    _write_picture(args.svg, plan, labels)
    if args.json:
        print(json.dumps(_data(outputs, members, labels, [each.as_dict() for each in found]), indent=2))
    else:
        print(standing(outputs, members, labels), end="")
        if found:
            print(render_text(found), file=sys.stderr)
    return Exit.FINDINGS if found else Exit.DONE


def _name(folder: Path, typed: str | None) -> str:
    names = stack_names(folder)
    if typed is not None:
        return typed
    if len(names) == 1:
        return names[0]
    raise error(
        "FY1901", "--stack", "names no stack", f"one of {', '.join(names)}" if names else f"write {folder.name}/", 2
    )


def _write_picture(path: Path | None, plan: Plan, labels: Sequence[str]) -> None:
    if path is None:
        return
    try:
        path.write_text(draw(plan, labels), encoding="utf-8")
    except OSError as problem:
        message = f"cannot be written: {problem.strerror or problem}"
        raise error("FY1902", str(path), message, "another place", Exit.PERMISSION) from None


def _planned(plan: Plan, as_json: bool) -> str:
    from fleetyard.report.tables import table
    from fleetyard.report.words import CLOUDS, facts, money, what

    if as_json:
        pools = {pool.name: {"what": what(pool), "hosts": pool.hosts, "facts": facts(pool)} for pool in plan.pools}
        return json.dumps({"stack": plan.stack, "cloud": plan.cloud, "region": plan.region, "pools": pools}, indent=2)
    head = "  ·  ".join([plan.stack, f"{CLOUDS[plan.cloud]} {plan.region}", money(plan.usd_per_hour), "planned"])
    rows = [("pool", "role", "what", "facts")]
    rows += [(pool.name, str(pool.role), what(pool), "; ".join(facts(pool))) for pool in plan.pools]
    return f"{head}\n\n{table(rows)}".rstrip("\n")


def _data(
    outputs: StackOutputs, members: Sequence[Member] | None, labels: Sequence[str], found: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    return {
        "simulated": "simulated" in labels,
        "stack": outputs.model_dump(),
        "members": None if members is None else [member.as_dict() for member in members],
        "findings": list(found),
    }
