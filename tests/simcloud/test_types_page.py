"""The page of what is modelled says what the code says."""

from __future__ import annotations

from pathlib import Path

from simcloud.listing import page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_simulated_types_is_what_the_code_says() -> None:
    written = (DOCS / "simulated-types.md").read_text(encoding="utf-8")
    assert written == page(), "make it again: python -m simcloud.listing > docs/simulated-types.md"


def test_every_modelled_type_and_rule_has_a_source() -> None:
    for line in page().splitlines():
        if line.startswith("| `"):
            assert line.rstrip(" |").count(" | ") >= 2, line
