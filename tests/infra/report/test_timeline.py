from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetyard.report.svg import text_width
from fleetyard.report.timeline import LANES, RIGHT, WIDTH, Event, draw, listed

EVENTS = st.lists(
    st.builds(
        lambda at, took, lane, text: Event(at, lane, text, None if took is None else at + took),
        st.floats(min_value=0, max_value=900),
        st.none() | st.floats(min_value=0, max_value=400),
        st.sampled_from(LANES),
        st.text(alphabet="abc W", min_size=1, max_size=30),
    ),
    min_size=1,
    max_size=25,
)


@given(EVENTS)
def test_every_event_is_drawn_once_and_inside_the_picture(events: list[Event]) -> None:
    root = ElementTree.fromstring(draw(events, "a run"))
    texts = [node for node in root.iter() if node.tag.endswith("}text")]
    shown = [node.text or "" for node in texts]
    for event in events:
        assert shown.count(event.text) >= sum(other.text == event.text for other in events)
    for node in texts:
        if node.get("class") == "ink" and node.get("text-anchor") != "end":
            assert float(node.get("x", 0)) + text_width(node.text or "", 11) <= WIDTH - RIGHT + 1


@given(EVENTS)
def test_words_in_one_row_do_not_touch(events: list[Event]) -> None:
    rows: dict[str, list[tuple[float, float]]] = {}
    for node in ElementTree.fromstring(draw(events, "a run")).iter():
        if node.tag.endswith("}text") and node.get("class") == "ink":
            width = text_width(node.text or "", 11)
            start = float(node.get("x", 0)) - (width if node.get("text-anchor") else 0)
            rows.setdefault(node.get("y", ""), []).append((start, start + width))
    for spans in rows.values():
        assert all(a[1] <= b[0] + 0.1 for a, b in pairwise(sorted(spans)))


def test_the_text_is_in_order_of_time_and_says_how_long() -> None:
    said = listed([Event(5, "job", "second"), Event(1, "cloud", "first", 4.5)]).splitlines()
    assert said == [
        "    1.0 s     3.5 s  cloud      first",
        "    5.0 s            job        second",
    ]


def test_nothing_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="nothing happened"):
        draw([], "empty")
