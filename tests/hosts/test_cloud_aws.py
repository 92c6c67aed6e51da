"""A stack's machines on the simulated AWS: what the cloud says, the hosts are; what happens to them, the cloud says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hosts_bench import Cluster

TOKEN = (
    "T=$(curl -sS -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token); "
    'curl -sS -H "X-aws-ec2-metadata-token: $T" http://169.254.169.254/latest/'
)
REGION = "us-east-1"


def compute(cluster: Cluster) -> list[dict[str, Any]]:
    return [row for row in cluster.hosts.listed() if row["machine"] == "p4d.24xlarge"]


def control(cluster: Cluster) -> dict[str, Any]:
    return next(row for row in cluster.hosts.listed() if row["machine"] != "p4d.24xlarge")


def on(cluster: Cluster, row: dict[str, Any], command: str) -> str:
    return cluster.hosts.inside(row["key"], command)


def test_a_host_has_the_address_and_name_that_the_cloud_gave_it(aws: Cluster) -> None:
    row = control(aws)
    said = aws.engine.api("ec2").describe_instances(InstanceIds=[row["key"]])["Reservations"][0]["Instances"][0]
    assert on(aws, row, "hostname").strip() == said["PrivateDnsName"].split(".")[0]
    assert said["PrivateIpAddress"] in on(aws, row, "ip -br address show host0")
    assert on(aws, row, "cat /sys/class/net/host0/address").strip() == said["NetworkInterfaces"][0]["MacAddress"]


def test_cloud_init_ran_the_templates_user_data(aws: Cluster) -> None:
    row = compute(aws)[0]
    said = aws.hosts.until(lambda: on(aws, row, "cat /run/cloud-init/result.json 2>/dev/null || true"))
    assert json.loads(said)["v1"]["datasource"] == "DataSourceEc2"
    assert "ExecStart=/usr/local/sbin/fleetyard-cache" in on(
        aws, row, "cat /etc/systemd/system/fleetyard-cache.service"
    )


def test_metadata_needs_a_token_and_tells_the_machine_about_itself(aws: Cluster) -> None:
    row = control(aws)
    refused = on(aws, row, "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id")
    assert refused == "401"
    assert on(aws, row, f"{TOKEN}meta-data/instance-id") == row["key"]
    assert on(aws, row, f"{TOKEN}meta-data/instance-type") == row["machine"]


def test_one_machines_metadata_is_not_anothers(aws: Cluster) -> None:
    first, second = compute(aws)
    said = {on(aws, row, f"{TOKEN}meta-data/local-ipv4") for row in (first, second)}
    assert said == {first["address"], second["address"]}


def test_boto3_finds_credentials_and_may_do_what_the_role_may(aws: Cluster) -> None:
    """The pool's role may read data sets and write its own prefix, and nothing else."""
    row = compute(aws)[0]
    store = aws.engine.api("s3")
    bucket = store.list_buckets()["Buckets"][0]["Name"]
    store.put_object(Bucket=bucket, Key="datasets/one", Body=b"known")
    store.put_object(Bucket=bucket, Key="secret/one", Body=b"hidden")
    program = (
        "import boto3, botocore.exceptions as e\n"
        "s3 = boto3.client('s3')\n"
        f"b = '{bucket}'\n"
        "print(s3.get_object(Bucket=b, Key='datasets/one')['Body'].read().decode())\n"
        "s3.put_object(Bucket=b, Key='pools/train/mine', Body=b'x')\n"
        "for act in (lambda: s3.get_object(Bucket=b, Key='secret/one'),"
        " lambda: s3.put_object(Bucket=b, Key='datasets/one', Body=b'x')):\n"
        "    try: act(); print('passed')\n"
        "    except e.ClientError as error: print(error.response['Error']['Code'])\n"
        "print(boto3.client('sts').get_caller_identity()['Arn'])\n"
    )
    on(aws, row, f"cat > /tmp/try.py <<'PROGRAM'\n{program}PROGRAM")
    on(aws, row, "python3 -m venv /tmp/try 2>&1 && /tmp/try/bin/pip install -q boto3 2>&1")
    said = on(aws, row, "set -a; . /etc/environment; /tmp/try/bin/python /tmp/try.py").split("\n")
    assert said[:3] == ["known", "AccessDenied", "AccessDenied"]
    assert ":assumed-role/" in said[3]
    assert said[3].endswith(row["key"])
    store.delete_object(Bucket=bucket, Key="secret/one")


def test_security_groups_are_in_force(aws: Cluster) -> None:
    """Machines of the stack reach each other; what no rule lets in is dropped, and opens with a rule."""
    first, second = compute(aws)
    ec2 = aws.engine.api("ec2")
    there = ec2.describe_instances(InstanceIds=[second["key"]])["Reservations"][0]["Instances"][0]
    knock = f"timeout 3 nc -z {second['address']} 22 && echo open || echo closed"
    assert on(aws, first, knock).strip() == "open"
    closed = ec2.create_security_group(GroupName="closed", Description="nothing in", VpcId=there["VpcId"])["GroupId"]
    before = [group["GroupId"] for group in there["SecurityGroups"]]
    card = there["NetworkInterfaces"][0]["NetworkInterfaceId"]
    try:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=card, Groups=[closed])
        aws.hosts.until(lambda: on(aws, first, knock).strip() == "closed", 20)
        ec2.authorize_security_group_ingress(
            GroupId=closed, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp=f"{first['address']}/32"
        )
        aws.hosts.until(lambda: on(aws, first, knock).strip() == "open", 20)
    finally:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=card, Groups=before)
        ec2.delete_security_group(GroupId=closed)


def test_a_reboot_that_the_cloud_was_asked_for_reboots_the_host(aws: Cluster) -> None:
    row = control(aws)
    on(aws, row, "touch /run/before")
    aws.engine.api("ec2").reboot_instances(InstanceIds=[row["key"]])
    aws.hosts.until(lambda: on_or(aws, row, "ls /run/before") == "gone")
    aws.hosts.wait(3)


def on_or(cluster: Cluster, row: dict[str, Any], command: str) -> str:
    try:
        return on(cluster, row, f"{command} 2>/dev/null || echo gone").strip()
    except AssertionError:
        return "down"


def test_a_host_that_shuts_itself_down_is_stopped_or_replaced_by_its_group(aws: Cluster) -> None:
    lost = compute(aws)[0]
    on(aws, lost, "systemctl poweroff")
    aws.hosts.until(lambda: lost["key"] not in [row["key"] for row in aws.hosts.listed()], 90)
    aws.hosts.until(lambda: len([row for row in compute(aws) if row["state"] == "ready"]) == 2, 90)


@pytest.mark.parametrize("knob", ["power-loss", "network-loss"])
def test_a_lost_machine_is_replaced_by_its_group(aws: Cluster, knob: str) -> None:
    """The cloud finds out, ends it, launches another; the new host is another machine with an empty disk."""
    lost = compute(aws)[0]
    on(aws, lost, "touch /root/mark")
    # A group looks away from the health of young machines, and those of a test are young.
    scaling = aws.engine.api("autoscaling")
    (member,) = scaling.describe_auto_scaling_instances(InstanceIds=[lost["key"]])["AutoScalingInstances"]
    name = member["AutoScalingGroupName"]
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    scaling.update_auto_scaling_group(AutoScalingGroupName=name, HealthCheckGracePeriod=0)
    done = aws.engine.sim("set", "aws", knob, f"id={lost['key']}", "after=2")
    assert done.status == 0, done.text
    aws.hosts.until(lambda: lost["key"] not in [row["key"] for row in aws.hosts.listed()], 90)
    aws.hosts.until(lambda: len([row for row in compute(aws) if row["state"] == "ready"]) == 2, 90)
    for row in compute(aws):
        assert on(aws, row, "ls /root/mark 2>/dev/null || echo clean").strip() == "clean"
    grace = group["HealthCheckGracePeriod"]
    scaling.update_auto_scaling_group(AutoScalingGroupName=name, HealthCheckGracePeriod=grace)
    members = scaling.describe_auto_scaling_instances()["AutoScalingInstances"]
    assert {row["InstanceId"] for row in members} == {row["key"] for row in aws.hosts.listed()}
