"""Named models: architecture as data, parameter counts computed from it."""

from __future__ import annotations

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
    """A dense decoder-only transformer. Widths and counts are those of the published configuration.

    `batch_tokens` is the tokens of one optimizer step, None where the publisher does not say.
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
    learned_positions: bool
    batch_tokens: int | None
    published: float
    source: str

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden // self.heads

    @property
    def attention_width(self) -> int:
        """Heads times head size."""
        return self.heads * self.head_size

    @property
    def layer_parameters(self) -> int:
        """Parameters of one layer: queries and output, keys and values (grouped), the MLP with two or three matrices.

        Source: Vaswani 2017; grouped queries: Ainslie 2023 (arXiv 2305.13245); gated MLP: Shazeer 2020 (2002.05202).
        """
        attention = 2 * self.hidden * self.attention_width + 2 * self.hidden * self.kv_heads * self.head_size
        return attention + (3 if self.gated else 2) * self.hidden * self.ffn

    @property
    def parameters(self) -> int:
        """All parameters but norms and biases, which are fewer than one in a thousand."""
        tables = (1 if self.tied else 2) * self.vocabulary * self.hidden
        positions = self.sequence * self.hidden if self.learned_positions else 0
        return self.layers * self.layer_parameters + tables + positions


@cache
def models() -> Mapping[str, Model]:
    """All named models."""
    rows = tomllib.loads((Path(__file__).parent / "models.toml").read_text(encoding="utf-8"))
    return {
        name: Model(name=name, **{"learned_positions": False, "batch_tokens": None, **row})
        for name, row in rows.items()
    }


def model(name: str) -> Model:
    """One named model. Raises UnknownModelError with near names."""
    known = models()
    if name not in known:
        raise UnknownModelError(name, tuple(get_close_matches(name, known, n=3, cutoff=0.4)))
    return known[name]
