"""The live members of a stack's pools: who is there, in which state, at which address, as the cloud says it now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from fleetyard.outputs import StackOutputs


UP = frozenset({"running", "ready"})
"""The clouds' words for a machine that is up: EC2 and Compute Engine, and TPU nodes."""


@dataclass(frozen=True, slots=True)
class Member:
    """One machine (or host of a slice). `state` is the cloud's own word; address: private, None until it has one.

    key: names it for all its life and no other (instance id; Google's numeric id; `<node's path>/<worker>`).
    host_name: what the machine is called in its network; empty until the cloud says so.
    """

    pool: str
    name: str
    state: str
    zone: str
    address: str | None
    machine: str
    key: str = ""
    host_name: str = ""

    @property
    def up(self) -> bool:
        """Whether the cloud calls it up and is content with it."""
        return self.state.lower() in UP

    def as_dict(self) -> dict[str, str | None]:
        """The same as plain data."""
        return asdict(self)


class Finder(Protocol):
    """Asks one cloud for the members of a stack."""

    def __call__(self, outputs: StackOutputs, env: Mapping[str, str]) -> Sequence[Member]:
        """The members of every pool. Raises FleetyardError when the cloud cannot be asked."""


def find(outputs: StackOutputs, env: Mapping[str, str]) -> Sequence[Member]:
    """The live members, from the cloud that the stack stands in. env: where its endpoint and credentials are.

    Raises FleetyardError: exit 77 without permission or credentials, 69 when the cloud does not answer.
    """
    finder: Finder
    if outputs.cloud == "aws":
        from fleetyard.report.members_aws import find as finder
    else:
        from fleetyard.report.members_gcp import find as finder
    return finder(outputs, env)


def last_part(url: str) -> str:
    """The name at the end of a resource's URL or path."""
    return url.rstrip("/").rpartition("/")[2]


def pages(first: Any, following: Any) -> Iterator[dict[str, Any]]:
    """Every page of a listing of Google's client: `first` is a request, `following(request, reply)` the next one."""
    request = first
    while request is not None:
        reply = request.execute()
        yield reply
        request = following(request, reply)
