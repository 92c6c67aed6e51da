"""`fleetyard size predict-training` and `predict-serving`: a table of runs in, a table of predictions out."""

from __future__ import annotations

import argparse
from pathlib import Path

from fleetyard.findings import Exit

ABOUT = {
    "predict-training": "step time and memory of the training runs in a table",
    "predict-serving": "throughput and latencies of the serving runs in a table",
}


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The two subcommands of `fleetyard size`."""
    for name, about in ABOUT.items():
        sub = parsers.add_parser(name, help=about, description=f"Predict {about}; see docs/sizing-tables.md.")
        sub.add_argument("table", type=Path, metavar="IN.csv", help="one run in each line, with a header line")
        sub.add_argument("out", type=Path, metavar="OUT.csv", help="where predictions go, in the same order")


def run(args: argparse.Namespace) -> int:
    """Predict every row. Rows that cannot be predicted say why in their own line and do not change the exit status."""
    from fleetyard.sizing import batch
    from fleetyard.sizing.tables import read_table, write_table

    rows = read_table(args.table)
    if args.action == "predict-training":
        columns: tuple[str, ...] = batch.TRAINING_COLUMNS
        lines = batch.training_rows(rows)
    else:
        columns = batch.SERVING_COLUMNS
        lines = batch.serving_rows(rows)
    write_table(args.out, columns, lines)
    refused = sum(bool(line[-1]) for line in lines)
    print(f"{len(lines) - refused} of {len(lines)} rows predicted" + (f", {refused} say why not" if refused else ""))
    return Exit.DONE
