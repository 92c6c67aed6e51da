"""`fleetyard health watch`, `act`, `history`, `close`: trouble is heard, cured, and recorded."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from fleetyard.findings import Exit, FleetyardError, error
from fleetyard.health.incidents import CLOSED, ENDS, FAILED, HEARD, OPENED, STEPS, incidents
from fleetyard.health.record import Record, Row, whoever
from fleetyard.settings import SIM_HOME, refuse_mixed_settings


def add(act: Any) -> None:
    """The subcommands that look at a standing cluster."""
    for name, about in (
        ("watch", "look at every node, say and record what is heard; change nothing"),
        ("act", "the same, and drain, restart or replace what is sick, until it is accepted again"),
    ):
        one = act.add_parser(name, help=about)
        one.add_argument("--stack", "-s", required=True, help="the stack's name")
        one.add_argument("--inventory", "-i", type=Path, default=None, help="default: inventory/STACK.fleetyard.yml")
        one.add_argument("--every", type=float, metavar="SECONDS", help="look again and again; without it once")
        one.add_argument(
            "--extra-vars",
            "-e",
            action="append",
            default=[],
            metavar="VARS",
            help="for every playbook; may be repeated",
        )
        one.add_argument("--json", action="store_true", help="print what is new in the record, as it stands there")
        if name == "act":
            one.add_argument(
                "--grace", type=int, default=60, metavar="SECONDS",
                help="what jobs on a machine that is given back get before they are begun anew elsewhere (default: 60)",
            )  # fmt: skip
            one.add_argument(
                "--patience", type=int, default=1800, metavar="SECONDS", help="how long to wait for another machine"
            )
    told = act.add_parser("history", help="print the record of a stack")
    told.add_argument("--stack", "-s", required=True, help="the stack's name")
    told.add_argument("--svg", type=Path, metavar="FILE", help="draw it as a picture too")
    told.add_argument("--json", action="store_true", help="print it as it stands")
    ended = act.add_parser("close", help="end what is open about a node, because a person took care of it")
    ended.add_argument("node", help="the node's name")
    ended.add_argument("--stack", "-s", required=True, help="the stack's name")
    ended.add_argument("--why", required=True, help="what was done")
    put = act.add_parser("note", help="put down something that was done to a node, by a person or a playbook")
    put.add_argument("node", help="the node's name")
    put.add_argument("--stack", "-s", required=True, help="the stack's name")
    put.add_argument("--what", required=True, help="one word: decommissioned")
    put.add_argument("--why", required=True, help="why, in words")
    put.add_argument("--instance", default="", help="the machine's id in the cloud")


def home(stack: str) -> Path:
    """Where the record and the documents of a stack lie."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(os.environ.get(SIM_HOME) or Path(state) / "fleetyard") / "health" / stack


def run(args: argparse.Namespace) -> int:
    """Do it. Exit status 1 when a node is sick or kept out; FleetyardErrors of one look do not end `--every`."""
    refuse_mixed_settings(os.environ)
    record = Record(home(args.stack) / "record.jsonl")
    if args.act == "history":
        return _history(record, args)
    if args.act == "close":
        return _close(record, args)
    if args.act == "note":
        if args.what in (OPENED, HEARD, FAILED) or any(args.what in words for words in (*STEPS.values(), ENDS)):
            raise error("FY3208", "--what", f"{args.what!r} is a word of the cure itself", "another word")
        record.append(Row(time.time(), whoever(), args.what, args.node, args.instance, "", args.why))
        return Exit.DONE
    from fleetyard.operate.health import Pass

    while True:
        began = time.monotonic()
        seen = len(record.rows())
        try:
            one = Pass.of(args.stack, args.inventory, record, args.extra_vars)
            well = one.act(args.grace, args.patience) if args.act == "act" else one.watch()
        except FleetyardError as wrong:
            if args.every is None:
                raise
            well = False
            print(wrong, file=sys.stderr, flush=True)
        for row in record.rows()[seen:]:
            print(row.line() if args.json else _said(row), flush=True)
        if args.every is None:
            return Exit.DONE if well else Exit.FINDINGS
        time.sleep(max(0.0, args.every - (time.monotonic() - began)))


def _said(row: Row) -> str:
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row.at))
    return f"{clock}Z {row.node:<20} {row.what:<11} {row.why}"


def _history(record: Record, args: argparse.Namespace) -> int:
    rows = record.rows()
    if args.svg is not None:
        from fleetyard.health.history import drawn

        if not rows:
            raise error(
                "FY3205", str(record.path), "nothing was recorded yet", f"fleetyard health watch -s {args.stack}"
            )
        args.svg.write_text(drawn(rows, f"{args.stack}: health"), encoding="utf-8")
    for row in rows:
        print(row.line() if args.json else f"{_said(row)} ({row.by})")
    return Exit.DONE


def _close(record: Record, args: argparse.Namespace) -> int:
    with record.held():
        found = [each for each in incidents(record.rows()) if each.node == args.node and each.step != CLOSED]
        if not found:
            fix = f"fleetyard health history -s {args.stack}"
            raise error("FY3206", args.node, "there is nothing to close about it", fix)
        last = found[-1]
        record.append(Row(time.time(), whoever(), CLOSED, last.node, last.instance, last.id, args.why))
    return Exit.DONE
