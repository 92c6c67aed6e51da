"""What the role slurm writes: settings laid over settings, nodes, and scripts that do what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "slurm"
HARDWARE = {"CPUs": "2", "Boards": "1", "SocketsPerBoard": "1", "CoresPerSocket": "2", "ThreadsPerCore": "1"}
GPUS = [{"name": "gpu", "type": "a100", "count": 8, "device": "/dev/nvidia"}]
KNOWN = {
    "old": {"address": "10.0.0.1", "hardware": HARDWARE, "memory_mib": 9000, "gres": GPUS, "options": {}},
    "gone": {"address": "10.0.0.2", "hardware": HARDWARE, "memory_mib": 9000, "gres": GPUS, "options": {}},
}
NEW = {"address": "10.0.0.3", "hardware": HARDWARE, "memory_mib": 8000, "gres": [], "options": {"Feature": "cpu"}}


def write(folder: Path, names: list[str], **variables: Any) -> dict[str, str]:
    """Let Ansible write templates of the role for a cluster of `control`, `old` (known) and `new` (in this play)."""
    play = {
        "hosts": "new",
        "gather_facts": False,
        "vars": {
            **yaml.safe_load((ROLE / "defaults" / "main.yml").read_text()),
            **yaml.safe_load((ROLE / "vars" / "main.yml").read_text()),
            "slurm_address": "10.0.0.3",
            "slurm_controller": "control",
            "slurm_compute": ["old", "new"],
            "slurm_login": [],
            "__slurm_registry": {"content": "{{ known | to_json | b64encode }}"},
            "known": KNOWN,
            **variables,
        },
        "tasks": [
            {"ansible.builtin.set_fact": {"__slurm_node": NEW}},
            {
                "ansible.builtin.template": {
                    "src": f"{ROLE}/templates/{{{{ item }}}}.j2",
                    "dest": f"{folder}/{{{{ item }}}}",
                    "mode": "0755",
                },
                "loop": names,
            },
        ],
    }
    (folder / "play.json").write_text(json.dumps([play]))
    python = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {"control": {"slurm_address": "10.0.0.9"}, "old": {}, "new": {}}
    groups = {"all": {"hosts": {name: {**python, **own} for name, own in hosts.items()}, "children": {"empty": {}}}}
    (folder / "hosts.json").write_text(json.dumps(groups))
    program = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [str(program), "-i", str(folder / "hosts.json"), str(folder / "play.json")],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.timer", "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: (folder / name).read_text() for name in names}


def settings(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and " " not in line.split("=")[0])


def test_a_users_settings_lie_over_the_roles_and_a_null_removes_one(tmp_path: Path) -> None:
    own = {
        "SlurmdTimeout": 7,
        "RebootProgram": "/sbin/reboot",
        "UnkillableStepTimeout": None,
        "DebugFlags": ["Gres", "Steps"],
    }
    told = settings(write(tmp_path, ["slurm.conf"], slurm_config=own)["slurm.conf"])
    assert told["SlurmdTimeout"] == "7"
    assert told["RebootProgram"] == "/sbin/reboot"
    assert told["DebugFlags"] == "Gres,Steps"
    assert "UnkillableStepTimeout" not in told
    assert told["SlurmctldHost"] == "control(10.0.0.9)"
    assert told["ProctrackType"] == "proctrack/cgroup"
    assert told["AccountingStorageTRES"] == "gres/gpu"


def test_a_play_on_a_new_node_adds_it_keeps_the_known_and_drops_what_left(tmp_path: Path) -> None:
    partitions = [{"name": "all", "options": {"Default": True}}, {"name": "none", "groups": ["empty"]}]
    names = ["slurm.conf", "gres.conf", "fleetyard-nodes.json"]
    told = write(tmp_path, names, slurm_partitions=partitions)
    nodes = [line for line in told["slurm.conf"].splitlines() if line.startswith("NodeName=")]
    assert [line.split()[:2] for line in nodes] == [
        ["NodeName=new", "NodeAddr=10.0.0.3"],
        ["NodeName=old", "NodeAddr=10.0.0.1"],
    ]
    assert nodes[0].endswith("RealMemory=8000 Feature=cpu")
    assert nodes[1].endswith("RealMemory=9000 Gres=gpu:a100:8")
    assert told["gres.conf"].splitlines()[1:] == ["NodeName=old Name=gpu Type=a100 File=/dev/nvidia[0-7]"]
    assert "PartitionName=all Nodes=ALL MaxTime=INFINITE State=UP Default=YES" in told["slurm.conf"].splitlines()
    assert "PartitionName=none" not in told["slurm.conf"]
    assert sorted(json.loads(told["fleetyard-nodes.json"])) == ["new", "old"]


def test_without_containment_or_accounting_neither_is_asked_for(tmp_path: Path) -> None:
    told = write(tmp_path, ["slurm.conf", "cgroup.conf"], slurm_containment="none", slurm_accounting=False)
    conf = settings(told["slurm.conf"])
    assert conf["ProctrackType"] == "proctrack/linuxproc"
    assert "PrologFlags" not in conf
    assert not [key for key in conf if key.startswith("Accounting")]
    assert "Constrain" not in told["cgroup.conf"]


@pytest.fixture(scope="module")
def health(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The node's health check, with a scontrol that answers as `node` says and notes what it is asked in `asked`."""
    folder = tmp_path_factory.mktemp("health")
    gres = [{"name": "gpu", "type": "a100", "count": 1, "device": f"{folder}/device"}]
    write(folder, ["node-health"], slurm_gres=gres, slurm_health_free_mib=1)
    said = f'[[ $2 == show ]] && cat {folder}/node || printf "%s " "$@" >> {folder}/asked'
    for name, body in (("scontrol", said), ("hostname", "echo n1")):
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("there", "node", "asked"),
    [
        (True, "State=IDLE ThreadsPerCore=1", ""),
        (False, "State=IDLE ThreadsPerCore=1", "update nodename=n1 state=drain reason=health: FOLDER/device0 is gone"),
        (False, "State=IDLE+DRAIN Reason=disk [root@2026-11-22T10:00:00]", ""),
        (
            True,
            "State=IDLE+DRAIN Reason=health: /x is gone [root@2026-11-22T10:00:00]",
            "update nodename=n1 state=resume",
        ),
        (True, "State=IDLE+DRAIN Reason=disk [root@2026-11-22T10:00:00]", ""),
    ],
)
def test_a_node_drains_itself_and_resumes_only_what_it_drained(
    there: bool, node: str, asked: str, health: Path
) -> None:
    device = health / "device0"
    device.unlink(missing_ok=True)
    if there:
        device.symlink_to("/dev/null")
    (health / "node").write_text(f"NodeName=n1 {node}\n")
    (health / "asked").write_text("")
    env = {**os.environ, "PATH": f"{health}:{os.environ['PATH']}"}
    subprocess.run([str(health / "node-health")], env=env, check=True)
    assert (health / "asked").read_text().strip() == asked.replace("FOLDER", str(health))
    looked = subprocess.run([str(health / "node-health"), "--look"], env=env, capture_output=True, check=False)
    assert looked.returncode == (0 if there else 1)
