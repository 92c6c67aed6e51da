"""Managed instance groups, resource policies, health checks."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import NAME, PROVIDER, ComputeType, last
from simcloud.gcp.types.codec import Field, Place, plain
from simcloud.provider.model import Failure, Props

_UPDATE: tuple[Field, ...] = (
    Field("type"),
    Field("minimalAction"),
    Field("mostDisruptiveAllowedAction"),
    Field("replacementMethod"),
    Field("maxSurgeFixed", "maxSurge.fixed"),
    Field("maxSurgePercent", "maxSurge.percent"),
    Field("maxUnavailableFixed", "maxUnavailable.fixed"),
    Field("maxUnavailablePercent", "maxUnavailable.percent"),
)
_GROUP: tuple[Field, ...] = (
    Field("name"),
    Field("description"),
    Field("baseInstanceName"),
    Field("targetSize", default=0),
    Field("listManagedInstancesResults"),
    Field("namedPorts", many=True, sub=(Field("name"), Field("port"))),
    Field(
        "versions",
        many=True,
        sub=(
            Field("name"),
            Field("instanceTemplate"),
            Field("targetSize", sub=(Field("fixed"), Field("percent"))),
        ),
    ),
    Field("updatePolicy", sub=_UPDATE),
    Field("autoHealingPolicies", kind="first", sub=(Field("healthCheck"), Field("initialDelaySec"))),
    Field(
        "instanceLifecyclePolicy",
        sub=(Field("defaultActionOnFailure"), Field("forceUpdateOnRepair"), Field("onFailedHealthCheck")),
    ),
    Field("standbyPolicy", sub=(Field("initialDelaySec"), Field("mode"))),
    Field("resourcePolicies", sub=(Field("workloadPolicy"),)),
    Field(
        "allInstancesConfig",
        sub=(Field("labels", "properties.labels"), Field("metadata", "properties.metadata")),
    ),
    Field("targetPools"),
)
_WAIT_SECONDS = 20 * 60
"""The provider's time limit for a group to become stable."""
_PATIENCE_SECONDS = 5
"""After this time a launch that fails ends the wait. The real provider waits out its limit; nobody learns from that."""


class InstanceGroupManager(ComputeType):
    """A managed instance group of a zone."""

    computed: ClassVar[frozenset[str]] = frozenset(
        {"project", "zone", "targetSize", "updatePolicy", "instanceLifecyclePolicy", "standbyPolicy"}
    )
    token = "gcp:compute/instanceGroupManager:InstanceGroupManager"
    auto_name = NAME
    scope = "zone"
    collection = "instanceGroupManagers"
    argument = "instanceGroupManager"
    defaults: ClassVar[Props] = {
        "waitForInstances": False,
        "waitForInstancesStatus": "STABLE",
        "listManagedInstancesResults": "PAGELESS",
    }
    replace_on = frozenset({"name", "zone", "project", "baseInstanceName"})
    write_only = frozenset({"waitForInstances", "waitForInstancesStatus", "params"})
    unordered = frozenset({"namedPorts", "targetPools"})
    changed_by_update = frozenset({"fingerprint", "statuses", "operation"})
    sources: ClassVar[tuple[str, ...]] = (PROVIDER + "compute_instance_group_manager",)
    fields: ClassVar[tuple[Field, ...]] = _GROUP
    outputs: ClassVar[tuple[Field, ...]] = (
        Field("selfLink"),
        Field("creationTimestamp"),
        Field("fingerprint"),
        Field("instanceGroup"),
        Field("instanceGroupManagerId", "id", kind="int"),
    )

    def check(self, inputs: Props) -> list[Failure]:
        """Fixed and percent bounds exclude each other."""
        found = super().check(inputs)
        policy = inputs.get("updatePolicy")
        for name in ("maxSurge", "maxUnavailable"):
            if isinstance(policy, dict) and {f"{name}Fixed", f"{name}Percent"} <= set(policy):
                found.append(Failure(f"updatePolicy.{name}Percent", f"conflicts with {name}Fixed"))
        return found

    def body(self, props: Props, place: Place) -> dict[str, Any]:
        """See ComputeType."""
        made = super().body(props, place)
        made.setdefault("targetSize", 0)
        policy = props.get("updatePolicy") or {}
        for name in ("maxSurge", "maxUnavailable"):
            if policy.get(f"{name}Percent") is not None:
                made["updatePolicy"][name] = {"percent": plain(policy[f"{name}Percent"])}
        zones = props.get("distributionPolicyZones")
        if zones:
            made["distributionPolicy"] = {"zones": [{"zone": f"zones/{last(z)}"} for z in zones]}
        if props.get("distributionPolicyTargetShape"):
            made.setdefault("distributionPolicy", {})["targetShape"] = props["distributionPolicyTargetShape"]
        return made

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. Waits for the members when the program asks for it."""
        id = super().create(cloud, inputs)
        self._wait(cloud, id, inputs)
        return id

    def _wait(self, cloud: GcpClient, id: str, inputs: Props) -> None:
        if not inputs.get("waitForInstances"):
            return
        where = self.address(self.parse(cloud, id))
        updated = inputs.get("waitForInstancesStatus") == "UPDATED"
        start = time.monotonic()
        while True:
            status = cloud.call(f"compute.{self.collection}.get", **where)["status"]
            if status["isStable"] and (not updated or status["versionTarget"]["isReached"]):
                return
            waited = time.monotonic() - start
            reason = self._stuck(cloud, where) if waited > _PATIENCE_SECONDS else None
            if waited > _WAIT_SECONDS:
                reason = "timeout while waiting for the instances to be stable"
            if reason is not None:
                from simcloud.provider.servicer import CreatedButNotReadyError

                raise CreatedButNotReadyError(id, reason)
            time.sleep(0.2)

    def _stuck(self, cloud: GcpClient, where: dict[str, str]) -> str | None:
        """Why a member cannot be launched; None when nothing says so."""
        listed = cloud.call(f"compute.{self.collection}.listManagedInstances", **where)
        for member in listed.get("managedInstances", []):
            for error in member.get("lastAttempt", {}).get("errors", {}).get("errors", []):
                return f"{error['code']}: {error['message']}"
        return None

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = super().state(cloud, parts, item, known)
        policy = item.get("updatePolicy", {})
        for name in ("maxSurge", "maxUnavailable"):
            percent = policy.get(name, {}).get("percent")
            if percent is None:
                made["updatePolicy"].pop(f"{name}Percent", None)
        for version in made["versions"]:
            if not version.get("targetSize"):
                version.pop("targetSize", None)
        status = item["status"]
        made["statuses"] = [
            {
                "isStable": status["isStable"],
                "versionTargets": [{"isReached": status["versionTarget"]["isReached"]}],
                "allInstancesConfigs": [{"effective": True, "currentRevision": ""}],
                "statefuls": [
                    {"hasStatefulConfig": False, "perInstanceConfigs": [{"allEffective": True}]},
                ],
            }
        ]
        made["waitForInstances"] = bool(known.get("waitForInstances", False))
        made["waitForInstancesStatus"] = known.get("waitForInstancesStatus") or "STABLE"
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """One patch of the group; then wait, when the program asks for it."""
        parts = self.parse(cloud, id)
        place = self.place(cloud, {**new, self.scope: parts[self.scope]})
        before, after = self.body(old, place), self.body(new, place)
        body = {n: v for n, v in after.items() if before.get(n) != v and n != "name"}
        empty: dict[str, Any] = {
            "autoHealingPolicies": [],
            "namedPorts": [],
            "allInstancesConfig": {},
            "resourcePolicies": {},
        }
        body |= {n: v for n, v in empty.items() if n in before and n not in after}
        if body:
            item = self.fetch(cloud, parts) or {}
            body["fingerprint"] = item.get("fingerprint")
            cloud.change(f"compute.{self.collection}.patch", **self.address(parts), body=body)
        self._wait(cloud, id, new)


class RegionInstanceGroupManager(InstanceGroupManager):
    """A managed instance group of a region."""

    computed = frozenset(
        {"project", "region", "targetSize", "updatePolicy", "instanceLifecyclePolicy", "standbyPolicy"}
        | {"distributionPolicyZones", "distributionPolicyTargetShape"}
    )
    token = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
    scope = "region"
    collection = "regionInstanceGroupManagers"
    path = "projects/{project}/regions/{region}/instanceGroupManagers/{name}"
    replace_on = frozenset(
        {"name", "region", "project", "description", "baseInstanceName", "distributionPolicyZones", "params"}
    )
    sources = (PROVIDER + "compute_region_instance_group_manager",)
    fields = (
        *(f for f in _GROUP if f.name != "updatePolicy"),
        Field("updatePolicy", sub=(*_UPDATE, Field("instanceRedistributionType"))),
        Field("distributionPolicyTargetShape", "distributionPolicy.targetShape"),
    )
    unordered = frozenset({"namedPorts", "targetPools", "distributionPolicyZones"})
    changed_by_update = frozenset({"fingerprint", "statuses"})

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = super().state(cloud, parts, item, known)
        made["distributionPolicyZones"] = [last(z["zone"]) for z in item["distributionPolicy"]["zones"]]
        return made


class ResourcePolicy(ComputeType):
    """A placement, workload, snapshot or schedule policy."""

    computed = frozenset({"project", "region"})
    token = "gcp:compute/resourcePolicy:ResourcePolicy"
    auto_name = NAME
    scope = "region"
    collection = "resourcePolicies"
    argument = "resourcePolicy"
    replace_on = frozenset(
        {"name", "region", "project", "groupPlacementPolicy", "workloadPolicy", "diskConsistencyGroupPolicy"}
    )
    sources = (PROVIDER + "compute_resource_policy",)
    fields = (
        Field("name"),
        Field("description"),
        Field(
            "groupPlacementPolicy",
            sub=(
                Field("vmCount"),
                Field("availabilityDomainCount"),
                Field("collocation"),
                Field("maxDistance"),
                Field("gpuTopology"),
                Field("tpuTopology"),
            ),
        ),
        Field(
            "workloadPolicy",
            sub=(
                Field("type"),
                Field("acceleratorTopology"),
                Field("acceleratorTopologyMode"),
                Field("maxTopologyDistance"),
            ),
        ),
        Field("instanceSchedulePolicy"),
        Field("snapshotSchedulePolicy"),
        Field("diskConsistencyGroupPolicy"),
    )
    outputs = (Field("selfLink"),)

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Description and schedules change in place."""
        before, after = self.body(old, Place("")), self.body(new, Place(""))
        schedules = ("description", "snapshotSchedulePolicy", "instanceSchedulePolicy")
        body = {n: after[n] for n in schedules if n in after and after[n] != before.get(n)}
        if before.get("description") and "description" not in after:
            body["description"] = ""
        if body:
            cloud.change("compute.resourcePolicies.patch", **self.address(self.parse(cloud, id)), body=body)


_HTTP = (
    Field("host"),
    Field("port"),
    Field("portName"),
    Field("portSpecification"),
    Field("proxyHeader"),
    Field("requestPath"),
    Field("response"),
)
_TCP = (
    Field("port"),
    Field("portName"),
    Field("portSpecification"),
    Field("proxyHeader"),
    Field("request"),
    Field("response"),
)


class HealthCheck(ComputeType):
    """A global health check."""

    token = "gcp:compute/healthCheck:HealthCheck"
    auto_name = NAME
    collection = "healthChecks"
    argument = "healthCheck"
    defaults: ClassVar[Props] = {
        "checkIntervalSec": 5,
        "timeoutSec": 5,
        "healthyThreshold": 2,
        "unhealthyThreshold": 2,
    }
    replace_on = frozenset({"name", "project"})
    changed_by_update = frozenset({"type"})
    sources = (PROVIDER + "compute_health_check",)
    fields = (
        Field("name"),
        Field("description"),
        Field("checkIntervalSec"),
        Field("timeoutSec"),
        Field("healthyThreshold"),
        Field("unhealthyThreshold"),
        Field("sourceRegions"),
        Field("httpHealthCheck", sub=_HTTP),
        Field("httpsHealthCheck", sub=_HTTP),
        Field("http2HealthCheck", sub=_HTTP),
        Field("tcpHealthCheck", sub=_TCP),
        Field("sslHealthCheck", sub=_TCP),
        Field(
            "grpcHealthCheck",
            sub=(Field("port"), Field("portName"), Field("portSpecification"), Field("grpcServiceName")),
        ),
        Field("logConfig", sub=(Field("enable"),)),
    )
    outputs = (Field("selfLink"), Field("creationTimestamp"), Field("type"))

    def check(self, inputs: Props) -> list[Failure]:
        """A health check is of one kind."""
        found = super().check(inputs)
        kinds = [n for n in inputs if n.endswith("HealthCheck") and inputs[n] is not None]
        if len(kinds) > 1:
            found.append(Failure(sorted(kinds)[0], f"only one of `{','.join(sorted(kinds))}` can be specified"))
        return found

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """All but the name changes in place."""
        body = self.body(new, Place(""))
        body.pop("name")
        if old.get("description") and not new.get("description"):
            body["description"] = ""
        cloud.change("compute.healthChecks.patch", **self.address(self.parse(cloud, id)), body=body)


TYPES = (InstanceGroupManager, RegionInstanceGroupManager, ResourcePolicy, HealthCheck)
