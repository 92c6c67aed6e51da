"""One call as a handler sees it, and the table of handlers."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from simcloud.gcp.documents import Match
from simcloud.wire import Moment, Request, Response

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld


@dataclass(slots=False)
class Call:
    """A matched request. `body` is the checked body, `query` the first value of each query parameter."""

    world: GcpWorld
    request: Request
    match: Match
    query: dict[str, str]
    body: dict[str, Any]
    moment: Moment

    @property
    def args(self) -> dict[str, str]:
        """The path's parameters."""
        return self.match.args

    @property
    def project(self) -> str:
        """The project's id that the path names."""
        return self.match.args.get("project") or self.match.args.get("projectsId", "")

    @cached_property
    def now(self) -> str:
        """The moment as RFC 3339 in UTC with milliseconds."""
        return self.moment.now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.moment.now.microsecond // 1000:03d}Z"

    @cached_property
    def compute_now(self) -> str:
        """The moment as Compute Engine writes it: milliseconds and the zone of its home, here always UTC."""
        return self.now.removesuffix("Z") + "+00:00"

    def number(self, bits: int = 62) -> str:
        """A new identifier: a decimal number. Its last bits are zero, so that a float, which is what every number is
        on Pulumi's wire, holds it exactly."""
        return str((self.moment.chance.getrandbits(bits) | (1 << (bits - 1))) & ~0xFFFF)

    def hexadecimal(self, digits: int) -> str:
        """A new identifier: lower-case hexadecimal digits."""
        return f"{self.moment.chance.getrandbits(4 * digits):0{digits}x}"


Handler = Callable[[Call], Response | dict[str, Any]]
HANDLERS: dict[str, Handler] = {}
"""By the method's id in the discovery document (`v3.` in front for Resource Manager's version 3)."""


def handles(*ids: str) -> Callable[[Handler], Handler]:
    """Register a function for methods. Raises ValueError when a method has one already."""

    def register(function: Handler) -> Handler:
        for id in ids:
            if id in HANDLERS:
                raise ValueError(f"{id} has two handlers")
            HANDLERS[id] = function
        return function

    return register


def fingerprint(value: Any) -> str:
    """A short base64 digest of a value, as labels, metadata and tags carry it. Empty values give Google's constant."""
    if not value:
        return "42WmSpB8rSM="
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def project_number(project: str) -> str:
    """The number of a project: the same for the same id, always."""
    digest = hashlib.sha256(f"project:{project}".encode()).digest()
    return str(100_000_000_000 + int.from_bytes(digest[:6], "big") % 900_000_000_000)


def inner(world: GcpWorld, moment: Moment, **args: str) -> Call:
    """A call that the world makes to itself: `args` are the path's parameters."""
    from simcloud.gcp.documents import Method

    return Call(world, Request("POST", ""), Match(Method("", "", "POST", None, {}), args, ""), {}, {}, moment)
