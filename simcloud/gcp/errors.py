"""Refusals in the forms that Google's APIs give them, and the register of the rules behind them.

Three forms are in use: Compute Engine and Cloud Storage name a `reason` in `errors`; the newer APIs (IAM, KMS, TPU,
Resource Manager) name a canonical `status` and give `details`. A refusal whose wording is not known to be Google's
carries an `errors` entry (or a detail) with the domain `simcloud`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simcloud.wire import Response

OURS = "simcloud"

STATUS_OF: dict[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
RPC_CODE: dict[str, int] = {
    "INVALID_ARGUMENT": 3,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
}
"""Source: google/rpc/code.proto."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing the world refuses. `ours`: the wording is ours, Google's is not known to us."""

    code: str
    says: str
    source: str
    ours: bool = False


RULES: dict[str, Rule] = {}
"""Every rule of the world by its code, filled where the rules are written."""


def rule(code: str, says: str, source: str, *, ours: bool = False) -> Rule:
    """Register a rule. Raises ValueError for a code that exists."""
    if code in RULES:
        raise ValueError(f"rule {code} stands twice")
    RULES[code] = Rule(code, says, source, ours)
    return RULES[code]


class Refusal(Exception):  # noqa: N818 - it is the word of this room: the cloud refuses
    """The world refuses a call. `status` is the HTTP status, `reason` the word in `errors`, `state` the canonical
    status of the newer APIs."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        reason: str = "",
        state: str = "",
        rule: Rule | None = None,
        details: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.state = state or STATUS_OF.get(status, "UNKNOWN")
        self.reason = reason or _REASON_OF.get(status, "backendError")
        self.rule = rule
        self.details = details or []


_REASON_OF = {
    400: "invalid",
    401: "required",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
    501: "notImplemented",
    503: "backendError",
}


def invalid_field(path: str, value: object, why: str, *, rule: Rule | None = None) -> Refusal:
    """Compute Engine's refusal of a field's value."""
    return Refusal(400, f"Invalid value for field '{path}': '{value}'. {why}", reason="invalid", rule=rule)


def missing_field(path: str) -> Refusal:
    """Compute Engine's refusal of a request without a required field."""
    return Refusal(400, f"Required field '{path}' not specified", reason="required")


def not_found(name: str) -> Refusal:
    """Compute Engine's answer for a resource that does not exist."""
    return Refusal(404, f"The resource '{name}' was not found", reason="notFound")


def already_exists(name: str) -> Refusal:
    """Compute Engine's answer for a name that is taken."""
    return Refusal(409, f"The resource '{name}' already exists", reason="alreadyExists")


def in_use(kind: str, name: str, user: str) -> Refusal:
    """Compute Engine's answer for deleting what another resource uses."""
    return Refusal(
        400,
        f"The {kind} resource '{name}' is already being used by '{user}'",
        reason="resourceInUseByAnotherResource",
        state="FAILED_PRECONDITION",
    )


OLDER = frozenset({"compute", "storage", "dns", "sqladmin", "sql", "bigquery"})
"""The APIs that name a `reason` in `errors`."""


def render(refusal: Refusal, api: str) -> Response:
    """The HTTP response of a refusal in the form of the API `api`, one of `OLDER` or one of the newer ones."""
    ours = refusal.rule is not None and refusal.rule.ours
    entry = {
        "message": refusal.message,
        "domain": OURS if ours else "global",
        "reason": refusal.reason,
    }
    error: dict[str, Any] = {"code": refusal.status, "message": refusal.message}
    if api in OLDER:
        error["errors"] = [entry]
        if refusal.details:
            error["details"] = refusal.details
    else:
        error["status"] = refusal.state
        details = list(refusal.details)
        if ours and refusal.rule is not None:
            details.append(
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": refusal.rule.code,
                    "domain": OURS,
                }
            )
        if details:
            error["details"] = details
    return Response.of_json({"error": error}, refusal.status)
