"""`fleetyard drift`: what differs from what was deployed, in the cloud and on the nodes, in one report."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from fleetyard.cli.project import project_root, require_stack_file, stacks_folder
from fleetyard.drift.ask import drift
from fleetyard.drift.text import page, render
from fleetyard.findings import Exit
from fleetyard.settings import refuse_mixed_settings


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("--stack", "-s", required=True, help="the stack's name")
    parser.add_argument("--stacks", type=Path, default=None, help="where stack files lie (default: the project's)")
    parser.add_argument("--inventory", "-i", type=Path, default=None, help="default: inventory/STACK.fleetyard.yml")
    parser.add_argument("--cloud-only", action="store_true", help="do not ask the nodes")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page too")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Ask and tell: 0 when nothing differs, 1 when something does or could not be asked."""
    refuse_mixed_settings(os.environ)
    require_stack_file(stacks_folder(args), args.stack)
    report = drift(project_root(), args.stack, args.inventory and args.inventory.resolve(), not args.cloud_only)
    print(json.dumps(report.as_dict(), indent=2) if args.json else render(report), end="\n" if args.json else "")
    if args.html is not None:
        args.html.write_text(page(report), encoding="utf-8")
    return Exit.DONE if report.clean else Exit.FINDINGS
