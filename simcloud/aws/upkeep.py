"""What moto 5.2.5 does differently from AWS, put right after each call.

Interfaces of gateways and endpoints get a random address that lies in no subnet and no security group, and that of a
NAT
gateway stays behind; the first subnet of a zone becomes a default one; a rule between groups loses its description; a
template's own tags become tags of what it launches. Sources: EC2 User Guide, "NAT gateways", "Default subnets"; AWS
PrivateLink Guide, "Interface endpoints"; EC2 API reference, CreateSubnet, AuthorizeSecurityGroupIngress,
CreateLaunchTemplate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random

from simcloud.aws import lives, moto_bridge
from simcloud.aws.calls import Call
from simcloud.aws.network_rules import ranges_overlap

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld


def _own_address(eni: Any) -> None:
    """An address of the interface's subnet in place of moto's random one."""
    address = eni.subnet.get_available_subnet_ip(instance=eni)
    eni.private_ip_address = address
    eni.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]


def nat_gateway_made(call: Call, world: AwsWorld) -> None:
    """Address the newest gateway's interface."""
    backend = world.ec2.backend(call.region)
    gateway = list(backend.nat_gateways.values())[-1]
    eni = gateway._eni
    _own_address(eni)
    eni.interface_type, eni.requester_managed = "nat_gateway", True
    eni.description = f"Interface for NAT Gateway {gateway.id}"
    gateway.private_ip = eni.private_ip_address
    for address in gateway.address_set:
        address["privateIp"] = eni.private_ip_address


def nat_gateway_gone(call: Call, world: AwsWorld) -> None:
    """Free the gateway's addresses and its interface."""
    backend = world.ec2.backend(call.region)
    eni = backend.nat_gateways[call.params["NatGatewayId"]]._eni
    for address in backend.addresses:
        if address.eni is not None and address.eni.id == eni.id:
            address.eni = address.association_id = None
    backend.enis.pop(eni.id, None)
    eni.subnet.del_subnet_ip(eni.private_ip_address)


def endpoint_made(call: Call, world: AwsWorld) -> None:
    """Address the newest endpoint's interfaces and put them into its security groups."""
    backend = world.ec2.backend(call.region)
    endpoint = list(backend.vpc_end_points.values())[-1]
    groups = [g for g in map(backend.get_security_group_from_id, call.params.get("SecurityGroupIds") or ()) if g]
    for id in endpoint.network_interface_ids:
        eni = backend.enis[id]
        _own_address(eni)
        eni.interface_type, eni.requester_managed = "vpc_endpoint", True
        eni.description = f"VPC Endpoint Interface {endpoint.id}"
        if groups:
            eni._group_set = groups


def default_group_opened(backend: Any, vpc: str) -> None:
    """The default security group of a VPC lets its own members in (VPC User Guide, "Default security groups")."""
    from moto.ec2.models.security_groups import SecurityGroupRule

    for group in backend.groups.get(vpc, {}).values():
        if group.name == "default" and not group.ingress_rules:
            own = {"GroupId": group.id, "UserId": moto_bridge.ACCOUNT}
            rule = SecurityGroupRule(backend, "-1", group.id, None, None, {}, source_group=own, is_egress=False)
            group.ingress_rules.append(rule)


def vpc_made(call: Call, world: AwsWorld) -> None:
    """The newest VPC's default group."""
    backend = world.ec2.backend(call.region)
    default_group_opened(backend, next(reversed(backend.vpcs)))


def subnet_made(call: Call, world: AwsWorld) -> None:
    """A subnet that somebody made is no default one, and gives no public addresses until it is told to."""
    backend = world.ec2.backend(call.region)
    for subnets in backend.subnets.values():
        newest = next(reversed(subnets.values()), None)
        if (
            newest is not None
            and newest.vpc_id == call.params["VpcId"]
            and newest.cidr_block == call.params.get("CidrBlock")
        ):
            newest.default_for_az, newest.map_public_ip_on_launch = False, False


def rules_made(call: Call, world: AwsWorld) -> None:
    """Rules between groups keep their descriptions."""
    described = {
        (pair.get("GroupId"), str(permission.get("IpProtocol"))): pair["Description"]
        for permission in call.params.get("IpPermissions") or ()
        for pair in permission.get("UserIdGroupPairs") or ()
        if pair.get("Description")
    }
    group = world.ec2.backend(call.region).get_security_group_from_id(call.params.get("GroupId"))
    if not described or group is None:
        return
    for rule in [*group.ingress_rules, *group.egress_rules]:
        description = described.get((rule.source_group.get("GroupId"), rule.ip_protocol))
        if description and not rule.ip_range:
            rule.ip_range = {"Description": description}


def template_made(call: Call, world: AwsWorld) -> None:
    """The tags of a template are its own, not its instances'."""
    template = list(world.ec2.backend(call.region).launch_templates.values())[-1]
    for version in template.versions:
        rows = version.data.get("TagSpecifications")
        if rows:
            version.data["TagSpecifications"] = [r for r in rows if r.get("ResourceType") != "launch-template"]


def bucket_made(call: Call, world: AwsWorld) -> None:
    """A bucket is as old as the call that made it (moto asks the machine's clock)."""
    bucket = moto_bridge.backend("s3", call.region).buckets.get(call.params["Bucket"])
    if bucket is not None:
        bucket.creation_date = moto_bridge.world_time().replace(tzinfo=UTC)


def balancer_made(call: Call, world: AwsWorld) -> None:
    """A load balancer's DNS name has a number that no other one has (moto counts from one again)."""
    balancer = list(moto_bridge.backend("elbv2", call.region).load_balancers.values())[-1]
    internal = "internal-" if balancer.scheme == "internal" else ""
    if balancer.type == "network":
        unique = mock_random.get_random_hex(16)
        balancer.dns_name = f"{balancer.name}-{unique}.elb.{call.region}.amazonaws.com"
    else:
        unique = str(mock_random.randint(10**8, 2 * 10**9))
        balancer.dns_name = f"{internal}{balancer.name}-{unique}.{call.region}.elb.amazonaws.com"


def peering_asked(call: Call, world: AwsWorld) -> None:
    """A connection between VPCs with common addresses is made, and fails (VPC Peering Guide, "Lifecycle")."""
    made = list(world.ec2.backend(call.region).vpc_pcxs.values())[-1]
    if ranges_overlap(made.vpc, made.peer_vpc):
        made._status.code = "failed"
        made._status.message = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"


def groups_of_card_set(call: Call, world: AwsWorld) -> None:
    """The groups of an instance are those of its first interface (moto keeps both, and shows their union)."""
    eni = world.ec2.backend(call.region).enis.get(call.params.get("NetworkInterfaceId"))
    if call.params.get("Groups") and eni is not None and eni.instance is not None and eni.device_index == 0:
        eni.instance.security_groups = list(eni._group_set)


def groups_of_instance_set(call: Call, world: AwsWorld) -> None:
    """The same, from the other side."""
    instance = world.ec2.backend(call.region).get_instance(call.params["InstanceId"])
    if call.params.get("Groups"):
        instance.nics[0]._group_set = list(instance.security_groups)


AFTER: Mapping[str, Callable[[Call, AwsWorld], None]] = {
    "ec2:CreateNatGateway": nat_gateway_made,
    "ec2:DeleteNatGateway": nat_gateway_gone,
    "ec2:CreateVpcEndpoint": endpoint_made,
    "ec2:CreateVpc": vpc_made,
    "ec2:CreateSubnet": subnet_made,
    "ec2:CreateVpcPeeringConnection": peering_asked,
    "s3:CreateBucket": bucket_made,
    "ec2:ModifyNetworkInterfaceAttribute": groups_of_card_set,
    "ec2:ModifyInstanceAttribute": groups_of_instance_set,
    "ec2:AuthorizeSecurityGroupIngress": rules_made,
    "ec2:AuthorizeSecurityGroupEgress": rules_made,
    "ec2:CreateLaunchTemplate": template_made,
    "elbv2:CreateLoadBalancer": balancer_made,
    "ec2:StopInstances": lives.stopped,
    "ec2:StartInstances": lives.started,
    "ec2:RebootInstances": lives.rebooted,
}
"""What to do after moto has carried out an operation."""
