"""Tables of what stands, differences from the stack file, and the members that the clouds report."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from example_stacks import AWS, plan_of
from moto import mock_aws

from fleetyard.findings import Exit, FleetyardError
from fleetyard.outputs import StackOutputs, parse_outputs
from fleetyard.report.members import Member, find
from fleetyard.report.tables import table
from fleetyard.report.text import MEMBERS_SHOWN, differences, missing_members, standing

SUBNET = "subnet-0123456789abcdef0"
EXPORT: dict[str, Any] = {
    "version": 1,
    "stack": "demo",
    "owner": "research",
    "cloud": "aws",
    "region": "us-east-1",
    "project": None,
    "scheduler": "slurm",
    "network": {
        "id": "vpc-1",
        "cidr": "10.40.0.0/16",
        "subnets": {"use1-az6-private": {"id": SUBNET, "cidr": "10.40.160.0/20", "zone": "use1-az6"}},
    },
    "pools": {
        "control": {
            "role": "control", "machine": "m7i.xlarge", "count": 1, "hosts": 1, "accelerators": 0,
            "zones": ["use1-az6"], "buy": "on-demand", "kind": "autoscaling-group",
            "groups": {"all": "demo-control"}, "identity": "role", "cache": None,
            "update": "on-next-boot", "usd_per_hour": 0.202,
        },
        "train": {
            "role": "compute", "machine": "p4d.24xlarge", "count": 4, "hosts": 4, "accelerators": 32,
            "zones": ["use1-az6"], "buy": "on-demand", "kind": "autoscaling-group",
            "groups": {"all": "demo-train"}, "identity": "role", "cache": "/cache",
            "update": "on-next-boot", "usd_per_hour": None,
        },
    },
    "stores": {"data": {"bucket": "demo-data", "url": "s3://demo-data", "on_destroy": "keep"}},
    "endpoints": {},
    "usd_per_hour": None,
}  # fmt: skip
GOOGLE: dict[str, Any] = {
    **EXPORT,
    "cloud": "gcp",
    "region": "us-central1",
    "project": "demo-project",
    "pools": {
        "gpus": {**EXPORT["pools"]["train"], "kind": "instance-group", "groups": {"us-central1-a": "demo-gpus"}},
        "tpus": {
            **EXPORT["pools"]["train"], "kind": "tpu", "zones": ["us-central1-a"], "machine": "v5litepod-16",
            "groups": {"0": "projects/demo-project/locations/us-central1-a/nodes/demo-tpus-0"},
        },
    },
}  # fmt: skip


def outputs(base: dict[str, Any] = EXPORT) -> StackOutputs:
    return parse_outputs(base)


def members(count: int, state: str = "running", pool: str = "train") -> list[Member]:
    return [Member(pool, f"i-{n:04d}", state, "use1-az6", f"10.40.160.{n}", "p4d.24xlarge") for n in range(count)]


def test_the_tables_say_what_stands() -> None:
    text = standing(outputs(), members(4) + members(1, pool="control"), ["simulated"])
    head, *_ = text.splitlines()
    for word in ("demo", "AWS us-east-1", "owner research", "cost unknown", "simulated"):
        assert word in head
    (train,) = [line for line in text.splitlines() if line.startswith("train ")]
    assert " ".join(train.split()) == "train compute p4d.24xlarge 4 4 32 on-demand unknown 4 running demo-train"
    for word in ("s3://demo-data", "10.40.160.0/20", SUBNET, "i-0003", "10.40.160.3"):
        assert word in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_a_cloud_that_was_not_asked_is_not_said_to_be_empty() -> None:
    assert "not asked" in standing(outputs(), None, [])
    assert "none" in standing(outputs(), [], [])


def test_long_pools_are_listed_in_part_and_counted_whole() -> None:
    text = standing(outputs(), members(500), [])
    assert "500 running" in text
    assert text.count("i-0") == MEMBERS_SHOWN
    assert f"... {500 - MEMBERS_SHOWN} more" in text


def test_mixed_states_are_counted_apart() -> None:
    assert "3 running, 1 pending" in standing(outputs(), members(3) + members(1, "pending"), [])


def test_missing_machines_are_a_finding_with_numbers() -> None:
    (short,) = missing_members(outputs(), members(3) + members(1, "pending") + members(1, pool="control"))
    assert (short.code, short.path, short.message) == ("FY1907", "pools.train", "3 of 4 machines are up")
    assert missing_members(outputs(), members(4) + members(1, pool="control")) == []


def test_a_stack_that_stands_as_written_has_no_differences() -> None:
    assert differences(plan_of(AWS), outputs()) == []


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"pools/train/count": 5}, "pools.train.count", "is 5; what stands has 4"),
        (
            {"pools/train/machine": "p4de.24xlarge"},
            "pools.train.machine",
            "is p4de.24xlarge; what stands has p4d.24xlarge",
        ),
        ({"pools/more": {"role": "login", "machine": "m7i.xlarge", "count": 1}}, "pools.more", "does not stand"),
        ({"stores/more": {}}, "stores.more", "only one of"),
        ({"network/cidr": "10.41.0.0/16"}, "network.cidr", "what stands has 10.40.0.0/16"),
    ],
)
def test_what_the_next_up_would_change_is_said(changes: dict[str, Any], path: str, said: str) -> None:
    (found,) = differences(plan_of(AWS, changes), outputs())
    assert (found.code, found.path) == ("FY1903", path)
    assert said in found.message


def test_a_pool_that_left_the_stack_file_is_said_to_stand() -> None:
    (found,) = differences(plan_of({**AWS, "pools": {"train": AWS["pools"]["train"]}}), outputs())
    assert (found.path, found.message) == ("pools.control", "stands and is not in the stack file")


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table([("a", "1"), ("long", "22")], right=frozenset({1})) == "a      1\nlong  22\n"
    assert table([]) == ""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Two Auto Scaling groups in a subnet; gives the subnet's id."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        ec2 = boto3.client("ec2", region_name="us-east-1")
        vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
        subnet: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.40.160.0/20")["Subnet"]["SubnetId"]
        groups = boto3.client("autoscaling", region_name="us-east-1")
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        for name, machine, count in (("demo-control", "m7i.xlarge", 1), ("demo-train", "p4d.24xlarge", 4)):
            ec2.create_launch_template(
                LaunchTemplateName=name, LaunchTemplateData={"ImageId": image, "InstanceType": machine}
            )
            groups.create_auto_scaling_group(
                AutoScalingGroupName=name,
                MinSize=count,
                MaxSize=count,
                VPCZoneIdentifier=subnet,
                LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
            )
        yield subnet


def with_subnet(subnet: str) -> StackOutputs:
    return outputs(json.loads(json.dumps(EXPORT).replace(SUBNET, subnet)))


def test_members_on_aws_are_those_of_the_groups_by_zone_id(aws: str) -> None:
    found = find(with_subnet(aws), {})
    assert [member.pool for member in found] == ["control", *["train"] * 4]
    assert {member.zone for member in found} == {"use1-az6"}
    assert all(member.up and (member.address or "").startswith("10.40.1") for member in found)
    assert missing_members(with_subnet(aws), found) == []


def test_an_instance_that_was_ended_is_missed(aws: str) -> None:
    stack = with_subnet(aws)
    gone = next(member.name for member in find(stack, {}) if member.pool == "train")
    boto3.client("autoscaling", region_name="us-east-1").terminate_instance_in_auto_scaling_group(
        InstanceId=gone, ShouldDecrementDesiredCapacity=True
    )
    assert gone not in {member.name for member in find(stack, {}) if member.up}
    assert [finding.message for finding in missing_members(stack, find(stack, {}))] == ["3 of 4 machines are up"]


def test_an_aws_that_does_not_answer_is_exit_status_69(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(FleetyardError) as caught:
        find(outputs(), {})
    assert (caught.value.findings[0].code, caught.value.exit_code) == ("FY1913", Exit.REFUSED)


class _Google(BaseHTTPRequestHandler):
    """As much of Compute Engine's and Cloud TPU's REST as the report asks, in their shapes; two pages of instances."""

    status = 200

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        zone = "/compute/v1/projects/demo-project/zones/us-central1-a"
        if path == f"{zone}/instances":
            assert "maxResults=500" in self.path
            card = {"networkIP": "10.60.0.5"}
            made = {"name": "gpu-1", "id": "71", "networkInterfaces": [card], "machineType": f"{zone}/a2-highgpu-1g"}
            self._say(200, {"items": [made]})
        elif path == "/v2/projects/demo-project/locations/us-central1-a/nodes/demo-tpus-0":
            hosts = [{"ipAddress": f"10.60.0.{n}"} for n in (6, 7)]
            self._say(200, {"state": "READY", "networkEndpoints": hosts, "acceleratorType": "v5litepod-16"})
        else:
            self._say(404, {"error": {"code": 404, "message": "not found"}})

    def do_POST(self) -> None:
        zone = "/compute/v1/projects/demo-project/zones/us-central1-a"
        where = f"{zone}/instanceGroupManagers/demo-gpus/listManagedInstances"
        assert self.path.partition("?")[0] == where
        if type(self).status != 200:
            self._say(type(self).status, {"error": {"code": type(self).status, "message": "not allowed"}})
        elif "pageToken=second" in self.path:
            made = {"instance": f"{zone}/instances/gpu-2", "currentAction": "CREATING"}
            self._say(200, {"managedInstances": [made]})
        else:
            row = {"instance": f"{zone}/instances/gpu-1", "instanceStatus": "RUNNING", "currentAction": "NONE"}
            self._say(200, {"managedInstances": [row], "nextPageToken": "second"})

    def _say(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def google() -> Iterator[dict[str, str]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Google)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    _Google.status = 200
    yield {"FLEETYARD_SIM_GCP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
    server.shutdown()
    server.server_close()


def test_members_on_google_cloud_are_instances_and_hosts_of_slices(google: dict[str, str]) -> None:
    found = [(m.pool, m.name, m.state, m.address, m.key, m.host_name) for m in find(outputs(GOOGLE), google)]
    node = "projects/demo-project/locations/us-central1-a/nodes/demo-tpus-0"
    assert found == [
        ("gpus", "gpu-1", "RUNNING", "10.60.0.5", "71", "gpu-1"),
        ("gpus", "gpu-2", "UNKNOWN (CREATING)", None, "", "gpu-2"),
        ("tpus", "demo-tpus-0-w0", "READY", "10.60.0.6", f"{node}/0", "demo-tpus-0-w-0"),
        ("tpus", "demo-tpus-0-w1", "READY", "10.60.0.7", f"{node}/1", "demo-tpus-0-w-1"),
    ]


def test_a_google_cloud_that_says_no_is_exit_status_77(google: dict[str, str]) -> None:
    _Google.status = 403
    with pytest.raises(FleetyardError) as caught:
        find(outputs(GOOGLE), google)
    assert (caught.value.findings[0].code, caught.value.exit_code) == ("FY1912", Exit.PERMISSION)
    assert "listManagedInstances: not allowed" in str(caught.value.findings[0])


def test_a_google_cloud_that_does_not_answer_is_exit_status_69() -> None:
    with pytest.raises(FleetyardError) as caught:
        find(outputs(GOOGLE), {"FLEETYARD_SIM_GCP_ENDPOINT": "http://127.0.0.1:9"})
    assert (caught.value.findings[0].code, caught.value.exit_code) == ("FY1913", Exit.REFUSED)
