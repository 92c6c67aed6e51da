"""VPCs and what lies in them: subnets, gateways, routes, endpoints, security groups, flow logs.

Sources for what replaces and what updates: the arguments of the CloudFormation registry schemas
(`createOnlyProperties`) and the Pulumi AWS provider's documentation of each type; calls: EC2 API reference.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any, ClassVar

from simcloud.aws.client import AwsClient, is_absent, mapping
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import REGIONAL, AwsType, Props, one_or_none, present, retag_ec2, specification
from simcloud.provider.model import AutoName, CloudError, Failure


def arn(cloud: AwsClient, kind: str, id: str, region: str) -> str:
    """The ARN of an EC2 resource."""
    return f"arn:aws:ec2:{region}:{ACCOUNT}:{kind}/{id}"


def absent_is_none(call: Any, *codes: str) -> Any:
    """The answer of a call; None where the cloud says that the thing is not there."""
    try:
        return call()
    except CloudError as error:
        if is_absent(error) or error.code in codes:
            return None
        raise


PATIENCE_S = 20.0
"""How long a deletion waits for what still uses the resource. The real provider waits 5 to 20 minutes for the same."""


def patiently(call: Any) -> Any:
    """A deletion, tried again while something that is also being deleted still depends on the resource."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return absent_is_none(call, "InvalidGroup.NotFound", "Gateway.NotAttached")
        except CloudError as error:
            if error.code not in ("DependencyViolation", "InvalidIPAddress.InUse", "InvalidPlacementGroup.InUse"):
                raise
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Vpc(AwsType):
    """aws.ec2.Vpc."""

    token = "aws:ec2/vpc:Vpc"
    replace_on = frozenset({"region", "cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"})
    defaults = {"enableDnsSupport": True, "instanceTenancy": "default"}
    computed = REGIONAL | {"cidrBlock", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"}
    sources = ("EC2 API: CreateVpc, ModifyVpcAttribute", "AWS::EC2::VPC createOnlyProperties")

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """Tenancy can go from dedicated to default in place, not the other way."""
        found = super().replaces(old, new, changed)
        if "instanceTenancy" in changed and new.get("instanceTenancy") != "default":
            found |= {"instanceTenancy"}
        return found

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        asked = present(
            {
                "CidrBlock": inputs.get("cidrBlock"),
                "InstanceTenancy": inputs.get("instanceTenancy"),
                "AmazonProvidedIpv6CidrBlock": inputs.get("assignGeneratedIpv6CidrBlock"),
            }
        )
        id = str(api.create_vpc(**asked, **specification("vpc", cloud.tags(inputs)))["Vpc"]["VpcId"])
        self._attributes(api, id, {}, inputs)
        return id

    def _attributes(self, api: Any, id: str, old: Props, new: Props) -> None:
        for name, member in (("enableDnsSupport", "EnableDnsSupport"), ("enableDnsHostnames", "EnableDnsHostnames")):
            if new.get(name) is not None and new.get(name) != old.get(name):
                api.modify_vpc_attribute(VpcId=id, **{member: {"Value": new[name]}})

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        api, region = self.api(cloud, known), self.region(cloud, known)
        answer = absent_is_none(lambda: api.describe_vpcs(VpcIds=[id]))
        vpc = one_or_none(answer["Vpcs"]) if answer else None
        if vpc is None:
            return None
        here = [{"Name": "vpc-id", "Values": [id]}]
        tables = api.describe_route_tables(Filters=here)["RouteTables"]
        main = next((t["RouteTableId"] for t in tables if any(a.get("Main") for a in t["Associations"])), "")
        groups = api.describe_security_groups(Filters=here)["SecurityGroups"]
        acls = api.describe_network_acls(Filters=here)["NetworkAcls"]
        attribute = {
            name: api.describe_vpc_attribute(VpcId=id, Attribute=name)[name[:1].upper() + name[1:]]["Value"]
            for name in ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")
        }
        ipv6: Props = next(iter(vpc.get("Ipv6CidrBlockAssociationSet", [])), {})
        return {
            "region": region,
            "arn": arn(cloud, "vpc", id, region),
            "cidrBlock": vpc["CidrBlock"],
            "instanceTenancy": vpc["InstanceTenancy"],
            "dhcpOptionsId": vpc["DhcpOptionsId"],
            "ownerId": ACCOUNT,
            "mainRouteTableId": main,
            "defaultRouteTableId": main,
            "defaultSecurityGroupId": next((g["GroupId"] for g in groups if g["GroupName"] == "default"), ""),
            "defaultNetworkAclId": next((a["NetworkAclId"] for a in acls if a["IsDefault"]), ""),
            "assignGeneratedIpv6CidrBlock": bool(ipv6),
            "ipv6CidrBlock": ipv6.get("Ipv6CidrBlock", ""),
            "ipv6AssociationId": ipv6.get("AssociationId", ""),
            "ipv6CidrBlockNetworkBorderGroup": "",
            "ipv6IpamPoolId": "",
            "ipv6NetmaskLength": 0,
            **attribute,
            **cloud.own_tags(mapping(vpc.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        self._attributes(api, id, old, new)
        retag_ec2(api, cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        patiently(lambda: self.api(cloud, state).delete_vpc(VpcId=id))


class Subnet(AwsType):
    """aws.ec2.Subnet."""

    token = "aws:ec2/subnet:Subnet"
    replace_on = frozenset(
        {
            "region",
            "vpcId",
            "cidrBlock",
            "availabilityZone",
            "availabilityZoneId",
            "outpostArn",
            "ipv4IpamPoolId",
            "ipv4NetmaskLength",
            "ipv6IpamPoolId",
            "ipv6Native",
            "ipv6NetmaskLength",
        }
    )
    defaults = {
        "mapPublicIpOnLaunch": False,
        "assignIpv6AddressOnCreation": False,
        "enableDns64": False,
        "ipv6Native": False,
        "enableResourceNameDnsARecordOnLaunch": False,
        "enableResourceNameDnsAaaaRecordOnLaunch": False,
    }
    computed = REGIONAL | {"availabilityZone", "availabilityZoneId", "privateDnsHostnameTypeOnLaunch", "ipv6CidrBlock"}
    sources = ("EC2 API: CreateSubnet, ModifySubnetAttribute", "AWS::EC2::Subnet createOnlyProperties")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        asked = present(
            {
                "VpcId": inputs["vpcId"],
                "CidrBlock": inputs.get("cidrBlock"),
                "AvailabilityZone": inputs.get("availabilityZone"),
                "AvailabilityZoneId": inputs.get("availabilityZoneId"),
            }
        )
        id = str(api.create_subnet(**asked, **specification("subnet", cloud.tags(inputs)))["Subnet"]["SubnetId"])
        self._attributes(api, id, {}, inputs)
        return id

    def _attributes(self, api: Any, id: str, old: Props, new: Props) -> None:
        if bool(new.get("mapPublicIpOnLaunch")) != bool(old.get("mapPublicIpOnLaunch")):
            api.modify_subnet_attribute(
                SubnetId=id, MapPublicIpOnLaunch={"Value": bool(new.get("mapPublicIpOnLaunch"))}
            )

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        answer = absent_is_none(lambda: self.api(cloud, known).describe_subnets(SubnetIds=[id]))
        subnet = one_or_none(answer["Subnets"]) if answer else None
        if subnet is None:
            return None
        return {
            **self.defaults,
            "region": region,
            "arn": arn(cloud, "subnet", id, region),
            "vpcId": subnet["VpcId"],
            "cidrBlock": subnet["CidrBlock"],
            "availabilityZone": subnet["AvailabilityZone"],
            "availabilityZoneId": subnet["AvailabilityZoneId"],
            "mapPublicIpOnLaunch": subnet["MapPublicIpOnLaunch"],
            "ownerId": ACCOUNT,
            "privateDnsHostnameTypeOnLaunch": "ip-name",
            "ipv6CidrBlock": "",
            "ipv6CidrBlockAssociationId": "",
            "outpostArn": "",
            "customerOwnedIpv4Pool": "",
            **cloud.own_tags(mapping(subnet.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        self._attributes(api, id, old, new)
        retag_ec2(api, cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        patiently(lambda: self.api(cloud, state).delete_subnet(SubnetId=id))


class InternetGateway(AwsType):
    """aws.ec2.InternetGateway."""

    token = "aws:ec2/internetGateway:InternetGateway"
    replace_on = REGIONAL
    sources = ("EC2 API: CreateInternetGateway, AttachInternetGateway",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        made = api.create_internet_gateway(**specification("internet-gateway", cloud.tags(inputs)))["InternetGateway"]
        if inputs.get("vpcId"):
            api.attach_internet_gateway(InternetGatewayId=made["InternetGatewayId"], VpcId=inputs["vpcId"])
        return str(made["InternetGatewayId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        answer = absent_is_none(lambda: self.api(cloud, known).describe_internet_gateways(InternetGatewayIds=[id]))
        gateway = one_or_none(answer["InternetGateways"]) if answer else None
        if gateway is None:
            return None
        return {
            "region": region,
            "arn": arn(cloud, "internet-gateway", id, region),
            "ownerId": ACCOUNT,
            "vpcId": next((a["VpcId"] for a in gateway["Attachments"]), ""),
            **cloud.own_tags(mapping(gateway.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if old.get("vpcId") != new.get("vpcId"):
            if old.get("vpcId"):
                api.detach_internet_gateway(InternetGatewayId=id, VpcId=old["vpcId"])
            if new.get("vpcId"):
                api.attach_internet_gateway(InternetGatewayId=id, VpcId=new["vpcId"])
        retag_ec2(api, cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        if state.get("vpcId"):
            patiently(lambda: api.detach_internet_gateway(InternetGatewayId=id, VpcId=state["vpcId"]))
        patiently(lambda: api.delete_internet_gateway(InternetGatewayId=id))


class Eip(AwsType):
    """aws.ec2.Eip."""

    token = "aws:ec2/eip:Eip"
    replace_on = frozenset({"region", "domain", "publicIpv4Pool", "networkBorderGroup", "address", "ipamPoolId"})
    computed = REGIONAL | {"domain", "instance", "networkInterface", "publicIpv4Pool", "networkBorderGroup"}
    sources = ("EC2 API: AllocateAddress, AssociateAddress", "AWS::EC2::EIP createOnlyProperties")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        made = api.allocate_address(Domain="vpc", **specification("elastic-ip", cloud.tags(inputs)))
        if inputs.get("instance"):
            api.associate_address(AllocationId=made["AllocationId"], InstanceId=inputs["instance"])
        return str(made["AllocationId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        answer = absent_is_none(lambda: self.api(cloud, known).describe_addresses(AllocationIds=[id]))
        address = one_or_none(answer["Addresses"]) if answer else None
        if address is None:
            return None
        dashed = address["PublicIp"].replace(".", "-")
        zone = "compute-1" if region == "us-east-1" else f"{region}.compute"
        return {
            "region": region,
            "arn": arn(cloud, "elastic-ip", id, region),
            "allocationId": id,
            "domain": "vpc",
            "publicIp": address["PublicIp"],
            "publicDns": f"ec2-{dashed}.{zone}.amazonaws.com",
            "associationId": address.get("AssociationId", ""),
            "instance": address.get("InstanceId", ""),
            "networkInterface": address.get("NetworkInterfaceId", ""),
            "privateIp": address.get("PrivateIpAddress", ""),
            "publicIpv4Pool": "amazon",
            "networkBorderGroup": region,
            "carrierIp": "",
            "customerOwnedIp": "",
            "customerOwnedIpv4Pool": "",
            "ptrRecord": "",
            **cloud.own_tags(mapping(address.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        retag_ec2(self.api(cloud, new), cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        patiently(lambda: self.api(cloud, state).release_address(AllocationId=id))


class NatGateway(AwsType):
    """aws.ec2.NatGateway (zonal)."""

    token = "aws:ec2/natGateway:NatGateway"
    replace_on = frozenset(
        {"region", "allocationId", "connectivityType", "privateIp", "subnetId", "availabilityMode", "vpcId"}
    )
    defaults = {"connectivityType": "public"}
    computed = REGIONAL | {
        "privateIp",
        "secondaryPrivateIpAddresses",
        "secondaryPrivateIpAddressCount",
        "availabilityMode",
    }
    sources = ("EC2 API: CreateNatGateway, DeleteNatGateway", "AWS::EC2::NatGateway createOnlyProperties")

    def check(self, inputs: Props) -> Iterable[Failure]:
        """A zonal gateway lies in a subnet."""
        if "subnetId" not in inputs and inputs.get("availabilityMode") != "regional":
            yield Failure("subnetId", "a zonal NAT gateway needs a subnet")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        asked = present(
            {
                "SubnetId": inputs.get("subnetId"),
                "AllocationId": inputs.get("allocationId"),
                "ConnectivityType": inputs.get("connectivityType"),
            }
        )
        answer = self.api(cloud, inputs).create_nat_gateway(**asked, **specification("natgateway", cloud.tags(inputs)))
        return str(answer["NatGateway"]["NatGatewayId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        answer = absent_is_none(lambda: self.api(cloud, known).describe_nat_gateways(NatGatewayIds=[id]))
        gateway = one_or_none(answer["NatGateways"]) if answer else None
        if gateway is None or gateway["State"] in ("deleted", "deleting"):
            return None
        address: Props = next(iter(gateway["NatGatewayAddresses"]), {})
        return {
            "region": self.region(cloud, known),
            "subnetId": gateway["SubnetId"],
            "vpcId": gateway["VpcId"],
            "connectivityType": gateway.get("ConnectivityType", "public"),
            "allocationId": address.get("AllocationId"),
            "publicIp": address.get("PublicIp", ""),
            "privateIp": address.get("PrivateIp", ""),
            "networkInterfaceId": address.get("NetworkInterfaceId", ""),
            "associationId": address.get("AssociationId", ""),
            "availabilityMode": "zonal",
            "secondaryPrivateIpAddressCount": 0,
            "secondaryPrivateIpAddresses": [],
            **cloud.own_tags(mapping(gateway.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        retag_ec2(self.api(cloud, new), cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).delete_nat_gateway(NatGatewayId=id))


_TARGETS = {
    "gatewayId": "GatewayId",
    "natGatewayId": "NatGatewayId",
    "transitGatewayId": "TransitGatewayId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
    "networkInterfaceId": "NetworkInterfaceId",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "vpcEndpointId": "VpcEndpointId",
}
_DESTINATIONS = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}


class RouteTable(AwsType):
    """aws.ec2.RouteTable, with its in-line routes."""

    token = "aws:ec2/routeTable:RouteTable"
    replace_on = frozenset({"region", "vpcId"})
    computed = REGIONAL | {"routes", "propagatingVgws"}
    unordered = frozenset({"routes", "propagatingVgws"})
    sources: ClassVar[tuple[str, ...]] = ("EC2 API: CreateRouteTable, CreateRoute, ReplaceRoute, DeleteRoute",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        made = api.create_route_table(VpcId=inputs["vpcId"], **specification("route-table", cloud.tags(inputs)))
        id = str(made["RouteTable"]["RouteTableId"])
        for route in inputs.get("routes") or ():
            api.create_route(RouteTableId=id, **_inline(route))
        return id

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        answer = absent_is_none(lambda: self.api(cloud, known).describe_route_tables(RouteTableIds=[id]))
        table = one_or_none(answer["RouteTables"]) if answer else None
        if table is None:
            return None
        routes = [
            _from_inline(r)
            for r in table["Routes"]
            if r.get("GatewayId") != "local" and not str(r.get("GatewayId", "")).startswith("vpce-")
        ]
        return {
            "region": region,
            "arn": arn(cloud, "route-table", id, region),
            "vpcId": table["VpcId"],
            "ownerId": ACCOUNT,
            "routes": routes,
            "propagatingVgws": [],
            **cloud.own_tags(mapping(table.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        before = {_destination(r): r for r in old.get("routes") or ()}
        after = {_destination(r): r for r in new.get("routes") or ()}
        for destination, route in before.items():
            if destination not in after:
                asked = {k: v for k, v in _inline(route).items() if k in _DESTINATIONS.values()}
                absent_is_none(lambda asked=asked: api.delete_route(RouteTableId=id, **asked))
        for destination, route in after.items():
            if destination not in before:
                api.create_route(RouteTableId=id, **_inline(route))
            elif route != before[destination]:
                api.replace_route(RouteTableId=id, **_inline(route))
        retag_ec2(api, cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        patiently(lambda: self.api(cloud, state).delete_route_table(RouteTableId=id))


def _destination(route: Props) -> str:
    return str(route.get("cidrBlock") or route.get("ipv6CidrBlock") or route.get("destinationPrefixListId"))


def _inline(route: Props) -> dict[str, Any]:
    asked = {api: route[name] for name, api in _TARGETS.items() if route.get(name)}
    for name, api in (
        ("cidrBlock", "DestinationCidrBlock"),
        ("ipv6CidrBlock", "DestinationIpv6CidrBlock"),
        ("destinationPrefixListId", "DestinationPrefixListId"),
    ):
        if route.get(name):
            asked[api] = route[name]
    return asked


def _from_inline(row: Props) -> dict[str, Any]:
    back = {v: k for k, v in _TARGETS.items()}
    back |= {"DestinationCidrBlock": "cidrBlock", "DestinationIpv6CidrBlock": "ipv6CidrBlock"}
    return {back[k]: v for k, v in row.items() if k in back and v}


class Route(AwsType):
    """aws.ec2.Route."""

    token = "aws:ec2/route:Route"
    replace_on = frozenset({"region", "routeTableId", *_DESTINATIONS})
    computed = REGIONAL | {"networkInterfaceId"}
    sources = ("EC2 API: CreateRoute, ReplaceRoute, DeleteRoute", "AWS::EC2::Route createOnlyProperties")

    def _asked(self, inputs: Props) -> dict[str, Any]:
        return {api: inputs[name] for name, api in {**_TARGETS, **_DESTINATIONS}.items() if inputs.get(name)}

    def _where(self, inputs: Props) -> str:
        return str(next((inputs[n] for n in _DESTINATIONS if inputs.get(n)), ""))

    def check(self, inputs: Props) -> Iterable[Failure]:
        """A route has one target at most (an unknown one may still come)."""
        if sum(1 for name in _TARGETS if inputs.get(name)) > 1:
            yield Failure("gatewayId", f"only one of {', '.join(_TARGETS)} can be set")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self.api(cloud, inputs).create_route(RouteTableId=inputs["routeTableId"], **self._asked(inputs))
        # The real provider's id: `r-`, the table's id and a hash of the destination.
        return f"r-{inputs['routeTableId']}{_string_hash(self._where(inputs))}"

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        table, where = known.get("routeTableId"), self._where(known)
        if not table and "_" in id:  # the import id: table_destination
            table, where = id.split("_", 1)
        answer = absent_is_none(lambda: self.api(cloud, known).describe_route_tables(RouteTableIds=[table]))
        if not answer or not answer["RouteTables"]:
            return None
        for row in answer["RouteTables"][0]["Routes"]:
            if where not in (row.get(api) for api in _DESTINATIONS.values()):
                continue
            back = {v: k for k, v in {**_TARGETS, **_DESTINATIONS}.items()}
            targets = {back[k]: v for k, v in row.items() if k in back and v}
            return {
                "region": self.region(cloud, known),
                "routeTableId": table,
                "origin": row.get("Origin", "CreateRoute"),
                "state": row.get("State", "active"),
                "instanceId": "",
                "instanceOwnerId": "",
                **targets,
            }
        return None

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.api(cloud, new).replace_route(RouteTableId=new["routeTableId"], **self._asked(new))

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        asked = {api: state[name] for name, api in _DESTINATIONS.items() if state.get(name)}
        absent_is_none(lambda: self.api(cloud, state).delete_route(RouteTableId=state["routeTableId"], **asked))


def _string_hash(text: str) -> int:
    """The provider SDK's hash of a string: CRC-32, as a positive number."""
    import zlib

    return zlib.crc32(text.encode())


class RouteTableAssociation(AwsType):
    """aws.ec2.RouteTableAssociation."""

    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    replace_on = frozenset({"region", "subnetId", "gatewayId"})
    sources = ("EC2 API: AssociateRouteTable, ReplaceRouteTableAssociation", "AWS::EC2::SubnetRouteTableAssociation")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        asked = present({"SubnetId": inputs.get("subnetId"), "GatewayId": inputs.get("gatewayId")})
        answer = self.api(cloud, inputs).associate_route_table(RouteTableId=inputs["routeTableId"], **asked)
        return str(answer["AssociationId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        for table in self.api(cloud, known).describe_route_tables()["RouteTables"]:
            for one in table["Associations"]:
                if one.get("RouteTableAssociationId") == id:
                    return {
                        "region": self.region(cloud, known),
                        "routeTableId": table["RouteTableId"],
                        "subnetId": one.get("SubnetId", known.get("subnetId")),
                        "gatewayId": known.get("gatewayId"),
                    }
        return None

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.api(cloud, new).replace_route_table_association(AssociationId=id, RouteTableId=new["routeTableId"])

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).disassociate_route_table(AssociationId=id))


class VpcEndpoint(AwsType):
    """aws.ec2.VpcEndpoint: gateway and interface endpoints."""

    token = "aws:ec2/vpcEndpoint:VpcEndpoint"
    replace_on = frozenset(
        {
            "region",
            "vpcId",
            "serviceName",
            "vpcEndpointType",
            "serviceNetworkArn",
            "resourceConfigurationArn",
            "serviceRegion",
        }
    )
    defaults = {"vpcEndpointType": "Gateway"}
    unordered = frozenset({"routeTableIds", "subnetIds", "securityGroupIds"})
    computed = REGIONAL | {
        "policy",
        "privateDnsEnabled",
        "routeTableIds",
        "subnetIds",
        "securityGroupIds",
        "ipAddressType",
        "dnsOptions",
        "serviceRegion",
        "subnetConfigurations",
    }
    sources = ("EC2 API: CreateVpcEndpoint, ModifyVpcEndpoint", "AWS::EC2::VPCEndpoint createOnlyProperties")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        asked = present(
            {
                "VpcId": inputs["vpcId"],
                "ServiceName": inputs.get("serviceName"),
                "VpcEndpointType": inputs.get("vpcEndpointType"),
                "PolicyDocument": inputs.get("policy"),
                "RouteTableIds": inputs.get("routeTableIds"),
                "SubnetIds": inputs.get("subnetIds"),
                "SecurityGroupIds": inputs.get("securityGroupIds"),
                "PrivateDnsEnabled": inputs.get("privateDnsEnabled"),
            }
        )
        answer = self.api(cloud, inputs).create_vpc_endpoint(
            **asked, **specification("vpc-endpoint", cloud.tags(inputs))
        )
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        answer = absent_is_none(lambda: self.api(cloud, known).describe_vpc_endpoints(VpcEndpointIds=[id]))
        end = one_or_none(answer["VpcEndpoints"]) if answer else None
        if end is None or end.get("State") in ("deleted", "deleting"):
            return None
        policy = end.get("PolicyDocument")
        return {
            "region": region,
            "arn": arn(cloud, "vpc-endpoint", id, region),
            "vpcId": end["VpcId"],
            "ownerId": ACCOUNT,
            "serviceName": end["ServiceName"],
            "vpcEndpointType": end.get("VpcEndpointType", "Gateway"),
            "state": "available",
            "routeTableIds": end.get("RouteTableIds", []),
            "subnetIds": end.get("SubnetIds", []),
            "securityGroupIds": [g["GroupId"] for g in end.get("Groups", [])] or known.get("securityGroupIds") or [],
            "privateDnsEnabled": bool(end.get("PrivateDnsEnabled")),
            "networkInterfaceIds": end.get("NetworkInterfaceIds", []),
            "policy": known.get("policy") or (json.dumps(policy) if isinstance(policy, dict) else policy),
            "requesterManaged": False,
            "prefixListId": "",
            "cidrBlocks": [],
            "ipAddressType": "ipv4",
            "dnsEntries": [
                {"dnsName": d.get("DnsName", ""), "hostedZoneId": d.get("HostedZoneId", "")}
                for d in end.get("DnsEntries", [])
            ],
            **cloud.own_tags(mapping(end.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        asked: dict[str, Any] = {}
        for name, member in (
            ("routeTableIds", "RouteTableIds"),
            ("subnetIds", "SubnetIds"),
            ("securityGroupIds", "SecurityGroupIds"),
        ):
            was, now = set(old.get(name) or ()), set(new.get(name) or ())
            if now - was:
                asked["Add" + member] = sorted(now - was)
            if was - now:
                asked["Remove" + member] = sorted(was - now)
        if new.get("policy") != old.get("policy"):
            asked |= {"PolicyDocument": new["policy"]} if new.get("policy") else {"ResetPolicy": True}
        if new.get("privateDnsEnabled") not in (None, old.get("privateDnsEnabled")):
            asked["PrivateDnsEnabled"] = new["privateDnsEnabled"]
        if asked:
            api.modify_vpc_endpoint(VpcEndpointId=id, **asked)
        retag_ec2(api, cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).delete_vpc_endpoints(VpcEndpointIds=[id]))


class SecurityGroup(AwsType):
    """aws.ec2.SecurityGroup, with its in-line rules."""

    token = "aws:ec2/securityGroup:SecurityGroup"
    auto_name: ClassVar[AutoName | None] = AutoName()
    replace_on = frozenset({"region", "name", "namePrefix", "description", "vpcId"})
    defaults = {"description": "Managed by Pulumi", "revokeRulesOnDelete": False}
    computed = REGIONAL | {"vpcId", "ingress", "egress", "namePrefix"}
    unordered = frozenset({"ingress", "egress"})
    write_only = frozenset({"revokeRulesOnDelete", "namePrefix"})
    sources = (
        "EC2 API: CreateSecurityGroup, AuthorizeSecurityGroupIngress",
        "AWS::EC2::SecurityGroup createOnlyProperties",
    )

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        asked = present(
            {"GroupName": inputs["name"], "Description": inputs["description"], "VpcId": inputs.get("vpcId")}
        )
        id = str(api.create_security_group(**asked, **specification("security-group", cloud.tags(inputs)))["GroupId"])
        # The provider removes the rule that lets everything out, unless the program lists it.
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        absent_is_none(lambda: api.revoke_security_group_egress(GroupId=id, IpPermissions=everything))
        self._rules(api, id, {}, inputs)
        return id

    def _rules(self, api: Any, id: str, old: Props, new: Props) -> None:
        for direction in ("ingress", "egress"):
            before, after = old.get(direction) or [], new.get(direction) or []
            gone = [permission(r, id) for r in before if r not in after]
            come = [permission(r, id) for r in after if r not in before]
            if gone:
                getattr(api, f"revoke_security_group_{direction}")(GroupId=id, IpPermissions=gone)
            if come:
                getattr(api, f"authorize_security_group_{direction}")(GroupId=id, IpPermissions=come)

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        answer = absent_is_none(
            lambda: self.api(cloud, known).describe_security_groups(GroupIds=[id]), "InvalidGroup.NotFound"
        )
        group = one_or_none(answer["SecurityGroups"]) if answer else None
        if group is None:
            return None
        return {
            "region": region,
            "arn": arn(cloud, "security-group", id, region),
            "name": group["GroupName"],
            "ownerId": ACCOUNT,
            "description": group["Description"],
            "vpcId": group.get("VpcId", ""),
            "namePrefix": known.get("namePrefix") or "",
            "revokeRulesOnDelete": known.get("revokeRulesOnDelete", False),
            "ingress": [_rule(p, id) for p in group.get("IpPermissions", [])],
            "egress": [_rule(p, id) for p in group.get("IpPermissionsEgress", [])],
            **cloud.own_tags(mapping(group.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        self._rules(api, id, old, new)
        retag_ec2(api, cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        patiently(lambda: self.api(cloud, state).delete_security_group(GroupId=id))


def permission(rule: Props, own_id: str) -> dict[str, Any]:
    """An in-line rule as the API takes it."""
    protocol = str(rule["protocol"])
    everything = protocol in ("-1", "all")
    ports = {} if everything else {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    described = {"Description": rule["description"]} if rule.get("description") else {}
    groups = list(rule.get("securityGroups") or ()) + ([own_id] if rule.get("self") else [])
    return {
        "IpProtocol": "-1" if everything else protocol,
        **ports,
        **({"IpRanges": [{"CidrIp": c, **described} for c in rule["cidrBlocks"]]} if rule.get("cidrBlocks") else {}),
        **(
            {"Ipv6Ranges": [{"CidrIpv6": c, **described} for c in rule["ipv6CidrBlocks"]]}
            if rule.get("ipv6CidrBlocks")
            else {}
        ),
        **(
            {"PrefixListIds": [{"PrefixListId": c} for c in rule["prefixListIds"]]} if rule.get("prefixListIds") else {}
        ),
        **({"UserIdGroupPairs": [{"GroupId": g, **described} for g in groups]} if groups else {}),
    }


def _rule(permission: Props, own_id: str) -> dict[str, Any]:
    pairs = permission.get("UserIdGroupPairs", [])
    members = [*permission.get("IpRanges", []), *permission.get("Ipv6Ranges", []), *pairs]
    rule: dict[str, Any] = {
        "protocol": permission["IpProtocol"],
        "fromPort": permission.get("FromPort", 0) if permission["IpProtocol"] != "-1" else 0,
        "toPort": permission.get("ToPort", 0) if permission["IpProtocol"] != "-1" else 0,
    }
    if permission.get("IpRanges"):
        rule["cidrBlocks"] = [r["CidrIp"] for r in permission["IpRanges"]]
    if permission.get("Ipv6Ranges"):
        rule["ipv6CidrBlocks"] = [r["CidrIpv6"] for r in permission["Ipv6Ranges"]]
    others = [g["GroupId"] for g in pairs if g.get("GroupId") != own_id]
    if others:
        rule["securityGroups"] = others
    if len(others) < len(pairs):
        rule["self"] = True
    description = next((m["Description"] for m in members if m.get("Description")), None)
    return rule | ({"description": description} if description else {})


class _GroupRule(AwsType):
    """One rule of a security group, as a resource of its own."""

    direction = ""
    replace_on = frozenset({"region", "securityGroupId"})
    sources = ("EC2 API: AuthorizeSecurityGroupIngress/Egress, ModifySecurityGroupRules",)

    def check(self, inputs: Props) -> Iterable[Failure]:
        """Everything (`-1`) has no ports."""
        if inputs.get("ipProtocol") in ("-1", "all") and (inputs.get("fromPort") or inputs.get("toPort")):
            yield Failure("fromPort", "ports cannot be given when ipProtocol is -1")

    def _permission(self, inputs: Props) -> dict[str, Any]:
        described = {"Description": inputs["description"]} if inputs.get("description") else {}
        permission: dict[str, Any] = {"IpProtocol": str(inputs["ipProtocol"])}
        if permission["IpProtocol"] != "-1":
            permission |= present({"FromPort": inputs.get("fromPort"), "ToPort": inputs.get("toPort")})
        if inputs.get("cidrIpv4"):
            permission["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], **described}]
        if inputs.get("cidrIpv6"):
            permission["Ipv6Ranges"] = [{"CidrIpv6": inputs["cidrIpv6"], **described}]
        if inputs.get("prefixListId"):
            permission["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"], **described}]
        if inputs.get("referencedSecurityGroupId"):
            permission["UserIdGroupPairs"] = [{"GroupId": inputs["referencedSecurityGroupId"], **described}]
        return permission

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        authorize = getattr(api, f"authorize_security_group_{self.direction}")
        answer = authorize(
            GroupId=inputs["securityGroupId"],
            IpPermissions=[self._permission(inputs)],
            **specification("security-group-rule", cloud.tags(inputs)),
        )
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region, api = self.region(cloud, known), self.api(cloud, known)
        answer = absent_is_none(lambda: api.describe_security_group_rules(SecurityGroupRuleIds=[id]))
        row = one_or_none([r for r in (answer or {}).get("SecurityGroupRules", ()) if r["SecurityGroupRuleId"] == id])
        if row is None:
            return None
        everything = row["IpProtocol"] == "-1"
        return {
            "region": region,
            "arn": arn(cloud, "security-group-rule", id, region),
            "securityGroupRuleId": id,
            "securityGroupId": row["GroupId"],
            "ipProtocol": row["IpProtocol"],
            "description": row.get("Description") or None,
            "fromPort": None if everything else row.get("FromPort"),
            "toPort": None if everything else row.get("ToPort"),
            "cidrIpv4": row.get("CidrIpv4"),
            "cidrIpv6": row.get("CidrIpv6"),
            "prefixListId": row.get("PrefixListId"),
            "referencedSecurityGroupId": (row.get("ReferencedGroupInfo") or {}).get("GroupId"),
            **cloud.own_tags(mapping(row.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        watched = (
            "ipProtocol",
            "fromPort",
            "toPort",
            "cidrIpv4",
            "cidrIpv6",
            "prefixListId",
            "referencedSecurityGroupId",
            "description",
        )
        if any(old.get(n) != new.get(n) for n in watched):
            rule = present(
                {
                    "IpProtocol": str(new["ipProtocol"]),
                    "FromPort": new.get("fromPort"),
                    "ToPort": new.get("toPort"),
                    "CidrIpv4": new.get("cidrIpv4"),
                    "CidrIpv6": new.get("cidrIpv6"),
                    "PrefixListId": new.get("prefixListId"),
                    "ReferencedGroupId": new.get("referencedSecurityGroupId"),
                    "Description": new.get("description"),
                }
            )
            api.modify_security_group_rules(
                GroupId=new["securityGroupId"],
                SecurityGroupRules=[{"SecurityGroupRuleId": id, "SecurityGroupRule": rule}],
            )
        retag_ec2(api, cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        revoke = getattr(self.api(cloud, state), f"revoke_security_group_{self.direction}")
        absent_is_none(
            lambda: revoke(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[id]),
            "InvalidGroup.NotFound",
            "InvalidPermission.NotFound",
        )


class SecurityGroupIngressRule(_GroupRule):
    """aws.vpc.SecurityGroupIngressRule."""

    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    direction = "ingress"


class SecurityGroupEgressRule(_GroupRule):
    """aws.vpc.SecurityGroupEgressRule."""

    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    direction = "egress"


class FlowLog(AwsType):
    """aws.ec2.FlowLog. Everything but its tags replaces it."""

    token = "aws:ec2/flowLog:FlowLog"
    replace_on = frozenset(
        {
            "region",
            "deliverCrossAccountRole",
            "destinationOptions",
            "eniId",
            "iamRoleArn",
            "logDestination",
            "logDestinationType",
            "logFormat",
            "maxAggregationInterval",
            "subnetId",
            "tagFieldSpecifications",
            "trafficType",
            "transitGatewayAttachmentId",
            "transitGatewayId",
            "vpcId",
        }
    )
    defaults = {"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600}
    computed = REGIONAL | {"logFormat", "logDestination"}
    sources = ("EC2 API: CreateFlowLogs", "AWS::EC2::FlowLog createOnlyProperties")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        kind, id = next(
            (k, inputs[n])
            for n, k in (("vpcId", "VPC"), ("subnetId", "Subnet"), ("eniId", "NetworkInterface"))
            if inputs.get(n)
        )
        asked = present(
            {
                "TrafficType": inputs.get("trafficType"),
                "LogDestinationType": inputs.get("logDestinationType"),
                "LogDestination": inputs.get("logDestination"),
                "DeliverLogsPermissionArn": inputs.get("iamRoleArn"),
                "LogFormat": inputs.get("logFormat"),
                "MaxAggregationInterval": inputs.get("maxAggregationInterval"),
            }
        )
        answer = self.api(cloud, inputs).create_flow_logs(
            ResourceIds=[id], ResourceType=kind, **asked, **specification("vpc-flow-log", cloud.tags(inputs))
        )
        for failed in answer.get("Unsuccessful") or ():
            raise CloudError(failed["Error"]["Code"], "CreateFlowLogs", failed["Error"]["Message"])
        return str(answer["FlowLogIds"][0])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        answer = absent_is_none(lambda: self.api(cloud, known).describe_flow_logs(FlowLogIds=[id]))
        log = one_or_none(answer["FlowLogs"]) if answer else None
        if log is None:
            return None
        where = next(
            n
            for p, n in (("vpc-", "vpcId"), ("subnet-", "subnetId"), ("eni-", "eniId"))
            if log["ResourceId"].startswith(p)
        )
        return {
            "region": region,
            "arn": arn(cloud, "vpc-flow-log", id, region),
            where: log["ResourceId"],
            "trafficType": log.get("TrafficType"),
            "logDestinationType": log.get("LogDestinationType"),
            "logDestination": log.get("LogDestination") or known.get("logDestination"),
            "logFormat": log.get("LogFormat"),
            "iamRoleArn": log.get("DeliverLogsPermissionArn"),
            "maxAggregationInterval": int(log.get("MaxAggregationInterval", 600)),
            **cloud.own_tags(mapping(log.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        retag_ec2(self.api(cloud, new), cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).delete_flow_logs(FlowLogIds=[id]))


TYPES = (
    Vpc,
    Subnet,
    InternetGateway,
    Eip,
    NatGateway,
    RouteTable,
    Route,
    RouteTableAssociation,
    VpcEndpoint,
    SecurityGroup,
    SecurityGroupIngressRule,
    SecurityGroupEgressRule,
    FlowLog,
)
