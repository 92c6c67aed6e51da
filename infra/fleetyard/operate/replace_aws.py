"""On AWS: the instance is marked unhealthy in its Auto Scaling group, which ends it and starts another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fleetyard.findings import Exit, error
from fleetyard.report.members_aws import DENIED

if TYPE_CHECKING:
    from fleetyard.outputs import StackOutputs
    from fleetyard.report.members import Member


def give_back(outputs: StackOutputs, member: Member, env: Mapping[str, str]) -> str:
    """Mark it unhealthy at once, whatever its grace period. Raises FleetyardError FY3212."""
    del env  # boto3 takes the process' own
    wait = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 3, "mode": "standard"})
    client = boto3.Session(region_name=outputs.region).client("autoscaling", config=wait)
    try:
        client.set_instance_health(InstanceId=member.key, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False)
    except ClientError as refused:
        code, text = refused.response["Error"]["Code"], refused.response["Error"]["Message"]
        status = Exit.PERMISSION if code in DENIED else Exit.REFUSED
        fix = "whoever operates needs autoscaling:SetInstanceHealth on the stack's groups"
        raise error("FY3212", f"aws {refused.operation_name}", f"{code}: {text}", fix, status) from None
    except BotoCoreError as silent:
        raise error("FY3212", "aws", f"does not answer: {silent}", "run this again", Exit.REFUSED) from None
    return "autoscaling SetInstanceHealth Unhealthy"
