"""One step on all processes: local gradients, one all-reduce, Adam everywhere alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from trainer import model
from trainer.settings import Settings

State = dict[str, Any]
Step = Callable[[State, np.ndarray, np.ndarray, bool], tuple[State, jax.Array, jax.Array]]
WARMUP = 20
DECAY_MEAN, DECAY_SQUARE, TINY = 0.9, 0.99, 1e-8


def create(settings: Settings) -> State:
    """The state before the first step: parameters, Adam's two means, the step."""
    parameters = model.create(settings)
    zeros = jax.tree.map(np.zeros_like, parameters)
    return {"parameters": parameters, "mean": zeros, "square": zeros, "step": np.int32(0)}


def _adam(state: State, gradient: Any, settings: Settings) -> State:
    step = state["step"] + 1
    rate = settings.learning_rate * jnp.minimum(1.0, step / WARMUP)
    mean = jax.tree.map(lambda m, g: DECAY_MEAN * m + (1 - DECAY_MEAN) * g, state["mean"], gradient)
    square = jax.tree.map(lambda s, g: DECAY_SQUARE * s + (1 - DECAY_SQUARE) * g * g, state["square"], gradient)

    def moved(p: jax.Array, m: jax.Array, s: jax.Array) -> jax.Array:
        m, s = m / (1 - DECAY_MEAN**step), s / (1 - DECAY_SQUARE**step)
        return p - rate * m / (jnp.sqrt(s) + TINY)

    parameters = jax.tree.map(moved, state["parameters"], mean, square)
    return {"parameters": parameters, "mean": mean, "square": square, "step": step}


def build(settings: Settings) -> Step:
    """The compiled step.

    It takes this process' rows, what of them dropout keeps, and whether it was asked to stop; it returns the new
    state, the loss of the whole batch, and whether any process was asked to stop: all learn that in the same step.
    """
    mesh = Mesh(np.array(jax.devices()), ("data",))
    rows_sharding, whole = NamedSharding(mesh, P("data")), NamedSharding(mesh, P())
    share = jax.device_count()

    @partial(jax.shard_map, mesh=mesh, in_specs=(P(), P("data"), P("data"), P("data")), out_specs=P(), check_vma=False)
    def step(state: State, tokens: jax.Array, kept: jax.Array, asked: jax.Array) -> tuple[State, jax.Array, jax.Array]:
        value, gradient = jax.value_and_grad(model.loss)(state["parameters"], tokens, kept, settings)
        flat, unravel = ravel_pytree(gradient)
        # One all-reduce a step: on a slow network many small ones would cost more than the arithmetic.
        summed = jax.lax.psum(jnp.concatenate([flat, value[None], asked[:1].astype(jnp.float32)]), "data")
        return _adam(state, unravel(summed[:-2] / share), settings), summed[-2] / share, summed[-1] > 0

    compiled = jax.jit(step)

    def run(state: State, tokens: np.ndarray, kept: np.ndarray, stop: bool) -> tuple[State, jax.Array, jax.Array]:
        asked = np.full(jax.local_device_count(), stop, np.int32)
        parts = [jax.make_array_from_process_local_data(rows_sharding, part) for part in (tokens, kept, asked)]
        new: tuple[State, jax.Array, jax.Array] = compiled(jax.device_put(state, whole), *parts)
        return new

    return run
