"""Rules about machines, their images, cards and drives."""

from __future__ import annotations

from collections.abc import Iterator

from fleetyard.catalog import Cloud, Fabric, Port, Unknown, catalog
from fleetyard.checks.registry import Hit, rule
from fleetyard.findings import Level, StackPath
from fleetyard.plan import Plan, PoolPlan
from fleetyard.plan.pools import DEFAULT_IMAGE
from fleetyard.spec import Role, Update


@rule("FY2101", Level.ERROR)
def machine_is_known(plan: Plan) -> Iterator[Hit]:
    """Every pool's machine is in the catalogue of its cloud."""
    for pool in plan.pools:
        if pool.machine is None:
            near = f"did you mean {' or '.join(pool.near_machines)}?" if pool.near_machines else "name another machine"
            yield Hit(pool.path / "machine", f"{plan.cloud} has no machine {pool.machine_name} that we know", near)


@rule("FY2102", Level.ERROR)
def machine_is_not_refused(plan: Plan) -> Iterator[Hit]:
    """No pool uses a machine that current drivers cannot drive."""
    for pool in plan.pools:
        if pool.machine is not None and pool.machine.refused:
            yield Hit(pool.path / "machine", f"{pool.machine_name}: {pool.machine.refused}", "use a newer family")


@rule("FY2103", Level.ERROR)
def image_is_pinned(plan: Plan) -> Iterator[Hit]:
    """Every image is pinned: the catalogue names one build of it for the region and the machine's architecture."""
    for pool in plan.pools:
        if pool.machine is None or not isinstance(pool.image, Unknown):
            continue
        if pool.tpu:
            yield Hit(pool.path / "image", pool.image.reason, "name a runtime version: image: ...")
            continue
        names = {image.name for image in catalog().images(plan.cloud) if image.region in (None, plan.region)}
        have = ", ".join(sorted(names)) or "none"
        yield Hit(pool.path / "image", pool.image.reason, f"an image pinned for {plan.region}: {have}")


@rule("FY2104", Level.ERROR)
def image_fits_the_architecture(plan: Plan) -> Iterator[Hit]:
    """An image for Arm does not boot on x86, nor the other way round."""
    for pool in plan.pools:
        arch = getattr(pool.image, "arch", None)
        if pool.machine is not None and arch and arch != pool.machine.arch:
            yield Hit(
                pool.path / "image", f"is built for {arch}, {pool.machine_name} is {pool.machine.arch}", "another image"
            )


@rule("FY2118", Level.ERROR)
def image_says_its_os(plan: Plan) -> Iterator[Hit]:
    """An image of one's own says what it is made of (`os`), and one of the catalogue does not say otherwise."""
    named = {image.name for image in catalog().images(plan.cloud)}
    for pool in plan.pools:
        if not pool.os:
            message = f"nobody says what {pool.image_name} is made of"
            yield Hit(pool.path / "os", message, f"os: {DEFAULT_IMAGE}, or what it was baked from")
        elif pool.image_name in named and pool.os != pool.image_name:
            message = f"says {pool.os}, the image is {pool.image_name}"
            yield Hit(pool.path / "os", message, "leave `os` out: it is for images of one's own")


@rule("FY2105", Level.ERROR)
def layout_exists(plan: Plan) -> Iterator[Hit]:
    """A network card layout is one that somebody published for the machine."""
    for pool in plan.pools:
        if plan.cloud is Cloud.AWS and pool.machine is not None and not pool.interfaces:
            known = ", ".join(["single", *catalog().layouts(pool.machine)])
            yield Hit(pool.path / "nics", f"{pool.machine_name} has no layout {pool.nic_layout}", f"one of {known}")


@rule("FY2106", Level.WARNING)
def layout_uses_every_card(plan: Plan) -> Iterator[Hit]:
    """A compute pool of several machines uses every EFA card it pays for."""
    for pool in plan.pools:
        if plan.cloud is not Cloud.AWS or pool.machine is None or pool.role is not Role.COMPUTE or pool.count < 2:
            continue
        used = len({interface.card for interface in pool.interfaces if interface.kind is not Port.ENA})
        if used < pool.machine.efa:
            yield Hit(
                pool.path / "nics",
                f"{used} of {pool.machine.efa} EFA cards are used",
                "leave `nics` out for the full layout",
            )


@rule("FY2107", Level.ERROR)
def efa_needs_one_zone(plan: Plan) -> Iterator[Hit]:
    """Pools that talk over EFA lie in one zone: EFA does not cross zones."""
    for pool in plan.pools:
        if pool.fabric is Fabric.EFA and len(pool.zones) > 1:
            fix = f"keep one (zones: [{pool.zones[0]}]), or one pool per zone"
            yield Hit(pool.path / "zones", f"{len(pool.zones)} zones for an EFA pool", fix)


@rule("FY2108", Level.ERROR)
def together_needs_one_zone(plan: Plan) -> Iterator[Hit]:
    """Machines that stand close together stand in one zone: placement groups and compact policies are zonal."""
    for pool in plan.pools:
        if pool.together and len(pool.zones) > 1 and pool.fabric is not Fabric.EFA:
            fix = f"zones: [{pool.zones[0]}], or placement: anywhere"
            yield Hit(pool.path / "placement", f"{len(pool.zones)} zones for machines placed together", fix)


@rule("FY2109", Level.WARNING)
def efa_wants_placement(plan: Plan) -> Iterator[Hit]:
    """EFA pools are placed together: apart, latency grows and bandwidth is not promised."""
    for pool in plan.pools:
        if pool.fabric is Fabric.EFA and pool.hosts > 1 and not pool.together and pool.buy != "capacity-block":
            yield Hit(pool.path / "placement", "EFA machines are not placed together", "placement: together")


@rule("FY2110", Level.ERROR)
def cache_has_drives(plan: Plan) -> Iterator[Hit]:
    """A cache needs local drives (TPU hosts use their memory instead)."""
    for pool in plan.pools:
        if pool.name in plan.cache_sources and pool.cache is None and pool.machine is not None:
            fix = "remove `cache`, or use a machine with NVMe"
            if plan.cloud is Cloud.GCP:
                fix = "attach drives (local_ssds: 1), or remove `cache`"
            yield Hit(pool.path / "cache", f"{pool.machine_name} is not known to have local drives", fix)


@rule("FY2111", Level.ERROR)
def cache_has_a_store(plan: Plan) -> Iterator[Hit]:
    """A cache is filled from a store of the stack."""
    names = [store.name for store in plan.stores]
    for pool, source in plan.cache_sources.items():
        if source not in names:
            known = f"one of {', '.join(names)}" if names else f"add stores: {{ {source}: {{ kind: object }} }}"
            yield Hit(StackPath("pools") / pool / "cache.from", f"there is no store {source}", known)


@rule("FY2112", Level.ERROR)
def local_drives_can_be_attached(plan: Plan) -> Iterator[Hit]:
    """`local_ssds` is for Google Cloud machines to which drives can be attached."""
    for pool in plan.pools:
        if not pool.local_ssds:
            continue
        if plan.cloud is Cloud.AWS or pool.tpu:
            yield Hit(
                pool.path / "local_ssds", f"{pool.machine_name} comes with the drives it has", "remove `local_ssds`"
            )
        elif pool.machine is not None and pool.machine.nvme:
            yield Hit(
                pool.path / "local_ssds", f"{pool.machine_name} already comes with local drives", "remove `local_ssds`"
            )
        elif pool.local_ssds > 8:
            yield Hit(
                pool.path / "local_ssds",
                f"{pool.local_ssds} drives; no machine type takes more than 8 extra",
                "8 or fewer",
            )


@rule("FY2113", Level.ERROR)
def update_can_be_done(plan: Plan) -> Iterator[Hit]:
    """The way running machines are updated is one that the cloud can carry out."""
    for pool in plan.pools:
        if pool.tpu and pool.update is not Update.ON_NEXT_BOOT:
            yield Hit(pool.path / "update", f"a TPU slice cannot be updated `{pool.update}`", "update: on-next-boot")
        elif plan.cloud is Cloud.GCP and pool.update is Update.NONE:
            message = "an instance group cannot keep a template that is replaced under it"
            yield Hit(pool.path / "update", message, "update: on-next-boot")


@rule("FY2114", Level.WARNING)
def rolling_ends_jobs(plan: Plan) -> Iterator[Hit]:
    """A rolling update of a compute pool ends the jobs on the machines it replaces."""
    for pool in plan.pools:
        if pool.role is Role.COMPUTE and pool.update is Update.ROLLING and pool.count > 1:
            yield Hit(pool.path / "update", "a template change would end running jobs", "update: on-next-boot")


@rule("FY2115", Level.WARNING)
def fabric_is_built(plan: Plan) -> Iterator[Hit]:
    """A fabric that needs networks of its own is used only where they are built."""
    for pool in plan.pools:
        if pool.fabric in _UNBUILT and pool.hosts > 1:
            message = f"{pool.fabric} needs networks that are not built yet; {pool.machine_name} will talk over gVNIC"
            yield Hit(pool.path / "machine", message, "expect the host network's bandwidth, or use one machine")


_UNBUILT = {Fabric.TCPX, Fabric.TCPXO, Fabric.ROCE}


@rule("FY2116", Level.ERROR)
def pool_asks_what_can_be_said(plan: Plan) -> Iterator[Hit]:
    """What a pool asks for can be said in its cloud: topology only for slices, cards only on AWS."""
    for pool in plan.pools:
        yield from _unsayable(pool, plan.cloud)


def _unsayable(pool: PoolPlan, cloud: Cloud) -> Iterator[Hit]:
    if pool.topology and not pool.tpu:
        yield Hit(pool.path / "topology", f"{pool.machine_name} is no TPU slice", "remove `topology`")
    if pool.queued and not pool.tpu:
        yield Hit(
            pool.path / "queued", f"{pool.machine_name} is no TPU slice, so it cannot be queued for", "remove `queued`"
        )
    if cloud is Cloud.GCP and pool.nic_layout not in ("single", "aws-documentation"):
        yield Hit(pool.path / "nics", "network card layouts are for AWS machines with EFA", "remove `nics`")


@rule("FY2117", Level.ERROR)
def machine_is_offered_there(plan: Plan) -> Iterator[Hit]:
    """Every pool's machine is offered in its zones, where the catalogue knows what is offered."""
    for pool in plan.pools:
        offered = catalog().offered(pool.machine, plan.region) if pool.machine is not None else ()
        if pool.machine is None or pool.machine.refused or isinstance(offered, Unknown):
            continue
        if not offered:
            yield Hit(pool.path / "machine", f"{pool.machine_name} is not offered in {plan.region}", "another region")
            continue
        for index, zone in enumerate(pool.zones):
            if zone not in offered:
                message = f"{pool.machine_name} is not offered in {zone}. Offered in: {', '.join(offered)}"
                yield Hit(pool.path / "zones" / index, message, f"zones: [{offered[0]}]")
