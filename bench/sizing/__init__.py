"""How right and how fast the sizing model is: `python -m bench sizing`; `python -m bench.sizing.calibrate` calibrates
it."""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Result


def sizing(pairs: int) -> Iterator[Result]:
    """Errors on runs left out of calibration beside the baselines, coverage, layouts, noise, and speed. See
    docs/sizing-accuracy.md."""
    from bench.sizing.report import results

    yield from results(pairs)
