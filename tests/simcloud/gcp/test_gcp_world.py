"""The world as a whole: rebuilt from its journal, it says what stands and what stays, and answers Google's client."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from gcp_bench import PROJECT, Bench, refusal
from googleapiclient.http import MediaInMemoryUpload
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simcloud.gcp import documents, facts
from simcloud.gcp.call import HANDLERS
from simcloud.gcp.client import GcpClient
from simcloud.provider.model import CloudError
from simcloud.wire import Request

P = f"projects/{PROJECT}"
G = {"project": PROJECT}
ZONE = f"{P}/locations/us-west4-a"
KMS = "cloudkms.projects.locations.keyRings"


def network(cloud: GcpClient) -> None:
    cloud.change("compute.networks.insert", **G, body={"name": "net", "autoCreateSubnetworks": False})
    body = {"name": "sub", "network": "global/networks/net", "ipCidrRange": "10.60.0.0/24"}
    cloud.change("compute.subnetworks.insert", **G, region="us-west4", body=body)


def node(cloud: GcpClient, name: str, kind: str = "v5litepod-16", **more: Any) -> dict[str, Any]:
    body = {
        "acceleratorType": kind,
        "runtimeVersion": "v2-alpha-tpuv5-lite",
        "networkConfig": {"subnetwork": f"{P}/regions/us-west4/subnetworks/sub"},
        **more,
    }
    return cloud.change("tpu.projects.locations.nodes.create", parent=ZONE, nodeId=name, body=body)


def key(cloud: GcpClient) -> str:
    cloud.call(f"{KMS}.create", parent=f"{P}/locations/us-west4", keyRingId="ring", body={})
    body = {"purpose": "ENCRYPT_DECRYPT"}
    ring = f"{P}/locations/us-west4/keyRings/ring"
    return str(cloud.call(f"{KMS}.cryptoKeys.create", parent=ring, cryptoKeyId="key", body=body)["name"])


def put(cloud: GcpClient, name: str, content: bytes, bucket: str = "bkt") -> dict[str, Any]:
    media = MediaInMemoryUpload(content, mimetype="application/octet-stream")
    return cloud.call("storage.objects.insert", bucket=bucket, body={"name": name}, media_body=media)


# Journal and inventory ----------------------------------------------------------------------------------------------

ACTIONS = ["network", "node", "bucket", "account", "key", "address", "delete node", "delete bucket", "wait", "control"]


def act(bench: Bench, cloud: GcpClient, action: str, n: int) -> None:
    name = f"thing-{n}"
    if action == "network":
        network(cloud)
    elif action == "node":
        node(cloud, name, "v5litepod-4")
    elif action == "bucket":
        cloud.call("storage.buckets.insert", **G, body={"name": name, "location": "us"})
        put(cloud, "a", b"x", name)
    elif action == "account":
        cloud.call("iam.projects.serviceAccounts.create", name=P, body={"accountId": name})
    elif action == "key":
        key(cloud)
    elif action == "address":
        cloud.change("compute.addresses.insert", **G, region="us-west4", body={"name": name})
    elif action == "delete node":
        cloud.change("tpu.projects.locations.nodes.delete", name=f"{ZONE}/nodes/{name}")
    elif action == "delete bucket":
        cloud.call("storage.buckets.delete", bucket=name)
    elif action == "wait":
        bench.pass_time(hours=n)
        bench.tick()
    else:
        bench.control("fail-launches", count=n % 2)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3)), max_size=25))
def test_a_journal_gives_the_same_world_again_and_refusals_change_nothing(steps: list[tuple[str, int]]) -> None:
    bench = Bench(strict=True)
    cloud = bench.client()
    for action, n in steps:
        # What is refused is in the journal all the same.
        with suppress(CloudError):
            act(bench, cloud, action, n)
    assert bench.replay().snapshot() == bench.world.snapshot()


def test_what_is_made_and_deleted_leaves_only_what_the_cloud_keeps(bench: Bench, cloud: GcpClient) -> None:
    network(cloud)
    node(cloud, "slice")
    version = key(cloud) + "/cryptoKeyVersions/1"
    account = cloud.call("iam.projects.serviceAccounts.create", name=P, body={"accountId": "trainer"})["name"]
    cloud.call("storage.buckets.insert", **G, body={"name": "bkt", "location": "us"})
    kinds = {i["type"] for i in bench.world.inventory()}
    assert kinds == {
        "compute.networks",
        "compute.subnetworks",
        "compute.routes",
        "tpu.nodes",
        "cloudkms.cryptoKeys",
        "iam.serviceAccounts",
        "storage.buckets",
    }
    cloud.change("tpu.projects.locations.nodes.delete", name=f"{ZONE}/nodes/slice")
    cloud.change("compute.subnetworks.delete", **G, region="us-west4", subnetwork="sub")
    cloud.change("compute.networks.delete", **G, network="net")
    cloud.call("storage.buckets.delete", bucket="bkt")
    cloud.call("iam.projects.serviceAccounts.delete", name=account)
    cloud.call(f"{KMS}.cryptoKeys.cryptoKeyVersions.destroy", name=version, body={})
    assert bench.world.inventory() == []
    kept = {(k["type"], k["state"]) for k in bench.world.kept()}
    assert kept == {
        ("cloudkms.keyRings", "KEPT"),
        ("cloudkms.cryptoKeys", "KEPT"),
        ("cloudkms.cryptoKeyVersions", "DESTROY_SCHEDULED"),
        ("iam.serviceAccounts", "DELETED"),
    }
    assert all(k["reason"] and k["source"] for k in bench.world.kept())
    bench.pass_time(days=31)
    bench.tick()
    assert cloud.call(f"{KMS}.cryptoKeys.cryptoKeyVersions.get", name=version)["state"] == "DESTROYED"


def test_reads_change_nothing_and_are_told_apart(bench: Bench, cloud: GcpClient) -> None:
    network(cloud)
    node(cloud, "slice")
    before = bench.world.snapshot()
    cloud.call("compute.networks.list", **G)
    cloud.call("cloudresourcemanager.projects.getIamPolicy", resource=PROJECT, body={})
    cloud.call("tpu.projects.locations.nodes.list", parent=ZONE)
    cloud.call("compute.regions.get", **G, region="us-west4")
    assert bench.world.snapshot() == before
    path = f"/compute/v1/{P}/global/operations/o/wait"
    assert bench.world.reads(Request("POST", path))
    assert bench.world.reads(Request("POST", f"/v1/{P}:getIamPolicy"))
    assert not bench.world.reads(Request("POST", f"/v1/{P}:setIamPolicy"))
    assert not bench.world.reads(Request("DELETE", f"/compute/v1/{P}/global/networks/net"))


def test_what_is_not_modelled_says_so(cloud: GcpClient) -> None:
    error = refusal(lambda: cloud.call("compute.vpnGateways.list", **G, region="us-west4"))
    assert error.status == 501
    assert "compute.vpnGateways.list" in error.message


def test_every_handler_is_a_method_of_google(bench: Bench) -> None:
    known = set()

    def walk(branch: dict[str, Any], prefix: str) -> None:
        known.update(prefix + m["id"] for m in branch.get("methods", {}).values())
        for child in branch.get("resources", {}).values():
            walk(child, prefix)

    for api in documents.APIS:
        walk(documents.document(api), f"{api.rpartition('.')[0]}." if "." in api else "")
    assert set(HANDLERS) <= known


@pytest.mark.parametrize(
    ("http", "path", "id", "name"),
    [
        ("POST", f"/v1/{P}:getIamPolicy", "cloudresourcemanager.projects.getIamPolicy", P),
        ("GET", f"/v1/{P}/serviceAccounts/a@b.c", "iam.projects.serviceAccounts.get", f"{P}/serviceAccounts/a@b.c"),
        (
            "POST",
            f"/v1/{P}/serviceAccounts/a@b.c:setIamPolicy",
            "iam.projects.serviceAccounts.setIamPolicy",
            f"{P}/serviceAccounts/a@b.c",
        ),
        ("GET", f"/v1/{P}/locations/l/keyRings/r", f"{KMS}.get", f"{P}/locations/l/keyRings/r"),
        ("GET", f"/v3/{P}", "v3.cloudresourcemanager.projects.get", P),
        ("DELETE", f"/v2/{ZONE}/nodes/n", "tpu.projects.locations.nodes.delete", f"{ZONE}/nodes/n"),
    ],
)
def test_paths_find_their_methods(http: str, path: str, id: str, name: str) -> None:
    match = documents.find(http, path)
    assert match is not None
    assert (match.method.id, match.name) == (id, name)
    assert documents.find("PUT", "/v9/nothing") is None


def test_lists_come_in_pages_filtered_and_ordered(cloud: GcpClient) -> None:
    for n in range(5):
        labels = {"pool": "even" if n % 2 == 0 else "odd"}
        cloud.change("compute.addresses.insert", **G, region="us-west4", body={"name": f"a{n}", "labels": labels})
    first = cloud.call("compute.addresses.list", **G, region="us-west4", maxResults=2)
    second = cloud.call(
        "compute.addresses.list", **G, region="us-west4", maxResults=2, pageToken=first["nextPageToken"]
    )
    assert [a["name"] for a in first["items"] + second["items"]] == ["a0", "a1", "a2", "a3"]
    even = cloud.call("compute.addresses.list", **G, region="us-west4", filter="labels.pool=even AND name!=a0")
    assert [a["name"] for a in even["items"]] == ["a2", "a4"]
    assert refusal(lambda: cloud.call("compute.addresses.list", **G, region="us-west4", filter="%%")).status == 400


# Networks -----------------------------------------------------------------------------------------------------------


def test_what_is_in_use_stays(cloud: GcpClient) -> None:
    network(cloud)
    node(cloud, "slice")
    for call in (
        lambda: cloud.call("compute.networks.delete", **G, network="net"),
        lambda: cloud.call("compute.subnetworks.delete", **G, region="us-west4", subnetwork="sub"),
    ):
        assert refusal(call).code == "resourceInUseByAnotherResource"


def test_routes_come_and_go_with_networks_and_subnets(cloud: GcpClient) -> None:
    network(cloud)
    routes = cloud.call("compute.routes.list", **G)["items"]
    assert sorted(r["destRange"] for r in routes) == ["0.0.0.0/0", "10.60.0.0/24"]
    local = next(r["name"] for r in routes if "nextHopNetwork" in r)
    assert refusal(lambda: cloud.call("compute.routes.delete", **G, route=local)).status == 400
    cloud.change("compute.subnetworks.delete", **G, region="us-west4", subnetwork="sub")
    cloud.change("compute.networks.delete", **G, network="net")
    assert "items" not in cloud.call("compute.routes.list", **G)


def test_an_auto_mode_network_has_a_subnet_in_every_region(bench: Bench, cloud: GcpClient) -> None:
    bench.control("default-network", project=PROJECT)
    found = cloud.call("compute.subnetworks.aggregatedList", **G)["items"]
    assert len(found) == len(facts.data("places")["auto_subnets"])
    assert len(cloud.call("compute.firewalls.list", **G)["items"]) == 4
    node = {"acceleratorType": "v5litepod-1", "runtimeVersion": "v2-alpha-tpuv5-lite"}
    made = cloud.change("tpu.projects.locations.nodes.create", parent=ZONE, nodeId="n", body=node)
    assert made["networkConfig"]["network"] == f"{P}/global/networks/default"


def test_a_project_has_its_default_network_as_soon_as_it_is_asked_for(bench: Bench, cloud: GcpClient) -> None:
    bench.strict = False  # who reads it first makes it
    found = cloud.call("compute.networks.get", **G, network="default")
    assert found["autoCreateSubnetworks"]
    assert bench.world.inventory() == [r for r in bench.world.inventory() if r.get("made_by")]
    again = Bench().client()
    again.call("compute.projects.get", **G)
    assert again.call("compute.networks.get", **G, network="default")["id"] == found["id"]


def test_an_organization_may_want_no_default_network(bench: Bench, cloud: GcpClient) -> None:
    bench.control("default-network", project=PROJECT, exists=False)
    node = {"acceleratorType": "v5litepod-1", "runtimeVersion": "v2-alpha-tpuv5-lite"}
    said = refusal(lambda: cloud.call("tpu.projects.locations.nodes.create", parent=ZONE, nodeId="n", body=node))
    assert (said.code, "default" in said.message) == ("INVALID_ARGUMENT", True)
    assert refusal(lambda: cloud.call("compute.networks.get", **G, network="default")).status == 404


# TPU ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "topology", "hosts"),
    [
        ("v5litepod-1", "1x1", 1),
        ("v5litepod-8", "2x4", 1),
        ("v5litepod-16", "4x4", 4),
        ("v5litepod-256", "16x16", 64),
        ("v5p-8", "2x2x1", 1),
        ("v5p-64", "2x4x4", 8),
        ("v5p-128", "4x4x4", 16),
        ("v5p-256", "4x4x8", 32),
        ("v4-8", "2x2x1", 1),
        ("v4-2048", "8x8x16", 256),
        ("v4-4096", "8x16x16", 512),
        ("v6e-8", "2x4", 1),
        ("v6e-256", "16x16", 64),
    ],
)
def test_slices_have_their_topology_and_hosts(kind: str, topology: str, hosts: int) -> None:
    found = facts.tpu_slice_by_name(kind)
    assert found is not None
    assert (found.topology, found.hosts) == (topology, hosts)


def test_a_slice_has_an_address_for_each_host_and_gives_them_back(cloud: GcpClient) -> None:
    network(cloud)
    first = [e["ipAddress"] for e in node(cloud, "one")["networkEndpoints"]]
    second = [e["ipAddress"] for e in node(cloud, "two")["networkEndpoints"]]
    assert first == [f"10.60.0.{n}" for n in range(2, 6)]
    assert not set(first) & set(second)
    cloud.change("tpu.projects.locations.nodes.delete", name=f"{ZONE}/nodes/one")
    assert [e["ipAddress"] for e in node(cloud, "three")["networkEndpoints"]] == first
    error = refusal(
        lambda: (
            node(cloud, "big", "v5litepod-256")
            and node(cloud, "big2", "v5litepod-256")
            and node(cloud, "b3", "v5litepod-256")
            and node(cloud, "b4", "v5litepod-256")
        )
    )
    assert error.code == "RESOURCE_EXHAUSTED"
    assert "exhausted" in error.message


def test_quota_and_capacity_meet_a_slice_in_its_operation(bench: Bench, cloud: GcpClient) -> None:
    network(cloud)
    bench.control("quota", scope="us-west4-a", metric="TPUV5sLitepodPerProjectPerZoneForTPUAPI", limit=16)
    node(cloud, "one")
    error = refusal(lambda: node(cloud, "two"))
    assert error.code == "RESOURCE_EXHAUSTED"
    assert "TPUV5sLitepodPerProjectPerZoneForTPUAPI" in error.message
    node(cloud, "spot", schedulingConfig={"spot": True})  # its own quota
    bench.control("capacity", zone="us-west4-a", type="v5litepod-16", limit=2)
    assert "no more capacity" in refusal(lambda: node(cloud, "three", schedulingConfig={"spot": True})).message
    assert cloud.find("tpu.projects.locations.nodes.get", name=f"{ZONE}/nodes/three") is None


def test_a_queued_request_waits_and_is_granted_whole(bench: Bench, cloud: GcpClient) -> None:
    bench.by_itself = False
    network(cloud)
    bench.control("capacity", zone="us-west4-a", type="v5litepod-16", limit=1)
    spec = {
        "parent": ZONE,
        "multisliceParams": {"nodeCount": 2, "nodeIdPrefix": "part"},
        "node": {
            "acceleratorType": "v5litepod-16",
            "runtimeVersion": "v2-alpha-tpuv5-lite",
            "networkConfig": {"subnetwork": f"{P}/regions/us-west4/subnetworks/sub"},
        },
    }
    queue = "tpu.projects.locations.queuedResources"
    body = {"tpu": {"nodeSpec": [spec]}, "spot": {}}
    cloud.change(f"{queue}.create", parent=ZONE, queuedResourceId="q", body=body)
    name = f"{ZONE}/queuedResources/q"
    assert cloud.call(f"{queue}.get", name=name)["state"]["state"] == "WAITING_FOR_RESOURCES"
    assert "nodes" not in cloud.call("tpu.projects.locations.nodes.list", parent=ZONE)
    bench.control("capacity", zone="us-west4-a", type="v5litepod-16", limit=2)
    assert bench.tick()
    assert cloud.call(f"{queue}.get", name=name)["state"]["state"] == "ACTIVE"
    made = cloud.call("tpu.projects.locations.nodes.list", parent=ZONE)["nodes"]
    assert [n["name"].rpartition("/")[2] for n in made] == ["part-0", "part-1"]
    assert all(n["multisliceNode"] and n["schedulingConfig"] == {"spot": True} for n in made)
    assert refusal(lambda: cloud.call(f"{queue}.delete", name=name)).code == "FAILED_PRECONDITION"
    cloud.change(f"{queue}.delete", name=name, force=True)
    assert "nodes" not in cloud.call("tpu.projects.locations.nodes.list", parent=ZONE)


def test_a_slice_changes_only_what_may_change(cloud: GcpClient) -> None:
    network(cloud)
    node(cloud, "n")
    method = "tpu.projects.locations.nodes.patch"
    body = {"runtimeVersion": "v2-alpha-tpuv5-lite", "labels": {"a": "b"}}
    assert cloud.change(method, name=f"{ZONE}/nodes/n", updateMask="labels", body=body)["labels"] == {"a": "b"}
    error = refusal(lambda: cloud.call(method, name=f"{ZONE}/nodes/n", updateMask="runtimeVersion", body=body))
    assert error.status == 400
    assert (
        refusal(lambda: cloud.call("tpu.projects.locations.nodes.stop", name=f"{ZONE}/nodes/n", body={})).status == 400
    )


# Storage ------------------------------------------------------------------------------------------------------------


def test_generations_versions_and_soft_delete(bench: Bench, cloud: GcpClient) -> None:
    cloud.call("storage.buckets.insert", **G, body={"name": "bkt", "location": "us", "versioning": {"enabled": True}})
    one, two = put(cloud, "a", b"one"), put(cloud, "a", b"two")
    assert int(two["generation"]) > int(one["generation"])
    objects = cloud.collection("storage.objects")
    assert objects.get_media(bucket="bkt", object="a").execute() == b"two"
    assert objects.get_media(bucket="bkt", object="a", generation=one["generation"]).execute() == b"one"
    cloud.call("storage.objects.delete", bucket="bkt", object="a")
    assert cloud.find("storage.objects.get", bucket="bkt", object="a") is None
    assert len(cloud.call("storage.objects.list", bucket="bkt", versions=True)["items"]) == 2
    assert refusal(lambda: cloud.call("storage.buckets.delete", bucket="bkt")).status == 409
    for item in (one, two):
        cloud.call("storage.objects.delete", bucket="bkt", object="a", generation=item["generation"])
    assert len(cloud.call("storage.objects.list", bucket="bkt", softDeleted=True)["items"]) == 2
    assert {k["state"] for k in bench.world.kept()} == {"SOFT_DELETED"}
    bench.pass_time(days=8)
    bench.tick()
    assert bench.world.kept() == []
    cloud.call("storage.buckets.delete", bucket="bkt")


def test_objects_are_copied_and_fetched_as_storage_clients_do(bench: Bench, cloud: GcpClient) -> None:
    cloud.call("storage.buckets.insert", **G, body={"name": "bkt", "location": "us"})
    put(cloud, "a", b"one")
    where = {"sourceBucket": "bkt", "sourceObject": "a", "destinationBucket": "bkt", "destinationObject": "b/c"}
    done = cloud.call("storage.objects.rewrite", **where, body={})
    assert done["done"]
    assert done["resource"]["md5Hash"] == cloud.call("storage.objects.get", bucket="bkt", object="a")["md5Hash"]
    answer = bench.send(Request("GET", "/download/storage/v1/b/bkt/o/b%2Fc", "alt=media"))
    assert (answer.status, answer.body) == (200, b"one")


def test_external_addresses_are_never_shared(cloud: GcpClient) -> None:
    network(cloud)
    for n in range(3):
        body = {
            "name": f"vm{n}",
            "machineType": "zones/us-west4-a/machineTypes/e2-medium",
            "disks": [
                {
                    "boot": True,
                    "initializeParams": {"sourceImage": "projects/debian-cloud/global/images/family/debian-12"},
                }
            ],
            "networkInterfaces": [{"subnetwork": "regions/us-west4/subnetworks/sub", "accessConfigs": [{}]}],
        }
        cloud.change("compute.instances.insert", **G, zone="us-west4-a", body=body)
    cloud.change("compute.addresses.insert", **G, region="us-west4", body={"name": "a"})
    found = [
        i["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
        for i in cloud.call("compute.instances.list", **G, zone="us-west4-a")["items"]
    ]
    found.append(cloud.call("compute.addresses.get", **G, region="us-west4", address="a")["address"])
    assert len(set(found)) == 4


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200))
def test_content_comes_back_byte_for_byte(content: bytes) -> None:
    cloud = Bench().client()
    cloud.call("storage.buckets.insert", **G, body={"name": "bkt", "location": "us"})
    put(cloud, "dir/ä b?#", content)
    assert cloud.collection("storage.objects").get_media(bucket="bkt", object="dir/ä b?#").execute() == content


def test_a_bucket_closed_to_the_public_stays_closed(cloud: GcpClient) -> None:
    access = {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": {"enabled": True}}
    cloud.call("storage.buckets.insert", **G, body={"name": "bkt", "location": "us", "iamConfiguration": access})
    body = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
    error = refusal(lambda: cloud.call("storage.buckets.setIamPolicy", bucket="bkt", body=body))
    assert (error.status, error.code) == (412, "conditionNotMet")
    body["bindings"][0]["members"] = ["user:a@example.com"]
    cloud.call("storage.buckets.setIamPolicy", bucket="bkt", body=body)


def test_a_patch_with_null_takes_a_member_away(cloud: GcpClient) -> None:
    rules = {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 1}}]}
    body = {"name": "bkt", "location": "us", "lifecycle": rules, "labels": {"a": "b", "c": "d"}}
    cloud.call("storage.buckets.insert", **G, body=body)
    made = cloud.call("storage.buckets.patch", bucket="bkt", body={"lifecycle": None, "labels": {"a": None}})
    assert "lifecycle" not in made
    assert made["labels"] == {"c": "d"}
    assert made["metageneration"] == "2"


# IAM and KMS --------------------------------------------------------------------------------------------------------


def test_a_deleted_account_leaves_a_mark_and_can_come_back(cloud: GcpClient) -> None:
    made = cloud.call("iam.projects.serviceAccounts.create", name=P, body={"accountId": "trainer"})
    member = f"serviceAccount:{made['email']}"
    policy = {"bindings": [{"role": "roles/viewer", "members": [member]}]}
    cloud.call("cloudresourcemanager.projects.setIamPolicy", resource=PROJECT, body={"policy": policy})
    cloud.call("iam.projects.serviceAccounts.delete", name=made["name"])
    found = cloud.call("cloudresourcemanager.projects.getIamPolicy", resource=PROJECT, body={})
    assert found["bindings"][0]["members"] == [f"deleted:{member}?uid={made['uniqueId']}"]
    cloud.call("iam.projects.serviceAccounts.undelete", name=f"{P}/serviceAccounts/{made['uniqueId']}", body={})
    found = cloud.call("cloudresourcemanager.projects.getIamPolicy", resource=PROJECT, body={})
    assert found["bindings"][0]["members"] == [member]


def test_two_writers_of_a_policy_do_not_lose_each_other(cloud: GcpClient) -> None:
    read = cloud.call("cloudresourcemanager.projects.getIamPolicy", resource=PROJECT, body={})
    one = {**read, "bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"]}]}
    cloud.call("cloudresourcemanager.projects.setIamPolicy", resource=PROJECT, body={"policy": one})
    error = refusal(
        lambda: cloud.call("cloudresourcemanager.projects.setIamPolicy", resource=PROJECT, body={"policy": one})
    )
    assert (error.status, error.code) == (409, "ABORTED")


def test_a_destroyed_version_waits_and_can_be_restored(cloud: GcpClient) -> None:
    version = key(cloud) + "/cryptoKeyVersions/1"
    versions = f"{KMS}.cryptoKeys.cryptoKeyVersions"
    assert cloud.call(f"{versions}.destroy", name=version, body={})["state"] == "DESTROY_SCHEDULED"
    assert refusal(lambda: cloud.call(f"{versions}.destroy", name=version, body={})).code == "FAILED_PRECONDITION"
    assert cloud.call(f"{versions}.restore", name=version, body={})["state"] == "DISABLED"
    body = {"state": "ENABLED"}
    assert cloud.call(f"{versions}.patch", name=version, updateMask="state", body=body)["state"] == "ENABLED"


def test_knobs_that_do_not_exist_are_a_mistake(bench: Bench) -> None:
    with pytest.raises(ValueError, match="no such knob"):
        bench.control("rain")
    with pytest.raises(ValueError, match="needs"):
        bench.control("capacity", zone="us-west4-a")
    bench.control("default-network", project=PROJECT)
    with pytest.raises(ValueError, match="already exists"):
        bench.control("default-network", project=PROJECT)


def test_numbers_survive_as_floats(cloud: GcpClient) -> None:
    network(cloud)
    number = int(cloud.call("compute.networks.get", **G, network="net")["id"])
    assert int(float(number)) == number
