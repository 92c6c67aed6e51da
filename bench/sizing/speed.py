"""Speed of the sizing model in one process on one core, against its budgets."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.measure import Plain, Result
from bench.sizing.runs import training_runs
from fleetyard.sizing.choose import Question, choose
from fleetyard.sizing.constants import constants
from fleetyard.sizing.footprint import footprint
from fleetyard.sizing.hardware import chips
from fleetyard.sizing.models import model
from fleetyard.sizing.offers import Wanted
from fleetyard.sizing.space import CHUNK, Ground, combinations, plans_of
from fleetyard.sizing.step import step_times

PLANS_PER_S = 1e6
SPACE_S = 1.0
IMPORT_S = 0.2
ROWS_S = 5.0
ROWS = 10_000


def speed(times: int) -> Iterator[Result]:
    """Plans a second, a whole space, import, ten thousand rows: the best of some tries, beside the budget."""
    yield _plain(
        "training plans evaluated (time and memory)", f"{plans_per_s(times) / 1e6:.2f} million a second", "1 million"
    )
    seconds, plans = space_s(times)
    yield _plain(
        "whole space of a 405B model, every type, up to 16,384 accelerators",
        f"{seconds:.2f} s for {plans:,} layouts",
        "1 s",
    )
    yield _plain("import fleetyard.sizing, beyond starting Python", f"{import_s(times):.3f} s", "0.2 s")
    yield _plain(f"{ROWS:,} rows of predict-training", f"{rows_s():.2f} s, start and files included", "5 s")


def _plain(name: str, seen: str, budget: str) -> Plain:
    return Plain(name, f"{seen} (budget: {budget})")


def plans_per_s(times: int) -> float:
    """Plans a second through memory and step time, for one model and chip, counts and layouts drawn from the space."""
    ground = Ground(model("llama-3.1-405b"), chips()["h100-sxm-80gb"], "bf16", None, 8192, 2048.0)
    rows = combinations(ground)
    drawn = np.random.default_rng(0)
    wanted = rows[drawn.integers(len(rows), size=CHUNK)]
    counts = drawn.choice([512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0], CHUNK)
    k = constants()
    best = float("inf")
    for _ in range(max(25, times * 25)):
        began = time.perf_counter()
        plans = plans_of(ground, wanted, counts)
        footprint(plans)
        step_times(plans, k)
        best = min(best, time.perf_counter() - began)
    return CHUNK / best


def space_s(times: int) -> tuple[float, int]:
    """Seconds of one whole question, and how many layouts it looked at."""
    question = Question(model("llama-3.1-405b"), 1e12, wanted=Wanted(), precisions=("bf16",), by="time")
    best, plans = float("inf"), 0
    for _ in range(max(3, times)):
        began = time.perf_counter()
        plans = choose(question).plans
        best = min(best, time.perf_counter() - began)
    return best, plans


def import_s(times: int) -> float:
    """Seconds of `import fleetyard.sizing` in a fresh interpreter, measured inside it."""
    code = "import time; began = time.perf_counter(); import fleetyard.sizing; print(time.perf_counter() - began)"
    tries = max(3, times)
    return min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(tries)
    )


def rows_s() -> float:
    """Seconds of the command on ten thousand rows, from reading the file to writing the other."""
    import csv

    runs = training_runs()
    names = ["id", *runs[0].row][1:]
    with tempfile.TemporaryDirectory(prefix="fleetyard-bench-") as folder:
        path = Path(folder) / "in.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(runs[index % len(runs)].row for index in range(ROWS))
        words = [
            sys.executable,
            "-m",
            "fleetyard",
            "size",
            "predict-training",
            str(path),
            str(Path(folder) / "out.csv"),
        ]
        began = time.perf_counter()
        subprocess.run(words, capture_output=True, check=True)
        return time.perf_counter() - began
