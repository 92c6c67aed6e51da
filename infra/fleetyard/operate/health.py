"""One look at a cluster, and what follows from it: drain, restart or replace, accept, all of it recorded."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleetyard.acceptance.evidence import Evidence, load
from fleetyard.findings import Exit, FleetyardError, error
from fleetyard.health.actions import Action
from fleetyard.health.incidents import (
    ACCEPTED,
    ASKED,
    CAME,
    CONFIGURED,
    DRAINED,
    FAILED,
    HEARD,
    KEPT_OUT,
    OPENED,
    RESTARTED,
    VACATED,
    Incident,
    due,
    fresh_events,
    fresh_signs,
    heard_until,
    incidents,
    name_of,
)  # fmt: skip
from fleetyard.health.look import Look, look
from fleetyard.health.record import Record, Row, whoever
from fleetyard.inventory.export import exported, project_root
from fleetyard.operate.plays import Plays
from fleetyard.outputs import StackOutputs, parse_outputs
from fleetyard.report.members import Member, find

POLL_S = 2.0


class StuckError(Exception):
    """A step did not work out; it is tried again at the next look. Its words say why."""


@dataclass
class Pass:
    """One look at one stack."""

    stack: str
    plays: Plays
    record: Record
    by: str = field(default_factory=whoever)
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    clock: Callable[[], float] = time.time
    _outputs: StackOutputs | None = None

    @classmethod
    def of(cls, stack: str, inventory: Path | None, record: Record, extra: Sequence[str] = ()) -> Pass:
        """With the project around the current folder."""
        project = project_root()
        where = (inventory or project / "inventory" / f"{stack}.fleetyard.yml").resolve()
        words = [word for each in extra for word in ("-e", _absolute(each))]
        return cls(stack, Plays(project, where, words), record)

    # Looking

    def watch(self) -> bool:
        """Look and record what is heard; whether all is well. Raises FleetyardError when nobody can be asked."""
        with self.record.held():
            hosts = self.plays.hosts()
            self._listen(hosts, opens=False)
            return self._all_well(hosts)

    def act(self, grace_s: int, patience_s: int) -> bool:
        """Look, open incidents for what is heard, and go on with everything that is open; whether all is well then.

        Raises FleetyardError when the cluster or the cloud cannot be asked.
        """
        with self.record.held():
            self._listen(self.plays.hosts(), opens=True)
            for incident in sorted(self._open(), key=lambda each: -each.action.weight):
                self._cure(incident, grace_s, patience_s)
            return self._all_well(self.plays.hosts())

    def _all_well(self, hosts: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether nothing is open, nothing that was heard waits to be done, and no node that is there is kept out."""
        rows = self.record.rows()
        there = {str(each.get("fleetyard_instance", "")) for each in hosts.values()}
        kept = [each for each in incidents(rows) if each.step == KEPT_OUT and each.machine[1] in there]
        return not (self._open() or kept or any(due(rows, instance) for instance in there))

    def _open(self) -> list[Incident]:
        return [each for each in incidents(self.record.rows()) if each.open]

    def _listen(self, hosts: Mapping[str, Mapping[str, Any]], opens: bool) -> None:
        """Look at every node and record what is new. opens: incidents are opened for what is to be cured."""
        folder = self.record.path.parent / "looks"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        began = time.time()
        played = self.plays.play("health.yml", variables={"health_folder": str(folder)})
        silent = []
        for name, variables in sorted(hosts.items()):
            now = _document(folder / f"{name}.json", began)
            if now is None:
                silent.append(name)
                continue
            before = _document(folder / f"{name}.before.json", 0.0)
            self._hear(name, str(variables.get("fleetyard_instance", "")), look(now, before), hosts, opens)
        if silent and len(silent) == len(hosts):
            fix = "ansible-playbook playbooks/health.yml says more"
            raise error("FY3207", self.stack, f"no node could be looked at: {played.reason}", fix, Exit.REFUSED)
        for name in silent:
            print(f"{name} did not answer: the cloud's own checks replace a machine that is gone", flush=True)

    def _hear(self, name: str, instance: str, seen: Look, hosts: Mapping[str, Mapping[str, Any]], opens: bool) -> None:
        rows = self.record.rows()
        after = heard_until(rows, instance, seen.booted_s)
        latest = max((e.seconds for e in seen.events if isinstance(e.seconds, float)), default=after)
        heard = fresh_events(seen.heard, seen.events, after)
        fresh = [
            each for each in (*heard, *fresh_signs(seen.shown, rows, instance)) if each.action is not Action.IGNORE
        ]
        for each in fresh:
            more = {key: value for key, value in each.as_dict().items() if value not in (None, "")}
            if each in heard:
                more["event_s"] = latest
            self._note(HEARD, name, instance, "", f"{each.title} on {each.device}: {each.action}", more)
        rows = self.record.rows()
        if opens and (reason := due(rows, instance)) is not None:
            pool = hosts[name].get("fleetyard_pool")
            keys = [
                str(each.get("fleetyard_instance", "")) for each in hosts.values() if each.get("fleetyard_pool") == pool
            ]
            told = reason.more
            why = f"{told.get('title')} on {told.get('device')}"
            more = {"action": told.get("action"), "source": told.get("source", ""), "pool": pool, "keys": keys}
            self._note(OPENED, name, instance, name_of(incidents(rows), instance), why, more)

    def _note(
        self, what: str, node: str, instance: str, incident: str, why: str = "", more: Mapping[str, Any] | None = None
    ) -> None:
        self.record.append(Row(self.clock(), self.by, what, node, instance, incident, why, more or {}))

    # Acting

    def _cure(self, incident: Incident, grace_s: int, patience_s: int) -> None:
        """Step by step until it ends, or until a step does not work out."""
        while incident.open:
            step = incident.next
            name, instance = incident.machine
            try:
                self._step(step, incident, name, instance, grace_s, patience_s)
            except StuckError as stuck:
                self._note(FAILED, name, instance, incident.id, f"{step}: {stuck}")
                return
            except FleetyardError as wrong:
                self._note(FAILED, name, instance, incident.id, f"{step}: {wrong}")
                return
            incident = next(each for each in incidents(self.record.rows()) if each.id == incident.id)

    def _step(self, step: str, incident: Incident, name: str, instance: str, grace_s: int, patience_s: int) -> None:
        why = ""
        replaced = incident.action is Action.REPLACE
        if step in (DRAINED, VACATED):
            jobs = "leave" if step == DRAINED else "requeue" if replaced else "wait"
            why = f"health: {incident.why}"[:160]
            told = {"drain_reason": why, "drain_jobs": jobs, "drain_wait_s": grace_s}
            if name in self.plays.hosts():
                self._well("drain.yml", name, told)
        elif step == RESTARTED:
            self._well("restart.yml", name)
        elif step == ASKED:
            why = self._ask(incident)
        elif step == CAME:
            member = self._successor(incident, patience_s)
            name, instance = member.host_name or member.name, member.key
            if (reached := self.plays.reach(name, 300)).status:
                raise StuckError(reached.reason)
            why = f"in place of {incident.instance}"
        elif step == CONFIGURED:
            self._well("site.yml", name, {"slurm_new_nodes": "closed"})
        elif step == ACCEPTED:
            played = self.plays.play("accept.yml", "--limit", name)
            why = self._verdict(name) or played.reason
            if played.status == 2 and "stays drained" in played.text:
                self._note(KEPT_OUT, name, instance, incident.id, why)
                return
            if not played.worked_on(name):
                raise StuckError(played.reason)
        self._note(step, name, instance, incident.id, why)

    def _well(self, playbook: str, name: str, variables: Mapping[str, Any] | None = None) -> None:
        played = self.plays.play(playbook, "--limit", name, variables=variables)
        if not played.worked_on(name):
            raise StuckError(played.reason)

    def _members(self) -> Sequence[Member]:
        if self._outputs is None:
            self._outputs = parse_outputs(exported(None, self.stack, self.plays.project))
        return find(self._outputs, self.env)

    def _ask(self, incident: Incident) -> str:
        from fleetyard.operate.replace import give_back

        if not incident.instance:
            fix = "give the machine back by hand, run site.yml and accept.yml, then `fleetyard health close`"
            raise error("FY3211", incident.node, "the inventory names no machine of a cloud", fix, Exit.REFUSED)
        member = next((each for each in self._members() if each.key == incident.instance), None)
        if member is None or self._outputs is None:
            return "the cloud has taken it already"
        return give_back(self._outputs, member, self.env)

    def _successor(self, incident: Incident, patience_s: int) -> Member:
        """Who came in its place: a machine of its pool that was not there before, and is nobody else's successor."""
        everything = incidents(self.record.rows())
        taken = {each.successor[1] for each in everything if each.successor} | {incident.instance, *incident.keys}
        end = time.monotonic() + patience_s
        while True:
            members = self._members()
            for each in members:
                if each.up and each.address and each.pool == incident.pool and each.key not in taken:
                    return each
            if time.monotonic() > end:
                raise StuckError(f"no machine came within {patience_s} s: the cloud may have none; looked for again")
            time.sleep(POLL_S)

    def _verdict(self, name: str) -> str:
        path = self.record.path.parents[2] / "acceptance" / self.stack / f"{name}.verdict.json"
        try:
            return str(json.loads(path.read_text())["nodes"][0]["reason"])
        except (OSError, ValueError, LookupError, TypeError):
            return ""


def _document(path: Path, not_before: float) -> Evidence | None:
    """A node's document, when it was brought since then. A clock's last digits are forgiven."""
    try:
        if path.stat().st_mtime < not_before - 1:
            return None
        return load(path.read_text(encoding="utf-8", errors="replace"), str(path))
    except OSError:
        return None


def _absolute(word: str) -> str:
    """`@file` by its whole path: playbooks run in the project's folder."""
    return f"@{Path(word[1:]).resolve()}" if word.startswith("@") else word
