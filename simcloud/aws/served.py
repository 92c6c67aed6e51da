"""Operations that moto lacks and that need little more than a place to keep rows.

A module registers functions under `service:Operation`; the world calls them instead of moto. Rows stand in
`AwsWorld.shelves`, by kind, region and key, so that they live and die with the world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simcloud.aws.calls import Call
from simcloud.provider.model import CloudError
from simcloud.wire import Moment

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld

Serve = Callable[["AwsWorld", Call, Moment], Mapping[str, Any]]
Row = dict[str, Any]

SERVED: dict[str, Serve] = {}
"""What this simulation carries out itself, by `service:Operation`."""


def served(*operations: str) -> Callable[[Serve], Serve]:
    """Register a function for one or more operations."""

    def register(serve: Serve) -> Serve:
        for one in operations:
            SERVED[one] = serve
        return serve

    return register


class Shelves:
    """Rows by kind and region. A key is whatever tells two rows of a kind apart."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[Any, Row]] = {}

    def of(self, kind: str, region: str) -> dict[Any, Row]:
        """The rows of one kind in one region; the caller may change them."""
        return self._rows.setdefault((kind, region), {})

    def find(self, kind: str, call: Call, key: Any, code: str, message: str, status: int = 400) -> Row:
        """One row. Raises the service's own absence."""
        row = self.of(kind, call.region).get(key)
        if row is None:
            raise CloudError(code, call.operation, message, status)
        return row

    def tags(self, arn: str) -> Row | None:
        """The tags of the row with this ARN, to be changed by the caller; None when no row has it."""
        for rows in self._rows.values():
            for row in rows.values():
                if arn in row.values():
                    found: Row = row.setdefault("tags", {})
                    return found
        return None
