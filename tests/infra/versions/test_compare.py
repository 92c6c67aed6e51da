"""Versions compare as dpkg compares them, and floors hold as far as they say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.versions import Version

ORDERED = [
    [
        "570.124.06",
        "570.133.20",
        "570.172.08",
        "580.65.06",
        "580.95.05",
        "580.126.20",
        "580.142",
        "580.159.04",
        "595.91.07",
    ],
    ["2.18.5-1+cuda12.2", "2.27.7-1+cuda13.0", "2.28.3-1", "2.28.9-1+cuda12.9", "2.28.9-1+cuda13.0", "2.30.4-1"],
    ["1.28.0", "1.29.0", "1.29.1", "1.35.0", "1.43.2", "1.50.0", "1.51.0"],
    ["1.0~rc1", "1.0", "1.0-1", "1.0-2", "1.0a", "1.0.1", "1.10"],
    ["1.6.20~ds1-1+deb12u2", "1.6.20~ds1-1+deb12u3", "1.6.20", "1.7", "2.2.3"],
    ["1.34.1-gke.2541000", "1.34.3-gke.1318000", "1.34.3-gke.1318001", "1.35.0-gke.1"],
    ["3.3.9-1", "4.5.2-1", "1:3.3.9-1", "1:4.5.2-1"],
    ["5.15.0-1084-aws", "6.8.0-31-generic", "6.17.0-1006-gcp", "7.0.0-1011-gcp"],
]
"""Each list from old to new; orders as `dpkg --compare-versions` gives them."""

PIECES = st.lists(
    st.one_of(st.integers(0, 2000).map(str), st.sampled_from([".", "-", "+", "~", "a", "rc", "amzn", "+cuda", "-1"])),
    min_size=0,
    max_size=7,
)
VERSIONS = st.builds(lambda first, rest: f"{first}{''.join(rest)}"[:100], st.integers(0, 2000), PIECES).map(Version)


@pytest.mark.parametrize("row", ORDERED, ids=lambda row: row[0])
def test_versions_are_ordered_as_packages_are(row: list[str]) -> None:
    assert [str(each) for each in sorted(map(Version, reversed(row)))] == row


@pytest.mark.parametrize(
    "text", ["latest", "", "-1", " 1.0", "1.0 ", "1.0\n", "1/2", "a" * 200, "1" * 200, "é1", "~1", ":1"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        Version(text)


@settings(max_examples=150, deadline=None)
@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_total(first: Version, second: Version, third: Version) -> None:
    assert (first < second) + (second < first) + (first == second) == 1
    if first <= second <= third:
        assert first <= third
    if first == second:
        assert hash(first) == hash(second)


@settings(max_examples=150, deadline=None)
@given(VERSIONS)
def test_a_tilde_comes_before_the_end_and_anything_else_after(version: Version) -> None:
    if "-" in version.text:
        return  # what follows then belongs to the revision
    assert Version(f"{version}~rc1") < version < Version(f"{version}.1")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 999), min_size=1, max_size=4), st.lists(st.integers(0, 999), min_size=1, max_size=4))
def test_a_floor_of_numbers_is_kept_by_what_is_equal_or_newer(own: list[int], floor: list[int]) -> None:
    padded = (own + [0] * 4)[: len(floor)]
    version, least = ".".join(map(str, own)), ".".join(map(str, floor))
    assert Version(version).at_least(least) == (padded >= floor)
    assert Version(f"{version}-1+cuda13.0").at_least(least) == (padded >= floor)
    assert Version(version).below(least) != Version(version).at_least(least)


def test_a_floor_counts_only_as_far_as_it_says() -> None:
    assert Version("13.0.2").at_least("13.0")
    assert Version("13").at_least("13.0")
    assert not Version("1.34.3-gke.1317999").at_least("1.34.3-gke.1318000")
    assert Version("1.34.3-gke.1318000").at_least("1.34.3-gke.1318000")
    assert Version("1:4.5.2-1").at_least("4.4")


def test_a_build_says_what_it_was_made_for() -> None:
    nccl = Version("2.28.9-1+cuda12.9")
    assert (nccl.plain, str(nccl.built_for("cuda")), nccl.built_for("slurm")) == ("2.28.9-1", "12.9", None)
    assert str(Version("9.20.0.48-cuda13").built_for("cuda")) == "13"
    assert Version("2.28.9-1").built_for("cuda") is None


def test_series_and_releases() -> None:
    kernel = Version("6.17.0-1006-gcp")
    assert kernel.starts("6.17")
    assert not kernel.starts("6.1")
    assert (kernel.release, Version("v580").release, Version("1:25.11.4").numbers) == ("6.17", "580.0", (25, 11, 4))
