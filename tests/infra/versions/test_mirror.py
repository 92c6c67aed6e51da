"""What a mirror must hold, which base is one, and what happens without a checksum."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.catalog import Unknown, catalog
from fleetyard.findings import FleetyardError
from fleetyard.versions import Chosen, Licence, Target, choose, manifest
from fleetyard.versions.mirror import (
    MirrorFile,
    check_base,
    file_of,
    files,
    require_checksums,
    supplied_checksums,
    with_checksums,
)

BASE = "https://mirror.example.org/fleetyard"
P5 = Target.of(next(m for m in catalog().machines() if m.name == "p5.48xlarge"), "ubuntu-24.04", "slurm")


def listed(base: str | None = None) -> tuple[MirrorFile, ...]:
    return files(choose("2026-10", P5), base)


def refused(call: object, *args: object) -> str:
    assert callable(call)
    with pytest.raises(FleetyardError) as wrong:
        call(*args)
    assert wrong.value.exit_code == 65
    assert all(finding.fix for finding in wrong.value.findings)
    return wrong.value.findings[0].code


def test_every_file_comes_from_the_vendor_or_lies_under_the_base() -> None:
    origins = [origin.url for origin in manifest().origins.values()]
    assert all(any(each.url.startswith(f"{url}/") for url in origins) for each in listed())
    assert all(each.url == f"{BASE}/{each.path}" for each in listed(BASE))
    assert [each.path for each in listed()] == [each.path for each in listed(BASE)]


def test_what_is_part_of_another_file_is_not_fetched_and_a_file_is_listed_once() -> None:
    made = {each.component for each in listed()}
    assert not made & {"libfabric", "rdma-core", "ofi-nccl", "kernel", "dkms", "nvidia-module-open"}
    assert {"nvidia-driver", "cuda", "efa", "fabric-manager"} <= made
    (driver,) = [each for each in listed() if each.component == "nvidia-driver"]
    assert driver.licence is Licence.VENDOR, "a file that two components share keeps the stricter licence"


def test_a_base_can_be_replaced_for_every_file_of_every_machine() -> None:
    """Air-gapped: with a base, nothing is fetched from anywhere else."""
    for machine in catalog().machines():
        for name, version_set in manifest().sets.items():
            for os in version_set.os:
                for each in files(choose(name, Target.of(machine, os, "slurm")), BASE):
                    assert each.url.startswith(f"{BASE}/")


@pytest.mark.parametrize(
    "url", [BASE, f"{BASE}/", "http://10.0.0.5:8080", "file:///srv/mirror", "https://m.example.org"]
)
def test_a_good_base_is_taken_without_its_last_slash(url: str) -> None:
    assert check_base(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "", "mirror.example.org", "ftp://mirror.example.org", "https://", "https:///x", "s3://bucket/x", "file://host/x",
        "file:relative", "https://user:secret@mirror.example.org", "https://user@mirror.example.org",
        "https://mirror.example.org/x?y=1", "https://mirror.example.org/#x", "https://mirror example.org",
        "https://mirror.example.org:99999", "https://mirror.example.org:0", "https://[::1", "https://m\n.example.org",
        "https://-x.example.org", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_a_wrong_base_is_refused(url: str) -> None:
    assert refused(check_base, url) == "FY1813"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_base_or_refused(text: str) -> None:
    codes, taken = [], ""
    try:
        taken = check_base(text)
    except FleetyardError as wrong:
        codes = [finding.code for finding in wrong.findings]
    assert codes == ["FY1813"] or taken.startswith(("http://", "https://", "file:///"))


def test_without_a_checksum_a_real_install_is_refused_until_the_mirror_supplies_it() -> None:
    unknown = [each for each in listed() if isinstance(each.sha256, Unknown)]
    assert unknown
    with pytest.raises(FleetyardError) as wrong:
        require_checksums(listed())
    assert {finding.code for finding in wrong.value.findings} == {"FY1812"}
    assert len(wrong.value.findings) == len(unknown)
    supplied = {each.path: "ab" * 32 for each in unknown}
    whole = with_checksums(listed(), supplied)
    require_checksums(whole)
    assert {each.path for each in whole if each.sha256 == "ab" * 32} == set(supplied)
    require_checksums(each for each in listed() if not isinstance(each.sha256, Unknown))


def test_a_mirror_with_another_file_is_refused() -> None:
    (efa,) = [each for each in listed() if each.component == "efa"]
    assert refused(with_checksums, listed(), {efa.path: "0" * 64}) == "FY1816"
    assert isinstance(efa.sha256, str)
    assert with_checksums(listed(), {efa.path: efa.sha256}) == listed()


@pytest.mark.parametrize(
    "value", [[], None, "x", {"a": 1}, {"a": "AB" * 32}, {"a": "ab" * 31}, {"a": "ab" * 32 + "\n"}, {"a": None}]
)
def test_what_is_no_checksum_is_refused(value: object) -> None:
    assert refused(supplied_checksums, value, "sums.json") == "FY1815"


def test_a_file_as_data_says_what_is_not_known() -> None:
    (nccl,) = [each for each in listed() if each.component == "nccl"]
    data = nccl.as_dict()
    assert data["sha256"] is None
    assert len(data["sha256_unknown"]) > 10
    assert data["redistributable"] is True
    (cuda,) = [each for each in listed() if each.component == "cuda"]
    assert (len(cuda.as_dict()["sha256"]), cuda.as_dict()["redistributable"]) == (64, False)


def test_what_a_person_chose_is_fetched_and_unknown() -> None:
    chosen = Chosen("kernel", "6.8.0-31", Unknown("x"), "", None, "the stack file", False, overridden=True)
    assert file_of(chosen, BASE) is None
