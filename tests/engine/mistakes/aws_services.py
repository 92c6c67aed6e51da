"""Load balancers, clusters, functions, queues, names, alarms, logs."""

from __future__ import annotations

import functools
import json

import pulumi_aws as aws
from planted import mistake


def trust(service: str) -> str:
    """Who may take a role."""
    one = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [one]})


@functools.cache
def vpc() -> aws.ec2.Vpc:
    """The network that the area shares."""
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
def balancer() -> aws.lb.LoadBalancer:
    """A load balancer."""
    return aws.lb.LoadBalancer("shared", subnets=[s.id for s in subnets()[:2]])


@functools.cache
def targets() -> aws.lb.TargetGroup:
    """Its targets."""
    return aws.lb.TargetGroup("shared", port=80, protocol="HTTP", vpc_id=vpc().id)


@functools.cache
def listener() -> aws.lb.Listener:
    """Its listener on port 80."""
    action = aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets().arn)
    return aws.lb.Listener("shared", load_balancer_arn=balancer().arn, port=80, default_actions=[action])


@functools.cache
def cluster_role() -> aws.iam.Role:
    """A role of EKS."""
    return aws.iam.Role("shared-eks", assume_role_policy=trust("eks.amazonaws.com"))


@functools.cache
def node_role() -> aws.iam.Role:
    """A role of its nodes."""
    return aws.iam.Role("shared-nodes", assume_role_policy=trust("ec2.amazonaws.com"))


@functools.cache
def cluster() -> aws.eks.Cluster:
    """A Kubernetes cluster."""
    where = aws.eks.ClusterVpcConfigArgs(subnet_ids=[s.id for s in subnets()[:2]])
    return aws.eks.Cluster("shared", role_arn=cluster_role().arn, vpc_config=where)


@functools.cache
def function_role() -> aws.iam.Role:
    """A role of functions."""
    return aws.iam.Role("shared-functions", assume_role_policy=trust("lambda.amazonaws.com"))


@functools.cache
def zone() -> aws.route53.Zone:
    """A zone."""
    return aws.route53.Zone("shared", name="example.com")


IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"


@mistake(
    "balancer-in-one-zone",
    source="Elastic Load Balancing User Guide: two Availability Zones at least",
    code="ValidationError",
    operation="CreateLoadBalancer",
)
def _(n: str, wrong: bool) -> None:
    chosen = subnets()[:1] if wrong else subnets()[:2]
    aws.lb.LoadBalancer(n, subnets=[s.id for s in chosen])


@mistake(
    "balancer-twice-in-a-zone",
    source="ELB API reference: CreateLoadBalancer, InvalidConfigurationRequest: one subnet per zone",
    code="InvalidConfigurationRequest",
    operation="CreateLoadBalancer",
)
def _(n: str, wrong: bool) -> None:
    chosen = (subnets()[0], subnets()[2] if wrong else subnets()[1])
    aws.lb.LoadBalancer(n, subnets=[s.id for s in chosen])


@mistake(
    "balancer-named-with-a-line",
    source="ELB API reference: CreateLoadBalancer, Name has alphanumeric characters and hyphens",
    code="ValidationError",
    operation="CreateLoadBalancer",
)
def _(n: str, wrong: bool) -> None:
    name = "our_web" if wrong else "our-web"
    aws.lb.LoadBalancer(n, name=name, subnets=[s.id for s in subnets()[:2]])


@mistake(
    "targets-of-no-protocol",
    source="ELB service model: ProtocolEnum",
    code="ValidationError",
    operation="CreateTargetGroup",
)
def _(n: str, wrong: bool) -> None:
    aws.lb.TargetGroup(n, port=80, protocol="SPDY" if wrong else "HTTP", vpc_id=vpc().id)


@mistake(
    "targets-asked-before-they-answer",
    source="ELB API reference: CreateTargetGroup, the health check's timeout is below its interval",
    code="ValidationError",
    operation="CreateTargetGroup",
)
def _(n: str, wrong: bool) -> None:
    check = aws.lb.TargetGroupHealthCheckArgs(interval=10, timeout=20 if wrong else 5)
    aws.lb.TargetGroup(n, port=80, protocol="HTTP", vpc_id=vpc().id, health_check=check)


@mistake(
    "listener-twice",
    source="ELB API reference: CreateListener, DuplicateListener",
    code="DuplicateListener",
    operation="CreateListener",
)
def _(n: str, wrong: bool) -> None:
    action = aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets().arn)
    port = listener().port.apply(lambda port: port if wrong else 81)
    aws.lb.Listener(n, load_balancer_arn=balancer().arn, port=port, default_actions=[action])


@mistake(
    "listener-sealed-without-a-certificate",
    source="ELB API reference: CreateListener, Certificates are required for HTTPS",
    code="ValidationError",
    operation="CreateListener",
)
def _(n: str, wrong: bool) -> None:
    action = aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets().arn)
    protocol = "HTTPS" if wrong else "HTTP"
    aws.lb.Listener(n, load_balancer_arn=balancer().arn, port=443, protocol=protocol, default_actions=[action])


@mistake(
    "rule-at-a-taken-place",
    source="ELB API reference: CreateRule, PriorityInUse",
    code="PriorityInUse",
    operation="CreateRule",
)
def _(n: str, wrong: bool) -> None:
    action = aws.lb.ListenerRuleActionArgs(type="forward", target_group_arn=targets().arn)
    values = aws.lb.ListenerRuleConditionPathPatternArgs(values=["/a/*"])
    condition = aws.lb.ListenerRuleConditionArgs(path_pattern=values)
    first = aws.lb.ListenerRule(
        f"{n}-first", listener_arn=listener().arn, priority=10, actions=[action], conditions=[condition]
    )
    place = first.priority.apply(lambda p: p if wrong else p + 1)
    aws.lb.ListenerRule(n, listener_arn=listener().arn, priority=place, actions=[action], conditions=[condition])


@mistake(
    "cluster-in-one-zone",
    source="EKS User Guide: subnets in two Availability Zones at least",
    code="InvalidParameterException",
    operation="CreateCluster",
)
def _(n: str, wrong: bool) -> None:
    chosen = (subnets()[0], subnets()[2]) if wrong else subnets()[:2]
    where = aws.eks.ClusterVpcConfigArgs(subnet_ids=[s.id for s in chosen])
    aws.eks.Cluster(n, role_arn=cluster_role().arn, vpc_config=where)


@mistake(
    "cluster-of-an-old-version",
    source="EKS User Guide: Kubernetes versions; InvalidParameterException: unsupported Kubernetes version",
    code="InvalidParameterException",
    operation="CreateCluster",
)
def _(n: str, wrong: bool) -> None:
    where = aws.eks.ClusterVpcConfigArgs(subnet_ids=[s.id for s in subnets()[:2]])
    version = "1.10" if wrong else "1.33"
    aws.eks.Cluster(n, role_arn=cluster_role().arn, vpc_config=where, version=version)


@mistake(
    "nodes-of-no-cluster",
    source="EKS API reference: CreateNodegroup, ResourceNotFoundException",
    code="ResourceNotFoundException",
    operation="CreateNodegroup",
)
def _(n: str, wrong: bool) -> None:
    size = aws.eks.NodeGroupScalingConfigArgs(desired_size=1, min_size=1, max_size=1)
    aws.eks.NodeGroup(
        n,
        cluster_name="nobodys" if wrong else cluster().name,
        node_role_arn=node_role().arn,
        subnet_ids=[s.id for s in subnets()[:2]],
        scaling_config=size,
    )


@mistake(
    "nodes-more-than-at-most",
    source="EKS API reference: NodegroupScalingConfig, desiredSize lies between minSize and maxSize",
    code="InvalidParameterException",
    operation="CreateNodegroup",
)
def _(n: str, wrong: bool) -> None:
    size = aws.eks.NodeGroupScalingConfigArgs(desired_size=5 if wrong else 2, min_size=1, max_size=3)
    aws.eks.NodeGroup(
        n,
        cluster_name=cluster().name,
        node_role_arn=node_role().arn,
        subnet_ids=[s.id for s in subnets()[:2]],
        scaling_config=size,
    )


@mistake(
    "addon-of-no-name",
    source="EKS API reference: CreateAddon, InvalidParameterException",
    code="InvalidParameterException",
    operation="CreateAddon",
)
def _(n: str, wrong: bool) -> None:
    aws.eks.Addon(n, cluster_name=cluster().name, addon_name="vpc-cmi" if wrong else "vpc-cni")


@mistake(
    "access-for-no-principal",
    source="EKS API reference: CreateAccessEntry, principalArn",
    code="InvalidParameterException",
    operation="CreateAccessEntry",
)
def _(n: str, wrong: bool) -> None:
    who = "everybody" if wrong else node_role().arn
    aws.eks.AccessEntry(n, cluster_name=cluster().name, principal_arn=who)


@mistake(
    "task-of-an-odd-size",
    source="ECS Developer Guide: Fargate, task CPU and memory; ClientException",
    code="ClientException",
    operation="RegisterTaskDefinition",
)
def _(n: str, wrong: bool) -> None:
    aws.ecs.TaskDefinition(
        n,
        family="app",
        cpu="256",
        memory="4096" if wrong else "512",
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        container_definitions=json.dumps([{"name": "app", "image": "nginx"}]),
    )


@mistake(
    "images-in-capitals",
    source="ECR service model: RepositoryName",
    code="InvalidParameterException",
    operation="CreateRepository",
)
def _(n: str, wrong: bool) -> None:
    aws.ecr.Repository(n, name="Our-App" if wrong else "our-app")


@mistake(
    "function-for-hours",
    source="Lambda service model: Timeout, 5400 seconds at most",
    code="ValidationException",
    operation="CreateFunction",
)
def _(n: str, wrong: bool) -> None:
    aws.lambda_.Function(
        n, role=function_role().arn, package_type="Image", image_uri=IMAGE, timeout=6000 if wrong else 900
    )


@mistake(
    "function-with-little-memory",
    source="Lambda service model: MemorySize, 128 at least",
    code="ValidationException",
    operation="CreateFunction",
)
def _(n: str, wrong: bool) -> None:
    aws.lambda_.Function(
        n, role=function_role().arn, package_type="Image", image_uri=IMAGE, memory_size=64 if wrong else 128
    )


@mistake(
    "function-that-nobody-lets-in",
    source="Lambda API reference: CreateFunction, InvalidParameterValueException: the role cannot be assumed",
    code="InvalidParameterValueException",
    operation="CreateFunction",
)
def _(n: str, wrong: bool) -> None:
    role = node_role() if wrong else function_role()
    aws.lambda_.Function(n, role=role.arn, package_type="Image", image_uri=IMAGE)


@mistake(
    "permission-on-nothing",
    source="Lambda API reference: AddPermission, ResourceNotFoundException",
    code="ResourceNotFoundException",
    operation="AddPermission",
)
def _(n: str, wrong: bool) -> None:
    own = aws.lambda_.Function(f"{n}-function", role=function_role().arn, package_type="Image", image_uri=IMAGE)
    name = "nobodys" if wrong else own.name
    aws.lambda_.Permission(n, action="lambda:InvokeFunction", function=name, principal="events.amazonaws.com")


@mistake(
    "queue-that-keeps-for-ever",
    source="SQS API reference: CreateQueue, MessageRetentionPeriod, 60 to 1209600; InvalidAttributeValue",
    code="InvalidAttributeValue",
    operation="CreateQueue",
)
def _(n: str, wrong: bool) -> None:
    aws.sqs.Queue(n, message_retention_seconds=2000000 if wrong else 1209600)


@mistake(
    "queue-with-a-space",
    source="SQS API reference: CreateQueue, QueueName",
    code="InvalidParameterValue",
    operation="CreateQueue",
)
def _(n: str, wrong: bool) -> None:
    aws.sqs.Queue(n, name="our work" if wrong else "our-work")


@mistake(
    "subscription-by-pigeon",
    source="SNS API reference: Subscribe, Protocol; InvalidParameter",
    code="InvalidParameter",
    operation="Subscribe",
)
def _(n: str, wrong: bool) -> None:
    topic = aws.sns.Topic(f"{n}-topic")
    way, end = ("pigeon", "roof") if wrong else ("email", "a@example.com")
    aws.sns.TopicSubscription(n, topic=topic.arn, protocol=way, endpoint=end)


@mistake(
    "subscription-to-nothing",
    source="SNS API reference: Subscribe, NotFound",
    code="NotFound",
    operation="Subscribe",
)
def _(n: str, wrong: bool) -> None:
    topic = aws.sns.Topic(f"{n}-topic")
    arn = "arn:aws:sns:us-east-1:123456789012:nobodys" if wrong else topic.arn
    aws.sns.TopicSubscription(n, topic=arn, protocol="email", endpoint="a@example.com")


@mistake(
    "logs-kept-for-an-odd-time",
    source="CloudWatch Logs API reference: PutRetentionPolicy, possible values",
    code="InvalidParameterException",
    operation="PutRetentionPolicy",
)
def _(n: str, wrong: bool) -> None:
    aws.cloudwatch.LogGroup(n, retention_in_days=15 if wrong else 14)


@mistake(
    "logs-with-a-star",
    source="CloudWatch Logs service model: LogGroupName, [\\.\\-_/#A-Za-z0-9]+",
    code="InvalidParameterException",
    operation="CreateLogGroup",
)
def _(n: str, wrong: bool) -> None:
    aws.cloudwatch.LogGroup(n, name="/app/*" if wrong else "/app/all")


@mistake(
    "alarm-of-no-comparison",
    source="CloudWatch service model: ComparisonOperator",
    code="ValidationError",
    operation="PutMetricAlarm",
)
def _(n: str, wrong: bool) -> None:
    aws.cloudwatch.MetricAlarm(
        n,
        comparison_operator="MoreThan" if wrong else "GreaterThanThreshold",
        evaluation_periods=1,
        metric_name="CPUUtilization",
        namespace="AWS/EC2",
        period=60,
        statistic="Average",
        threshold=80,
    )


@mistake(
    "alarm-at-an-odd-beat",
    source="CloudWatch API reference: PutMetricAlarm, Period is 10, 20, 30 or a multiple of 60",
    code="ValidationError",
    operation="PutMetricAlarm",
)
def _(n: str, wrong: bool) -> None:
    aws.cloudwatch.MetricAlarm(
        n,
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=1,
        metric_name="CPUUtilization",
        namespace="AWS/EC2",
        period=45 if wrong else 60,
        statistic="Average",
        threshold=80,
    )


@mistake(
    "schedule-in-plain-words",
    source="EventBridge API reference: PutRule, ScheduleExpression; ValidationException",
    code="ValidationException",
    operation="PutRule",
)
def _(n: str, wrong: bool) -> None:
    aws.cloudwatch.EventRule(n, schedule_expression="every morning" if wrong else "cron(0 7 * * ? *)")


@mistake(
    "record-that-is-no-address",
    source="Route 53 API reference: ChangeResourceRecordSets, InvalidChangeBatch",
    code="InvalidChangeBatch",
    operation="ChangeResourceRecordSets",
)
def _(n: str, wrong: bool) -> None:
    address = "10.0.0.300" if wrong else "10.0.0.3"
    aws.route53.Record(n, zone_id=zone().zone_id, name="a", type="A", ttl=60, records=[address])


@mistake(
    "alias-at-the-top",
    source="Route 53 Developer Guide: no CNAME at the zone apex; InvalidChangeBatch",
    code="InvalidChangeBatch",
    operation="ChangeResourceRecordSets",
)
def _(n: str, wrong: bool) -> None:
    name = "example.com" if wrong else "www.example.com"
    aws.route53.Record(n, zone_id=zone().zone_id, name=name, type="CNAME", ttl=60, records=["example.org"])


@mistake(
    "parameter-too-long",
    source="Systems Manager User Guide: standard parameters have 4 KB at most; ValidationException",
    code="ValidationException",
    operation="PutParameter",
)
def _(n: str, wrong: bool) -> None:
    aws.ssm.Parameter(n, type="String", value="a" * (5000 if wrong else 4000))


@mistake(
    "secret-twice",
    source="Secrets Manager API reference: CreateSecret, ResourceExistsException",
    code="ResourceExistsException",
    operation="CreateSecret",
)
def _(n: str, wrong: bool) -> None:
    first = aws.secretsmanager.Secret(f"{n}-first", name="one")
    aws.secretsmanager.Secret(n, name=first.name.apply(lambda _: "one" if wrong else "two"))


@mistake(
    "budget-of-no-time",
    source="Budgets service model: TimeUnit",
    code="InvalidParameterException",
    operation="CreateBudget",
)
def _(n: str, wrong: bool) -> None:
    unit = "WEEKLY" if wrong else "MONTHLY"
    aws.budgets.Budget(n, budget_type="COST", limit_amount="10", limit_unit="USD", time_unit=unit)


@mistake(
    "machines-of-no-role",
    source="Step Functions API reference: CreateStateMachine, InvalidDefinition",
    code="InvalidDefinition",
    operation="CreateStateMachine",
)
def _(n: str, wrong: bool) -> None:
    role = aws.iam.Role(f"{n}-role", assume_role_policy=trust("states.amazonaws.com"))
    states = {"Done": {"Type": "Pass", "End": True}}
    start = "Begin" if wrong else "Done"
    aws.sfn.StateMachine(n, role_arn=role.arn, definition=json.dumps({"StartAt": start, "States": states}))


@mistake(
    "cluster-that-eks-may-not-run",
    source="EKS User Guide: cluster IAM role; CreateCluster, InvalidParameterException: could not be assumed",
    code="InvalidParameterException",
    operation="CreateCluster",
)
def _(n: str, wrong: bool) -> None:
    role = node_role() if wrong else cluster_role()
    where = aws.eks.ClusterVpcConfigArgs(subnet_ids=[s.id for s in subnets()[:2]])
    aws.eks.Cluster(n, role_arn=role.arn, vpc_config=where)


@mistake(
    "nodes-that-ec2-may-not-be",
    source="EKS User Guide: node IAM role; CreateNodegroup, InvalidParameterException: service principals",
    code="InvalidParameterException",
    operation="CreateNodegroup",
)
def _(n: str, wrong: bool) -> None:
    role = cluster_role() if wrong else node_role()
    size = aws.eks.NodeGroupScalingConfigArgs(min_size=1, max_size=1, desired_size=1)
    where = [s.id for s in subnets()[:2]]
    aws.eks.NodeGroup(n, cluster_name=cluster().name, node_role_arn=role.arn, subnet_ids=where, scaling_config=size)


@mistake(
    "machine-that-nobody-lets-in",
    source="Step Functions Developer Guide: IAM role of a state machine; CreateStateMachine, AccessDeniedException",
    code="AccessDeniedException",
    operation="CreateStateMachine",
)
def _(n: str, wrong: bool) -> None:
    role = aws.iam.Role(f"{n}-role", assume_role_policy=trust("ec2.amazonaws.com" if wrong else "states.amazonaws.com"))
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    aws.sfn.StateMachine(n, role_arn=role.arn, definition=json.dumps(definition))
