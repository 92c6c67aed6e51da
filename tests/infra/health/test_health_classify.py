# ruff: noqa: E501
"""What is done about what is heard: single events, repetition, links, devices, counters."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.acceptance.parsers.kernel_log import Event, parse
from fleetyard.acceptance.parsers.nvidia_smi_xml import Ecc, Gpu
from fleetyard.acceptance.parsers.smart import Smart
from fleetyard.catalog import Unknown
from fleetyard.health import Action, classify, counter_rulings, drive_action, from_rows, gpu_rulings, persistent, worst
from fleetyard.health.devices import COUNTERS, SIGNS
from fleetyard.health.listing import page
from fleetyard.health.windows import down_now, episodes, flaps, most_within, rate_per_s
from fleetyard.health.xid import sources, table, xid_action

DOCS = Path(__file__).parents[3] / "docs"


def xid(code: int, seconds: float | None = 0.0, said: str = "", device: str = "0000:10:1c") -> Event:
    return Event("xid", code, device, said, Unknown("none") if seconds is None else seconds)


def link(up: bool, seconds: float | None) -> Event:
    return Event("link-up" if up else "link-down", None, "ens5", "", Unknown("none") if seconds is None else seconds)


# Xid


@pytest.mark.parametrize(
    ("code", "said", "action"),
    [
        (13, "", "restart-app"), (31, "", "restart-app"), (43, "", "ignore"), (45, "", "restart-app"), (48, "", "drain"),
        (63, "", "drain"), (64, "", "replace"), (74, "", "drain"), (79, "", "replace"), (92, "", "ignore"), (94, "", "restart-app"),
        (95, "", "drain"), (119, "", "drain"), (120, "", "drain"), (54, "", "replace"), (140, "", "drain"),
        (149, "NETIR_LINK_EVT Fatal XC0 i0 Link 00", "drain"), (145, "RLW_REMAP Nonfatal XC0 i0 Link 00", "ignore"),
        (144, "SAW_MVB Nonfa", "drain"), (144, "", "drain"),
        (154, "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)", "drain"),
        (154, "GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)", "drain"),
        (154, "GPU recovery action changed from 0x1 to 0x0 (None)", "ignore"), (154, "GPU recov", "look"),
        (9999, "", "look"), (0, "", "look"),
    ],
)  # fmt: skip
def test_what_a_code_means(code: int, said: str, action: str) -> None:
    assert xid_action(code, said) == action


def test_the_table_agrees_with_the_vendors_buckets_or_says_why_not() -> None:
    agree = {"IGNORE": "ignore", "RESTART_APP": "restart-app", "RESET_GPU": "drain", "RESTART_VM": "drain"}
    for row in table().values():
        assert row.source in sources()
        assert row.title
        if agree.get(row.bucket) != row.action and row.bucket not in ("WORKFLOW_NVLINK5_ERR", "CONTACT_SUPPORT"):
            assert row.why, f"{row.code} differs from {row.bucket} and does not say why"
    assert len(table()) >= 100


def test_many_lines_of_one_fault_are_one_episode() -> None:
    (ruling,) = classify(xid(119, at) for at in (0, 12, 40, 300))
    assert (ruling.action, ruling.count) == (Action.DRAIN, 4)


def test_a_fault_that_comes_back_is_replaced_and_jobs_that_die_in_one_place_drain_it() -> None:
    day = 86400.0
    (ruling,) = classify(xid(119, at) for at in (0, 2 * day, 4 * day))
    assert ruling.action is Action.REPLACE
    (ruling,) = classify(xid(119, at) for at in (0, 5 * day, 10 * day))
    assert ruling.action is Action.DRAIN
    (ruling,) = classify(xid(31, at) for at in (0, 3600, 7200, 10800, 14400))
    assert ruling.action is Action.DRAIN
    (ruling,) = classify(xid(31, at) for at in (0, 3600, 7200, 10800))
    assert ruling.action is Action.RESTART_APP


def test_devices_are_told_apart() -> None:
    day = 86400.0
    rulings = classify([xid(119, 0, device="a"), xid(119, day, device="b"), xid(119, 2 * day, device="c")])
    assert [each.action for each in rulings] == [Action.DRAIN] * 3


def test_lines_without_a_time_cannot_be_told_apart() -> None:
    (ruling,) = classify([xid(119, None)] * 9)
    assert ruling.action is Action.DRAIN


codes = st.sampled_from([13, 31, 43, 48, 63, 64, 74, 79, 92, 94, 95, 119, 1, 999])
events = st.builds(xid, codes, st.one_of(st.none(), st.floats(0, 2e6)), st.just(""), st.sampled_from(["a", "b"]))


@settings(max_examples=60)
@given(st.lists(events, max_size=12), events)
def test_hearing_more_never_makes_it_better(before: list[Event], more: Event) -> None:
    assert worst(classify([*before, more])).weight >= worst(classify(before)).weight


@settings(max_examples=40)
@given(st.lists(events, max_size=10), st.randoms())
def test_the_order_of_lines_does_not_matter(rows: list[Event], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert classify(shuffled) == classify(rows)


@settings(max_examples=40)
@given(st.lists(events, max_size=12))
def test_nothing_that_was_heard_is_lost(rows: list[Event]) -> None:
    assert sum(each.count for each in classify(rows)) == len(rows)


# Other events


def test_switches_speak_for_themselves() -> None:
    log = """\
[ 1.0] nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 20034, Fatal, Link 30 LTSSM Fault Up
[ 2.0] nvidia-nvswitch1: SXid (PCI:0000:03:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error (First)
"""
    assert [(r.device, r.action) for r in classify(parse(log))] == [
        ("0000:05:00.0", Action.DRAIN),
        ("0000:03:00.0", Action.IGNORE),
    ]


@pytest.mark.parametrize(
    ("rows", "action", "title"),
    [
        ([link(False, 5)], "drain", "link is down"),
        ([link(False, 5), link(True, 9)], "look", "link was down and came back"),
        ([link(True, 9), link(False, 5)], "look", "link was down and came back"),
        ([link(True, 2)], "ignore", "link came up"),
        ([link(up, t) for t in (0, 100, 200) for up, t in ((False, t), (True, t + 5))], "drain", "link flaps"),
        (
            [link(up, t) for t in (0, 1000, 2000) for up, t in ((False, t), (True, t + 5))],
            "look",
            "link was down and came back",
        ),
        ([link(False, None), link(True, None)], "look", "link was down and came back"),
        ([link(False, None), link(True, None), link(False, None)], "drain", "link is down"),
    ],
)
def test_links(rows: list[Event], action: str, title: str) -> None:
    (ruling,) = classify(rows)
    assert (ruling.action, ruling.title) == (action, title)


def test_drives_and_buses_in_the_log() -> None:
    nvme = [Event("nvme", None, "nvme3", "controller is down; will reset", float(at)) for at in (0, 4000, 8000)]
    assert classify(nvme[:1])[0].action is Action.LOOK
    assert classify(nvme)[0].action is Action.REPLACE
    assert classify([Event("nvme", None, "nvme3", "Removing after probe failure", 0.0)])[0].action is Action.REPLACE
    assert classify([Event("pcie", None, "0000:10:00.0", "AER: Uncorrectable", 0.0)])[0].action is Action.DRAIN


def test_rulings_come_heaviest_first() -> None:
    found = classify([xid(43), xid(79, device="b"), xid(31), xid(48)])
    assert [each.action for each in found] == [Action.REPLACE, Action.DRAIN, Action.RESTART_APP, Action.IGNORE]
    assert worst([]) is Action.IGNORE


def test_events_as_plain_data() -> None:
    assert from_rows([{"kind": "xid", "code": 79, "device": "a", "seconds": 1}]) == (Event("xid", 79, "a", "", 1.0),)
    bad: list[dict[str, object]] = [{}, {"kind": "smoke"}, {"kind": "xid"}, {"kind": "xid", "code": "79"}, {"kind": "xid", "code": True},
                                    {"kind": "pcie", "seconds": "soon"}, {"kind": "pcie", "seconds": float("nan")}]  # fmt: skip
    for row in bad:
        with pytest.raises(ValueError, match=r"event|code|seconds|Xid"):
            from_rows([row])


# Devices

WELL = Gpu("0000:10:1c.0", "NVIDIA A100-SXM4-40GB", "u", False, 40960, True, Ecc(0, 0, 9, 0, 0, False), False, False, 0, Unknown("N/A"),
           4, 4, 16, 16, 3, 400.0, 400.0, 1095, 1410, "P0", (), "None", Unknown("N/A"), False, 31)  # fmt: skip


def test_a_gpu_that_is_well_is_left_alone() -> None:
    assert gpu_rulings(WELL) == ()
    silent = dataclasses.replace(WELL, remap_pending=Unknown("N/A"), slowdowns=Unknown("N/A"), recovery=Unknown("N/A"))
    assert gpu_rulings(silent) == ()


@pytest.mark.parametrize(
    ("change", "action"),
    [
        ({"lost": True}, "replace"), ({"recovery": "GPU Reset"}, "drain"), ({"remap_pending": True}, "drain"),
        ({"remap_failed": True}, "replace"), ({"ecc": Ecc(2, 0, 0, 2, 0, False)}, "drain"), ({"ecc": Ecc(0, 1, 0, 0, 1, False)}, "drain"),
        ({"ecc": Ecc(0, 0, 0, 0, 9, True)}, "replace"), ({"slowdowns": ("hw_thermal_slowdown",)}, "drain"),
        ({"slowdowns": ("sw_thermal_slowdown",)}, "look"), ({"fabric": "Not Started"}, "drain"), ({"fabric": "Completed"}, "ignore"),
    ],
)  # fmt: skip
def test_signs_of_a_gpu(change: dict[str, object], action: str) -> None:
    assert worst(gpu_rulings(dataclasses.replace(WELL, **change))) == action  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "action"),
    [({}, "ignore"), ({"critical_warning": 2}, "look"), ({"critical_warning": 1}, "replace"), ({"critical_warning": 3}, "replace"),
     ({"critical_warning": 8}, "replace"), ({"spare_percent": 5.0}, "replace"), ({"used_percent": 104.0}, "look"),
     ({"media_errors": 1.0}, "look"), ({"critical_warning": Unknown("N/A")}, "ignore")],
)  # fmt: skip
def test_signs_of_a_drive(change: dict[str, object], action: str) -> None:
    well = Smart("/dev/nvme1n1", 0, 100.0, 10.0, 3.0, 0.0)
    assert drive_action(dataclasses.replace(well, **change)).action == action  # type: ignore[arg-type]


def test_counters_by_their_growth() -> None:
    def look(before: int, after: int, seconds: float = 60, name: str = "rdma_read_wr_err") -> str:
        return worst(counter_rulings({"a/1": {name: before}}, {"a/1": {name: after}}, seconds))

    assert look(5, 5) == "ignore"
    assert look(5, 6) == "look"
    assert look(0, 60) == "drain"
    assert look(100, 40) == "drain"  # the driver was loaded again: forty since
    assert look(0, 10**9, name="rx_drops") == "look"  # heavy, but never a reason by itself
    assert look(0, 10**9, name="rx_bytes") == "ignore"
    assert worst(counter_rulings({"a/1": {}}, {}, 60)) is Action.DRAIN
    with pytest.raises(ValueError, match="counter"):
        counter_rulings({}, {"a/1": {"rx_drops": 1}}, 0)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(1, 1e5), st.sampled_from(sorted(COUNTERS)))
def test_a_counter_that_grows_faster_is_never_judged_milder(start: int, more: int, seconds: float, name: str) -> None:
    def weight(grown: int) -> int:
        return worst(counter_rulings({"a/1": {name: start}}, {"a/1": {name: start + grown}}, seconds)).weight

    assert weight(more) <= weight(2 * more + 1)


def test_one_hot_reading_drains_nobody() -> None:
    name = "hw_thermal_slowdown"
    assert persistent(name, [True, True, True], 3) is True
    assert persistent(name, [True, False, True], 3) is False
    assert isinstance(persistent(name, [True, True], 3), Unknown)
    assert isinstance(persistent(name, [True, Unknown("N/A"), True], 3), Unknown)
    assert persistent(name, [False, Unknown("N/A"), True, True, True], 3) is True
    for bad in (("heat", [True], 1), (name, [True], 0)):
        with pytest.raises(ValueError, match="sign"):
            persistent(*bad)  # type: ignore[arg-type]
    assert all(sign.source for sign in SIGNS.values())


# Windows

times = st.lists(st.floats(0, 1e6), max_size=30)


@given(times, st.floats(0.1, 1e6))
def test_no_window_holds_more_than_the_most(rows: list[float], window: float) -> None:
    most = most_within(rows, window)
    assert (most == 0) == (not rows)
    assert most == max((sum(start <= t <= start + window for t in rows) for start in rows), default=0) or any(
        abs((b - a) - window) < 1e-6 for a in rows for b in rows
    )
    assert most <= most_within(rows, window * 2)
    assert most <= most_within([*rows, 0.0], window)


@given(times, st.floats(0.1, 1e4))
def test_episodes_lie_apart_and_cover_everything(rows: list[float], gap: float) -> None:
    begun = episodes(rows, gap)
    assert all(b - a > gap for a, b in pairwise(begun))
    assert bool(begun) == bool(rows)
    assert set(begun) <= set(rows)
    assert len(episodes(rows, gap * 2)) <= len(begun)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(0.1, 1e5))
def test_rates_are_never_negative(before: int, after: int, seconds: float) -> None:
    assert rate_per_s(before, after, seconds) >= 0


def test_windows_refuse_what_makes_no_sense() -> None:
    for call in (
        lambda: most_within([], 0),
        lambda: episodes([], -1),
        lambda: rate_per_s(0, 1, 0),
        lambda: rate_per_s(-1, 1, 1),
    ):
        with pytest.raises(ValueError, match=r"window|gap|counter"):
            call()
    assert flaps([], 10) == 0
    assert flaps([(0, False), (1, True), (2, False), (3, True)], 10) == 2
    assert not down_now([])
    assert down_now([(0, True), (1, False)])


def test_the_page_is_what_the_code_says() -> None:
    assert (DOCS / "health.md").read_text(encoding="utf-8") == page(), (
        "python -m fleetyard.health.listing > docs/health.md"
    )
