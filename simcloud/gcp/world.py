"""The simulated Google Cloud: state in memory, changed only by requests, ticks and the test knobs of `control`.

Everything it does follows from its state, the request and the moment (the world's time and chance), so a world is
rebuilt by giving a new one the same calls. It keeps no clock and no randomness of its own.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simcloud.gcp import documents, kinds, lives, schema
from simcloud.gcp.call import Call
from simcloud.gcp.control import Knobs, control
from simcloud.gcp.errors import OLDER, Refusal, render, rule
from simcloud.gcp.lives import Due, Life
from simcloud.tickets import Tickets
from simcloud.wire import Moment, Request, Response

if TYPE_CHECKING:
    from simcloud.gcp.compute.ledger import Ledger

UNMODELLED = rule("world.unmodelled", "a method that the simulated cloud does not have", "none", ours=True)
NO_SUCH_PATH = rule("world.path", "a path that no modelled API has", "discovery documents", ours=True)
BAD_JSON = rule("world.json", "a body is JSON", "RFC 8259; Google's wording with ours after the first sentence")
QUERY = rule("world.query", "a query names only parameters of its method", "discovery documents")

STILL = "storage.objects."
"""Methods that nothing else in the cloud reacts to, and that come by the thousand."""

_COMMON = frozenset(
    {"alt", "fields", "key", "prettyPrint", "quotaUser", "uploadType", "userIp", "userProject", "access_token"}
    | {
        "callback",
        "oauth_token",
        "upload_protocol",
        "upload_id",
        "$.xgafv",
        "trace",
        "requestId",
        "paths",
        "enum-encoding",
    }
)


@dataclass
class Upload:
    """An object that is coming in pieces. pieces: what is there, in base64."""

    bucket: str
    name: str
    meta: dict[str, Any]
    pieces: list[str] = field(default_factory=list)
    size: int = 0


@dataclass
class State:
    """All that exists, as plain JSON values. Keys are resource names."""

    compute: dict[str, dict[str, Any]] = field(default_factory=dict)
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Object generations by bucket, oldest first; `_data` holds the content in base64."""
    uploads: dict[str, Upload] = field(default_factory=dict)
    """Uploads in pieces that are not whole yet."""
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted_accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)
    """Projects that a changing call has named, with the moment of the first one."""
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """IAM policies by the resource they are on: `projects/p`, `b/bucket`, a key's or an account's name."""
    rings: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    queued: dict[str, dict[str, Any]] = field(default_factory=dict)
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Resources of the services that `simcloud.gcp.kinds` tells by tables, by service and name."""
    defaults: dict[str, bool] = field(default_factory=dict)
    """By project: whether it was given its default network (False: it has none, as an organization may decide)."""
    group_errors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Failed launches of managed instance groups, newest last."""
    lives: dict[str, Life] = field(default_factory=dict)
    """What machines went through, by an instance's id, or a slice's id and its host's number; absent: a first boot."""
    due: list[Due] = field(default_factory=list)
    """What is going to happen to machines by itself."""
    knobs: Knobs = field(default_factory=Knobs)
    stirred: bool = False
    """Whether something that no call has done (a knob, a launch made to fail) may let a new attempt succeed."""


class GcpWorld:
    """The simulated cloud. One call at a time: the caller keeps calls apart."""

    state: State

    def __init__(self) -> None:
        from simcloud.gcp import rights, services  # registers the handlers; costs a few milliseconds, once

        services.load()
        self.judged = rights.Judged()
        self.state = State()
        self.tickets = Tickets(secrets.token_bytes(32))
        """What machines are given is signed with it."""
        self._ledger: Ledger | None = None

    @property
    def ledger(self) -> Ledger:
        """What is in use now."""
        if self._ledger is None:
            from simcloud.gcp.compute.ledger import Ledger

            self._ledger = Ledger(self)
        return self._ledger

    def forget(self) -> None:
        """Count anew from here on."""
        self._ledger = None

    def handle(self, request: Request, moment: Moment) -> Response:
        """Answer one HTTP request. Refusals are responses, never exceptions."""
        from simcloud.gcp import rights, tokens

        self.forget()
        match = documents.find(request.method, request.path, request.headers.get("host", ""))
        api = match.method.api if match else _api_of(request.path)
        try:
            if match is None:
                raise Refusal(404, f"No API has {request.method} {request.path}.", rule=NO_SUCH_PATH)
            handler = kinds.handler(match.method.id)
            if handler is None:
                raise Refusal(501, f"The simulated cloud does not model {match.method.id}.", rule=UNMODELLED)
            call = self._call(match, request, moment)
            caller = tokens.told(request)
            if caller is not None:
                rights.check(call, caller, self.judged)
            answer = handler(call)
        except Refusal as refusal:
            return render(refusal, api)
        if not self.reads(request):
            project = call.project or call.query.get("project", "")
            if project:
                self.state.projects.setdefault(project, call.now)
            if not match.method.id.startswith(STILL):
                self._reconcile(moment)
        return answer if isinstance(answer, Response) else Response.of_json(answer)

    def _call(self, match: documents.Match, request: Request, moment: Moment) -> Call:
        query = {name: values[0] for name, values in request.params().items()}
        for name in query:
            if name not in match.method.query and name not in _COMMON:
                raise Refusal(
                    400,
                    f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
                    f"Field '{name}' could not be found in request message.",
                    reason="badRequest",
                    rule=QUERY,
                )
            schema.check_parameter(name, match.method.query.get(name, {}), query[name])
        body: Any = {}
        if match.method.request is not None and not match.method.upload:
            try:
                body = request.json()
            except ValueError:
                raise Refusal(400, "Invalid JSON payload received.", reason="parseError", rule=BAD_JSON) from None
            body = schema.clean(match.method, body)
        return Call(self, request, match, query, body, moment)

    def reads(self, request: Request) -> bool:
        """Whether the request only reads, so that a journal need not keep it."""
        if request.method in ("GET", "HEAD"):
            return True
        match = documents.find(request.method, request.path, request.headers.get("host", ""))
        return match is not None and match.method.id.rsplit(".", 1)[-1] in _READING

    def tick(self, moment: Moment) -> bool:
        """One step of what the cloud does by itself: managed groups launch, heal and roll, queued TPUs are granted,
        keys are destroyed, soft-deleted objects expire. True when something changed."""
        return self._reconcile(moment, clock=True)

    def _reconcile(self, moment: Moment, *, clock: bool = False) -> bool:
        from simcloud.gcp import kms, storage, tpu
        from simcloud.gcp.compute import groups

        self.forget()
        self.state.stirred = False
        changed = lives.pass_on(self, moment.now) if clock else False
        changed |= groups.reconcile(self, moment)
        changed |= tpu.reconcile(self, moment)
        if clock:
            changed |= kms.reconcile(self, moment)
            changed |= storage.reconcile(self, moment)
        return changed

    def restless(self) -> bool:
        """Whether a tick may change something now, apart from what only time brings.

        What has been tried and failed is tried again after the next call or knob, not before: nothing else can make
        it succeed.
        """
        from simcloud.gcp.compute import groups

        return self.state.stirred or groups.restless(self)

    def due(self, now: datetime) -> bool:
        """Whether time has brought something that a tick would carry out."""
        return lives.due(self, now)

    def control(self, action: str, args: dict[str, Any], moment: Moment) -> dict[str, Any]:
        """Turn a test knob (see `simcloud.gcp.control`). Raises ValueError for one that does not exist."""
        done = control(self, action, args, moment)
        self.state.stirred = True
        return done

    def snapshot(self) -> dict[str, Any]:
        """All state as plain JSON values, a copy."""
        return copy.deepcopy(asdict(self.state))

    def inventory(self) -> list[dict[str, Any]]:
        """Every resource that a person made or pays for: `type`, `name`, `link`, `labels`. What the cloud makes by
        itself with another resource (default routes, members' disks) is listed with `made_by`."""
        return list(self._inventory())

    def _inventory(self) -> Iterator[dict[str, Any]]:
        from simcloud.gcp import iam, kms, storage, tpu
        from simcloud.gcp.compute import base

        for module in (base, storage, iam, kms, tpu, kinds):
            yield from module.inventory(self)

    def kept(self) -> list[dict[str, Any]]:
        """What the cloud keeps by design after its owner deleted it: `name`, `state`, `reason`, `source`."""
        from simcloud.gcp import iam, kms, storage

        return [*kms.kept(self), *iam.kept(self), *storage.kept(self)]


_READING = frozenset({"wait", "testIamPermissions", "getIamPolicy", "listManagedInstances", "listInstances"}) | {
    "getGuestAttributes",
    "testPermissions",
    "listErrors",
    "listPerInstanceConfigs",
    "getAncestry",
}


def _api_of(path: str) -> str:
    head = path.lstrip("/").split("/")[0]
    return head if head in OLDER else "iam"
