"""`fleetyard size`: how many machines or slices the workloads of a stack need, written to the stack's lock."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fleetyard.catalog import known
from fleetyard.cli import predict, size_choose
from fleetyard.cli.project import add_stack_arguments, require_stack_file, stack_names, stacks_folder
from fleetyard.cli.words import duration, number, usd
from fleetyard.findings import Exit, Finding, FleetyardError, Level, StackPath
from fleetyard.sizing import Kind, Sizing
from fleetyard.sizing.lock import lock_document, lock_path, write_lock
from fleetyard.sizing.stack import StackSizing, size_stack
from fleetyard.spec import Stack, load_stack


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    add_stack_arguments(parser, "every stack that has workloads is sized")
    parser.add_argument("--json", action="store_true", help="print what is written to the lock, as JSON")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    size_choose.add(actions)
    predict.add(actions)


def run(args: argparse.Namespace) -> int:
    """Size, print, and write the locks. Nothing is written for a stack that cannot be sized or exceeds its budget."""
    if args.action is not None:
        return size_choose.run(args) if args.action == "choose" else predict.run(args)
    folder = stacks_folder(args)
    documents: dict[str, Any] = {}
    for stack in _stacks(folder, args.stack):
        sizing = size_stack(stack)
        over = list(_over_budget(stack, sizing))
        if over:
            raise FleetyardError(over, Exit.FINDINGS)
        path = lock_path(folder, stack.name)
        documents[stack.name] = lock_document(stack, sizing)
        write_lock(path, documents[stack.name])
        if not args.json:
            print("\n".join(_text(stack, sizing)))
            print(f"  locked in {folder.name}/{path.name}")
    if args.json:
        print(json.dumps({"stacks": documents}, indent=2, ensure_ascii=False))
    return Exit.DONE


def _stacks(folder: Path, name: str | None) -> Iterator[Stack]:
    if name is not None:
        yield load_stack(require_stack_file(folder, name))
        return
    for each in stack_names(folder):
        stack = load_stack(require_stack_file(folder, each))
        if stack.workloads:
            yield stack


def _over_budget(stack: Stack, sizing: StackSizing) -> Iterator[Finding]:
    """The whole cost of a stack's runs against `budget.usd`; an unknown cost exceeds nothing."""
    costs = [result.usd for result in sizing.workloads.values() if result.usd is not None]
    total = sum(cost for cost in costs if known(cost))
    limit = stack.budget.usd
    if limit is not None and total > limit:
        least = " at least" if len(costs) != len([cost for cost in costs if known(cost)]) else ""
        yield Finding(
            "FY1620",
            Level.ERROR,
            StackPath("budget") / "usd",
            f"the workloads cost{least} {usd(total)}, {usd(total - limit)} more than the budget of {usd(limit)}",
            "a later deadline does not cost less: fewer tokens, another machine, or a larger budget",
        )


def _text(stack: Stack, sizing: StackSizing) -> Iterator[str]:
    yield f"{stack.name}: {stack.cloud} {stack.region}"
    for name, result in sizing.workloads.items():
        workload = stack.workloads[name]
        pool = stack.pools[workload.pool]
        yield f"  workload {name}: {workload.kind} {workload.model} on pool {workload.pool} ({pool.machine})"
        for label, value in _facts(stack, name, result):
            yield f"    {label:<12}{value}"
        for index, assumed in enumerate(result.assumptions):
            yield f"    {'assumed' if index == 0 else '':<12}{assumed}"


def _facts(stack: Stack, name: str, result: Sizing) -> Iterator[tuple[str, str]]:
    hosts = f", {result.hosts} hosts" if result.hosts != result.count else ""
    yield result.unit, f"{result.count} ({result.accelerators} accelerators{hosts}); bound by {result.binding}"
    deadline = stack.workloads[name].deadline
    if result.seconds is not None and deadline is not None:
        yield (
            "time",
            f"{duration(result.seconds)}, at most {duration(result.seconds_high)} by the 80 % interval, "
            f"of {duration(deadline.total_seconds())}; one step {duration(result.step_s)}",
        )
    if result.kind is Kind.SERVE:
        yield "decode", f"{result.step_s * 1000:.3g} ms a token for each sequence"
    yield "layout", result.layout
    parts = ", ".join(f"{part} {size:.1f}" for part, size in result.memory.parts_gib)
    yield "memory", f"{result.memory.need_gib:.1f} of {result.memory.usable_gib:.1f} GiB each ({parts})"
    if result.checkpoint_gb is not None and result.goodput is not None:
        every = duration(result.checkpoint_interval_s)
        yield "checkpoint", f"{number(round(result.checkpoint_gb, 1))} GB every {every}; goodput {result.goodput:.1%}"
    yield "load", f"{duration(result.hydrate_s)} to fill caches from the store"
    hour = "an hour" if result.kind is Kind.SERVE else "for the run"
    carbon = f"{number(round(result.carbon_kg))} kg CO2e" if known(result.carbon_kg) else "carbon unknown"
    yield "energy", f"{number(round(result.kwh))} kWh {hour}, {carbon}" if known(result.kwh) else "unknown"
    whole = f", {usd(result.usd)} for the run" if result.kind is Kind.TRAIN else ""
    yield "cost", f"{usd(result.usd_per_hour)} an hour{whole}"
