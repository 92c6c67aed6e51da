"""What an EC2 instance goes through that moto does not know: boots, lost drives, failed hardware, a cut network, Spot.

It is kept on moto's own instance and shows in its status checks. Sources: EC2 User Guide, "Instance lifecycle" (what
instance store holds is lost when an instance stops, EBS stays; a started instance is on other hardware), "Status checks
for your instances" (every minute), "Spot Instance interruption notices" (two minutes ahead).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from simcloud.aws import moto_bridge

if TYPE_CHECKING:
    from simcloud.aws.calls import Call
    from simcloud.aws.world import AwsWorld

NOTICE_S = 120
"""How long before it is taken a Spot instance is told."""
CHECK_S = 60
"""How often status checks are made: so long it takes until a cut network shows."""
HARDWARE_S = 10
"""How long until failed hardware shows. With AWS it is minutes; here nobody learns from waiting for them."""


@dataclass(slots=True)
class Life:
    """One instance's. boots: starts and restarts. disk, drives: how often its root disk, its local drives were lost."""

    boots: int = 1
    disk: int = 0
    drives: int = 0
    stopped: bool = False
    dead: bool = False
    """The hardware under it failed: it runs no more, whatever its state says."""
    cut: bool = False
    """Its network is cut."""
    shows: datetime | None = None
    """From when on its status checks fail."""
    taken: datetime | None = None
    """When a Spot instance is taken away, as its notice says."""
    told: datetime | None = None
    """When that notice was given."""

    def fails(self, now: datetime) -> bool:
        """Whether its status checks fail by now."""
        return self.shows is not None and now >= self.shows


def life_of(instance: Any) -> Life:
    """An instance's life, to be changed by the caller."""
    found: Life | None = getattr(instance, "simulated_life", None)
    if found is None:
        found = instance.simulated_life = Life()
    return found


def find(world: AwsWorld, id: str) -> tuple[str, Any]:
    """The region and moto's object of an instance that is not terminated. Raises ValueError."""
    for service, region in world.opened():
        if service == "ec2":
            for instance in world.ec2.backend(region).all_instances():
                if instance.id == id and instance.state not in ("terminated", "shutting-down"):
                    return region, instance
    raise ValueError(f"there is no instance {id}")


# What tests and demonstrations do to it


def lose_power(world: AwsWorld, args: Mapping[str, Any], now: datetime) -> None:
    """The hardware under an instance fails. Raises ValueError."""
    _, instance = find(world, str(args["id"]))
    if instance.state != "running":
        raise ValueError(f"{instance.id} is {instance.state}: it has no power to lose")
    life = life_of(instance)
    life.dead, life.shows = True, now + _after(args, "after", HARDWARE_S)


def lose_network(world: AwsWorld, args: Mapping[str, Any], now: datetime) -> None:
    """An instance's network is cut. Raises ValueError."""
    _, instance = find(world, str(args["id"]))
    life = life_of(instance)
    if not life.cut:
        life.cut, life.shows = True, life.shows or now + _after(args, "after", CHECK_S)


def regain_network(world: AwsWorld, args: Mapping[str, Any], now: datetime) -> None:
    """An instance's network is whole again. Raises ValueError."""
    _, instance = find(world, str(args["id"]))
    life = life_of(instance)
    life.cut = False
    if not life.dead:
        life.shows = None


def give_notice(world: AwsWorld, args: Mapping[str, Any], now: datetime) -> None:
    """A Spot instance is told that it will be taken. Raises ValueError, also for an instance that is not Spot."""
    _, instance = find(world, str(args["id"]))
    if instance.lifecycle != "spot":
        raise ValueError(f"{instance.id} is not a Spot instance: EC2 interrupts no other")
    life = life_of(instance)
    life.told, life.taken = now, now + _after(args, "seconds", NOTICE_S)
    world.ec2.notices[instance.id] = life.taken


def shut_down(world: AwsWorld, args: Mapping[str, Any], now: datetime) -> None:
    """An instance's own system shuts down: it stops, or is terminated where it was launched so. Raises ValueError."""
    region, instance = find(world, str(args["id"]))
    life = life_of(instance)
    if instance.state != "running" or life.dead:
        return
    backend = world.ec2.backend(region)
    if instance.instance_initiated_shutdown_behavior == "terminate":
        backend.terminate_instances([instance.id])
    else:
        backend.stop_instances([instance.id])
        life.stopped, life.drives = True, life.drives + 1
    instance.state_reason.code = "Client.InstanceInitiatedShutdown"
    instance.state_reason.message = "Client.InstanceInitiatedShutdown: Instance initiated shutdown"


def _after(args: Mapping[str, Any], name: str, usual: float) -> timedelta:
    given = args.get(name)
    return timedelta(seconds=usual if given is None else float(given))


def due(world: AwsWorld, now: datetime) -> bool:
    """Whether a Spot instance's time is over by now."""
    return any(now >= at for at in world.ec2.notices.values())


def take(world: AwsWorld, now: datetime) -> None:
    """Take the Spot instances whose time is over."""
    for id, at in list(world.ec2.notices.items()):
        if now < at:
            continue
        del world.ec2.notices[id]
        try:
            region, instance = find(world, id)
        except ValueError:
            continue  # its owner was faster
        world.ec2.backend(region).terminate_instances([id])
        instance._reason = f"Server.SpotInstanceTermination ({now:%Y-%m-%d %H:%M:%S} GMT)"
        instance.state_reason.code = "Server.SpotInstanceTermination"
        instance.state_reason.message = "Server.SpotInstanceTermination: Spot instance termination"


# What its owner does to it


def _named(call: Call, world: AwsWorld) -> Iterator[Any]:
    backend = world.ec2.backend(call.region)
    for id in call.params.get("InstanceIds") or ():
        yield backend.get_instance(id)


def stopped(call: Call, world: AwsWorld) -> None:
    """A stop gives the hardware back, and what was on its drives is gone."""
    for instance in _named(call, world):
        life = life_of(instance)
        if not life.stopped:
            life.stopped, life.drives = True, life.drives + 1


def started(call: Call, world: AwsWorld) -> None:
    """A start is a boot on other hardware."""
    for instance in _named(call, world):
        life = life_of(instance)
        if life.stopped:
            life.stopped = life.dead = life.cut = False
            life.shows = None
            life.boots += 1
            instance.launch_time = moto_bridge.world_time()


def rebooted(call: Call, world: AwsWorld) -> None:
    """A reboot stays on its hardware, and helps nothing that is broken there."""
    for instance in _named(call, world):
        life = life_of(instance)
        if not life.dead and instance.state == "running":
            life.boots += 1


# What moto shows of it


def _checked(instance: Any, kind: str) -> dict[str, Any]:
    if instance.state_code != 16:
        return {"Status": "not-applicable"}
    life = life_of(instance)
    # Failed hardware is AWS's side; a cut network is told by the instance's own check.
    broken = life.fails(_aware()) and (kind == "instance" or life.dead)
    if not broken or life.shows is None:
        return {"Details": [{"Name": "reachability", "Status": "passed"}], "Status": "ok"}
    failed = {"Name": "reachability", "Status": "failed", "ImpairedSince": life.shows}
    return {"Details": [failed], "Status": "impaired"}


def _aware() -> datetime:
    return moto_bridge.world_time().replace(tzinfo=UTC)


def _passes(instance: Any, name: str, values: list[str]) -> bool:
    """A filter of DescribeInstanceStatus, as far as it is about what is known here."""
    kind, _, member = name.partition("-status.")
    if kind in ("instance", "system") and member in ("status", "reachability"):
        said = _checked(instance, kind)
        found = said["Status"] if member == "status" else said.get("Details", [{"Status": ""}])[0]["Status"]
        return found in values
    known = {
        "instance-state-name": instance.state,
        "instance-state-code": str(instance.state_code),
        "availability-zone": str(instance.availability_zone),
    }
    return name not in known or known[name] in values


def _described(backend: Any, ids: list[str], every: bool, filters: list[Mapping[str, Any]] | None) -> list[Any]:
    """moto's list, with the filters that it passes over."""
    found = backend.get_multi_instances_by_id(ids) if ids else backend.all_instances()
    return [
        one
        for one in found
        if (every or one.is_running()) and all(_passes(one, f["name"], f["values"]) for f in filters or ())
    ]


def show_in_status_checks() -> None:
    """Let moto's instances show failed checks."""
    from moto.ec2.models.instances import Instance, InstanceBackend

    Instance.instance_status = property(lambda instance: _checked(instance, "instance"))
    Instance.system_status = property(lambda instance: _checked(instance, "system"))
    InstanceBackend.describe_instance_status = _described
