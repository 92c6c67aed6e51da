"""Mistakes planted in plain Pulumi programs, each beside the same declaration put right.

A module of this folder named `aws_*.py` or `gcp_*.py` is an area. It imports one cloud's SDK and nothing of
Fleetyard, and declares each mistake once, as a function that gets the resource's logical name and whether to make the
mistake:

    @mistake("subnet-outside-its-vpc", source="EC2 API reference: CreateSubnet, InvalidSubnet.Range",
             code="InvalidSubnet.Range", operation="CreateSubnet")
    def _(n: str, wrong: bool) -> None:
        aws.ec2.Subnet(n, vpc_id=vpc().id, cidr_block="10.9.0.0/24" if wrong else "10.1.1.0/24")

The resource that must be refused is named exactly `n`; helpers may be named `f"{n}-..."`. What several share (a
network) comes from a function under `functools.cache`. `operation` is the API operation or method that refuses;
`CHECK` when the provider refuses before any call (a type, a misspelt member), and `code` then is a part of what it
says. `test_mistakes.py` runs every area twice through the real engine on an empty world of its own: put right, where
everything must be accepted, and wrong, where each resource must be refused with its own code and operation and
nothing else may fail.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHECK = "check"

Declare = Callable[[str, bool], None]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. `property`, where it is given, is the path that the refusal before any call must name."""

    name: str
    source: str
    code: str
    operation: str
    declare: Declare
    property: str = ""


_planted: dict[str, list[Mistake]] = {}


def mistake(name: str, *, source: str, code: str, operation: str, property: str = "") -> Callable[[Declare], Declare]:
    """Plant the decorated function."""

    def plant(declare: Declare) -> Declare:
        area = _planted.setdefault(declare.__module__, [])
        assert name not in {m.name for m in area}, f"two mistakes are named {name}"
        area.append(Mistake(name, source, code, operation, declare, property))
        return declare

    return plant


def areas() -> list[str]:
    """The modules of this folder that plant mistakes."""
    return sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem.startswith(("aws_", "gcp_")))


def of(area: str) -> list[Mistake]:
    """The mistakes of one area. Imports its cloud's SDK."""
    importlib.import_module(area)
    return _planted[area]


def declare(area: str, wrong: bool, only: str = "") -> None:
    """The body of a Pulumi program: the area's mistakes, made or put right.

    A refusal before any call ends the program, whatever else it declares: such a mistake is made `only` by itself.
    """
    for one in of(area):
        if only == one.name or (not only and not (wrong and one.operation == CHECK)):
            one.declare(one.name, wrong)
