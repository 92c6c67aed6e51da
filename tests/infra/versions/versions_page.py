"""docs/versions.md: `PYTHONPATH=tests/infra python tests/infra/versions/versions_page.py > docs/versions.md`."""

from __future__ import annotations

from planted_versions import PLANTED

from fleetyard.versions import all_rules, listing


def page() -> str:
    """The page of the package, and the conflicts that the tests plant."""
    levels = {rule.code: rule.level for rule in all_rules()}
    lines = [
        "## Planted conflicts",
        "",
        f"{len(PLANTED)} changes of an otherwise untouched set. Each is refused with its code on a node, and in a",
        "stack file where that can say it.",
        "",
        "| code | level | machine | system | set | change |",
        "|---|---|---|---|---|---|",
        *(f"| {p.code} | {levels[p.code]} | {p.machine} | {p.os} | {p.version_set} | {p.told} |" for p in PLANTED),
    ]
    return listing.page() + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
