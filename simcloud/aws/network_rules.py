"""What EC2 refuses of networks and moto accepts."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from simcloud.aws.calls import Call
from simcloud.aws.rules import rule
from simcloud.provider.model import CloudError

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld


MAX_PORT = 65535


def _users_of(world: AwsWorld, region: str, wanted: Any) -> list[str]:
    """Ids of the network interfaces that fit."""
    return sorted(e.id for e in world.ec2.backend(region).enis.values() if wanted(e))


@rule(
    "ec2:DeleteSecurityGroup",
    "EC2 API reference, DeleteSecurityGroup: 'associated with an instance or network interface'",
)
def group_in_use(call: Call, world: AwsWorld) -> None:
    """A security group that an interface or another group's rule uses cannot be deleted."""
    backend = world.ec2.backend(call.region)
    id = call.params.get("GroupId")
    group = backend.get_security_group_from_id(id) if id else None
    if group is None:
        return
    users = _users_of(world, call.region, lambda e: any(g.id == id for g in e.group_set))
    referring = [
        other.id
        for groups in backend.groups.values()
        for other in groups.values()
        if other.id != id
        for one in [*other.ingress_rules, *other.egress_rules]
        if one.source_group.get("GroupId") == id
    ]
    if users or referring:
        raise CloudError("DependencyViolation", call.operation, f"resource {id} has a dependent object")


def _ports(call: Call) -> None:
    for permission in call.params.get("IpPermissions") or ():
        if permission.get("IpProtocol") not in ("tcp", "udp", "6", "17"):
            continue
        low, high = permission.get("FromPort"), permission.get("ToPort")
        for port in (low, high):
            if port is not None and not -1 <= port <= MAX_PORT:
                raise CloudError(
                    "InvalidParameterValue",
                    call.operation,
                    f"Invalid value '{port}' for portRange. Must be between 0 and {MAX_PORT}.",
                )
        if low is not None and high is not None and -1 not in (low, high) and low > high:
            raise CloudError("InvalidParameterValue", call.operation, f"Invalid TCP/UDP port range ({low}:{high})")


@rule("ec2:AuthorizeSecurityGroupIngress", "EC2 API reference, IpPermission: FromPort, ToPort")
def ingress_ports(call: Call, world: AwsWorld) -> None:
    """The ports of a rule are a range of ports."""
    _ports(call)


@rule("ec2:AuthorizeSecurityGroupEgress", "EC2 API reference, IpPermission: FromPort, ToPort")
def egress_ports(call: Call, world: AwsWorld) -> None:
    """The ports of a rule are a range of ports."""
    _ports(call)


@rule("ec2:CreateSubnet", "VPC User Guide, 'Subnet CIDR blocks': between /28 and /16")
def subnet_size(call: Call, world: AwsWorld) -> None:
    """A subnet's IPv4 range is between /28 and /16."""
    block = call.params.get("CidrBlock")
    try:
        size = ipaddress.ip_network(block).prefixlen if block else 16
    except ValueError:
        return  # moto says what is wrong with it
    if not 16 <= size <= 28:
        raise CloudError("InvalidSubnet.Range", call.operation, f"The CIDR '{block}' is invalid.")


@rule("ec2:DeleteSubnet", "EC2 API reference, DeleteSubnet: 'You must terminate all running instances in the subnet'")
def subnet_in_use(call: Call, world: AwsWorld) -> None:
    """A subnet with network interfaces, NAT gateways or interface endpoints in it cannot be deleted."""
    backend, id = world.ec2.backend(call.region), call.params["SubnetId"]
    nat = any(n.subnet_id == id and n.state not in ("deleted",) for n in backend.nat_gateways.values())
    endpoint = any(id in (e.subnet_ids or []) for e in backend.vpc_end_points.values() if e.state != "deleted")
    if nat or endpoint or _users_of(world, call.region, lambda e: e.subnet.id == id):
        raise CloudError(
            "DependencyViolation", call.operation, f"The subnet '{id}' has dependencies and cannot be deleted."
        )


@rule(
    "ec2:DetachInternetGateway",
    "EC2 API reference, DetachInternetGateway: 'must not contain any running instances with Elastic IP'",
)
def gateway_in_use(call: Call, world: AwsWorld) -> None:
    """An internet gateway cannot leave a VPC in which public addresses are mapped."""
    backend, vpc = world.ec2.backend(call.region), call.params["VpcId"]
    public_nat = any(
        n.vpc_id == vpc and n.state not in ("deleted",) and n.connectivity_type == "public"
        for n in backend.nat_gateways.values()
    )
    if public_nat or _users_of(world, call.region, lambda e: e.vpc_id == vpc and e.public_ip):
        raise CloudError(
            "DependencyViolation",
            call.operation,
            f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before "
            f"detaching the "
            "gateway.",
        )


@rule("ec2:CreateNatGateway", "EC2 API reference, CreateNatGateway: AllocationId is required for a public NAT gateway")
def nat_needs_address(call: Call, world: AwsWorld) -> None:
    """A public NAT gateway needs an Elastic IP address that nothing else uses."""
    if call.params.get("ConnectivityType") == "private":
        return
    id = call.params.get("AllocationId")
    if not id:
        raise CloudError("MissingParameter", call.operation, "The request must contain the parameter AllocationId")
    backend = world.ec2.backend(call.region)
    address = next((a for a in backend.addresses if a.allocation_id == id), None)
    if address is None:
        raise CloudError("InvalidAllocationID.NotFound", call.operation, f"Elastic IP address {id} could not be found")
    if address.association_id:
        raise CloudError(
            "Resource.AlreadyAssociated", call.operation, f"Elastic IP address [{id}] is already associated"
        )


@rule("ec2:ReleaseAddress", "EC2 API reference, ReleaseAddress: InvalidIPAddress.InUse")
def address_in_use(call: Call, world: AwsWorld) -> None:
    """An address that a NAT gateway uses cannot be released."""
    id = call.params.get("AllocationId")
    for nat in world.ec2.backend(call.region).nat_gateways.values():
        if nat.state not in ("deleted",) and any(
            a.get("allocationId", a.get("AllocationId")) == id for a in nat.address_set or ()
        ):
            raise CloudError("InvalidIPAddress.InUse", call.operation, f"Address {id} is in use by {nat.id}.")


@rule(
    "ec2:CreateLaunchTemplate", "EC2 API reference, CreateLaunchTemplate: 'not validated when you create the template'"
)
def template_is_not_validated(call: Call, world: AwsWorld) -> None:
    """Nothing of a launch template but its name is checked when it is created (the first launch finds out)."""
    name = call.params.get("LaunchTemplateName", "")
    if not 3 <= len(name) <= 128:
        raise CloudError(
            "InvalidLaunchTemplateName.MalformedException",
            call.operation,
            "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and "
            "the following "
            "characters: - ( ) . / _.",
        )


@rule("ec2:DeleteVpc", "EC2 API reference, DeleteVpc: 'You must detach or delete all gateways and resources'")
def vpc_in_use(call: Call, world: AwsWorld) -> None:
    """A VPC goes with its own default group, network ACL and main route table; anything else in it forbids that."""
    backend, id = world.ec2.backend(call.region), call.params["VpcId"]
    groups = [g for g in backend.groups.get(id, {}).values() if g.name != "default"]
    subnets = [s for zone in backend.subnets.values() for s in zone.values() if s.vpc_id == id]
    gateways = [g for g in backend.internet_gateways.values() if g.vpc and g.vpc.id == id]
    tables = [t for t in backend.route_tables.values() if t.vpc_id == id and not t.main_association_id]
    lists = [a for a in backend.network_acls.values() if a.vpc_id == id and str(a.default).lower() != "true"]
    endpoints = [e for e in backend.vpc_end_points.values() if e.vpc_id == id and e.state != "deleted"]
    if groups or subnets or gateways or tables or lists or endpoints:
        raise CloudError(
            "DependencyViolation", call.operation, f"The vpc '{id}' has dependencies and cannot be deleted."
        )


ADDRESSES = 5
"""Elastic IP addresses of a region, until its quota (L-0263D0A3) is raised. Source: VPC quotas."""


@rule("ec2:AllocateAddress", "VPC User Guide, 'Amazon VPC quotas': Elastic IP addresses per Region")
def addresses_of_a_region(call: Call, world: AwsWorld) -> None:
    """A region has five Elastic IP addresses; the knob `quota` with the code L-0263D0A3 gives it more."""
    most = world.ec2.region(call.region).quota.get("L-0263D0A3", ADDRESSES)
    if len(world.ec2.backend(call.region).addresses) >= most:
        raise CloudError("AddressLimitExceeded", call.operation, "The maximum number of addresses has been reached.")


def _ranges(vpc: Any) -> list[ipaddress.IPv4Network]:
    """A VPC's IPv4 ranges, the first one first."""
    rows = vpc.get_cidr_block_association_set()
    return [ipaddress.IPv4Network(r["cidr_block"]) for r in rows if r["cidr_block_state"]["state"] == "associated"]


_PRIVATE = tuple(ipaddress.ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""Private ranges, of which a VPC has addresses of one only. Source: VPC User Guide, "CIDR block association
restrictions"."""


@rule("ec2:AssociateVpcCidrBlock", "VPC User Guide, 'VPC CIDR blocks': association restrictions")
def another_range_of_a_vpc(call: Call, world: AwsWorld) -> None:
    """A VPC's further ranges lie apart from those that it has, and in the same one of the private ranges."""
    vpc, said = world.ec2.backend(call.region).vpcs.get(call.params["VpcId"]), call.params.get("CidrBlock")
    if vpc is None or not said:
        return  # moto says what is wrong with it
    try:
        wanted = ipaddress.ip_network(said)
    except ValueError:
        raise CloudError(
            "InvalidParameterValue", call.operation, f"Value ({said}) for parameter cidrBlock is invalid."
        ) from None
    if not 16 <= wanted.prefixlen <= 28:
        raise CloudError("InvalidVpc.Range", call.operation, f"The CIDR '{said}' is invalid.")
    here = _ranges(vpc)
    for other in here:
        if wanted.overlaps(other):
            raise CloudError(
                "InvalidVpc.Range", call.operation, f"The CIDR '{said}' conflicts with the VPC's CIDR '{other}'"
            )
    first, wants = ([b for b in _PRIVATE if r.overlaps(b)] for r in (here[0], wanted))
    if wants and wants != first:
        raise CloudError("InvalidVpc.Range", call.operation, f"The CIDR '{said}' is restricted.")


def ranges_overlap(one: Any, other: Any) -> bool:
    """Whether two VPCs have addresses in common, and so cannot be peers."""
    return any(a.overlaps(b) for a in _ranges(one) for b in _ranges(other))
