"""The simulated Google Cloud as the world and the provider see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from simcloud.environment import DEFAULT_PROJECT
from simcloud.fleet import Part
from simcloud.gcp import documents, metadata, tokens
from simcloud.gcp.client import GcpClient
from simcloud.gcp.errors import Refusal, render
from simcloud.gcp.fleet import fleet
from simcloud.gcp.world import STILL, GcpWorld, _api_of
from simcloud.tickets import Tickets
from simcloud.wire import Moment, Request, Response

ATTRIBUTION = "goog-pulumi-provisioned"
"""The label that pulumi-gcp puts on what it makes, unless `addPulumiAttributionLabel` is false."""


class Gcp:
    """A `GcpWorld` with what the world asks of every cloud."""

    def __init__(self) -> None:
        self._world = GcpWorld()

    def handle(self, request: Request, moment: Moment) -> Response:
        """Carry out one API call."""
        return self._world.handle(request, moment)

    def reads(self, request: Request) -> bool:
        """Whether a call only reads."""
        return self._world.reads(request)

    def named(self, request: Request) -> str:
        """The method's id in the discovery document, or the method and path."""
        match = documents.find(request.method, request.path, request.headers.get("host", ""))
        return match.method.id if match else f"{request.method} {request.path}"

    def refusal(self, kind: str, request: Request) -> Response:
        """Google's answer for a throttled call or an internal error."""
        if kind == "throttle":
            refusal = Refusal(
                429,
                "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'.",
                reason="rateLimitExceeded",
            )
        else:
            refusal = Refusal(503, "Internal error. Please try again.", reason="backendError")
        return render(refusal, _api_of(request.path))

    def fleet(self) -> Part:
        """What is to run."""
        return fleet(self._world)

    def moves(self, name: str) -> bool:
        """Whether a call of this name may change what is to run."""
        return not name.startswith(STILL)

    def known(self, request: Request, now: datetime) -> str | Response | None:
        """The service account whose token a request bears; a refusal when it is over or nobody gave it."""
        try:
            return tokens.known(request, self._world.tickets, now)
        except Refusal as refusal:
            return render(refusal, _api_of(request.path))

    def anonymous(self, request: Request) -> Response | None:
        """The refusal of a call without a token, or with one that no service account here was given."""
        given = bool(request.headers.get("authorization"))
        why = "Invalid Credentials" if given else "Anonymous caller does not have access to this resource."
        reason = "authError" if given else "required"
        refusal = Refusal(401, why, reason=reason, state="UNAUTHENTICATED", rule=tokens.UNAUTHENTICATED)
        return render(refusal, _api_of(request.path))

    def rights(self) -> Mapping[str, Any]:
        """What was judged of rights since this process began, and what was let pass because nobody could tell."""
        return self._world.judged.shown()

    def trust(self, key: bytes) -> None:
        """Sign with this key what machines are given."""
        self._world.tickets = Tickets(key)

    def metadata(self, machine: str, request: Request, now: datetime) -> Response:
        """What the metadata server says to a machine. Raises ValueError when there is none of this key."""
        return metadata.answer(self._world, self._world.tickets, machine, request, now)

    def tick(self, moment: Moment) -> None:
        """One step of what the cloud does by itself."""
        self._world.tick(moment)

    def pending(self) -> bool:
        """Whether a step would change something."""
        return self._world.restless() or self._world.due(datetime.now(UTC))

    def control(self, action: str, args: Mapping[str, Any], moment: Moment) -> Any:
        """Turn a knob (see `simcloud.gcp.control`)."""
        return self._world.control(action, dict(args), moment)

    def saved(self) -> Any:
        """All that exists."""
        return self._world.state

    def restore(self, state: Any) -> None:
        """What existed."""
        self._world.state = state
        self._world.forget()

    def inventory(self) -> list[dict[str, Any]]:
        """Every resource that somebody made; what came with another one is left out."""
        return [
            {
                "cloud": "gcp",
                "type": row["type"],
                "id": row["name"],
                "region": "",
                "link": row.get("link", ""),
                "tags": dict(row.get("labels") or {}),
            }
            for row in self._world.inventory()
            if not row.get("made_by")
        ]

    def kept(self) -> list[dict[str, Any]]:
        """What Google keeps after deletion."""
        return [
            {
                "cloud": "gcp",
                "type": row.get("type", ""),
                "id": row["name"],
                "region": "",
                "tags": {},
                "state": row.get("state", ""),
                "why": row.get("reason", ""),
                "source": row.get("source", ""),
            }
            for row in self._world.kept()
        ]


def client(send: Callable[[Request], Response], config: Mapping[str, Any]) -> GcpClient:
    """The API for one provider instance. Raises ValueError for credentials in `config`."""
    if config.get("credentials") or config.get("accessToken"):
        raise ValueError("a provider with credentials is attached to the simulated Google Cloud: unset them")
    project = config.get("project") or DEFAULT_PROJECT
    labels = config.get("defaultLabels") or {}
    if isinstance(labels, str):
        labels = json.loads(labels or "{}")
    if config.get("addPulumiAttributionLabel") not in (False, "false"):
        labels = {**labels, ATTRIBUTION: "true"}
    return GcpClient(send, str(project), config.get("region"), config.get("zone"), labels)
