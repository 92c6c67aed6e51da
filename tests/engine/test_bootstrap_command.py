"""`fleetyard bootstrap` on the real engine: rights from the stack's own calls, and what they belong to can be made."""

from __future__ import annotations

import json

import pytest
import yaml
from engine_bench import Engine

STACKS = {"a100-train": "aws", "gpu-mig": "gcp"}


@pytest.mark.parametrize("stack", STACKS)
def test_day_zero(engine: Engine, stack: str) -> None:
    engine.use_fleetyard()
    done = engine.fleetyard("bootstrap", "--stack", stack, "--repository", "example/fleet")
    assert done.status == 0, done.text
    folder = engine.project / "bootstrap"
    written = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text())["config"]["fleetyard:bootstrap"]
    if STACKS[stack] == "aws":
        deploy = {action for statement in written["deploy"] for action in statement["Action"]}
        assert {"ec2:CreateVpc", "ec2:DeleteVpc", "autoscaling:UpdateAutoScalingGroup", "iam:PassRole"} <= deploy
        assert not [action for action in deploy if "*" in action]
        assert "rds:CreateDBInstance" not in deploy
    else:
        assert {"compute.networks.create", "compute.networks.delete", "storage.buckets.update"} <= set(
            written["deploy"]
        )
        assert not [p for p in written["preview"] if p.rpartition(".")[2] in ("create", "delete", "update")]
    # The project it wrote runs, in a shell of the same simulated cloud.
    whole, engine.project = engine.project, folder
    try:
        engine.pulumi("stack", "init", stack)
        engine.pulumi("up", "--yes", "--skip-preview")
        engine.pulumi("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes")
        out = json.loads(engine.pulumi("stack", "output", "--json").out)
        if STACKS[stack] == "aws":
            assert out["FLEETYARD_STATE"] == f"s3://fleetyard-state-123456789012-{stack}"
            assert out["FLEETYARD_SECRETS"].startswith("awskms:///arn:aws:kms:us-east-1:")
            role = engine.api("iam").get_role(RoleName=f"fleetyard-preview-{stack}")["Role"]
            (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
            assert "repo:example/fleet:pull_request" in str(trust["Condition"])
            deploy_trust = engine.api("iam").get_role(RoleName=f"fleetyard-deploy-{stack}")["Role"]
            assert "pull_request" not in str(deploy_trust["AssumeRolePolicyDocument"])
        else:
            assert out["FLEETYARD_STATE"].startswith("gs://fleetyard-state-")
            assert "/workloadIdentityPools/" in out["FLEETYARD_GCP_PROVIDER"]
        engine.pulumi("destroy", "--yes", "--skip-preview")
        left = {row["type"] for row in engine.inventory()["resources"]}
        assert not [kind for kind in left if "Role" in kind or "serviceAccounts" in kind], left
    finally:
        engine.project = whole


def test_a_repository_that_is_none(engine: Engine) -> None:
    engine.use_fleetyard()
    done = engine.fleetyard("bootstrap", "--stack", "gpu-mig", "--repository", "not a repository")
    assert done.status == 2
    assert "FY2701" in done.text
