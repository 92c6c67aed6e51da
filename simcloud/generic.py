"""The part of the world that keeps what no cloud here models: what the program said, under an id."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simcloud.fleet import Part
from simcloud.wire import Moment, Request, Response


class GenericWorld:
    """A table of resources that nobody understands. It has no API but `control`."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}

    def handle(self, request: Request, moment: Moment) -> Response:
        """There is no such API."""
        return Response(404)

    def reads(self, request: Request) -> bool:
        """Nothing changes."""
        return True

    def named(self, request: Request) -> str:
        """Never called for a real request."""
        return "generic"

    def refusal(self, kind: str, request: Request) -> Response:
        """Refused."""
        return Response(503)

    def fleet(self) -> Part:
        """Nothing runs."""
        return Part()

    def moves(self, name: str) -> bool:
        """Nothing runs."""
        return False

    def known(self, request: Request, now: datetime) -> str | Response | None:
        """Nobody calls."""
        return None

    def anonymous(self, request: Request) -> Response | None:
        """Nobody calls."""
        return None

    def rights(self) -> Mapping[str, Any]:
        """Nothing is judged."""
        return {}

    def trust(self, key: bytes) -> None:
        """Nothing is signed."""

    def metadata(self, machine: str, request: Request, now: datetime) -> Response:
        """There is no machine."""
        raise ValueError(f"there is no machine {machine}")

    def tick(self, moment: Moment) -> None:
        """Nothing goes on by itself."""

    def pending(self) -> bool:
        """Never."""
        return False

    def control(self, action: str, args: Mapping[str, Any], moment: Moment) -> Any:
        """`chance` gives 40 hex digits; `put` {token, id, state, new?}; `get` and `delete` {token, id}.

        Raises ValueError for a new id that is taken.
        """
        if action == "chance":
            return f"{moment.chance.getrandbits(160):040x}"
        key = (args["token"], args["id"])
        if action == "put":
            if args.get("new") and key in self._rows:
                raise ValueError(f"{args['token']} {args['id']} already exists")
            self._rows[key] = args["state"]
            return None
        if action == "get":
            return self._rows.get(key)
        if action == "delete":
            return self._rows.pop(key, None)
        raise ValueError(f"no such action: {action}")

    def saved(self) -> Any:
        """The table."""
        return self._rows

    def restore(self, state: Any) -> None:
        """The table of a snapshot."""
        self._rows = state

    def inventory(self) -> list[dict[str, Any]]:
        """Every generic resource."""
        return [
            {
                "cloud": "generic",
                "type": token,
                "id": id,
                "region": "",
                "tags": dict(row.get("tags") or {}),
            }
            for (token, id), row in sorted(self._rows.items())
        ]

    def kept(self) -> list[dict[str, Any]]:
        """Nothing."""
        return []
