"""The preview for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from fleetyard.preview.change import Op, Outcome, Preview, StackChange
from fleetyard.report.tables import table

_SIGNS = {Op.REPLACE: "+-", Op.DELETE: "-", Op.UPDATE: "~", Op.CREATE: "+"}


def render(preview: Preview) -> str:
    """One table of stacks, then what happens to each resource."""
    return "\n".join(_lines(preview)) + "\n"


def _lines(preview: Preview) -> Iterator[str]:
    yield f"{preview.base} -> {preview.head}, {preview.where}"
    yield ""
    rows = [("stack", "", "create", "change", "replace", "delete", "accelerators", "$ an hour", "errors", "warnings")]
    for stack in preview.stacks:
        counts = [f"{stack.count(op):,}" for op in (Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE)]
        told = ["", "", "", ""] if stack.outcome is Outcome.UNCHANGED else _amounts(stack)
        rows.append((stack.stack, str(stack.outcome), *counts, *told))  # type: ignore[arg-type]
    yield table(rows, right=frozenset({2, 3, 4, 5, 8, 9})).rstrip("\n")
    for stack in preview.stacks:
        yield from _section(stack)


def _amounts(stack: StackChange) -> list[str]:
    before, after = stack.before, stack.after
    chips = [_said(before.accelerators, ",d"), _said(after.accelerators, ",d")]
    price = [_said(before.usd_per_hour, ",.2f"), _said(after.usd_per_hour, ",.2f")]
    return [
        " -> ".join(dict.fromkeys(chips)),
        " -> ".join(dict.fromkeys(price)),
        f"{after.errors:,}",
        f"{after.warnings:,}",
    ]


def _said(value: float | None, form: str) -> str:
    return "unknown" if value is None else format(value, form)


def _section(stack: StackChange) -> Iterator[str]:
    if not stack.resources and not stack.problems and not stack.after.findings:
        return
    yield ""
    yield stack.stack
    for problem in stack.problems:
        yield f"  ! {problem}"
    for op, sign in _SIGNS.items():
        for each in stack.of(op):
            paths = (each.because or each.changed) if op is Op.REPLACE else each.changed
            follows = ", follows from what it refers to" if each.follows else ""
            why = f"  ({', '.join(paths)}{follows})" if paths and op is not Op.CREATE else ""
            yield f"  {sign:<2} {each.type} {each.name}{why}"
    for finding in stack.after.findings:
        yield f"  {'  ' if finding in stack.before.findings else '! '}{finding}"
