"""The batch prediction: the columns that are promised, in order, for whatever a table holds."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.cli import main
from fleetyard.findings import Exit
from fleetyard.sizing.batch import SERVING_COLUMNS, TRAINING_COLUMNS, serving_rows, training_rows
from fleetyard.sizing.cases import read_case
from fleetyard.sizing.cells import number
from fleetyard.sizing.columns import model_of, sizes_in
from fleetyard.sizing.hardware import find_chip
from fleetyard.sizing.models import find_model
from fleetyard.sizing.step import BOUNDS

RUN = {
    "id": "a",
    "model": "Llama-3-70B",
    "arch": "dense",
    "params_total": "70553706496",
    "params_active": "70553706496",
    "layers": "80",
    "hidden": "8192",
    "heads": "64",
    "kv_heads": "8",
    "ffn": "28672",
    "vocab": "128256",
    "seq_len": "8192",
    "global_batch_tokens": "1048576",
    "tokens": "",
    "hardware": "H100-SXM-80GB",
    "accelerators": "64",
    "node_size": "8",
    "interconnect": "NVLink4 + 8x400 Gb/s InfiniBand",
    "tp": "4",
    "pp": "4",
    "dp": "4",
    "ep": "1",
    "cp": "1",
    "zero": "1",
    "recompute": "none",
    "precision": "bf16",
    "framework": "NeMo 25.02",
    "micro_batch": "1",
    "interleave": "5",
    "head_dim": "",
    "experts": "",
    "top_k": "",
}
SERVE = {
    "id": "s",
    "model": "Llama-3.1-8B-Instruct",
    "precision": "fp8",
    "hardware": "H100-SXM-80GB",
    "accelerators": "1",
    "tp": "1",
    "engine": "vLLM 0.10.0",
    "input_tokens": "1024",
    "output_tokens": "256",
    "concurrency_or_batch": "32",
    "scenario": "",
}


def predicted(**changes: str | None) -> dict[str, str]:
    (line,) = training_rows([{**RUN, **changes}])
    return dict(zip(TRAINING_COLUMNS, line, strict=True))


def served(**changes: str | None) -> dict[str, str]:
    (line,) = serving_rows([{**SERVE, **changes}])
    return dict(zip(SERVING_COLUMNS, line, strict=True))


def step_s(**changes: str | None) -> float:
    found = predicted(**changes)
    assert found["error"] == ""
    return float(found["step_time_s"])


def test_the_columns_are_those_that_are_promised() -> None:
    assert TRAINING_COLUMNS == (
        "id",
        "step_time_s",
        "step_time_low_s",
        "step_time_high_s",
        "memory_gib",
        "bound_by",
        "error",
    )
    assert SERVING_COLUMNS == (
        "id",
        "throughput_tokens_per_s",
        "throughput_tokens_per_s_low",
        "throughput_tokens_per_s_high",
        "ttft_ms",
        "ttft_ms_low",
        "ttft_ms_high",
        "tpot_ms",
        "tpot_ms_low",
        "tpot_ms_high",
        "error",
    )


def test_a_row_has_its_interval_memory_and_bound() -> None:
    found = predicted()
    assert float(found["step_time_low_s"]) < float(found["step_time_s"]) < float(found["step_time_high_s"])
    assert 20 < float(found["memory_gib"]) < 90
    assert found["bound_by"] in BOUNDS


def test_a_table_keeps_its_order_and_says_what_it_cannot_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{**RUN, "id": "b"}, {**RUN, "id": "x", "hardware": "an abacus"}, {**RUN, "id": "a"}]
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, RUN)
        writer.writeheader()
        writer.writerows(rows)
    assert main(["size", "predict-training", str(source), str(out)]) == Exit.DONE
    with out.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["id"] for row in found] == ["b", "x", "a"]
    assert "abacus" in found[1]["error"]
    assert found[1]["step_time_s"] == found[1]["memory_gib"] == ""
    assert found[0]["step_time_s"] == found[2]["step_time_s"] != ""
    assert "2 of 3 rows" in capsys.readouterr().out


@pytest.mark.parametrize("text", [None, "", "no,such\n1,2\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str | bytes | None) -> None:
    source = tmp_path / "in.csv"
    if isinstance(text, bytes):
        source.write_bytes(text)
    elif text is not None:
        source.write_text(text, encoding="utf-8")
    assert main(["size", "predict-serving", str(source), str(tmp_path / "out.csv")]) == Exit.BAD_INPUT
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    "blank",
    [
        ["micro_batch"],
        ["interleave", "recompute", "zero"],
        ["framework"],
        ["tp", "pp", "dp", "cp", "ep"],
        ["kv_heads", "ffn", "vocab"],
        ["params_total", "params_active", "layers", "hidden", "heads", "kv_heads", "ffn", "vocab"],
        ["arch", "tokens", "node_size", "interconnect", "precision"],
    ],
)
def test_what_is_blank_gets_what_the_software_would_do(blank: list[str]) -> None:
    full = step_s()
    assert 0.6 * full < step_s(**dict.fromkeys(blank, "")) < 1.7 * full
    wide = predicted(**dict.fromkeys(blank, ""))
    width = float(wide["step_time_high_s"]) / float(wide["step_time_low_s"])
    known = predicted()
    assert width >= float(known["step_time_high_s"]) / float(known["step_time_low_s"]) * 0.9


@pytest.mark.parametrize(
    ("column", "spellings"),
    [
        ("hardware", ["H100-SXM-80GB", "NVIDIA H100 80GB HBM3", "h100 sxm", "8x H100", "H100-SXM-80GB (p5.48xlarge)"]),
        ("accelerators", ["64", "64.0", " 64 "]),
        ("precision", ["bf16", "BF16", "bfloat16", "bf16-mixed", "BF16 (mixed)"]),
        ("recompute", ["none", "None", "no"]),
        ("global_batch_tokens", ["1048576", "1,048,576", "1048576.0"]),
        ("tp", ["4", "4.0", "TP4"]),
    ],
)
def test_spellings_of_one_thing_give_one_number(column: str, spellings: list[str]) -> None:
    assert len({step_s(**{column: spelling}) for spelling in spellings}) == 1


def test_lora_in_the_name_means_adapters() -> None:
    assert step_s(model="Llama-3-70B LoRA") < 0.85 * step_s()
    assert float(predicted(model="llama3 70b lora")["memory_gib"]) < float(predicted()["memory_gib"])


def test_an_unknown_model_is_predicted_from_its_columns() -> None:
    named, unnamed = step_s(), step_s(model="Zebra")
    assert unnamed == pytest.approx(named, rel=0.02)
    experts = {"arch": "moe", "experts": "64", "top_k": "4", "ffn": "2048", "params_total": "", "params_active": ""}
    assert predicted(model="Zebra-MoE", **experts)["error"] == ""
    guessed = {"arch": "moe", "ffn": "2048", "params_total": "220e9", "params_active": "20e9"}
    assert predicted(model="Zebra-MoE", **guessed)["error"] == ""
    assert "not known" in predicted(model="Zebra", layers="", params_total="", params_active="")["error"]
    assert predicted(model="Zebra 13B", layers="", params_total="", params_active="")["error"] == ""


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("accelerators", "-8"),
        ("seq_len", "-4096"),
        ("global_batch_tokens", "inf"),
        ("hidden", "0.5"),
        ("layers", "1e9"),
    ],
)
def test_absurd_numbers_are_refused_with_their_column(column: str, value: str) -> None:
    found = predicted(**{column: value})
    assert found["step_time_s"] == ""
    assert column in found["error"]


CELLS = st.sampled_from(
    ["", "0", "1", "8", "-1", "nan", "1e400", "1e18", "x", "é", "4096", "TP8", "n/a", "0.3", " 16 ", "7"]
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(set(RUN) - {"id", "hardware"})), CELLS, max_size=6))
def test_any_row_is_predicted_or_says_why_not(changes: dict[str, str]) -> None:
    found = predicted(**changes)
    assert found["id"] == "a"
    if found["error"]:
        assert found["step_time_s"] == found["memory_gib"] == found["bound_by"] == ""
    else:
        assert 0 < float(found["step_time_low_s"]) <= float(found["step_time_s"]) <= float(found["step_time_high_s"])
        assert float(found["memory_gib"]) > 0


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(set(SERVE) - {"id", "hardware"})), CELLS, max_size=5))
def test_any_service_is_predicted_or_says_why_not(changes: dict[str, str]) -> None:
    found = served(**changes)
    if found["error"]:
        assert found["tpot_ms"] == ""
    else:
        for name in ("throughput_tokens_per_s", "ttft_ms", "tpot_ms"):
            assert 0 < float(found[f"{name}_low"]) <= float(found[name]) <= float(found[f"{name}_high"])


def test_more_concurrency_serves_more_and_waits_longer() -> None:
    few, many = served(concurrency_or_batch="4"), served(concurrency_or_batch="64")
    assert float(many["throughput_tokens_per_s"]) > float(few["throughput_tokens_per_s"])
    assert float(many["tpot_ms"]) > float(few["tpot_ms"])
    assert float(many["ttft_ms"]) > float(few["ttft_ms"])


def test_a_tighter_limit_serves_less() -> None:
    rates = [float(served(scenario=each, concurrency_or_batch="")["throughput_tokens_per_s"]) for each in LEVELS]
    assert rates[0] > rates[1] > rates[2]


LEVELS = ("offline", "server", "interactive")


def test_decoding_is_no_faster_than_reading_the_weights() -> None:
    found = served(concurrency_or_batch="1", precision="bf16")
    assert float(found["tpot_ms"]) > 2 * 8.03e9 / 3.35e12 * 1e3 * 0.9


@pytest.mark.parametrize(
    ("text", "chip"),
    [
        ("TPUv5p", "tpu-v5p"),
        ("TPU v5litepod-256", "tpu-v5e"),
        ("Cloud TPU v4-512", "tpu-v4"),
        ("4xL4", "l4"),
        ("2 x 8 x A100-SXM4-80GB", "a100-sxm4-80gb"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm-80gb"),
        ("DGX B200", "b200-sxm"),
        ("NVIDIA GB200 NVL72", "gb200"),
        ("RTX A6000", "rtx-a6000"),
    ],
)
def test_chips_are_found_however_they_are_spelt(text: str, chip: str) -> None:
    found = find_chip(text)
    assert found is not None
    assert found.id == chip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1920*2048", 3932160),
        ("512 x 4,096", 2097152),
        ("4M", 4000000.0),
        ("1k", 1000.0),
        ("1 000", 1000),
        ("4'194'304", 4194304),
        ("4\u202f194\u202f304", 4194304),
        ("4.2 million", 4200000.0),
        ("8 nodes x 8 GPUs", 64),
        ("64 (8 nodes)", 64),
        ("8 Ki", 8192),
        ("TP=8", 8),
        ("~64", 64),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, value: float) -> None:
    assert number({"batch": text}, "batch") == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DeepSeek-R1-Distill-Llama-70B", "llama-3.1-70b"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-v3"),
        ("DeepSeek-V3.1", "deepseek-v3"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.1-70b"),
        ("Llama2 70b LoRA", "llama-2-70b"),
        ("LLaMA 30B", "llama-1-33b"),
        ("GPT-3 175B", "gpt3-175b"),
    ],
)
def test_models_are_found_however_they_are_spelt(text: str, name: str) -> None:
    found = find_model(text)
    assert found is not None
    assert found.name == name


ODD_CHIPS = [("p5.48xlarge", "h100-sxm-80gb"), ("H-100", "h100-sxm-80gb"), ("AMD Instinct MI-250", "mi250x")]


@pytest.mark.parametrize(("text", "chip"), ODD_CHIPS)
def test_a_hyphen_or_a_machine_type_hides_no_chip(text: str, chip: str) -> None:
    found = find_chip(text)
    assert found is not None
    assert found.id == chip


@pytest.mark.parametrize("changes", [{"tp": "512"}, {"pp": "512"}, {"cp": "4096"}, {"tp": "1", "pp": "100", "dp": ""}])
def test_a_layout_of_more_ranks_than_chips_or_stages_than_layers_is_refused(changes: dict[str, str]) -> None:
    line = predicted(**{"accelerators": "128", **changes})
    assert line["step_time_s"] == ""
    assert line["error"].startswith(("accelerators: ", "pp: "))


def test_a_size_that_is_not_the_named_models_overrules_the_name() -> None:
    widths = dict.fromkeys(("layers", "hidden", "heads", "kv_heads", "ffn", "vocab"), "")
    sized = step_s(model="Somebody's GPT-2-style 65B", params_total="", params_active="", **widths)
    nameless = step_s(model="", params_total="65e9", params_active="", **widths)
    assert sized == pytest.approx(nameless, rel=0.01)


@pytest.mark.parametrize(
    ("name", "sizes"), [("X 235B-A22B", (235e9, 22e9)), ("X-13B", (13e9, None)), ("x", (None, None))]
)
def test_a_name_tells_all_and_active_parameters(name: str, sizes: tuple[float | None, float | None]) -> None:
    assert sizes_in(name) == sizes


def test_experts_in_a_name_share_what_is_no_expert() -> None:
    total, active = sizes_in("Foo 8x22B")
    assert total == pytest.approx(141e9, rel=0.02)
    assert active is not None
    assert active == pytest.approx(39e9, rel=0.15)


def test_a_blank_mlp_is_as_wide_as_the_total_says() -> None:
    row = {"model": "x", "layers": "64", "hidden": "8192", "heads": "128", "params_total": "137e9", "vocab": "32000"}
    found, _ = model_of(row)
    assert found.parameters == pytest.approx(137e9, rel=0.01)


def test_a_blank_batch_grows_with_the_chips_and_is_small_for_tuning() -> None:
    def tokens(model: str, chips: str) -> float:
        case = read_case({"model": model, "hardware": "H100", "accelerators": chips})
        return case.batch * case.sequence

    assert tokens("foo-13b", "8") < tokens("foo-13b", "512") < 64 * tokens("foo-13b", "8")
    assert tokens("foo-13b LoRA", "8") < tokens("foo-13b", "8") / 4


def test_a_blank_expert_degree_is_one_that_fits() -> None:
    line = predicted(model="DeepSeek-V3", hardware="H200", accelerators="1024", **dict.fromkeys(BLANK_LAYOUT, ""))
    assert float(line["memory_gib"]) < 141


BLANK_LAYOUT = ("tp", "pp", "dp", "ep", "cp", "micro_batch", "layers", "hidden", "heads", "params_total", "ffn")


def test_fewer_requests_than_replicas_are_not_served_twice() -> None:
    one = served(accelerators="8", tp="1", concurrency_or_batch="1", model="Llama 3.1 8B")
    assert float(one["throughput_tokens_per_s"]) <= 1.05e3 / float(one["tpot_ms"])


def test_a_blank_format_of_a_service_is_one_that_fits() -> None:
    line = served(model="Llama 3.1 405B", hardware="H100", accelerators="8", tp="8", precision="")
    stated = served(model="Llama 3.1 405B", hardware="H100", accelerators="8", tp="8", precision="fp8")
    assert line["throughput_tokens_per_s"] == stated["throughput_tokens_per_s"]


def test_weights_beyond_the_memory_of_all_chips_are_refused() -> None:
    line = served(model="Llama 3.1 70B", hardware="H100", accelerators="1", tp="1", precision="bf16")
    assert line["throughput_tokens_per_s"] == ""
    assert line["error"].startswith("accelerators: ")


def test_a_row_of_blanks_and_a_very_long_cell_keep_their_places(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    long = "x" * 200_000
    source.write_text(f"id,model,hardware,accelerators\n,,,\n2,{long},H100,8\n3,Foo-7B,H100,8\n", encoding="utf-8")
    assert main(["size", "predict-training", str(source), str(target)]) == Exit.DONE
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert [row["id"] for row in rows] == ["", "2", "3"]
    assert [bool(row["error"]) for row in rows] == [True, True, False]


def test_a_page_that_cannot_be_written_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "missing" / "page.html"
    asked = ["size", "choose", "--model", "llama-3.1-8b", "--tokens", "1e10", "--machine", "p5.48xlarge"]
    assert main([*asked, "--deadline", "30d", "--html", str(page)]) == Exit.PERMISSION
    assert "FY1632 error --html" in capsys.readouterr().err
