"""The catalogue says what EC2 says, as moto and botocore ship it; known disagreements are listed with their reason."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import moto.ec2
import pytest

from fleetyard.catalog import Answer, Buy, Machine, Port, catalog, known

RESOURCES = Path(moto.ec2.__file__).parent / "resources"

# (machine, fact) -> why the two differ. A pair that agrees again is an error: take it off the list.
DISAGREEMENTS = {
    ("trn2.48xlarge", "accelerator MiB"): "EC2 reports 512 GiB for each Trainium2; the Neuron documentation says 96",
    (
        "p6-b200.48xlarge",
        "card Gbps",
    ): "EC2 reports half of each card as baseline; the EFA table and 3,200 Gbps say 400",
    ("g6e.24xlarge", "card Gbps"): "EC2 reports the machine's total for each card",
    ("g6e.48xlarge", "card Gbps"): "EC2 reports the machine's total for each card",
    ("g7.2xlarge", "network Gbps"): "Karpenter's table and EC2's baseline were read at different times",
    ("g7.4xlarge", "network Gbps"): "Karpenter's table and EC2's baseline were read at different times",
    ("g7.8xlarge", "network Gbps"): "Karpenter's table and EC2's baseline were read at different times",
}
NOT_IN_MOTO = {
    "p3.2xlarge": "retired from DescribeInstanceTypes",
    "p3.8xlarge": "retired from DescribeInstanceTypes",
    "p3.16xlarge": "retired from DescribeInstanceTypes",
    "p6e-gb200.36xlarge": "offered in one Local Zone only",
}


@cache
def _ec2() -> dict[str, Any]:
    return dict(json.loads(gzip.decompress((RESOURCES / "instance_types.json.gz").read_bytes())))


def _described() -> list[Machine]:
    return [machine for machine in catalog().machines("aws") if machine.name not in NOT_IN_MOTO]


def _theirs(row: dict[str, Any]) -> dict[str, Any]:
    network = row["NetworkInfo"]
    cards = network["NetworkCards"]
    chips = row.get("GpuInfo", {}).get("Gpus") or row.get("NeuronInfo", {}).get("NeuronDevices") or []
    disks = row.get("InstanceStorageInfo", {}).get("Disks", [])
    rates = [card["BaselineBandwidthInGbps"] for card in cards]
    return {
        "vCPU": row["VCpuInfo"]["DefaultVCpus"],
        "RAM GiB": row["MemoryInfo"]["SizeInMiB"] / 1024,
        "accelerators": sum(chip["Count"] for chip in chips),
        "accelerator MiB": {chip["MemoryInfo"]["SizeInMiB"] for chip in chips},
        "EFA": network.get("EfaInfo", {}).get("MaximumEfaInterfaces", 0),
        "cards": len(cards),
        "cards with EFA": {c["NetworkCardIndex"] for c in cards if "efa" in c["InterfaceTypes"]},
        "card Gbps": rates,
        "network Gbps": rates[0] if len(rates) == 1 else None,
        "drives": [(disk["Count"], disk["SizeInGB"]) for disk in disks],
        "arch": row["ProcessorInfo"]["SupportedArchitectures"],
        "EBS Gbps": row["EbsInfo"]["EbsOptimizedInfo"]["MaximumBandwidthInMbps"] / 1000,
    }


def _ours(machine: Machine) -> dict[str, Any]:
    chip, cards = machine.accelerator, machine.network_cards
    assert machine.nvme is None or known(machine.nvme)
    return {
        "vCPU": machine.vcpu,
        "RAM GiB": machine.ram_gib,
        "accelerators": machine.accelerators,
        "accelerator MiB": {chip.memory_mib} if chip else set(),
        "EFA": machine.efa,
        "cards": len(cards),
        "cards with EFA": {card.index for card in cards if card.efa},
        "card Gbps": [card.gbps for card in cards],
        "network Gbps": machine.network_gbps if len(cards) == 1 else None,
        "drives": [(machine.nvme.drives, machine.nvme.gb_each)] if machine.nvme else [],
        "arch": [machine.arch],
        "EBS Gbps": machine.ebs_gbps,
    }


def _differ(fact: str, ours: Any, theirs: Any) -> bool:
    if fact == "card Gbps":
        return any(known(mine) and mine != other for mine, other in zip(ours, theirs, strict=True))
    return bool(ours != theirs)


def test_every_fact_of_a_machine_is_what_ec2_reports() -> None:
    found = set()
    for machine in _described():
        ours, theirs = _ours(machine), _theirs(_ec2()[machine.name])
        for fact, value in ours.items():
            if fact == "card Gbps" and len(machine.network_cards) == 1:
                continue  # the same number as the machine's
            if _differ(fact, value, theirs[fact]):
                assert (machine.name, fact) in DISAGREEMENTS, f"{machine.name} {fact}: {value}, EC2 {theirs[fact]}"
                found.add((machine.name, fact))
    assert found == set(DISAGREEMENTS), f"these agree now: {set(DISAGREEMENTS) - found}"


def test_the_machines_that_moto_lacks_are_known_by_name() -> None:
    assert {m.name for m in catalog().machines("aws") if m.name not in _ec2()} == set(NOT_IN_MOTO)


def test_every_ec2_machine_type_is_one_that_the_api_accepts() -> None:
    model = botocore.session.get_session().get_service_model("ec2")
    accepted = set(model.shape_for("InstanceType").enum)
    assert {m.name for m in catalog().machines("aws")} <= accepted


def test_blocks_and_spot_are_not_called_illegal_where_ec2_sells_them() -> None:
    """We may know less than the API (unknown), or more caution (refused machines); we never say no to what it sells."""
    allowed = {"p3dn.24xlarge"}  # refused with its family
    for machine in _described():
        sold = _ec2()[machine.name]["SupportedUsageClasses"]
        for buy in (Buy.ON_DEMAND, Buy.SPOT, Buy.CAPACITY_BLOCK):
            if buy.value in sold and machine.name not in allowed:
                assert machine.buy[buy].answer is not Answer.NO, f"{machine.name} {buy}"
            if buy.value not in sold:
                assert machine.buy[buy].answer is not Answer.YES, f"{machine.name} {buy}"


def test_every_layout_is_one_that_the_cards_can_carry() -> None:
    for machine in _described():
        network = _ec2()[machine.name]["NetworkInfo"]
        kinds = {card["NetworkCardIndex"]: set(card["InterfaceTypes"]) for card in network["NetworkCards"]}
        limit = {card["NetworkCardIndex"]: card["MaximumNetworkInterfaces"] for card in network["NetworkCards"]}
        for variant, interfaces in catalog().layouts(machine).items():
            where = f"{machine.name} {variant}"
            assert len({(i.card, i.device) for i in interfaces}) == len(interfaces), where
            assert all(i.kind.value in kinds[i.card] for i in interfaces), where
            assert all(sum(i.card == card for i in interfaces) <= most for card, most in limit.items()), where
            efa = sum(i.kind is not Port.ENA for i in interfaces)
            assert efa == machine.efa, where


@pytest.mark.parametrize("region", ["us-east-1", "us-east-2", "us-west-2"])
def test_zones_and_offerings_are_those_of_ec2(region: str) -> None:
    path = RESOURCES / "instance_type_offerings" / "availability-zone-id" / f"{region}.json.gz"
    rows = json.loads(gzip.decompress(path.read_bytes()))
    assert {zone.id for zone in catalog().zones(region)} == {row["Location"] for row in rows}
    for machine in catalog().machines("aws"):
        theirs = {row["Location"] for row in rows if row["InstanceType"] == machine.name}
        ours = catalog().offered(machine, region)
        assert known(ours)
        assert set(ours) == theirs, machine.name
