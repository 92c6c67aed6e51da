"""Bytes that a model takes on accelerators."""

from __future__ import annotations

from fleetyard.sizing.guard import finite, positive

BYTES_PER_WEIGHT = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "int8": 1.0, "fp8": 1.0, "int4": 0.5}
"""Bytes of one weight in each number format (Q2)."""

TRAINING_STATE_BYTES = 16
"""Bytes of one parameter in mixed-precision training with Adam: weight 2, gradient 2, and in fp32 the master weight
and two moments, 12. Source: Rajbhandari 2020 (arXiv 1910.02054), section 3.1."""


def weight_bytes(parameters: float, number_format: str) -> float:
    """Bytes of the weights alone (Q2): parameters times bytes of each.

    number_format: a key of BYTES_PER_WEIGHT. Raises ValueError for another, or a negative count.
    """
    finite(parameters=parameters)
    if number_format not in BYTES_PER_WEIGHT:
        raise ValueError(f"{number_format} is none of {', '.join(BYTES_PER_WEIGHT)}")
    return parameters * BYTES_PER_WEIGHT[number_format]


def training_state_bytes(parameters: float, shards: int = 1) -> float:
    """Bytes on one accelerator of weights, gradients and Adam's states, split over `shards` accelerators (Q26).

    Raises ValueError for no shard. Source: Rajbhandari 2020, stage 3.
    """
    positive(shards=shards)
    finite(parameters=parameters)
    return parameters * TRAINING_STATE_BYTES / shards


def activation_bytes(
    sequence: int, micro_batch: int, hidden: int, ffn: int, layers: int, gated: bool, recompute: bool
) -> float:
    """Bytes of activations that the backward pass needs, 16-bit, with attention that stores no score matrix.

    sequence: tokens; micro_batch: sequences; hidden, ffn: widths; gated: an MLP with a gate keeps three intermediates.
    recompute: keep only the input of each layer, and one whole layer while it is computed again.
    Raises ValueError for a negative argument.
    Source: Korthikanti 2022 (arXiv 2205.05198), equations 4 and 5, the MLP part written for a general width.
    """
    finite(sequence=sequence, micro_batch=micro_batch, hidden=hidden, ffn=ffn, layers=layers)
    one_layer = sequence * micro_batch * hidden * (18 + (6 if gated else 4) * ffn / hidden)
    if recompute:
        return 2 * sequence * micro_batch * hidden * layers + one_layer
    return one_layer * layers


def kv_bytes_per_token(layers: int, kv_heads: int, head_size: int) -> float:
    """Bytes that one token of context keeps while a model serves, 16-bit keys and values.

    Raises ValueError for a negative argument. Source: Pope 2022 (arXiv 2211.05102); grouped queries: arXiv 2305.13245.
    """
    finite(layers=layers, kv_heads=kv_heads, head_size=head_size)
    return 2 * layers * kv_heads * head_size * 2
