"""The program that remembers what a node is made of: what it reads, what it merges, what it says differs."""

from __future__ import annotations

import copy
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "roles" / "node_state" / "files"))

import fleetyard_state  # noqa: E402

FILE = "0644 0:0 " + "a" * 64
STATE: dict[str, dict[str, Any]] = {
    "packages": {"munge:amd64": {"version": "0.5.15-2", "held": False}},
    "sysctl": {"net.core.somaxconn": "4096"},
    "units": {"ssh.service": {"boot": "enabled", "runs": True}},
    "files": {"/etc/fstab": FILE, "/etc/localtime": "link to /usr/share/zoneinfo/UTC"},
    "users": {
        "root": {"ids": "0:0", "home": "/root", "shell": "/bin/bash", "groups": [], "password": False},
        "root authorized_keys": "b" * 64,
    },
}
PLANTED: list[tuple[str, str, Any, list[dict[str, Any]]]] = [
    (
        "packages", "munge:amd64", {"version": "0.5.16-1", "held": False},
        [{"kind": "package", "name": "munge:amd64", "was": "0.5.15-2", "is": "0.5.16-1"}],
    ),
    (
        "packages", "munge:amd64", {"version": "0.5.15-2", "held": True},
        [{"kind": "hold", "name": "munge:amd64", "was": "not held", "is": "held"}],
    ),
    ("packages", "munge:amd64", None, [{"kind": "package", "name": "munge:amd64", "was": "0.5.15-2", "is": None}]),
    (
        "packages", "nmap:amd64", {"version": "7.93", "held": False},
        [{"kind": "package", "name": "nmap:amd64", "was": None, "is": "7.93"}],
    ),
    (
        "sysctl", "net.core.somaxconn", "128",
        [{"kind": "sysctl", "name": "net.core.somaxconn", "was": "4096", "is": "128"}],
    ),
    (
        "units", "ssh.service", {"boot": "masked", "runs": None},
        [{"kind": "unit", "name": "ssh.service", "was": "enabled, runs", "is": "masked"}],
    ),
    (
        "units", "ssh.service", {"boot": "enabled", "runs": False},
        [{"kind": "unit", "name": "ssh.service", "was": "enabled, runs", "is": "enabled, does not run"}],
    ),
    (
        "files", "/etc/fstab", "0666 0:0 " + "c" * 64,
        [{"kind": "file", "name": "/etc/fstab", "was": "mode 0644, content", "is": "mode 0666, other content"}],
    ),
    ("files", "/etc/fstab", None, [{"kind": "file", "name": "/etc/fstab", "was": "there", "is": None}]),
    ("files", "/etc/new", FILE, [{"kind": "file", "name": "/etc/new", "was": None, "is": "there"}]),
    (
        "files", "/etc/localtime", FILE,
        [{"kind": "file", "name": "/etc/localtime", "was": "link to /usr/share/zoneinfo/UTC", "is": "a file"}],
    ),
    (
        "users", "root", {"ids": "0:0", "home": "/root", "shell": "/bin/bash", "groups": [], "password": True},
        [{"kind": "user", "name": "root", "was": '{"password": false}', "is": '{"password": true}'}],
    ),
    (
        "users", "root authorized_keys", "d" * 64,
        [{"kind": "user", "name": "root authorized_keys", "was": "keys", "is": "other keys"}],
    ),
    (
        "users", "eve authorized_keys", "d" * 64,
        [{"kind": "user", "name": "eve authorized_keys", "was": None, "is": "keys"}],
    ),
]  # fmt: skip


def changed(section: str, name: str, value: Any) -> dict[str, dict[str, Any]]:
    state = copy.deepcopy(STATE)
    if value is None:
        del state[section][name]
    else:
        state[section][name] = value
    return state


@pytest.mark.parametrize(("section", "name", "value", "said"), PLANTED)
def test_each_kind_of_drift_is_said_and_nothing_else(section: str, name: str, value: Any, said: Any) -> None:
    assert fleetyard_state.differences(STATE, changed(section, name, value)) == said


def test_no_content_and_no_key_is_shown() -> None:
    said = json.dumps([fleetyard_state.differences(STATE, changed(*row[:3])) for row in PLANTED])
    assert not any(letter * 64 in said for letter in "abcd")


def test_what_is_the_same_is_no_drift() -> None:
    assert fleetyard_state.differences(STATE, copy.deepcopy(STATE)) == []


values = st.dictionaries(st.sampled_from("abcde"), st.sampled_from("123"), max_size=5)
states = st.fixed_dictionaries({"sysctl": values})


@given(states, states, states)
def test_a_playbook_answers_for_what_it_changed_and_for_nothing_else(baseline: Any, before: Any, after: Any) -> None:
    made = fleetyard_state.merged(baseline, before, after)["sysctl"]
    for name in "abcde":
        was, now = before["sysctl"].get(name), after["sysctl"].get(name)
        assert made.get(name) == (now if was != now else baseline["sysctl"].get(name))


@given(states, states)
def test_a_playbook_that_changed_nothing_leaves_the_baseline(baseline: Any, now: Any) -> None:
    assert fleetyard_state.merged(baseline, now, now) == baseline


@given(states)
def test_the_first_time_all_is_meant(now: Any) -> None:
    assert fleetyard_state.merged(None, now, now) == now


def test_packages_of_both_families() -> None:
    debian = (
        "munge:amd64\tinstall\tinstalled\t0.5.15-2\n"
        "libcuda1:amd64\thold\tinstalled\t580.1-1\n"
        "old:amd64\tdeinstall\tconfig-files\t1\n"
    )
    assert fleetyard_state.debian_packages(debian) == {
        "munge:amd64": {"version": "0.5.15-2", "held": False},
        "libcuda1:amd64": {"version": "580.1-1", "held": True},
    }
    rpm = "kernel\t5.14.0-570.el9.x86_64\nmunge\t0.5.13-13.el9.x86_64\n"
    assert fleetyard_state.rpm_packages(rpm, "kernel-0:5.14.0-570.el9.*\n") == {
        "kernel": {"version": "5.14.0-570.el9.x86_64", "held": True},
        "munge": {"version": "0.5.13-13.el9.x86_64", "held": False},
    }


def test_units_that_come_and_go_are_not_asked_whether_they_run() -> None:
    text = (
        "Id=ssh.service\nType=notify\nActiveState=active\nUnitFileState=enabled\n\n"
        "Id=apt-daily.service\nType=oneshot\nActiveState=inactive\nUnitFileState=static\n\n"
        "Id=fleetyard-cache.service\nType=oneshot\nActiveState=active\nUnitFileState=enabled\n\n"
        "Id=rsync.service\nType=simple\nActiveState=inactive\nUnitFileState=disabled\n"
    )
    assert fleetyard_state.units_of(text) == {
        "ssh.service": {"boot": "enabled", "runs": True},
        "fleetyard-cache.service": {"boot": "enabled", "runs": None},
        "rsync.service": {"boot": "disabled", "runs": None},
    }


def test_a_later_file_of_sysctl_d_wins(tmp_path: Path) -> None:
    first, second = tmp_path / "usr", tmp_path / "etc"
    for folder in (first, second):
        folder.mkdir()
    (first / "50-a.conf").write_text("net.core.somaxconn = 1\n# a = b\n-net/ipv4/ip_forward=1\nnet.*.x = 3\n")
    (second / "60-b.conf").write_text("net.core.somaxconn=4096\nnet.ipv4.tcp_rmem = 1\t2  3\n")
    assert fleetyard_state.declared([first, second]) == {
        "net.core.somaxconn": "4096",
        "net.ipv4.ip_forward": "1",
        "net.ipv4.tcp_rmem": "1 2 3",
    }


def test_files_links_and_what_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    (tmp_path / "plain").chmod(0o640)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "deep").write_text("y")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "secret").write_text("z")
    os.mkfifo(tmp_path / "pipe")
    found = fleetyard_state.files([str(tmp_path)], [f"{tmp_path}/sec*"])
    assert set(found) == {f"{tmp_path}/{name}" for name in ("plain", "folder/deep", "link")}
    assert found[f"{tmp_path}/link"] == "link to folder"
    assert found[f"{tmp_path}/plain"].startswith("0640 ")


def test_the_whole_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On this computer's own packages and users, with files of its own."""
    place = tmp_path / "etc"
    place.mkdir()
    (place / "kept").write_text("1")
    monkeypatch.setattr(fleetyard_state, "FOLDER", tmp_path / "state")
    monkeypatch.setattr(fleetyard_state, "PLACES", (str(place),))
    monkeypatch.setattr(fleetyard_state, "sysctl", dict)
    monkeypatch.setattr(fleetyard_state, "units", dict)
    monkeypatch.setattr(fleetyard_state, "packages", dict)

    def run(act: str) -> tuple[int, str]:
        return fleetyard_state.main([act]), capsys.readouterr().out.strip()

    assert run("drift") == (3, "")
    assert run("begin") == (0, "")
    assert run("end") == (0, "changed")
    assert run("drift") == (0, "[]")
    (place / "by-hand").write_text("2")
    drift = [{"kind": "file", "name": f"{place}/by-hand", "was": None, "is": "there"}]
    assert run("begin") == (0, "")
    (place / "by-play").write_text("3")
    assert run("end") == (0, "changed")
    assert json.loads(run("drift")[1]) == drift, "a playbook does not make another's change its own"
    assert run("begin") == (0, "")
    assert run("end") == (0, ""), "a second run changes nothing"
    assert (tmp_path / "state" / "baseline.json").stat().st_mode & 0o777 == 0o600
