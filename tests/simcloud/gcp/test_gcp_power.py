"""Power, networks and Spot on Google Cloud: the API and what the fleet says of a machine agree, whatever happens."""

from __future__ import annotations

from typing import Any

import pytest
from gcp_bench import PROJECT, Bench, refusal
from test_gcp_fleet import NET, SUB, ZONE, A, instance, properties

from simcloud.fleet import joined
from simcloud.gcp.client import GcpClient
from simcloud.gcp.fleet import fleet
from simcloud.hosts.model import Machine

NODE = f"projects/{PROJECT}/locations/{ZONE}/nodes/train-0"
LOCAL = {"type": "SCRATCH", "interface": "NVME", "autoDelete": True}


@pytest.fixture
def bench() -> Bench:
    return Bench(by_itself=False)


@pytest.fixture
def cloud(bench: Bench) -> GcpClient:
    cloud = bench.client(zone=ZONE)
    cloud.change("compute.networks.insert", project=PROJECT, body={"name": "net", "autoCreateSubnetworks": False})
    body = {"name": "sub", "network": "global/networks/net", "ipCidrRange": "10.60.0.0/20"}
    cloud.change("compute.subnetworks.insert", project=PROJECT, region="us-central1", body=body)
    return cloud


def machine(bench: Bench, name: str) -> Machine:
    return next(m for m in joined([fleet(bench.world)]).machines if name in (m.name, m.key))


def status(cloud: GcpClient, name: str) -> str:
    return str(cloud.call("compute.instances.get", **A, instance=name)["status"])


def wait(bench: Bench, seconds: float) -> None:
    bench.pass_time(seconds=seconds)
    bench.tick()


def group(cloud: GcpClient, size: int = 2, *, heals: bool = False, **more: Any) -> None:
    body = {"name": "t", "properties": properties(**more)}
    cloud.change("compute.instanceTemplates.insert", project=PROJECT, body=body)
    healing = {}
    if heals:
        check = {"name": "ssh", "type": "TCP", "tcpHealthCheck": {"port": 22}, "checkIntervalSec": 10}
        cloud.change("compute.healthChecks.insert", project=PROJECT, body=check | {"unhealthyThreshold": 3})
        healing = {"autoHealingPolicies": [{"healthCheck": "global/healthChecks/ssh", "initialDelaySec": 300}]}
    template = "global/instanceTemplates/t"
    body = {"name": "g", "targetSize": size, "baseInstanceName": "train", "instanceTemplate": template, **healing}
    cloud.change("compute.instanceGroupManagers.insert", **A, body=body)


def members(bench: Bench) -> dict[str, str]:
    return {m.name: m.key for m in joined([fleet(bench.world)]).machines if m.name.startswith("train-")}


def node(cloud: GcpClient, **more: Any) -> None:
    body = {
        "acceleratorType": "v5litepod-16",
        "runtimeVersion": "v2-alpha-tpuv5-lite",
        "networkConfig": {"network": NET, "subnetwork": SUB},
        **more,
    }
    parent = NODE.rpartition("/nodes/")[0]
    cloud.change("tpu.projects.locations.nodes.create", parent=parent, nodeId="train-0", body=body)


def test_stop_start_and_reset_show_in_boots_and_drives(bench: Bench, cloud: GcpClient) -> None:
    instance(cloud, "one", disks=[*properties()["disks"], LOCAL])
    before = machine(bench, "one")
    cloud.change("compute.instances.reset", **A, instance="one")
    assert machine(bench, "one").boots == 2
    assert machine(bench, "one").drives_life == before.drives_life
    cloud.change("compute.instances.stop", **A, instance="one")
    assert not machine(bench, "one").power
    assert refusal(lambda: cloud.change("compute.instances.reset", **A, instance="one")).status == 400
    cloud.change("compute.instances.start", **A, instance="one")
    cloud.change("compute.instances.start", **A, instance="one")
    after = machine(bench, "one")
    assert (after.power, after.boots, after.disk) == (True, 3, before.disk)
    assert after.drives_life != before.drives_life
    cloud.change("compute.instances.stop", **A, instance="one", discardLocalSsd=False)
    assert machine(bench, "one").drives_life == after.drives_life
    cloud.change("compute.instances.delete", **A, instance="one")
    assert joined([fleet(bench.world)]).machines == ()


def test_a_machine_whose_hardware_fails_restarts_elsewhere_by_itself(bench: Bench, cloud: GcpClient) -> None:
    instance(cloud, "one", disks=[*properties()["disks"], LOCAL])
    before = machine(bench, "one")
    bench.control("power-loss", id=before.key)
    assert not machine(bench, "one").power
    assert status(cloud, "one") == "RUNNING"
    wait(bench, 11)
    assert status(cloud, "one") == "REPAIRING"
    wait(bench, 11)
    after = machine(bench, "one")
    assert status(cloud, "one") == "RUNNING"
    assert (after.power, after.boots, after.disk) == (True, 2, before.disk)
    assert after.drives_life != before.drives_life


def test_a_machine_that_may_not_restart_stops(bench: Bench, cloud: GcpClient) -> None:
    instance(cloud, "one", scheduling={"automaticRestart": False})
    bench.control("power-loss", id="one", after=0)
    bench.tick()
    assert status(cloud, "one") == "TERMINATED"
    cloud.change("compute.instances.start", **A, instance="one")
    assert (machine(bench, "one").power, machine(bench, "one").boots) == (True, 2)


def test_a_group_makes_a_member_that_lost_power_anew(bench: Bench, cloud: GcpClient) -> None:
    group(cloud)
    bench.tick()
    before = members(bench)
    lost = sorted(before)[0]
    bench.control("power-loss", id=before[lost])
    assert not machine(bench, lost).power
    wait(bench, 11)
    after = members(bench)
    assert set(after) == set(before), "members come back under their names"
    assert {n for n in after if after[n] != before[n]} == {lost}
    assert machine(bench, lost).boots == 1


def test_recreated_members_are_other_machines(bench: Bench, cloud: GcpClient) -> None:
    group(cloud)
    bench.tick()
    before = members(bench)
    chosen = {"instances": [f"zones/{ZONE}/instances/{sorted(before)[0]}"]}
    cloud.change("compute.instanceGroupManagers.recreateInstances", **A, instanceGroupManager="g", body=chosen)
    bench.tick()
    after = members(bench)
    assert set(after) == set(before)
    assert len(set(after.values()) & set(before.values())) == 1


def test_a_cut_network_is_found_by_autohealing_after_its_delay_and_checks(bench: Bench, cloud: GcpClient) -> None:
    group(cloud, size=1, heals=True)
    bench.tick()
    before = members(bench)
    (name,) = before
    bench.control("network-loss", id=name)
    assert not machine(bench, name).reachable
    wait(bench, 300)
    assert members(bench) == before
    wait(bench, 31)
    assert members(bench) != before
    assert machine(bench, name).reachable


def test_a_cut_network_replaces_nobody_where_nobody_checks_or_it_comes_back(bench: Bench, cloud: GcpClient) -> None:
    group(cloud, size=1)
    bench.tick()
    before = members(bench)
    (name,) = before
    bench.control("network-loss", id=name)
    wait(bench, 900)
    assert members(bench) == before
    assert not bench.world.restless(), "nothing happens, again and again"
    bench.control("network-back", id=name)
    assert machine(bench, name).reachable


def test_a_network_that_is_back_before_the_checks_fail_replaces_nobody(bench: Bench, cloud: GcpClient) -> None:
    group(cloud, size=1, heals=True)
    bench.tick()
    before = members(bench)
    (name,) = before
    bench.control("network-loss", id=name, after=30)
    bench.control("network-back", id=name)
    wait(bench, 31)
    assert members(bench) == before


def test_a_spot_machine_is_told_and_stopped(bench: Bench, cloud: GcpClient) -> None:
    instance(cloud, "spot", scheduling={"provisioningModel": "SPOT"})
    instance(cloud, "brief", scheduling={"provisioningModel": "SPOT", "instanceTerminationAction": "DELETE"})
    instance(cloud, "ours")
    for name in ("spot", "brief"):
        bench.control("spot-notice", id=name)
    with pytest.raises(ValueError, match="is not Spot"):
        bench.control("spot-notice", id="ours")
    wait(bench, 29)
    assert machine(bench, "spot").power
    wait(bench, 2)
    assert status(cloud, "spot") == "TERMINATED"
    assert {m.name for m in joined([fleet(bench.world)]).machines} == {"spot", "ours"}


def test_a_tpu_host_that_failed_comes_back_with_an_empty_disk_and_the_others_stay(
    bench: Bench, cloud: GcpClient
) -> None:
    node(cloud)
    before = {m.key: m for m in joined([fleet(bench.world)]).machines}
    lost = f"{NODE}/2"
    bench.control("power-loss", id=lost, after=0)
    bench.tick()
    shown = cloud.call("tpu.projects.locations.nodes.get", name=NODE)
    assert (shown["state"], shown["health"]) == ("REPAIRING", "UNHEALTHY_MAINTENANCE")
    assert {k for k, m in before.items() if not machine(bench, k).power} == {lost}
    wait(bench, 11)
    shown = cloud.call("tpu.projects.locations.nodes.get", name=NODE)
    assert (shown["state"], shown["health"]) == ("READY", "HEALTHY")
    after = {m.key: m for m in joined([fleet(bench.world)]).machines}
    assert {k for k in before if after[k] != before[k]} == {lost}
    assert after[lost].disk != before[lost].disk
    assert after[lost].power
    assert after[lost].address == before[lost].address


def test_a_spot_slice_is_taken_whole_and_a_new_one_of_its_name_has_new_disks(bench: Bench, cloud: GcpClient) -> None:
    node(cloud, schedulingConfig={"spot": True})
    before = {m.disk for m in joined([fleet(bench.world)]).machines}
    bench.control("spot-notice", id="train-0")
    wait(bench, 31)
    assert cloud.call("tpu.projects.locations.nodes.get", name=NODE)["state"] == "PREEMPTED"
    assert not any(m.power for m in joined([fleet(bench.world)]).machines)
    cloud.change("tpu.projects.locations.nodes.delete", name=NODE)
    node(cloud, schedulingConfig={"spot": True})
    after = joined([fleet(bench.world)]).machines
    assert all(m.power and m.boots == 1 for m in after)
    assert not before & {m.disk for m in after}


def test_a_system_that_shuts_itself_down_stops_its_instance_and_a_tpu_host_comes_back(
    bench: Bench, cloud: GcpClient
) -> None:
    instance(cloud, "one")
    bench.control("shut-down", id="one")
    bench.control("shut-down", id="one")
    assert status(cloud, "one") == "TERMINATED"
    cloud.change("compute.instances.start", **A, instance="one")
    assert machine(bench, "one").boots == 2
    node(cloud)
    before = machine(bench, f"{NODE}/1")
    bench.control("shut-down", id=f"{NODE}/1")
    assert not machine(bench, f"{NODE}/1").power
    wait(bench, 11)
    after = machine(bench, f"{NODE}/1")
    assert (after.power, after.boots, after.disk) == (True, 2, before.disk)
    assert cloud.call("tpu.projects.locations.nodes.get", name=NODE)["state"] == "READY"


def test_a_single_host_slice_stops_and_starts(bench: Bench, cloud: GcpClient) -> None:
    node(cloud, acceleratorType="v5litepod-4")
    cloud.change("tpu.projects.locations.nodes.stop", name=NODE, body={})
    assert not machine(bench, f"{NODE}/0").power
    cloud.change("tpu.projects.locations.nodes.start", name=NODE, body={})
    assert (machine(bench, f"{NODE}/0").power, machine(bench, f"{NODE}/0").boots) == (True, 2)


def test_the_journal_leads_to_the_same_fleet(bench: Bench, cloud: GcpClient) -> None:
    group(cloud)
    bench.tick()
    node(cloud)
    for id in (sorted(members(bench))[0], f"{NODE}/1"):
        bench.control("power-loss", id=id)
    wait(bench, 11)
    bench.control("network-loss", id=sorted(members(bench))[1])
    wait(bench, 5)
    again = bench.replay()
    assert joined([fleet(again)]) == joined([fleet(bench.world)])
    assert again.state.due == bench.world.state.due


def test_what_is_not_there_cannot_fail(bench: Bench, cloud: GcpClient) -> None:
    with pytest.raises(ValueError, match="there is no instance or TPU host"):
        bench.control("power-loss", id="nobody")
    instance(cloud, "one")
    bench.control("power-loss", id="one")
    with pytest.raises(ValueError, match="no power to lose"):
        bench.control("power-loss", id="one")
