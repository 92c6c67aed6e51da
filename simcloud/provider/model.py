"""How one Pulumi resource type is translated into calls of a cloud's API.

A subclass says what the real provider does: which API calls create, read, update and delete the resource, what it
calls the resource when the program gives no name, which properties replace it. What every type shares (secrets,
unknowns, types and required members from the SDK, diffs, previews, imports) is in `simcloud.provider.servicer`.

Property names are the wire's: camelCase, as in the SDK's schema. Inputs and states are plain JSON values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

Props = Mapping[str, Any]
Cloud = TypeVar("Cloud")


class CloudError(Exception):
    """The cloud refused a call. `code` and `operation` are the service's own words."""

    def __init__(self, code: str, operation: str, message: str, status: int = 400) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.code = code
        self.operation = operation
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Failure:
    """Something `check` will not accept: the property's path and the reason."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class AutoName:
    """The name a provider gives when the program gives none: the logical name, a dash and seven random hex digits.

    `lower` and `max_length` are the service's limits; `prefix` and `suffix` stand around the whole.
    """

    property: str = "name"
    max_length: int = 255
    lower: bool = False
    prefix: str = ""
    suffix: str = ""


class ResourceType(Generic[Cloud]):
    """One resource type. Class attributes describe it; methods make the calls. Sources stand in `sources`."""

    token: ClassVar[str]
    """For example `aws:ec2/vpc:Vpc`."""
    auto_name: ClassVar[AutoName | None] = None
    replace_on: ClassVar[frozenset[str]] = frozenset()
    """Input properties whose change replaces the resource. A nested one is written with dots, without list indices:
    `guestAccelerators.type`."""
    delete_before_replace: ClassVar[bool] = False
    defaults: ClassVar[Props] = {}
    """What the real provider's schema fills in when the program says nothing (top level only)."""
    unordered: ClassVar[frozenset[str]] = frozenset()
    """List properties that are sets: their order means nothing."""
    changed_by_update: ClassVar[frozenset[str]] = frozenset()
    """Computed outputs that an update may change; a preview of an update shows them as unknown."""
    computed: ClassVar[frozenset[str]] = frozenset()
    """Optional inputs that the cloud fills in when the program says nothing: not importing them, and no longer setting
    them, changes nothing."""
    inner_computed: ClassVar[frozenset[str]] = frozenset()
    """Members of input blocks (dotted, without list indices) that the cloud fills in: where the program gives the block
    without them, a preview of a new resource shows them as unknown."""
    write_only: ClassVar[frozenset[str]] = frozenset()
    """Inputs that the cloud never gives back; a refresh keeps what the program said."""
    carried: ClassVar[frozenset[str]] = frozenset()
    """Outputs that `update` finds among its `old` inputs too: what the provider's configuration had added to them."""
    sources: ClassVar[tuple[str, ...]] = ()
    """Where the truth of this translation can be checked (API pages, service models, registry schemas)."""

    def canonical(self, value: str) -> str:
        """One spelling for strings that mean the same thing to the cloud (a full and a relative link)."""
        return value

    def check(self, inputs: Props) -> Iterable[Failure]:
        """Refusals that the real provider gives before any call. Unknown values are absent from `inputs`."""
        return ()

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """Of the `changed` input paths (dotted, without indices), those that replace. Override for rules that
        depend on values (a disk may grow but not shrink)."""
        return frozenset(p for p in changed if any(p == r or p.startswith(r + ".") for r in self.replace_on))

    def outdated(self, cloud: Cloud, state: Props, new: Props) -> Mapping[str, bool]:
        """Outputs that the provider's configuration, not the inputs, asks to be otherwise (default tags); for each,
        whether that replaces the resource."""
        return {}

    def create(self, cloud: Cloud, inputs: Props) -> str:
        """Make the resource and return its id. Raises CloudError."""
        raise NotImplementedError

    def read(self, cloud: Cloud, id: str, known: Props) -> dict[str, Any] | None:
        """The whole state (all outputs) as the cloud has it now; None when it is gone.

        `known` is the last known state: the engine's, or `{}` on import. Properties the cloud does not return are
        taken from it. Raises CloudError for anything but absence.
        """
        raise NotImplementedError

    def update(self, cloud: Cloud, id: str, old: Props, new: Props) -> None:
        """Bring what can change in place from the `old` inputs to the `new` ones. Raises CloudError."""
        raise NotImplementedError

    def delete(self, cloud: Cloud, id: str, state: Props) -> None:
        """Delete the resource; nothing happens when it is gone already. Raises CloudError."""
        raise NotImplementedError
