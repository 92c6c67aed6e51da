"""Puts this folder on the path, so that tests share `resource_graph` and `example_stacks`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

STACKS = Path(__file__).parents[2] / "stacks"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the repository's stack files, to change."""
    copy = tmp_path / "stacks"
    shutil.copytree(STACKS, copy)
    return copy
