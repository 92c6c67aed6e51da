"""The preview as one comment on a pull or merge request.

Everything that comes from a stack file or from an error is text of whoever wrote the change: it is escaped, so that
it can neither form links or mentions nor break out of its cell. A comment that would be too long loses whole rows,
then whole sections, never half of one, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fleetyard.preview.change import Op, Outcome, Preview, ResourceChange, StackChange, totals

MARK = "<!-- fleetyard-preview -->"
"""The first line: by it the comment of an earlier run is found and replaced."""
MARK_OF_ACCOUNT = "<!-- fleetyard-preview account -->"
"""The same for the preview against what really stands, which is a comment of its own."""
LIMIT = 60_000
"""Characters. GitHub takes 65,536 in a comment."""
ROWS = 60
"""Resources listed of one kind of change in one stack."""
_MESSAGE = 1_500
_TITLES = {Op.REPLACE: "Replaced", Op.DELETE: "Deleted", Op.UPDATE: "Changed in place", Op.CREATE: "Created"}
"""Most dangerous first."""


def render(preview: Preview, limit: int = LIMIT) -> str:
    """The comment, at most `limit` characters long."""
    head = "\n".join([_mark(preview), "### Fleetyard preview", "", _about(preview), ""])
    listed = [stack for stack in preview.stacks if stack.outcome is not Outcome.UNCHANGED]
    parts = [head, _table(preview)]
    left_out = 0
    for section in (_section(stack) for stack in listed):
        if sum(map(len, parts)) + len(section) + len(_too_long(len(listed))) + 8 > limit:
            left_out += 1
        else:
            parts.append(section)
    if left_out:
        parts.append(_too_long(left_out))
    text = "\n".join(parts)
    return text if len(text) <= limit else _bare(preview, limit)


def _bare(preview: Preview, limit: int) -> str:
    """What is left when even the table of stacks is too long: the sums."""
    changed = sum(stack.outcome is not Outcome.UNCHANGED for stack in preview.stacks)
    failed = sum(stack.outcome is Outcome.FAILED for stack in preview.stacks)
    said = f"{changed:,} stacks change, {failed:,} of them cannot be previewed: too many to list here. {_TEXT_HINT}"
    return "\n".join([_mark(preview), "### Fleetyard preview", "", said])[:limit]


def _mark(preview: Preview) -> str:
    return MARK if preview.where == "simulated" else MARK_OF_ACCOUNT


_TEXT_HINT = "The job's log has all of it."


def _too_long(number: int) -> str:
    return f"\n_{number} more section{'' if number == 1 else 's'} did not fit into this comment. {_TEXT_HINT}_\n"


def _about(preview: Preview) -> str:
    versions = f"{_code(preview.base)} → {_code(preview.head)}"
    if preview.where == "simulated":
        return f"{versions}. Simulated: the base stood in a throw-away cloud, and nothing real was read or changed."
    return f"{versions}. Against what stands in {_text(preview.where)}; nothing was changed."


def _table(preview: Preview) -> str:
    lines = [
        "| stack | create | change | replace | delete | accelerators | $ an hour | findings |",
        "|---|--:|--:|--:|--:|---|---|---|",
    ]
    for stack in preview.stacks:
        if stack.outcome is Outcome.UNCHANGED:
            continue
        counts = [str(stack.count(op) or "") for op in (Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE)]
        before, after = stack.before, stack.after
        chips = _arrow(_number(before.accelerators), _number(after.accelerators))
        price = _arrow(_money(before.usd_per_hour), _money(after.usd_per_hour))
        lines.append(
            f"| {_text(stack.stack)}{_word(stack)} | {' | '.join(counts)} | {chips} | {price} | {_found(stack)} |"
        )
    changed = [stack for stack in preview.stacks if stack.outcome is not Outcome.UNCHANGED]
    if len(changed) > 1:
        (chips_before, usd_before), (chips_after, usd_after) = totals(changed, "before"), totals(changed, "after")
        chips = _arrow(_number(chips_before), _number(chips_after))
        lines.append(f"| **all** | | | | | {chips} | {_arrow(_money(usd_before), _money(usd_after))} | |")
    same = [stack.stack for stack in preview.stacks if stack.outcome is Outcome.UNCHANGED]
    if not changed:
        lines = ["No stack is affected."]
    if same:
        lines += ["", f"Nothing that they are made of differs: {', '.join(_text(name) for name in same)}."]
    return "\n".join([*lines, ""])


def _word(stack: StackChange) -> str:
    return {Outcome.NEW: " (new)", Outcome.REMOVED: " (removed)", Outcome.FAILED: " ❌"}.get(stack.outcome, "")


def _found(stack: StackChange) -> str:
    counts = [(stack.after.errors, "error"), (stack.after.warnings, "warning")]
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n)


def _section(stack: StackChange) -> str:
    lines = [f"#### {_text(stack.stack)}", ""]
    if stack.outcome is Outcome.REMOVED:
        lines += ["Its stack file is gone. That destroys nothing: run `pulumi destroy` before this is merged.", ""]
    for problem in stack.problems:
        lines += [f"- ❌ {_text(_cut(problem))}"]
    if stack.problems:
        lines.append("")
    for op, title in _TITLES.items():
        lines += _listed(title, stack.of(op), op)
    new = [line for line in stack.after.findings if line not in stack.before.findings]
    old = len(stack.after.findings) - len(new)
    lines += [f"- {_text(_cut(line))}" for line in new[:ROWS]]
    if len(new) > ROWS:
        lines.append(f"- {len(new) - ROWS:,} more findings")
    if old:
        lines.append(f"- {old} finding{'' if old == 1 else 's'} as before")
    if not stack.resources and not stack.problems and stack.outcome is Outcome.CHANGED:
        lines.append("No resource changes.")
    return "\n".join([*lines, ""])


def _listed(title: str, resources: Sequence[ResourceChange], op: Op) -> Iterable[str]:
    if not resources:
        return
    openly = " open" if op in (Op.REPLACE, Op.DELETE) else ""
    yield f"<details{openly}><summary>{title}: {len(resources):,}</summary>"
    yield ""
    told = {Op.REPLACE: "because of", Op.UPDATE: "what differs"}.get(op)
    yield f"| resource | name |{f' {told} |' if told else ''}"
    yield f"|---|---|{'---|' if told else ''}"
    for each in resources[:ROWS]:
        paths = (each.because or each.changed) if op is Op.REPLACE else each.changed
        follows = " (follows from what it refers to)" if each.follows else ""
        reason = f" {', '.join(_code(path) for path in paths) or 'not said'}{follows} |" if told else ""
        yield f"| {_code(each.type)} | {_code(each.name)} |{reason}"
    if len(resources) > ROWS:
        yield f"| {len(resources) - ROWS:,} more | |{' |' if told else ''}"
    yield ""
    yield "</details>"
    yield ""


def _arrow(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def _money(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.2f}"


def _cut(text: str) -> str:
    return text if len(text) <= _MESSAGE else text[:_MESSAGE] + " …"


_ESCAPES = {ord(c): f"&#{ord(c)};" for c in "&<>|*_`[]()@#\\!~:/"} | {ord("\n"): " ", ord("\r"): None}
"""Characters that Markdown, HTML, mentions, references to issues or automatic links could be made of."""


def _text(said: str) -> str:
    return said.translate(_ESCAPES)


def _code(said: str) -> str:
    """A code span. What could end the span or its table cell is replaced."""
    return f"`{said.replace('`', chr(39)).replace('|', '¦').replace(chr(10), ' ').replace(chr(13), '')}`"
