"""Buckets, lifecycles, policies, keys, file systems, tables, databases."""

from __future__ import annotations

import functools
import json

import pulumi_aws as aws
from planted import mistake


@functools.cache
def bucket() -> aws.s3.Bucket:
    """The bucket that the area shares."""
    return aws.s3.Bucket("shared")


@functools.cache
def vpc() -> aws.ec2.Vpc:
    """A network."""
    return aws.ec2.Vpc("shared", cidr_block="10.1.0.0/16")


@functools.cache
def subnets() -> list[aws.ec2.Subnet]:
    """Subnets in two zones of it, and another in the first."""
    zones = ("us-east-1a", "us-east-1b", "us-east-1a")
    return [
        aws.ec2.Subnet(f"shared-{i}", vpc_id=vpc().id, cidr_block=f"10.1.{i}.0/24", availability_zone=zone)
        for i, zone in enumerate(zones)
    ]


@functools.cache
def files() -> aws.efs.FileSystem:
    """A file system with a mount target in the first zone."""
    return aws.efs.FileSystem("shared")


@functools.cache
def target() -> aws.efs.MountTarget:
    """That mount target."""
    return aws.efs.MountTarget("shared", file_system_id=files().id, subnet_id=subnets()[0].id)


@mistake(
    "bucket-in-capitals",
    source="S3 User Guide: general purpose bucket naming rules",
    code="InvalidBucketName",
    operation="CreateBucket",
)
def _(n: str, wrong: bool) -> None:
    aws.s3.Bucket(n, bucket="Our_Data" if wrong else "our-data-0123456")


@mistake(
    "bucket-named-like-an-address",
    source="S3 User Guide: general purpose bucket naming rules",
    code="InvalidBucketName",
    operation="CreateBucket",
)
def _(n: str, wrong: bool) -> None:
    aws.s3.Bucket(n, bucket="192.168.5.4" if wrong else "our-data-192-168-5-4")


@mistake(
    "versions-neither-on-nor-off",
    source="S3 service model: BucketVersioningStatus; S3 error codes: MalformedXML",
    code="MalformedXML",
    operation="PutBucketVersioning",
)
def _(n: str, wrong: bool) -> None:
    status = "On" if wrong else "Enabled"
    aws.s3.BucketVersioning(n, bucket=bucket().id, versioning_configuration={"status": status})


@mistake(
    "objects-cold-too-early",
    source="S3 User Guide: lifecycle transitions to STANDARD_IA after 30 days at least",
    code="InvalidArgument",
    operation="PutBucketLifecycleConfiguration",
)
def _(n: str, wrong: bool) -> None:
    own = aws.s3.Bucket(f"{n}-bucket")
    rule = aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="cold",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        transitions=[
            aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(days=7 if wrong else 30, storage_class="STANDARD_IA")
        ],
    )
    aws.s3.BucketLifecycleConfiguration(n, bucket=own.id, rules=[rule])


@mistake(
    "objects-gone-before-they-are-cold",
    source="S3 User Guide: an expiration comes after the transitions of its rule",
    code="InvalidArgument",
    operation="PutBucketLifecycleConfiguration",
)
def _(n: str, wrong: bool) -> None:
    own = aws.s3.Bucket(f"{n}-bucket")
    rule = aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="cold",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        transitions=[aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(days=90, storage_class="GLACIER")],
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=60 if wrong else 120),
    )
    aws.s3.BucketLifecycleConfiguration(n, bucket=own.id, rules=[rule])


@mistake(
    "bucket-sealed-with-no-key",
    source="S3 API reference: PutBucketEncryption, KMSMasterKeyID",
    code="KMS.NotFoundException",
    operation="PutBucketEncryption",
)
def _(n: str, wrong: bool) -> None:
    key = aws.kms.Key(f"{n}-key")
    own = aws.s3.Bucket(f"{n}-bucket")
    by = {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": "11111111-2222-3333-4444-555555555555" if wrong else key.key_id,
    }
    rule = {"applyServerSideEncryptionByDefault": by}
    aws.s3.BucketServerSideEncryptionConfiguration(n, bucket=own.id, rules=[rule])  # type: ignore[list-item]


@mistake(
    "policy-without-words",
    source="S3 error codes: MalformedPolicy",
    code="MalformedPolicy",
    operation="PutBucketPolicy",
)
def _(n: str, wrong: bool) -> None:
    own = aws.s3.Bucket(f"{n}-bucket")
    account = {"AWS": "arn:aws:iam::123456789012:root"}

    def text(arn: str) -> str:
        resource = "arn:aws:s3:::somebody-elses" if wrong else arn
        one = {"Effect": "Allow", "Principal": account, "Action": "s3:ListBucket", "Resource": resource}
        return json.dumps({"Version": "2012-10-17", "Statement": [one]})

    aws.s3.BucketPolicy(n, bucket=own.id, policy=own.arn.apply(text))


@mistake(
    "policy-for-all-where-none-is-let-in",
    source="S3 User Guide: Block Public Access, BlockPublicPolicy",
    code="AccessDenied",
    operation="PutBucketPolicy",
)
def _(n: str, wrong: bool) -> None:
    own = aws.s3.Bucket(f"{n}-bucket")
    block = aws.s3.BucketPublicAccessBlock(f"{n}-block", bucket=own.id, block_public_policy=wrong)

    def text(arn: str) -> str:
        one = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{arn}/*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [one]})

    aws.s3.BucketPolicy(n, bucket=block.bucket, policy=own.arn.apply(text))


@mistake(
    "access-list-where-the-owner-owns-all",
    source="S3 User Guide: Object Ownership, BucketOwnerEnforced is the default; error AccessControlListNotSupported",
    code="AccessControlListNotSupported",
    operation="PutBucketAcl",
)
def _(n: str, wrong: bool) -> None:
    own = aws.s3.Bucket(f"{n}-bucket")
    where = own.id
    if not wrong:
        rule = aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerPreferred")
        where = aws.s3.BucketOwnershipControls(f"{n}-owner", bucket=own.id, rule=rule).bucket
    aws.s3.BucketAcl(n, bucket=where, acl="private")


@mistake(
    "website-with-a-path-for-an-index",
    source="S3 API reference: IndexDocument, Suffix must not include a slash",
    code="InvalidArgument",
    operation="PutBucketWebsite",
)
def _(n: str, wrong: bool) -> None:
    suffix = "html/index.html" if wrong else "index.html"
    aws.s3.BucketWebsiteConfiguration(n, bucket=bucket().id, index_document={"suffix": suffix})


@mistake(
    "browser-rule-for-no-method",
    source="S3 API reference: CORSRule, AllowedMethods are GET, PUT, HEAD, POST and DELETE",
    code="InvalidRequest",
    operation="PutBucketCors",
)
def _(n: str, wrong: bool) -> None:
    rule = aws.s3.BucketCorsConfigurationCorsRuleArgs(
        allowed_methods=["FETCH" if wrong else "GET"], allowed_origins=["https://example.com"]
    )
    aws.s3.BucketCorsConfiguration(n, bucket=bucket().id, cors_rules=[rule])


@mistake(
    "lock-on-a-bucket-that-has-none",
    source="S3 API reference: PutObjectLockConfiguration; error InvalidBucketState",
    code="InvalidBucketState",
    operation="PutObjectLockConfiguration",
)
def _(n: str, wrong: bool) -> None:
    own = aws.s3.Bucket(f"{n}-bucket", object_lock_enabled=not wrong)
    held = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(mode="COMPLIANCE", days=5)
    rule = aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=held)
    aws.s3.BucketObjectLockConfiguration(n, bucket=own.id, rule=rule)


@mistake(
    "object-in-no-bucket",
    source="S3 error codes: NoSuchBucket",
    code="NoSuchBucket",
    operation="PutObject",
)
def _(n: str, wrong: bool) -> None:
    aws.s3.BucketObjectv2(n, bucket="nobodys-bucket-0" if wrong else bucket().id, key="a", content="b")


@mistake(
    "key-alias-of-no-key",
    source="KMS API reference: CreateAlias, NotFoundException",
    code="NotFoundException",
    operation="CreateAlias",
)
def _(n: str, wrong: bool) -> None:
    key = aws.kms.Key(f"{n}-key")
    id = "11111111-2222-3333-4444-555555555555" if wrong else key.key_id
    aws.kms.Alias(n, name="alias/ours", target_key_id=id)


@mistake(
    "key-with-a-policy-of-nonsense",
    source="KMS API reference: CreateKey, MalformedPolicyDocumentException",
    code="MalformedPolicyDocumentException",
    operation="CreateKey",
)
def _(n: str, wrong: bool) -> None:
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    good = json.dumps({"Version": "2012-10-17", "Statement": [root]})
    aws.kms.Key(n, policy="{}" if wrong else good)


@mistake(
    "mount-twice-in-a-zone",
    source="EFS API reference: CreateMountTarget, MountTargetConflict: one mount target per zone",
    code="MountTargetConflict",
    operation="CreateMountTarget",
)
def _(n: str, wrong: bool) -> None:
    where = target().id.apply(lambda _: subnets()[2].id if wrong else subnets()[1].id)
    aws.efs.MountTarget(n, file_system_id=files().id, subnet_id=where)


@mistake(
    "mount-of-nothing",
    source="EFS API reference: CreateMountTarget, FileSystemNotFound",
    code="FileSystemNotFound",
    operation="CreateMountTarget",
)
def _(n: str, wrong: bool) -> None:
    own = aws.efs.FileSystem(f"{n}-files")
    id = "fs-0123456789abcdef0" if wrong else own.id
    aws.efs.MountTarget(n, file_system_id=id, subnet_id=subnets()[0].id)


@mistake(
    "files-cold-at-no-age",
    source="EFS service model: TransitionToIARules",
    code="BadRequest",
    operation="PutLifecycleConfiguration",
)
def _(n: str, wrong: bool) -> None:
    age = "AFTER_3_DAYS" if wrong else "AFTER_30_DAYS"
    rule = aws.efs.FileSystemLifecyclePolicyArgs(transition_to_ia=age)
    aws.efs.FileSystem(n, lifecycle_policies=[rule])


@mistake(
    "files-provisioned-without-a-speed",
    source="EFS API reference: CreateFileSystem, ProvisionedThroughputInMibps is required for provisioned",
    code="BadRequest",
    operation="CreateFileSystem",
)
def _(n: str, wrong: bool) -> None:
    speed = None if wrong else 10.0
    aws.efs.FileSystem(n, throughput_mode="provisioned", provisioned_throughput_in_mibps=speed)


@mistake(
    "lustre-of-an-odd-size",
    source="FSx API reference: CreateFileSystem, StorageCapacity of Lustre: 1200, 2400 and multiples of 2400",
    code="BadRequest",
    operation="CreateFileSystem",
)
def _(n: str, wrong: bool) -> None:
    aws.fsx.LustreFileSystem(
        n, subnet_ids=subnets()[0].id, deployment_type="SCRATCH_2", storage_capacity=1000 if wrong else 1200
    )


@mistake(
    "lustre-lasting-without-a-speed",
    source="FSx API reference: CreateFileSystemLustreConfiguration, PerUnitStorageThroughput",
    code="BadRequest",
    operation="CreateFileSystem",
)
def _(n: str, wrong: bool) -> None:
    aws.fsx.LustreFileSystem(
        n,
        subnet_ids=subnets()[0].id,
        deployment_type="PERSISTENT_2",
        storage_capacity=1200,
        per_unit_storage_throughput=None if wrong else 125,
    )


@mistake(
    "lustre-of-no-kind",
    source="FSx service model: LustreDeploymentType",
    code="BadRequest",
    operation="CreateFileSystem",
)
def _(n: str, wrong: bool) -> None:
    kind = "FOREVER_1" if wrong else "SCRATCH_2"
    aws.fsx.LustreFileSystem(n, subnet_ids=subnets()[0].id, deployment_type=kind, storage_capacity=1200)


@mistake(
    "database-in-one-zone",
    source="RDS API reference: CreateDBSubnetGroup, DBSubnetGroupDoesNotCoverEnoughAZs",
    code="DBSubnetGroupDoesNotCoverEnoughAZs",
    operation="CreateDBSubnetGroup",
)
def _(n: str, wrong: bool) -> None:
    chosen = subnets()[:1] if wrong else subnets()[:2]
    aws.rds.SubnetGroup(n, subnet_ids=[s.id for s in chosen])


@mistake(
    "database-of-no-engine",
    source="RDS API reference: CreateDBInstance, Engine",
    code="InvalidParameterValue",
    operation="CreateDBInstance",
)
def _(n: str, wrong: bool) -> None:
    aws.rds.Instance(
        n,
        engine="postgrez" if wrong else "postgres",
        instance_class="db.t3.micro",
        allocated_storage=20,
        username="app",
        password="hush-hush-1",
        skip_final_snapshot=True,
    )


@mistake(
    "database-with-a-short-password",
    source="RDS API reference: CreateDBInstance, MasterUserPassword has 8 characters at least",
    code="InvalidParameterValue",
    operation="CreateDBInstance",
)
def _(n: str, wrong: bool) -> None:
    aws.rds.Instance(
        n,
        engine="postgres",
        instance_class="db.t3.micro",
        allocated_storage=20,
        username="app",
        password="short" if wrong else "long-enough",
        skip_final_snapshot=True,
    )


@mistake(
    "table-of-no-type",
    source="DynamoDB service model: ScalarAttributeType",
    code="ValidationException",
    operation="CreateTable",
)
def _(n: str, wrong: bool) -> None:
    key = aws.dynamodb.TableAttributeArgs(name="id", type="T" if wrong else "S")
    aws.dynamodb.Table(n, hash_key="id", billing_mode="PAY_PER_REQUEST", attributes=[key])


@mistake(
    "table-twice",
    source="DynamoDB API reference: CreateTable, ResourceInUseException",
    code="ResourceInUseException",
    operation="CreateTable",
)
def _(n: str, wrong: bool) -> None:
    key = aws.dynamodb.TableAttributeArgs(name="id", type="S")
    first = aws.dynamodb.Table(
        f"{n}-first", name="one", hash_key="id", billing_mode="PAY_PER_REQUEST", attributes=[key]
    )
    name = first.name.apply(lambda _: "one" if wrong else "two")
    aws.dynamodb.Table(n, name=name, hash_key="id", billing_mode="PAY_PER_REQUEST", attributes=[key])
