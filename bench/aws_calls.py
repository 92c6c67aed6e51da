"""Calls of the simulated AWS beside the same calls of moto's own server, over HTTP with the same boto3 client."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from bench.measure import Ratio, Result, in_turn
from bench.sandbox import ROOT, sandbox
from bench.sequence import SERVICES, Round, clients

CALLS_BUDGET = 1.5

Walk = Callable[[], tuple[dict[str, float], dict[str, int]]]


def calls(pairs: int) -> Iterator[Result]:
    """A mixed sequence over HTTP, as a whole (this has the budget) and by service; then the same without HTTP."""
    with sandbox() as place, _process("server", place.folder) as moto:
        said = moto()
        ours = _over_http(place.env["AWS_ENDPOINT_URL"])
        theirs = _over_http(f"http://127.0.0.1:{said}")
        yield from _compared("AWS calls over HTTP", ours, theirs, pairs, CALLS_BUDGET, "moto's server")
    with (
        tempfile.TemporaryDirectory(prefix="fleetyard-bench-") as folder,
        _process("world", Path(folder)) as world,
        _process("moto", Path(folder)) as moto,
    ):
        world()
        moto()
        yield from _compared("AWS calls, no HTTP", _asked(world), _asked(moto), pairs, None, "moto's decorator")


def _compared(name: str, ours: Walk, theirs: Walk, pairs: int, budget: float | None, against: str) -> Iterator[Result]:
    by_service: dict[str, tuple[list[float], list[float]]] = {s: ([], []) for s in SERVICES}
    number_of: dict[str, int] = {}

    def timed(walk: Walk, side: int) -> float:
        seconds, made = walk()
        number_of.update(made)
        for service in SERVICES:
            by_service[service][side].append(seconds[service])
        return sum(seconds.values())

    a, b = in_turn(lambda: timed(ours, 0), lambda: timed(theirs, 1), pairs)
    yield Ratio(f"{sum(number_of.values())} {name}", a, b, budget, against)
    for service, (x, y) in by_service.items():
        yield Ratio(f"  of them {number_of[service]} {service}", tuple(x[-pairs:]), tuple(y[-pairs:]))


def _over_http(endpoint: str) -> Walk:
    answering = clients(endpoint)
    numbers = count()

    def walk() -> tuple[dict[str, float], dict[str, int]]:
        walked = Round(answering, next(numbers)).walk()
        return dict(walked.seconds), dict(walked.calls)

    return walk


def _asked(process: Callable[[], str]) -> Walk:
    def walk() -> tuple[dict[str, float], dict[str, int]]:
        seconds, made = json.loads(process())
        return seconds, made

    return walk


@contextmanager
def _process(kind: str, folder: Path) -> Iterator[Callable[[], str]]:
    """A process of `bench.answering`. Each call gives it one line and takes one; the first line it says unasked."""
    with (folder / f"{kind}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.answering", kind, str(folder / "world")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin: Any = process.stdin
    stdout: Any = process.stdout
    first = True

    def ask() -> str:
        nonlocal first
        if not first:
            stdin.write("\n")
            stdin.flush()
        first = False
        line: str = stdout.readline()
        if not line:
            raise RuntimeError(f"{kind} ended: {(folder / f'{kind}.log').read_text()[-2000:]}")
        return line.strip()

    try:
        yield ask
    finally:
        stdin.close()
        process.wait(timeout=20)
