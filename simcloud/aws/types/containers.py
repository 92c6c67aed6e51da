"""Containers: ECS, ECR and EKS.

Sources: ECS, ECR and EKS API references; `createOnlyProperties` of the registry schemas; the provider's documentation.
"""

from __future__ import annotations

import json
from typing import Any

from simcloud.aws.client import AwsClient
from simcloud.aws.types.base import REGIONAL, Props
from simcloud.aws.types.network import absent_is_none
from simcloud.aws.types.table import TableType
from simcloud.provider.model import AutoName

# ECS


class EcsCluster(TableType):
    """aws.ecs.Cluster."""

    token = "aws:ecs/cluster:Cluster"
    service = "ecs"
    auto_name = AutoName()
    creates, made = "CreateCluster", "cluster.clusterArn"
    reads, row, status = "DescribeClusters", "clusters.0", ("status", "INACTIVE")
    updates, deletes = ("UpdateCluster",), "DeleteCluster"
    named = {"cluster": "id", "clusters": "id"}
    renames = {"name": "clusterName", "arn": "clusterArn"}
    replace_on = frozenset({"region", "name"})
    computed = REGIONAL | {"settings"}
    unordered = frozenset({"settings"})
    sources = ("ECS API: CreateCluster, UpdateCluster", "AWS::ECS::Cluster createOnlyProperties")

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        more = {"include": ["TAGS", "SETTINGS", "CONFIGURATIONS"]} if "clusters" in shape.members else {}
        return {**super().target(shape, id, props), **more}


class ClusterCapacityProviders(TableType):
    """aws.ecs.ClusterCapacityProviders. Deleting it takes all providers off the cluster."""

    token = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
    service = "ecs"
    creates, id_form = "PutClusterCapacityProviders", "{clusterName}"
    reads, row, status = "DescribeClusters", "clusters.0", ("status", "INACTIVE")
    updates = ("PutClusterCapacityProviders",)
    named = {"cluster": "id", "clusters": "id"}
    renames = {
        "clusterName": "cluster|clusterName",
        "defaultCapacityProviderStrategies": "defaultCapacityProviderStrategy",
    }
    replace_on = frozenset({"region", "clusterName"})
    unordered = frozenset({"capacityProviders", "defaultCapacityProviderStrategies"})
    sources = ("ECS API: PutClusterCapacityProviders", "AWS::ECS::ClusterCapacityProviderAssociations")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {"capacityProviders": [], "defaultCapacityProviderStrategy": [], **asked}

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {"capacityProviders": [], "defaultCapacityProviderStrategy": [], **asked}

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(
            lambda: self.api(cloud, state).put_cluster_capacity_providers(
                cluster=id, capacityProviders=[], defaultCapacityProviderStrategy=[]
            )
        )


class CapacityProvider(TableType):
    """aws.ecs.CapacityProvider."""

    token = "aws:ecs/capacityProvider:CapacityProvider"
    service = "ecs"
    auto_name = AutoName()
    creates, made = "CreateCapacityProvider", "capacityProvider.capacityProviderArn"
    reads, row, status = "DescribeCapacityProviders", "capacityProviders.0", ("status", "INACTIVE")
    updates, deletes = ("UpdateCapacityProvider",), "DeleteCapacityProvider"
    named = {"capacityProvider": "id", "capacityProviders": "id", "name": "name"}
    renames = {"arn": "capacityProviderArn"}
    replace_on = frozenset({"region", "name", "cluster", "autoScalingGroupProvider.autoScalingGroupArn"})
    sources = ("ECS API: CreateCapacityProvider, UpdateCapacityProvider", "AWS::ECS::CapacityProvider")

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        more = {"include": ["TAGS"]} if "capacityProviders" in shape.members else {}
        return {**super().target(shape, id, props), **more}


class TaskDefinition(TableType):
    """aws.ecs.TaskDefinition: a revision. Everything but its tags replaces it."""

    token = "aws:ecs/taskDefinition:TaskDefinition"
    service = "ecs"
    creates, id_form = "RegisterTaskDefinition", "{family}"
    reads, row, status = "DescribeTaskDefinition", "taskDefinition", ("status", "INACTIVE")
    deletes = "DeregisterTaskDefinition"
    named = {"taskDefinition": "arn"}
    renames = {"arn": "taskDefinitionArn", "volumes": "", "containerDefinitions": ""}
    replace_on = frozenset(
        {
            "region",
            "containerDefinitions",
            "cpu",
            "enableFaultInjection",
            "ephemeralStorage",
            "executionRoleArn",
            "family",
            "ipcMode",
            "memory",
            "networkMode",
            "pidMode",
            "placementConstraints",
            "proxyConfiguration",
            "requiresCompatibilities",
            "runtimePlatform",
            "taskRoleArn",
            "volumes",
        }
    )
    computed = REGIONAL | {"networkMode", "enableFaultInjection"}
    defaults = {"skipDestroy": False, "trackLatest": False}
    unordered = frozenset({"requiresCompatibilities", "volumes", "placementConstraints"})
    provider_only = frozenset({"skipDestroy", "trackLatest", "enableFaultInjection"})
    shows = {"enableFaultInjection": False}
    sources = ("ECS API: RegisterTaskDefinition", "AWS::ECS::TaskDefinition createOnlyProperties")

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        found = {"taskDefinition": props.get("arn") or id}
        return {**found, "include": ["TAGS"]} if "include" in shape.members else found

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        shape = self.api(cloud, inputs).shape(self.creates).members["volumes"].member
        volumes = []
        for one in inputs.get("volumes") or ():
            volume = self.parameters(shape, {k: v for k, v in one.items() if k != "hostPath"})
            if one.get("hostPath"):
                volume["host"] = {"sourcePath": one["hostPath"]}
            volumes.append(volume)
        text = inputs["containerDefinitions"]
        containers = json.loads(text) if isinstance(text, str) else text
        return {**asked, "containerDefinitions": containers, **({"volumes": volumes} if volumes else {})}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["arnWithoutRevision"] = row["taskDefinitionArn"].rsplit(":", 1)[0]
        state["containerDefinitions"] = known.get("containerDefinitions") or json.dumps(row["containerDefinitions"])
        state["volumes"] = known.get("volumes") or [
            {
                "name": v["name"],
                **({"hostPath": v["host"]["sourcePath"]} if v.get("host", {}).get("sourcePath") else {}),
            }
            for v in row.get("volumes") or ()
        ]

    def state_of(self, cloud: AwsClient, id: str, row: dict[str, Any], known: Props) -> dict[str, Any]:
        answer = self.api(cloud, known).list_tags_for_resource(resourceArn=row["taskDefinitionArn"])
        return super().state_of(cloud, id, {**row, "tags": answer["tags"]}, known)


class EcsService(TableType):
    """aws.ecs.Service."""

    token = "aws:ecs/service:Service"
    service = "ecs"
    auto_name = AutoName()
    creates, made = "CreateService", "service.serviceArn"
    reads, row, status = "DescribeServices", "services.0", ("status", "INACTIVE")
    updates, deletes = ("UpdateService",), "DeleteService"
    named = {"cluster": "cluster", "services": "id", "service": "id"}
    renames = {
        "name": "serviceName",
        "arn": "serviceArn",
        "iamRole": "role|roleArn",
        "orderedPlacementStrategies": "placementStrategy",
        "networkConfiguration": "",
        "cluster": "cluster|clusterArn",
        "deploymentConfiguration": "",
        "serviceRegistries": "serviceRegistries",
        "capacityProviderStrategies": "capacityProviderStrategy",
        "enableEcsManagedTags": "enableECSManagedTags",
    }
    replace_on = frozenset(
        {
            "region",
            "cluster",
            "iamRole",
            "launchType",
            "name",
            "schedulingStrategy",
            "deploymentController.type",
        }
    )
    defaults = {
        "deploymentMaximumPercent": 200,
        "deploymentMinimumHealthyPercent": 100,
        "schedulingStrategy": "REPLICA",
        "enableEcsManagedTags": False,
        "enableExecuteCommand": False,
        "waitForSteadyState": False,
    }
    computed = REGIONAL | {
        "cluster",
        "iamRole",
        "launchType",
        "platformVersion",
        "availabilityZoneRebalancing",
        "triggers",
        "deploymentConfiguration",
    }
    unordered = frozenset({"loadBalancers", "capacityProviderStrategies", "placementConstraints"})
    provider_only = frozenset(
        {
            "deploymentMaximumPercent",
            "deploymentMinimumHealthyPercent",
            "deploymentCircuitBreaker",
            "forceDelete",
            "forceNewDeployment",
            "waitForSteadyState",
            "sigintRollback",
            "triggers",
            "alarms",
            "availabilityZoneRebalancing",
            "volumeConfiguration",
            "vpcLatticeConfigurations",
        }
    )
    sources = ("ECS API: CreateService, UpdateService, DeleteService", "AWS::ECS::Service createOnlyProperties")

    def _deployment(self, props: Props) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if props.get("schedulingStrategy") != "DAEMON" and props.get("deploymentMaximumPercent") is not None:
            found["maximumPercent"] = props["deploymentMaximumPercent"]
        if props.get("deploymentMinimumHealthyPercent") is not None:
            found["minimumHealthyPercent"] = props["deploymentMinimumHealthyPercent"]
        if props.get("deploymentCircuitBreaker"):
            found["deploymentCircuitBreaker"] = dict(props["deploymentCircuitBreaker"])
        return {"deploymentConfiguration": found} if found else {}

    def _network(self, props: Props) -> dict[str, Any]:
        said = props.get("networkConfiguration")
        if not said:
            return {}
        public = "ENABLED" if said.get("assignPublicIp") else "DISABLED"
        found = {"subnets": list(said["subnets"]), "assignPublicIp": public}
        if said.get("securityGroups"):
            found["securityGroups"] = list(said["securityGroups"])
        return {"networkConfiguration": {"awsvpcConfiguration": found}}

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        found = super().target(shape, id, props)
        if "cluster" not in found and "cluster" in shape.members and ":service/" in id:
            found["cluster"] = id.split(":service/")[1].split("/")[0]
        return {**found, "include": ["TAGS"]} if "include" in shape.members else found

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        if inputs.get("schedulingStrategy") == "DAEMON":
            asked.pop("desiredCount", None)
        elif "desiredCount" not in asked:
            asked["desiredCount"] = 0
        return {**asked, **self._network(inputs), **self._deployment(inputs)}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        asked: dict[str, Any] = {}
        if self._network(old) != self._network(new):
            asked |= self._network(new)
        if self._deployment(old) != self._deployment(new):
            asked |= self._deployment(new)
        if asked:
            api = self.api(cloud, new)
            api.update_service(**self.target(api.shape("UpdateService"), id, new), **asked)

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "force": bool(state.get("forceDelete"))}

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        if state.get("schedulingStrategy") != "DAEMON":
            target = self.target(api.shape("UpdateService"), id, state)
            absent_is_none(lambda: api.update_service(**target, desiredCount=0), "ServiceNotActiveException")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        if known.get("cluster"):
            state["cluster"] = known["cluster"]  # by name or by ARN: both are the same cluster
        said, live = known.get("taskDefinition"), row.get("taskDefinition")
        if (
            said
            and live
            and "/" in live
            and live.split("/")[-1].startswith(said.split(":")[0] + ":")
            and "/" not in said
        ):
            state["taskDefinition"] = said
        vpc = (row.get("networkConfiguration") or {}).get("awsvpcConfiguration")
        if vpc:
            state["networkConfiguration"] = {
                "subnets": vpc.get("subnets") or [],
                "securityGroups": vpc.get("securityGroups") or [],
                "assignPublicIp": vpc.get("assignPublicIp") == "ENABLED",
            }
        state["iamRole"] = known.get("iamRole") or ""


# ECR


class Repository(TableType):
    """aws.ecr.Repository."""

    token = "aws:ecr/repository:Repository"
    service = "ecr"
    auto_name = AutoName(max_length=256, lower=True)
    creates, made = "CreateRepository", "repository.repositoryName"
    reads, row, deletes = "DescribeRepositories", "repositories.0", "DeleteRepository"
    updates = ("PutImageScanningConfiguration", "PutImageTagMutability")
    named = {"repositoryName": "id", "repositoryNames": "id"}
    renames = {
        "name": "repositoryName",
        "arn": "repositoryArn",
        "repositoryUrl": "repositoryUri",
        "encryptionConfigurations": "encryptionConfiguration",
    }
    replace_on = frozenset({"region", "name", "encryptionConfigurations"})
    defaults = {"imageTagMutability": "MUTABLE"}
    computed = REGIONAL | {"imageScanningConfiguration", "encryptionConfigurations"}
    provider_only = frozenset({"forceDelete"})
    sources = ("ECR API: CreateRepository, PutImageTagMutability", "AWS::ECR::Repository createOnlyProperties")

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "force": bool(state.get("forceDelete"))}


class LifecyclePolicy(TableType):
    """aws.ecr.LifecyclePolicy."""

    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    service = "ecr"
    creates, id_form = "PutLifecyclePolicy", "{repository}"
    reads, deletes = "GetLifecyclePolicy", "DeleteLifecyclePolicy"
    updates = ("PutLifecyclePolicy",)
    named = {"repositoryName": "id"}
    renames = {"repository": "repositoryName", "policy": "lifecyclePolicyText"}
    documents = frozenset({"policy"})
    replace_on = frozenset({"region", "repository"})
    sources = ("ECR API: PutLifecyclePolicy, DeleteLifecyclePolicy",)


class RepositoryPolicy(TableType):
    """aws.ecr.RepositoryPolicy."""

    token = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    service = "ecr"
    creates, id_form = "SetRepositoryPolicy", "{repository}"
    reads, deletes = "GetRepositoryPolicy", "DeleteRepositoryPolicy"
    updates = ("SetRepositoryPolicy",)
    named = {"repositoryName": "id"}
    renames = {"repository": "repositoryName", "policy": "policyText"}
    documents = frozenset({"policy"})
    replace_on = frozenset({"region", "repository"})
    sources = ("ECR API: SetRepositoryPolicy, DeleteRepositoryPolicy",)


# EKS


class EksCluster(TableType):
    """aws.eks.Cluster."""

    token = "aws:eks/cluster:Cluster"
    service = "eks"
    auto_name = AutoName(max_length=100)
    creates, made = "CreateCluster", "cluster.name"
    reads, row, deletes = "DescribeCluster", "cluster", "DeleteCluster"
    named = {"name": "id"}
    renames = {
        "vpcConfig": "resourcesVpcConfig",
        "identities": "identity",
        "oidcs": "oidc",
        "enabledClusterLogTypes": "",
        "encryptionConfig": "encryptionConfig",
    }
    replace_on = frozenset(
        {
            "region",
            "name",
            "roleArn",
            "bootstrapSelfManagedAddons",
            "accessConfig.bootstrapClusterCreatorAdminPermissions",
            "encryptionConfig.resources",
            "kubernetesNetworkConfig.serviceIpv4Cidr",
            "kubernetesNetworkConfig.ipFamily",
            "outpostConfig",
        }
    )
    defaults = {"bootstrapSelfManagedAddons": True}
    computed = REGIONAL | {
        "accessConfig",
        "kubernetesNetworkConfig",
        "upgradePolicy",
        "version",
        "deletionProtection",
        "computeConfig",
        "storageConfig",
        "controlPlaneScalingConfig",
        "remoteNetworkConfig",
        "zonalShiftConfig",
        "kubeApiServerConfig",
        "kubeControllerManagerConfig",
        "kubeSchedulerConfig",
    }
    unordered = frozenset({"enabledClusterLogTypes", "defaultAddonsToRemoves"})
    provider_only = frozenset({"defaultAddonsToRemoves", "forceUpdateVersion", "deletionProtection"})
    sources = ("EKS API: CreateCluster, UpdateClusterConfig, UpdateClusterVersion", "AWS::EKS::Cluster")

    def _logging(self, props: Props) -> dict[str, Any]:
        on = list(props.get("enabledClusterLogTypes") or ())
        off = [k for k in ("api", "audit", "authenticator", "controllerManager", "scheduler") if k not in on]
        rows = [{"types": on, "enabled": True}] if on else []
        return {"clusterLogging": [*rows, {"types": off, "enabled": False}]} if off else {"clusterLogging": rows}

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        if inputs.get("enabledClusterLogTypes"):
            asked["logging"] = self._logging(inputs)
        return asked

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if new.get("version") and old.get("version") != new["version"]:
            api.update_cluster_version(name=id, version=str(new["version"]))
        if set(old.get("enabledClusterLogTypes") or ()) != set(new.get("enabledClusterLogTypes") or ()):
            api.update_cluster_config(name=id, logging=self._logging(new))
        was, now = old.get("vpcConfig") or {}, new.get("vpcConfig") or {}
        ours = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs", "subnetIds", "securityGroupIds")
        different = {n: now[n] for n in ours if now.get(n) is not None and now.get(n) != was.get(n)}
        if different:
            api.update_cluster_config(name=id, resourcesVpcConfig=different)
        mode = (new.get("accessConfig") or {}).get("authenticationMode")
        if mode and mode != (old.get("accessConfig") or {}).get("authenticationMode"):
            api.update_cluster_config(name=id, accessConfig={"authenticationMode": mode})

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        live = [
            kind
            for one in (row.get("logging") or {}).get("clusterLogging") or ()
            if one.get("enabled")
            for kind in one.get("types") or ()
        ]
        state["enabledClusterLogTypes"] = live or known.get("enabledClusterLogTypes")
        issuer = ((row.get("identity") or {}).get("oidc") or {}).get("issuer")
        state["identities"] = [{"oidcs": [{"issuer": issuer}]}] if issuer else []
        state["certificateAuthority"] = {"data": (row.get("certificateAuthority") or {}).get("data", "")}
        state["status"] = "ACTIVE"


class NodeGroup(TableType):
    """aws.eks.NodeGroup."""

    token = "aws:eks/nodeGroup:NodeGroup"
    service = "eks"
    auto_name = AutoName("nodeGroupName", max_length=63)
    creates, id_form = "CreateNodegroup", "{clusterName}:{nodeGroupName}"
    reads, row, deletes = "DescribeNodegroup", "nodegroup", "DeleteNodegroup"
    named = {"clusterName": "clusterName", "nodegroupName": "nodeGroupName"}
    renames = {
        "nodeRoleArn": "nodeRole",
        "subnetIds": "subnets",
        "arn": "nodegroupArn",
        "nodeGroupName": "nodegroupName",
    }
    replace_on = frozenset(
        {
            "region",
            "amiType",
            "capacityType",
            "clusterName",
            "diskSize",
            "instanceTypes",
            "nodeGroupName",
            "nodeGroupNamePrefix",
            "nodeRoleArn",
            "remoteAccess",
            "subnetIds",
            "launchTemplate.id",
            "launchTemplate.name",
        }
    )
    computed = REGIONAL | {
        "amiType",
        "capacityType",
        "diskSize",
        "instanceTypes",
        "nodeGroupNamePrefix",
        "releaseVersion",
        "updateConfig",
        "version",
        "nodeRepairConfig",
    }
    unordered = frozenset({"subnetIds", "taints"})
    provider_only = frozenset({"forceUpdateVersion"})
    shows = {"status": "ACTIVE"}
    sources = ("EKS API: CreateNodegroup, UpdateNodegroupConfig", "AWS::EKS::Nodegroup createOnlyProperties")

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api, where = self.api(cloud, new), {"clusterName": new["clusterName"], "nodegroupName": new["nodeGroupName"]}
        asked: dict[str, Any] = {}
        if old.get("scalingConfig") != new.get("scalingConfig"):
            asked["scalingConfig"] = dict(new["scalingConfig"])
        if new.get("updateConfig") and old.get("updateConfig") != new["updateConfig"]:
            asked["updateConfig"] = dict(new["updateConfig"])
        was, now = dict(old.get("labels") or {}), dict(new.get("labels") or {})
        if was != now:
            asked["labels"] = {
                "addOrUpdateLabels": {k: v for k, v in now.items() if was.get(k) != v},
                "removeLabels": [k for k in was if k not in now],
            }
        before, after = list(old.get("taints") or ()), list(new.get("taints") or ())
        if before != after:
            asked["taints"] = {
                "addOrUpdateTaints": [t for t in after if t not in before],
                "removeTaints": [t for t in before if t not in after],
            }
        if asked:
            api.update_nodegroup_config(**where, **asked)
        version: dict[str, Any] = {
            n: new[n] for n in ("version", "releaseVersion") if new.get(n) and new[n] != old.get(n)
        }
        if new.get("launchTemplate") and new["launchTemplate"] != old.get("launchTemplate"):
            version["launchTemplate"] = dict(new["launchTemplate"])
        if version:
            api.update_nodegroup_version(**where, **version)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["nodeGroupNamePrefix"] = known.get("nodeGroupNamePrefix") or ""
        groups = (row.get("resources") or {}).get("autoScalingGroups") or []
        state["resources"] = [
            {"autoscalingGroups": [{"name": g.get("name", "")} for g in groups], "remoteAccessSecurityGroupId": ""}
        ]


class Addon(TableType):
    """aws.eks.Addon."""

    token = "aws:eks/addon:Addon"
    service = "eks"
    creates, id_form = "CreateAddon", "{clusterName}:{addonName}"
    reads, row, deletes = "DescribeAddon", "addon", "DeleteAddon"
    updates = ("UpdateAddon",)
    named = {"clusterName": "clusterName", "addonName": "addonName"}
    renames = {"arn": "addonArn", "resolveConflictsOnCreate": "", "resolveConflictsOnUpdate": ""}
    replace_on = frozenset({"region", "addonName", "clusterName", "namespaceConfig"})
    computed = REGIONAL | {"addonVersion", "configurationValues"}
    provider_only = frozenset({"preserve", "podIdentityAssociations", "namespaceConfig"})
    changed_by_update = frozenset({"modifiedAt"})
    sources = ("EKS API: CreateAddon, UpdateAddon, DeleteAddon", "AWS::EKS::Addon createOnlyProperties")


class AccessEntry(TableType):
    """aws.eks.AccessEntry."""

    token = "aws:eks/accessEntry:AccessEntry"
    service = "eks"
    creates, id_form = "CreateAccessEntry", "{clusterName}:{principalArn}"
    reads, row, deletes = "DescribeAccessEntry", "accessEntry", "DeleteAccessEntry"
    updates = ("UpdateAccessEntry",)
    named = {"clusterName": "clusterName", "principalArn": "principalArn"}
    renames = {"userName": "username"}
    replace_on = frozenset({"region", "clusterName", "principalArn", "type"})
    defaults = {"type": "STANDARD"}
    computed = REGIONAL | {"kubernetesGroups", "userName"}
    unordered = frozenset({"kubernetesGroups"})
    tag_target = {"resourceArn": "accessEntryArn"}
    carried = frozenset({"tagsAll", "accessEntryArn"})
    changed_by_update = frozenset({"modifiedAt"})
    sources = ("EKS API: CreateAccessEntry, UpdateAccessEntry", "AWS::EKS::AccessEntry createOnlyProperties")


class AccessPolicyAssociation(TableType):
    """aws.eks.AccessPolicyAssociation."""

    token = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
    service = "eks"
    creates, id_form = "AssociateAccessPolicy", "{clusterName}#{principalArn}#{policyArn}"
    reads, row, deletes = "ListAssociatedAccessPolicies", "associatedAccessPolicies", "DisassociateAccessPolicy"
    named = {"clusterName": "clusterName", "principalArn": "principalArn", "policyArn": "policyArn"}
    replace_on = frozenset({"region", "clusterName", "policyArn", "principalArn", "accessScope"})
    sources = ("EKS API: AssociateAccessPolicy, DisassociateAccessPolicy",)

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if r["policyArn"] == id.rsplit("#", 1)[-1]), None)


class FargateProfile(TableType):
    """aws.eks.FargateProfile. Everything but its tags replaces it."""

    token = "aws:eks/fargateProfile:FargateProfile"
    service = "eks"
    auto_name = AutoName("fargateProfileName", max_length=63)
    creates, id_form = "CreateFargateProfile", "{clusterName}:{fargateProfileName}"
    reads, row, deletes = "DescribeFargateProfile", "fargateProfile", "DeleteFargateProfile"
    named = {"clusterName": "clusterName", "fargateProfileName": "fargateProfileName"}
    renames = {"subnetIds": "subnets", "arn": "fargateProfileArn"}
    replace_on = frozenset(
        {"region", "clusterName", "fargateProfileName", "podExecutionRoleArn", "selectors", "subnetIds"}
    )
    unordered = frozenset({"subnetIds", "selectors"})
    shows = {"status": "ACTIVE"}
    sources = ("EKS API: CreateFargateProfile", "AWS::EKS::FargateProfile createOnlyProperties")


class PodIdentityAssociation(TableType):
    """aws.eks.PodIdentityAssociation."""

    token = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    service = "eks"
    creates, made = "CreatePodIdentityAssociation", "association.associationId"
    reads, row, deletes = "DescribePodIdentityAssociation", "association", "DeletePodIdentityAssociation"
    updates = ("UpdatePodIdentityAssociation",)
    named = {"clusterName": "clusterName", "associationId": "id"}
    replace_on = frozenset({"region", "clusterName", "namespace", "serviceAccount"})
    computed = REGIONAL | {"disableSessionTags"}
    tag_target = {"resourceArn": "associationArn"}
    carried = frozenset({"tagsAll", "associationArn"})
    sources = ("EKS API: CreatePodIdentityAssociation", "AWS::EKS::PodIdentityAssociation createOnlyProperties")


TYPES = (
    EcsCluster,
    ClusterCapacityProviders,
    CapacityProvider,
    TaskDefinition,
    EcsService,
    Repository,
    LifecyclePolicy,
    RepositoryPolicy,
    EksCluster,
    NodeGroup,
    Addon,
    AccessEntry,
    AccessPolicyAssociation,
    FargateProfile,
    PodIdentityAssociation,
)
