"""A world under test, a client on it, and its journal."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simcloud.gcp.client import GcpClient
from simcloud.gcp.world import GcpWorld
from simcloud.provider.model import CloudError
from simcloud.wire import Moment, Request, Response

PROJECT = "demo-project"


@dataclass
class Bench:
    """A world, a client on it, and the journal of what changed it."""

    world: GcpWorld = field(default_factory=GcpWorld)
    now: datetime = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    calls: int = 0
    by_itself: bool = True
    """Whether the cloud's own work goes on between calls, as a reconciler makes it."""
    strict: bool = False
    """Whether every refused or reading call is checked to change nothing."""
    journal: list[tuple[str, Any, datetime, int]] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        self.calls += 1
        if self.by_itself and self.world.restless():
            self.tick()
        if not self.world.reads(request):
            self.journal.append(("call", request, self.now, self.calls))
        before = self.world.snapshot() if self.strict else None
        answer = self.world.handle(request, self.moment())
        if before is not None and (answer.status >= 400 or self.world.reads(request)):
            assert self.world.snapshot() == before, f"{request.method} {request.path} was refused and changed the world"
        return answer

    def moment(self) -> Moment:
        return Moment(self.now, random.Random(self.calls))

    def pass_time(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def tick(self) -> bool:
        self.calls += 1
        self.journal.append(("tick", None, self.now, self.calls))
        return self.world.tick(self.moment())

    def control(self, action: str, **args: Any) -> None:
        self.calls += 1
        self.journal.append(("control", (action, args), self.now, self.calls))
        self.world.control(action, args, self.moment())

    def client(self, **more: Any) -> GcpClient:
        return GcpClient(self.send, PROJECT, zone=more.pop("zone", "us-west4-a"), **more)

    def replay(self) -> GcpWorld:
        world = GcpWorld()
        for kind, what, now, seed in self.journal:
            moment = Moment(now, random.Random(seed))
            if kind == "call":
                world.handle(what, moment)
            elif kind == "tick":
                world.tick(moment)
            else:
                world.control(*what, moment)
        return world


@dataclass
class Made:
    token: str
    id: str
    inputs: dict[str, Any]
    state: dict[str, Any]


def refusal(call: Callable[[], object]) -> CloudError:
    with pytest.raises(CloudError) as caught:
        call()
    return caught.value
