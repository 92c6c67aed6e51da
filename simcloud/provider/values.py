"""Values on the provider protocol: JSON-like structs with unknowns, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The wire's string for a value that is known only after the update."""
UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
    }
)
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the wire's mark of a secret, not one
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


def is_unknown(value: Any) -> bool:
    """Whether this very value is unknown (not whether it holds something unknown)."""
    return isinstance(value, str) and value in UNKNOWNS


def holds_unknown(value: Any) -> bool:
    """Whether anything in the value is unknown."""
    if isinstance(value, Mapping):
        return any(holds_unknown(v) for v in value.values())
    if isinstance(value, list):
        return any(holds_unknown(v) for v in value)
    return is_unknown(value)


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A wire struct as plain values: whole numbers become ints, secrets are unwrapped."""
    return {name: _from_value(value) for name, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_from_value(v) for v in value.list_value.values]
    if kind == "struct_value":
        plain = from_struct(value.struct_value)
        return plain.get("value") if plain.get(SIGNATURE) == SECRET else plain
    return None


def secret_names(struct: struct_pb2.Struct) -> frozenset[str]:
    """The members that are secret or hold a secret."""
    return frozenset(name for name, value in struct.fields.items() if _holds_secret(value))


def _holds_secret(value: struct_pb2.Value) -> bool:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
            return True
        return any(_holds_secret(v) for v in fields.values())
    return kind == "list_value" and any(_holds_secret(v) for v in value.list_value.values)


SHOWN_AGAIN = {"tags": ("tagsAll",), "labels": ("effectiveLabels", "pulumiLabels")}
"""Outputs that repeat an input: what was secret there is secret here."""


def with_secrets(plain: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The members named, and the outputs that repeat them, marked as secret for the wire."""
    marked = {again for name in names for again in (name, *SHOWN_AGAIN.get(name, ()))}
    return {
        name: {SIGNATURE: SECRET, "value": value} if name in marked and value is not None else value
        for name, value in plain.items()
    }


def to_struct(plain: Mapping[str, Any]) -> struct_pb2.Struct:
    """Plain values as a wire struct; members that are None are left out, as providers do."""
    struct = struct_pb2.Struct()
    for name, value in plain.items():
        if value is not None:
            _to_value(value, struct.fields[name])
    return struct


def _to_value(value: Any, into: struct_pb2.Value) -> None:
    if value is None:
        into.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        into.number_value = value
    elif isinstance(value, str):
        into.string_value = value
    elif isinstance(value, Mapping):
        into.struct_value.CopyFrom(to_struct(value))
    elif isinstance(value, list | tuple):
        into.list_value.SetInParent()
        for member in value:
            _to_value(member, into.list_value.values.add())
    else:
        raise TypeError(f"{type(value).__name__} has no form on the wire")


def without_unknowns(value: Any) -> Any:
    """The known part of a value: unknown members of objects are left out, unknown list elements become None."""
    if isinstance(value, Mapping):
        return {k: without_unknowns(v) for k, v in value.items() if not is_unknown(v)}
    if isinstance(value, list):
        return [None if is_unknown(v) else without_unknowns(v) for v in value]
    return value


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `path` is the engine's (`a.b[0].c`); `key` is without indices (`a.b.c`); kind
    add|delete|update."""

    path: str
    key: str
    kind: str


@dataclass(frozen=True, slots=True)
class Sameness:
    """What counts as equal: lists that are sets, and strings that are two spellings of one thing."""

    unordered: frozenset[str] = frozenset()
    canonical: Callable[[str], str] = str


def changes(old: Mapping[str, Any], new: Mapping[str, Any], sameness: Sameness) -> Iterator[Change]:
    """What differs between old and new inputs, as deep as both are objects or lists of one length."""
    yield from _object_changes(old, new, "", "", sameness)


def _object_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], path: str, key: str, sameness: Sameness
) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        here = f"{path}.{name}" if path else name
        if not name.replace("_", "").isalnum():
            here = f'{path}["{name}"]'
        here_key = f"{key}.{name}" if key else name
        was, now = old.get(name), new.get(name)
        if was is None and now is None:
            continue
        if was is None:
            yield Change(here, here_key, "add")
        elif now is None:
            yield Change(here, here_key, "delete")
        else:
            yield from _value_changes(was, now, here, here_key, sameness)


def _value_changes(old: Any, new: Any, path: str, key: str, sameness: Sameness) -> Iterator[Change]:
    as_set = key in sameness.unordered
    if same(old, new, as_set, sameness.canonical):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _object_changes(old, new, path, key, sameness)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and not as_set:
        for index, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from _value_changes(was, now, f"{path}[{index}]", key, sameness)
    else:
        yield Change(path, key, "update")


def same(a: Any, b: Any, as_set: bool = False, canonical: Callable[[str], str] = str) -> bool:
    """Whether two values mean the same; `as_set` ignores the order of a list, `canonical` spells strings one way."""
    if as_set and isinstance(a, list) and isinstance(b, list):
        rest = list(b)
        for member in a:
            for index, other in enumerate(rest):
                if same(member, other, canonical=canonical):
                    del rest[index]
                    break
            else:
                return False
        return not rest
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return all(same(a.get(k), b.get(k), canonical=canonical) for k in a.keys() | b.keys())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y, canonical=canonical) for x, y in zip(a, b, strict=True))
    if isinstance(a, str) and isinstance(b, str):
        return a == b or canonical(a) == canonical(b)
    return bool(_text(a) == _text(b))


def _text(value: Any) -> Any:
    """Scalars as the provider bridge compares them: `true` and True, `80` and 80 are the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value
