"""The scalar kinds of the stack file:

durations, token counts, address ranges, names. Each parser says what it takes.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

_DURATION = re.compile(r"^(\d{1,9}(?:\.\d{1,6})?)(s|m|h|d|w)$", re.ASCII)
_NUMBER = re.compile(r"^\d{1,20}(?:\.\d{1,20})?(?:[eE]\+?\d{1,2})?$", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TEN_YEARS = timedelta(days=3653)
_PRIVATE = tuple(IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


def refuse(message: str, fix: str) -> PydanticCustomError:
    """A validation error that carries its fix; braces in the texts are taken literally."""
    return PydanticCustomError("fleetyard", "{message}", {"message": message, "fix": fix})


def parse_duration(value: Any) -> timedelta:
    """`90s`, `30m`, `12h`, `14d`, `2w`: more than nothing, at most ten years."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise refuse(f"{show(value)} is not a duration", "a number and one of s, m, h, d, w: 14d")
    duration = timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    if not timedelta(0) < duration <= _TEN_YEARS:
        raise refuse(f"{value} is not between a second and ten years", "a shorter duration: 14d")
    return duration


def parse_amount(value: Any) -> float:
    """A count too large to type out: `200e9`, as a number or as the string that some YAML readers make of it."""
    number = math.nan
    if isinstance(value, bool):
        pass
    elif isinstance(value, int):
        number = float(value) if abs(value) < 10**30 else math.inf
    elif isinstance(value, float):
        number = value
    elif isinstance(value, str) and _NUMBER.match(value):
        number = float(value)
    if not 0 < number <= 1e24:
        raise refuse(f"{show(value)} is not an amount", "a positive number such as 200e9")
    return number


def parse_usd(value: Any) -> float:
    """US dollars, more than nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1e12:
        raise refuse(f"{show(value)} is not an amount of US dollars", "a positive number such as 700")
    return float(value)


def parse_count(value: Any) -> int | str:
    """`sized` (by a workload, through the sizing lock) or a whole number."""
    if value == "sized":
        return "sized"
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100_000:
        raise refuse(f"{show(value)} is not a count", "`sized` or a whole number from 0 to 100000")
    return value


def parse_cidr(value: Any) -> IPv4Network:
    """A private IPv4 range with its host bits zero, /8 to /28."""
    if isinstance(value, IPv4Network):
        return value
    example = "a private range such as 10.40.0.0/16"
    if not isinstance(value, str) or "/" not in value:
        raise refuse(f"{show(value)} is not an address range", example)
    try:
        network = IPv4Network(value)
    except ValueError as wrong:
        try:
            nearest = IPv4Network(value, strict=False)
        except ValueError:
            raise refuse(f"{show(value)} is not an IPv4 address range", example) from wrong
        raise refuse(f"{show(value)} has bits set beyond its prefix", str(nearest)) from wrong
    if not 8 <= network.prefixlen <= 28:
        raise refuse(f"{network} is not between /8 and /28", example)
    if not any(network.subnet_of(block) for block in _PRIVATE):
        raise refuse(f"{network} is not a private range", example)
    return network


def show(value: Any) -> str:
    """A value in a message: short, on one line, whatever it holds."""
    kind = {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value))
    if kind:
        return kind
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**30:
        return "a number too large to mean anything"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = "".join(character if character.isprintable() else "?" for character in text)
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Amount = Annotated[float, BeforeValidator(parse_amount)]
Usd = Annotated[float, BeforeValidator(parse_usd)]
Count = Annotated[int | Literal["sized"], BeforeValidator(parse_count)]
Cidr = Annotated[IPv4Network, BeforeValidator(parse_cidr)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}[a-z0-9]$|^[a-z]$", strict=True)]
"""A name that both clouds accept inside their own names: lower case, digits and dashes, at most 31."""
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$", strict=True)]
"""An identifier of the outside world: a machine type, an image, a zone, a model."""
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$", strict=True)]
"""One line of free text."""
MountPoint = Annotated[str, StringConstraints(pattern=r"^(/[a-z0-9][a-z0-9_-]{0,31}){1,4}$", strict=True)]
Small = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
