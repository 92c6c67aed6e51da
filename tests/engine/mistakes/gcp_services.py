"""Buckets, keys, identities, policies, files, databases, serverless, messages, logs, alerts."""

from __future__ import annotations

import functools
from typing import Any

import pulumi
import pulumi_gcp as gcp
from planted import CHECK, mistake

PROJECT = "projects/planted-mistakes"
BUCKET = "storage.buckets.insert"
FILES = "file.projects.locations.instances.create"
INVALID = "INVALID_ARGUMENT"


@functools.cache
def network() -> gcp.compute.Network:
    """The network that the area shares."""
    return gcp.compute.Network("shared", auto_create_subnetworks=False)


@functools.cache
def bucket() -> gcp.storage.Bucket:
    """A bucket that the area shares."""
    return gcp.storage.Bucket("shared", location="US", uniform_bucket_level_access=True)


@functools.cache
def code() -> gcp.storage.BucketObject:
    """A function's source."""
    return gcp.storage.BucketObject("shared", bucket=bucket().name, content="code")


@functools.cache
def ring() -> gcp.kms.KeyRing:
    """A key ring that the area shares."""
    return gcp.kms.KeyRing("shared", location="us-central1")


@functools.cache
def topic() -> gcp.pubsub.Topic:
    """A topic that the area shares."""
    return gcp.pubsub.Topic("shared")


@functools.cache
def secret() -> gcp.secretmanager.Secret:
    """A secret that the area shares."""
    return gcp.secretmanager.Secret("shared", secret_id="shared", replication={"auto": {}})


# Buckets, keys, identities --------------------------------------------------------------------------------------------


@mistake("bucket-nowhere", source="docs.cloud.google.com/storage/docs/locations", code="invalid", operation=BUCKET)
def _(n: str, wrong: bool) -> None:
    gcp.storage.Bucket(n, location="MOON-1" if wrong else "US-CENTRAL1")


@mistake(
    "bucket-name-that-is-not-legal",
    source="docs.cloud.google.com/storage/docs/buckets#naming",
    code="invalid",
    operation=BUCKET,
)
def _(n: str, wrong: bool) -> None:
    gcp.storage.Bucket(n, name="my_google_bucket" if wrong else "planted-mistakes-legal-name", location="US")


@mistake(
    "bucket-name-that-is-taken",
    source="docs.cloud.google.com/storage/docs/buckets#naming",
    code="conflict",
    operation=BUCKET,
)
def _(n: str, wrong: bool) -> None:
    gcp.storage.Bucket(n, name=bucket().name if wrong else "planted-mistakes-free-name", location="US")


@mistake(
    "storage-class-that-is-none",
    source="docs.cloud.google.com/storage/docs/storage-classes",
    code="invalid",
    operation=BUCKET,
)
def _(n: str, wrong: bool) -> None:
    gcp.storage.Bucket(n, location="US", storage_class="FREEZING" if wrong else "COLDLINE")


@mistake(
    "lifecycle-that-moves-nowhere",
    source="docs.cloud.google.com/storage/docs/lifecycle",
    code="invalid",
    operation=BUCKET,
)
def _(n: str, wrong: bool) -> None:
    action = {"type": "SetStorageClass", **({} if wrong else {"storage_class": "NEARLINE"})}
    gcp.storage.Bucket(n, location="US", lifecycle_rules=[{"action": action, "condition": {"age": 30}}])


@mistake(
    "soft-delete-for-a-day", source="docs.cloud.google.com/storage/docs/soft-delete", code="invalid", operation=BUCKET
)
def _(n: str, wrong: bool) -> None:
    seconds = 86400 if wrong else 604800
    gcp.storage.Bucket(n, location="US", soft_delete_policy={"retention_duration_seconds": seconds})


@mistake(
    "bucket-label-with-capitals",
    source="docs.cloud.google.com/storage/docs/tags-and-labels",
    code="invalid",
    operation=BUCKET,
)
def _(n: str, wrong: bool) -> None:
    gcp.storage.Bucket(n, location="US", labels={"team": "Research" if wrong else "research"})


@mistake(
    "list-on-a-bucket-with-uniform-access",
    source="docs.cloud.google.com/storage/docs/uniform-bucket-level-access",
    code="invalid",
    operation="storage.defaultObjectAccessControls.insert",
)
def _(n: str, wrong: bool) -> None:
    fine = gcp.storage.Bucket(f"{n}-right", location="US")
    where = bucket().name if wrong else fine.name
    gcp.storage.DefaultObjectAccessControl(n, bucket=where, entity="allUsers", role="READER")


@mistake(
    "everybody-reads-a-guarded-bucket",
    source="docs.cloud.google.com/storage/docs/public-access-prevention",
    code="conditionNotMet",
    operation="storage.buckets.setIamPolicy",
)
def _(n: str, wrong: bool) -> None:
    guarded = gcp.storage.Bucket(
        f"{n}-right", location="US", uniform_bucket_level_access=True, public_access_prevention="enforced"
    )
    who = "allUsers" if wrong else "user:a@example.com"
    gcp.storage.BucketIAMMember(n, bucket=guarded.name, role="roles/storage.objectViewer", member=who)


@mistake(
    "object-in-a-bucket-that-is-none",
    source="docs.cloud.google.com/storage/docs/json_api/v1/objects/insert",
    code="notFound",
    operation="storage.objects.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.storage.BucketObject(n, bucket="no-such-bucket-anywhere" if wrong else bucket().name, content="x")


@mistake(
    "notification-without-the-right-to-publish",
    source="docs.cloud.google.com/storage/docs/reporting-changes",
    code="forbidden",
    operation="storage.notifications.insert",
)
def _(n: str, wrong: bool) -> None:
    agent = gcp.storage.get_project_service_account().email_address
    news = gcp.pubsub.Topic(f"{n}-right")
    who = "user:a@example.com" if wrong else f"serviceAccount:{agent}"
    right = gcp.pubsub.TopicIAMMember(f"{n}-right", topic=news.name, role="roles/pubsub.publisher", member=who)
    gcp.storage.Notification(
        n,
        bucket=bucket().name,
        payload_format="JSON_API_V1",
        topic=news.id,
        opts=pulumi.ResourceOptions(depends_on=[right]),
    )


@mistake(
    "bucket-key-elsewhere",
    source="docs.cloud.google.com/storage/docs/encryption/customer-managed-keys",
    code="invalid",
    operation=BUCKET,
)
def _(n: str, wrong: bool) -> None:
    agent = gcp.storage.get_project_service_account().email_address
    key = gcp.kms.CryptoKey(f"{n}-right", key_ring=ring().id)
    may = gcp.kms.CryptoKeyIAMMember(
        f"{n}-right",
        crypto_key_id=key.id,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=f"serviceAccount:{agent}",
    )
    gcp.storage.Bucket(
        n,
        location="US-WEST4" if wrong else "US-CENTRAL1",
        encryption={"default_kms_key_name": key.id},
        opts=pulumi.ResourceOptions(depends_on=[may]),
    )


@mistake(
    "key-that-rotates-every-hour",
    source="docs.cloud.google.com/kms/docs/key-rotation",
    code="rotation period must be greater",
    operation=CHECK,
)
def _(n: str, wrong: bool) -> None:
    gcp.kms.CryptoKey(n, key_ring=ring().id, rotation_period="3600s" if wrong else "7776000s")


@mistake(
    "ring-nowhere",
    source="docs.cloud.google.com/kms/docs/locations",
    code=INVALID,
    operation="cloudkms.projects.locations.keyRings.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.kms.KeyRing(n, location="us-middle9" if wrong else "us-central1")


@mistake(
    "account-id-that-is-too-short",
    source="docs.cloud.google.com/iam/docs/service-accounts-create",
    code="doesn't match regexp",
    operation=CHECK,
)
def _(n: str, wrong: bool) -> None:
    gcp.serviceaccount.Account(n, account_id="me" if wrong else "somebody")


@mistake(
    "role-for-nobody",
    source="docs.cloud.google.com/iam/docs/principal-identifiers",
    code=INVALID,
    operation="cloudresourcemanager.projects.setIamPolicy",
)
def _(n: str, wrong: bool) -> None:
    who = "a@example.com" if wrong else "user:a@example.com"
    gcp.projects.IAMMember(n, project="planted-mistakes", role="roles/viewer", member=who)


@mistake(
    "role-for-an-account-that-is-none",
    source="docs.cloud.google.com/iam/docs/service-accounts",
    code=INVALID,
    operation="cloudresourcemanager.projects.setIamPolicy",
)
def _(n: str, wrong: bool) -> None:
    made = gcp.serviceaccount.Account(f"{n}-right", account_id="role-right")
    nobody = "serviceAccount:nobody@planted-mistakes.iam.gserviceaccount.com"
    gcp.projects.IAMMember(n, project="planted-mistakes", role="roles/editor", member=nobody if wrong else made.member)


@mistake(
    "role-that-is-misspelt",
    source="docs.cloud.google.com/iam/docs/roles-overview",
    code=INVALID,
    operation="cloudresourcemanager.projects.setIamPolicy",
)
def _(n: str, wrong: bool) -> None:
    role = "viewer" if wrong else "roles/browser"
    gcp.projects.IAMMember(n, project="planted-mistakes", role=role, member="user:b@example.com")


@mistake(
    "custom-role-of-a-permission-that-is-none",
    source="docs.cloud.google.com/iam/docs/creating-custom-roles",
    code=INVALID,
    operation="iam.projects.roles.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.projects.IAMCustomRole(
        n, role_id="planted", title="planted", permissions=["everything" if wrong else "storage.objects.get"]
    )


@mistake(
    "provider-without-a-subject",
    source="docs.cloud.google.com/iam/docs/manage-workload-identity-pools-providers",
    code=INVALID,
    operation="iam.projects.locations.workloadIdentityPools.providers.create",
)
def _(n: str, wrong: bool) -> None:
    pool = gcp.iam.WorkloadIdentityPool(f"{n}-right", workload_identity_pool_id="planted-pool")
    target = "attribute.actor" if wrong else "google.subject"
    gcp.iam.WorkloadIdentityPoolProvider(
        n,
        workload_identity_pool_id=pool.workload_identity_pool_id,
        workload_identity_pool_provider_id="planted-provider",
        attribute_mapping={target: "assertion.sub"},
        oidc={"issuer_uri": "https://token.actions.githubusercontent.com"},
    )


@mistake(
    "service-that-is-none",
    source="docs.cloud.google.com/service-usage/docs/enable-disable",
    code="PERMISSION_DENIED",
    operation="serviceusage.services.batchEnable",
)
def _(n: str, wrong: bool) -> None:
    gcp.projects.Service(n, service="compute" if wrong else "compute.googleapis.com")


# Files and databases --------------------------------------------------------------------------------------------------


def files(n: str, **more: Any) -> gcp.filestore.Instance:
    """A file server that is right."""
    given: dict[str, Any] = {
        "location": "us-central1-a",
        "tier": "BASIC_HDD",
        "file_shares": {"name": "share", "capacity_gb": 1024},
        "networks": [{"network": network().name, "modes": ["MODE_IPV4"]}],
    }
    return gcp.filestore.Instance(n, **{**given, **more})


@mistake(
    "share-that-is-too-small",
    source="docs.cloud.google.com/filestore/docs/service-tiers",
    code=INVALID,
    operation=FILES,
)
def _(n: str, wrong: bool) -> None:
    files(n, file_shares={"name": "share", "capacity_gb": 100 if wrong else 1024})


@mistake(
    "share-with-a-dash",
    source="docs.cloud.google.com/filestore/docs/reference/rest/v1/projects.locations.instances",
    code=INVALID,
    operation=FILES,
)
def _(n: str, wrong: bool) -> None:
    files(n, file_shares={"name": "my-share" if wrong else "my_share", "capacity_gb": 1024})


@mistake(
    "regional-tier-in-a-zone",
    source="docs.cloud.google.com/filestore/docs/service-tiers",
    code=INVALID,
    operation=FILES,
)
def _(n: str, wrong: bool) -> None:
    files(n, tier="REGIONAL", location="us-central1-a" if wrong else "us-central1")


@mistake(
    "files-on-a-network-that-is-none",
    source="docs.cloud.google.com/filestore/docs/networking",
    code=INVALID,
    operation=FILES,
)
def _(n: str, wrong: bool) -> None:
    files(n, networks=[{"network": "nothing" if wrong else network().name, "modes": ["MODE_IPV4"]}])


@mistake(
    "database-of-a-tier-that-is-none",
    source="docs.cloud.google.com/sql/docs/postgres/instance-settings",
    code="invalid",
    operation="sql.instances.insert",
)
def _(n: str, wrong: bool) -> None:
    tier = "db-tiny" if wrong else "db-f1-micro"
    gcp.sql.DatabaseInstance(
        n, database_version="POSTGRES_15", region="us-central1", deletion_protection=False, settings={"tier": tier}
    )


@mistake(
    "database-of-a-version-that-is-none",
    source="docs.cloud.google.com/sql/docs/db-versions",
    code="badRequest",
    operation="sql.instances.insert",
)
def _(n: str, wrong: bool) -> None:
    version = "POSTGRES_99" if wrong else "POSTGRES_16"
    gcp.sql.DatabaseInstance(
        n, database_version=version, region="us-central1", deletion_protection=False, settings={"tier": "db-f1-micro"}
    )


@mistake(
    "database-that-nothing-reaches",
    source="docs.cloud.google.com/sql/docs/postgres/configure-ip",
    code="invalid",
    operation="sql.instances.insert",
)
def _(n: str, wrong: bool) -> None:
    settings = {"tier": "db-f1-micro", "ip_configuration": {"ipv4_enabled": not wrong}}
    gcp.sql.DatabaseInstance(
        n, database_version="POSTGRES_15", region="us-central1", deletion_protection=False, settings=settings
    )


@mistake(
    "cache-that-is-too-small-for-replicas",
    source="docs.cloud.google.com/memorystore/docs/redis/about-read-replicas",
    code=INVALID,
    operation="redis.projects.locations.instances.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.redis.Instance(
        n,
        name="planted-cache",
        memory_size_gb=1 if wrong else 5,
        tier="STANDARD_HA",
        replica_count=2,
        read_replicas_mode="READ_REPLICAS_ENABLED",
        authorized_network=network().id,
    )


@mistake(
    "table-of-a-column-type-that-is-none",
    source="docs.cloud.google.com/bigquery/docs/schemas",
    code="invalid",
    operation="bigquery.tables.insert",
)
def _(n: str, wrong: bool) -> None:
    data = gcp.bigquery.Dataset(f"{n}-right", dataset_id="planted", location="US")
    kind = "TEXT" if wrong else "STRING"
    gcp.bigquery.Table(
        n,
        dataset_id=data.dataset_id,
        table_id="planted",
        deletion_protection=False,
        schema=f'[{{"name": "id", "type": "{kind}"}}]',
    )


@mistake(
    "dataset-with-a-dash",
    source="docs.cloud.google.com/bigquery/docs/datasets#dataset-naming",
    code="invalid",
    operation="bigquery.datasets.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.bigquery.Dataset(n, dataset_id="my-data" if wrong else "my_data", location="US")


# Serverless, messages, secrets ----------------------------------------------------------------------------------------


@mistake(
    "container-with-too-little-memory",
    source="docs.cloud.google.com/run/docs/configuring/memory-limits",
    code=INVALID,
    operation="run.projects.locations.services.create",
)
def _(n: str, wrong: bool) -> None:
    limits = {"cpu": "1", "memory": "64Mi" if wrong else "512Mi"}
    gcp.cloudrunv2.Service(
        n,
        location="us-central1",
        deletion_protection=False,
        template={"containers": [{"image": "gcr.io/cloudrun/hello", "resources": {"limits": limits}}]},
    )


@mistake(
    "traffic-that-does-not-add-up",
    source="docs.cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration",
    code=INVALID,
    operation="run.projects.locations.services.create",
)
def _(n: str, wrong: bool) -> None:
    target = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 60 if wrong else 100}
    gcp.cloudrunv2.Service(
        n,
        location="us-central1",
        deletion_protection=False,
        template={"containers": [{"image": "gcr.io/cloudrun/hello"}]},
        traffics=[target],
    )


@mistake(
    "service-in-a-region-that-is-none",
    source="docs.cloud.google.com/run/docs/locations",
    code="PERMISSION_DENIED",
    operation="run.projects.locations.services.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.cloudrunv2.Service(
        n,
        location="us-middle9" if wrong else "us-central1",
        deletion_protection=False,
        template={"containers": [{"image": "gcr.io/cloudrun/hello"}]},
    )


@mistake(
    "service-with-a-secret-that-is-none",
    source="docs.cloud.google.com/run/docs/configuring/services/secrets",
    code=INVALID,
    operation="run.projects.locations.services.create",
)
def _(n: str, wrong: bool) -> None:
    name = "nothing" if wrong else secret().secret_id
    env = {"name": "WORD", "value_source": {"secret_key_ref": {"secret": name, "version": "latest"}}}
    gcp.cloudrunv2.Service(
        n,
        location="us-central1",
        deletion_protection=False,
        template={"containers": [{"image": "gcr.io/cloudrun/hello", "envs": [env]}]},
    )


def function(n: str, **more: Any) -> gcp.cloudfunctions.Function:
    """A function that is right."""
    given: dict[str, Any] = {
        "region": "us-central1",
        "runtime": "python312",
        "entry_point": "main",
        "trigger_http": True,
        "source_archive_bucket": bucket().name,
        "source_archive_object": code().name,
    }
    return gcp.cloudfunctions.Function(n, **{**given, **more})


FUNCTION = "cloudfunctions.projects.locations.functions.create"


@mistake(
    "function-of-a-runtime-that-is-none",
    source="docs.cloud.google.com/functions/docs/runtime-support",
    code=INVALID,
    operation=FUNCTION,
)
def _(n: str, wrong: bool) -> None:
    function(n, runtime="python99" if wrong else "python311")


@mistake(
    "function-without-its-source",
    source="docs.cloud.google.com/functions/docs/deploy",
    code=INVALID,
    operation=FUNCTION,
)
def _(n: str, wrong: bool) -> None:
    function(n, **({"source_archive_object": "nothing.zip"} if wrong else {}))


@mistake(
    "function-of-odd-memory",
    source="docs.cloud.google.com/functions/docs/configuring/memory",
    code=INVALID,
    operation=FUNCTION,
)
def _(n: str, wrong: bool) -> None:
    function(n, available_memory_mb=300 if wrong else 512)


@mistake(
    "connector-of-a-wrong-range",
    source="docs.cloud.google.com/vpc/docs/configure-serverless-vpc-access",
    code=INVALID,
    operation="vpcaccess.projects.locations.connectors.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.vpcaccess.Connector(
        n,
        name="planted-connector",
        region="us-central1",
        network=network().name,
        ip_cidr_range="10.8.0.0/24" if wrong else "10.8.0.0/28",
        min_instances=2,
        max_instances=3,
    )


@mistake(
    "repository-of-no-mode",
    source="docs.cloud.google.com/artifact-registry/docs/repositories/remote-overview",
    code=INVALID,
    operation="artifactregistry.projects.locations.repositories.create",
)
def _(n: str, wrong: bool) -> None:
    mode = "REMOTE_REPOSITORY" if wrong else "STANDARD_REPOSITORY"
    gcp.artifactregistry.Repository(n, repository_id="planted", location="us-central1", format="DOCKER", mode=mode)


@mistake(
    "subscription-to-a-topic-that-is-none",
    source="docs.cloud.google.com/pubsub/docs/create-subscription",
    code="NOT_FOUND",
    operation="pubsub.projects.subscriptions.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.pubsub.Subscription(n, topic=f"{PROJECT}/topics/nothing" if wrong else topic().id)


@mistake(
    "subscription-with-a-short-deadline",
    source="docs.cloud.google.com/pubsub/docs/subscription-properties",
    code=INVALID,
    operation="pubsub.projects.subscriptions.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.pubsub.Subscription(n, topic=topic().id, ack_deadline_seconds=5 if wrong else 10)


@mistake(
    "topic-called-goog",
    source="docs.cloud.google.com/pubsub/docs/pubsub-basics#resource_names",
    code=INVALID,
    operation="pubsub.projects.topics.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.pubsub.Topic(n, name="goog-news" if wrong else "good-news")


@mistake(
    "schedule-that-is-none",
    source="docs.cloud.google.com/scheduler/docs/configuring/cron-job-schedules",
    code=INVALID,
    operation="cloudscheduler.projects.locations.jobs.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.cloudscheduler.Job(
        n,
        region="us-central1",
        schedule="whenever" if wrong else "0 * * * *",
        http_target={"uri": "https://example.com/", "http_method": "GET"},
    )


@mistake(
    "secret-replicated-twice-to-one-place",
    source="docs.cloud.google.com/secret-manager/docs/choosing-replication",
    code=INVALID,
    operation="secretmanager.projects.secrets.create",
)
def _(n: str, wrong: bool) -> None:
    second = "us-central1" if wrong else "us-west4"
    places = [{"location": "us-central1"}, {"location": second}]
    gcp.secretmanager.Secret(n, secret_id="planted", replication={"user_managed": {"replicas": places}})


@mistake(
    "secret-id-with-a-dot",
    source="docs.cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/create",
    code=INVALID,
    operation="secretmanager.projects.secrets.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.secretmanager.Secret(n, secret_id="my.secret" if wrong else "my-secret", replication={"auto": {}})


# Logs and alerts ------------------------------------------------------------------------------------------------------


@mistake(
    "logs-kept-for-a-century",
    source="docs.cloud.google.com/logging/docs/buckets",
    code=INVALID,
    operation="logging.projects.locations.buckets.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.logging.ProjectBucketConfig(
        n,
        project="planted-mistakes",
        location="global",
        bucket_id="planted",
        retention_days=36500 if wrong else 3650,
    )


@mistake(
    "sink-to-nowhere",
    source="docs.cloud.google.com/logging/docs/export/configure_export_v2",
    code=INVALID,
    operation="logging.projects.sinks.create",
)
def _(n: str, wrong: bool) -> None:
    there = bucket().name.apply(lambda name: f"storage.googleapis.com/{name}")
    gcp.logging.ProjectSink(n, destination="s3://somewhere" if wrong else there)


@mistake(
    "metric-of-a-label-without-an-extractor",
    source="docs.cloud.google.com/logging/docs/logs-based-metrics/labels",
    code=INVALID,
    operation="logging.projects.metrics.create",
)
def _(n: str, wrong: bool) -> None:
    more = {} if wrong else {"label_extractors": {"zone": "EXTRACT(resource.labels.zone)"}}
    descriptor = {"metric_kind": "DELTA", "value_type": "INT64", "labels": [{"key": "zone"}]}
    gcp.logging.Metric(n, filter="severity>=ERROR", metric_descriptor=descriptor, **more)


@mistake(
    "mail-to-no-address",
    source="docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.notificationChannels",
    code=INVALID,
    operation="monitoring.projects.notificationChannels.create",
)
def _(n: str, wrong: bool) -> None:
    labels = {"email_address": "nobody" if wrong else "a@example.com"}
    gcp.monitoring.NotificationChannel(n, type="email", labels=labels)


@mistake(
    "alert-without-a-metric",
    source="docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies",
    code=INVALID,
    operation="monitoring.projects.alertPolicies.create",
)
def _(n: str, wrong: bool) -> None:
    good = 'metric.type="compute.googleapis.com/instance/cpu/utilization" AND resource.type="gce_instance"'
    gcp.monitoring.AlertPolicy(
        n,
        display_name="hot",
        combiner="OR",
        conditions=[
            {
                "display_name": "cpu",
                "condition_threshold": {
                    "filter": "cpu > 5" if wrong else good,
                    "comparison": "COMPARISON_GT",
                    "duration": "60s",
                },
            }
        ],
    )
