"""The instance metadata service: what cloud-init and AWS's SDKs ask, and what they must not get."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_bench import REGION, UBUNTU, Bench
from metadata_server import served

from simcloud.wire import Request, Response

TOKEN, TTL = "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class Host:
    """What a program on an instance sees of the metadata service."""

    def __init__(self, aws: Bench, id: str) -> None:
        self.aws, self.id = aws, id

    def ask(self, path: str, method: str = "GET", **headers: str) -> Response:
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.aws.world.metadata("aws", self.id, Request(method, path, "", named))

    def token(self, seconds: int = 60) -> str:
        return self.ask("/latest/api/token", "PUT", **{TTL: str(seconds)}).body.decode()

    def text(self, path: str) -> str:
        said = self.ask(path, **{TOKEN: self.token()})
        assert said.status == 200, path
        return said.body.decode()


def role(aws: Bench, name: str = "train") -> None:
    iam = aws.api("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)


@pytest.fixture
def net(aws: Bench) -> dict[str, str]:
    return aws.network()


def launch(aws: Bench, net: dict[str, str], **more: Any) -> Host:
    spec = {"ImageId": UBUNTU, "InstanceType": "m7i.xlarge", "MinCount": 1, "MaxCount": 1}
    where = {} if "NetworkInterfaces" in more else {"SubnetId": net["subnet"], "SecurityGroupIds": [net["group"]]}
    made = aws.ec2.run_instances(**(spec | where | more))["Instances"][0]
    return Host(aws, made["InstanceId"])


def test_an_instance_reads_who_and_where_it_is(aws: Bench, net: dict[str, str]) -> None:
    host = launch(aws, net)
    told = aws.ec2.describe_instances(InstanceIds=[host.id])["Reservations"][0]["Instances"][0]
    assert host.text("/latest/meta-data/instance-id") == host.id
    assert host.text("/latest/meta-data/instance-type") == "m7i.xlarge"
    assert host.text("/latest/meta-data/local-ipv4") == told["PrivateIpAddress"]
    assert host.text("/latest/meta-data/local-hostname") == told["PrivateDnsName"]
    assert host.text("/latest/meta-data/placement/availability-zone") == told["Placement"]["AvailabilityZone"]
    assert host.text("/latest/meta-data/placement/availability-zone-id") == "use1-az6"
    assert host.text("/latest/meta-data/placement/region") == REGION
    mac = host.text("/latest/meta-data/mac")
    assert mac == told["NetworkInterfaces"][0]["MacAddress"]
    below = f"/latest/meta-data/network/interfaces/macs/{mac}"
    assert host.text(f"{below}/subnet-id") == net["subnet"]
    assert host.text(f"{below}/vpc-ipv4-cidr-block") == "10.0.0.0/16"
    assert host.text(f"{below}/security-group-ids") == net["group"]
    document = json.loads(host.text("/latest/dynamic/instance-identity/document"))
    assert (document["instanceId"], document["region"], document["accountId"]) == (host.id, REGION, "123456789012")


def test_every_listed_name_leads_somewhere_as_cloud_inits_crawler_goes(aws: Bench, net: dict[str, str]) -> None:
    role(aws)
    aws.ec2.create_key_pair(KeyName="admin")
    host = launch(aws, net, IamInstanceProfile={"Name": "train"}, KeyName="admin", UserData="#cloud-config\n{}\n")
    token = host.token()
    leaves: dict[str, str] = {}

    def crawl(path: str) -> None:
        said = host.ask(path, **{TOKEN: token})
        assert said.status == 200, path
        for line in said.body.decode().splitlines():
            name, _, _ = line.partition("=")
            below = path + (f"{name}/" if "=" in line else line)
            if below.endswith("/"):
                crawl(below)
            else:
                leaf = host.ask(below, **{TOKEN: token})
                assert leaf.status == 200, below
                leaves[below] = leaf.body.decode()

    for version in ("2009-04-04", "2021-03-23", "latest"):
        crawl(f"/{version}/meta-data/")
        crawl(f"/{version}/dynamic/")
    assert leaves["/2021-03-23/meta-data/instance-id"] == host.id
    assert leaves["/latest/meta-data/public-keys/0/openssh-key"].endswith(" admin")
    assert set(host.text("/").splitlines()) >= {"2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23", "latest"}
    assert set(host.text("/latest/").splitlines()) == {"dynamic/", "meta-data/", "user-data"}


def test_user_data_comes_byte_for_byte_and_its_absence_is_a_404(aws: Bench, net: dict[str, str]) -> None:
    zipped = bytes([0x1F, 0x8B, 0x08, 0x00, 0xFF, 0xFE, 0x80])
    host = launch(aws, net, UserData=zipped)
    template = aws.template(UserData=base64.b64encode(b"#!/bin/sh\n").decode())
    aws.group(template, [net["subnet"]], size=1)
    member = Host(aws, aws.members()[0]["InstanceId"])
    assert member.text("/latest/user-data") == "#!/bin/sh\n"
    bare = launch(aws, net)
    assert bare.ask("/latest/user-data").status == 404
    assert "404 - Not Found" in bare.ask("/latest/meta-data/nothing").body.decode()
    assert bare.ask("/1999-01-01/meta-data/").status == 404
    assert host.ask("/latest/user-data").body == zipped


def test_tokens_are_asked_for_bound_to_the_instance_and_end(aws: Bench, net: dict[str, str]) -> None:
    host = launch(aws, net, MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2})
    other = launch(aws, net)
    assert host.ask("/latest/meta-data/").status == 401
    assert other.ask("/latest/meta-data/").status == 200, "this one takes requests of version 1"
    given = host.ask("/latest/api/token", "PUT", **{TTL: "60"})
    assert given.headers[TTL] == "60"
    assert given.headers["x-simcloud-hop-limit"] == "2"
    token = given.body.decode()
    assert host.ask("/latest/meta-data/", **{TOKEN: token}).status == 200
    assert other.ask("/latest/meta-data/", **{TOKEN: token}).status == 401
    assert host.ask("/latest/meta-data/", **{TOKEN: token[:-2] + "xx"}).status == 401
    aws.world._now = datetime.now(UTC) + timedelta(seconds=61)
    assert host.ask("/latest/meta-data/", **{TOKEN: token}).status == 401


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("PUT", {}, 400),
        ("PUT", {TTL: "0"}, 400),
        ("PUT", {TTL: "21601"}, 400),
        ("PUT", {TTL: "60", "x-forwarded-for": "10.0.0.1"}, 403),
        ("GET", {TTL: "60"}, 405),
    ],
)
def test_a_token_is_given_only_to_a_proper_request(
    aws: Bench, net: dict[str, str], method: str, headers: dict[str, str], status: int
) -> None:
    assert launch(aws, net).ask("/latest/api/token", method, **headers).status == status


def test_a_disabled_service_says_nothing(aws: Bench, net: dict[str, str]) -> None:
    host = launch(aws, net, MetadataOptions={"HttpEndpoint": "disabled"})
    assert host.ask("/latest/meta-data/").status == 403


def test_tags_are_there_when_the_instance_says_so(aws: Bench, net: dict[str, str]) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "control"}]}]
    open_ = launch(aws, net, TagSpecifications=tags, MetadataOptions={"InstanceMetadataTags": "enabled"})
    closed = launch(aws, net, TagSpecifications=tags)
    assert open_.text("/latest/meta-data/tags/instance/Name") == "control"
    assert closed.ask("/latest/meta-data/tags/instance/").status == 404


def test_every_network_card_is_shown(aws: Bench, net: dict[str, str]) -> None:
    cards = [
        {"NetworkCardIndex": i, "DeviceIndex": min(i, 1), "SubnetId": net["subnet"], "Groups": [net["group"]]}
        | {"InterfaceType": "efa"}
        for i in range(4)
    ]
    host = launch(aws, net, InstanceType="p4d.24xlarge", NetworkInterfaces=cards)
    macs = host.text("/latest/meta-data/network/interfaces/macs/").split()
    found = {host.text(f"/latest/meta-data/network/interfaces/macs/{m}network-card") for m in macs}
    assert found == {"0", "1", "2", "3"}


def test_a_spot_notice_shows_with_its_time(aws: Bench, net: dict[str, str]) -> None:
    host = launch(aws, net, InstanceMarketOptions={"MarketType": "spot"})
    assert host.text("/latest/meta-data/instance-life-cycle") == "spot"
    assert host.ask("/latest/meta-data/spot/instance-action").status == 404
    aws.world.control("aws", "spot-notice", {"id": host.id, "seconds": 90})
    action = json.loads(host.text("/latest/meta-data/spot/instance-action"))
    rebalance = json.loads(host.text("/latest/meta-data/events/recommendations/rebalance"))
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    told, taken = (datetime.strptime(t, stamp) for t in (rebalance["noticeTime"], action["time"]))
    assert action["action"] == "terminate"
    assert taken - told == timedelta(seconds=90)
    assert re.fullmatch(r"[\d-]+T[\d:]+Z", host.text("/latest/meta-data/spot/termination-time"))


def test_there_is_no_service_for_what_is_gone(aws: Bench, net: dict[str, str]) -> None:
    host = launch(aws, net)
    aws.ec2.terminate_instances(InstanceIds=[host.id])
    with pytest.raises(ValueError, match="there is no instance"):
        host.ask("/latest/meta-data/")


def test_boto3_finds_its_region_and_its_role_by_itself(
    aws: Bench, net: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import boto3
    from botocore.utils import InstanceMetadataRegionFetcher

    role(aws)
    options = {"HttpTokens": "required"}
    host = launch(aws, net, IamInstanceProfile={"Name": "train"}, MetadataOptions=options)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with served(lambda request: aws.world.metadata("aws", host.id, request)) as address:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://{address}")
        credentials = boto3.Session().get_credentials()
        fetcher = InstanceMetadataRegionFetcher(user_agent="test", config={}, base_url=f"http://{address}/")
        region = fetcher.retrieve_region()
    assert region == REGION
    assert credentials.method == "iam-role"
    found = credentials.get_frozen_credentials()
    assert found.access_key.startswith("ASIA")
    assert len(found.access_key) == 20
    info = json.loads(host.text("/latest/meta-data/iam/info"))
    assert info["InstanceProfileArn"].endswith(":instance-profile/train")
    assert host.text("/latest/meta-data/iam/security-credentials/") == "train"


def test_credentials_stay_until_it_is_time_for_new_ones_and_survive_the_world(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    net = bench.network()
    role(bench)
    host = launch(bench, net, IamInstanceProfile={"Name": "train"})
    path = "/latest/meta-data/iam/security-credentials/train"
    bench.world._now = datetime(2100, 1, 1, 12, 5, tzinfo=UTC)
    first = json.loads(host.text(path))
    bench.world._now = datetime(2100, 1, 1, 12, 55, tzinfo=UTC)
    assert json.loads(host.text(path)) == first
    bench.world._now = datetime(2100, 1, 1, 13, 5, tzinfo=UTC)
    later = json.loads(host.text(path))
    assert later["AccessKeyId"] != first["AccessKeyId"]
    assert later["Expiration"] == "2100-01-01T19:00:00Z"
    bench.open()
    bench.world._now = datetime(2100, 1, 1, 13, 6, tzinfo=UTC)
    assert json.loads(host.text(path)) == later
