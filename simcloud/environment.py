"""The environment in which every tool talks to a simulated cloud, and to nothing else."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import sys
from pathlib import Path

from simcloud.provider.translations import REGION_FILE
from simcloud.server import LOOPBACK, Running

DEFAULT_PROJECT = "demo-project"
"""The Google Cloud project of programs that name none. A real provider reads GOOGLE_PROJECT from its own environment;
the simulated one lives in the world's process."""
UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_CONFIG_PASSPHRASE",
)
"""Real settings that must not be seen while the simulated ones are in force."""


def settings(home: Path, world: Running) -> dict[str, str]:
    """What to export. Makes the folders for state and plugins, and a passphrase of its own for secrets in the state."""
    state, pulumi = home / "state", home / "pulumi"
    for folder in (state, pulumi):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    passphrase = home / "passphrase"
    if not passphrase.exists():
        passphrase.touch(0o600)
        passphrase.write_text(secrets.token_urlsafe(24))
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    (home / REGION_FILE).write_text(region)
    aws, gcp = f"http://{LOOPBACK}:{world.aws_http}", f"http://{LOOPBACK}:{world.gcp_http}"
    return {
        "FLEETYARD_SIM": "1",
        "FLEETYARD_SIM_HOME": str(home),
        "FLEETYARD_SIM_GCP_ENDPOINT": gcp,
        "PULUMI_HOME": str(pulumi),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        "PULUMI_DEBUG_PROVIDERS": f"aws:{world.aws_grpc},gcp:{world.gcp_grpc}",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "AKIASIMULATED0000000",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        # boto3 reads the second name only, the Pulumi provider and other SDKs the first.
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "GOOGLE_PROJECT": DEFAULT_PROJECT,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": f"{gcp}/compute/v1/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{gcp}/storage/v1/",
        "STORAGE_EMULATOR_HOST": gcp,
        "NO_PROXY": (past := _past_proxies()),
        "no_proxy": past,
        "PATH": _path(),
    }


def _path() -> str:
    """The folder of this Python first: its `pulumi` and `fleetyard` are the ones meant."""
    folder = str(Path(sys.executable).parent)
    others = [p for p in os.environ.get("PATH", "").split(os.pathsep) if p and p != folder]
    return os.pathsep.join([folder, *others])


def _past_proxies() -> str:
    """What the shell's proxy is not asked for: loopback too, or no call would arrive here."""
    said = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    hosts = [host for host in said.split(",") if host]
    return ",".join([*hosts, *(host for host in (LOOPBACK, "localhost") if host not in hosts)])


def posix(values: dict[str, str]) -> str:
    """Lines for `eval` in a POSIX shell."""
    # An endpoint of one service goes before the one of all services.
    own_endpoints = sorted(name for name in os.environ if re.fullmatch("AWS_ENDPOINT_URL_[A-Z0-9_]+", name))
    lines = [f"unset {name}" for name in (*UNSET, *own_endpoints)]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"
