"""GKE clusters and node pools, TPUs: types, topologies, runtimes, networks."""

from __future__ import annotations

import functools
from typing import Any

import pulumi_gcp as gcp
from planted import CHECK, mistake

CREATE = "container.projects.locations.clusters.create"
POOL = "container.projects.locations.clusters.nodePools.create"
NODE = "tpu.projects.locations.nodes.create"
GKE = "kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters"
TPU = "tpu/docs/reference/rest/v2/projects.locations.nodes"


@functools.cache
def network() -> gcp.compute.Network:
    """The network that the area shares."""
    return gcp.compute.Network("shared", auto_create_subnetworks=False)


@functools.cache
def subnet() -> gcp.compute.Subnetwork:
    """Its subnetwork."""
    return gcp.compute.Subnetwork(
        "shared",
        network=network().id,
        ip_cidr_range="10.1.0.0/20",
        region="us-central1",
        secondary_ip_ranges=[
            {"range_name": "pods", "ip_cidr_range": "10.20.0.0/16"},
            {"range_name": "services", "ip_cidr_range": "10.30.0.0/20"},
        ],
    )


@functools.cache
def west() -> gcp.compute.Subnetwork:
    """Its subnetwork where the TPUs are."""
    return gcp.compute.Subnetwork("west", network=network().id, ip_cidr_range="10.2.0.0/20", region="us-west4")


def cluster(n: str, **more: Any) -> gcp.container.Cluster:
    """A cluster that is right."""
    given: dict[str, Any] = {
        "location": "us-central1-a",
        "initial_node_count": 1,
        "network": subnet().network,
        "subnetwork": subnet().id,
        "deletion_protection": False,
    }
    return gcp.container.Cluster(n, **{**given, **more})


@functools.cache
def shared() -> gcp.container.Cluster:
    """A cluster that the area shares."""
    return cluster("shared")


def pool(n: str, **more: Any) -> gcp.container.NodePool:
    """A node pool that is right."""
    given: dict[str, Any] = {"cluster": shared().id, "node_count": 0}
    return gcp.container.NodePool(n, **{**given, **more})


def node(n: str, **more: Any) -> gcp.tpu.V2Vm:
    """A TPU slice that is right."""
    given: dict[str, Any] = {
        "zone": "us-west4-a",
        "accelerator_type": "v5litepod-4",
        "runtime_version": "v2-alpha-tpuv5-lite",
        "network_config": {"network": west().network, "subnetwork": west().id},
    }
    return gcp.tpu.V2Vm(n, **{**given, **more})


@mistake("cluster-nowhere", source=GKE, code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    cluster(n, location="us-central1-z" if wrong else "us-central1-b")


@mistake("cluster-of-a-version-that-is-none", source=GKE, code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    cluster(n, min_master_version="1.9" if wrong else "1.33")


@mistake("cluster-without-nodes", source=GKE + ": initialNodeCount", code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    cluster(n, initial_node_count=0 if wrong else 1)


@mistake("cluster-with-a-pod-range-that-is-none", source=GKE, code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    names = {"services_secondary_range_name": "services"}
    ranges = {"cluster_secondary_range_name": "nothing" if wrong else "pods", **names}
    cluster(n, ip_allocation_policy=ranges)


@mistake("private-control-plane-of-a-wrong-size", source=GKE, code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    block = "172.16.0.0/24" if wrong else "172.16.0.0/28"
    cluster(n, private_cluster_config={"enable_private_nodes": True, "master_ipv4_cidr_block": block})


@mistake("workload-pool-of-another-project", source=GKE, code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    project = "another-project" if wrong else "planted-mistakes"
    cluster(n, workload_identity_config={"workload_pool": f"{project}.svc.id.goog"})


@mistake("autopilot-in-a-zone", source=GKE + ": autopilot", code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    gcp.container.Cluster(
        n,
        location="us-central1-a" if wrong else "us-central1",
        enable_autopilot=True,
        network=subnet().network,
        subnetwork=subnet().id,
        deletion_protection=False,
    )


@mistake("node-zone-outside-the-region", source=GKE + ": locations", code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    cluster(n, node_locations=["us-west4-a" if wrong else "us-central1-b"])


@mistake("cluster-on-a-network-that-is-none", source=GKE, code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    cluster(n, **({"network": "nothing", "subnetwork": "nothing"} if wrong else {}))


@mistake("cluster-label-with-capitals", source=GKE + ": resourceLabels", code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    cluster(n, resource_labels={"Team" if wrong else "team": "research"})


@mistake("too-many-pods-on-a-node", source=GKE + ": maxPodsConstraint", code="INVALID_ARGUMENT", operation=CREATE)
def _(n: str, wrong: bool) -> None:
    cluster(n, default_max_pods_per_node=400 if wrong else 64)


@mistake("pool-of-a-machine-that-is-none", source=GKE + ".nodePools", code="INVALID_ARGUMENT", operation=POOL)
def _(n: str, wrong: bool) -> None:
    pool(n, node_config={"machine_type": "e2-tiny" if wrong else "e2-standard-2"})


@mistake(
    "pool-with-a-gpu-that-its-machine-takes-not",
    source="docs.cloud.google.com/kubernetes-engine/docs/how-to/gpus",
    code="INVALID_ARGUMENT",
    operation=POOL,
)
def _(n: str, wrong: bool) -> None:
    config = {"machine_type": "e2-standard-4" if wrong else "n1-standard-4"}
    pool(n, node_config={**config, "guest_accelerators": [{"type": "nvidia-tesla-t4", "count": 1}]})


@mistake(
    "pool-with-a-gpu-that-is-none",
    source="docs.cloud.google.com/kubernetes-engine/docs/how-to/gpus",
    code="INVALID_ARGUMENT",
    operation=POOL,
)
def _(n: str, wrong: bool) -> None:
    card = "nvidia-tesla-t5" if wrong else "nvidia-tesla-t4"
    pool(n, node_config={"machine_type": "n1-standard-4", "guest_accelerators": [{"type": card, "count": 1}]})


@mistake(
    "pool-with-three-gpus",
    source="docs.cloud.google.com/kubernetes-engine/docs/how-to/gpus",
    code="INVALID_ARGUMENT",
    operation=POOL,
)
def _(n: str, wrong: bool) -> None:
    cards = [{"type": "nvidia-tesla-t4", "count": 3 if wrong else 2}]
    pool(n, node_config={"machine_type": "n1-standard-8", "guest_accelerators": cards})


@mistake(
    "pool-that-is-spot-and-preemptible",
    source="docs.cloud.google.com/kubernetes-engine/docs/concepts/spot-vms",
    code="INVALID_ARGUMENT",
    operation=POOL,
)
def _(n: str, wrong: bool) -> None:
    pool(n, node_config={"machine_type": "e2-standard-2", "spot": True, "preemptible": wrong})


@mistake(
    "pool-whose-minimum-is-above-its-maximum",
    source="docs.cloud.google.com/kubernetes-engine/docs/how-to/cluster-autoscaler",
    code="INVALID_ARGUMENT",
    operation=POOL,
)
def _(n: str, wrong: bool) -> None:
    pool(n, autoscaling={"min_node_count": 5 if wrong else 1, "max_node_count": 3})


@mistake(
    "pool-of-an-image-that-is-none",
    source="docs.cloud.google.com/kubernetes-engine/docs/concepts/node-images",
    code="INVALID_ARGUMENT",
    operation=POOL,
)
def _(n: str, wrong: bool) -> None:
    pool(n, node_config={"machine_type": "e2-standard-2", "image_type": "ARCH" if wrong else "UBUNTU_CONTAINERD"})


@mistake("pool-with-a-disk-too-small", source=GKE + ": diskSizeGb", code="INVALID_ARGUMENT", operation=POOL)
def _(n: str, wrong: bool) -> None:
    pool(n, node_config={"machine_type": "e2-standard-2", "disk_size_gb": 5 if wrong else 50})


@mistake(
    "pool-with-a-reserved-label",
    source="docs.cloud.google.com/kubernetes-engine/docs/how-to/creating-managing-labels",
    code="INVALID_ARGUMENT",
    operation=POOL,
)
def _(n: str, wrong: bool) -> None:
    key = "kubernetes.io/role" if wrong else "role"
    pool(n, node_config={"machine_type": "e2-standard-2", "labels": {key: "x"}})


@mistake(
    "pool-of-a-topology-that-is-none",
    source="docs.cloud.google.com/kubernetes-engine/docs/how-to/tpus",
    code="INVALID_ARGUMENT",
    operation=POOL,
)
def _(n: str, wrong: bool) -> None:
    made = cluster(f"{n}-right", location="us-west4-a", network=west().network, subnetwork=west().id)
    pool(
        n,
        cluster=made.id,
        node_count=4,
        node_config={"machine_type": "ct5lp-hightpu-4t"},
        placement_policy={"type": "COMPACT", "tpu_topology": "3x5" if wrong else "4x4"},
    )


@mistake(
    "pool-with-too-few-hosts-for-its-topology",
    source="docs.cloud.google.com/kubernetes-engine/docs/how-to/tpus",
    code="INVALID_ARGUMENT",
    operation=POOL,
)
def _(n: str, wrong: bool) -> None:
    made = cluster(f"{n}-right", location="us-west4-a", network=west().network, subnetwork=west().id)
    pool(
        n,
        cluster=made.id,
        node_count=2 if wrong else 4,
        node_config={"machine_type": "ct5lp-hightpu-4t"},
        placement_policy={"type": "COMPACT", "tpu_topology": "4x4"},
    )


@mistake(
    "pool-with-an-effect-that-is-none", source="Google provider: container_node_pool", code="expected", operation=CHECK
)
def _(n: str, wrong: bool) -> None:
    taint = {"key": "a", "value": "b", "effect": "NEVER" if wrong else "NO_EXECUTE"}
    pool(n, node_config={"machine_type": "e2-standard-2", "taints": [taint]})


@mistake("slice-of-a-type-that-is-none", source=TPU, code="NOT_FOUND", operation=NODE)
def _(n: str, wrong: bool) -> None:
    node(n, accelerator_type="v5litepod-5" if wrong else "v5litepod-8")


@mistake(
    "slice-in-a-zone-without-its-generation",
    source="docs.cloud.google.com/tpu/docs/regions-zones",
    code="NOT_FOUND",
    operation=NODE,
)
def _(n: str, wrong: bool) -> None:
    kind, runtime = ("v5p-8", "v2-alpha-tpuv5") if wrong else ("v5litepod-1", "v2-alpha-tpuv5-lite")
    node(n, accelerator_type=kind, runtime_version=runtime)


@mistake(
    "slice-of-a-topology-that-is-none",
    source="docs.cloud.google.com/tpu/docs/v5e",
    code="INVALID_ARGUMENT",
    operation=NODE,
)
def _(n: str, wrong: bool) -> None:
    config = {"type": "V5LITE_POD", "topology": "3x3" if wrong else "2x4"}
    node(n, accelerator_type=None, accelerator_config=config)


@mistake(
    "runtime-of-another-generation",
    source="docs.cloud.google.com/tpu/docs/runtimes",
    code="INVALID_ARGUMENT",
    operation=NODE,
)
def _(n: str, wrong: bool) -> None:
    node(n, runtime_version="v2-alpha-tpuv5" if wrong else "v2-alpha-tpuv5-lite")


@mistake(
    "runtime-that-is-none", source="docs.cloud.google.com/tpu/docs/runtimes", code="INVALID_ARGUMENT", operation=NODE
)
def _(n: str, wrong: bool) -> None:
    node(n, runtime_version="tpu-vm-v9" if wrong else "v2-alpha-tpuv5-lite")


@mistake("slice-in-another-regions-subnetwork", source=TPU + ": NetworkConfig", code="INVALID_ARGUMENT", operation=NODE)
def _(n: str, wrong: bool) -> None:
    there = subnet() if wrong else west()
    node(n, network_config={"network": there.network, "subnetwork": there.id})


@mistake(
    "slice-that-is-spot-and-reserved",
    source="docs.cloud.google.com/tpu/docs/spot",
    code="INVALID_ARGUMENT",
    operation=NODE,
)
def _(n: str, wrong: bool) -> None:
    node(n, scheduling_config={"spot": True, "reserved": wrong})


@mistake(
    "several-hosts-that-write-one-disk",
    source="docs.cloud.google.com/tpu/docs/attach-durable-block-storage",
    code="INVALID_ARGUMENT",
    operation=NODE,
)
def _(n: str, wrong: bool) -> None:
    disk = gcp.compute.Disk(f"{n}-right", zone="us-west4-a", size=100, type="pd-balanced")
    mode = "READ_WRITE" if wrong else "READ_ONLY"
    node(n, accelerator_type="v5litepod-16", data_disks=[{"source_disk": disk.id, "mode": mode}])


@mistake("slice-of-two-names", source="Google provider: tpu_v2_vm", code="conflicts with", operation=CHECK)
def _(n: str, wrong: bool) -> None:
    more = {"accelerator_config": {"type": "V5LITE_POD", "topology": "2x2"}} if wrong else {}
    node(n, **more)


@mistake(
    "queued-slice-of-another-zone",
    source="docs.cloud.google.com/tpu/docs/reference/rest/v2/projects.locations.queuedResources",
    code="INVALID_ARGUMENT",
    operation="tpu.projects.locations.queuedResources.create",
)
def _(n: str, wrong: bool) -> None:
    where = "us-central1-a" if wrong else "us-west4-a"
    gcp.tpu.V2QueuedResource(
        n,
        zone="us-west4-a",
        tpu={
            "node_specs": [
                {
                    "parent": f"projects/planted-mistakes/locations/{where}",
                    "node_id": f"{n}-node",
                    "node": {
                        "accelerator_type": "v5litepod-4",
                        "runtime_version": "v2-alpha-tpuv5-lite",
                        "network_config": {"network": west().network, "subnetwork": west().id},
                    },
                }
            ]
        },
    )
