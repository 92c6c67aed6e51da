"""The life of queues, topics, streams, events: made, refreshed without changes, changed in place, deleted."""

from __future__ import annotations

import json

from life import Life
from test_types_containers import trust


def grant(action: str, resource: str) -> str:
    statement = {"Sid": "one", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_queues(life: Life) -> None:
    dead = life.make("aws:sqs/queue:Queue", name="dead")
    queue = life.make(
        "aws:sqs/queue:Queue",
        name="work",
        visibilityTimeoutSeconds=60,
        redrivePolicy=json.dumps({"deadLetterTargetArn": dead["arn"], "maxReceiveCount": 4}),
        tags={"a": "b"},
    )
    assert queue["arn"] == "arn:aws:sqs:us-east-1:123456789012:work"
    assert queue["url"] == "https://sqs.us-east-1.amazonaws.com/123456789012/work" == queue.id
    life.change(queue, visibilityTimeoutSeconds=90, tags={"a": "c"})
    life.make("aws:sqs/queuePolicy:QueuePolicy", queueUrl=queue.id, policy=grant("sqs:SendMessage", queue["arn"]))
    fifo = life.make("aws:sqs/queue:Queue", name="order.fifo", fifoQueue=True, contentBasedDeduplication=True)
    assert fifo["fifoQueue"] is True
    life.unmake()


def test_topics(life: Life) -> None:
    topic = life.make("aws:sns/topic:Topic", name="news", displayName="News", tags={"a": "b"})
    assert topic["arn"] == "arn:aws:sns:us-east-1:123456789012:news"
    life.change(topic, displayName="The news", tags={"a": "c"})
    life.make("aws:sns/topicPolicy:TopicPolicy", arn=topic["arn"], policy=grant("SNS:Publish", topic["arn"]))
    queue = life.make("aws:sqs/queue:Queue", name="inbox")
    wire = life.make(
        "aws:sns/topicSubscription:TopicSubscription", topic=topic["arn"], protocol="sqs", endpoint=queue["arn"]
    )
    life.change(wire, rawMessageDelivery=True)
    life.unmake()


def test_streams(life: Life) -> None:
    stream = life.make("aws:kinesis/stream:Stream", name="clicks", shardCount=1, tags={"a": "b"})
    assert stream["arn"] == stream.id == "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
    life.change(stream, retentionPeriod=48, tags={"a": "c"})
    life.unmake()


def test_events(life: Life) -> None:
    queue = life.make("aws:sqs/queue:Queue", name="events")
    bus = life.make("aws:cloudwatch/eventBus:EventBus", name="orders", tags={"a": "b"})
    life.make("aws:cloudwatch/eventPermission:EventPermission", principal="111122223333", statementId="other")
    pattern = json.dumps({"source": ["orders"]})
    rule = life.make("aws:cloudwatch/eventRule:EventRule", name="orders", eventBusName=bus.id, eventPattern=pattern)
    assert rule.id == "orders/orders"
    target = life.make(
        "aws:cloudwatch/eventTarget:EventTarget", rule=rule["name"], eventBusName=bus.id, arn=queue["arn"]
    )
    assert target["targetId"]
    nightly = life.make(
        "aws:cloudwatch/eventRule:EventRule", name="nightly", scheduleExpression="rate(1 day)", tags={"a": "b"}
    )
    life.change(nightly, scheduleExpression="rate(2 days)", description="often", tags={"a": "c"})
    life.change(nightly, isEnabled=False)
    life.make(
        "aws:cloudwatch/eventTarget:EventTarget", rule="nightly", targetId="q", arn=queue["arn"], input='{"a": 1}'
    )
    life.unmake()


def test_state_machines(life: Life) -> None:
    role = life.make("aws:iam/role:Role", name="machine", assumeRolePolicy=trust("states.amazonaws.com"))
    states = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    machine = life.make(
        "aws:sfn/stateMachine:StateMachine",
        name="steps",
        roleArn=role["arn"],
        definition=json.dumps(states),
        tags={"a": "b"},
    )
    assert machine["arn"] == "arn:aws:states:us-east-1:123456789012:stateMachine:steps"
    life.change(machine, definition=json.dumps({**states, "Comment": "two"}), tags={"a": "c"})
    life.unmake()
