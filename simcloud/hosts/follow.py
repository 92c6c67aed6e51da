"""Follows the world: boots what should run, ends what should not, and keeps the VPCs' firewalls as they should be."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simcloud.hosts import control_groups
from simcloud.hosts.decide import Do, Present, Step, steps
from simcloud.hosts.host import End, Host
from simcloud.hosts.identity import Access, forget
from simcloud.hosts.images import Image
from simcloud.hosts.model import Fleet, Machine, Network
from simcloud.hosts.network import Vpc
from simcloud.hosts.source import Source

STATE_FILE = "run.json"
EVENTS_FILE = "events.jsonl"
END_S = 15.0
"""How long all hosts together may take to shut down when the process ends."""


class Follower:
    """The hosts of one world. One thread calls it."""

    def __init__(
        self,
        home: Path,
        source: Source,
        image: Callable[[Machine], Image],
        access: Access,
        serve: Callable[[Vpc, Follower], None],
    ) -> None:
        self._home, self._source, self._image, self._access, self._serve = home, source, image, access, serve
        self._fleet: Fleet | None = None
        self._vpcs: dict[str, Vpc] = {}
        self._hosts: dict[str, Host] = {}
        self._ready: set[str] = set()
        self._removing: set[str] = set()
        self._published = ""

    def step(self) -> bool:
        """Ask, act, look after. True when there was something to do."""
        news = self._news()
        if self._fleet is None:
            return False
        present = {
            key: Present(host.machine, host.runs)
            for key, host in self._hosts.items()
            if not host.stopping and key not in self._removing
        }
        busy = {key for key in self._hosts if key not in present}
        wanted = [machine for machine in self._fleet.machines if machine.key not in busy]
        todo = steps(wanted, present)
        for step in todo:
            self._act(step)
        if news or todo:
            self._guard()
        changed = self._tend()
        self._publish()
        return bool(todo) or changed

    def machine_at(self, network: str, address: str) -> Machine | None:
        """The machine that has this address in a VPC."""
        for host in list(self._hosts.values()):
            if host.machine.network == network and host.machine.address == address:
                return host.machine
        return None

    def end(self) -> None:
        """Shut all down and let go of everything; disks stay for the next time."""
        for host in self._hosts.values():
            host.stop()
        until = time.monotonic() + END_S
        while time.monotonic() < until and any(host.runs for host in self._hosts.values()):
            time.sleep(0.05)
        for host in self._hosts.values():
            host.close()
        for vpc in self._vpcs.values():
            vpc.close()
        control_groups.remove_branch()
        (self._home / STATE_FILE).unlink(missing_ok=True)

    def _news(self) -> bool:
        try:
            fleet = self._source.fleet(self._fleet.revision if self._fleet else None)
        except OSError:
            return False  # machines go on while the cloud's API is away
        if fleet is None:
            return False
        if self._fleet is None:
            self._prune(fleet)
        self._fleet = fleet
        self._open(fleet)
        return True

    def _prune(self, fleet: Fleet) -> None:
        """Delete the disks of machines that ended while nobody looked."""
        kept = {Host.folder_of(self._home, machine.key) for machine in fleet.machines}
        for folder in (self._home / "disks").glob("*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _open(self, fleet: Fleet) -> None:
        used = {machine.network for machine in fleet.machines}
        known = {network.id: network for network in fleet.networks}
        for machine in fleet.machines:
            known.setdefault(machine.network, Network(machine.cloud, machine.network, (machine.cidr,)))
        for id in used - set(self._vpcs):
            self._vpcs[id] = Vpc(known[id])
            self._serve(self._vpcs[id], self)

    def _guard(self) -> None:
        assert self._fleet is not None
        for id, vpc in list(self._vpcs.items()):
            mine = {machine.key for machine in self._fleet.machines if machine.network == id}
            if not mine and not any(host.machine.network == id for host in self._hosts.values()):
                vpc.close()
                del self._vpcs[id]
                continue
            vpc.guard(rule for rule in self._fleet.rules if rule.machine in mine)

    def _act(self, step: Step) -> None:
        machine, host = step.machine, self._hosts.get(step.machine.key)
        self._say(str(step.do), machine)
        if step.do is Do.BOOT:
            if host is None:
                host = Host(machine, self._image(machine), self._vpcs[machine.network], self._home, self._access)
                self._hosts[machine.key] = host
            host.start()
            host.machine = machine
            return
        assert host is not None
        self._ready.discard(machine.key)
        if step.do is Do.RESTART:
            host.stop(again=True)
        elif step.do is Do.STOP:
            host.stop()
        elif step.do is Do.CUT_POWER:
            host.cut_power()
        elif step.do is Do.REMOVE:
            self._removing.add(machine.key)
            # What failed has no power to shut down with.
            host.stop()
        else:
            host.cut_network(machine)
        host.machine = machine

    def _tend(self) -> bool:
        changed = False
        for key, host in list(self._hosts.items()):
            end = host.tend()
            if end is End.WENT_DOWN:
                self._went_down(host)
            elif end is End.REBOOTED:
                self._ready.discard(key)
                self._say("rebooted", host.machine)
            changed = changed or end is not None
            if key in self._removing and not host.runs:
                self._remove(key, host)
                changed = True
            elif key not in self._ready and host.runs and not host.stopping and host.ready():
                self._ready.add(key)
                self._say("ready", host.machine, seconds=round(time.monotonic() - host.started_at, 2))
                changed = True
        return changed

    def _went_down(self, host: Host) -> None:
        self._ready.discard(host.machine.key)
        self._say("went-down", host.machine)
        try:
            self._source.went_down(host.machine)
        except Exception as refused:  # the world may be away, or have no such machine any more
            self._say("unheard", host.machine, why=str(refused))

    def _remove(self, key: str, host: Host) -> None:
        host.remove()
        forget(key, self._access.known_hosts)
        self._removing.discard(key)
        self._ready.discard(key)
        del self._hosts[key]
        self._say("removed", host.machine)

    def _say(self, what: str, machine: Machine, **more: Any) -> None:
        row = {
            "at": datetime.now(UTC).isoformat(),
            "event": what,
            "key": machine.key,
            "host": machine.host_name,
            **more,
        }
        with (self._home / EVENTS_FILE).open("a") as events:
            events.write(json.dumps(row) + "\n")

    def _publish(self) -> None:
        rows = [
            {
                "key": key,
                "host": host.machine.host_name,
                "cloud": host.machine.cloud,
                "network": host.machine.network,
                "address": host.machine.address,
                "machine": host.machine.machine,
                "state": self._state(key, host),
                "reachable": host.machine.reachable,
                "disk": host.machine.disk,
                "space": host.space.fd,
                "vpc": self._vpcs[host.machine.network].space.fd,
                "init": host.init_pid,
                "console": str(host.console),
            }
            for key, host in sorted(self._hosts.items())
        ]
        said = json.dumps({"hosts": rows, "revision": self._fleet.revision if self._fleet else None}, indent=1)
        if said != self._published:
            unfinished = self._home / f"{STATE_FILE}.new"
            unfinished.write_text(said)
            unfinished.replace(self._home / STATE_FILE)
            self._published = said

    def _state(self, key: str, host: Host) -> str:
        if not host.runs:
            return "off"
        if host.stopping or key in self._removing:
            return "stopping"
        return "ready" if key in self._ready else "booting"
