"""Conditions of IAM bindings: as much of the Common Expression Language as bindings on buckets use.

`||`, `&&`, `!`, brackets, comparisons, texts with `startsWith`, `endsWith` and `contains`, attributes of the resource
and of the API, `request.time` and `timestamp(...)`. An expression that says anything else cannot be told. Source: IAM
documentation, "Attribute reference for IAM Conditions".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any


class UnclearError(Exception):
    """An expression, or a part of it, that cannot be told here."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition may ask about a request. attributes: the API's (`storage.googleapis.com/objectListPrefix`)."""

    resource_name: str
    resource_type: str
    now: datetime
    attributes: Mapping[str, str]
    service: str = "storage.googleapis.com"


def holds(expression: str, facts: Facts) -> bool | None:
    """Whether a condition holds; None when it cannot be told."""
    try:
        found = _Reader(_words(expression), facts).whole()
    except UnclearError:
        return None
    return found if isinstance(found, bool) else None


_WORD = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<sign>\|\||&&|==|!=|<=|>=|[<>!().,])"""
    r"""|(?P<name>[A-Za-z_]\w*))"""
)


@lru_cache(maxsize=1024)
def _words(expression: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    at, text = 0, expression.rstrip()
    while at < len(text):
        one = _WORD.match(text, at)
        if one is None or one.lastgroup is None:
            raise UnclearError(text[at:])
        found.append((one.lastgroup, one.group(one.lastgroup)))
        at = one.end()
    return tuple(found)


_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class _Reader:
    """A reader by descent. A part that cannot be told makes the whole unclear."""

    def __init__(self, words: tuple[tuple[str, str], ...], facts: Facts) -> None:
        self._words, self._at, self._facts = words, 0, facts

    def whole(self) -> Any:
        found = self._any()
        if self._at != len(self._words):
            raise UnclearError
        return found

    def _next(self) -> str:
        return self._words[self._at][1] if self._at < len(self._words) else ""

    def _take(self, sign: str = "") -> tuple[str, str]:
        if self._at >= len(self._words) or (sign and self._next() != sign):
            raise UnclearError
        self._at += 1
        return self._words[self._at - 1]

    def _any(self) -> Any:
        parts = [self._all()]
        while self._next() == "||":
            self._take()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else any(_truth(p) for p in parts)

    def _all(self) -> Any:
        parts = [self._compared()]
        while self._next() == "&&":
            self._take()
            parts.append(self._compared())
        return parts[0] if len(parts) == 1 else all(_truth(p) for p in parts)

    def _compared(self) -> Any:
        left = self._single()
        if self._next() in _COMPARED:
            _, sign = self._take()
            right = self._single()
            if type(left) is not type(right):
                raise UnclearError
            return _COMPARED[sign](left, right)
        return left

    def _single(self) -> Any:
        if self._next() == "!":
            self._take()
            return not _truth(self._single())
        if self._next() == "(":
            self._take()
            found = self._any()
            self._take(")")
            return self._called(found)
        kind, word = self._take()
        if kind == "text":
            return self._called(_plain(word))
        if kind != "name":
            raise UnclearError
        if word in ("true", "false"):
            return word == "true"
        if word == "timestamp":
            return self._called(_instant(self._arguments(1)[0]))
        return self._called(self._attribute(word))

    def _attribute(self, word: str) -> Any:
        self._take(".")
        _, member = self._take()
        facts = self._facts
        if (word, member) == ("api", "getAttribute"):
            name, default = self._arguments(2)
            return facts.attributes.get(name, default)
        known: dict[tuple[str, str], Any] = {
            ("resource", "name"): facts.resource_name,
            ("resource", "type"): facts.resource_type,
            ("resource", "service"): facts.service,
            ("request", "time"): facts.now,
        }
        if (word, member) not in known:
            raise UnclearError
        return known[word, member]

    def _called(self, value: Any) -> Any:
        while self._next() == ".":
            self._take()
            _, method = self._take()
            if method not in ("startsWith", "endsWith", "contains") or not isinstance(value, str):
                raise UnclearError
            (wanted,) = self._arguments(1)
            tests = {"startsWith": value.startswith, "endsWith": value.endswith, "contains": value.__contains__}
            value = tests[method](wanted)
        return value

    def _arguments(self, many: int) -> list[str]:
        self._take("(")
        found = []
        for i in range(many):
            if i:
                self._take(",")
            kind, word = self._take()
            if kind != "text":
                raise UnclearError
            found.append(_plain(word))
        self._take(")")
        return found


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnclearError
    return value


def _plain(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1])


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UnclearError from None
