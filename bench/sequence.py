"""One mixed sequence of AWS calls, the same whoever answers: a small cluster made, looked at and deleted."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

REGION = "us-east-1"
SERVICES = ("ec2", "s3", "iam", "kms")
IMAGE = "ami-1e749f67"
"""An image that moto has from the start, whatever else is in it."""
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
RIGHTS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
OBJECT = b"x" * 65536


def clients(endpoint: str) -> dict[str, Any]:
    """The four boto3 clients for a server. One attempt each: a repeated call would hide in the time."""
    import boto3
    from botocore.config import Config

    session = boto3.Session(
        aws_access_key_id="AKIASIMULATED0000000", aws_secret_access_key="simulated", region_name=REGION
    )
    config = Config(
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return {name: session.client(name, endpoint_url=endpoint, config=config) for name in SERVICES}


class Round:
    """One walk through the sequence; `seconds` by service and `calls` by service when it is done."""

    def __init__(self, answering: dict[str, Any], number: int) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self._answering = answering
        self._number = number

    def walk(self) -> Round:
        """Every call once, in order; nothing but keys that wait for deletion is left."""
        self._ec2()
        self._s3()
        self._iam()
        self._kms()
        return self

    def _service(self, name: str) -> Callable[..., dict[str, Any]]:
        def call(operation: str, **arguments: Any) -> dict[str, Any]:
            method = getattr(self._answering[name], operation)
            began = time.perf_counter()
            answer: dict[str, Any] = method(**arguments)
            self.seconds[name] += time.perf_counter() - began
            self.calls[name] += 1
            return answer

        return call

    def _ec2(self) -> None:
        ec2 = self._service("ec2")
        vpc = ec2("create_vpc", CidrBlock="10.90.0.0/16")["Vpc"]["VpcId"]
        ec2("create_tags", Resources=[vpc], Tags=[{"Key": "Name", "Value": f"bench-{self._number}"}])
        ec2("modify_vpc_attribute", VpcId=vpc, EnableDnsHostnames={"Value": True})
        subnets = [
            ec2("create_subnet", VpcId=vpc, CidrBlock=f"10.90.{n}.0/24", AvailabilityZone="us-east-1a")["Subnet"]
            for n in range(3)
        ]
        group = ec2("create_security_group", GroupName="bench", Description="bench", VpcId=vpc)["GroupId"]
        permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        ec2("authorize_security_group_ingress", GroupId=group, IpPermissions=[permission])
        table = ec2("create_route_table", VpcId=vpc)["RouteTable"]["RouteTableId"]
        template = {"ImageId": IMAGE, "InstanceType": "m5.xlarge"}
        name = f"bench-{self._number}"
        ec2("create_launch_template", LaunchTemplateName=name, LaunchTemplateData=template)
        subnet = subnets[0]["SubnetId"]
        running = ec2(
            "run_instances",
            ImageId=IMAGE,
            InstanceType="m5.xlarge",
            MinCount=2,
            MaxCount=2,
            SubnetId=subnet,
            SecurityGroupIds=[group],
        )
        ids = [instance["InstanceId"] for instance in running["Instances"]]
        ec2("describe_instances", InstanceIds=ids)
        ec2("describe_vpcs", VpcIds=[vpc])
        ec2("describe_subnets", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        ec2("describe_security_groups", GroupIds=[group])
        ec2("describe_route_tables", RouteTableIds=[table])
        ec2("describe_launch_templates", LaunchTemplateNames=[name])
        ec2("describe_instance_types", InstanceTypes=["p4d.24xlarge"])
        ec2("terminate_instances", InstanceIds=ids)
        ec2("delete_launch_template", LaunchTemplateName=name)
        ec2("delete_route_table", RouteTableId=table)
        ec2("delete_security_group", GroupId=group)
        for one in subnets:
            ec2("delete_subnet", SubnetId=one["SubnetId"])
        ec2("delete_vpc", VpcId=vpc)

    def _s3(self) -> None:
        s3 = self._service("s3")
        bucket = f"fleetyard-bench-{self._number}"
        s3("create_bucket", Bucket=bucket)
        s3("put_bucket_versioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3("put_bucket_tagging", Bucket=bucket, Tagging={"TagSet": [{"Key": "owner", "Value": "bench"}]})
        versions = [s3("put_object", Bucket=bucket, Key=f"part-{n}", Body=OBJECT)["VersionId"] for n in range(3)]
        s3("head_object", Bucket=bucket, Key="part-0")
        s3("get_object", Bucket=bucket, Key="part-1")["Body"].read()
        s3("list_objects_v2", Bucket=bucket)
        for number, version in enumerate(versions):
            s3("delete_object", Bucket=bucket, Key=f"part-{number}", VersionId=version)
        s3("delete_bucket", Bucket=bucket)

    def _iam(self) -> None:
        iam = self._service("iam")
        name = f"bench-{self._number}"
        iam("create_role", RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam("put_role_policy", RoleName=name, PolicyName="read", PolicyDocument=RIGHTS)
        iam("create_instance_profile", InstanceProfileName=name)
        iam("add_role_to_instance_profile", InstanceProfileName=name, RoleName=name)
        iam("get_role", RoleName=name)
        iam("get_role_policy", RoleName=name, PolicyName="read")
        iam("list_role_policies", RoleName=name)
        iam("remove_role_from_instance_profile", InstanceProfileName=name, RoleName=name)
        iam("delete_instance_profile", InstanceProfileName=name)
        iam("delete_role_policy", RoleName=name, PolicyName="read")
        iam("delete_role", RoleName=name)

    def _kms(self) -> None:
        kms = self._service("kms")
        key = kms("create_key", Description="bench")["KeyMetadata"]["KeyId"]
        kms("enable_key_rotation", KeyId=key)
        kms("describe_key", KeyId=key)
        kms("get_key_rotation_status", KeyId=key)
        sealed = kms("encrypt", KeyId=key, Plaintext=b"bench")["CiphertextBlob"]
        kms("decrypt", CiphertextBlob=sealed)
        kms("schedule_key_deletion", KeyId=key, PendingWindowInDays=7)
