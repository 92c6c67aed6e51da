"""The record, and what it says is to be done next: after crashes, twice heard, heavier than before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.acceptance.evidence import Evidence, load
from fleetyard.findings import FleetyardError
from fleetyard.health import Action
from fleetyard.health.history import drawn
from fleetyard.health.incidents import (
    ACCEPTED,
    ASKED,
    CAME,
    CLOSED,
    CONFIGURED,
    DRAINED,
    FAILED,
    HEARD,
    KEPT_OUT,
    OPENED,
    STEPS,
    VACATED,
    due,
    fresh_events,
    fresh_signs,
    heard_until,
    incidents,
    name_of,
)  # fmt: skip
from fleetyard.health.look import look
from fleetyard.health.record import Record, Row

FALLEN = "NVRM: Xid (PCI:0000:9b:00): 79, GPU has fallen off the bus."


def row(what: str, at: float = 1.0, instance: str = "i-1", incident: str = "", **more: object) -> Row:
    return Row(at, "eve@desk", what, f"node-{instance}", instance, incident, "", more)


def heard(action: str, at: float = 1.0, instance: str = "i-1", **more: object) -> Row:
    return row(HEARD, at, instance, action=action, device="a", title="t", event_s=at, **more)


def opened(action: str = "replace", at: float = 2.0) -> Row:
    return row(OPENED, at, incident="i-1/1", action=action, pool="train", keys=["i-1", "i-2"])


def document(log: str, at: str = "2026-11-22T20:00:00Z", booted: float = 10.0, smi: str = "") -> Evidence:
    tools = {"kernel_log": {"command": "journalctl", "status": 0, "out": log, "err": ""}}
    top = {"version": 1, "host": "a", "took_s": 1, "at": at, "parts": {"booted_s": booted}, "tools": tools}
    return load(json.dumps(top), "a.json")


# The record


def test_lines_come_back_as_they_were_written(tmp_path: Path) -> None:
    record = Record(tmp_path / "x" / "record.jsonl")
    assert record.rows() == ()
    rows = [heard("drain"), row(OPENED, 2.5, incident="i-1/1", action="drain", keys=["i-1"]), row(ACCEPTED, 3.125)]
    for each in rows:
        record.append(each)
    assert list(record.rows()) == rows
    assert record.path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_off_hides_nothing(tmp_path: Path) -> None:
    record = Record(tmp_path / "record.jsonl")
    record.append(heard("drain"))
    with record.path.open("a") as file:
        file.write('{"at": "2026-')
    record.append(row(ACCEPTED))
    assert [each.what for each in record.rows()] == [HEARD, ACCEPTED]


@pytest.mark.parametrize("line", ['{"what": "heard"}', '{"at": 1, "what": "heard"}', "[]", '{"at": "2026-11-22", "what": "x", "by": 1}'])  # fmt: skip  # noqa: E501
def test_a_line_that_is_none_of_ours_is_refused(line: str, tmp_path: Path) -> None:
    record = Record(tmp_path / "record.jsonl")
    record.path.write_text(line + "\n")
    with pytest.raises(FleetyardError, match=r"FY3201 .*record.jsonl:1"):
        record.rows()


def test_two_cannot_act_at_once(tmp_path: Path) -> None:
    record = Record(tmp_path / "record.jsonl")
    with record.held(), pytest.raises(FleetyardError, match="FY3202") as refused, record.held():
        pass
    assert refused.value.exit_code == 75


# What is open


def test_a_cure_goes_on_where_it_stopped() -> None:
    rows = [opened()]
    for done, following in zip(STEPS[Action.REPLACE][1:-1], STEPS[Action.REPLACE][2:], strict=True):
        name = "i-9" if done in (CAME, CONFIGURED) else "i-1"
        rows.append(row(done, instance=name, incident="i-1/1"))
        (found,) = incidents(rows)
        assert found.open
        assert found.next == following
    assert found.machine == ("node-i-9", "i-9")
    assert found.keys == ("i-1", "i-2")
    (ended,) = incidents([*rows, row(ACCEPTED, 9.0, "i-9", "i-1/1")])
    assert not ended.open


def test_a_step_that_failed_is_done_again() -> None:
    (found,) = incidents([opened(), row(DRAINED, incident="i-1/1"), row(FAILED, incident="i-1/1")])
    assert (found.open, found.next) == (True, VACATED)
    (found,) = incidents([opened(), row(DRAINED, incident="i-1/1"), row(FAILED, incident="i-1/1"), row(VACATED, incident="i-1/1")])  # fmt: skip  # noqa: E501
    assert (found.failure, found.next) == ("", ASKED)


@given(
    st.lists(st.sampled_from([OPENED, DRAINED, VACATED, ASKED, CAME, CONFIGURED, ACCEPTED, KEPT_OUT, FAILED, CLOSED]))
)
@settings(max_examples=60, deadline=None)
def test_any_record_can_be_read(words: list[str]) -> None:
    for found in incidents([row(word, incident="i-1/1", action="replace") for word in words]):
        assert found.open == (found.step not in (ACCEPTED, KEPT_OUT, CLOSED))
        if found.open:
            assert found.next in STEPS[found.action]


# What is due


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], None),
        ([heard("look"), heard("restart-app"), heard("ignore")], None),
        ([heard("drain")], "drain"),
        ([heard("drain"), heard("replace")], "replace"),
        ([heard("replace", instance="i-2")], None),
        ([heard("replace"), opened("replace")], None),
        ([heard("drain"), opened("drain"), heard("replace")], "replace"),
        ([heard("drain"), opened("drain"), row(ACCEPTED, incident="i-1/1")], None),
        ([heard("drain"), opened("drain"), row(ACCEPTED, incident="i-1/1"), heard("drain")], "drain"),
        ([heard("drain"), opened("drain"), row(KEPT_OUT, incident="i-1/1"), heard("drain")], None),
        ([heard("drain"), opened("drain"), row(KEPT_OUT, incident="i-1/1"), heard("replace")], "replace"),
        ([heard("drain"), opened("drain"), row(CLOSED, incident="i-1/1")], None),
    ],
)
def test_due(rows: list[Row], expected: str | None) -> None:
    found = due(rows, "i-1")
    assert (found.more["action"] if found else None) == expected


def test_a_heavier_trouble_takes_the_open_incident_over() -> None:
    rows = [opened("drain"), row(DRAINED, incident="i-1/1")]
    assert name_of(incidents(rows), "i-1") == "i-1/1"
    (found,) = incidents([*rows, opened("replace")])
    assert (found.action, found.next) == (Action.REPLACE, DRAINED)
    assert name_of(incidents([*rows, row(ACCEPTED, incident="i-1/1")]), "i-1") == "i-1/2"


# What is new


def test_what_was_heard_or_lies_before_acceptance_is_not_new() -> None:
    log = f"2026-11-22T20:00:00.5+0000 a kernel: {FALLEN}\n"
    seen = look(document(log))
    (event,) = seen.events
    assert isinstance(event.seconds, float)
    assert len(fresh_events(seen.heard, seen.events, event.seconds - 0.1)) == 1
    assert fresh_events(seen.heard, seen.events, event.seconds) == ()
    rows = [heard("replace", at=event.seconds)]
    assert heard_until(rows, "i-1", 0.0) == event.seconds
    assert heard_until(rows, "i-2", 7.0) == 7.0
    assert heard_until([*rows, row(ACCEPTED, event.seconds + 60)], "i-1", 0.0) == event.seconds + 60


def test_repetition_counts_what_is_old_and_needs_something_new() -> None:
    line = "2026-11-2{}T20:00:00+0000 a kernel: NVRM: Xid (PCI:0000:9b:00): 48, double bit\n"
    seen = look(document("".join(line.format(day) for day in (0, 1, 2))))
    (ruling,) = seen.heard
    assert ruling.action is Action.REPLACE, "three times in a week"
    last = max(each.seconds for each in seen.events if isinstance(each.seconds, float))
    assert fresh_events(seen.heard, seen.events, last - 1) == (ruling,)
    assert fresh_events(seen.heard, seen.events, last) == ()


def test_a_sign_is_told_once_until_the_machine_was_well() -> None:
    from fleetyard.health import Ruling

    sign = Ruling("a", "ecc", None, "t", Action.DRAIN, 1, "", "")
    assert fresh_signs([sign], [], "i-1") == (sign,)
    assert fresh_signs([sign], [heard("drain")], "i-1") == ()
    assert fresh_signs([sign], [heard("drain"), row(ACCEPTED)], "i-1") == (sign,)


def test_counters_of_another_boot_are_not_compared() -> None:
    port = "/sys/class/infiniband/efa_0/ports/1/hw_counters/rdma_read_wr_err:{}\n"

    def counted(count: int, at: str, booted: float) -> Evidence:
        row = {"command": "files", "status": 0, "out": port.format(count), "err": ""}
        top = {"version": 1, "host": "a", "took_s": 1, "at": at, "parts": {"booted_s": booted}, "tools": {"rdma_counters": row}}  # fmt: skip  # noqa: E501
        return load(json.dumps(top), "a.json")

    before, now = "2026-11-22T20:00:00Z", "2026-11-22T20:01:00Z"
    grown = look(counted(100, now, 10.0), counted(0, before, 10.0)).shown
    assert [each.action for each in grown] == [Action.DRAIN]
    assert look(counted(100, now, 5000.0), counted(0, before, 10.0)).shown == ()


def test_the_picture_of_a_record() -> None:
    rows = [heard("replace"), opened(), row(DRAINED, 3, incident="i-1/1"), row(ASKED, 4, incident="i-1/1"),
            row(CAME, 9, "i-9", "i-1/1"), row(CONFIGURED, 60, "i-9", "i-1/1"),
            row(ACCEPTED, 70, "i-9", "i-1/1")]  # fmt: skip
    assert drawn(rows, "a").startswith("<svg")
