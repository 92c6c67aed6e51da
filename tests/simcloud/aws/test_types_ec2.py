"""The life of EC2's smaller types: made, refreshed without changes, changed in place, deleted."""

from __future__ import annotations

from aws_bench import UBUNTU
from life import Life, Made

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8bdWdgIFJ1gLXzqAtNLq3xJS8ZP1fC6X0cC4C8bFfQ someone"


def test_rules_of_a_group(life: Life, vpc: Made) -> None:
    group = life.make("aws:ec2/securityGroup:SecurityGroup", name="web", description="web", vpcId=vpc.id)
    other = life.make("aws:ec2/securityGroup:SecurityGroup", name="db", description="db", vpcId=vpc.id)
    rule = life.make(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        type="ingress",
        fromPort=80,
        toPort=80,
        protocol="tcp",
        cidrBlocks=["0.0.0.0/0"],
        securityGroupId=group.id,
        description="web",
    )
    assert rule["securityGroupRuleId"].startswith("sgr-")
    life.make(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        type="ingress",
        fromPort=5432,
        toPort=5432,
        protocol="tcp",
        sourceSecurityGroupId=group.id,
        securityGroupId=other.id,
    )
    life.make(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        type="egress",
        fromPort=0,
        toPort=0,
        protocol="-1",
        cidrBlocks=["0.0.0.0/0"],
        securityGroupId=group.id,
    )
    life.make(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        type="ingress",
        fromPort=0,
        toPort=65535,
        protocol="tcp",
        self=True,
        securityGroupId=group.id,
    )
    life.change(rule, description="the web")
    life.unmake()


def test_addresses_and_interfaces(life: Life, vpc: Made, subnet: Made) -> None:
    eni = life.make(
        "aws:ec2/networkInterface:NetworkInterface",
        subnetId=subnet.id,
        privateIps=["10.0.1.20"],
        description="a",
        tags={"a": "b"},
    )
    assert eni["privateIp"] == "10.0.1.20"
    assert eni["macAddress"]
    life.change(eni, description="b", tags={"a": "c"})
    life.change(eni, sourceDestCheck=False)
    gateway = life.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    eip = life.make("aws:ec2/eip:Eip", domain="vpc")
    tie = life.make("aws:ec2/eipAssociation:EipAssociation", allocationId=eip.id, networkInterfaceId=eni.id)
    assert tie["publicIp"] == eip["publicIp"]
    assert gateway.id
    plain = life.make("aws:ec2/networkInterface:NetworkInterface", subnetId=subnet.id)
    assert plain["privateIps"] == [plain["privateIp"]]
    life.unmake()


def test_volumes_and_snapshots(life: Life, subnet: Made) -> None:
    machine = life.make("aws:ec2/instance:Instance", ami=UBUNTU, instanceType="t3.micro", subnetId=subnet.id)
    volume = life.make("aws:ebs/volume:Volume", availabilityZone="us-east-1a", size=10, type="gp3", tags={"Name": "v"})
    assert volume["arn"].endswith(f":volume/{volume.id}")
    life.change(volume, size=20, tags={"Name": "w"})
    bound = life.make(
        "aws:ec2/volumeAttachment:VolumeAttachment", deviceName="/dev/sdh", instanceId=machine.id, volumeId=volume.id
    )
    assert bound.id.startswith("vai-")
    copy = life.make("aws:ebs/snapshot:Snapshot", volumeId=volume.id, tags={"a": "b"})
    assert copy["volumeSize"] == 20
    again = life.make("aws:ebs/volume:Volume", availabilityZone="us-east-1a", snapshotId=copy.id)
    assert again["size"] == 20
    life.unmake()


def test_keys(life: Life) -> None:
    key = life.make("aws:ec2/keyPair:KeyPair", keyName="mine", publicKey=KEY, tags={"a": "b"})
    assert key["keyPairId"].startswith("key-")
    assert key["keyType"] == "ed25519"
    life.change(key, tags={"a": "c"})
    life.unmake()


def test_peering(life: Life, vpc: Made) -> None:
    other = life.make("aws:ec2/vpc:Vpc", cidrBlock="10.1.0.0/16")
    third = life.make("aws:ec2/vpc:Vpc", cidrBlock="10.2.0.0/16")
    peer = life.make(
        "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
        vpcId=vpc.id,
        peerVpcId=other.id,
        autoAccept=True,
        tags={"a": "b"},
    )
    assert peer["acceptStatus"] == "active"
    assert peer["peerOwnerId"] == "123456789012"
    life.change(peer, accepter={"allowRemoteVpcDnsResolution": True})
    waiting = life.make("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", vpcId=vpc.id, peerVpcId=third.id)
    assert waiting["acceptStatus"] == "pending-acceptance"
    yes = life.make(
        "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
        vpcPeeringConnectionId=waiting.id,
        autoAccept=True,
    )
    assert yes["acceptStatus"] == "active"
    assert yes["vpcId"] == third.id
    life.make(
        "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions",
        vpcPeeringConnectionId=waiting.id,
        requester={"allowRemoteVpcDnsResolution": True},
    )
    life.unmake()


def test_network_acls(life: Life, vpc: Made, subnet: Made) -> None:
    rule = {
        "protocol": "tcp",
        "ruleNo": 100,
        "action": "allow",
        "cidrBlock": "10.3.0.0/18",
        "fromPort": 80,
        "toPort": 80,
    }
    acl = life.make(
        "aws:ec2/networkAcl:NetworkAcl", vpcId=vpc.id, ingress=[rule], subnetIds=[subnet.id], tags={"a": "b"}
    )
    life.change(acl, ingress=[{**rule, "toPort": 443}], egress=[{**rule, "protocol": "-1", "fromPort": 0, "toPort": 0}])
    bare = life.make("aws:ec2/networkAcl:NetworkAcl", vpcId=vpc.id)
    life.make(
        "aws:ec2/networkAclRule:NetworkAclRule",
        networkAclId=bare.id,
        ruleNumber=200,
        egress=False,
        protocol="tcp",
        ruleAction="allow",
        cidrBlock="0.0.0.0/0",
        fromPort=22,
        toPort=22,
    )
    second = life.make("aws:ec2/subnet:Subnet", vpcId=vpc.id, cidrBlock="10.0.2.0/24")
    life.make("aws:ec2/networkAclAssociation:NetworkAclAssociation", networkAclId=bare.id, subnetId=second.id)
    life.make(
        "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", defaultNetworkAclId=vpc["defaultNetworkAclId"], ingress=[rule]
    )
    life.unmake()


def test_what_a_vpc_has_from_the_start(life: Life, vpc: Made, subnet: Made) -> None:
    group = life.make(
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        vpcId=vpc.id,
        ingress=[{"protocol": "-1", "self": True, "fromPort": 0, "toPort": 0}],
        egress=[{"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"], "fromPort": 0, "toPort": 0}],
    )
    assert group.id == vpc["defaultSecurityGroupId"]
    gateway = life.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    table = life.make(
        "aws:ec2/defaultRouteTable:DefaultRouteTable",
        defaultRouteTableId=vpc["defaultRouteTableId"],
        routes=[{"cidrBlock": "0.0.0.0/0", "gatewayId": gateway.id}],
        tags={"a": "b"},
    )
    life.change(table, routes=[], tags={"a": "c"})
    own = life.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    main = life.make("aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation", vpcId=vpc.id, routeTableId=own.id)
    assert main["originalRouteTableId"] == table.id
    life.unmake()


def test_the_default_network_is_taken_over(life: Life) -> None:
    vpc = life.make("aws:ec2/defaultVpc:DefaultVpc", tags={"Name": "default"})
    subnet = life.make("aws:ec2/defaultSubnet:DefaultSubnet", availabilityZone="us-east-1a", tags={"Name": "default"})
    assert subnet["vpcId"] == vpc.id
    assert vpc["cidrBlock"] == "172.31.0.0/16"
    life.unmake()


def test_smaller_things_of_a_vpc(life: Life, vpc: Made) -> None:
    life.make("aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation", vpcId=vpc.id, cidrBlock="10.5.0.0/16")
    life.make("aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", vpcId=vpc.id, tags={"a": "b"})
    options = life.make(
        "aws:ec2/vpcDhcpOptions:VpcDhcpOptions",
        domainName="a.internal",
        domainNameServers=["AmazonProvidedDNS"],
        tags={"a": "b"},
    )
    life.make("aws:ec2/vpcDhcpOptionsAssociation:VpcDhcpOptionsAssociation", vpcId=vpc.id, dhcpOptionsId=options.id)
    gateway = life.make("aws:ec2/internetGateway:InternetGateway")
    life.make("aws:ec2/internetGatewayAttachment:InternetGatewayAttachment", vpcId=vpc.id, internetGatewayId=gateway.id)
    entries = [{"cidr": "10.0.0.0/8", "description": "all"}]
    names = life.make(
        "aws:ec2/managedPrefixList:ManagedPrefixList", name="all", addressFamily="IPv4", maxEntries=5, entries=entries
    )
    life.change(names, entries=[*entries, {"cidr": "172.16.0.0/12"}])
    life.make(
        "aws:ec2/customerGateway:CustomerGateway",
        type="ipsec.1",
        bgpAsn="65000",
        ipAddress="172.83.124.10",
        tags={"a": "b"},
    )
    life.make("aws:ec2/vpnGateway:VpnGateway", vpcId=vpc.id, tags={"a": "b"})
    life.make("aws:ebs/encryptionByDefault:EncryptionByDefault", enabled=True)
    life.unmake()


def test_transit(life: Life, vpc: Made, subnet: Made) -> None:
    hub = life.make("aws:ec2transitgateway/transitGateway:TransitGateway", description="hub", tags={"a": "b"})
    life.change(hub, description="the hub")
    spoke = life.make(
        "aws:ec2transitgateway/vpcAttachment:VpcAttachment",
        transitGatewayId=hub.id,
        vpcId=vpc.id,
        subnetIds=[subnet.id],
    )
    table = life.make("aws:ec2transitgateway/routeTable:RouteTable", transitGatewayId=hub.id)
    life.make(
        "aws:ec2transitgateway/routeTableAssociation:RouteTableAssociation",
        transitGatewayAttachmentId=spoke.id,
        transitGatewayRouteTableId=table.id,
    )
    life.make(
        "aws:ec2transitgateway/routeTablePropagation:RouteTablePropagation",
        transitGatewayAttachmentId=spoke.id,
        transitGatewayRouteTableId=table.id,
    )
    life.make(
        "aws:ec2transitgateway/route:Route",
        transitGatewayRouteTableId=table.id,
        destinationCidrBlock="10.9.0.0/16",
        transitGatewayAttachmentId=spoke.id,
    )
    life.unmake()
