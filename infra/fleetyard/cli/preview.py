"""`fleetyard preview`: what a change to the project does to every stack, without an account.

The merge base is brought up in a throw-away simulated cloud and the work tree previewed against it, stack by stack.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from fleetyard.cli.project import project_root
from fleetyard.findings import Exit, error
from fleetyard.preview import markdown, text
from fleetyard.preview.account import preview_account
from fleetyard.preview.change import Preview
from fleetyard.preview.run import Pair, all_stacks, preview
from fleetyard.preview.sides import merge_base, take_out, work_tree


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every stack of either version (the default)")
    which.add_argument("--stack", "-s", action="append", help="only this one; may be given again")
    parser.add_argument("--base", metavar="COMMIT", help="compare with where HEAD left this commit or branch")
    parser.add_argument(
        "--account", action="store_true", help="preview against what really stands, with this shell's credentials"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print the comment for a pull or merge request")
    form.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--output", "-o", type=Path, metavar="FILE", help="write there instead of printing")


def run(args: argparse.Namespace) -> int:
    """Print the preview; 1 when a stack cannot be previewed or has errors. Progress goes to standard error."""
    root = project_root()
    found = preview_account(root, args.stack, _say) if args.account else _simulated(root, args)
    if args.json:
        written = json.dumps(found.as_dict(), indent=2, ensure_ascii=False) + "\n"
    else:
        written = markdown.render(found) if args.markdown else text.render(found)
    if args.output is None:
        print(written, end="")
    else:
        _write(args.output, written)
    return Exit.FINDINGS if found.failed() else Exit.DONE


def _simulated(root: Path, args: argparse.Namespace) -> Preview:
    commit = merge_base(root, args.base, os.environ)
    with tempfile.TemporaryDirectory(prefix="fleetyard-base-") as folder:
        pair = Pair(take_out(root, commit, Path(folder) / "project"), work_tree(root))
        stacks = all_stacks(pair)
        unknown = [name for name in args.stack or () if name not in stacks]
        if unknown:
            raise error("FY1001", f"Pulumi.{unknown[0]}.yaml", "is in neither version", f"one of {', '.join(stacks)}")
        _say(f"{pair.base.label} -> {pair.head.label}, {len(args.stack or stacks)} stacks")
        return preview(pair, args.stack or stacks, _say)


def _say(line: str) -> None:
    print(f"fleetyard preview: {line}", file=sys.stderr, flush=True)


def _write(path: Path, written: str) -> None:
    try:
        path.write_text(written, encoding="utf-8")
    except OSError as problem:
        message = f"cannot be written: {problem.strerror or problem}"
        raise error("FY1902", str(path), message, "another place", Exit.PERMISSION) from None
