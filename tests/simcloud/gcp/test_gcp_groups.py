"""Managed instance groups launch, heal, resize and roll by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from gcp_bench import PROJECT, Bench, refusal

from simcloud.gcp.client import GcpClient

A = {"project": PROJECT, "zone": "us-central1-a"}
R = {"project": PROJECT, "region": "us-central1"}
IMAGE = "projects/debian-cloud/global/images/family/debian-12"


def template(cloud: GcpClient, name: str, machine: str = "a2-highgpu-1g", disk: str = "pd-ssd", **more: Any) -> None:
    properties = {
        "machineType": machine,
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": IMAGE, "diskType": disk}}],
        "networkInterfaces": [{"subnetwork": "regions/us-central1/subnetworks/sub"}],
        "scheduling": {"onHostMaintenance": "TERMINATE"},
        **more,
    }
    cloud.change("compute.instanceTemplates.insert", project=PROJECT, body={"name": name, "properties": properties})


def versions(*names: str) -> list[dict[str, str]]:
    return [{"instanceTemplate": f"global/instanceTemplates/{n}"} for n in names]


@pytest.fixture
def quiet() -> Bench:
    """The cloud's own work goes on only at ticks."""
    return Bench(by_itself=False)


@pytest.fixture
def cloud(quiet: Bench) -> GcpClient:
    cloud = quiet.client(zone="us-central1-a")
    cloud.change("compute.networks.insert", project=PROJECT, body={"name": "net", "autoCreateSubnetworks": False})
    body = {"name": "sub", "network": "global/networks/net", "ipCidrRange": "10.60.0.0/20"}
    cloud.change("compute.subnetworks.insert", **R, body=body)
    template(cloud, "one")
    template(cloud, "two")
    return cloud


def group(cloud: GcpClient, size: int = 4, **more: Any) -> None:
    body = {"name": "g", "targetSize": size, "baseInstanceName": "train", "versions": versions("one"), **more}
    cloud.change("compute.instanceGroupManagers.insert", **A, body=body)


def members(cloud: GcpClient) -> dict[str, dict[str, Any]]:
    found = cloud.call("compute.instanceGroupManagers.listManagedInstances", **A, instanceGroupManager="g")
    return {m["name"]: m for m in found.get("managedInstances", [])}


def templates(cloud: GcpClient) -> list[str]:
    return sorted(m["version"]["instanceTemplate"].rpartition("/")[2] for m in members(cloud).values())


def stable(cloud: GcpClient) -> bool:
    return bool(cloud.call("compute.instanceGroupManagers.get", **A, instanceGroupManager="g")["status"]["isStable"])


def patch(cloud: GcpClient, **body: Any) -> None:
    cloud.change("compute.instanceGroupManagers.patch", **A, instanceGroupManager="g", body=body)


def test_a_group_launches_its_members_and_takes_them_along(quiet: Bench, cloud: GcpClient) -> None:
    before = quiet.world.inventory()
    group(cloud)
    assert stable(cloud)
    assert len(cloud.call("compute.instances.list", **A)["items"]) == 4
    quota = {q["metric"]: q["usage"] for q in cloud.call("compute.regions.get", **R)["quotas"]}
    assert quota["NVIDIA_A100_GPUS"] == 4
    cloud.change("compute.instanceGroupManagers.delete", **A, instanceGroupManager="g")
    assert quiet.world.inventory() == before


def test_a_deleted_member_comes_back_under_its_name(cloud: GcpClient) -> None:
    group(cloud)
    name, old = next(iter(members(cloud).items()))
    cloud.change("compute.instances.delete", **A, instance=name)
    assert members(cloud)[name]["id"] != old["id"]
    assert stable(cloud)


def test_an_unhealthy_member_is_replaced_only_with_a_policy(quiet: Bench, cloud: GcpClient) -> None:
    cloud.change("compute.healthChecks.insert", project=PROJECT, body={"name": "hc", "tcpHealthCheck": {"port": 22}})
    group(cloud)
    name, old = next(iter(members(cloud).items()))
    quiet.control("unhealthy", instance=name)
    quiet.tick()
    assert members(cloud)[name]["id"] == old["id"]
    patch(cloud, autoHealingPolicies=[{"healthCheck": "global/healthChecks/hc", "initialDelaySec": 60}])
    assert members(cloud)[name]["id"] != old["id"]
    error = refusal(lambda: cloud.call("compute.healthChecks.delete", project=PROJECT, healthCheck="hc"))
    assert error.code == "resourceInUseByAnotherResource"


def test_an_opportunistic_update_waits_for_recreation(cloud: GcpClient) -> None:
    group(cloud)
    patch(cloud, versions=versions("two"))
    assert templates(cloud) == ["one"] * 4
    assert stable(cloud)
    name = next(iter(members(cloud)))
    cloud.change(
        "compute.instanceGroupManagers.recreateInstances",
        **A,
        instanceGroupManager="g",
        body={"instances": [f"zones/us-central1-a/instances/{name}"]},
    )
    assert templates(cloud) == ["one"] * 3 + ["two"]


@pytest.mark.parametrize(("surge", "away", "wave"), [(0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 2, 4)])
def test_a_rolling_update_goes_in_waves_of_surge_and_unavailability(
    surge: int, away: int, wave: int, quiet: Bench, cloud: GcpClient
) -> None:
    group(cloud)
    bounds = {"maxSurge": {"fixed": surge}, "maxUnavailable": {"fixed": away}}
    patch(cloud, versions=versions("two"), updatePolicy={"type": "PROACTIVE", **bounds})
    done = wave
    while done < 4:
        assert templates(cloud).count("two") == done
        assert not stable(cloud)
        quiet.tick()
        done += wave
    assert templates(cloud) == ["two"] * 4
    assert stable(cloud)
    assert not quiet.world.restless()


def test_recreation_keeps_names(cloud: GcpClient, quiet: Bench) -> None:
    group(cloud)
    names = set(members(cloud))
    policy = {
        "type": "PROACTIVE",
        "replacementMethod": "RECREATE",
        "maxSurge": {"fixed": 0},
        "maxUnavailable": {"fixed": 4},
    }
    patch(cloud, versions=versions("two"), updatePolicy=policy)
    quiet.tick()
    assert set(members(cloud)) == names
    assert templates(cloud) == ["two"] * 4


def test_a_canary_gets_its_share(cloud: GcpClient, quiet: Bench) -> None:
    group(cloud)
    both = [*versions("one"), {**versions("two")[0], "targetSize": {"percent": 25}}]
    patch(cloud, versions=both, updatePolicy={"type": "PROACTIVE"})
    while quiet.tick():
        pass
    assert templates(cloud) == ["one"] * 3 + ["two"]
    assert stable(cloud)


def test_a_group_grows_and_shrinks(cloud: GcpClient) -> None:
    group(cloud, 2)
    kept = set(members(cloud))
    cloud.change("compute.instanceGroupManagers.resize", **A, instanceGroupManager="g", size=5)
    assert len(members(cloud)) == 5
    assert kept < set(members(cloud))
    cloud.change("compute.instanceGroupManagers.resize", **A, instanceGroupManager="g", size=1)
    assert set(members(cloud)) < kept


def test_no_capacity_shows_as_errors_of_the_group_and_heals(quiet: Bench, cloud: GcpClient) -> None:
    quiet.control("capacity", zone="us-central1-a", type="a2-highgpu-1g", limit=3)
    group(cloud)
    waiting = [m for m in members(cloud).values() if "instanceStatus" not in m]
    assert [m["currentAction"] for m in waiting] == ["CREATING"]
    assert waiting[0]["lastAttempt"]["errors"]["errors"][0]["code"] == "ZONE_RESOURCE_POOL_EXHAUSTED"
    errors = cloud.call("compute.instanceGroupManagers.listErrors", **A, instanceGroupManager="g")["items"]
    assert [e["error"]["code"] for e in errors] == ["ZONE_RESOURCE_POOL_EXHAUSTED"]
    assert not stable(cloud)
    assert not quiet.world.restless(), "trying again without a change cannot succeed"
    quiet.control("capacity", zone="us-central1-a", type="a2-highgpu-1g", limit=None)
    assert quiet.world.restless()
    quiet.tick()
    assert stable(cloud)


def test_launches_made_to_fail_are_tried_again(quiet: Bench, cloud: GcpClient) -> None:
    quiet.control("fail-launches", count=2)
    group(cloud, 3)
    assert not stable(cloud)
    while quiet.world.restless():
        quiet.tick()
    assert stable(cloud)


def test_quota_shows_as_errors_of_the_group(quiet: Bench, cloud: GcpClient) -> None:
    quiet.control("quota", scope="us-central1", metric="NVIDIA_A100_GPUS", limit=2)
    group(cloud)
    errors = cloud.call("compute.instanceGroupManagers.listErrors", **A, instanceGroupManager="g")["items"]
    assert errors[0]["error"]["code"] == "QUOTA_EXCEEDED"
    assert "NVIDIA_A100_GPUS" in errors[0]["error"]["message"]
    assert sum("instanceStatus" in m for m in members(cloud).values()) == 2


def test_an_instance_alone_fails_in_its_operation(quiet: Bench, cloud: GcpClient) -> None:
    body = {
        "name": "vm",
        "machineType": "zones/us-central1-a/machineTypes/e2-medium",
        "disks": [{"boot": True, "initializeParams": {"sourceImage": IMAGE}}],
        "networkInterfaces": [{"subnetwork": "regions/us-central1/subnetworks/sub"}],
    }
    quiet.control("fail-launches", count=1, code="ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS")
    error = refusal(lambda: cloud.change("compute.instances.insert", **A, body=body))
    assert (error.status, error.code) == (503, "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS")
    assert cloud.find("compute.instances.get", **A, instance="vm") is None
    cloud.change("compute.instances.insert", **A, body=body)
    quiet.control("quota", scope="us-central1", metric="CPUS", limit=3)
    error = refusal(lambda: cloud.change("compute.instances.insert", **A, body={**body, "name": "vm2"}))
    assert (error.status, error.code) == (403, "QUOTA_EXCEEDED")


def test_a_regional_group_spreads_evenly_or_goes_where_there_is_room(quiet: Bench, cloud: GcpClient) -> None:
    zones = [{"zone": f"zones/us-central1-{z}"} for z in "abc"]
    body = {"name": "g", "targetSize": 6, "baseInstanceName": "r", "versions": versions("one")}
    cloud.change(
        "compute.regionInstanceGroupManagers.insert", **R, body={**body, "distributionPolicy": {"zones": zones}}
    )
    found = cloud.call("compute.instances.aggregatedList", project=PROJECT)["items"]
    assert {scope: len(v["instances"]) for scope, v in found.items()} == {f"zones/us-central1-{z}": 2 for z in "abc"}
    quiet.control("capacity", zone="us-central1-a", type="a2-highgpu-1g", limit=2)
    shape = {"zones": zones, "targetShape": "ANY"}
    cloud.change(
        "compute.regionInstanceGroupManagers.insert",
        **R,
        body={**body, "name": "h", "baseInstanceName": "any", "distributionPolicy": shape},
    )
    made = cloud.call("compute.regionInstanceGroupManagers.listManagedInstances", **R, instanceGroupManager="h")
    assert all("instanceStatus" in m and "us-central1-a" not in m["instance"] for m in made["managedInstances"])


def workload(cloud: GcpClient, **more: Any) -> None:
    template(cloud, "tpu", "ct5lp-hightpu-4t", "pd-balanced")
    body = {"name": "slice", "workloadPolicy": {"type": "HIGH_THROUGHPUT", "acceleratorTopology": "4x4"}}
    cloud.change("compute.resourcePolicies.insert", **R, body=body)
    policies = {"workloadPolicy": "projects/demo-project/regions/us-central1/resourcePolicies/slice"}
    group(cloud, **{"size": 4, "resourcePolicies": policies, **more, "versions": versions("tpu")})


def test_a_topology_is_launched_whole_or_not_at_all(quiet: Bench, cloud: GcpClient) -> None:
    quiet.control("capacity", zone="us-central1-a", type="ct5lp-hightpu-4t", limit=3)
    workload(cloud)
    assert "items" not in cloud.call("compute.instances.list", **A)
    assert not stable(cloud)
    quiet.control("capacity", zone="us-central1-a", type="ct5lp-hightpu-4t", limit=4)
    quiet.tick()
    assert len(cloud.call("compute.instances.list", **A)["items"]) == 4
    quiet.strict = True
    error = refusal(lambda: cloud.change("compute.instanceGroupManagers.resize", **A, instanceGroupManager="g", size=3))
    assert "4 hosts" in error.message


def test_a_template_in_use_stays(cloud: GcpClient) -> None:
    group(cloud)
    error = refusal(lambda: cloud.call("compute.instanceTemplates.delete", project=PROJECT, instanceTemplate="one"))
    assert error.code == "resourceInUseByAnotherResource"
    cloud.change("compute.instanceTemplates.delete", project=PROJECT, instanceTemplate="two")


def test_a_preempted_member_is_launched_again(quiet: Bench, cloud: GcpClient) -> None:
    group(cloud)
    name, old = next(iter(members(cloud).items()))
    quiet.control("preempt", name=f"projects/{PROJECT}/zones/us-central1-a/instances/{name}")
    assert not stable(cloud)
    quiet.tick()
    assert members(cloud)[name]["id"] != old["id"]
    assert stable(cloud)
