"""Sizing of serving: replicas inside each unit, as many units as the rate needs at a level of service."""

from __future__ import annotations

from math import ceil, exp

from fleetyard.catalog import Unknown, known
from fleetyard.sizing import availability, energy, storage
from fleetyard.sizing.assumptions import Assumptions
from fleetyard.sizing.hardware import chip_of
from fleetyard.sizing.machine import rates, require_format
from fleetyard.sizing.models import Model
from fleetyard.sizing.result import GIB, Choice, ImpossibleError, Kind, Memory, Sizing, Workload

INTERVAL = 0.35
"""Half-width, as a logarithm, of the 80 % interval of serving throughput: `throughput`, `limited` and one missing
input."""

IMAGE_GB = 15.0
"""A serving container. Source: published images of vLLM and TensorRT-LLM, 10 to 20 GB unpacked."""


def size_serving(workload: Workload, model: Model, choice: Choice, assume: Assumptions) -> Sizing:
    """The fewest units that serve `model` at the workload's rate within the usual limits on latency.

    Raises ImpossibleError when weights and one sequence do not fit a unit, or a fixed count is too small; ValueError
    when the rate is missing.
    """
    if workload.requests_per_s is None:
        raise ValueError("a serving workload needs a rate")
    from fleetyard.sizing.serving import Service, numbers_of, predict_serving
    from fleetyard.sizing.serving_facts import traffic

    found = rates(choice, assume)
    chip = chip_of(found.accelerator)
    if chip is None or found.memory_bytes_per_s is None:
        why = f"nobody published the memory bandwidth of {found.accelerator.id}"
        raise ImpossibleError("facts", 1, 0, "published memory bandwidth", why, "write a count instead of `sized`")
    require_format(chip, workload.precision)
    chips = choice.accelerators_per_unit
    prompt = workload.prompt_tokens or assume.prompt_tokens
    output = workload.output_tokens or assume.output_tokens
    first_ms, each_ms = traffic(model.name).server
    service = Service(
        model=model,
        chip=chip,
        precision=workload.precision,
        chips=chips,
        tensor=None,
        cores=1,
        input=prompt,
        output=output,
        concurrency=None,
        scenario="server",
        limits=(first_ms / 1e3, each_ms / 1e3),
        year=2026.0,
        static=False,
        python=True,
        missing=0,
    )
    seen = predict_serving([service])
    tensor, batch = float(seen.tensor[0]), float(seen.batch[0])
    row = numbers_of(service)
    usable = chip.memory_gib * 0.92 - 2.5
    weights = (row["fixed"] + row["routed"]) * row["weight"]
    sequence = row["kv_token"] * (prompt + output) * max(1.0, tensor / row["kv_heads"])
    if tensor > chips or not bool(seen.fits[0]):
        need = (weights + row["kv_token"] * (prompt + output)) / chips / GIB
        why = (
            f"{model.name} and one sequence on one of the {choice.unit} are {need - usable:.1f} GiB over for each chip"
        )
        raise ImpossibleError("memory", need, usable, "GiB", why, "larger machines or accelerators")
    tokens_per_s = float(seen.tokens_per_s[0])
    each_per_s = assume.utilisation * tokens_per_s / output
    needed = max(1, ceil(workload.requests_per_s / each_per_s))
    count = needed if choice.count is None else choice.count
    if count < needed:
        why = f"{count} {choice.unit} are fixed, {needed} are needed"
        have = each_per_s * count
        raise ImpossibleError("rate", workload.requests_per_s, have, "requests/s", why, f"count: {needed}")
    hourly = choice.usd_per_hour(count)
    place = energy.site(choice.machine.cloud, choice.region) if choice.region else None
    kwh: float | Unknown = Unknown(f"nobody published the power of {found.accelerator.id}")
    if chip.watts is not None and place is not None:
        kwh = energy.fleet_kw(count * chips, chip.watts, place.overhead, training=False)
    weights_gb = weights * chips / tensor / 1e9
    parts = (("weights", weights / tensor / GIB), ("keys and values", batch * sequence / tensor / GIB))
    cold_s = availability.cold_start_s(IMAGE_GB, weights_gb, found.store_gb_per_s)
    spread = availability.over_zones(needed, assume.zones)
    return Sizing(
        workload=workload.name,
        kind=Kind.SERVE,
        unit=choice.unit,
        count=count,
        hosts=count * choice.hosts_per_unit,
        accelerators=count * chips,
        seconds=None,
        seconds_high=None,
        step_s=float(seen.each_s[0]),
        step_low_s=float(seen.each_s[0]) * exp(-INTERVAL),
        step_high_s=float(seen.each_s[0]) * exp(INTERVAL),
        layout=f"{chips / tensor:.0f} replicas a unit of TP {tensor:.0f}, {batch:.0f} sequences each",
        memory=Memory((parts[0], _room(parts, usable)), usable),
        checkpoint_gb=None,
        checkpoint_interval_s=None,
        goodput=None,
        hydrate_s=storage.fill_s(weights_gb, choice.hosts_per_unit, found.store_gb_per_s),
        usd_per_hour=hourly,
        usd=None,
        kwh=kwh,
        carbon_kg=energy.carbon_kg(kwh, place.grams_per_kwh)
        if place is not None and known(kwh) and known(place.grams_per_kwh)
        else Unknown("no grid intensity of the region, or no rated power of the chip, in the sources"),
        binding=f"rate, within {first_ms:.0f} ms to the first token and {each_ms:.0f} ms for each",
        assumptions=(
            f"{tokens_per_s:,.0f} tokens/s a unit at {float(seen.first_s[0]) * 1e3:.0f} ms to the first token and "
            f"{float(seen.each_s[0]) * 1e3:.0f} ms for each; 80 % interval of the rate "
            f"{tokens_per_s * exp(-INTERVAL):,.0f} to {tokens_per_s * exp(INTERVAL):,.0f}",
            f"{prompt:.0f} tokens of prompt, {output:.0f} of answer",
            f"{assume.utilisation:.0%} busy at the rate asked for, so that bursts keep the limits",
            f"{spread} {choice.unit} over {assume.zones} zones would serve through the loss of one",
            f"a new replica answers after {cold_s:.0f} s",
            *found.notes,
            choice.price_note,
        ),
    )


def _room(parts: tuple[tuple[str, float], ...], usable: float) -> tuple[str, float]:
    """Keys and values take what the scheduler gives them, and never more than is left."""
    name, size = parts[1]
    return name, min(size, usable - parts[0][1])
