"""Who a pool's machines are, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_gcp import serviceaccount, storage

from fleetyard.gcp.store import Store
from fleetyard.plan import PoolPlan

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
"""Access is decided by IAM, not by scopes. Source: Compute Engine documentation, "Service accounts", best practice."""


def machine_account(
    name: str, plan: PoolPlan, stores: Mapping[str, Store], own: pulumi.ResourceOptions
) -> tuple[serviceaccount.Account, list[pulumi.Resource]]:
    """A service account with no role in the project and in each granted bucket only its prefixes; and those rights."""
    account = serviceaccount.Account(name, account_id=name, display_name=f"Machines of {name}", opts=own)
    member = account.email.apply(lambda email: f"serviceAccount:{email}")
    rights: list[pulumi.Resource] = []
    for grant in plan.grants:
        bucket = stores[grant.store].bucket
        for way, role, prefixes in (
            ("read", "roles/storage.objectViewer", grant.read),
            ("write", "roles/storage.objectUser", grant.write),
        ):
            right = storage.BucketIAMMember(
                f"{name}-{grant.store}-{way}",
                bucket=bucket.name,
                role=role,
                member=member,
                condition=storage.BucketIAMMemberConditionArgs(
                    title=f"{way} {grant.store}",
                    expression=bucket.name.apply(lambda b, prefixes=prefixes: _under(b, prefixes)),
                ),
                opts=own,
            )
            rights.append(right)
    return account, rights


def _under(bucket: str, prefixes: tuple[str, ...]) -> str:
    """An IAM condition that holds for objects under one of the prefixes, and for listing under them."""
    objects = [f'resource.name.startsWith("projects/_/buckets/{bucket}/objects/{prefix}")' for prefix in prefixes]
    listing = [f'api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("{p}")' for p in prefixes]
    return " || ".join([*objects, *listing])
