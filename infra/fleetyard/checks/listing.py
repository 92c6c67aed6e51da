"""The rules as a page of documentation: `python -m fleetyard.checks.listing > docs/rules.md`."""

from __future__ import annotations

from itertools import groupby

from fleetyard.checks import rules

_HEAD = """\
# Rules

Made from the rules themselves; `fleetyard check --rules` prints the same list. An error stops `pulumi preview` and
`up`, a warning is shown. A stack file waives a rule with a reason, and the finding becomes info:

```yaml
    waive:
      FY2114: experiments write checkpoints and start again by themselves
```
"""
_ROOMS = {
    "20": "Versions",
    "21": "Machines",
    "22": "Buying and money",
    "23": "Network",
    "24": "Stores, names and tags",
    "25": "TPU slices",
    "26": "Work",
}


def page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for room, listed in groupby(rules(), key=lambda each: each.code[2:4]):
        rows = [f"| {each.code} | {each.level} | {' '.join(each.about.split())} |" for each in listed]
        parts.append("\n".join([f"\n## {_ROOMS[room]}\n", "| code | level | what holds |", "|---|---|---|", *rows, ""]))
    return "".join(parts)


if __name__ == "__main__":
    print(page(), end="")
