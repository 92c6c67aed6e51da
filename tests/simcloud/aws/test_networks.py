"""Networks, keys and buckets: what AWS refuses, each beside a control that it accepts."""

from __future__ import annotations

from typing import Any

import pytest
from aws_bench import Bench


def test_a_group_in_use_stays(aws: Bench) -> None:
    net = aws.network()
    other = aws.ec2.create_security_group(GroupName="other", Description="other", VpcId=net["vpc"])["GroupId"]
    pairs = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": net["group"]}]}]
    aws.ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=pairs)
    assert aws.refused(aws.ec2.delete_security_group, GroupId=net["group"])[0] == "DependencyViolation"
    aws.ec2.delete_security_group(GroupId=other)
    aws.ec2.delete_security_group(GroupId=net["group"])


@pytest.mark.parametrize(("low", "high"), [(-5, 80), (80, 65536), (90, 80)])
def test_a_port_range_is_one_of_ports(aws: Bench, low: int, high: int) -> None:
    group = aws.network()["group"]

    def opened(low: int, high: int) -> dict[str, Any]:
        ranges = [{"CidrIp": "10.0.0.0/8"}]
        return {
            "GroupId": group,
            "IpPermissions": [{"IpProtocol": "tcp", "FromPort": low, "ToPort": high, "IpRanges": ranges}],
        }

    for authorize in (aws.ec2.authorize_security_group_ingress, aws.ec2.authorize_security_group_egress):
        assert aws.refused(authorize, **opened(low, high))[0] == "InvalidParameterValue"
        authorize(**opened(80, 65535))


def test_a_subnet_and_a_gateway_with_a_nat_in_them_stay(aws: Bench) -> None:
    net = aws.network()
    gateway = aws.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    aws.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=net["vpc"])
    address = aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = aws.ec2.create_nat_gateway(SubnetId=net["subnet"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    assert aws.refused(aws.ec2.delete_subnet, SubnetId=net["subnet"])[0] == "DependencyViolation"
    leave = {"InternetGatewayId": gateway, "VpcId": net["vpc"]}
    assert aws.refused(aws.ec2.detach_internet_gateway, **leave)[0] == "DependencyViolation"
    assert aws.refused(aws.ec2.release_address, AllocationId=address)[0] == "InvalidIPAddress.InUse"
    aws.ec2.delete_nat_gateway(NatGatewayId=nat)
    aws.ec2.detach_internet_gateway(**leave)
    aws.ec2.delete_subnet(SubnetId=net["subnet"])
    aws.ec2.release_address(AllocationId=address)


def test_a_nat_gateway_needs_a_free_address_and_takes_one_of_its_subnet(aws: Bench) -> None:
    net = aws.network()
    create = aws.ec2.create_nat_gateway
    assert aws.refused(create, SubnetId=net["subnet"])[0] == "MissingParameter"
    assert aws.refused(create, SubnetId=net["subnet"], AllocationId="eipalloc-0")[0] == "InvalidAllocationID.NotFound"
    address = aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
    create(SubnetId=net["subnet"], AllocationId=address)
    assert aws.refused(create, SubnetId=net["subnet"], AllocationId=address)[0] == "Resource.AlreadyAssociated"
    nat = aws.ec2.describe_nat_gateways()["NatGateways"][0]
    assert nat["NatGatewayAddresses"][0]["PrivateIp"].startswith("10.0.1.")


def test_a_made_subnet_gives_no_public_addresses_until_told_to(aws: Bench) -> None:
    net = aws.network()
    subnet = aws.ec2.describe_subnets(SubnetIds=[net["subnet"]])["Subnets"][0]
    assert (subnet["MapPublicIpOnLaunch"], subnet["DefaultForAz"]) == (False, False)


@pytest.mark.parametrize(
    "cidr",
    ["10.0.1.0/24", "10.0.1.128/25", "10.1.0.0/24", "10.0.9.0/29"],
    ids=["same", "inside", "outside", "too small"],
)
def test_a_wrong_subnet_is_refused(aws: Bench, cidr: str) -> None:
    net = aws.network()
    code, operation = aws.refused(aws.ec2.create_subnet, VpcId=net["vpc"], CidrBlock=cidr)
    assert (code.split(".")[0], operation) in (
        ("InvalidSubnet", "CreateSubnet"),
        ("InvalidParameterValue", "CreateSubnet"),
    )
    aws.ec2.create_subnet(VpcId=net["vpc"], CidrBlock="10.0.8.0/24")


@pytest.mark.parametrize(
    "name",
    ["UPPER", "ab", "192.168.5.4", "two..dots", "xn--bucket", "bucket-s3alias", "-dash", "a" * 64, "under_score"],
)
def test_a_wrong_bucket_name_is_refused(aws: Bench, name: str) -> None:
    s3 = aws.api("s3")
    assert aws.refused(s3.create_bucket, Bucket=name)[0] == "InvalidBucketName"
    s3.create_bucket(Bucket="a-good-name.with-dots")


def _rules(*transitions: tuple[int, str], expires: int | None = None) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "ID": "tiers",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Transitions": [{"Days": days, "StorageClass": tier} for days, tier in transitions],
    }
    if expires is not None:
        rule["Expiration"] = {"Days": expires}
    return {"Rules": [rule]}


@pytest.mark.parametrize(
    "rules",
    [_rules((10, "STANDARD_IA")), _rules((90, "DEEP_ARCHIVE"), (180, "GLACIER")), _rules((90, "GLACIER"), expires=60)],
    ids=["infrequent too early", "warmer after colder", "expires before it moves"],
)
def test_a_wrong_lifecycle_is_refused(aws: Bench, rules: dict[str, Any]) -> None:
    s3 = aws.api("s3")
    s3.create_bucket(Bucket="data-of-mine")
    put = s3.put_bucket_lifecycle_configuration
    assert aws.refused(put, Bucket="data-of-mine", LifecycleConfiguration=rules)[0] == "InvalidArgument"
    put(Bucket="data-of-mine", LifecycleConfiguration=_rules((30, "STANDARD_IA"), (365, "GLACIER"), expires=800))


def test_values_outside_the_service_models_sets_are_refused(aws: Bench) -> None:
    # botocore itself lets enums and maxima pass.
    assert (
        aws.refused(aws.ec2.create_placement_group, GroupName="x", Strategy="clustered")[0] == "InvalidParameterValue"
    )
    assert (
        aws.refused(aws.ec2.create_vpc, CidrBlock="10.0.0.0/16", InstanceTenancy="mine")[0] == "InvalidParameterValue"
    )
    kms = aws.api("kms")
    assert aws.refused(kms.create_key, KeyUsage="EVERYTHING")[0] == "ValidationException"
    assert aws.refused(kms.create_key, Description="x" * 8193)[0] == "ValidationException"
    kms.create_key(Description="x" * 8192)


def test_a_bucket_is_not_encrypted_with_a_key_that_is_not_there(aws: Bench) -> None:
    s3, kms = aws.api("s3"), aws.api("kms")
    s3.create_bucket(Bucket="data-of-mine")

    def encrypted(key: str) -> dict[str, Any]:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        return {"Bucket": "data-of-mine", "ServerSideEncryptionConfiguration": {"Rules": [rule]}}

    absent = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    assert aws.refused(s3.put_bucket_encryption, **encrypted(absent))[0] == "KMS.NotFoundException"
    s3.put_bucket_encryption(**encrypted(kms.create_key()["KeyMetadata"]["Arn"]))


def test_a_deleted_key_is_kept_and_listed(aws: Bench) -> None:
    kms = aws.api("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert [row["id"] for row in aws.world.kept()] == [key]
    assert not [row for row in aws.world.inventory() if row["id"] == key]
