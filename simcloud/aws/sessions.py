"""Temporary credentials of roles, as the metadata service hands them out, and whose they are when they come back.

Nothing is kept: the session token says whose it is and until when, under the world's own digest; access key and secret
follow from it. Source: IAM User Guide, "Temporary security credentials", "Unique identifiers" (ASIA, AROA).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from simcloud.aws import moto_bridge
from simcloud.aws.calls import Call, scope
from simcloud.provider.model import CloudError
from simcloud.tickets import Tickets
from simcloud.wire import CALLER_HEADER, Request

LIFETIME = timedelta(hours=6)
ROTATION = timedelta(hours=1)
"""New credentials are given so long before the old ones end; AWS gives them five minutes before at the latest."""
TEMPORARY = "ASIA"
"""What access keys of temporary credentials begin with."""
_KIND = "aws session"
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a program on an instance gets. Times are UTC."""

    access_key: str
    secret_key: str
    token: str
    given: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who acts in a role. name: the session's; for an instance its id."""

    role_arn: str
    role_id: str
    name: str

    @property
    def role(self) -> str:
        """The role's name, without its path."""
        return self.role_arn.rpartition("/")[2]

    @property
    def arn(self) -> str:
        """As STS and refusals name it."""
        return f"arn:aws:sts::{moto_bridge.ACCOUNT}:assumed-role/{self.role}/{self.name}"


def issue(tickets: Tickets, role: Any, name: str, now: datetime, lifetime: timedelta = LIFETIME) -> Credentials:
    """Credentials of a role (moto's object) for a session. They stay the same until it is time for new ones."""
    given = _EPOCH + ((now - _EPOCH) // ROTATION) * ROTATION
    expires = given + lifetime
    said = {"arn": role.arn, "id": role.id, "name": name, "until": int(expires.timestamp())}
    token = tickets.write(_KIND, said)
    key = _access_key(tickets, token)
    secret = base64.b64encode(tickets.secret("aws secret key", key, 30)).decode()
    return Credentials(key, secret, token, given, expires)


def _access_key(tickets: Tickets, token: str) -> str:
    return "ASIA" + base64.b32encode(tickets.secret("aws access key", token, 10)).decode()


class NotGoodError(Exception):
    """Temporary credentials that are over (`expired`), unknown or incomplete."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("expired" if expired else "unknown")
        self.expired = expired


def known(request: Request, tickets: Tickets, now: datetime) -> str | None:
    """Whose temporary credentials a request is signed with, for `told`; None for a key of another kind, which may do
    everything here. Raises NotGoodError."""
    key, _, _ = scope(request)
    if not key.startswith(TEMPORARY):
        return None
    token = request.headers.get("x-amz-security-token") or (request.params().get("X-Amz-Security-Token") or [""])[0]
    said = tickets.read(_KIND, token) if token else None
    if said is not None and _access_key(tickets, token) != key:
        raise NotGoodError
    if said is None:
        assumed = moto_bridge.assumed_role(key)
        if assumed is None:
            raise NotGoodError
        said = {
            "arn": assumed.role_arn,
            "id": assumed.user_id.partition(":")[0],
            "name": assumed.session_name,
            "until": assumed.expiration.replace(tzinfo=UTC).timestamp(),
        }
    if now.timestamp() >= said["until"]:
        raise NotGoodError(expired=True)
    return json.dumps([said["arn"], said["id"], said["name"]])


def told(request: Request) -> Session | None:
    """The session that `known` found a request to be from."""
    said = request.headers.get(CALLER_HEADER)
    return Session(*json.loads(said)) if said else None


_UNKNOWN = {
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
}
_EXPIRED = {
    "s3": ("ExpiredToken", "The provided token has expired.", 400),
    "ec2": ("RequestExpired", "Request has expired.", 400),
}


def refusal(call: Call, wrong: NotGoodError) -> CloudError:
    """The service's own words for credentials that are no good."""
    found = (_EXPIRED if wrong.expired else _UNKNOWN).get(call.service)
    if found is not None:
        return CloudError(found[0], call.operation, found[1], found[2])
    protocol = call.model.service_model.metadata.get("protocol", "") if call.model is not None else ""
    query = protocol in ("query", "rest-xml")
    if wrong.expired:
        code = "ExpiredToken" if query else "ExpiredTokenException"
        return CloudError(code, call.operation, "The security token included in the request is expired", 403)
    code = "InvalidClientTokenId" if query else "UnrecognizedClientException"
    return CloudError(code, call.operation, "The security token included in the request is invalid.", 403)


def shown(session: Session) -> Mapping[str, str]:
    """What GetCallerIdentity answers."""
    return {"UserId": f"{session.role_id}:{session.name}", "Account": moto_bridge.ACCOUNT, "Arn": session.arn}
