"""`fleetyard check`: what can be said about a stack before anything is bought, without an engine or a cloud."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from fleetyard.checks import Rule, check, rules
from fleetyard.cli.project import add_stack_arguments, require_stack_file, stack_names, stacks_folder
from fleetyard.findings import Exit, Finding, FleetyardError, Level, has_errors, render_text
from fleetyard.plan import make_plan, read_sized, sized_pools
from fleetyard.sizing.lock import LockError
from fleetyard.spec import load_stack


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    add_stack_arguments(parser, "every stack is checked")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--rules", action="store_true", help="list the rules instead")


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 when one of them is an error, 65 when a stack file cannot be read."""
    if args.rules:
        print(_rules_json(rules()) if args.json else _rules_text(rules()), end="")
        return Exit.DONE
    folder = stacks_folder(args)
    names = [args.stack] if args.stack else stack_names(folder)
    results: dict[str, list[Finding]] = {}
    worst = int(Exit.DONE)
    for name in names:
        results[name], status = check_stack(folder, name)
        worst = max(worst, status)
    if args.json:
        document = {"stacks": {name: [f.as_dict() for f in findings] for name, findings in results.items()}}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for name, findings in results.items():
            print(f"{name}: {_summary(findings)}")
            if findings:
                print(render_text(findings))
    return worst


def check_stack(folder: Path, name: str) -> tuple[list[Finding], int]:
    """The findings about one stack and the exit status they mean.

    Without a usable sizing lock the rules still run, with one machine or slice in every pool that is to be sized: what
    is wrong besides is told at once.
    """
    try:
        stack = load_stack(require_stack_file(folder, name))
        try:
            findings = check(make_plan(stack, read_sized(stack, folder)))
        except LockError as lock:
            others = check(make_plan(stack, dict.fromkeys(sized_pools(stack), 1)))
            return [*lock.findings, *(each for each in others if each.level is not Level.INFO)], lock.exit_code
    except FleetyardError as wrong:
        return list(wrong.findings), wrong.exit_code
    return findings, Exit.FINDINGS if has_errors(findings) else Exit.DONE


def _summary(findings: Sequence[Finding]) -> str:
    counts = [(sum(f.level == level for f in findings), level) for level in ("error", "warning", "info")]
    return ", ".join(f"{number} {level}{'s' if number != 1 and level != 'info' else ''}" for number, level in counts)


def _rules_text(listed: Sequence[Rule]) -> str:
    return "".join(f"{each.code} {each.level:<7} {each.title}\n" for each in listed)


def _rules_json(listed: Sequence[Rule]) -> str:
    rows = [{"code": each.code, "level": str(each.level), "about": each.about} for each in listed]
    return json.dumps({"rules": rows}, indent=2, ensure_ascii=False) + "\n"
