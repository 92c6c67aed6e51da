"""Auto Scaling groups: they spread, heal, fail and try again, and replace their members."""

from __future__ import annotations

from collections import Counter

from aws_bench import Bench

from simcloud.world import wait_until


def two_zones(aws: Bench) -> list[str]:
    net = aws.network("use1-az6")
    other = aws.ec2.create_subnet(VpcId=net["vpc"], CidrBlock="10.0.2.0/24", AvailabilityZoneId="use1-az4")["Subnet"]
    return [net["subnet"], other["SubnetId"]]


def settle(aws: Bench) -> None:
    """Let the cloud's own processes go on until nothing is left to do."""
    for _ in range(50):
        if not aws.world.cloud("aws").pending():
            return
        aws.world._recorded("aws", "tick", {})
    raise AssertionError("the cloud never came to rest")


def test_members_are_spread_evenly_over_the_zones(aws: Bench) -> None:
    subnets = two_zones(aws)
    aws.group(aws.template(), subnets, 5)
    zones = Counter(m["AvailabilityZone"] for m in aws.members())
    assert sorted(zones.values()) == [2, 3]
    aws.api("autoscaling").set_desired_capacity(AutoScalingGroupName="train", DesiredCapacity=3)
    assert sorted(Counter(m["AvailabilityZone"] for m in aws.members()).values()) == [1, 2]


def test_a_lost_member_is_replaced(aws: Bench) -> None:
    aws.group(aws.template(), two_zones(aws), 3)
    before = {m["InstanceId"] for m in aws.members()}
    lost = sorted(before)[0]
    aws.ec2.terminate_instances(InstanceIds=[lost])
    after = {m["InstanceId"] for m in aws.members()}
    assert lost not in after
    assert len(after) == 3
    assert len(after - before) == 1
    told = aws.api("autoscaling").describe_scaling_activities(AutoScalingGroupName="train")["Activities"]
    assert any("health check" in a["Cause"] for a in told)


def test_missing_capacity_is_a_failed_activity_not_a_refused_call(aws: Bench) -> None:
    aws.world.control("aws", "capacity", {"zone": "use1-az6", "type": "m7i.xlarge", "count": 0})
    subnets = [aws.network()["subnet"]]
    aws.group(aws.template(), subnets, 2)  # accepted
    assert aws.members() == []
    told = aws.api("autoscaling").describe_scaling_activities(AutoScalingGroupName="train")["Activities"]
    assert told[0]["StatusCode"] == "Failed"
    assert "InsufficientInstanceCapacity" in told[0]["StatusMessage"]
    aws.world.control("aws", "capacity", {"zone": "use1-az6", "type": "m7i.xlarge", "count": None})
    assert len(aws.members()) == 2


def test_a_group_checks_its_template_with_a_dry_run(aws: Bench) -> None:
    subnets = [aws.network()["subnet"]]
    wrong = aws.template("wrong", ImageId="ami-00000000000000000")
    assert aws.refused(aws.group, template=wrong, subnets=subnets) == ("ValidationError", "CreateAutoScalingGroup")
    assert aws.refused(aws.group, template="lt-00000000000000000", subnets=subnets)[0] == "ValidationError"
    aws.group(aws.template(), subnets)
    assert aws.refused(aws.group, template=aws.template("again"), subnets=subnets)[0] == "AlreadyExists"


def test_sizes_and_subnets_are_checked(aws: Bench) -> None:
    template, subnets = aws.template(), [aws.network()["subnet"]]
    create = aws.api("autoscaling").create_auto_scaling_group
    good = {
        "AutoScalingGroupName": "train",
        "MinSize": 1,
        "MaxSize": 2,
        "VPCZoneIdentifier": subnets[0],
        "LaunchTemplate": {"LaunchTemplateId": template},
    }
    for change in ({"MinSize": 3}, {"DesiredCapacity": 5}, {"DesiredCapacity": 0}, {"VPCZoneIdentifier": "subnet-0"}):
        assert aws.refused(create, **good | change)[0] == "ValidationError", change
    create(**good)
    assert len(aws.members()) == 1


def test_a_group_with_members_is_not_deleted_without_force(aws: Bench) -> None:
    aws.group(aws.template(), [aws.network()["subnet"]])
    scaling = aws.api("autoscaling")
    assert aws.refused(scaling.delete_auto_scaling_group, AutoScalingGroupName="train")[0] == "ResourceInUse"
    scaling.delete_auto_scaling_group(AutoScalingGroupName="train", ForceDelete=True)
    running = [
        i
        for r in aws.ec2.describe_instances()["Reservations"]
        for i in r["Instances"]
        if i["State"]["Name"] == "running"
    ]
    assert running == []


def test_an_instance_refresh_replaces_every_member_in_batches(aws: Bench) -> None:
    template = aws.template()
    aws.group(template, two_zones(aws), 4)
    before = {m["InstanceId"] for m in aws.members()}
    aws.ec2.create_launch_template_version(
        LaunchTemplateId=template,
        SourceVersion="1",
        LaunchTemplateData={"ImageId": "ami-04680790a315cd58d", "InstanceType": "m7i.2xlarge"},
    )
    scaling = aws.api("autoscaling")
    scaling.start_instance_refresh(AutoScalingGroupName="train", Preferences={"MinHealthyPercentage": 50})
    # The first batch at most has gone so far: half stay healthy.
    assert len(before & {m["InstanceId"] for m in aws.members()}) >= 2
    settle(aws)
    after = aws.members()
    assert not before & {m["InstanceId"] for m in after}
    assert {m["InstanceType"] for m in after} == {"m7i.2xlarge"}
    refresh = scaling.describe_instance_refreshes(AutoScalingGroupName="train")["InstanceRefreshes"][0]
    assert (refresh["Status"], refresh["PercentageComplete"]) == ("Successful", 100)


def test_a_new_template_version_alone_changes_no_running_machine(aws: Bench) -> None:
    template = aws.template()
    aws.group(template, [aws.network()["subnet"]])
    before = {m["InstanceId"] for m in aws.members()}
    aws.ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "m7i.2xlarge"}
    )
    settle(aws)
    assert {m["InstanceId"] for m in aws.members()} == before


def test_members_carry_the_groups_tags_where_they_propagate(aws: Bench) -> None:
    tags = [
        {"Key": "pool", "Value": "train", "PropagateAtLaunch": True},
        {"Key": "secret", "Value": "group only", "PropagateAtLaunch": False},
    ]
    aws.group(aws.template(), [aws.network()["subnet"]], 1, Tags=tags)
    instance = aws.ec2.describe_instances()["Reservations"][0]["Instances"][0]
    found = {t["Key"]: t["Value"] for t in instance["Tags"]}
    assert found["pool"] == "train"
    assert found["aws:autoscaling:groupName"] == "train"
    assert "secret" not in found


def test_the_reconciler_heals_without_being_asked(aws: Bench) -> None:
    import threading

    aws.group(aws.template(), [aws.network()["subnet"]], 2)
    lost = aws.members()[0]["InstanceId"]
    # A machine that dies by itself is no API call: nothing but the reconciler sees it.
    aws.world.cloud("aws").ec2.backend("us-east-1").terminate_instances([lost])
    threading.Thread(target=aws.world.reconcile, args=(0.01,), daemon=True).start()
    try:
        assert wait_until(lambda: len(aws.members()) == 2 and lost not in {m["InstanceId"] for m in aws.members()}, 10)
    finally:
        aws.world.close()
