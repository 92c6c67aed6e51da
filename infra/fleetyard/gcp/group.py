"""A pool of machines: one instance template, and one managed instance group in each of its zones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_gcp import compute

from fleetyard.catalog import Buy, Image
from fleetyard.gcp.identity import SCOPES, machine_account
from fleetyard.gcp.network import Network
from fleetyard.gcp.store import Store
from fleetyard.plan import PoolPlan
from fleetyard.spec import Update

LOCAL_SSD_GB = 375
"""A local drive as the API counts it. Source: Compute Engine documentation, "Local SSD disks"."""
RESERVATION_KEY = "compute.googleapis.com/reservation-name"


class Group(pulumi.ComponentResource):
    """Machines that are alike, with the least rights that let them work.

    A template cannot be changed: a new one is made, and it reaches running machines as `update` says. `rolling`
    replaces them one at a time, `on-next-boot` leaves them alone until they are recreated. Replaced when: never; the
    group moves from template to template.
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
        super().__init__("fleetyard:gcp:Group", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self.account, rights = machine_account(name, plan, stores, own)
        # A machine's boot script reads the store through the network: both must be there before it starts.
        ready = pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(depends_on=[network, *rights]))
        policy = _together(name, region, own) if plan.together else None
        self.template = _template(name, plan, region, network, self.account.email, policy, own)
        told = pulumi.ResourceOptions.merge(ready, _told(name, plan))
        self.groups = {
            zone: compute.InstanceGroupManager(
                f"{name}-{zone}",
                zone=zone,
                base_instance_name=name,
                versions=[compute.InstanceGroupManagerVersionArgs(instance_template=self.template.self_link_unique)],
                target_size=size,
                update_policy=_update(plan),
                wait_for_instances=True,
                opts=told,
            )
            for zone, size in plan.per_zone().items()
        }
        self.register_outputs(self.report())

    def report(self) -> dict[str, Any]:
        """The pool's part of the export."""
        return {
            "kind": "instance-group",
            "groups": {zone: group.name for zone, group in self.groups.items()},
            "identity": self.account.email,
        }


def _told(name: str, plan: PoolPlan) -> pulumi.ResourceOptions:
    """A group that moves to a new template makes preview and up say what running machines do about it."""

    def tell(change: pulumi.ResourceHookArgs) -> None:
        if (change.old_inputs or {}).get("versions") != (change.new_inputs or {}).get("versions"):
            pulumi.log.info(plan.template_change)

    hook = pulumi.ResourceHook(
        f"{name}-template", tell, pulumi.ResourceHookOptions(on_dry_run=True, ignore_errors=True)
    )
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook]))


def _together(name: str, region: str, own: pulumi.ResourceOptions) -> compute.ResourcePolicy:
    """Compact placement. No number of machines: a group places them as it makes them."""
    return compute.ResourcePolicy(
        name,
        region=region,
        group_placement_policy=compute.ResourcePolicyGroupPlacementPolicyArgs(collocation="COLLOCATED"),
        opts=own,
    )


def _template(
    name: str,
    plan: PoolPlan,
    region: str,
    network: Network,
    account: pulumi.Output[str],
    policy: compute.ResourcePolicy | None,
    own: pulumi.ResourceOptions,
) -> compute.InstanceTemplate:
    boot = compute.InstanceTemplateDiskArgs(
        boot=True,
        auto_delete=True,
        source_image=plan.image.id if isinstance(plan.image, Image) else None,
        disk_size_gb=plan.disk_gib,
        disk_type=plan.disk_type,
    )
    return compute.InstanceTemplate(
        name,
        region=region,
        machine_type=plan.machine_name,
        disks=[boot, *(_local_drive() for _ in range(plan.local_ssds))],
        network_interfaces=[
            compute.InstanceTemplateNetworkInterfaceArgs(
                subnetwork=network.subnets[plan.subnets[0]].id, nic_type="GVNIC"
            )
        ],
        scheduling=_scheduling(plan),
        reservation_affinity=_reservation(plan),
        resource_policies=policy.id if policy else None,
        service_account=compute.InstanceTemplateServiceAccountArgs(email=account, scopes=SCOPES),
        shielded_instance_config=compute.InstanceTemplateShieldedInstanceConfigArgs(
            enable_vtpm=True, enable_integrity_monitoring=True
        ),
        metadata={"enable-oslogin": "TRUE", **({"startup-script": plan.user_data} if plan.user_data else {})},
        labels=dict(plan.tags),
        opts=own,
    )


def _local_drive() -> compute.InstanceTemplateDiskArgs:
    return compute.InstanceTemplateDiskArgs(
        type="SCRATCH", disk_type="local-ssd", interface="NVME", disk_size_gb=LOCAL_SSD_GB, auto_delete=True, boot=False
    )


def _scheduling(plan: PoolPlan) -> compute.InstanceTemplateSchedulingArgs:
    """Machines with accelerators cannot be moved while they run; spot machines are deleted when they are taken back."""
    spot = plan.buy is Buy.SPOT
    moved = not (plan.accelerators or spot)
    return compute.InstanceTemplateSchedulingArgs(
        on_host_maintenance="MIGRATE" if moved else "TERMINATE",
        automatic_restart=not spot,
        preemptible=spot,
        provisioning_model="SPOT" if spot else "STANDARD",
        instance_termination_action="DELETE" if spot else None,
    )


def _reservation(plan: PoolPlan) -> compute.InstanceTemplateReservationAffinityArgs | None:
    if plan.buy not in (Buy.RESERVATION, Buy.CALENDAR) or plan.reservation is None:
        return None
    return compute.InstanceTemplateReservationAffinityArgs(
        type="SPECIFIC_RESERVATION",
        specific_reservation=compute.InstanceTemplateReservationAffinitySpecificReservationArgs(
            key=RESERVATION_KEY, values=[plan.reservation]
        ),
    )


def _update(plan: PoolPlan) -> compute.InstanceGroupManagerUpdatePolicyArgs:
    """Surging would need capacity beside what stands, which accelerators rarely have: take one down, then make one."""
    return compute.InstanceGroupManagerUpdatePolicyArgs(
        type="PROACTIVE" if plan.update is Update.ROLLING else "OPPORTUNISTIC",
        minimal_action="REPLACE",
        max_surge_fixed=0,
        max_unavailable_fixed=1,
        replacement_method="RECREATE",
    )
