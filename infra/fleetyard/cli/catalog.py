"""`fleetyard catalog`: the machines, or every fact of one with the source that says so."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from fleetyard.catalog import (
    Buy,
    Catalog,
    Cloud,
    Machine,
    NotInCatalogError,
    TpuShape,
    Unknown,
    catalog,
    known,
)
from fleetyard.cli.words import UNKNOWN, number, usd
from fleetyard.findings import Exit, error
from fleetyard.report.tables import table


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("machine", nargs="?", help="a machine type or TPU slice; without it, all machines are listed")
    parser.add_argument("--cloud", choices=[cloud.value for cloud in Cloud], help="one cloud only")
    parser.add_argument("--region", help="where prices are taken (default: a region that has some)")
    parser.add_argument("--slices", action="store_true", help="list TPU slices instead")
    parser.add_argument("--models", action="store_true", help="list the models that workloads can name instead")
    parser.add_argument("--json", action="store_true", help="print facts as JSON; unknown is null")


def run(args: argparse.Namespace) -> int:
    """Print facts. Raises FleetyardError (exit 65, FY1801) for a machine that is not in the catalogue."""
    book = catalog()
    if args.models:
        return _models(args.json)
    if args.slices:
        return _slices(book, args.json)
    if args.machine is None:
        return _list(book, args)
    machine, shape = find_machine(book, args.machine, args.cloud)
    if args.json:
        print(json.dumps(_data(book, machine, shape), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_text(book, machine, shape)))
    return Exit.DONE


def find_machine(
    book: Catalog, name: str, cloud: str | None = None, code: str = "FY1801", where: str = "machine"
) -> tuple[Machine, TpuShape | None]:
    """The machine that a person named, and its TPU slice. Raises FleetyardError (exit 65) with near names."""
    try:
        return book.find(name, cloud)
    except NotInCatalogError as missing:
        fix = f"one of {', '.join(missing.near)}" if missing.near else "`fleetyard catalog` lists them"
        raise error(code, where, f"{name!r} is not in the catalogue", fix) from None


def _list(book: Catalog, args: argparse.Namespace) -> int:
    machines = book.machines(args.cloud)
    if args.json:
        print(json.dumps([_data(book, machine, None) for machine in machines], indent=2, ensure_ascii=False))
        return Exit.DONE
    rows = [("machine", "cloud", "accelerators", "vCPU", "GiB", "Gbps", "fabric", "NVMe GB", "$ an hour", "")]
    for machine in machines:
        chip = f"{machine.accelerators} x {machine.accelerator.id}" if machine.accelerator else "-"
        nvme = machine.nvme
        rows.append(
            (
                machine.name,
                machine.cloud.value,
                chip,
                number(machine.vcpu),
                number(machine.ram_gib),
                number(machine.network_gbps),
                f"efa x {machine.efa}" if machine.efa else machine.fabric.value,
                UNKNOWN if isinstance(nvme, Unknown) else number(round(nvme.total_gb)) if nvme else "-",
                _price(book, machine, args.region),
                "refused" if machine.refused else "",
            )
        )
    print(table(rows, right=frozenset({3, 4, 5, 7, 8})), end="")
    return Exit.DONE


def _price(book: Catalog, machine: Machine, region: str | None) -> str:
    prices = [
        price for price in _prices(book, machine) if price["buy"] == Buy.ON_DEMAND and region in (None, price["region"])
    ]
    if not prices:
        return UNKNOWN
    each = machine.accelerators if prices[0]["per"] == "chip" else 1
    return usd(prices[0]["usd_per_hour"] * each)


def _prices(book: Catalog, machine: Machine) -> Iterator[dict[str, Any]]:
    for region in book.regions(machine.cloud):
        for buy in Buy:
            price = book.price(machine, region.name, buy)
            if known(price):
                yield _plain(asdict(price))


def _slices(book: Catalog, as_json: bool) -> int:
    shapes = book.tpu_shapes()
    if as_json:
        print(json.dumps([asdict(shape) for shape in shapes], indent=2))
        return Exit.DONE
    rows = [("slice", "generation", "topology", "chips", "hosts", "host machine")]
    rows += [(s.type_name, s.generation, s.topology, number(s.chips), number(s.hosts), s.machine) for s in shapes]
    print(table(rows, right=frozenset({3, 4})), end="")
    return Exit.DONE


def _models(as_json: bool) -> int:
    from fleetyard.sizing.models import models

    if as_json:
        rows = {name: {**asdict(model), "parameters": model.parameters} for name, model in models().items()}
        print(json.dumps(rows, indent=2))
        return Exit.DONE
    lines = [("model", "parameters", "layers", "hidden", "sequence", "source")]
    lines += [
        (m.name, f"{m.parameters / 1e9:.2f} billion", number(m.layers), number(m.hidden), number(m.sequence), m.source)
        for m in models().values()
    ]
    print(table(lines, right=frozenset({1, 2, 3, 4})), end="")
    return Exit.DONE


def _plain(value: Any) -> Any:
    """Data without our types: unknown becomes null."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, dict):
        if set(value) == {"reason"}:  # what `asdict` makes of an unknown
            return None
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _data(book: Catalog, machine: Machine, shape: TpuShape | None) -> dict[str, Any]:
    offered = {region.name: book.offered(machine, region.name) for region in book.regions(machine.cloud)}
    facts: dict[str, Any] = _plain(asdict(machine))
    facts["layouts"] = {name: _plain([asdict(i) for i in rows]) for name, rows in book.layouts(machine).items()}
    facts["offered"] = {region: list(zones) for region, zones in offered.items() if known(zones)}
    facts["prices"] = list(_prices(book, machine))
    if shape is not None:
        facts["slice"] = asdict(shape)
    used = {machine.source, *(legal.source for legal in machine.buy.values())}
    used |= {machine.accelerator.source} if machine.accelerator else set()
    used |= {price["source"] for price in facts["prices"]} | ({shape.source} if shape else set())
    facts["sources"] = {each: _plain(asdict(book.source(each))) for each in sorted(used)}
    return facts


def _text(book: Catalog, machine: Machine, shape: TpuShape | None) -> Iterator[str]:
    if shape is not None:
        made = f"{shape.topology}, {shape.chips} chips on {shape.hosts} hosts"
        yield f"{shape.type_name}: TPU {shape.generation}, {made}  [{shape.source}]"
    yield f"{machine.name}: {machine.cloud} machine of family {machine.family}, {machine.arch}  [{machine.source}]"
    if machine.refused:
        yield f"  {'refused':<16}{machine.refused}"
    yield f"  {'processors':<16}{number(machine.vcpu)} vCPU, {number(machine.ram_gib)} GiB"
    yield from _chip(machine)
    yield f"  {'network':<16}{number(machine.network_gbps)} Gbps, fabric {machine.fabric}"
    for name, interfaces in book.layouts(machine).items():
        if machine.efa:
            shown = ", ".join(f"{i.card}.{i.device} {i.kind}" for i in interfaces[:4])
            more = f", ... {len(interfaces)} in all" if len(interfaces) > 4 else ""
            yield f"  {'layout':<16}{name}: {shown}{more}"
    if isinstance(machine.nvme, Unknown):
        yield f"  {'local drives':<16}{UNKNOWN}"
    elif machine.nvme:
        yield f"  {'local drives':<16}{machine.nvme.drives} x {number(round(machine.nvme.gb_each, 1))} GB NVMe"
    for buy, legal in machine.buy.items():
        quota = machine.quota.get(buy)
        limit = f"; limit {quota.code_or_metric} ({number(quota.per_machine)} {quota.unit} each)" if quota else ""
        yield f"  {buy:<16}{legal.answer}: {legal.reason}{limit}  [{legal.source}]"
    for region in book.regions(machine.cloud):
        zones = book.offered(machine, region.name)
        if known(zones) and zones:
            yield f"  {'offered':<16}{region.name}: {', '.join(zones)}"
    for price in _prices(book, machine):
        date = price["date"] or "no date"
        cost = f"{usd(price['usd_per_hour'])} an hour for one {price['per']}"
        yield f"  {'price':<16}{cost}, {price['buy']}, {price['region']}, {date}  [{price['source']}]"
    yield "sources"
    for name, row in _data(book, machine, shape)["sources"].items():
        yield f"  {name}: {row['title']} ({row['date'] or 'no date'}); {row['url_or_page']}"


def _chip(machine: Machine) -> Iterator[str]:
    chip = machine.accelerator
    if chip is None:
        return
    memory = f"{number(chip.memory_mib)} MiB each, {number(chip.memory_gb_per_s)} GB/s"
    yield f"  {'accelerators':<16}{machine.accelerators} x {chip.id}, {memory}  [{chip.source}]"
    rate = f"{number(chip.bf16_tflops_peak)} TFLOPS peak, {number(chip.matmul_tflops_achievable)} achieved"
    yield f"  {'bf16':<16}{rate}; link to its neighbours {number(chip.link_gb_per_s)} GB/s"
