"""The AWS SDK."""

from __future__ import annotations

import pulumi_aws as sdk

import fleetyard.aws

TOUCHED = (
    fleetyard.aws,
    sdk.autoscaling.Group,
    sdk.cloudwatch.LogGroup,
    sdk.ec2.Vpc,
    sdk.iam.Role,
    sdk.kms.Key,
    sdk.s3.Bucket,
    sdk.vpc.SecurityGroupIngressRule,
)
