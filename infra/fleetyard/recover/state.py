"""The recorded deployment of a stack: what is recorded, what was being done, and the same with finds put in."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CREATING = "creating"
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the key that marks an encrypted value; it hides nothing itself
"""Source: `sdk/go/common/resource/sig` of Pulumi's SDK."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A resource in the state. `taken`: its place in the state is its own, not that of one waiting for deletion."""

    urn: str
    type: str
    id: str
    taken: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """An operation that was begun and whose end is not recorded. `id`: known when the cloud had already answered."""

    urn: str
    type: str
    operation: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]


def recorded(deployment: Mapping[str, Any]) -> list[Recorded]:
    """Every resource with an id."""
    return [
        Recorded(str(row["urn"]), str(row["type"]), str(row["id"]), not row.get("delete", False))
        for row in deployment.get("resources") or ()
        if row.get("id")
    ]


def pending(deployment: Mapping[str, Any]) -> list[Pending]:
    """Every pending operation."""
    return [
        Pending(
            str(row["resource"]["urn"]),
            str(row["resource"]["type"]),
            str(row["type"]),
            row["resource"].get("inputs") or {},
            str(row["resource"].get("id") or ""),
        )
        for row in deployment.get("pending_operations") or ()
    ]


def with_imported(deployment: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """The deployment with the pending creates in `ids` (by URN) recorded under these ids, and nothing pending.

    They come last: all that they depend on was recorded before their creation began. Their inputs stand for outputs
    until a refresh reads these.
    """
    made = copy.deepcopy(dict(deployment))
    for row in made.pop("pending_operations", None) or ():
        resource = row["resource"]
        if row["type"] == CREATING and resource["urn"] in ids:
            id = ids[resource["urn"]]
            outputs = {**(resource.get("inputs") or {}), **(resource.get("outputs") or {}), "id": id}
            made.setdefault("resources", []).append({**resource, "id": id, "outputs": outputs})
    return made


def plain(inputs: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Inputs as flat text, `tags.Name` for nested ones. Secrets and lists are left out."""
    flat: dict[str, str] = {}
    for name, value in inputs.items():
        if isinstance(value, Mapping):
            if SECRET not in value:
                flat |= plain(value, f"{prefix}{name}.")
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            flat[prefix + name] = str(value)
    return flat


def ids_by_type(rows: Iterable[Recorded]) -> set[tuple[str, str]]:
    """What is recorded, by type and id."""
    return {(row.type, row.id) for row in rows}
