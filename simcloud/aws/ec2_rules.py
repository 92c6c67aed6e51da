"""What EC2 refuses of names, tags, volumes, interfaces and endpoints and moto accepts."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import re
from typing import TYPE_CHECKING

from simcloud.aws import moto_bridge
from simcloud.aws.calls import Call
from simcloud.aws.rules import rule
from simcloud.provider.model import CloudError

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld

_TAGGED = (
    "CreateVpc",
    "CreateSubnet",
    "CreateSecurityGroup",
    "CreateVolume",
    "CreateRouteTable",
    "CreateInternetGateway",
    "CreateNatGateway",
    "AllocateAddress",
    "RunInstances",
    "CreateNetworkInterface",
    "CreateSnapshot",
    "CreateTags",
    "CreateVpcEndpoint",
    "CreateLaunchTemplate",
    "CreatePlacementGroup",
)
MAX_TAGS = 50


def _tags(call: Call, world: AwsWorld) -> None:
    """Tags have keys of 1 to 128 characters that do not begin with aws:, values of at most 256, and are 50 at most."""
    rows = [
        *(call.params.get("Tags") or ()),
        *(t for s in call.params.get("TagSpecifications") or () for t in s.get("Tags") or ()),
    ]
    for one in rows:
        key, value = str(one.get("Key") or ""), str(one.get("Value") or "")
        if key.lower().startswith("aws:"):
            raise CloudError(
                "InvalidParameterValue",
                call.operation,
                f"Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for "
                "internal use",
            )
        if not 1 <= len(key) <= 128:
            raise CloudError("InvalidParameterValue", call.operation, "Tag keys must be between 1 and 128 characters")
        if len(value) > 256:
            raise CloudError(
                "InvalidParameterValue", call.operation, f"Tag value exceeds the maximum length of 256: {key}"
            )
    if len(rows) > MAX_TAGS:
        raise CloudError("TagLimitExceeded", call.operation, f"The maximum number of Tags for a resource is {MAX_TAGS}")


for _operation in _TAGGED:
    rule(f"ec2:{_operation}", "EC2 User Guide, 'Tag restrictions'")(_tags)

_DESCRIPTION = re.compile(r"^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}$")


@rule("ec2:CreateSecurityGroup", "EC2 API reference, CreateSecurityGroup: GroupName, Description")
def group_words(call: Call, world: AwsWorld) -> None:
    """A group's name does not look like an id; its name and description have the allowed characters."""
    name, text = str(call.params.get("GroupName") or ""), str(call.params.get("Description") or "")
    if name.startswith("sg-"):
        raise CloudError(
            "InvalidParameterValue",
            call.operation,
            f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.",
        )
    for member, value in (("GroupName", name), ("GroupDescription", text)):
        if not _DESCRIPTION.match(value):
            raise CloudError(
                "InvalidParameterValue",
                call.operation,
                f"Value ({value}) for parameter {member} is invalid. Character sets beyond ASCII are not supported.",
            )


@rule("ec2:AssociateRouteTable", "EC2 API reference, AssociateRouteTable; EC2 error codes, Resource.AlreadyAssociated")
def one_table_for_a_subnet(call: Call, world: AwsWorld) -> None:
    """A subnet is associated with one route table."""
    subnet, table = call.params.get("SubnetId"), call.params["RouteTableId"]
    for other in world.ec2.backend(call.region).route_tables.values():
        for id, associated in other._associations.items():
            if subnet and associated == subnet and other.id != table:
                raise CloudError(
                    "Resource.AlreadyAssociated",
                    call.operation,
                    f"the specified association for route table {other.id} conflicts with an existing association "
                    f"({id})",
                )


_SERVICES = re.compile(r"^(com\.amazonaws\.vpce\.|aws\.api\.|aws\.sagemaker\.|com\.amazonaws\.[a-z0-9-]+\.vpce-svc-)")
_MORE_SERVICES = frozenset(
    {
        "s3express",
        "eks",
        "eks-auth",
        "fsx",
        "fsx-fips",
        "ssm-quicksetup",
        "bedrock",
        "bedrock-runtime",
        "bedrock-agent",
        "bedrock-agent-runtime",
        "airflow.api",
        "batch",
        "grafana",
        "pcs",
        "imagebuilder",
        "sso",
        "elasticache",
        "scheduler",
        "pipes",
        "xray",
        "ec2",
        "sts",
        "sqs",
        "sns",
    }
)
"""Services that moto's list lacks. Source: AWS PrivateLink Guide, "AWS services that integrate"."""


@rule("ec2:CreateVpcEndpoint", "AWS PrivateLink Guide; EC2 error codes, InvalidServiceName")
def endpoint_of_a_service(call: Call, world: AwsWorld) -> None:
    """An endpoint is for a service that the region has."""
    name = str(call.params.get("ServiceName") or "")
    if not name or _SERVICES.match(name):
        return
    offered = world.inner.get("ec2", call.region).describe_vpc_endpoint_services()["ServiceDetails"]
    known = {s["ServiceName"] for s in offered}
    prefix = f"com.amazonaws.{call.region}."
    if name not in known and not (name.startswith(prefix) and name.removeprefix(prefix) in _MORE_SERVICES):
        raise CloudError("InvalidServiceName", call.operation, f"The Vpc Endpoint Service '{name}' does not exist")


@rule("ec2:CreateVpcEndpoint", "AWS PrivateLink Guide, 'Interface endpoints': subnets and private DNS names")
def interface_endpoint(call: Call, world: AwsWorld) -> None:
    """An interface endpoint has one subnet in a zone; its private names need both DNS attributes of the VPC."""
    if call.params.get("VpcEndpointType") != "Interface":
        return
    backend = world.ec2.backend(call.region)
    zones: set[str] = set()
    for id in call.params.get("SubnetIds") or ():
        subnet = next((s[id] for s in backend.subnets.values() if id in s), None)
        if subnet is None:
            raise CloudError("InvalidSubnetId.NotFound", call.operation, f"The subnet ID '{id}' does not exist")
        if subnet.availability_zone in zones:
            raise CloudError(
                "DuplicateSubnetsInSameZone",
                call.operation,
                f"Found another VPC endpoint subnet in the availability zone of {id}",
            )
        zones.add(subnet.availability_zone)
    vpc = backend.vpcs.get(call.params["VpcId"])
    dns = vpc is not None and vpc.enable_dns_support and vpc.enable_dns_hostnames
    if call.params.get("PrivateDnsEnabled") and vpc is not None and not dns:
        raise CloudError(
            "InvalidParameter",
            call.operation,
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "
            f"{vpc.id}",
        )


@rule("ec2:CreateNetworkAclEntry", "EC2 API reference, CreateNetworkAclEntry: RuleNumber from 1 to 32766")
def acl_number(call: Call, world: AwsWorld) -> None:
    """Rules of a network ACL are numbered from 1 to 32766."""
    number = call.params["RuleNumber"]
    if not 1 <= number <= 32766:
        raise CloudError(
            "InvalidParameterValue", call.operation, f"Value ({number}) for parameter ruleNumber is invalid."
        )


@rule("ec2:CreateNetworkInterface", "EC2 API reference, CreateNetworkInterface: PrivateIpAddress")
def interface_address(call: Call, world: AwsWorld) -> None:
    """An interface's address lies in its subnet, is not one of AWS's five, and belongs to no other interface."""
    backend, id = world.ec2.backend(call.region), call.params["SubnetId"]
    subnet = next((s[id] for s in backend.subnets.values() if id in s), None)
    if subnet is None:
        return  # moto says that there is none
    rows = call.params.get("PrivateIpAddresses") or ()
    asked = {a for a in [call.params.get("PrivateIpAddress"), *(r.get("PrivateIpAddress") for r in rows)] if a}
    taken = {
        a.get("PrivateIpAddress") for e in backend.enis.values() if e.subnet.id == id for a in e.private_ip_addresses
    }
    network = ipaddress.ip_network(subnet.cidr_block)
    first = [str(network[i]) for i in range(4)]
    for address in sorted(asked):
        try:
            inside = ipaddress.ip_address(address) in network
        except ValueError:
            raise CloudError(
                "InvalidParameterValue", call.operation, f"invalid value for parameter address: {address}"
            ) from None
        if not inside:
            raise CloudError(
                "InvalidParameterValue", call.operation, "Address does not fall within the subnet's address range"
            )
        if address in first or address == str(network[-1]):
            raise CloudError("InvalidParameterValue", call.operation, "Address is in subnet's reserved address range")
        if address in taken:
            raise CloudError("InvalidIPAddress.InUse", call.operation, "Address is in use.")


_KEY_KINDS = (b"ssh-rsa", b"ssh-ed25519")


@rule("ec2:ImportKeyPair", "EC2 API reference, ImportKeyPair; EC2 error codes, InvalidKey.Format")
def key_form(call: Call, world: AwsWorld) -> None:
    """A public key is an RSA or ED25519 one in OpenSSH's, DER's or RFC 4716's form."""
    text = bytes(call.params["PublicKeyMaterial"])
    with contextlib.suppress(ValueError):
        # The member is a blob: what moto reads from the wire may still be encoded.
        text = base64.b64decode(text, validate=True)
    words = text.split()
    if text.lstrip().startswith((b"---- BEGIN SSH2", b"-----BEGIN PUBLIC KEY")):
        return
    try:
        good = len(words) >= 2 and words[0] in _KEY_KINDS and len(base64.b64decode(words[1])) > 32
    except ValueError:
        good = False
    if not good:
        raise CloudError("InvalidKey.Format", call.operation, "Key is not in valid OpenSSH public key format")


_SIZES = {
    "gp2": (1, 16384),
    "gp3": (1, 65536),
    "io1": (4, 16384),
    "io2": (4, 65536),
    "st1": (125, 16384),
    "sc1": (125, 16384),
    "standard": (1, 1024),
}
"""Least and most GiB. Source: EBS User Guide, "Amazon EBS volume types"."""
_IOPS = {"gp3": (3000, 80000, 500), "io1": (100, 64000, 50), "io2": (100, 256000, 1000)}
"""Least and most IOPS, and most per GiB. Source: as above."""


@rule("ec2:CreateVolume", "EBS User Guide, 'Amazon EBS volume types'", own_wording=True)
def volume_form(call: Call, world: AwsWorld) -> None:
    """A volume has a size and a speed that its type has, in a zone of the region."""
    zone = call.params.get("AvailabilityZone")
    zones = world.inner.get("ec2", call.region).describe_availability_zones()["AvailabilityZones"]
    if zone and zone not in {z["ZoneName"] for z in zones}:
        raise CloudError("InvalidZone.NotFound", call.operation, f"The zone '{zone}' does not exist.")
    kind, size, iops = call.params.get("VolumeType") or "gp2", call.params.get("Size"), call.params.get("Iops")
    least, most = _SIZES.get(kind, (1, 65536))
    if size is not None and not least <= size <= most:
        word, limit = ("small", f"minimum is {least}") if size < least else ("large", f"maximum is {most}")
        raise CloudError(
            "InvalidParameterValue",
            call.operation,
            f"Volume of {size}GiB is too {word} for volume type {kind}; {limit}GiB",
        )
    if iops is None or kind not in _IOPS:
        return
    low, high, per_gib = _IOPS[kind]
    if not low <= iops <= high:
        raise CloudError(
            "InvalidParameterValue",
            call.operation,
            f"Volume iops of {iops} is out of range for {kind}: {low} to {high}",
        )
    if size is not None and iops > max(low, size * per_gib):
        raise CloudError(
            "InvalidParameterValue",
            call.operation,
            f"Iops to volume size ratio of {iops / size:.6f} is too high; maximum is {per_gib}",
        )


@rule("ec2:AttachVolume", "EC2 error codes, InvalidVolume.ZoneMismatch")
def volume_zone(call: Call, world: AwsWorld) -> None:
    """A volume and its machine are in one zone."""
    backend = world.ec2.backend(call.region)
    volume = backend.volumes.get(call.params["VolumeId"])
    machine = next((i for i in backend.all_instances() if i.id == call.params["InstanceId"]), None)
    if volume is None or machine is None:
        return  # moto says which
    if volume.zone.name != machine.placement.zone:
        raise CloudError(
            "InvalidVolume.ZoneMismatch",
            call.operation,
            f"The volume '{volume.id}' is not in the same availability zone as instance '{machine.id}'",
        )


@rule("ec2:RunInstances", "EC2 API reference, RunInstances: KeyName, IamInstanceProfile")
def machine_belongings(call: Call, world: AwsWorld) -> None:
    """A machine's key pair and its instance profile exist."""
    key = call.params.get("KeyName")
    if key and key not in world.ec2.backend(call.region).key_pairs:
        raise CloudError("InvalidKeyPair.NotFound", call.operation, f"The key pair '{key}' does not exist")
    said = call.params.get("IamInstanceProfile") or {}
    profiles = moto_bridge.backend("iam", "aws").instance_profiles.values()
    name, arn = said.get("Name"), said.get("Arn")
    if name and name not in {p.name for p in profiles}:
        raise CloudError(
            "InvalidParameterValue",
            call.operation,
            f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
        )
    if arn and arn not in {p.arn for p in profiles}:
        raise CloudError(
            "InvalidParameterValue",
            call.operation,
            f"Value ({arn}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN",
        )


_MOMENTS = frozenset({"autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"})


@rule("autoscaling:PutLifecycleHook", "Auto Scaling API reference, PutLifecycleHook: LifecycleTransition")
def hook_moment(call: Call, world: AwsWorld) -> None:
    """A hook is at a launch or at a termination."""
    moment = call.params.get("LifecycleTransition")
    if moment and moment not in _MOMENTS:
        raise CloudError("ValidationError", call.operation, f"Invalid lifecycle transition: {moment}")


_POWER = {
    "StartInstances": ("started", ("stopped", "running", "pending")),
    "StopInstances": ("stopped", ("running", "pending", "stopping", "stopped")),
    "RebootInstances": ("rebooted", ("running", "pending")),
}


def _power(call: Call, world: AwsWorld) -> None:
    """An instance is started, stopped and rebooted only from a state that allows it."""
    verb, allowed = _POWER[call.operation]
    states = {i.id: i.state for i in world.ec2.backend(call.region).all_instances()}
    for id in call.params.get("InstanceIds") or ():
        if states.get(id, allowed[0]) not in allowed:
            message = f"The instance '{id}' is not in a state from which it can be {verb}."
            raise CloudError("IncorrectInstanceState", call.operation, message)


for _operation in _POWER:
    rule(f"ec2:{_operation}", "EC2 User Guide, 'Amazon EC2 instance state changes'")(_power)
