"""The training job of the demonstration: begun, robbed of a host, and seen to go on."""

from __future__ import annotations

import json
import re
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fleetyard.cli.steps import Commands
from fleetyard.demo.machines import Machines
from fleetyard.demo.recording import Recording
from fleetyard.demo.store import Bucket, outputs
from fleetyard.findings import Exit, error
from fleetyard.training.curve import Point, draw, read_points

STEPS, PACE_S, CHECKPOINT_EVERY = 300, 0.15, 20
NOTICED_AFTER_S = 25
"""When the cloud notices that a machine is gone. It is minutes with a real one; here it leaves time for an alert."""
NAME = "demo"
FOLDER = f"pools/train/jobs/{NAME}"
PATIENCE_S = 300.0
RECAP = re.compile(r"^\S+\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Play:
    """What a playbook did, over all hosts."""

    ok: int
    changed: int
    hosts: int

    def said(self) -> str:
        """In words."""
        return f"{self.hosts} hosts, {self.ok} tasks ok, {self.changed} changed"

    def unchanged(self) -> str:
        """In words, for a second run. Raises FleetyardError when it changed something."""
        if self.changed:
            raise error(
                "FY1506", "ansible-playbook", f"a second run changed {self.changed} tasks", exit_code=Exit.REFUSED
            )
        return self.said()


class Job(ABC):
    """A job on a stack whose hosts run."""

    def __init__(self, stack: str, do: Commands, machines: Machines, recording: Recording) -> None:
        self._stack, self._do, self._machines, self._recording = stack, do, machines, recording
        self._outputs = outputs(stack, do)
        self._bucket = Bucket(self._outputs, do.env)
        self._lost: dict[str, Any] = {}
        self._lost_at_s = self._first_at_s = self._again_at_s = 0.0
        self._facts: list[str] = []

    # What differs

    @abstractmethod
    def watch(self) -> None:
        """Look whether monitoring and accounting tell what happened, and note it."""

    @abstractmethod
    def admit(self, host: Mapping[str, Any]) -> None:
        """Configure a new host and let it take part."""

    # The road

    def playbook(self, name: str, *words: str) -> Play:
        """Run a playbook on the stack's live hosts. Raises FleetyardError when it fails."""
        program = shutil.which("ansible-playbook", path=self._do.env["PATH"]) or "ansible-playbook"
        inventory = f"inventory/{self._stack}.fleetyard.yml"
        said = self._do.run([program, "-i", inventory, f"playbooks/{name}", *words])
        rows = [tuple(map(int, row)) for row in RECAP.findall(said)]
        return Play(sum(row[0] for row in rows), sum(row[1] for row in rows), len(rows))

    def train(self) -> None:
        """Hand the job in, or look that it is."""
        options = ["--pace", str(PACE_S), "--checkpoint-every", str(CHECKPOINT_EVERY)]
        told = {"training_job_name": NAME, "training_job_steps": STEPS, "training_job_options": options}
        self.playbook("train.yml", "-e", json.dumps(told))

    def begin(self) -> str:
        """Start it; when its first step was made."""
        with self._recording.span("job", "starts"):
            self.train()
            self._until(lambda: bool(self._points()), "a first step")
        self._first_at_s = self._seen(self._points()[0])
        return f"first step {self._first_at_s:.0f} s after `pulumi up` began"

    def lose(self, share: float) -> str:
        """Let one of its hosts lose power when so much of it is done."""
        self._until(lambda: self._last() >= STEPS * share, f"step {STEPS * share:.0f}")
        rows = [row for row in self._machines.listed() if row["machine"] == self._outputs.pools["train"].machine]
        self._lost = rows[-1]
        self._machines.lose_power(self._outputs.cloud, self._lost["key"], NOTICED_AFTER_S)
        self._lost_at_s = self._recording.now_s()
        self._recording.at("loss", f"{self._lost['host']} loses power")
        return f"{self._lost['host']} at step {self._last()}"

    def recover(self) -> str:
        """Until the first step after the loss."""
        began = self._recording.now_s()
        count = len(self._machines.listed())
        self._until(self._replaced(count), "a new host")
        new = next(row for row in self._machines.listed() if row["host"] not in self._before)
        self._recording.between("boot", f"{new['host']} is there", began, self._recording.now_s())
        with self._recording.span("configure", f"{new['host']}"):
            self.admit(new)
        point = self._until(self._resumed, "a step after the loss")
        self._again_at_s = self._seen(point)
        self._recording.between("recovery", f"resumed at step {point.step}", self._lost_at_s, self._again_at_s)
        return f"step {point.step} made {self._again_at_s - self._lost_at_s:.0f} s after the loss"

    def finish(self) -> str:
        """Until its last step."""
        self._until(lambda: self._last() >= STEPS, "the last step")
        points = self._points()
        self._recording.between("job", f"{STEPS} steps", self._first_at_s, self._seen(points[-1]))
        self.watch()
        return f"loss {points[0].loss:.2f} at step 1, {points[-1].loss:.2f} at step {points[-1].step}"

    def told(self) -> Iterator[str]:
        """What was found out on the way."""
        yield from self._facts

    def draw(self, pictures: Path) -> None:
        """The loss curve, as SVG."""
        title = f"{self._stack}: loss over {STEPS} steps, one host lost"
        (pictures / f"{self._stack}-loss.svg").write_text(draw(self._points(), title))

    # Asking

    def _points(self) -> list[Point]:
        keys = self._bucket.keys(f"{FOLDER}/loss/")
        return read_points(line for key in keys for line in self._bucket.read(key).decode().splitlines())

    def _last(self) -> int:
        return max((point.step for point in self._points()), default=0)

    def _resumed(self) -> Point | None:
        """The first step that was made after the loss, by the time that it was made."""
        after = [point for point in self._points() if point.restarts > 0 and self._seen(point) > self._lost_at_s]
        return min(after, key=lambda point: point.time, default=None)

    def _seen(self, point: Point) -> float:
        return point.time - (time.time() - self._recording.now_s())

    def _replaced(self, count: int) -> Callable[[], bool]:
        self._before = {row["host"] for row in self._machines.listed() if row["key"] != self._lost["key"]}
        lost, path = self._lost["key"], self._lost.get("disk")

        def there() -> bool:
            rows = self._machines.listed()
            new = [row for row in rows if row["host"] not in self._before]
            return len(rows) == count and all(self._is_new(row, lost, path) and row["state"] == "ready" for row in new)

        return there

    def _is_new(self, row: Mapping[str, Any], lost: str, disk: str | None) -> bool:
        """Another machine, or the same place of a slice on other hardware."""
        return row["key"] != lost or row.get("disk") != disk

    def _until(self, so: Callable[[], T | None], what: str) -> T:
        """Ask until there is an answer that counts; that answer. Raises FleetyardError when there is none in time."""
        until = time.monotonic() + PATIENCE_S
        while not (said := so()):
            if time.monotonic() > until:
                fix = f"the whole log is {self._do.log}; what runs: fleetyard sim hosts list"
                raise error("FY1507", self._stack, f"{what} did not come within {PATIENCE_S:.0f} s", fix, Exit.REFUSED)
            time.sleep(0.5)
        return said


class Slurm(Job):
    """Through Slurm, watched by Prometheus, on a control host."""

    def _control(self, command: str) -> str:
        row = next(row for row in self._machines.listed() if row["machine"] == self._outputs.pools["control"].machine)
        return self._machines.on(row["key"], command)

    def admit(self, host: Mapping[str, Any]) -> None:
        """The new host alone: its play tells the others that it is there."""
        self.playbook("site.yml", "--limit", host["host"])

    def watch(self) -> None:
        """What accounting and the alerts say."""
        told = self._control(
            "sacct --allusers --duplicates --allocations --noheader -P -o JobID,State,Elapsed,AllocTRES"
        )
        for line in told.strip().splitlines():
            self._facts.append(f"sacct: {line}")
        for name, host, fired_s, cleared_s in self._alerts():
            self._recording.between("alert", f"{name} {host}", fired_s, cleared_s)
            self._facts.append(f"alert: {name} for {host} fired at {fired_s:.0f} s, cleared at {cleared_s:.0f} s")

    def _alerts(self) -> Iterator[tuple[str, str, float, float]]:
        """Which alerts fired since the loss, by Prometheus' own record: name, host, from and until when."""
        now = time.time()
        begin = now - (self._recording.now_s() - self._lost_at_s)
        query = f'query=ALERTS{{alertstate="firing"}}\' -d start={begin:.0f} -d end={now:.0f} -d step=2'
        said = self._control(f"curl -sG http://127.0.0.1:9090/api/v1/query_range --data-urlencode '{query}")
        for row in json.loads(said)["data"]["result"]:
            labels, values = row["metric"], row["values"]
            start = now - self._recording.now_s()
            host = labels.get("host", labels.get("instance", ""))
            yield labels["alertname"], host, float(values[0][0]) - start, float(values[-1][0]) - start


class Slices(Job):
    """A unit on every host of a slice: there is no scheduler."""

    def admit(self, host: Mapping[str, Any]) -> None:
        """The new host; then the job on all of them, for a host that was lost took its unit with it.

        What a TPU host calls itself is told by no API. Its node and its number in it are, and they are its name here.
        """
        node, number = host["key"].rsplit("/", 2)[-2:]
        self.playbook("site.yml", "--limit", f"{node}-w-{number}")
        self.train()

    def watch(self) -> None:
        """What systemd says."""
        for row in self._machines.listed():
            said = self._machines.on(
                row["key"], f"systemctl show -p NRestarts,Result fleetyard-{NAME}.service | tr '\\n' ' '"
            )
            self._facts.append(f"{row['host']}: {said.strip()}")
