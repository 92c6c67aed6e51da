"""From a network as typed to subnets and ways out."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from fleetyard.catalog import Cloud
from fleetyard.plan.addresses import AddressError, Addresses, Range, regional_addresses, zonal_addresses
from fleetyard.plan.model import NatPlan, NetworkPlan, SubnetPlan
from fleetyard.spec import Egress, Stack

FLOW_LOG_DAYS = 30
LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""What CloudWatch Logs accepts. Source: PutRetentionPolicy, Amazon CloudWatch Logs API Reference."""


def plan_network(stack: Stack, tags: Mapping[str, str]) -> NetworkPlan:
    """Cut the network and place its gateways. Without room for subnets the plan has none; a rule says why."""
    try:
        addresses = addresses_of(stack)
    except AddressError:
        addresses = Addresses(stack.network.cidr, (), (stack.network.cidr,))
    subnets = tuple(_subnet(stack, given) for given in addresses.ranges)
    return NetworkPlan(
        name=stack.name,
        region=stack.region,
        cidr=stack.network.cidr,
        subnets=subnets,
        reserves=addresses.reserves,
        egress=stack.network.egress,
        nats=_nats(stack, subnets),
        access=stack.network.access,
        flow_log_days=_retention(stack),
        tags=tags,
    )


def addresses_of(stack: Stack) -> Addresses:
    """Zonal subnets on AWS, one regional subnet on Google Cloud. Raises AddressError."""
    if stack.cloud is Cloud.GCP:
        return regional_addresses(stack.network.cidr)
    return zonal_addresses(stack.network.cidr, stack.zones)


def _subnet(stack: Stack, given: Range) -> SubnetPlan:
    key = f"{given.zone or stack.region}-{given.role}"
    return SubnetPlan(key, given.zone, given.role, given.cidr, given.secondary)


def _nats(stack: Stack, subnets: tuple[SubnetPlan, ...]) -> tuple[NatPlan, ...]:
    """A shared gateway stands in the first zone of the list, so append zones; Google's gateways belong to a region."""
    private = [subnet for subnet in subnets if subnet.role == "private"]
    if stack.network.egress is Egress.NONE or not private:
        return ()
    if stack.cloud is Cloud.GCP:
        return (NatPlan(stack.region, None, tuple(subnet.key for subnet in private)),)
    if stack.network.egress is Egress.NAT_SHARED:
        return (NatPlan("shared", stack.zones[0], tuple(subnet.key for subnet in private)),)
    return tuple(NatPlan(str(subnet.zone), subnet.zone, (subnet.key,)) for subnet in private)


def _retention(stack: Stack) -> int:
    """Days; rounded up to what CloudWatch Logs can keep."""
    if stack.network.flow_logs is None:
        return FLOW_LOG_DAYS
    days = ceil(stack.network.flow_logs.total_seconds() / 86400)
    return next((kept for kept in LOG_RETENTION_DAYS if kept >= days), LOG_RETENTION_DAYS[-1])
