"""A decoder-only transformer over bytes: pre-norm blocks, tied embeddings, dropout of the inputs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trainer.settings import Settings

VOCABULARY = 256
Parameters = dict[str, Any]


def create(settings: Settings) -> Parameters:
    """The untrained parameters, the same on every process. Drawn by numpy: compiling JAX's generators takes seconds."""
    width, layers = settings.width, settings.layers
    random = np.random.Generator(np.random.Philox(key=settings.seed))

    def normal(*shape: int, fan_in: int) -> np.ndarray:
        return (random.standard_normal(shape) * fan_in**-0.5).astype(np.float32)

    return {
        "embedding": normal(VOCABULARY, width, fan_in=width),
        "position": normal(settings.context, width, fan_in=width),
        "norm": np.ones(width, np.float32),
        "blocks": {
            "norm_attention": np.ones((layers, width), np.float32),
            "norm_dense": np.ones((layers, width), np.float32),
            "qkv": normal(layers, width, 3 * width, fan_in=width),
            "out": normal(layers, width, width, fan_in=2 * layers * width),
            "up": normal(layers, width, 4 * width, fan_in=width),
            "down": normal(layers, 4 * width, width, fan_in=8 * layers * width),
        },
    }


def _norm(x: jax.Array, scale: jax.Array) -> jax.Array:
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6) * scale


def _attention(x: jax.Array, block: Parameters, heads: int) -> jax.Array:
    rows, length, width = x.shape
    q, k, v = jnp.split((x @ block["qkv"]).reshape(rows, length, heads, -1), 3, axis=-1)
    score = jnp.einsum("bqhd,bkhd->bhqk", q, k) * (width // heads) ** -0.5
    score = jnp.where(jnp.tril(jnp.ones((length, length), bool)), score, -1e9)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(score), v)
    return mixed.reshape(rows, length, width) @ block["out"]


def loss(parameters: Parameters, tokens: jax.Array, kept: jax.Array, settings: Settings) -> jax.Array:
    """Mean cross-entropy, nats a byte. tokens: [rows, context + 1]; kept: which of its inputs survive dropout."""
    x = parameters["embedding"][tokens[:, :-1]] + parameters["position"]
    if settings.dropout:
        x = jnp.where(kept, x / (1 - settings.dropout), 0.0)

    def layer(x: jax.Array, block: Parameters) -> tuple[jax.Array, None]:
        x = x + _attention(_norm(x, block["norm_attention"]), block, settings.heads)
        dense = jax.nn.gelu(_norm(x, block["norm_dense"]) @ block["up"]) @ block["down"]
        return x + dense, None

    x, _ = jax.lax.scan(layer, x, parameters["blocks"])
    logits = jax.nn.log_softmax(_norm(x, parameters["norm"]) @ parameters["embedding"].T)
    return -jnp.mean(jnp.take_along_axis(logits, tokens[:, 1:, None], axis=-1))
