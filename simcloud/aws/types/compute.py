"""Instances and what launches them: placement groups, launch templates, Auto Scaling groups, capacity reservations.

Sources: EC2 and EC2 Auto Scaling API references; `createOnlyProperties` of the CloudFormation registry schemas; the
Pulumi AWS provider's documentation of each type.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from simcloud.aws.client import AwsClient, mapping
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import (
    REGIONAL,
    AwsType,
    Props,
    index,
    one_or_none,
    present,
    retag_ec2,
    specification,
    unwire,
    wire,
)
from simcloud.aws.types.network import absent_is_none, arn, patiently
from simcloud.provider.model import AutoName, CloudError, Failure
from simcloud.provider.servicer import CreatedButNotReadyError


class PlacementGroup(AwsType):
    """aws.ec2.PlacementGroup. Everything but its tags replaces it."""

    token = "aws:ec2/placementGroup:PlacementGroup"
    auto_name = AutoName()
    replace_on = frozenset({"region", "name", "strategy", "partitionCount", "spreadLevel"})
    computed = REGIONAL | {"partitionCount", "spreadLevel"}
    sources = ("EC2 API: CreatePlacementGroup", "AWS::EC2::PlacementGroup createOnlyProperties")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        asked = present(
            {
                "GroupName": inputs["name"],
                "Strategy": inputs["strategy"],
                "PartitionCount": inputs.get("partitionCount"),
                "SpreadLevel": inputs.get("spreadLevel"),
            }
        )
        self.api(cloud, inputs).create_placement_group(**asked, **specification("placement-group", cloud.tags(inputs)))
        return str(inputs["name"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        answer = absent_is_none(lambda: self.api(cloud, known).describe_placement_groups(GroupNames=[id]))
        group = one_or_none(answer["PlacementGroups"]) if answer else None
        if group is None:
            return None
        return {
            "region": region,
            "name": id,
            "strategy": group["Strategy"],
            "placementGroupId": group["GroupId"],
            "arn": group["GroupArn"],
            "partitionCount": group.get("PartitionCount", 0),
            "spreadLevel": group.get("SpreadLevel", ""),
            **cloud.own_tags(mapping(group.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        group = api.describe_placement_groups(GroupNames=[id])["PlacementGroups"][0]
        retag_ec2(api, cloud, group["GroupId"], old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        patiently(lambda: self.api(cloud, state).delete_placement_group(GroupName=id))


_TEMPLATE_RENAMES = {
    "vpcSecurityGroupIds": "SecurityGroupIds",
    "securityGroupNames": "SecurityGroups",
    "securityGroups": "Groups",
    "ipv4Addresses": "PrivateIpAddresses",
    "ipv4AddressCount": "SecondaryPrivateIpAddressCount",
}
_NOT_TEMPLATE_DATA = frozenset(
    {"name", "namePrefix", "description", "tags", "tagsAll", "region", "updateDefaultVersion", "defaultVersion"}
)


class LaunchTemplate(AwsType):
    """aws.ec2.LaunchTemplate: a change of its data makes a new version."""

    token = "aws:ec2/launchTemplate:LaunchTemplate"
    auto_name = AutoName(max_length=125)
    replace_on = frozenset({"region", "name", "namePrefix"})
    computed = REGIONAL | {"defaultVersion", "namePrefix"}
    write_only = frozenset({"updateDefaultVersion", "namePrefix"})
    changed_by_update = frozenset({"latestVersion", "defaultVersion"})
    sources = ("EC2 API: CreateLaunchTemplate, CreateLaunchTemplateVersion, ModifyLaunchTemplate",)

    def _data(self, api: Any, inputs: Props) -> dict[str, Any]:
        shape = api.shape("CreateLaunchTemplate").members["LaunchTemplateData"]
        data = {k: v for k, v in inputs.items() if k not in _NOT_TEMPLATE_DATA}
        found: dict[str, Any] = wire(shape, data, _TEMPLATE_RENAMES)
        return found

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        answer = api.create_launch_template(
            LaunchTemplateName=inputs["name"],
            LaunchTemplateData=self._data(api, inputs),
            **present({"VersionDescription": inputs.get("description")}),
            **specification("launch-template", cloud.tags(inputs)),
        )
        return str(answer["LaunchTemplate"]["LaunchTemplateId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region, api = self.region(cloud, known), self.api(cloud, known)
        answer = absent_is_none(lambda: api.describe_launch_templates(LaunchTemplateIds=[id]))
        template = one_or_none(answer["LaunchTemplates"]) if answer else None
        if template is None:
            return None
        version = api.describe_launch_template_versions(
            LaunchTemplateId=id, Versions=[str(template["LatestVersionNumber"])]
        )["LaunchTemplateVersions"][0]
        schema = index().resource(self.token)
        assert schema is not None
        data = version["LaunchTemplateData"]
        state = {}
        for name, kind in schema.inputs.items():
            theirs = _TEMPLATE_RENAMES.get(name) or name[:1].upper() + name[1:]
            if name not in _NOT_TEMPLATE_DATA and data.get(theirs) not in (None, [], {}):
                state[name] = unwire(kind, data[theirs], _TEMPLATE_RENAMES)
        return state | {
            "region": region,
            "arn": arn(cloud, "launch-template", id, region),
            "name": template["LaunchTemplateName"],
            "namePrefix": known.get("namePrefix") or "",
            "description": version.get("VersionDescription") or None,
            "latestVersion": template["LatestVersionNumber"],
            "defaultVersion": template["DefaultVersionNumber"],
            "updateDefaultVersion": known.get("updateDefaultVersion"),
            **cloud.own_tags(mapping(template.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        latest = None
        if self._data(api, old) != self._data(api, new) or old.get("description") != new.get("description"):
            answer = api.create_launch_template_version(
                LaunchTemplateId=id,
                LaunchTemplateData=self._data(api, new),
                **present({"VersionDescription": new.get("description")}),
            )
            latest = answer["LaunchTemplateVersion"]["VersionNumber"]
        if new.get("updateDefaultVersion") and latest:
            api.modify_launch_template(LaunchTemplateId=id, DefaultVersion=str(latest))
        elif new.get("defaultVersion") not in (None, old.get("defaultVersion")):
            api.modify_launch_template(LaunchTemplateId=id, DefaultVersion=str(new["defaultVersion"]))
        retag_ec2(api, cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).delete_launch_template(LaunchTemplateId=id))


_POLL_S = 0.05
_GROUP_NAMES = {
    "launchTemplate": "LaunchTemplate",
    "mixedInstancesPolicy": "MixedInstancesPolicy",
    "placementGroup": "PlacementGroup",
    "healthCheckType": "HealthCheckType",
    "healthCheckGracePeriod": "HealthCheckGracePeriod",
    "defaultCooldown": "DefaultCooldown",
    "terminationPolicies": "TerminationPolicies",
    "capacityRebalance": "CapacityRebalance",
    "protectFromScaleIn": "NewInstancesProtectedFromScaleIn",
    "maxInstanceLifetime": "MaxInstanceLifetime",
    "defaultInstanceWarmup": "DefaultInstanceWarmup",
    "serviceLinkedRoleArn": "ServiceLinkedRoleARN",
    "instanceMaintenancePolicy": "InstanceMaintenancePolicy",
    "availabilityZoneDistribution": "AvailabilityZoneDistribution",
    "capacityReservationSpecification": "CapacityReservationSpecification",
}
_GROUP_RENAMES = {
    "id": "LaunchTemplateId",
    "name": "LaunchTemplateName",
    "launchTemplateId": "LaunchTemplateId",
    "launchTemplateName": "LaunchTemplateName",
    "launchTemplateSpecification": "LaunchTemplateSpecification",
    "overrides": "Overrides",
    "spotMaxPrice": "SpotMaxPrice",
    "capacityReservationResourceGroupArns": "CapacityReservationResourceGroupArns",
}


class Group(AwsType):
    """aws.autoscaling.Group. Waits for its capacity, as the provider does."""

    token = "aws:autoscaling/group:Group"
    service = "autoscaling"
    auto_name = AutoName()
    replace_on = frozenset({"region", "name", "namePrefix"})
    defaults = {
        "forceDelete": False,
        "forceDeleteWarmPool": False,
        "healthCheckGracePeriod": 300,
        "metricsGranularity": "1Minute",
        "protectFromScaleIn": False,
        "waitForCapacityTimeout": "10m",
        "ignoreFailedScalingActivities": False,
    }
    computed = REGIONAL | {
        "desiredCapacity",
        "availabilityZones",
        "vpcZoneIdentifiers",
        "healthCheckType",
        "defaultCooldown",
        "serviceLinkedRoleArn",
        "terminationPolicies",
        "capacityRebalance",
        "targetGroupArns",
        "loadBalancers",
        "namePrefix",
        "capacityReservationSpecification",
        "availabilityZoneDistribution",
        "trafficSources",
    }
    unordered = frozenset(
        {
            "tags",
            "vpcZoneIdentifiers",
            "availabilityZones",
            "enabledMetrics",
            "suspendedProcesses",
            "targetGroupArns",
            "loadBalancers",
        }
    )
    write_only = frozenset(
        {
            "forceDelete",
            "forceDeleteWarmPool",
            "waitForCapacityTimeout",
            "instanceRefresh",
            "ignoreFailedScalingActivities",
            "metricsGranularity",
            "minElbCapacity",
            "waitForElbCapacity",
            "namePrefix",
            "initialLifecycleHooks",
            "context",
        }
    )
    sources = (
        "Auto Scaling API: CreateAutoScalingGroup, UpdateAutoScalingGroup, StartInstanceRefresh",
        "AWS::AutoScaling::AutoScalingGroup createOnlyProperties",
    )

    def check(self, inputs: Props) -> Iterable[Failure]:
        """A group launches from one thing."""
        named = [n for n in ("launchTemplate", "launchConfiguration", "mixedInstancesPolicy") if inputs.get(n)]
        if len(named) > 1:
            yield Failure(
                named[1], f"only one of launchTemplate, launchConfiguration, mixedInstancesPolicy; got {named}"
            )

    def _asked(self, api: Any, inputs: Props) -> dict[str, Any]:
        shape = api.shape("CreateAutoScalingGroup")
        asked = {
            theirs: wire(shape.members[theirs], inputs[ours], _GROUP_RENAMES)
            for ours, theirs in _GROUP_NAMES.items()
            if inputs.get(ours) is not None
        }
        asked |= {"MinSize": inputs["minSize"], "MaxSize": inputs["maxSize"]}
        if inputs.get("vpcZoneIdentifiers"):
            asked["VPCZoneIdentifier"] = ",".join(inputs["vpcZoneIdentifiers"])
        if inputs.get("availabilityZones"):
            asked["AvailabilityZones"] = list(inputs["availabilityZones"])
        if inputs.get("desiredCapacity") is not None:
            asked["DesiredCapacity"] = inputs["desiredCapacity"]
        return asked

    def _tags(self, cloud: AwsClient, inputs: Props) -> list[dict[str, Any]]:
        # The provider gives its default tags to no group: they have a form of their own.
        rows = {t["key"]: (t["value"], bool(t["propagateAtLaunch"])) for t in inputs.get("tags") or ()}
        return [
            {
                "ResourceId": inputs["name"],
                "ResourceType": "auto-scaling-group",
                "Key": k,
                "Value": v,
                "PropagateAtLaunch": p,
            }
            for k, (v, p) in rows.items()
        ]

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api, name = self.api(cloud, inputs), str(inputs["name"])
        tags = self._tags(cloud, inputs)
        api.create_auto_scaling_group(
            AutoScalingGroupName=name, **self._asked(api, inputs), **({"Tags": tags} if tags else {})
        )
        if inputs.get("suspendedProcesses"):
            api.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=inputs["suspendedProcesses"])
        if inputs.get("enabledMetrics"):
            api.enable_metrics_collection(
                AutoScalingGroupName=name, Metrics=inputs["enabledMetrics"], Granularity="1Minute"
            )
        self._wait_for_capacity(api, name, inputs)
        return name

    def _wait_for_capacity(self, api: Any, name: str, inputs: Props) -> None:
        """Wait until the group has what it should. A failed launch ends the wait: real time would not help here."""
        if str(inputs.get("waitForCapacityTimeout")) in ("0", "0s", "0m"):
            return
        end = time.monotonic() + 60
        while True:
            group = api.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
            wanted = group["DesiredCapacity"]
            serving = sum(
                1 for i in group["Instances"] if i["LifecycleState"] == "InService" and i["HealthStatus"] == "Healthy"
            )
            if serving >= wanted:
                return
            failed = [
                a
                for a in api.describe_scaling_activities(AutoScalingGroupName=name)["Activities"]
                if a["StatusCode"] == "Failed"
            ]
            if failed or time.monotonic() > end:
                why = f" Last scaling activity: {failed[0]['StatusMessage']}" if failed else ""
                raise CreatedButNotReadyError(
                    name,
                    f"waiting for Auto Scaling Group ({name}) capacity satisfied: want at least {wanted} "
                    f"healthy instance(s), "
                    f"have {serving}.{why}",
                )
            time.sleep(_POLL_S)

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        api = self.api(cloud, known)
        group = one_or_none(api.describe_auto_scaling_groups(AutoScalingGroupNames=[id])["AutoScalingGroups"])
        if group is None:
            return None
        schema = index().resource(self.token)
        assert schema is not None
        state = {
            ours: unwire(schema.inputs[ours], group[theirs], _GROUP_RENAMES)
            for ours, theirs in _GROUP_NAMES.items()
            if group.get(theirs) not in (None, {})
        }
        template = group.get("LaunchTemplate")
        if template:
            # The service shows both the id and the name; the provider keeps to what the program named.
            state["launchTemplate"] = {
                "id": template.get("LaunchTemplateId", ""),
                "name": template.get("LaunchTemplateName", ""),
                "version": template.get("Version", ""),
            }
            version = (known.get("launchTemplate") or {}).get("version")
            if version is None:
                state["launchTemplate"]["version"] = template.get("Version", "$Default")
        return (
            state
            | {k: known[k] for k in self.write_only if known.get(k) is not None}
            | {
                "region": self.region(cloud, known),
                "arn": group["AutoScalingGroupARN"],
                "name": id,
                "minSize": group["MinSize"],
                "maxSize": group["MaxSize"],
                "desiredCapacity": group["DesiredCapacity"],
                "availabilityZones": group["AvailabilityZones"],
                "vpcZoneIdentifiers": [s for s in group["VPCZoneIdentifier"].split(",") if s],
                "tags": [
                    {"key": t["Key"], "value": t["Value"], "propagateAtLaunch": t["PropagateAtLaunch"]}
                    for t in group["Tags"]
                ],
                "suspendedProcesses": [p["ProcessName"] for p in group["SuspendedProcesses"]],
                "enabledMetrics": [m["Metric"] for m in group["EnabledMetrics"]],
                "loadBalancers": [],
                "targetGroupArns": [],
                "predictedCapacity": 0,
                "warmPoolSize": 0,
            }
        )

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        before, after = self._asked(api, old), self._asked(api, new)
        if before != after:
            api.update_auto_scaling_group(AutoScalingGroupName=id, **after)
        old_tags = {t["Key"]: t for t in self._tags(cloud, old)}
        new_tags = {t["Key"]: t for t in self._tags(cloud, new)}
        gone = [t for k, t in old_tags.items() if k not in new_tags]
        changed = [t for k, t in new_tags.items() if old_tags.get(k) != t]
        if gone:
            api.delete_tags(Tags=gone)
        if changed:
            api.create_or_update_tags(Tags=changed)
        self._processes(api, id, old, new)
        if new.get("instanceRefresh") and self._triggers(new["instanceRefresh"], before, after, changed or gone):
            self._refresh(api, id, new["instanceRefresh"])
        if before.get("DesiredCapacity") != after.get("DesiredCapacity") or before.get("MinSize") != after.get(
            "MinSize"
        ):
            self._wait_for_capacity(api, id, new)

    def _processes(self, api: Any, id: str, old: Props, new: Props) -> None:
        was, now = set(old.get("suspendedProcesses") or ()), set(new.get("suspendedProcesses") or ())
        if was - now:
            api.resume_processes(AutoScalingGroupName=id, ScalingProcesses=sorted(was - now))
        if now - was:
            api.suspend_processes(AutoScalingGroupName=id, ScalingProcesses=sorted(now - was))

    def _triggers(self, refresh: Props, before: Mapping[str, Any], after: Mapping[str, Any], tags: Any) -> bool:
        """A new launch template always starts a refresh; tags only where the program lists them."""
        for name in ("LaunchTemplate", "MixedInstancesPolicy", "LaunchConfigurationName"):
            if before.get(name) != after.get(name):
                return True
        return bool(tags) and "tag" in (refresh.get("triggers") or ())

    def _refresh(self, api: Any, id: str, refresh: Props) -> None:
        shape = api.shape("StartInstanceRefresh").members["Preferences"]
        preferences = wire(shape, refresh.get("preferences") or {}, {})
        try:
            api.start_instance_refresh(AutoScalingGroupName=id, Strategy="Rolling", Preferences=preferences)
        except CloudError as error:
            if error.code != "InstanceRefreshInProgress":
                raise
            # As the provider does: the running refresh is cancelled and a new one starts.
            api.cancel_instance_refresh(AutoScalingGroupName=id)
            api.start_instance_refresh(AutoScalingGroupName=id, Strategy="Rolling", Preferences=preferences)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        if not api.describe_auto_scaling_groups(AutoScalingGroupNames=[id])["AutoScalingGroups"]:
            return
        if not state.get("forceDelete"):
            api.update_auto_scaling_group(AutoScalingGroupName=id, MinSize=0, MaxSize=0, DesiredCapacity=0)
            end = time.monotonic() + 60
            while api.describe_auto_scaling_groups(AutoScalingGroupNames=[id])["AutoScalingGroups"][0]["Instances"]:
                if time.monotonic() > end:
                    raise CloudError("Timeout", "DeleteAutoScalingGroup", f"waiting for group {id} to drain")
                time.sleep(_POLL_S)
        api.delete_auto_scaling_group(AutoScalingGroupName=id, ForceDelete=bool(state.get("forceDelete")))


class CapacityReservation(AwsType):
    """aws.ec2.CapacityReservation."""

    token = "aws:ec2/capacityReservation:CapacityReservation"
    replace_on = frozenset(
        {
            "region",
            "availabilityZone",
            "instancePlatform",
            "instanceType",
            "instanceMatchCriteria",
            "ebsOptimized",
            "ephemeralStorage",
            "outpostArn",
            "placementGroupArn",
            "tenancy",
        }
    )
    defaults = {
        "instanceMatchCriteria": "open",
        "endDateType": "unlimited",
        "tenancy": "default",
        "ebsOptimized": False,
        "ephemeralStorage": False,
    }
    sources = (
        "EC2 API: CreateCapacityReservation, ModifyCapacityReservation",
        "AWS::EC2::CapacityReservation createOnlyProperties",
    )

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        answer = self.api(cloud, inputs).create_capacity_reservation(
            InstanceType=inputs["instanceType"],
            InstancePlatform=inputs["instancePlatform"],
            AvailabilityZone=inputs["availabilityZone"],
            InstanceCount=inputs["instanceCount"],
            InstanceMatchCriteria=inputs["instanceMatchCriteria"],
            **specification("capacity-reservation", cloud.tags(inputs)),
        )
        return str(answer["CapacityReservation"]["CapacityReservationId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        answer = absent_is_none(
            lambda: self.api(cloud, known).describe_capacity_reservations(CapacityReservationIds=[id])
        )
        held = one_or_none(answer["CapacityReservations"]) if answer else None
        if held is None or held["State"] in ("cancelled", "expired"):
            return None
        return {
            **self.defaults,
            "region": self.region(cloud, known),
            "arn": held["CapacityReservationArn"],
            "ownerId": ACCOUNT,
            "availabilityZone": held["AvailabilityZone"],
            "instanceType": held["InstanceType"],
            "instancePlatform": held["InstancePlatform"],
            "instanceCount": held["TotalInstanceCount"],
            "instanceMatchCriteria": held["InstanceMatchCriteria"],
            **cloud.own_tags(mapping(held.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if old.get("instanceCount") != new.get("instanceCount"):
            self.api(cloud, new).modify_capacity_reservation(
                CapacityReservationId=id, InstanceCount=new["instanceCount"]
            )
        retag_ec2(self.api(cloud, new), cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).cancel_capacity_reservation(CapacityReservationId=id))


class Instance(AwsType):
    """aws.ec2.Instance: a single machine."""

    token = "aws:ec2/instance:Instance"
    replace_on = frozenset(
        {
            "region",
            "ami",
            "availabilityZone",
            "subnetId",
            "keyName",
            "privateIp",
            "placementGroup",
            "tenancy",
            "associatePublicIpAddress",
            "cpuOptions",
            "ebsBlockDevices",
            "ebsOptimized",
            "enclaveOptions",
            "ephemeralBlockDevices",
            "hibernation",
            "hostId",
            "instanceMarketOptions",
            "ipv6AddressCount",
            "ipv6Addresses",
            "launchTemplate",
            "networkInterfaces",
            "placementPartitionNumber",
            "rootBlockDevice.encrypted",
            "rootBlockDevice.kmsKeyId",
            "securityGroups",
        }
    )
    defaults = {
        "getPasswordData": False,
        "sourceDestCheck": True,
        "userDataReplaceOnChange": False,
        "forceDestroy": False,
    }
    computed = REGIONAL | {
        "availabilityZone",
        "subnetId",
        "privateIp",
        "vpcSecurityGroupIds",
        "securityGroups",
        "tenancy",
        "keyName",
        "hostId",
        "associatePublicIpAddress",
        "ebsBlockDevices",
        "rootBlockDevice",
        "networkInterfaces",
        "metadataOptions",
        "monitoring",
        "instanceInitiatedShutdownBehavior",
        "ebsOptimized",
        "placementGroup",
        "disableApiStop",
        "disableApiTermination",
        "iamInstanceProfile",
        "userData",
        "userDataBase64",
        "ipv6Addresses",
        "secondaryPrivateIps",
    }
    unordered = frozenset({"vpcSecurityGroupIds", "securityGroups"})
    write_only = frozenset(
        {
            "userData",
            "userDataBase64",
            "userDataReplaceOnChange",
            "getPasswordData",
            "rootBlockDevice",
            "ebsBlockDevices",
            "volumeTags",
            "launchTemplate",
            "forceDestroy",
            "instanceMarketOptions",
            "creditSpecification",
            "metadataOptions",
        }
    )
    sources = (
        "EC2 API: RunInstances, ModifyInstanceAttribute, TerminateInstances",
        "AWS::EC2::Instance createOnlyProperties",
    )

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """New user data replaces only where the program asks for it; the type changes by stop and start; a template's
        newer version is for the next machine."""
        found = super().replaces(old, new, changed) - {"launchTemplate.version"}
        if new.get("userDataReplaceOnChange"):
            found |= {c for c in changed if c in ("userData", "userDataBase64")}
        return found

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        import base64

        profile = inputs.get("iamInstanceProfile")
        encoded = inputs.get("userDataBase64")
        data = base64.b64decode(encoded) if encoded else inputs.get("userData")
        template = inputs.get("launchTemplate") or {}
        root = inputs.get("rootBlockDevice") or {}
        ebs = present(
            {
                "VolumeSize": root.get("volumeSize"),
                "VolumeType": root.get("volumeType"),
                "Encrypted": root.get("encrypted"),
                "KmsKeyId": root.get("kmsKeyId"),
            }
        )
        metadata = inputs.get("metadataOptions") or {}
        placement = present(
            {
                "AvailabilityZone": inputs.get("availabilityZone"),
                "GroupName": inputs.get("placementGroup"),
                "Tenancy": inputs.get("tenancy"),
            }
        )
        market = inputs.get("instanceMarketOptions") or {}
        asked = present(
            {
                "ImageId": inputs.get("ami"),
                "InstanceType": inputs.get("instanceType"),
                "SubnetId": inputs.get("subnetId"),
                "SecurityGroupIds": inputs.get("vpcSecurityGroupIds"),
                "KeyName": inputs.get("keyName"),
                "UserData": data,
                "PrivateIpAddress": inputs.get("privateIp"),
                "IamInstanceProfile": {"Name": profile} if profile else None,
                "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": ebs}] if ebs else None,
                "MetadataOptions": {k[:1].upper() + k[1:]: v for k, v in metadata.items()} or None,
                "Placement": placement or None,
                "InstanceMarketOptions": {"MarketType": market["marketType"]} if market.get("marketType") else None,
                "LaunchTemplate": present(
                    {
                        "LaunchTemplateId": template.get("id"),
                        "LaunchTemplateName": template.get("name"),
                        "Version": template.get("version"),
                    }
                )
                or None,
            }
        )
        answer = self.api(cloud, inputs).run_instances(
            MinCount=1, MaxCount=1, **asked, **specification("instance", cloud.tags(inputs))
        )
        return str(answer["Instances"][0]["InstanceId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        answer = absent_is_none(lambda: self.api(cloud, known).describe_instances(InstanceIds=[id]))
        found = one_or_none([i for r in (answer or {}).get("Reservations", ()) for i in r["Instances"]])
        if found is None or found["State"]["Name"] in ("terminated", "shutting-down"):
            return None
        kept = {k: known[k] for k in self.write_only if known.get(k) is not None}
        return {
            **self.defaults,
            **kept,
            "region": region,
            "arn": arn(cloud, "instance", id, region),
            "ami": found["ImageId"],
            "instanceType": found["InstanceType"],
            "instanceState": found["State"]["Name"],
            "availabilityZone": found["Placement"]["AvailabilityZone"],
            "subnetId": found.get("SubnetId", ""),
            "tenancy": found["Placement"].get("Tenancy") or "default",
            "privateIp": found.get("PrivateIpAddress", ""),
            "privateDns": found.get("PrivateDnsName", ""),
            "publicIp": found.get("PublicIpAddress", ""),
            "publicDns": found.get("PublicDnsName", ""),
            "keyName": found.get("KeyName", ""),
            "vpcSecurityGroupIds": [g["GroupId"] for g in found.get("SecurityGroups", [])],
            "securityGroups": [],
            "placementGroup": found["Placement"].get("GroupName") or known.get("placementGroup") or "",
            "iamInstanceProfile": (found.get("IamInstanceProfile") or {}).get("Arn", "").rsplit("/", 1)[-1],
            "monitoring": (found.get("Monitoring") or {}).get("State") == "enabled",
            "ebsOptimized": bool(found.get("EbsOptimized")),
            "primaryNetworkInterfaceId": next(
                (n["NetworkInterfaceId"] for n in found.get("NetworkInterfaces", ())), ""
            ),
            "instanceLifecycle": found.get("InstanceLifecycle", ""),
            "spotInstanceRequestId": "",
            "outpostArn": "",
            "passwordData": "",
            "associatePublicIpAddress": bool(found.get("PublicIpAddress")),
            **cloud.own_tags(mapping(found.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if old.get("instanceType") != new.get("instanceType"):
            api.stop_instances(InstanceIds=[id])
            api.modify_instance_attribute(InstanceId=id, InstanceType={"Value": new["instanceType"]})
            api.start_instances(InstanceIds=[id])
        if old.get("vpcSecurityGroupIds") != new.get("vpcSecurityGroupIds") and new.get("vpcSecurityGroupIds"):
            api.modify_instance_attribute(InstanceId=id, Groups=list(new["vpcSecurityGroupIds"]))
        retag_ec2(api, cloud, id, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).terminate_instances(InstanceIds=[id]))


TYPES = (PlacementGroup, LaunchTemplate, Group, CapacityReservation, Instance)
