"""The bench compares what it says, in turn, and never hides a missed budget."""

from __future__ import annotations

import pytest

from bench.__main__ import MEASURES, main
from bench.measure import Defect, Plain, Ratio, in_turn, spread_text
from bench.table import table


def test_the_sides_take_turns_and_warm_pairs_do_not_count() -> None:
    order: list[str] = []

    def side(name: str) -> float:
        order.append(name)
        return float(len(order))

    a, b = in_turn(lambda: side("a"), lambda: side("b"), pairs=3, warm=1)
    assert "".join(order) == "abbaabba"
    assert a == (4.0, 5.0, 8.0)
    assert b == (3.0, 6.0, 7.0)


def test_a_ratio_is_that_of_the_medians_and_one_outlier_does_not_decide() -> None:
    ratio = Ratio("x", (2.0, 3.0, 100.0), (1.0, 2.0, 2.0), budget=1.5)
    assert ratio.value == 1.5
    assert not ratio.missed
    assert ratio.spread == (1.5, 50.0)
    assert Ratio("x", (1.51,), (1.0,), budget=1.5).missed
    assert not Ratio("x", (9.0,), (1.0,)).missed


def test_a_missed_budget_and_a_defect_are_told_after_the_table() -> None:
    slow = Ratio("preview", (2.0,), (1.0,), 1.3, "bare")
    text = table([slow, Plain("world", "0.5 s"), Defect("file 7", "no fix")])
    assert "MISSED" in text
    assert "BUDGET MISSED: preview: 2.00, allowed 1.3" in text
    assert "DEFECT: file 7: no fix" in text
    assert "Every budget" not in text


def test_met_budgets_say_so_and_what_has_none_is_not_judged() -> None:
    text = table([Ratio("up", (1.0,), (1.0,), 2.0), Ratio("v5e", (3.0,), (1.0,))])
    assert "Every budget that was measured is met." in text
    assert "MISSED" not in text
    assert "Every budget" not in table([Plain("import", "57 ms")])


def test_times_carry_their_unit_and_spread() -> None:
    assert spread_text((0.2, 0.3, 0.4)) == "0.30 s (0.20..0.40)"
    assert spread_text((0.002, 0.003, 0.004)) == "3.00 ms (2.00..4.00)"


def test_the_command_lists_every_measure_and_refuses_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(MEASURES)
    for words in (["preview", "speed"], ["fuzz", "--pairs", "0"]):
        with pytest.raises(SystemExit) as wrong:
            main(words)
        assert wrong.value.code == 2
