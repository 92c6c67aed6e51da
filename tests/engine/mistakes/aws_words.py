"""Misspelt, wrongly typed and contradicting properties: what is refused before any call.

A refusal of this kind ends the program, so none of these needs anything of the others.
"""

from __future__ import annotations

import pulumi_aws as aws
from planted import CHECK, mistake

ROLE = "arn:aws:iam::123456789012:role/some"
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)


@mistake(
    "vpc-whose-flag-is-a-word",
    source="Terraform AWS provider: aws_vpc, enable_dns_support is a boolean",
    code="expected true or false",
    operation=CHECK,
    property="enableDnsSupport",
)
def _(n: str, wrong: bool) -> None:
    flag: object = "sometimes" if wrong else "true"
    aws.ec2.Vpc(n, cidr_block="10.1.0.0/16", enable_dns_support=flag)  # type: ignore[arg-type]


@mistake(
    "group-with-a-port-misspelt",
    source="Pulumi AWS SDK: aws.ec2.SecurityGroup, ingress.fromPort",
    code="fromPrt",
    operation=CHECK,
    property="ingress",
)
def _(n: str, wrong: bool) -> None:
    rule = {"protocol": "tcp", ("fromPrt" if wrong else "fromPort"): 80, "toPort": 80, "cidrBlocks": ["10.0.0.0/8"]}
    aws.ec2.SecurityGroup(n, ingress=[rule])  # type: ignore[list-item]


@mistake(
    "group-with-a-port-in-letters",
    source="Terraform AWS provider: aws_security_group, ingress.to_port is a number",
    code="expected a whole number",
    operation=CHECK,
    property="ingress[0].toPort",
)
def _(n: str, wrong: bool) -> None:
    port: object = "eighty" if wrong else 80
    rule = {"protocol": "tcp", "fromPort": 80, "toPort": port, "cidrBlocks": ["10.0.0.0/8"]}
    aws.ec2.SecurityGroup(n, ingress=[rule])  # type: ignore[list-item]


@mistake(
    "template-with-a-disk-misspelt",
    source="Pulumi AWS SDK: aws.ec2.LaunchTemplate, blockDeviceMappings.ebs.volumeSize",
    code="volumeSise",
    operation=CHECK,
    property="blockDeviceMappings",
)
def _(n: str, wrong: bool) -> None:
    disk = {"deviceName": "/dev/sda1", "ebs": {"volumeSise" if wrong else "volumeSize": 20}}
    aws.ec2.LaunchTemplate(n, block_device_mappings=[disk])  # type: ignore[list-item]


@mistake(
    "key-alias-without-its-prefix",
    source="KMS API reference: CreateAlias, AliasName begins with alias/; Terraform AWS provider: aws_kms_alias",
    code="must begin with",
    operation=CHECK,
    property="name",
)
def _(n: str, wrong: bool) -> None:
    key = aws.kms.Key(f"{n}-key")
    aws.kms.Alias(n, name="mine" if wrong else "alias/mine", target_key_id=key.id)


@mistake(
    "queue-fifo-by-name-only",
    source="SQS API reference: CreateQueue, a FIFO queue's name ends with .fifo; Terraform AWS provider: aws_sqs_queue",
    code="invalid queue name",
    operation=CHECK,
    property="name",
)
def _(n: str, wrong: bool) -> None:
    aws.sqs.Queue(n, name="work" if wrong else "work.fifo", fifo_queue=True)


@mistake(
    "table-with-an-attribute-too-many",
    source="DynamoDB API reference: CreateTable, AttributeDefinitions; Terraform AWS provider: aws_dynamodb_table",
    code="all attributes must be indexed",
    operation=CHECK,
    property="attributes",
)
def _(n: str, wrong: bool) -> None:
    more = [aws.dynamodb.TableAttributeArgs(name="age", type="N")] if wrong else []
    aws.dynamodb.Table(
        n,
        hash_key="id",
        billing_mode="PAY_PER_REQUEST",
        attributes=[aws.dynamodb.TableAttributeArgs(name="id", type="S"), *more],
    )


@mistake(
    "rule-for-nothing",
    source="EventBridge API reference: PutRule; Terraform AWS provider: aws_cloudwatch_event_rule, at least one of",
    code="one of eventPattern, scheduleExpression",
    operation=CHECK,
    property="eventPattern",
)
def _(n: str, wrong: bool) -> None:
    aws.cloudwatch.EventRule(n, schedule_expression=None if wrong else "rate(1 day)")


@mistake(
    "function-without-code",
    source="Lambda API reference: CreateFunction, Code; Terraform AWS provider: aws_lambda_function, exactly one of",
    code="one of code, imageUri, s3Bucket",
    operation=CHECK,
    property="code",
)
def _(n: str, wrong: bool) -> None:
    role = aws.iam.Role(f"{n}-role", assume_role_policy=TRUST.replace("ec2.", "lambda."))
    image = None if wrong else "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"
    aws.lambda_.Function(n, role=role.arn, package_type="Image", image_uri=image)


@mistake(
    "parameter-of-no-kind",
    source="SSM service model: ParameterType; Terraform AWS provider: aws_ssm_parameter, type",
    code="expected type to be one of",
    operation=CHECK,
    property="type",
)
def _(n: str, wrong: bool) -> None:
    kind: object = "Text" if wrong else "String"
    aws.ssm.Parameter(n, type=kind, value="a")  # type: ignore[arg-type]


@mistake(
    "rule-sideways",
    source="Terraform AWS provider: aws_security_group_rule, type is ingress or egress",
    code="expected type to be one of",
    operation=CHECK,
    property="type",
)
def _(n: str, wrong: bool) -> None:
    guard = aws.ec2.SecurityGroup(f"{n}-group")
    aws.ec2.SecurityGroupRule(
        n,
        type="sideways" if wrong else "ingress",
        security_group_id=guard.id,
        protocol="tcp",
        from_port=1,
        to_port=2,
        cidr_blocks=["10.0.0.0/8"],
    )


@mistake(
    "unmodelled-type-misspelt",
    source="Pulumi AWS SDK: aws.sagemaker.NotebookInstance, instanceMetadataServiceConfiguration",
    code="minimumInstanceMetadataServiceVersoin",
    operation=CHECK,
    property="instanceMetadataServiceConfiguration",
)
def _(n: str, wrong: bool) -> None:
    name = "minimumInstanceMetadataServiceVersoin" if wrong else "minimumInstanceMetadataServiceVersion"
    aws.sagemaker.NotebookInstance(
        n,
        role_arn=ROLE,
        instance_type="ml.t3.medium",
        instance_metadata_service_configuration={name: "2"},  # type: ignore[arg-type]
    )
