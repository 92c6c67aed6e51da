"""Choosing over the whole space: the front, limits, unknown prices, what cannot be done, and the page."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetyard.catalog import Cloud
from fleetyard.cli import main
from fleetyard.findings import Exit
from fleetyard.sizing.choose import Answer, Question, Row, choose, pareto
from fleetyard.sizing.models import model
from fleetyard.sizing.offers import Wanted
from fleetyard.sizing.page import page
from fleetyard.sizing.result import ImpossibleError

DAY_S = 86400.0
WANTED = Wanted(clouds=[Cloud.AWS], chips=["h100-sxm-80gb", "h200-sxm-141gb", "b200-sxm"])
QUESTION = Question(model("llama-3.1-8b"), 1e12, 30 * DAY_S, 1e6, wanted=WANTED, precisions=("bf16", "fp8"))


@pytest.fixture(scope="module")
def answer() -> Answer:
    return choose(QUESTION)


def test_the_choice_keeps_every_limit_and_nothing_that_does_is_cheaper(answer: Answer) -> None:
    chosen = answer.chosen
    assert chosen.sure_s <= 30 * DAY_S
    assert chosen.usd is not None
    assert chosen.usd <= 1e6
    assert chosen.usd == min(row.usd for row in answer.rows if row.usd is not None)
    assert chosen.memory_gib <= chosen.usable_gib
    assert sum(gib for _, gib in chosen.parts) == pytest.approx(chosen.memory_gib)
    assert chosen.step_low_s < chosen.step_s < chosen.step_high_s


def test_rows_cost_what_their_hours_cost(answer: Answer) -> None:
    row = answer.chosen
    rates = {each.usd / (each.units * each.seconds) for each in answer.rows if each.machine == row.machine and each.usd}
    assert max(rates) == pytest.approx(min(rates))


def test_no_row_of_the_front_beats_another(answer: Answer) -> None:
    for faster, slower in pairwise(answer.front):
        assert faster.sure_s < slower.sure_s
        assert (faster.usd or inf) > (slower.usd or inf)


def test_every_alternative_has_a_reason(answer: Answer) -> None:
    assert answer.lost
    assert all(each.why for each in answer.lost)
    assert any("more" in each.why for each in answer.lost)


def test_relaxing_never_makes_it_worse(answer: Answer) -> None:
    later = choose(replace(QUESTION, deadline_s=33 * DAY_S))
    assert later.chosen.usd is not None
    assert answer.chosen.usd is not None
    assert later.chosen.usd <= answer.chosen.usd
    assert {each.constraint for each in answer.relaxed} == {"deadline", "budget"}


def test_the_fastest_costs_no_less_time_than_the_cheapest() -> None:
    fast = choose(replace(QUESTION, by="time"))
    assert fast.chosen.sure_s == min(row.sure_s for row in fast.rows)


def test_an_unknown_price_never_wins() -> None:
    free = Question(model("llama-3.1-8b"), 1e12, 60 * DAY_S)
    assert choose(free).chosen.usd is not None
    unpriced = replace(free, wanted=Wanted(machines=["p5e.48xlarge"]))
    with pytest.raises(ImpossibleError, match="price"):
        choose(unpriced)
    assert choose(replace(unpriced, by="time")).chosen.usd is None


def test_a_deadline_beyond_physics_names_the_nearest_fleet() -> None:
    with pytest.raises(ImpossibleError, match="nearest fleet") as found:
        choose(replace(QUESTION, deadline_s=60.0))
    assert found.value.constraint == "deadline"
    assert found.value.need > found.value.have


def test_a_budget_below_the_cheapest_says_what_that_is(answer: Answer) -> None:
    with pytest.raises(ImpossibleError) as found:
        choose(replace(QUESTION, budget_usd=100.0))
    assert found.value.constraint == "budget"
    assert found.value.have == 100.0
    enough = choose(replace(QUESTION, budget_usd=found.value.need * 1.001, deadline_s=None))
    assert enough.chosen.usd == pytest.approx(found.value.need)


def test_limits_that_only_hold_one_by_one_say_by_how_much() -> None:
    fast = choose(replace(QUESTION, by="time", budget_usd=None)).chosen
    cheap = choose(replace(QUESTION, deadline_s=None)).chosen
    assert cheap.usd is not None
    with pytest.raises(ImpossibleError, match="not all of them at once") as found:
        choose(replace(QUESTION, deadline_s=fast.sure_s * 1.01, budget_usd=cheap.usd * 1.01))
    assert found.value.need > found.value.have


def test_a_model_that_fits_nothing_says_so() -> None:
    wanted = Wanted(clouds=[Cloud.AWS], machines=["g4dn.12xlarge"])
    with pytest.raises(ImpossibleError) as found:
        choose(Question(model("llama-3.1-405b"), 1e9, wanted=wanted, most_chips=8))
    assert found.value.constraint in ("memory", "layout")


@pytest.mark.parametrize(
    "changed",
    [{"tokens": inf}, {"tokens": -1.0}, {"deadline_s": float("nan")}, {"budget_usd": 0.0}, {"most_chips": 0}],
)
def test_numbers_that_cannot_be_meant_are_refused(changed: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(changed)).removesuffix("_s").removesuffix("_usd")):
        choose(replace(QUESTION, **changed))  # type: ignore[arg-type]


NUMBER = st.one_of(st.none(), st.floats(1, 1e6))


@given(points=st.lists(st.tuples(st.floats(1, 1e6), NUMBER, NUMBER), max_size=30))
def test_the_front_is_what_nothing_beats(
    answer: Answer, points: list[tuple[float, float | None, float | None]]
) -> None:
    rows = [replace(answer.chosen, sure_s=time, usd=usd, carbon_kg=carbon) for time, usd, carbon in points]
    front = pareto(rows)

    def point(row: Row) -> tuple[float, float, float]:
        return row.sure_s, inf if row.usd is None else row.usd, inf if row.carbon_kg is None else row.carbon_kg

    for row in rows:
        assert any(all(a <= b for a, b in zip(point(kept), point(row), strict=True)) for kept in front)
    for one in front:
        assert not any(
            other is not one and all(a <= b for a, b in zip(point(other), point(one), strict=True)) for other in front
        )


def test_the_page_stands_alone_and_its_plots_are_svg(answer: Answer) -> None:
    text = page(QUESTION, answer)
    assert text.startswith("<!doctype html>")
    assert "http" not in text.replace("http://www.w3.org", "")
    plots = text.split("<svg")[1:]
    assert len(plots) >= 2
    for plot in plots:
        ElementTree.fromstring("<svg" + plot.partition("</svg>")[0] + "</svg>")
    assert answer.chosen.machine in text


def test_the_command_prints_data(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["size", "choose", "--model", "llama-3.1-8b", "--tokens", "1e12", "--deadline", "30d"]
    assert main([*arguments, "--chip", "h100-sxm-80gb", "--cloud", "aws", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["chosen"]["chip"] == "h100-sxm-80gb"
    assert said["plans_evaluated"] > 1000


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["--tokens", "nan"], "--tokens"),
        (["--tokens", "-5"], "--tokens"),
        (["--tokens", "1e12", "--deadline", "3"], "--deadline"),
        (["--tokens", "1e12", "--budget", "inf"], "--budget"),
    ],
)
def test_the_command_refuses_with_the_path(arguments: list[str], path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["size", "choose", "--model", "llama-3.1-8b", *arguments]) != 0
    assert path in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"), [("--region", "us-east-11"), ("--machine", "p5.24xlarge"), ("--chip", "h1")]
)
def test_what_the_catalogue_does_not_hold_is_refused(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["size", "choose", "--model", "llama-3.1-8b", "--tokens", "1e10", option, value]) == Exit.BAD_INPUT
    assert f"FY1651 error {option}: {value!r} is no " in capsys.readouterr().err
