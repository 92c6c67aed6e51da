"""The manifest: one data file, read once; and the choice of versions for a target.

Raises `ManifestError` for a file of ours that is wrong; what a person may mistype is told with codes FY1811 to FY1816.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from fleetyard.catalog import Unknown
from fleetyard.findings import error
from fleetyard.spec.problems import nearest
from fleetyard.versions.compare import Version
from fleetyard.versions.model import Chosen, Component, Licence, Origin, Pin, Target, VersionSet

SHA256 = re.compile(r"^[0-9a-f]{64}\Z")
_FILE = Path(__file__).with_name("manifest.toml")
_RPM = ("rocky", "amazon", "rhel", "alma")
_REPO = {"rocky": "rhel", "amazon": "amzn", "rhel": "rhel", "alma": "rhel"}
_KEYS = frozenset(Target.__dataclass_fields__)


class ManifestError(ValueError):
    """The data file of ours is wrong: the message names the entry."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every component, every pin and every set, with where files come from."""

    default: str
    components: Mapping[str, Component]
    pins: tuple[Pin, ...]
    sets: Mapping[str, VersionSet]
    origins: Mapping[str, Origin]
    sources: Mapping[str, str]

    def version_set(self, name: str | None) -> VersionSet:
        """A set by name; without one, the default. Raises FleetyardError (exit 65, FY1811) for a name it lacks."""
        name = name or self.default
        if name in self.sets:
            return self.sets[name]
        close = nearest(name, self.sets)
        fix = f"`{close}`" if close else f"one of {', '.join(self.sets)}"
        raise error("FY1811", "versions.set", f"there is no set of versions {name}", fix)

    def wanted(self, target: Target) -> tuple[Component, ...]:
        """What a target needs."""
        return tuple(component for component in self.components.values() if target.matches(component.on))

    def pin(self, version_set: str, component: str, target: Target) -> Pin | None:
        """The most specific pin for a target, or None where the set has none for it."""
        fits = [
            pin
            for pin in self.pins
            if pin.component == component and version_set in pin.sets and target.matches(pin.when)
        ]
        if not fits:
            return None
        best = max(fits, key=lambda pin: len(pin.when))
        if sum(len(pin.when) == len(best.when) for pin in fits) > 1:
            raise ManifestError(
                f"{component} of {version_set}: two pins fit {target.machine} on {target.os} equally well"
            )
        return best


@cache
def manifest() -> Manifest:
    """The manifest of the package, loaded once for the life of the process."""
    return read_manifest(_FILE.read_text(encoding="utf-8"))


def read_manifest(text: str) -> Manifest:
    """A manifest from its text. Raises ManifestError where an entry is missing, wrong or points nowhere."""
    try:
        table = tomllib.loads(text)
        made = Manifest(
            default=table["default"],
            components={name: _component(name, row) for name, row in table["components"].items()},
            pins=tuple(pin for row in table["pin"] for pin in _pins(row)),
            sets={name: _set(name, row) for name, row in table["sets"].items()},
            origins={name: Origin(name, url) for name, url in table["origins"].items()},
            sources=table["sources"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise ManifestError(f"{type(wrong).__name__}: {wrong}") from wrong
    _check(made)
    return made


def _component(name: str, row: Mapping[str, Any]) -> Component:
    return Component(name, row["title"], Licence(row["licence"]), _when(row["on"]))


def _set(name: str, row: Mapping[str, Any]) -> VersionSet:
    return VersionSet(name, row["about"], tuple(row["os"]), tuple(row["not_for"]), row["source"])


def _when(row: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(values) for key, values in row.items()}


def _pins(row: Mapping[str, Any]) -> Iterator[Pin]:
    names = [row["component"]] if isinstance(row["component"], str) else row["component"]
    given = row["sha256"]
    for name in names:
        yield Pin(
            component=name,
            sets=tuple(row["sets"]),
            when=_when(row.get("when", {})),
            version=row["version"],
            sha256=Unknown(given["unknown"]) if isinstance(given, dict) else str(given),
            origin=row["origin"],
            path=row.get("path"),
            rpm=row.get("rpm"),
            rpm_origin=row.get("rpm_origin", row["origin"]),
            source=row["source"],
            floor=row.get("floor", False),
        )


def _check(made: Manifest) -> None:
    if made.default not in made.sets:
        raise ManifestError(f"default: there is no set {made.default}")
    for pin in made.pins:
        where = f"{pin.component} {pin.version}"
        try:
            Version(pin.version)
        except ValueError as wrong:
            raise ManifestError(f"{where}: {wrong}") from wrong
        for kind, name, known in (
            ("component", pin.component, made.components),
            ("origin", pin.origin, made.origins),
            ("origin", pin.rpm_origin, made.origins),
            ("source", pin.source, made.sources),
            *(("set", name, made.sets) for name in pin.sets),
            *(("condition", key, dict.fromkeys(_KEYS)) for key in pin.when),
        ):
            if name not in known:
                raise ManifestError(f"{where}: there is no {kind} {name}")
        if isinstance(pin.sha256, str) and not SHA256.match(pin.sha256):
            raise ManifestError(f"{where}: {pin.sha256!r} is no SHA-256")


def choose(version_set: str, target: Target, overrides: tuple[tuple[str, str], ...] = ()) -> tuple[Chosen, ...]:
    """The versions of a set for a target, in the manifest's order, with a person's own in their place.

    overrides: component and version. A component that the target does not need is added when a person names it; one
    that the set has no pin for is left out (rule FY2093 says so). A file of an overridden version is where the set's
    own lies, with the other number; its checksum is not known.
    """
    book, named, made = manifest(), dict(overrides), []
    needed = {component.name for component in book.wanted(target)}
    for name in book.components:
        if name not in needed and name not in named:
            continue
        pin = book.pin(version_set, name, target)
        own = named.get(name)
        if pin is None:
            if own is not None:
                unknown = Unknown("the stack file chose this version")
                made.append(Chosen(name, own, unknown, "", None, "the stack file", False, overridden=True))
            continue
        origin = pin.rpm_origin if _takes_rpm(pin, target) else pin.origin
        chosen = Chosen(name, pin.version, pin.sha256, origin, _path(pin, pin.version, target), pin.source, pin.floor)
        if own is not None and own != pin.version:
            chosen = replace(
                chosen,
                version=own,
                sha256=Unknown("the stack file chose this version"),
                path=_path(pin, own, target),
                source="the stack file",
                overridden=True,
            )
        made.append(chosen)
    return tuple(made)


def _takes_rpm(pin: Pin, target: Target) -> bool:
    return pin.rpm is not None and target.os.partition("-")[0] in _RPM


def _path(pin: Pin, version: str, target: Target) -> str | None:
    family, _, release = target.os.partition("-")
    template = pin.rpm if _takes_rpm(pin, target) else pin.path
    if template is None:
        return None
    try:
        plain = Version(version).plain
        numbers = ".".join(str(number) for number in Version(version).numbers)
    except ValueError:
        plain = numbers = version
    arm = target.arch == "arm64"
    return template.format(
        version=version,
        plain=plain,
        numbers=numbers,
        underscored=version.replace(".", "-"),
        arch="aarch64" if arm else "x86_64",
        gnu="aarch64" if arm else "x86_64",
        deb="arm64" if arm else "amd64",
        sbsa="sbsa" if arm else "x86_64",
        repo=_REPO.get(family, family) + release.replace(".", ""),
    )
