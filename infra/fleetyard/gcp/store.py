"""A bucket that outlives machines."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_gcp import storage

from fleetyard.gcp.encryption import Encryption
from fleetyard.plan import LifecyclePlan, StorePlan
from fleetyard.spec import OnDestroy, Tier

STORAGE_CLASSES = {Tier.INFREQUENT: "NEARLINE", Tier.ARCHIVE: "ARCHIVE"}


class Store(pulumi.ComponentResource):
    """A bucket in the region: versioned, encrypted with the stack's key, uniform access, closed to the public.

    Cloud Storage has no policy that refuses plain HTTP, as S3 has; the stack's own clients use https. On destroy:
    `keep` leaves the bucket and the key and forgets them; `empty` deletes every version of every object and then the
    bucket; `refuse` fails while there is an object in it. Replaced when: the region changes.
    """

    def __init__(
        self,
        name: str,
        plan: StorePlan,
        region: str,
        encryption: Encryption,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("fleetyard:gcp:Store", name, None, opts)
        # A bucket cannot name a key that Cloud Storage's agent may not use yet.
        own = pulumi.ResourceOptions(
            parent=self, retain_on_delete=plan.on_destroy is OnDestroy.KEEP, depends_on=[encryption.use]
        )
        self.bucket = storage.Bucket(
            name,
            location=region.upper(),
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning=storage.BucketVersioningArgs(enabled=True),
            encryption=storage.BucketEncryptionArgs(default_kms_key_name=encryption.key.id),
            lifecycle_rules=[*(_step(step) for step in plan.lifecycle), *_housekeeping(plan)],
            force_destroy=plan.on_destroy is OnDestroy.EMPTY,
            labels=dict(plan.tags),
            opts=own,
        )
        self.register_outputs(self.report())

    def report(self) -> dict[str, Any]:
        """The store's part of the export."""
        return {"bucket": self.bucket.name, "url": self.bucket.url}


def _step(step: LifecyclePlan) -> storage.BucketLifecycleRuleArgs:
    action = (
        storage.BucketLifecycleRuleActionArgs(type="Delete")
        if step.tier is Tier.DELETE
        else storage.BucketLifecycleRuleActionArgs(type="SetStorageClass", storage_class=STORAGE_CLASSES[step.tier])
    )
    condition = storage.BucketLifecycleRuleConditionArgs(age=step.days, with_state="LIVE")
    return storage.BucketLifecycleRuleArgs(action=action, condition=condition)


def _housekeeping(plan: StorePlan) -> list[storage.BucketLifecycleRuleArgs]:
    """Old versions and unfinished uploads go away after a while."""
    return [
        storage.BucketLifecycleRuleArgs(
            action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
            condition=storage.BucketLifecycleRuleConditionArgs(
                days_since_noncurrent_time=plan.noncurrent_days, with_state="ARCHIVED"
            ),
        ),
        storage.BucketLifecycleRuleArgs(
            action=storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
            condition=storage.BucketLifecycleRuleConditionArgs(age=plan.unfinished_days, with_state="ANY"),
        ),
    ]
