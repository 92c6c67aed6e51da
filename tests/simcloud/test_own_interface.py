"""What the hosts' process asks of a running world: machines by revision, and their metadata."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from simcloud.client import RefusedError, ask
from simcloud.hosts.model import Fleet
from simcloud.server import Running, running

UBUNTU = "ami-04680790a315cd58d"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def world(home: Path) -> Iterator[Running]:
    command = [sys.executable, "-m", "simcloud", "--home", str(home)]
    subprocess.run([*command, "start"], check=True, capture_output=True)
    found = running(home)
    assert found is not None
    yield found
    subprocess.run([*command, "stop"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def instance(world: Running) -> str:
    ec2: Any = boto3.client(
        "ec2",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{world.aws_http}",
        aws_access_key_id="AKIASIMULATED0000000",
        aws_secret_access_key="simulated",
    )
    made = ec2.run_instances(ImageId=UBUNTU, InstanceType="m7i.xlarge", MinCount=1, MaxCount=1, UserData=b"\xff\x00")
    return str(made["Instances"][0]["InstanceId"])


def test_the_fleet_is_told_once_and_then_only_what_is_new(world: Running, instance: str) -> None:
    fleet = Fleet.of(ask(world, "machines", {"since": None}))
    assert [m.key for m in fleet.machines] == [instance]
    assert fleet.machines[0].user_data.encode("utf-8", "surrogateescape") == b"\xff\x00"
    records = ask(world, "status")["records"]
    assert ask(world, "machines", {"since": fleet.revision}) == {"unchanged": True}
    assert ask(world, "status")["records"] == records, "asking was journaled"
    ask(world, "control", {"cloud": "aws", "action": "network-loss", "args": {"id": instance}})
    later = Fleet.of(ask(world, "machines", {"since": fleet.revision}))
    assert later.revision != fleet.revision
    assert not later.machines[0].reachable


def test_metadata_is_asked_for_by_machine(world: Running, instance: str) -> None:
    args = {"cloud": "aws", "key": instance, "method": "GET", "path": "/latest/meta-data/instance-id", "headers": {}}
    said = ask(world, "metadata", args)
    assert (said["status"], said["body"]) == (200, instance)
    raw = ask(world, "metadata", args | {"path": "/latest/user-data"})
    assert (raw["base64"], base64.b64decode(raw["body"])) == (True, b"\xff\x00")
    with pytest.raises(RefusedError, match="there is no instance"):
        ask(world, "metadata", args | {"key": "i-0"})


@pytest.mark.parametrize("what", ["machines", "metadata"])
def test_nobody_is_told_without_the_token(world: Running, what: str) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{world.aws_http}/_simcloud/{what}", json.dumps({}).encode())
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403


def test_the_command_line_turns_the_knobs(home: Path, world: Running, instance: str) -> None:
    command = [sys.executable, "-m", "simcloud", "--home", str(home), "set", "aws", "network-back", f"id={instance}"]
    subprocess.run(command, check=True, capture_output=True)
    assert Fleet.of(ask(world, "machines")).machines[0].reachable


@pytest.fixture(scope="module")
def machine(world: Running) -> str:
    """A Spot instance of Compute Engine; its number."""
    from google.auth.credentials import AnonymousCredentials
    from googleapiclient.discovery import build

    options = {"api_endpoint": f"http://127.0.0.1:{world.gcp_http}/compute/v1/"}
    compute: Any = build("compute", "v1", credentials=AnonymousCredentials(), client_options=options)
    image = "projects/debian-cloud/global/images/family/debian-12"
    body = {
        "name": "one",
        "machineType": f"zones/{PLACE['zone']}/machineTypes/n2-standard-2",
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": image}}],
        "networkInterfaces": [{"network": "global/networks/default"}],
        "scheduling": {"provisioningModel": "SPOT"},
    }
    compute.instances().insert(**PLACE, body=body).execute()
    return str(compute.instances().get(**PLACE, instance="one").execute()["id"])


PLACE = {"project": "demo-project", "zone": "us-central1-a"}


def test_who_waits_for_a_change_of_metadata_is_told_when_it_comes(world: Running, machine: str) -> None:
    path = "/computeMetadata/v1/instance/preempted"
    args = {"cloud": "gcp", "key": machine, "path": path, "headers": {"Metadata-Flavor": "Google"}}
    now = ask(world, "metadata", args)
    etag = now["headers"]["etag"]
    other = ask(world, "metadata", args | {"query": "wait_for_change=true&last_etag=0"})
    assert other["body"] == "FALSE", "who knows something else is told at once"
    over = ask(world, "metadata", args | {"query": f"wait_for_change=true&last_etag={etag}&timeout_sec=1"})
    assert (over["status"], over["headers"]["etag"]) == (200, etag)
    told: list[Any] = []
    # It says what it knows, or a change that comes before its question would not be one.
    query = f"wait_for_change=true&last_etag={etag}&timeout_sec=40"
    waits = threading.Thread(target=lambda: told.append(ask(world, "metadata", args | {"query": query})))
    waits.start()
    assert not told
    ask(world, "control", {"cloud": "gcp", "action": "spot-notice", "args": {"id": machine, "seconds": 600}})
    waits.join(timeout=30)
    assert [t["body"] for t in told] == ["TRUE"]


def test_machines_have_ports_where_nobody_is_the_simulated_user(world: Running, instance: str, machine: str) -> None:
    def status(port: int, path: str, **headers: str) -> int:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    listed = "/compute/v1/projects/demo-project/zones/us-central1-a/instances"
    assert (status(world.gcp_http, listed), status(world.gcp_machines, listed)) == (200, 401)
    assert status(world.gcp_machines, listed, Authorization="Bearer ya29.somebody") == 401
    assert status(world.aws_machines, "/some-bucket/key") == 403
    assert status(world.aws_machines, "/_simcloud/status") == 403
    token = {"x-simcloud-token": world.token}
    assert status(world.aws_machines, "/_simcloud/status", **token) == 403, "the own interface is open to machines"
    ec2: Any = boto3.client(
        "ec2",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{world.aws_machines}",
        aws_access_key_id="AKIAOFSOMEUSER000000",
        aws_secret_access_key="his",
    )
    assert ec2.describe_instances()["Reservations"], "a user's own key is one"
