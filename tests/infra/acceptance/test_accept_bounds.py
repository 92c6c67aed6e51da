# ruff: noqa: E501
"""The physics of collectives: the published table, limits, and that measured rates lie where they can."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetyard.acceptance.bounds import all_reduce_bound, ceiling, link_bound, switch_bound, wire_bound

rates = st.floats(1, 4000)
nodes = st.integers(2, 4096)
chips = st.integers(1, 16)


@pytest.mark.parametrize(
    ("count", "p4d", "p5", "b300"),
    [(2, 93.75, 750, 1500), (4, 64.6, 517, 1033), (8, 56.3, 450, 900), (16, 52.9, 423, 847)],
)
def test_the_table_of_the_reference(count: int, p4d: float, p5: float, b300: float) -> None:
    for wire, bound in ((50, p4d), (400, p5), (800, b300)):
        assert wire_bound(wire, count, 8) == pytest.approx(bound, rel=2e-3)


@given(rates, nodes, chips)
def test_more_nodes_never_raise_the_bound_and_it_never_falls_below_the_wire(wire: float, count: int, each: int) -> None:
    assert wire_bound(wire, count, each) >= wire_bound(wire, count + 1, each) * (1 - 1e-12)
    assert wire * (1 - 1e-9) <= wire_bound(wire, count, each) <= 2 * wire * (1 + 1e-9)


@given(rates)
def test_at_scale_it_is_the_wire_and_not_twice_the_wire(wire: float) -> None:
    assert wire_bound(wire, 4096, 8) == pytest.approx(wire, rel=1e-3)


@given(rates, st.integers(1, 512), st.integers(2, 16))
def test_links_within_a_node(link: float, count: int, each: int) -> None:
    assert link_bound(link, 1, each) == pytest.approx(link)
    assert link_bound(link, count, each) <= switch_bound(link, count, each) * (1 + 1e-9)


@given(rates, rates, st.integers(1, 512), st.integers(2, 16))
def test_what_can_be_reached_is_never_above_what_is_possible(wire: float, link: float, count: int, each: int) -> None:
    assert all_reduce_bound(wire, link, count, each) <= ceiling(wire, link, count, each) * (1 + 1e-9)


def test_measured_rates_lie_under_the_ceiling_and_peers_minima_do_not() -> None:
    assert ceiling(50, 300, 2, 8) > 78  # 2 p4de
    assert ceiling(400, 450, 2, 8) > 487  # 2 p5
    assert link_bound(450, 2, 8) == pytest.approx(482.1, abs=0.1)
    assert ceiling(None, 300, 1, 8) > 235.3  # one A100 machine
    assert ceiling(50, 300, 2, 8) < 300  # what a peer asks of p4d
    assert ceiling(400, 450, 2, 8) < 800  # and of p5


@pytest.mark.parametrize("call", [
    lambda: wire_bound(50, 1, 8), lambda: wire_bound(0, 2, 8), lambda: wire_bound(50, 2, 0), lambda: link_bound(300, 1, 1),
    lambda: link_bound(-1, 1, 8), lambda: switch_bound(300, 0, 8), lambda: all_reduce_bound(None, None, 2, 8),
    lambda: all_reduce_bound(50, None, 1, 8), lambda: ceiling(None, 300, 2, 1),
])  # fmt: skip
def test_bounds_refuse_what_makes_no_sense(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=r"takes|neither"):
        call()
