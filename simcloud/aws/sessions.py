"""Temporary credentials of roles, as the metadata service hands them out, and whose they are when they come back.

Nothing is kept: the session token says whose it is and until when, under the world's own digest; access key and secret
follow from it. Source: IAM User Guide, "Temporary security credentials", "Unique identifiers" (ASIA, AROA).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from simcloud.aws import moto_bridge
from simcloud.provider.model import CloudError
from simcloud.tickets import Tickets

if TYPE_CHECKING:
    from simcloud.aws.calls import Call

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


def session_of(call: Call, tickets: Tickets, now: datetime) -> Session | None:
    """Who calls in a role; None for a key of another kind, which may do everything here.

    Raises CloudError for temporary credentials that are unknown, incomplete or over.
    """
    key = call.access_key
    if not key.startswith(TEMPORARY):
        return None
    token = call.request.headers.get("x-amz-security-token") or _presigned(call)
    said = tickets.read(_KIND, token) if token else None
    if said is None:
        assumed = moto_bridge.assumed_role(key)
        if assumed is None:
            raise _unknown(call)
        said = {
            "arn": assumed.role_arn,
            "id": assumed.user_id.partition(":")[0],
            "name": assumed.session_name,
            "until": assumed.expiration.replace(tzinfo=UTC).timestamp(),
        }
    elif _access_key(tickets, token) != key:
        raise _unknown(call)
    if now.timestamp() >= said["until"]:
        raise _expired(call)
    return Session(said["arn"], said["id"], said["name"])


def _presigned(call: Call) -> str:
    found = call.request.params().get("X-Amz-Security-Token") or [""]
    return found[0]


def _unknown(call: Call) -> CloudError:
    if call.service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return CloudError("InvalidAccessKeyId", call.operation, message, 403)
    if call.service == "ec2":
        message = "AWS was not able to validate the provided access credentials"
        return CloudError("AuthFailure", call.operation, message, 401)
    return CloudError(
        _json(call, "InvalidClientTokenId", "UnrecognizedClientException"),
        call.operation,
        "The security token included in the request is invalid.",
        403,
    )


def _expired(call: Call) -> CloudError:
    if call.service == "s3":
        return CloudError("ExpiredToken", call.operation, "The provided token has expired.", 400)
    if call.service == "ec2":
        return CloudError("RequestExpired", call.operation, "Request has expired.", 400)
    return CloudError(
        _json(call, "ExpiredToken", "ExpiredTokenException"),
        call.operation,
        "The security token included in the request is expired",
        403,
    )


def _json(call: Call, query: str, json: str) -> str:
    """The code in the query protocol, or in the JSON ones."""
    protocol = call.model.service_model.metadata.get("protocol", "") if call.model is not None else ""
    return query if protocol in ("query", "rest-xml") else json


def shown(session: Session) -> Mapping[str, str]:
    """What GetCallerIdentity answers."""
    return {"UserId": f"{session.role_id}:{session.name}", "Account": moto_bridge.ACCOUNT, "Arn": session.arn}
