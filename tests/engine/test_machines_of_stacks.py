"""The machines of the project's own environments, as the simulated clouds say they run: who they are and may do."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from engine_bench import Engine

from simcloud.client import ask
from simcloud.hosts.model import Fleet, Machine
from simcloud.server import Running, running


def up(engine: Engine, stack: str) -> tuple[Running, Fleet]:
    engine.use_fleetyard()
    engine.pulumi("stack", "init", stack)
    engine.pulumi("up", "--yes", "--skip-preview")
    world = running(Path(engine.home))
    assert world is not None
    return world, Fleet.of(ask(world, "machines"))


def metadata(world: Running, machine: Machine, path: str, method: str = "GET", **headers: str) -> str:
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    args = {"cloud": machine.cloud, "key": machine.key, "method": method, "path": path, "headers": named}
    said = ask(world, "metadata", args)
    assert said["status"] == 200, said
    return str(said["body"])


def test_the_machines_of_the_aws_environment_use_their_part_of_the_store_and_no_more(engine: Engine) -> None:
    world, fleet = up(engine, "a100-train")
    pools = {m.name for m in fleet.machines}
    assert pools == {"a100-train-control", "a100-train-train"}
    one = next(m for m in fleet.machines if m.name == "a100-train-train")
    assert (one.drives, one.accelerators) == (8, 8)
    assert "fleetyard" in one.user_data
    peers = {p for r in fleet.rules if r.direction == "in" for p in r.peers}
    assert "0.0.0.0/0" not in peers, "a machine is open to everybody"
    unasked = {"cloud": "aws", "key": one.key, "method": "GET", "path": "/latest/meta-data/", "headers": {}}
    assert ask(world, "metadata", unasked)["status"] == 401, "the machines of this project take IMDSv2 only"
    token = metadata(world, one, "/latest/api/token", "PUT", x_aws_ec2_metadata_token_ttl_seconds="60")
    path = "/latest/meta-data/iam/security-credentials/"
    name = metadata(world, one, path, x_aws_ec2_metadata_token=token)
    keys = json.loads(metadata(world, one, path + name, x_aws_ec2_metadata_token=token))
    s3: Any = boto3.client(
        "s3",
        region_name=one.region,
        endpoint_url=f"http://127.0.0.1:{world.aws_http}",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["Token"],
        config=Config(s3={"addressing_style": "path"}),
    )
    owner = engine.api("s3")
    (bucket,) = (b["Name"] for b in owner.list_buckets()["Buckets"])
    owner.put_object(Bucket=bucket, Key="datasets/a", Body=b"data")
    assert s3.get_object(Bucket=bucket, Key="datasets/a")["Body"].read() == b"data"
    s3.list_objects_v2(Bucket=bucket, Prefix="datasets/")
    s3.put_object(Bucket=bucket, Key="pools/train/ckpt/1", Body=b"weights")
    assert s3.get_object(Bucket=bucket, Key="pools/train/ckpt/1")["Body"].read() == b"weights"
    for call, more in (
        (s3.put_object, {"Key": "datasets/b", "Body": b""}),
        (s3.get_object, {"Key": "pools/control/x"}),
        (s3.list_objects_v2, {"Prefix": ""}),
        (s3.delete_bucket, {}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call(Bucket=bucket, **more)
    assert ask(world, "rights")["aws"]["passed"] == {}, "something of this project's policies cannot be judged"


def test_the_hosts_of_the_google_environment_use_their_part_of_the_store_and_no_more(engine: Engine) -> None:
    world, fleet = up(engine, "tpu-train")
    assert {m.machine for m in fleet.machines} == {"v5litepod-16"}
    assert len(fleet.machines) % 4 == 0
    one = fleet.machines[0]
    into = [r for r in fleet.rules if r.machine == one.key and r.direction == "in"]
    assert {r.ports for r in into if "35.235.240.0/20" in r.peers} == {(22, 22)}
    assert not any(p.endswith("/0") for r in into for p in r.peers), "a host is open to everybody"
    path = "/computeMetadata/v1/instance/service-accounts/default/token"
    token = json.loads(metadata(world, one, path, metadata_flavor="Google"))["access_token"]
    base = f"http://127.0.0.1:{world.gcp_http}"

    def send(method: str, path: str, body: bytes | None = None, *, own: bool = False, **query: str) -> bytes:
        url = f"{base}{path}?{urllib.parse.urlencode(query)}"
        headers = {} if own else {"Authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)) as answer:
            return bytes(answer.read())

    found = json.loads(send("GET", "/storage/v1/b", own=True, project=one.project))["items"]
    (bucket,) = (b["name"] for b in found)
    objects, upload = f"/storage/v1/b/{bucket}/o", f"/upload/storage/v1/b/{bucket}/o"
    send("POST", upload, b"data", own=True, uploadType="media", name="datasets/a")
    assert send("GET", f"{objects}/datasets%2Fa", alt="media") == b"data"
    send("GET", objects, prefix="datasets/")
    for _ in range(2):  # the second time over the first one
        send("POST", upload, b"weights", uploadType="media", name="pools/train/ckpt/1")
    assert send("GET", f"{objects}/pools%2Ftrain%2Fckpt%2F1", alt="media") == b"weights"
    for method, where, body, query in (
        ("POST", upload, b"", {"uploadType": "media", "name": "datasets/b"}),
        ("DELETE", f"{objects}/datasets%2Fa", None, {}),
        ("GET", objects, None, {"prefix": ""}),
        ("GET", f"/storage/v1/b/{bucket}", None, {}),
    ):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            send(method, where, body, **query)
    assert ask(world, "rights")["gcp"]["passed"] == {}, "something of this project's policies cannot be judged"
