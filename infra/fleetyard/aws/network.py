"""The private network: a VPC with its zones, ways out, private ways in, and a record of who talked to whom."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import cloudwatch, ec2, iam, vpc

from fleetyard.aws.policies import allow, policy, trust
from fleetyard.plan import NatPlan, NetworkPlan, SubnetPlan
from fleetyard.spec import Access

ANYWHERE = "0.0.0.0/0"
ACCESS_SERVICES = {Access.SSM: ("ssm", "ssmmessages", "ec2messages")}
"""Endpoints that Session Manager needs. Source: AWS Systems Manager User Guide, "Create VPC endpoints"."""


class Network(pulumi.ComponentResource):
    """A VPC, per zone a private and a public subnet, NAT gateways, endpoints for S3 and Systems Manager, flow logs.

    Costs: NAT gateways and interface endpoints by the hour, flow logs by volume. Replaced when: the address range
    changes (and everything in it with it); a subnet when its zone's range changes, which adding zones never does.
    """

    def __init__(self, name: str, plan: NetworkPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetyard:aws:Network", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self.vpc = ec2.Vpc(
            name,
            cidr_block=str(plan.cidr),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=own,
        )
        self.subnets = {subnet.key: self._subnet(name, subnet, own) for subnet in plan.subnets}
        tables = {subnet.key: self._route_table(name, subnet, own) for subnet in plan.subnets}
        if plan.nats:
            self._ways_out(name, plan, tables, own)
        self.security_group = self._security_group(name, own)
        self.endpoints = self._endpoints(name, plan, tables, own)
        self.flow_log = self._flow_log(name, plan.flow_log_days, own)
        self._plan = plan
        self.register_outputs(self.report())

    def report(self) -> dict[str, Any]:
        """The network's part of the export."""
        subnets = {
            plan.key: {"id": self.subnets[plan.key].id, "cidr": str(plan.cidr), "zone": plan.zone}
            for plan in self._plan.subnets
        }
        return {"id": self.vpc.id, "subnets": subnets}

    def _subnet(self, name: str, plan: SubnetPlan, own: pulumi.ResourceOptions) -> ec2.Subnet:
        key = f"{name}-{plan.key}"
        return ec2.Subnet(
            key,
            vpc_id=self.vpc.id,
            availability_zone_id=plan.zone,
            cidr_block=str(plan.cidr),
            map_public_ip_on_launch=False,
            tags={"Name": key},
            opts=own,
        )

    def _route_table(self, name: str, plan: SubnetPlan, own: pulumi.ResourceOptions) -> ec2.RouteTable:
        key = f"{name}-{plan.key}"
        table = ec2.RouteTable(key, vpc_id=self.vpc.id, tags={"Name": key}, opts=own)
        ec2.RouteTableAssociation(key, subnet_id=self.subnets[plan.key].id, route_table_id=table.id, opts=own)
        return table

    def _ways_out(
        self, name: str, plan: NetworkPlan, tables: dict[str, ec2.RouteTable], own: pulumi.ResourceOptions
    ) -> None:
        gateway = ec2.InternetGateway(name, vpc_id=self.vpc.id, tags={"Name": name}, opts=own)
        public = {subnet.zone: subnet.key for subnet in plan.subnets if subnet.role == "public"}
        routes = {
            key: ec2.Route(
                f"{name}-{key}",
                route_table_id=tables[key].id,
                destination_cidr_block=ANYWHERE,
                gateway_id=gateway.id,
                opts=own,
            )
            for key in public.values()
        }
        for nat in plan.nats:
            # AWS asks for the internet gateway to be attached before a NAT gateway is created in the VPC.
            self._nat(
                name,
                nat,
                public[nat.zone],
                tables,
                pulumi.ResourceOptions(parent=self, depends_on=[routes[public[nat.zone]]]),
            )

    def _nat(
        self, name: str, plan: NatPlan, subnet: str, tables: dict[str, ec2.RouteTable], opts: pulumi.ResourceOptions
    ) -> None:
        own = pulumi.ResourceOptions(parent=self)
        key = f"{name}-nat-{plan.key}"
        address = ec2.Eip(key, domain="vpc", tags={"Name": key}, opts=own)
        gateway = ec2.NatGateway(
            key, allocation_id=address.allocation_id, subnet_id=self.subnets[subnet].id, tags={"Name": key}, opts=opts
        )
        for served in plan.serves:
            ec2.Route(
                f"{name}-{served}",
                route_table_id=tables[served].id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateway.id,
                opts=own,
            )

    def _security_group(self, name: str, own: pulumi.ResourceOptions) -> ec2.SecurityGroup:
        """One group for all machines.

        EFA traffic passes only where the group allows itself, both ways, all protocols.
        """
        group = ec2.SecurityGroup(
            name, vpc_id=self.vpc.id, description=f"Machines of {name}", tags={"Name": name}, opts=own
        )
        for way, rule in (("in", vpc.SecurityGroupIngressRule), ("out", vpc.SecurityGroupEgressRule)):
            rule(
                f"{name}-self-{way}",
                security_group_id=group.id,
                referenced_security_group_id=group.id,
                ip_protocol="-1",
                description="machines of the stack, EFA included",
                opts=own,
            )
        vpc.SecurityGroupEgressRule(
            f"{name}-anywhere-out",
            security_group_id=group.id,
            cidr_ipv4=ANYWHERE,
            ip_protocol="-1",
            description="the way out, where there is one",
            opts=own,
        )
        return group

    def _endpoints(
        self, name: str, plan: NetworkPlan, tables: dict[str, ec2.RouteTable], own: pulumi.ResourceOptions
    ) -> dict[str, ec2.VpcEndpoint]:
        private = plan.private()
        endpoints = {
            "s3": ec2.VpcEndpoint(
                f"{name}-s3",
                vpc_id=self.vpc.id,
                service_name=f"com.amazonaws.{plan.region}.s3",
                vpc_endpoint_type="Gateway",
                route_table_ids=[tables[subnet.key].id for subnet in private],
                tags={"Name": f"{name}-s3"},
                opts=own,
            )
        }
        services = [service for access in plan.access for service in ACCESS_SERVICES.get(access, ())]
        if services:
            doors = self._endpoint_security_group(name, plan, own)
        for service in services:
            endpoints[service] = ec2.VpcEndpoint(
                f"{name}-{service}",
                vpc_id=self.vpc.id,
                service_name=f"com.amazonaws.{plan.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[self.subnets[subnet.key].id for subnet in private],
                security_group_ids=[doors.id],
                tags={"Name": f"{name}-{service}"},
                opts=own,
            )
        return endpoints

    def _endpoint_security_group(self, name: str, plan: NetworkPlan, own: pulumi.ResourceOptions) -> ec2.SecurityGroup:
        key = f"{name}-endpoints"
        group = ec2.SecurityGroup(
            key, vpc_id=self.vpc.id, description=f"Endpoints of {name}", tags={"Name": key}, opts=own
        )
        vpc.SecurityGroupIngressRule(
            key,
            security_group_id=group.id,
            cidr_ipv4=str(plan.cidr),
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            description="HTTPS from the network",
            opts=own,
        )
        return group

    def _flow_log(self, name: str, days: int, own: pulumi.ResourceOptions) -> ec2.FlowLog:
        key = f"{name}-flow"
        group = cloudwatch.LogGroup(key, retention_in_days=days, opts=own)
        role = iam.Role(key, assume_role_policy=trust("vpc-flow-logs.amazonaws.com"), opts=own)
        actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"]
        streams = pulumi.Output.concat(group.arn, ":*")
        iam.RolePolicy(key, role=role.id, policy=policy(allow(actions, [group.arn, streams])), opts=own)
        return ec2.FlowLog(
            key,
            vpc_id=self.vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags={"Name": key},
            opts=own,
        )
