"""Values on the wire, and what counts as a change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcloud.provider.values import (
    UNKNOWN,
    Sameness,
    changes,
    from_struct,
    holds_unknown,
    same,
    to_struct,
    without_unknowns,
)

plain = st.recursive(
    st.booleans() | st.integers(-(2**50), 2**50) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(min_size=1, max_size=6), plain, max_size=5)


@given(objects)
def test_the_wire_gives_back_what_it_got(value: dict[str, Any]) -> None:
    assert from_struct(to_struct(value)) == value


@given(objects)
def test_nothing_changes_against_itself(value: dict[str, Any]) -> None:
    assert list(changes(value, value, Sameness())) == []


@given(objects, objects)
def test_two_objects_are_the_same_exactly_when_nothing_changes(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert same(old, new) == (not list(changes(old, new, Sameness())))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 2}, [("a", "a", "update")]),
        ({"a": 1}, {}, [("a", "a", "delete")]),
        ({}, {"a": 1}, [("a", "a", "add")]),
        ({"tags": {"x": "1", "y": "2"}}, {"tags": {"x": "1", "y": "3"}}, [("tags.y", "tags.y", "update")]),
        ({"tags": {}}, {"tags": {"aws:x": "1"}}, [('tags["aws:x"]', "tags.aws:x", "add")]),
        ({"l": [{"p": 1}, {"p": 2}]}, {"l": [{"p": 1}, {"p": 3}]}, [("l[1].p", "l.p", "update")]),
        ({"l": [1]}, {"l": [1, 2]}, [("l", "l", "update")]),
    ],
)
def test_a_change_names_its_place(
    old: dict[str, Any], new: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert [(c.path, c.key, c.kind) for c in changes(old, new, Sameness())] == expected


def test_the_order_of_a_set_means_nothing() -> None:
    both = {"ids": ["a", "b"]}, {"ids": ["b", "a"]}
    assert list(changes(*both, Sameness())) != []
    assert list(changes(*both, Sameness(frozenset({"ids"})))) == []


def test_scalars_compare_as_the_provider_bridge_compares_them() -> None:
    assert same(True, "true")
    assert same(80, "80")
    assert not same("80", "081")
    assert not same(True, "yes")


def test_unknowns_are_found_and_left_out() -> None:
    assert holds_unknown({"a": [{"b": UNKNOWN}]})
    assert without_unknowns({"a": UNKNOWN, "b": [UNKNOWN, 1]}) == {"b": [None, 1]}
