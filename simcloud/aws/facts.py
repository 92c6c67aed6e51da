"""What AWS says of its instance types, zones and images, from moto's copies of AWS's own answers.

Source: `describe-instance-types` and `describe-instance-type-offerings` as moto 5.2.5 ships them; nothing is ours
except the list of public machine images (`images.toml`), which names its own source row by row.
"""

from __future__ import annotations

import functools
import gzip
import json
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Card:
    """One network card of an instance type."""

    index: int
    interfaces: int
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class InstanceType:
    """What matters when one is launched."""

    name: str
    vcpus: int
    architectures: frozenset[str]
    cards: tuple[Card, ...]
    interfaces: int
    efa_interfaces: int
    placement_strategies: frozenset[str]
    usage_classes: frozenset[str]
    drives: int
    """Local NVMe or other instance-store drives."""
    accelerators: int
    """GPUs, or Trainium, Inferentia and media chips."""


def _moto_json(path: str) -> Any:
    with resources.files("moto.ec2").joinpath("resources", path).open("rb") as file:
        return json.loads(gzip.decompress(file.read()))


@functools.lru_cache(maxsize=1)
def _all_types() -> dict[str, Any]:
    return dict(_moto_json("instance_types.json.gz"))


@functools.lru_cache(maxsize=512)
def instance_type(name: str) -> InstanceType | None:
    """The facts of one type; None for a name that AWS does not know."""
    row = _all_types().get(name)
    if row is None:
        return None
    network = row["NetworkInfo"]
    return InstanceType(
        name=name,
        vcpus=row["VCpuInfo"]["DefaultVCpus"],
        architectures=frozenset(row["ProcessorInfo"]["SupportedArchitectures"]),
        cards=tuple(
            Card(
                c["NetworkCardIndex"], c["MaximumNetworkInterfaces"], frozenset(c.get("InterfaceTypes", ["interface"]))
            )
            for c in network["NetworkCards"]
        ),
        interfaces=network["MaximumNetworkInterfaces"],
        efa_interfaces=network.get("EfaInfo", {}).get("MaximumEfaInterfaces", 0),
        placement_strategies=frozenset(row.get("PlacementGroupInfo", {}).get("SupportedStrategies", [])),
        usage_classes=frozenset(row.get("SupportedUsageClasses", ["on-demand"])),
        drives=sum(d["Count"] for d in row.get("InstanceStorageInfo", {}).get("Disks", ())),
        accelerators=sum(_counted(row, *names) for names in _ACCELERATORS),
    )


_ACCELERATORS = (
    ("GpuInfo", "Gpus"),
    ("NeuronInfo", "NeuronDevices"),
    ("MediaAcceleratorInfo", "Accelerators"),
    ("FpgaInfo", "Fpgas"),
)


def _counted(row: dict[str, Any], info: str, members: str) -> int:
    return sum(int(one.get("Count", 0)) for one in row.get(info, {}).get(members, ()))


@functools.lru_cache(maxsize=64)
def offered_zone_ids(name: str, region: str) -> frozenset[str]:
    """The zone ids of a region in which a type is offered."""
    return frozenset(z for t, z in _offerings(region) if t == name)


@functools.lru_cache(maxsize=64)
def _offerings(region: str) -> tuple[tuple[str, str], ...]:
    try:
        rows = _moto_json(f"instance_type_offerings/availability-zone-id/{region}.json.gz")
    except FileNotFoundError:
        return ()
    return tuple((r["InstanceType"], r["Location"]) for r in rows)


@functools.lru_cache(maxsize=1)
def public_images() -> tuple[dict[str, Any], ...]:
    """Public machine images that exist in the simulated regions: id, region, name, owner, architecture, source."""
    text = resources.files("simcloud.aws").joinpath("images.toml").read_text()
    return tuple(tomllib.loads(text)["image"])
