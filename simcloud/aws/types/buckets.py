"""What is set on a bucket: website, access list, rules for browsers, logging, notifications; objects of the newer type.

Sources: S3 API reference; the provider's documentation of each type.
"""

from __future__ import annotations

from typing import Any

from simcloud.aws.client import AwsClient
from simcloud.aws.types.base import REGIONAL, Props, present
from simcloud.aws.types.network import absent_is_none
from simcloud.aws.types.storage import BucketObject
from simcloud.aws.types.table import TableType

SETTING = frozenset({"region", "bucket"})
OWNED = SETTING | {"expectedBucketOwner"}


class _Setting(TableType):
    service = "s3"
    id_form = "{bucket}"
    named = {"Bucket": "id", "ExpectedBucketOwner": "expectedBucketOwner"}
    replace_on = OWNED
    write_only = frozenset({"expectedBucketOwner"})


class BucketWebsite(_Setting):
    """aws.s3.BucketWebsiteConfiguration."""

    token = "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration"
    also = ("aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2",)
    creates, reads, deletes = "PutBucketWebsite", "GetBucketWebsite", "DeleteBucketWebsite"
    computed = REGIONAL | {"routingRules", "routingRuleDetails"}
    provider_only = frozenset({"routingRuleDetails"})
    shows = {
        "websiteDomain": "s3-website-{region}.amazonaws.com",
        "websiteEndpoint": "{bucket}.s3-website-{region}.amazonaws.com",
    }
    sources = ("S3 API: PutBucketWebsite, GetBucketWebsite, DeleteBucketWebsite",)

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        shape = self.api(cloud, inputs).shape(self.creates).members["WebsiteConfiguration"]
        return {**asked, "WebsiteConfiguration": self.parameters(shape, inputs)}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        # The old form of the endpoint, with a dash, is the one of the older regions; the newer ones have a dot.
        dot = state["region"] not in _DASHED
        if dot:
            state["websiteDomain"] = f"s3-website.{state['region']}.amazonaws.com"
            state["websiteEndpoint"] = f"{state['bucket']}.{state['websiteDomain']}"


_DASHED = frozenset(
    {
        "us-east-1",
        "us-west-1",
        "us-west-2",
        "eu-west-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-northeast-1",
        "sa-east-1",
        "us-gov-west-1",
    }
)
"""Regions whose website endpoint has a dash. Source: AWS General Reference, "Amazon S3 website endpoints"."""


class BucketAcl(_Setting):
    """aws.s3.BucketAcl. Deleting it leaves the list as it is."""

    token = "aws:s3/bucketAcl:BucketAcl"
    also = ("aws:s3/bucketAclV2:BucketAclV2",)
    creates, reads = "PutBucketAcl", "GetBucketAcl"
    renames = {"acl": "ACL", "accessControlPolicy": "AccessControlPolicy", "displayName": "DisplayName", "id": "ID"}
    computed = REGIONAL | {"accessControlPolicy"}
    write_only = frozenset({"expectedBucketOwner", "acl"})
    sources = ("S3 API: PutBucketAcl, GetBucketAcl",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        id = super().create(cloud, inputs)
        return f"{id},{inputs['acl']}" if inputs.get("acl") else id

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        return {"Bucket": id.split(",")[0]}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        super().create(cloud, new)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["bucket"] = known.get("bucket")
        grants = [
            {
                "permission": g["Permission"],
                "grantee": present(
                    {
                        "type": g["Grantee"]["Type"],
                        "id": g["Grantee"].get("ID"),
                        "uri": g["Grantee"].get("URI"),
                        "displayName": g["Grantee"].get("DisplayName"),
                    }
                ),
            }
            for g in row.get("Grants") or ()
        ]
        owner = row.get("Owner") or {}
        state["accessControlPolicy"] = {
            "grants": grants,
            "owner": {"id": owner.get("ID", ""), "displayName": owner.get("DisplayName", "")},
        }


class BucketCors(_Setting):
    """aws.s3.BucketCorsConfiguration."""

    token = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
    also = ("aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2",)
    creates, reads, deletes = "PutBucketCors", "GetBucketCors", "DeleteBucketCors"
    renames = {"id": "ID"}
    unordered = frozenset({"corsRules"})
    sources = ("S3 API: PutBucketCors, GetBucketCors, DeleteBucketCors",)

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        shape = self.api(cloud, inputs).shape(self.creates).members["CORSConfiguration"]
        return {"Bucket": inputs["bucket"], "CORSConfiguration": self.parameters(shape, inputs)}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)


class BucketLogging(_Setting):
    """aws.s3.BucketLogging."""

    token = "aws:s3/bucketLogging:BucketLogging"
    also = ("aws:s3/bucketLoggingV2:BucketLoggingV2",)
    creates, reads, row = "PutBucketLogging", "GetBucketLogging", "LoggingEnabled"
    sources = ("S3 API: PutBucketLogging, GetBucketLogging",)

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        shape = self.api(cloud, inputs).shape(self.creates).members["BucketLoggingStatus"].members["LoggingEnabled"]
        return {"Bucket": inputs["bucket"], "BucketLoggingStatus": {"LoggingEnabled": self.parameters(shape, inputs)}}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).put_bucket_logging(Bucket=id, BucketLoggingStatus={}))


class BucketNotification(_Setting):
    """aws.s3.BucketNotification."""

    token = "aws:s3/bucketNotification:BucketNotification"
    creates, reads = "PutBucketNotificationConfiguration", "GetBucketNotificationConfiguration"
    replace_on = SETTING
    defaults = {"eventbridge": False}
    write_only = frozenset()
    sources = ("S3 API: PutBucketNotificationConfiguration",)
    _KINDS = (
        ("lambdaFunctions", "LambdaFunctionConfigurations", "lambdaFunctionArn", "LambdaFunctionArn"),
        ("queues", "QueueConfigurations", "queueArn", "QueueArn"),
        ("topics", "TopicConfigurations", "topicArn", "TopicArn"),
    )

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for property, member, ours, theirs in self._KINDS:
            rows = []
            for place, one in enumerate(inputs.get(property) or ()):
                rules = [
                    {"Name": word, "Value": one[name]}
                    for name, word in (("filterPrefix", "prefix"), ("filterSuffix", "suffix"))
                    if one.get(name)
                ]
                rows.append(
                    {
                        "Id": one.get("id") or f"tf-s3-{property}-{place}",
                        theirs: one[ours],
                        "Events": list(one["events"]),
                        **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {}),
                    }
                )
            if rows:
                found[member] = rows
        if inputs.get("eventbridge"):
            found["EventBridgeConfiguration"] = {}
        return {"Bucket": inputs["bucket"], "NotificationConfiguration": found}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        empty: dict[str, Any] = {}
        absent_is_none(
            lambda: self.api(cloud, state).put_bucket_notification_configuration(
                Bucket=id, NotificationConfiguration=empty
            )
        )

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        for property, member, ours, theirs in self._KINDS:
            rows = []
            for one in row.get(member) or ():
                rules = {
                    r["Name"].lower(): r["Value"]
                    for r in ((one.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ()
                }
                rows.append(
                    present(
                        {
                            "id": one["Id"],
                            ours: one[theirs],
                            "events": one["Events"],
                            "filterPrefix": rules.get("prefix"),
                            "filterSuffix": rules.get("suffix"),
                        }
                    )
                )
            state[property] = rows
        state["eventbridge"] = "EventBridgeConfiguration" in row


class BucketAccelerate(_Setting):
    """aws.s3.BucketAccelerateConfiguration. Deleting it suspends the acceleration."""

    token = "aws:s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration"
    also = ("aws:s3/bucketAccelerateConfigurationV2:BucketAccelerateConfigurationV2",)
    reads, creates = "GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration"
    sources = ("S3 API: PutBucketAccelerateConfiguration",)

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Bucket": inputs["bucket"], "AccelerateConfiguration": {"Status": inputs["status"]}}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.create(cloud, {**state, "status": "Suspended"}))


class BucketRequestPayment(_Setting):
    """aws.s3.BucketRequestPaymentConfiguration. Deleting it lets the owner pay again."""

    token = "aws:s3/bucketRequestPaymentConfiguration:BucketRequestPaymentConfiguration"
    also = ("aws:s3/bucketRequestPaymentConfigurationV2:BucketRequestPaymentConfigurationV2",)
    reads, creates = "GetBucketRequestPayment", "PutBucketRequestPayment"
    sources = ("S3 API: PutBucketRequestPayment",)

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Bucket": inputs["bucket"], "RequestPaymentConfiguration": {"Payer": inputs["payer"]}}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.create(cloud, {**state, "payer": "BucketOwner"}))


class BucketObjectLock(_Setting):
    """aws.s3.BucketObjectLockConfiguration. Deleting it takes the rule away; the lock stays on."""

    token = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    also = ("aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",)
    reads, row, creates = "GetObjectLockConfiguration", "ObjectLockConfiguration", "PutObjectLockConfiguration"
    replace_on = OWNED | {"objectLockEnabled"}
    defaults = {"objectLockEnabled": "Enabled"}
    write_only = frozenset({"token", "expectedBucketOwner"})
    gone_codes = ("ObjectLockConfigurationNotFoundError",)
    sources = ("S3 API: PutObjectLockConfiguration",)

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        shape = self.api(cloud, inputs).shape(self.creates).members["ObjectLockConfiguration"]
        return {"Bucket": inputs["bucket"], "ObjectLockConfiguration": self.parameters(shape, inputs)}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.create(cloud, {k: v for k, v in state.items() if k != "rule"}))


class BucketObjectv2(BucketObject):
    """aws.s3.BucketObjectv2."""

    token = "aws:s3/bucketObjectv2:BucketObjectv2"
    defaults = {"forceDestroy": False}
    computed = BucketObject.computed | {"acl", "checksumAlgorithm"}


TYPES = (
    BucketWebsite,
    BucketAcl,
    BucketCors,
    BucketLogging,
    BucketNotification,
    BucketAccelerate,
    BucketRequestPayment,
    BucketObjectLock,
    BucketObjectv2,
)
