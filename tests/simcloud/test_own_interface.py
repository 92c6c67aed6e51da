"""What the hosts' process asks of a running world: machines by revision, and their metadata."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
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
