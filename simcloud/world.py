"""The world: both clouds, their journal, their clock. One process holds it; everything else asks it.

A cloud is a deterministic function: state, request and `Moment` give the answer and the next state. The world numbers
the calls that may change something, writes them down first, gives each its moment, and carries them out one at a time.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from simcloud import snapshot
from simcloud.faults import Faults, strike_after, strike_before
from simcloud.fleet import Part, joined
from simcloud.hosts.model import Fleet
from simcloud.journal import Journal, Record, request_body
from simcloud.seal import Seal
from simcloud.wire import Moment, Request, Response

LEAST_UNSAVED = 100
"""Records that are worth a snapshot once nobody calls any more."""
MOST_UNSAVED = 600
"""Records after which one is written at once: at about 5 ms each, a replay then takes some seconds."""
QUIET_S = 1.0


class CloudWorld(Protocol):
    """What a cloud offers to the world."""

    def handle(self, request: Request, moment: Moment) -> Response:
        """Carry out one API call."""

    def reads(self, request: Request) -> bool:
        """Whether a call only reads, so that the journal need not know it."""

    def named(self, request: Request) -> str:
        """The call as faults and logs name it: `ec2:CreateVpc`, `compute.networks.insert`."""

    def refusal(self, kind: str, request: Request) -> Response:
        """The service's own answer for `throttle` and `error`."""

    def fleet(self) -> Part:
        """The machines, networks and firewalls that should run now."""

    def moves(self, name: str) -> bool:
        """Whether a call of this name (as `named` gives it) may change what `fleet` says."""

    def known(self, request: Request, now: datetime) -> str | Response | None:
        """Whom a call is from, by its token: None for one who may do everything; a refusal for a token that is over."""

    def anonymous(self, request: Request) -> Response | None:
        """The service's refusal of a call that bears no credentials; None for one that bears some."""

    def rights(self) -> Mapping[str, Any]:
        """How many calls of roles and service accounts were `allowed`, `refused` (by action), `passed` (by reason)."""

    def trust(self, key: bytes) -> None:
        """Take the key with which it signs what machines are given, and knows it again."""

    def metadata(self, machine: str, request: Request, now: datetime) -> Response:
        """What a machine's metadata service answers; changes nothing. Raises ValueError for an unknown machine."""

    def tick(self, moment: Moment) -> None:
        """Let what takes time in the cloud go one step further (groups replacing members, refreshes)."""

    def pending(self) -> bool:
        """Whether a tick would do anything."""

    def control(self, action: str, args: Mapping[str, Any], moment: Moment) -> Any:
        """Turn one of the simulation's own knobs (capacity, quota). Raises ValueError for a knob it has not."""

    def saved(self) -> Any:
        """Its whole state, for a snapshot: what `pickle` can write."""

    def restore(self, state: Any) -> None:
        """Take up a state that `saved` gave."""

    def inventory(self) -> list[dict[str, Any]]:
        """Every resource that exists and that somebody made: service, type, id, tags."""

    def kept(self) -> list[dict[str, Any]]:
        """What the cloud keeps after it was deleted, each with the reason and its source."""


class World:
    """Both clouds behind one journal. Thread-safe: calls are carried out one at a time."""

    def __init__(self, home: Path, makers: Mapping[str, Callable[[], CloudWorld]]) -> None:
        self.home = home
        self.faults = Faults()
        self._seal = Seal()
        self._journal = Journal(home / "journal", self._seal)
        self._makers = makers
        self._clouds: dict[str, CloudWorld] = {}
        self._guard = threading.RLock()
        self._seq = 0
        self._now = datetime(2000, 1, 1, tzinfo=UTC)
        self._stop = threading.Event()
        self._saved_seq = 0
        self._named: Counter[tuple[str, str]] = Counter()
        self._called_at = time.monotonic()
        self._fleet: Fleet | None = None

    def cloud(self, name: str) -> CloudWorld:
        """`aws` or `gcp`, made when it is first needed: a world without AWS never loads it."""
        with self._guard:
            if name not in self._clouds:
                made = self._makers[name]()
                made.trust(self._seal.derived(f"tickets of {name}"))
                self._clouds[name] = made
            return self._clouds[name]

    def open(self) -> int:
        """Rebuild the state from the journal; return the number of records. Raises JournalDamagedError."""
        with self._guard:
            for record in self._journal.read(self._restored()):
                self._seq = record.seq
                self._now = record.at
                try:
                    self._carry_out(record)
                except Exception:
                    traceback.print_exc()
            return self._seq

    def _restored(self) -> int:
        """Take up the snapshot, if there is one that fits; the journal's byte from which to go on."""
        reach = snapshot.reach(self.home)
        if reach is None or self._journal.checksum(reach.journal_bytes) != reach.checksum:
            return 0
        state = snapshot.load(self.home, self._seal)
        if state is None:
            return 0
        try:
            for name, part in state.items():
                self.cloud(name).restore(snapshot.thawed(part))
        except Exception:
            traceback.print_exc()
            self._clouds.clear()
            return 0
        self._seq = self._saved_seq = reach.seq
        self._now = datetime.fromisoformat(reach.at)
        return reach.journal_bytes

    def save(self) -> None:
        """Write a snapshot of what the journal has led to, if it has led anywhere since the last one."""
        with self._guard:
            if self._seq == self._saved_seq:
                return
            size = self._journal.size()
            reach = snapshot.Reach(self._seq, self._now.isoformat(), size, self._journal.checksum(size))
            snapshot.save(self.home, self._seal, reach, {name: cloud.saved() for name, cloud in self._clouds.items()})
            self._saved_seq = self._seq

    def close(self) -> None:
        """Stop the reconciler, write a snapshot and release the journal."""
        self._stop.set()
        self.save()
        with self._guard:
            self._journal.close()

    def call(self, cloud: str, request: Request, *, from_machine: bool = False) -> Response:
        """One API call. Raises LostConnectionError where a fault says that no answer arrives.

        from_machine: it comes from a host, where nobody is without credentials of his own.
        """
        target = self.cloud(cloud)
        name = target.named(request)
        with self._guard:
            self._named[cloud, name] += 1
        struck = self.faults.meeting(name)
        refused = strike_before(struck)
        if refused:
            return target.refusal(refused, request)
        with self._guard:
            known = target.known(request, max(datetime.now(UTC), self._now))
            if known is None and from_machine:
                known = target.anonymous(request)
            if isinstance(known, Response):
                return known
            request = request.of(known)
            if target.reads(request):
                response = target.handle(request, self._moment(self._seq))
            else:
                response = self._recorded(cloud, "call", request_body(request))
        strike_after(struck)
        return response

    def control(self, cloud: str, action: str, args: Mapping[str, Any]) -> Any:
        """Turn one of the simulation's own knobs."""
        with self._guard:
            return self._recorded(cloud, "control", {"action": action, "args": dict(args)})

    def look(self, cloud: str, action: str, args: Mapping[str, Any]) -> Any:
        """A knob that only shows something; the journal need not know."""
        with self._guard:
            return self.cloud(cloud).control(action, args, self._moment(self._seq))

    def fleet(self) -> Fleet:
        """All that should run. Worked out anew only after something that may have changed it."""
        held = self._fleet
        if held is None:
            with self._guard:
                held = joined(cloud.fleet() for _, cloud in sorted(self._clouds.items()))
                self._fleet = held
        return held

    def metadata(self, cloud: str, machine: str, request: Request) -> Response:
        """What a machine's metadata service answers now. Raises ValueError for an unknown machine."""
        with self._guard:
            return self.cloud(cloud).metadata(machine, request, max(datetime.now(UTC), self._now))

    def inventory(self) -> list[dict[str, Any]]:
        """Every resource of both clouds."""
        with self._guard:
            return [row for name in sorted(self._clouds) for row in self._clouds[name].inventory()]

    def kept(self) -> list[dict[str, Any]]:
        """What the clouds keep by design."""
        with self._guard:
            return [row for name in sorted(self._clouds) for row in self._clouds[name].kept()]

    def called(self) -> dict[str, dict[str, int]]:
        """Which operations each cloud was asked for since this process began, and how often."""
        with self._guard:
            found: dict[str, dict[str, int]] = {}
            for (cloud, name), times in sorted(self._named.items()):
                found.setdefault(cloud, {})[name] = times
            return found

    def rights(self) -> dict[str, Any]:
        """What each cloud judged of rights since this process began."""
        with self._guard:
            return {name: dict(cloud.rights()) for name, cloud in sorted(self._clouds.items()) if cloud.rights()}

    def records(self) -> int:
        """How many calls the journal holds."""
        return self._seq

    def reconcile(self, interval_s: float = 0.2) -> None:
        """Let the clouds' own processes go on until `close`. Runs in a thread of its own."""
        while not self._stop.wait(interval_s):
            with self._guard:
                for name, cloud in self._clouds.items():
                    try:
                        if cloud.pending():
                            self._recorded(name, "tick", {})
                    except Exception:
                        traceback.print_exc()
            if self._due():
                self.save()

    def _due(self) -> bool:
        """Whether it is time for a snapshot: when nobody is calling, or when a replay would begin to take long."""
        fresh = self._seq - self._saved_seq
        quiet = time.monotonic() - self._called_at > QUIET_S
        return fresh >= MOST_UNSAVED or (quiet and fresh >= LEAST_UNSAVED)

    def _recorded(self, cloud: str, kind: str, body: Mapping[str, Any]) -> Any:
        # Strictly later than the last: things made one after the other sort that way, in a replay too.
        self._now = max(datetime.now(UTC), self._now + timedelta(microseconds=1))
        record = Record(self._seq + 1, self._now, cloud, kind, body)
        self._journal.append(record)
        self._seq = record.seq
        self._called_at = time.monotonic()
        return self._carry_out(record)

    def _carry_out(self, record: Record) -> Any:
        target = self.cloud(record.cloud)
        moment = self._moment(record.seq)
        if record.kind == "call":
            request = record.request()
            if target.moves(target.named(request)):
                self._fleet = None
            return target.handle(request, moment)
        self._fleet = None
        if record.kind == "tick":
            target.tick(moment)
            return None
        return target.control(record.body["action"], record.body["args"], moment)

    def _moment(self, seq: int) -> Moment:
        digest = hashlib.sha256(b"simcloud %d" % seq).digest()
        return Moment(self._now, random.Random(int.from_bytes(digest[:8])))  # noqa: S311 - simulation, not secrets


def wait_until(ready: Callable[[], bool], seconds: float, every_s: float = 0.05) -> bool:
    """Poll until something is so; False when it is not within the time."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(every_s)
    return True
