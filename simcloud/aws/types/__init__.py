"""The AWS resource types and functions that are modelled."""

from __future__ import annotations

from simcloud.aws.types import (
    buckets,
    compute,
    containers,
    databases,
    domains,
    ec2,
    files,
    identity,
    loadbalancing,
    messaging,
    network,
    operations,
    people,
    serverless,
    storage,
)
from simcloud.aws.types.base import AwsType
from simcloud.aws.types.functions import INVOKES as _FUNCTIONS
from simcloud.aws.types.lookups import LOOKUPS

_MODULES = (
    buckets,
    compute,
    containers,
    databases,
    domains,
    ec2,
    files,
    identity,
    loadbalancing,
    messaging,
    network,
    operations,
    people,
    serverless,
    storage,
)


def _all() -> dict[str, AwsType]:
    found: dict[str, AwsType] = {}
    for module in _MODULES:
        for kind in module.TYPES:
            found[kind.token] = kind()
            for token in kind.also:
                # The SDK has some types twice, under an older module's name.
                found[token] = type(kind.__name__, (kind,), {"token": token})()
    return found


REGISTRY: dict[str, AwsType] = _all()

INVOKES = {**_FUNCTIONS, **LOOKUPS}

__all__ = ["INVOKES", "REGISTRY"]
