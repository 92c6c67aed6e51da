"""Whether IAM policies allow an action: wildcards, conditions, and what cannot be told.

Statements are judged in three values. What depends on something that nobody here knows (a key of a condition, a
resource) is neither true nor false: it refuses nothing, and the answer names it. Source: IAM User Guide, "Policy
evaluation logic", "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. resource: None when nobody here can name it. context: condition keys in lower case; one with no
    values is known not to be there, one that is missing here is unknown."""

    action: str
    resource: str | None
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """allows, denies: what some statement says for certain. unsure: what it hangs on where nobody can tell."""

    allows: bool = False
    denies: bool = False
    unsure: tuple[str, ...] = ()
    """Reasons why an allowing statement may, or a denying one may not, apply."""
    may_allow: bool = False

    def __or__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.allows or other.allows,
            self.denies or other.denies,
            (*self.unsure, *other.unsure),
            self.may_allow or other.may_allow,
        )


def judge(documents: Iterable[Document], ask: Ask, principals: frozenset[str] | None = None) -> Verdict:
    """What policies say to a question. principals: for a resource's own policy, whom a statement must name."""
    found = Verdict()
    for document in documents:
        for statement in _rows(document.get("Statement")):
            found |= _statement(statement, ask, principals)
    return found


def _statement(statement: Mapping[str, Any], ask: Ask, principals: frozenset[str] | None) -> Verdict:
    unsure: list[str] = []
    parts: list[bool | None] = [_acts(statement, ask.action)]
    if principals is not None:
        parts.append(_names(statement, principals))
    if False not in parts:
        parts.append(_lies(statement, ask.resource))
    if parts[-1] is None:
        unsure.append(f"resource of {ask.action}")
    if False not in parts:
        parts.append(_conditions(statement.get("Condition") or {}, ask.context, unsure))
    if False in parts:
        return Verdict()
    denies = statement.get("Effect") == "Deny"
    if None in parts:
        return Verdict(unsure=tuple(unsure), may_allow=not denies)
    return Verdict(denies=True) if denies else Verdict(allows=True)


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _acts(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(like(p.lower(), action.lower()) for p in _rows(statement["NotAction"]))
    return any(like(p.lower(), action.lower()) for p in _rows(statement.get("Action")))


def _lies(statement: Mapping[str, Any], resource: str | None) -> bool | None:
    if "NotResource" in statement:
        patterns, wanted = _rows(statement["NotResource"]), False
    elif "Resource" in statement:
        patterns, wanted = _rows(statement["Resource"]), True
    else:
        return True  # the policy of a role's trust, or of a key: it is about what it stands on
    if "*" in patterns:
        return wanted
    if resource is None or any("${" in p for p in patterns):
        return None
    return any(like(p, resource) for p in patterns) == wanted


def _names(statement: Mapping[str, Any], principals: frozenset[str]) -> bool:
    negated = "NotPrincipal" in statement
    given = statement.get("NotPrincipal" if negated else "Principal")
    named = ["*"] if given == "*" else _rows(given.get("AWS")) if isinstance(given, Mapping) else []
    return any(n == "*" or n in principals for n in named) != negated


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text), re.DOTALL)


def like(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with `*` and `?`."""
    return _pattern(pattern).fullmatch(text) is not None


# Conditions


def _conditions(block: Mapping[str, Any], context: Mapping[str, tuple[str, ...]], unsure: list[str]) -> bool | None:
    """All of them together: False when one is false, else None when one cannot be told."""
    whole: bool | None = True
    for operator, keys in block.items():
        for key, wanted in keys.items():
            one = _condition(operator, [str(w) for w in _rows(wanted)], context.get(key.lower()))
            if one is False:
                return False
            if one is None:
                unsure.append(f"condition {operator} on {key}")
                whole = None
    return whole


def _condition(operator: str, wanted: list[str], have: tuple[str, ...] | None) -> bool | None:
    every, _, rest = operator.partition(":")
    if not rest:
        every, rest = "", operator
    if have is None:
        return None
    if rest == "Null":
        return (wanted[:1] == ["true"]) == (not have)
    optional = rest.endswith("IfExists")
    rest = rest.removesuffix("IfExists")
    negated = "Not" in rest
    test = _TESTS.get(rest.replace("Not", ""))
    if test is None or any("${" in w for w in wanted):
        return None
    if not have:
        return optional or negated or every == "ForAllValues"
    try:
        hits = [any(test(h, _lower_bool(w)) for w in wanted) != negated for h in have]
    except ValueError:
        return None
    if every == "ForAllValues":
        return all(hits)
    return any(hits) if every == "ForAnyValue" or not negated else all(hits)


def _lower_bool(value: str) -> str:
    return value.lower() if value in ("True", "False") else value


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda have, wanted: compare(float(have), float(wanted))


def _date(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    return lambda have, wanted: compare(datetime.fromisoformat(have), datetime.fromisoformat(wanted))


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda have, wanted: have == wanted,
    "StringEqualsIgnoreCase": lambda have, wanted: have.lower() == wanted.lower(),
    "StringLike": lambda have, wanted: like(wanted, have),
    "ArnEquals": lambda have, wanted: like(wanted, have),
    "ArnLike": lambda have, wanted: like(wanted, have),
    "Bool": lambda have, wanted: have == wanted,
    "NumericEquals": _number(lambda a, b: a == b),
    "NumericLessThan": _number(lambda a, b: a < b),
    "NumericLessThanEquals": _number(lambda a, b: a <= b),
    "NumericGreaterThan": _number(lambda a, b: a > b),
    "NumericGreaterThanEquals": _number(lambda a, b: a >= b),
    "DateEquals": _date(lambda a, b: a == b),
    "DateLessThan": _date(lambda a, b: a < b),
    "DateLessThanEquals": _date(lambda a, b: a <= b),
    "DateGreaterThan": _date(lambda a, b: a > b),
    "DateGreaterThanEquals": _date(lambda a, b: a >= b),
    "IpAddress": lambda have, wanted: ipaddress.ip_address(have) in ipaddress.ip_network(wanted, strict=False),
}
"""By the operator's name without `Not`, `IfExists` and the words for many values."""
