"""What goes into the simulated cloud and what comes out: one HTTP call, and the world's time and chance.

Both clouds are deterministic functions of their state, a `Request` and a `Moment`. That is what lets the world be
rebuilt, byte for byte, from its journal.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

CALLER_HEADER = "x-simcloud-caller"
"""Of our own making: whom the world knows a call to be from. It stands where the journal keeps no token, and is taken
off whatever comes from outside."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `headers` has lower-case names; `query` is the raw query string, without `?`."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def params(self) -> dict[str, list[str]]:
        """Query parameters, each with all its values in order."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found

    def of(self, caller: str | None) -> Request:
        """The same request with this caller and no other; None for one who may do everything."""
        others = {k: v for k, v in self.headers.items() if k != CALLER_HEADER}
        return replace(self, headers=others if caller is None else others | {CALLER_HEADER: caller})

    def json(self) -> Any:
        """The body as JSON; an empty body is an empty object. Raises ValueError when it is not JSON."""
        return json.loads(self.body) if self.body else {}


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Response:
        """A JSON response in the form that Google's APIs give it."""
        body = json.dumps(value, indent=1).encode()
        return cls(status, {"content-type": "application/json; charset=UTF-8"}, body)


@dataclass(frozen=True, slots=True)
class Moment:
    """The world's time (UTC) and its source of chance for one call; both are recorded, so a replay sees the same."""

    now: datetime
    chance: random.Random
