"""`fi_info -p efa`: what libfabric can use. A device shows up once for each endpoint type and fabric."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError, whole_lines

TOOL = "fi_info -p efa"
_FIELD = re.compile(r"\s*(?P<key>provider|fabric|domain|version|type|protocol): (?P<value>\S.*)")
_KEYS = ("provider", "fabric", "domain", "version", "type", "protocol")
NONE = re.compile(r"fi_getinfo: -61")
"""libfabric's -FI_ENODATA: no device of that provider."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to use one device; `domain` names the device (`rdmap16s27-rdm`)."""

    provider: str
    fabric: str
    domain: str
    version: str
    type: str
    protocol: str

    @property
    def device(self) -> str:
        """The device's name, without the endpoint type that libfabric adds."""
        return re.sub(r"-(rdm|dgrm)$", "", self.domain)


def parse(text: str) -> tuple[Endpoint, ...]:
    """Read all endpoints; none when libfabric says that there is no data. Raises ParseError for a cut one."""
    if NONE.search(text):
        return ()
    rows: list[dict[str, str]] = []
    for line in whole_lines(TOOL, text, "provider: efa and its fields"):
        pair = _FIELD.fullmatch(line.rstrip())
        if pair is None:
            if line.strip():
                raise ParseError(TOOL, "one of " + ", ".join(_KEYS), line.strip())
            continue
        if pair["key"] == "provider":
            rows.append({})
        if not rows:
            raise ParseError(TOOL, "provider", line.strip())
        if pair["key"] in rows[-1]:
            raise ParseError(TOOL, "one value of each field", line.strip())
        rows[-1][pair["key"]] = pair["value"].strip()
    for row in rows:
        for key in _KEYS:
            if key not in row:
                raise ParseError(TOOL, f"{key} of {row.get('domain', row.get('provider', ''))}", "nothing")
    return tuple(Endpoint(**row) for row in rows)


def devices(endpoints: tuple[Endpoint, ...]) -> tuple[str, ...]:
    """Distinct EFA devices, sorted by name."""
    return tuple(sorted({each.device for each in endpoints if each.provider.split(";")[0] == "efa"}))
