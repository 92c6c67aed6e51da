"""What `make setup` decides, without doing it."""

from __future__ import annotations

import re
from pathlib import Path

import setup

ROOT = Path(__file__).resolve().parents[2]


def test_versions_are_read_from_what_tools_print() -> None:
    assert setup.version_of("v3.259.0\n") == (3, 259, 0)
    assert setup.version_of("go version go1.26.8 linux/amd64") == (1, 26, 8)
    assert setup.version_of("go version go1.25 linux/amd64") == (1, 25, 0)
    assert setup.version_of("no version here") == ()


def test_the_engine_and_its_sdk_are_pinned_to_one_release() -> None:
    text = (ROOT / "tools" / "go.mod").read_text()
    found = set(re.findall(r"github\.com/pulumi/pulumi/(?:pkg|sdk)/v3 (v[\d.]+)", text))
    assert found == {setup.engine_version()}


def test_every_locked_package_has_hashes_and_no_index_is_named() -> None:
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    pins = re.findall(r"^([a-z0-9._-]+)==", lock, re.M)
    assert len(pins) > 50
    for entry in re.split(r"\n(?=[a-z0-9])", lock):
        assert "--hash=sha256:" in entry, entry[:60]
    assert not re.search(r"https?://|--index-url|--find-links", lock)


def test_everything_that_is_asked_for_is_locked() -> None:
    lock = {
        name.replace("_", "-")
        for name in re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements/lock.txt").read_text(), re.M)
    }
    for file in ("run.in", "dev.in"):
        for line in (ROOT / "requirements" / file).read_text().splitlines():
            name = re.split(r"[\[<>=; ]", line.strip())[0].lower()
            if name and not name.startswith(("-", "#")):
                assert name in lock, f"{name} of {file} is not in the lock"


def test_a_stamp_depends_on_every_part_and_its_place() -> None:
    assert setup.stamp_of(b"a", b"b") != setup.stamp_of(b"ab")
    assert setup.stamp_of(b"a", b"b") == setup.stamp_of(b"a", b"b")
