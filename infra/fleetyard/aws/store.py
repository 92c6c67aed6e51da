"""A bucket that outlives machines."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import kms, s3

from fleetyard.aws.policies import deny, policy
from fleetyard.plan import StorePlan
from fleetyard.spec import OnDestroy, Tier

STORAGE_CLASSES = {Tier.INFREQUENT: "STANDARD_IA", Tier.ARCHIVE: "GLACIER"}


class Store(pulumi.ComponentResource):
    """An S3 bucket: versioned, encrypted with the stack's key, TLS only, closed to the public, with a lifecycle.

    On destroy: `keep` leaves the bucket, its settings and the key in the account and forgets them; `empty` deletes
    every version of every object and then the bucket; `refuse` fails while there is an object in it. Replaced when:
    never.
    """

    def __init__(self, name: str, plan: StorePlan, key: kms.Key, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetyard:aws:Store", name, None, opts)
        own = pulumi.ResourceOptions(parent=self, retain_on_delete=plan.on_destroy is OnDestroy.KEEP)
        self.bucket = s3.Bucket(name, force_destroy=plan.on_destroy is OnDestroy.EMPTY, tags={"Name": name}, opts=own)
        bucket = self.bucket.id
        s3.BucketOwnershipControls(name, bucket=bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=own)
        closed = s3.BucketPublicAccessBlock(
            name,
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=own,
        )
        versioning = s3.BucketVersioning(name, bucket=bucket, versioning_configuration={"status": "Enabled"}, opts=own)
        s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": key.arn,
                    },
                    "bucket_key_enabled": True,
                }
            ],
            opts=own,
        )
        # S3 refuses to change the policy and the public access block of one bucket at the same time.
        after_closed = pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(depends_on=[closed]))
        s3.BucketPolicy(name, bucket=bucket, policy=_tls_only(self.bucket), opts=after_closed)
        # Rules for old versions mean nothing, and are refused, before versioning is on.
        after_versioning = pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(depends_on=[versioning]))
        s3.BucketLifecycleConfiguration(name, bucket=bucket, rules=[_lifecycle(plan)], opts=after_versioning)
        self.register_outputs(self.report())

    def report(self) -> dict[str, Any]:
        """The store's part of the export."""
        return {"bucket": self.bucket.id, "url": pulumi.Output.concat("s3://", self.bucket.id)}


def _tls_only(bucket: s3.Bucket) -> pulumi.Output[str]:
    objects = pulumi.Output.concat(bucket.arn, "/*")
    return policy(deny("s3:*", [bucket.arn, objects], {"Bool": {"aws:SecureTransport": "false"}}))


def _lifecycle(plan: StorePlan) -> s3.BucketLifecycleConfigurationRuleArgs:
    moves = [
        s3.BucketLifecycleConfigurationRuleTransitionArgs(days=step.days, storage_class=STORAGE_CLASSES[step.tier])
        for step in plan.lifecycle
        if step.tier is not Tier.DELETE
    ]
    ends = [step.days for step in plan.lifecycle if step.tier is Tier.DELETE]
    return s3.BucketLifecycleConfigurationRuleArgs(
        id="fleetyard",
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        transitions=moves or None,
        expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=min(ends)) if ends else None,
        noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=plan.noncurrent_days
        ),
        abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=plan.unfinished_days
        ),
    )
