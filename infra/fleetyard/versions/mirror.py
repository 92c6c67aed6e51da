"""What a mirror must hold so that machines without a way out can be installed; and what it supplies in return.

Files lie under `<base>/<origin>/<path>`; without a base they come from where vendors publish. Checksums that the
manifest does not know are supplied by the mirror, as a mapping from that path to SHA-256, and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fleetyard.catalog import Unknown
from fleetyard.findings import Finding, FleetyardError, Level, error
from fleetyard.versions.lock import SHA256, manifest
from fleetyard.versions.model import Chosen, Licence

_HOST = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class MirrorFile:
    """One file of a mirror. `path` is relative to the base; `url` is where it is fetched from, with or without base."""

    component: str
    version: str
    path: str
    url: str
    sha256: str | Unknown
    licence: Licence
    source: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data; an unknown checksum is null, and `sha256_unknown` says why."""
        unknown = isinstance(self.sha256, Unknown)
        return {
            "component": self.component,
            "version": self.version,
            "path": self.path,
            "url": self.url,
            "sha256": None if unknown else self.sha256,
            **({"sha256_unknown": self.sha256.reason} if isinstance(self.sha256, Unknown) else {}),
            "licence": self.licence.value,
            "redistributable": self.licence is Licence.OPEN,
            "source": self.source,
        }


def check_base(url: str) -> str:
    """A mirror's base URL without the slash at its end. Raises FleetyardError (exit 65, FY1813)."""
    fix = "such as https://mirror.example.org/fleetyard"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as wrong:
        raise error("FY1813", "--base", f"is no URL: {wrong}", fix) from None
    plain = all(character.isprintable() and not character.isspace() for character in url)
    if parts.scheme not in ("http", "https", "file") or not plain or parts.query or parts.fragment:
        raise error("FY1813", "--base", "is no http, https or file URL without query and fragment", fix)
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise error("FY1813", "--base", "a file URL needs an absolute path", "file:///srv/mirror")
    elif not _HOST.match(host) or port == 0:
        raise error("FY1813", "--base", "names no host", fix)
    if parts.username is not None or parts.password is not None:
        raise error(
            "FY1813", "--base", "carries a user name, which would be printed", "let the machines' proxy sign in"
        )
    return url.rstrip("/")


def file_of(chosen: Chosen, base: str | None) -> MirrorFile | None:
    """The file that a choice is installed from; None where nothing of its own is fetched (part of another, a floor)."""
    if chosen.path is None or (chosen.floor and chosen.origin == "distribution" and isinstance(chosen.sha256, Unknown)):
        return None
    book = manifest()
    path = f"{chosen.origin}/{chosen.path}"
    url = f"{base}/{path}" if base else f"{book.origins[chosen.origin].url}/{chosen.path}"
    return MirrorFile(
        component=chosen.component,
        version=chosen.version,
        path=path,
        url=url,
        sha256=chosen.sha256,
        licence=book.components[chosen.component].licence,
        source=chosen.source,
    )


def files(choices: Iterable[Chosen], base: str | None = None) -> tuple[MirrorFile, ...]:
    """Every file once, by path; a file of two components is listed under the first, with the stricter licence."""
    found: dict[str, MirrorFile] = {}
    for chosen in choices:
        made = file_of(chosen, base)
        if made is None:
            continue
        known = found.get(made.path)
        if known is None or (known.licence is Licence.OPEN and made.licence is not Licence.OPEN):
            found[made.path] = made
    return tuple(found[path] for path in sorted(found))


def supplied_checksums(value: Any, where: str) -> dict[str, str]:
    """A mirror's own checksums: path to SHA-256. Raises FleetyardError (exit 65, FY1815) for anything else."""
    fix = '{"nvidia/compute/...": "64 hexadecimal digits"}'
    if not isinstance(value, dict):
        raise error("FY1815", where, "is no mapping from path to SHA-256", fix)
    for path, digest in value.items():
        if not isinstance(digest, str) or not SHA256.match(digest):
            raise error("FY1815", f"{where}: {path[:80]}", "is no SHA-256 in lower case", fix)
    return dict(value)


def with_checksums(listed: Iterable[MirrorFile], supplied: Mapping[str, str]) -> tuple[MirrorFile, ...]:
    """The files with the mirror's checksums in place of unknown ones.

    Raises FleetyardError (exit 65, FY1816) where the mirror has another file than the one whose checksum is known.
    """
    made, wrong = [], []
    for each in listed:
        own = supplied.get(each.path)
        if own is not None and not isinstance(each.sha256, Unknown) and own != each.sha256:
            message = f"the mirror's file has SHA-256 {own}, {each.component} {each.version} has {each.sha256}"
            wrong.append(Finding("FY1816", Level.ERROR, each.path, message, "fetch the file again from its origin"))
        digest = own if isinstance(each.sha256, Unknown) and own is not None else each.sha256
        made.append(MirrorFile(each.component, each.version, each.path, each.url, digest, each.licence, each.source))
    if wrong:
        raise FleetyardError(wrong)
    return tuple(made)


def require_checksums(listed: Iterable[MirrorFile]) -> None:
    """Refuse to install what cannot be verified. Raises FleetyardError (exit 65, FY1812), one finding for each file."""
    findings = [
        Finding(
            "FY1812",
            Level.ERROR,
            f"versions.{each.component}",
            f"the checksum of {each.component} {each.version} is not known: {each.sha256.reason}",
            f"let the mirror supply it: --checksums with {each.path}",
        )
        for each in listed
        if isinstance(each.sha256, Unknown)
    ]
    if findings:
        raise FleetyardError(findings)
