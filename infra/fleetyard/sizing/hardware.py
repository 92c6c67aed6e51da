"""Chips as the performance model sees them, and which chip a free text means."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from fleetyard.catalog import Accelerator, Unknown, catalog, known

MIB_PER_GIB = 1024
TERA = 1e12
GIGA = 1e9

FORMATS = ("bf16", "fp8", "fp4", "int8")
"""Number formats whose rates a chip may publish. fp16 runs at the bf16 rate on every chip that has both; fp32 and tf32
matrix multiplications run at a share of it (`SLOW_FORMATS`)."""

SLOW_FORMATS = {"tf32": 0.5, "fp32": 0.25}
"""Shares of the bf16 rate; on older chips fp32 is slower still. Source: vendor sheets of A100 and H100."""

USUAL_SHARE = {"nvidia": 0.78, "google": 0.93, "aws": 0.80, "amd": 0.55, "intel": 0.80}
"""Share of the printed peak that a large matrix multiplication reaches where nobody measured the chip: NVIDIA's
measured chips give 0.73 to 0.87, AMD's 0.51; XLA's published runs on TPUs imply above 0.9."""


@dataclass(frozen=True, slots=True)
class Chip:
    """Rates of one chip: FLOPs and bytes a second, memory in GiB.

    peak, matmul: rates by number format, printed and reached by large matrix multiplications; a format that the chip
    has no unit for runs at the rate of the next wider one. link: bytes a second to the scale-up domain, one direction;
    domain: chips in it; nic: bytes a second to other domains, one direction. measured: whether `matmul` was measured.
    """

    id: str
    vendor: str
    generation: str
    memory_gib: float
    memory_bytes_per_s: float
    peak: dict[str, float]
    matmul: dict[str, float]
    link: float
    domain: int
    nic: float
    watts: float | None
    measured: bool
    words: tuple[str, ...]

    @property
    def tpu(self) -> bool:
        """Whether XLA compiles whole steps for it and a torus links it."""
        return self.vendor == "google"


@cache
def chips() -> dict[str, Chip]:
    """Every chip that can be predicted, by id."""
    rows = tomllib.loads((Path(__file__).parent / "chips.toml").read_text(encoding="utf-8"))
    return {name: _chip(name, row) for name, row in rows.items()}


def _chip(name: str, row: dict[str, Any]) -> Chip:
    if "catalog" in row:
        row = {**_from_catalog(catalog().accelerator(row["catalog"])), **row}
    share = USUAL_SHARE[row["vendor"]]
    peak = {form: row[form] * TERA for form in FORMATS if form in row}
    best = {form: row.get(f"matmul_{form}", 0) * TERA or rate * share for form, rate in peak.items()}
    if "fp4" in peak and "matmul_fp4" not in row:
        best["fp4"] = peak["fp4"] * min(share, best["fp8"] / peak["fp8"])
    for narrow, wide in (("fp8", "bf16"), ("int8", "fp8"), ("fp4", "fp8")):
        peak.setdefault(narrow, peak[wide])
        best.setdefault(narrow, best[wide])
    for slow, part in SLOW_FORMATS.items():
        peak[slow], best[slow] = peak["bf16"] * part, best["bf16"] * part
    return Chip(
        id=name,
        vendor=row["vendor"],
        generation=row["generation"],
        memory_gib=row["memory_gib"],
        memory_bytes_per_s=row["memory_gb_per_s"] * GIGA,
        peak=peak,
        matmul=best,
        link=max(row["link_gb_per_s"], 20.0) * GIGA,  # PCIe where chips have no links of their own
        domain=row["domain"],
        nic=row["nic_gb_per_s"] * GIGA,
        watts=row.get("power_watts", row.get("watts")),
        measured="matmul_bf16" in row,
        words=tuple(row["words"]),
    )


def _from_catalog(found: Accelerator) -> dict[str, Any]:
    row: dict[str, Any] = {"vendor": found.vendor, "generation": found.generation}
    if found.vendor == "google":
        row["generation"] = f"tpu-{found.generation}"
    facts: dict[str, float | Unknown] = {
        "memory_gb_per_s": found.memory_gb_per_s,
        "bf16": found.bf16_tflops_peak,
        "matmul_bf16": found.matmul_tflops_achievable,
        "link_gb_per_s": found.link_gb_per_s,
        "watts": found.watts,
    }
    row |= {name: fact for name, fact in facts.items() if known(fact)}
    if known(found.memory_mib):
        row["memory_gib"] = found.memory_mib / MIB_PER_GIB
    return row


def chip_of(accelerator: Accelerator) -> Chip | None:
    """The chip behind a row of the catalogue, None where too little of it is published to predict anything."""
    return _by_catalog().get(accelerator.id)


@cache
def _by_catalog() -> dict[str, Chip]:
    rows = tomllib.loads((Path(__file__).parent / "chips.toml").read_text(encoding="utf-8"))
    found = {row["catalog"]: chips()[name] for name, row in rows.items() if "catalog" in row}
    return found | {"v100-sxm2-16gb": _smaller("v100-sxm2-32gb", "v100-sxm2-16gb")}


def _smaller(name: str, catalog_id: str) -> Chip:
    memory = catalog().accelerator(catalog_id).memory_mib
    return replace(chips()[name], id=catalog_id, memory_gib=memory / MIB_PER_GIB if known(memory) else 0.0)


@cache
def find_chip(text: str) -> Chip | None:
    """The chip that a publisher's free text means (`H100-SXM-80GB (p5.48xlarge)`): the longest word that fits, else
    None."""
    wanted = re.sub(r"[_/]", "-", text.lower())
    wanted = re.sub(r"(?<![\w.])\d+\s*[x×]\s*(?=[a-z])", "", wanted)
    wanted = re.sub(r"\b(a|b|gb|gh|h|l|mi|p|t|v)[- ](?=\d{2,3}(?!\d))", r"\1", wanted)
    wanted = re.sub(r"tpu[\s-]*(?=v\d)", "tpu ", wanted)
    near = re.sub(r"\s+", "-", wanted)
    best: tuple[int, Chip] | None = None
    for chip in chips().values():
        for word in (chip.id, *chip.words):
            if any(re.search(rf"(?<![a-z0-9]){re.escape(word)}", each) for each in (wanted, near)) or (
                len(word) > 3 and word in wanted
            ):
                length = len(word) + (10 if chip.vendor == "google" and "tpu" in wanted else 0)
                if best is None or length > best[0]:
                    best = (length, chip)
    return best[1] if best else None
