"""`python -m bench [measure ...]`: everything, or what is named.

A missed budget is told loudly and does not change the exit status: machines differ. A defect (a traceback for a broken
stack file, a comparison that compares nothing) makes it 1.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.measure import Defect, Ratio, Result, spread_text
from bench.sandbox import EngineError
from bench.table import table
from fleetyard.findings import FleetyardError

MEASURES: dict[str, tuple[str, str, int]] = {
    "preview": ("bench.engine", "pulumi preview of both environments / a bare program on a do-nothing provider", 5),
    "scale": ("bench.scale", "pulumi preview of 16,384 accelerators / the same with 8", 5),
    "up": ("bench.engine", "pulumi up of both environments / the same", 3),
    "mixed": ("bench.mixed", "pulumi up of 200 resources of 20 types / the same on a do-nothing provider", 3),
    "changes": ("bench.changes", "fleetyard preview of a change to ten stacks / the slowest of them alone", 3),
    "calls": ("bench.aws_calls", "simulated AWS calls / the same calls to moto", 10),
    "starts": ("bench.starts", "what one waits for before anything happens (plain times, no budgets)", 5),
    "inventory": ("bench.inventory", "ansible-inventory of 1,000 live hosts / a plain file of the same", 3),
    "fuzz": ("bench.fuzz", "broken stack files through read, plan and check", 1),
    "sizing": ("bench.sizing", "errors of the sizing model on runs left out of calibration; its speed", 1),
}
"""Name to module (the function has the same name), what it compares, and how many pairs by default."""


def main(words: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed and sturdiness as ratios of one run.")
    parser.add_argument("names", nargs="*", metavar="MEASURE", help="what to measure (default: everything)")
    parser.add_argument("--list", action="store_true", help="list the measures")
    parser.add_argument("--pairs", type=int, default=None, metavar="N", help="how often each side of a comparison runs")
    args = parser.parse_args(words)
    if args.list:
        print("\n".join(f"{name:8} {about}" for name, (_, about, _) in MEASURES.items()))
        return 0
    wrong = [name for name in args.names if name not in MEASURES]
    if wrong or (args.pairs is not None and args.pairs < 1):
        parser.error(f"no such measure: {', '.join(wrong)}" if wrong else "--pairs must be at least 1")
    began = time.monotonic()
    results: list[Result] = []
    for name in args.names or MEASURES:
        results += _measured(name, args.pairs)
    print(f"\n{table(results)}\n\nOne run of {time.monotonic() - began:.0f} s. Only the ratios are judged.", flush=True)
    return 1 if any(isinstance(result, Defect) for result in results) else 0


def _measured(name: str, pairs: int | None) -> Iterator[Result]:
    """The results of one measure; one that cannot be taken is a defect and does not stop the others."""
    module, about, usual = MEASURES[name]
    _say(f"{name}: {about}")
    started = time.monotonic()
    try:
        for result in getattr(importlib.import_module(module), name)(pairs or usual):
            _say(f"  {_short(result)}")
            yield result
    except (EngineError, FleetyardError, RuntimeError, subprocess.SubprocessError) as wrong:
        _say(f"  {wrong}")
        yield Defect(f"{name} could not be measured", str(wrong))
    _say(f"  ({time.monotonic() - started:.0f} s)")


def _short(result: Result) -> str:
    if isinstance(result, Ratio):
        return f"{result.name}: {result.value:.2f} = {spread_text(result.ours)} / {spread_text(result.theirs)}"
    return f"{result.name}: {result.seen}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
