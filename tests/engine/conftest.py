from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engine_bench import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A started world and an empty project folder; the world is stopped whatever happens."""
    (tmp_path / "project").mkdir()
    one = Engine(tmp_path / "home", tmp_path / "project")
    one.start()
    try:
        yield one
    finally:
        one.stop()
