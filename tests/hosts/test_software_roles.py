"""What runs above the drivers, on one host: environments and services, asked as their users would ask."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts_bench import Hosts, Play
from software import ALIAS, INDEX, STAND_INS, fill
from tiny_model import tiny_model

pytestmark = pytest.mark.timeout(1500)
PLAYBOOK = "playbooks/software.yml"
TOKEN = "0123456789abcdef" * 4
PASSWORD = "a-password-of-a-test"
HOME = "/opt/fleetyard/environments"
RAY = f"RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=/etc/ray/token RAY_USAGE_STATS_ENABLED=0 {HOME}/ray/bin"

SERVERS = [
    {"name": "a", "group": "llm", "engine": "vllm", "model": "tiny/model", "port": 8201},
    {"name": "b", "group": "llm", "engine": "vllm", "model": "tiny/model", "port": 8202},
    {"name": "t", "group": "triton", "engine": "triton", "model": "/srv/models", "port": 8211},
    {"name": "l", "group": "edge", "engine": "litert", "model": "/srv/tiny.tflite", "port": 8221},
]
NOTEBOOK = """
import json, re, time, requests
user, at = 'ada', 'http://127.0.0.1:8000'
s = requests.Session()
page = s.get(at + '/hub/login')
token = s.cookies.get('_xsrf', path='/hub/')
s.post(at + '/hub/login?_xsrf=' + token, data={'username': user, 'password': 'engine-1843', '_xsrf': token})
me = s.get(at + '/hub/api/user', headers={'Referer': at + '/hub/'})
if me.status_code != 200:
    print('no login')
    raise SystemExit
token = s.cookies.get('_xsrf', path='/hub/')
head = {'X-XSRFToken': token, 'Referer': at + '/hub/home'}
s.post(f'{at}/hub/api/users/{user}/server', headers=head)
for _ in range(120):
    if s.get(f'{at}/hub/api/users/{user}', headers=head).json().get('server'):
        break
    time.sleep(1)
made = s.post(f'{at}/hub/api/users/{user}/tokens', headers=head, json={'expires_in': 600})
head = {'Authorization': 'token ' + made.json()['token']}
kernel = requests.post(f'{at}/user/{user}/api/kernels', headers=head, json={}).json()['id']
import tornado.websocket, tornado.httpclient, asyncio
async def run():
    where = f'ws://127.0.0.1:8000/user/{user}/api/kernels/{kernel}/channels'
    asked = tornado.httpclient.HTTPRequest(where, headers=head)
    ws = await tornado.websocket.websocket_connect(asked)
    code = "import getpass; print(getpass.getuser(), 6 * 7)"
    about = {'msg_id': 'm', 'msg_type': 'execute_request', 'username': user, 'session': 's', 'version': '5.3'}
    content = {'code': code, 'silent': False, 'store_history': False, 'allow_stdin': False}
    await ws.write_message(json.dumps({'header': about, 'parent_header': {}, 'metadata': {}, 'channel': 'shell',
        'content': content}))
    while True:
        row = json.loads(await asyncio.wait_for(ws.read_message(), 90))
        if row['msg_type'] == 'stream':
            return row['content']['text'].strip()
print(asyncio.run(run()))
"""
"""Logs in as a browser would, starts a server, and has its kernel compute."""


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
    tree = fill()
    lists = tree / "locks"
    hosts = labs({"train": ("compute", 1)})
    variables = {
        "fleetyard_software": ["ray", "tracking", "jupyterhub", "serving"],
        "fleetyard_stacks_wanted": ["pytorch"],
        "fleetyard_environments": [
            {
                "name": "hello",
                "kind": "conda",
                "lock": str(lists / "conda.txt"),
                "channel_alias": ALIAS,
                "check": ["fleetyard-hello"],
                "says": "hello from a conda environment",
            }
        ],
        "fleetyard_package_index": INDEX,
        "fleetyard_stand_in_lists": str(lists),
        "fleetyard_stand_in_index": STAND_INS,
        "jupyterhub_users": ["ada"],
        "serving_backends": SERVERS,
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
    made.on("for u in ada eve; do useradd --create-home $u; echo $u:engine-1843 | chpasswd; done")
    model = base64.b64encode(tiny_model(tree / "simple")).decode()
    made.on(f"mkdir -p /srv/models/echo/1; echo {model} | base64 -d > /srv/tiny.tflite")
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


# Stacks and conda


def test_stacks_have_true_versions_and_say_that_they_are_stand_ins(node: Node) -> None:
    assert node.first is not None
    assert "2.15.0; torch 2.15.0 (stand-in): nothing is computed" in said(node.first)
    assert node.on(f"{HOME}/pytorch/bin/torchrun --version").strip() == "torchrun 2.15.0 (stand-in)"
    rows = [json.loads(row) for row in node.on("cat /var/lib/fleetyard-stand-in/calls.jsonl").splitlines()]
    assert {"import torch", "torchrun"} <= {row["program"] for row in rows}


def test_a_conda_environment_is_linked_by_a_real_client(node: Node) -> None:
    assert node.on(f"{HOME}/hello/bin/fleetyard-hello").strip() == "hello from a conda environment"
    assert "fleetyard-hello-1.2.0-0.json" in node.on(f"ls {HOME}/hello/conda-meta")


# JupyterHub


def test_a_user_logs_in_and_gets_a_notebook_that_runs_as_herself(node: Node) -> None:
    text = node.python("jupyterhub", NOTEBOOK)
    assert text.splitlines()[-1] == "ada 42"


def test_a_user_who_is_not_named_may_not_log_in(node: Node) -> None:
    text = node.python("jupyterhub", NOTEBOOK.replace("'ada'", "'eve'"))
    assert text.splitlines()[-1] == "no login"


def test_the_hub_is_no_root(node: Node) -> None:
    assert node.on("ps -o user= -p $(systemctl show -P MainPID fleetyard-jupyterhub)").strip() == "jupyterhub"


# Serving


def ask(node: Node, path: str, body: object = None) -> tuple[int, Any]:
    """Status and answer of the front."""
    more = f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}" if body is not None else ""
    text = node.on(f"curl -s -w '\\n%{{http_code}}' {more} http://127.0.0.1:8100{path}")
    answer, _, status = text.rpartition("\n")
    return int(status), json.loads(answer) if answer.startswith("{") else answer


def test_a_language_model_is_asked_in_the_api_of_openai(node: Node) -> None:
    status, found = ask(node, "/llm/v1/models")
    assert (status, [row["id"] for row in found["data"]]) == (200, ["tiny/model"])
    body = {"model": "tiny/model", "messages": [{"role": "user", "content": "who are you"}]}
    status, found = ask(node, "/llm/v1/chat/completions", body)
    assert status == 200
    assert "stand-in" in found["choices"][0]["message"]["content"]
    assert ask(node, "/llm/v1/chat/completions", {"model": "another"})[0] == 404
    assert "vllm:generation_tokens_total" in node.on("curl -s http://127.0.0.1:8201/metrics")


def test_triton_answers_in_its_protocol(node: Node) -> None:
    assert ask(node, "/triton/v2/models/echo/ready")[0] == 200
    asked = {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1.5]}]}
    assert ask(node, "/triton/v2/models/echo/infer", asked)[1]["outputs"] == asked["inputs"]
    assert "nv_inference_request_success" in node.on("curl -s http://127.0.0.1:8213/metrics")


def test_a_tflite_model_really_computes(node: Node) -> None:
    asked = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3.5, -4]}]}
    status, found = ask(node, "/edge/v2/models/tiny/infer", asked)
    assert (status, found["outputs"][0]["data"]) == (200, [2.0, 4.0, 7.0, -8.0])
    asked["inputs"][0]["data"] = [1]
    assert ask(node, "/edge/v2/models/tiny/infer", asked)[0] == 400


def well(node: Node) -> set[str]:
    """Servers that the front gives work to."""
    rows = [row.split(",") for row in node.on("curl -s 'http://127.0.0.1:8404/;csv'").splitlines()]
    return {
        row[1] for row in rows if len(row) > 17 and row[17].startswith("UP") and row[1] not in ("FRONTEND", "BACKEND")
    }


def test_a_dead_server_is_taken_out_and_comes_back(node: Node) -> None:
    assert well(node) == {"a", "b", "t", "l"}
    node.on("systemctl stop fleetyard-serving-a")
    try:
        node.hosts.until(lambda: well(node) == {"b", "t", "l"}, 60)
        assert {ask(node, "/llm/v1/models")[0] for _ in range(6)} == {200}
    finally:
        node.on("systemctl start fleetyard-serving-a")
    node.hosts.until(lambda: "a" in well(node), 60)


def test_a_server_that_does_not_come_up_is_named(node: Node) -> None:
    node.on("mv /srv/tiny.tflite /srv/gone; systemctl restart fleetyard-serving-l")
    try:
        refused = node.play("--tags", "serving", serving_patience=2)
    finally:
        node.on("mv /srv/gone /srv/tiny.tflite; systemctl restart fleetyard-serving-l")
    assert refused.status != 0
    assert "FY2834 error train-0: of a, b, t, l the front finds well" in said(refused)
    node.hosts.until(lambda: "l" in well(node), 60)


def test_serving_for_everybody_without_a_key_is_refused(node: Node) -> None:
    refused = node.play("--tags", "serving", serving_listen="10.90.0.10")
    assert refused.status != 0
    assert "FY2833 error train-0: serving would listen on 10.90.0.10 without TLS" in said(refused)


def test_passwords_in_the_clear_are_refused(node: Node) -> None:
    refused = node.play("--tags", "jupyterhub", jupyterhub_listen="10.90.0.10")
    assert refused.status != 0
    assert "FY2831 error train-0" in said(refused)


def test_a_wrong_checksum_leaves_no_environment(node: Node, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(f"flatbuffers==25.12.19 --hash=sha256:{'0' * 64}\n")
    row = {"name": "wrong", "lock": str(wrong), "check": ["python", "-c", ""], "says": ""}
    refused = node.play("--tags", "environments", fleetyard_environments=[row])
    assert refused.status != 0
    assert "FY2821 error train-0: the index does not give what wrong-" in said(refused)
    assert node.on(f"ls -d {HOME}/wrong-*/ {HOME}/wrong 2>/dev/null || true") == ""
    wrong.write_text("flatbuffers==25.12.19\n")
    refused = node.play("--tags", "environments", fleetyard_environments=[row])
    assert "FY2820 error train-0: flatbuffers==25.12.19 of" in said(refused)
