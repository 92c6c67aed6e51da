"""The versions and their rules as a page; `tests/infra/versions/versions_page.py` adds what is planted."""

from __future__ import annotations

from collections.abc import Iterator

from fleetyard.catalog import Unknown
from fleetyard.versions.lock import manifest
from fleetyard.versions.model import Pin
from fleetyard.versions.verdicts import all_rules

_HEAD = """\
# Versions

Made from the manifest (`infra/fleetyard/versions/manifest.toml`), the rules beside it and the conflicts that the tests
plant. One *set* of versions that belong together goes onto every machine of a stack: the newest, unless the stack file
names another; a component's version is overridden for the stack or for one pool. Versions that YAML reads as a number
stand in quotes. What a set installs depends on the machine, its architecture and its system.

```yaml
    versions: {set: 2026-10, pin: {container-toolkit: 1.18.1-1}}
    pools:
      train:
        versions: {nccl: 2.30.4-1+cuda13.0}
```

The rules run in `fleetyard check`, in previews, and again on what a node reports:

```
fleetyard versions list --stack a100-train        # component, version, SHA-256, source
fleetyard versions check --installed node.json --machine p5.48xlarge --os ubuntu-24.04 --kernel "$(uname -r)"
fleetyard versions check --installed node.json --machine p4d.24xlarge --os debian-12 --stack a100-train --pool train
fleetyard versions vars --stack a100-train --base https://mirror.example.org/fleetyard > versions.json
fleetyard mirror --stack a100-train --base https://mirror.example.org/fleetyard --json
```

`node.json` maps components to versions: `{"nvidia-driver": "580.159.04", "efa": "1.50.0"}`; what is absent, null or
empty is not installed. With `--stack` and `--pool` it is also compared with the lock itself (FY2007). `vars` prints
`fleetyard_versions` for each inventory group (`pool_<name>`): version, SHA-256 and URL of every component.

A checksum is the SHA-256 of one file, as a source gives it. Where none could be had it is *unknown*: listed as such,
never invented, and refused by `fleetyard versions vars --real` (FY1812) until the mirror supplies it with
`--checksums FILE.json` (path in the mirror to SHA-256). A mirror whose file differs from a known checksum is refused
(FY1816). Every file lies under `<base>/<origin>/<path>`, where `--base` is the mirror.

| code | what is refused |
|---|---|
| FY1811 | a set of versions that there is not |
| FY1812 | a real install of a file without a known checksum |
| FY1813 | a base that is no http, https or file URL, or that carries a user name |
| FY1814 | a file that cannot be read, is no JSON, or is no mapping from component to version |
| FY1815 | a checksum that is no SHA-256 |
| FY1816 | a mirror's file that is not the one whose checksum is known |
| FY1817 | an operating system that the rules do not know |
| FY1818 | a pool that the stack does not have |
| FY2007 | a node whose component differs from its lock |
"""


def page() -> str:
    """The page as Markdown, up to what is planted."""
    return _HEAD + "\n" + "\n".join((*_sets(), *_components(), *_rules(), *_sources())) + "\n"


def _sets() -> Iterator[str]:
    yield "## Sets\n"
    yield "| set | what it is | systems | too old for |\n|---|---|---|---|"
    for each in manifest().sets.values():
        newest = " (default)" if each.name == manifest().default else ""
        yield f"| {each.name}{newest} | {each.about} | {', '.join(each.os)} | {', '.join(each.not_for) or '–'} |"
    yield ""


def _components() -> Iterator[str]:
    book = manifest()
    yield "## Components\n"
    yield f"| component | what | licence | {' | '.join(book.sets)} |\n|---|---|---|{'---|' * len(book.sets)}"
    for each in book.components.values():
        cells = [
            _cell([pin for pin in book.pins if pin.component == each.name and name in pin.sets]) for name in book.sets
        ]
        yield f"| {each.name} | {each.title} | {each.licence.value} | {' | '.join(cells)} |"
    yield f"\n{_UNKNOWN} the checksum is not known; ≥ or newer.\n"


_UNKNOWN = "\\*"


def _cell(pins: list[Pin]) -> str:
    return "<br>".join(dict.fromkeys(_told(pin) for pin in pins)) or "–"


def _told(pin: Pin) -> str:
    unknown = _UNKNOWN if isinstance(pin.sha256, Unknown) and pin.path else ""
    return f"{'≥ ' if pin.floor else ''}{pin.version}{unknown}{_where(pin)}"


def _where(pin: Pin) -> str:
    return f" ({'; '.join(', '.join(values) for values in pin.when.values())})" if pin.when else ""


def _rules() -> Iterator[str]:
    yield "## Rules\n"
    yield "| code | level | what holds | who says so |\n|---|---|---|---|"
    for each in all_rules():
        yield f"| {each.code} | {each.level} | {each.about} | {each.source} |"
    yield ""


def _sources() -> Iterator[str]:
    yield "## Sources of versions and checksums\n"
    for name, told in manifest().sources.items():
        yield f"- `{name}`: {told}"
    yield ""
