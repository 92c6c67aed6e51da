"""The machinery behind the tables of accuracy, on small data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from bench.sizing import training
from bench.sizing.baselines import MFU, constant, look_up
from bench.sizing.coverage import covered
from bench.sizing.fit import Problem, solve, weights
from bench.sizing.layouts import layouts
from bench.sizing.noise import noise
from bench.sizing.runs import Run, serving_runs, training_runs
from bench.sizing.score import score
from fleetyard.sizing.constants import Bound, bounds, constants


def run(name: str, seconds: float, **cells: str) -> Run:
    """A run of a small model on eight H100s."""
    row: dict[str, str | None] = {
        "id": name,
        "model": "llama-3.1-8b",
        "hardware": "H100-SXM-80GB",
        "accelerators": "8",
        "seq_len": "8192",
        "global_batch_tokens": "1048576",
        "precision": "bf16",
        "framework": "NeMo 24.07",
        **cells,
    }
    return Run(name, row, name.partition("-")[0], "someone", "A", "", {"step_time_s": seconds})


def bound(prior: float, low: float, high: float) -> Bound:
    """A constant that the data may move freely within its bounds."""
    return Bound(value=prior, prior=prior, low=low, high=high, sd=2.0, source="test")


def test_calibration_finds_the_constants_behind_the_data_in_spite_of_an_outlier() -> None:
    size = np.linspace(1, 10, 40)
    truth = np.log(3.0 + 0.5 * size)
    truth[7] += 2.0
    limits = {"fixed": bound(1.0, 0.1, 10), "each": bound(1.0, 0.1, 10)}
    problem = Problem(limits, lambda t: np.log(np.exp(t[0]) + np.exp(t[1]) * size), truth, np.ones(40))
    assert np.exp(solve(problem, rounds=40)) == pytest.approx([3.0, 0.5], rel=0.05)


def test_calibration_stays_within_the_bounds() -> None:
    limits = {"each": bound(1.0, 0.5, 2.0)}
    problem = Problem(limits, lambda t: np.repeat(t[0], 9), np.log(np.full(9, 50.0)), np.ones(9))
    assert np.exp(solve(problem))[0] == pytest.approx(2.0)


def test_a_large_table_does_not_dominate() -> None:
    many = [run(f"big-{index}", 1.0, model=f"gpt3-{index}b") for index in range(100)]
    found = weights([*many, run("small-0", 1.0)])
    assert found[-1] == 1.0
    assert found[:-1].sum() < 100 / 3


def test_scores_are_per_cent_of_the_measured() -> None:
    found = score(np.log(np.array([1.1, 0.9, 1.2, 1.0])))
    assert found is not None
    assert (found.rows, found.worst) == (4, pytest.approx(20))
    assert found.median == pytest.approx(10)
    assert found.bias == pytest.approx(5)
    assert score(np.array([])) is None


def test_an_interval_covers_what_lies_inside() -> None:
    errors, half = np.array([0.05, -0.05, 0.3, -0.3]), np.full(4, 0.1)
    assert covered(errors, half) == pytest.approx(0.5)


def test_a_group_is_found_where_the_best_layout_is_predicted_best() -> None:
    whole, refused = training.sample([run("a-1", 10.0, tp="1"), run("a-2", 13.0, tp="2"), run("b-1", 5.0, tp="4")])
    assert not refused
    right = layouts(whole, np.zeros(3))
    assert (right.groups, right.found, right.pairs, right.ordered) == (1, 1, 1, 1)
    wrong = layouts(whole, np.array([0.5, -0.5, 0.0]))
    assert (wrong.groups, wrong.found, wrong.ordered) == (1, 0, 0)
    assert wrong.loss == pytest.approx(np.log(1.3))


def test_the_noise_floor_is_the_spread_of_equal_inputs() -> None:
    whole, _ = training.sample([run("a-1", 10.0), run("b-1", 11.0), run("c-1", 50.0, tp="2")])
    found = noise(whole, moe=False)
    assert (found.groups, found.rows) == (1, 2)
    assert 4 < found.median < 9
    assert noise(whole, moe=True).groups == 0


def test_baselines_know_nothing_of_the_group_they_predict() -> None:
    whole, _ = training.sample([run("a-1", 10.0), run("b-1", 20.0)])
    assert look_up(whole) == pytest.approx([np.log(2), -np.log(2)])
    alone, _ = training.sample([run("a-1", 10.0)])
    assert look_up(alone) == pytest.approx(constant(alone))
    assert 0 < MFU < 1


def test_calibrating_on_few_runs_moves_constants_within_their_bounds_and_towards_the_data() -> None:
    slow = [run(f"a-{index}", 40.0 * index, global_batch_tokens=str(index * 1048576)) for index in (1, 2, 4)]
    whole, _ = training.sample(slow)
    before = np.abs(whole.errors(constants())).max()
    found, _ = training.calibrate(whole, rounds=2)
    assert np.abs(whole.errors(found)).max() < before
    for name, limit in bounds().items():
        assert limit.low - 1e-9 <= getattr(found, name) <= limit.high + 1e-9


def test_every_published_run_can_be_read() -> None:
    whole, refused = training.sample(training_runs())
    assert not refused
    assert len(whole.runs) > 600
    assert np.isfinite(whole.errors(constants())).all()
    assert len(serving_runs()) > 300
