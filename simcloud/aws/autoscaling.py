"""EC2 Auto Scaling, ours: groups, their members, scaling activities, instance refreshes.

moto's groups launch everything in the first subnet, at once, and know no failed activity, no interface list and no
instance refresh. This one launches through `Ec2.launch`, spreads over its subnets, fails activities and tries again,
and
replaces members in batches. Sources: Amazon EC2 Auto Scaling API reference; user guide pages "Instance distribution",
"Termination policies", "Instance refresh", "Troubleshoot".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simcloud.aws import moto_bridge
from simcloud.aws.ec2 import Ec2
from simcloud.aws.lives import life_of
from simcloud.provider.model import CloudError
from simcloud.wire import Moment

FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 300.0
PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)


@dataclass(slots=True)
class Member:
    """One instance of a group."""

    id: str
    zone: str
    subnet: str
    type: str
    template: dict[str, str]
    launched: datetime
    protected: bool = False
    health: str = "Healthy"


@dataclass(slots=True)
class Refresh:
    """One instance refresh."""

    id: str
    status: str
    started: datetime
    preferences: dict[str, Any]
    to_replace: list[str]
    total: int
    ended: datetime | None = None
    reason: str = ""

    @property
    def done_percent(self) -> int:
        """How much of it is done."""
        return 100 if not self.total else 100 * (self.total - len(self.to_replace)) // self.total


@dataclass(slots=True)
class Group:
    """One Auto Scaling group. `spec` holds what the API shows as it was given."""

    name: str
    arn: str
    region: str
    created: datetime
    spec: dict[str, Any]
    subnets: list[str]
    zones: list[str]
    least: int
    most: int
    desired: int
    tags: dict[str, tuple[str, bool]]
    members: list[Member] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    refreshes: list[Refresh] = field(default_factory=list)
    suspended: set[str] = field(default_factory=set)
    metrics: set[str] = field(default_factory=set)
    retry_at: datetime | None = None
    retry_s: float = FIRST_RETRY_S


class AutoScaling:
    """The service in all regions."""

    def __init__(self, ec2: Ec2) -> None:
        self._ec2 = ec2
        self.groups: dict[str, dict[str, Group]] = {}
        self._now = datetime(2000, 1, 1)
        self.operations: Mapping[str, Callable[[str, Mapping[str, Any], Moment], dict[str, Any]]] = {
            "CreateAutoScalingGroup": self.create,
            "UpdateAutoScalingGroup": self.update,
            "DeleteAutoScalingGroup": self.delete,
            "DescribeAutoScalingGroups": self.describe,
            "DescribeAutoScalingInstances": self.describe_instances,
            "DescribeScalingActivities": self.describe_activities,
            "SetDesiredCapacity": self.set_desired,
            "CreateOrUpdateTags": self.tag,
            "DeleteTags": self.untag,
            "DescribeTags": self.describe_tags,
            "StartInstanceRefresh": self.start_refresh,
            "DescribeInstanceRefreshes": self.describe_refreshes,
            "CancelInstanceRefresh": self.cancel_refresh,
            "TerminateInstanceInAutoScalingGroup": self.terminate_member,
            "SetInstanceHealth": self.set_health,
            "SetInstanceProtection": self.set_protection,
            "SuspendProcesses": self.suspend,
            "ResumeProcesses": self.resume,
            "EnableMetricsCollection": self.enable_metrics,
            "DisableMetricsCollection": self.disable_metrics,
        }

    # Groups

    def create(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        operation, name = "CreateAutoScalingGroup", p["AutoScalingGroupName"]
        here = self.groups.setdefault(region, {})
        if name in here:
            raise CloudError(
                "AlreadyExists",
                operation,
                "AutoScalingGroup by this name already exists - A group with the name " + name + " already exists",
            )
        desired = p["MinSize"] if p.get("DesiredCapacity") is None else p["DesiredCapacity"]
        _sizes(operation, p["MinSize"], p["MaxSize"], desired)
        subnets, zones = self._where(region, p, operation)
        spec = {k: v for k, v in p.items() if k not in _NOT_SHOWN}
        self._check_template(region, spec, subnets, operation)
        identity = str(_uuid(moment))
        owner = f"arn:aws:autoscaling:{region}:{moto_bridge.ACCOUNT}"
        arn = f"{owner}:autoScalingGroup:{identity}:autoScalingGroupName/{name}"
        here[name] = Group(
            name,
            arn,
            region,
            moment.now,
            spec,
            subnets,
            zones,
            p["MinSize"],
            p["MaxSize"],
            desired,
            {t["Key"]: (t.get("Value", ""), bool(t.get("PropagateAtLaunch"))) for t in p.get("Tags") or ()},
        )
        return {}

    def update(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        operation = "UpdateAutoScalingGroup"
        group = self._group(region, p["AutoScalingGroupName"], operation)
        least = group.least if p.get("MinSize") is None else p["MinSize"]
        most = group.most if p.get("MaxSize") is None else p["MaxSize"]
        desired = p.get("DesiredCapacity")
        if desired is None:
            desired = min(max(group.desired, least), most)
        _sizes(operation, least, most, desired)
        spec = group.spec | {k: v for k, v in p.items() if k not in _NOT_SHOWN}
        if p.get("LaunchTemplate"):
            spec.pop("MixedInstancesPolicy", None)
        if p.get("MixedInstancesPolicy"):
            spec.pop("LaunchTemplate", None)
        subnets, zones = group.subnets, group.zones
        if p.get("VPCZoneIdentifier") or p.get("AvailabilityZones"):
            subnets, zones = self._where(region, p, operation)
        self._check_template(region, spec, subnets, operation)
        group.spec, group.subnets, group.zones = spec, subnets, zones
        group.least, group.most, group.desired = least, most, desired
        self._try_again(group)
        return {}

    def delete(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        operation = "DeleteAutoScalingGroup"
        group = self._group(region, p["AutoScalingGroupName"], operation)
        if group.members and not p.get("ForceDelete"):
            raise CloudError(
                "ResourceInUse",
                operation,
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance "
                "request(s) still "
                "in the group.",
            )
        self._terminate(group, [m.id for m in group.members], moment, "the group is being deleted")
        del self.groups[region][group.name]
        return {}

    def describe(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        names = p.get("AutoScalingGroupNames") or []
        here = self.groups.get(region, {})
        wanted = [g for g in here.values() if not names or g.name in names]
        wanted = [g for g in wanted if _passes(g, p.get("Filters"))]
        return {"AutoScalingGroups": [self._shown(g) for g in wanted]}

    def set_desired(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        operation = "SetDesiredCapacity"
        group = self._group(region, p["AutoScalingGroupName"], operation)
        _sizes(operation, group.least, group.most, p["DesiredCapacity"])
        group.desired = p["DesiredCapacity"]
        self._try_again(group)
        return {}

    # Members

    def describe_instances(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        ids = p.get("InstanceIds") or []
        return {
            "AutoScalingInstances": [
                {**self._member(m), "AutoScalingGroupName": g.name}
                for g in self.groups.get(region, {}).values()
                for m in g.members
                if not ids or m.id in ids
            ]
        }

    def terminate_member(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        group = self._of_member(region, p["InstanceId"], "TerminateInstanceInAutoScalingGroup")
        if p.get("ShouldDecrementDesiredCapacity"):
            if group.desired - 1 < group.least:
                raise CloudError(
                    "ValidationError",
                    "TerminateInstanceInAutoScalingGroup",
                    "Currently, desiredSize equals minSize. Terminating instance without replacement will "
                    "violate group's "
                    "min size constraint.",
                )
            group.desired -= 1
        self._terminate(group, [p["InstanceId"]], moment, "a user asked for it")
        return {"Activity": group.activities[-1]}

    def set_health(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        group = self._of_member(region, p["InstanceId"], "SetInstanceHealth")
        for member in group.members:
            if member.id == p["InstanceId"]:
                member.health = p["HealthStatus"]
        return {}

    def set_protection(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        group = self._group(region, p["AutoScalingGroupName"], "SetInstanceProtection")
        for member in group.members:
            if member.id in p["InstanceIds"]:
                member.protected = p["ProtectedFromScaleIn"]
        return {}

    def describe_activities(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        name = p.get("AutoScalingGroupName")
        found = [
            a for g in self.groups.get(region, {}).values() if name in (None, g.name) for a in reversed(g.activities)
        ]
        return {"Activities": found[: p.get("MaxRecords") or 100]}

    # Tags, processes, metrics

    def tag(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        for one in p["Tags"]:
            group = self._group(region, one.get("ResourceId", ""), "CreateOrUpdateTags")
            group.tags[one["Key"]] = (one.get("Value", ""), bool(one.get("PropagateAtLaunch")))
        return {}

    def untag(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        for one in p["Tags"]:
            self._group(region, one.get("ResourceId", ""), "DeleteTags").tags.pop(one["Key"], None)
        return {}

    def describe_tags(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        wanted = {f["Name"]: f["Values"] for f in p.get("Filters") or ()}
        rows = [t for g in self.groups.get(region, {}).values() for t in _tags(g)]
        fields = {"auto-scaling-group": "ResourceId", "key": "Key", "value": "Value"}
        return {"Tags": [r for r in rows if all(r[fields[n]] in v for n, v in wanted.items() if n in fields)]}

    def suspend(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        group = self._group(region, p["AutoScalingGroupName"], "SuspendProcesses")
        group.suspended |= set(p.get("ScalingProcesses") or PROCESSES)
        return {}

    def resume(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        group = self._group(region, p["AutoScalingGroupName"], "ResumeProcesses")
        group.suspended -= set(p.get("ScalingProcesses") or PROCESSES)
        return {}

    def enable_metrics(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        self._group(region, p["AutoScalingGroupName"], "EnableMetricsCollection").metrics |= set(p.get("Metrics") or ())
        return {}

    def disable_metrics(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        group = self._group(region, p["AutoScalingGroupName"], "DisableMetricsCollection")
        group.metrics -= set(p.get("Metrics") or group.metrics)
        return {}

    # Instance refresh

    def start_refresh(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        operation = "StartInstanceRefresh"
        group = self._group(region, p["AutoScalingGroupName"], operation)
        if any(r.status in ("Pending", "InProgress") for r in group.refreshes):
            raise CloudError(
                "InstanceRefreshInProgress",
                operation,
                "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
            )
        preferences = dict(p.get("Preferences") or {})
        template = self._wanted_template(group)
        stale = [
            m.id
            for m in group.members
            if not (preferences.get("SkipMatching") and m.template.get("Version") == template.get("Version"))
        ]
        refresh = Refresh(str(_uuid(moment)), "InProgress", moment.now, preferences, stale, len(stale))
        group.refreshes.append(refresh)
        return {"InstanceRefreshId": refresh.id}

    def describe_refreshes(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        group = self._group(region, p["AutoScalingGroupName"], "DescribeInstanceRefreshes")
        ids = p.get("InstanceRefreshIds") or []
        return {
            "InstanceRefreshes": [
                {
                    "InstanceRefreshId": r.id,
                    "AutoScalingGroupName": group.name,
                    "Status": r.status,
                    "StatusReason": r.reason or None,
                    "StartTime": r.started,
                    "EndTime": r.ended,
                    "PercentageComplete": r.done_percent,
                    "InstancesToUpdate": len(r.to_replace),
                    "Preferences": r.preferences,
                }
                for r in reversed(group.refreshes)
                if not ids or r.id in ids
            ]
        }

    def cancel_refresh(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        operation = "CancelInstanceRefresh"
        group = self._group(region, p["AutoScalingGroupName"], operation)
        running = next((r for r in group.refreshes if r.status in ("Pending", "InProgress")), None)
        if running is None:
            raise CloudError(
                "ActiveInstanceRefreshNotFound",
                operation,
                "No in progress or pending Instance Refresh found for the group",
            )
        running.status, running.ended, running.reason = "Cancelled", moment.now, "Cancelled by user"
        return {"InstanceRefreshId": running.id}

    # What the service does by itself

    def pending(self, now: datetime) -> bool:
        """Whether any group has something to do by now."""
        return any(self._has_work(g, now) for here in self.groups.values() for g in here.values())

    def tick(self, moment: Moment) -> None:
        """One step of every group: health, then size, then refresh."""
        for here in list(self.groups.values()):
            for group in list(here.values()):
                self._check_health(group, moment)
                self._resize(group, moment)
                self._refresh(group, moment)

    def _has_work(self, group: Group, now: datetime) -> bool:
        if any(r.status == "InProgress" for r in group.refreshes):
            return True
        if not {"HealthCheck", "ReplaceUnhealthy"} & group.suspended and self._unwell(group, now):
            return True
        if len(group.members) > group.desired:
            return "Terminate" not in group.suspended
        due = group.retry_at is None or now >= group.retry_at
        return len(group.members) < group.desired and due and "Launch" not in group.suspended

    def _unwell(self, group: Group, now: datetime) -> list[tuple[Member, str]]:
        instances = {i.id: i for i in self._ec2.backend(group.region).all_instances()}
        grace = timedelta(seconds=group.spec.get("HealthCheckGracePeriod") or 0)
        found = []
        for member in group.members:
            instance = instances.get(member.id)
            state = "terminated" if instance is None else instance.state
            life = None if instance is None else life_of(instance)
            # Hardware that failed is gone, however young the member is; a network may still be coming up.
            if life is not None and life.fails(now) and (life.dead or now >= member.launched + grace):
                found.append((member, "EC2 instance status checks failure"))
            elif state != "running":
                found.append((member, f"an EC2 health check indicating it has been {state}"))
            elif member.health == "Unhealthy":
                found.append((member, "a user health-check"))
        return found

    def _check_health(self, group: Group, moment: Moment) -> None:
        if "HealthCheck" in group.suspended or "ReplaceUnhealthy" in group.suspended:
            return
        for member, why in self._unwell(group, moment.now):
            self._terminate(group, [member.id], moment, f"an instance was taken out of service in response to {why}")

    def _resize(self, group: Group, moment: Moment) -> None:
        surplus = len(group.members) - group.desired
        if surplus > 0 and "Terminate" not in group.suspended:
            leaving = self._leaving(group, surplus)
            self._terminate(group, leaving, moment, f"the desired capacity shrank to {group.desired}")
        missing = group.desired - len(group.members)
        due = group.retry_at is None or moment.now >= group.retry_at
        if missing > 0 and due and "Launch" not in group.suspended:
            self._grow(group, missing, moment)

    def _grow(self, group: Group, missing: int, moment: Moment) -> None:
        failed = False
        for subnet, count in self._spread(group, missing):
            # One activity an instance, as the service has it; launched together, as it does for a burst.
            try:
                self._launch(group, subnet, count, moment)
            except CloudError as error:
                failed = True
                self._note(
                    group,
                    moment,
                    "Launching a new EC2 instance",
                    "Failed",
                    f"{error.message} Launching EC2 instance failed.",
                    cause="capacity is short",
                    code=error.code,
                )
        if failed:
            group.retry_at = moment.now + timedelta(seconds=group.retry_s)
            group.retry_s = min(group.retry_s * 2, LONGEST_RETRY_S)
        else:
            self._try_again(group)

    def _try_again(self, group: Group) -> None:
        group.retry_at, group.retry_s = None, FIRST_RETRY_S

    def capacity_returned(self) -> None:
        """Somebody changed capacity or quota: every group tries again at once."""
        for here in self.groups.values():
            for group in here.values():
                self._try_again(group)

    def _spread(self, group: Group, missing: int) -> list[tuple[str, int]]:
        """How many to launch in each subnet, so that the zones come out even."""
        held = {s: sum(1 for m in group.members if m.subnet == s) for s in group.subnets}
        wanted = dict.fromkeys(group.subnets, 0)
        for _ in range(missing):
            least = min(group.subnets, key=lambda s: (held[s] + wanted[s], group.subnets.index(s)))
            wanted[least] += 1
        return [(s, n) for s, n in wanted.items() if n]

    def _launch(self, group: Group, subnet: str, count: int, moment: Moment) -> None:
        template = self._wanted_template(group)
        spec = self._spec_of(group.region, group.spec, "RunInstances")
        if group.spec.get("PlacementGroup"):
            spec["Placement"] = {**(spec.get("Placement") or {}), "GroupName": group.spec["PlacementGroup"]}
        tags = {k: v for k, (v, propagate) in group.tags.items() if propagate}
        tags["aws:autoscaling:groupName"] = group.name
        for name in ("LaunchTemplateId", "Version"):
            if template.get(name):
                tags[f"aws:ec2launchtemplate:{'id' if name == 'LaunchTemplateId' else 'version'}"] = template[name]
        spec.pop("SubnetId", None)
        zone = self._zone(group.region, subnet)
        for id in self._ec2.launch(group.region, spec, subnet, count, moment, tags):
            group.members.append(
                Member(
                    id,
                    zone,
                    subnet,
                    spec["InstanceType"],
                    template,
                    moment.now,
                    bool(group.spec.get("NewInstancesProtectedFromScaleIn")),
                )
            )
            self._note(
                group,
                moment,
                f"Launching a new EC2 instance: {id}",
                "Successful",
                "",
                cause="the group's capacity was below the desired one",
            )

    def _leaving(self, group: Group, surplus: int) -> list[str]:
        """The default termination policy: the zone with most members first, then the oldest launch template."""
        left = [m for m in group.members if not m.protected]
        chosen: list[str] = []
        for _ in range(min(surplus, len(left))):
            sizes = {s: sum(1 for m in left if m.subnet == s) for s in {m.subnet for m in left}}
            fullest = max(sizes.values())
            candidates = [m for m in left if sizes[m.subnet] == fullest]
            goes = min(candidates, key=lambda m: (int(m.template.get("Version") or 0), m.launched, m.id))
            chosen.append(goes.id)
            left.remove(goes)
        return chosen

    def _terminate(self, group: Group, ids: list[str], moment: Moment, why: str) -> None:
        if not ids:
            return
        backend = self._ec2.backend(group.region)
        living = {i.id for i in backend.all_instances() if i.state not in ("terminated",)}
        gone = [i for i in ids if i in living]
        if gone:
            backend.terminate_instances(gone)
        group.members = [m for m in group.members if m.id not in ids]
        for id in ids:
            self._note(group, moment, f"Terminating EC2 instance: {id}", "Successful", "", cause=why)

    def _refresh(self, group: Group, moment: Moment) -> None:
        running = next((r for r in group.refreshes if r.status == "InProgress"), None)
        if running is None:
            return
        present = {m.id for m in group.members}
        running.to_replace = [i for i in running.to_replace if i in present]
        if not running.to_replace:
            running.status, running.ended = "Successful", moment.now
            return
        if len(group.members) < group.desired:
            return  # the last batch is still being replaced
        least = running.preferences.get("MinHealthyPercentage", 90)
        batch = max(1, math.floor(group.desired * (100 - least) / 100))
        leaving = running.to_replace[:batch]
        self._terminate(group, leaving, moment, f"instance refresh {running.id}")
        running.to_replace = running.to_replace[len(leaving) :]
        self._resize(group, moment)

    def _note(
        self, group: Group, moment: Moment, what: str, status: str, message: str, cause: str, code: str = ""
    ) -> None:
        group.activities.append(
            {
                "ActivityId": str(_uuid(moment)),
                "AutoScalingGroupName": group.name,
                "Description": what,
                "Cause": f"At {moment.now:%Y-%m-%dT%H:%M:%SZ} {cause}.",
                "StartTime": moment.now,
                "EndTime": moment.now,
                "StatusCode": status,
                "StatusMessage": f"{code}: {message}" if code else message,
                "Progress": 100,
                "AutoScalingGroupARN": group.arn,
            }
        )
        del group.activities[:-200]

    # Launch templates

    def _specification(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        if spec.get("LaunchTemplate"):
            return dict(spec["LaunchTemplate"])
        policy = spec.get("MixedInstancesPolicy") or {}
        return dict((policy.get("LaunchTemplate") or {}).get("LaunchTemplateSpecification") or {})

    def _wanted_template(self, group: Group) -> dict[str, str]:
        found = self._ec2.template_version(group.region, self._specification(group.spec), "RunInstances")
        return {
            "LaunchTemplateId": found["LaunchTemplateId"],
            "LaunchTemplateName": found["LaunchTemplateName"],
            "Version": str(found["VersionNumber"]),
        }

    def _spec_of(self, region: str, spec: Mapping[str, Any], operation: str) -> dict[str, Any]:
        data = dict(self._ec2.template_data(region, self._specification(spec), operation))
        overrides = ((spec.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}).get("Overrides") or []
        if overrides and overrides[0].get("InstanceType"):
            data["InstanceType"] = overrides[0]["InstanceType"]
        return data

    def _check_template(self, region: str, spec: Mapping[str, Any], subnets: list[str], operation: str) -> None:
        if not self._specification(spec):
            raise CloudError(
                "ValidationError",
                operation,
                "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "
                "MixedInstancesPolicy parameter.",
            )
        try:
            data = self._spec_of(region, spec, operation)
            if spec.get("PlacementGroup"):
                data["Placement"] = {**(data.get("Placement") or {}), "GroupName": spec["PlacementGroup"]}
            # AWS tries the template with a dry run: whatever RunInstances refuses for the request's own sake is refused
            # here; zones, capacity and quota are found out by the first launch.
            self._ec2.check_launch(region, data, None, operation)
        except CloudError as error:
            if error.code.startswith("InvalidLaunchTemplate"):
                raise CloudError("ValidationError", operation, error.message) from None
            raise CloudError(
                "ValidationError", operation, f"You must use a valid fully-formed launch template. {error.message}"
            ) from None

    # Small things

    def _where(self, region: str, p: Mapping[str, Any], operation: str) -> tuple[list[str], list[str]]:
        backend = self._ec2.backend(region)
        known = {id: s for subnets in backend.subnets.values() for id, s in subnets.items()}
        named = [s.strip() for s in (p.get("VPCZoneIdentifier") or "").split(",") if s.strip()]
        if not named:
            zones = p.get("AvailabilityZones") or []
            if not zones:
                raise CloudError(
                    "ValidationError", operation, "At least one Availability Zone or VPC Subnet is required."
                )
            named = [id for id, s in known.items() if s.default_for_az and s.availability_zone in zones]
        for id in named:
            if id not in known:
                raise CloudError("ValidationError", operation, f"The subnet ID '{id}' does not exist")
        if len({known[id].vpc_id for id in named}) > 1:
            raise CloudError(
                "ValidationError", operation, "The subnets belong to more than one VPC (simulator's words)"
            )
        return named, list(dict.fromkeys(known[id].availability_zone for id in named))

    def _zone(self, region: str, subnet: str) -> str:
        return next(str(s[subnet].availability_zone) for s in self._ec2.backend(region).subnets.values() if subnet in s)

    def _group(self, region: str, name: str, operation: str) -> Group:
        group = self.groups.get(region, {}).get(name)
        if group is None:
            raise CloudError(
                "ValidationError", operation, f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
            )
        return group

    def _of_member(self, region: str, id: str, operation: str) -> Group:
        for group in self.groups.get(region, {}).values():
            if any(m.id == id for m in group.members):
                return group
        raise CloudError(
            "ValidationError", operation, f"Instance Id not found - No managed instance found for instance ID: {id}"
        )

    def _member(self, m: Member) -> dict[str, Any]:
        return {
            "InstanceId": m.id,
            "InstanceType": m.type,
            "AvailabilityZone": m.zone,
            "LifecycleState": "InService",
            "HealthStatus": m.health,
            "LaunchTemplate": m.template,
            "ProtectedFromScaleIn": m.protected,
        }

    def _shown(self, g: Group) -> dict[str, Any]:
        spec = {k: v for k, v in g.spec.items() if v is not None}
        return {
            "HealthCheckType": "EC2",
            "DefaultCooldown": 300,
            "HealthCheckGracePeriod": 0,
            "TerminationPolicies": ["Default"],
            "NewInstancesProtectedFromScaleIn": False,
            "CapacityRebalance": False,
            **spec,
            "AutoScalingGroupName": g.name,
            "AutoScalingGroupARN": g.arn,
            "MinSize": g.least,
            "MaxSize": g.most,
            "DesiredCapacity": g.desired,
            "AvailabilityZones": g.zones,
            "VPCZoneIdentifier": ",".join(g.subnets),
            "Instances": [self._member(m) for m in g.members],
            "CreatedTime": g.created,
            "Tags": _tags(g),
            "SuspendedProcesses": [
                {"ProcessName": p, "SuspensionReason": "User suspended"} for p in sorted(g.suspended)
            ],
            "EnabledMetrics": [{"Metric": m, "Granularity": "1Minute"} for m in sorted(g.metrics)],
            "ServiceLinkedRoleARN": _SERVICE_ROLE,
        }


_SERVICE_ROLE = (
    f"arn:aws:iam::{moto_bridge.ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
)
_NOT_SHOWN = frozenset(
    {"AutoScalingGroupName", "MinSize", "MaxSize", "DesiredCapacity", "AvailabilityZones", "VPCZoneIdentifier", "Tags"}
)


def _sizes(operation: str, least: int, most: int, desired: int) -> None:
    if least > most:
        raise CloudError(
            "ValidationError",
            operation,
            "Max bound, " + str(most) + ", must be greater than or equal to min bound, " + str(least),
        )
    if desired < least:
        raise CloudError(
            "ValidationError",
            operation,
            f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}",
        )
    if desired > most:
        raise CloudError(
            "ValidationError",
            operation,
            f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}",
        )


def _tags(g: Group) -> list[dict[str, Any]]:
    return [
        {
            "ResourceId": g.name,
            "ResourceType": "auto-scaling-group",
            "Key": k,
            "Value": v,
            "PropagateAtLaunch": propagate,
        }
        for k, (v, propagate) in g.tags.items()
    ]


def _passes(g: Group, filters: Any) -> bool:
    for one in filters or ():
        name, values = one["Name"], one.get("Values") or []
        if name == "tag-key" and not set(g.tags) & set(values):
            return False
        if name == "tag-value" and not {v for v, _ in g.tags.values()} & set(values):
            return False
        if name.startswith("tag:") and g.tags.get(name[4:], ("",))[0] not in values:
            return False
    return True


def _uuid(moment: Moment) -> Any:
    from uuid import UUID

    return UUID(int=moment.chance.getrandbits(128), version=4)
