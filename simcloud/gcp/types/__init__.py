"""The types of pulumi-gcp that the simulated provider translates, and its functions.

Google's client library is imported only when a call is made.
"""

from __future__ import annotations

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types import (
    balancing,
    buckets,
    containers,
    grants,
    groups,
    iam,
    instances,
    kms,
    managed,
    networks,
    storage,
    tpu,
)
from simcloud.gcp.types.functions import INVOKES
from simcloud.provider.model import ResourceType

_ALL: tuple[type[ResourceType[GcpClient]], ...] = (
    *networks.TYPES,
    *instances.TYPES,
    *groups.TYPES,
    *balancing.TYPES,
    *storage.TYPES,
    *buckets.TYPES,
    *containers.TYPES,
    *iam.TYPES,
    *grants.TYPES,
    *kms.TYPES,
    *tpu.TYPES,
    *managed.TYPES,
)

REGISTRY: dict[str, ResourceType[GcpClient]] = {made.token: made() for made in _ALL}
"""Every type by its token."""

__all__ = ["INVOKES", "REGISTRY"]
