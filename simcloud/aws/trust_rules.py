"""Services that look, when they are given a role, whether it lets them take it. moto looks at none.

Those that find out only when they use the role (EC2's instance profiles, ECS tasks, flow logs) accept any here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simcloud.aws import moto_bridge
from simcloud.aws.calls import Call
from simcloud.aws.rules import rule
from simcloud.aws.service_rules import statements
from simcloud.provider.model import CloudError

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld


def _trusts(arn: str, service: str) -> bool | None:
    """Whether a role lets a service take it; None when there is no such role."""
    role = next((r for r in moto_bridge.backend("iam", "aws").roles.values() if r.arn == arn), None)
    if role is None:
        return None
    rows = statements(role.assume_role_policy_document) or []
    services = [s for one in rows if one.get("Effect") == "Allow" for s in _services(one.get("Principal"))]
    return service in services or "*" in services


def _services(principal: Any) -> list[str]:
    if principal == "*":
        return ["*"]
    found = principal.get("Service") or [] if isinstance(principal, dict) else []
    return [found] if isinstance(found, str) else list(found)


@rule("lambda:CreateFunction", "Lambda API reference, CreateFunction: InvalidParameterValueException")
def role_of_a_function(call: Call, world: AwsWorld) -> None:
    """A function's role, where it is there (moto says so where it is not), lets Lambda take it."""
    if _trusts(call.params["Role"], "lambda.amazonaws.com") is False:
        raise CloudError(
            "InvalidParameterValueException",
            call.operation,
            "The role defined for the function cannot be assumed by Lambda.",
        )


@rule("eks:CreateCluster", "EKS User Guide, 'Amazon EKS cluster IAM role'; CreateCluster, InvalidParameterException")
def role_of_a_cluster(call: Call, world: AwsWorld) -> None:
    """A cluster's role is there and lets EKS take it."""
    arn = call.params["roleArn"]
    if not _trusts(arn, "eks.amazonaws.com"):
        raise CloudError(
            "InvalidParameterException",
            call.operation,
            f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not "
            "correct",
        )


@rule("eks:CreateNodegroup", "EKS User Guide, 'Amazon EKS node IAM role'; CreateNodegroup, InvalidParameterException")
def role_of_nodes(call: Call, world: AwsWorld) -> None:
    """The role of a group of nodes lets EC2 take it."""
    if _trusts(call.params["nodeRole"], "ec2.amazonaws.com") is False:
        raise CloudError(
            "InvalidParameterException",
            call.operation,
            "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of "
            f"nodeRole {call.params['nodeRole']}",
        )


@rule("eks:CreateFargateProfile", "EKS User Guide, 'Amazon EKS Pod execution IAM role'")
def role_of_pods(call: Call, world: AwsWorld) -> None:
    """The role with which pods run on Fargate lets EKS's Fargate take it."""
    if _trusts(call.params["podExecutionRoleArn"], "eks-fargate-pods.amazonaws.com") is False:
        raise CloudError(
            "InvalidParameterException",
            call.operation,
            "Misconfigured PodExecutionRole Trust Policy; Please add the eks-fargate-pods.amazonaws.com Service "
            "Principal",
        )


@rule("stepfunctions:CreateStateMachine", "Step Functions Developer Guide, 'Creating an IAM role for a state machine'")
def role_of_a_state_machine(call: Call, world: AwsWorld) -> None:
    """A state machine's role lets Step Functions take it."""
    arn = call.params["roleArn"]
    if _trusts(arn, "states.amazonaws.com") is False:
        raise CloudError(
            "AccessDeniedException",
            call.operation,
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume "
            f"the provided role: {arn}.",
        )
