"""`nvme list -o json` (nvme-cli 1 and 2): NVMe drives with model and size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleetyard.acceptance.parsers.reading import ParseError, field_number, field_text, json_in, mapping, objects
from fleetyard.catalog import Unknown

TOOL = "nvme list"
LOCAL = ("Amazon EC2 NVMe Instance Storage", "nvme_card")
"""Models of drives that are lost with the machine: EC2's name, and what Google's local SSDs begin with."""


@dataclass(frozen=True, slots=True)
class Drive:
    """One namespace."""

    path: str
    model: str
    serial: str
    bytes: float | Unknown

    @property
    def local(self) -> bool:
        """Whether it is an instance store rather than a network disk (Google's disks are `nvme_card-pd`)."""
        return self.model.startswith(LOCAL) and not self.model.startswith("nvme_card-pd")


def parse(text: str) -> tuple[Drive, ...]:
    """Read all drives; none for an empty list. Raises ParseError for anything but a whole document."""
    if not text.strip():
        raise ParseError(TOOL, "a JSON document", "nothing")
    top = mapping(TOOL, json_in(TOOL, text, "a JSON document"), "the document")
    if "Devices" not in top:
        raise ParseError(TOOL, "Devices", ", ".join(map(str, top)))
    return tuple(_drives(top["Devices"]))


def _drives(rows: Any) -> Iterator[Drive]:
    for row in objects(TOOL, rows, "drives"):
        if "Subsystems" not in row:
            yield Drive(
                field_text(TOOL, row, "DevicePath"),
                field_text(TOOL, row, "ModelNumber").strip(),
                str(row.get("SerialNumber", "")).strip(),
                field_number(TOOL, row, "PhysicalSize"),
            )
            continue
        for system in objects(TOOL, row["Subsystems"], "subsystems"):
            yield from _nested(system)


def _nested(system: Mapping[str, Any]) -> Iterator[Drive]:
    """The form of nvme-cli 2 with -v: subsystem, controllers, namespaces."""
    controllers = list(objects(TOOL, system.get("Controllers", []), "controllers"))
    about = controllers[0] if controllers else {}
    spaces = list(objects(TOOL, system.get("Namespaces") or [], "namespaces"))
    spaces += [space for each in controllers for space in objects(TOOL, each.get("Namespaces") or [], "namespaces")]
    for space in spaces:
        yield Drive(
            f"/dev/{field_text(TOOL, space, 'NameSpace')}",
            str(about.get("ModelNumber", "")).strip(),
            str(about.get("SerialNumber", "")).strip(),
            field_number(TOOL, space, "PhysicalSize"),
        )
