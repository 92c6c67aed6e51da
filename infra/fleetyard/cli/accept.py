"""`fleetyard accept judge`: what nodes have shown, against what was paid for, and what becomes of each."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from fleetyard.acceptance.evidence import load
from fleetyard.acceptance.judge import NOT_RUN, judge
from fleetyard.acceptance.model import Decision, NodeVerdict, Outcome, Verdict
from fleetyard.acceptance.parsers import nccl_tests
from fleetyard.acceptance.parsers.reading import ParseError
from fleetyard.acceptance.registry import checks
from fleetyard.catalog import Cloud, Unknown, catalog
from fleetyard.cli.catalog import find_machine
from fleetyard.findings import Exit, error
from fleetyard.report.tables import table


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    act = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    one = act.add_parser("judge", help="judge nodes by what the probe brought from them")
    one.add_argument("probes", nargs="+", type=Path, metavar="PROBE.json", help="a node's probe (roles/accept)")
    one.add_argument("--machine", required=True, help="the machine type, or the TPU slice, that was ordered")
    one.add_argument("--cloud", choices=[cloud.value for cloud in Cloud], help="where two clouds have the name")
    one.add_argument("--nodes", type=int, help="nodes that took part in the all-reduce (default: the probes given)")
    one.add_argument("--all-reduce", type=Path, metavar="FILE", help="output of all_reduce_perf over those nodes")
    one.add_argument(
        "--waive",
        action="append",
        default=[],
        metavar="CODE=REASON",
        help="let a node open all the same; may be repeated",
    )
    one.add_argument("--json", action="store_true", help="print verdicts as JSON")
    one.add_argument("--all", action="store_true", help="show checks that pass or do not apply, too")
    rows = act.add_parser("checks", help="list the checks")
    rows.add_argument("--json", action="store_true", help="print them as JSON")


def run(args: argparse.Namespace) -> int:
    """Print verdicts; 1 when a node is to be drained.

    Raises FleetyardError: FY3100 a file that is no probe, FY3198 an unknown machine, FY3199 wrong arguments (65).
    """
    if args.act == "checks":
        return _checks(args.json)
    machine, _ = find_machine(catalog(), args.machine, args.cloud, code="FY3198", where="--machine")
    waive = _waivers(args.waive)
    nodes = len(args.probes) if args.nodes is None else args.nodes
    if nodes < 1:
        raise error("FY3199", "--nodes", f"{nodes} nodes", "one or more")
    collective = _all_reduce(args.all_reduce)
    probes = [load(_text(path), str(path)) for path in args.probes]
    twice = {probe.host for probe in probes if sum(other.host == probe.host for other in probes) > 1}
    if twice:
        raise error("FY3199", "PROBE.json", f"{', '.join(sorted(twice))} is given twice", "one probe for each node")
    verdicts = [judge(machine, probe, nodes=nodes, all_reduce=collective, waive=waive) for probe in probes]
    if args.json:
        print(json.dumps({"nodes": [each.as_dict() for each in verdicts]}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_shown(each, everything=args.all) for each in verdicts), end="")
    return Exit.FINDINGS if any(each.decision is Decision.DRAIN for each in verdicts) else Exit.DONE


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as wrong:
        raise error(
            "FY3100", str(path), f"cannot be read: {wrong.strerror}", "a file that roles/accept fetched"
        ) from None


def _waivers(given: Sequence[str]) -> Mapping[str, str]:
    known_codes = {each.code for each in checks()}
    found = {}
    for each in given:
        code, _, reason = each.partition("=")
        if code not in known_codes or not reason.strip():
            raise error(
                "FY3199", "--waive", f"{each!r} is no check and a reason", "--waive FY3144='no local drives here'"
            )
        found[code] = reason.strip()
    return found


def _all_reduce(path: Path | None) -> nccl_tests.Run | Unknown:
    if path is None:
        return NOT_RUN
    try:
        return nccl_tests.parse(_text(path))
    except ParseError as wrong:
        return Unknown(str(wrong))


def _shown(node: NodeVerdict, *, everything: bool) -> str:
    hidden = () if everything else (Verdict.PASS, Verdict.NOT_APPLICABLE)
    rows: list[tuple[str, ...]] = [("", "code", "check", "measured", "floor", "verdict", "why")]
    rows += [_row(each) for each in node.outcomes if each.verdict not in hidden]
    passed = sum(each.verdict is Verdict.PASS for each in node.outcomes)
    head = (
        f"{node.host} ({node.machine}): {node.decision}; {passed} of {len(node.outcomes)} checks pass. {node.reason}\n"
    )
    if node.stand_ins:
        head += f"  stand-ins answered, nothing of theirs was measured: {', '.join(node.stand_ins)}\n"
    body = table(rows) if len(rows) > 1 else ""
    fixes = "".join(f"  fix {each.code}: {each.fix}\n" for each in node.outcomes if each.blocks)
    return head + body + fixes


def _row(each: Outcome) -> tuple[str, ...]:
    measured, floor = str(each.measured or "-"), str(each.floor or "-")
    mark = "!" if each.blocks else " "
    return (mark, each.code, each.name, measured[:40], floor[:40], str(each.verdict), each.reason[:100])


def _checks(as_json: bool) -> int:
    if as_json:
        rows = [
            {"code": c.code, "check": c.name, "required": c.required, "about": c.about, "fix": c.fix} for c in checks()
        ]
        print(json.dumps({"checks": rows}, indent=2, ensure_ascii=False))
    else:
        print("".join(f"{c.code} {'required' if c.required else '        '} {c.about}\n" for c in checks()), end="")
    return Exit.DONE
