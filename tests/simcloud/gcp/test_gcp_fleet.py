"""What the simulated Google Cloud says should run: instances, TPU hosts, and their firewall."""

from __future__ import annotations

from typing import Any

import pytest
from gcp_bench import PROJECT, Bench

from simcloud.fleet import joined
from simcloud.gcp.client import GcpClient
from simcloud.gcp.fleet import fleet
from simcloud.hosts.model import Fleet, Rule

ZONE = "us-central1-a"
A = {"project": PROJECT, "zone": ZONE}
IMAGE = "projects/debian-cloud/global/images/family/debian-12"
NET = f"projects/{PROJECT}/global/networks/net"
SUB = f"projects/{PROJECT}/regions/us-central1/subnetworks/sub"


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def cloud(bench: Bench) -> GcpClient:
    cloud = bench.client(zone=ZONE)
    cloud.change("compute.networks.insert", project=PROJECT, body={"name": "net", "autoCreateSubnetworks": False})
    body = {"name": "sub", "network": "global/networks/net", "ipCidrRange": "10.60.0.0/20"}
    cloud.change("compute.subnetworks.insert", project=PROJECT, region="us-central1", body=body)
    return cloud


def properties(**more: Any) -> dict[str, Any]:
    return {
        "machineType": "n2-standard-8",
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": IMAGE}}],
        "networkInterfaces": [{"subnetwork": "regions/us-central1/subnetworks/sub"}],
        **more,
    }


def instance(cloud: GcpClient, name: str, **more: Any) -> None:
    kind = f"zones/{ZONE}/machineTypes/n2-standard-8"
    body = {"name": name, **properties(machineType=kind, **more)}
    cloud.change("compute.instances.insert", **A, body=body)


def firewall(cloud: GcpClient, name: str, **more: Any) -> None:
    body = {"name": name, "network": "global/networks/net", **more}
    cloud.change("compute.firewalls.insert", project=PROJECT, body=body)


def seen(bench: Bench) -> Fleet:
    return joined([fleet(bench.world)])


def inward(found: Fleet, name: str) -> list[Rule]:
    key = next(m.key for m in found.machines if m.name == name)
    return [r for r in found.rules if r.machine == key and r.direction == "in"]


def test_members_of_groups_and_single_machines_come_with_their_scripts(bench: Bench, cloud: GcpClient) -> None:
    script = {"items": [{"key": "startup-script", "value": "echo one"}]}
    local = {"type": "SCRATCH", "interface": "NVME", "autoDelete": True}
    props = properties(metadata=script, labels={"pool": "train"})
    props["disks"] = [*props["disks"], local, local]
    cloud.change("compute.instanceTemplates.insert", project=PROJECT, body={"name": "t", "properties": props})
    group = {
        "name": "g",
        "targetSize": 2,
        "baseInstanceName": "train",
        "instanceTemplate": "global/instanceTemplates/t",
    }
    cloud.change("compute.instanceGroupManagers.insert", **A, body=group)
    instance(cloud, "control")
    found = seen(bench)
    by_name = {m.name: m for m in found.machines}
    members = [m for m in found.machines if m.name.startswith("train-")]
    assert len(members) == 2
    assert len(found.machines) == 3
    assert {m.user_data for m in members} == {"echo one"}
    assert by_name["control"].user_data == ""
    assert {m.drives for m in members} == {2}
    assert members[0].tags == {"pool": "train"}
    assert (members[0].network, members[0].subnet, members[0].cidr) == (NET, SUB, "10.60.0.0/20")
    assert by_name["control"].image_name.startswith("debian-12-")
    assert by_name["control"].key.isdigit()
    assert len({m.disk for m in found.machines}) == 3
    assert found.networks[0].subnets == {SUB: "10.60.0.0/20"}


def test_a_projects_startup_script_is_for_machines_that_have_none(bench: Bench, cloud: GcpClient) -> None:
    common = {"items": [{"key": "startup-script", "value": "echo project"}]}
    cloud.change("compute.projects.setCommonInstanceMetadata", project=PROJECT, body=common)
    instance(cloud, "a")
    instance(cloud, "b", metadata={"items": [{"key": "startup-script", "value": "echo own"}]})
    assert {m.name: m.user_data for m in seen(bench).machines} == {"a": "echo project", "b": "echo own"}


def test_targets_and_sources_by_tag_are_resolved(bench: Bench, cloud: GcpClient) -> None:
    for name, tags in (("login", ["login"]), ("node-1", ["node"]), ("node-2", ["node"]), ("other", [])):
        instance(cloud, name, tags={"items": tags})
    tcp = [{"IPProtocol": "tcp", "ports": ["22", "6817-6819"]}]
    firewall(cloud, "jobs", sourceTags=["login"], targetTags=["node"], allowed=tcp)
    firewall(cloud, "among", sourceTags=["node"], targetTags=["node"], allowed=[{"IPProtocol": "all"}], priority=900)
    found = seen(bench)
    address = {m.name: m.address for m in found.machines}
    among, ssh, slurm = inward(found, "node-1")
    assert (among.protocol, among.ports, among.priority) == ("all", None, 900)
    assert {ssh.peers, slurm.peers} == {(f"{address['login']}/32",)}
    assert (ssh.ports, slurm.ports) == ((22, 22), (6817, 6819))
    assert inward(found, "other") == inward(found, "login") == []


def test_targets_and_sources_by_service_account_are_resolved(bench: Bench, cloud: GcpClient) -> None:
    for name in ("login", "node"):
        cloud.call(
            "iam.projects.serviceAccounts.create", name=f"projects/{PROJECT}", body={"accountId": f"{name}-account"}
        )
        email = f"{name}-account@{PROJECT}.iam.gserviceaccount.com"
        instance(cloud, name, serviceAccounts=[{"email": email, "scopes": ["cloud-platform"]}])
    login, node = (f"{n}-account@{PROJECT}.iam.gserviceaccount.com" for n in ("login", "node"))
    udp = [{"IPProtocol": "17", "ports": ["123"]}]
    firewall(cloud, "time", sourceServiceAccounts=[node], targetServiceAccounts=[login], allowed=udp)
    found = seen(bench)
    assert {m.name: m.identity for m in found.machines} == {"login": login, "node": node}
    (rule,) = inward(found, "login")
    assert (rule.protocol, rule.ports) == ("udp", (123, 123))
    assert rule.peers == (next(f"{m.address}/32" for m in found.machines if m.name == "node"),)


def test_of_equal_priority_the_refusal_comes_first_and_disabled_rules_are_left_out(
    bench: Bench, cloud: GcpClient
) -> None:
    instance(cloud, "one")
    web = [{"IPProtocol": "tcp", "ports": ["80"]}]
    firewall(cloud, "allow", sourceRanges=["10.0.0.0/8"], allowed=web)
    firewall(cloud, "deny", sourceRanges=["10.9.0.0/16"], denied=web)
    firewall(cloud, "first", sourceRanges=["10.9.1.0/24"], allowed=web, priority=10)
    firewall(cloud, "off", allowed=[{"IPProtocol": "all"}], disabled=True, priority=1)
    firewall(cloud, "elsewhere", destinationRanges=["10.77.0.0/16"], allowed=[{"IPProtocol": "all"}], priority=1)
    firewall(cloud, "outwards", direction="EGRESS", denied=[{"IPProtocol": "all"}], priority=2000)
    found = seen(bench)
    assert [(r.priority, r.accept, r.peers) for r in inward(found, "one")] == [
        (10, True, ("10.9.1.0/24",)),
        (1000, False, ("10.9.0.0/16",)),
        (1000, True, ("10.0.0.0/8",)),
    ]
    outward = [(r.priority, r.accept, r.peers) for r in found.rules if r.direction == "out"]
    assert outward == [(2000, False, ("0.0.0.0/0",)), (65535, True, ("0.0.0.0/0",))]


def test_every_host_of_a_slice_is_a_machine(bench: Bench, cloud: GcpClient) -> None:
    body = {
        "acceleratorType": "v5litepod-16",
        "runtimeVersion": "v2-alpha-tpuv5-lite",
        "networkConfig": {"network": NET, "subnetwork": SUB},
        "metadata": {"startup-script": "echo tpu"},
        "tags": ["slice"],
    }
    parent = f"projects/{PROJECT}/locations/{ZONE}"
    cloud.change("tpu.projects.locations.nodes.create", parent=parent, nodeId="train-0", body=body)
    firewall(cloud, "among", sourceTags=["slice"], targetTags=["slice"], allowed=[{"IPProtocol": "all"}])
    found = seen(bench)
    assert [m.key for m in found.machines] == [f"{parent}/nodes/train-0/{i}" for i in range(4)]
    assert len({m.host_name.removesuffix(f"-w-{i}") for i, m in enumerate(found.machines)}) == 1
    assert found.machines[1].host_name.startswith("t1v-n-")
    assert {m.accelerators for m in found.machines} == {4}
    assert {m.user_data for m in found.machines} == {"echo tpu"}
    assert len({m.address for m in found.machines}) == 4
    assert len([r for r in found.rules if r.direction == "in"]) == 4
