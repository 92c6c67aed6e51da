"""Google Kubernetes Engine: clusters and node pools. Nothing runs in them; a pool's instance groups are real ones."""

from __future__ import annotations

import base64
import copy
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, fingerprint, handles
from simcloud.gcp.compute import disks
from simcloud.gcp.compute.base import last, link
from simcloud.gcp.errors import Refusal, rule
from simcloud.gcp.kinds import Kind, answer, check_labels, declare, digest, found, operations, things, wrong
from simcloud.gcp.managed.common import account, key, network

_GKE = "docs.cloud.google.com/kubernetes-engine/docs"
PLACE = rule("gke.location", "a cluster's location is a region or a zone, its nodes' zones lie in it", _GKE, ours=True)
VERSION = rule("gke.version", "a version is offered", _GKE + "/concepts/versioning", ours=True)
NODES = rule(
    "gke.nodes",
    "a cluster has an initial node count or node pools, not both; a pool at most 1000 a zone",
    _GKE,
    ours=True,
)
MACHINE = rule(
    "gke.machine",
    "a pool's machine type, disk and image exist in its zones",
    _GKE + "/how-to/node-pools",
    ours=True,
)
CARDS = rule(
    "gke.accelerators",
    "a pool's accelerators are offered in its zones and fit its machines",
    _GKE + "/how-to/gpus",
    ours=True,
)
TPU = rule(
    "gke.tpu",
    "a TPU pool has the topology of a slice and as many nodes as it has hosts",
    _GKE + "/how-to/tpus",
    ours=True,
)
SCALING = rule(
    "gke.autoscaling", "a pool's minimum is at most its maximum", _GKE + "/how-to/cluster-autoscaler", ours=True
)
RANGES = rule(
    "gke.ranges", "ranges of pods and services exist in the subnet or are legal", _GKE + "/how-to/alias-ips", ours=True
)
PRIVATE = rule(
    "gke.private", "a private control plane has a /28 of its own", _GKE + "/how-to/private-clusters", ours=True
)
IDENTITY = rule(
    "gke.workload-identity",
    "a workload pool is that of the project",
    _GKE + "/how-to/workload-identity",
    ours=True,
)
AUTOPILOT = rule(
    "gke.autopilot", "an Autopilot cluster has no pools of one's own", _GKE + "/concepts/autopilot-overview", ours=True
)
PODS = rule("gke.max-pods", "a node takes 8 to 256 pods", _GKE + "/how-to/flexible-pod-cidr", ours=True)
SPOT = rule("gke.spot", "spot and preemptible exclude each other", _GKE + "/concepts/spot-vms", ours=True)
TAINT = rule(
    "gke.labels", "labels and taints of nodes are legal in Kubernetes", _GKE + "/how-to/node-taints", ours=True
)
STAYS = rule("gke.immutable", "what no method of GKE changes stays", "discovery document container.v1", ours=True)

_IMAGES = frozenset(
    {"COS_CONTAINERD", "UBUNTU_CONTAINERD", "COS", "UBUNTU", "WINDOWS_LTSC_CONTAINERD", "WINDOWS_SAC_CONTAINERD"}
    | {"WINDOWS_LTSC_2022_CONTAINERD"}
)
_SCOPES = [
    "https://www.googleapis.com/auth/devstorage.read_only",
    "https://www.googleapis.com/auth/logging.write",
    "https://www.googleapis.com/auth/monitoring",
    "https://www.googleapis.com/auth/servicecontrol",
    "https://www.googleapis.com/auth/service.management.readonly",
    "https://www.googleapis.com/auth/trace.append",
]


def _refuse(message: str, why: Any, state: str = "INVALID_ARGUMENT") -> Refusal:
    return wrong(message, why, state=state)


def version(wanted: str) -> str:
    """The full version for a full one, a prefix of one, `latest`, `-` or nothing. Raises Refusal."""
    spec = facts.data("gke")
    if wanted in ("", "-"):
        return str(spec["default"])
    offered: list[str] = spec["versions"]
    if wanted == "latest":
        return offered[-1]
    for one in reversed(offered):
        minor = re.fullmatch(r"(\d+\.\d+)\.\d+-gke\.\d+", wanted)
        same = minor is not None and one.startswith(minor.group(1) + ".")
        if same:
            return wanted
        if one == wanted or one.startswith((wanted + ".", wanted + "-")):
            return one
    raise _refuse(f'Version "{wanted}" is invalid or not offered.', VERSION)


def _zones(call: Call, place: str, given: list[str]) -> list[str]:
    """The zones of a cluster's nodes. Raises Refusal for one outside its region."""
    zonal = facts.zone_exists(place)
    region = facts.region_of(place) if zonal else place
    for zone in given:
        if not facts.zone_exists(zone) or facts.region_of(zone) != region:
            raise _refuse(f'Zone "{zone}" does not lie in region "{region}".', PLACE)
    if given:
        return sorted({*given, place} if zonal else set(given))
    return [place] if zonal else facts.regions()[region][:3]


def _node_config(call: Call, config: dict[str, Any], zones: list[str], labels: bool = True) -> None:
    """Check and complete how a pool's nodes are made."""
    name = str(config.setdefault("machineType", "e2-medium"))
    for zone in zones:
        if facts.machine(name, zone) is None:
            raise _refuse(f'Machine type "{name}" is not available in zone "{zone}".', MACHINE)
    machine = facts.machine(name, zones[0])
    assert machine is not None
    kind = config.setdefault("diskType", "pd-balanced" if machine.persistent_disk else "hyperdisk-balanced")
    if kind not in disks.TYPES or (kind.startswith("pd-") and not machine.persistent_disk):
        raise _refuse(f'Disk type "{kind}" does not go with machine type "{name}".', MACHINE)
    config.setdefault("diskSizeGb", 100)
    if not 10 <= int(config["diskSizeGb"]) <= 65536:
        raise _refuse(f"Disk size must be from 10 to 65536 GB, not {config['diskSizeGb']}.", MACHINE)
    image = str(config.setdefault("imageType", "COS_CONTAINERD")).upper()
    config["imageType"] = image
    if image not in _IMAGES:
        raise _refuse(f'Image type "{image}" is not supported.', MACHINE)
    config.setdefault("oauthScopes", list(_SCOPES))
    config.setdefault("serviceAccount", "default")
    if config["serviceAccount"] != "default":
        account(call, config["serviceAccount"])
    config.setdefault("metadata", {}).setdefault("disable-legacy-endpoints", "true")
    config.setdefault("shieldedInstanceConfig", {}).setdefault("enableIntegrityMonitoring", True)
    config.setdefault("loggingConfig", {}).setdefault("variantConfig", {"variant": "DEFAULT"})
    config.setdefault("effectiveCgroupMode", "EFFECTIVE_CGROUP_MODE_V2")
    config.setdefault("windowsNodeConfig", {})
    if config.get("spot") and config.get("preemptible"):
        raise _refuse("Spot and preemptible exclude each other.", SPOT)
    if config.get("bootDiskKmsKey"):
        key(call, config["bootDiskKmsKey"])
    _cards(config, machine, zones)
    check_labels(config.get("resourceLabels"), "resourceLabels")
    _kubernetes(config)
    count = int(config.get("localSsdCount") or 0)
    if count and machine.local_ssds and count not in machine.local_ssds:
        raise _refuse(f"{name} takes {machine.local_ssds} local SSDs, not {count}.", MACHINE)
    if count and not machine.local_ssds:
        raise _refuse(f"{name} takes no local SSDs.", MACHINE)


def _kubernetes(config: dict[str, Any]) -> None:
    for label, value in config.get("labels", {}).items():
        short = label.rpartition("/")[2]
        if not re.fullmatch(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", short) or not re.fullmatch(
            r"([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?", str(value)
        ):
            raise _refuse(f'Invalid node label "{label}={value}".', TAINT)
        if label.startswith(("kubernetes.io/", "k8s.io/")):
            raise _refuse(f'Node label "{label}" is in a reserved namespace.', TAINT)
    for taint in config.get("taints", []):
        if taint.get("effect") not in ("NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE") or not taint.get("key"):
            raise _refuse(f"Invalid taint {taint}.", TAINT)


def _cards(config: dict[str, Any], machine: facts.Machine, zones: list[str]) -> None:
    given = config.get("accelerators", [])
    for card in given:
        name, count = str(card.get("acceleratorType") or ""), int(card.get("acceleratorCount") or 0)
        for zone in zones:
            if name not in facts.accelerators(zone):
                raise _refuse(f'Accelerator type "{name}" does not exist in zone {zone}.', CARDS)
        if machine.gpu is not None:
            if (name, count) != machine.gpu:
                raise _refuse(f"{machine.name} has {machine.gpu[1]} of {machine.gpu[0]}.", CARDS)
        elif name not in machine.attachable:
            raise _refuse(f"{machine.name} takes no {name}.", CARDS)
        elif count not in (1, 2, 4, 8) or count > facts.accelerators(zones[0])[name]["max"]:
            raise _refuse(f"{count} is no legal number of {name}.", CARDS)
        sharing = card.get("gpuSharingConfig", {})
        if sharing and not 2 <= int(sharing.get("maxSharedClientsPerGpu") or 0) <= 48:
            raise _refuse("From 2 to 48 clients share a GPU.", CARDS)
    if machine.gpu is not None and not given:
        config["accelerators"] = [{"acceleratorType": machine.gpu[0], "acceleratorCount": str(machine.gpu[1])}]


def _slice(pool: dict[str, Any], machine: facts.Machine, zones: list[str]) -> None:
    """A TPU pool: the topology is a slice of the generation, and the pool has one node for each of its hosts."""
    topology = pool.get("placementPolicy", {}).get("tpuTopology")
    if machine.tpu is None:
        if topology:
            raise _refuse(f"{machine.name} has no TPU: a topology does not go with it.", TPU)
        return
    generation, chips = machine.tpu
    if not topology:
        if int(pool.get("initialNodeCount") or 0) > 1 and not pool.get("autoscaling", {}).get("enabled"):
            return
        return
    slice = facts.tpu_slice(facts.TPU_GENERATION[generation], topology)
    if slice is None:
        raise _refuse(f'Topology "{topology}" is no slice of {generation}.', TPU)
    hosts = slice.chips // chips
    if slice.chips % chips or hosts < 1:
        raise _refuse(f'Topology "{topology}" has {slice.chips} chips, {machine.name} has {chips}.', TPU)
    count = int(pool.get("initialNodeCount") or 0)
    scaling = pool.get("autoscaling", {})
    if hosts > 1 and count not in (0, hosts) and not scaling.get("enabled"):
        raise _refuse(f'Topology "{topology}" takes {hosts} nodes of {machine.name}, not {count}.', TPU)
    if hosts > 1 and scaling.get("enabled"):
        most = int(scaling.get("maxNodeCount") or scaling.get("totalMaxNodeCount") or 0)
        if most != hosts:
            raise _refuse(f"A slice of {hosts} hosts scales from 0 to {hosts} nodes, not to {most}.", TPU)
    if hosts > 1 and len(zones) > 1:
        raise _refuse("A slice lies in one zone.", TPU)


def _pool(call: Call, pool: dict[str, Any], name: str, cluster: dict[str, Any], old: dict[str, Any] | None) -> None:
    """Check and complete a node pool."""
    short = name.rpartition("/")[2]
    if not re.fullmatch(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?", short):
        raise _refuse(f'Invalid node pool name "{short}".', NODES)
    pool["name"] = short
    if cluster.get("autopilot", {}).get("enabled") and not cluster.get("_building"):
        raise _refuse("Autopilot clusters have no node pools of one's own.", AUTOPILOT)
    region = cluster["location"] if not facts.zone_exists(cluster["location"]) else facts.region_of(cluster["location"])
    zones = pool.get("locations") or cluster["locations"]
    for zone in zones:
        if not facts.zone_exists(zone) or facts.region_of(zone) != region:
            raise _refuse(f'Zone "{zone}" does not lie in region "{region}".', PLACE)
    pool["locations"] = sorted(zones)
    config = pool.setdefault("config", {})
    _node_config(call, config, pool["locations"])
    machine = facts.machine(config["machineType"], pool["locations"][0])
    assert machine is not None
    scaling = pool.get("autoscaling", {})
    if scaling.get("enabled"):
        for low, high in (("minNodeCount", "maxNodeCount"), ("totalMinNodeCount", "totalMaxNodeCount")):
            if int(scaling.get(low) or 0) > int(scaling.get(high) or 0):
                raise _refuse(f"{low} ({scaling.get(low)}) is above {high} ({scaling.get(high)}).", SCALING)
        if scaling.get("maxNodeCount") and scaling.get("totalMaxNodeCount"):
            raise _refuse("Limits are for a zone or in all, not both.", SCALING)
        if not scaling.get("maxNodeCount") and not scaling.get("totalMaxNodeCount"):
            raise _refuse("maxNodeCount must be at least 1.", SCALING)
        scaling.setdefault("locationPolicy", "ANY" if config.get("spot") else "BALANCED")
    pool.setdefault("initialNodeCount", 0)
    if not 0 <= int(pool["initialNodeCount"]) <= 1000:
        raise _refuse(f"initialNodeCount must be from 0 to 1000, not {pool['initialNodeCount']}.", NODES)
    _slice(pool, machine, pool["locations"])
    most = pool.setdefault("maxPodsConstraint", {"maxPodsPerNode": "110"}) if "ipAllocationPolicy" in cluster else None
    if most is not None and not 8 <= int(most.get("maxPodsPerNode") or 110) <= 256:
        raise _refuse(f"maxPodsPerNode must be from 8 to 256, not {most.get('maxPodsPerNode')}.", PODS)
    pool["version"] = version(str(pool.get("version") or cluster["currentMasterVersion"]))
    management = pool.setdefault("management", {})
    management.setdefault("autoRepair", True)
    management.setdefault("autoUpgrade", True)
    pool.setdefault("upgradeSettings", {"maxSurge": 1, "strategy": "SURGE"})
    if pool["upgradeSettings"].get("strategy", "SURGE") == "SURGE":
        surge = pool["upgradeSettings"].get("maxSurge", 0) + pool["upgradeSettings"].get("maxUnavailable", 0)
        if not 1 <= surge <= 20:
            raise _refuse("maxSurge and maxUnavailable are 1 to 20 together.", NODES)
        pool["upgradeSettings"].setdefault("strategy", "SURGE")
    nets = pool.setdefault("networkConfig", {})
    if "podRange" in nets and old is None:
        subnet = call.world.state.compute.get(cluster["networkConfig"]["subnetwork"], {})
        if nets["podRange"] not in {s["rangeName"] for s in subnet.get("secondaryIpRanges", [])}:
            raise _refuse(f'Pod secondary range "{nets["podRange"]}" does not exist in the subnetwork.', RANGES)
    nets.setdefault("podRange", cluster.get("ipAllocationPolicy", {}).get("clusterSecondaryRangeName", ""))
    nets.setdefault("podIpv4CidrBlock", cluster["clusterIpv4Cidr"])
    nets.setdefault("enablePrivateNodes", bool(cluster.get("privateClusterConfig", {}).get("enablePrivateNodes")))
    pool["podIpv4CidrSize"] = 24
    pool["status"] = "RUNNING"
    pool["selfLink"] = f"https://container.googleapis.com/v1/{name}"
    pool["etag"] = digest(name, call.now, length=32)
    if old is None:
        pool["instanceGroupUrls"] = [_group(call, name, zone, pool) for zone in pool["locations"]]


def _group(call: Call, name: str, zone: str, pool: dict[str, Any]) -> str:
    """The manager of a pool's instance group in a zone. The group is one that a load balancer takes; its nodes are not
    launched, so that it is empty."""
    parts = name.split("/")
    short = f"gke-{parts[5][:20]}-{pool['name'][:16]}-{digest(name, zone)}-grp"
    where = f"projects/{parts[1]}/zones/{zone}"
    target = f"{where}/instanceGroups/{short}"
    call.world.state.compute[target] = {
        "kind": "compute#instanceGroup",
        "id": call.number(),
        "creationTimestamp": call.compute_now,
        "name": short,
        "description": f"This instance group is controlled by Instance Group Manager '{short}'.",
        "selfLink": link(target),
        "zone": link(where),
        "fingerprint": fingerprint({"g": short}),
        "_members": [],
        "_madeBy": name,
    }
    return link(f"{where}/instanceGroupManagers/{short}")


_CLUSTERS = Kind(
    "container.projects.locations.clusters",
    wrapped="cluster",
    operations="container",
    ids=r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?",
    places="either",
    labels="resourceLabels",
    full=False,
    stamps=("createTime", ""),
)
_POOLS = Kind(
    "container.projects.locations.clusters.nodePools",
    wrapped="nodePool",
    operations="container",
    ids=r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?",
    places="none",
    labels="",
    full=False,
    stamps=("", ""),
)


def _networks(call: Call, item: dict[str, Any], name: str) -> None:
    parts = name.split("/")
    region = facts.region_of(parts[3]) if facts.zone_exists(parts[3]) else parts[3]
    path = network(call, str(item.get("network") or "default"))
    subnet = str(item.get("subnetwork") or "")
    if not subnet:
        if not call.world.state.compute[path].get("autoCreateSubnetworks"):
            raise _refuse(f'Network "{last(path)}" is in custom mode: name a subnetwork.', RANGES)
        subnet = f"projects/{path.split('/')[1]}/regions/{region}/subnetworks/{last(path)}"
    found_subnet = network(call, subnet, "subnetworks", region=region)
    if found_subnet.split("/")[3] != region:
        raise _refuse(f'Subnetwork "{subnet}" is not in region "{region}".', RANGES)
    if last(call.world.state.compute[found_subnet]["network"]) != last(path):
        raise _refuse(f'Subnetwork "{subnet}" is not in network "{last(path)}".', RANGES)
    item["network"], item["subnetwork"] = last(path), last(found_subnet)
    item["networkConfig"] = {**item.get("networkConfig", {}), "network": path, "subnetwork": found_subnet}
    item["networkConfig"].setdefault("defaultSnatStatus", {"disabled": False})
    item["networkConfig"].setdefault("serviceExternalIpsConfig", {"enabled": False})
    _ranges(call, item, name, call.world.state.compute[found_subnet])


def _ranges(call: Call, item: dict[str, Any], name: str, subnet: dict[str, Any]) -> None:
    policy = item.setdefault("ipAllocationPolicy", {})
    policy.setdefault("useIpAliases", True)
    policy.setdefault("stackType", "IPV4")
    policy.setdefault("podCidrOverprovisionConfig", {"disable": False})
    known = {s["rangeName"]: s["ipCidrRange"] for s in subnet.get("secondaryIpRanges", [])}
    block = int(digest("gke", name, length=4), 16)
    for member, given, fallback, prefix in (
        ("clusterSecondaryRangeName", "clusterIpv4CidrBlock", f"10.{64 + block % 16 * 4}.0.0/14", "pods"),
        ("servicesSecondaryRangeName", "servicesIpv4CidrBlock", f"34.118.{224 + block % 8}.0/20", "services"),
    ):
        range_name = policy.get(member)
        if range_name and range_name not in known:
            raise _refuse(f'Secondary range "{range_name}" does not exist in subnetwork "{subnet["name"]}".', RANGES)
        if range_name and policy.get(given):
            raise _refuse(f"{member} and {given} exclude each other.", RANGES)
        value = (
            known.get(range_name or "") or policy.get(given) or item.get("clusterIpv4Cidr" if prefix == "pods" else "")
        )
        if value and not value.startswith("/"):
            try:
                ipaddress.IPv4Network(value)
            except ValueError:
                raise _refuse(f'Invalid CIDR block "{value}" in {given}.', RANGES) from None
        elif value and not 9 <= int(value[1:] or 0) <= 27:
            raise _refuse(f'Invalid netmask "{value}" in {given}.', RANGES)
        final = value if value and not value.startswith("/") else fallback.rpartition("/")[0] + (value or "/14")
        policy[given] = final if value or prefix == "pods" else fallback
        block_name = {"pods": "clusterIpv4Cidr", "services": "servicesIpv4Cidr"}[prefix]
        item[block_name] = policy[given]
        if not range_name and prefix == "pods":
            policy[member] = f"gke-{name.rpartition('/')[2]}-pods-{digest(name)}"
    policy["clusterIpv4Cidr"] = policy["clusterIpv4CidrBlock"]
    policy["servicesIpv4Cidr"] = policy["servicesIpv4CidrBlock"]


def _cluster(call: Call, item: dict[str, Any], name: str) -> None:
    parts = name.split("/")
    item["location"] = item["zone"] = parts[3]
    item["locations"] = _zones(call, parts[3], item.get("locations", []))
    auto = bool(item.get("autopilot", {}).get("enabled"))
    if auto and (facts.zone_exists(parts[3]) or item.get("nodePools")):
        raise _refuse("An Autopilot cluster is regional and has no node pools of one's own.", AUTOPILOT)
    wanted = str(item.pop("initialClusterVersion", "") or "")
    item["initialClusterVersion"] = item["currentMasterVersion"] = version(wanted)
    item["currentNodeVersion"] = item["initialClusterVersion"]
    _networks(call, item, name)
    private = item.get("privateClusterConfig", {})
    block = private.get("masterIpv4CidrBlock")
    if block:
        try:
            prefix = ipaddress.IPv4Network(block).prefixlen
        except ValueError:
            prefix = 0
        if prefix != 28:
            raise _refuse(f'masterIpv4CidrBlock "{block}" must be a /28.', PRIVATE)
    if private.get("enablePrivateEndpoint") and not private.get("enablePrivateNodes"):
        raise _refuse("A private endpoint needs private nodes.", PRIVATE)
    pool = item.get("workloadIdentityConfig", {}).get("workloadPool")
    if pool and pool != f"{parts[1]}.svc.id.goog":
        raise _refuse(f'Workload pool "{pool}" must be "{parts[1]}.svc.id.goog".', IDENTITY)
    encryption = item.setdefault("databaseEncryption", {"state": "DECRYPTED"})
    if encryption.get("state") == "ENCRYPTED":
        key(call, str(encryption.get("keyName", "")))
    for entry in item.get("masterAuthorizedNetworksConfig", {}).get("cidrBlocks", []):
        try:
            ipaddress.ip_network(entry.get("cidrBlock", ""))
        except ValueError:
            raise _refuse(f'Invalid CIDR block "{entry.get("cidrBlock")}".', RANGES) from None
    pods = item.get("defaultMaxPodsConstraint", {}).get("maxPodsPerNode")
    if pods and not 8 <= int(pods) <= 256:
        raise _refuse(f"maxPodsPerNode must be from 8 to 256, not {pods}.", PODS)
    _fill(call, item, name, auto)


def _fill(call: Call, item: dict[str, Any], name: str, auto: bool) -> None:
    block = int(digest("gke endpoint", name, length=6), 16)
    item |= {
        "id": digest("gke id", name, call.now, length=64),
        "selfLink": f"https://container.googleapis.com/v1/{name}",
        "endpoint": f"198.18.{block // 256 % 256}.{block % 254 + 1}",
        "status": "RUNNING",
        "nodeIpv4CidrSize": 24,
        "etag": digest("gke", name, call.now, length=32),
        "labelFingerprint": digest(item.get("resourceLabels"), length=8),
    }
    certificate = f"-----BEGIN CERTIFICATE-----\n{digest('gke ca', name, length=64)}\n-----END CERTIFICATE-----\n"
    item["masterAuth"] = {
        **item.get("masterAuth", {}),
        "clusterCaCertificate": base64.b64encode(certificate.encode()).decode(),
    }
    item["masterAuth"].setdefault("clientCertificateConfig", {})
    for member, value in (
        ("loggingService", "logging.googleapis.com/kubernetes"),
        ("monitoringService", "monitoring.googleapis.com/kubernetes"),
        ("autopilot", {}),
        ("releaseChannel", {"channel": "REGULAR"}),
        ("shieldedNodes", {"enabled": True}),
        ("networkPolicy", {}),
        ("legacyAbac", {}),
        ("defaultMaxPodsConstraint", {"maxPodsPerNode": "110"}),
        ("autoscaling", {"autoscalingProfile": "BALANCED"}),
        ("verticalPodAutoscaling", {"enabled": True} if auto else {}),
        ("addonsConfig", {}),
        ("securityPostureConfig", {"mode": "BASIC", "vulnerabilityMode": "VULNERABILITY_DISABLED"}),
        ("loggingConfig", {"componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]}}),
        (
            "monitoringConfig",
            {
                "componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS"]},
                "managedPrometheusConfig": {"enabled": True},
            },
        ),
        ("nodePoolDefaults", {"nodeConfigDefaults": {}}),
        ("notificationConfig", {"pubsub": {}}),
        ("binaryAuthorization", {}),
        ("maintenancePolicy", {"resourceVersion": "e3b0c442"}),
    ):
        item.setdefault(member, copy.deepcopy(value))
    item["addonsConfig"].setdefault("kubernetesDashboard", {"disabled": True})
    item["addonsConfig"].setdefault("gcePersistentDiskCsiDriverConfig", {"enabled": True})


@handles("container.projects.locations.clusters.create")
def create_cluster(call: Call) -> dict[str, Any]:
    """A cluster with its first pools."""
    item: dict[str, Any] = copy.deepcopy(call.body.get("cluster", {}))
    short = str(item.get("name") or "")
    if not re.fullmatch(_CLUSTERS.ids, short):
        raise _refuse(f'Invalid value for field "cluster.name": "{short}".', NODES)
    name = f"{call.match.name}/{short}"
    place = name.split("/")[3]
    if not facts.zone_exists(place) and place not in facts.regions():
        raise _refuse(f'Location "{place}" does not exist.', PLACE)
    if f"container/{name}" in call.world.state.things:
        raise Refusal(409, f"Already exists: {name}.", state="ALREADY_EXISTS")
    check_labels(item.get("resourceLabels"), "resourceLabels")
    auto = bool(item.get("autopilot", {}).get("enabled"))
    pools = item.pop("nodePools", [])
    count = int(item.get("initialNodeCount") or 0)
    if bool(pools) == bool(count) and not auto:
        raise _refuse(
            "Cluster.initial_node_count must be greater than zero."
            if not pools
            else "cluster.node_pool and initial_node_count exclude each other.",
            NODES,
        )
    item["createTime"] = call.now
    config = item.pop("nodeConfig", {})
    _cluster(call, item, name)
    if not pools and not auto:
        pools = [{"name": "default-pool", "initialNodeCount": count, "config": config}]
        if item["defaultMaxPodsConstraint"]:
            pools[0]["maxPodsConstraint"] = dict(item["defaultMaxPodsConstraint"])
    if auto:
        item.pop("initialNodeCount", None)
        pools = [{"name": "default-pool", "initialNodeCount": 1, "config": config}]
    made = {}
    names = [p.get("name") for p in pools]
    if len(set(names)) < len(names):
        raise _refuse(f"Two node pools have one name: {names}.", NODES)
    for pool in pools:
        full = f"{name}/nodePools/{pool.get('name') or ''}"
        _pool(call, pool, full, {**item, "_building": True}, None)
        made[full] = {**pool, "_madeBy": name}
    call.world.state.things[f"container/{name}"] = item
    for full, pool in made.items():
        call.world.state.things[f"container/{full}"] = pool
    return answer(call, _CLUSTERS, name, item, "create")


def pools_of(call: Call, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A cluster's node pools."""
    yield from things(call.world, "container", re.escape(name) + "/nodePools/[^/]+")


def _shown(call: Call, name: str, item: dict[str, Any]) -> dict[str, Any]:
    pools = [{k: v for k, v in p.items() if not k.startswith("_")} for _, p in pools_of(call, name)]
    made = {k: v for k, v in item.items() if not k.startswith("_")}
    made["nodePools"] = pools
    made["instanceGroupUrls"] = [url for p in pools for url in p.get("instanceGroupUrls", [])]
    made["currentNodeCount"] = sum(int(p.get("initialNodeCount") or 0) * len(p["locations"]) for p in pools)
    if pools:
        made["nodeConfig"] = pools[0]["config"]
    return made


def _leave(call: Call, name: str, item: dict[str, Any]) -> None:
    _drop_groups(call, name)


def _drop_groups(call: Call, name: str) -> None:
    compute = call.world.state.compute
    for path in [k for k, v in compute.items() if (str(v.get("_madeBy")) + "/").startswith(name + "/")]:
        del compute[path]


declare(replace(_CLUSTERS, shown=_shown, leave=_leave))
declare(replace(_POOLS, leave=_leave))
operations("container", "container.projects.locations.operations.get")


@handles("container.projects.locations.clusters.nodePools.create")
def create_pool(call: Call) -> dict[str, Any]:
    """A node pool."""
    pool: dict[str, Any] = copy.deepcopy(call.body.get("nodePool", {}))
    where = call.match.name.removesuffix("/nodePools")
    cluster = found(call, _CLUSTERS, where)
    name = f"{where}/nodePools/{pool.get('name') or ''}"
    if f"container/{name}" in call.world.state.things:
        raise Refusal(409, f"Already exists: {name}.", state="ALREADY_EXISTS")
    _pool(call, pool, name, cluster, None)
    call.world.state.things[f"container/{name}"] = pool
    return answer(call, _POOLS, name, pool, "create")


@handles("container.projects.locations.clusters.update")
def update_cluster(call: Call) -> dict[str, Any]:
    """One thing of a cluster changes: the body says which with a `desired` member."""
    name = call.match.name
    item = copy.deepcopy(found(call, _CLUSTERS, name))
    update = call.body.get("update", {})
    if not update:
        raise _refuse("Must specify a field to update.", STAYS)
    for member, value in update.items():
        if member == "desiredNodeVersion":
            for _, pool in pools_of(call, name):
                pool["version"] = version(value)
            continue
        if member == "desiredMasterVersion":
            item["currentMasterVersion"] = version(value)
            continue
        if member == "desiredLocations":
            item["locations"] = _zones(call, item["location"], value)
            continue
        target = _DESIRED.get(member) or member.removeprefix("desired")[:1].lower() + member.removeprefix("desired")[1:]
        holder, path = item, target.split(".")
        for step in path[:-1]:
            holder = holder.setdefault(step, {})
        holder[path[-1]] = value
    if update.get("desiredWorkloadIdentityConfig"):
        pool_name = item["workloadIdentityConfig"].get("workloadPool")
        if pool_name and pool_name != f"{name.split('/')[1]}.svc.id.goog":
            raise _refuse(f'Workload pool "{pool_name}" must be "{name.split("/")[1]}.svc.id.goog".', IDENTITY)
    item["etag"] = digest("gke", name, call.now, length=32)
    call.world.state.things[f"container/{name}"] = item
    return answer(call, _CLUSTERS, name, item, "update")


_DESIRED = {
    "desiredClusterAutoscaling": "autoscaling",
    "desiredDatapathProvider": "networkConfig.datapathProvider",
    "desiredIntraNodeVisibilityConfig": "networkConfig.intraNodeVisibilityConfig",
    "desiredDnsConfig": "networkConfig.dnsConfig",
    "desiredGatewayApiConfig": "networkConfig.gatewayApiConfig",
    "desiredServiceExternalIpsConfig": "networkConfig.serviceExternalIpsConfig",
    "desiredDefaultSnatStatus": "networkConfig.defaultSnatStatus",
    "desiredEnablePrivateEndpoint": "privateClusterConfig.enablePrivateEndpoint",
}


def _cluster_setter(verb: str, *members: str) -> None:
    def put(call: Call) -> dict[str, Any]:
        name = call.match.name.removesuffix(f":{verb}")
        item = dict(found(call, _CLUSTERS, name))
        for member in members:
            if member in call.body:
                item[member] = call.body[member]
        if "resourceLabels" in members:
            check_labels(item.get("resourceLabels"), "resourceLabels")
            if call.body.get("labelFingerprint") != item.get("labelFingerprint"):
                raise Refusal(412, "Labels could not be set due to fingerprint mismatch.", rule=STAYS)
            item["labelFingerprint"] = digest(item.get("resourceLabels"), length=8)
        call.world.state.things[f"container/{name}"] = item
        return answer(call, _CLUSTERS, name, item, "update")

    handles(f"container.projects.locations.clusters.{verb}")(put)


_cluster_setter("setResourceLabels", "resourceLabels")
_cluster_setter("setMaintenancePolicy", "maintenancePolicy")
_cluster_setter("setNetworkPolicy", "networkPolicy")
_cluster_setter("setLogging", "loggingService")
_cluster_setter("setMonitoring", "monitoringService")
_cluster_setter("setAddons", "addonsConfig")


@handles("container.projects.locations.clusters.setLegacyAbac")
def set_abac(call: Call) -> dict[str, Any]:
    """Switch the old way of authorizing on or off."""
    name = call.match.name
    item = found(call, _CLUSTERS, name)
    item["legacyAbac"] = {"enabled": bool(call.body.get("enabled"))}
    return answer(call, _CLUSTERS, name, item, "update")


def _changed(call: Call, verb: str, change: dict[str, Any]) -> dict[str, Any]:
    name = call.match.name.removesuffix(f":{verb}")
    pool = copy.deepcopy(found(call, _POOLS, name))
    for path, value in change.items():
        holder, steps = pool, path.split(".")
        for step in steps[:-1]:
            holder = holder.setdefault(step, {})
        holder[steps[-1]] = value
    cluster = found(call, _CLUSTERS, name.rpartition("/nodePools/")[0])
    _pool(call, pool, name, {**cluster, "_building": True}, pool)
    call.world.state.things[f"container/{name}"] = pool
    return answer(call, _POOLS, name, pool, "update")


@handles("container.projects.locations.clusters.nodePools.setSize")
def set_size(call: Call) -> dict[str, Any]:
    """How many nodes a zone of the pool has."""
    return _changed(call, "setSize", {"initialNodeCount": int(call.body.get("nodeCount") or 0)})


@handles("container.projects.locations.clusters.nodePools.setAutoscaling")
def set_autoscaling(call: Call) -> dict[str, Any]:
    """Whether and how a pool scales."""
    return _changed(call, "setAutoscaling", {"autoscaling": call.body.get("autoscaling", {})})


@handles("container.projects.locations.clusters.nodePools.setManagement")
def set_management(call: Call) -> dict[str, Any]:
    """Whether nodes are repaired and upgraded."""
    return _changed(call, "setManagement", {"management": call.body.get("management", {})})


@handles("container.projects.locations.clusters.nodePools.update")
def update_pool(call: Call) -> dict[str, Any]:
    """Version, image, labels and the like of a pool's nodes."""
    change: dict[str, Any] = {}
    for member, value in call.body.items():
        if member in ("nodeVersion", "version"):
            if value not in ("", "-"):
                change["version"] = value
        elif member in ("locations", "upgradeSettings", "queuedProvisioning", "nodeDrainConfig"):
            change[member] = value
        elif member == "nodeNetworkConfig":
            change["networkConfig"] = value
        elif member in ("labels", "taints", "tags", "resourceLabels"):
            inner = {"labels": "labels", "taints": "taints", "tags": "tags", "resourceLabels": "labels"}[member]
            change[f"config.{member}"] = value.get(inner, {} if inner == "labels" else [])
        elif member in _NODE_MEMBERS:
            change[f"config.{member}"] = value
    return _changed(call, "update", change)


_NODE_MEMBERS = frozenset(
    {"imageType", "workloadMetadataConfig", "linuxNodeConfig", "kubeletConfig", "gcfsConfig", "confidentialNodes"}
    | {"gvnic", "loggingConfig", "machineType", "diskType", "diskSizeGb", "fastSocket", "containerdConfig"}
    | {"windowsNodeConfig", "resourceManagerTags", "storagePools", "accelerators"}
)


@handles("container.projects.locations.getServerConfig")
def server_config(call: Call) -> dict[str, Any]:
    """Which versions and images are offered."""
    spec = facts.data("gke")
    newest = list(reversed(spec["versions"]))
    return {
        "defaultClusterVersion": spec["default"],
        "validMasterVersions": newest,
        "validNodeVersions": newest,
        "defaultImageType": "COS_CONTAINERD",
        "validImageTypes": sorted(_IMAGES),
        "channels": [
            {"channel": channel, "defaultVersion": spec["default"], "validVersions": newest}
            for channel in ("RAPID", "REGULAR", "STABLE")
        ],
    }
