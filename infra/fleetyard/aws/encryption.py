"""The key that a stack's stores are encrypted with."""

from __future__ import annotations

import pulumi
from pulumi_aws import kms

DELETION_WINDOW_DAYS = 30
"""How long a key waits before it is gone; the longest that KMS allows, for data without its key is lost data."""


class Encryption(pulumi.ComponentResource):
    """A KMS key that rotates, and its alias. The default key policy leaves access to IAM, where each role has its own.

    Kept on destroy when a store is: what it encrypts could not be read without it. Otherwise destroy schedules the
    key for deletion and the account shows it as waiting. Replaced when: never.
    """

    def __init__(self, name: str, keep: bool, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetyard:aws:Encryption", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self.key = kms.Key(
            name,
            description=f"Stores of the stack {name}",
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_WINDOW_DAYS,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=keep),
        )
        self.alias = kms.Alias(name, target_key_id=self.key.key_id, opts=own)
        self.register_outputs({"key": self.key.arn})
