"""The formulas: worked numbers of the articles read rightly (T1 to T6), published anchors, and refusals of nonsense."""

from __future__ import annotations

from math import expm1, inf, isclose, nan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetyard.catalog import catalog
from fleetyard.sizing import checkpoints, compute, memory, network, ratios, storage
from fleetyard.sizing.machine import NoSuchNodeError, machines_with
from fleetyard.sizing.models import UnknownModelError, model, models

GB = 1e9
A100 = catalog().accelerator("a100-sxm4-40gb")
seconds = st.floats(min_value=1e-3, max_value=1e8)


def test_t1_all_reduce_of_a_billion_bf16_gradients_over_100_nodes() -> None:
    assert network.ring_all_reduce_s(1e9 * 2, 100, 12.5 * GB) == pytest.approx(0.3168, abs=5e-4)


def test_t2_no_machine_has_64_accelerators() -> None:
    with pytest.raises(NoSuchNodeError, match="64") as caught:
        machines_with(catalog(), 64)
    assert caught.value.most == 16
    assert "p4d.24xlarge" in {machine.name for machine in machines_with(catalog(), 8)}


def test_t3_a_billion_parameters_with_adam_fit_one_40_gb_a100() -> None:
    states = memory.training_state_bytes(1e9)
    assert states == pytest.approx(16 * GB)
    assert isinstance(A100.memory_mib, int)
    assert states < A100.memory_mib * 2**20


def test_t4_a_gigabyte_over_100_gigabits() -> None:
    assert network.transfer_s(1 * GB, 100e9) == pytest.approx(0.08)


def test_t5_800_gb_from_four_drives() -> None:
    assert storage.read_s(800, 3, 4) == pytest.approx(66.7, abs=0.05)
    storage.require_capacity(800, 200, 4)
    with pytest.raises(storage.CapacityError) as caught:
        storage.require_capacity(800, 150, 4)
    assert caught.value.need_gb - caught.value.have_gb == pytest.approx(200)


def test_t6_a_billion_parameters_on_eight_a100() -> None:
    flops = compute.training_flops(1e9, 20e9)
    assert flops == pytest.approx(1.2e20)
    taken = compute.compute_s(flops, 271e12, 8)
    assert taken == pytest.approx(5.5e4, rel=0.01)
    assert taken / 3600 == pytest.approx(15.4, abs=0.05)


def test_messages_each_pay_the_fixed_delay() -> None:
    assert network.transfer_s(1000, 8000, delay_s=0.5, messages=4) == pytest.approx(3.0)


def test_sharing_tasks_lengthen_a_transfer() -> None:
    alone = network.shared_transfer_s(100 * GB, 4, 5 * GB)
    assert alone == pytest.approx(5.0)
    assert network.shared_transfer_s(100 * GB, 4, 5 * GB, sharing_tasks=3) == pytest.approx(3 * alone)


@pytest.mark.parametrize(("fmt", "size"), [("fp32", 4e9), ("bf16", 2e9), ("fp16", 2e9), ("int8", 1e9), ("int4", 5e8)])
def test_weights_by_number_format(fmt: str, size: float) -> None:
    assert memory.weight_bytes(1e9, fmt) == size


def test_ratios_of_the_articles_worked_numbers() -> None:
    assert ratios.kept_share(1e9, 5e8) == 0.5
    assert ratios.compression_factor(1e9, 5e8) == 2
    assert ratios.mean_access_s(0.9, 0.1, 1.0) == pytest.approx(0.19)
    assert ratios.relative_latency(0.1, 1.0) == pytest.approx(0.1)
    assert ratios.speed_up(1.0, 0.1) == pytest.approx(10)
    assert ratios.delay_improvement(0.010, 0.001) == pytest.approx(10)
    assert ratios.relative_delay(0.010, 0.001) == pytest.approx(0.1)
    assert ratios.utilisation_gain(0.3, 0.6) == pytest.approx(2)
    assert ratios.hit_ratio(9, 10) == pytest.approx(0.9)


def test_coverage_adds_no_different_units_and_does_not_grow_with_demand() -> None:
    weights = {"compute": 0.5, "storage": 0.25, "network": 0.25}
    enough = {"compute": (2e15, 1e15), "storage": (10.0, 5.0), "network": (1.0, 0.0)}
    assert compute.coverage(enough, weights) == 1.0
    short = {**enough, "storage": (10.0, 40.0)}
    assert compute.coverage(short, weights) == pytest.approx(0.5 + 0.25 * 0.25 + 0.25)
    with pytest.raises(ValueError, match="add up"):
        compute.coverage(enough, {"compute": 0.5, "storage": 0.5, "network": 0.5})


@pytest.mark.parametrize("name", sorted(models()))
def test_counted_parameters_are_the_published_ones_within_a_percent(name: str) -> None:
    assert abs(model(name).parameters / model(name).published - 1) < 0.01


def test_keys_and_values_of_a_token_are_the_published_ones() -> None:
    for name, size in (("llama-3.1-8b", 131072), ("llama-3.1-70b", 327680), ("llama-3.1-405b", 516096)):
        row = model(name)
        assert memory.kv_bytes_per_token(row.layers, row.kv_heads, row.head_size) == size


def test_flops_of_405b_at_8k_are_the_published_ones() -> None:
    row = model("llama-3.1-405b")
    flops = compute.training_flops(row.parameters, 1, row.layers, row.attention_width, row.sequence)
    assert flops == pytest.approx(2.52e12, rel=0.02)


def test_a_mistyped_model_is_answered_with_near_names() -> None:
    with pytest.raises(UnknownModelError) as caught:
        model("llama-2-7")
    assert "llama-2-7b" in caught.value.near


def test_activations_without_gate_and_recompute_are_34_sbh() -> None:
    assert memory.activation_bytes(2048, 1, 4096, 4 * 4096, 32, gated=False, recompute=False) == 34 * 2048 * 4096 * 32


def test_recomputation_keeps_one_input_a_layer() -> None:
    held = memory.activation_bytes(2048, 1, 4096, 4 * 4096, 32, gated=False, recompute=True)
    assert held == 2 * 2048 * 4096 * 32 + 34 * 2048 * 4096


def test_goodput_of_16384_gpus_is_what_their_owner_reports() -> None:
    mtbf = checkpoints.job_mtbf_s(50_700, 16_384)
    assert mtbf / 3600 == pytest.approx(3.09, abs=0.01)
    interval = checkpoints.checkpoint_interval_s(5, mtbf)
    assert interval == pytest.approx(sqrt(2 * 5 * mtbf), rel=0.02)
    assert checkpoints.goodput(5, interval, mtbf, 600) == pytest.approx(0.916, abs=0.002)


def test_checkpoints_of_bloom_and_nemotron_are_near_what_they_publish() -> None:
    assert checkpoints.checkpoint_gb(176e9) == pytest.approx(2300, rel=0.08)
    assert checkpoints.checkpoint_gb(340e9) == pytest.approx(4400, rel=0.09)


@given(seconds, seconds)
def test_the_interval_beats_its_neighbours(stall: float, mtbf: float) -> None:
    """Daly's interval loses no more than half or double of it, by his exact cost of a failure-prone run."""
    interval = checkpoints.checkpoint_interval_s(stall, mtbf)
    if stall >= mtbf / 2 or mtbf / interval > 1e6:
        return

    def cost(each: float) -> float:
        return mtbf * expm1((each + stall) / mtbf) / each

    assert cost(interval) <= cost(interval * 2) * (1 + 1e-9)
    assert cost(interval) <= cost(interval / 2) * (1 + 1e-9)


@given(seconds, seconds)
def test_the_interval_is_positive_and_never_above_the_mtbf_by_much(stall: float, mtbf: float) -> None:
    interval = checkpoints.checkpoint_interval_s(stall, mtbf)
    assert 0 < interval <= 1.2 * mtbf
    if stall >= 2 * mtbf:
        assert interval == mtbf


@pytest.mark.parametrize("bad", [-1.0, inf, nan])
def test_nonsense_is_refused_everywhere(bad: float) -> None:
    calls = [
        lambda: checkpoints.checkpoint_interval_s(bad, 10),
        lambda: checkpoints.checkpoint_interval_s(10, bad),
        lambda: checkpoints.checkpoint_gb(bad),
        lambda: checkpoints.goodput(1, 1, 1, bad),
        lambda: compute.training_flops(bad, 1),
        lambda: compute.compute_s(1, bad, 1),
        lambda: compute.compute_s(1, 1, 1, bad),
        lambda: network.transfer_s(bad, 1),
        lambda: network.ring_all_reduce_s(1, 2, bad),
        lambda: storage.read_s(bad, 1, 1),
        lambda: memory.weight_bytes(bad, "bf16"),
        lambda: memory.training_state_bytes(bad),
        lambda: ratios.speed_up(bad, 1),
        lambda: ratios.mean_access_s(bad, 1, 1),
        lambda: ratios.kept_share(1, bad),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="must"):
            call()


@given(st.integers(min_value=2, max_value=4096), st.floats(min_value=1, max_value=1e12))
def test_a_ring_never_moves_more_than_twice_the_buffer(nodes: int, size: float) -> None:
    taken = network.ring_all_reduce_s(size, nodes, 1.0)
    assert size * (1 - 1e-9) <= taken < 2 * size
    assert isclose(network.ring_gather_s(size, nodes, 1.0) * 2, taken)


@given(st.integers(min_value=1, max_value=4096), seconds, seconds)
def test_speed_up_is_at_most_the_number_of_nodes(nodes: int, work: float, comm: float) -> None:
    assert network.parallel_speed_up(work, nodes, comm) <= nodes * (1 + 1e-9)
    assert network.parallel_speed_up(work, nodes, 0) == pytest.approx(nodes)
