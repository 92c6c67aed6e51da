"""Brings every service's handlers into the table."""

from __future__ import annotations

from importlib import import_module

_MODULES = (
    "compute.networks",
    "compute.places",
    "compute.images",
    "compute.disks",
    "compute.templates",
    "compute.instances",
    "compute.groups",
    "compute.policies",
    "compute.loadbalancing",
    "compute.unmanaged",
    "compute.storage",
    "compute.peerings",
    "compute.operations",
    "storage",
    "iam",
    "kms",
    "resourcemanager",
    "tpu",
    "managed.containers",
    "managed.data",
    "managed.serverless",
    "managed.messages",
    "managed.access",
    "managed.buckets",
    "managed.watching",
)


def load() -> None:
    """Import the modules that register handlers."""
    for module in _MODULES:
        import_module(f"simcloud.gcp.{module}")
