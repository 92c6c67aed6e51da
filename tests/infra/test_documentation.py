"""Pages that are made from the code say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetyard.checks import listing as rules_page
from fleetyard.spec import listing as stack_page
from fleetyard.spec import update_effect

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("name", "made", "by"),
    [
        ("rules.md", rules_page.page, "python -m fleetyard.checks.listing"),
        ("stack-file.md", stack_page.page, "python -m fleetyard.spec.listing"),
    ],
)
def test_a_page_is_what_its_code_says(name: str, made: object, by: str) -> None:
    assert callable(made)
    assert (DOCS / name).read_text(encoding="utf-8") == made(), f"make it again: {by} > docs/{name}"


def test_every_field_of_the_stack_file_says_what_changing_it_does() -> None:
    for place, _ in stack_page.fields():
        assert update_effect(place.replace("[]", ".0").replace("*", "x")) is not None, place
