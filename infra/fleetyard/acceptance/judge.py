"""From probes to verdicts: what a node shows, what becomes of it, and the line that the scheduler keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fleetyard.acceptance import accelerator_checks, fabric_checks, host_checks
from fleetyard.acceptance.evidence import Evidence
from fleetyard.acceptance.facts import facts
from fleetyard.acceptance.model import REASON_LIMIT, Decision, NodeVerdict, Outcome, Verdict
from fleetyard.acceptance.parsers.nccl_tests import Run
from fleetyard.acceptance.registry import Bench, run
from fleetyard.catalog import Machine, Unknown

ROOMS = (accelerator_checks, fabric_checks, host_checks)
"""Where checks register themselves."""

NOT_RUN = Unknown("no all-reduce was run")


def judge(
    machine: Machine,
    evidence: Evidence,
    *,
    nodes: int = 1,
    all_reduce: Run | Unknown = NOT_RUN,
    waive: Mapping[str, str] | None = None,
) -> NodeVerdict:
    """One node's verdict. nodes: how many took part in the all-reduce; waive: code of a check to the reason.

    A node opens when nothing blocks: every check that applies passed, or could not be judged and is not required.
    """
    outcomes = run(Bench(machine, evidence, facts(), nodes, all_reduce), waive or {})
    blocking = [each for each in outcomes if each.blocks]
    decision = Decision.DRAIN if blocking else Decision.OPEN
    return NodeVerdict(evidence.host, machine.name, decision, reason_line(outcomes), outcomes, evidence.stand_ins)


def reason_line(outcomes: Iterable[Outcome]) -> str:
    """One line of at most 200 characters for the scheduler: the worst first, failures before what was not measured.

    Printable ASCII without quotes, so that no shell and no `scontrol` reads it otherwise.
    """
    blocking = sorted((o for o in outcomes if o.blocks), key=lambda o: (o.verdict is not Verdict.FAIL, o.code))
    if not blocking:
        return "accepted"
    head = "acceptance: "
    parts = [f"{each.code} {each.name}: {each.reason or each.verdict}" for each in blocking]
    line, shown = head, 0
    for part in parts:
        more = f"; {len(parts) - shown - 1} more" if len(parts) - shown - 1 else ""
        joined = f"{line}{'; ' if shown else ''}{part}"
        if shown and len(joined) + len(more) > REASON_LIMIT:
            break
        line, shown = joined, shown + 1
    left = len(parts) - shown
    tail = f"; {left} more" if left else ""
    return _plain(line)[: REASON_LIMIT - len(tail)].rstrip(" ;,") + tail


def _plain(text: str) -> str:
    kept = "".join(c if 32 <= ord(c) < 127 and c not in "\"'`\\$" else " " for c in text)
    return " ".join(kept.split())
