"""How findings read, and what they are as data."""

from __future__ import annotations

import json

from fleetyard.findings import (
    Exit,
    Finding,
    FleetyardError,
    Level,
    StackPath,
    error,
    has_errors,
    render_json,
    render_text,
)

ONE = Finding("FY2107", Level.ERROR, StackPath("pools") / "train" / "zones", "2 zones for an EFA pool", "keep one zone")


def test_a_finding_reads_as_one_line() -> None:
    assert str(ONE) == "FY2107 error pools.train.zones: 2 zones for an EFA pool. Fix: keep one zone"


def test_a_finding_without_a_fix_and_with_its_own_full_stop() -> None:
    assert str(Finding("FY2204", Level.INFO, "pools", "spot is taken.")) == "FY2204 info pools: spot is taken."


def test_places_in_lists_have_their_index() -> None:
    assert StackPath("") / "zones" / 0 == "zones[0]"


def test_json_says_the_same() -> None:
    (found,) = json.loads(render_json([ONE]))["findings"]
    assert found == {
        "code": "FY2107",
        "level": "error",
        "path": "pools.train.zones",
        "message": "2 zones for an EFA pool",
        "fix": "keep one zone",
    }


def test_an_error_carries_its_findings_and_its_exit_status() -> None:
    wrong = FleetyardError([ONE, ONE], Exit.REFUSED)
    assert wrong.exit_code == 69
    assert str(wrong) == render_text(wrong.findings)
    assert error("FY1001", "x", "is gone").exit_code == 65


def test_only_errors_are_errors() -> None:
    assert has_errors([ONE])
    assert not has_errors([Finding("FY2114", Level.WARNING, "x", "y")])
