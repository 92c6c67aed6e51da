"""What runs above the drivers, on one host: environments and services, asked as their users would ask."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts_bench import Hosts, Play
from software import INDEX, fill

pytestmark = pytest.mark.timeout(1500)
PLAYBOOK = "playbooks/software.yml"
TOKEN = "0123456789abcdef" * 4
PASSWORD = "a-password-of-a-test"
HOME = "/opt/fleetyard/environments"
RAY = f"RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=/etc/ray/token RAY_USAGE_STATS_ENABLED=0 {HOME}/ray/bin"


@dataclass
class Node:
    """A lab host, and the variables that an inventory would give it."""

    hosts: Hosts
    variables: dict[str, Any]
    folder: Path
    fresh_check: Play | None = None
    first: Play | None = None
    second: Play | None = None
    check: Play | None = None

    def play(self, *words: str, **more: Any) -> Play:
        file = self.folder / "variables.json"
        file.write_text(json.dumps({**self.variables, **more}))
        return self.hosts.playbook(PLAYBOOK, "-e", f"@{file}", *words)

    def on(self, command: str) -> str:
        return self.hosts.inside(self.hosts.listed()[0]["key"], command)

    def python(self, environment: str, program: str, prefix: str = "") -> str:
        """What a program says in an environment of the node."""
        return self.on(f"cd /tmp; {prefix} {HOME}/{environment}/bin/python -c {shlex.quote(program)}").strip()


def said(play: Play) -> str:
    """Its text on one line."""
    return re.sub(r"\s+", " ", play.text)


@pytest.fixture(scope="module")
def node(labs: Callable[..., Hosts], tmp_path_factory: pytest.TempPathFactory) -> Node:
    """The playbook was run: as a check, twice for real, and as a check again."""
    fill()
    hosts = labs({"train": ("compute", 1)})
    variables = {
        "fleetyard_software": ["ray", "tracking"],
        "fleetyard_package_index": INDEX,
        "ray_token": TOKEN,
        "ray_cpus": 2,
        "ray_object_store_mib": 100,
        "tracking_mlflow_password": PASSWORD,
        "tracking_mlflow_workers": 1,
        "tracking_wandb_key": "0" * 40,
    }
    made = Node(hosts, variables, tmp_path_factory.mktemp("node"))
    # As role base does before.
    made.on("apt-get update >&2")
    made.fresh_check = made.play("--check")
    made.first = made.play()
    made.second = made.play()
    made.check = made.play("--check")
    return made


# Converging


def test_check_mode_on_a_fresh_host_ends_well_and_names_what_would_come(node: Node) -> None:
    assert node.fresh_check is not None
    assert node.fresh_check.worked().changed > 0


def test_it_converges_and_a_second_run_changes_nothing(node: Node) -> None:
    assert node.first is not None
    assert node.second is not None
    node.first.worked()
    assert node.second.worked().changed == 0, re.findall(r"^(?:TASK|changed: ).*", node.second.text, re.MULTILINE)


def test_check_mode_on_a_converged_host_changes_nothing(node: Node) -> None:
    assert node.check is not None
    assert node.check.worked().changed == 0, re.findall(r"^changed: .*", node.check.text, re.MULTILINE)


# Environments


def test_environments_hold_what_their_lists_name(node: Node) -> None:
    name = node.on(f"readlink {HOME}/ray").strip()
    assert re.fullmatch(rf"{HOME}/ray-[0-9a-f]{{12}}", name)
    assert "ray==2.60.0" in node.on(f"cat {name}.txt")
    assert node.python("ray", "import ray; print(ray.__version__)") == "2.60.0"


# Ray


def test_ray_runs_a_job_that_was_submitted(node: Node) -> None:
    text = node.on(f"cd /tmp; {RAY}/ray job submit --address http://127.0.0.1:8265 -- python3 -c 'print(6 * 7)' 2>&1")
    assert re.search(r"^42$", text, re.MULTILINE)
    assert "succeeded" in text


def test_ray_computes_as_a_user_of_its_own(node: Node) -> None:
    program = (
        "import ray; ray.init('10.90.0.10:6379', log_to_driver=False, logging_level='ERROR');"
        "f = ray.remote(lambda: __import__('getpass').getuser()); print(ray.get(f.remote()))"
    )
    assert node.on(f"cd /tmp; {RAY}/python -c {shlex.quote(program)}").strip() == "ray"


def test_ray_takes_no_work_without_the_token(node: Node) -> None:
    node.on("echo fedcba9876543210fedcba9876543210 > /tmp/wrong; chmod 600 /tmp/wrong")
    wrong = RAY.replace("/etc/ray/token", "/tmp/wrong")
    ask = f"cd /tmp; {wrong}/ray job submit --address http://127.0.0.1:8265 -- true 2>&1 || true"
    assert re.search(r"(?i)unauthenticated|unauthorized|invalid|token|403|401", node.on(ask))
    assert "succeeded" not in node.on(ask)


def test_secrets_are_in_no_process_and_readable_by_nobody_else(node: Node) -> None:
    everything = node.on("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
    assert TOKEN not in everything
    assert PASSWORD not in everything
    modes = node.on("stat -c '%a %n' /etc/ray/token /etc/fleetyard/mlflow-auth.ini /etc/fleetyard/wandb.netrc")
    assert {row.split()[0] for row in modes.splitlines()} == {"600", "640"}
    assert node.first is not None
    assert TOKEN not in node.first.text
    assert PASSWORD not in node.first.text


# Tracking


def test_mlflow_keeps_a_run_of_somebody_with_the_password(node: Node) -> None:
    program = (
        "import mlflow, pathlib; mlflow.set_experiment('e');\n"
        "with mlflow.start_run() as run:\n"
        "    mlflow.log_metric('loss', 0.25); pathlib.Path('/tmp/a.txt').write_text('kept')\n"
        "    mlflow.log_artifact('/tmp/a.txt')\n"
        "got = mlflow.get_run(run.info.run_id)\n"
        "print(got.data.metrics['loss'], mlflow.artifacts.load_text(got.info.artifact_uri + '/a.txt'))"
    )
    login = f"MLFLOW_TRACKING_USERNAME=admin MLFLOW_TRACKING_PASSWORD={PASSWORD}"
    where = f"set -a; . /etc/fleetyard/tracking.env; set +a; {login}"
    assert node.python("tracking", program, where).splitlines()[-1] == "0.25 kept"
    status = (
        "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:5000/api/2.0/mlflow/experiments/search?max_results=1"
    )
    assert node.on(status) == "401"


def test_tensorboard_shows_what_was_written(node: Node) -> None:
    program = (
        "from tensorboard.summary.writer.event_file_writer import EventFileWriter as W;"
        "from tensorboard.compat.proto import event_pb2 as e, summary_pb2 as s;"
        "w = W('/var/lib/tracking/tensorboard/run-1');"
        "v = s.Summary.Value(tag='loss', simple_value=0.5);"
        "w.add_event(e.Event(step=3, summary=s.Summary(value=[v]))); w.close()"
    )
    node.python("tracking", program)
    node.on("chown -R tracking: /var/lib/tracking/tensorboard")
    ask = "curl -s 'http://127.0.0.1:6006/data/plugin/scalars/tags'"
    found = node.hosts.until(lambda: json.loads(node.on(ask)), 90)
    assert "loss" in found["run-1"]


def test_weights_and_biases_keeps_runs_here_and_finds_its_key(node: Node) -> None:
    where = "set -a; . /etc/fleetyard/tracking.env; set +a; WANDB_DIR=/tmp"
    program = (
        "import wandb; r = wandb.init(project='p', settings=wandb.Settings(console='off', silent=True));"
        "r.log({'loss': 1.5}); r.finish(); print(r.settings.mode)"
    )
    assert node.python("tracking", program, where).splitlines()[-1] == "offline"
    assert "run-" in node.on("ls /tmp/wandb/offline-run-*/")
    key = "import requests.utils as u; print(u.get_netrc_auth('https://api.wandb.ai'))"
    assert node.python("tracking", key, where) == f"('user', '{'0' * 40}')"


# What goes wrong


def test_ray_without_a_token_is_refused(node: Node) -> None:
    refused = node.play("--tags", "ray", ray_token="")
    assert refused.status != 0
    assert "FY2826 error train-0: ray_token is missing" in said(refused)


def test_mlflow_for_everybody_without_a_password_is_refused(node: Node) -> None:
    refused = node.play("--tags", "tracking", tracking_listen="10.90.0.10", tracking_mlflow_password="")
    assert refused.status != 0
    assert "FY2828 error train-0: MLflow would listen on 10.90.0.10 without a password" in said(refused)


def test_weights_and_biases_online_without_a_key_is_refused(node: Node) -> None:
    refused = node.play("--tags", "tracking", tracking_wandb_mode="online", tracking_wandb_key="")
    assert refused.status != 0
    assert "FY2830 error train-0" in said(refused)


def test_an_environment_that_was_changed_by_hand_is_refused(node: Node) -> None:
    metadata = node.on(f"ls {HOME}/ray/lib/python3.11/site-packages/click-*.dist-info/METADATA").strip()
    node.on(f"sed -i.kept 's/^Version: .*/Version: 1.0/' {metadata}")
    try:
        refused = node.play("--tags", "ray")
    finally:
        node.on(f"mv {metadata}.kept {metadata}")
    assert refused.status != 0
    assert re.search(r"FY2823 error train-0: ray-[0-9a-f]{12} was changed by hand: click is 1\.0", said(refused))
