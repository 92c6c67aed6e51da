"""What several managed services ask for: networks, service accounts, keys, durations."""

from __future__ import annotations

import re
from typing import Any

from simcloud.gcp import kms, policies
from simcloud.gcp.call import Call
from simcloud.gcp.compute.base import exists, key_from
from simcloud.gcp.errors import Rule, rule
from simcloud.gcp.kinds import wrong

NETWORK = rule("managed.network", "a network or subnetwork that is named exists", "discovery documents", ours=True)
ACCOUNT = rule("managed.account", "a service account that is named exists", "discovery documents", ours=True)
KEY = rule(
    "managed.key",
    "a KMS key that is named exists and its primary version is enabled",
    "docs.cloud.google.com/kms/docs/cmek",
    ours=True,
)
DURATION = rule("managed.duration", "a duration is seconds with an s, in its bounds", "protobuf Duration", ours=True)


def network(call: Call, value: str, collection: str = "networks", *, region: str = "") -> str:
    """The name of the network (or subnetwork) that a value names: a link, a path, or a bare name. Raises Refusal."""
    where = f"regions/{region}/subnetworks" if collection == "subnetworks" else "global/networks"
    path = key_from(value) or (f"projects/{call.project}/{where}/{value}" if "/" not in value else value)
    if not exists(call.world, path):
        raise wrong(f"The resource '{path}' was not found.", NETWORK)
    return path


def account(call: Call, value: str, why: Rule = ACCOUNT) -> str:
    """The email of a service account. Raises Refusal when there is none."""
    email = value.rpartition("/")[2]
    if not policies.account_exists(call.world, email, call.project):
        raise wrong(f"Service account {email} does not exist.", why)
    return email


def key(call: Call, value: str) -> None:
    """Raises Refusal for a KMS key that cannot be used."""
    if not kms.usable(call.world, value):
        raise wrong(f"Cloud KMS key '{value}' does not exist or is not enabled.", KEY)


def seconds(value: Any, field: str, low: float, high: float) -> float:
    """A duration such as `600s` in its bounds. Raises Refusal."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(value))
    if found is None or not low <= float(found.group(1)) <= high:
        raise wrong(f"Invalid value at '{field}': '{value}' is not from {low:g}s to {high:g}s.", DURATION)
    return float(found.group(1))
