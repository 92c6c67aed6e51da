"""What services other than EC2 and S3 refuse and moto accepts: identities, balancers, clusters, functions, messages."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import TYPE_CHECKING, Any

from simcloud.aws import moto_bridge
from simcloud.aws.calls import Call
from simcloud.aws.rules import rule
from simcloud.provider.model import CloudError

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld


def _subnets(world: AwsWorld, call: Call, ids: Any) -> list[Any]:
    """moto's subnets with these ids; those that do not exist are left out."""
    backend = world.ec2.backend(call.region)
    return [s[id] for id in ids for s in backend.subnets.values() if id in s]


# IAM


def statements(text: Any) -> list[dict[str, Any]] | None:
    """The statements of a policy; None when it is no policy document."""
    try:
        parsed = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if not isinstance(parsed, dict):
        return None
    found = parsed.get("Statement")
    if found is None:
        return None
    rows = found if isinstance(found, list) else [found]
    return [r for r in rows if isinstance(r, dict)]


def _trust(call: Call, member: str) -> None:
    rows = statements(call.params[member])
    if rows is None:
        raise CloudError("MalformedPolicyDocument", call.operation, "This policy contains invalid Json")
    for one in rows:
        if not one.get("Principal") and not one.get("NotPrincipal"):
            raise CloudError("MalformedPolicyDocument", call.operation, "Missing required field Principal")
        if one.get("Resource") or one.get("NotResource"):
            raise CloudError("MalformedPolicyDocument", call.operation, "Has prohibited field Resource")


@rule("iam:CreateRole", "IAM User Guide, 'Role trust policies': a principal and no resource")
def trust_of_a_new_role(call: Call, world: AwsWorld) -> None:
    """A trust policy names principals and no resources."""
    _trust(call, "AssumeRolePolicyDocument")


@rule("iam:UpdateAssumeRolePolicy", "IAM User Guide, 'Role trust policies': a principal and no resource")
def trust_of_a_role(call: Call, world: AwsWorld) -> None:
    """A trust policy names principals and no resources."""
    _trust(call, "PolicyDocument")


POLICY_CHARACTERS = 6144


def _policy_size(call: Call, world: AwsWorld) -> None:
    """A managed policy has 6,144 characters at most, white space not counted."""
    size = len(re.sub(r"\s", "", str(call.params["PolicyDocument"])))
    if size > POLICY_CHARACTERS:
        raise CloudError(
            "LimitExceeded", call.operation, f"Cannot exceed quota for PolicySize: {POLICY_CHARACTERS}", 409
        )


rule("iam:CreatePolicy", "IAM User Guide, 'IAM and AWS STS quotas'")(_policy_size)
rule("iam:CreatePolicyVersion", "IAM User Guide, 'IAM and AWS STS quotas'")(_policy_size)


@rule("iam:CreateOpenIDConnectProvider", "IAM API reference, CreateOpenIDConnectProvider: Url begins with https://")
def provider_url(call: Call, world: AwsWorld) -> None:
    """An identity provider is reached over TLS."""
    if not str(call.params["Url"]).startswith("https://"):
        raise CloudError("ValidationError", call.operation, "Invalid Open ID Connect Provider URL")


@rule("iam:CreateServiceLinkedRole", "IAM API reference, CreateServiceLinkedRole: AWSServiceName")
def linked_service(call: Call, world: AwsWorld) -> None:
    """A service is named by its principal."""
    name = str(call.params["AWSServiceName"])
    if not re.match(r"^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$", name):
        raise CloudError("InvalidInput", call.operation, f"The service name {name} is not valid")


# KMS


@rule("kms:CreateKey", "KMS API reference, CreateKey: MalformedPolicyDocumentException")
def key_policy(call: Call, world: AwsWorld) -> None:
    """A key policy has statements."""
    text = call.params.get("Policy")
    if text is not None and statements(text) is None:
        raise CloudError(
            "MalformedPolicyDocumentException", call.operation, "The new key policy is not a valid policy document"
        )


# Load balancers

_BALANCER_NAME = re.compile(r"^(?!internal-)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$")


@rule("elbv2:CreateLoadBalancer", "ELB API reference, CreateLoadBalancer: Name, Subnets")
def balancer_form(call: Call, world: AwsWorld) -> None:
    """A load balancer has a name of letters, digits and hyphens, and lies in one subnet of each of its zones; an
    application load balancer in two zones at least."""
    name = str(call.params.get("Name") or "")
    if not _BALANCER_NAME.match(name):
        raise CloudError(
            "ValidationError",
            call.operation,
            f"The load balancer name '{name}' can only contain characters that are alphanumeric characters and "
            "hyphens(-)",
        )
    ids = list(call.params.get("Subnets") or ()) or [
        m["SubnetId"] for m in call.params.get("SubnetMappings") or () if m.get("SubnetId")
    ]
    found = _subnets(world, call, ids)
    if len(found) < len(ids):
        missing = sorted(set(ids) - {s.id for s in found})
        raise CloudError("SubnetNotFound", call.operation, f"The subnet ID '{missing[0]}' does not exist")
    zones = [s.availability_zone for s in found]
    if (call.params.get("Type") or "application") == "application" and len(set(zones)) < 2:
        if len(zones) > 1:
            raise CloudError(
                "InvalidConfigurationRequest",
                call.operation,
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
            )
        raise CloudError(
            "ValidationError",
            call.operation,
            "At least two subnets in two different Availability Zones must be specified",
        )
    if len(set(zones)) < len(zones):
        raise CloudError(
            "InvalidConfigurationRequest",
            call.operation,
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )


@rule("elbv2:CreateListener", "ELB API reference, CreateListener: DuplicateListener, Certificates")
def listener_form(call: Call, world: AwsWorld) -> None:
    """A port has one listener; one that seals has a certificate; protocols are those of the balancer's kind."""
    arn, port = call.params["LoadBalancerArn"], call.params.get("Port")
    balancer = moto_bridge.backend("elbv2", call.region).load_balancers.get(arn)
    if balancer is None:
        return  # moto says so
    if any(str(one.port) == str(port) for one in balancer.listeners.values()):
        raise CloudError(
            "DuplicateListener", call.operation, "A listener already exists on this port for this load balancer"
        )
    protocol = call.params.get("Protocol")
    allowed = {
        "application": ("HTTP", "HTTPS"),
        "network": ("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"),
    }.get(balancer.type)
    if allowed and protocol not in allowed:
        raise CloudError(
            "ValidationError", call.operation, f"Listener protocol '{protocol}' must be one of '{', '.join(allowed)}'"
        )
    if protocol in ("HTTPS", "TLS") and not call.params.get("Certificates"):
        raise CloudError("ValidationError", call.operation, f"A certificate must be specified for {protocol} listeners")


# EKS

_OLDEST, _NEWEST = (1, 28), (1, 36)
"""Kubernetes versions that EKS had, in standard or extended support, when botocore's model was made. Source: EKS User
Guide, "Kubernetes release calendar"; a newer one is taken for one that it will have."""


@rule("eks:CreateCluster", "EKS User Guide, 'VPC and subnet requirements'; 'Kubernetes versions'")
def cluster_form(call: Call, world: AwsWorld) -> None:
    """A cluster has a version that EKS offers and subnets in two zones at least."""
    version = call.params.get("version")
    if version:
        numbers = tuple(int(n) for n in str(version).split(".") if n.isdigit())
        if len(numbers) != 2 or numbers < _OLDEST or numbers[0] != 1:
            raise CloudError("InvalidParameterException", call.operation, f"unsupported Kubernetes version {version}")
    ids = (call.params.get("resourcesVpcConfig") or {}).get("subnetIds") or ()
    found = _subnets(world, call, ids)
    if len(found) < len(ids):
        missing = sorted(set(ids) - {s.id for s in found})
        raise CloudError("InvalidParameterException", call.operation, f"The subnet ID '{missing[0]}' does not exist")
    if len({s.availability_zone for s in found}) < 2:
        raise CloudError(
            "InvalidParameterException",
            call.operation,
            "Subnets specified must be in at least two different AZs",
        )


def _scaling(call: Call, world: AwsWorld) -> None:
    """A node group's desired size lies between its least and its most."""
    said = call.params.get("scalingConfig") or {}
    least, most, wanted = said.get("minSize"), said.get("maxSize"), said.get("desiredSize")
    if least is not None and most is not None and least > most:
        raise CloudError(
            "InvalidParameterException", call.operation, f"Minimum capacity {least} can't be greater than max {most}"
        )
    if wanted is not None and most is not None and wanted > most:
        raise CloudError(
            "InvalidParameterException",
            call.operation,
            f"desired capacity {wanted} can't be greater than max size {most}",
        )
    if wanted is not None and least is not None and wanted < least:
        raise CloudError(
            "InvalidParameterException",
            call.operation,
            f"Minimum capacity {least} can't be greater than desired {wanted}",
        )


rule("eks:CreateNodegroup", "EKS API reference, NodegroupScalingConfig")(_scaling)
rule("eks:UpdateNodegroupConfig", "EKS API reference, NodegroupScalingConfig")(_scaling)


# ECS

_FARGATE = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}
"""Memory in MiB for each CPU size. Source: ECS Developer Guide, "Task CPU and memory" of Fargate."""


def _mib(text: str) -> int:
    found = re.match(r"^([\d.]+)\s*GB$", text, re.I)
    return int(float(found.group(1)) * 1024) if found else int(text) if text.isdigit() else -1


def _units(text: str) -> int:
    found = re.match(r"^([\d.]+)\s*vCPU$", text, re.I)
    return int(float(found.group(1)) * 1024) if found else int(text) if text.isdigit() else -1


@rule("ecs:RegisterTaskDefinition", "ECS Developer Guide, 'Task CPU and memory' of Fargate; ClientException")
def fargate_form(call: Call, world: AwsWorld) -> None:
    """A task for Fargate has a size that Fargate has and a network of its own."""
    if "FARGATE" not in (call.params.get("requiresCompatibilities") or ()):
        return
    cpu, memory = call.params.get("cpu"), call.params.get("memory")
    if not cpu or not memory:
        raise CloudError(
            "ClientException",
            call.operation,
            "Fargate requires that 'cpu' and 'memory' be defined at the task level.",
        )
    if call.params.get("networkMode") != "awsvpc":
        raise CloudError("ClientException", call.operation, "Fargate only supports network mode 'awsvpc'.")
    if _mib(str(memory)) not in _FARGATE.get(_units(str(cpu)), ()):
        raise CloudError("ClientException", call.operation, "No Fargate configuration exists for given values.")


# SQS and SNS

_QUEUE_RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1048576),
    "MessageRetentionPeriod": (60, 1209600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43200),
    "KmsDataKeyReusePeriodSeconds": (60, 86400),
}
"""Source: SQS API reference, SetQueueAttributes."""


def _queue_attributes(call: Call, world: AwsWorld) -> None:
    """A queue's attributes are within their ranges."""
    for name, text in (call.params.get("Attributes") or {}).items():
        if name not in _QUEUE_RANGES or text == "":
            continue
        least, most = _QUEUE_RANGES[name]
        if not str(text).isdigit() or not least <= int(text) <= most:
            raise CloudError("InvalidAttributeValue", call.operation, f"Invalid value for the parameter {name}.")


rule("sqs:CreateQueue", "SQS API reference, CreateQueue: Attributes")(_queue_attributes)
rule("sqs:SetQueueAttributes", "SQS API reference, SetQueueAttributes: Attributes")(_queue_attributes)
_WAYS = frozenset({"http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"})


@rule("sns:Subscribe", "SNS API reference, Subscribe: Protocol")
def subscription_way(call: Call, world: AwsWorld) -> None:
    """A subscription goes one of the ways that SNS has."""
    way = call.params["Protocol"]
    if way not in _WAYS:
        raise CloudError(
            "InvalidParameter", call.operation, f"Invalid parameter: Does not support this protocol string: {way}"
        )


# Watching

_RETENTIONS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
"""Source: CloudWatch Logs API reference, PutRetentionPolicy."""


@rule("logs:PutRetentionPolicy", "CloudWatch Logs API reference, PutRetentionPolicy: retentionInDays")
def retention(call: Call, world: AwsWorld) -> None:
    """Logs are kept for one of the numbers of days that there are."""
    days = call.params["retentionInDays"]
    if days not in _RETENTIONS:
        raise CloudError(
            "InvalidParameterException",
            call.operation,
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: {sorted(_RETENTIONS)}",
        )


@rule("cloudwatch:PutMetricAlarm", "CloudWatch API reference, PutMetricAlarm: Period")
def alarm_period(call: Call, world: AwsWorld) -> None:
    """An alarm's period is 10, 20 or 30 seconds, or minutes."""
    period = call.params.get("Period")
    if period is not None and period not in (10, 20, 30) and (period < 60 or period % 60):
        raise CloudError("ValidationError", call.operation, "Period must be 10, 20, 30 or a multiple of 60.")


# Names

_NUMBERS = {"A": 4, "AAAA": 6}


@rule("route53:ChangeResourceRecordSets", "Route 53 API reference, ChangeResourceRecordSets: InvalidChangeBatch")
def record_form(call: Call, world: AwsWorld) -> None:
    """An address record holds addresses; there is no CNAME at the top of a zone; names lie in the zone."""
    zones = moto_bridge.backend("route53", "aws").zones
    zone = zones.get(str(call.params["HostedZoneId"]).removeprefix("/hostedzone/"))
    for change in (call.params.get("ChangeBatch") or {}).get("Changes") or ():
        one = change["ResourceRecordSet"]
        name, kind = str(one["Name"]).rstrip(".").lower(), one["Type"]
        top = str(zone.name).rstrip(".").lower() if zone is not None else None
        if top is not None and name != top and not name.endswith(f".{top}"):
            raise CloudError(
                "InvalidChangeBatch",
                call.operation,
                f"[RRSet with DNS name {name}. is not permitted in zone {top}.]",
            )
        if kind == "CNAME" and name == top:
            raise CloudError(
                "InvalidChangeBatch",
                call.operation,
                f"[RRSet of type CNAME with DNS name {name}. is not permitted at apex in zone {top}.]",
            )
        for record in one.get("ResourceRecords") or ():
            if kind in _NUMBERS and not _is_address(record["Value"], _NUMBERS[kind]):
                raise CloudError(
                    "InvalidChangeBatch",
                    call.operation,
                    f"[Invalid Resource Record: 'FATAL problem: {kind}RRDATAIllegalIPv{_NUMBERS[kind]}Address "
                    f"(Value is not a valid IPv{_NUMBERS[kind]} address) encountered with '{record['Value']}']",
                )


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


# Parameters and machines of states

_PARAMETER_CHARACTERS = {"Advanced": 8192}


@rule("ssm:PutParameter", "Systems Manager User Guide, 'Managing parameter tiers'")
def parameter_size(call: Call, world: AwsWorld) -> None:
    """A parameter's value fits its tier."""
    most = _PARAMETER_CHARACTERS.get(str(call.params.get("Tier")), 4096)
    if call.params.get("Tier") != "Intelligent-Tiering" and len(str(call.params["Value"])) > most:
        raise CloudError(
            "ValidationException",
            call.operation,
            f"Standard tier parameters support a maximum parameter value of {most} characters.",
        )


def _state_machine(call: Call, world: AwsWorld) -> None:
    """A state machine starts and goes on at states that it has."""
    text = call.params.get("definition")
    if text is None:
        return
    try:
        machine = json.loads(text)
    except ValueError:
        machine = None
    if not isinstance(machine, dict) or not isinstance(machine.get("States"), dict):
        raise CloudError(
            "InvalidDefinition", call.operation, "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION'"
        )
    states = machine["States"]
    places = [machine.get("StartAt"), *(s.get("Next") for s in states.values() if isinstance(s, dict) and "Next" in s)]
    for place in places:
        if place not in states:
            raise CloudError(
                "InvalidDefinition",
                call.operation,
                "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: " + f"{place}'",
            )


rule("stepfunctions:CreateStateMachine", "Amazon States Language; InvalidDefinition")(_state_machine)
rule("stepfunctions:UpdateStateMachine", "Amazon States Language; InvalidDefinition")(_state_machine)


# File systems and databases


@rule("efs:CreateFileSystem", "EFS API reference, CreateFileSystem: ProvisionedThroughputInMibps")
def provisioned_speed(call: Call, world: AwsWorld) -> None:
    """A file system of provisioned throughput says how much."""
    provisioned = call.params.get("ThroughputMode") == "provisioned"
    if provisioned and call.params.get("ProvisionedThroughputInMibps") is None:
        raise CloudError(
            "BadRequest", call.operation, "ProvisionedThroughputInMibps is required for ThroughputMode provisioned"
        )


_SPEEDS: dict[str, dict[str, tuple[int, ...]]] = {
    "PERSISTENT_1": {"SSD": (50, 100, 200), "HDD": (12, 40)},
    "PERSISTENT_2": {"SSD": (125, 250, 500, 1000)},
}
"""MB/s per TiB. Source: FSx API reference, CreateFileSystemLustreConfiguration, PerUnitStorageThroughput."""


@rule(
    "fsx:CreateFileSystem", "FSx API reference, CreateFileSystem: StorageCapacity; CreateFileSystemLustreConfiguration"
)
def lustre_form(call: Call, world: AwsWorld) -> None:
    """A Lustre file system has a size and a speed that its kind has."""
    if call.params.get("FileSystemType") != "LUSTRE":
        return
    said = call.params.get("LustreConfiguration") or {}
    kind, size = said.get("DeploymentType") or "SCRATCH_1", call.params.get("StorageCapacity")
    medium, speed = call.params.get("StorageType") or "SSD", said.get("PerUnitStorageThroughput")
    step = 3600 if kind == "SCRATCH_1" else 2400
    hdd = medium == "HDD"
    if size is not None and medium in ("SSD", "HDD"):
        unit = (6000 if speed == 12 else 1800) if hdd else step
        if size % unit and not (not hdd and size == 1200):
            raise CloudError(
                "BadRequest",
                call.operation,
                f"Invalid storage capacity for {kind}: {size} GiB; 1200, {step} and multiples of {step}",
            )
    speeds = _SPEEDS.get(kind, {}).get(medium)
    if speeds and speed not in speeds:
        raise CloudError(
            "BadRequest", call.operation, f"PerUnitStorageThroughput of {kind} with {medium} is one of {speeds}"
        )
    if kind.startswith("SCRATCH") and speed is not None:
        raise CloudError("BadRequest", call.operation, f"{kind} has no PerUnitStorageThroughput")


def _database_zones(call: Call, world: AwsWorld) -> None:
    """A database's subnets are in two zones at least."""
    found = _subnets(world, call, call.params.get("SubnetIds") or ())
    if len({s.availability_zone for s in found}) < 2:
        raise CloudError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            call.operation,
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(sorted({s.availability_zone for s in found}))}. Add subnets to cover at least 2 AZs.",
        )


rule("rds:CreateDBSubnetGroup", "RDS API reference, CreateDBSubnetGroup: DBSubnetGroupDoesNotCoverEnoughAZs")(
    _database_zones
)
rule("rds:ModifyDBSubnetGroup", "RDS API reference, ModifyDBSubnetGroup: DBSubnetGroupDoesNotCoverEnoughAZs")(
    _database_zones
)


@rule("rds:CreateDBInstance", "RDS API reference, CreateDBInstance: MasterUserPassword")
def database_password(call: Call, world: AwsWorld) -> None:
    """A password has 8 characters at least, and none that a URL would stumble over."""
    text = call.params.get("MasterUserPassword")
    if text is None:
        return
    if len(str(text)) < 8:
        raise CloudError(
            "InvalidParameterValue",
            call.operation,
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.",
        )
    if any(c in str(text) for c in '/@" '):
        raise CloudError(
            "InvalidParameterValue",
            call.operation,
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', "
            "'@', '\"', ' ' may be used.",
        )
