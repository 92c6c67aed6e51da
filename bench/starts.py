"""What one waits for before anything happens: the world, its journal, the catalogue, the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

from bench.filling import fill
from bench.measure import Plain, Result, in_turn, seconds_of, spread_text
from bench.sandbox import ROOT, Sandbox, sandbox
from fleetyard import simulated
from simcloud.client import ask
from simcloud.server import running

RESOURCES = 10_000
LOAD_CATALOG = (
    "import time; t = time.perf_counter(); from fleetyard.catalog import catalog; catalog(); "
    "print(time.perf_counter() - t)"
)


def starts(pairs: int) -> Iterator[Result]:
    """Plain times. Each is `median (smallest..largest)`."""
    empty = tuple(_python("-c", "pass") for _ in range(pairs))
    yield Plain("python that does nothing", spread_text(empty))
    loads = tuple(float(_printed("-c", LOAD_CATALOG)) for _ in range(pairs))
    yield Plain("import fleetyard.catalog and load all of it", spread_text(loads))
    helps, versions = in_turn(lambda: _python("-m", "fleetyard", "--help"), lambda: _python("-c", "pass"), pairs)
    extra = tuple(a - b for a, b in zip(helps, versions, strict=True))
    yield Plain("fleetyard --help", f"{spread_text(helps)}, of that {spread_text(extra)} ours")
    with sandbox() as place:
        fresh = tuple(seconds_of(lambda: simulated.start(place.home, fresh=True)) for _ in range(pairs))
        yield Plain("start a fresh world", spread_text(fresh))
        yield from _reopened(place, pairs)


def _reopened(place: Sandbox, pairs: int) -> Iterator[Result]:
    """A world that was stopped, and one that was killed."""
    env = simulated.environment(place.home)
    filled = seconds_of(lambda: fill(env["AWS_ENDPOINT_URL"], env["FLEETYARD_SIM_GCP_ENDPOINT"], RESOURCES))
    records = _records(place)
    for how, end in (("stopped", _stop), ("killed", _kill)):
        times = []
        for _ in range(pairs):
            end(place)
            times.append(seconds_of(lambda: simulated.start(place.home)))
        if _records(place) != records:
            raise RuntimeError(f"{records} records before, {_records(place)} after: a reopened world must not change")
        name = f"reopen a {how} world of {RESOURCES:,} resources"
        yield Plain(name, f"{spread_text(tuple(times))}; {records:,} records, made in {filled:.1f} s")


def _stop(place: Sandbox) -> None:
    simulated.stop(place.home)


def _kill(place: Sandbox) -> None:
    world = running(place.home)
    if world is None:
        raise RuntimeError("the world ended by itself")
    os.kill(world.pid, signal.SIGKILL)
    while running(place.home) is not None:
        time.sleep(0.01)


def _records(place: Sandbox) -> int:
    world = running(place.home)
    if world is None:
        raise RuntimeError("the world ended by itself")
    return int(ask(world, "status")["records"])


def _python(*words: str) -> float:
    return seconds_of(lambda: _run(words))


def _printed(*words: str) -> str:
    return _run(words).strip()


def _run(words: tuple[str, ...], env: Mapping[str, str] = os.environ) -> str:
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=ROOT, env=dict(env), capture_output=True, text=True, check=True).stdout
