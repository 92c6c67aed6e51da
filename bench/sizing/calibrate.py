"""`python -m bench.sizing.calibrate [--write]`: constants that fit all published runs, printed beside prior and
bounds."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import asdict
from math import log
from pathlib import Path

import fleetyard.sizing
from bench.sizing import serving, training
from fleetyard.sizing.constants import Bound, bounds
from fleetyard.sizing.serving_facts import serving_bounds

DATA = Path(fleetyard.sizing.__file__).parent


def main() -> None:
    """Calibrate both models and print, or write, what comes out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the values into constants.toml and serving.toml")
    args = parser.parse_args()
    learn, _ = training.sample()
    found, _ = training.calibrate(learn)
    served, _ = serving.sample()
    also, _ = serving.calibrate(served)
    show("training", bounds(), asdict(found))
    show("serving", serving_bounds(), asdict(also))
    if args.write:
        write(DATA / "constants.toml", asdict(found))
        write(DATA / "serving.toml", asdict(also))


def show(name: str, limits: Mapping[str, Bound], values: Mapping[str, float]) -> None:
    """Print each constant with its bounds, and how far it lies from its prior."""
    print(f"\n{name}")
    for key, value in values.items():
        bound = limits[key]
        away = log(value / bound.prior) / bound.sd
        print(f"  {key:20} {value:9.4g}  prior {bound.prior:<8g} {bound.low:g} to {bound.high:<8g} {away:+.1f} sd")


def write(path: Path, values: Mapping[str, float]) -> None:
    """Put values into a data file, leaving everything else in it as it is."""
    text = path.read_text(encoding="utf-8")
    for name, value in values.items():
        tables = re.compile(rf"(\[{name}\]\nvalue = )[0-9.e+-]+")
        inline = re.compile(rf"(^{name} = \{{ value = )[0-9.e+-]+", re.MULTILINE)
        for pattern in (tables, inline):
            text = pattern.sub(lambda found, value=value: f"{found[1]}{value:.4g}", text)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
