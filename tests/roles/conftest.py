"""What tests of roles share: where things lie, and object stores on loopback for the hosts' programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))
for role in ("object_store", "hydrate", "checkpoint_sync"):
    sys.path.insert(0, str(ROOT / "roles" / role / "files"))

from loopback_stores import Bucket, google_bucket, s3_bucket  # noqa: E402


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket of moto's S3 server."""
    with s3_bucket(monkeypatch) as bucket:
        yield bucket


@pytest.fixture(params=["s3", "google"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket of each kind."""
    with (s3_bucket if request.param == "s3" else google_bucket)(monkeypatch) as made:
        yield made
