"""What an Auto Scaling group has besides its machines: policies, schedules, hooks, target groups.

They are kept and shown; nothing scales by itself, since nothing here has a load. Source: Amazon EC2 Auto Scaling API
reference and service model.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from simcloud.aws import moto_bridge
from simcloud.aws.calls import Call
from simcloud.aws.served import Row, served
from simcloud.provider.model import CloudError
from simcloud.wire import Moment

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld


def _group(world: AwsWorld, call: Call) -> str:
    name = str(call.params["AutoScalingGroupName"])
    if name not in world.autoscaling.groups.get(call.region, {}):
        raise CloudError("ValidationError", call.operation, f"Group {name} not found")
    return name


def _arn(call: Call, kind: str, tail: str, moment: Moment) -> str:
    id = uuid.UUID(int=moment.chance.getrandbits(128), version=4)
    return f"arn:aws:autoscaling:{call.region}:{moto_bridge.ACCOUNT}:{kind}:{id}:{tail}"


@served("autoscaling:PutScalingPolicy")
def _put_policy(world: AwsWorld, call: Call, moment: Moment) -> Row:
    group, p = _group(world, call), call.params
    kind = p.get("PolicyType") or "SimpleScaling"
    if kind == "SimpleScaling" and (p.get("AdjustmentType") is None or p.get("ScalingAdjustment") is None):
        missing = "AdjustmentType" if p.get("AdjustmentType") is None else "ScalingAdjustment"
        raise CloudError(
            "ValidationError", call.operation, f"You must specify {missing} for policy type: SimpleScaling"
        )
    if kind == "StepScaling" and not p.get("StepAdjustments"):
        raise CloudError(
            "ValidationError",
            call.operation,
            "At least one StepAdjustment must be specified for policy type: StepScaling",
        )
    if kind == "TargetTrackingScaling" and not p.get("TargetTrackingConfiguration"):
        raise CloudError(
            "ValidationError",
            call.operation,
            "TargetTrackingConfiguration is required for policy type: TargetTrackingScaling",
        )
    rows = world.shelves.of("scaling policy", call.region)
    before = rows.get((group, p["PolicyName"]))
    tail = f"autoScalingGroupName/{group}:policyName/{p['PolicyName']}"
    arn = before["PolicyARN"] if before else _arn(call, "scalingPolicy", tail, moment)
    rows[group, p["PolicyName"]] = {"Enabled": True, **p, "PolicyType": kind, "PolicyARN": arn, "Alarms": []}
    return {"PolicyARN": arn, "Alarms": []}


@served("autoscaling:DescribePolicies")
def _describe_policies(world: AwsWorld, call: Call, moment: Moment) -> Row:
    p = call.params
    rows = [
        row
        for (group, name), row in world.shelves.of("scaling policy", call.region).items()
        if p.get("AutoScalingGroupName") in (None, group)
        and (not p.get("PolicyNames") or name in p["PolicyNames"] or row["PolicyARN"] in p["PolicyNames"])
    ]
    return {"ScalingPolicies": rows}


@served("autoscaling:DeletePolicy")
def _delete_policy(world: AwsWorld, call: Call, moment: Moment) -> Row:
    rows = world.shelves.of("scaling policy", call.region)
    if rows.pop((call.params.get("AutoScalingGroupName"), call.params["PolicyName"]), None) is None:
        raise CloudError("ValidationError", call.operation, f"PolicyName {call.params['PolicyName']} not found")
    return {}


@served("autoscaling:PutScheduledUpdateGroupAction")
def _put_schedule(world: AwsWorld, call: Call, moment: Moment) -> Row:
    group, p = _group(world, call), call.params
    if all(p.get(n) is None for n in ("MinSize", "MaxSize", "DesiredCapacity")):
        raise CloudError(
            "ValidationError", call.operation, "At least one of MinSize, MaxSize or DesiredCapacity must be specified"
        )
    rows = world.shelves.of("scheduled action", call.region)
    name = p["ScheduledActionName"]
    before = rows.get((group, name))
    tail = f"autoScalingGroupName/{group}:scheduledActionName/{name}"
    arn = before["ScheduledActionARN"] if before else _arn(call, "scheduledUpdateGroupAction", tail, moment)
    rows[group, name] = {**p, "ScheduledActionARN": arn}
    return {}


@served("autoscaling:DescribeScheduledActions")
def _describe_schedules(world: AwsWorld, call: Call, moment: Moment) -> Row:
    p = call.params
    rows = [
        row
        for (group, name), row in world.shelves.of("scheduled action", call.region).items()
        if p.get("AutoScalingGroupName") in (None, group)
        and (not p.get("ScheduledActionNames") or name in p["ScheduledActionNames"])
    ]
    return {"ScheduledUpdateGroupActions": rows}


@served("autoscaling:DeleteScheduledAction")
def _delete_schedule(world: AwsWorld, call: Call, moment: Moment) -> Row:
    key = (call.params["AutoScalingGroupName"], call.params["ScheduledActionName"])
    if world.shelves.of("scheduled action", call.region).pop(key, None) is None:
        raise CloudError("ValidationError", call.operation, f"Scheduled action {key[1]} not found")
    return {}


@served("autoscaling:PutLifecycleHook")
def _put_hook(world: AwsWorld, call: Call, moment: Moment) -> Row:
    group, p = _group(world, call), call.params
    rows = world.shelves.of("lifecycle hook", call.region)
    before = rows.get((group, p["LifecycleHookName"])) or {}
    if not before and not p.get("LifecycleTransition"):
        raise CloudError("ValidationError", call.operation, "LifecycleTransition is required for a new lifecycle hook")
    defaults = {"HeartbeatTimeout": 3600, "GlobalTimeout": 172800, "DefaultResult": "ABANDON"}
    rows[group, p["LifecycleHookName"]] = {**defaults, **before, **p}
    return {}


@served("autoscaling:DescribeLifecycleHooks")
def _describe_hooks(world: AwsWorld, call: Call, moment: Moment) -> Row:
    group, p = _group(world, call), call.params
    rows = [
        row
        for (own, name), row in world.shelves.of("lifecycle hook", call.region).items()
        if own == group and (not p.get("LifecycleHookNames") or name in p["LifecycleHookNames"])
    ]
    return {"LifecycleHooks": rows}


@served("autoscaling:DeleteLifecycleHook")
def _delete_hook(world: AwsWorld, call: Call, moment: Moment) -> Row:
    key = (_group(world, call), call.params["LifecycleHookName"])
    if world.shelves.of("lifecycle hook", call.region).pop(key, None) is None:
        raise CloudError("ValidationError", call.operation, f"No Lifecycle Hook found with name {key[1]}")
    return {}


@served("autoscaling:AttachLoadBalancerTargetGroups")
def _attach_targets(world: AwsWorld, call: Call, moment: Moment) -> Row:
    group = _group(world, call)
    known = moto_bridge.backend("elbv2", call.region).target_groups
    held: list[Any] = world.shelves.of("group targets", call.region).setdefault(group, {"arns": []})["arns"]
    for arn in call.params["TargetGroupARNs"]:
        if arn not in known:
            raise CloudError(
                "ValidationError",
                call.operation,
                "Provided Target Groups may not be valid. Please ensure they exist and try again.",
            )
        if arn not in held:
            held.append(arn)
    return {}


@served("autoscaling:DetachLoadBalancerTargetGroups")
def _detach_targets(world: AwsWorld, call: Call, moment: Moment) -> Row:
    held = world.shelves.of("group targets", call.region).get(_group(world, call), {"arns": []})["arns"]
    for arn in call.params["TargetGroupARNs"]:
        if arn in held:
            held.remove(arn)
    return {}


@served("autoscaling:DescribeLoadBalancerTargetGroups")
def _describe_targets(world: AwsWorld, call: Call, moment: Moment) -> Row:
    held = world.shelves.of("group targets", call.region).get(_group(world, call), {"arns": []})["arns"]
    return {"LoadBalancerTargetGroups": [{"LoadBalancerTargetGroupARN": a, "State": "InService"} for a in held]}
