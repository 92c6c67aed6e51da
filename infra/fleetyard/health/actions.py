"""What becomes of a node about which something was heard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """In order of weight.

    ignore: nothing to do; look: a person should, nothing happens by itself; restart-app: the job ends or has ended, the
    node is well; drain: no new jobs, reset or reboot, accept again; replace: give the machine back to the cloud.
    """

    IGNORE = "ignore"
    LOOK = "look"
    RESTART_APP = "restart-app"
    DRAIN = "drain"
    REPLACE = "replace"

    @property
    def weight(self) -> int:
        """0 for ignore, more for what costs more."""
        return list(Action).index(self)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one kind of trouble on one device means. `count`: how often it was heard; `source`: who says so."""

    device: str
    kind: str
    code: int | None
    title: str
    action: Action
    count: int
    said: str
    source: str

    def as_dict(self) -> dict[str, object]:
        """Plain data for `--json`."""
        return {
            "device": self.device,
            "kind": self.kind,
            "code": self.code,
            "title": self.title,
            "action": str(self.action),
            "count": self.count,
            "said": self.said,
            "source": self.source,
        }


def worst(rulings: Iterable[Ruling]) -> Action:
    """The heaviest action of all; ignore for none."""
    return max((each.action for each in rulings), key=lambda action: action.weight, default=Action.IGNORE)
