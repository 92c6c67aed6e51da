"""Architectures: named ones as data, and parameter counts computed from their widths."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path


class UnknownModelError(KeyError):
    """A model that the data does not hold, with the names that look like it."""

    def __init__(self, name: str, near: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.near = near

    def __str__(self) -> str:
        return f"{self.name!r} is no model that Fleetyard knows"


@dataclass(frozen=True, slots=True)
class Model:
    """A decoder-only language model: dense, mixture of experts, or hybrid with Mamba-2 layers.

    Widths and counts are those of the published configuration. `layers` counts transformer layers; in a hybrid it
    counts blocks, of which `attention_layers` attend, `mamba_layers` are state-space and the rest are MLPs. `ffn` is
    the width of a dense MLP, `expert_ffn` that of one expert, `shared_ffn` the sum over shared experts. `head_dim` 0
    means hidden / heads; `value_dim` 0 means the head size. Latent attention (DeepSeek) has `kv_rank` above 0: heads
    attend over `head_dim` + `rope_dim`. `windowed_layers` of the attention layers see only `window` tokens.
    `expert_hidden` is the width that experts work in when it differs from `hidden`. `batch_tokens`: tokens of one
    optimizer step, None where the publisher does not say.
    """

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    ffn: int
    vocabulary: int
    sequence: int
    gated: bool
    tied: bool
    published: float
    source: str
    learned_positions: bool = False
    batch_tokens: int | None = None
    head_dim: int = 0
    value_dim: int = 0
    q_rank: int = 0
    kv_rank: int = 0
    rope_dim: int = 0
    windowed_layers: int = 0
    window: int = 0
    experts: int = 0
    top_k: int = 0
    expert_ffn: int = 0
    shared_ffn: int = 0
    moe_layers: int = 0
    expert_hidden: int = 0
    attention_layers: int = -1
    mlp_layers: int = -1
    mamba_layers: int = 0
    mamba_inner: int = 0
    mamba_state: int = 0
    mamba_groups: int = 0
    mamba_heads: int = 0
    aliases: tuple[str, ...] = ()

    @property
    def head_size(self) -> int:
        """Width of one attention head, without the part that carries positions in latent attention."""
        return self.head_dim or self.hidden // self.heads

    @property
    def score_size(self) -> int:
        """Width over which one head multiplies queries and keys."""
        return self.head_size + (self.rope_dim if self.kv_rank else 0)

    @property
    def value_size(self) -> int:
        """Width of one head's values."""
        return self.value_dim or self.head_size

    @property
    def attention_width(self) -> int:
        """Heads times head size."""
        return self.heads * self.head_size

    @property
    def attending(self) -> int:
        """Layers that attend."""
        return self.layers if self.attention_layers < 0 else self.attention_layers

    @property
    def dense_mlps(self) -> int:
        """Layers with a dense MLP."""
        return self.layers - self.moe_layers if self.mlp_layers < 0 else self.mlp_layers

    @property
    def matrices(self) -> int:
        """Matrices of one MLP: two, or three with a gate. Source: Shazeer 2020 (arXiv 2002.05202)."""
        return 3 if self.gated else 2

    @property
    def output_parameters(self) -> int:
        """Parameters of one attention output projection."""
        return self.heads * self.value_size * self.hidden

    @property
    def input_parameters(self) -> int:
        """Parameters of one layer's queries, keys and values.

        Source: grouped queries: Ainslie 2023 (arXiv 2305.13245); latent attention: DeepSeek-V2 (arXiv 2405.04434).
        """
        if not self.kv_rank:
            return self.hidden * (self.heads + 2 * self.kv_heads) * self.head_size
        query = self.heads * self.score_size
        queries = self.hidden * self.q_rank + self.q_rank * query if self.q_rank else self.hidden * query
        up = self.kv_rank * self.heads * (self.head_size + self.value_size)
        return queries + self.hidden * (self.kv_rank + self.rope_dim) + up

    @property
    def attention_parameters(self) -> int:
        """Parameters of one attention layer."""
        return self.input_parameters + self.output_parameters

    @property
    def mlp_parameters(self) -> int:
        """Parameters of one dense MLP."""
        return self.matrices * self.hidden * self.ffn

    @property
    def expert_parameters(self) -> int:
        """Parameters of one routed expert."""
        return self.matrices * (self.expert_hidden or self.hidden) * self.expert_ffn

    @property
    def expert_fixed_parameters(self) -> int:
        """Parameters of one expert layer that every token uses: shared experts, router, projections to the experts'
        width."""
        latent = 2 * self.hidden * self.expert_hidden if self.expert_hidden else 0
        return self.matrices * self.hidden * self.shared_ffn + self.hidden * self.experts + latent

    @property
    def mamba_parameters(self) -> int:
        """Parameters of one Mamba-2 layer: input and output projections. Source: Dao and Gu 2024 (arXiv 2405.21060)."""
        into = 2 * self.mamba_inner + 2 * self.mamba_groups * self.mamba_state + self.mamba_heads
        return self.hidden * (into + self.mamba_inner)

    @property
    def routed_parameters(self) -> int:
        """Parameters of all routed experts."""
        return self.moe_layers * self.experts * self.expert_parameters

    @property
    def table_parameters(self) -> int:
        """Parameters of embeddings, output head and learned positions."""
        positions = self.sequence * self.hidden if self.learned_positions else 0
        return (1 if self.tied else 2) * self.vocabulary * self.hidden + positions

    @property
    def layer_parameters(self) -> int:
        """Parameters of the largest kind of layer: attention with the MLP that comes with it."""
        mlp = self.experts * self.expert_parameters + self.expert_fixed_parameters if self.moe_layers else 0
        return self.attention_parameters + max(mlp, self.mlp_parameters)

    @property
    def fixed_parameters(self) -> int:
        """Parameters outside tables and routed experts."""
        return (
            self.attending * self.attention_parameters
            + self.dense_mlps * self.mlp_parameters
            + self.moe_layers * self.expert_fixed_parameters
            + self.mamba_layers * self.mamba_parameters
        )

    @property
    def parameters(self) -> int:
        """All parameters but norms and biases, which are fewer than one in a thousand."""
        return self.fixed_parameters + self.routed_parameters + self.table_parameters

    @property
    def active_parameters(self) -> int:
        """Parameters that one token uses."""
        return self.parameters - self.moe_layers * (self.experts - self.top_k) * self.expert_parameters


@cache
def models() -> Mapping[str, Model]:
    """All named models."""
    rows = tomllib.loads((Path(__file__).parent / "models.toml").read_text(encoding="utf-8"))
    return {name: Model(name=name, **{**row, "aliases": tuple(row.get("aliases", ()))}) for name, row in rows.items()}


def model(name: str) -> Model:
    """One named model. Raises UnknownModelError with near names."""
    known = models()
    if name not in known:
        raise UnknownModelError(name, tuple(get_close_matches(name, known, n=3, cutoff=0.4)))
    return known[name]


def plain(text: str) -> str:
    """A name without case, punctuation and the words that publishers add to it."""
    return re.sub(r"[^a-z0-9.]+", "", text.lower()).replace(".", "")


@cache
def _spellings() -> tuple[tuple[str, str], ...]:
    pairs = {(plain(word), name) for name, each in models().items() for word in (name, *each.aliases)}
    return tuple(sorted(pairs, key=lambda pair: (-len(pair[0]), pair)))


def find_model(text: str) -> Model | None:
    """The named model that a publisher's free text means: the longest name or alias that stands in it, else None.

    Case, punctuation and suffixes such as `-Instruct` or `(MLPerf)` do not matter.
    """
    wanted = plain(text)
    for spelling, name in _spellings():
        at = wanted.find(spelling)
        # A digit before or after would make it another model: 8b is not 38b.
        while at >= 0:
            before, after = wanted[at - 1 : at], wanted[at + len(spelling) : at + len(spelling) + 1]
            if not (before.isdigit() and spelling[0].isdigit()) and not (after.isdigit() and spelling[-1].isdigit()):
                return models()[name]
            at = wanted.find(spelling, at + 1)
    return None
