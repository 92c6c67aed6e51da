"""The path of resource types that no cloud here models: what the program said is kept, and given an id.

It is checked against the SDK's types before it gets here, and no rule of a cloud is applied; the provider says so for
every such resource.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from simcloud.provider.model import ResourceType
from simcloud.wire import Moment, Request, Response

Control = Callable[[str, Mapping[str, Any]], Any]


class GenericWorld:
    """A table of resources that nobody understands. It has no API but `control`."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}

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

    def tick(self, moment: Moment) -> None:
        """Nothing goes on by itself."""

    def pending(self) -> bool:
        """Never."""
        return False

    def control(self, action: str, args: Mapping[str, Any], moment: Moment) -> Any:
        """`put` {token, id?, inputs} gives the id; `get` {id}; `delete` {id}."""
        if action == "put":
            id = args.get("id") or str(uuid.UUID(int=moment.chance.getrandbits(128), version=4))
            self._rows[id] = {"token": args["token"], "inputs": args["inputs"]}
            return id
        if action == "get":
            return self._rows.get(args["id"])
        if action == "delete":
            self._rows.pop(args["id"], None)
            return None
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
                "type": row["token"],
                "id": id,
                "region": "",
                "tags": dict(row["inputs"].get("tags") or {}),
            }
            for id, row in sorted(self._rows.items())
        ]

    def kept(self) -> list[dict[str, Any]]:
        """Nothing."""
        return []


class GenericType(ResourceType[Any]):
    """One unmodelled type. Every output that is no input stays unset."""

    def __init__(self, token: str, control: Control) -> None:
        self._token = token
        self._control = control

    def create(self, cloud: Any, inputs: Mapping[str, Any]) -> str:
        """Keep the inputs; the id is a random UUID."""
        return str(self._control("put", {"token": self._token, "inputs": dict(inputs)}))

    def read(self, cloud: Any, id: str, known: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was kept."""
        row = self._control("get", {"id": id})
        return None if row is None else dict(row["inputs"])

    def update(self, cloud: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Keep the new inputs."""
        self._control("put", {"token": self._token, "id": id, "inputs": dict(new)})

    def delete(self, cloud: Any, id: str, state: Mapping[str, Any]) -> None:
        """Forget it."""
        self._control("delete", {"id": id})
