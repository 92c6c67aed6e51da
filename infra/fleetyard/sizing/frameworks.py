"""Which software a free text means, and of which year and month: software explains a good part of a run's speed."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fleetyard.sizing.hardware import Chip


@dataclass(frozen=True, slots=True)
class Framework:
    """What a family of training software overlaps, fuses and takes by default. See frameworks.toml."""

    id: str
    words: tuple[str, ...]
    hide_tp: float
    hide_dp: float
    hide_fsdp: float
    hide_ep: float
    hide_cp: float
    traffic: float
    launch: float
    zero: int
    selective: float
    native: dict[str, float]


USUAL_YEAR = {
    "volta": 2020.5,
    "turing": 2021.0,
    "ampere": 2023.2,
    "hopper": 2024.8,
    "ada": 2024.5,
    "blackwell": 2025.9,
    "cdna2": 2023.0,
    "cdna3": 2025.0,
    "cdna4": 2025.8,
    "tpu-v2": 2020.0,
    "tpu-v3": 2021.0,
    "tpu-v4": 2023.0,
    "tpu-v5e": 2023.9,
    "tpu-v5p": 2024.5,
    "tpu-v6e": 2024.9,
    "tpu-v7x": 2025.9,
}
"""When runs on a chip were mostly published, as year and share of it: taken where the text names no release."""

YEARS = (2019.0, 2027.0)

MLPERF = {"0.7": 2020.5, "1.0": 2021.5, "1.1": 2021.9, "2.0": 2022.5, "2.1": 2022.9, "3.0": 2023.5, "3.1": 2023.85}
MLPERF |= {"4.0": 2024.45, "4.1": 2024.85, "5.0": 2025.4, "5.1": 2025.85, "6.0": 2026.4}
"""When a round of MLPerf Training was published."""

SOFTWARE_YEARS = {"foundry": 2023.6, "mosaic": 2023.6, "torchtitan": 2025.0, "levanter": 2023.3, "megascale": 2024.0}
SOFTWARE_YEARS |= {"megatron-deepspeed": 2022.2, "metaseq": 2022.3, "fairseq": 2022.0, "gpt-neox": 2022.5}
"""When software whose name comes without a release was mostly measured."""

TORCH = {"1.": 2022.5, "2.0": 2023.2, "2.1": 2023.8, "2.2": 2024.1, "2.3": 2024.3, "2.4": 2024.6, "2.5": 2024.8}
TORCH |= {"2.6": 2025.1, "2.7": 2025.3, "2.8": 2025.6, "2.9": 2025.8}


@cache
def frameworks() -> dict[str, Framework]:
    """Every family, in the order in which texts are searched."""
    rows = tomllib.loads((Path(__file__).parent / "frameworks.toml").read_text(encoding="utf-8"))
    fields = [name for name in Framework.__slots__ if name not in ("id", "words")]
    return {
        name: Framework(id=name, words=tuple(row["words"]), **{field: row[field] for field in fields})
        for name, row in rows.items()
    }


@cache
def find_framework(text: str) -> Framework | None:
    """The family that a free text names, else None."""
    lower = text.lower()
    for each in frameworks().values():
        if any(word in lower for word in each.words):
            return each
    return None


@cache
def release(text: str) -> float | None:
    """Year and share of it of the release that a text names, such as 2024.4 for `NeMo 24.05`; else None.

    Understands yy.mm releases, years, MLPerf rounds and PyTorch versions.
    """
    lower = text.lower()
    for word, year in SOFTWARE_YEARS.items():
        if word in lower and not re.search(r"\d\d\.\d|20\d\d", lower):
            return year
    if "mlperf" in lower:
        found = re.search(r"v?(\d\.\d)\b", lower)
        if found and found[1] in MLPERF:
            return MLPERF[found[1]]
    for found in re.finditer(r"(?<![\d.])v?(\d{2})[.\-_](\d{2})(?!\d)", lower):
        if 19 <= int(found[1]) <= 29 and 1 <= int(found[2]) <= 12:
            return 2000 + int(found[1]) + (int(found[2]) - 0.5) / 12
    found = re.search(r"(?<!\d)(20[12]\d)(?:[-/.](\d{1,2}))?(?!\d)", lower)
    if found:
        month = int(found[2]) if found[2] and 1 <= int(found[2]) <= 12 else 6.5
        return int(found[1]) + (month - 0.5) / 12
    if "sc21" in lower or "sc'21" in lower:
        return 2021.2
    if "torch" in lower:
        found = re.search(r"torch\D{0,3}(\d\.\d?)", lower)
        if found:
            return TORCH.get(found[1]) or TORCH.get(found[1][:2])
    found = re.search(r"(?:core|mcore|megatron-lm)[\s_-]*(?:r|v)?0\.(\d+)", lower)
    if found:
        return 2023.6 + 0.16 * (int(found[1]) - 4)
    return None


def usual_framework(chip: Chip, tensor: float, pipeline: float, zero: float | None) -> Framework:
    """What software a run without a name most likely used, from its chip and layout."""
    known = frameworks()
    if chip.vendor == "google":
        return known["xla"]
    if chip.vendor == "aws":
        return known["neuron"]
    if chip.vendor == "intel":
        return known["deepspeed"]
    if zero == 3 and pipeline == 1 and tensor == 1 and chip.generation in ("ampere", "volta", "hopper"):
        return known["fsdp"]
    return known["megatron"]


def usual_year(chip: Chip) -> float:
    """When runs on this chip were mostly published."""
    return USUAL_YEAR.get(chip.generation, 2025.0)
