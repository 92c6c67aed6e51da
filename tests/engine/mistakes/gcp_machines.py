"""Machine types, zones, cards, images, templates, groups, disks, reservations, labels."""

from __future__ import annotations

import functools
from typing import Any

import pulumi_gcp as gcp
from planted import CHECK, mistake

INSERT = "compute.instances.insert"
REFERENCE = "Compute Engine API reference: instances.insert"


@functools.cache
def network() -> gcp.compute.Network:
    """The network that the area shares."""
    return gcp.compute.Network("shared", auto_create_subnetworks=False)


@functools.cache
def subnet() -> gcp.compute.Subnetwork:
    """Its subnetwork."""
    return gcp.compute.Subnetwork("shared", network=network().id, ip_cidr_range="10.1.0.0/20", region="us-central1")


def machine(n: str, **more: Any) -> gcp.compute.Instance:
    """A small machine that is right."""
    given: dict[str, Any] = {
        "machine_type": "e2-small",
        "zone": "us-central1-a",
        "boot_disk": {"initialize_params": {"image": "debian-cloud/debian-12"}},
        "network_interfaces": [{"subnetwork": subnet().id}],
    }
    return gcp.compute.Instance(n, **{**given, **more})


def template(n: str, **more: Any) -> gcp.compute.InstanceTemplate:
    """A template that is right."""
    given: dict[str, Any] = {
        "machine_type": "e2-small",
        "disks": [{"source_image": "debian-cloud/debian-12", "boot": True}],
        "network_interfaces": [{"subnetwork": subnet().id}],
    }
    return gcp.compute.InstanceTemplate(n, **{**given, **more})


@mistake("machine-type-that-is-none", source=REFERENCE, code="invalid", operation=INSERT)
def _(n: str, wrong: bool) -> None:
    machine(n, machine_type="e2-tiny" if wrong else "e2-micro")


@mistake(
    "machine-type-of-another-zone",
    source="docs.cloud.google.com/compute/docs/gpus/gpu-regions-zones",
    code="invalid",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    machine(
        n,
        machine_type="a2-ultragpu-1g",
        zone="us-central1-f" if wrong else "us-central1-a",
        scheduling={"on_host_maintenance": "TERMINATE", "automatic_restart": True},
    )


@mistake("zone-that-is-none", source=REFERENCE, code="invalid", operation=INSERT)
def _(n: str, wrong: bool) -> None:
    machine(n, zone="us-central1-z" if wrong else "us-central1-b")


@mistake("image-that-is-none", source="docs.cloud.google.com/compute/docs/images", code="invalid", operation=INSERT)
def _(n: str, wrong: bool) -> None:
    image = "debian-cloud/debian-99" if wrong else "debian-cloud/debian-12"
    machine(n, boot_disk={"initialize_params": {"image": image}})


@mistake(
    "boot-disk-smaller-than-its-image",
    source="docs.cloud.google.com/compute/docs/disks: sizes",
    code="invalid",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    machine(n, boot_disk={"initialize_params": {"image": "debian-cloud/debian-12", "size": 5 if wrong else 20}})


@mistake("boot-disk-of-an-unknown-type", source="discovery document: diskTypes", code="invalid", operation=INSERT)
def _(n: str, wrong: bool) -> None:
    kind = "pd-superfast" if wrong else "pd-ssd"
    machine(n, boot_disk={"initialize_params": {"image": "debian-cloud/debian-12", "type": kind}})


@mistake(
    "persistent-disk-on-a-hyperdisk-machine",
    source="docs.cloud.google.com/compute/docs/disks: N4",
    code="badRequest",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    kind = "pd-balanced" if wrong else "hyperdisk-balanced"
    boot = {"initialize_params": {"image": "debian-cloud/debian-12", "type": kind, "size": 20}}
    machine(n, machine_type="n4-standard-2", boot_disk=boot)


@mistake(
    "gpu-on-a-machine-that-takes-none",
    source="docs.cloud.google.com/compute/docs/gpus",
    code="invalid",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    machine(
        n,
        machine_type="e2-standard-4" if wrong else "n1-standard-4",
        guest_accelerators=[{"type": "nvidia-tesla-t4", "count": 1}],
        scheduling={"on_host_maintenance": "TERMINATE"},
    )


@mistake(
    "gpu-that-live-migrates",
    source="docs.cloud.google.com/compute/docs/gpus/create-vm-with-gpus",
    code="badRequest",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    machine(
        n,
        machine_type="n1-standard-4",
        guest_accelerators=[{"type": "nvidia-tesla-t4", "count": 1}],
        scheduling={"on_host_maintenance": "MIGRATE" if wrong else "TERMINATE"},
    )


@mistake("gpu-that-is-none", source="docs.cloud.google.com/compute/docs/gpus", code="invalid", operation=INSERT)
def _(n: str, wrong: bool) -> None:
    machine(
        n,
        machine_type="n1-standard-4",
        guest_accelerators=[{"type": "nvidia-tesla-t5" if wrong else "nvidia-tesla-t4", "count": 1}],
        scheduling={"on_host_maintenance": "TERMINATE"},
    )


@mistake(
    "spot-that-restarts-by-itself",
    source="docs.cloud.google.com/compute/docs/instances/spot",
    code="invalid",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    scheduling = {"provisioning_model": "SPOT", "preemptible": True, "automatic_restart": wrong}
    machine(n, scheduling={**scheduling, "on_host_maintenance": "TERMINATE"})


@mistake("subnetwork-of-another-region", source=REFERENCE, code="invalid", operation=INSERT)
def _(n: str, wrong: bool) -> None:
    other = gcp.compute.Subnetwork(f"{n}-other", network=network().id, ip_cidr_range="10.2.0.0/20", region="us-west4")
    machine(n, network_interfaces=[{"subnetwork": other.id if wrong else subnet().id}])


@mistake("custom-network-without-a-subnetwork", source=REFERENCE, code="invalid", operation=INSERT)
def _(n: str, wrong: bool) -> None:
    machine(n, network_interfaces=[{"network": network().id} if wrong else {"subnetwork": subnet().id}])


@mistake("service-account-that-is-none", source=REFERENCE, code="invalid", operation=INSERT)
def _(n: str, wrong: bool) -> None:
    account = gcp.serviceaccount.Account(f"{n}-right", account_id="machines-right")
    email = "nobody@planted-mistakes.iam.gserviceaccount.com" if wrong else account.email
    machine(n, service_account={"email": email, "scopes": ["cloud-platform"]})


@mistake(
    "label-with-capitals",
    source="docs.cloud.google.com/compute/docs/labeling-resources",
    code="invalid",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    machine(n, labels={"Team" if wrong else "team": "research"})


@mistake("tag-that-is-none", source="compute discovery document: Tags", code="invalid", operation=INSERT)
def _(n: str, wrong: bool) -> None:
    machine(n, tags=["Web_Server" if wrong else "web-server"])


@mistake(
    "reservation-that-is-none",
    source="docs.cloud.google.com/compute/docs/instances/reservations-consume",
    code="invalid",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    kept = gcp.compute.Reservation(
        f"{n}-kept",
        zone="us-central1-a",
        specific_reservation={"count": 1, "instance_properties": {"machine_type": "e2-small"}},
    )
    machine(
        n,
        reservation_affinity={
            "type": "SPECIFIC_RESERVATION",
            "specific_reservation": {
                "key": "compute.googleapis.com/reservation-name",
                "values": ["nothing" if wrong else kept.name],
            },
        },
    )


@mistake(
    "scratch-disk-on-a-machine-without",
    source="docs.cloud.google.com/compute/docs/disks/local-ssd",
    code="invalid",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    machine(n, machine_type="e2-standard-4" if wrong else "n2-standard-4", scratch_disks=[{"interface": "NVME"}])


@mistake(
    "two-cards-in-one-network",
    source="docs.cloud.google.com/vpc/docs/multiple-interfaces-concepts",
    code="invalid",
    operation=INSERT,
)
def _(n: str, wrong: bool) -> None:
    other = gcp.compute.Network(f"{n}-other", auto_create_subnetworks=False)
    second = gcp.compute.Subnetwork(f"{n}-other", network=other.id, ip_cidr_range="10.3.0.0/20", region="us-central1")
    nics = [{"subnetwork": subnet().id}, {"subnetwork": subnet().id if wrong else second.id}]
    machine(n, machine_type="e2-standard-4", network_interfaces=nics)


@mistake(
    "interface-without-a-network", source="Google provider: compute_instance", code="exactly one of", operation=CHECK
)
def _(n: str, wrong: bool) -> None:
    machine(n, network_interfaces=[{} if wrong else {"subnetwork": subnet().id}])


@mistake(
    "machine-type-that-is-a-number",
    source="Google provider: compute_instance, boot_disk.auto_delete is a boolean",
    code="expected true or false",
    operation=CHECK,
    property="bootDisk.autoDelete",
)
def _(n: str, wrong: bool) -> None:
    params = {"image": "debian-cloud/debian-12"}
    machine(n, boot_disk={"auto_delete": "sometimes" if wrong else True, "initialize_params": params})


@mistake(
    "template-with-a-disk-type-that-is-none",
    source="Compute Engine API reference: instanceTemplates.insert checks no zone; the group's launch fails later",
    code="required",
    operation="compute.instanceTemplates.insert",
)
def _(n: str, wrong: bool) -> None:
    template(n, machine_type="" if wrong else "e2-small")


@mistake(
    "group-of-a-template-that-is-none",
    source="Compute Engine API reference: instanceGroupManagers.insert",
    code="invalid",
    operation="compute.instanceGroupManagers.insert",
)
def _(n: str, wrong: bool) -> None:
    made = template(f"{n}-right")
    nothing = "projects/planted-mistakes/global/instanceTemplates/nothing"
    gcp.compute.InstanceGroupManager(
        n,
        base_instance_name="one",
        zone="us-central1-a",
        target_size=0,
        versions=[{"instance_template": nothing if wrong else made.id}],
    )


@mistake(
    "regional-group-in-another-regions-zone",
    source="docs.cloud.google.com/compute/docs/instance-groups/regional-mig-distribution-shape",
    code="invalid",
    operation="compute.regionInstanceGroupManagers.insert",
)
def _(n: str, wrong: bool) -> None:
    made = template(f"{n}-right")
    gcp.compute.RegionInstanceGroupManager(
        n,
        base_instance_name="one",
        region="us-central1",
        target_size=0,
        distribution_policy_zones=["us-west4-a" if wrong else "us-central1-a", "us-central1-b", "us-central1-c"],
        versions=[{"instance_template": made.id}],
    )


@functools.cache
def group() -> gcp.compute.InstanceGroupManager:
    """A group that the area shares."""
    return gcp.compute.InstanceGroupManager(
        "shared",
        base_instance_name="shared",
        zone="us-central1-b",
        target_size=1,
        versions=[{"instance_template": template("shared").id}],
    )


@mistake(
    "autoscaler-whose-minimum-is-above-its-maximum",
    source="docs.cloud.google.com/compute/docs/autoscaler",
    code="invalid",
    operation="compute.autoscalers.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.Autoscaler(
        n,
        target=group().id,
        zone="us-central1-b",
        autoscaling_policy={"min_replicas": 5 if wrong else 1, "max_replicas": 2},
    )


@mistake(
    "disk-that-is-too-small",
    source="docs.cloud.google.com/compute/docs/disks",
    code="invalid",
    operation="compute.disks.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.Disk(n, zone="us-central1-a", type="pd-ssd", size=5 if wrong else 10)


@mistake(
    "disk-type-that-is-none",
    source="docs.cloud.google.com/compute/docs/disks",
    code="invalid",
    operation="compute.disks.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.Disk(n, zone="us-central1-a", type="ssd" if wrong else "pd-ssd", size=10)


@mistake(
    "iops-on-a-disk-that-has-none-to-give",
    source="docs.cloud.google.com/compute/docs/disks/hyperdisks",
    code="invalid",
    operation="compute.disks.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.Disk(
        n, zone="us-central1-a", type="pd-ssd" if wrong else "hyperdisk-balanced", size=100, provisioned_iops=3600
    )


@mistake(
    "regional-disk-in-one-zone",
    source="docs.cloud.google.com/compute/docs/disks/regional-persistent-disk",
    code="invalid",
    operation="compute.regionDisks.insert",
)
def _(n: str, wrong: bool) -> None:
    zones = ["us-central1-a", "us-central1-a" if wrong else "us-central1-b"]
    gcp.compute.RegionDisk(n, region="us-central1", type="pd-ssd", size=200, replica_zones=zones)


@mistake(
    "snapshot-of-nothing",
    source="Compute Engine API reference: snapshots.insert",
    code="invalid",
    operation="compute.snapshots.insert",
)
def _(n: str, wrong: bool) -> None:
    disk = gcp.compute.Disk(f"{n}-right", zone="us-central1-a", size=10)
    nothing = "projects/planted-mistakes/zones/us-central1-a/disks/nothing"
    gcp.compute.Snapshot(n, source_disk=nothing if wrong else disk.id, zone="us-central1-a")


@mistake(
    "image-of-two-sources",
    source="discovery document compute.v1: Image",
    code="invalid",
    operation="compute.images.insert",
)
def _(n: str, wrong: bool) -> None:
    disk = gcp.compute.Disk(f"{n}-right", zone="us-central1-a", size=20)
    more = {"source_image": "projects/debian-cloud/global/images/family/debian-12"} if wrong else {}
    gcp.compute.Image(n, source_disk=disk.id, **more)


@mistake(
    "reservation-of-a-machine-that-is-none",
    source="Compute Engine API reference: reservations.insert",
    code="invalid",
    operation="compute.reservations.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.Reservation(
        n,
        zone="us-central1-a",
        specific_reservation={"count": 1, "instance_properties": {"machine_type": "x9" if wrong else "e2-small"}},
    )


@mistake(
    "placement-policy-across-too-far",
    source="docs.cloud.google.com/compute/docs/instances/use-compact-placement-policies",
    code="invalid",
    operation="compute.resourcePolicies.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.ResourcePolicy(
        n,
        region="us-central1",
        group_placement_policy={"collocation": "COLLOCATED", "vm_count": 2000 if wrong else 2},
    )


@mistake(
    "instance-group-with-a-member-of-another-zone",
    source="docs.cloud.google.com/compute/docs/instance-groups/creating-groups-of-unmanaged-instances",
    code="invalid",
    operation="compute.instanceGroups.addInstances",
)
def _(n: str, wrong: bool) -> None:
    one = machine(f"{n}-right", zone="us-central1-c")
    gcp.compute.InstanceGroup(n, zone="us-central1-b" if wrong else "us-central1-c", instances=[one.self_link])
