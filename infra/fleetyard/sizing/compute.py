"""Floating-point work and the time it takes."""

from __future__ import annotations

from fleetyard.sizing.guard import finite, positive, share


def training_flops(
    parameters: float, tokens: float, layers: int = 0, attention_width: int = 0, sequence: int = 0
) -> float:
    """FLOPs to train a dense transformer: 6 for each parameter and token, plus causal attention scores (Q21, Q32).

    parameters: those that a token uses; tokens: seen in all; layers, attention_width (heads x head size) and sequence
    (tokens): leave at 0 to count no attention. Raises ValueError for a negative or non-finite argument.
    Source: Kaplan 2020 (arXiv 2001.08361); PaLM 2022 (arXiv 2204.02311), appendix B, with the causal half of scores.
    """
    finite(parameters=parameters, tokens=tokens, layers=layers, attention_width=attention_width, sequence=sequence)
    return tokens * (6 * parameters + 6 * layers * attention_width * sequence)


def compute_s(flops: float, flops_per_s: float, count: float, efficiency: float = 1.0) -> float:
    """Seconds for some work on `count` equal devices (Q17, Q21): work / (count x rate x efficiency).

    flops_per_s: what one device achieves, not its data sheet; efficiency: parallel efficiency, 0 to 1.
    Raises ValueError for no device, no rate or an efficiency outside 0 to 1.
    Source: Narayanan 2021 (arXiv 2104.04473), section 5.1.
    """
    positive(flops_per_s=flops_per_s, count=count, efficiency=efficiency)
    share(efficiency=efficiency)
    finite(flops=flops)
    return flops / (flops_per_s * count * efficiency)


def pool_utilisation(working: float, owned: float) -> float:
    """The share of a pool that works at once, 0 to 1 (Q17).

    Raises ValueError when more work than there are.
    """
    positive(owned=owned)
    finite(working=working)
    if working > owned:
        raise ValueError(f"working is {working}, more than the {owned} owned")
    return working / owned


def coverage(supply_and_demand: dict[str, tuple[float, float]], weights: dict[str, float]) -> float:
    """How far supplies meet demands, 0 to 1 (Q16): the weighted mean of min(1, supply / demand).

    Each pair is in one unit, so nothing of different units is added; a demand of 0 counts as met. weights: one for each
    resource, adding up to 1. Raises ValueError for weights that do not, or that name other resources.
    The constraints behind it are hard: C c eta >= T / deadline, S s >= D copies, N n >= W / deadline.
    """
    if set(weights) != set(supply_and_demand):
        raise ValueError("weights and resources differ")
    finite(**weights)
    if abs(sum(weights.values()) - 1) > 1e-9:
        raise ValueError(f"weights add up to {sum(weights.values())}, not 1")
    met = 0.0
    for resource, (supply, demand) in supply_and_demand.items():
        finite(supply=supply, demand=demand)
        met += weights[resource] * (min(1.0, supply / demand) if demand else 1.0)
    return met
