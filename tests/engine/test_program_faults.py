"""What can go wrong around an `up`: it says so clearly, ends as it should, and the next run comes to the same end.

Each case starts from nothing, with plain Pulumi programs. After the fault has passed, `up` completes, nothing more is
to do, and after `destroy` nothing is left. What a dead engine leaves behind is `test_crash.py`'s and `fleetyard
recover`'s.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from engine_bench import Engine

from simcloud.client import ask
from simcloud.server import running

AWS = """
import json
import pulumi_aws as aws

image = aws.ec2.get_ami(most_recent=True, owners=["099720109477"],
                        filters=[{"name": "architecture", "values": ["x86_64"]}])
vpc = aws.ec2.Vpc("v", cidr_block="10.1.0.0/16")
subnet = aws.ec2.Subnet("s", vpc_id=vpc.id, cidr_block="10.1.1.0/24", availability_zone="us-east-1a")
group = aws.ec2.SecurityGroup("g", vpc_id=vpc.id, description="none")
template = aws.ec2.LaunchTemplate("t", image_id=image.id, instance_type="c5.large", vpc_security_group_ids=[group.id])
aws.autoscaling.Group("a", min_size=2, max_size=2, vpc_zone_identifiers=[subnet.id],
                      launch_template={"id": template.id, "version": "$Latest"}, wait_for_capacity_timeout="2s")
trust = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]})
aws.iam.Role("r", assume_role_policy=trust)
aws.s3.BucketObject("o", bucket=aws.s3.Bucket("b", force_destroy=True).id, key="k", content="c")
"""
GCP = """
import pulumi_gcp as gcp

network = gcp.compute.Network("n", auto_create_subnetworks=False)
subnet = gcp.compute.Subnetwork("s", network=network.id, ip_cidr_range="10.0.0.0/20", region="us-central1")
template = gcp.compute.InstanceTemplate(
    "t", machine_type="n2-standard-4", disks=[{"source_image": "debian-cloud/debian-12", "boot": True}],
    network_interfaces=[{"subnetwork": subnet.id}])
gcp.compute.InstanceGroupManager("m", base_instance_name="m", zone="us-central1-a", target_size=2,
                                 versions=[{"instance_template": template.id}], wait_for_instances=True)
gcp.serviceaccount.Account("a", account_id="account")
bucket = gcp.storage.Bucket("b", location="US", force_destroy=True)
gcp.storage.BucketObject("o", bucket=bucket.name, name="k", content="c")
"""
PROGRAMS = {"aws": AWS, "gcp": GCP}
CONFIG = "config:\n  aws:region: us-east-1\n  gcp:project: faulty-things\n"


@dataclass(frozen=True)
class Case:
    """`before`: commands of `fleetyard sim` that make it go wrong; `after`: those that put it right.

    says: a pattern that the failed `up` must say; None: it succeeds all the same.
    """

    cloud: str
    before: tuple[str, ...]
    says: str | None = None
    after: tuple[str, ...] = ("fault clear",)


CASES = {
    "a third of the calls throttled": Case("aws", ("fault throttle * --every 3",)),
    "a third of Google's calls throttled": Case("gcp", ("fault throttle * --every 3",)),
    "one internal error": Case("aws", ("fault error ec2:CreateSubnet --times 1",)),
    "one internal error of Google's": Case("gcp", ("fault error compute.subnetworks.insert --times 1",)),
    "slow answers": Case("aws", ("fault slow ec2:* --seconds 0.2",)),
    "slow answers of Google's": Case("gcp", ("fault slow compute.* --seconds 0.1",)),
    "a lost request": Case("aws", ("fault lose-request ec2:CreateSubnet --times 2",)),
    "a lost request to Google": Case("gcp", ("fault lose-request compute.networks.insert --times 2",)),
    "a lost answer that names what was made": Case("aws", ("fault lose-reply s3:CreateBucket --times 1",)),
    "a lost answer to a call with a client token": Case("aws", ("fault lose-reply autoscaling:CreateOrUpdateTags",)),
    "throttled without end": Case(
        "aws", ("fault throttle ec2:CreateSubnet",), r"CreateSubnet: RequestLimitExceeded: Request limit exceeded"
    ),
    "Google throttles without end": Case(
        "gcp", ("fault throttle compute.subnetworks.insert",), r"compute\.subnetworks\.insert: \w+: Quota exceeded"
    ),
    "a service that is down": Case("aws", ("fault error iam:*",), r"CreateRole: ServiceFailure"),
    "a Google service that is down": Case(
        "gcp", ("fault error iam.*",), r"iam\.projects\.serviceAccounts\.create: \w+: Internal error"
    ),
    "no connection at all": Case(
        "aws", ("fault lose-request s3:CreateBucket",), r"CreateBucket: RequestError: no answer"
    ),
    "no connection to Google": Case(
        "gcp", ("fault lose-request storage.buckets.insert",), r"connectionReset: the connection was closed"
    ),
    "capacity gone half-way": Case(
        "aws",
        ("set aws capacity zone=us-east-1a type=c5.large count=1",),
        r"InsufficientInstanceCapacity|insufficient.*capacity",
        ("set aws capacity zone=us-east-1a type=c5.large count=none",),
    ),
    "no capacity in a Google zone": Case(
        "gcp",
        ("set gcp capacity zone=us-central1-a type=n2-standard-4 limit=1",),
        r"ZONE_RESOURCE_POOL_EXHAUSTED",
        ("set gcp capacity zone=us-central1-a type=n2-standard-4 limit=none",),
    ),
    "a quota of vCPUs": Case(
        "aws",
        ("set aws quota code=L-1216C47A vcpus=2",),
        r"VcpuLimitExceeded|vCPU",
        ("set aws quota code=L-1216C47A vcpus=none",),
    ),
    "a quota of Google's": Case(
        "gcp",
        ("set gcp quota scope=us-central1 metric=CPUS limit=4",),
        r"QUOTA_EXCEEDED|quotaExceeded|Quota 'CPUS' exceeded",
        ("set gcp quota scope=us-central1 metric=CPUS limit=none",),
    ),
    "a group that gets no machine": Case(
        "aws",
        ("set aws capacity zone=us-east-1a type=c5.large count=0",),
        r"nsufficient",
        ("set aws capacity zone=us-east-1a type=c5.large count=none",),
    ),
    "a Google group whose launches fail": Case(
        "gcp",
        ("set gcp fail-launches count=1000 code=INTERNAL_ERROR",),
        r"INTERNAL_ERROR",
        ("set gcp fail-launches count=0",),
    ),
}


def converges(engine: Engine, stands: bool = False) -> None:
    """The next run comes to its end, there is nothing more to do, and nothing outlives `destroy`."""
    if not stands:
        engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes")
    engine.pulumi("destroy", "--yes", "--skip-preview")
    assert engine.inventory()["resources"] == []


@pytest.mark.parametrize("name", CASES)
def test_it_goes_wrong_and_comes_right(engine: Engine, name: str) -> None:
    case = CASES[name]
    engine.use_program(PROGRAMS[case.cloud], CONFIG)
    for words in case.before:
        assert engine.sim(*words.split()).status == 0, words
    up = engine.pulumi("up", "--yes", "--skip-preview", fails=case.says is not None)
    if case.says is not None:
        assert re.search(case.says, up.text), up.text
        assert "defect of the simulated cloud" not in up.text
    for words in case.after:
        assert engine.sim(*words.split()).status == 0, words
    converges(engine, stands=case.says is None)


# Processes, files and people


def begin(engine: Engine, *words: str) -> subprocess.Popen[str]:
    """A pulumi command that is left running."""
    pulumi = shutil.which("pulumi", path=engine.env["PATH"])
    assert pulumi
    return subprocess.Popen(
        [pulumi, *words, "--non-interactive", "--color", "never"],
        cwd=engine.project,
        env=engine.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def fired(engine: Engine) -> bool:
    world = running(engine.home)
    return world is not None and any(f["fired"] for f in ask(world, "status")["faults"])


def wait(ready: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def test_two_at_once(engine: Engine) -> None:
    engine.use_program(AWS, CONFIG)
    engine.sim("fault", "slow", "ec2:CreateVpc", "--seconds", "4")
    first = begin(engine, "up", "--yes", "--skip-preview")
    try:
        wait(lambda: fired(engine))
        second = engine.pulumi("up", "--yes", "--skip-preview", fails=True)
        assert "the stack is currently locked by 1 lock" in second.text
        assert first.wait(60) == 0
    finally:
        first.kill()
    engine.sim("fault", "clear")
    converges(engine)


def test_interrupted_by_the_keyboard(engine: Engine) -> None:
    engine.use_program(GCP, CONFIG)
    engine.sim("fault", "slow", "compute.subnetworks.insert", "--seconds", "2")
    up = begin(engine, "up", "--yes", "--skip-preview")
    try:
        wait(lambda: fired(engine))
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=60)
    finally:
        up.kill()
    assert up.returncode != 0
    assert "cancel" in said.lower(), said
    engine.sim("fault", "clear")
    converges(engine)


@pytest.mark.parametrize("command", ["preview", "refresh", "destroy"])
def test_the_world_dies_in_the_middle(engine: Engine, command: str) -> None:
    engine.use_program(AWS, CONFIG)
    if command != "preview":
        engine.pulumi("up", "--yes", "--skip-preview")
    call = {"preview": "ec2:DescribeImages", "refresh": "ec2:DescribeSubnets", "destroy": "ec2:DeleteSubnet"}[command]
    engine.sim("fault", "crash-after", call)
    more = () if command == "preview" else ("--yes", "--skip-preview")
    done = engine.pulumi(command, *more, fails=True)
    assert re.search(r"connection|EOF|transport|Unavailable", done.text), done.text
    wait(lambda: running(engine.home) is None)
    engine.start()
    engine.pulumi("refresh", "--yes", "--skip-preview")  # what the dead world had done is seen
    converges(engine)


@pytest.mark.parametrize("command", ["refresh", "destroy"])
def test_the_engine_dies_in_the_middle(engine: Engine, command: str) -> None:
    engine.use_program(GCP, CONFIG)
    engine.pulumi("up", "--yes", "--skip-preview")
    call = {"refresh": "compute.networks.get", "destroy": "compute.instanceGroupManagers.delete"}[command]
    engine.sim("fault", "slow", call, "--seconds", "1")
    dying = begin(engine, command, "--yes", "--skip-preview")
    wait(lambda: fired(engine))
    dying.kill()
    dying.wait()
    engine.sim("fault", "clear")
    locked = engine.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "pulumi cancel" in locked.text
    engine.pulumi("cancel", "--yes")
    time.sleep(1.5)  # the call that was on its way arrives
    engine.pulumi("refresh", "--yes", "--skip-preview")
    converges(engine)


def test_no_world_at_all(engine: Engine) -> None:
    engine.use_program(AWS, CONFIG)
    engine.stop()
    done = engine.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert re.search(r"did not begin responding|connection refused", done.text), done.text
    assert engine.sim("env").status == 1
    assert "fleetyard sim start" in engine.sim("env").text
    engine.start()
    converges(engine)


def test_no_room_for_the_journal(engine: Engine) -> None:
    engine.use_program(AWS, CONFIG)
    engine.stop()
    # Files may grow to 6 KiB and no further, as on a full disk.
    limited = f"ulimit -f 6; exec {sys.executable} -m simcloud --home {engine.home} start"
    subprocess.run(["bash", "-c", limited], check=True, env=dict(os.environ), capture_output=True)
    engine.start()
    done = engine.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "cannot write its journal" in done.text, done.text
    assert "make room" in done.text
    engine.stop()
    engine.start()  # with room again
    converges(engine)


def test_the_journals_last_line_cut_short(engine: Engine) -> None:
    engine.use_program(GCP, CONFIG)
    engine.sim("fault", "crash-before", "compute.instanceGroupManagers.insert")
    engine.pulumi("up", "--yes", "--skip-preview", fails=True)
    wait(lambda: running(engine.home) is None)
    journal = engine.home / "journal"
    with journal.open("ab") as file:
        file.write(journal.read_bytes().splitlines()[-1][:40])  # a write that the crash cut off
    engine.start()
    engine.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    converges(engine)


def test_a_journal_damaged_in_the_middle_is_refused(engine: Engine) -> None:
    engine.use_program(GCP, CONFIG)
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.stop()
    journal = engine.home / "journal"
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:2], lines[2][:-20] + b"\n", *lines[3:]]))
    refused = engine.sim("start")
    assert refused.status != 0
    assert "line 3: the checksum is wrong" in refused.text
    assert "restore the file from a copy" in refused.text
    journal.write_bytes(whole)
    engine.start()
    converges(engine)


def test_a_program_that_stops_half_way(engine: Engine) -> None:
    engine.use_program(GCP + "\nraise RuntimeError('half-way')\n", CONFIG)
    done = engine.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "half-way" in done.text
    (engine.project / "__main__.py").write_text(GCP)
    converges(engine)


def test_something_deleted_behind_its_back(engine: Engine) -> None:
    engine.use_program(AWS, CONFIG)
    engine.pulumi("up", "--yes", "--skip-preview")
    ec2 = engine.api("ec2")
    (template,) = ec2.describe_launch_templates()["LaunchTemplates"]
    (bucket,) = engine.api("s3").list_buckets()["Buckets"]
    engine.api("s3").delete_object(Bucket=bucket["Name"], Key="k")
    drift = engine.pulumi("refresh", "--preview-only", "--expect-no-changes", fails=True)
    assert "BucketObject" in drift.text
    assert template["LaunchTemplateName"] not in drift.text
    engine.pulumi("refresh", "--yes", "--skip-preview")
    assert set(engine.steps()) == {"aws:s3/bucketObject:BucketObject::o"}
    converges(engine)


def test_something_in_the_way_of_a_deletion(engine: Engine) -> None:
    engine.use_program(AWS, CONFIG)
    engine.pulumi("up", "--yes", "--skip-preview")
    ec2 = engine.api("ec2")
    vpc = next(v for v in ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"])["VpcId"]
    stray = ec2.create_security_group(GroupName="stray", Description="by hand", VpcId=vpc)["GroupId"]
    done = engine.pulumi("destroy", "--yes", "--skip-preview", fails=True)
    assert "DeleteVpc: DependencyViolation" in done.text
    ec2.delete_security_group(GroupId=stray)
    engine.pulumi("destroy", "--yes", "--skip-preview")
    assert engine.inventory()["resources"] == []
