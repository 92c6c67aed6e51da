"""Power, networks and Spot: the cloud's state and what the fleet says of a machine agree, whatever happens to it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_bench import UBUNTU, Bench

from simcloud.hosts.model import Machine


@pytest.fixture
def net(aws: Bench) -> dict[str, str]:
    return aws.network()


def single(aws: Bench, net: dict[str, str], **more: Any) -> str:
    spec = {"ImageId": UBUNTU, "InstanceType": "m6id.xlarge", "SubnetId": net["subnet"], "MinCount": 1, "MaxCount": 1}
    made = aws.ec2.run_instances(**(spec | more))
    return str(made["Instances"][0]["InstanceId"])


def machine(aws: Bench, id: str) -> Machine:
    return next(m for m in aws.world.fleet().machines if m.key == id)


def knob(aws: Bench, action: str, **args: Any) -> None:
    aws.world.control("aws", action, args)


def let_pass(aws: Bench, **time: float) -> None:
    """As if this much time went by: the next record is that much later."""
    aws.world._now += timedelta(**time)
    aws.world._recorded("aws", "tick", {})


def checks(aws: Bench, id: str) -> tuple[str, str]:
    found = aws.ec2.describe_instance_status(InstanceIds=[id])["InstanceStatuses"]
    return found[0]["SystemStatus"]["Status"], found[0]["InstanceStatus"]["Status"]


def test_a_stop_keeps_the_root_disk_and_loses_the_drives_and_a_start_is_a_boot(aws: Bench, net: dict[str, str]) -> None:
    id = single(aws, net)
    before = machine(aws, id)
    assert before.drives == 1
    aws.ec2.stop_instances(InstanceIds=[id])
    stopped = machine(aws, id)
    assert not stopped.power
    assert (stopped.disk, stopped.address) == (before.disk, before.address)
    aws.ec2.stop_instances(InstanceIds=[id])
    aws.ec2.start_instances(InstanceIds=[id])
    aws.ec2.start_instances(InstanceIds=[id])
    after = machine(aws, id)
    assert after.power
    assert (after.boots, after.disk) == (before.boots + 1, before.disk)
    assert len({before.drives_life, stopped.drives_life, after.drives_life}) == 2
    assert after.drives_life == stopped.drives_life


def test_a_reboot_keeps_everything(aws: Bench, net: dict[str, str]) -> None:
    id = single(aws, net)
    before = machine(aws, id)
    aws.ec2.reboot_instances(InstanceIds=[id])
    after = machine(aws, id)
    assert (after.boots, after.disk, after.drives_life) == (2, before.disk, before.drives_life)


def test_what_is_gone_or_stopped_is_not_started_or_rebooted(aws: Bench, net: dict[str, str]) -> None:
    id = single(aws, net)
    aws.ec2.stop_instances(InstanceIds=[id])
    assert aws.refused(aws.ec2.reboot_instances, InstanceIds=[id]) == ("IncorrectInstanceState", "RebootInstances")
    aws.ec2.terminate_instances(InstanceIds=[id])
    assert id not in {m.key for m in aws.world.fleet().machines}
    for call, name in ((aws.ec2.start_instances, "StartInstances"), (aws.ec2.stop_instances, "StopInstances")):
        assert aws.refused(call, InstanceIds=[id]) == ("IncorrectInstanceState", name)


def test_a_single_instance_that_lost_power_stays_impaired_until_it_is_started_elsewhere(
    aws: Bench, net: dict[str, str]
) -> None:
    id = single(aws, net)
    assert checks(aws, id) == ("ok", "ok")
    knob(aws, "power-loss", id=id, after=0)
    assert not machine(aws, id).power
    assert checks(aws, id) == ("impaired", "impaired")
    aws.ec2.reboot_instances(InstanceIds=[id])
    assert not machine(aws, id).power, "a reboot does not mend hardware"
    aws.ec2.stop_instances(InstanceIds=[id])
    aws.ec2.start_instances(InstanceIds=[id])
    assert machine(aws, id).power
    assert checks(aws, id) == ("ok", "ok")


def test_a_group_replaces_a_member_that_lost_power_once_its_checks_fail(aws: Bench, net: dict[str, str]) -> None:
    aws.group(aws.template(), [net["subnet"]], HealthCheckGracePeriod=300)
    lost, kept = (m["InstanceId"] for m in aws.members())
    knob(aws, "power-loss", id=lost)
    assert not machine(aws, lost).power, "the machine is off before anybody knows"
    assert {m["InstanceId"] for m in aws.members()} == {lost, kept}
    let_pass(aws, seconds=11)
    now = {m["InstanceId"] for m in aws.members()}
    assert lost not in now
    assert kept in now
    assert len(now) == 2
    assert lost not in {m.key for m in aws.world.fleet().machines}
    said = aws.api("autoscaling").describe_scaling_activities(AutoScalingGroupName="train")["Activities"]
    assert any("status checks failure" in a["Cause"] for a in said)


def test_a_group_whose_health_checks_are_suspended_keeps_what_it_has(aws: Bench, net: dict[str, str]) -> None:
    aws.group(aws.template(), [net["subnet"]], size=1)
    (lost,) = (m["InstanceId"] for m in aws.members())
    aws.api("autoscaling").suspend_processes(AutoScalingGroupName="train", ScalingProcesses=["HealthCheck"])
    knob(aws, "power-loss", id=lost, after=0)
    let_pass(aws, seconds=60)
    assert aws.members()[0]["InstanceId"] == lost
    assert not aws.world.cloud("aws").pending(), "nothing happens, again and again"


def test_a_cut_network_gets_a_member_replaced_only_after_the_grace_period(aws: Bench, net: dict[str, str]) -> None:
    aws.group(aws.template(), [net["subnet"]], size=1, HealthCheckGracePeriod=300)
    (first,) = (m["InstanceId"] for m in aws.members())
    knob(aws, "network-loss", id=first)
    assert not machine(aws, first).reachable
    assert machine(aws, first).power
    let_pass(aws, seconds=61)
    assert aws.members()[0]["InstanceId"] == first
    let_pass(aws, seconds=300)
    assert aws.members()[0]["InstanceId"] != first


def test_a_network_that_comes_back_in_time_replaces_nobody(aws: Bench, net: dict[str, str]) -> None:
    aws.group(aws.template(), [net["subnet"]], size=1)
    (first,) = (m["InstanceId"] for m in aws.members())
    knob(aws, "network-loss", id=first)
    knob(aws, "network-back", id=first)
    let_pass(aws, seconds=400)
    assert aws.members()[0]["InstanceId"] == first
    assert machine(aws, first).reachable


def test_a_cut_network_fails_the_instances_own_check_and_not_the_systems(aws: Bench, net: dict[str, str]) -> None:
    id = single(aws, net)
    knob(aws, "network-loss", id=id, after=0)
    assert checks(aws, id) == ("ok", "impaired")


def test_instances_are_found_by_their_checks(aws: Bench, net: dict[str, str]) -> None:
    well, cut, dead = (single(aws, net) for _ in range(3))
    knob(aws, "network-loss", id=cut, after=0)
    knob(aws, "power-loss", id=dead, after=0)

    def found(name: str, value: str) -> set[str]:
        said = aws.ec2.describe_instance_status(Filters=[{"Name": name, "Values": [value]}])["InstanceStatuses"]
        return {s["InstanceId"] for s in said}

    assert found("instance-status.status", "impaired") == {cut, dead}
    assert found("system-status.reachability", "failed") == {dead}
    assert found("system-status.status", "ok") == {well, cut}
    assert found("instance-state-name", "stopped") == set()
    aws.ec2.stop_instances(InstanceIds=[well])
    every = aws.ec2.describe_instance_status(IncludeAllInstances=True)["InstanceStatuses"]
    assert {s["InstanceId"] for s in every} == {well, cut, dead}
    assert well not in {s["InstanceId"] for s in aws.ec2.describe_instance_status()["InstanceStatuses"]}


def test_a_spot_instance_is_told_and_taken(aws: Bench, net: dict[str, str]) -> None:
    id = single(aws, net, InstanceMarketOptions={"MarketType": "spot"})
    knob(aws, "spot-notice", id=id)
    let_pass(aws, seconds=100)
    assert machine(aws, id).power
    let_pass(aws, seconds=21)
    found = aws.ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "terminated"
    assert found["StateReason"]["Code"] == "Server.SpotInstanceTermination"


def test_a_spot_member_that_is_taken_is_replaced(aws: Bench, net: dict[str, str]) -> None:
    aws.group(aws.template(InstanceMarketOptions={"MarketType": "spot"}), [net["subnet"]], size=1)
    (first,) = (m["InstanceId"] for m in aws.members())
    knob(aws, "spot-notice", id=first, seconds=5)
    let_pass(aws, seconds=6)
    assert aws.members()[0]["InstanceId"] != first


@pytest.mark.parametrize(("behaviour", "state"), [("stop", "stopped"), ("terminate", "terminated")])
def test_a_system_that_shuts_itself_down_stops_or_ends_its_instance(
    aws: Bench, net: dict[str, str], behaviour: str, state: str
) -> None:
    id = single(aws, net, InstanceInitiatedShutdownBehavior=behaviour)
    before = machine(aws, id)
    knob(aws, "shut-down", id=id)
    found = aws.ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == state
    assert found["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    if state == "stopped":
        knob(aws, "shut-down", id=id)
        aws.ec2.start_instances(InstanceIds=[id])
        after = machine(aws, id)
        assert (after.boots, after.disk) == (2, before.disk)
        assert after.drives_life != before.drives_life


def test_knobs_refuse_what_does_not_fit(aws: Bench, net: dict[str, str]) -> None:
    id = single(aws, net)
    for action, args, why in (
        ("spot-notice", {"id": id}, "not a Spot instance"),
        ("power-loss", {"id": "i-0123456789abcdef0"}, "there is no instance"),
        ("power-cut", {"id": id}, "no knob"),
    ):
        with pytest.raises(ValueError, match=why):
            knob(aws, action, **args)
    aws.ec2.stop_instances(InstanceIds=[id])
    with pytest.raises(ValueError, match="no power to lose"):
        knob(aws, "power-loss", id=id)


def test_every_member_gets_the_templates_role(aws: Bench, net: dict[str, str]) -> None:
    iam = aws.api("iam")
    iam.create_role(RoleName="train", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    iam.create_instance_profile(InstanceProfileName="train")
    iam.add_role_to_instance_profile(InstanceProfileName="train", RoleName="train")
    aws.group(aws.template(IamInstanceProfile={"Name": "train"}), [net["subnet"]], size=3)
    assert {m.identity for m in aws.world.fleet().machines} == {"arn:aws:iam::123456789012:role/train"}


def test_all_of_it_is_carried_out_again_after_a_crash(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    net = bench.network()
    bench.group(bench.template(), [net["subnet"]], size=2)
    lost = bench.members()[0]["InstanceId"]
    cut = single(bench, net)
    knob(bench, "power-loss", id=lost, after=30)
    knob(bench, "network-loss", id=cut)
    bench.ec2.reboot_instances(InstanceIds=[cut])
    said = bench.world.fleet()
    bench.open()
    assert bench.world.fleet() == said
    let_pass(bench, seconds=31)
    assert lost not in {m["InstanceId"] for m in bench.members()}
    said = bench.world.fleet()
    bench.world.save()
    bench.open()
    assert bench.world.fleet() == said, "the snapshot tells something else"
