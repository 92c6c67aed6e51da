"""Identities, policies, roles, keys of people."""

from __future__ import annotations

import functools
import json

import pulumi_aws as aws
from planted import mistake

TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
READ = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
READONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@functools.cache
def role() -> aws.iam.Role:
    """The role that the area shares."""
    return aws.iam.Role("shared", assume_role_policy=TRUST)


@functools.cache
def user() -> aws.iam.User:
    """A person."""
    return aws.iam.User("shared")


@mistake(
    "role-with-a-space",
    source="IAM service model: roleNameType, [\\w+=,.@-]+",
    code="ValidationError",
    operation="CreateRole",
)
def _(n: str, wrong: bool) -> None:
    aws.iam.Role(n, name="our role" if wrong else "our-role", assume_role_policy=TRUST)


@mistake(
    "role-trusting-in-no-words",
    source="IAM API reference: CreateRole, MalformedPolicyDocument",
    code="MalformedPolicyDocument",
    operation="CreateRole",
)
def _(n: str, wrong: bool) -> None:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    broken = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.iam.Role(n, assume_role_policy=broken if wrong else TRUST)


@mistake(
    "role-for-minutes",
    source="IAM service model: roleMaxSessionDurationType, 3600 to 43200",
    code="ValidationError",
    operation="CreateRole",
)
def _(n: str, wrong: bool) -> None:
    aws.iam.Role(n, assume_role_policy=TRUST, max_session_duration=600 if wrong else 3600)


@mistake(
    "role-twice",
    source="IAM API reference: CreateRole, EntityAlreadyExists",
    code="EntityAlreadyExists",
    operation="CreateRole",
)
def _(n: str, wrong: bool) -> None:
    first = aws.iam.Role(f"{n}-first", name="one", assume_role_policy=TRUST)
    aws.iam.Role(n, name=first.name.apply(lambda _: "one" if wrong else "two"), assume_role_policy=TRUST)


@mistake(
    "policy-of-an-effect-misspelt",
    source="IAM User Guide: policy elements, Effect is Allow or Deny; MalformedPolicyDocument",
    code="MalformedPolicyDocument",
    operation="CreatePolicy",
)
def _(n: str, wrong: bool) -> None:
    aws.iam.Policy(n, policy=READ.replace("Allow", "Alow") if wrong else READ)


@mistake(
    "policy-of-an-action-without-a-service",
    source="IAM User Guide: policy elements, Action is service:action; MalformedPolicyDocument",
    code="MalformedPolicyDocument",
    operation="PutRolePolicy",
)
def _(n: str, wrong: bool) -> None:
    aws.iam.RolePolicy(n, role=role().name, policy=READ.replace("s3:GetObject", "GetObject") if wrong else READ)


@mistake(
    "policy-too-long",
    source="IAM User Guide: quotas, a managed policy has 6,144 characters at most; LimitExceeded",
    code="LimitExceeded",
    operation="CreatePolicy",
)
def _(n: str, wrong: bool) -> None:
    resources = [f"arn:aws:s3:::bucket-number-{i:04d}/*" for i in range(250 if wrong else 50)]
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resources}
    aws.iam.Policy(n, policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


@mistake(
    "policy-of-nobody",
    source="IAM API reference: AttachRolePolicy, NoSuchEntity",
    code="NoSuchEntity",
    operation="AttachRolePolicy",
)
def _(n: str, wrong: bool) -> None:
    arn = "arn:aws:iam::aws:policy/ReadEverything" if wrong else READONLY
    aws.iam.RolePolicyAttachment(n, role=role().name, policy_arn=arn)


@mistake(
    "policy-on-nobody",
    source="IAM API reference: PutRolePolicy, NoSuchEntity",
    code="NoSuchEntity",
    operation="PutRolePolicy",
)
def _(n: str, wrong: bool) -> None:
    aws.iam.RolePolicy(n, role="nobody" if wrong else role().name, policy=READ)


@mistake(
    "policy-of-no-form",
    source="IAM service model: arnType, 20 characters at least; ValidationError",
    code="ValidationError",
    operation="AttachUserPolicy",
)
def _(n: str, wrong: bool) -> None:
    aws.iam.UserPolicyAttachment(n, user=user().name, policy_arn="ReadOnlyAccess" if wrong else READONLY)


@mistake(
    "profile-of-no-role",
    source="IAM API reference: AddRoleToInstanceProfile, NoSuchEntity",
    code="NoSuchEntity",
    operation="AddRoleToInstanceProfile",
)
def _(n: str, wrong: bool) -> None:
    aws.iam.InstanceProfile(n, role="nobody" if wrong else role().name)


@mistake(
    "key-of-nobody",
    source="IAM API reference: CreateAccessKey, NoSuchEntity",
    code="NoSuchEntity",
    operation="CreateAccessKey",
)
def _(n: str, wrong: bool) -> None:
    aws.iam.AccessKey(n, user="nobody" if wrong else user().name)


@mistake(
    "key-too-many",
    source="IAM User Guide: quotas, two access keys per user; LimitExceeded",
    code="LimitExceeded",
    operation="CreateAccessKey",
)
def _(n: str, wrong: bool) -> None:
    who = aws.iam.User(f"{n}-user")
    keys = [aws.iam.AccessKey(f"{n}-{i}", user=who.name) for i in range(2 if wrong else 1)]
    name = keys[-1].user
    if wrong:
        name = keys[0].user.apply(lambda _: keys[1].user)
    aws.iam.AccessKey(n, user=name)


@mistake(
    "member-of-no-group",
    source="IAM API reference: AddUserToGroup, NoSuchEntity",
    code="NoSuchEntity",
    operation="AddUserToGroup",
)
def _(n: str, wrong: bool) -> None:
    own = aws.iam.Group(f"{n}-group")
    aws.iam.UserGroupMembership(n, user=user().name, groups=["nobodys" if wrong else own.name])


@mistake(
    "provider-in-clear",
    source="IAM API reference: CreateOpenIDConnectProvider, the URL begins with https://",
    code="ValidationError",
    operation="CreateOpenIDConnectProvider",
)
def _(n: str, wrong: bool) -> None:
    url = "http://token.example.com" if wrong else "https://token.example.com"
    aws.iam.OpenIdConnectProvider(
        n,
        url=url,
        client_id_lists=["sts.amazonaws.com"],
        thumbprint_lists=["cf23df2207d99a74fbe169e3eba035e633b65d94"],
    )


@mistake(
    "linked-to-no-service",
    source="IAM API reference: CreateServiceLinkedRole, AWSServiceName; InvalidInput",
    code="InvalidInput",
    operation="CreateServiceLinkedRole",
)
def _(n: str, wrong: bool) -> None:
    name = "elasticbeanstalk" if wrong else "elasticbeanstalk.amazonaws.com"
    aws.iam.ServiceLinkedRole(n, aws_service_name=name)
