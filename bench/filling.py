"""A world with many resources in it, made through its APIs as any client makes them."""

from __future__ import annotations

import json
import urllib.request

TRUST = '{"Version": "2012-10-17", "Statement": []}'
PROJECT = "bench-project"


def fill(aws_endpoint: str, gcp_endpoint: str, resources: int) -> None:
    """Security groups, buckets, roles and log groups on AWS, networks on Google Cloud, a fifth of each."""
    import boto3

    session = boto3.Session("simulated", "simulated", region_name="us-east-1")
    ec2, s3, iam, logs = (session.client(name, endpoint_url=aws_endpoint) for name in ("ec2", "s3", "iam", "logs"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for number in range(resources // 5):
        ec2.create_security_group(GroupName=f"group-{number}", Description="bench", VpcId=vpc)
        s3.create_bucket(Bucket=f"bench-bucket-{number}")
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=TRUST)
        logs.create_log_group(logGroupName=f"logs-{number}")
        body = json.dumps({"name": f"network-{number}", "autoCreateSubnetworks": False}).encode()
        url = f"{gcp_endpoint}/compute/v1/projects/{PROJECT}/global/networks"
        request = urllib.request.Request(url, body, {"content-type": "application/json"})
        urllib.request.urlopen(request).close()
