"""A rule about versions is one function over what a node has. Where rules are registered, listed and run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from fleetyard.findings import Level
from fleetyard.versions.compare import Version
from fleetyard.versions.model import Target


@dataclass(frozen=True)
class Node:
    """A target and what is, or is to be, installed on it: component to version. An absent key is not installed."""

    target: Target
    installed: Mapping[str, str]

    @cached_property
    def _versions(self) -> dict[str, Version]:
        return {name: Version(text) for name, text in self.installed.items() if _is_version(text)}

    def get(self, component: str) -> Version | None:
        """A component's version; None when it is not installed, or what is said of it is no version."""
        return self._versions.get(component)

    def say(self, *components: str) -> str:
        """Components with their versions, for a message: `cuda 13.0.2 and nvidia-driver 570.172.08`."""
        told = [f"{name} {self.installed[name]}" if name in self.installed else f"no {name}" for name in components]
        return " and ".join(told)


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Clash:
    """What a rule yields: the component to change, what is wrong, which version would do."""

    component: str
    message: str
    fix: str


Check = Callable[[Node], Iterator[Clash]]


@dataclass(frozen=True, slots=True)
class VersionRule:
    """A registered rule; `source` says who knows it."""

    code: str
    level: Level
    source: str
    check: Check

    @property
    def about(self) -> str:
        """The rule's documentation, on one line."""
        return " ".join((inspect.getdoc(self.check) or "").split())


_RULES: dict[str, VersionRule] = {}


def rule(code: str, level: Level, source: str) -> Callable[[Check], Check]:
    """Register a generator function over a node as a rule. Raises ValueError for a code that is taken."""

    def register(check: Check) -> Check:
        if code in _RULES:
            raise ValueError(f"{code} is taken by {_RULES[code].check.__name__}")
        _RULES[code] = VersionRule(code, level, source, check)
        return check

    return register


def registered() -> tuple[VersionRule, ...]:
    """All rules that have been imported, by code."""
    return tuple(_RULES[code] for code in sorted(_RULES))
