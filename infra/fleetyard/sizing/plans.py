"""Training plans as a structure of arrays: one entry for each plan, or one value that all plans share.

Every field is a float64 array or a float; numpy broadcasts them against each other, so that one row of a file, the
whole space of a search and a calibration go through the same code.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetyard.sizing.frameworks import Framework
from fleetyard.sizing.hardware import Chip
from fleetyard.sizing.models import Model

Floats = NDArray[np.float64] | float


@dataclass(frozen=True, slots=True)
class Net:
    """An architecture in the numbers that the performance model takes. Counts of layers, widths, parameters of one
    layer."""

    attending: Floats
    windowed: Floats
    window: Floats
    mlps: Floats
    moes: Floats
    mambas: Floats
    hidden: Floats
    heads: Floats
    score_width: Floats
    value_width: Floats
    kv_width: Floats
    head_size: Floats
    input_parameters: Floats
    output_parameters: Floats
    ffn: Floats
    matrices: Floats
    experts: Floats
    top_k: Floats
    expert_ffn: Floats
    expert_hidden: Floats
    expert_parameters: Floats
    expert_fixed: Floats
    mamba_inner: Floats
    mamba_state: Floats
    mamba_parameters: Floats
    vocabulary: Floats
    table_parameters: Floats
    fixed_parameters: Floats
    routed_parameters: Floats


@dataclass(frozen=True, slots=True)
class Gear:
    """A chip and its network in the numbers that the performance model takes: FLOPs, bytes a second, bytes.

    linear: rate of matrix multiplications in the plan's format; wide: the rate at 16 bits; peak_linear: printed peak.
    """

    linear: Floats
    wide: Floats
    peak_linear: Floats
    narrow: Floats
    memory_rate: Floats
    memory_gib: Floats
    link: Floats
    domain: Floats
    nic: Floats
    attention: Floats
    torus: Floats
    ampere: Floats
    blackwell: Floats


@dataclass(frozen=True, slots=True)
class Style:
    """What the software does: shares of communication hidden, traffic, launch cost, year of release."""

    hide_tp: Floats
    hide_dp: Floats
    hide_fsdp: Floats
    hide_ep: Floats
    hide_cp: Floats
    traffic: Floats
    launch: Floats
    selective: Floats
    year: Floats
    flash: Floats
    native: Floats
    flat: Floats
    skip_last: Floats
    young: Floats
    sequence_parallel: Floats
    narrow_gradients: Floats
    wide_loss: Floats


@dataclass(frozen=True, slots=True)
class Layout:
    """How a plan spreads over chips. chips = tensor * pipeline * data * context; experts lie inside.

    micro: sequences of one micro-batch; batch: sequences of one optimizer step; recompute: share of a layer's forward
    pass that is done again, 0 to 1, with `recompute_attention` for selective recomputation; kept: share of a layer's
    activations that stay in memory; zero: stage 0 to 3; expert_tensor: chips that share one expert;
    lora: 1 where only adapters learn; packed: share of a sequence's scores that lie inside its packed samples.
    """

    chips: Floats
    tensor: Floats
    pipeline: Floats
    data: Floats
    context: Floats
    expert: Floats
    expert_tensor: Floats
    interleave: Floats
    micro: Floats
    batch: Floats
    sequence: Floats
    zero: Floats
    recompute: Floats
    recompute_attention: Floats
    kept: Floats
    lora: Floats
    packed: Floats
    bytes_per_weight: Floats


@dataclass(frozen=True, slots=True)
class Plans:
    """Everything that one evaluation needs."""

    net: Net
    gear: Gear
    style: Style
    layout: Layout

    def take(self, index: Any) -> Plans:
        """Some of the plans: `index` is anything that selects from an array; shared values stay."""
        return Plans(*(_take(part, index) for part in (self.net, self.gear, self.style, self.layout)))


def _take(part: Any, index: Any) -> Any:
    changed = {
        field.name: value[index]
        for field in fields(part)
        if isinstance(value := getattr(part, field.name), np.ndarray) and value.ndim
    }
    return replace(part, **changed)


def stack(kind: type[Any], rows: list[dict[str, float]]) -> Any:
    """Rows of one part, turned into arrays."""
    return kind(**{field.name: np.array([row[field.name] for row in rows], dtype=np.float64) for field in fields(kind)})


def net_of(model: Model) -> dict[str, float]:
    """An architecture as numbers."""
    return {
        "attending": model.attending,
        "windowed": model.windowed_layers,
        "window": max(1, model.window),
        "mlps": model.dense_mlps,
        "moes": model.moe_layers,
        "mambas": model.mamba_layers,
        "hidden": model.hidden,
        "heads": model.heads,
        "score_width": model.heads * model.score_size,
        "value_width": model.heads * model.value_size,
        "kv_width": model.kv_heads * (model.score_size + model.value_size),
        "head_size": model.score_size,
        "input_parameters": model.input_parameters,
        "output_parameters": model.output_parameters,
        "ffn": model.ffn,
        "matrices": model.matrices,
        "experts": max(1, model.experts),
        "top_k": model.top_k,
        "expert_ffn": max(1, model.expert_ffn),
        "expert_hidden": model.expert_hidden or model.hidden,
        "expert_parameters": model.expert_parameters,
        "expert_fixed": model.expert_fixed_parameters,
        "mamba_inner": model.mamba_inner,
        "mamba_state": model.mamba_state,
        "mamba_parameters": model.mamba_parameters,
        "vocabulary": model.vocabulary,
        "table_parameters": model.table_parameters,
        "fixed_parameters": model.fixed_parameters,
        "routed_parameters": model.routed_parameters,
    }


LINEAR_FORMATS = {
    "bf16": "bf16",
    "fp16": "bf16",
    "amp_bf16": "bf16",
    "amp_fp16": "bf16",
    "mixed": "bf16",
    "fp8": "fp8",
    "mxfp8": "fp8",
    "fp8_e4m3": "fp8",
    "amp_fp8": "fp8",
    "int8": "int8",
    "nvfp4": "fp4",
    "fp4": "fp4",
    "mxfp4": "fp4",
    "tf32": "tf32",
    "fp32": "fp32",
}
"""Spelling of a training precision to the number format of its matrix multiplications."""


def gear_of(chip: Chip, precision: str, nic: float | None = None) -> dict[str, float]:
    """A chip as numbers, at one precision. nic: bytes a second where the network is known. Raises KeyError for a
    precision that nobody trains in."""
    form = LINEAR_FORMATS[precision]
    wide = form if form in ("fp32", "tf32") else "bf16"
    return {
        "linear": chip.matmul[form] if form != "int8" else 3.0 / (2.0 / chip.matmul[form] + 1.0 / chip.matmul[wide]),
        "wide": chip.matmul[wide],
        "peak_linear": chip.peak[form],
        "narrow": {"bf16": 0.0, "fp32": 0.0, "tf32": 0.0, "int8": 0.5, "fp8": 1.0, "fp4": 2.0}[form]
        + (0.5 if precision == "mxfp8" else 0.0),
        "memory_rate": chip.memory_bytes_per_s,
        "memory_gib": chip.memory_gib,
        "link": chip.link,
        "domain": chip.domain,
        "nic": nic or chip.nic,
        "attention": ATTENTION.get(chip.generation, 1.0),
        "torus": 1.0 if chip.tpu else 0.0,
        "ampere": float(chip.generation == "ampere"),
        "blackwell": float(chip.generation == "blackwell"),
    }


ATTENTION = {"volta": 0.6, "cdna3": 0.8} | dict.fromkeys(("tpu-v3", "tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e"), 0.7)
"""How good fused attention kernels are on a generation, against the share that calibration gives."""


def style_of(framework: Framework, year: float, chip: Chip) -> dict[str, float]:
    """Software of a year on a chip as numbers."""
    fused = year >= FLASH_SINCE or framework.id == "xla"
    return {
        "hide_tp": framework.hide_tp if year >= 2023 or framework.id == "xla" else 0.0,
        "hide_dp": framework.hide_dp if year >= 2022 else 0.0,
        "hide_fsdp": framework.hide_fsdp,
        "hide_ep": framework.hide_ep,
        "hide_cp": framework.hide_cp,
        "traffic": framework.traffic,
        "launch": framework.launch,
        "selective": framework.selective,
        "year": year,
        "flash": float(fused),
        "native": _native(framework, year, chip),
        "flat": float(framework.id != "xla" and year < HIERARCHY_SINCE),
        "skip_last": float(framework.id == "xla"),
        "young": float(np.exp(-max(0.0, year - LAUNCHED.get(chip.generation, 2020.0)) / YOUTH)),
        "sequence_parallel": 1.0 if year >= 2022.3 or framework.id == "xla" else 0.0,
        "wide_loss": float(framework.id in ("fsdp", "fsdp-compiled", "deepspeed")),
        "narrow_gradients": float(framework.id == "megatron" and year >= 2023.5),
    }


SECOND_FLASH_SINCE = 2023.8
"""Software took the second generation of fused attention in autumn 2023. Source: Dao 2023 (arXiv 2307.08691)."""

FIRST_FLASH = 0.6
"""How far the first generation's kernels are from kernels for another chip (0) to the second's (1): about 120 of 200
TFLOP/s on A100. Source: Dao 2023, figure 4."""


def _native(framework: Framework, year: float, chip: Chip) -> float:
    """How well a framework's attention kernels of a year fit a chip: 0 (made for the generation before) to 1."""
    if framework.id == "xla":
        return 1.0
    if chip.generation == "ampere":
        return 1.0 if year >= SECOND_FLASH_SINCE else FIRST_FLASH
    return float(year >= framework.native.get(chip.generation, 0.0))


HIERARCHY_SINCE = 2022.0
"""Until 2021 sharded training gathered each small parameter by itself, so that a group over many machines saw the
rate of one network card instead of a machine's. Source: the ZeRO-3 rows of Narayanan 2021, table 2."""

LAUNCHED = {
    "volta": 2017.5,
    "ampere": 2020.5,
    "hopper": 2022.9,
    "blackwell": 2025.0,
    "cdna3": 2024.0,
    "tpu-v7x": 2025.9,
}
"""When machines with a generation could first be had."""

YOUTH = 0.5
"""Years in which software for a new generation comes to within a third of its early losses."""

FLASH_SINCE = 2022.9
"""Training software used fused attention from late 2022. Source: Dao 2022 (arXiv 2205.14135) and its adoption."""
