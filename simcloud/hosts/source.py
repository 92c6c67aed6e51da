"""Where the hosts' process learns what should run: from a world, or from a file for hosts without a cloud."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from simcloud.client import RefusedError, ask
from simcloud.hosts.model import Fleet, Machine
from simcloud.hosts.services import Answer
from simcloud.server import Running, running

NOBODY = Answer(404, {"content-type": "text/plain"}, b"there is no metadata service here\n")


class Source(Protocol):
    """Says what should run. agent: whether it has a metadata service."""

    agent: bool

    def fleet(self, since: str | None) -> Fleet | None:
        """The fleet, or None when it is still the one of revision `since`. Raises OSError when it cannot be asked."""

    def metadata(self, machine: Machine, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        """A reply of the metadata service to this machine."""

    def went_down(self, machine: Machine) -> None:
        """Tell that a machine shut itself down."""

    def ports(self) -> tuple[int, int]:
        """Where the simulated AWS and Google Cloud listen on loopback; 0: nowhere."""


class WorldSource:
    """A running world."""

    agent = True

    def __init__(self, home: Path) -> None:
        self._home = home
        self._known: Running | None = None

    def _world(self) -> Running:
        if self._known is None:
            self._known = running(self._home)
        if self._known is None:
            raise ConnectionError("the world does not run")
        return self._known

    def _ask(self, what: str, args: Mapping[str, object]) -> dict[str, object]:
        try:
            said: dict[str, object] = ask(self._world(), what, dict(args))
            return said
        except OSError:
            self._known = None  # it may come back with another token
            raise

    def fleet(self, since: str | None) -> Fleet | None:
        """What the world says should run."""
        said = self._ask("machines", {"since": since})
        return None if said.get("unchanged") else Fleet.of(said)

    def metadata(self, machine: Machine, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        """The world's reply."""
        args = {"cloud": machine.cloud, "key": machine.key, "method": method, "path": path, "query": query}
        try:
            said = self._ask("metadata", {**args, "headers": dict(headers)})
        except (OSError, RefusedError):
            return Answer(503, {"content-type": "text/plain"}, b"the simulated cloud does not answer\n")
        return _answer(said)

    def went_down(self, machine: Machine) -> None:
        """The world stops the instance."""
        self._ask("control", {"cloud": machine.cloud, "action": "shut-down", "args": {"id": machine.key}})

    def ports(self) -> tuple[int, int]:
        """The world's two ports for machines, where nobody is the simulated user."""
        world = self._world()
        return world.aws_machines, world.gcp_machines


def _answer(said: Mapping[str, object]) -> Answer:
    body, headers = said.get("body", ""), said.get("headers", {})
    content = base64.b64decode(str(body)) if said.get("base64") else str(body).encode()
    return Answer(int(str(said["status"])), dict(headers) if isinstance(headers, Mapping) else {}, content)


class FileSource:
    """A file with a fleet, for hosts that no cloud owns: roles are tried and images are baked on them."""

    agent = False

    def __init__(self, path: Path) -> None:
        self._path = path

    def fleet(self, since: str | None) -> Fleet | None:
        """The file's fleet; its revision is the file's time of change."""
        revision = str(self._path.stat().st_mtime_ns)
        if revision == since:
            return None
        return Fleet.of({**json.loads(self._path.read_text()), "revision": revision})

    def metadata(self, machine: Machine, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        """There is none."""
        return NOBODY

    def went_down(self, machine: Machine) -> None:
        """Nobody to tell."""

    def ports(self) -> tuple[int, int]:
        """Nowhere."""
        return 0, 0
