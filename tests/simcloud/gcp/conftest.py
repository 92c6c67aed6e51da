from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gcp_bench import Bench, Made

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types import REGISTRY


@pytest.fixture
def bench() -> Bench:
    return Bench(strict=True)


@pytest.fixture
def cloud(bench: Bench) -> GcpClient:
    return bench.client()


@pytest.fixture
def make(cloud: GcpClient) -> Callable[..., Made]:
    """Create a resource the way the provider does: defaults, create, read."""

    def create(token: str, **inputs: Any) -> Made:
        kind = REGISTRY[token]
        inputs = {**kind.defaults, **inputs}
        assert list(kind.check(inputs)) == []
        id = kind.create(cloud, inputs)
        state = kind.read(cloud, id, inputs)
        assert state is not None
        return Made(token, id, inputs, state)

    return create
