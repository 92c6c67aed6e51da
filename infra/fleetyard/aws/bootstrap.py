"""What stands before a stack on AWS: the state's bucket and key, and two roles that CI takes on without any stored
secret."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi_aws import get_caller_identity, iam, kms, s3

from fleetyard.aws.policies import VERSION, deny, policy
from fleetyard.bootstrap.actions_aws import ACCOUNT, state
from fleetyard.bootstrap.files import Forge, Settings

ISSUERS = {Forge.GITHUB: "token.actions.githubusercontent.com", Forge.GITLAB: "gitlab.com"}
AUDIENCES = {Forge.GITHUB: "sts.amazonaws.com", Forge.GITLAB: "https://gitlab.com"}
OLD_STATE_DAYS = 90
SESSION_S = 3600


class Bootstrap(pulumi.ComponentResource):
    """A versioned bucket for the state, a key that seals it and the stack's secrets, an identity provider for the
    forge, and the roles `fleetyard-deploy-<stack>` and `fleetyard-preview-<stack>`. Bucket and key are kept on destroy.
    """

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetyard:aws:Bootstrap", settings.stack, None, opts)
        self._own = pulumi.ResourceOptions(parent=self)
        self._kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        stack = settings.stack
        account = get_caller_identity(opts=pulumi.InvokeOptions(parent=self)).account_id
        self.key = kms.Key(
            stack,
            description=f"State and secrets of the stack {stack}",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            opts=self._kept,
        )
        kms.Alias(stack, name=f"alias/fleetyard-state-{stack}", target_key_id=self.key.key_id, opts=self._own)
        self.bucket = s3.Bucket(stack, bucket=f"fleetyard-state-{account}-{stack}", opts=self._kept)
        self._close(stack)
        issuer = ISSUERS[Forge(settings.forge)]
        self.provider = iam.OpenIdConnectProvider(
            stack, url=f"https://{issuer}", client_id_lists=[AUDIENCES[Forge(settings.forge)]], opts=self._own
        )
        deploying, previewing = subjects(settings)
        self.deploy = self._role("deploy", settings, settings.deploy, deploying, account, write=True)
        self.preview = self._role("preview", settings, settings.preview, previewing, account, write=False)
        self.register_outputs(self.report())

    def report(self) -> dict[str, Any]:
        """The settings that people and CI need, by the names that the workflows have for them."""
        key = self.key.arn.apply(lambda arn: f"awskms:///{arn}?region={arn.split(':')[3]}")
        return {
            "FLEETYARD_STATE": pulumi.Output.concat("s3://", self.bucket.id),
            "FLEETYARD_SECRETS": key,
            "FLEETYARD_AWS_ROLE": self.preview.arn,
            "FLEETYARD_AWS_DEPLOY_ROLE": self.deploy.arn,
        }

    def _close(self, stack: str) -> None:
        bucket, own = self.bucket.id, self._kept
        s3.BucketOwnershipControls(stack, bucket=bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=own)
        closed = s3.BucketPublicAccessBlock(
            stack,
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=own,
        )
        versioning = s3.BucketVersioning(stack, bucket=bucket, versioning_configuration={"status": "Enabled"}, opts=own)
        sealed = {"sse_algorithm": "aws:kms", "kms_master_key_id": self.key.arn}
        s3.BucketServerSideEncryptionConfiguration(
            stack,
            bucket=bucket,
            rules=[{"apply_server_side_encryption_by_default": sealed, "bucket_key_enabled": True}],
            opts=own,
        )
        objects = pulumi.Output.concat(self.bucket.arn, "/*")
        tls_only = policy(deny("s3:*", [self.bucket.arn, objects], {"Bool": {"aws:SecureTransport": "false"}}))
        after_closed = pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(depends_on=[closed]))
        s3.BucketPolicy(stack, bucket=bucket, policy=tls_only, opts=after_closed)
        after_versioning = pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(depends_on=[versioning]))
        old = {
            "id": "old-states",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": OLD_STATE_DAYS},
        }
        s3.BucketLifecycleConfiguration(stack, bucket=bucket, rules=[old], opts=after_versioning)

    def _role(
        self, kind: str, settings: Settings, rights: tuple[Any, ...], subject: list[str], account: str, write: bool
    ) -> iam.Role:
        name = f"fleetyard-{kind}-{settings.stack}"
        forge = Forge(settings.forge)
        issuer = ISSUERS[forge]
        trust = self.provider.arn.apply(
            lambda arn: json.dumps(
                {
                    "Version": VERSION,
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRoleWithWebIdentity",
                            "Principal": {"Federated": arn},
                            "Condition": {
                                "StringEquals": {f"{issuer}:aud": AUDIENCES[forge], f"{issuer}:sub": subject},
                            },
                        }
                    ],
                },
                sort_keys=True,
            )
        )
        role = iam.Role(
            f"{settings.stack}-{kind}",
            name=name,
            assume_role_policy=trust,
            max_session_duration=SESSION_S,
            opts=self._own,
        )
        own_rights = json.loads(json.dumps(list(rights)).replace(ACCOUNT, account))
        document = pulumi.Output.all(self.bucket.id, self.key.arn).apply(
            lambda both: json.dumps(
                {"Version": VERSION, "Statement": [*own_rights, *state(both[0], both[1], write)]}, sort_keys=True
            )
        )
        iam.RolePolicy(f"{settings.stack}-{kind}", name=name, role=role.id, policy=document, opts=self._own)
        return role


def subjects(settings: Settings) -> tuple[list[str], list[str]]:
    """Who may deploy and who may preview, in the words of the forge's tokens.

    Deploying is for the main branch (on GitHub, through the environment of the stack's name, which can ask for a
    review); previewing also for changes that are not merged. Source: the forges' documentation of their OpenID Connect
    subjects.
    """
    name, branch = settings.repository, settings.branch
    if settings.forge == Forge.GITHUB:
        main = f"repo:{name}:ref:refs/heads/{branch}"
        return [f"repo:{name}:environment:{settings.stack}"], [f"repo:{name}:pull_request", main]
    main = f"project_path:{name}:ref_type:branch:ref:{branch}"
    return [main], [main]
