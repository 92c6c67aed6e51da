"""Throughput and latencies of serving engines: paged keys and values, continuous batching, limits on latency."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetyard.sizing.cells import CellError, number, text, whole
from fleetyard.sizing.columns import model_of
from fleetyard.sizing.frameworks import release
from fleetyard.sizing.hardware import Chip, find_chip
from fleetyard.sizing.models import Model
from fleetyard.sizing.result import GIB
from fleetyard.sizing.serving_facts import ServingConstants, Traffic, serving_constants, traffic

Row = Mapping[str, str | None]

FORMATS = {
    "fp32": (4.0, "fp32", 2.0),
    "bf16": (2.0, "bf16", 2.0),
    "fp16": (2.0, "bf16", 2.0),
    "int8": (1.0, "int8", 2.0),
    "fp8": (1.0, "fp8", 1.0),
    "int4": (0.55, "bf16", 2.0),
    "awq": (0.55, "bf16", 2.0),
    "gptq": (0.55, "bf16", 2.0),
    "w4a16": (0.55, "bf16", 2.0),
    "nvfp4": (0.56, "fp4", 1.0),
    "mxfp4": (0.56, "fp4", 1.0),
    "fp4": (0.56, "fp4", 1.0),
}
"""Number format to bytes of a weight, the format of its multiplications, and bytes of a key or value."""

SCENARIOS = ("offline", "server", "interactive")
MOST_SEQUENCES = 2048
"""Sequences that one replica decodes together at most: the default limits of engines are 256 to 2,048 or above."""
MEMORY_SHARE = 0.92
"""Share of a chip's memory that engines take. Source: vLLM and TensorRT-LLM defaults (0.90)."""
MACHINE_CHIPS = 8
SAME_LENGTH = 0.4
"""Logarithm by which a stated mean of a data set differs from the published one at most."""
WEIGHT_SHARE = 0.8
"""Share of all memory that weights take at most, so that some is left for keys and values."""
OTHER_GIB = 2.5
"""Activations, graphs and runtime of one chip. Source: aiconfigurator takes 3.5 GB and 0.4 GB for NCCL."""
PREFILL_CHUNK = 8192
"""Tokens of a prompt that one step takes at most. Source: engines' defaults of 2,048 to 8,192."""
TIGHT_FIRST_S = 1.0
ENGINE_YEAR = 2025.5


@dataclass(frozen=True, slots=True)
class Service:
    """A serving run as far as it is stated. limits: p99 of first token and each token in seconds, None where there
    are none.

    concurrency: requests in flight over all chips, None for as many as fit.
    """

    model: Model
    chip: Chip
    precision: str
    chips: int
    tensor: int | None
    cores: int
    input: float
    output: float
    concurrency: float | None
    scenario: str
    limits: tuple[float, float] | None
    year: float
    static: bool
    python: bool
    missing: int


def read_service(row: Row) -> Service:
    """A row as a service. Raises CellError with the column that cannot be used and why."""
    words = text(row, "hardware")
    chip = find_chip(words) if words else None
    if chip is None:
        raise CellError(f"hardware: {words or 'blank'!r} is no chip that Fleetyard knows")
    model, missing = model_of(row)
    tensor, chips = whole(row, "tp", 1e5), whole(row, "accelerators", 1e6)
    cores = 2 if chip.vendor == "aws" and tensor else 1
    if chips is None:
        chips, missing = max(1, (tensor or 1) // cores), missing + 1
    scenario = next((each for each in SCENARIOS if each in text(row, "scenario").lower()), "")
    concurrency = number(row, "concurrency_or_batch", 1e7)
    given, made = number(row, "input_tokens", 1e8), number(row, "output_tokens", 1e8)
    usual = _traffic(model, scenario, given, made)
    engine = text(row, "engine").lower()
    limits = None
    if scenario in ("server", "interactive"):
        pair = usual.server if scenario == "server" else usual.interactive
        limits = (pair[0] / 1e3, pair[1] / 1e3)
    precision = _precision(row)
    if precision and tensor:
        _possible(model, chip, precision, chips)
    return Service(
        model=model,
        chip=chip,
        precision=precision or _fitting(model, chip, chips),
        chips=chips,
        tensor=tensor,
        cores=cores,
        input=given if given else usual.input,
        output=max(1.0, made if made else usual.output),
        concurrency=concurrency or None,
        scenario=scenario,
        limits=limits,
        year=_year(engine, chip),
        python=any(
            word in engine for word in ("vllm", "mango", "sglang", "transformers", "tgi", "lmdeploy", "deepspeed")
        ),
        static="neuronx" in engine or "neuron" in engine or "nxd" in engine,
        missing=missing + (given is None) + (made is None) + (tensor is None),
    )


def _traffic(model: Model, scenario: str, given: float | None, made: float | None) -> Traffic:
    """What a public benchmark sends to the model, unless a length that is given belongs to other requests."""
    benchmark = traffic(model.name)
    pairs = ((given, benchmark.input), (made, benchmark.output))
    same = all(not each or abs(log(each / mean)) < SAME_LENGTH for each, mean in pairs)
    return benchmark if scenario or same else traffic("")


def _possible(model: Model, chip: Chip, precision: str, chips: int) -> None:
    """Raise CellError where the weights alone are more than the chips have, and nothing is left open."""
    need, have = model.parameters * FORMATS[precision][0] / GIB, chips * chip.memory_gib
    if need > have:
        raise CellError(f"accelerators: {model.name} in {precision} is {need:.0f} GiB, and {chips} have {have:.0f}")


def _fitting(model: Model, chip: Chip, chips: int) -> str:
    """The widest format in which one machine holds the weights where nobody says: bf16, else fp8, else four bits."""
    room = min(chips, MACHINE_CHIPS) * chip.memory_gib * GIB * WEIGHT_SHARE
    narrow = "nvfp4" if chip.peak["fp4"] > chip.peak["fp8"] else "int4"
    return next((form for form in ("bf16", "fp8", narrow) if model.parameters * FORMATS[form][0] <= room), "bf16")


def _precision(row: Row) -> str:
    """The format that a row names, blank where it names none."""
    words = text(row, "precision").lower()
    if not words:
        return ""
    for spelling in ("nvfp4", "mxfp4", "fp4", "w4a16", "awq", "gptq", "int4", "fp8", "int8", "fp32", "bf16", "fp16"):
        if spelling in words:
            return spelling
    if "float8" in words or "w8a8" in words:
        return "fp8"
    if re.search(r"(?<!\d)4[\s-]?bit|\bn?[qf]+4", words):
        return "int4"
    if re.search(r"(?<!\d)8[\s-]?bit|\bq8", words):
        return "int8"
    if any(word in words for word in ("16", "half", "mixed", "amp")):
        return "bf16"
    if any(word in words for word in ("float32", "single")):
        return "fp32"
    raise CellError(f"precision: {words!r} is no number format that serving uses")


def _year(engine: str, chip: Chip) -> float:
    found = re.search(r"vllm\D{0,3}0\.(\d+)(?:\.(\d+))?", engine)
    if found:
        minor = int(found[1])
        return min(
            2026.5, {4: 2024.4, 5: 2024.6, 6: 2024.9, 7: 2025.1, 8: 2025.25}.get(minor, 2025.4 + 0.12 * (minor - 9))
        )
    found = re.search(r"tensorrt[- ]llm\D{0,3}(\d)\.(\d+)", engine)
    if found:
        if found[1] == "0":
            return 2023.8 + 0.085 * (int(found[2]) - 5)
        return 2025.6 + 0.2 * int(found[2])
    found = re.search(r"tensorrt (\d+)\.(\d+)", engine)
    if found:
        return {9: 2024.3}.get(int(found[1]), 2024.4 + 0.11 * int(found[2]))
    named = release(engine)
    return named if named is not None else 2025.0


@dataclass(frozen=True, slots=True)
class ServingPrediction:
    """For each service: tokens a second over all chips, seconds to the first and for each token, layout, and whether
    it fits."""

    tokens_per_s: NDArray[np.float64]
    first_s: NDArray[np.float64]
    each_s: NDArray[np.float64]
    tensor: NDArray[np.float64]
    batch: NDArray[np.float64]
    fits: NDArray[np.bool_]


def _tensors(service: Service) -> list[int]:
    ranks = service.chips * service.cores
    if service.tensor:
        return [min(service.tensor, ranks) if ranks % min(service.tensor, ranks) == 0 else ranks]
    most = min(ranks, max(8, min(service.chip.domain, 16)))
    inside = [t for t in (1, 2, 4, 8, 16) if t <= most and ranks % t == 0] or [1]
    # Where the chips named cannot hold the model they are a share of a larger deployment.
    return [*inside, *(ranks * more for more in (2, 4, 8, 16))]


def predict_serving(services: Sequence[Service], k: ServingConstants | None = None) -> ServingPrediction:
    """Throughput and latencies of each service; where the tensor-parallel degree is open, the one that serves most.

    Source: Pope 2022 (arXiv 2211.05102) for the roofline; Orca and vLLM for continuous batching.
    """
    k = k or serving_constants()
    rows: list[tuple[int, dict[str, float]]] = []
    for index, service in enumerate(services):
        base = numbers_of(service)
        rows += [(index, base | {"tensor": float(t)}) for t in _tensors(service)]
    owner = np.array([index for index, _ in rows], dtype=np.intp)
    v = {name: np.array([row[name] for _, row in rows]) for name in rows[0][1]} if rows else {}
    rate, first, each, batch, fits = _evaluate(v, k)
    score = np.where(fits, rate, rate * 1e-9)
    order = np.lexsort((-score, owner))
    best = order[np.searchsorted(owner[order], np.arange(len(services)))]
    return ServingPrediction(rate[best], first[best], each[best], v["tensor"][best], batch[best], fits[best])


def numbers_of(s: Service) -> dict[str, float]:
    """A service in the numbers that the model takes: parameters, bytes, rates of one rank."""
    m, chip, cores = s.model, s.chip, float(s.cores)
    weight, form, kv = FORMATS[s.precision]
    if m.kv_rank:
        per_token, heads = float(m.attending * (m.kv_rank + m.rope_dim)) * 2.0 * kv / 2.0, 1.0
    else:
        per_token = float(m.attending * m.kv_heads * (m.score_size + m.value_size)) * kv
        heads = float(m.kv_heads)
    return {
        "fixed": float(m.fixed_parameters + m.vocabulary * m.hidden),
        "tables": float(m.table_parameters),
        "routed": float(m.routed_parameters),
        "active": float(m.active_parameters - (0 if m.tied else m.vocabulary * m.hidden)),
        "experts": float(max(1, m.experts)),
        "top_k": float(m.top_k),
        "layers": float(max(1, m.attending + m.mamba_layers)),
        "hidden": float(m.hidden),
        "score": float(m.attending * m.heads * (m.score_size + m.value_size)),
        "kv_token": per_token,
        "kv_heads": heads,
        "windowed": m.windowed_layers / max(1, m.attending),
        "window": float(max(1, m.window)),
        "weight": weight,
        "matmul": chip.matmul[form] / cores,
        "wide": chip.matmul["bf16"] / cores,
        "memory_rate": chip.memory_bytes_per_s / cores,
        "memory": chip.memory_gib * GIB / cores,
        "link": chip.link / cores,
        "chips": float(s.chips * s.cores),
        "input": s.input,
        "output": s.output,
        "concurrency": s.concurrency or 0.0,
        "first_limit": s.limits[0] if s.limits else np.inf,
        "each_limit": s.limits[1] if s.limits else np.inf,
        "year": s.year,
        "amd": float(chip.vendor == "amd"),
        "neuron": float(chip.vendor == "aws"),
        "google": float(chip.vendor == "google"),
        "static": float(s.static),
        "python": float(s.python),
        "moe_layers": float(m.moe_layers),
        "fp4": float(form == "fp4"),
        "moe": float(m.moe_layers > 0),
        "tuned": float(bool(s.scenario)),
    }


def _evaluate(v: Mapping[str, Any], k: ServingConstants) -> tuple[Any, Any, Any, Any, Any]:
    t = v["tensor"]
    replicas = v["chips"] / t
    vendor = 1.0 + v["amd"] * (k.amd_share - 1.0) + v["neuron"] * (k.neuron_share - 1.0)
    vendor = vendor + v["google"] * (k.google_share - 1.0)
    vendor = vendor * (1.0 - k.older * np.clip(ENGINE_YEAR - v["year"], 0.0, 2.0))
    most, fits = _room(v, t, k)
    given = np.where(v["concurrency"] > 0, np.maximum(1.0, v["concurrency"] / np.maximum(replicas, 1.0)), most)
    batch = np.minimum(most, given)

    bandwidth = v["memory_rate"] * k.decode_share * vendor
    narrow = (1.0 + v["fp4"] * (k.fp4_share - 1.0)) * (1.0 + v["moe"] * (k.moe_share - 1.0))
    rate = v["matmul"] * np.minimum(1.0, k.compute_share * vendor * (1.0 + v["tuned"] * (k.tuned - 1.0))) * narrow
    mean = v["input"] + 0.5 * v["output"]
    seen = 1.0 - v["windowed"] + v["windowed"] * np.minimum(1.0, v["window"] / mean)
    kv_mean = v["kv_token"] * mean * seen * np.maximum(1.0, t / v["kv_heads"])
    reduces = np.where(t > 1, 2.0 * v["layers"], 0.0)
    layers = (v["layers"] * k.layer_us + v["moe_layers"] * k.moe_layer_us) * 1e-6
    slower = 1.0 + v["python"] * (k.python - 1.0)
    host = k.step_us * 1e-6 * slower * (1.0 - v["static"])

    def reduce_s(tokens: Any) -> Any:
        size = 2.0 * tokens * v["hidden"]
        latency = (k.reduce_us + k.hop_us * np.log2(t) * v["neuron"]) * 1e-6
        return reduces * (latency + 2.0 * (t - 1.0) / t * size / (0.7 * v["link"]))

    # One prompt: products, scores, and weights read once for each chunk.
    scores = v["score"] * v["input"] * v["input"] / (v["wide"] * 0.6 * vendor)
    prompt = 2.0 * v["active"] * v["input"] / rate + scores
    weights = (v["fixed"] + v["routed"]) * v["weight"]
    chunks = np.ceil(v["input"] / PREFILL_CHUNK)
    alone = np.maximum(prompt / k.alone_share, weights / bandwidth * chunks) / t
    alone = alone + reduce_s(v["input"]) * 0.7 + layers

    def token_s(b: Any, prompts: Any = 1.0) -> Any:
        """Seconds between tokens of one sequence when b decode together and `prompts` prompts come in for each
        answer."""
        touched = v["fixed"] + v["routed"] * (1.0 - (1.0 - v["top_k"] / v["experts"]) ** b)
        memory = (touched * v["weight"] + b * kv_mean / k.kv_share) / (t * bandwidth)
        arriving = prompts * b / v["output"]
        compute = (2.0 * v["active"] * b / rate + arriving * prompt) / t
        both = np.maximum(memory, compute) + k.together * np.minimum(memory, compute)
        return both + reduce_s(b + arriving * v["input"]) + layers + host + b * k.sequence_us * 1e-6 * slower

    # Under a limit the batch is the largest whose mean time per token leaves room for the tail; a queue that keeps the
    # limit on the first token holds the load below that, and as many sequences are in flight as the load then needs.
    limited = np.isfinite(v["each_limit"])
    allowed = v["each_limit"] * k.slack
    full = np.where(limited & (token_s(batch) > allowed), _largest(batch, lambda b: token_s(b) <= allowed), batch)
    load = np.where(limited, k.server_load, 1.0)
    wanted = load * full / token_s(full)
    busy = _largest(full, lambda b: b / token_s(b) < wanted)
    batch = np.where(limited, busy, full)
    static = v["static"] > 0
    each = token_s(batch, np.where(static, 0.0, 1.0))
    whole = v["output"] * each + np.where(static, batch * prompt / t, 0.0)
    # Fewer requests than replicas leave some of these idle.
    working = np.where(v["concurrency"] > 0, np.minimum(replicas, np.maximum(1.0, v["concurrency"])), replicas)
    served = working * np.where(limited, wanted, batch * v["output"] / whole)
    queue = np.where(static, alone * batch**k.static_power, alone * (1.0 + 0.15 * (batch - 1.0)))
    # Under a tight limit prompts go first, and the engine's own slowness does not add up.
    calm = np.where(v["first_limit"] < TIGHT_FIRST_S, 1.0, slower)
    waited = np.minimum(alone + k.wait_steps * calm * each, np.maximum(v["first_limit"], alone))
    first = np.where(limited, waited, queue)
    first = np.where(v["concurrency"] == 1.0, alone, first)
    return served, first, each, batch, fits


def _room(v: Mapping[str, Any], t: Any, k: ServingConstants) -> tuple[Any, Any]:
    """Sequences whose keys and values one replica holds, and whether it holds any."""
    weights = (v["fixed"] + v["routed"]) * v["weight"]
    other = OTHER_GIB * GIB * np.where(v["memory"] < 40 * GIB, 0.5, 1.0)
    held = v["memory"] * MEMORY_SHARE - other - weights / t
    end = v["input"] + k.reserve * v["output"]
    share = 1.0 - v["windowed"] + v["windowed"] * np.minimum(1.0, v["window"] / end)
    room = held / (v["kv_token"] * end * share * np.maximum(1.0, t / v["kv_heads"]) / t)
    return np.clip(room, 1.0, MOST_SEQUENCES), room >= 1.0


def _largest(top: Any, holds: Any) -> Any:
    """The largest batch up to `top` for which a condition holds, by bisection of its logarithm; 1 where none does."""
    low, high = np.ones_like(top), top.copy()
    for _ in range(14):
        middle = np.sqrt(low * high)
        good = holds(middle)
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return low
