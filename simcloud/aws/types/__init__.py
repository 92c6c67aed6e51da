"""The AWS resource types and functions that are modelled."""

from __future__ import annotations

from simcloud.aws.types import compute, identity, network, storage
from simcloud.aws.types.base import AwsType
from simcloud.aws.types.functions import INVOKES

REGISTRY: dict[str, AwsType] = {
    kind.token: kind() for module in (network, compute, identity, storage) for kind in module.TYPES
}

__all__ = ["INVOKES", "REGISTRY"]
