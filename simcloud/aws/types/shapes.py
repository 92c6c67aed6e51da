"""Pulumi values and API values into each other, led by botocore's shapes on one side and the SDK's types on the other.

Names are matched without regard to case (`kmsKeyId` is `KMSKeyId`), then with a plural more or less; a table of
`renames` goes before both. What one side has no member for is left out.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from simcloud.aws.types.base import index

Renames = Mapping[str, str]
"""The API's member for a property's name, or several with `|` between; an empty one says that the API has none."""


def member_of(members: Mapping[str, Any], name: str, renames: Renames) -> str | None:
    """The member that a property is called by the API; None when it has none."""
    if name in renames:
        return next((theirs for theirs in renames[name].split("|") if theirs in members), None)
    low = name.lower()
    by_low = {m.lower(): m for m in members}
    for candidate in (low, low + "s", low.removesuffix("s"), low.removesuffix("ies") + "y", low[:-1] + "ies"):
        if candidate in by_low:
            return by_low[candidate]
    return None


def to_api(shape: Any, value: Any, renames: Renames) -> Any:
    """A Pulumi value as the API takes it. A block stands for a list of one where the API wants a list."""
    if value is None:
        return None
    kind = shape.type_name
    if kind == "structure":
        if isinstance(value, list):
            value = value[0] if value else None
        if not isinstance(value, Mapping):
            return value
        out = {}
        for name, member in value.items():
            theirs = member_of(shape.members, name, renames)
            if theirs is not None and member is not None:
                out[theirs] = to_api(shape.members[theirs], member, renames)
        return {k: v for k, v in out.items() if v is not None}
    if kind == "list":
        return _to_list(shape, value, renames)
    if kind == "map" and isinstance(value, Mapping):
        return {k: to_api(shape.value, v, renames) for k, v in value.items() if v is not None}
    return _to_scalar(kind, value)


def _to_list(shape: Any, value: Any, renames: Renames) -> Any:
    if isinstance(value, Mapping) and shape.member.type_name == "structure":
        key, held = _pair_members(shape.member)
        if key and not any(member_of(shape.member.members, n, renames) for n in value):
            return [{key: k, held: v} for k, v in value.items()]
    rows = value if isinstance(value, list) else [value]
    return [to_api(shape.member, row, renames) for row in rows if row is not None]


def _pair_members(shape: Any) -> tuple[str, str]:
    """The names of the members of a list of pairs; empty when the structure is no pair."""
    for key, held in (
        ("Key", "Value"),
        ("key", "value"),
        ("TagKey", "TagValue"),
        ("name", "value"),
        ("ParameterName", "ParameterValue"),
    ):
        if key in shape.members and held in shape.members:
            return key, held
    return "", ""


def _to_scalar(kind: str, value: Any) -> Any:
    if kind == "boolean" and isinstance(value, str):
        return value == "true"
    if kind in ("integer", "long") and isinstance(value, str):
        return int(value)
    if kind in ("float", "double") and isinstance(value, str | int):
        return float(value)
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    if kind == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "string" and isinstance(value, int | float):
        return str(value)
    return value


_PAIRS = {"Key": "Value", "key": "value", "TagKey": "TagValue", "name": "value", "Name": "Value"}


def from_api(kind: str, value: Any, renames: Renames, known: Any = None) -> Any:
    """An API value as Pulumi shows it, led by the SDK's type `kind`. What the answer has not is taken from `known`."""
    if value is None:
        return known
    if kind.startswith("["):
        rows = value if isinstance(value, list) else [value]
        said = known if isinstance(known, list) and len(known) == len(rows) else [None] * len(rows)
        return [from_api(kind[1:-1], row, renames, one) for row, one in zip(rows, said, strict=True)]
    if kind.startswith("{"):
        if isinstance(value, list):
            key = next((k for k in _PAIRS if value and k in value[0]), "Key")
            held = _PAIRS[key]
            return {row[key]: row.get(held, "") for row in value}
        return {k: from_api(kind[1:-1], v, renames) for k, v in value.items()} if isinstance(value, Mapping) else value
    if kind.startswith("@"):
        return _from_structure(kind[1:], value, renames, known)
    if kind == "any" and isinstance(value, Mapping):  # an output whose type nobody gives as an input
        return {k[:1].lower() + k[1:]: from_api("any", v, renames) for k, v in value.items()}
    if kind == "any" and isinstance(value, list):
        return [from_api("any", row, renames) for row in value]
    if isinstance(value, list):  # the SDK has one where the API has a list of one
        return from_api(kind, value[0], renames, known) if value else known
    return _from_scalar(kind, value)


def _from_structure(name: str, value: Any, renames: Renames, known: Any) -> Any:
    nested = index().nested(name)
    if isinstance(value, list):
        value = value[0] if value else None
    if nested is None or not isinstance(value, Mapping):
        return value if value is not None else known
    said = known if isinstance(known, Mapping) else {}
    out = {}
    for ours, kind in nested.properties.items():
        theirs = member_of(value, ours, renames)
        shown = from_api(kind, value.get(theirs) if theirs else None, renames, said.get(ours))
        if shown is not None:
            out[ours] = shown
    return out


def _from_scalar(kind: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if kind == "str" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "str" and isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else str(value)
    if kind == "int" and isinstance(value, str | float) and not isinstance(value, bool):
        try:
            return int(value)
        except ValueError:
            return value
    if kind == "bool" and isinstance(value, str):
        return value.lower() == "true"
    return value
