"""A TPU pool: one node, or one queued request, for each slice. A slice's hosts come and go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_gcp import serviceaccount, tpu

from fleetyard.catalog import Buy
from fleetyard.gcp.identity import SCOPES, machine_account
from fleetyard.gcp.network import Network
from fleetyard.gcp.store import Store
from fleetyard.plan import PoolPlan


class Slices(pulumi.ComponentResource):
    """TPU slices with the least rights that let them work, no public address, and a cache in their hosts' memory.

    A slice is one resource however many hosts it has; the pool has as many resources as slices, for Google sells
    slices one by one. Changing metadata reaches a slice on its hosts' next boot; type, topology, runtime, zone or the
    way of buying replace it, and a replaced slice has to be found capacity again.
    """

    def __init__(
        self,
        name: str,
        plan: PoolPlan,
        region: str,
        network: Network,
        stores: Mapping[str, Store],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("fleetyard:gcp:Slices", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self._plan = plan
        # Slices stand in the region's one subnet, by whatever key the plan gave it.
        subnet = network.subnets[plan.subnets[0]].id
        self.account: serviceaccount.Account | None = None
        rights: list[pulumi.Resource] = []
        if not plan.queued:
            self.account, rights = machine_account(name, plan, stores, own)
        # A host's boot script reads the store through the network: both must be there before it starts.
        ready = pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(depends_on=[network, *rights]))
        keys = [f"{name}-{number}" for number in range(plan.count)]
        told = pulumi.ResourceOptions.merge(ready, _told(name, plan))
        self.slices = {key: self._slice(key, plan, network.network.id, subnet, told) for key in keys}
        self.register_outputs(self.report())

    def report(self) -> dict[str, Any]:
        """The pool's part of the export."""
        return {
            "kind": "tpu-queue" if self._plan.queued else "tpu",
            "groups": {key: node.name for key, node in self.slices.items()},
            "identity": self.account.email if self.account else "default",
        }

    def _slice(
        self,
        key: str,
        plan: PoolPlan,
        network: pulumi.Output[str],
        subnet: pulumi.Output[str],
        own: pulumi.ResourceOptions,
    ) -> tpu.V2Vm | tpu.V2QueuedResource:
        if plan.queued:
            return self._queued(key, plan, network, subnet, own)
        assert self.account is not None  # noqa: S101 - only queued slices have no account
        return tpu.V2Vm(
            key,
            zone=plan.zones[0],
            runtime_version=plan.image,
            accelerator_type=plan.machine_name,
            network_config=tpu.V2VmNetworkConfigArgs(network=network, subnetwork=subnet, enable_external_ips=False),
            scheduling_config=tpu.V2VmSchedulingConfigArgs(
                spot=plan.buy is Buy.SPOT, reserved=plan.buy is Buy.RESERVATION, preemptible=False
            ),
            service_account=tpu.V2VmServiceAccountArgs(email=self.account.email, scopes=SCOPES),
            metadata={"startup-script": plan.user_data} if plan.user_data else {},
            labels=dict(plan.tags),
            opts=own,
        )

    def _queued(
        self,
        key: str,
        plan: PoolPlan,
        network: pulumi.Output[str],
        subnet: pulumi.Output[str],
        own: pulumi.ResourceOptions,
    ) -> tpu.V2QueuedResource:
        node = tpu.V2QueuedResourceTpuNodeSpecNodeArgs(
            runtime_version=plan.image,
            accelerator_type=plan.machine_name,
            network_config=tpu.V2QueuedResourceTpuNodeSpecNodeNetworkConfigArgs(
                network=network, subnetwork=subnet, enable_external_ips=False
            ),
        )
        parent = pulumi.Output.format(
            "projects/{0}/locations/{1}", pulumi.Output.from_input(plan.project), plan.zones[0]
        )
        spec = tpu.V2QueuedResourceTpuNodeSpecArgs(parent=parent, node_id=key, node=node)
        return tpu.V2QueuedResource(
            key, zone=plan.zones[0], tpu=tpu.V2QueuedResourceTpuArgs(node_specs=[spec]), opts=own
        )


def _told(name: str, plan: PoolPlan) -> pulumi.ResourceOptions:
    """A new boot script makes preview and up say when it is run."""

    def tell(change: pulumi.ResourceHookArgs) -> None:
        if (change.old_inputs or {}).get("metadata") != (change.new_inputs or {}).get("metadata"):
            pulumi.log.info(f"slice {change.name}: {plan.template_change}")

    hook = pulumi.ResourceHook(
        f"{name}-metadata", tell, pulumi.ResourceHookOptions(on_dry_run=True, ignore_errors=True)
    )
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook]))
