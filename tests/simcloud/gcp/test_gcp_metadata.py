"""Google's metadata server: what cloud-init, google.auth and JAX ask of it, and what they must not get."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gcp_bench import PROJECT, Bench
from metadata_server import served
from test_gcp_fleet import NET, SUB, ZONE, A, instance

from simcloud.gcp import lives, metadata
from simcloud.gcp.call import project_number
from simcloud.gcp.client import GcpClient
from simcloud.wire import Request, Response

V1 = "/computeMetadata/v1"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ACCOUNT = f"train-account@{PROJECT}.iam.gserviceaccount.com"
NODE = f"projects/{PROJECT}/locations/{ZONE}/nodes/train-0"


class Host:
    """What a program on a machine sees of the metadata server."""

    def __init__(self, bench: Bench, id: str) -> None:
        self.bench, self.id = bench, id

    def ask(self, path: str, method: str = "GET", query: str = "", **headers: str) -> Response:
        named = {"metadata-flavor": "Google"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.answer(Request(method, path, query, named))

    def answer(self, request: Request) -> Response:
        return metadata.answer(self.bench.world, self.bench.world.tickets, self.id, request, self.bench.now)

    def text(self, path: str) -> str:
        said = self.ask(f"{V1}/{path}")
        assert said.status == 200, path
        return said.body.decode()

    def json(self, path: str) -> Any:
        said = self.ask(f"{V1}/{path}", query="recursive=true&alt=json")
        assert said.status == 200, path
        return json.loads(said.body)


@pytest.fixture
def bench() -> Bench:
    return Bench(by_itself=False)


@pytest.fixture
def cloud(bench: Bench) -> GcpClient:
    cloud = bench.client(zone=ZONE)
    cloud.change("compute.networks.insert", project=PROJECT, body={"name": "net", "autoCreateSubnetworks": False})
    body = {"name": "sub", "network": "global/networks/net", "ipCidrRange": "10.60.0.0/20"}
    cloud.change("compute.subnetworks.insert", project=PROJECT, region="us-central1", body=body)
    body = {"accountId": "train-account"}
    cloud.call("iam.projects.serviceAccounts.create", name=f"projects/{PROJECT}", body=body)
    return cloud


@pytest.fixture
def host(bench: Bench, cloud: GcpClient) -> Host:
    instance(
        cloud,
        "control",
        serviceAccounts=[{"email": ACCOUNT, "scopes": [SCOPE]}],
        metadata={"items": [{"key": "startup-script", "value": "echo one"}, {"key": "my-own_Key", "value": "1"}]},
        tags={"items": ["control", "login"]},
    )
    return Host(bench, "control")


def tpu(cloud: GcpClient, **more: Any) -> None:
    body = {
        "acceleratorType": "v5litepod-16",
        "runtimeVersion": "v2-alpha-tpuv5-lite",
        "networkConfig": {"network": NET, "subnetwork": SUB},
        "metadata": {"startup-script": "echo tpu"},
        "serviceAccount": {"email": ACCOUNT, "scope": [SCOPE]},
        **more,
    }
    parent = NODE.rpartition("/nodes/")[0]
    cloud.change("tpu.projects.locations.nodes.create", parent=parent, nodeId="train-0", body=body)


def test_a_machine_reads_who_and_where_it_is(cloud: GcpClient, host: Host) -> None:
    told = cloud.call("compute.instances.get", **A, instance="control")
    number = project_number(PROJECT)
    assert host.text("instance/id") == told["id"]
    assert host.text("instance/name") == "control"
    assert host.text("instance/hostname") == f"control.{ZONE}.c.{PROJECT}.internal"
    assert host.text("instance/zone") == f"projects/{number}/zones/{ZONE}"
    assert host.text("instance/machine-type") == f"projects/{number}/machineTypes/n2-standard-8"
    assert host.text("instance/attributes/startup-script") == "echo one"
    assert host.text("instance/attributes/") == "startup-script\nmy-own_Key\n"
    assert host.text("instance/network-interfaces/0/ip") == told["networkInterfaces"][0]["networkIP"]
    assert json.loads(host.text("instance/tags")) == ["control", "login"]
    assert host.text("instance/preempted") == "FALSE"
    assert host.text("instance/maintenance-event") == "NONE"
    assert host.text("project/project-id") == PROJECT
    assert host.text("project/numeric-project-id") == number


def test_recursion_gives_json_with_words_in_camel_case_and_names_as_they_are(host: Host) -> None:
    told = host.json("")
    one = told["instance"]
    assert one["machineType"].endswith("/n2-standard-8")
    assert one["attributes"] == {"startup-script": "echo one", "my-own_Key": "1"}
    assert one["networkInterfaces"][0]["accessConfigs"] == []
    assert one["networkInterfaces"][0]["subnetmask"] == "255.255.240.0"
    assert set(one["serviceAccounts"]) == {ACCOUNT, "default"}
    assert told["project"]["projectId"] == PROJECT
    assert host.json("instance/attributes/") == one["attributes"]
    assert "ya29" not in json.dumps(told), "a token was told without being asked for"


def test_the_header_is_required_and_always_returned(host: Host) -> None:
    assert host.answer(Request("GET", f"{V1}/instance/id")).status == 403
    assert host.ask(f"{V1}/instance/id", x_forwarded_for="10.0.0.1").status == 403
    assert host.ask(f"{V1}/instance/id").headers["metadata-flavor"] == "Google"
    assert host.answer(Request("GET", "/")).headers["metadata-flavor"] == "Google"
    assert host.ask(f"{V1}/instance/nothing").status == 404
    assert host.ask(f"{V1}/instance/attributes/none").status == 404
    assert host.ask(f"{V1}/instance/id", "POST").status == 405


def test_a_folder_without_its_slash_is_sent_there(host: Host) -> None:
    said = host.ask(f"{V1}/instance/attributes", query="alt=text")
    assert (said.status, said.headers["location"]) == (301, f"{V1}/instance/attributes/?alt=text")
    assert "attributes/\n" in host.text("instance/")


def test_the_etag_changes_with_what_it_is_of(cloud: GcpClient, host: Host) -> None:
    def etag() -> str:
        return host.ask(f"{V1}/instance/attributes/", query="recursive=true&wait_for_change=true").headers["etag"]

    before = etag()
    assert etag() == before
    now = cloud.call("compute.instances.get", **A, instance="control")["metadata"]
    body = {"fingerprint": now["fingerprint"], "items": [{"key": "other", "value": "2"}]}
    cloud.change("compute.instances.setMetadata", **A, instance="control", body=body)
    assert etag() != before


def test_google_auth_finds_project_account_and_token_by_itself(
    bench: Bench, cloud: GcpClient, host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import google.auth
    from google.auth.compute_engine import Credentials, _metadata
    from google.auth.transport.requests import Request as Transport

    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    with served(host.answer) as address:
        monkeypatch.setenv("GCE_METADATA_IP", address)
        # It reads the host's name when it is imported.
        monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", address)
        credentials, project = google.auth.default()
        assert isinstance(credentials, Credentials)
        credentials.refresh(Transport())
    assert project == PROJECT
    assert credentials.service_account_email == ACCOUNT
    assert credentials.token.startswith("ya29.c.")
    assert credentials.expiry is not None


def test_a_token_stays_for_a_while_and_never_has_less_than_half_an_hour(bench: Bench, host: Host) -> None:
    path = f"{V1}/instance/service-accounts/default/token"
    first = json.loads(host.ask(path).body)
    assert first["token_type"] == "Bearer"
    assert 1800 <= first["expires_in"] <= 3600
    bench.now += timedelta(minutes=10)
    again = json.loads(host.ask(path).body)
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] == first["expires_in"] - 600
    bench.now += timedelta(minutes=30)
    assert json.loads(host.ask(path).body)["access_token"] != first["access_token"]
    by_name = f"{V1}/instance/service-accounts/{ACCOUNT}/token"
    assert host.ask(by_name).status == 200
    assert host.ask(f"{V1}/instance/service-accounts/other@example.com/token").status == 404


def test_a_machine_without_account_has_no_token(bench: Bench, cloud: GcpClient) -> None:
    instance(cloud, "bare")
    bare = Host(bench, "bare")
    assert bare.ask(f"{V1}/instance/service-accounts/default/token").status == 404
    assert bare.text("instance/service-accounts/") == ""


def test_a_tpu_host_reads_its_number_and_its_peers_as_jax_does(bench: Bench, cloud: GcpClient) -> None:
    tpu(cloud)
    ends = cloud.call("tpu.projects.locations.nodes.get", name=NODE)["networkEndpoints"]
    third = Host(bench, f"{NODE}/2")
    workers = third.text("instance/attributes/worker-network-endpoints").split(",")
    assert [w.split(":")[2] for w in workers] == [e["ipAddress"] for e in ends]
    assert int(third.text("instance/attributes/agent-worker-number")) == 2
    assert third.text("instance/attributes/accelerator-type") == "v5litepod-16"
    assert third.text("instance/attributes/startup-script") == "echo tpu"
    lines = dict(line.split(": ", 1) for line in third.text("instance/attributes/tpu-env").splitlines())
    assert lines["TOPOLOGY"] == "'4x4'"
    assert lines["CHIPS_PER_HOST_BOUNDS"] == "'2,2,1'"
    assert lines["HOST_BOUNDS"] == "'2,2,1'"
    assert lines["WORKER_ID"] == "'2'"
    assert third.text("instance/name").endswith("-w-2")
    assert third.text("instance/network-interfaces/0/ip") == ends[2]["ipAddress"]
    assert json.loads(third.ask(f"{V1}/instance/service-accounts/default/token").body)["access_token"]
    assert third.text("instance/id") != Host(bench, f"{NODE}/1").text("instance/id")


def test_slices_of_one_request_know_each_other(bench: Bench, cloud: GcpClient) -> None:
    parent = f"projects/{PROJECT}/locations/{ZONE}"
    node = {
        "acceleratorType": "v5litepod-16",
        "runtimeVersion": "v2-alpha-tpuv5-lite",
        "networkConfig": {"network": NET, "subnetwork": SUB},
    }
    spec = {"parent": parent, "node": node, "multisliceParams": {"nodeCount": 2, "nodeIdPrefix": "train"}}
    body = {"tpu": {"nodeSpec": [spec]}}
    cloud.change("tpu.projects.locations.queuedResources.create", parent=parent, queuedResourceId="train", body=body)
    bench.tick()
    first = cloud.call("tpu.projects.locations.nodes.get", name=f"{parent}/nodes/train-0")
    said = Host(bench, f"{parent}/nodes/train-1/3").text("instance/attributes/tpu-env")
    assert f"MEGASCALE_COORDINATOR_ADDRESS: '{first['networkEndpoints'][0]['ipAddress']}:8080'" in said
    assert "MEGASCALE_NUM_SLICES: '2'" in said
    assert "MEGASCALE_SLICE_ID: '1'" in said


def test_preemption_shows(bench: Bench, cloud: GcpClient) -> None:
    instance(cloud, "spot", scheduling={"provisioningModel": "SPOT"})
    spot = Host(bench, "spot")
    assert spot.text("instance/scheduling/preemptible") == "TRUE"
    bench.control("spot-notice", id="spot")
    assert spot.text("instance/preempted") == "TRUE"


def test_looking_changes_nothing(bench: Bench, host: Host) -> None:
    before = bench.world.snapshot()
    host.json("")
    host.ask(f"{V1}/instance/service-accounts/default/token")
    assert bench.world.snapshot() == before
    assert lives.find(bench.world, "control").name.endswith("/instances/control")
