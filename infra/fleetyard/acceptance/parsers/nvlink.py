"""`nvidia-smi nvlink -s`: the links of every GPU, with their rate or as inactive."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetyard.acceptance.parsers.reading import ParseError, whole_lines
from fleetyard.catalog import Unknown

TOOL = "nvidia-smi nvlink -s"
_GPU = re.compile(r"GPU (?P<index>\d+): (?P<name>.+) \(UUID: (?P<uuid>[^)]+)\)")
_LINK = re.compile(r"\s*Link (?P<link>\d+): (?:(?P<rate>\d+(?:\.\d+)?) GB/s|(?P<down><inactive>))")
_SILENT = re.compile(r"\s*NVML: (?P<why>.+)|\s*(?P<other>Unable to retrieve.+)")


@dataclass(frozen=True, slots=True)
class GpuLinks:
    """Rates in GB/s of one GPU's links, one direction; None for an inactive link. Unknown where NVML gave an error."""

    index: int
    name: str
    uuid: str
    links: tuple[float | None, ...] | Unknown

    @property
    def up(self) -> int | Unknown:
        """Links that carry traffic."""
        return self.links if isinstance(self.links, Unknown) else sum(rate is not None for rate in self.links)


def parse(text: str) -> tuple[GpuLinks, ...]:
    """Read the listing. Raises ParseError for other lines, and for a GPU that lists fewer links than its like.

    A machine without NVLink prints its GPUs alone, or nothing; nothing is a ParseError: it may also be cut.
    """
    found: list[tuple[int, str, str, list[float | None], str]] = []
    for line in whole_lines(TOOL, text, "GPUs and their links"):
        gpu, link, silent = _GPU.fullmatch(line.strip()), _LINK.fullmatch(line), _SILENT.fullmatch(line)
        if gpu:
            found.append((int(gpu["index"]), gpu["name"], gpu["uuid"], [], ""))
        elif link and found:
            links = found[-1][3]
            if int(link["link"]) != len(links):
                raise ParseError(TOOL, f"Link {len(links)}", line.strip())
            links.append(None if link["down"] else float(link["rate"]))
        elif silent and found:
            found[-1] = (*found[-1][:4], silent["why"] or silent["other"])
        elif line.strip():
            raise ParseError(TOOL, "a line of a GPU or of a link", line.strip())
    if not found:
        raise ParseError(TOOL, "at least one GPU", text.strip())
    most = {name: max(len(row[3]) for row in found if row[1] == name) for name in {row[1] for row in found}}
    for index, name, _, links, why in found:
        if not why and len(links) != most[name]:
            raise ParseError(TOOL, f"{most[name]} links of GPU {index}", f"{len(links)}")
    return tuple(
        GpuLinks(index, name, uuid, Unknown(why) if why else tuple(links)) for index, name, uuid, links, why in found
    )
