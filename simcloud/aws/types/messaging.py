"""Queues, topics, streams, events and state machines.

Sources: SQS, SNS, Kinesis, EventBridge and Step Functions API references; `createOnlyProperties` of the registry
schemas; the provider's documentation.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from simcloud.aws.client import AwsClient
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import REGIONAL, Props
from simcloud.aws.types.identity import document
from simcloud.aws.types.network import absent_is_none
from simcloud.aws.types.table import TableType, same_document
from simcloud.provider.model import AutoName, Failure


class _Attributes(TableType):
    """A type most of whose properties are attributes: a mapping of names to texts."""

    attributes: ClassVar[Mapping[str, str]] = {}
    kinds: ClassVar[Mapping[str, str]] = {}

    def texts(self, props: Props) -> dict[str, str]:
        """The attributes that the program gives."""
        found = {}
        for name, key in self.attributes.items():
            value = props.get(name)
            if value in (None, ""):
                continue
            if name in self.documents:
                found[key] = document(value)
            else:
                found[key] = str(value).lower() if isinstance(value, bool) else str(value)
        return found

    def show(self, live: Mapping[str, str], state: dict[str, Any], known: Props) -> None:
        """Put live attributes into the state."""
        for name, key in self.attributes.items():
            if live.get(key) in (None, ""):
                continue
            text, kind = live[key], self.kinds.get(name, "str")
            if name in self.documents:
                state[name] = same_document(text, known.get(name))
            else:
                state[name] = text == "true" if kind == "bool" else int(text) if kind == "int" else text


class Queue(_Attributes):
    """aws.sqs.Queue."""

    token = "aws:sqs/queue:Queue"
    service = "sqs"
    auto_name = AutoName(max_length=80)
    creates, made = "CreateQueue", "QueueUrl"
    reads, row, deletes = "GetQueueAttributes", "Attributes", "DeleteQueue"
    named = {"QueueUrl": "id"}
    replace_on = frozenset({"region", "name", "namePrefix", "fifoQueue"})
    defaults = {
        "delaySeconds": 0,
        "fifoQueue": False,
        "contentBasedDeduplication": False,
        "messageRetentionSeconds": 345600,
        "receiveWaitTimeSeconds": 0,
        "visibilityTimeoutSeconds": 30,
    }
    computed = REGIONAL | {
        "namePrefix",
        "policy",
        "deduplicationScope",
        "fifoThroughputLimit",
        "kmsDataKeyReusePeriodSeconds",
        "redriveAllowPolicy",
        "redrivePolicy",
        "sqsManagedSseEnabled",
        "maxMessageSize",
    }
    documents = frozenset({"policy", "redrivePolicy", "redriveAllowPolicy"})
    attributes = {
        "contentBasedDeduplication": "ContentBasedDeduplication",
        "deduplicationScope": "DeduplicationScope",
        "delaySeconds": "DelaySeconds",
        "fifoQueue": "FifoQueue",
        "fifoThroughputLimit": "FifoThroughputLimit",
        "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
        "kmsMasterKeyId": "KmsMasterKeyId",
        "maxMessageSize": "MaximumMessageSize",
        "messageRetentionSeconds": "MessageRetentionPeriod",
        "policy": "Policy",
        "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
        "redriveAllowPolicy": "RedriveAllowPolicy",
        "redrivePolicy": "RedrivePolicy",
        "sqsManagedSseEnabled": "SqsManagedSseEnabled",
        "visibilityTimeoutSeconds": "VisibilityTimeout",
    }
    kinds = {
        **dict.fromkeys(("contentBasedDeduplication", "fifoQueue", "sqsManagedSseEnabled"), "bool"),
        **dict.fromkeys(
            (
                "delaySeconds",
                "kmsDataKeyReusePeriodSeconds",
                "maxMessageSize",
                "messageRetentionSeconds",
                "receiveWaitTimeSeconds",
                "visibilityTimeoutSeconds",
            ),
            "int",
        ),
    }
    tag_target = {"QueueUrl": "id"}
    sources = ("SQS API: CreateQueue, SetQueueAttributes", "AWS::SQS::Queue createOnlyProperties")

    def check(self, inputs: Props) -> Iterable[Failure]:
        """A FIFO queue's name says so, and only a FIFO queue deduplicates."""
        name, fifo = str(inputs.get("name", "")), bool(inputs.get("fifoQueue"))
        if fifo and name and not name.endswith(".fifo"):
            yield Failure("name", f"invalid queue name: {name}")
        if not fifo and inputs.get("contentBasedDeduplication"):
            yield Failure("contentBasedDeduplication", "content-based deduplication can only be set for FIFO queue")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        texts = self.texts(inputs)
        if not inputs.get("fifoQueue"):
            texts.pop("FifoQueue", None)
            texts.pop("ContentBasedDeduplication", None)
        tags = {"tags": asked["tags"]} if asked.get("tags") else {}
        return {"QueueName": inputs["name"], "Attributes": texts, **tags}

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        more = {"AttributeNames": ["All"]} if "AttributeNames" in shape.members else {}
        return {**super().target(shape, id, props), **more}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        before, after = self.texts(old), self.texts(new)
        different = {k: v for k, v in after.items() if before.get(k) != v and k != "FifoQueue"}
        different |= {k: "" for k in before if k not in after}
        if different:
            self.api(cloud, new).set_queue_attributes(QueueUrl=id, Attributes=different)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        for name in self.attributes:
            state.pop(name, None)
        state |= {k: v for k, v in self.defaults.items() if k in ("fifoQueue", "contentBasedDeduplication")}
        self.show(row, state, known)
        arn = row["QueueArn"]
        state |= {"arn": arn, "name": arn.rsplit(":", 1)[1]}
        state["url"] = f"https://sqs.{state['region']}.amazonaws.com/{ACCOUNT}/{state['name']}"


class _QueueSetting(TableType):
    """One attribute of a queue as a resource of its own."""

    service = "sqs"
    id_form = "{queueUrl}"
    replace_on = frozenset({"region", "queueUrl"})
    attribute: ClassVar[tuple[str, str]] = ("", "")
    sources = ("SQS API: SetQueueAttributes, GetQueueAttributes",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        property, key = self.attribute
        self.api(cloud, inputs).set_queue_attributes(
            QueueUrl=inputs["queueUrl"], Attributes={key: document(inputs[property])}
        )
        return str(inputs["queueUrl"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        property, key = self.attribute
        answer = absent_is_none(
            lambda: self.api(cloud, known).get_queue_attributes(QueueUrl=id, AttributeNames=["All"]),
            "AWS.SimpleQueueService.NonExistentQueue",
        )
        text = (answer or {}).get("Attributes", {}).get(key)
        if not text:
            return None
        return {
            "region": self.region(cloud, known),
            "queueUrl": id,
            property: same_document(text, known.get(property)),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(
            lambda: self.api(cloud, state).set_queue_attributes(QueueUrl=id, Attributes={self.attribute[1]: ""}),
            "AWS.SimpleQueueService.NonExistentQueue",
        )


class QueuePolicy(_QueueSetting):
    """aws.sqs.QueuePolicy."""

    token = "aws:sqs/queuePolicy:QueuePolicy"
    attribute = ("policy", "Policy")


class QueueRedrivePolicy(_QueueSetting):
    """aws.sqs.RedrivePolicy."""

    token = "aws:sqs/redrivePolicy:RedrivePolicy"
    attribute = ("redrivePolicy", "RedrivePolicy")


class Topic(_Attributes):
    """aws.sns.Topic."""

    token = "aws:sns/topic:Topic"
    service = "sns"
    auto_name = AutoName(max_length=256)
    creates, made = "CreateTopic", "TopicArn"
    reads, row, deletes = "GetTopicAttributes", "Attributes", "DeleteTopic"
    named = {"TopicArn": "id"}
    replace_on = frozenset({"region", "name", "namePrefix", "fifoTopic"})
    defaults = {"fifoTopic": False, "contentBasedDeduplication": False}
    computed = REGIONAL | {
        "namePrefix",
        "policy",
        "signatureVersion",
        "tracingConfig",
        "fifoThroughputScope",
        "maximumMessageSize",
    }
    documents = frozenset({"policy", "deliveryPolicy", "archivePolicy"})
    attributes = {
        "displayName": "DisplayName",
        "policy": "Policy",
        "deliveryPolicy": "DeliveryPolicy",
        "kmsMasterKeyId": "KmsMasterKeyId",
        "contentBasedDeduplication": "ContentBasedDeduplication",
        "fifoTopic": "FifoTopic",
        "signatureVersion": "SignatureVersion",
        "tracingConfig": "TracingConfig",
        "archivePolicy": "ArchivePolicy",
    }
    kinds = {"contentBasedDeduplication": "bool", "fifoTopic": "bool", "signatureVersion": "int"}
    shows = {"owner": ACCOUNT, "arn": "{id}"}
    tag_target = {"ResourceArn": "id"}
    sources = ("SNS API: CreateTopic, SetTopicAttributes", "AWS::SNS::Topic createOnlyProperties")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        texts = self.texts(inputs)
        if not inputs.get("fifoTopic"):
            texts.pop("FifoTopic", None)
            texts.pop("ContentBasedDeduplication", None)
        tags = {"Tags": asked["Tags"]} if asked.get("Tags") else {}
        return {"Name": inputs["name"], "Attributes": texts, **tags}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        before, after = self.texts(old), self.texts(new)
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                self.api(cloud, new).set_topic_attributes(
                    TopicArn=id, AttributeName=key, AttributeValue=after.get(key, "")
                )

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        self.show(row, state, known)
        state["name"] = row["TopicArn"].rsplit(":", 1)[1]
        state["arn"] = row["TopicArn"]


class TopicPolicy(TableType):
    """aws.sns.TopicPolicy. Deleting it lets only the owner in again."""

    token = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    replace_on = frozenset({"region", "arn"})
    sources = ("SNS API: SetTopicAttributes",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self.api(cloud, inputs).set_topic_attributes(
            TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=document(inputs["policy"])
        )
        return str(inputs["arn"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        answer = absent_is_none(lambda: self.api(cloud, known).get_topic_attributes(TopicArn=id))
        text = (answer or {}).get("Attributes", {}).get("Policy")
        if not text:
            return None
        return {
            "region": self.region(cloud, known),
            "arn": id,
            "owner": ACCOUNT,
            "policy": same_document(text, known.get("policy")),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        owner = {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
        statement = {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["SNS:Publish", "SNS:Subscribe"],
            "Resource": id,
            "Condition": owner,
        }
        absent_is_none(
            lambda: self.create(cloud, {**state, "policy": {"Version": "2008-10-17", "Statement": [statement]}})
        )


class TopicSubscription(_Attributes):
    """aws.sns.TopicSubscription."""

    token = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    creates, made = "Subscribe", "SubscriptionArn"
    reads, row, deletes = "GetSubscriptionAttributes", "Attributes", "Unsubscribe"
    named = {"SubscriptionArn": "id"}
    replace_on = frozenset({"region", "endpoint", "protocol", "topic"})
    defaults = {"rawMessageDelivery": False, "confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False}
    computed = REGIONAL | {"filterPolicyScope"}
    documents = frozenset({"filterPolicy", "redrivePolicy", "deliveryPolicy", "replayPolicy"})
    provider_only = frozenset({"confirmationTimeoutInMinutes", "endpointAutoConfirms"})
    attributes = {
        "deliveryPolicy": "DeliveryPolicy",
        "filterPolicy": "FilterPolicy",
        "filterPolicyScope": "FilterPolicyScope",
        "rawMessageDelivery": "RawMessageDelivery",
        "redrivePolicy": "RedrivePolicy",
        "subscriptionRoleArn": "SubscriptionRoleArn",
    }
    kinds = {"rawMessageDelivery": "bool"}
    shows = {"ownerId": ACCOUNT, "pendingConfirmation": False, "confirmationWasAuthenticated": True}
    sources = ("SNS API: Subscribe, SetSubscriptionAttributes", "AWS::SNS::Subscription createOnlyProperties")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        texts = {k: v for k, v in self.texts(inputs).items() if v != "false"}
        return {
            "TopicArn": inputs["topic"],
            "Protocol": inputs["protocol"],
            "Endpoint": inputs["endpoint"],
            "ReturnSubscriptionArn": True,
            **({"Attributes": texts} if texts else {}),
        }

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        before, after = self.texts(old), self.texts(new)
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                self.api(cloud, new).set_subscription_attributes(
                    SubscriptionArn=id, AttributeName=key, AttributeValue=after.get(key, "")
                )

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        self.show(row, state, known)
        state |= {
            "arn": row["SubscriptionArn"],
            "topic": row["TopicArn"],
            "protocol": row["Protocol"],
            "endpoint": row["Endpoint"],
            "ownerId": ACCOUNT,
            "pendingConfirmation": row.get("PendingConfirmation") == "true",
        }


class Stream(TableType):
    """aws.kinesis.Stream."""

    token = "aws:kinesis/stream:Stream"
    service = "kinesis"
    auto_name = AutoName(max_length=128)
    creates, id_form = "CreateStream", "arn"
    reads, row, status = "DescribeStreamSummary", "StreamDescriptionSummary", ("StreamStatus", "DELETING")
    deletes, named = "DeleteStream", {"StreamName": "name"}
    renames = {"name": "StreamName", "arn": "StreamARN", "retentionPeriod": "RetentionPeriodHours", "kmsKeyId": "KeyId"}
    replace_on = frozenset({"region", "name"})
    defaults = {"encryptionType": "NONE", "enforceConsumerDeletion": False, "retentionPeriod": 24}
    computed = REGIONAL | {"arn", "streamModeDetails", "maxRecordSizeInKib"}
    provider_only = frozenset({"enforceConsumerDeletion", "shardLevelMetrics"})
    unordered = frozenset({"shardLevelMetrics"})
    arn_form = "arn:aws:kinesis:{region}:{account}:stream/{name}"
    tags_after = True
    tag_target = {"StreamName": "name"}
    sources = ("Kinesis API: CreateStream, UpdateShardCount", "AWS::Kinesis::Stream createOnlyProperties")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        super().create(cloud, inputs)
        return self.form(self.arn_form, inputs, "", self.region(cloud, inputs))

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        found = {k: v for k, v in asked.items() if k in ("StreamName", "ShardCount", "StreamModeDetails", "Tags")}
        return {"StreamModeDetails": {"StreamMode": "PROVISIONED"}, **found}

    def _names(self, id: str, props: Props) -> dict[str, Any]:
        found = super()._names(id, props)
        return {**found, "name": found.get("name") or id.rsplit("/", 1)[-1]}

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        self.changed(cloud, id, {"retentionPeriod": 24, "shardCount": inputs.get("shardCount")}, inputs)

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api, name = self.api(cloud, new), new["name"]
        was, now = old.get("retentionPeriod") or 24, new.get("retentionPeriod") or 24
        if now > was:
            api.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=now)
        elif now < was:
            api.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=now)
        if new.get("shardCount") and new["shardCount"] != old.get("shardCount"):
            api.update_shard_count(StreamName=name, TargetShardCount=new["shardCount"], ScalingType="UNIFORM_SCALING")
        if (old.get("encryptionType") or "NONE") != (new.get("encryptionType") or "NONE"):
            if new.get("encryptionType") == "KMS":
                api.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=new["kmsKeyId"])
            else:
                api.stop_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=old["kmsKeyId"])

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        mode = (row.get("StreamModeDetails") or {}).get("StreamMode", "PROVISIONED")
        state |= {
            "arn": row["StreamARN"],
            "shardCount": row.get("OpenShardCount") if mode == "PROVISIONED" else None,
            "streamModeDetails": {"streamMode": mode},
        }


# EventBridge


class EventBus(TableType):
    """aws.cloudwatch.EventBus."""

    token = "aws:cloudwatch/eventBus:EventBus"
    service = "events"
    auto_name = AutoName(max_length=256)
    creates, reads, deletes = "CreateEventBus", "DescribeEventBus", "DeleteEventBus"
    named = {"Name": "id"}
    replace_on = frozenset({"region", "name", "eventSourceName"})
    tag_target = {"ResourceARN": "arn"}
    sources = ("EventBridge API: CreateEventBus", "AWS::Events::EventBus createOnlyProperties")


class EventRule(TableType):
    """aws.cloudwatch.EventRule."""

    token = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    auto_name = AutoName(max_length=64)
    creates, reads, deletes = "PutRule", "DescribeRule", "DeleteRule"
    updates = ("PutRule",)
    named = {"Name": "name", "EventBusName": "eventBusName"}
    replace_on = frozenset({"region", "name", "namePrefix", "eventBusName"})
    defaults = {"eventBusName": "default", "forceDestroy": False}
    computed = REGIONAL | {"namePrefix", "isEnabled", "state"}
    provider_only = frozenset({"forceDestroy", "isEnabled"})
    documents = frozenset({"eventPattern"})
    sources = ("EventBridge API: PutRule, DeleteRule", "AWS::Events::Rule createOnlyProperties")

    def check(self, inputs: Props) -> Iterable[Failure]:
        """A rule waits for events, or for a time."""
        if inputs.get("eventPattern") is None and inputs.get("scheduleExpression") is None:
            yield Failure("eventPattern", "one of eventPattern, scheduleExpression must be specified")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        super().create(cloud, inputs)
        bus = inputs.get("eventBusName") or "default"
        return str(inputs["name"]) if bus == "default" else f"{bus}/{inputs['name']}"

    def _parts(self, id: str) -> dict[str, str]:
        bus, _, name = id.rpartition("/")
        return {"eventBusName": bus or "default", "name": name}

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, **self._state(inputs)}

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, **self._state(new)}

    def _state(self, props: Props) -> dict[str, Any]:
        if props.get("isEnabled") is not None:
            return {"State": "ENABLED" if props["isEnabled"] else "DISABLED"}
        return {"State": props.get("state") or "ENABLED"}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if self._state(old) != self._state(new):
            word = "Enable" if self._state(new)["State"] == "ENABLED" else "Disable"
            self.api(cloud, new).does(f"{word}Rule", **self.target(self.api(cloud, new).shape("EnableRule"), id, new))

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["isEnabled"] = row.get("State") == "ENABLED"
        state["state"] = row.get("State")


class EventTarget(TableType):
    """aws.cloudwatch.EventTarget."""

    token = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    reads, row = "ListTargetsByRule", "Targets"
    named = {"Rule": "rule", "EventBusName": "eventBusName"}
    renames = {
        "targetId": "Id",
        "ecsTarget": "EcsParameters",
        "batchTarget": "BatchParameters",
        "kinesisTarget": "KinesisParameters",
        "sqsTarget": "SqsParameters",
        "httpTarget": "HttpParameters",
        "runCommandTargets": "RunCommandParameters",
        "inputPaths": "InputPathsMap",
        "networkConfiguration": "",
    }
    replace_on = frozenset({"region", "rule", "targetId", "eventBusName"})
    defaults = {"eventBusName": "default", "forceDestroy": False}
    computed = REGIONAL | {"targetId"}
    provider_only = frozenset({"forceDestroy"})
    sources = ("EventBridge API: PutTargets, RemoveTargets, ListTargetsByRule",)

    def _put(self, cloud: AwsClient, inputs: Props, target_id: str) -> None:
        api = self.api(cloud, inputs)
        shape = api.shape("PutTargets").members["Targets"].member
        target = self.parameters(shape, {**inputs, "targetId": target_id})
        network = (inputs.get("ecsTarget") or {}).get("networkConfiguration")
        if network:
            public = "ENABLED" if network.get("assignPublicIp") else "DISABLED"
            vpc = {"Subnets": list(network["subnets"]), "AssignPublicIp": public}
            if network.get("securityGroups"):
                vpc["SecurityGroups"] = list(network["securityGroups"])
            target["EcsParameters"]["NetworkConfiguration"] = {"awsvpcConfiguration": vpc}
        api.put_targets(Rule=inputs["rule"], EventBusName=inputs.get("eventBusName") or "default", Targets=[target])

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        target_id = str(inputs.get("targetId") or f"terraform-{uuid.uuid4().hex[:26]}")
        self._put(cloud, inputs, target_id)
        bus = inputs.get("eventBusName") or "default"
        return f"{inputs['rule']}-{target_id}" if bus == "default" else f"{bus}-{inputs['rule']}-{target_id}"

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if id.endswith(f"-{r['Id']}")), None)

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        if not known.get("rule"):
            return None
        return super().answer(cloud, id, {"eventBusName": "default", **known})

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        state = self.read(cloud, id, {**old, **new}) or {}
        self._put(cloud, new, state.get("targetId") or str(new.get("targetId")))

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        bus = state.get("eventBusName") or "default"
        absent_is_none(
            lambda: self.api(cloud, state).remove_targets(Rule=state["rule"], EventBusName=bus, Ids=[state["targetId"]])
        )


class EventPermission(TableType):
    """aws.cloudwatch.EventPermission."""

    token = "aws:cloudwatch/eventPermission:EventPermission"
    service = "events"
    creates, reads, deletes = "PutPermission", "DescribeEventBus", "RemovePermission"
    updates = ("PutPermission",)
    named = {"EventBusName": "eventBusName", "StatementId": "statementId", "Name": "eventBusName"}
    replace_on = frozenset({"region", "statementId", "eventBusName"})
    defaults = {"action": "events:PutEvents", "eventBusName": "default"}
    sources = ("EventBridge API: PutPermission, RemovePermission",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        super().create(cloud, {"name": "", **inputs})
        bus = inputs.get("eventBusName") or "default"
        return str(inputs["statementId"]) if bus == "default" else f"{bus}/{inputs['statementId']}"

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        bus, _, statement = id.rpartition("/")
        row = super().answer(cloud, id, {**known, "eventBusName": bus or "default"})
        return (
            {"StatementId": statement, "EventBusName": bus or "default"}
            if row and f'"{statement}"' in str(row.get("Policy"))
            else None
        )


class StateMachine(TableType):
    """aws.sfn.StateMachine."""

    token = "aws:sfn/stateMachine:StateMachine"
    service = "stepfunctions"
    auto_name = AutoName(max_length=80)
    creates, made = "CreateStateMachine", "stateMachineArn"
    reads, deletes = "DescribeStateMachine", "DeleteStateMachine"
    updates = ("UpdateStateMachine",)
    named = {"stateMachineArn": "id"}
    renames = {"arn": "stateMachineArn"}
    replace_on = frozenset({"region", "name", "namePrefix", "type"})
    defaults = {"publish": False, "type": "STANDARD"}
    computed = REGIONAL | {"namePrefix", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration"}
    documents = frozenset({"definition"})
    sources = ("Step Functions API: CreateStateMachine, UpdateStateMachine", "AWS::StepFunctions::StateMachine")


TYPES = (
    Queue,
    QueuePolicy,
    QueueRedrivePolicy,
    Topic,
    TopicPolicy,
    TopicSubscription,
    Stream,
    EventBus,
    EventRule,
    EventTarget,
    EventPermission,
    StateMachine,
)
