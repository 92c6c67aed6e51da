"""Planned failures strike the calls that they were planned for."""

from __future__ import annotations

import pytest

from simcloud.faults import Fault, Faults, LostConnectionError, strike_after, strike_before


def struck(faults: Faults, call: str, times: int) -> list[bool]:
    return [bool(faults.meeting(call)) for _ in range(times)]


def test_after_every_and_times() -> None:
    faults = Faults()
    faults.add(Fault("ec2:*", "throttle", after=2, every=3, times=2))
    assert struck(faults, "ec2:CreateVpc", 10) == [False, False, True, False, False, True, False, False, False, False]


def test_only_what_matches_counts() -> None:
    faults = Faults()
    faults.add(Fault("ec2:Create*", "error"))
    assert not faults.meeting("ec2:DescribeVpcs")
    assert faults.meeting("ec2:CreateVpc")
    assert faults.listed() == [{"match": "ec2:Create*", "kind": "error", "seen": 1, "fired": 1}]
    faults.clear()
    assert not faults.meeting("ec2:CreateVpc")


def test_each_kind_does_what_it_says() -> None:
    assert strike_before([Fault("*", "throttle")]) == "throttle"
    assert strike_before([Fault("*", "slow", seconds=0)]) is None
    with pytest.raises(LostConnectionError):
        strike_before([Fault("*", "lose-request")])
    assert strike_before([Fault("*", "lose-reply")]) is None
    with pytest.raises(LostConnectionError):
        strike_after([Fault("*", "lose-reply")])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="one of"):
        Fault("*", "explode")
