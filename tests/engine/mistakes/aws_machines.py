"""Machine types, images, keys, volumes, placement, templates, groups."""

from __future__ import annotations

import functools

import pulumi_aws as aws
from planted import mistake

UBUNTU = "ami-04680790a315cd58d"
"""Ubuntu 22.04, x86_64, us-east-1."""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8bdWdgIFJ1gLXzqAtNLq3xJS8ZP1fC6X0cC4C8bFfQ someone"


@functools.cache
def vpc() -> aws.ec2.Vpc:
    """The network that the area shares."""
    return aws.ec2.Vpc("shared", cidr_block="10.1.0.0/16")


@functools.cache
def subnet() -> aws.ec2.Subnet:
    """A subnet of it."""
    return aws.ec2.Subnet("shared", vpc_id=vpc().id, cidr_block="10.1.1.0/24", availability_zone="us-east-1a")


@functools.cache
def machine() -> aws.ec2.Instance:
    """A machine in it."""
    return aws.ec2.Instance("shared", ami=UBUNTU, instance_type="t3.micro", subnet_id=subnet().id)


@functools.cache
def template() -> aws.ec2.LaunchTemplate:
    """A template of machines."""
    return aws.ec2.LaunchTemplate("shared", image_id=UBUNTU, instance_type="t3.micro")


@functools.cache
def group() -> aws.autoscaling.Group:
    """A group of none."""
    launch = aws.autoscaling.GroupLaunchTemplateArgs(id=template().id, version="$Latest")
    return aws.autoscaling.Group(
        "shared", min_size=0, max_size=1, launch_template=launch, vpc_zone_identifiers=[subnet().id]
    )


@mistake(
    "machine-of-no-type",
    source="EC2 API reference: RunInstances, InstanceType; EC2 User Guide, instance types",
    code="InvalidParameterValue",
    operation="RunInstances",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Instance(n, ami=UBUNTU, instance_type="t3.gigantic" if wrong else "t3.micro", subnet_id=subnet().id)


@mistake(
    "machine-of-no-image",
    source="EC2 error codes: InvalidAMIID.NotFound",
    code="InvalidAMIID.NotFound",
    operation="RunInstances",
)
def _(n: str, wrong: bool) -> None:
    image = "ami-0123456789abcdef0" if wrong else UBUNTU
    aws.ec2.Instance(n, ami=image, instance_type="t3.micro", subnet_id=subnet().id)


@mistake(
    "machine-of-an-image-misspelt",
    source="EC2 error codes: InvalidAMIID.Malformed",
    code="InvalidAMIID.Malformed",
    operation="RunInstances",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Instance(n, ami="ubuntu-22.04" if wrong else UBUNTU, instance_type="t3.micro", subnet_id=subnet().id)


@mistake(
    "machine-of-another-architecture",
    source="EC2 API reference: RunInstances, image and type have one architecture",
    code="InvalidParameterValue",
    operation="RunInstances",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.Instance(n, ami=UBUNTU, instance_type="m7g.large" if wrong else "m7i.large", subnet_id=subnet().id)


@mistake(
    "machine-in-a-zone-without-it",
    source="EC2 DescribeInstanceTypeOfferings; EC2 error codes: Unsupported",
    code="Unsupported",
    operation="RunInstances",
)
def _(n: str, wrong: bool) -> None:
    where = aws.ec2.Subnet(f"{n}-subnet", vpc_id=vpc().id, cidr_block="10.1.9.0/24", availability_zone="us-east-1e")
    aws.ec2.Instance(n, ami=UBUNTU, instance_type="m7i.large" if wrong else "t2.micro", subnet_id=where.id)


@mistake(
    "machine-with-no-such-key",
    source="EC2 error codes: InvalidKeyPair.NotFound",
    code="InvalidKeyPair.NotFound",
    operation="RunInstances",
)
def _(n: str, wrong: bool) -> None:
    own = aws.ec2.KeyPair(f"{n}-key", public_key=KEY)
    key = "nobodys" if wrong else own.key_name
    aws.ec2.Instance(n, ami=UBUNTU, instance_type="t3.micro", subnet_id=subnet().id, key_name=key)


@mistake(
    "machine-behind-another-network",
    source="EC2 API reference: RunInstances, groups and subnet are of one VPC",
    code="InvalidParameter",
    operation="RunInstances",
)
def _(n: str, wrong: bool) -> None:
    other = aws.ec2.Vpc(f"{n}-vpc", cidr_block="10.2.0.0/16")
    guard = aws.ec2.SecurityGroup(f"{n}-group", vpc_id=other.id if wrong else vpc().id)
    aws.ec2.Instance(n, ami=UBUNTU, instance_type="t3.micro", subnet_id=subnet().id, vpc_security_group_ids=[guard.id])


@mistake(
    "machine-of-a-profile-of-nobody",
    source="EC2 API reference: RunInstances, IamInstanceProfile",
    code="InvalidParameterValue",
    operation="RunInstances",
)
def _(n: str, wrong: bool) -> None:
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
        '"Action":"sts:AssumeRole"}]}'
    )
    role = aws.iam.Role(f"{n}-role", assume_role_policy=trust)
    own = aws.iam.InstanceProfile(f"{n}-profile", role=role.name)
    profile = "nobodys" if wrong else own.name
    aws.ec2.Instance(n, ami=UBUNTU, instance_type="t3.micro", subnet_id=subnet().id, iam_instance_profile=profile)


@mistake(
    "key-of-nonsense",
    source="EC2 error codes: InvalidKey.Format",
    code="InvalidKey.Format",
    operation="ImportKeyPair",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.KeyPair(n, public_key="not a key" if wrong else KEY)


@mistake(
    "key-twice",
    source="EC2 error codes: InvalidKeyPair.Duplicate",
    code="InvalidKeyPair.Duplicate",
    operation="ImportKeyPair",
)
def _(n: str, wrong: bool) -> None:
    first = aws.ec2.KeyPair(f"{n}-first", key_name="one", public_key=KEY)
    aws.ec2.KeyPair(n, key_name=first.key_name.apply(lambda _: "one" if wrong else "two"), public_key=KEY)


@mistake(
    "volume-slow-and-small",
    source="EBS User Guide: Throughput Optimized HDD volumes are 125 GiB to 16 TiB",
    code="InvalidParameterValue",
    operation="CreateVolume",
)
def _(n: str, wrong: bool) -> None:
    aws.ebs.Volume(n, availability_zone="us-east-1a", type="st1", size=10 if wrong else 125)


@mistake(
    "volume-of-no-kind",
    source="EC2 service model: VolumeType",
    code="InvalidParameterValue",
    operation="CreateVolume",
)
def _(n: str, wrong: bool) -> None:
    aws.ebs.Volume(n, availability_zone="us-east-1a", type="gp9" if wrong else "gp3", size=10)


@mistake(
    "volume-without-its-speed",
    source="EC2 API reference: CreateVolume, Iops for io1 and io2; EC2 error codes: InvalidParameterDependency",
    code="InvalidParameterDependency",
    operation="CreateVolume",
)
def _(n: str, wrong: bool) -> None:
    aws.ebs.Volume(n, availability_zone="us-east-1a", type="io2", size=100, iops=None if wrong else 1000)


@mistake(
    "volume-too-fast-for-its-size",
    source="EBS User Guide: gp3, 500 IOPS per GiB at most",
    code="InvalidParameterValue",
    operation="CreateVolume",
)
def _(n: str, wrong: bool) -> None:
    aws.ebs.Volume(n, availability_zone="us-east-1a", type="gp3", size=10, iops=16000 if wrong else 4000)


@mistake(
    "volume-nowhere",
    source="EC2 error codes: InvalidZone.NotFound",
    code="InvalidZone.NotFound",
    operation="CreateVolume",
)
def _(n: str, wrong: bool) -> None:
    aws.ebs.Volume(n, availability_zone="us-east-1z" if wrong else "us-east-1a", size=10)


@mistake(
    "volume-in-another-zone",
    source="EC2 error codes: InvalidVolume.ZoneMismatch",
    code="InvalidVolume.ZoneMismatch",
    operation="AttachVolume",
)
def _(n: str, wrong: bool) -> None:
    volume = aws.ebs.Volume(f"{n}-volume", availability_zone="us-east-1b" if wrong else "us-east-1a", size=10)
    aws.ec2.VolumeAttachment(n, device_name="/dev/sdf", instance_id=machine().id, volume_id=volume.id)


@mistake(
    "snapshot-of-nothing",
    source="EC2 error codes: InvalidVolume.NotFound",
    code="InvalidVolume.NotFound",
    operation="CreateSnapshot",
)
def _(n: str, wrong: bool) -> None:
    volume = aws.ebs.Volume(f"{n}-volume", availability_zone="us-east-1a", size=10)
    aws.ebs.Snapshot(n, volume_id="vol-0123456789abcdef0" if wrong else volume.id)


@mistake(
    "placement-of-no-strategy",
    source="EC2 service model: PlacementStrategy",
    code="InvalidParameterValue",
    operation="CreatePlacementGroup",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.PlacementGroup(n, strategy="together" if wrong else "cluster")


@mistake(
    "placement-of-too-many-parts",
    source="EC2 User Guide: placement groups, 7 partitions per zone at most",
    code="InvalidParameterValue",
    operation="CreatePlacementGroup",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.PlacementGroup(n, strategy="partition", partition_count=9 if wrong else 7)


@mistake(
    "placement-twice",
    source="EC2 error codes: InvalidPlacementGroup.Duplicate",
    code="InvalidPlacementGroup.Duplicate",
    operation="CreatePlacementGroup",
)
def _(n: str, wrong: bool) -> None:
    first = aws.ec2.PlacementGroup(f"{n}-first", name="one", strategy="cluster")
    name = first.name.apply(lambda _: "one" if wrong else "two")
    aws.ec2.PlacementGroup(n, name=name, strategy="cluster")


@mistake(
    "template-named-too-shortly",
    source="EC2 API reference: CreateLaunchTemplate, LaunchTemplateName has 3 to 128 characters",
    code="InvalidLaunchTemplateName.MalformedException",
    operation="CreateLaunchTemplate",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.LaunchTemplate(n, name="ab" if wrong else "abc", image_id=UBUNTU, instance_type="t3.micro")


@mistake(
    "group-smaller-than-itself",
    source="Auto Scaling API reference: CreateAutoScalingGroup, MinSize and MaxSize",
    code="ValidationError",
    operation="CreateAutoScalingGroup",
)
def _(n: str, wrong: bool) -> None:
    launch = aws.autoscaling.GroupLaunchTemplateArgs(id=template().id, version="$Latest")
    aws.autoscaling.Group(
        n,
        min_size=2 if wrong else 0,
        max_size=1,
        launch_template=launch,
        vpc_zone_identifiers=[subnet().id],
        wait_for_capacity_timeout="0",
    )


@mistake(
    "group-of-no-template",
    source="Auto Scaling API reference: CreateAutoScalingGroup, LaunchTemplate",
    code="ValidationError",
    operation="CreateAutoScalingGroup",
)
def _(n: str, wrong: bool) -> None:
    id = "lt-0123456789abcdef0" if wrong else template().id
    launch = aws.autoscaling.GroupLaunchTemplateArgs(id=id, version="$Latest")
    aws.autoscaling.Group(n, min_size=0, max_size=1, launch_template=launch, vpc_zone_identifiers=[subnet().id])


@mistake(
    "group-of-a-type-misspelt",
    source="EC2 API reference: a template is not validated when it is made; the group's own creation is",
    code="ValidationError",
    operation="CreateAutoScalingGroup",
)
def _(n: str, wrong: bool) -> None:
    kind = "t3.gigantic" if wrong else "t3.micro"
    own = aws.ec2.LaunchTemplate(f"{n}-template", image_id=UBUNTU, instance_type=kind)
    launch = aws.autoscaling.GroupLaunchTemplateArgs(id=own.id, version="$Latest")
    aws.autoscaling.Group(n, min_size=0, max_size=1, launch_template=launch, vpc_zone_identifiers=[subnet().id])


@mistake(
    "scaling-of-no-group",
    source="Auto Scaling API reference: PutScalingPolicy, AutoScalingGroupName",
    code="ValidationError",
    operation="PutScalingPolicy",
)
def _(n: str, wrong: bool) -> None:
    name = "nobodys" if wrong else group().name
    aws.autoscaling.Policy(n, autoscaling_group_name=name, adjustment_type="ChangeInCapacity", scaling_adjustment=1)


@mistake(
    "scaling-by-nothing",
    source="Auto Scaling API reference: PutScalingPolicy, ScalingAdjustment is required for SimpleScaling",
    code="ValidationError",
    operation="PutScalingPolicy",
)
def _(n: str, wrong: bool) -> None:
    aws.autoscaling.Policy(
        n,
        autoscaling_group_name=group().name,
        adjustment_type="ChangeInCapacity",
        scaling_adjustment=None if wrong else 1,
    )


@mistake(
    "hook-at-no-moment",
    source="Auto Scaling API reference: PutLifecycleHook, LifecycleTransition",
    code="ValidationError",
    operation="PutLifecycleHook",
)
def _(n: str, wrong: bool) -> None:
    moment = "autoscaling:EC2_INSTANCE_SLEEPING" if wrong else "autoscaling:EC2_INSTANCE_TERMINATING"
    aws.autoscaling.LifecycleHook(n, autoscaling_group_name=group().name, lifecycle_transition=moment)


@mistake(
    "reservation-of-no-type",
    source="EC2 API reference: CreateCapacityReservation, InstanceType",
    code="InvalidParameterValue",
    operation="CreateCapacityReservation",
)
def _(n: str, wrong: bool) -> None:
    aws.ec2.CapacityReservation(
        n,
        instance_type="p9.huge" if wrong else "m7i.large",
        instance_platform="Linux/UNIX",
        availability_zone="us-east-1a",
        instance_count=1,
    )
