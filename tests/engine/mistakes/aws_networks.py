"""Networks, addresses, routes, gateways, security groups, endpoints, peering."""

from __future__ import annotations

import functools

import pulumi
import pulumi_aws as aws
from planted import mistake


@functools.cache
def vpc() -> aws.ec2.Vpc:
    """The network that the area shares."""
    return aws.ec2.Vpc("shared", cidr_block="10.1.0.0/16")


@functools.cache
def subnet() -> aws.ec2.Subnet:
    """A subnet of it."""
    return aws.ec2.Subnet("shared", vpc_id=vpc().id, cidr_block="10.1.200.0/24", availability_zone="us-east-1a")


@functools.cache
def group() -> aws.ec2.SecurityGroup:
    """A security group of it."""
    return aws.ec2.SecurityGroup("shared", vpc_id=vpc().id)


@functools.cache
def gateway() -> aws.ec2.InternetGateway:
    """Its way out."""
    return aws.ec2.InternetGateway("shared", vpc_id=vpc().id)


@functools.cache
def address() -> aws.ec2.Eip:
    """An address that a NAT gateway has."""
    return aws.ec2.Eip("shared", domain="vpc")


@functools.cache
def nat() -> aws.ec2.NatGateway:
    """That gateway."""
    return aws.ec2.NatGateway("shared", subnet_id=subnet().id, allocation_id=address().id)


@functools.cache
def acl() -> aws.ec2.NetworkAcl:
    """A network ACL with rule 100."""
    rule = aws.ec2.NetworkAclIngressArgs(
        rule_no=100, action="allow", protocol="tcp", cidr_block="0.0.0.0/0", from_port=80, to_port=80
    )
    return aws.ec2.NetworkAcl("shared", vpc_id=vpc().id, ingress=[rule])


@mistake(
    "subnet-outside-its-vpc",
    source="EC2 API reference: CreateSubnet; EC2 error codes: InvalidSubnet.Range",
    code="InvalidSubnet.Range",
    operation="CreateSubnet",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Subnet(n, vpc_id=vpc().id, cidr_block="10.9.0.0/24" if wrong else "10.1.1.0/24")


@mistake(
    "subnet-over-another",
    source="EC2 error codes: InvalidSubnet.Conflict",
    code="InvalidSubnet.Conflict",
    operation="CreateSubnet",
)
def _(n: str, wrong: bool) -> None:
    first = aws.ec2.Subnet(f"{n}-first", vpc_id=vpc().id, cidr_block="10.1.4.0/23")
    block = first.cidr_block.apply(lambda _: "10.1.5.0/24" if wrong else "10.1.6.0/24")
    aws.ec2.Subnet(n, vpc_id=vpc().id, cidr_block=block)


@mistake(
    "subnet-too-small",
    source="VPC User Guide: subnet CIDR blocks are between /28 and /16",
    code="InvalidSubnet.Range",
    operation="CreateSubnet",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Subnet(n, vpc_id=vpc().id, cidr_block="10.1.7.0/29" if wrong else "10.1.7.0/28")


@mistake(
    "subnet-in-a-zone-of-nowhere",
    source="EC2 API reference: CreateSubnet, AvailabilityZone",
    code="InvalidParameterValue",
    operation="CreateSubnet",
)
def _(n: str, wrong: bool) -> None:
    zone = "us-east-1z" if wrong else "us-east-1b"
    aws.ec2.Subnet(n, vpc_id=vpc().id, cidr_block="10.1.8.0/24", availability_zone=zone)


@mistake(
    "subnet-of-no-vpc",
    source="EC2 error codes: InvalidVpcID.NotFound",
    code="InvalidVpcID.NotFound",
    operation="CreateSubnet",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Subnet(n, vpc_id="vpc-0123456789abcdef0" if wrong else vpc().id, cidr_block="10.1.9.0/24")


@mistake(
    "vpc-too-large",
    source="VPC User Guide: VPC CIDR blocks are between /28 and /16; EC2 error codes: InvalidVpc.Range",
    code="InvalidVpc.Range",
    operation="CreateVpc",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Vpc(n, cidr_block="10.0.0.0/8" if wrong else "10.2.0.0/16")


@mistake(
    "vpc-of-no-block",
    source="EC2 API reference: CreateVpc, CidrBlock",
    code="InvalidParameterValue",
    operation="CreateVpc",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Vpc(n, cidr_block="10.300.0.0/16" if wrong else "10.3.0.0/16")


@mistake(
    "vpc-tagged-in-the-name-of-aws",
    source="EC2 User Guide: tag restrictions, the prefix aws: is reserved",
    code="InvalidParameterValue",
    operation="CreateVpc",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Vpc(n, cidr_block="10.4.0.0/16", tags={"aws:owner" if wrong else "owner": "us"})


@mistake(
    "route-to-no-gateway",
    source="EC2 error codes: InvalidInternetGatewayID.NotFound",
    code="InvalidInternetGatewayID.NotFound",
    operation="CreateRoute",
)
def _(n: str, wrong: bool) -> None:
    table = aws.ec2.RouteTable(f"{n}-table", vpc_id=vpc().id)
    target = "igw-0123456789abcdef0" if wrong else gateway().id
    aws.ec2.Route(n, route_table_id=table.id, destination_cidr_block="0.0.0.0/0", gateway_id=target)


@mistake(
    "route-twice",
    source="EC2 error codes: RouteAlreadyExists",
    code="RouteAlreadyExists",
    operation="CreateRoute",
)
def _(n: str, wrong: bool) -> None:
    route = aws.ec2.RouteTableRouteArgs(cidr_block="0.0.0.0/0", gateway_id=gateway().id)
    table = aws.ec2.RouteTable(f"{n}-table", vpc_id=vpc().id, routes=[route])
    block = "0.0.0.0/0" if wrong else "192.0.2.0/24"
    aws.ec2.Route(n, route_table_id=table.id, destination_cidr_block=block, gateway_id=gateway().id)


@mistake(
    "route-table-of-a-subnet-twice",
    source="EC2 error codes: Resource.AlreadyAssociated",
    code="Resource.AlreadyAssociated",
    operation="AssociateRouteTable",
)
def _(n: str, wrong: bool) -> None:
    tables = [aws.ec2.RouteTable(f"{n}-{i}", vpc_id=vpc().id) for i in range(2)]
    first = aws.ec2.RouteTableAssociation(f"{n}-first", subnet_id=subnet().id, route_table_id=tables[0].id)
    other = aws.ec2.Subnet(f"{n}-other", vpc_id=vpc().id, cidr_block="10.1.10.0/24")
    where = first.subnet_id if wrong else other.id
    aws.ec2.RouteTableAssociation(n, subnet_id=where, route_table_id=tables[1].id)


@mistake(
    "gateway-of-two-networks",
    source="EC2 error codes: Resource.AlreadyAssociated",
    code="Resource.AlreadyAssociated",
    operation="AttachInternetGateway",
)
def _(n: str, wrong: bool) -> None:
    other = aws.ec2.Vpc(f"{n}-vpc", cidr_block="10.5.0.0/16")
    free = aws.ec2.InternetGateway(f"{n}-free")
    aws.ec2.InternetGatewayAttachment(n, internet_gateway_id=gateway().id if wrong else free.id, vpc_id=other.id)


@mistake(
    "nat-without-an-address",
    source="EC2 API reference: CreateNatGateway, AllocationId",
    code="MissingParameter",
    operation="CreateNatGateway",
)
def _(n: str, wrong: bool) -> None:
    own = None if wrong else aws.ec2.Eip(f"{n}-eip", domain="vpc").id
    aws.ec2.NatGateway(n, subnet_id=subnet().id, allocation_id=own)


@mistake(
    "nat-with-the-address-of-another",
    source="EC2 error codes: Resource.AlreadyAssociated",
    code="Resource.AlreadyAssociated",
    operation="CreateNatGateway",
)
def _(n: str, wrong: bool) -> None:
    taken = nat().allocation_id
    own = taken if wrong else aws.ec2.Eip(f"{n}-eip", domain="vpc").id
    aws.ec2.NatGateway(n, subnet_id=subnet().id, allocation_id=own)


@mistake(
    "ports-upside-down",
    source="EC2 API reference: IpPermission, FromPort and ToPort",
    code="InvalidParameterValue",
    operation="AuthorizeSecurityGroupIngress",
)
def _(n: str, wrong: bool) -> None:
    low, high = (443, 80) if wrong else (80, 443)
    aws.ec2.SecurityGroupRule(
        n,
        type="ingress",
        security_group_id=group().id,
        protocol="tcp",
        from_port=low,
        to_port=high,
        cidr_blocks=["10.0.0.0/8"],
    )


@mistake(
    "port-beyond-all",
    source="EC2 API reference: IpPermission, ports up to 65535",
    code="InvalidParameterValue",
    operation="AuthorizeSecurityGroupEgress",
)
def _(n: str, wrong: bool) -> None:
    aws.vpc.SecurityGroupEgressRule(
        n,
        security_group_id=group().id,
        ip_protocol="tcp",
        from_port=1,
        to_port=70000 if wrong else 65535,
        cidr_ipv4="10.0.0.0/8",
    )


@mistake(
    "rule-of-no-address",
    source="EC2 API reference: IpRange, CidrIp",
    code="InvalidParameterValue",
    operation="AuthorizeSecurityGroupIngress",
)
def _(n: str, wrong: bool) -> None:
    block = "10.0.0.0/33" if wrong else "10.0.0.0/32"
    aws.vpc.SecurityGroupIngressRule(
        n, security_group_id=group().id, ip_protocol="tcp", from_port=1, to_port=2, cidr_ipv4=block
    )


@mistake(
    "rule-from-no-group",
    source="EC2 error codes: InvalidGroup.NotFound",
    code="InvalidGroup.NotFound",
    operation="AuthorizeSecurityGroupIngress",
)
def _(n: str, wrong: bool) -> None:
    aws.vpc.SecurityGroupIngressRule(
        n,
        security_group_id=group().id,
        ip_protocol="tcp",
        from_port=3,
        to_port=4,
        referenced_security_group_id="sg-0123456789abcdef0" if wrong else group().id,
    )


@mistake(
    "rule-twice",
    source="EC2 error codes: InvalidPermission.Duplicate",
    code="InvalidPermission.Duplicate",
    operation="AuthorizeSecurityGroupIngress",
)
def _(n: str, wrong: bool) -> None:
    first = aws.vpc.SecurityGroupIngressRule(
        f"{n}-first",
        security_group_id=group().id,
        ip_protocol="tcp",
        from_port=5,
        to_port=6,
        cidr_ipv4="10.7.0.0/16",
    )
    aws.vpc.SecurityGroupIngressRule(
        n,
        security_group_id=group().id,
        ip_protocol="tcp",
        from_port=5,
        to_port=first.to_port.apply(lambda _: 6 if wrong else 7),
        cidr_ipv4="10.7.0.0/16",
    )


@mistake(
    "group-twice",
    source="EC2 error codes: InvalidGroup.Duplicate",
    code="InvalidGroup.Duplicate",
    operation="CreateSecurityGroup",
)
def _(n: str, wrong: bool) -> None:
    first = aws.ec2.SecurityGroup(f"{n}-first", name="one", vpc_id=vpc().id)
    name = first.name.apply(lambda _: "one" if wrong else "two")
    aws.ec2.SecurityGroup(n, name=name, vpc_id=vpc().id)


@mistake(
    "group-named-like-an-id",
    source="EC2 API reference: CreateSecurityGroup, GroupName cannot start with sg-",
    code="InvalidParameterValue",
    operation="CreateSecurityGroup",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.SecurityGroup(n, name="sg-web" if wrong else "web-sg", vpc_id=vpc().id)


@mistake(
    "group-described-strangely",
    source="EC2 API reference: CreateSecurityGroup, characters of Description",
    code="InvalidParameterValue",
    operation="CreateSecurityGroup",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.SecurityGroup(n, description="web <servers>" if wrong else "web (servers)", vpc_id=vpc().id)


@mistake(
    "peering-with-nobody",
    source="EC2 error codes: InvalidVpcID.NotFound",
    code="InvalidVpcID.NotFound",
    operation="CreateVpcPeeringConnection",
)
def _(n: str, wrong: bool) -> None:
    other = aws.ec2.Vpc(f"{n}-vpc", cidr_block="10.6.0.0/16")
    peer = "vpc-0123456789abcdef0" if wrong else other.id
    aws.ec2.VpcPeeringConnection(n, vpc_id=vpc().id, peer_vpc_id=peer, auto_accept=not wrong)


@mistake(
    "peering-accepted-twice",
    source="EC2 API reference: AcceptVpcPeeringConnection; the peering life cycle in the VPC Peering Guide",
    code="InvalidStateTransition",
    operation="AcceptVpcPeeringConnection",
)
def _(n: str, wrong: bool) -> None:
    other = aws.ec2.Vpc(f"{n}-vpc", cidr_block="10.8.0.0/16")
    peer = aws.ec2.VpcPeeringConnection(f"{n}-peer", vpc_id=vpc().id, peer_vpc_id=other.id)
    done = peer.id
    if wrong:
        first = aws.ec2.VpcPeeringConnectionAccepter(f"{n}-first", vpc_peering_connection_id=peer.id, auto_accept=True)
        done = first.id
    aws.ec2.VpcPeeringConnectionAccepter(n, vpc_peering_connection_id=done, auto_accept=True)


@mistake(
    "endpoint-of-no-service",
    source="EC2 error codes: InvalidServiceName",
    code="InvalidServiceName",
    operation="CreateVpcEndpoint",
)
def _(n: str, wrong: bool) -> None:
    name = "com.amazonaws.us-east-1.nosuch" if wrong else "com.amazonaws.us-east-1.s3"
    aws.ec2.VpcEndpoint(n, vpc_id=vpc().id, service_name=name)


@mistake(
    "endpoint-twice-in-a-zone",
    source="AWS PrivateLink Guide: one subnet per zone; EC2 error codes: DuplicateSubnetsInSameZone",
    code="DuplicateSubnetsInSameZone",
    operation="CreateVpcEndpoint",
)
def _(n: str, wrong: bool) -> None:
    zones = ("us-east-1a", "us-east-1a" if wrong else "us-east-1b")
    subnets = [
        aws.ec2.Subnet(f"{n}-{i}", vpc_id=vpc().id, cidr_block=f"10.1.{20 + i}.0/24", availability_zone=zone)
        for i, zone in enumerate(zones)
    ]
    aws.ec2.VpcEndpoint(
        n,
        vpc_id=vpc().id,
        service_name="com.amazonaws.us-east-1.ssm",
        vpc_endpoint_type="Interface",
        subnet_ids=[s.id for s in subnets],
    )


@mistake(
    "endpoint-names-without-dns",
    source="AWS PrivateLink Guide: private DNS needs enableDnsSupport and enableDnsHostnames",
    code="InvalidParameter",
    operation="CreateVpcEndpoint",
)
def _(n: str, wrong: bool) -> None:
    net = aws.ec2.Vpc(f"{n}-vpc", cidr_block="10.10.0.0/16", enable_dns_hostnames=not wrong)
    where = aws.ec2.Subnet(f"{n}-subnet", vpc_id=net.id, cidr_block="10.10.1.0/24")
    aws.ec2.VpcEndpoint(
        n,
        vpc_id=net.id,
        service_name="com.amazonaws.us-east-1.ssm",
        vpc_endpoint_type="Interface",
        subnet_ids=[where.id],
        private_dns_enabled=True,
    )


@mistake(
    "acl-rule-twice",
    source="EC2 error codes: NetworkAclEntryAlreadyExists",
    code="NetworkAclEntryAlreadyExists",
    operation="CreateNetworkAclEntry",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.NetworkAclRule(
        n,
        network_acl_id=acl().id,
        rule_number=100 if wrong else 101,
        protocol="tcp",
        rule_action="deny",
        cidr_block="10.0.0.0/8",
        from_port=22,
        to_port=22,
    )


@mistake(
    "acl-rule-too-late",
    source="EC2 API reference: CreateNetworkAclEntry, rule numbers 1 to 32766",
    code="InvalidParameterValue",
    operation="CreateNetworkAclEntry",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.NetworkAclRule(
        n,
        network_acl_id=acl().id,
        rule_number=40000 if wrong else 30000,
        protocol="tcp",
        rule_action="deny",
        cidr_block="10.0.0.0/8",
        from_port=22,
        to_port=22,
    )


@mistake(
    "interface-outside-its-subnet",
    source="EC2 API reference: CreateNetworkInterface, PrivateIpAddress lies in the subnet's range",
    code="InvalidParameterValue",
    operation="CreateNetworkInterface",
)
def _(n: str, wrong: bool) -> None:
    ip = "10.1.99.9" if wrong else "10.1.200.99"
    aws.ec2.NetworkInterface(n, subnet_id=subnet().id, private_ips=[ip])


@mistake(
    "interface-with-a-taken-address",
    source="EC2 error codes: InvalidIPAddress.InUse",
    code="InvalidIPAddress.InUse",
    operation="CreateNetworkInterface",
)
def _(n: str, wrong: bool) -> None:
    first = aws.ec2.NetworkInterface(f"{n}-first", subnet_id=subnet().id, private_ips=["10.1.200.50"])
    ip = first.private_ip.apply(lambda ip: ip if wrong else "10.1.200.51")
    aws.ec2.NetworkInterface(n, subnet_id=subnet().id, private_ips=[ip])


@mistake(
    "address-on-no-interface",
    source="EC2 error codes: InvalidNetworkInterfaceID.NotFound",
    code="InvalidNetworkInterfaceID.NotFound",
    operation="AssociateAddress",
)
def _(n: str, wrong: bool) -> None:
    eni = aws.ec2.NetworkInterface(f"{n}-eni", subnet_id=subnet().id)
    own = aws.ec2.Eip(f"{n}-eip", domain="vpc", opts=None)
    gateway()
    aws.ec2.EipAssociation(n, allocation_id=own.id, network_interface_id="eni-0123456789abcdef0" if wrong else eni.id)


@mistake(
    "options-of-nobody",
    source="EC2 error codes: InvalidDhcpOptionID.NotFound",
    code="InvalidDhcpOptionID.NotFound",
    operation="AssociateDhcpOptions",
)
def _(n: str, wrong: bool) -> None:
    own = aws.ec2.VpcDhcpOptions(f"{n}-options", domain_name="a.internal")
    net = aws.ec2.Vpc(f"{n}-vpc", cidr_block="10.11.0.0/16")
    aws.ec2.VpcDhcpOptionsAssociation(n, vpc_id=net.id, dhcp_options_id="dopt-0123456789abcdef0" if wrong else own.id)


@mistake(
    "flow-log-without-a-role",
    source="EC2 API reference: CreateFlowLogs, DeliverLogsPermissionArn",
    code="InvalidParameter",
    operation="CreateFlowLogs",
)
def _(n: str, wrong: bool) -> None:
    group_ = aws.cloudwatch.LogGroup(f"{n}-logs")
    bucket = aws.s3.Bucket(f"{n}-bucket")
    where = (
        {"log_destination": group_.arn, "log_destination_type": "cloud-watch-logs"}
        if wrong
        else {"log_destination": bucket.arn, "log_destination_type": "s3"}
    )
    aws.ec2.FlowLog(n, vpc_id=vpc().id, traffic_type="ALL", **where)  # type: ignore[arg-type]


@mistake(
    "peers-with-common-addresses",
    source="VPC Peering Guide: peering basics, overlapping CIDR blocks fail; the provider waits for active",
    code="UnexpectedState",
    operation="CreateVpcPeeringConnection",
)
def _(n: str, wrong: bool) -> None:
    other = aws.ec2.Vpc(f"{n}-other", cidr_block="10.1.0.0/16" if wrong else "10.7.0.0/16")
    aws.ec2.VpcPeeringConnection(n, vpc_id=vpc().id, peer_vpc_id=other.id, auto_accept=True)


@mistake(
    "a-second-range-over-the-first",
    source="VPC User Guide: VPC CIDR blocks, a further one must not overlap",
    code="InvalidVpc.Range",
    operation="AssociateVpcCidrBlock",
)
def _(n: str, wrong: bool) -> None:
    of = aws.ec2.Vpc(f"{n}-vpc", cidr_block="10.20.0.0/16")
    aws.ec2.VpcIpv4CidrBlockAssociation(n, vpc_id=of.id, cidr_block="10.20.128.0/17" if wrong else "10.21.0.0/16")


@mistake(
    "a-second-range-of-another-kind",
    source="VPC User Guide: CIDR block association restrictions",
    code="InvalidVpc.Range",
    operation="AssociateVpcCidrBlock",
)
def _(n: str, wrong: bool) -> None:
    of = aws.ec2.Vpc(f"{n}-vpc", cidr_block="10.22.0.0/16")
    aws.ec2.VpcIpv4CidrBlockAssociation(n, vpc_id=of.id, cidr_block="192.168.0.0/16" if wrong else "100.64.0.0/16")


@mistake(
    "sixty-one-rules",
    source="Amazon VPC quotas: 60 inbound rules per security group",
    code="RulesPerSecurityGroupLimitExceeded",
    operation="AuthorizeSecurityGroupIngress",
)
def _(n: str, wrong: bool) -> None:
    blocks = [f"10.{i}.0.0/16" for i in range(61 if wrong else 60)]
    rule = aws.ec2.SecurityGroupIngressArgs(protocol="tcp", from_port=443, to_port=443, cidr_blocks=blocks)
    aws.ec2.SecurityGroup(n, vpc_id=vpc().id, ingress=[rule])


@mistake(
    "a-sixth-address",
    source="Amazon VPC quotas: 5 Elastic IP addresses per Region; EC2 error codes: AddressLimitExceeded",
    code="AddressLimitExceeded",
    operation="AllocateAddress",
)
def _(n: str, wrong: bool) -> None:
    others = [aws.ec2.Eip(f"{n}-{i}", domain="vpc", region="eu-west-1") for i in range(5 if wrong else 4)]
    aws.ec2.Eip(n, domain="vpc", region="eu-west-1", opts=pulumi.ResourceOptions(depends_on=others))
