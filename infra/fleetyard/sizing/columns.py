"""An architecture from the columns of a table: a named model adjusted to them, or one built from widths alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import log
from typing import Any

from fleetyard.sizing.cells import CellError, length, number, text, whole
from fleetyard.sizing.models import Model, find_model, models

Row = Mapping[str, str | None]

WIDTHS = ("layers", "hidden", "heads")

SAME_SIZE = 1.3
"""Factor between two counts of one model's parameters: with or without tables, biases and shared experts."""

FAR_SIZE = 2.0
"""The same for the size in a name, which may be one expert's or the active one, and is rounded."""

WIDEST_MLP = 16
"""Widths of the model that its MLP is wide at most: eight in models.toml, and as much again."""

SPARSE = 0.8
"""Share of active parameters below which a model whose kind nobody says is a mixture of experts."""


def is_lora(name: str) -> bool:
    """Whether a model name says that only adapters learn."""
    return "lora" in name.lower()


def is_tuned(name: str, software: str) -> bool:
    """Whether a run is fine-tuning on packed short samples. MLPerf's samples are as long as its sequences."""
    lower = name.lower()
    return (
        any(word in lower for word in ("sft", "lora", "finetun", "fine-tun"))
        and "mlperf" not in lower + software.lower()
    )


def model_of(row: Row) -> tuple[Model, int]:
    """The model that a row means, and how many of its facts had to be assumed.

    Columns win over the name; a name that is not known is predicted from its columns, or, where these are blank too,
    from the parameter count that stands in its name or columns. Raises CellError when neither is there.
    """
    name = text(row, "model")
    named = find_model(name) if name else None
    if all(text(row, column) for column in WIDTHS):
        return _from_columns(row, name, named)
    if named is not None and _is_as_large(named, row):
        return _adjusted(named, row), 0
    total, active = sizes_in(name)
    total = number(row, "params_total") or total
    if not total and named is not None:
        return _adjusted(named, row), 2
    if not total:
        raise CellError(f"model: {name or 'blank'!r} is not known, and layers, hidden and heads are blank")
    active = min(total, number(row, "params_active") or active or total)
    return _scaled(name, total, active), 3


def _is_as_large(named: Model, row: Row) -> bool:
    """Whether a named model can be what its row says; `GPT-2-style 65B` is not GPT-2, nor BloombergGPT-50B BLOOM."""
    if whole(row, "hidden", 1e6) not in (None, named.hidden):
        return False
    size, _ = sizes_in(text(row, "model"))
    layers, total = whole(row, "layers", 1e4), number(row, "params_total")
    if total:
        like = named if layers is None else _with_layers(named, layers)
        return 1 / SAME_SIZE < total / like.parameters < SAME_SIZE
    return size is None or any(
        1 / FAR_SIZE < size / each < FAR_SIZE for each in (named.parameters, named.active_parameters)
    )


def _adjusted(named: Model, row: Row) -> Model:
    layers = whole(row, "layers", 1e4)
    vocabulary = whole(row, "vocab", 1e7)
    found = named if layers is None or named.mamba_layers else _with_layers(named, layers)
    return replace(found, vocabulary=vocabulary) if vocabulary else found


def _with_layers(named: Model, layers: int) -> Model:
    if layers == named.layers:
        return named
    share = layers / named.layers
    moe = round(named.moe_layers * share) if named.moe_layers < named.layers else layers
    return replace(named, layers=layers, moe_layers=moe, windowed_layers=round(named.windowed_layers * share))


def _from_columns(row: Row, name: str, named: Model | None) -> tuple[Model, int]:
    layers, hidden, heads = (whole(row, column, 1e6) for column in WIDTHS)
    if not layers or not hidden or not heads:
        raise CellError("layers, hidden and heads must be above zero")
    if heads > hidden:
        raise CellError(f"heads: {heads} are more than hidden, {hidden}")
    if named is not None and named.mamba_layers:
        return _adjusted(named, row), 0
    kv_heads, ffn, vocabulary = whole(row, "kv_heads"), whole(row, "ffn", 1e7), whole(row, "vocab", 1e7)
    head_dim, experts, top_k = whole(row, "head_dim", 1e5), whole(row, "experts", 1e6), whole(row, "top_k", 1e5)
    if named is not None and _agrees(named, hidden, heads, ffn):
        found = _with_layers(named, layers)
        if named.kv_rank == 0 and kv_heads:
            found = replace(found, kv_heads=kv_heads)
        changed = {"vocabulary": vocabulary, "experts": experts if named.moe_layers else None}
        changed |= {"top_k": top_k if named.moe_layers else None, "head_dim": head_dim if not named.kv_rank else None}
        known: dict[str, Any] = {key: value for key, value in changed.items() if value}
        return replace(found, **known), 0
    total, active = number(row, "params_total"), number(row, "params_active")
    moe = "moe" in text(row, "arch").lower() or "expert" in text(row, "arch").lower() or (experts or 0) > 1
    if not text(row, "arch") and total and active and not is_lora(name):
        moe = moe or active < SPARSE * total
    missing = sum(each is None for each in (kv_heads, ffn, vocabulary))
    base = Model(
        name=name or "unnamed",
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads or heads,
        ffn=ffn or 4 * hidden,
        vocabulary=vocabulary or (named.vocabulary if named else 50_304 if kv_heads in (None, heads) else 128_256),
        sequence=length(row, "seq_len") or 2048,
        gated=(ffn or 4 * hidden) != 4 * hidden,
        tied=False,
        published=number(row, "params_total") or 0.0,
        source="columns",
        head_dim=head_dim or (named.head_dim if named and named.hidden == hidden and named.heads == heads else 0),
    )
    if moe:
        return _with_experts(base, total, active, experts, top_k), missing + (experts is None) + (top_k is None)
    if total and ffn is None:
        base = _with_ffn(base, total)
    elif total:
        forms = [replace(base, gated=gated, tied=tied) for gated in (True, False) for tied in (True, False)]
        base = min(forms, key=lambda each: (round(abs(each.parameters / total - 1), 3), each.tied))
    return base, missing


def _with_ffn(base: Model, total: float) -> Model:
    """The MLP as wide as makes up the total, gated as most are where keys are grouped; as it was where none does."""
    base = replace(base, gated=base.kv_heads < base.heads)
    rest = (total - base.parameters + base.layers * base.mlp_parameters) / (base.layers * base.matrices)
    ratio = rest / base.hidden**2
    return replace(base, ffn=round(ratio * base.hidden)) if 1 <= ratio <= WIDEST_MLP else base


def _agrees(named: Model, hidden: int, heads: int, ffn: int | None) -> bool:
    return named.hidden == hidden and named.heads == heads and ffn in (None, named.ffn, named.expert_ffn)


def _with_experts(
    base: Model, total: float | None, active: float | None, experts: int | None, top_k: int | None
) -> Model:
    """A mixture of experts whose missing counts follow from total and active parameters."""
    wide = replace(base, gated=True, ffn=0, moe_layers=base.layers, expert_ffn=base.ffn)
    fixed = wide.fixed_parameters + wide.table_parameters
    one = base.layers * wide.expert_parameters
    if experts is None:
        experts = max(2, round((total - fixed) / one)) if total and total > fixed + 2 * one else 8
    used = max(1.0, (active - fixed) / one) if active and active > fixed else 2.0
    if top_k is None:
        top_k = max(1, min(experts, round(used)))
    shared = max(0, round(used - top_k)) * base.ffn if active else 0
    return replace(wide, experts=experts, top_k=min(top_k, experts), shared_ffn=shared)


EXPERTS_SHARE = 0.8
"""Share of `8x7B` that all parameters are: experts share attention and tables. Source: Mixtral 8x7B, 46.7 of 56;
8x22B, 141 of 176 (models.toml)."""


def sizes_in(name: str) -> tuple[float | None, float | None]:
    """All and active parameters as a name gives them (`13B`, `235B-A22B`, `8x22B`), None where it does not."""
    lower = name.lower()
    sizes = r"(\d+(?:\.\d+)?)\s*([bmt])(?![a-z])"
    found = re.search(rf"(?<![a-z\d.])(?:(\d+)\s*[x\u00d7]\s*)?{sizes}", lower) or re.search(rf"()?{sizes}", lower)
    if found is None:
        return None, None
    one = _size(found[2], found[3])
    if found[1]:
        # Two experts of each layer are active, as in every model that is named so.
        return EXPERTS_SHARE * int(found[1]) * one, 2 * EXPERTS_SHARE * one
    active = re.search(rf"(?<![a-z])a{sizes}", lower)
    return one, _size(active[1], active[2]) if active else None


def _size(digits: str, unit: str) -> float:
    return float(digits) * {"m": 1e6, "b": 1e9, "t": 1e12}[unit]


def _scaled(name: str, total: float, active: float) -> Model:
    """The named model closest in size and sparsity, with as many layers as make up the total."""

    def distance(each: Model) -> float:
        sparsity = each.parameters / each.active_parameters
        return float(abs(_log(each.parameters / total)) + 2 * abs(_log(sparsity * active / total)))

    near = min((each for each in models().values() if not each.mamba_layers), key=distance)
    layers = max(1, round(near.layers * (total - near.table_parameters) / (near.parameters - near.table_parameters)))
    return replace(_with_layers(near, layers), name=name)


def _log(ratio: float) -> float:
    return log(max(ratio, 1e-12))
