"""The life of parameters, secrets, alarms, logs, budgets, batch and scaling rules."""

from __future__ import annotations

import json

from aws_bench import UBUNTU
from life import Life, Made
from test_types_containers import trust


def test_parameters_and_secrets(life: Life) -> None:
    plain = life.make(
        "aws:ssm/parameter:Parameter",
        name="/app/url",
        type="String",
        value="http://a",
        description="where",
        tags={"a": "b"},
    )
    assert plain["arn"] == "arn:aws:ssm:us-east-1:123456789012:parameter/app/url"
    assert plain["version"] == 1
    life.change(plain, value="http://b", tags={"a": "c"})
    assert plain["version"] == 2
    life.make("aws:ssm/parameter:Parameter", name="password", type="SecureString", value="hush")
    secret = life.make(
        "aws:secretsmanager/secret:Secret", name="db", description="the db", recoveryWindowInDays=0, tags={"a": "b"}
    )
    assert secret["arn"].startswith("arn:aws:secretsmanager:us-east-1:123456789012:secret:db-")
    life.change(secret, description="our db", tags={"a": "c"})
    version = life.make("aws:secretsmanager/secretVersion:SecretVersion", secretId=secret.id, secretString="hush")
    assert version["versionStages"] == ["AWSCURRENT"]
    life.unmake()


def test_alarms_and_dashboards(life: Life) -> None:
    topic = life.make("aws:sns/topic:Topic", name="alarms")
    alarm = life.make(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        name="busy",
        comparisonOperator="GreaterThanOrEqualToThreshold",
        evaluationPeriods=2,
        metricName="CPUUtilization",
        namespace="AWS/EC2",
        period=120,
        statistic="Average",
        threshold=80,
        alarmActions=[topic["arn"]],
        dimensions={"InstanceId": "i-0123456789abcdef0"},
        tags={"a": "b"},
    )
    life.change(alarm, threshold=90, dimensions={"InstanceId": "i-0123456789abcdef1"}, tags={"a": "c"})
    body = {"widgets": [{"type": "text", "x": 0, "y": 0, "width": 6, "height": 3, "properties": {"markdown": "hi"}}]}
    board = life.make("aws:cloudwatch/dashboard:Dashboard", dashboardName="all", dashboardBody=json.dumps(body))
    assert board["dashboardArn"] == "arn:aws:cloudwatch::123456789012:dashboard/all"
    life.unmake()


def test_logs(life: Life) -> None:
    group = life.make("aws:cloudwatch/logGroup:LogGroup", name="/app", retentionInDays=7)
    stream = life.make("aws:cloudwatch/logStream:LogStream", name="one", logGroupName=group.id)
    assert stream["arn"] == "arn:aws:logs:us-east-1:123456789012:log-group:/app:log-stream:one"
    change = {"name": "errors", "namespace": "app", "value": "1"}
    life.make(
        "aws:cloudwatch/logMetricFilter:LogMetricFilter",
        name="errors",
        logGroupName=group.id,
        pattern="ERROR",
        metricTransformation=change,
    )
    life.unmake()


def test_a_budget(life: Life) -> None:
    notice = {
        "comparisonOperator": "GREATER_THAN",
        "threshold": 100,
        "thresholdType": "PERCENTAGE",
        "notificationType": "FORECASTED",
        "subscriberEmailAddresses": ["a@example.com"],
    }
    budget = life.make(
        "aws:budgets/budget:Budget",
        name="all",
        budgetType="COST",
        limitAmount="1200",
        limitUnit="USD",
        timeUnit="MONTHLY",
        timePeriodStart="2026-01-01_00:00",
        notifications=[notice],
    )
    assert budget["arn"] == "arn:aws:budgets::123456789012:budget/all"
    life.unmake()


def test_batch(life: Life, vpc: Made, subnet: Made) -> None:
    role = life.make("aws:iam/role:Role", name="batch", assumeRolePolicy=trust("batch.amazonaws.com"))
    machines = life.make("aws:iam/role:Role", name="machines", assumeRolePolicy=trust("ec2.amazonaws.com"))
    profile = life.make("aws:iam/instanceProfile:InstanceProfile", name="machines", role=machines["name"])
    group = life.make("aws:ec2/securityGroup:SecurityGroup", name="batch", description="batch", vpcId=vpc.id)
    pool = life.make(
        "aws:batch/computeEnvironment:ComputeEnvironment",
        name="pool",
        type="MANAGED",
        serviceRole=role["arn"],
        computeResources={
            "type": "EC2",
            "instanceRole": profile["arn"],
            "instanceTypes": ["c5.large"],
            "maxVcpus": 16,
            "minVcpus": 0,
            "subnets": [subnet.id],
            "securityGroupIds": [group.id],
        },
    )
    queue = life.make(
        "aws:batch/jobQueue:JobQueue",
        name="queue",
        state="ENABLED",
        priority=1,
        computeEnvironmentOrders=[{"order": 1, "computeEnvironment": pool["arn"]}],
    )
    life.change(queue, priority=5)
    job = life.make(
        "aws:batch/jobDefinition:JobDefinition",
        name="job",
        type="container",
        containerProperties=json.dumps({"command": ["ls"], "image": "busybox", "vcpus": 1, "memory": 128}),
    )
    life.change(
        job, containerProperties=json.dumps({"command": ["ls", "-l"], "image": "busybox", "vcpus": 1, "memory": 128})
    )
    assert job["revision"] == 2
    life.unmake()


def test_rules_of_scaling(life: Life, vpc: Made, subnet: Made) -> None:
    template = life.make("aws:ec2/launchTemplate:LaunchTemplate", name="web", imageId=UBUNTU, instanceType="t3.micro")
    group = life.make(
        "aws:autoscaling/group:Group",
        name="web",
        minSize=0,
        maxSize=2,
        desiredCapacity=0,
        vpcZoneIdentifiers=[subnet.id],
        launchTemplate={"id": template.id, "version": "$Latest"},
    )
    target = {"predefinedMetricSpecification": {"predefinedMetricType": "ASGAverageCPUUtilization"}, "targetValue": 40}
    policy = life.make(
        "aws:autoscaling/policy:Policy",
        name="cpu",
        autoscalingGroupName=group.id,
        policyType="TargetTrackingScaling",
        targetTrackingConfiguration=target,
    )
    life.change(policy, targetTrackingConfiguration={**target, "targetValue": 50})
    night = life.make(
        "aws:autoscaling/schedule:Schedule",
        scheduledActionName="night",
        autoscalingGroupName=group.id,
        minSize=0,
        maxSize=1,
        desiredCapacity=0,
        recurrence="0 20 * * *",
    )
    life.change(night, maxSize=2)
    hook = life.make(
        "aws:autoscaling/lifecycleHook:LifecycleHook",
        name="drain",
        autoscalingGroupName=group.id,
        lifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        heartbeatTimeout=300,
    )
    life.change(hook, heartbeatTimeout=600)
    targets = life.make("aws:lb/targetGroup:TargetGroup", name="web", port=80, protocol="HTTP", vpcId=vpc.id)
    life.make("aws:autoscaling/attachment:Attachment", autoscalingGroupName=group.id, lbTargetGroupArn=targets["arn"])
    life.unmake()
