"""The published runs as the batch prediction would get them, with what was measured beside them.

The files under `data` are tables of published runs with their sources. What only their `notes` say (micro-batch,
interleaving, head size) is put into the columns that the batch prediction reads; results never are.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"

FRAMEWORKS = {
    "mpt": "llm-foundry 2023.7",
    "sc21": "Megatron-LM (SC'21)",
    "mcore": "Megatron-Core r0.8.0",
    "nemo2407": "NeMo 24.07",
    "nemo2405": "NeMo 24.05",
    "nemo": "NeMo 25.02",
    "maxtext": "MaxText",
    "tpu": "MaxText 2025.4",
    "tpu7x": "MaxText 2025.11",
    "mlperfv30": "NeMo (MLPerf Training v3.0)",
    "mlperfv31": "NeMo (MLPerf Training v3.1)",
    "mlperfv40": "NeMo (MLPerf Training v4.0)",
    "mlperfv41": "NeMo (MLPerf Training v4.1)",
    "mlperfv50": "NeMo (MLPerf Training v5.0)",
    "trn1": "neuronx-distributed",
    "p5": "PyTorch FSDP",
    "titan": "torchtitan",
    "colossal": "Colossal-AI",
    "tinyllama": "lit-gpt (PyTorch FSDP)",
    "nemotron4": "Megatron-LM 2024",
    "palm": "Pax 2022",
    "bloomberggpt": "SageMaker model parallel (PyTorch)",
    "megascale": "Megatron-LM 2023",
    "dgxc2502": "NVIDIA dgxc-benchmarking 25.02 (NeMo)",
    "dgxc2505": "NVIDIA dgxc-benchmarking 25.05 (NeMo)",
    "levanter": "Levanter",
}
"""Family to the software that its source names, as a reader of the source would write it down."""

PUBLISHERS = {"mb": "megatron-bridge", "nemo": "nemo", "mlperf": "mlperf", "dgxc": "dgxc", "mlinf": "mlperf-inference"}
"""Beginnings of families that one publisher keeps: releases of one table are no independent sources."""


@dataclass(frozen=True, slots=True)
class Run:
    """One published run. row: what goes into the prediction; family: source and release; publisher: who measured it."""

    id: str
    row: dict[str, str | None]
    family: str
    publisher: str
    grade: str
    notes: str
    measured: dict[str, float]

    @property
    def group(self) -> tuple[str, str, str]:
        """Rows of one model on one chip from one family are neighbours, not independent samples."""
        return self.family, self.row["model"] or "", self.row["hardware"] or ""


def training_runs(with_time: bool = True) -> list[Run]:
    """The training runs; with_time: only those whose step time is known."""
    found = [_training(row) for row in _rows("training_runs.csv")]
    return [run for run in found if not with_time or "step_time_s" in run.measured]


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _training(row: dict[str, str]) -> Run:
    notes = row["notes"]
    kept: dict[str, str | None] = dict(list(row.items())[: list(row).index("precision") + 1])
    kept |= {
        "framework": _framework(family(row["id"])),
        "micro_batch": _note(notes, r"\bmbs=([\d.]+)") or _note(notes, r"per-chip batch=([\d.]+)"),
        "interleave": _note(notes, r"\bvp=(\d+)"),
        "head_dim": _note(notes, r"head_dim=(\d+)"),
        "experts": "",
        "top_k": "",
    }
    if row["id"].startswith(("maxtext", "tpu")):
        kept["micro_batch"] = _note(notes, r"per-chip batch=([\d.]+)") or ""
    measured = {}
    if row["iteration_seconds"]:
        measured["step_time_s"] = float(row["iteration_seconds"])
    elif row["id"].startswith("maxtext") and row["achieved_tflops_per_accel"]:
        measured["step_time_s"] = _maxtext_step(row, kept)
    if memory := _note(notes, r"peak_mem_gib=([\d.]+)"):
        measured["memory_gib"] = float(memory)
    return _run(row, kept, measured)


def _maxtext_step(row: dict[str, str], kept: dict[str, str | None]) -> float:
    """Step time behind MaxText's printed rate: its convention before mid-2025 counts full attention scores."""
    from fleetyard.sizing.columns import model_of

    model, _ = model_of(kept)
    multiplied = model.parameters - (0 if model.tied else model.vocabulary * model.hidden)
    tokens, length = float(row["global_batch_tokens"]), float(row["seq_len"])
    flops = tokens * (6 * multiplied + 12 * model.layers * model.attention_width * length)
    return flops / float(row["accelerators"]) / float(row["achieved_tflops_per_accel"]) / 1e12


def serving_runs() -> list[Run]:
    """The serving runs."""
    found = []
    for row in _rows("serving_runs.csv"):
        kept: dict[str, str | None] = dict(list(row.items())[: list(row).index("concurrency_or_batch") + 1])
        kept["scenario"] = (_note(row["notes"], r"(\w+) scenario") or "").lower()
        names = ("throughput_tokens_per_s", "ttft_ms", "tpot_ms")
        found.append(_run(row, kept, {name: float(row[name]) for name in names if row[name]}))
    return found


def _run(row: dict[str, str], kept: dict[str, str | None], measured: dict[str, float]) -> Run:
    name = family(row["id"])
    publisher = next((long for short, long in PUBLISHERS.items() if name.startswith(short)), name)
    grade = _note(row["notes"], r"grade=([ABC])") or "B"
    return Run(row["id"], kept, name, publisher, grade, row["notes"], measured)


def family(run: str) -> str:
    """The source and release in a run's id."""
    return run.split("-")[0]


def _framework(name: str) -> str:
    bridge = re.fullmatch(r"mb(\d\d)(\d\d)(?:\d\d)?", name)
    return f"Megatron-Bridge {bridge[1]}.{bridge[2]}" if bridge else FRAMEWORKS.get(name, "")


def _note(notes: str, pattern: str) -> str:
    found = re.search(pattern, notes)
    return found[1] if found else ""
