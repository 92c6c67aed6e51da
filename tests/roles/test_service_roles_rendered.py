"""What roles of storage, monitoring and backup write: units, rules, tables that agree with what they speak of."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from rendering import render, variables_of

from fleetyard.health.actions import Action
from fleetyard.health.devices import SIGNS
from fleetyard.health.xid import table, xid_action

ROOT = Path(__file__).resolve().parents[2]
ROLES = ROOT / "roles"


def alerts(role: str) -> dict[str, dict[str, Any]]:
    """Rules of a role by name."""
    said = yaml.safe_load((ROLES / role / "files" / "alerts.yml").read_text())
    return {rule.get("alert") or rule["record"]: rule for group in said["groups"] for rule in group["rules"]}


# Alert rules


def test_xids_are_judged_as_health_judges_them() -> None:
    found = alerts("dcgm_exporter")
    codes: dict[Action, set[int]] = {}
    for code in table():
        codes.setdefault(xid_action(code, ""), set()).add(code)

    def listed(name: str) -> list[int]:
        return [
            int(code) for text in re.findall(r'xid[=!]~"([0-9|]+)"', found[name]["expr"]) for code in text.split("|")
        ]

    assert set(listed("GpuXidReplace")) == codes[Action.REPLACE]
    assert set(listed("GpuXidDrain")) == codes[Action.DRAIN]
    # Whatever is in no table, and what a person should look at; nothing is named twice.
    silent = set(table()) - codes[Action.LOOK]
    assert sorted(listed("GpuXidLook")) == sorted(silent)
    assert found["GpuXidLook"]["expr"].count("xid!~") == 3


@pytest.mark.parametrize(
    ("alert", "sign"),
    [
        ("GpuEccUncorrectable", "dram"),
        ("GpuRowRemapFailed", "remap-failed"),
        ("GpuRowRemapPending", "remap-pending"),
        ("GpuThermalSlowdown", "hw_thermal_slowdown"),
        ("GpuThermalSlowdownByDriver", "sw_thermal_slowdown"),
        ("GpuLost", "lost"),
    ],
)
def test_alerts_use_healths_words_and_actions(alert: str, sign: str) -> None:
    rule = alerts("dcgm_exporter")[alert]
    assert SIGNS[sign].title in rule["annotations"]["summary"]
    assert rule["labels"]["action"] == str(SIGNS[sign].action)


def test_alerts_ask_for_fields_that_the_exporter_is_told_to_ask() -> None:
    asked = {name for rule in alerts("dcgm_exporter").values() for name in re.findall(r"DCGM_\w+", rule["expr"])}
    board = (ROLES / "prometheus" / "files" / "dashboards" / "fleetyard-accelerators.json").read_text()
    asked |= set(re.findall(r"DCGM_\w+", board))
    assert len(asked) > 8
    assert asked <= set(variables_of("dcgm_exporter")["dcgm_exporter_counters"])


@pytest.mark.parametrize("role", ["dcgm_exporter", "efa_exporter", "restic", "aide"])
def test_every_alert_says_how_grave_it_is_and_what_to_do(role: str) -> None:
    for name, rule in alerts(role).items():
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("page", "ticket"), name
            assert rule["annotations"]["fix"], name
            assert "$labels.instance" in rule["annotations"]["summary"], name


def test_what_own_programs_write_is_what_alerts_ask_for() -> None:
    for role in ("restic", "aide"):
        text = "".join(path.read_text() for path in (ROLES / role / "templates").glob("*.service.j2"))
        made = {
            f"{prefix}{name}"
            for prefix in re.findall(r"metric = '(\w+)'", text)
            for name in re.findall(r"metric }}(\w+)", text)
        }
        asked = {name for rule in alerts(role).values() for name in re.findall(r"fleetyard_\w+", rule["expr"])}
        assert asked
        assert asked <= made, role


# EFA's counters


def sysfs(root: Path, device: str, port: str = "1", **values: object) -> None:
    folder = root / device / "ports" / port / "hw_counters"
    folder.mkdir(parents=True)
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")


@pytest.fixture
def efa_metrics() -> Any:
    spec = importlib.util.spec_from_file_location("efa_metrics", ROLES / "efa_exporter" / "files" / "efa_metrics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_counters_of_efa_alone_are_told(efa_metrics: Any, tmp_path: Path) -> None:
    sysfs(tmp_path, "rdmap1s0", rdma_read_wrs=1, rx_drops=7, lifespan=12, broken="N/A")
    sysfs(tmp_path, "rdmap2s0", rdma_read_wrs=2, rx_drops=0, lifespan=12)
    sysfs(tmp_path, "mlx5_0", out_of_sequence=9)
    lines = efa_metrics.page(tmp_path).splitlines()
    assert "fleetyard_efa_devices 2" in lines
    assert 'node_amazonefa_rx_drops{device="rdmap1s0",port="1"} 7' in lines
    assert "# TYPE node_amazonefa_rx_drops counter" in lines
    assert "# TYPE node_amazonefa_lifespan gauge" in lines
    assert not [line for line in lines if "mlx5" in line or "broken" in line]


def test_a_host_without_efa_says_so(efa_metrics: Any, tmp_path: Path) -> None:
    assert efa_metrics.page(tmp_path / "none").splitlines()[-1] == "fleetyard_efa_devices 0"


# Units of shared storage

MOUNTS = {
    "home": {"name": "home", "kind": "nfs", "source": "10.0.0.5:/home", "at": "/mnt/shared-home"},
    "scratch": {
        "name": "scratch",
        "kind": "lustre",
        "source": "fs-1.example@tcp:/abcd",
        "at": "/fsx",
        "read_only": True,
    },
    "pool": {"name": "pool", "kind": "ceph", "source": "10.0.0.6,10.0.0.7:/", "at": "/mnt/ceph", "user": "training"},
    "data": {"name": "data", "kind": "gcsfuse", "source": "bucket/v1/tokens", "at": "/data", "read_only": True},
    "models": {"name": "models", "kind": "mountpoint_s3", "source": "bucket", "at": "/models", "cache": "/cache/s3"},
}


def unit(name: str, **more: Any) -> dict[str, list[str]]:
    """Settings of a mount's unit, by name."""
    mount = {**MOUNTS[name], **more}
    bucket = mount["kind"] in ("gcsfuse", "mountpoint_s3")
    values = {
        "shared_storage_mounts": [mount],
        "item": mount,
        "shared_storage_versions": {"mountpoint-s3": {"version": "1.2"}},
    }
    text = render("shared_storage", "bucket.service.j2" if bucket else "server.mount.j2", values)
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", MOUNTS)
def test_no_boot_waits_for_storage_and_none_needs_it(name: str) -> None:
    said = unit(name)
    assert said["WantedBy"] == ["remote-fs.target"]
    assert "RequiredBy" not in said
    assert said.get("TimeoutSec") or said["TimeoutStartSec"] == ["30"]


def test_nfs_is_mounted_as_training_wants_it() -> None:
    options = unit("home")["Options"][0].split(",")
    assert {"vers=4.2", "hard", "nconnect=8", "noatime", "_netdev", "nofail"} <= set(options)
    assert "soft" not in options
    assert unit("home", options=["vers=4.1"], more=["nosuid"])["Options"] == ["vers=4.1,nosuid,_netdev,nofail"]


def test_ceph_names_its_user_and_never_its_key() -> None:
    assert unit("pool")["Options"][0].split(",")[:2] == ["noatime", "name=training"]
    assert not [value for values in unit("pool").values() for value in values if "secret" in value]


def test_buckets_are_mounted_as_asked() -> None:
    assert unit("data")["ExecStart"] == [
        "/usr/bin/gcsfuse --foreground -o allow_other,ro --only-dir=v1/tokens --implicit-dirs bucket /data"
    ]
    (command,) = unit("models")["ExecStart"]
    assert re.sub(" +", " ", command) == (
        "/opt/aws/mountpoint-s3/1.2/bin/mount-s3 --foreground --allow-other --cache /cache/s3 bucket /models"
    )
    # A wall of its own would hide the mount from everybody else.
    assert not {"ProtectSystem", "PrivateTmp", "NoNewPrivileges", "ProtectKernelModules"} & set(unit("data"))


def test_a_folder_with_a_dash_has_the_unit_that_systemd_looks_for() -> None:
    values = variables_of("shared_storage")
    assert "replace('-', '\\x2d')" in values["__shared_storage_unit"]


# Programs


@pytest.mark.parametrize("path", ["restic/files/fleetyard-backup", "aide/files/fleetyard-integrity"])
def test_programs_are_shell_and_know_what_they_are_asked(path: str) -> None:
    subprocess.run(["bash", "-n", str(ROLES / path)], check=True)
    text = (ROLES / path).read_text()
    verbs = set(re.findall(r"^  ([a-z]+)\)", text, re.MULTILINE))
    assert verbs
    assert all(re.search(rf"^#.*\b{verb}\b", text, re.MULTILINE) for verb in verbs)


def test_reports_of_aide_become_one_line_each(tmp_path: Path) -> None:
    answer = "\n".join(
        [
            "Added entries:", "f+++++++++++++++++: /usr/local/bin/new", "d+++++++++++++++++: /etc/x: y",
            "f-----------------: /etc/gone", "f > ...     H..   : /etc/profile", "l = ...  : /etc/link",
            "File: /etc/profile", " SHA256    : abc= | def=",
        ]
    )  # fmt: skip
    (tmp_path / "answer").write_text(answer + "\n")
    text = (ROLES / "aide" / "files" / "fleetyard-integrity").read_text()
    (script,) = re.findall(r"^  (sed -n 's/\^\[a-zA-Z.*)$", text, re.MULTILINE)
    done = subprocess.run(["bash", "-c", f"at={tmp_path}; {script}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "added /usr/local/bin/new", "added /etc/x: y", "removed /etc/gone", "changed /etc/profile", "changed /etc/link",
    ]  # fmt: skip


# Grafana and Suricata


def test_grafana_knows_no_guests_and_its_password_is_in_no_file_of_settings() -> None:
    text = render(
        "grafana",
        "grafana.ini.j2",
        {"grafana_password": "battery staple", "grafana_settings": {"server": {"domain": "x"}}},
    )
    assert "battery" not in text
    assert "http_addr = 127.0.0.1" in text
    assert "domain = x" in text
    assert re.search(r"\[auth.anonymous\]\nenabled = false", text)


def test_every_dashboard_is_json_with_a_name_of_its_own() -> None:
    paths = sorted((ROLES / "prometheus" / "files" / "dashboards").glob("*.json"))
    boards = [json.loads(path.read_text()) for path in paths]
    assert len({board["uid"] for board in boards}) == len({board["title"] for board in boards}) == len(boards) >= 3
    for board in boards:
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len(set(places)) == len(places)


def test_rules_of_suricata_have_numbers_of_their_own_and_lie_in_one_line() -> None:
    text = render(
        "suricata", "fleetyard.rules.j2", {"suricata_rules_files": {"more": "alert ip any any -> any any (sid:1;)\n"}}
    )
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    numbers = [re.findall(r"sid:(\d+)", rule) for rule in rules]
    assert all(len(found) == 1 for found in numbers)
    assert len({found[0] for found in numbers}) == len(rules) == 4


def test_suricata_listens_where_it_is_told_and_drops_nothing() -> None:
    said = yaml.safe_load(
        render("suricata", "suricata.yaml.j2", {"suricata_interfaces": ["ens5", "ens6"]}).partition("---")[2]
    )
    assert [row["interface"] for row in said["af-packet"]] == ["ens5", "ens6"]
    assert len({row["cluster-id"] for row in said["af-packet"]}) == 2
    assert not {"nfq", "ipfw"} & set(said)
