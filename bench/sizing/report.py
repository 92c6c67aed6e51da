"""The tables of `python -m bench sizing`: errors on runs left out, beside the baselines; coverage; layouts; noise;
speed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.measure import Plain, Result
from bench.sizing import baselines, serving, training
from bench.sizing.coverage import covered
from bench.sizing.fit import Vector
from bench.sizing.layouts import layouts
from bench.sizing.leave import KEYS, serving_left_out, training_left_out
from bench.sizing.noise import noise
from bench.sizing.score import HEAD, score
from bench.sizing.speed import speed
from fleetyard.sizing.intervals import half_width, serving_half_widths

WORST = 15
MASK = NDArray[np.bool_]


def results(pairs: int) -> Iterator[Result]:
    """Print the tables as they come, and yield one line of each for the bench's own table."""
    yield from _training()
    yield from _serving()
    yield from speed(pairs)


def _training() -> Iterator[Result]:
    whole, refused = training.sample()
    _say(f"\nTraining: {len(whole.runs)} published runs with a step time, {len(refused)} refused")
    for name, why in refused:
        _say(f"  refused {name}: {why}")
    k, theta = training.calibrate(whole)
    kinds = _kinds(whole)
    left = {key: training_left_out(whole, key, theta) for key in KEYS}
    rows: list[tuple[str, Vector]] = [
        ("40 % utilisation, constant", baselines.constant(whole)),
        ("look-up by chip, format, kind; group left out", baselines.look_up(whole)),
        ("this model, fitted to all (in sample)", whole.errors(k)),
        *((f"this model, {key} left out", errors) for key, errors in left.items()),
    ]
    for kind, mask in kinds.items():
        _table(f"\nstep time, {kind}", [(name, errors[mask]) for name, errors in rows])
    for key in KEYS:
        _by(f"\nstep time, {key} left out, by {key}", [KEYS[key](run) for run in whole.runs], left[key])
    _worst(whole, left["source"])
    for kind in ("dense", "mixture of experts"):
        found = score(left["source"][kinds[kind]])
        if found is not None:
            yield Plain(f"training, {kind}, source left out", f"{_line(found.cells())}")
    half = half_width(whole.cases, whole.prediction(k).fits)
    for key, errors in left.items():
        inside = {kind: covered(errors[mask], half[mask]) for kind, mask in kinds.items()}
        text = ", ".join(f"{kind} {value:.0%}" for kind, value in inside.items())
        yield Plain(f"80 % interval of the step time, {key} left out, holds in", text)
    ranks = layouts(whole, left["source"])
    yield Plain(
        "layouts measured side by side",
        f"best found in {ranks.found} of {ranks.groups} groups, {ranks.ordered} of {ranks.pairs} pairs in order",
    )
    for kind, moe in (("dense", False), ("mixture of experts", True)):
        floor = noise(whole, moe)
        yield Plain(
            f"noise floor, {kind}",
            f"{floor.rows} runs in {floor.groups} groups of identical inputs: "
            f"median {floor.median:.1f} %, p90 {floor.p90:.0f} %",
        )
    memory = [
        (run, gib)
        for run, gib in zip(whole.runs, whole.prediction(k).memory_gib, strict=True)
        if "memory_gib" in run.measured
    ]
    apart = np.log(np.array([gib / run.measured["memory_gib"] for run, gib in memory]))
    found = score(apart)
    if found is not None:
        yield Plain("peak memory of a rank", _line(found.cells()))


def _kinds(whole: training.Sample) -> dict[str, MASK]:
    moe = np.array([case.model.moe_layers > 0 for case in whole.cases])
    lora = np.array([case.lora for case in whole.cases])
    return {"all": np.ones_like(moe), "dense": ~moe, "dense, adapters only": lora, "mixture of experts": moe}


def _serving() -> Iterator[Result]:
    whole, refused = serving.sample()
    _say(f"\nServing: {len(whole.runs)} published runs, {len(refused)} refused")
    k, theta = serving.calibrate(whole)
    left = {key: serving_left_out(whole, key, theta) for key in KEYS}
    widths = serving_half_widths(whole.services, serving.fits(whole))[whole.kind, whole.owner]
    for index, name in enumerate(serving.MEASURES):
        mask = whole.kind == index
        rows = [("fitted to all (in sample)", whole.errors(k)[mask])]
        rows += [(f"{key} left out", errors[mask]) for key, errors in left.items()]
        _table(f"\n{name}", rows)
        found = score(left["source"][mask])
        if found is not None:
            inside = covered(left["source"][mask], widths[mask])
            yield Plain(f"serving, {name}, source left out", f"{_line(found.cells())}; interval holds in {inside:.0%}")


def _table(title: str, rows: Sequence[tuple[str, Vector]]) -> None:
    width = max(len(name) for name, _ in rows)
    _say(f"{title}\n  {''.ljust(width)}  {'  '.join(head.rjust(8) for head in HEAD)}")
    for name, errors in rows:
        found = score(errors)
        if found is not None:
            _say(f"  {name.ljust(width)}  {'  '.join(cell.rjust(8) for cell in found.cells())}")


def _by(title: str, keys: Sequence[str], errors: Vector) -> None:
    each = [(value, errors[np.array([key == value for key in keys])]) for value in dict.fromkeys(keys)]
    _table(title, sorted(each, key=lambda pair: -len(pair[1])))


def _worst(whole: training.Sample, errors: Vector) -> None:
    _say(f"\nthe {WORST} worst with their source left out (predicted / measured)")
    for index in np.argsort(-np.abs(errors))[:WORST]:
        _say(f"  {np.exp(errors[index]):5.2f}  {whole.runs[index].id} (grade {whole.runs[index].grade})")


def _line(cells: Sequence[str]) -> str:
    return ", ".join(f"{head} {cell}" for head, cell in zip(HEAD, cells, strict=True))


def _say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)
