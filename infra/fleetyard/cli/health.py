"""`fleetyard health`: what a kernel log, or a probe, says about a node; what is done about it on a standing cluster."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fleetyard.acceptance.parsers import kernel_log
from fleetyard.acceptance.parsers.kernel_log import Event
from fleetyard.catalog import Unknown
from fleetyard.findings import Exit, error
from fleetyard.health import Action, Ruling, classify, from_rows, worst
from fleetyard.health.look import devices, growth
from fleetyard.report.tables import table


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    act = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    one = act.add_parser("classify", help="say what is done about what a node reports")
    one.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="dmesg or journalctl -k (also -o json), a probe, or {'events': [...]}; - reads standard input",
    )
    one.add_argument(
        "--before", type=Path, metavar="PROBE", help="an earlier probe of the node: counters by their growth"
    )
    one.add_argument("--json", action="store_true", help="print rulings as JSON")
    from fleetyard.cli import health_operation

    health_operation.add(act)
    rows = act.add_parser("codes", help="list Xid codes and what is done about each")
    rows.add_argument("--json", action="store_true", help="print them as JSON")


def run(args: argparse.Namespace) -> int:
    """Print rulings; 1 when one drains or replaces the node. Raises FleetyardError FY3200 for an unusable file.

    What watches and acts is `fleetyard.cli.health_operation`.
    """
    if args.act == "codes":
        return _codes(args.json)
    if args.act != "classify":
        from fleetyard.cli import health_operation

        return health_operation.run(args)
    text = _text(args.file)
    found = [*_rulings(text, str(args.file))]
    if args.before is not None:
        found += _growth(_text(args.before), str(args.before), text, str(args.file))
    rulings = sorted(found, key=lambda each: -each.action.weight)
    action = worst(rulings)
    if args.json:
        document = {"action": str(action), "rulings": [each.as_dict() for each in rulings]}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        rows = [("action", "device", "times", "what", "said")]
        rows += [(str(r.action), r.device, str(r.count), r.title, r.said[:80]) for r in rulings]
        print((table(rows) if rulings else "") + f"{action}\n", end="")
    return Exit.FINDINGS if action in (Action.DRAIN, Action.REPLACE) else Exit.DONE


def _text(path: Path) -> str:
    try:
        if str(path) == "-":
            return sys.stdin.read()
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as wrong:
        raise error(
            "FY3200", str(path), f"cannot be read: {wrong.strerror}", "a log, a probe or a list of events"
        ) from None


def _rulings(text: str, path: str) -> Iterator[Ruling]:
    if not text.lstrip().startswith("{"):
        yield from classify(kernel_log.parse(text))
        return
    fix = "a whole JSON document: a probe, or {'events': [...]}; journalctl -o json writes one a line"
    try:
        top: Any = json.loads(text)
    except ValueError:
        yield from classify(_journal(text, path))
        return
    if isinstance(top, dict) and "MESSAGE" in top:
        yield from classify(_journal(text, path))
    elif isinstance(top, dict) and isinstance(top.get("events"), list):
        try:
            if not all(isinstance(row, dict) for row in top["events"]):
                raise ValueError("events that are objects")
            yield from classify(from_rows(top["events"]))
        except ValueError as wrong:
            raise error("FY3200", path, f"expected {wrong}", fix) from None
    elif isinstance(top, dict) and "tools" in top:
        yield from _probe(text, path)
    else:
        raise error("FY3200", path, "neither a log nor a probe nor a list of events", fix)


def _journal(text: str, path: str) -> Iterator[Event]:
    """Events of `journalctl -k -o json`, with the journal's own times."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            message, stamp = row["MESSAGE"], row.get("__REALTIME_TIMESTAMP")
        except (ValueError, KeyError, TypeError):
            fix = "the output of journalctl -k -o json, whole"
            raise error("FY3200", f"{path}:{number}", "no entry of a journal", fix) from None
        if not isinstance(message, str):  # bytes that are no text
            continue
        when = int(stamp) / 1e6 if str(stamp).isdigit() else Unknown("the entry carries no time")
        for event in kernel_log.parse(f"{message}\n"):
            yield Event(event.kind, event.code, event.device, event.said, when)


def _probe(text: str, path: str) -> Iterator[Ruling]:
    from fleetyard.acceptance.evidence import load

    evidence = load(text, path)
    events = evidence.read("kernel_log", kernel_log.parse)
    if not isinstance(events, Unknown):
        yield from classify(events)
    yield from devices(evidence)


def _growth(before: str, before_path: str, now: str, now_path: str) -> tuple[Ruling, ...]:
    from fleetyard.acceptance.evidence import load

    first, last = load(before, before_path), load(now, now_path)
    if first.host != last.host or isinstance(first.at, Unknown) or isinstance(last.at, Unknown) or last.at <= first.at:
        fix = "two probes of one node, the earlier one as --before"
        raise error("FY3200", before_path, f"is no earlier probe of {last.host}", fix)
    return growth(first, last)


def _codes(as_json: bool) -> int:
    from fleetyard.health.xid import table as xids

    if as_json:
        rows = [{"code": x.code, "title": x.title, "bucket": x.bucket, "action": x.action} for x in xids().values()]
        print(json.dumps({"codes": rows}, indent=2))
    else:
        lines = [("code", "action", "NVIDIA", "what")]
        lines += [(str(x.code), x.action, x.bucket, x.title) for x in xids().values()]
        print(table(lines), end="")
    return Exit.DONE
