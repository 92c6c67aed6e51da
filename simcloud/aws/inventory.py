"""What exists in the simulated account, as a leak hunter would list it, and what AWS keeps by design."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simcloud.aws import moto_bridge

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld


def _row(kind: str, id: str, region: str, tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"cloud": "aws", "type": kind, "id": id, "region": region, "tags": dict(tags or {})}


def _tags(rows: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {t["Key"]: t.get("Value", "") for t in rows or ()}


def inventory(world: AwsWorld, regions: list[str]) -> list[dict[str, Any]]:
    """Every resource that an API call made; AWS's own default networks are left out."""
    rows = [row for region in regions for row in _regional(world, region)]
    rows += [row for service, region in world.opened() for row in _listed(world, service, region)]
    rows += list(_iam())
    rows += list(_buckets())
    return sorted(rows, key=lambda r: (r["type"], r["region"], r["id"]))


def _regional(world: AwsWorld, region: str) -> Iterator[dict[str, Any]]:
    ec2 = world.inner.get("ec2", region)
    vpcs = [v for v in ec2.describe_vpcs()["Vpcs"] if not v.get("IsDefault")]
    ids = {v["VpcId"] for v in vpcs}
    for vpc in vpcs:
        yield _row("AWS::EC2::VPC", vpc["VpcId"], region, _tags(vpc.get("Tags")))
    plain: list[tuple[str, str, list[Mapping[str, Any]], str]] = [
        ("AWS::EC2::Subnet", "SubnetId", ec2.describe_subnets()["Subnets"], "VpcId"),
        ("AWS::EC2::RouteTable", "RouteTableId", ec2.describe_route_tables()["RouteTables"], "VpcId"),
        ("AWS::EC2::SecurityGroup", "GroupId", ec2.describe_security_groups()["SecurityGroups"], "VpcId"),
        ("AWS::EC2::VPCEndpoint", "VpcEndpointId", ec2.describe_vpc_endpoints()["VpcEndpoints"], "VpcId"),
        (
            "AWS::EC2::NetworkInterface",
            "NetworkInterfaceId",
            ec2.describe_network_interfaces()["NetworkInterfaces"],
            "VpcId",
        ),
    ]
    for kind, key, found, of in plain:
        for one in found:
            if one.get(of) not in ids or one.get("State") == "deleted" or _made_with_vpc(kind, one):
                continue
            yield _row(kind, one[key], region, _tags(one.get("Tags", one.get("TagSet"))))
    for gateway in ec2.describe_internet_gateways()["InternetGateways"]:
        attached = {a.get("VpcId") for a in gateway["Attachments"]}
        if attached <= ids:
            yield _row("AWS::EC2::InternetGateway", gateway["InternetGatewayId"], region, _tags(gateway.get("Tags")))
    for address in ec2.describe_addresses()["Addresses"]:
        yield _row("AWS::EC2::EIP", address["AllocationId"], region, _tags(address.get("Tags")))
    for nat in ec2.describe_nat_gateways()["NatGateways"]:
        if nat["State"] != "deleted":
            yield _row("AWS::EC2::NatGateway", nat["NatGatewayId"], region, _tags(nat.get("Tags")))
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        yield _row("AWS::EC2::LaunchTemplate", template["LaunchTemplateId"], region, _tags(template.get("Tags")))
    for log in ec2.describe_flow_logs()["FlowLogs"]:
        yield _row("AWS::EC2::FlowLog", log["FlowLogId"], region, _tags(log.get("Tags")))
    for volume in ec2.describe_volumes()["Volumes"]:
        yield _row("AWS::EC2::Volume", volume["VolumeId"], region, _tags(volume.get("Tags")))
    for instance in world.ec2.backend(region).all_instances():
        if instance.state not in ("terminated",):
            tags = {t["key"]: t["value"] for t in instance.get_tags()}
            yield _row("AWS::EC2::Instance", instance.id, region, tags)
    here = world.ec2.region(region)
    for group in here.placement_groups.values():
        yield _row("AWS::EC2::PlacementGroup", group.name, region, group.tags)
    for held in here.reservations.values():
        if held.state == "active":
            yield _row("AWS::EC2::CapacityReservation", held.id, region, held.tags)
    for scaling in world.autoscaling.groups.get(region, {}).values():
        yield _row(
            "AWS::AutoScaling::AutoScalingGroup", scaling.name, region, {k: v for k, (v, _) in scaling.tags.items()}
        )
    for key in _keys(region):
        if key.key_state != "PendingDeletion":
            found = moto_bridge.backend("kms", region).list_resource_tags(key.id)["Tags"]
            yield _row("AWS::KMS::Key", key.id, region, {t["TagKey"]: t["TagValue"] for t in found})
    for alias, key_id in _aliases(region):
        if not alias.startswith("alias/aws/"):
            yield _row("AWS::KMS::Alias", alias, region, {"key": key_id})
    for log_group in world.inner.get("logs", region).describe_log_groups()["logGroups"]:
        tags = world.inner.get("logs", region).list_tags_log_group(logGroupName=log_group["logGroupName"])["tags"]
        yield _row("AWS::Logs::LogGroup", log_group["logGroupName"], region, tags)


_LISTS: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "ec2": (
        ("describe_key_pairs", "KeyPairs", "KeyPairId", "AWS::EC2::KeyPair"),
        ("describe_transit_gateways", "TransitGateways", "TransitGatewayId", "AWS::EC2::TransitGateway"),
        (
            "describe_vpc_peering_connections",
            "VpcPeeringConnections",
            "VpcPeeringConnectionId",
            "AWS::EC2::VPCPeeringConnection",
        ),
    ),
    "elbv2": (
        (
            "describe_load_balancers",
            "LoadBalancers",
            "LoadBalancerArn",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
        ),
        ("describe_target_groups", "TargetGroups", "TargetGroupArn", "AWS::ElasticLoadBalancingV2::TargetGroup"),
    ),
    "efs": (("describe_file_systems", "FileSystems", "FileSystemId", "AWS::EFS::FileSystem"),),
    "fsx": (("describe_file_systems", "FileSystems", "FileSystemId", "AWS::FSx::FileSystem"),),
    "eks": (("list_clusters", "clusters", "", "AWS::EKS::Cluster"),),
    "ecs": (("list_clusters", "clusterArns", "", "AWS::ECS::Cluster"),),
    "ecr": (("describe_repositories", "repositories", "repositoryName", "AWS::ECR::Repository"),),
    "lambda": (("list_functions", "Functions", "FunctionName", "AWS::Lambda::Function"),),
    "dynamodb": (("list_tables", "TableNames", "", "AWS::DynamoDB::Table"),),
    "sqs": (("list_queues", "QueueUrls", "", "AWS::SQS::Queue"),),
    "sns": (("list_topics", "Topics", "TopicArn", "AWS::SNS::Topic"),),
    "kinesis": (("list_streams", "StreamNames", "", "AWS::Kinesis::Stream"),),
    "events": (("list_rules", "Rules", "Name", "AWS::Events::Rule"),),
    "rds": (
        ("describe_db_instances", "DBInstances", "DBInstanceIdentifier", "AWS::RDS::DBInstance"),
        ("describe_db_clusters", "DBClusters", "DBClusterIdentifier", "AWS::RDS::DBCluster"),
        ("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName", "AWS::RDS::DBSubnetGroup"),
    ),
    "elasticache": (("describe_cache_clusters", "CacheClusters", "CacheClusterId", "AWS::ElastiCache::CacheCluster"),),
    "secretsmanager": (("list_secrets", "SecretList", "ARN", "AWS::SecretsManager::Secret"),),
    "ssm": (("describe_parameters", "Parameters", "Name", "AWS::SSM::Parameter"),),
    "cloudwatch": (("describe_alarms", "MetricAlarms", "AlarmName", "AWS::CloudWatch::Alarm"),),
    "apigateway": (("get_rest_apis", "items", "id", "AWS::ApiGateway::RestApi"),),
    "apigatewayv2": (("get_apis", "Items", "ApiId", "AWS::ApiGatewayV2::Api"),),
    "route53": (("list_hosted_zones", "HostedZones", "Id", "AWS::Route53::HostedZone"),),
    "acm": (("list_certificates", "CertificateSummaryList", "CertificateArn", "AWS::CertificateManager::Certificate"),),
    "batch": (
        (
            "describe_compute_environments",
            "computeEnvironments",
            "computeEnvironmentArn",
            "AWS::Batch::ComputeEnvironment",
        ),
        ("describe_job_queues", "jobQueues", "jobQueueArn", "AWS::Batch::JobQueue"),
    ),
    "stepfunctions": (("list_state_machines", "stateMachines", "stateMachineArn", "AWS::StepFunctions::StateMachine"),),
    "iam": (
        ("list_users", "Users", "UserName", "AWS::IAM::User"),
        ("list_groups", "Groups", "GroupName", "AWS::IAM::Group"),
        ("list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn", "AWS::IAM::OIDCProvider"),
    ),
}
"""Services beside the first ones: how each lists what it has, the member that names one, and its registry type."""
_GONE = frozenset({"deleted", "deleting", "rejected"})


def _listed(world: AwsWorld, service: str, region: str) -> Iterator[dict[str, Any]]:
    for method, members, id, kind in _LISTS.get(service, ()):
        for one in getattr(world.inner.get(service, region), method)().get(members, ()):
            if not id:
                yield _row(kind, one, region)
                continue
            status = one.get("State") or one.get("Status") or one.get("CacheClusterStatus") or one.get("LifeCycleState")
            word = status.get("Code") if isinstance(status, dict) else status
            of_aws = str(one[id]).startswith("/aws/service/")
            if str(word).lower() not in _GONE and not one.get("DeletedDate") and not of_aws:
                tags = one.get("Tags") or []
                named = isinstance(tags, list) and all("Key" in t for t in tags)
                yield _row(kind, one[id], region, _tags(tags) if named else {})


def _made_with_vpc(kind: str, one: Mapping[str, Any]) -> bool:
    """The main route table and the default security group come and go with their VPC."""
    if kind == "AWS::EC2::RouteTable":
        return any(a.get("Main") for a in one.get("Associations", ()))
    return kind == "AWS::EC2::SecurityGroup" and one.get("GroupName") == "default"


def _keys(region: str) -> list[Any]:
    """Keys that somebody made; AWS's own (aws/ebs and the like) come by themselves and cost nothing."""
    keys = moto_bridge.backend("kms", region).keys.values()
    return [k for k in keys if k.key_manager == "CUSTOMER" and not any(a.startswith("alias/aws/") for a in k.aliases)]


def _aliases(region: str) -> Iterator[tuple[str, str]]:
    for key in _keys(region):
        for alias in key.aliases:
            yield alias, key.id


def _iam() -> Iterator[dict[str, Any]]:
    backend = moto_bridge.backend("iam", "us-east-1")
    for role in backend.roles.values():
        yield _row("AWS::IAM::Role", role.name, "global", _tags(backend.list_role_tags(role.name, None)[0]))
    for profile in backend.instance_profiles.values():
        yield _row("AWS::IAM::InstanceProfile", profile.name, "global", {})
    for arn in backend.managed_policies:
        if f"::{moto_bridge.ACCOUNT}:" in arn:
            yield _row("AWS::IAM::ManagedPolicy", arn, "global", {})


def _buckets() -> Iterator[dict[str, Any]]:
    backend = moto_bridge.backend("s3", "us-east-1")
    for bucket in backend.buckets.values():
        yield _row(
            "AWS::S3::Bucket", bucket.name, bucket.region_name, backend.tagger.get_tag_dict_for_resource(bucket.arn)
        )


def kept(world: AwsWorld, regions: list[str]) -> list[dict[str, Any]]:
    """Keys that wait for their deletion: AWS keeps them for 7 to 30 days."""
    return [
        _row("AWS::KMS::Key", key.id, region)
        | {
            "state": "pending deletion",
            "why": (
                "KMS deletes a key 7 to 30 days after it was asked to; until then it can be recovered and costs nothing"
            ),
            "source": "KMS Developer Guide, 'Deleting AWS KMS keys'",
        }
        for region in regions
        for key in _keys(region)
        if key.key_state == "PendingDeletion"
    ]
