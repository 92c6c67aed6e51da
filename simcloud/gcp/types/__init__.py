"""The types of pulumi-gcp that the simulated provider translates, and its functions.

Google's client library is imported only when a call is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types import iam, kms, networks, storage, tpu
from simcloud.provider.model import ResourceType

_ALL: tuple[type[ResourceType[GcpClient]], ...] = (
    *networks.TYPES,
    *storage.TYPES,
    *iam.TYPES,
    *kms.TYPES,
    *tpu.TYPES,
)

REGISTRY: dict[str, ResourceType[GcpClient]] = {made.token: made() for made in _ALL}
"""Every type by its token."""

INVOKES: dict[str, Callable[[GcpClient, Mapping[str, Any]], dict[str, Any]]] = {}
"""Every function by its token."""
