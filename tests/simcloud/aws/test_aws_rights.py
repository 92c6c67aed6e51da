"""What a program on an instance may do with its role's credentials, over real HTTP and boto3's own chain."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_bench import REGION, Bench
from botocore.config import Config
from botocore.exceptions import ClientError
from metadata_server import served
from test_aws_metadata import TRUST, Host, launch, role

BUCKET = "training-data-of-ours"
ARN = f"arn:aws:s3:::{BUCKET}"


def statement(actions: str | list[str], *resources: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources), **more}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


POOL = policy(
    statement("s3:ListBucket", ARN, Condition={"StringLike": {"s3:prefix": ["in/*", "ckpt/*"]}}),
    statement(["s3:GetObject", "s3:GetObjectVersion"], f"{ARN}/in/*", f"{ARN}/ckpt/*"),
    statement(["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], f"{ARN}/ckpt/*"),
)


class Program:
    """A program on an instance: boto3 with the credentials that the metadata service gives now."""

    def __init__(self, aws: Bench, host: Host, endpoint: str) -> None:
        self.aws, self.host, self.endpoint = aws, host, endpoint

    def keys(self, name: str = "train") -> dict[str, str]:
        said = json.loads(self.host.text(f"/latest/meta-data/iam/security-credentials/{name}"))
        names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey"}
        return {k: said[v] for k, v in (names | {"aws_session_token": "Token"}).items()}

    def client(self, service: str = "s3", **keys: str) -> Any:
        config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})
        given = {"region_name": REGION, "endpoint_url": self.endpoint, "config": config}
        return boto3.client(service, **given, **(keys or self.keys()))


@pytest.fixture
def program(aws: Bench) -> Iterator[Program]:
    role(aws)
    aws.api("iam").put_role_policy(RoleName="train", PolicyName="store", PolicyDocument=POOL)
    s3 = aws.api("s3")
    s3.create_bucket(Bucket=BUCKET)
    for key in ("in/a", "ckpt/1", "secret/x"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"data")
    host = launch(aws, aws.network(), IamInstanceProfile={"Name": "train"})
    with served(lambda request: aws.world.call("aws", request)) as address:
        yield Program(aws, host, f"http://{address}")


def code(call: Any, **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    said = refused.value.response
    return said["Error"]["Code"], said["ResponseMetadata"]["HTTPStatusCode"]


DENIED = ("AccessDenied", 403)


def test_a_role_reads_and_writes_where_it_may_and_nowhere_else(program: Program) -> None:
    s3 = program.client()
    assert s3.get_object(Bucket=BUCKET, Key="in/a")["Body"].read() == b"data"
    s3.put_object(Bucket=BUCKET, Key="ckpt/2", Body=b"x" * 100)
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET, Prefix="ckpt/")["Contents"]] == ["ckpt/1", "ckpt/2"]
    s3.delete_object(Bucket=BUCKET, Key="ckpt/2")
    assert code(s3.get_object, Bucket=BUCKET, Key="secret/x") == DENIED
    assert code(s3.put_object, Bucket=BUCKET, Key="in/b", Body=b"") == DENIED
    assert code(s3.delete_object, Bucket=BUCKET, Key="in/a") == DENIED
    assert code(s3.list_objects_v2, Bucket=BUCKET) == DENIED
    assert code(s3.list_objects_v2, Bucket=BUCKET, Prefix="secret/") == DENIED
    assert code(s3.list_buckets) == DENIED
    assert code(s3.put_bucket_policy, Bucket=BUCKET, Policy=policy()) == DENIED
    several = {"Objects": [{"Key": "ckpt/1"}, {"Key": "in/a"}]}
    assert code(s3.delete_objects, Bucket=BUCKET, Delete=several) == DENIED
    assert code(s3.head_object, Bucket=BUCKET, Key="secret/x")[1] == 403
    assert program.aws.api("s3").get_object(Bucket=BUCKET, Key="in/a")["Body"].read() == b"data"


def test_whoever_may_not_list_does_not_learn_what_is_not_there(program: Program) -> None:
    s3, iam = program.client(), program.aws.api("iam")
    assert code(s3.get_object, Bucket=BUCKET, Key="in/none") == ("NoSuchKey", 404)
    only = policy(statement("s3:GetObject", f"{ARN}/in/*"))
    iam.put_role_policy(RoleName="train", PolicyName="store", PolicyDocument=only)
    s3.get_object(Bucket=BUCKET, Key="in/a")
    assert code(s3.get_object, Bucket=BUCKET, Key="in/none") == DENIED
    assert code(s3.head_object, Bucket=BUCKET, Key="in/none")[1] == 403
    assert code(program.aws.api("s3").get_object, Bucket=BUCKET, Key="in/none") == ("NoSuchKey", 404)


def test_a_refusal_names_who_what_and_why(program: Program) -> None:
    with pytest.raises(
        ClientError, match=r"assumed-role/train/i-.* s3:GetObject .*secret/x.* no identity-based policy"
    ):
        program.client().get_object(Bucket=BUCKET, Key="secret/x")


def test_uploads_in_parts_and_copies_need_the_rights_of_what_they_do(program: Program) -> None:
    s3 = program.client()
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="ckpt/big")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="ckpt/big", UploadId=upload, PartNumber=1, Body=b"x" * 10)
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket=BUCKET, Key="ckpt/big", UploadId=upload, MultipartUpload=parts)
    assert code(s3.create_multipart_upload, Bucket=BUCKET, Key="in/big") == DENIED
    s3.copy_object(Bucket=BUCKET, Key="ckpt/copy", CopySource={"Bucket": BUCKET, "Key": "in/a"})
    source = {"Bucket": BUCKET, "Key": "secret/x"}
    assert code(s3.copy_object, Bucket=BUCKET, Key="ckpt/copy", CopySource=source) == DENIED


def test_a_key_of_the_stack_must_be_granted_too(program: Program) -> None:
    aws = program.aws
    key = aws.api("kms").create_key()["KeyMetadata"]["Arn"]
    sealed = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    aws.api("s3").put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [sealed]})
    s3 = program.client()
    with pytest.raises(ClientError, match="kms:GenerateDataKey"):
        s3.put_object(Bucket=BUCKET, Key="ckpt/2", Body=b"x")
    with pytest.raises(ClientError, match="kms:Decrypt"):
        s3.get_object(Bucket=BUCKET, Key="in/a")
    use = policy(statement(["kms:Decrypt", "kms:GenerateDataKey"], key))
    aws.api("iam").put_role_policy(RoleName="train", PolicyName="key", PolicyDocument=use)
    s3.put_object(Bucket=BUCKET, Key="ckpt/2", Body=b"x")
    assert s3.get_object(Bucket=BUCKET, Key="ckpt/2")["Body"].read() == b"x"


def test_the_buckets_own_policy_denies_and_allows(program: Program) -> None:
    aws, s3 = program.aws, program.client()
    everybody = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [ARN, f"{ARN}/*"]}
    plain = everybody | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    aws.api("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy(plain))
    s3.get_object(Bucket=BUCKET, Key="in/a")
    arn = "arn:aws:iam::123456789012:role/train"
    gift = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:GetObject", "Resource": f"{ARN}/secret/*"}
    aws.api("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy(gift))
    assert s3.get_object(Bucket=BUCKET, Key="secret/x")["Body"].read() == b"data"
    aws.api("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy(everybody))
    assert code(s3.get_object, Bucket=BUCKET, Key="in/a") == DENIED


def test_attached_policies_count_and_a_boundary_narrows(program: Program) -> None:
    iam, s3 = program.aws.api("iam"), program.client()
    wide = policy(statement("s3:*", "*"))
    made = iam.create_policy(PolicyName="wide", PolicyDocument=wide)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="train", PolicyArn=made)
    assert s3.get_object(Bucket=BUCKET, Key="secret/x")["Body"].read() == b"data"
    narrow = policy(statement("s3:Get*", f"{ARN}/in/*"))
    bound = iam.create_policy(PolicyName="narrow", PolicyDocument=narrow)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="train", PermissionsBoundary=bound)
    s3.get_object(Bucket=BUCKET, Key="in/a")
    assert code(s3.get_object, Bucket=BUCKET, Key="secret/x") == DENIED
    assert code(s3.list_buckets) == DENIED


def test_a_roles_tags_are_keys_of_conditions(program: Program) -> None:
    iam, s3 = program.aws.api("iam"), program.client()
    tagged = {"StringEquals": {"aws:PrincipalTag/Pool": "train"}}
    iam.put_role_policy(
        RoleName="train", PolicyName="tag", PolicyDocument=policy(statement("s3:GetObject", "*", Condition=tagged))
    )
    iam.tag_role(RoleName="train", Tags=[{"Key": "Pool", "Value": "other"}])
    assert code(s3.get_object, Bucket=BUCKET, Key="secret/x") == DENIED
    iam.tag_role(RoleName="train", Tags=[{"Key": "Pool", "Value": "train"}])
    s3.get_object(Bucket=BUCKET, Key="secret/x")
    made = iam.create_role(RoleName="b", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "a", "Value": "b"}])
    keys = program.aws.api("sts").assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName="me")["Credentials"]
    names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey"}
    other = program.client(**{k: keys[v] for k, v in (names | {"aws_session_token": "SessionToken"}).items()})
    assert code(other.get_object, Bucket=BUCKET, Key="in/a") == DENIED


def test_other_services_are_judged_by_action_and_known_resources(program: Program) -> None:
    aws = program.aws
    own = f"arn:aws:ec2:{REGION}:123456789012:instance/{program.host.id}"
    document = policy(statement("ec2:DescribeInstances", "*"), statement("ec2:RebootInstances", own))
    aws.api("iam").put_role_policy(RoleName="train", PolicyName="ec2", PolicyDocument=document)
    ec2 = program.client("ec2")
    assert ec2.describe_instances()["Reservations"]
    ec2.reboot_instances(InstanceIds=[program.host.id])
    assert code(ec2.terminate_instances, InstanceIds=[program.host.id]) == ("UnauthorizedOperation", 403)
    other = launch(aws, aws.network(cidr="10.9.0.0/16"))
    assert code(ec2.reboot_instances, InstanceIds=[other.id]) == ("UnauthorizedOperation", 403)
    asg = program.client("autoscaling")
    assert code(asg.describe_auto_scaling_groups) == ("AccessDenied", 403)
    assert code(program.client("ssm").get_parameter, Name="/x") == ("AccessDeniedException", 400)


def test_what_nobody_can_tell_is_let_pass_and_counted(program: Program) -> None:
    odd = statement("ec2:DescribeVpcs", "*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})
    program.aws.api("iam").put_role_policy(RoleName="train", PolicyName="odd", PolicyDocument=policy(odd))
    assert program.client("ec2").describe_vpcs()["Vpcs"]
    said = program.aws.world.rights()["aws"]
    assert said["passed"] == {"condition StringEquals on aws:SourceVpc": 1}


def test_a_caller_learns_that_it_is_the_role(program: Program) -> None:
    who = program.client("sts").get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::123456789012:assumed-role/train/{program.host.id}"
    assert who["UserId"].startswith("AROA")
    assert who["UserId"].endswith(f":{program.host.id}")


def test_keys_that_are_over_forged_or_anothers_are_refused(program: Program) -> None:
    keys = program.keys()
    s3 = program.client(**keys)
    s3.get_object(Bucket=BUCKET, Key="in/a")
    assert code(program.client(**keys | {"aws_session_token": "x" + keys["aws_session_token"]}).list_buckets) == (
        "InvalidAccessKeyId",
        403,
    )
    other = program.client(**keys | {"aws_access_key_id": "ASIAAAAAAAAAAAAAAAAA"})
    assert code(other.get_object, Bucket=BUCKET, Key="in/a") == ("InvalidAccessKeyId", 403)
    bare = {k: v for k, v in keys.items() if k != "aws_session_token"}
    assert code(program.client(**bare).get_object, Bucket=BUCKET, Key="in/a") == ("InvalidAccessKeyId", 403)
    assert code(program.client("ec2", **bare).describe_vpcs) == ("AuthFailure", 401)
    assert code(program.client("sts", **bare).get_caller_identity)[0] == "InvalidClientTokenId"
    program.aws.world._now = datetime.now(UTC) + timedelta(hours=7)
    assert code(s3.get_object, Bucket=BUCKET, Key="in/a") == ("ExpiredToken", 400)
    assert code(program.client("sts", **keys).get_caller_identity)[0] == "ExpiredToken"


def test_a_presigned_url_may_do_what_its_signer_may(program: Program) -> None:
    def fetched(client: Any, key: str) -> int | bytes:
        url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": key})
        try:
            found: bytes = urllib.request.urlopen(url).read()
            return found
        except urllib.error.HTTPError as refused:
            return refused.code

    for version in ("s3", "s3v4"):
        config = Config(signature_version=version, s3={"addressing_style": "path"})
        given = {"region_name": REGION, "endpoint_url": program.endpoint, "config": config}
        user = {"aws_access_key_id": "AKIASIMULATED0000000", "aws_secret_access_key": "x"}
        assert fetched(boto3.client("s3", **given, **user), "secret/x") == b"data"
    role = boto3.client("s3", **given, **program.keys())
    assert fetched(role, "in/a") == b"data"
    assert fetched(role, "secret/x") == 403


def test_a_role_that_was_taken_away_can_do_nothing(program: Program) -> None:
    s3, iam = program.client(), program.aws.api("iam")
    iam.delete_role_policy(RoleName="train", PolicyName="store")
    assert code(s3.get_object, Bucket=BUCKET, Key="in/a") == DENIED
    iam.remove_role_from_instance_profile(InstanceProfileName="train", RoleName="train")
    iam.delete_role(RoleName="train")
    iam.create_role(RoleName="train", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="train", PolicyName="store", PolicyDocument=POOL)
    assert code(s3.get_object, Bucket=BUCKET, Key="in/a") == DENIED, "a role made anew is another one"


def test_a_session_that_was_begun_with_assume_role_is_judged_as_its_role(program: Program) -> None:
    sts = program.aws.api("sts")
    arn = "arn:aws:iam::123456789012:role/train"
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey"}
    s3 = program.client(**{k: keys[v] for k, v in (names | {"aws_session_token": "SessionToken"}).items()})
    s3.get_object(Bucket=BUCKET, Key="in/a")
    assert code(s3.get_object, Bucket=BUCKET, Key="secret/x") == DENIED


def test_everything_by_boto3s_own_chain(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", program.endpoint)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    world, id = program.aws.world, program.host.id
    with served(lambda request: world.metadata("aws", id, request)) as address:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://{address}")
        session = boto3.Session()
        assert session.client("sts").get_caller_identity()["Arn"].endswith(f"assumed-role/train/{id}")
        s3 = session.client("s3", config=Config(s3={"addressing_style": "path"}))
        s3.upload_file(__file__, BUCKET, "ckpt/file")
        assert s3.get_object(Bucket=BUCKET, Key="ckpt/file")["Body"].read() == Path(__file__).read_bytes()
        assert code(s3.get_object, Bucket=BUCKET, Key="secret/x") == DENIED


def test_what_was_judged_is_judged_the_same_after_a_crash(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    role(bench)
    bench.api("iam").put_role_policy(RoleName="train", PolicyName="store", PolicyDocument=POOL)
    bench.api("s3").create_bucket(Bucket=BUCKET)
    host = launch(bench, bench.network(), IamInstanceProfile={"Name": "train"})
    with served(lambda request: bench.world.call("aws", request)) as address:
        s3 = Program(bench, host, f"http://{address}").client()
        s3.put_object(Bucket=BUCKET, Key="ckpt/1", Body=b"kept")
        assert code(s3.put_object, Bucket=BUCKET, Key="in/1", Body=b"refused") == DENIED
        bench.open()
        listed = bench.api("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
        assert [o["Key"] for o in listed] == ["ckpt/1"]
        s3.put_object(Bucket=BUCKET, Key="ckpt/2", Body=b"the same keys go on")
    journal = (tmp_path / "journal").read_bytes()
    assert b"ASIA" not in journal
