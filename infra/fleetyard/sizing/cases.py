"""Rows of published or planned training runs, turned into plans: what is blank gets what that software would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isqrt, sqrt

from fleetyard.sizing.cells import CellError, length, number, text, whole
from fleetyard.sizing.columns import is_lora, is_tuned, model_of
from fleetyard.sizing.fabric import scale_out
from fleetyard.sizing.frameworks import YEARS, Framework, find_framework, release, usual_framework, usual_year
from fleetyard.sizing.hardware import Chip, find_chip
from fleetyard.sizing.models import Model
from fleetyard.sizing.plans import FLASH_SINCE, LINEAR_FORMATS
from fleetyard.sizing.result import GIB

Row = Mapping[str, str | None]

CORES_PER_CHIP = 2
"""NeuronCores of a Trainium chip; layouts on it count cores. Source: Neuron documentation."""

USUAL_BATCH = 2.5e5
"""Tokens of a step on one chip where nobody says; with more chips by their root. Source: least squares over the rows
of the calibration file (exponent 0.49, 2.4e5); half of them lie within a factor of two."""

TUNING_BATCH = 3.5e4
"""The same where a model is fine-tuned. Source: median of 66 such rows, 33 thousand with adapters, 46 without."""

RECOMPUTE = {
    "none": (0.0, 0.0),
    "no": (0.0, 0.0),
    "false": (0.0, 0.0),
    "0": (0.0, 0.0),
    "full": (1.0, 0.0),
    "true": (1.0, 0.0),
    "yes": (1.0, 0.0),
    "uniform": (1.0, 0.0),
    "block": (1.0, 0.0),
    "minimal": (-1.0, 0.0),
    "selective": (-1.0, 1.0),
}
"""What a word for recomputation means: share of a layer's forward pass done again (-1: what the software's selective
mode does), and whether attention scores are."""


EXPERT_BYTES = 6
"""Of a routed parameter on a rank that holds it: weight in bf16, gradient in fp32; the optimizer is sharded."""

EXPERT_ROOM = 0.8
"""Share of a chip's memory that experts take at most before people spread them over more chips."""

VERY_LARGE = 1.5e11
"""Parameters from which pipelines of more than sixteen stages are looked at where nobody says."""


@dataclass(frozen=True, slots=True)
class Case:
    """A training run as far as it is stated. None stands where a row says nothing.

    recompute: (share of a layer, attention) or None; missing: how many inputs were assumed, for the width of the
    interval.
    """

    model: Model
    chip: Chip
    framework: Framework
    year: float
    precision: str
    lora: bool
    tuned: bool
    chips: int
    nic: float | None
    cores: int
    sequence: int
    batch: float
    tensor: int | None
    pipeline: int | None
    data: int | None
    context: int | None
    expert: int | None
    interleave: int | None
    micro: float | None
    zero: float | None
    recompute: tuple[float, float] | None
    missing: int
    named_framework: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One complete way to lay a case out: degrees, micro-batch, share of recomputation."""

    tensor: int
    pipeline: int
    context: int
    expert: int
    interleave: int
    micro: float
    zero: float
    recompute: float
    recompute_attention: float
    kept: float

    @property
    def again(self) -> tuple[float, float, float]:
        """What is done again: share of a layer, attention, and what is kept instead."""
        return self.recompute, self.recompute_attention, self.kept


def read_case(row: Row) -> Case:
    """A row as a case. Raises CellError with the column that cannot be used and why."""
    words = text(row, "hardware")
    chip = find_chip(words) if words else None
    if chip is None:
        raise CellError(f"hardware: {words or 'blank'!r} is no chip that Fleetyard knows")
    model, missing = model_of(row)
    tensor, pipeline, data = whole(row, "tp", 1e6), whole(row, "pp", 1e6), whole(row, "dp", 1e7)
    context, expert = whole(row, "cp", 1e6), whole(row, "ep", 1e6)
    zero = _zero(row)
    chips = whole(row, "accelerators", 1e7)
    if chips is None:
        chips = (tensor or 1) * (pipeline or 1) * (data or 1) * (context or 1)
        missing += 2
        if not (tensor and data):
            raise CellError("accelerators: blank, and the layout does not say how many")
    sequence = length(row, "seq_len") or model.sequence
    tokens = number(row, "global_batch_tokens", 1e15)
    software = text(row, "framework")
    name = text(row, "model")
    framework = find_framework(software) or usual_framework(chip, tensor or 1, pipeline or 1, zero)
    year = release(software)
    cores = _cores(chip, chips, tensor, pipeline, data)
    micro = number(row, "micro_batch", 1e6)
    if not tokens:
        usual = (TUNING_BATCH if is_lora(name) or is_tuned(name, software) else USUAL_BATCH) * sqrt(chips)
        tokens = max(min(model.batch_tokens or usual, usual), sequence * (data or 1) * (micro or 1))
        missing += 3
    _possible(model, chips * cores, tensor or 1, pipeline or 1, context or 1)
    node = whole(row, "node_size", 1e5) or 8
    missing += sum(each is None for each in (tensor, pipeline, micro)) + (not software)
    return Case(
        model=model,
        chip=chip,
        framework=framework,
        year=min(max(year if year is not None else usual_year(chip), YEARS[0]), YEARS[1]),
        precision=_precision(row),
        lora=is_lora(name),
        tuned=is_tuned(name, software),
        chips=chips,
        nic=scale_out(text(row, "interconnect"), node) if not chip.tpu else None,
        cores=cores,
        sequence=sequence,
        batch=max(1.0, tokens / sequence),
        tensor=tensor,
        pipeline=pipeline,
        data=data,
        context=context,
        expert=expert,
        interleave=whole(row, "interleave", 1e4),
        micro=micro or None,
        zero=zero,
        recompute=_recompute(row),
        missing=missing,
        named_framework=bool(software),
    )


def _possible(model: Model, ranks: int, tensor: int, pipeline: int, context: int) -> None:
    """Raise CellError for a layout that no machine can hold: it would come out faster than its chips are."""
    if tensor * pipeline * context > ranks:
        raise CellError(
            f"accelerators: one replica of tp {tensor}, pp {pipeline} and cp {context} takes "
            f"{tensor * pipeline * context}, and there are {ranks}"
        )
    if pipeline > model.layers + 2:
        raise CellError(f"pp: {pipeline} stages are more than the {model.layers} layers of {model.name}")


def _precision(row: Row) -> str:
    words = text(row, "precision").lower().replace(" ", "") or "bf16"
    if words in LINEAR_FORMATS:
        return words
    for spelling in ("nvfp4", "mxfp4", "fp4", "mxfp8", "fp8", "int8", "tf32", "fp32", "fp16", "bf16"):
        if spelling in words:
            return spelling
    if "float8" in words or "e4m3" in words:
        return "fp8"
    if any(word in words for word in ("16", "half", "mixed", "amp")):
        return "bf16"
    if any(word in words for word in ("float32", "single", "full")) or words in ("32", "32-bit", "32-true"):
        return "fp32"
    raise CellError(f"precision: {words!r} is no number format that training uses")


def _zero(row: Row) -> float | None:
    words = text(row, "zero").lower()
    if not words:
        return None
    if "fsdp" in words or "full" in words:
        return 3.0
    found = number(row, "zero", 1e3)
    return None if found is None else min(found, 3.0)


def _recompute(row: Row) -> tuple[float, float] | None:
    if (row.get("recompute") or "").strip().lower() == "none":
        return RECOMPUTE["none"]
    words = text(row, "recompute").lower()
    if not words:
        return None
    if words in RECOMPUTE:
        return RECOMPUTE[words]
    if "offload_act" in words:
        return (0.0, 0.0)
    if "offload" in words or "custom" in words or "qkv" in words:
        return (0.7, 0.0)
    if "full" in words:
        return RECOMPUTE["full"]
    return RECOMPUTE["selective"]


def _cores(chip: Chip, chips: int, tensor: int | None, pipeline: int | None, data: int | None) -> int:
    """Parts into which a layout divides one chip."""
    if chip.vendor != "aws" or not tensor:
        return 1
    ranks = tensor * (pipeline or 1) * (data or 1)
    return CORES_PER_CHIP if ranks >= CORES_PER_CHIP * chips or not data else 1


def complete(case: Case) -> list[Way]:
    """Every way to fill in what a case leaves open, within what its software would do. At least one."""
    ranks = case.chips * case.cores
    found: list[Way] = []
    for tensor, pipeline, context in _degrees(case, ranks):
        data = max(1, ranks // (tensor * pipeline * context))
        each = max(case.batch / data, 1e-3)
        expert = _expert(case, ranks, tensor, pipeline, data * context)
        for micro in _micros(case, each):
            for zero in _zeros(case, tensor, pipeline):
                for share, attention, kept in _again(case):
                    interleave = case.interleave or _interleave(case, pipeline, each / micro)
                    found.append(
                        Way(tensor, pipeline, context, expert, interleave, micro, zero, share, attention, kept)
                    )
    return found


def _degrees(case: Case, ranks: int) -> Iterator[tuple[int, int, int]]:
    context = case.context or (1 if case.sequence <= 32_768 or case.chip.tpu else 0)
    if case.tensor and case.pipeline and context:
        yield case.tensor, case.pipeline, context
        return
    if case.framework.id in ("xla", "fsdp", "deepspeed") and not case.tensor and not case.pipeline and not case.data:
        yield 1, 1, context or max(1, min(ranks, case.sequence // 32_768))
        return
    node = min(case.chip.domain, 8) * case.cores
    tensors = [case.tensor] if case.tensor else [t for t in (1, 2, 4, 8, 16, 32) if t <= node]
    pipelines = [case.pipeline] if case.pipeline else _pipelines(case)
    contexts = [context] if context else [c for c in (1, 2, 4, 8, 16, 32) if case.sequence // c >= 4096 or c == 1]
    if case.data and not case.context:
        contexts = [1, 2, 4, 8, 16, 32]
    any_found = False
    for tensor in tensors:
        for pipeline in pipelines:
            for c in contexts:
                group = tensor * pipeline * c
                if ranks % group or (case.data and ranks // group != case.data):
                    continue
                if ranks // group > case.batch and not case.data:
                    continue
                any_found = True
                yield tensor, pipeline, c
    if not any_found:
        yield tensors[0], pipelines[0], contexts[0]


def _pipelines(case: Case) -> list[int]:
    """Stages where nobody says: powers of two, and for very large models deeper ones that layers divide over."""
    deep = range(20, 65) if case.model.parameters > VERY_LARGE and not case.chip.tpu else ()
    return [p for p in (1, 2, 4, 8, 16) if case.model.layers >= p] + [p for p in deep if case.model.layers % p == 0]


def _expert(case: Case, ranks: int, tensor: int, pipeline: int, data: int) -> int:
    if not case.model.moe_layers:
        return 1
    if case.expert:
        return min(case.expert, max(1, ranks // pipeline))
    if case.chip.tpu or case.framework.id in ("fsdp", "deepspeed"):
        return 1
    most = min(case.model.experts, max(8, min(case.chip.domain, 64)), max(1, ranks // pipeline))
    legal = [
        e for e in range(1, case.model.experts + 1) if case.model.experts % e == 0 and (ranks // pipeline) % e == 0
    ]
    usual = max(e for e in legal if e <= most)
    held = case.model.routed_parameters * EXPERT_BYTES / pipeline
    room = EXPERT_ROOM * case.chip.memory_gib * GIB / case.cores
    return next((e for e in legal if e >= usual and held / e <= room), legal[-1])


def _micros(case: Case, each: float) -> list[float]:
    """each: sequences of one step for one data-parallel rank."""
    if case.micro:
        return [min(case.micro, each) if each >= 1 else each]
    if each <= 1:
        return [each]
    if case.framework.id == "xla":
        return [each]
    most = 8 if case.framework.id in ("megatron", "neuron") else 64
    return [float(b) for b in (1, 2, 4, 8, 16, 32, 64) if b <= min(each, most)]


def _zeros(case: Case, tensor: int, pipeline: int) -> list[float]:
    if case.zero is not None:
        return [case.zero]
    if case.framework.id == "megatron" and case.year < 2022.5:
        return [0.0]
    if pipeline > 1 and case.framework.zero == 3:
        return [1.0]
    return [float(case.framework.zero)]


def _again(case: Case) -> list[tuple[float, float, float]]:
    if case.recompute is not None:
        share, attention = case.recompute
        if share < 0:
            share = case.framework.selective
            attention = attention if case.framework.id not in ("xla", "fsdp-compiled") else 0.0
        return [(share, attention, 1.0 - share)]
    if case.framework.id == "xla":
        return [(0.0, 0.0, 1.0), (0.15, 0.0, 0.6), (0.3, 0.0, 0.45), (1.0, 0.0, 0.0)]
    if case.year < FLASH_SINCE:
        return [(0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 0.0, 0.0)]
    # Single modules done again (norms, activations, latent projections) save much memory for little time.
    return [(0.0, 0.0, 1.0), (0.08, 0.0, 0.6), (0.5, 0.0, 0.5), (1.0, 0.0, 0.0)]


def _interleave(case: Case, pipeline: int, micros: float) -> int:
    """Chunks of a stage where nobody says: NVIDIA's software interleaves where layers divide and micro-batches
    suffice."""
    if pipeline == 1 or case.framework.id != "megatron" or case.year < 2021:
        return 1
    # Layers divide over stages, by themselves or with embedding and head counted as two more.
    per_stage = next((n / pipeline for n in (case.model.layers, case.model.layers + 2) if n % pipeline == 0), None)
    if per_stage is None or micros < pipeline:
        return 1
    wanted = max(1, int(per_stage) // 4)
    return max(
        (v for v in range(1, isqrt(int(per_stage)) + wanted) if int(per_stage) % v == 0 and v <= wanted), default=1
    )
