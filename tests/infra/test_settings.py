"""Simulated and real settings are never mixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetyard.findings import FleetyardError
from fleetyard.settings import refuse_mixed_settings, simulated


@pytest.fixture
def sim(tmp_path: Path) -> dict[str, str]:
    return {
        "FLEETYARD_SIM": "1",
        "FLEETYARD_SIM_HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_HOME": str(tmp_path / "pulumi"),
        "PULUMI_DEBUG_PROVIDERS": "aws:1234,gcp:1235",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def names(env: dict[str, str]) -> set[str]:
    with pytest.raises(FleetyardError) as wrong:
        refuse_mixed_settings(env)
    assert wrong.value.exit_code == 65
    assert all(finding.fix for finding in wrong.value.findings)
    return {finding.path for finding in wrong.value.findings}


def test_a_whole_set_of_simulated_settings_is_fine(sim: dict[str, str]) -> None:
    refuse_mixed_settings(sim)
    assert simulated(sim)


def test_a_real_environment_is_fine() -> None:
    real = {"AWS_PROFILE": "prod", "PULUMI_BACKEND_URL": "s3://state", "PULUMI_HOME": "/home/me/.pulumi"}
    refuse_mixed_settings(real)
    refuse_mixed_settings({})
    assert not simulated(real)


@pytest.mark.parametrize(
    "name",
    ["FLEETYARD_SIM_HOME", "AWS_ENDPOINT_URL", "PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_DEBUG_PROVIDERS"],
)
def test_a_simulated_setting_that_is_missing_is_told(sim: dict[str, str], name: str) -> None:
    del sim[name]
    assert name in names(sim)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "https://ec2.us-east-1.amazonaws.com"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1.example.com:80"),
        ("AWS_ENDPOINT_URL", "http://[broken"),
        ("AWS_ENDPOINT_URL_S3", "https://s3.us-east-1.amazonaws.com"),
        ("PULUMI_BACKEND_URL", "s3://state"),
        ("PULUMI_BACKEND_URL", "file:///home/me/state"),
        ("PULUMI_BACKEND_URL", "https://api.pulumi.com"),
        ("PULUMI_HOME", "/home/me/.pulumi"),
        ("PULUMI_DEBUG_PROVIDERS", "random:1"),
        ("AWS_PROFILE", "prod"),
        ("PULUMI_ACCESS_TOKEN", "pul-1"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/me/key.json"),
        ("CLOUDSDK_CONFIG", "/home/me/.config/gcloud"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/home/me/.aws/credentials"),
    ],
)
def test_a_real_setting_in_the_simulation_is_told(sim: dict[str, str], name: str, value: str) -> None:
    assert names({**sim, name: value}) == {name}


def test_a_path_that_climbs_out_of_the_simulations_home_is_told(sim: dict[str, str], tmp_path: Path) -> None:
    assert names({**sim, "PULUMI_HOME": f"{tmp_path}/../elsewhere"}) == {"PULUMI_HOME"}


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "PULUMI_DEBUG_PROVIDERS", "PULUMI_HOME", "PULUMI_BACKEND_URL"])
def test_a_simulated_setting_without_the_simulation_is_told(sim: dict[str, str], name: str) -> None:
    rest = {key: sim[key] for key in (name, "FLEETYARD_SIM_HOME")}
    assert names(rest) == {name}


def test_other_attached_providers_are_none_of_our_business() -> None:
    refuse_mixed_settings({"PULUMI_DEBUG_PROVIDERS": "random:4000"})
