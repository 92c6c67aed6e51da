"""What the cloud has that the stack's state has not, from `pulumi refresh --preview-only --json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleetyard.drift.model import CLOUD, Difference
from fleetyard.findings import Exit, error

LONGEST = 60
"""Characters of a value that is shown; of a longer one only that it differs."""
_PART = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')


def read(text: str) -> list[Difference]:
    """One difference for each property that a refresh would change, and for each resource that is gone.

    Raises FleetyardError (FY1520) when the text is not the engine's answer.
    """
    try:
        steps = json.loads(text)["steps"]
        return [found for step in steps for found in _of(step)]
    except (ValueError, KeyError, TypeError, AttributeError):
        said = text.strip().splitlines()[-1:] or ["nothing"]
        raise error(
            "FY1520", "pulumi refresh", f"said no answer that can be read: {said[0]}", exit_code=Exit.REFUSED
        ) from None


def _of(step: Mapping[str, Any]) -> Iterator[Difference]:
    _, type_, name = step["urn"].rsplit("::", 2)
    what = f"{type_.rpartition('$')[2]} {name}"
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    if step["op"] == "delete":
        yield Difference(CLOUD, "resource", what, str(old.get("id", "there")), None)
    elif step["op"] == "update":
        changes: Mapping[str, Any] = step.get("detailedDiff") or {}
        # What follows from an input (tags in `tagsAll`) is no difference of its own.
        meant = {path: each for path, each in changes.items() if each.get("inputDiff")} or changes
        for path in sorted(meant):
            sides = (_shown(state.get("outputs") or {}, path) for state in (old, new))
            yield Difference(CLOUD, "resource", f"{what} {path}", *sides)


def _shown(values: Any, path: str) -> str | None:
    """The value at a path as text; None where there is none."""
    for quoted, index, word in _PART.findall(path):
        key = quoted or word
        if isinstance(values, list) and index and int(index) < len(values):
            values = values[int(index)]
        elif isinstance(values, dict) and key in values:
            values = values[key]
        else:
            return None
    text = values if isinstance(values, str) else json.dumps(values, sort_keys=True)
    return text if len(text) <= LONGEST else f"{len(text)} characters"
