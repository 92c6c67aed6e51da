from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from aws_bench import Bench


@pytest.fixture
def aws(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
