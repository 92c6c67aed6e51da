"""From a pool as typed to a pool as decided."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fleetyard.catalog import (
    DOCUMENTED_LAYOUT,
    Buy,
    Catalog,
    Cloud,
    Fabric,
    Image,
    Interface,
    Machine,
    NotInCatalogError,
    Nvme,
    Port,
    TpuShape,
    Unknown,
    UnknownMachineError,
)
from fleetyard.findings import StackPath
from fleetyard.plan.buying import climb
from fleetyard.plan.model import CachePlan, Grant, PoolPlan, SubnetPlan
from fleetyard.plan.userdata import boot_script
from fleetyard.spec import Cache, Placement, Pool, Role, Stack, Update, nearest

DEFAULT_IMAGE = "ubuntu-22.04"
OWN_IMAGE = {
    Cloud.AWS: r"ami-[0-9a-f]{8}([0-9a-f]{9})?",
    Cloud.GCP: r"projects/[a-z][a-z0-9:.-]+/global/images/(family/)?[a-z][a-z0-9-]{0,62}",
}
TPU_OS = "ubuntu-22.04"
"""What every TPU runtime of the catalogue is made of (`tpu-ubuntu2204-base`; the v2-alpha ones likewise)."""
SINGLE_LAYOUT = "single"
"""One plain interface on card 0, whatever the machine could do: for pools that do not talk over the fabric."""
DATASETS = "datasets/"
"""Where a store holds what every pool may read; each pool writes under `pools/<pool>/`."""

_DISK_GIB = {Role.COMPUTE: 200, Role.SERVE: 200, Role.LOGIN: 100, Role.CONTROL: 100}
_HYPERDISK_ONLY = ("a3-ultragpu", "a4-highgpu", "a4x-highgpu", "a4x-maxgpu", "g4", "g4-part")
_SINGLE = (Interface(0, 0, Port.ENA),)


def plan_pool(
    stack: Stack, name: str, count: int, subnets: tuple[SubnetPlan, ...], tags: Mapping[str, str], facts: Catalog
) -> PoolPlan:
    """Decide everything about one pool. count: machines or slices, sized or typed."""
    pool = stack.pools[name]
    shape = _shape(stack.cloud, pool.machine, facts)
    machine, near = _machine(stack.cloud, shape.machine if shape else pool.machine, pool.machine, facts)
    zones = pool.zones or stack.zones
    ladder = climb(pool.buy, machine, pool.reservation, tpu=shape is not None)
    buy = next((rung.buy for rung in ladder if rung.taken), None)
    layout = pool.nics or _default_layout(pool, machine)
    interfaces = _interfaces(machine, layout, facts) if stack.cloud is Cloud.AWS else _SINGLE
    fabric = _fabric(machine, interfaces, stack.cloud)
    cache = _cache(pool, machine, shape)
    return PoolPlan(
        path=StackPath("pools") / name,
        name=name,
        full_name=f"{stack.name}-{name}",
        role=pool.role,
        machine_name=pool.machine,
        machine=machine,
        near_machines=near,
        shape=shape,
        topology=pool.topology or (shape.topology if shape else None),
        project=stack.project,
        count=count,
        hosts=count * (shape.hosts if shape else 1),
        counts_slices=pool.slices is not None,
        zones=zones,
        subnets=tuple(s.key for s in subnets if s.role == "private" and s.zone in (None, *zones)),
        ladder=ladder,
        buy=buy,
        reservation=pool.reservation,
        queued=pool.queued,
        image_name=pool.image or DEFAULT_IMAGE,
        image=_image(stack, pool, machine, shape, facts),
        os=_os(pool, shape),
        disk_type=_disk_type(stack.cloud, machine),
        disk_gib=pool.disk_gib or _DISK_GIB[pool.role],
        local_ssds=pool.local_ssds or 0,
        nic_layout=layout,
        interfaces=interfaces,
        fabric=fabric,
        together=_together(pool, machine, shape, buy, fabric, stack.cloud),
        cache=cache,
        grants=_grants(name, pool.cache, stack),
        update=pool.update or (Update.ROLLING if pool.role in (Role.SERVE, Role.LOGIN) else Update.ON_NEXT_BOOT),
        user_data=boot_script(stack.cloud, cache),
        usd_per_hour=_price(stack, machine, shape, buy, count, facts),
        tags={**tags, "fleetyard-pool": name, "fleetyard-role": str(pool.role)},
        versions={**stack.versions.pin, **pool.versions},
    )


def _shape(cloud: Cloud, machine: str, facts: Catalog) -> TpuShape | None:
    if cloud is not Cloud.GCP:
        return None
    try:
        return facts.tpu_shape(machine)
    except NotInCatalogError:
        return None


def _machine(cloud: Cloud, name: str, typed: str, facts: Catalog) -> tuple[Machine | None, tuple[str, ...]]:
    try:
        return facts.machine(cloud, name), ()
    except UnknownMachineError as unknown:
        shapes = [shape.type_name for shape in facts.tpu_shapes()] if cloud is Cloud.GCP else []
        slice_name = nearest(typed, shapes)
        return None, (*unknown.near, *([slice_name] if slice_name else ()))


def _default_layout(pool: Pool, machine: Machine | None) -> str:
    return DOCUMENTED_LAYOUT if machine is not None and machine.efa and pool.role is Role.COMPUTE else SINGLE_LAYOUT


def _interfaces(machine: Machine | None, layout: str, facts: Catalog) -> tuple[Interface, ...]:
    if machine is None or layout == SINGLE_LAYOUT:
        return _SINGLE
    try:
        return facts.layout(machine, layout)
    except NotInCatalogError:
        return ()


def _fabric(machine: Machine | None, interfaces: tuple[Interface, ...], cloud: Cloud) -> Fabric:
    """What the pool talks over: a machine that could do EFA but gets plain interfaces has no fabric."""
    if machine is None:
        return Fabric.NONE
    if cloud is Cloud.AWS and not any(interface.kind is not Port.ENA for interface in interfaces):
        return Fabric.NONE
    return machine.fabric


def _together(
    pool: Pool, machine: Machine | None, shape: TpuShape | None, buy: Buy | None, fabric: Fabric, cloud: Cloud
) -> bool:
    """Whether the machines stand close together. Slices are one piece; a capacity block lies in one UltraCluster."""
    if shape is not None or buy is Buy.CAPACITY_BLOCK:
        return False
    if pool.placement is not None:
        return pool.placement is Placement.TOGETHER
    has_accelerators = machine is not None and machine.accelerators > 0
    return pool.role is Role.COMPUTE and has_accelerators and (cloud is Cloud.GCP or fabric is Fabric.EFA)


def _image(
    stack: Stack, pool: Pool, machine: Machine | None, shape: TpuShape | None, facts: Catalog
) -> Image | str | Unknown:
    if shape is not None:
        return pool.image or facts.tpu_runtime(shape.generation)
    arch = machine.arch if machine else "x86_64"
    if pool.image and is_own(stack.cloud, pool.image):
        date = Unknown("an image of one's own says no date")
        return Image(pool.image, stack.cloud, stack.region, pool.image, arch, date, "the stack file")
    return facts.image(stack.cloud, pool.image or DEFAULT_IMAGE, stack.region, arch)


def is_own(cloud: Cloud, image: str) -> bool:
    """Whether an image is named by its id, as `fleetyard image` bakes it, and not by the catalogue's name."""
    return re.fullmatch(OWN_IMAGE[cloud], image) is not None


def _os(pool: Pool, shape: TpuShape | None) -> str:
    if shape is not None:
        return TPU_OS
    image = pool.image or DEFAULT_IMAGE
    return pool.os or ("" if any(is_own(cloud, image) for cloud in Cloud) else image)


def _disk_type(cloud: Cloud, machine: Machine | None) -> str:
    """Newer Google machines boot from Hyperdisk only.

    Source: Compute Engine documentation, "Accelerator-optimized machine family", disk support of A3 Ultra, A4, A4X, G4.
    """
    if cloud is Cloud.AWS:
        return "gp3"
    return "hyperdisk-balanced" if machine is not None and machine.family in _HYPERDISK_ONLY else "pd-balanced"


def _cache(pool: Pool, machine: Machine | None, shape: TpuShape | None) -> CachePlan | None:
    if pool.cache is None:
        return None
    if shape is not None:
        return CachePlan(pool.cache.source, pool.cache.at, "ram")
    drives = isinstance(machine.nvme, Nvme) if machine else False
    return CachePlan(pool.cache.source, pool.cache.at, "nvme") if drives or pool.local_ssds else None


def _grants(name: str, cache: Cache | None, stack: Stack) -> tuple[Grant, ...]:
    if cache is None or cache.source not in stack.stores:
        return ()
    own = f"pools/{name}/"
    return (Grant(cache.source, read=(DATASETS, own), write=(own,)),)


def _price(
    stack: Stack, machine: Machine | None, shape: TpuShape | None, buy: Buy | None, count: int, facts: Catalog
) -> float | Unknown:
    """US dollars per hour for the whole pool, as far as prices are known."""
    if machine is None or buy is None:
        return Unknown("the pool has no machine or no way to buy it")
    price = facts.price(machine, stack.region, buy)
    if isinstance(price, Unknown):
        return price
    if price.per == "chip":
        return price.usd_per_hour * count * (shape.chips if shape else machine.accelerators)
    return price.usd_per_hour * count
