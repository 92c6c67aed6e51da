"""`fleetyard sim`: the simulated clouds. A program of its own does it; nothing of Fleetyard imports that program."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys


def add(parser: argparse.ArgumentParser) -> None:
    """Everything after `sim` is the simulated cloud's own."""
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="…", help="start, stop, status, env, inventory, fault, set"
    )
    parser.usage = "fleetyard sim [-h] {start,stop,status,env,inventory,fault,set,serve} …"


def run(args: argparse.Namespace) -> int:
    """Hand the words over; its exit status is ours."""
    done = subprocess.run([sys.executable, "-m", "simcloud", *(args.words or ["--help"])], env=os.environ, check=False)  # noqa: S603
    return done.returncode
