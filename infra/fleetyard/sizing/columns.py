"""An architecture from the columns of a table: a named model adjusted to them, or one built from widths alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import log
from typing import Any

from fleetyard.sizing.cells import CellError, number, text, whole
from fleetyard.sizing.models import Model, find_model, models

Row = Mapping[str, str | None]

WIDTHS = ("layers", "hidden", "heads")


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
    if named is not None:
        return _adjusted(named, row), 0
    total = number(row, "params_total") or _size_in(name)
    if not total:
        raise CellError(f"model: {name or 'blank'!r} is not known, and layers, hidden and heads are blank")
    active = number(row, "params_active") or total
    return _scaled(name, total, active), 3


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
    moe = text(row, "arch").lower().startswith("moe") or (experts or 0) > 1
    missing = sum(each is None for each in (kv_heads, ffn, vocabulary))
    base = Model(
        name=name or "unnamed",
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads or heads,
        ffn=ffn or 4 * hidden,
        vocabulary=vocabulary or (named.vocabulary if named else 50_304 if kv_heads in (None, heads) else 128_256),
        sequence=whole(row, "seq_len", 1e9) or 2048,
        gated=(ffn or 4 * hidden) != 4 * hidden,
        tied=False,
        published=number(row, "params_total") or 0.0,
        source="columns",
        head_dim=head_dim or (named.head_dim if named and named.hidden == hidden and named.heads == heads else 0),
    )
    total, active = number(row, "params_total"), number(row, "params_active")
    if moe:
        return _with_experts(base, total, active, experts, top_k), missing + (experts is None) + (top_k is None)
    if total:
        forms = [replace(base, gated=gated, tied=tied) for gated in (True, False) for tied in (True, False)]
        base = min(forms, key=lambda each: (round(abs(each.parameters / total - 1), 3), each.tied))
    return base, missing


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


def _size_in(name: str) -> float | None:
    found = re.search(r"(\d+(?:\.\d+)?)\s*([bmt])(?![a-z])", name.lower())
    return float(found[1]) * {"m": 1e6, "b": 1e9, "t": 1e12}[found[2]] if found else None


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
