"""Any model of which a Hugging Face `config.json` lies on disk, read into an architecture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleetyard.findings import error
from fleetyard.sizing.models import Model

UNGATED = {"gpt2", "gpt_neox", "gpt_bigcode", "opt", "bloom", "falcon", "mpt", "phi", "starcoder2", "gptj", "nemotron"}
"""Model types whose MLP has two matrices."""

LEARNED = {"gpt2", "opt", "gpt_bigcode"}
"""Model types with a table of positions."""

MOST = 1e9


def read_config(path: Path) -> Model:
    """A model from its `config.json`. Raises FleetyardError (exit 65) with the field that is missing or absurd."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise error("FY1640", path.name, f"is no JSON that can be read: {problem}", "a model's config.json") from None
    if not isinstance(found, dict):
        raise error("FY1640", path.name, "is no JSON object", "a model's config.json")
    return from_config(found, str(found.get("_name_or_path") or path.parent.name or path.stem), path.name)


def from_config(config: Mapping[str, Any], name: str, where: str = "config.json") -> Model:
    """A model from the fields of a configuration; nested text configurations are used where there are any."""
    text = config.get("text_config")
    fields: dict[str, Any] = {**config, **text} if isinstance(text, dict) else dict(config)
    kind = str(fields.get("model_type", ""))

    def number(*names: str, default: float | None = None) -> int:
        for each in names:
            value = fields.get(each)
            if isinstance(value, list) and value:
                value = value[0]
            if isinstance(value, int | float) and not isinstance(value, bool):
                if not 0 <= value <= MOST:
                    raise error("FY1641", f"{where}: {each}", f"{value} cannot be meant", f"between 0 and {MOST:g}")
                return int(value)
        if default is None:
            raise error("FY1641", f"{where}: {names[0]}", "is missing", f"one of {', '.join(names)}")
        return int(default)

    layers = number("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    hidden = number("hidden_size", "n_embd", "d_model")
    heads = number("num_attention_heads", "n_head", "n_heads")
    if not (layers and hidden and heads):
        raise error("FY1641", where, "has no layers, width or heads", "a configuration of a transformer")
    kv_heads = number("num_key_value_heads", "num_kv_heads", "n_head_kv", default=_kv_heads(fields, heads))
    ratio = float(fields.get("expansion_ratio") or 4)
    ffn = number("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "d_ff", default=ratio * hidden)
    experts = number("num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts", default=0)
    expert_ffn = number("moe_intermediate_size", "expert_intermediate_size", "moe_ffn_hidden_size", default=ffn)
    dense_first = number("first_k_dense_replace", default=0)
    every = number("interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq", default=1) or 1
    moe_layers = (layers - dense_first) // every if experts else 0
    shared = number("n_shared_experts", "num_shared_experts", default=0) * expert_ffn
    shared = shared or number("shared_expert_intermediate_size", default=0)
    if kind.startswith("llama4"):
        shared, expert_ffn = ffn, ffn
        ffn = number("intermediate_size_mlp", default=ffn)
    latent = number("kv_lora_rank", default=0)
    head_dim = number("qk_nope_head_dim", default=0) if latent else number("head_dim", default=0)
    windowed, window = _windows(fields, layers, number("sliding_window", default=0))
    return Model(
        name=name,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        ffn=ffn,
        vocabulary=number("vocab_size"),
        sequence=min(number("max_position_embeddings", "n_positions", "max_seq_len", default=4096), 8192),
        gated=kind not in UNGATED and not str(fields.get("hidden_act", "")).startswith("relu2"),
        tied=bool(fields.get("tie_word_embeddings", kind in TIED)),
        published=0.0,
        source=where,
        learned_positions=kind in LEARNED,
        head_dim=head_dim,
        value_dim=number("v_head_dim", default=0) if latent else 0,
        q_rank=number("q_lora_rank", default=0) if latent and fields.get("q_lora_rank") else 0,
        kv_rank=latent,
        rope_dim=number("qk_rope_head_dim", default=0) if latent else 0,
        windowed_layers=windowed,
        window=window,
        experts=experts,
        top_k=number("num_experts_per_tok", "moe_topk", "num_experts_per_token", "moe_top_k", default=2)
        if experts
        else 0,
        expert_ffn=expert_ffn if experts else 0,
        shared_ffn=shared if experts else 0,
        moe_layers=moe_layers,
    )


TIED = {"gpt2", "gpt_bigcode", "opt", "bloom", "falcon", "mpt", "gemma", "gemma2", "gemma3", "gemma3_text"}
"""Model types whose output head is the embedding unless the configuration says otherwise."""


def _kv_heads(fields: Mapping[str, Any], heads: int) -> int:
    """Key heads of configurations that do not count them: one for multi-query attention."""
    nested = fields.get("attn_config")
    if isinstance(nested, dict) and nested.get("kv_n_heads"):
        return int(nested["kv_n_heads"])
    return 1 if fields.get("multi_query") and not fields.get("new_decoder_architecture") else heads


def _windows(fields: Mapping[str, Any], layers: int, window: int) -> tuple[int, int]:
    """How many layers see only a window, and how wide it is."""
    types = fields.get("layer_types")
    if isinstance(types, list) and window:
        return sum("sliding" in str(each) for each in types), window
    pattern = fields.get("sliding_window_pattern")
    if isinstance(pattern, int) and pattern > 1 and window:
        return layers - layers // pattern, window
    if window and fields.get("model_type") in ("gemma2", "gpt_oss"):
        return layers // 2, window
    if window and fields.get("use_sliding_window", fields.get("model_type") == "mistral"):
        return layers, window
    return 0, 0
