"""Buckets and what is set on them, objects, log groups.

Sources: S3 and CloudWatch Logs API references; the provider's documentation of each type.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, ClassVar

from simcloud.aws.client import AwsClient, mapping, pairs
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import REGIONAL, AwsType, Props, present, unwire, wire
from simcloud.aws.types.identity import document, kept_document
from simcloud.aws.types.network import absent_is_none
from simcloud.provider.model import AutoName, CloudError

_HOSTED_ZONES = {"us-east-1": "Z3AQBSTGFJSTF", "us-east-2": "Z2O1EMRO9K5GLX", "us-west-2": "Z3BJ6K6RIION7M"}
"""Route 53 zone ids of S3 website endpoints. Source: AWS General Reference, 'Amazon S3 endpoints and quotas'."""


class Bucket(AwsType):
    """aws.s3.Bucket."""

    token: ClassVar[str] = "aws:s3/bucket:Bucket"
    service = "s3"
    auto_name = AutoName("bucket", max_length=63, lower=True)
    replace_on = frozenset({"region", "bucket", "bucketPrefix", "objectLockEnabled", "bucketNamespace"})
    defaults = {"forceDestroy": False}
    computed = REGIONAL | {
        "accelerationStatus",
        "acl",
        "bucketPrefix",
        "corsRules",
        "grants",
        "lifecycleRules",
        "logging",
        "objectLockEnabled",
        "objectLockConfiguration",
        "policy",
        "replicationConfiguration",
        "requestPayer",
        "serverSideEncryptionConfiguration",
        "versioning",
        "website",
        "bucketNamespace",
    }
    write_only = frozenset({"forceDestroy", "bucketPrefix", "acl"})
    sources = ("S3 API: CreateBucket, DeleteBucket, PutBucketTagging",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api, name, region = self.api(cloud, inputs), str(inputs["bucket"]), self.region(cloud, inputs)
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        lock = {"ObjectLockEnabledForBucket": True} if inputs.get("objectLockEnabled") else {}
        api.create_bucket(Bucket=name, **where, **lock)
        tags = cloud.tags(inputs)
        if tags:
            api.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs(tags)})
        if (inputs.get("versioning") or {}).get("enabled"):
            api.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if inputs.get("policy"):
            api.put_bucket_policy(Bucket=name, Policy=document(inputs["policy"]))
        return name

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        api = self.api(cloud, known)
        if absent_is_none(lambda: api.head_bucket(Bucket=id), "404") is None:
            return None
        region = api.get_bucket_location(Bucket=id).get("LocationConstraint") or "us-east-1"
        tagging = absent_is_none(lambda: api.get_bucket_tagging(Bucket=id))
        versioning = api.get_bucket_versioning(Bucket=id)
        policy = absent_is_none(lambda: api.get_bucket_policy(Bucket=id))
        return {
            "region": region,
            "bucket": id,
            "arn": f"arn:aws:s3:::{id}",
            "bucketRegion": region,
            "bucketDomainName": f"{id}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{id}.s3.{region}.amazonaws.com",
            "hostedZoneId": _HOSTED_ZONES.get(region, ""),
            "forceDestroy": known.get("forceDestroy", False),
            "bucketPrefix": known.get("bucketPrefix") or "",
            "acl": known.get("acl"),
            "requestPayer": "BucketOwner",
            "objectLockEnabled": bool(known.get("objectLockEnabled")),
            "versioning": {"enabled": versioning.get("Status") == "Enabled", "mfaDelete": False},
            "policy": kept_document(policy["Policy"], known.get("policy")) if policy else None,
            **cloud.own_tags(mapping((tagging or {}).get("TagSet")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        before, after = cloud.tags_before(old), cloud.tags(new)
        if before != after:
            if after:
                api.put_bucket_tagging(Bucket=id, Tagging={"TagSet": pairs(after)})
            else:
                api.delete_bucket_tagging(Bucket=id)
        was, now = (old.get("versioning") or {}).get("enabled"), (new.get("versioning") or {}).get("enabled")
        if was != now and now is not None:
            api.put_bucket_versioning(Bucket=id, VersioningConfiguration={"Status": "Enabled" if now else "Suspended"})
        if old.get("policy") != new.get("policy"):
            if new.get("policy"):
                api.put_bucket_policy(Bucket=id, Policy=document(new["policy"]))
            else:
                api.delete_bucket_policy(Bucket=id)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        if absent_is_none(lambda: api.head_bucket(Bucket=id), "404") is None:
            return
        if state.get("forceDestroy"):
            self._empty(api, id)
        absent_is_none(lambda: api.delete_bucket(Bucket=id))

    def _empty(self, api: Any, id: str) -> None:
        while True:
            page = api.list_object_versions(Bucket=id, MaxKeys=1000)
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if not found:
                return
            rows = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in found]
            api.delete_objects(Bucket=id, Delete={"Objects": rows, "Quiet": True})


class BucketV2(Bucket):
    """aws.s3.BucketV2: the same bucket, whose settings are lists."""

    token = "aws:s3/bucketV2:BucketV2"
    computed = frozenset(
        {
            "region",
            "accelerationStatus",
            "acl",
            "bucketPrefix",
            "corsRules",
            "grants",
            "lifecycleRules",
            "loggings",
            "objectLockConfiguration",
            "objectLockEnabled",
            "policy",
            "replicationConfigurations",
            "requestPayer",
            "serverSideEncryptionConfigurations",
            "versionings",
            "websites",
            "bucketNamespace",
        }
    )
    _LISTS = {"versioning": "versionings"}

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        state = super().read(cloud, id, known)
        if state is None:
            return None
        return {self._LISTS.get(k, k): [v] if k in self._LISTS else v for k, v in state.items()}


class _BucketSetting(AwsType):
    """Something that is set on a bucket, and whose id is the bucket's name."""

    service = "s3"
    replace_on: ClassVar[frozenset[str]] = frozenset({"region", "bucket"})
    getter: ClassVar[str]
    deleter: ClassVar[str] = ""

    def put(self, api: Any, inputs: Props) -> None:
        """Set it."""
        raise NotImplementedError

    def shown(self, answer: Props, known: Props) -> dict[str, Any] | None:
        """The state from the getter's answer; None when nothing is set."""
        raise NotImplementedError

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self.put(self.api(cloud, inputs), inputs)
        return str(inputs["bucket"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        answer = absent_is_none(
            lambda: getattr(self.api(cloud, known), self.getter)(Bucket=id),
            "ServerSideEncryptionConfigurationNotFoundError",
        )
        state = None if answer is None else self.shown(answer, known)
        return None if state is None else {"region": self.region(cloud, known), "bucket": id, **state}

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.put(self.api(cloud, new), new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: getattr(self.api(cloud, state), self.deleter)(Bucket=id))


class BucketVersioning(_BucketSetting):
    """aws.s3.BucketVersioning. Deleting it suspends the versioning: it cannot be taken back."""

    token = "aws:s3/bucketVersioning:BucketVersioning"
    also = ("aws:s3/bucketVersioningV2:BucketVersioningV2",)
    replace_on = frozenset({"region", "bucket", "expectedBucketOwner"})
    getter = "get_bucket_versioning"
    write_only = frozenset({"mfa"})
    sources = ("S3 API: PutBucketVersioning",)

    def put(self, api: Any, inputs: Props) -> None:
        api.put_bucket_versioning(
            Bucket=inputs["bucket"], VersioningConfiguration={"Status": inputs["versioningConfiguration"]["status"]}
        )

    def shown(self, answer: Props, known: Props) -> dict[str, Any] | None:
        return {"versioningConfiguration": {"status": answer.get("Status", "Disabled"), "mfaDelete": ""}}

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(
            lambda: self.api(cloud, state).put_bucket_versioning(
                Bucket=id, VersioningConfiguration={"Status": "Suspended"}
            )
        )


_RENAMES = {"kmsMasterKeyId": "KMSMasterKeyID", "sseAlgorithm": "SSEAlgorithm", "id": "ID"}


class BucketEncryption(_BucketSetting):
    """aws.s3.BucketServerSideEncryptionConfiguration."""

    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    also = ("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",)
    replace_on = frozenset({"region", "bucket", "expectedBucketOwner"})
    getter, deleter = "get_bucket_encryption", "delete_bucket_encryption"
    unordered = frozenset({"rules"})
    sources = ("S3 API: PutBucketEncryption, DeleteBucketEncryption",)

    def put(self, api: Any, inputs: Props) -> None:
        shape = api.shape("PutBucketEncryption").members["ServerSideEncryptionConfiguration"].members["Rules"]
        rules = wire(shape, inputs["rules"], _RENAMES)
        api.put_bucket_encryption(Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules})

    def shown(self, answer: Props, known: Props) -> dict[str, Any] | None:
        rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
        shown = [unwire("@s3.BucketServerSideEncryptionConfigurationRule", r, _RENAMES) for r in rules]
        # Off is what S3 says where nobody said anything: to the provider both are the same.
        if not any("bucketKeyEnabled" in rule for rule in known.get("rules") or ()):
            shown = [{k: v for k, v in rule.items() if k != "bucketKeyEnabled" or v} for rule in shown]
        return {"rules": shown}


class BucketPublicAccessBlock(_BucketSetting):
    """aws.s3.BucketPublicAccessBlock."""

    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    getter, deleter = "get_public_access_block", "delete_public_access_block"
    write_only = frozenset({"skipDestroy"})
    _names: ClassVar = {
        "blockPublicAcls": "BlockPublicAcls",
        "blockPublicPolicy": "BlockPublicPolicy",
        "ignorePublicAcls": "IgnorePublicAcls",
        "restrictPublicBuckets": "RestrictPublicBuckets",
    }
    defaults = dict.fromkeys(_names, False)
    sources = ("S3 API: PutPublicAccessBlock",)

    def put(self, api: Any, inputs: Props) -> None:
        config = {theirs: bool(inputs.get(ours)) for ours, theirs in self._names.items()}
        api.put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=config)

    def shown(self, answer: Props, known: Props) -> dict[str, Any] | None:
        config = answer["PublicAccessBlockConfiguration"]
        return {ours: bool(config.get(theirs)) for ours, theirs in self._names.items()}


class BucketPolicy(_BucketSetting):
    """aws.s3.BucketPolicy."""

    token = "aws:s3/bucketPolicy:BucketPolicy"
    getter, deleter = "get_bucket_policy", "delete_bucket_policy"
    sources = ("S3 API: PutBucketPolicy",)

    def put(self, api: Any, inputs: Props) -> None:
        api.put_bucket_policy(Bucket=inputs["bucket"], Policy=document(inputs["policy"]))

    def shown(self, answer: Props, known: Props) -> dict[str, Any] | None:
        return {"policy": kept_document(answer["Policy"], known.get("policy"))}


class BucketOwnershipControls(_BucketSetting):
    """aws.s3.BucketOwnershipControls."""

    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    getter, deleter = "get_bucket_ownership_controls", "delete_bucket_ownership_controls"
    sources = ("S3 API: PutBucketOwnershipControls",)

    def put(self, api: Any, inputs: Props) -> None:
        rules = [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]
        api.put_bucket_ownership_controls(Bucket=inputs["bucket"], OwnershipControls={"Rules": rules})

    def shown(self, answer: Props, known: Props) -> dict[str, Any] | None:
        return {"rule": {"objectOwnership": answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}}


class BucketLifecycle(_BucketSetting):
    """aws.s3.BucketLifecycleConfiguration."""

    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    also = ("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",)
    replace_on = frozenset({"region", "bucket", "expectedBucketOwner"})
    getter, deleter = "get_bucket_lifecycle_configuration", "delete_bucket_lifecycle"
    defaults = {"transitionDefaultMinimumObjectSize": "all_storage_classes_128K"}
    write_only = frozenset({"timeouts", "expectedBucketOwner", "transitionDefaultMinimumObjectSize"})
    sources = ("S3 API: PutBucketLifecycleConfiguration",)

    def put(self, api: Any, inputs: Props) -> None:
        shape = api.shape("PutBucketLifecycleConfiguration").members["LifecycleConfiguration"].members["Rules"]
        rules = wire(shape, inputs.get("rules") or [], _RENAMES)
        for rule in rules:
            if not rule.get("Filter") and "Prefix" not in rule:
                rule["Filter"] = {"Prefix": ""}
        api.put_bucket_lifecycle_configuration(Bucket=inputs["bucket"], LifecycleConfiguration={"Rules": rules})

    def shown(self, answer: Props, known: Props) -> dict[str, Any] | None:
        rules = [unwire("@s3.BucketLifecycleConfigurationRule", r, _RENAMES) for r in answer["Rules"]]
        said = {r.get("id"): r for r in known.get("rules") or ()}
        for rule in rules:
            # A rule for every object has an empty prefix; the program may have said that by saying nothing.
            if rule.get("filter") in ({}, {"prefix": ""}) and not (said.get(rule.get("id")) or {}).get("filter"):
                rule.pop("filter")
        keep = {k: known[k] for k in ("transitionDefaultMinimumObjectSize", "expectedBucketOwner") if known.get(k)}
        return {**self.defaults, **keep, "rules": rules}


def _file(path: str, digest: str) -> bytes:
    """A file's content; the engine's digest of it where this process cannot find it: a relative path starts at the
    folder of the program, which the engine does not tell."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return f"the content of {path}, sha256 {digest}".encode()


class BucketObject(AwsType):
    """aws.s3.BucketObject with text content."""

    token: ClassVar[str] = "aws:s3/bucketObject:BucketObject"
    service = "s3"
    auto_name = AutoName("key", max_length=1024)
    replace_on = frozenset({"region", "bucket", "key"})
    defaults = {"acl": "private", "forceDestroy": False}
    computed = REGIONAL | {
        "contentType",
        "storageClass",
        "serverSideEncryption",
        "kmsKeyId",
        "etag",
        "bucketKeyEnabled",
    }
    write_only = frozenset({"content", "contentBase64", "source", "sourceHash", "acl", "forceDestroy", "metadata"})
    changed_by_update = frozenset({"etag", "versionId"})
    sources = ("S3 API: PutObject, HeadObject, DeleteObject",)

    def _body(self, inputs: Props) -> bytes:
        if inputs.get("contentBase64"):
            return base64.b64decode(inputs["contentBase64"])
        source = inputs.get("source")
        if isinstance(source, dict):
            if source.get("text") is not None:
                return str(source["text"]).encode()
            if source.get("path"):
                return _file(source["path"], str(source.get("hash")))
        return str(inputs.get("content") or "").encode()

    def _put(self, cloud: AwsClient, inputs: Props) -> None:
        asked = present(
            {
                "ContentType": inputs.get("contentType"),
                "Metadata": inputs.get("metadata"),
                "StorageClass": inputs.get("storageClass"),
                "CacheControl": inputs.get("cacheControl"),
            }
        )
        api = self.api(cloud, inputs)
        api.put_object(Bucket=inputs["bucket"], Key=inputs["key"], Body=self._body(inputs), **asked)
        tags = cloud.tags(inputs)
        if tags:
            api.put_object_tagging(Bucket=inputs["bucket"], Key=inputs["key"], Tagging={"TagSet": pairs(tags)})

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self._put(cloud, inputs)
        return f"{inputs['bucket']}/{inputs['key']}"

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        bucket, _, key = id.removeprefix("s3://").partition("/")
        api = self.api(cloud, known)
        head = absent_is_none(lambda: api.head_object(Bucket=bucket, Key=key), "404")
        if head is None:
            return None
        tagging = absent_is_none(lambda: api.get_object_tagging(Bucket=bucket, Key=key))
        kept = {k: known[k] for k in self.write_only if known.get(k) is not None}
        return {
            **self.defaults,
            **kept,
            "region": self.region(cloud, known),
            "bucket": bucket,
            "key": key,
            "arn": f"arn:aws:s3:::{bucket}/{key}",
            "etag": head["ETag"].strip('"'),
            "versionId": head.get("VersionId", ""),
            "contentType": head.get("ContentType", ""),
            "storageClass": head.get("StorageClass", "STANDARD"),
            "serverSideEncryption": head.get("ServerSideEncryption", "AES256"),
            "bucketKeyEnabled": False,
            "cacheControl": head.get("CacheControl"),
            **cloud.own_tags(mapping((tagging or {}).get("TagSet")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self._put(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api, bucket, key = self.api(cloud, state), state["bucket"], state["key"]
        if absent_is_none(lambda: api.head_bucket(Bucket=bucket), "404") is None:
            return
        # The provider deletes every version of the object.
        versions = api.list_object_versions(Bucket=bucket, Prefix=key)
        for one in [*versions.get("Versions", ()), *versions.get("DeleteMarkers", ())]:
            if one["Key"] == key:
                api.delete_object(Bucket=bucket, Key=key, VersionId=one["VersionId"])


class LogGroup(AwsType):
    """aws.cloudwatch.LogGroup."""

    token = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    auto_name = AutoName(max_length=512)
    replace_on = frozenset({"region", "name", "namePrefix", "logGroupClass"})
    defaults = {"skipDestroy": False, "retentionInDays": 0}
    computed = REGIONAL | {"namePrefix", "logGroupClass", "deletionProtectionEnabled"}
    write_only = frozenset({"skipDestroy", "namePrefix"})
    sources = ("CloudWatch Logs API: CreateLogGroup, PutRetentionPolicy", "AWS::Logs::LogGroup createOnlyProperties")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api, tags = self.api(cloud, inputs), cloud.tags(inputs)
        asked = present(
            {"kmsKeyId": inputs.get("kmsKeyId"), "logGroupClass": inputs.get("logGroupClass"), "tags": tags or None}
        )
        api.create_log_group(logGroupName=inputs["name"], **asked)
        self._retention(api, {}, inputs)
        return str(inputs["name"])

    def _retention(self, api: Any, old: Props, new: Props) -> None:
        was, now = old.get("retentionInDays") or 0, new.get("retentionInDays") or 0
        if now and now != was:
            api.put_retention_policy(logGroupName=new["name"], retentionInDays=now)
        elif was and not now:
            api.delete_retention_policy(logGroupName=new["name"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        api, region = self.api(cloud, known), self.region(cloud, known)
        found = api.describe_log_groups(logGroupNamePrefix=id)["logGroups"]
        group = next((g for g in found if g["logGroupName"] == id), None)
        if group is None:
            return None
        tags = api.list_tags_log_group(logGroupName=id).get("tags", {})
        return {
            "region": region,
            "name": id,
            "arn": f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{id}",
            "retentionInDays": group.get("retentionInDays", 0),
            "kmsKeyId": group.get("kmsKeyId"),
            "logGroupClass": group.get("logGroupClass") or "STANDARD",
            "skipDestroy": known.get("skipDestroy", False),
            "namePrefix": known.get("namePrefix") or "",
            "deletionProtectionEnabled": False,
            **cloud.own_tags(tags, known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        self._retention(api, old, new)
        if old.get("kmsKeyId") != new.get("kmsKeyId"):
            if not new.get("kmsKeyId"):
                raise CloudError(
                    "NotModelled", "DisassociateKmsKey", "taking the key off a log group is not modelled", 501
                )
            api.associate_kms_key(logGroupName=id, kmsKeyId=new["kmsKeyId"])
        gone, changed = cloud.tag_changes(old, new)
        if gone:
            api.untag_log_group(logGroupName=id, tags=gone)
        if changed:
            api.tag_log_group(logGroupName=id, tags=changed)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        if not state.get("skipDestroy"):
            absent_is_none(lambda: self.api(cloud, state).delete_log_group(logGroupName=id))


TYPES = (
    Bucket,
    BucketV2,
    BucketVersioning,
    BucketEncryption,
    BucketPublicAccessBlock,
    BucketPolicy,
    BucketOwnershipControls,
    BucketLifecycle,
    BucketObject,
    LogGroup,
)
