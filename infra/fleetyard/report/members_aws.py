"""Live members on AWS: instances of the Auto Scaling groups that the export names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from fleetyard.findings import Exit, error
from fleetyard.report.members import Member

if TYPE_CHECKING:
    from fleetyard.outputs import StackOutputs

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "InvalidClientTokenId"}
PER_CALL = 100


def find(outputs: StackOutputs, env: Mapping[str, str]) -> Sequence[Member]:
    """The instances of every pool. Raises FleetyardError (77 without permission, 69 when AWS does not answer)."""
    wait = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 3, "mode": "standard"})
    session = boto3.Session(region_name=outputs.region)
    try:
        return _find(outputs, session.client("autoscaling", config=wait), session.client("ec2", config=wait))
    except NoCredentialsError:
        raise error("FY1911", "credentials", "there are none for AWS", "sign in, or `fleetyard sim env`", 77) from None
    except ClientError as refused:
        code, text = refused.response["Error"]["Code"], refused.response["Error"]["Message"]
        status = Exit.PERMISSION if code in DENIED else Exit.REFUSED
        raise error("FY1912", f"aws {refused.operation_name}", f"{code}: {text}", exit_code=status) from None
    except BotoCoreError as silent:
        raise error("FY1913", "aws", f"does not answer: {silent}", "is it running?", Exit.REFUSED) from None


def _find(outputs: StackOutputs, autoscaling: Any, ec2: Any) -> list[Member]:
    pool_of = {group: name for name, pool in outputs.pools.items() for group in pool.groups.values()}
    listed = {}
    for page in autoscaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=list(pool_of)):
        for group in page["AutoScalingGroups"]:
            listed.update({row["InstanceId"]: (group["AutoScalingGroupName"], row) for row in group["Instances"]})
    details = {}
    ids = sorted(listed)
    for start in range(0, len(ids), PER_CALL):
        reply = ec2.describe_instances(InstanceIds=ids[start : start + PER_CALL])
        for reservation in reply["Reservations"]:
            details.update({instance["InstanceId"]: instance for instance in reservation["Instances"]})
    # By its subnet: AWS says letters here, which differ between accounts.
    zone_of = {subnet.id: subnet.zone for subnet in outputs.network.subnets.values() if subnet.zone}
    return [
        Member(
            pool=pool_of[group],
            name=name,
            state=_state(row, details.get(name)),
            zone=zone_of.get(details.get(name, {}).get("SubnetId", ""), row["AvailabilityZone"]),
            address=details.get(name, {}).get("PrivateIpAddress"),
            machine=row.get("InstanceType") or details.get(name, {}).get("InstanceType", ""),
            key=name,
            host_name=details.get(name, {}).get("PrivateDnsName", "").partition(".")[0],
        )
        for name, (group, row) in sorted(listed.items(), key=lambda item: (pool_of[item[1][0]], item[0]))
    ]


def _state(row: Mapping[str, Any], instance: Mapping[str, Any] | None) -> str:
    """The instance's state; where the group is not content with it, the group's word too."""
    state = instance["State"]["Name"] if instance else "unknown"
    fine = row["LifecycleState"] == "InService" and row["HealthStatus"].lower() == "healthy"
    return str(state) if fine else f"{state} ({row['LifecycleState']}, {row['HealthStatus']})"
