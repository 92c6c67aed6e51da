"""Access tokens of service accounts, as the metadata server hands them out, and whose they are when they come back.

Nothing is kept: a token says whose it is, with which scopes and until when, under the world's own digest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from simcloud.gcp.errors import Refusal, rule
from simcloud.tickets import Tickets
from simcloud.wire import CALLER_HEADER, Request

LIFETIME_S = 3600
ROTATION_S = 1800
PREFIX = "ya29.c."
"""What tokens of the metadata server begin with."""
_KIND = "google access token"
UNAUTHENTICATED = rule(
    "token.valid",
    "a token that is over, or that nobody gave, is refused",
    "docs.cloud.google.com/docs/authentication/token-types",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls with a token."""

    email: str
    scopes: frozenset[str]


def issue(tickets: Tickets, email: str, scopes: list[str], now: datetime) -> tuple[str, int]:
    """A token and the seconds that are left to it. It stays the same until it is time for a new one."""
    given = int(now.timestamp()) // ROTATION_S * ROTATION_S
    token = PREFIX + tickets.write(_KIND, {"email": email, "scopes": scopes, "until": given + LIFETIME_S})
    return token, given + LIFETIME_S - int(now.timestamp())


def known(request: Request, tickets: Tickets, now: datetime) -> str | None:
    """Whose token a request bears, for `told`; None for what is not one of the metadata server's, which may do
    everything here. Raises Refusal for a token that is over or that this world did not give."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        token = (request.params().get("access_token") or [""])[0]
    if not token.startswith(PREFIX):
        return None
    said = tickets.read(_KIND, token.removeprefix(PREFIX))
    if said is None or now.timestamp() >= said["until"]:
        raise Refusal(401, "Invalid Credentials", reason="authError", state="UNAUTHENTICATED", rule=UNAUTHENTICATED)
    return json.dumps([said["email"], said["scopes"]])


def told(request: Request) -> Caller | None:
    """The caller that `known` found a request to be from."""
    said = request.headers.get(CALLER_HEADER)
    if not said:
        return None
    email, scopes = json.loads(said)
    return Caller(email, frozenset(scopes))
