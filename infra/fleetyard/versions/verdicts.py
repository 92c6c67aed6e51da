"""What the rules say of a node: before it is bought, from a plan; and when it stands, from what it reports.

Pure: nothing is read but the package's own data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from fleetyard.catalog import Machine
from fleetyard.findings import Finding, Level, heaviest_first
from fleetyard.versions import rules_fabric, rules_nvidia, rules_software
from fleetyard.versions.compare import Version
from fleetyard.versions.lock import choose, manifest
from fleetyard.versions.model import Chosen, Target
from fleetyard.versions.registry import Node, VersionRule, registered

__all__ = ["all_rules", "judge", "planned", "rules_fabric", "rules_nvidia", "rules_software", "unlocked"]


def all_rules() -> tuple[VersionRule, ...]:
    """Every rule about versions, by code."""
    return registered()


def judge(
    installed: Mapping[str, str],
    machine: Machine,
    os: str,
    kernel: str | None = None,
    scheduler: str = "none",
    prefix: str = "installed",
) -> list[Finding]:
    """What is wrong with what a node reports: component to version, as its tools and packages say them.

    os: `debian-12`; kernel: `uname -r`; prefix: the beginning of each finding's path. Errors come first. A component
    that is absent is taken as not installed; what the node has beyond the manifest is told (FY2091).
    """
    mapping = {**installed, **({"kernel": kernel} if kernel else {})}
    return findings_of(Node(Target.of(machine, os, scheduler), mapping), prefix)


def findings_of(node: Node, prefix: str) -> list[Finding]:
    """Every rule over one node, errors first."""
    return heaviest_first(finding for each in all_rules() for finding in findings_by(each, node, prefix))


def findings_by(each: VersionRule, node: Node, prefix: str) -> Iterator[Finding]:
    """What one rule says of a node."""
    for clash in each.check(node):
        path = f"{prefix}.{clash.component[:60]}"
        yield Finding(each.code, each.level, _printable(path), _printable(clash.message), _printable(clash.fix))


def _printable(text: str) -> str:
    """A node may say anything; a finding stays on its line."""
    return "".join(character if character.isprintable() else "?" for character in text)


def unlocked(installed: Mapping[str, str], chosen: tuple[Chosen, ...], prefix: str = "installed") -> list[Finding]:
    """Where a node differs from its lock: a component of another version, or none (FY2007).

    What has a floor may be newer. An epoch and a revision that the lock does not name may differ.
    """
    findings = []
    for each in chosen:
        found = installed.get(each.component)
        if found is not None and _keeps(found, each):
            continue
        floor = " or newer" if each.floor else ""
        message = f"{each.component} is {found or 'not installed'}, the lock says {each.version}{floor}"
        path = f"{prefix}.{each.component}"
        findings.append(Finding("FY2007", Level.ERROR, path, message, f"install {each.component} {each.version}"))
    return findings


def _keeps(found: str, lock: Chosen) -> bool:
    if found == lock.version:
        return True
    try:
        own, locked = Version(found), Version(lock.version)
    except ValueError:
        return False
    numbers = ".".join(str(number) for number in locked.numbers)
    if lock.floor:
        return own.at_least(numbers)
    return own.numbers == locked.numbers and all(
        own.built_for(what) == locked.built_for(what) for what in ("cuda", "slurm")
    )


def planned(version_set: str, target: Target, overrides: Mapping[str, str]) -> tuple[Node, tuple[Chosen, ...]]:
    """The node that a set and a person's own versions would make, and what was chosen for it.

    A person's own version of a component that does not exist is part of the node, so that a rule can say so.
    """
    return _planned(version_set, target, tuple(sorted(overrides.items())))


@lru_cache(maxsize=256)
def _planned(
    version_set: str, target: Target, overrides: tuple[tuple[str, str], ...]
) -> tuple[Node, tuple[Chosen, ...]]:
    chosen = choose(version_set, target, overrides)
    versions = {each.component: each.version for each in chosen}
    strange = {name: text for name, text in overrides if name not in manifest().components}
    return Node(target, MappingProxyType({**versions, **strange})), chosen


def missing(version_set: str, target: Target, chosen: tuple[Chosen, ...]) -> tuple[str, ...]:
    """Components that a target needs and the set has no version of."""
    have = {each.component for each in chosen}
    return tuple(component.name for component in manifest().wanted(target) if component.name not in have)
