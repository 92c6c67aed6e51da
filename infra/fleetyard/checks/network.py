"""Rules about places, addresses and ways in and out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import ceil

from fleetyard.catalog import Cloud, NotInCatalogError, catalog
from fleetyard.checks.registry import Hit, rule
from fleetyard.findings import Level, StackPath
from fleetyard.plan import Plan
from fleetyard.plan.addresses import TAKEN_AWS, TAKEN_GCP, AddressError, regional_addresses, zonal_addresses, zone_slot
from fleetyard.spec import Access, Egress

SSM_ENDPOINTS = 3


@rule("FY2301", Level.ERROR)
def region_exists(plan: Plan) -> Iterator[Hit]:
    """The region is one of the cloud's whose zones the catalogue holds."""
    try:
        catalog().region(plan.cloud, plan.region)
    except NotInCatalogError as unknown:
        names = unknown.near or tuple(region.name for region in catalog().regions(plan.cloud))
        yield Hit(
            StackPath("region"), f"{plan.cloud} has no region {plan.region} that we know", f"one of {', '.join(names)}"
        )


@rule("FY2302", Level.ERROR)
def zones_exist(plan: Plan) -> Iterator[Hit]:
    """Every zone is one of the region's, by its id."""
    zones = [zone.id for zone in catalog().zones(plan.region)]
    for index, zone in enumerate(plan.zones):
        if zones and zone not in zones:
            hint = " (zone ids, not letters: letters differ between accounts)" if plan.cloud is Cloud.AWS else ""
            yield Hit(
                StackPath("zones") / index, f"{zone} is no zone of {plan.region}", f"one of {', '.join(zones)}{hint}"
            )


@rule("FY2303", Level.ERROR)
def pool_zones_are_the_stacks(plan: Plan) -> Iterator[Hit]:
    """A pool stands in zones of the stack: elsewhere it has no subnet."""
    for pool in plan.pools:
        for index, zone in enumerate(pool.zones):
            if zone not in plan.zones:
                yield Hit(
                    pool.path / "zones" / index, f"{zone} is not among the stack's zones", f"add {zone} to `zones`"
                )


@rule("FY2304", Level.ERROR)
def addresses_fit(plan: Plan) -> Iterator[Hit]:
    """The network is large enough to be cut into subnets, and no larger than the cloud allows."""
    try:
        if plan.cloud is Cloud.GCP:
            regional_addresses(plan.network.cidr)
            for zone in plan.zones:
                zone_slot(zone)
        else:
            zonal_addresses(plan.network.cidr, plan.zones)
    except AddressError as wrong:
        yield Hit(StackPath("network.cidr"), str(wrong), wrong.fix)


@rule("FY2305", Level.ERROR)
def pools_have_addresses(plan: Plan) -> Iterator[Hit]:
    """Every subnet has an address for every interface that its pools put there, and for the endpoints."""
    taken = TAKEN_GCP if plan.cloud is Cloud.GCP else TAKEN_AWS
    endpoints = SSM_ENDPOINTS if Access.SSM in plan.network.access else 0
    needs: dict[str, int] = defaultdict(int)
    for pool in plan.pools:
        hosts = ceil(pool.hosts / max(1, len(pool.subnets)))
        for key in pool.subnets:
            needs[key] += hosts * pool.addresses_per_machine
    for subnet in plan.network.private():
        room = subnet.cidr.num_addresses - taken - endpoints
        if needs[subnet.key] > room:
            message = f"subnet {subnet.key} ({subnet.cidr}) has {room} addresses, its pools need {needs[subnet.key]}"
            yield Hit(StackPath("network.cidr"), message, "a larger network, or a layout with fewer addresses")


@rule("FY2306", Level.ERROR)
def machines_can_be_reached(plan: Plan) -> Iterator[Hit]:
    """There is a private way in: Session Manager needs its endpoints or a way out, IAP needs its firewall rule."""
    if plan.cloud is Cloud.AWS and Access.SSM not in plan.network.access and plan.network.egress is Egress.NONE:
        message = "machines without a way out reach Session Manager only through its endpoints, and there are none"
        yield Hit(StackPath("network.access"), message, "access: [ssm]")
    if plan.cloud is Cloud.GCP and Access.IAP not in plan.network.access:
        yield Hit(
            StackPath("network.access"), "nothing lets anybody in: machines have no public address", "access: [iap]"
        )


@rule("FY2307", Level.ERROR)
def access_fits_the_cloud(plan: Plan) -> Iterator[Hit]:
    """The way in is one of the cloud's: ssm on AWS, iap on Google Cloud."""
    own = Access.IAP if plan.cloud is Cloud.GCP else Access.SSM
    for index, access in enumerate(plan.network.access):
        if access is not own:
            yield Hit(
                StackPath("network.access") / index, f"{access} is not a way into {plan.cloud}", f"access: [{own}]"
            )


@rule("FY2308", Level.WARNING)
def machines_can_install(plan: Plan) -> Iterator[Hit]:
    """Without a way out, machines can install nothing that is not in a store or their image."""
    if plan.network.egress is Egress.NONE:
        yield Hit(
            StackPath("network.egress"),
            "machines cannot reach package mirrors",
            "egress: nat-shared, or an image with all of it",
        )


@rule("FY2309", Level.INFO)
def shared_nat_crosses_zones(plan: Plan) -> Iterator[Hit]:
    """Says that one NAT gateway for several zones is one point of failure and pays for traffic between zones."""
    if plan.cloud is Cloud.AWS and plan.network.egress is Egress.NAT_SHARED and len(plan.zones) > 1:
        yield Hit(
            StackPath("network.egress"),
            f"one gateway in {plan.zones[0]} serves {len(plan.zones)} zones",
            "egress: nat-per-zone",
        )


@rule("FY2310", Level.ERROR)
def nat_per_zone_is_for_zones(plan: Plan) -> Iterator[Hit]:
    """NAT per zone is an AWS choice: Google's NAT belongs to a region."""
    if plan.cloud is Cloud.GCP and plan.network.egress is Egress.NAT_PER_ZONE:
        yield Hit(StackPath("network.egress"), "Cloud NAT is regional, there is none per zone", "egress: nat-shared")
