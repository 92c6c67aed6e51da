"""The gate as a page of documentation: `python -m fleetyard.acceptance.listing > docs/acceptance.md`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import fleetyard.acceptance.judge  # noqa: F401 - registers the checks
from fleetyard.acceptance.bounds import wire_bound
from fleetyard.acceptance.facts import facts
from fleetyard.acceptance.registry import checks
from fleetyard.catalog import Unknown

_HEAD = """\
# The acceptance gate

Made from the code: `python -m fleetyard.acceptance.listing > docs/acceptance.md`.

No node trains before it has shown what was paid for. `roles/accept` puts a probe on the node (Python 3.9, standard
library only, at most 90 s), which keeps what tools print and measures the host; its document goes to the controller.
There

    fleetyard accept judge --machine p4d.24xlarge [--nodes N] [--all-reduce FILE] [--waive CODE=REASON] PROBE.json...

judges each node against the catalogue: `open` or `drain`, with a reason of one line for `scontrol update`. Exit
status 1 when a node drains. `--json` gives measured value, floor, unit, source and verdict of every check.

Verdicts are `pass`, `fail`, `unknown`, `not applicable` and `waived`. Unknown has two sides. When the *measurement*
is missing (the tool is not there, its output is cut, the driver says `N/A`), a check that is *required* keeps the
node out. When the *floor* is missing because no source gives one, the measured value is shown and the node may open.

A parser refuses what is not the tool's output: cut, translated, or an error message. It never turns that into a number.
A fault that stands in lines that were lost altogether cannot be seen in some formats (a kernel log, counters, `lspci`);
for these the probe's own marks count (status, time-out, size), and counts are compared with the catalogue.

What is not known on real hardware yet: none of this has run on a GPU, EFA, Neuron or TPU node of ours. Parsers were run
against outputs that others published (below); `probe.py gemm` has never seen a GPU.
"""

_BOUND = """
## All-reduce

The floor is {share:.0%} of a bound that follows from what has to move. With W the rate of one node's network and L what
one chip sends over its links (GB/s, one direction), N nodes, g chips on each, n = N g:

    wire   W N (n-1) / ((N-1) n)            for N > 1
    links  L g / (g-1) (n-1) / n            for g > 1, without reduction in the switch

Bus bandwidth is at most the lower one. The short form 2 (n-1)/n W is right for two nodes only: at scale it promises
twice the wire. A reading above what switches that reduce could reach, 2 (n-1)/n L, is a wrong reading and no pass.

"""


def _known(value: object) -> str:
    return "unknown" if isinstance(value, Unknown) else f"{value}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines)


def corpus() -> list[dict[str, Any]]:
    """What the parsers' forms were checked against."""
    top = tomllib.loads((Path(__file__).parent / "corpus.toml").read_text(encoding="utf-8"))
    return list(top["outputs"])


def page() -> str:
    """The page as Markdown."""
    known, parts = facts(), [_HEAD]
    parts.append("\n## Checks\n\n`!` marks those without which no node opens.\n\n")
    rows = [[each.code, "!" if each.required else "", each.name, each.about, each.fix] for each in checks()]
    parts.append(_table(["code", "", "check", "what holds", "when it does not"], rows))
    parts.append(_BOUND.format(share=known.shares["all_reduce"]))
    wires = {"p4d (W 50)": 50.0, "p5, p5en, p6-b200 (W 400)": 400.0, "p6-b300 (W 800)": 800.0}
    rows = [[str(n), *(f"{wire_bound(w, n, 8):.4g}" for w in wires.values())] for n in (2, 4, 8, 16, 64)]
    parts.append(_table(["nodes of 8", *(f"{name}, wire bound GB/s" for name in wires)], rows))
    parts.append("\n## Shares\n\nOf a published or derived value, what a healthy node reaches. Source: ")
    parts.append(f"{known.shares_source}.\n\n")
    parts.append(_table(["share", "of it"], [[name, f"{value:.0%}"] for name, value in known.shares.items()]))
    parts.append("\n## Accelerators\n\nBeyond the catalogue; M marks what is remembered from documentation.\n\n")
    rows = [
        [name, *map(_known, (c.nvlinks, c.nvlink_gb_per_s, c.pcie_generation, c.pcie_width, c.sm_mhz)), c.source]
        for name, c in known.chips.items()
    ]
    parts.append(_table(["accelerator", "NVLinks", "GB/s each", "PCIe", "lanes", "SM MHz", "source"], rows))
    parts.append("\n## Outputs that the parsers were checked against\n\n")
    parts.append(
        "Read as others published them and not kept here: a format is a fact, a file is somebody's. *parsed* counts"
        " outputs that the parser reads; *refused* those that it rightly refuses (errors, failed runs, edited"
        " fixtures).\n\n"
    )
    found = corpus()
    rows = [[r["tool"], r["version"], r["source"], r["checked"], str(r["parsed"]), str(r["refused"])] for r in found]
    parts.append(_table(["tool", "version", "source", "what was checked", "parsed", "refused"], rows))
    total = (sum(r["parsed"] for r in found), sum(r["refused"] for r in found))
    parts.append(f"\nTogether {total[0]} outputs parsed, {total[1]} refused.\n")
    return "".join(parts)


if __name__ == "__main__":
    print(page(), end="")
