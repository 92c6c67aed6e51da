"""A pool: one launch template and one Auto Scaling group, however many machines it has."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_aws import autoscaling, ec2, iam, kms

from fleetyard.aws.network import Network
from fleetyard.aws.policies import allow, policy, trust
from fleetyard.aws.store import Store
from fleetyard.catalog import Buy, Image
from fleetyard.plan import Grant, PoolPlan
from fleetyard.spec import Update

ROOT_DEVICE = "/dev/sda1"
"""The root device's name in Canonical's images."""
SSM_POLICY = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
WAIT = "10m"


class Pool(pulumi.ComponentResource):
    """Machines that are alike, with the least rights that let them work.

    A new template reaches running machines as `update` says: `rolling` replaces them a few at a time (instance
    refresh), `on-next-boot` leaves them alone and starts every later machine from it, `none` leaves the group on the
    version it has. Replaced when: never; its machines when type, zone, placement or the way of buying changes and
    `update` lets them be.
    """

    def __init__(
        self,
        name: str,
        plan: PoolPlan,
        network: Network,
        stores: Mapping[str, Store],
        key: kms.Key,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("fleetyard:aws:Pool", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self.role, rights = _role(name, plan, stores, key, own)
        # A machine's boot script reads the store through the network: both must be there before it starts.
        ready = pulumi.ResourceOptions(depends_on=[network, *rights])
        profile = iam.InstanceProfile(name, role=self.role.name, opts=own)
        placement = ec2.PlacementGroup(name, strategy="cluster", opts=own) if plan.together else None
        self.template = _template(name, plan, network, profile, pulumi.ResourceOptions.merge(own, _told(name, plan)))
        self.group = autoscaling.Group(
            name,
            min_size=plan.count,
            max_size=plan.count,
            desired_capacity=plan.count,
            vpc_zone_identifiers=[network.subnets[subnet].id for subnet in plan.subnets],
            launch_template=autoscaling.GroupLaunchTemplateArgs(id=self.template.id, version=_latest(self.template)),
            placement_group=placement.name if placement else None,
            instance_refresh=_refresh(plan),
            health_check_type="EC2",
            wait_for_capacity_timeout=WAIT,
            tags=[
                autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=False)
                for key, value in sorted({**plan.tags, "Name": name}.items())
            ],
            opts=pulumi.ResourceOptions.merge(pulumi.ResourceOptions.merge(own, ready), _followed(plan)),
        )
        self.register_outputs(self.report())

    def report(self) -> dict[str, Any]:
        """The pool's part of the export."""
        return {"kind": "autoscaling-group", "groups": {"all": self.group.name}, "identity": self.role.arn}


def _told(name: str, plan: PoolPlan) -> pulumi.ResourceOptions:
    """A new template version makes preview and up say what running machines do about it."""
    hook = pulumi.ResourceHook(
        f"{name}-template",
        lambda _: pulumi.log.info(plan.template_change),
        pulumi.ResourceHookOptions(on_dry_run=True, ignore_errors=True),
    )
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook]))


def _role(
    name: str, plan: PoolPlan, stores: Mapping[str, Store], key: kms.Key, own: pulumi.ResourceOptions
) -> tuple[iam.Role, list[pulumi.Resource]]:
    """The role, and what gives it its rights."""
    role = iam.Role(name, assume_role_policy=trust("ec2.amazonaws.com"), opts=own)
    ssm = iam.RolePolicyAttachment(f"{name}-ssm", role=role.name, policy_arn=SSM_POLICY, opts=own)
    rights: list[pulumi.Resource] = [ssm]
    for grant in plan.grants:
        document = _store_policy(grant, stores[grant.store], key)
        rights.append(iam.RolePolicy(f"{name}-{grant.store}", role=role.id, policy=document, opts=own))
    return role, rights


def _store_policy(grant: Grant, store: Store, key: kms.Key) -> pulumi.Output[str]:
    """List, read and write under the granted prefixes only, and use the key for nothing but that."""
    arn = store.bucket.arn

    def objects(prefixes: tuple[str, ...]) -> list[pulumi.Output[str]]:
        return [pulumi.Output.concat(arn, "/", prefix, "*") for prefix in prefixes]

    listing = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in grant.read]}}
    return policy(
        allow(["s3:ListBucket"], [arn], listing),
        allow(["s3:GetObject", "s3:GetObjectVersion"], objects(grant.read)),
        allow(["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], objects(grant.write)),
        allow(["kms:Decrypt", "kms:GenerateDataKey"], [key.arn]),
    )


def _template(
    name: str, plan: PoolPlan, network: Network, profile: iam.InstanceProfile, own: pulumi.ResourceOptions
) -> ec2.LaunchTemplate:
    tags = {**plan.tags, "Name": name}
    kinds = ["instance", "volume", "network-interface"]
    if plan.buy is Buy.SPOT:
        kinds.append("spot-instances-request")
    return ec2.LaunchTemplate(
        name,
        image_id=plan.image.id if isinstance(plan.image, Image) else None,
        instance_type=plan.machine_name,
        iam_instance_profile=ec2.LaunchTemplateIamInstanceProfileArgs(arn=profile.arn),
        metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        block_device_mappings=[
            ec2.LaunchTemplateBlockDeviceMappingArgs(
                device_name=ROOT_DEVICE,
                # Encrypted with the account's own EBS key: a key of ours would need a grant to Auto Scaling's role.
                ebs=ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                    volume_size=plan.disk_gib,
                    volume_type=plan.disk_type,
                    encrypted="true",
                    delete_on_termination="true",
                ),
            )
        ],
        network_interfaces=_interfaces(plan, network),
        instance_market_options=_market(plan),
        capacity_reservation_specification=_reservation(plan),
        user_data=base64.b64encode(plan.user_data.encode()).decode() if plan.user_data else None,
        tag_specifications=[ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=tags) for kind in kinds],
        tags={"Name": name},
        opts=own,
    )


def _interfaces(plan: PoolPlan, network: Network) -> list[ec2.LaunchTemplateNetworkInterfaceArgs]:
    """Every card's interfaces. No word about public addresses: with several interfaces EC2 refuses any."""
    return [
        ec2.LaunchTemplateNetworkInterfaceArgs(
            network_card_index=interface.card,
            device_index=interface.device,
            interface_type=str(interface.kind),
            security_groups=[network.security_group.id],
            delete_on_termination="true",
        )
        for interface in plan.interfaces
    ]


def _market(plan: PoolPlan) -> ec2.LaunchTemplateInstanceMarketOptionsArgs | None:
    kinds = {Buy.SPOT: "spot", Buy.CAPACITY_BLOCK: "capacity-block"}
    return ec2.LaunchTemplateInstanceMarketOptionsArgs(market_type=kinds[plan.buy]) if plan.buy in kinds else None


def _reservation(plan: PoolPlan) -> ec2.LaunchTemplateCapacityReservationSpecificationArgs | None:
    if plan.buy not in (Buy.RESERVATION, Buy.CAPACITY_BLOCK):
        return None
    return ec2.LaunchTemplateCapacityReservationSpecificationArgs(
        capacity_reservation_target=ec2.LaunchTemplateCapacityReservationSpecificationCapacityReservationTargetArgs(
            capacity_reservation_id=plan.reservation
        )
    )


def _latest(template: ec2.LaunchTemplate) -> pulumi.Output[str]:
    """The template's newest version by number, so that a preview shows the group moving to it."""
    latest: pulumi.Output[str] = template.latest_version.apply(lambda version: str(int(version)))
    return latest


def _followed(plan: PoolPlan) -> pulumi.ResourceOptions:
    """With `none` the group stays on the version it has, for running machines and for later ones."""
    return pulumi.ResourceOptions(ignore_changes=["launchTemplate.version"] if plan.update is Update.NONE else None)


def _refresh(plan: PoolPlan) -> autoscaling.GroupInstanceRefreshArgs | None:
    if plan.update is not Update.ROLLING:
        return None
    # A single machine cannot stay nine tenths healthy while it is replaced: say so rather than rely on rounding.
    healthy = 0 if plan.count < 2 else 90
    return autoscaling.GroupInstanceRefreshArgs(
        strategy="Rolling",
        preferences=autoscaling.GroupInstanceRefreshPreferencesArgs(min_healthy_percentage=healthy, skip_matching=True),
    )
