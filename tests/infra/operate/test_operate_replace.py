"""A machine is given back to its cloud in the cloud's own words; what a playbook said is told in a line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from fleetyard.findings import FleetyardError
from fleetyard.operate.plays import Played
from fleetyard.operate.replace import give_back
from fleetyard.outputs import StackOutputs, parse_outputs
from fleetyard.report.members import Member

ZONE = "us-central1-a"
ASKED: list[tuple[str, Any]] = []


def outputs(kind: str) -> StackOutputs:
    pool = {
        "role": "compute", "machine": "a3-highgpu-8g", "count": 2, "hosts": 2, "accelerators": 16, "zones": [ZONE],
        "buy": "on-demand", "kind": kind, "groups": {ZONE: "demo-gpus"}, "identity": "a", "cache": None,
        "update": "on-next-boot", "usd_per_hour": None,
    }  # fmt: skip
    return parse_outputs({
        "version": 1, "stack": "demo", "owner": "a", "cloud": "gcp", "region": "us-central1", "project": "demo-project",
        "scheduler": "slurm", "network": {"id": "n", "cidr": "10.40.0.0/16", "subnets": {}}, "pools": {"gpus": pool},
        "stores": {}, "endpoints": {}, "usd_per_hour": None,
    })  # fmt: skip


MEMBER = Member("gpus", "train-1", "RUNNING", ZONE, "10.40.0.2", "a3-highgpu-8g", "4711", "train-1")


class Google(BaseHTTPRequestHandler):
    """Takes what is asked, and refuses what is asked about another group."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        ASKED.append((self.path, body))
        fine = "/demo-gpus/" in self.path
        said = {"name": "op"} if fine else {"error": {"code": 403, "message": "not yours"}}
        self.send_response(200 if fine else 403)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def google() -> Iterator[dict[str, str]]:
    ASKED.clear()
    server = HTTPServer(("127.0.0.1", 0), Google)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"FLEETYARD_SIM_GCP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
    server.shutdown()
    server.server_close()


def test_google_recreates_that_instance_of_its_group(google: dict[str, str]) -> None:
    assert give_back(outputs("instance-group"), MEMBER, google) == "instanceGroupManagers recreateInstances"
    ((path, body),) = ASKED
    place = f"/compute/v1/projects/demo-project/zones/{ZONE}/instanceGroupManagers/demo-gpus/recreateInstances"
    assert path.partition("?")[0] == place
    assert body == {"instances": [f"zones/{ZONE}/instances/train-1"]}


def test_a_refusal_says_which_right_is_missing(google: dict[str, str]) -> None:
    stack = outputs("instance-group")
    other = stack.model_copy(
        update={"pools": {"gpus": stack.pools["gpus"].model_copy(update={"groups": {ZONE: "other"}})}}
    )
    with pytest.raises(FleetyardError, match=r"FY3212 .*instanceGroupManagers\.update") as refused:
        give_back(other, MEMBER, google)
    assert refused.value.exit_code == 77


def test_hosts_of_a_slice_come_and_go_together() -> None:
    with pytest.raises(FleetyardError, match=r"FY3211 .*train-1"):
        give_back(outputs("tpu"), MEMBER, {})


RECAP = "PLAY RECAP ***\nhost-1    : ok=3    changed=0    unreachable=0    failed=0\n"


FATAL = "fatal: [a]: FAILED! => \n    changed: false\n    msg: "


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (FATAL + "'It does not\n        serve.'\n\nPLAY RECAP", "It does not serve."),
        (
            FATAL + ">-\n        FY2883 error a: could not\n        be. Fix: mend it.\n\nPLAY",
            "FY2883 error a: could not be.",
        ),
        ("[ERROR]: no such file\n", "[ERROR]: no such file"),
        ("said nothing of use\n", "exit status 2: said nothing of use"),
    ],
)
def test_why_a_playbook_failed(text: str, reason: str) -> None:
    assert Played(2, text).reason == reason


def test_a_limit_that_fits_no_host_is_no_success() -> None:
    assert Played(0, RECAP).worked_on("host-1")
    assert not Played(0, RECAP).worked_on("host-10")
    assert not Played(0, "PLAY [a]\nskipping: no hosts matched\nPLAY RECAP\n").worked_on("host-1")
    assert not Played(2, RECAP).worked_on("host-1")
