"""The private network: one subnet for the region, a way out, a private way in, and a record of who talked to whom."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_gcp import compute

from fleetyard.plan import NatPlan, NetworkPlan, SubnetPlan
from fleetyard.spec import Access

IAP_RANGE = "35.235.240.0/20"
"""Where Identity-Aware Proxy connects from. Source: IAP documentation, "Using IAP for TCP forwarding"."""
SSH = "22"


class Network(pulumi.ComponentResource):
    """A network in custom mode, a subnet with ranges for pods and services, Cloud NAT, firewall rules, flow logs.

    Machines reach Google's APIs privately (Private Google Access) and have no public address. Costs: Cloud NAT by
    machine and volume, flow logs by volume. Replaced when: the address range changes, and everything in it with it.
    """

    def __init__(self, name: str, plan: NetworkPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetyard:gcp:Network", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self._plan = plan
        self.network = compute.Network(name, auto_create_subnetworks=False, routing_mode="REGIONAL", opts=own)
        self.subnets = {subnet.key: self._subnet(name, subnet, plan.region, own) for subnet in plan.subnets}
        for nat in plan.nats:
            self._nat(name, nat, plan.region, own)
        self._firewall(name, plan, own)
        self.register_outputs(self.report())

    def report(self) -> dict[str, Any]:
        """The network's part of the export."""
        subnets = {
            plan.key: {"id": self.subnets[plan.key].id, "cidr": str(plan.cidr), "zone": plan.zone}
            for plan in self._plan.subnets
        }
        return {"id": self.network.id, "subnets": subnets}

    def _subnet(self, name: str, plan: SubnetPlan, region: str, own: pulumi.ResourceOptions) -> compute.Subnetwork:
        return compute.Subnetwork(
            f"{name}-{plan.key}",
            network=self.network.id,
            region=region,
            ip_cidr_range=str(plan.cidr),
            secondary_ip_ranges=[
                compute.SubnetworkSecondaryIpRangeArgs(range_name=key, ip_cidr_range=str(cidr))
                for key, cidr in plan.secondary.items()
            ],
            private_ip_google_access=True,
            log_config=compute.SubnetworkLogConfigArgs(
                aggregation_interval="INTERVAL_1_MIN", flow_sampling=0.5, metadata="INCLUDE_ALL_METADATA"
            ),
            opts=own,
        )

    def _nat(self, name: str, plan: NatPlan, region: str, own: pulumi.ResourceOptions) -> None:
        router = compute.Router(name, network=self.network.id, region=region, opts=own)
        compute.RouterNat(
            name,
            router=router.name,
            region=region,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[
                compute.RouterNatSubnetworkArgs(name=self.subnets[key].id, source_ip_ranges_to_nats=["ALL_IP_RANGES"])
                for key in plan.serves
            ],
            log_config=compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
            opts=own,
        )

    def _firewall(self, name: str, plan: NetworkPlan, own: pulumi.ResourceOptions) -> None:
        """Machines talk to each other freely; people come in through IAP only; nothing else comes in."""
        inside = [str(cidr) for subnet in plan.subnets for cidr in (subnet.cidr, *subnet.secondary.values())]
        compute.Firewall(
            f"{name}-self",
            network=self.network.id,
            direction="INGRESS",
            source_ranges=inside,
            allows=[compute.FirewallAllowArgs(protocol="all")],
            description="machines of the stack",
            opts=own,
        )
        if Access.IAP in plan.access:
            compute.Firewall(
                f"{name}-iap",
                network=self.network.id,
                direction="INGRESS",
                source_ranges=[IAP_RANGE],
                allows=[compute.FirewallAllowArgs(protocol="tcp", ports=[SSH])],
                description="SSH through Identity-Aware Proxy",
                opts=own,
            )
