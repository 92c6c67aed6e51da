"""Ordinary programs for AWS, as people write them, run unmodified: previewed, brought up, refreshed without changes,
taken down with nothing left."""

from __future__ import annotations

import pytest
from engine_bench import Engine

WEB = """
import json
import pulumi
import pulumi_aws as aws

zones = aws.get_availability_zones(state="available").names[:2]
vpc = aws.ec2.Vpc("web", cidr_block="10.0.0.0/16", enable_dns_hostnames=True, tags={"Name": "web"})
gateway = aws.ec2.InternetGateway("web", vpc_id=vpc.id)
table = aws.ec2.DefaultRouteTable(
    "web", default_route_table_id=vpc.default_route_table_id,
    routes=[aws.ec2.DefaultRouteTableRouteArgs(cidr_block="0.0.0.0/0", gateway_id=gateway.id)])
subnets = [
    aws.ec2.Subnet(f"web-{zone}", vpc_id=vpc.id, cidr_block=f"10.0.{i}.0/24", availability_zone=zone,
                   map_public_ip_on_launch=True)
    for i, zone in enumerate(zones)]
front = aws.ec2.SecurityGroup(
    "front", vpc_id=vpc.id,
    ingress=[aws.ec2.SecurityGroupIngressArgs(protocol="tcp", from_port=80, to_port=80, cidr_blocks=["0.0.0.0/0"])],
    egress=[aws.ec2.SecurityGroupEgressArgs(protocol="-1", from_port=0, to_port=0, cidr_blocks=["0.0.0.0/0"])])
image = aws.ssm.get_parameter(name="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64")
trust = aws.iam.get_policy_document(statements=[{
    "actions": ["sts:AssumeRole"], "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}]}])
role = aws.iam.Role("web", assume_role_policy=trust.json)
aws.iam.RolePolicyAttachment("web", role=role.name, policy_arn=aws.iam.ManagedPolicy.AMAZON_SSM_MANAGED_INSTANCE_CORE)
profile = aws.iam.InstanceProfile("web", role=role.name)
template = aws.ec2.LaunchTemplate(
    "web", image_id=image.value, instance_type="t3.micro", vpc_security_group_ids=[front.id],
    iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(arn=profile.arn))
balancer = aws.lb.LoadBalancer("web", subnets=[s.id for s in subnets], security_groups=[front.id])
targets = aws.lb.TargetGroup("web", port=80, protocol="HTTP", vpc_id=vpc.id)
aws.lb.Listener("web", load_balancer_arn=balancer.arn, port=80,
                default_actions=[aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)])
group = aws.autoscaling.Group(
    "web", min_size=1, max_size=3, desired_capacity=2, vpc_zone_identifiers=[s.id for s in subnets],
    launch_template=aws.autoscaling.GroupLaunchTemplateArgs(id=template.id, version="$Latest"))
aws.autoscaling.Attachment("web", autoscaling_group_name=group.name, lb_target_group_arn=targets.arn)
zone = aws.route53.Zone("web", name="example.com")
aws.route53.Record("web", zone_id=zone.zone_id, name="www", type="A", aliases=[aws.route53.RecordAliasArgs(
    name=balancer.dns_name, zone_id=balancer.zone_id, evaluate_target_health=True)])
pulumi.export("account", vpc.arn.apply(lambda arn: arn.split(":")[4]))
pulumi.export("host", balancer.dns_name)
"""

CLUSTER = """
import json
import pulumi
import pulumi_aws as aws

def trust(service):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})

vpc = aws.ec2.Vpc("train", cidr_block="10.1.0.0/16", enable_dns_hostnames=True)
subnets = [aws.ec2.Subnet(f"train-{z}", vpc_id=vpc.id, cidr_block=f"10.1.{i}.0/24", availability_zone=f"us-east-1{z}")
           for i, z in enumerate("ab")]
guard = aws.ec2.SecurityGroup("train", vpc_id=vpc.id)
aws.vpc.SecurityGroupIngressRule("nfs", security_group_id=guard.id, ip_protocol="tcp", from_port=2049, to_port=2049,
                                 referenced_security_group_id=guard.id)
masters = aws.iam.Role("masters", assume_role_policy=trust("eks.amazonaws.com"))
nodes = aws.iam.Role("nodes", assume_role_policy=trust("ec2.amazonaws.com"))
cluster = aws.eks.Cluster("train", role_arn=masters.arn,
                          vpc_config=aws.eks.ClusterVpcConfigArgs(subnet_ids=[s.id for s in subnets]),
                          access_config=aws.eks.ClusterAccessConfigArgs(authentication_mode="API"))
aws.eks.NodeGroup("gpus", cluster_name=cluster.name, node_role_arn=nodes.arn, subnet_ids=[subnets[0].id],
                  instance_types=["g5.xlarge"], ami_type="AL2023_x86_64_NVIDIA",
                  scaling_config=aws.eks.NodeGroupScalingConfigArgs(desired_size=1, min_size=0, max_size=4))
aws.eks.Addon("cni", cluster_name=cluster.name, addon_name="vpc-cni")
files = aws.efs.FileSystem("home", encrypted=True)
for i, subnet in enumerate(subnets):
    aws.efs.MountTarget(f"home-{i}", file_system_id=files.id, subnet_id=subnet.id, security_groups=[guard.id])
scratch = aws.fsx.LustreFileSystem("scratch", subnet_ids=subnets[0].id, storage_capacity=1200,
                                   deployment_type="SCRATCH_2", security_group_ids=[guard.id])
issuer = cluster.identities[0].oidcs[0].issuer
aws.iam.OpenIdConnectProvider("pods", url=issuer, client_id_lists=["sts.amazonaws.com"],
                              thumbprint_lists=["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"])
pulumi.export("endpoint", cluster.endpoint)
pulumi.export("mount", scratch.mount_name)
"""

SERVERLESS = """
import json
import pulumi
import pulumi_aws as aws

role = aws.iam.Role("hello", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
table = aws.dynamodb.Table("visits", hash_key="id", billing_mode="PAY_PER_REQUEST",
                           attributes=[aws.dynamodb.TableAttributeArgs(name="id", type="S")])
code = pulumi.AssetArchive({"hello.py": pulumi.StringAsset("def handler(event, context): return {}")})
hello = aws.lambda_.Function("hello", role=role.arn, runtime="python3.12", handler="hello.handler", code=code,
                             environment=aws.lambda_.FunctionEnvironmentArgs(variables={"TABLE": table.name}))
api = aws.apigatewayv2.Api("hello", protocol_type="HTTP")
wired = aws.apigatewayv2.Integration("hello", api_id=api.id, integration_type="AWS_PROXY",
                                     integration_uri=hello.arn, payload_format_version="2.0")
target = wired.id.apply(lambda id: f"integrations/{id}")
aws.apigatewayv2.Route("hello", api_id=api.id, route_key="GET /", target=target)
stage = aws.apigatewayv2.Stage("hello", api_id=api.id, name="$default", auto_deploy=True)
aws.lambda_.Permission("hello", action="lambda:InvokeFunction", function=hello.name,
                       principal="apigateway.amazonaws.com",
                       source_arn=api.execution_arn.apply(lambda arn: f"{arn}/*/*"))
nightly = aws.cloudwatch.EventRule("nightly", schedule_expression="rate(1 day)")
aws.cloudwatch.EventTarget("nightly", rule=nightly.name, arn=hello.arn)
news = aws.sns.Topic("news")
inbox = aws.sqs.Queue("inbox")
aws.sns.TopicSubscription("inbox", topic=news.arn, protocol="sqs", endpoint=inbox.arn)
site = aws.s3.Bucket("site", force_destroy=True)
aws.s3.BucketWebsiteConfiguration("site", bucket=site.id, index_document={"suffix": "index.html"})
aws.s3.BucketObjectv2("index", bucket=site.id, key="index.html", content="<h1>hi</h1>", content_type="text/html")
access = aws.cloudfront.OriginAccessControl("site", origin_access_control_origin_type="s3",
                                            signing_behavior="always", signing_protocol="sigv4")
aws.cloudfront.Distribution(
    "site", enabled=True, default_root_object="index.html",
    origins=[aws.cloudfront.DistributionOriginArgs(
        origin_id="s3", domain_name=site.bucket_regional_domain_name, origin_access_control_id=access.id)],
    default_cache_behavior=aws.cloudfront.DistributionDefaultCacheBehaviorArgs(
        target_origin_id="s3", viewer_protocol_policy="redirect-to-https",
        allowed_methods=["GET", "HEAD"], cached_methods=["GET", "HEAD"],
        cache_policy_id="658327ea-f89d-4fab-a63d-7e88639e58f6"),
    restrictions={"geo_restriction": {"restriction_type": "none"}},
    viewer_certificate={"cloudfront_default_certificate": True})
pulumi.export("url", stage.invoke_url)
"""


@pytest.mark.parametrize("program", [WEB, CLUSTER, SERVERLESS], ids=["web", "cluster", "serverless"])
def test_a_program_lives_its_whole_life(engine: Engine, program: str) -> None:
    engine.use_program(program, "config:\n  aws:region: us-east-1\n")
    assert "is not modelled" not in engine.pulumi("preview").text
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("preview", "--expect-no-changes")
    engine.pulumi("refresh", "--preview-only", "--expect-no-changes")
    engine.pulumi("destroy", "--yes", "--skip-preview")
    assert engine.inventory()["resources"] == []
