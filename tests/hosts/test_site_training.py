"""Jobs on a converged stack: Slurm keeps them apart, drains what is broken, and a training job outlives a lost host."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts_bench import Cluster

from fleetyard.training.curve import Point, read_points
from fleetyard.training.sample import write_sample

pytestmark = pytest.mark.timeout(1500)
SITE, TRAIN = "playbooks/site.yml", "playbooks/train.yml"
STEPS = 120
STORE = "pools/train/jobs/outlives/"


@dataclass
class Jobs:
    """A cluster that takes jobs."""

    cluster: Cluster
    bucket: str
    log: str
    """What Ansible said at its most talkative."""

    @property
    def control(self) -> str:
        return next(row["key"] for row in self.cluster.hosts.listed() if row["machine"] == "m7i.xlarge")

    def on(self, key: str, command: str) -> str:
        return self.cluster.hosts.inside(key, command)

    def compute(self) -> list[dict[str, Any]]:
        return [row for row in self.cluster.hosts.listed() if row["machine"] == "p4d.24xlarge"]

    def points(self) -> list[Point]:
        s3 = self.cluster.engine.api("s3")
        found = s3.list_objects_v2(Bucket=self.bucket, Prefix=f"{STORE}loss/").get("Contents", [])
        bodies = [s3.get_object(Bucket=self.bucket, Key=row["Key"])["Body"].read().decode() for row in found]
        return read_points(line for body in bodies for line in body.splitlines())

    def node(self, name: str) -> str:
        return self.on(self.control, f"scontrol --oneliner show node {name}")


@pytest.fixture(scope="module")
def jobs(aws: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    said = json.loads(aws.engine.pulumi("stack", "output", "fleetyard", "--json", "--stack", aws.stack).out)
    bucket = said["stores"]["data"]["bucket"]
    folder: Path = tmp_path_factory.mktemp("text")
    write_sample(folder, shards=2, bytes_each=100_000)
    for path in sorted(folder.iterdir(), key=lambda each: (each.suffix == ".json", each.name)):
        aws.engine.api("s3").put_object(Bucket=bucket, Key=f"datasets/text/{path.name}", Body=path.read_bytes())
    done = aws.hosts.playbook(SITE, "-vvv").worked()
    made = Jobs(aws, bucket, done.text)
    for row in made.compute():
        made.on(row["key"], "systemctl start fleetyard-hydrate.service")
    return made


def test_the_munge_key_is_one_and_is_told_to_nobody(jobs: Jobs) -> None:
    keys = {jobs.on(row["key"], "cat /etc/munge/munge.key").strip() for row in jobs.cluster.hosts.listed()}
    (key,) = keys
    assert len(key) >= 96
    assert key not in jobs.log
    listed = jobs.cluster.hosts.ansible("all", "-m", "ansible.builtin.debug", "-a", "var=hostvars").text
    assert key not in listed
    assert "StoragePass" not in jobs.on(jobs.control, "cat /etc/slurm/slurmdbd.conf")


def test_no_secret_is_in_a_log_or_a_process_list(jobs: Jobs) -> None:
    """Searched for on all hosts: the cluster's key, the credentials that the metadata service gives, a private key."""
    ask = (
        "T=$(curl -sX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token);"
        "U=http://169.254.169.254/latest/meta-data/iam/security-credentials/;"
        'curl -sH "X-aws-ec2-metadata-token: $T" "$U$(curl -sH "X-aws-ec2-metadata-token: $T" $U)"'
    )
    rows = jobs.cluster.hosts.listed()
    secrets = {jobs.on(jobs.control, "cat /etc/munge/munge.key").strip()}
    for row in rows:
        told = json.loads(jobs.on(row["key"], ask))
        secrets |= {told["SecretAccessKey"], told["Token"]}
    assert len(secrets) == 1 + 2 * len(rows)
    look = "ps -eww -o args; cat /proc/[0-9]*/cmdline | tr '\\0' ' '; journalctl --no-pager -o cat; cat /var/log/*.log"
    for row in rows:
        said = jobs.on(row["key"], f"({look}) 2>/dev/null || true")
        assert len(said) > 10_000, "a search through nothing finds nothing"
        assert not [secret[:6] for secret in secrets if secret in said]
        assert "PRIVATE KEY-----" not in said
    assert not [secret[:6] for secret in secrets if secret in jobs.log]
    state = jobs.cluster.engine.pulumi("stack", "export", "--stack", jobs.cluster.stack).out
    assert not [secret[:6] for secret in secrets if secret in state]


def test_a_job_has_its_accelerators_and_no_others(jobs: Jobs) -> None:
    """The devices are stand-ins without a driver: one that is given has no device behind it, others are forbidden."""
    look = "for i in 0 1 2 7; do (exec 3</dev/nvidia$i) 2>&1 | sed 's/.*: //'; done; echo $CUDA_VISIBLE_DEVICES"
    script = f"cat > /tmp/look <<'EOF'\n#!/bin/bash\n{look}\nEOF\n"
    number = jobs.on(
        jobs.control, f"{script}sbatch --parsable --wait --gres=gpu:2 --output=/tmp/looked /tmp/look"
    ).strip()
    accounted = f"sacct -nPX -j {number} -o nodelist,alloctres"
    told = jobs.cluster.hosts.until(lambda: jobs.on(jobs.control, accounted).strip(), 30)
    name, tres = told.split("|")
    assert "gres/gpu=2" in tres
    row = next(row for row in jobs.compute() if row["host"] == name)
    given = jobs.on(row["key"], "cat /tmp/looked").splitlines()
    assert given == ["No such device or address"] * 2 + ["Operation not permitted"] * 2 + ["0,1"]


def test_a_broken_node_drains_itself_with_the_reason_and_comes_back(jobs: Jobs) -> None:
    row = jobs.compute()[0]
    jobs.on(row["key"], "mv /dev/nvidia3 /dev/kept3")
    try:
        jobs.cluster.hosts.until(lambda: re.search(r"State=\S*DRAIN.*health: /dev/nvidia3", jobs.node(row["host"])), 60)
    finally:
        jobs.on(row["key"], "mv /dev/kept3 /dev/nvidia3")
    jobs.cluster.hosts.until(lambda: re.search(r"State=IDLE ", jobs.node(row["host"])), 60)


def test_a_node_that_a_person_drained_stays_drained(jobs: Jobs) -> None:
    row = jobs.compute()[0]
    jobs.on(jobs.control, f"scontrol update nodename={row['host']} state=drain reason=disk")
    jobs.on(row["key"], "/usr/local/sbin/fleetyard-node-health")
    assert "DRAIN" in jobs.node(row["host"])
    jobs.on(jobs.control, f"scontrol update nodename={row['host']} state=resume")


def test_a_training_job_outlives_a_lost_host(jobs: Jobs) -> None:
    hosts = jobs.cluster.hosts
    options = ["--pace", "0.2", "--checkpoint-every", "10", "--batch", "8", "--width", "32"]
    told = {"training_job_name": "outlives", "training_job_dataset": "text", "training_job_steps": STEPS}
    words = ("-e", json.dumps({**told, "training_job_options": options}))
    assert hosts.playbook(TRAIN, *words).worked().changed > 0
    assert hosts.playbook(TRAIN, *words).worked().changed == 0, "a job that waits or runs is not handed in again"

    hosts.until(lambda: max((point.step for point in jobs.points()), default=0) > 25, 120)
    lost = jobs.compute()[-1]
    before = {row["key"] for row in jobs.compute()}
    assert jobs.cluster.engine.sim("set", "aws", "power-loss", f"id={lost['key']}", "after=2").status == 0

    def replaced() -> list[dict[str, Any]]:
        rows = jobs.compute()
        ready = len(rows) == 2 and all(row["state"] == "ready" for row in rows)
        # The new machine may have the old one's address, and with it its name.
        return [row for row in rows if ready and row["key"] not in before]

    (new,) = hosts.until(replaced, 120)
    hosts.playbook(SITE, "--limit", new["host"]).worked()
    hosts.until(lambda: max(point.step for point in jobs.points()) == STEPS, 240)

    first = [point for point in jobs.points() if point.restarts == 0]
    again = [point for point in jobs.points() if point.restarts > 0]
    assert again[0].step % 10 == 1, "it continues after a checkpoint"
    assert 1 < again[0].step <= first[-1].step + 1
    # Steps that were made twice have the same loss: parameters, optimizer and place in the data are what they were.
    twice = {point.step: point.loss for point in again if point.step <= first[-1].step}
    for point in first:
        assert twice.get(point.step, point.loss) == pytest.approx(point.loss, abs=1e-3)

    accounted = "sacct --duplicates -nPX --name outlives -o state"
    hosts.until(lambda: "COMPLETED" in jobs.on(jobs.control, accounted), 60)
    states = jobs.on(jobs.control, accounted).split()
    assert states[-1] == "COMPLETED"
    assert {"NODE_FAIL", "REQUEUED"} & set(states)
    listed = jobs.on(jobs.control, "sinfo -hN -o %N").split()
    assert sorted(set(listed)) == sorted(row["host"] for row in jobs.compute())


def test_a_lost_control_host_is_replaced_and_the_cluster_takes_jobs_again(jobs: Jobs) -> None:
    """Its disk is gone with it: accounts of old jobs are lost, the key is made anew, and all hosts learn it."""
    hosts = jobs.cluster.hosts
    lost = next(row for row in hosts.listed() if row["key"] == jobs.control)
    key = jobs.on(lost["key"], "cat /etc/munge/munge.key")
    assert jobs.cluster.engine.sim("set", "aws", "power-loss", f"id={lost['key']}", "after=2").status == 0

    def replaced() -> list[dict[str, Any]]:
        rows = [row for row in hosts.listed() if row["machine"] == lost["machine"]]
        return [row for row in rows if row["key"] != lost["key"] and row["state"] == "ready"]

    (new,) = hosts.until(replaced, 120)
    hosts.playbook(SITE).worked()
    assert jobs.on(new["key"], "cat /etc/munge/munge.key") != key
    ran = jobs.on(new["key"], "srun -N 2 hostname").split()
    assert sorted(ran) == sorted(row["host"] for row in jobs.compute())
    assert "COMPLETED" in hosts.until(lambda: jobs.on(new["key"], "sacct -nPX -o state"), 60)
