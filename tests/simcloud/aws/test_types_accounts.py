"""The life of IAM's and S3's smaller types: made, refreshed without changes, changed in place, deleted."""

from __future__ import annotations

import json

from life import Life

READ = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]}
)
READONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_users_and_groups(life: Life) -> None:
    user = life.make("aws:iam/user:User", name="ada", path="/people/", tags={"a": "b"})
    assert user["arn"] == "arn:aws:iam::123456789012:user/people/ada"
    life.change(user, tags={"a": "c", "d": "e"})
    group = life.make("aws:iam/group:Group", name="readers")
    key = life.make("aws:iam/accessKey:AccessKey", user="ada")
    assert key.id.startswith("AKIA")
    assert len(key["secret"]) >= 30
    life.change(key, status="Inactive")
    life.make("aws:iam/userPolicy:UserPolicy", name="read", user="ada", policy=READ)
    life.make("aws:iam/groupPolicy:GroupPolicy", name="read", group="readers", policy=READ)
    life.make("aws:iam/userPolicyAttachment:UserPolicyAttachment", user="ada", policyArn=READONLY)
    life.make("aws:iam/groupPolicyAttachment:GroupPolicyAttachment", group="readers", policyArn=READONLY)
    life.make("aws:iam/userGroupMembership:UserGroupMembership", user="ada", groups=["readers"])
    other = life.make("aws:iam/user:User", name="bob")
    life.make("aws:iam/groupMembership:GroupMembership", name="all", group="readers", users=["ada", "bob"])
    own = life.make("aws:iam/policy:Policy", name="own", policy=READ)
    life.make(
        "aws:iam/policyAttachment:PolicyAttachment", name="own", policyArn=own.id, users=["bob"], groups=["readers"]
    )
    assert group["uniqueId"]
    assert other["uniqueId"] != user["uniqueId"]
    life.unmake()


def test_identity_providers_and_linked_roles(life: Life) -> None:
    provider = life.make(
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        url="https://token.actions.githubusercontent.com",
        clientIdLists=["sts.amazonaws.com"],
        thumbprintLists=["cf23df2207d99a74fbe169e3eba035e633b65d94"],
        tags={"a": "b"},
    )
    assert provider["arn"] == "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    life.change(provider, thumbprintLists=["d89e3bd43d5d909b47a18977aa9d5ce36cee184c"])
    role = life.make("aws:iam/serviceLinkedRole:ServiceLinkedRole", awsServiceName="elasticbeanstalk.amazonaws.com")
    assert "/aws-service-role/elasticbeanstalk.amazonaws.com/" in role["arn"]
    life.make("aws:iam/accountPasswordPolicy:AccountPasswordPolicy", minimumPasswordLength=12)
    life.unmake()


def test_settings_of_a_bucket(life: Life) -> None:
    bucket = life.make("aws:s3/bucket:Bucket", bucket="site-0123456", forceDestroy=True, tags={"a": "b"})
    logs = life.make("aws:s3/bucketV2:BucketV2", bucket="logs-0123456", forceDestroy=True)
    site = life.make(
        "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration",
        bucket=bucket.id,
        indexDocument={"suffix": "index.html"},
        errorDocument={"key": "404.html"},
    )
    assert site["websiteEndpoint"] == "site-0123456.s3-website-us-east-1.amazonaws.com"
    life.change(site, indexDocument={"suffix": "home.html"})
    life.make(
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        bucket=bucket.id,
        rule={"objectOwnership": "ObjectWriter"},
    )
    acl = life.make("aws:s3/bucketAcl:BucketAcl", bucket=bucket.id, acl="private")
    assert acl.id == "site-0123456,private"
    rules = [
        {
            "allowedMethods": ["GET"],
            "allowedOrigins": ["https://example.com"],
            "allowedHeaders": ["*"],
            "maxAgeSeconds": 3000,
        }
    ]
    cors = life.make("aws:s3/bucketCorsConfiguration:BucketCorsConfiguration", bucket=bucket.id, corsRules=rules)
    life.change(cors, corsRules=[{**rules[0], "maxAgeSeconds": 60}])
    grant = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Resource": f"{logs['arn']}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
    life.make("aws:s3/bucketPolicy:BucketPolicy", bucket=logs.id, policy=policy)
    life.make("aws:s3/bucketLogging:BucketLogging", bucket=bucket.id, targetBucket=logs.id, targetPrefix="log/")
    life.make("aws:s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration", bucket=bucket.id, status="Enabled")
    life.make(
        "aws:s3/bucketRequestPaymentConfiguration:BucketRequestPaymentConfiguration",
        bucket=bucket.id,
        payer="Requester",
    )
    page = life.make(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        bucket=bucket.id,
        key="index.html",
        content="<h1>hi</h1>",
        contentType="text/html",
    )
    assert len(page["etag"]) == 32
    life.change(page, content="<h1>ho</h1>")
    life.unmake()


def test_a_locked_bucket(life: Life) -> None:
    bucket = life.make("aws:s3/bucket:Bucket", bucket="kept-0123456", objectLockEnabled=True)
    life.make(
        "aws:s3/bucketVersioning:BucketVersioning", bucket=bucket.id, versioningConfiguration={"status": "Enabled"}
    )
    lock = life.make(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        bucket=bucket.id,
        rule={"defaultRetention": {"mode": "COMPLIANCE", "days": 5}},
    )
    life.change(lock, rule={"defaultRetention": {"mode": "COMPLIANCE", "days": 7}})
    life.unmake()
