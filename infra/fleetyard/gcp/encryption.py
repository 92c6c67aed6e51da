"""The key that a stack's stores are encrypted with."""

from __future__ import annotations

import pulumi
from pulumi_gcp import kms, storage

ROTATION = "7776000s"
"""Ninety days. Source: Cloud KMS documentation, "Key rotation" (recommended period)."""


class Encryption(pulumi.ComponentResource):
    """A key ring, a key that rotates, and the right of Cloud Storage's own agent to use it.

    Google never deletes key rings and keys: destroy ends the key's versions (after their waiting time) and forgets
    both. Where a store is kept, so is the key: what it encrypts could not be read without it. Replaced when: the
    region changes.
    """

    def __init__(self, name: str, region: str, keep: bool, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetyard:gcp:Encryption", name, None, opts)
        own = pulumi.ResourceOptions(parent=self, retain_on_delete=keep)
        ring = kms.KeyRing(name, location=region, opts=own)
        self.key = kms.CryptoKey(name, key_ring=ring.id, rotation_period=ROTATION, opts=own)
        agent = storage.get_project_service_account_output(opts=pulumi.InvokeOutputOptions(parent=self))
        self.use = kms.CryptoKeyIAMMember(
            f"{name}-storage",
            crypto_key_id=self.key.id,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
            member=agent.email_address.apply(lambda email: f"serviceAccount:{email}"),
            opts=own,
        )
        self.register_outputs({"key": self.key.id})
