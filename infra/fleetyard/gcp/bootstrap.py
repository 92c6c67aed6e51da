"""What stands before a stack on Google Cloud: the state's bucket and key, and two identities that CI takes on by
federation."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_gcp import iam, kms, projects, serviceaccount, storage

from fleetyard.bootstrap.files import Forge, Settings

ISSUERS = {Forge.GITHUB: "https://token.actions.githubusercontent.com", Forge.GITLAB: "https://gitlab.com"}
REPOSITORY = {Forge.GITHUB: "repository", Forge.GITLAB: "project_path"}
"""The claim of the forge's tokens that names the repository."""
ROTATION = "7776000s"
OLD_STATE_DAYS = 90
_LONGEST_ACCOUNT_ID = 30


class Bootstrap(pulumi.ComponentResource):
    """A versioned bucket for the state, a key, a workload identity pool for the forge, and two service accounts with a
    role of exactly the permissions that were derived. Bucket and key are kept on destroy.
    """

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetyard:gcp:Bootstrap", settings.stack, None, opts)
        self._own = pulumi.ResourceOptions(parent=self)
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        stack, project = settings.stack, settings.project or ""
        ring = kms.KeyRing(stack, name=f"fleetyard-state-{stack}", location=settings.region, opts=kept)
        self.key = kms.CryptoKey(stack, name="state", key_ring=ring.id, rotation_period=ROTATION, opts=kept)
        agent = storage.get_project_service_account_output(opts=pulumi.InvokeOutputOptions(parent=self))
        sealing = kms.CryptoKeyIAMMember(
            f"{stack}-storage",
            crypto_key_id=self.key.id,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
            member=agent.email_address.apply(lambda email: f"serviceAccount:{email}"),
            opts=kept,
        )
        self.bucket = storage.Bucket(
            stack,
            name=f"fleetyard-state-{project}-{stack}",
            location=settings.region,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            encryption={"default_kms_key_name": self.key.id},
            lifecycle_rules=[
                {
                    "action": {"type": "Delete"},
                    "condition": {"days_since_noncurrent_time": OLD_STATE_DAYS, "with_state": "ARCHIVED"},
                }
            ],
            opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[sealing])),
        )
        self.pool = iam.WorkloadIdentityPool(stack, workload_identity_pool_id=f"fleetyard-{stack}"[:32], opts=self._own)
        forge = Forge(settings.forge)
        claim = REPOSITORY[forge]
        self.provider = iam.WorkloadIdentityPoolProvider(
            stack,
            workload_identity_pool_id=self.pool.workload_identity_pool_id,
            workload_identity_pool_provider_id=str(forge),
            attribute_mapping={"google.subject": "assertion.sub", "attribute.ref": "assertion.ref"},
            # Tokens of every repository come from this issuer: only this one's are let in.
            attribute_condition=f"assertion.{claim} == '{settings.repository}'",
            oidc={"issuer_uri": ISSUERS[forge]},
            opts=self._own,
        )
        self.deploy = self._account("deploy", settings, project, write=True)
        self.preview = self._account("preview", settings, project, write=False)
        main = f"refs/heads/{settings.branch}" if forge is Forge.GITHUB else settings.branch
        self._lets_in("deploy", self.deploy, pulumi.Output.concat(self.pool.name, f"/attribute.ref/{main}"))
        self._lets_in("preview", self.preview, pulumi.Output.concat(self.pool.name, "/*"))
        self.register_outputs(self.report())

    def report(self) -> dict[str, Any]:
        """The settings that people and CI need, by the names that the workflows have for them."""
        return {
            "FLEETYARD_STATE": pulumi.Output.concat("gs://", self.bucket.name),
            "FLEETYARD_SECRETS": pulumi.Output.concat("gcpkms://", self.key.id),
            "FLEETYARD_GCP_PROVIDER": self.provider.name,
            "FLEETYARD_GCP_ACCOUNT": self.preview.email,
            "FLEETYARD_GCP_DEPLOY_ACCOUNT": self.deploy.email,
        }

    def _account(self, kind: str, settings: Settings, project: str, write: bool) -> serviceaccount.Account:
        stack = settings.stack
        short = f"fy-{kind}-{stack}"[:_LONGEST_ACCOUNT_ID].rstrip("-")
        account = serviceaccount.Account(
            f"{stack}-{kind}", account_id=short, display_name=f"{kind} the stack {stack}", opts=self._own
        )
        member = account.email.apply(lambda email: f"serviceAccount:{email}")
        rights = list(settings.deploy if write else settings.preview)
        role = projects.IAMCustomRole(
            f"{stack}-{kind}",
            role_id=f"fleetyard_{kind}_{stack}".replace("-", "_"),
            title=f"Fleetyard: {kind} {stack}",
            permissions=rights,
            opts=self._own,
        )
        projects.IAMMember(f"{stack}-{kind}", project=project, role=role.name, member=member, opts=self._own)
        on_state = "roles/storage.objectUser" if write else "roles/storage.objectViewer"
        storage.BucketIAMMember(
            f"{stack}-{kind}-state", bucket=self.bucket.name, role=on_state, member=member, opts=self._own
        )
        on_key = "roles/cloudkms.cryptoKeyEncrypterDecrypter" if write else "roles/cloudkms.cryptoKeyDecrypter"
        kms.CryptoKeyIAMMember(
            f"{stack}-{kind}-key", crypto_key_id=self.key.id, role=on_key, member=member, opts=self._own
        )
        return account

    def _lets_in(self, kind: str, account: serviceaccount.Account, who: pulumi.Output[str]) -> None:
        serviceaccount.IAMMember(
            f"{kind}-from-ci",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=pulumi.Output.concat("principalSet://iam.googleapis.com/", who),
            opts=self._own,
        )
