"""What a pool becomes: how it is bought, what its cards carry, what it does at boot, what may touch its data."""

from __future__ import annotations

import dataclasses
import subprocess
from typing import Any

import pytest
from example_stacks import AWS, GPU, TPU, plan_of, stack_of

from fleetyard.catalog import Buy, Fabric, Unknown, catalog
from fleetyard.findings import FleetyardError
from fleetyard.plan import Plan, PoolPlan, make_plan, read_sized
from fleetyard.plan.buying import climb
from fleetyard.spec import Update


def train(base: dict[str, Any], **changes: Any) -> PoolPlan:
    return plan_of(base, {f"pools/train/{key}": value for key, value in changes.items()}).pool("train")


def taken(*ladder: Buy, machine: str = "p4d.24xlarge", reservation: str | None = None) -> Buy | None:
    rungs = climb(ladder, catalog().machine("aws", machine), reservation, tpu=False)
    assert [rung.buy for rung in rungs] == list(ladder)
    assert all(rung.why for rung in rungs)
    return next((rung.buy for rung in rungs if rung.taken), None)


def test_the_first_rung_that_is_known_to_hold_is_taken() -> None:
    assert taken(Buy.RESERVATION, Buy.SPOT, Buy.ON_DEMAND) is Buy.ON_DEMAND
    assert taken(Buy.RESERVATION, Buy.ON_DEMAND, reservation="cr-0123456789abcdef0") is Buy.RESERVATION
    assert taken(Buy.ON_DEMAND, Buy.RESERVATION, reservation="cr-0123456789abcdef0") is Buy.ON_DEMAND


def test_a_rung_that_nobody_published_is_taken_only_when_nothing_known_follows() -> None:
    assert taken(Buy.SPOT) is Buy.SPOT
    assert taken(Buy.SPOT, Buy.ON_DEMAND) is Buy.ON_DEMAND


def test_no_rung_is_taken_where_none_holds() -> None:
    assert taken(Buy.FLEX_START, Buy.RESERVATION) is None
    assert taken(Buy.ON_DEMAND, machine="p3.2xlarge") is None


def test_p4d_follows_the_layout_of_the_aws_documentation() -> None:
    pool = train(AWS)
    assert [(i.card, i.device, str(i.kind)) for i in pool.interfaces] == [
        (0, 0, "interface"),
        (0, 1, "efa-only"),
        (1, 0, "efa-only"),
        (2, 0, "efa-only"),
        (3, 0, "efa-only"),
    ]
    assert pool.fabric is Fabric.EFA
    assert pool.together
    assert pool.addresses_per_machine == 1


def test_another_layout_takes_other_addresses() -> None:
    assert train(AWS, machine="p5.48xlarge", nics="efa-everywhere").addresses_per_machine == 32
    single = train(AWS, nics="single")
    assert len(single.interfaces) == 1
    assert single.fabric is Fabric.NONE


@pytest.mark.parametrize("machine", [m.name for m in catalog().machines("aws") if m.efa and not m.refused])
def test_every_efa_machine_uses_every_card_once_and_has_an_ip_primary(machine: str) -> None:
    pool = train(AWS, machine=machine)
    slots = [(i.card, i.device) for i in pool.interfaces]
    assert len(set(slots)) == len(slots)
    primary = next(i for i in pool.interfaces if (i.card, i.device) == (0, 0))
    assert primary.kind != "efa-only"
    assert pool.machine is not None
    assert sum(i.kind != "interface" for i in pool.interfaces) == pool.machine.efa


def test_slices_are_counted_with_their_hosts_and_chips() -> None:
    pool = train(TPU, slices=3)
    assert (pool.count, pool.hosts, pool.accelerators) == (3, 12, 48)
    assert pool.cache is not None
    assert pool.cache.medium == "ram"
    assert pool.image == "v2-alpha-tpuv5-lite"


def test_tpu_prices_are_per_chip() -> None:
    assert train(TPU, slices=2).usd_per_hour == pytest.approx(2 * 16 * 1.20)


def test_an_unknown_price_makes_the_sum_unknown() -> None:
    plan = plan_of(AWS, {"pools/train/machine": "p5e.48xlarge", "pools/train/buy": ["capacity-block"]})
    assert isinstance(plan.usd_per_hour, Unknown)


def test_a_pool_reads_data_sets_and_writes_only_its_own_prefix() -> None:
    (grant,) = train(AWS).grants
    assert (grant.store, grant.read, grant.write) == ("data", ("datasets/", "pools/train/"), ("pools/train/",))
    assert plan_of(AWS).pool("control").grants == ()


def test_defaults_leave_jobs_alone_and_roll_what_serves() -> None:
    assert train(AWS).update is Update.ON_NEXT_BOOT
    assert train(AWS, role="serve").update is Update.ROLLING


def test_every_machine_boots_from_a_disk_that_it_takes() -> None:
    assert train(AWS).disk_type == "gp3"
    assert train(GPU).disk_type == "pd-balanced"
    assert train(GPU, machine="a4-highgpu-8g").disk_type == "hyperdisk-balanced"
    assert train(GPU, machine="g4-standard-48").disk_type == "hyperdisk-balanced"


def test_machines_are_spread_evenly_over_zones() -> None:
    plan = plan_of(
        GPU,
        {
            "zones": ["us-central1-a", "us-central1-b", "us-central1-c"],
            "pools/train/count": 8,
            "pools/train/placement": "anywhere",
        },
    )
    assert plan.pool("train").per_zone() == {"us-central1-a": 3, "us-central1-b": 3, "us-central1-c": 2}


@pytest.mark.parametrize("base", [AWS, GPU, TPU])
def test_boot_scripts_are_shell_that_parses_and_never_change(base: dict[str, Any]) -> None:
    script = train(base).user_data
    assert script == train(base).user_data
    assert "@" not in script.replace("${drives[@]}", "").replace("{#drives[@]}", "")
    inner = script.split("<<'FLEETYARD_SCRIPT'\n")[1].split("FLEETYARD_SCRIPT\n")[0]
    for text in (script, inner):
        # systemd starts a file only by the interpreter that its first line names.
        assert text.startswith("#!/bin/bash\n")
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    assert len(script) < 16_000


def test_a_sized_pool_takes_its_count_from_the_lock() -> None:
    stack = stack_of(AWS, pools__train__count="sized")
    assert make_plan(stack, {"train": 9}).pool("train").count == 9
    with pytest.raises(FleetyardError, match="fleetyard size --stack demo"):
        make_plan(stack, {})


def test_a_missing_lock_says_how_to_make_it(tmp_path: Any) -> None:
    with pytest.raises(FleetyardError, match="fleetyard size --stack demo") as wrong:
        read_sized(stack_of(AWS, pools__train__count="sized"), tmp_path)
    assert wrong.value.exit_code == 65
    assert read_sized(stack_of(AWS), tmp_path) == {}


def test_a_plan_is_the_same_every_time_and_cannot_be_changed() -> None:
    first, second = plan_of(AWS), plan_of(AWS)
    assert first == second
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.region = "eu-west-1"  # type: ignore[misc]


def test_adding_a_zone_keeps_every_subnet_and_the_shared_gateway() -> None:
    def subnets(plan: Plan) -> set[tuple[str, str]]:
        return {(subnet.key, str(subnet.cidr)) for subnet in plan.network.subnets}

    before = plan_of(AWS, {"zones": ["use1-az6"]})
    after = plan_of(AWS, {"zones": ["use1-az6", "use1-az1"], "pools/train/zones": ["use1-az6"]})
    assert subnets(before) < subnets(after)
    assert before.network.nats[0].zone == after.network.nats[0].zone
    assert before.pool("train").subnets == after.pool("train").subnets


def test_nat_per_zone_gives_each_zone_its_own() -> None:
    plan = plan_of(AWS, {"zones": ["use1-az6", "use1-az1"], "network/egress": "nat-per-zone"})
    assert [(nat.zone, nat.serves) for nat in plan.network.nats] == [
        ("use1-az6", ("use1-az6-private",)),
        ("use1-az1", ("use1-az1-private",)),
    ]
    assert plan_of(AWS, {"network/egress": "none"}).network.nats == ()
