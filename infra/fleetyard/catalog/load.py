"""From the data files to typed facts.

The files are TOML. A family table holds what its machines share and a `machines` table with one row each. A fact that
no source gives is written `"unknown"`, or `{ unknown = "who was asked" }`; a missing key is an error, so a gap is
always somebody's decision. Rows are expanded here (cards, layouts, ways to buy) to keep the files short enough to read
and to load fast.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fleetyard.catalog.index import DOCUMENTED_LAYOUT, Catalog
from fleetyard.catalog.model import (
    Accelerator,
    Answer,
    Buy,
    Cloud,
    Fabric,
    Image,
    Interface,
    Legality,
    Machine,
    NetworkCard,
    Nvme,
    Port,
    Price,
    Quota,
    Region,
    Source,
    TpuShape,
    Unknown,
    Zone,
)

Table = Mapping[str, Any]
HERE = Path(__file__).parent


class CatalogDataError(ValueError):
    """A data file of ours is wrong: the message names the file and the key."""


def _read(root: Path, name: str) -> Table:
    try:
        return tomllib.loads((root / name).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogDataError(f"{name}: {error}") from error


def _maybe(value: Any) -> Any:
    """Turn the two spellings of "nobody knows" into the typed unknown."""
    if value == "unknown":
        return Unknown()
    if isinstance(value, dict) and "unknown" in value:
        return Unknown(value["unknown"])
    return value


def _sources(table: Table) -> dict[str, Source]:
    return {key: Source(key, row["title"], _maybe(row["date"]), row["where"]) for key, row in table.items()}


def _accelerators(table: Table) -> dict[str, Accelerator]:
    return {
        key: Accelerator(
            id=key,
            vendor=row["vendor"],
            kind=row["kind"],
            generation=row["generation"],
            memory_mib=_maybe(row["memory_mib"]),
            bf16_tflops_peak=_maybe(row["bf16_tflops_peak"]),
            matmul_tflops_achievable=_maybe(row["matmul_tflops_achievable"]),
            memory_gb_per_s=_maybe(row["memory_gb_per_s"]),
            link_gb_per_s=_maybe(row["link_gb_per_s"]),
            watts=_maybe(row["watts"]),
            open_driver=row.get("open_driver"),
            source=row["source"],
        )
        for key, row in table.items()
    }


def _cards(row: Table) -> Iterator[NetworkCard]:
    """Expand groups of equal cards; a machine that names none has one card that carries everything."""
    index = 0
    for group in row.get("cards", [{"gbps": row["network_gbps"], "efa": row.get("efa", 0) > 0}]):
        card = (group.get("efa", True), group.get("ena", True), _maybe(group["gbps"]))
        for _ in range(group.get("count", 1)):
            yield NetworkCard(index, *card)
            index += 1


def _nvme(value: Any) -> Nvme | Unknown | None:
    value = _maybe(value)
    if isinstance(value, Unknown):
        return value
    return Nvme(value["drives"], value["gb_each"]) if value else None


def _legality(family: Table, row: Table, ways: Mapping[Buy, Legality]) -> dict[Buy, Legality]:
    given = {**family.get("buy", {}), **row.get("buy", {})}
    return {buy: Legality(Answer(given[buy][0]), *given[buy][1:]) if buy in given else ways[buy] for buy in Buy}


def _quota(code: Table, row: Table) -> dict[Buy, Quota]:
    """The quota of each way to buy; the row gives how many units one machine takes."""
    amounts = {"vcpu": _maybe(row["vcpu"]), "gpu": row.get("accelerators", 0), "chip": row.get("accelerators", 0)}
    unit = code["unit"]
    return {Buy(buy): Quota(_maybe(name), unit, amounts[unit]) for buy, name in code["codes"].items()}


def _machines(
    cloud: Cloud, families: Table, quotas: Table, ways: Mapping[Buy, Legality], chips: Mapping[str, Accelerator]
) -> Iterator[Machine]:
    for family_name, family in families.items():
        chip = chips[family["accelerator"]] if "accelerator" in family else None
        for name, row in family["machines"].items():
            cards = tuple(_cards(row)) if cloud is Cloud.AWS else ()
            yield Machine(
                cloud=cloud,
                name=name,
                family=family_name,
                accelerator=chip,
                accelerators=row["accelerators"] if chip else 0,
                vcpu=_maybe(row["vcpu"]),
                ram_gib=_maybe(row["ram_gib"]),
                network_gbps=_maybe(row["network_gbps"]),
                network_cards=cards,
                efa=sum(card.efa for card in cards),
                fabric=Fabric(row.get("fabric", family["fabric"])) if cloud is Cloud.GCP else _aws_fabric(cards),
                nvme=_nvme(row["nvme"]),
                ebs_gbps=_maybe(row["ebs_gbps"]) if cloud is Cloud.AWS else None,
                arch=family["arch"],
                buy=_legality(family, row, ways),
                quota=_quota(quotas[family["quota"]], row),
                refused=family.get("refused"),
                source=row.get("source", family["source"]),
            )


def _aws_fabric(cards: tuple[NetworkCard, ...]) -> Fabric:
    return Fabric.EFA if any(card.efa for card in cards) else Fabric.NONE


def _layout(machine: Machine, rule: Table) -> tuple[Interface, ...]:
    """Apply one published rule to the cards of a machine.

    Card 0 always carries the primary interface, which may not be EFA-only; a card without EFA carries IP alone.
    """

    def of_card(card: NetworkCard) -> list[Table]:
        if not card.efa:
            return [{"device": 0, "kind": Port.ENA}] if card.index == 0 else []
        if card.index == 0:
            return list(rule["first"])
        extra = rule.get("every_fourth", []) if card.index % 4 == 0 else []
        return [*rule["others"], *extra]

    return tuple(
        Interface(card.index, entry["device"], Port(entry["kind"]))
        for card in machine.network_cards
        for entry in of_card(card)
    )


def _layouts(machines: Mapping[str, Machine], rules: Table) -> dict[str, dict[str, tuple[Interface, ...]]]:
    """Every published layout of every machine; a machine without EFA has the one plain interface."""
    plain: dict[str, tuple[Interface, ...]] = {DOCUMENTED_LAYOUT: (Interface(0, 0, Port.ENA),)}

    def of_machine(machine: Machine) -> dict[str, tuple[Interface, ...]]:
        published = (v for v, rule in rules.items() if "*" in rule["families"] or machine.family in rule["families"])
        return {variant: _layout(machine, rules[variant]) for variant in published}

    return {machine.name: of_machine(machine) if machine.efa else plain for machine in machines.values()}


def _prices(tables: Table) -> Iterator[tuple[tuple[str, str, Buy], Price]]:
    for table in tables["table"]:
        region, buy = table["region"], Buy(table["buy"])
        for name, usd in table["usd_per_hour"].items():
            price = Price(usd, region, buy, table["per"], _maybe(table["date"]), table["source"])
            yield (name, region, buy), price


def _shapes(tables: Table) -> Iterator[TpuShape]:
    for generation, table in tables["shapes"].items():
        for type_name, (topology, hosts, machine) in table["slices"].items():
            chips = 1
            for axis in topology.split("x"):
                chips *= int(axis)
            yield TpuShape(type_name, generation, topology, chips, hosts, chips // hosts, machine, table["source"])


def _regions(cloud: Cloud, table: Table) -> dict[str, Region]:
    return {name: Region(cloud, name, tuple(Zone(z, name) for z in row["zones"])) for name, row in table.items()}


def _offered_by_ec2(table: Table, regions: Mapping[str, Region]) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Zone ids by machine type and region, from the numbers of the zone ids."""
    for region, row in table.items():
        by_number = {int(zone.id.rpartition("-az")[2]): zone.id for zone in regions[region].zones}
        for machine, numbers in row["zones"].items():
            yield (machine, region), tuple(by_number[number] for number in numbers)


def _offered_by_tpu(
    zones: Table, machines: Mapping[str, Machine], regions: Mapping[str, Region]
) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    for machine in machines.values():
        chip = machine.accelerator
        if chip is not None and chip.generation in zones:
            for region in regions.values():
                offered = zones[chip.generation]
                yield (machine.name, region.name), tuple(zone.id for zone in region.zones if zone.id in offered)


def _images(cloud: Cloud, tables: Table) -> Iterator[Image]:
    for row in tables["image"]:
        for region, image_id in row["ids"].items():
            yield Image(
                name=row["name"],
                cloud=cloud,
                region=None if region == "global" else region,
                id=image_id,
                arch=row["arch"],
                date=_maybe(row["date"]),
                source=row["source"],
            )


def load(root: Path = HERE) -> Catalog:
    """Read every data file under `root`. Raises CatalogDataError for a file of ours that is wrong."""
    try:
        return _load(root)
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogDataError(f"{type(error).__name__}: {error}") from error


def _load(root: Path) -> Catalog:
    chips = _accelerators(_read(root, "accelerators.toml"))
    machines: dict[Cloud, dict[str, Machine]] = {}
    regions: dict[Cloud, dict[str, Region]] = {}
    prices: dict[tuple[str, str, Buy], Price] = {}
    images: list[Image] = []
    for cloud in Cloud:
        buying = _read(root, f"{cloud.value}/buying.toml")
        ways = {Buy(buy): Legality(Answer(row[0]), *row[1:]) for buy, row in buying["unless_said"].items()}
        families = _read(root, f"{cloud.value}/machines.toml")
        machines[cloud] = {m.name: m for m in _machines(cloud, families, buying["quota"], ways, chips)}
        regions[cloud] = _regions(cloud, _read(root, f"{cloud.value}/regions.toml"))
        prices.update(_prices(_read(root, f"{cloud.value}/prices.toml")))
        images.extend(_images(cloud, _read(root, f"{cloud.value}/images.toml")))
    slices = _read(root, "gcp/tpu.toml")
    layouts = _layouts(machines[Cloud.AWS], _read(root, "aws/layouts.toml"))
    plain: dict[str, tuple[Interface, ...]] = {}
    layouts.update(dict.fromkeys(machines[Cloud.GCP], plain))
    offerings = _read(root, "aws/offerings.toml")
    offered = dict(_offered_by_ec2(offerings, regions[Cloud.AWS]))
    offered.update(_offered_by_tpu(slices["zones"], machines[Cloud.GCP], regions[Cloud.GCP]))
    return Catalog(
        _machines=machines,
        _accelerators=chips,
        _prices=prices,
        _layouts=layouts,
        _shapes={shape.type_name: shape for shape in _shapes(slices)},
        _regions=regions,
        _offered=offered,
        _listed=frozenset(offerings),
        _images=tuple(images),
        _runtimes=slices["runtimes"],
        _sources=_sources(_read(root, "sources.toml")),
    )
