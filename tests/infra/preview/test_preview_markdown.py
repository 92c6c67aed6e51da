"""The comment: what it says, that it stays within its bounds, that nobody's text breaks out of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.preview.change import Facts, Op, Outcome, Preview, ResourceChange, StackChange
from fleetyard.preview.markdown import LIMIT, MARK, ROWS, render


def preview(*stacks: StackChange, base: str = "abc", head: str = "def") -> Preview:
    return Preview(base, head, "simulated", stacks)


def replaced(name: str, *because: str) -> ResourceChange:
    return ResourceChange(Op.REPLACE, "aws:ec2/vpc:Vpc", name, because, because)


TRAIN = StackChange(
    "a100-train",
    Outcome.CHANGED,
    (replaced("net", "cidrBlock"), ResourceChange(Op.CREATE, "aws:s3/bucket:Bucket", "data")),
    Facts(56, 153.9),
    Facts(64, None, ("FY2201 warning pools.train: few.",), 0, 1),
)


def test_the_comment_says_what_a_reviewer_asks() -> None:
    text = render(preview(TRAIN, StackChange("tpu", Outcome.UNCHANGED)))
    assert text.splitlines()[0] == MARK
    assert "| a100-train | 1 |  | 1 |  | 56 → 64 | 153.90 → unknown | 1 warning |" in text
    assert "| `aws:ec2/vpc:Vpc` | `net` | `cidrBlock` |" in text
    assert "Nothing that they are made of differs: tpu." in text
    assert "Simulated" in text
    assert "FY2201" in text


def test_a_removed_stack_says_that_nothing_is_destroyed() -> None:
    text = render(preview(StackChange("old", Outcome.REMOVED, before=Facts(8, 1.0), after=Facts(0, 0.0))))
    assert "(removed)" in text
    assert "8 → 0" in text
    assert "pulumi destroy" in text


def test_findings_that_were_there_before_are_only_counted() -> None:
    old, new = "FY1 warning a: old.", "FY2 warning b: new."
    change = StackChange("s", Outcome.CHANGED, before=Facts(1, 1.0, (old,)), after=Facts(1, 1.0, (old, new), 0, 2))
    text = render(preview(change))
    assert "new" in text
    assert "old." not in text
    assert "1 finding as before" in text


def test_rows_beyond_the_limit_are_counted() -> None:
    many = tuple(replaced(f"r{i:04}", "cidrBlock") for i in range(ROWS + 25))
    text = render(preview(StackChange("s", Outcome.CHANGED, many)))
    assert text.count("`aws:ec2/vpc:Vpc`") == ROWS
    assert "25 more" in text


def test_a_comment_that_would_be_too_long_loses_whole_sections() -> None:
    rows = tuple(replaced("x" * 200 + str(i), "cidrBlock") for i in range(ROWS))
    stacks = [StackChange(f"stack-{i}", Outcome.CHANGED, rows) for i in range(12)]
    text = render(preview(*stacks))
    assert len(text) <= LIMIT
    assert re.search(r"\d+ more sections did not fit", text)
    assert text.count("<details") == text.count("</details>") > 0
    assert all(f"| stack-{i} |" in text for i in range(12))  # the table has them all


def test_even_the_table_can_be_too_long() -> None:
    text = render(preview(*(StackChange(f"s{i}", Outcome.CHANGED) for i in range(4000))))
    assert len(text) <= LIMIT
    assert text.startswith(MARK)
    assert "4,000 stacks change" in text


EVIL = (
    "</details><script>alert(1)</script>",
    "@everyone #1 !1",
    "![x](https://example.com/track.png)",
    "a | b | c",
    "`code` ``` \n# heading\n| x |",
    "<!-- fleetyard-preview -->",
    "https://example.com",
)


@pytest.mark.parametrize("evil", EVIL)
def test_text_of_the_change_cannot_break_out(evil: str) -> None:
    change = StackChange(
        evil,
        Outcome.CHANGED,
        (ResourceChange(Op.UPDATE, evil, evil, (), (evil,)),),
        after=Facts(1, 1.0, (evil,), 1, 0),
        problems=(evil,),
    )
    text = render(preview(change, base=evil, head=evil))
    outside = re.sub(r"`[^`\n]*`", "", text)  # what stands in a code span is only text
    for mark in ("<script", "@everyone", "![", "](", "https://"):
        assert mark not in outside, mark
    assert not re.search(r"(?<!&)#\d", outside)  # a reference to an issue; `&#124;` is an escaped bar
    assert text.count(MARK) - text.count(f"`{MARK}`") == 1
    row = next(line for line in text.splitlines() if line.startswith("| `"))
    assert row.count("|") == 4


@settings(max_examples=60)
@given(st.text(max_size=400), st.integers(600, 5000), st.integers(0, 20))
def test_it_never_exceeds_its_limit(said: str, limit: int, number: int) -> None:
    rows = tuple(replaced(said or "n", "p") for _ in range(number))
    change = StackChange(said or "s", Outcome.FAILED, rows, problems=(said,) * 3)
    assert len(render(preview(*[change] * number), limit)) <= limit
