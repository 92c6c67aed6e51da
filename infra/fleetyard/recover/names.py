"""By what a stack's resources are known to be its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

TAG = "fleetyard-stack"
"""The tag or label that the components put on everything that takes one."""
_RANDOM = "[0-9a-f]{7}"
"""What the engine appends to a logical name. Source: Pulumi documentation, "Autonaming"."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack stands, and the names that its components give: those of its pools and stores."""

    stack: str
    cloud: str
    region: str
    zones: tuple[str, ...]
    project: str
    pools: tuple[str, ...]
    stores: tuple[str, ...]

    def is_named(self, name: str, *logical: str) -> bool:
        """Whether the engine may have made this name from one of the logical names."""
        return any(re.fullmatch(f"{re.escape(each)}-{_RANDOM}", name) for each in logical)

    def pool_names(self) -> list[str]:
        """The logical names of pools."""
        return [f"{self.stack}-{pool}" for pool in self.pools]

    def store_names(self) -> list[str]:
        """The logical names of stores."""
        return [f"{self.stack}-{store}" for store in self.stores]

    def of_stack(self, name: str) -> bool:
        """Whether a name begins as the stack's do: enough only for what lies in something of the stack's."""
        return name.startswith(f"{self.stack}-")


TAGGED = f"it has the tag {TAG} of this stack"
NAMED = "it has a name that this stack gives"


def inside(what: str) -> str:
    """The evidence for what has no tags: it belongs to something of the stack's."""
    return f"it belongs to {what} of this stack"
