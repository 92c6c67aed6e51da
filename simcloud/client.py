"""The simulation's own interface, from outside its process."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from simcloud.server import LOOPBACK, Running


class RefusedError(Exception):
    """The world did not accept a request; the message says why."""


def ask(world: Running, what: str, args: Mapping[str, Any] | None = None, timeout_s: float = 60) -> Any:
    """Ask a running world: status, inventory, fault, faults/clear, control, stop. Raises RefusedError, OSError."""
    request = urllib.request.Request(
        f"http://{LOOPBACK}:{world.aws_http}/_simcloud/{what}",
        json.dumps(dict(args or {})).encode(),
        {"x-simcloud-token": world.token, "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        body = refused.read()
        try:
            message = json.loads(body)["error"]
        except (ValueError, KeyError, TypeError):
            message = body.decode(errors="replace")
        raise RefusedError(message) from None
