"""How tool output is read: tolerant in form, strict in meaning.

A value of which the tool itself says that there is none (`N/A`, `[Not Supported]`, `GPU is lost`) is an `Unknown` with
the tool's words as reason. One that is neither that nor what was expected is a `ParseError`: an output that was cut,
translated or mixed with an error message never becomes a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleetyard.catalog import Unknown

LOST = ("gpu is lost", "gpu requires reset", "unknown error")
"""What NVML says for a device that no longer answers."""

_SHOWN = 60
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_NOTHING = frozenset(
    {
        "n/a",
        "not supported",
        "not available",
        "not found",
        "not active or not supported",
        "insufficient permissions",
        "insufficient resources",
        "function not found",
        "requested functionality has been deprecated",
        "err!",
        "none",
        "-",
        *LOST,
    }
)


class ParseError(ValueError):
    """An output that is not what the tool writes: which tool, what was expected, and what was there instead."""

    def __init__(self, tool: str, expected: str, seen: str = "") -> None:
        self.tool = tool
        self.expected = expected
        self.seen = seen if len(seen) <= _SHOWN else f"{seen[:_SHOWN]}..."
        super().__init__(f"{tool}: expected {expected}" + (f", found {self.seen!r}" if seen else ""))


def absent(text: str) -> Unknown | None:
    """The tool's own way to say that there is no value, as a typed unknown; None for anything else."""
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]") and len(bare) > 2:
        return Unknown(bare[1:-1])
    return Unknown(bare or "empty") if bare.lower() in _NOTHING or not bare else None


def number(tool: str, what: str, text: str, unit: str = "") -> float | Unknown:
    """A number followed by exactly this unit. Raises ParseError for another unit, a cut one, or no number."""
    missing = absent(text)
    if missing is not None:
        return missing
    value, _, given = text.strip().partition(" ")
    if not _NUMBER.fullmatch(value) or given.strip() != unit:
        raise ParseError(tool, f"{what} as a number{f' in {unit}' if unit else ''}", text.strip())
    return float(value)


def whole(tool: str, what: str, text: str, unit: str = "") -> int | Unknown:
    """As `number`, for counts: not negative and without a fraction."""
    found = number(tool, what, text, unit)
    if isinstance(found, Unknown):
        return found
    if found < 0 or not found.is_integer():
        raise ParseError(tool, f"{what} as a count", text.strip())
    return int(found)


def flag(tool: str, what: str, text: str, yes: str, no: str) -> bool | Unknown:
    """One of two words. Raises ParseError for a third."""
    bare = text.strip()
    if bare in (yes, no):
        return bare == yes
    missing = absent(bare)
    if missing is not None:
        return missing
    raise ParseError(tool, f"{what} as {yes!r} or {no!r}", bare)


def whole_lines(tool: str, text: str, expected: str) -> list[str]:
    """The lines of a text that ends with a newline. Raises ParseError for an empty text and for a cut last line."""
    if not text.strip():
        raise ParseError(tool, expected, text.strip() or "nothing")
    if not text.endswith("\n"):
        raise ParseError(tool, "a newline at the end", text.rsplit("\n", 1)[-1])
    return text.splitlines()


def json_in(tool: str, text: str, expected: str) -> Any:
    """The one JSON document of an output, with whatever lines the tool printed before it.

    Raises ParseError when there is none, when it is cut, or when anything but white space follows it.
    """
    begins = [spot for spot in (text.find("{"), text.find("[")) if spot >= 0]
    for start in sorted(begins):
        try:
            document, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if text[end:].strip():
            raise ParseError(tool, "nothing after the JSON document", text[end:].strip())
        return document
    raise ParseError(tool, expected, text.strip() or "nothing")


def mapping(tool: str, value: Any, what: str) -> Mapping[str, Any]:
    """A JSON object. Raises ParseError for anything else."""
    if not isinstance(value, dict):
        raise ParseError(tool, f"{what} as an object", repr(value))
    return value


def objects(tool: str, value: Any, what: str) -> Iterator[Mapping[str, Any]]:
    """The objects of a JSON array. Raises ParseError for anything else."""
    if not isinstance(value, list):
        raise ParseError(tool, f"{what} as an array", repr(value))
    for each in value:
        yield mapping(tool, each, what)


def field_number(tool: str, row: Mapping[str, Any], key: str) -> float | Unknown:
    """A number of a JSON object, also where the tool writes it as text. Missing and null are unknown."""
    value = row.get(key)
    if value is None:
        return Unknown(f"{key} is not in the output")
    if isinstance(value, bool):
        raise ParseError(tool, f"{key} as a number", repr(value))
    if isinstance(value, int | float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ParseError(tool, f"{key} as a finite number", repr(value))
        return float(value)
    if isinstance(value, str):
        return number(tool, key, value)
    raise ParseError(tool, f"{key} as a number", repr(value))


def field_text(tool: str, row: Mapping[str, Any], key: str) -> str:
    """A text of a JSON object. Raises ParseError when it is missing or something else."""
    value = row.get(key)
    if not isinstance(value, str):
        raise ParseError(tool, f"{key} as text", repr(value))
    return value
