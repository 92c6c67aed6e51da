"""What a run is told, from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """One run. Everything that shapes the loss curve is a field of `shape()`; the rest may differ after a resume."""

    data: Path
    store: str
    steps: int
    batch: int
    context: int
    width: int
    layers: int
    heads: int
    dropout: float
    learning_rate: float
    seed: int
    checkpoint_every: int
    keep: int
    pace: float
    heartbeat_s: int
    start_s: int
    coordinator: str | None
    processes: int | None
    process: int | None

    def shape(self) -> dict[str, int | float]:
        """What must be the same for a checkpoint to be continued."""
        names = ("batch", "context", "width", "layers", "heads", "dropout", "learning_rate", "seed")
        return {name: getattr(self, name) for name in names}


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line; argparse prints what is wrong and exits 2."""
    parser = argparse.ArgumentParser(prog="trainer", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder with the token shards and their manifest.json")
    add(
        "--store",
        required=True,
        help="where checkpoints and loss go: a folder, s3://bucket/prefix or gs://bucket/prefix",
    )
    add("--steps", type=int, default=200)
    add("--batch", type=int, default=32, help="sequences a step, over all processes")
    add("--context", type=int, default=64, help="bytes a sequence")
    add("--width", type=int, default=64)
    add("--layers", type=int, default=3)
    add("--heads", type=int, default=4)
    add("--dropout", type=float, default=0.1)
    add("--learning-rate", type=float, default=3e-3)
    add("--seed", type=int, default=1)
    add("--checkpoint-every", type=int, default=20, metavar="STEPS")
    add("--keep", type=int, default=3, help="checkpoints to keep")
    add("--pace", type=float, default=0.0, metavar="SECONDS", help="the least time a step takes, for a demonstration")
    add("--heartbeat-s", type=int, default=60, help="a process that is silent for so long is lost, and the run ends")
    add("--start-s", type=int, default=300, help="how long to wait for all processes at the start")
    add("--coordinator", help="HOST:PORT of process 0, where no scheduler says it")
    add("--processes", type=int, help="how many processes, where no scheduler says it")
    add("--process", type=int, help="this process' number, where no scheduler says it")
    found = parser.parse_args(arguments)
    alone = [found.coordinator, found.processes, found.process]
    if any(part is None for part in alone) != all(part is None for part in alone):
        parser.error("--coordinator, --processes and --process go together")
    if found.width % found.heads:
        parser.error(f"--width {found.width} is not a multiple of --heads {found.heads}")
    return Settings(**vars(found))
