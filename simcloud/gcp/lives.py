"""What an instance or a TPU host goes through: boots, lost drives, failed hardware, a cut network, Spot.

What takes time stands in `State.due` and is carried out by a tick. Sources: Compute Engine documentation, "Instance
life cycle", "Host errors" (the machine restarts elsewhere if it may), "Local SSD" (its data is lost when the instance
stops), "Spot VMs" (30 seconds' notice), "Autohealing"; Cloud TPU documentation, "Manage TPU resources".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

NOTICE_S = 30
"""How long before it is stopped a Spot machine is told."""
HARDWARE_S = 10
"""How long until failed hardware shows, and then until it is replaced. With Google it is minutes."""
CHECK_S = 15
"""How long a health check that says nothing else takes to fail: three checks, five seconds apart."""


@dataclass
class Life:
    """One machine's. boots: starts and restarts. disk, drives: how often its root disk, its local drives were lost."""

    boots: int = 1
    disk: int = 0
    drives: int = 0
    dead: bool = False
    """The hardware under it failed, and is not replaced yet."""
    cut: bool = False
    """Its network is cut."""
    preempted: bool = False
    """It was told that it will be taken."""


@dataclass
class Due:
    """Something that will happen: `what` is a name in `_HAPPENS`, `key` the machine's as in the fleet."""

    at: datetime
    what: str
    key: str


@dataclass(frozen=True, slots=True)
class Found:
    """A machine that a knob names: an instance (its resource name) or one host of a slice (its node's name)."""

    key: str
    name: str
    item: dict[str, Any]
    worker: int | None

    @property
    def life_key(self) -> str:
        """Where its life is kept: a slice that is made anew under its name has new ones."""
        return self.key if self.worker is None else f"{self.item['id']}/{self.worker}"


def find(world: GcpWorld, id: str) -> Found:
    """A machine by its key in the fleet, its name or its resource name; a TPU host without number is the first.

    Raises ValueError when there is none.
    """
    from simcloud.gcp.compute.base import of_kind

    for name, item in of_kind(world, "instances"):
        if id in (item["id"], item["name"], name):
            return Found(item["id"], name, item, None)
    for name, node in world.state.nodes.items():
        short = name.rpartition("/")[2]
        for worker in range(len(node["networkEndpoints"])):
            names = {f"{name}/{worker}", f"{short}-w-{worker}", *((name, short) if worker == 0 else ())}
            if id in names:
                return Found(f"{name}/{worker}", name, node, worker)
    raise ValueError(f"there is no instance or TPU host {id}")


def life_of(world: GcpWorld, found: Found) -> Life:
    """A machine's life, to be changed by the caller."""
    return world.state.lives.setdefault(found.life_key, Life())


def seen(world: GcpWorld, found: Found) -> Life:
    """A machine's life, for looking only."""
    return world.state.lives.get(found.life_key) or Life()


def _later(world: GcpWorld, now: datetime, seconds: float, what: str, found: Found) -> None:
    world.state.due.append(Due(now + timedelta(seconds=seconds), what, found.key))


def _given(args: Mapping[str, Any], name: str, usual: float) -> float:
    given = args.get(name)
    return usual if given is None else float(given)


# What tests and demonstrations do to it


def lose_power(world: GcpWorld, args: Mapping[str, Any], now: datetime) -> None:
    """The hardware under a machine fails. Raises ValueError."""
    found = find(world, str(args["id"]))
    up = found.item["status"] == "RUNNING" if found.worker is None else found.item["state"] == "READY"
    if not up or life_of(world, found).dead:
        raise ValueError(f"{found.name} does not run: it has no power to lose")
    life_of(world, found).dead = True
    after = _given(args, "after", HARDWARE_S)
    _later(world, now, after, "hardware failure shows", found)


def lose_network(world: GcpWorld, args: Mapping[str, Any], now: datetime) -> None:
    """A machine's network is cut: a group with autohealing finds it unhealthy. Raises ValueError."""
    found = find(world, str(args["id"]))
    life_of(world, found).cut = True
    if found.worker is None:
        _later(world, now, _given(args, "after", _check_seconds(world, found, now)), "health check fails", found)


def regain_network(world: GcpWorld, args: Mapping[str, Any], now: datetime) -> None:
    """A machine's network is whole again. Raises ValueError."""
    found = find(world, str(args["id"]))
    life_of(world, found).cut = False


def give_notice(world: GcpWorld, args: Mapping[str, Any], now: datetime) -> None:
    """A Spot machine, or the Spot slice of a TPU host, is told that it will be taken. Raises ValueError."""
    from simcloud.gcp.compute.machines import is_spot

    found = find(world, str(args["id"]))
    asked = found.item.get("scheduling" if found.worker is None else "schedulingConfig", {})
    if not (is_spot(asked) or asked.get("spot")):
        raise ValueError(f"{found.name} is not Spot: Google takes no other")
    hosts = range(len(found.item["networkEndpoints"])) if found.worker is not None else [None]
    for worker in hosts:
        life_of(world, Found(found.key, found.name, found.item, worker)).preempted = True
    _later(world, now, _given(args, "seconds", NOTICE_S), "preemption", found)


def shut_down(world: GcpWorld, args: Mapping[str, Any], now: datetime) -> None:
    """A machine's own system shuts down: an instance stops, a TPU host is started again. Raises ValueError."""
    found = find(world, str(args["id"]))
    life = life_of(world, found)
    if found.worker is None:
        if found.item["status"] == "RUNNING" and not life.dead:
            _stop(world, found, now)
    elif found.item["state"] == "READY" and not life.dead:
        life.dead = True
        found.item["state"], found.item["health"] = "REPAIRING", "UNHEALTHY_MAINTENANCE"
        _later(world, now, HARDWARE_S, "restart", found)


def _group_of(world: GcpWorld, found: Found) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The managed group and the entry in it that an instance is a member by."""
    from simcloud.gcp.compute.base import of_kind

    for _, group in of_kind(world, "instanceGroupManagers"):
        for member in group["_members"]:
            if member["key"] == found.name:
                return group, member
    return None


def _check_seconds(world: GcpWorld, found: Found, now: datetime) -> float:
    """How long a group takes to find a member unhealthy: its initial delay, then as many failed checks as it wants."""
    from simcloud.gcp.compute.base import key_from

    held = _group_of(world, found)
    policies = held[0].get("autoHealingPolicies") if held is not None else None
    if not policies:
        return CHECK_S
    check = world.state.compute.get(key_from(policies[0]["healthCheck"]), {})
    failing = int(check.get("checkIntervalSec") or 5) * int(check.get("unhealthyThreshold") or 2)
    began = datetime.fromisoformat(found.item["lastStartTimestamp"])
    waits = int(policies[0].get("initialDelaySec") or 0) - (now - began).total_seconds()
    return max(0.0, waits) + failing


# What then happens by itself


def due(world: GcpWorld, now: datetime) -> bool:
    """Whether something is to happen by now."""
    return any(now >= one.at for one in world.state.due)


def pass_on(world: GcpWorld, now: datetime) -> bool:
    """Carry out what is due. True when there was something."""
    ready = sorted((one for one in world.state.due if now >= one.at), key=lambda one: one.at)
    world.state.due = [one for one in world.state.due if now < one.at]
    for one in ready:
        try:
            found = find(world, one.key)
        except ValueError:
            continue  # it was deleted meanwhile
        _HAPPENS[one.what](world, found, now)
    return bool(ready)


def _failure_shows(world: GcpWorld, found: Found, now: datetime) -> None:
    life = life_of(world, found)
    if not life.dead:
        return
    if found.worker is not None:
        found.item["state"], found.item["health"] = "REPAIRING", "UNHEALTHY_MAINTENANCE"
        found.item["healthDescription"] = "The TPU had a maintenance event."
        _later(world, now, HARDWARE_S, "repair", found)
    elif _group_of(world, found) is None and found.item.get("scheduling", {}).get("automaticRestart"):
        found.item["status"] = "REPAIRING"
        _later(world, now, HARDWARE_S, "repair", found)
    else:
        _stop(world, found, now)


def _repair(world: GcpWorld, found: Found, now: datetime) -> None:
    life = life_of(world, found)
    if not life.dead:
        return
    life.drives += 1
    life.disk += found.worker is not None  # a TPU host that is repaired is another machine
    _restart(world, found, now)


def _restart(world: GcpWorld, found: Found, now: datetime) -> None:
    life = life_of(world, found)
    life.dead = life.cut = False
    life.boots += 1
    if found.worker is None:
        found.item["status"] = "RUNNING"
        found.item["lastStartTimestamp"] = _stamp(now)
        return
    others = (Found(f"{found.name}/{i}", found.name, found.item, i) for i in range(len(found.item["networkEndpoints"])))
    if found.item["state"] == "REPAIRING" and not any(life_of(world, o).dead for o in others):
        found.item["state"], found.item["health"] = "READY", "HEALTHY"
        found.item.pop("healthDescription", None)


def _preempt(world: GcpWorld, found: Found, now: datetime) -> None:
    if found.worker is not None:
        found.item["state"] = "PREEMPTED"
        queued = world.state.queued.get(found.item.get("queuedResource", ""))
        if queued is not None:
            queued["state"] = {"state": "SUSPENDED", "stateInitiator": "SERVICE"}
        return
    if found.item["scheduling"].get("instanceTerminationAction") == "DELETE":
        from simcloud.gcp.compute import machines

        machines.drop(world, found.name)
        return
    _stop(world, found, now)


def _check_fails(world: GcpWorld, found: Found, now: datetime) -> None:
    held = _group_of(world, found)
    if held is not None and held[0].get("autoHealingPolicies") and life_of(world, found).cut:
        held[1]["unhealthy"] = True


def _stop(world: GcpWorld, found: Found, now: datetime) -> None:
    if found.item["status"] != "TERMINATED":
        found.item["status"] = "TERMINATED"
        found.item["lastStopTimestamp"] = _stamp(now)
        stopped(world, found.item)


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}+00:00"


_HAPPENS: Mapping[str, Callable[[GcpWorld, Found, datetime], None]] = {
    "hardware failure shows": _failure_shows,
    "repair": _repair,
    "restart": _restart,
    "preemption": _preempt,
    "health check fails": _check_fails,
}


# What its owner does to it


def stopped(world: GcpWorld, item: Mapping[str, Any], *, keep_drives: bool = False) -> None:
    """An instance was stopped: its hardware goes to somebody else, and with it what its local drives held."""
    life = world.state.lives.setdefault(item["id"], Life())
    life.dead = life.cut = False
    life.drives += not keep_drives


def started(world: GcpWorld, item: Mapping[str, Any]) -> None:
    """An instance was started, or reset."""
    life = world.state.lives.setdefault(item["id"], Life())
    life.boots += not life.dead
    life.preempted = False


def node_stopped(world: GcpWorld, node: Mapping[str, Any]) -> None:
    """A slice was stopped: so were its hosts."""
    for worker in range(len(node["networkEndpoints"])):
        life = world.state.lives.setdefault(f"{node['id']}/{worker}", Life())
        life.dead = life.cut = False


def node_started(world: GcpWorld, node: Mapping[str, Any]) -> None:
    """A slice was started."""
    for worker in range(len(node["networkEndpoints"])):
        world.state.lives.setdefault(f"{node['id']}/{worker}", Life()).boots += 1


KNOBS: Mapping[str, Callable[[GcpWorld, Mapping[str, Any], datetime], None]] = {
    "power-loss": lose_power,
    "network-loss": lose_network,
    "network-back": regain_network,
    "spot-notice": give_notice,
    "shut-down": shut_down,
}
"""Knobs that let something happen to a machine."""
