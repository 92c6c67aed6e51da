"""Inputs against the SDK's own types: what is missing, what is misspelt, what has the wrong type.

The real providers check this from their schemas; the Python SDK sends anything. Scalars are converted where the
provider bridge converts them ("80" for a number, True for a string), and refused where it cannot.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from simcloud.provider.model import Failure
from simcloud.provider.values import ARCHIVE, ASSET, SIGNATURE, is_unknown
from simcloud.schema import ResourceSchema, TypeIndex


def conform(
    index: TypeIndex, schema: ResourceSchema, inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Failure]]:
    """The inputs with scalars converted to their types, and what cannot be accepted."""
    failures: list[Failure] = []
    conformed = _members(index, schema.inputs, schema.required, inputs, "", failures)
    return conformed, failures


def choose(schema: ResourceSchema, inputs: Mapping[str, Any]) -> list[Failure]:
    """Values outside the list that the SDK's documentation gives for a property.

    For the Google provider, whose documentation is generated from the same lists as its own check.
    """
    return [
        Failure(place, f"expected {place.rpartition('.')[2]} to be one of [{' '.join(values)}], got {value}")
        for path, values in schema.choices.items()
        for place, value in _at(inputs, path.split("."), "")
        if isinstance(value, str) and not is_unknown(value) and value and value not in values
    ]


def _at(value: Any, parts: list[str], place: str) -> Iterator[tuple[str, Any]]:
    """What stands at a dotted path, in every element of the lists on the way."""
    if isinstance(value, list):
        for number, member in enumerate(value):
            yield from _at(member, parts, f"{place}[{number}]")
    elif not parts:
        yield place, value
    elif isinstance(value, Mapping) and parts[0] in value:
        yield from _at(value[parts[0]], parts[1:], f"{place}.{parts[0]}" if place else parts[0])


def _members(
    index: TypeIndex,
    types: Mapping[str, str],
    required: frozenset[str],
    values: Mapping[str, Any],
    path: str,
    failures: list[Failure],
) -> dict[str, Any]:
    prefix = f"{path}." if path else ""
    for name in sorted(required):
        if values.get(name) is None:
            failures.append(Failure(prefix + name, "missing required property"))
    conformed: dict[str, Any] = {}
    for name, value in values.items():
        if name.startswith("__") or value is None:
            continue
        if name not in types:
            near = difflib.get_close_matches(name, types, 1, 0.6)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            failures.append(Failure(prefix + name, f"no such property{hint}"))
            continue
        conformed[name] = _value(index, types[name], value, prefix + name, failures)
    return conformed


def _value(index: TypeIndex, kind: str, value: Any, path: str, failures: list[Failure]) -> Any:
    if is_unknown(value) or value is None or kind == "any":
        return value
    if isinstance(value, Mapping) and value.get(SIGNATURE) in (ASSET, ARCHIVE):
        return value
    if kind.startswith("["):
        if not isinstance(value, list):
            failures.append(Failure(path, f"expected a list, got {_shown(value)}"))
            return value
        return [_value(index, kind[1:-1], member, f"{path}[{i}]", failures) for i, member in enumerate(value)]
    if kind.startswith(("{", "@")):
        if not isinstance(value, Mapping):
            failures.append(Failure(path, f"expected an object, got {_shown(value)}"))
            return value
        if kind.startswith("{"):
            return {k: _value(index, kind[1:-1], v, f"{path}.{k}", failures) for k, v in value.items()}
        nested = index.nested(kind[1:])
        if nested is None:
            return value
        return _members(index, nested.properties, nested.required, value, path, failures)
    return _scalar(kind, value, path, failures)


def _scalar(kind: str, value: Any, path: str, failures: list[Failure]) -> Any:
    converted = next(_converted(kind, value), None)
    if converted is None:
        failures.append(Failure(path, f"expected {_WORDS[kind]}, got {_shown(value)}"))
        return value
    return converted


def _converted(kind: str, value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        return
    if kind == "str":
        yield ("true" if value else "false") if isinstance(value, bool) else str(value)
    elif kind == "bool":
        if isinstance(value, bool):
            yield value
        elif value in ("true", "false"):
            yield value == "true"
    elif isinstance(value, bool):
        return
    elif kind in ("int", "float"):
        try:
            number = float(value)
        except ValueError:
            return
        if kind == "float":
            yield number
        elif number.is_integer():
            yield int(number)


_WORDS = {"str": "a string", "int": "a whole number", "float": "a number", "bool": "true or false"}


def _shown(value: Any) -> str:
    # Never the value itself: it may be a secret.
    return {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list"}.get(
        type(value), "an object"
    )
