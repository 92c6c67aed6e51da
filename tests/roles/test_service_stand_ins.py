"""Stand-ins of services answer as the programs do: metrics by their true names, Grafana's API, refusals of mounts."""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from accelerator_bench import PlayedNode

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def node(tmp_path: Path) -> PlayedNode:
    """A p5.48xlarge with its driver and a host engine that runs."""
    made = PlayedNode.make(tmp_path)
    made.says("dcgm-exporter", "4.5.2-4.8.1")
    made.write("run/fleetyard-stand-in/hostengine", "1")
    return made


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def fetch(url: str, login: str = "") -> tuple[int, str]:
    request = urllib.request.Request(url)
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@contextmanager
def running(node: PlayedNode, port: int, program: str, *words: str) -> Iterator[str]:
    command = [str(node.link(program)), *words]
    with subprocess.Popen(command, env=node.env, stdout=subprocess.PIPE, text=True) as one:
        try:
            assert one.stdout is not None
            assert "stand-in" in one.stdout.readline()
            end = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert time.monotonic() < end
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            one.terminate()
            assert one.wait(20) == 0


# DCGM's exporter


def values(text: str, name: str) -> dict[str, float]:
    """By GPU."""
    return {gpu: float(value) for gpu, value in re.findall(rf'^{name}{{gpu="(\d+)".*}} (\S+)$', text, re.MULTILINE)}


def test_metrics_have_their_true_names_and_show_planted_faults(node: PlayedNode, tmp_path: Path) -> None:
    counters = tmp_path / "counters.csv"
    names = ("GPU_TEMP", "XID_ERRORS", "ECC_DBE_VOL_TOTAL", "CLOCKS_EVENT_REASONS", "ROW_REMAP_FAILURE")
    counters.write_text("# what is asked\n" + "".join(f"DCGM_FI_DEV_{name}, gauge, {name}.\n" for name in names))
    port = free_port()
    with running(node, port, "dcgm-exporter", "-f", str(counters), "-a", f"127.0.0.1:{port}") as url:
        _, text = fetch(f"{url}/metrics")
        assert len(values(text, "DCGM_FI_DEV_GPU_TEMP")) == 8
        assert set(values(text, "DCGM_FI_DEV_XID_ERRORS").values()) == {0}
        assert "DCGM_FI_DEV_SM_CLOCK" not in text
        node.plant(missing=[7], ecc_uncorrectable={"2": 5}, thermal=[0], remap_failed=[1])
        node.write("run/fleetyard-stand-in/settings.json", json.dumps({"xid": {"3": 79}}))
        _, text = fetch(f"{url}/metrics")
        assert len(values(text, "DCGM_FI_DEV_GPU_TEMP")) == 7
        assert values(text, "DCGM_FI_DEV_XID_ERRORS")["3"] == 79
        assert values(text, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL")["2"] == 5
        assert values(text, "DCGM_FI_DEV_ROW_REMAP_FAILURE")["1"] == 1
        assert int(values(text, "DCGM_FI_DEV_CLOCKS_EVENT_REASONS")["0"]) & 0x40
        assert fetch(f"{url}/other")[0] == 404


def test_an_exporter_without_a_host_engine_ends(node: PlayedNode) -> None:
    (node.root / "run/fleetyard-stand-in/hostengine").unlink()
    done = node.run("dcgm-exporter", "-a", "127.0.0.1:1")
    assert done.returncode == 1
    assert "nv-hostengine" in done.stderr
    assert "4.5.2-4.8.1" in node.said("dcgm-exporter", "--version")


# Grafana


@pytest.fixture
def grafana(node: PlayedNode, tmp_path: Path) -> Iterator[str]:
    """With the project's own dashboards and a data source."""
    port, at = free_port(), tmp_path / "provisioning"
    for kind, about in (
        ("datasources", {"datasources": [{"name": "Fleetyard", "uid": "fleetyard", "type": "prometheus"}]}),
        ("dashboards", {"providers": [{"options": {"path": str(ROOT / "roles/prometheus/files/dashboards")}}]}),
    ):
        (at / kind).mkdir(parents=True)
        (at / kind / "fleetyard.yml").write_text(json.dumps(about))
    (tmp_path / "password").write_text("battery staple\n")
    conf = f"[server]\nhttp_addr = 127.0.0.1\nhttp_port = {port}\n[paths]\nprovisioning = {at}\n"
    (tmp_path / "grafana.ini").write_text(conf + f"[security]\nadmin_password = $__file{{{tmp_path}/password}}\n")
    with running(node, port, "grafana-server", f"--config={tmp_path}/grafana.ini") as url:
        yield url


def test_grafana_tells_who_has_the_password_what_was_provisioned(grafana: str) -> None:
    def ask(path: str) -> Any:
        return json.loads(fetch(grafana + path, "admin:battery staple")[1])

    assert json.loads(fetch(f"{grafana}/api/health")[1])["database"] == "ok"
    assert fetch(f"{grafana}/api/search", "admin:admin")[0] == 401
    assert [row["uid"] for row in ask("/api/datasources")] == ["fleetyard"]
    uids = {row["uid"] for row in ask("/api/search?type=dash-db")}
    assert uids == {path.stem for path in (ROOT / "roles/prometheus/files/dashboards").glob("*.json")}
    assert ask("/api/dashboards/uid/fleetyard-accelerators")["dashboard"]["panels"]
    assert fetch(f"{grafana}/api/dashboards/uid/none", "admin:battery staple")[0] == 404


def test_a_dashboard_that_is_no_json_stops_the_start(node: PlayedNode, tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards/x.json").write_text("{")
    (tmp_path / "p/dashboards").mkdir(parents=True)
    (tmp_path / "p/dashboards/x.yml").write_text(
        json.dumps({"providers": [{"options": {"path": f"{tmp_path}/boards"}}]})
    )
    (tmp_path / "grafana.ini").write_text(f"[paths]\nprovisioning = {tmp_path}/p\n")
    assert node.run("grafana-server", f"--config={tmp_path}/grafana.ini").returncode == 1


# Buckets


@pytest.mark.parametrize(
    ("program", "words", "said"),
    [
        ("gcsfuse", ["--foreground", "-o", "allow_other,ro", "lost", "{at}"], "bucket doesn't exist"),
        ("mount-s3", ["--foreground", "--allow-other", "--cache", "/c", "lost", "{at}"], "NoSuchBucket"),
        ("mount-s3", ["lost"], "required arguments"),
        ("mount.lustre", ["fs@tcp:/x", "{at}"], "lustre modules loaded"),
    ],
)
def test_what_cannot_be_mounted_is_refused_as_the_programs_do(
    node: PlayedNode, tmp_path: Path, program: str, words: list[str], said: str
) -> None:
    done = node.run(program, *(word.format(at=tmp_path) for word in words))
    assert done.returncode != 0
    assert said in done.stderr
    assert "stand-in" in done.stderr
    assert node.calls()[-1]["program"] == program
