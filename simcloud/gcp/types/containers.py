"""GKE: clusters and node pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simcloud.gcp import facts
from simcloud.gcp.client import GcpClient
from simcloud.gcp.documents import document
from simcloud.gcp.types.base import PROVIDER, differs, last, relative
from simcloud.gcp.types.codec import plain
from simcloud.gcp.types.table import Table
from simcloud.provider.model import AutoName, CloudError, Failure, Props

_NODE = {
    "guestAccelerators": "accelerators",
    "guestAccelerators.type": "acceleratorType",
    "guestAccelerators.count": "acceleratorCount",
    "loggingVariant": "loggingConfig.variantConfig.variant",
    "sandboxConfig.sandboxType": "type",
    "taints": "taints",
    "resourceManagerTags": "resourceManagerTags.tags",
}
_NODE_REPLACES = frozenset(
    f"nodeConfig.{n}"
    for n in (
        *("advancedMachineFeatures", "bootDiskKmsKey", "enableConfidentialStorage", "ephemeralStorageLocalSsdConfig"),
        *("flexStart", "guestAccelerators", "hostMaintenancePolicy", "localNvmeSsdBlockConfig", "localSsdCount"),
        *("localSsdEncryptionMode", "maxRunDuration", "metadata", "minCpuPlatform", "nodeGroup", "oauthScopes"),
        *("preemptible", "reservationAffinity", "sandboxConfig", "secondaryBootDisks", "serviceAccount"),
        *("shieldedInstanceConfig", "soleTenantConfig", "spot", "confidentialNodes.confidentialInstanceType"),
    )
)
"""What of a node's configuration makes a new pool, or a new cluster."""
_NODE_UNORDERED = frozenset({"nodeConfig.oauthScopes", "nodeConfig.reservationAffinity.values"})
_NODE_FILLED = frozenset(
    f"nodeConfig.{n}"
    for n in (
        *("confidentialNodes", "diskSizeGb", "diskType", "effectiveTaints", "guestAccelerators", "imageType"),
        *("guestAccelerators.gpuDriverInstallationConfig", "kubeletConfig", "labels", "linuxNodeConfig"),
        *("localSsdCount", "machineType", "metadata", "minCpuPlatform", "oauthScopes", "serviceAccount"),
        *("shieldedInstanceConfig", "windowsNodeConfig", "workloadMetadataConfig"),
    )
)
"""What the service fills in of a node's configuration."""
_NODE_CHECKED = frozenset(
    f"nodeConfig.{n}"
    for n in (
        *("taints.effect", "workloadMetadataConfig.mode", "reservationAffinity.consumeReservationType"),
        *("guestAccelerators.gpuDriverInstallationConfig.gpuDriverVersion", "localSsdEncryptionMode"),
        *("confidentialNodes.confidentialInstanceType", "linuxNodeConfig.cgroupMode", "sandboxConfig.type"),
    )
)
_NODE_KEPT = ("effectiveTaints", "hostMaintenancePolicy")


def _node(prefix: str) -> dict[str, str]:
    return {f"{prefix}.{name}": api for name, api in _NODE.items()}


_POOL = {
    "nodeConfig": "config",
    **_node("nodeConfig"),
    "maxPodsPerNode": "maxPodsConstraint.maxPodsPerNode",
    "nodeLocations": "locations",
    "placementPolicy.tpuTopology": "tpuTopology",
    "queuedProvisioning.enabled": "enabled",
}


def _pool_body(body: dict[str, Any], inputs: Props) -> dict[str, Any]:
    """What a pool's body has beside the tables."""
    if inputs.get("autoscaling") is not None:
        body["autoscaling"] = {"enabled": True, **body.get("autoscaling", {})}
    count = inputs.get("initialNodeCount")
    if count is None:
        count = inputs.get("nodeCount")
    scaling = inputs.get("autoscaling") or {}
    if count is None:
        count = scaling.get("minNodeCount") or 0 if scaling else 0
    body["initialNodeCount"] = plain(count)
    return body


class NodePool(Table):
    """A node pool."""

    token = "gcp:container/nodePool:NodePool"
    methods = "container.projects.locations.clusters.nodePools"
    schema = "NodePool"
    wrapped = "nodePool"
    auto_name = AutoName(max_length=40, lower=True)
    renamed: ClassVar[Mapping[str, str]] = _POOL
    kept = frozenset(
        {"nodeCount", "namePrefix", "nodeDrainConfigs", "initialNodeCount"} | {f"nodeConfig.{n}" for n in _NODE_KEPT}
    )
    computed = frozenset({"placementPolicy", "queuedProvisioning"})
    changed_by_update = frozenset({"instanceGroupUrls", "managedInstanceGroupUrls", "operation"})
    path = "projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}"
    replace_on = (
        _NODE_REPLACES
        | {"maxPodsPerNode", "namePrefix", "placementPolicy.policyName", "queuedProvisioning"}
        | {
            f"networkConfig.{n}"
            for n in (
                *("acceleratorNetworkProfile", "additionalNodeNetworkConfigs", "additionalPodNetworkConfigs"),
                *("createPodRange", "podIpv4CidrBlock", "podRange", "subnetwork"),
            )
        }
    )
    replace_block = frozenset({"placementPolicy", "networkConfig.podCidrOverprovisionConfig"})
    unordered = _NODE_UNORDERED | {"nodeLocations"}
    inner_computed = _NODE_FILLED | {
        *("autoscaling.locationPolicy", "upgradeSettings.maxSurge", "upgradeSettings.maxUnavailable"),
        *(f"networkConfig.{n}" for n in ("enablePrivateNodes", "podIpv4CidrBlock", "podRange", "subnetwork")),
    }
    checked = _NODE_CHECKED | {"autoscaling.locationPolicy", "upgradeSettings.strategy"}
    sources = (PROVIDER + "container_node_pool",)

    def parts_of(self, cloud: GcpClient, inputs: Props) -> dict[str, str]:
        """See Table. The cluster may be given by its id, which holds project and location."""
        path = relative(str(inputs["cluster"])).split("/")
        if len(path) == 6:
            own = {"project": path[1], "location": path[3], "cluster": path[5]}
            return super().parts_of(cloud, {**own, "name": inputs.get("name")})
        return super().parts_of(cloud, inputs)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        return {**_pool_body(body, inputs), "name": parts["name"]}

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table. Groups are told by their managers and by themselves."""
        count = int(item.get("initialNodeCount") or 0)
        made |= {
            "nodeCount": count,
            "initialNodeCount": known.get("initialNodeCount") if known.get("initialNodeCount") is not None else count,
            "managedInstanceGroupUrls": [
                u.replace("/instanceGroupManagers/", "/instanceGroups/") for u in item.get("instanceGroupUrls", [])
            ],
            "operation": "",
        }
        if not item.get("autoscaling", {}).get("enabled"):
            made.pop("autoscaling", None)
        if known.get("cluster"):
            made["cluster"] = known["cluster"] if last(str(known["cluster"])) == parts["cluster"] else parts["cluster"]
        return made

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """The number of nodes is the cloud's."""
        made = super().state(cloud, parts, item, known)
        return {**made, "nodeCount": int(item.get("initialNodeCount") or 0)}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Each kind of change is a call of its own."""
        parts = self.parse(cloud, id)
        name = self._name(parts)
        after = self.make(cloud, new, dict(parts))
        if differs(old, new, "autoscaling"):
            body = {"autoscaling": after.get("autoscaling") or {"enabled": False}}
            cloud.change(f"{self.methods}.setAutoscaling", name=name, body=body)
        if differs(old, new, "nodeCount") and new.get("nodeCount") is not None:
            cloud.change(f"{self.methods}.setSize", name=name, body={"nodeCount": plain(new["nodeCount"])})
        if differs(old, new, "management"):
            body = {"management": after.get("management") or {}}
            cloud.change(f"{self.methods}.setManagement", name=name, body=body)
        body = {}
        if differs(old, new, "version") and new.get("version"):
            body["nodeVersion"] = new["version"]
        for prop, member in (("nodeLocations", "locations"), ("upgradeSettings", "upgradeSettings")):
            if differs(old, new, prop) and after.get(member) is not None:
                body[member] = after[member]
        body |= _node_changes(old, new, after.get("config", {}))
        if body:
            cloud.change(f"{self.methods}.update", name=name, body=body)


def _node_changes(old: Props, new: Props, config: Mapping[str, Any]) -> dict[str, Any]:
    """The members of an update request for what changed in a node configuration."""
    before, after = plain(old.get("nodeConfig") or {}), plain(new.get("nodeConfig") or {})
    wrapped = {"labels": "labels", "resourceLabels": "labels", "taints": "taints", "tags": "tags"}
    made: dict[str, Any] = {}
    for member in document("container")["schemas"]["UpdateNodePoolRequest"]["properties"]:
        prop = {"accelerators": "guestAccelerators", "loggingConfig": "loggingVariant"}.get(member, member)
        if before.get(prop) == after.get(prop):
            continue
        if member in wrapped:
            empty: Any = {} if wrapped[member] == "labels" else []
            made[member] = {wrapped[member]: config.get(member, empty)}
        elif member in config:
            made[member] = config[member]
    return made


_NOT_WITH_AUTOPILOT = (
    *("defaultMaxPodsPerNode", "enableIntranodeVisibility", "enableShieldedNodes", "networkPolicy", "nodePools"),
    "removeDefaultNodePool",
)


class Cluster(Table):
    """A cluster."""

    token = "gcp:container/cluster:Cluster"
    methods = "container.projects.locations.clusters"
    schema = "Cluster"
    wrapped = "cluster"
    auto_name = AutoName(max_length=40, lower=True)
    label_member = "resourceLabels"
    renamed: ClassVar[Mapping[str, str]] = {
        "enableAutopilot": "autopilot.enabled",
        "enableLegacyAbac": "legacyAbac.enabled",
        "enableShieldedNodes": "shieldedNodes.enabled",
        "defaultMaxPodsPerNode": "defaultMaxPodsConstraint.maxPodsPerNode",
        "datapathProvider": "networkConfig.datapathProvider",
        "enableIntranodeVisibility": "networkConfig.enableIntraNodeVisibility",
        "dnsConfig": "networkConfig.dnsConfig",
        "gatewayApiConfig": "networkConfig.gatewayApiConfig",
        "serviceExternalIpsConfig": "networkConfig.serviceExternalIpsConfig",
        "defaultSnatStatus": "networkConfig.defaultSnatStatus",
        "enableMultiNetworking": "networkConfig.enableMultiNetworking",
        "enableL4IlbSubsetting": "networkConfig.enableL4ilbSubsetting",
        "privateIpv6GoogleAccess": "networkConfig.privateIpv6GoogleAccess",
        "clusterAutoscaling": "autoscaling",
        "clusterAutoscaling.enabled": "enableNodeAutoprovisioning",
        "clusterAutoscaling.autoProvisioningDefaults": "autoprovisioningNodePoolDefaults",
        "clusterAutoscaling.autoProvisioningDefaults.diskSize": "diskSizeGb",
        "loggingConfig.enableComponents": "componentConfig.enableComponents",
        "monitoringConfig.enableComponents": "componentConfig.enableComponents",
        "monitoringConfig.managedPrometheus": "managedPrometheusConfig",
        "ipAllocationPolicy.stackType": "stackType",
        "minMasterVersion": "initialClusterVersion",
        "masterVersion": "currentMasterVersion",
        "servicesIpv4Cidr": "servicesIpv4Cidr",
        **_node("nodeConfig"),
        **{f"nodePools.{k}": v for k, v in _POOL.items()},
    }
    kept = frozenset(
        {"removeDefaultNodePool", "deletionProtection", "networkingMode", "allowNetAdmin", "nodeVersion", "nodePools"}
        | {"minMasterVersion", "nodeLocations", "maintenancePolicy", "network", "subnetwork", "initialNodeCount"}
        | {f"nodeConfig.{n}" for n in _NODE_KEPT}
        | {"ipAllocationPolicy.stackType", "ipAllocationPolicy.additionalIpRangesConfigs", "resourceLabels"}
        | {"ipAllocationPolicy.additionalPodRangesConfig", "ipAllocationPolicy.podCidrOverprovisionConfig"}
    )
    computed = frozenset({"binaryAuthorization", "dnsConfig", "maintenancePolicy", "minMasterVersion"}) | {
        *("networkPolicy", "secretManagerConfig"),
    }
    changed_by_update = frozenset({"masterVersion", "operation"})
    path = "projects/{project}/locations/{location}/clusters/{name}"
    defaults: ClassVar[Props] = {
        "networkingMode": "VPC_NATIVE",
        "deletionProtection": True,
        "network": "default",
        "allowNetAdmin": None,
        "enableAutopilot": None,
        "enableKubernetesAlpha": False,
        "enableMultiNetworking": False,
        "enableFqdnNetworkPolicy": False,
        "enableCiliumClusterwideNetworkPolicy": False,
        "disableL4LbFirewallReconciliation": False,
    }
    replace_on = _NODE_REPLACES | {
        *("clusterIpv4Cidr", "confidentialNodes", "datapathProvider", "defaultMaxPodsPerNode", "description"),
        *("enableAutopilot", "enableKubernetesAlpha", "enableTpu", "initialNodeCount", "network", "networkingMode"),
        *("subnetwork", "masterAuth.clientCertificateConfig", "privateClusterConfig.masterIpv4CidrBlock"),
        *("privateClusterConfig.privateEndpointSubnetwork", "ipAllocationPolicy.clusterIpv4CidrBlock"),
        *("ipAllocationPolicy.clusterSecondaryRangeName", "ipAllocationPolicy.servicesIpv4CidrBlock"),
        *("ipAllocationPolicy.servicesSecondaryRangeName", "userManagedKeysConfig.aggregationCa"),
        *("clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey", "userManagedKeysConfig.clusterCa"),
        *("userManagedKeysConfig.etcdApiCa", "userManagedKeysConfig.etcdPeerCa"),
    }
    replace_block = frozenset({"ipAllocationPolicy", "ipAllocationPolicy.podCidrOverprovisionConfig"})
    exclusive = (
        ("clusterIpv4Cidr", "ipAllocationPolicy"),
        *(("enableAutopilot", other) for other in _NOT_WITH_AUTOPILOT),
    )
    unordered = _NODE_UNORDERED | {
        *("nodeLocations", "loggingConfig.enableComponents", "monitoringConfig.enableComponents"),
        "enableK8sBetaApis.enabledApis",
    }
    inner_computed = _NODE_FILLED | {
        *(f"masterAuth.{n}" for n in ("clientCertificate", "clientKey", "clusterCaCertificate")),
        *(f"privateClusterConfig.{n}" for n in ("peeringName", "privateEndpoint", "publicEndpoint")),
        *("privateClusterConfig.masterIpv4CidrBlock", "privateClusterConfig.masterGlobalAccessConfig"),
        *(f"ipAllocationPolicy.{n}" for n in ("clusterIpv4CidrBlock", "clusterSecondaryRangeName")),
        *(f"ipAllocationPolicy.{n}" for n in ("servicesIpv4CidrBlock", "servicesSecondaryRangeName")),
        *(
            "clusterAutoscaling.autoProvisioningDefaults",
            "clusterAutoscaling.resourceLimits",
            "clusterAutoscaling.enabled",
        ),
        *("controlPlaneEndpointsConfig.dnsEndpointConfig", "controlPlaneEndpointsConfig.ipEndpointsConfig"),
        *("maintenancePolicy.dailyMaintenanceWindow.duration", "fleet.membership", "monitoringConfig.enableComponents"),
        *(
            "monitoringConfig.managedPrometheus",
            "securityPostureConfig.mode",
            "securityPostureConfig.vulnerabilityMode",
        ),
        *(f"addonsConfig.{n}" for n in ("gcePersistentDiskCsiDriverConfig", "gcpFilestoreCsiDriverConfig")),
        *(f"addonsConfig.{n}" for n in ("gcsFuseCsiDriverConfig", "parallelstoreCsiDriverConfig", "dnsCacheConfig")),
        *(f"addonsConfig.{n}" for n in ("horizontalPodAutoscaling", "httpLoadBalancing", "networkPolicyConfig")),
    }
    checked = _NODE_CHECKED | {
        *("binaryAuthorization.evaluationMode", "clusterAutoscaling.autoscalingProfile", "databaseEncryption.state"),
        *("datapathProvider", "dnsConfig.clusterDns", "dnsConfig.clusterDnsScope", "gatewayApiConfig.channel"),
        *("networkPolicy.provider", "releaseChannel.channel"),
        *("securityPostureConfig.mode", "securityPostureConfig.vulnerabilityMode"),
    }
    sources = (PROVIDER + "container_cluster",)

    def check(self, inputs: Props) -> list[Failure]:
        """Pools of its own leave no room for a configuration of the first one; a network is of one of two modes."""
        found = super().check(inputs)
        mode = inputs.get("networkingMode")
        if mode not in (None, "VPC_NATIVE", "ROUTES"):
            found.append(Failure("networkingMode", f"expected networkingMode to be VPC_NATIVE or ROUTES, got {mode}"))
        if inputs.get("nodePools") and inputs.get("nodeConfig"):
            found.append(Failure("nodeConfig", '"node_config": conflicts with node_pool'))
        return found

    def _zones(self, parts: Mapping[str, str], given: Any) -> list[str]:
        zones = [last(str(z)) for z in given or []]
        return sorted({*zones, parts["location"]}) if facts.zone_exists(parts["location"]) else zones

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        body["name"] = parts["name"]
        for name, collection in (("network", "networks"), ("subnetwork", "subnetworks")):
            if inputs.get(name):
                value = relative(str(inputs[name]))
                region = (
                    facts.region_of(parts["location"]) if facts.zone_exists(parts["location"]) else parts["location"]
                )
                where = "global" if name == "network" else f"regions/{region}"
                body[name] = value if "/" in value else f"projects/{parts['project']}/{where}/{collection}/{value}"
        if inputs.get("nodeLocations"):
            body["locations"] = self._zones(parts, inputs["nodeLocations"])
        if inputs.get("minMasterVersion"):
            body["initialClusterVersion"] = inputs["minMasterVersion"]
        if inputs.get("masterAuthorizedNetworksConfig") is not None:
            body.setdefault("masterAuthorizedNetworksConfig", {})["enabled"] = True
        if inputs.get("maintenancePolicy"):
            body["maintenancePolicy"] = {"window": _window(plain(inputs["maintenancePolicy"]))}
        if inputs.get("initialNodeCount") is not None:
            body["initialNodeCount"] = plain(inputs["initialNodeCount"])
        if inputs.get("nodePools"):
            pool = _Pools()
            body["nodePools"] = [pool.body_of(cloud, p, parts) for p in inputs["nodePools"]]
        if not inputs.get("enableAutopilot"):
            body.pop("autopilot", None)
        return body

    def make(self, cloud: GcpClient, inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. Labels are the cluster's resource labels."""
        body = super().make(cloud, inputs, parts)
        labels = {**cloud.default_labels, **(inputs.get("resourceLabels") or {})}
        if labels:
            body["resourceLabels"] = labels
        return body

    def merged(self, cloud: GcpClient, inputs: Props) -> dict[str, str]:
        """See GcpType."""
        return {**cloud.default_labels, **dict(inputs.get("resourceLabels") or {})}

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. The first pool goes again when the program says so."""
        id = super().create(cloud, inputs)
        if inputs.get("removeDefaultNodePool"):
            cloud.change(f"{self.methods}.nodePools.delete", name=f"{id}/nodePools/default-pool")
        return id

    def _labels(self, cloud: GcpClient, actual: dict[str, str], known: Props) -> dict[str, Any]:
        found = super()._labels(cloud, actual, {**known, "labels": known.get("resourceLabels")} if known else known)
        mine = found.pop("labels", None)
        return {**found, **({"resourceLabels": mine} if mine is not None else {})}

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        net = item["networkConfig"]
        zones = [z for z in item["locations"] if z != parts["location"]]
        pools = _Pools()
        made |= {
            "network": known.get("network") if last(str(known.get("network"))) == item["network"] else net["network"],
            "subnetwork": known.get("subnetwork")
            if last(str(known.get("subnetwork"))) == item["subnetwork"]
            else net["subnetwork"],
            "nodeLocations": known.get("nodeLocations")
            if set(known.get("nodeLocations") or ()) == set(zones)
            else zones,
            "nodeVersion": item["nodePools"][0]["version"] if item["nodePools"] else item["currentMasterVersion"],
            "nodePools": [pools.state_of(cloud, p, parts) for p in item["nodePools"]],
            "initialNodeCount": known.get("initialNodeCount") or item.get("initialNodeCount", 0),
            "tpuIpv4CidrBlock": item.get("tpuIpv4CidrBlock", ""),
            "operation": "",
            "endpoint": item["endpoint"],
            "selfLink": item["selfLink"],
            "enableAutopilot": bool(item.get("autopilot", {}).get("enabled")),
            "enableLegacyAbac": bool(item.get("legacyAbac", {}).get("enabled")),
            "networkingMode": "VPC_NATIVE" if item["ipAllocationPolicy"].get("useIpAliases") else "ROUTES",
        }
        if item.get("minMasterVersion"):
            made["minMasterVersion"] = item["minMasterVersion"]
        policy = made.get("ipAllocationPolicy", {})
        policy["stackType"] = item["ipAllocationPolicy"]["stackType"]
        given = known.get("ipAllocationPolicy") or {}
        for name in ("clusterIpv4CidrBlock", "servicesIpv4CidrBlock"):
            # A netmask alone stands for the block that the cloud chose.
            if str(given.get(name) or "").startswith("/"):
                policy[name] = given[name]
        made["ipAllocationPolicy"] = policy
        policies = item.get("maintenancePolicy", {}).get("window")
        if policies:
            made["maintenancePolicy"] = known.get("maintenancePolicy") or _unwindow(policies)
        for block in ("masterAuthorizedNetworksConfig", "resourceUsageExportConfig", "workloadIdentityConfig"):
            if not item.get(block):
                made.pop(block, None)
        return made

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType. Pools that the program did not give are told as outputs."""
        made = self.decode(cloud, super().state(cloud, parts, item, known), item, known, parts)
        if known.get("minMasterVersion"):
            made["minMasterVersion"] = known["minMasterVersion"]
        wanted = known.get("nodeVersion")
        if wanted and str(made["nodeVersion"]).startswith(str(wanted)):
            made["nodeVersion"] = wanted
        made.pop("resourceLabels", None)
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Each kind of change is a call of its own; most say what is desired."""
        parts = self.parse(cloud, id)
        name = self._name(parts)
        before, after = self.make(cloud, old, dict(parts)), self.make(cloud, new, dict(parts))
        changed = {m for m in {*before, *after} if before.get(m) != after.get(m)}
        changed.discard("name")
        if "resourceLabels" in changed or self.outdated(cloud, old, new):
            changed.discard("resourceLabels")
            item = self.fetch(cloud, parts) or {}
            labels = self.relabelled(
                item.get("resourceLabels", {}),
                cloud,
                {**old, "labels": old.get("resourceLabels")},
                {**new, "labels": new.get("resourceLabels")},
            )
            body = {"resourceLabels": labels, "labelFingerprint": item.get("labelFingerprint")}
            cloud.change(f"{self.methods}.setResourceLabels", name=name, body=body)
        for member in sorted(changed):
            self._change(cloud, name, member, before, after)
        if differs(old, new, "nodeVersion") and new.get("nodeVersion"):
            body = {"update": {"desiredNodeVersion": new["nodeVersion"]}}
            cloud.change(f"{self.methods}.update", name=name, body=body)
        if differs(old, new, "removeDefaultNodePool") and new.get("removeDefaultNodePool"):
            pool = f"{name}/nodePools/default-pool"
            if cloud.find(f"{self.methods}.nodePools.get", name=pool):
                cloud.change(f"{self.methods}.nodePools.delete", name=pool)

    def _change(self, cloud: GcpClient, name: str, member: str, before: Props, after: Props) -> None:
        value = after.get(member)
        if member in ("maintenancePolicy", "networkPolicy"):
            verb = f"set{member[0].upper()}{member[1:]}"
            cloud.change(f"{self.methods}.{verb}", name=name, body={member: value or {}})
        elif member == "legacyAbac":
            cloud.change(f"{self.methods}.setLegacyAbac", name=name, body=value or {"enabled": False})
        elif member == "initialClusterVersion":
            self._desire(cloud, name, "desiredMasterVersion", value)
        elif member == "nodeConfig":
            changes = _node_changes({"nodeConfig": before.get(member)}, {"nodeConfig": value}, value or {})
            if changes:
                pool = f"{name}/nodePools/default-pool"
                cloud.change(f"{self.methods}.nodePools.update", name=pool, body=changes)
        elif member == "networkConfig":
            old, new = before.get(member) or {}, value or {}
            for inner in sorted({*old, *new}):
                if old.get(inner) != new.get(inner):
                    desired = {"enableIntraNodeVisibility": "desiredIntraNodeVisibilityConfig"}.get(inner)
                    flag = {"enabled": bool(new.get(inner))} if desired else new.get(inner)
                    self._desire(cloud, name, desired or f"desired{inner[0].upper()}{inner[1:]}", flag)
        elif member == "nodePools":
            self._pools(cloud, name, before.get(member) or [], value or [])
        else:
            special = {"autoscaling": "desiredClusterAutoscaling"}
            self._desire(cloud, name, special.get(member) or f"desired{member[0].upper()}{member[1:]}", value)

    def _pools(self, cloud: GcpClient, name: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
        have, want = {p["name"]: p for p in old}, {p["name"]: p for p in new}
        for gone in sorted(have.keys() - want.keys()):
            cloud.change(f"{self.methods}.nodePools.delete", name=f"{name}/nodePools/{gone}")
        for fresh in sorted(want.keys() - have.keys()):
            cloud.change(f"{self.methods}.nodePools.create", parent=name, body={"nodePool": want[fresh]})
        for both in sorted(want.keys() & have.keys()):
            if have[both].get("initialNodeCount") != want[both].get("initialNodeCount"):
                body = {"nodeCount": want[both].get("initialNodeCount", 0)}
                cloud.change(f"{self.methods}.nodePools.setSize", name=f"{name}/nodePools/{both}", body=body)

    def _desire(self, cloud: GcpClient, name: str, member: str, value: Any) -> None:
        schema = document("container")["schemas"]["ClusterUpdate"]["properties"]
        if member not in schema:
            raise CloudError("invalid", self.token, f"no update of a cluster has {member}")
        empty: Any = "" if schema[member].get("type") == "string" else {}
        body = {"update": {member: value if value is not None else empty}}
        cloud.change(f"{self.methods}.update", name=name, body=body)


class _Pools:
    """Pools that stand inside a cluster, by the table of node pools."""

    def __init__(self) -> None:
        self._kind = NodePool()

    def body_of(self, cloud: GcpClient, pool: Props, parts: Mapping[str, str]) -> dict[str, Any]:
        where = {"project": parts["project"], "location": parts["location"], "cluster": parts["name"]}
        return self._kind.make(cloud, pool, {**where, "name": str(pool.get("name") or "")})

    def state_of(self, cloud: GcpClient, item: dict[str, Any], parts: Mapping[str, str]) -> dict[str, Any]:
        where = {"project": parts["project"], "location": parts["location"], "cluster": parts["name"]}
        made = self._kind.state(cloud, {**where, "name": item["name"]}, item, {})
        apart = ("project", "location", "cluster", "operation", "deletionPolicy")
        return {k: v for k, v in made.items() if k not in apart}


def _window(policy: dict[str, Any]) -> dict[str, Any]:
    """A maintenance policy's window in the API's shape."""
    made: dict[str, Any] = {}
    if policy.get("dailyMaintenanceWindow"):
        made["dailyMaintenanceWindow"] = {"startTime": policy["dailyMaintenanceWindow"]["startTime"]}
    if policy.get("recurringWindow"):
        window = policy["recurringWindow"]
        times = {"startTime": window["startTime"], "endTime": window["endTime"]}
        made["recurringWindow"] = {"window": times, "recurrence": window["recurrence"]}
    for entry in policy.get("maintenanceExclusions") or []:
        made.setdefault("maintenanceExclusions", {})[entry["exclusionName"]] = {
            "startTime": entry["startTime"],
            "endTime": entry.get("endTime"),
        }
    return made


def _unwindow(window: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if window.get("dailyMaintenanceWindow"):
        made["dailyMaintenanceWindow"] = dict(window["dailyMaintenanceWindow"])
    if window.get("recurringWindow"):
        inner = window["recurringWindow"]
        made["recurringWindow"] = {**inner["window"], "recurrence": inner["recurrence"]}
    return made


TYPES = (Cluster, NodePool)
