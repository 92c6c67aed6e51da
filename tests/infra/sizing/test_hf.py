"""Hugging Face configurations: parameter counts against published totals, and refusals with the field's path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetyard.findings import FleetyardError
from fleetyard.sizing.hf import from_config, read_config

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
}

MIXTRAL = LLAMA | {"model_type": "mixtral", "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2}

QWEN3_MOE = {
    "model_type": "qwen3_moe",
    "num_hidden_layers": 48,
    "hidden_size": 2048,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "intermediate_size": 6144,
    "moe_intermediate_size": 768,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "decoder_sparse_step": 1,
    "vocab_size": 151936,
}

DEEPSEEK_V3 = {
    "model_type": "deepseek_v3",
    "num_hidden_layers": 61,
    "hidden_size": 7168,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "first_k_dense_replace": 3,
    "moe_layer_freq": 1,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "vocab_size": 129280,
}

GPT_OSS = {
    "model_type": "gpt_oss",
    "num_hidden_layers": 36,
    "hidden_size": 2880,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "intermediate_size": 2880,
    "num_local_experts": 128,
    "num_experts_per_tok": 4,
    "sliding_window": 128,
    "vocab_size": 201088,
}

GEMMA2 = {
    "model_type": "gemma2",
    "num_hidden_layers": 42,
    "hidden_size": 3584,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 256,
    "intermediate_size": 14336,
    "sliding_window": 4096,
    "vocab_size": 256000,
}

GPT2_XL = {
    "model_type": "gpt2",
    "n_layer": 48,
    "n_embd": 1600,
    "n_head": 25,
    "n_positions": 1024,
    "vocab_size": 50257,
}

SCOUT = {
    "model_type": "llama4",
    "text_config": {
        "model_type": "llama4_text",
        "num_hidden_layers": 48,
        "hidden_size": 5120,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "intermediate_size": 8192,
        "intermediate_size_mlp": 16384,
        "num_local_experts": 16,
        "num_experts_per_tok": 1,
        "interleave_moe_layer_step": 1,
        "vocab_size": 202048,
    },
}

QWEN25 = LLAMA | {
    "model_type": "qwen2",
    "num_hidden_layers": 28,
    "hidden_size": 3584,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "intermediate_size": 18944,
    "vocab_size": 152064,
}

PUBLISHED = [
    ("llama", LLAMA, 8.030e9, 8.030e9),
    ("mixtral", MIXTRAL, 46.70e9, 12.88e9),
    ("qwen3-moe", QWEN3_MOE, 30.53e9, 3.35e9),
    ("deepseek-v3", DEEPSEEK_V3, 671.03e9, 37.5e9),
    ("gpt-oss", GPT_OSS, 116.83e9, 5.13e9),
    ("gemma2", GEMMA2, 9.24e9, 9.24e9),
    ("gpt2", GPT2_XL, 1.5576e9, 1.5576e9),
    ("llama4", SCOUT, 107.77e9, 17.2e9),
    ("qwen2.5", QWEN25, 7.616e9, 7.616e9),
]


@pytest.mark.parametrize(("name", "config", "total", "active"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_counts_agree_with_published_totals(name: str, config: dict[str, Any], total: float, active: float) -> None:
    found = from_config(config, name)
    assert found.parameters == pytest.approx(total, rel=0.01)
    assert found.active_parameters == pytest.approx(active, rel=0.15)


def test_a_sliding_window_covers_the_layers_that_have_one() -> None:
    assert (from_config(GEMMA2, "g").windowed_layers, from_config(GEMMA2, "g").window) == (21, 4096)
    assert from_config(LLAMA, "l").windowed_layers == 0


@pytest.mark.parametrize("field", ["num_hidden_layers", "hidden_size", "num_attention_heads", "vocab_size"])
def test_a_missing_field_is_named(field: str) -> None:
    config = {name: value for name, value in LLAMA.items() if name != field}
    with pytest.raises(FleetyardError, match=field):
        from_config(config, "l")


def test_an_absurd_field_is_named() -> None:
    with pytest.raises(FleetyardError, match="hidden_size"):
        from_config(LLAMA | {"hidden_size": 1e300}, "l")


@pytest.mark.parametrize("text", ["", "[]", "nonsense", "3"])
def test_what_is_no_configuration_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(FleetyardError):
        read_config(path)


JUNK = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers()))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*DEEPSEEK_V3, *GEMMA2, "text_config"], JUNK)))
def test_junk_is_refused_or_read_but_never_breaks(junk: dict[str, Any]) -> None:
    try:
        found = from_config(LLAMA | junk, "l")
    except FleetyardError:
        return
    assert found.parameters >= 0


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA | {"_name_or_path": "someone/model"}))
    assert read_config(path).name == "someone/model"
