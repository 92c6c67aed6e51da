"""The project's own stacks through the real engine: up, no drift, no change, and nothing left."""

from __future__ import annotations

import json

import pytest
from engine_bench import Engine

STAYS = ("bucket", "kms", "iam.binding")


@pytest.mark.parametrize(("stack", "keeps"), [("a100-train", True), ("tpu-train", True), ("gpu-mig", False)])
def test_a_stack_stands_and_goes(engine: Engine, stack: str, keeps: bool) -> None:
    engine.use_fleetyard()
    engine.pulumi("stack", "init", stack)
    planned = engine.steps("--stack", stack)
    assert set(planned.values()) == {"create"}
    assert engine.inventory()["resources"] == []  # a preview makes nothing
    engine.pulumi("up", "--yes", "--skip-preview", "--stack", stack)
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack)
    assert engine.steps("--stack", stack) == {}
    shown = engine.fleetyard("show", "--stack", stack, "--json")
    assert shown.status == 0, shown.text
    data = json.loads(shown.out)
    assert data["simulated"] is True
    assert len(data["members"]) == sum(pool["hosts"] for pool in data["stack"]["pools"].values())
    engine.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)
    left = engine.inventory()["resources"]
    assert all(any(word in row["type"].lower() for word in STAYS) for row in left), left
    assert bool(left) == keeps


def test_the_world_and_the_state_agree_after_the_world_was_killed(engine: Engine) -> None:
    import os
    import signal

    engine.use_fleetyard()
    engine.pulumi("stack", "init", "gpu-mig")
    engine.pulumi("up", "--yes", "--skip-preview", "--stack", "gpu-mig")
    before = engine.inventory()
    pid = json.loads(engine.sim("status", "--json").out)["pid"]
    os.kill(pid, signal.SIGKILL)
    while json.loads(engine.sim("status", "--json").out)["running"]:
        pass
    engine.start()
    assert engine.inventory() == before
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "gpu-mig")
    engine.pulumi("destroy", "--yes", "--skip-preview", "--stack", "gpu-mig")


def test_drift_is_seen_and_mended(engine: Engine) -> None:
    engine.use_fleetyard()
    stack = "a100-train"
    engine.pulumi("stack", "init", stack)
    engine.pulumi("up", "--yes", "--skip-preview", "--stack", stack)
    export = json.loads(engine.pulumi("stack", "output", "fleetyard", "--json", "--stack", stack).out)
    ec2, logs, s3 = engine.api("ec2"), engine.api("logs"), engine.api("s3")
    # Somebody changes one thing and deletes another behind Pulumi's back.
    group = logs.describe_log_groups()["logGroups"][0]["logGroupName"]
    logs.delete_log_group(logGroupName=group)
    bucket = export["stores"]["data"]["bucket"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    # A lost machine is no drift: its group replaces it.
    lost = ec2.describe_instances(Filters=[{"Name": "instance-type", "Values": ["p4d.24xlarge"]}])
    ec2.terminate_instances(InstanceIds=[lost["Reservations"][0]["Instances"][0]["InstanceId"]])
    drift = engine.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff", "--stack", stack, fails=True)
    assert "aws:cloudwatch/logGroup:LogGroup: (delete)" in drift.out
    assert '"Enabled" => "Suspended"' in drift.out
    engine.pulumi("refresh", "--yes", "--skip-preview", "--stack", stack)
    planned = engine.steps("--stack", stack)
    assert planned[f"aws:cloudwatch/logGroup:LogGroup::{stack}-flow"] == "create"
    assert planned[f"aws:s3/bucketVersioning:BucketVersioning::{stack}-data"] == "update"
    assert not any("autoscaling" in urn for urn in planned)
    engine.pulumi("up", "--yes", "--skip-preview", "--stack", stack)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack)


def test_missing_capacity_fails_the_update_and_the_next_one_completes_it(engine: Engine) -> None:
    engine.use_fleetyard()
    stack = "a100-train"
    engine.sim("set", "aws", "capacity", "zone=use1-az6", "type=p4d.24xlarge", "count=3")
    engine.pulumi("stack", "init", stack)
    short = engine.pulumi("up", "--yes", "--skip-preview", "--stack", stack, fails=True)
    assert "InsufficientInstanceCapacity" in short.text
    engine.sim("set", "aws", "capacity", "zone=use1-az6", "type=p4d.24xlarge", "count=unlimited")
    engine.pulumi("up", "--yes", "--skip-preview", "--stack", stack)
    assert engine.fleetyard("show", "--stack", stack).status == 0
    # A rolling template change replaces the machines, and only where the stack file says so.
    scaling = engine.api("autoscaling")

    def members() -> dict[str, set[str]]:
        groups = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {g["AutoScalingGroupName"].split("-")[2]: {i["InstanceId"] for i in g["Instances"]} for g in groups}

    before = members()
    engine.edit(stack, "machine: m7i.xlarge", "machine: m7i.2xlarge, update: rolling")
    engine.pulumi("up", "--yes", "--skip-preview", "--stack", stack)
    for _ in range(100):
        if not before["control"] & members()["control"]:
            break
        __import__("time").sleep(0.1)
    after = members()
    assert not before["control"] & after["control"]
    assert before["train"] == after["train"]
    engine.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)


def test_simulated_and_real_settings_do_not_mix(engine: Engine) -> None:
    engine.use_fleetyard()
    engine.pulumi("stack", "init", "gpu-mig")
    engine.env["AWS_PROFILE"] = "production"
    mixed = engine.pulumi("preview", "--stack", "gpu-mig", fails=True)
    assert "FY1401" in mixed.text
    assert "AWS_PROFILE" in mixed.text
    del engine.env["AWS_PROFILE"]
    del engine.env["FLEETYARD_SIM"]
    left_over = engine.pulumi("preview", "--stack", "gpu-mig", fails=True)
    assert "FY1402" in left_over.text
    assert "Traceback" not in left_over.text + mixed.text
