"""The world's process from outside: start, stop, its ports, its own interface, a damaged journal."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest


class Sim:
    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "simcloud", "--home", str(self.home), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def run_file(self) -> dict[str, int]:
        return json.loads((self.home / "run.json").read_text())

    def client(self, service: str) -> object:
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.run_file()['aws_http']}",
            aws_access_key_id="AKIASIMULATED0000000",
            aws_secret_access_key="simulated",
        )


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Sim]:
    one = Sim(tmp_path / "home")
    yield one
    one("stop")


def test_start_stop_and_start_again_keep_ports_and_state(sim: Sim) -> None:
    assert sim("status")[0] == 1
    assert sim("env")[0] == 1
    status, said = sim("start")
    assert status == 0
    assert "Nothing in them is real" in said
    before = sim.run_file()
    vpc = sim.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    assert "already running" in sim("start")[1]
    assert sim("stop") == (0, "simcloud: stopped\n")
    assert sim("stop") == (0, "simcloud: not running\n")
    sim("start")
    after = sim.run_file()
    assert {k: after[k] for k in after if k not in ("pid", "token")} == {
        k: before[k] for k in before if k not in ("pid", "token")
    }
    assert vpc in {v["VpcId"] for v in sim.client("ec2").describe_vpcs()["Vpcs"]}
    sim("start", "--fresh")
    assert vpc not in {v["VpcId"] for v in sim.client("ec2").describe_vpcs()["Vpcs"]}


def test_the_settings_are_for_a_posix_shell_and_name_nothing_real(sim: Sim) -> None:
    sim("start")
    text = sim("env")[1]
    script = text + 'printf "%s %s %s" "$FLEETYARD_SIM" "$AWS_ENDPOINT_URL" "${AWS_PROFILE-unset}"'
    shown = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, env={"AWS_PROFILE": "prod", "PATH": "/bin"}, check=True
    )
    assert shown.stdout == f"1 http://127.0.0.1:{sim.run_file()['aws_http']} unset"
    assert (sim.home / "passphrase").stat().st_mode & 0o077 == 0
    assert (sim.home / "passphrase").read_text() not in text


def test_neither_a_proxy_nor_one_services_endpoint_leads_past_the_simulation(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim("start")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.us-east-1.amazonaws.com")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    script = sim("env")[1] + 'printf "%s %s" "${AWS_ENDPOINT_URL_S3-unset}" "$no_proxy"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout == "unset intranet.example,127.0.0.1,localhost"


def test_its_own_interface_needs_the_token(sim: Sim) -> None:
    sim("start")
    url = f"http://127.0.0.1:{sim.run_file()['aws_http']}/_simcloud/stop"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(url, b"{}"), timeout=10)
    assert sim("status")[0] == 0


def test_a_damaged_journal_is_named_and_nothing_is_thrown_away(sim: Sim) -> None:
    sim("start")
    for third in (1, 2, 3):
        sim.client("ec2").create_vpc(CidrBlock=f"10.{third}.0.0/16")
    sim("stop")
    journal = sim.home / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + b"x" + b"".join(lines[1:]))
    status, said = sim("start")
    assert status == 1
    assert "line 2" in said
    assert "--fresh" in said
    assert journal.read_bytes() == lines[0] + b"x" + b"".join(lines[1:])


def test_a_knob_that_does_not_exist_is_refused(sim: Sim) -> None:
    sim("start")
    status, said = sim("set", "aws", "gravity", "g=9")
    assert status == 2
    assert "capacity" in said
