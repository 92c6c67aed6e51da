"""The resources that a plan becomes on Google Cloud."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest
from example_stacks import GONE, GPU, TPU, plan_of
from resource_graph import Row, graph, planned

import fleetyard.gcp
from fleetyard.outputs import parse_outputs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def built(base: dict[str, Any], changes: dict[str, Any] | None = None) -> list[Row]:
    rows, _ = graph(lambda: fleetyard.gcp.build(plan_of(base, changes)))
    return rows


@cache
def tpu_stack() -> tuple[list[Row], dict[str, Any]]:
    return graph(lambda: fleetyard.gcp.build(planned("tpu-train", train=2)))


@cache
def mig_stack() -> tuple[list[Row], dict[str, Any]]:
    return graph(lambda: fleetyard.gcp.build(planned("gpu-mig")))


def one(rows: list[Row], token: str, name: str) -> Row:
    (row,) = [row for row in rows if row.token.endswith(f":{token}") and row.name == name]
    return row


def kinds(rows: list[Row]) -> Counter[str]:
    return Counter(row.token.split(":")[-1] for row in rows)


SHARED = {
    "gcp": 1,
    "Network": 2,
    "Subnetwork": 1,
    "Router": 1,
    "RouterNat": 1,
    "Firewall": 2,
    "Encryption": 1,
    "KeyRing": 1,
    "CryptoKey": 1,
    "CryptoKeyIAMMember": 1,
    "Store": 1,
    "Bucket": 1,
    "Account": 1,
    "BucketIAMMember": 2,
}


def test_the_repositorys_stacks_are_these_resources() -> None:
    assert kinds(tpu_stack()[0]) == {**SHARED, "Slices": 1, "V2Vm": 2}
    group = {"Group": 1, "InstanceTemplate": 1, "InstanceGroupManager": 1, "ResourcePolicy": 1}
    assert kinds(mig_stack()[0]) == {**SHARED, **group}


def test_a_group_does_not_grow_with_its_machines() -> None:
    assert len(built(GPU, {"pools/train/count": 1})) == len(built(GPU, {"pools/train/count": 1000}))


def test_every_resource_hangs_in_a_component_and_uses_the_stacks_provider() -> None:
    for rows, _ in (tpu_stack(), mig_stack()):
        for row in rows:
            if row.token.startswith("fleetyard:"):
                continue
            if row.token == "pulumi:providers:gcp":
                assert row.inputs["project"] == "demo-project"
                continue
            assert "fleetyard:gcp:" in row.parent, row
            assert "pulumi:providers:gcp::gcp" in row.provider, row


def test_a_slice_says_all_that_was_asked() -> None:
    rows, _ = tpu_stack()
    node = one(rows, "V2Vm", "tpu-train-train-0").inputs
    assert node["acceleratorType"] == "v5litepod-16"
    assert node["runtimeVersion"] == "v2-alpha-tpuv5-lite"
    assert node["zone"] == "us-west4-a"
    assert node["networkConfig"]["enableExternalIps"] is False
    assert node["schedulingConfig"] == {"spot": True, "reserved": False, "preemptible": False}
    assert node["serviceAccount"]["email"] == "tpu-train-train@demo"
    assert "tmpfs" in node["metadata"]["startup-script"]
    assert node["labels"]["fleetyard-pool"] == "train"


def test_a_queued_slice_says_what_a_queue_can_hear() -> None:
    rows = built(TPU, {"pools/train/queued": True, "pools/train/cache": GONE})
    queue = one(rows, "V2QueuedResource", "demo-train-1").inputs
    (spec,) = queue["tpu"]["nodeSpecs"]
    assert spec["parent"] == "projects/demo-project/locations/us-central1-a"
    assert spec["nodeId"] == "demo-train-1"
    assert spec["node"]["acceleratorType"] == "v5litepod-16"
    assert "Account" not in kinds(rows)
    assert "V2Vm" not in kinds(rows)


def test_the_network_is_private_and_let_in_through_iap_only() -> None:
    rows, _ = tpu_stack()
    subnet = one(rows, "Subnetwork", "tpu-train-us-west4-private").inputs
    assert subnet["privateIpGoogleAccess"] is True
    assert {r["rangeName"]: r["ipCidrRange"] for r in subnet["secondaryIpRanges"]} == {
        "pods": "10.60.128.0/17",
        "services": "10.60.64.0/20",
    }
    iap = one(rows, "Firewall", "tpu-train-iap").inputs
    assert iap["sourceRanges"] == ["35.235.240.0/20"]
    assert iap["allows"] == [{"protocol": "tcp", "ports": ["22"]}]
    inside = one(rows, "Firewall", "tpu-train-self").inputs["sourceRanges"]
    assert inside == ["10.60.0.0/18", "10.60.128.0/17", "10.60.64.0/20"]


def test_the_bucket_is_closed_versioned_and_encrypted_with_a_key_its_agent_may_use() -> None:
    rows, _ = tpu_stack()
    bucket = one(rows, "Bucket", "tpu-train-data")
    assert bucket.inputs["uniformBucketLevelAccess"] is True
    assert bucket.inputs["publicAccessPrevention"] == "enforced"
    assert bucket.inputs["versioning"] == {"enabled": True}
    assert bucket.inputs["encryption"] == {"defaultKmsKeyName": "tpu-train-id"}
    assert any("CryptoKeyIAMMember" in urn for urn in bucket.depends_on)
    assert bucket.retain_on_delete is True
    assert one(rows, "CryptoKey", "tpu-train").retain_on_delete is True
    agent = one(rows, "CryptoKeyIAMMember", "tpu-train-storage").inputs
    assert agent["member"] == "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"


def test_an_emptied_bucket_is_not_kept() -> None:
    bucket = one(mig_stack()[0], "Bucket", "gpu-mig-data")
    assert bucket.retain_on_delete is False
    assert bucket.inputs["forceDestroy"] is True


def test_the_account_has_narrow_roles_on_its_buckets_and_none_on_the_project() -> None:
    rows, _ = tpu_stack()
    write = one(rows, "BucketIAMMember", "tpu-train-train-data-write").inputs
    assert write["role"] == "roles/storage.objectUser"
    assert "objects/pools/train/" in write["condition"]["expression"]
    assert "datasets/" not in write["condition"]["expression"]
    read = one(rows, "BucketIAMMember", "tpu-train-train-data-read").inputs
    assert read["role"] == "roles/storage.objectViewer"
    assert not [row for row in rows if row.token.startswith("gcp:projects/")]


def test_a_group_is_made_of_a_template_placed_together() -> None:
    rows, _ = mig_stack()
    template = one(rows, "InstanceTemplate", "gpu-mig-experiments").inputs
    assert template["machineType"] == "a2-highgpu-1g"
    assert template["scheduling"]["onHostMaintenance"] == "TERMINATE"
    assert template["resourcePolicies"] == "gpu-mig-experiments-id"
    assert [disk.get("diskType") for disk in template["disks"]] == ["pd-balanced", "local-ssd"]
    assert template["disks"][0]["sourceImage"].startswith("projects/ubuntu-os-cloud/global/images/")
    assert "accessConfigs" not in template["networkInterfaces"][0]
    group = one(rows, "InstanceGroupManager", "gpu-mig-experiments-us-central1-a").inputs
    assert group["targetSize"] == 2
    assert group["versions"] == [{"instanceTemplate": "link/gpu-mig-experiments"}]


@pytest.mark.parametrize(("update", "kind"), [("rolling", "PROACTIVE"), ("on-next-boot", "OPPORTUNISTIC")])
def test_a_template_change_reaches_machines_as_the_pool_says(update: str, kind: str) -> None:
    rows = built(GPU, {"pools/train/update": update})
    group = one(rows, "InstanceGroupManager", "demo-train-us-central1-a").inputs
    assert group["updatePolicy"]["type"] == kind


def test_a_template_change_is_told_before_it_happens() -> None:
    group = one(mig_stack()[0], "InstanceGroupManager", "gpu-mig-experiments-us-central1-a")
    assert group.before_update == ["gpu-mig-experiments-template"]
    assert one(tpu_stack()[0], "V2Vm", "tpu-train-train-1").before_update == ["tpu-train-train-metadata"]
    told = planned("gpu-mig").pool("experiments").template_change
    assert told.startswith("pool experiments (update: rolling): running machines (2) are replaced a few at a time")


def test_spot_and_reservations_are_said_in_the_template() -> None:
    spot = one(built(GPU, {"pools/train/buy": ["spot"]}), "InstanceTemplate", "demo-train").inputs["scheduling"]
    assert spot == {
        "onHostMaintenance": "TERMINATE",
        "automaticRestart": False,
        "preemptible": True,
        "provisioningModel": "SPOT",
        "instanceTerminationAction": "DELETE",
    }
    changes = {"pools/train/buy": ["reservation"], "pools/train/reservation": "ours"}
    affinity = one(built(GPU, changes), "InstanceTemplate", "demo-train").inputs["reservationAffinity"]
    assert affinity["specificReservation"]["values"] == ["ours"]


def test_each_zone_has_its_own_group() -> None:
    changes = {"zones": ["us-central1-a", "us-central1-b"], "pools/train/placement": "anywhere", "pools/train/count": 3}
    rows = built(GPU, changes)
    sizes = {
        row.inputs["zone"]: row.inputs["targetSize"] for row in rows if row.token.endswith(":InstanceGroupManager")
    }
    assert sizes == {"us-central1-a": 2, "us-central1-b": 1}


def test_the_exports_are_what_readers_parse() -> None:
    tpu = parse_outputs(tpu_stack()[1])
    assert tpu.pools["train"].kind == "tpu"
    assert set(tpu.pools["train"].groups) == {"tpu-train-train-0", "tpu-train-train-1"}
    assert (tpu.pools["train"].hosts, tpu.pools["train"].accelerators) == (8, 32)
    mig = parse_outputs(mig_stack()[1])
    assert mig.pools["experiments"].groups == {"us-central1-a": "gpu-mig-experiments-us-central1-a-1234567"}
    assert mig.stores["data"].url == "gs://gpu-mig-data"


def test_machines_start_when_their_network_and_rights_are_there() -> None:
    for rows, kind in ((tpu_stack()[0], "V2Vm"), (mig_stack()[0], "InstanceGroupManager")):
        machines = [row for row in rows if row.token.endswith(f":{kind}")]
        assert machines
        for row in machines:
            needed = [urn.split("::", 2)[2].split("$")[-1] for urn in row.depends_on]
            assert sum(one.startswith("gcp:storage/bucketIAMMember:") for one in needed) == 2, needed
            assert any(one.startswith("gcp:compute/routerNat:") for one in needed), needed
