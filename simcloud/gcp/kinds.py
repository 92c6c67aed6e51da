"""Collections that are told by a table: the standard methods of one kind of resource, behind its discovery document.

Most of Google's services are alike: create, get, list, patch, delete, and a policy; some answer with an operation that
ends later. A `Kind` says what differs, and a service's module adds the rules that only it has. The bodies were checked
against the document before they get here (`simcloud.gcp.schema`).
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts, policies
from simcloud.gcp.call import HANDLERS, Call, Handler, handles
from simcloud.gcp.errors import OLDER, Refusal, Rule, rule

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

_AIP = "google.aip.dev"
LOCATION = rule("kind.location", "a location exists", "docs.cloud.google.com/docs/geography-and-regions", ours=True)
ID = rule(
    "kind.id", "a resource's id follows its service's pattern", "discovery documents, " + _AIP + "/122", ours=True
)
MISSING = rule("kind.required", "what the service cannot do without is given", "discovery documents", ours=True)
MASK = rule("kind.mask", "an update names what can be changed", _AIP + "/134, discovery documents", ours=True)
LABELS = rule(
    "kind.labels",
    "labels have lower-case keys and values of at most 63 characters, at most 64",
    "docs.cloud.google.com/resource-manager/docs/labels-overview",
    ours=True,
)
ETAG = rule("kind.etag", "an update or a deletion with an etag has the current one", _AIP + "/154", ours=True)
CHILDREN = rule("kind.children", "what holds other resources is not deleted without force", _AIP + "/135", ours=True)
rule("kind.exists", "a name is taken once", _AIP + "/133")
rule("kind.absent", "a resource that is read, changed or deleted exists", _AIP + "/131")

Prepare = Callable[[Call, dict[str, Any], str, dict[str, Any] | None], None]
"""Checks and completes a resource before it is kept: the call, the resource, its name, and the resource as it was (None
when it is new). Raises Refusal."""
Leave = Callable[[Call, str, dict[str, Any]], None]
"""Refuses or completes a deletion."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource.

    `methods` is what its methods' ids begin with; `id` the query parameter of its id, or the empty string when the
    body's `named` member holds it; `wrapped` the member of a request that holds the resource; `fixed` the members that
    an update refuses to change, `changes` (when given) the only ones that it takes.
    """

    methods: str
    id: str = ""
    named: str = "name"
    wrapped: str = ""
    create: str = "create"
    operations: str = ""
    """The kind of operation that changes answer with: `rpc` (of its location), `flat` (of the service), `below` (of the
    resource), `container`, `sql`; the empty string for none."""
    ids: str = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
    places: str = "region"
    """What the location is: `region`, `zone`, `either`, `multi` (regions and multi-regions), `global`, or `none`."""
    needed: tuple[str, ...] = ()
    fixed: frozenset[str] = frozenset()
    changes: frozenset[str] | None = None
    labels: str = "labels"
    stamps: tuple[str, str] = ("createTime", "updateTime")
    children: tuple[str, ...] = ()
    """Kinds of children that refuse its deletion, by the collection in their names; others go along."""
    prepare: Prepare | None = None
    leave: Leave | None = None
    listed: str = ""
    shown: Callable[[Call, str, dict[str, Any]], dict[str, Any]] | None = None
    full: bool = True
    """Whether the resource's `name` is the whole path."""
    numbered: bool = False
    """Whether the service gives the id, a number."""
    exact: bool = False
    """Whether the create method's path is already the resource's name (PUT)."""
    conflict: str = "ALREADY_EXISTS"

    @property
    def service(self) -> str:
        """The API's name."""
        head = self.methods.split(".")
        return head[1] if re.fullmatch(r"v\d+", head[0]) else head[0]

    @property
    def collection(self) -> str:
        """The collection's name in paths."""
        return self.methods.rpartition(".")[2]


KINDS: dict[str, Kind] = {}
"""Every kind by its methods."""


def things(world: GcpWorld, service: str, pattern: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Resources of a service whose names match a regular expression, oldest first."""
    wanted = re.compile(pattern)
    for key, item in world.state.things.items():
        head, _, name = key.partition("/")
        if head == service and wanted.fullmatch(name):
            yield name, item


def thing(world: GcpWorld, service: str, name: str) -> dict[str, Any] | None:
    """One resource by its name."""
    return world.state.things.get(f"{service}/{name}")


def path_of(call: Call) -> str:
    """The path's name, without the version that some services have after theirs."""
    return re.sub(r"^v\d+/", "", call.match.name)


def missing(call: Call, name: str) -> Refusal:
    """The refusal of a body or query without something."""
    if call.match.method.api in OLDER:
        return Refusal(400, f"Required parameter: {name}", reason="required", rule=MISSING)
    return Refusal(400, f"Missing required field: {name}.", rule=MISSING)


def absent(call: Call, name: str) -> Refusal:
    """The refusal of a resource that does not exist."""
    return Refusal(404, f"Resource '{name}' was not found.", reason="notFound")


def wrong(message: str, why: Rule, *, state: str = "INVALID_ARGUMENT") -> Refusal:
    """The refusal of an argument."""
    return Refusal(400, message, state=state, rule=why)


def check_place(call: Call, kind: Kind, name: str) -> None:
    """Raises Refusal when the location in a name is none of the kind's."""
    found = re.search(r"/locations/([^/]+)", name)
    if found is None or kind.places == "none":
        return
    place = found.group(1)
    zone, region = facts.zone_exists(place), place in facts.regions()
    fits = {
        "region": region,
        "zone": zone,
        "either": zone or region,
        "global": place == "global",
        "multi": region or place in ("us", "europe", "asia", "global"),
    }[kind.places]
    if not fits:
        raise Refusal(
            403,
            f"Permission denied on 'locations/{place}' (or it may not exist).",
            state="PERMISSION_DENIED",
            rule=LOCATION,
        )


def check_labels(labels: Any, field: str = "labels") -> None:
    """Raises Refusal for labels that Google does not take."""
    if not isinstance(labels, dict):
        return
    if len(labels) > 64:
        raise wrong(f"Invalid value at '{field}': at most 64 labels.", LABELS)
    for key, value in labels.items():
        if not re.fullmatch(r"[^\W\dA-Z_][\w-]{0,62}", key) or key != key.lower():
            raise wrong(f"Invalid label key: {key}.", LABELS)
        if not isinstance(value, str) or not re.fullmatch(r"[\w-]{0,63}", value) or value != value.lower():
            raise wrong(f"Invalid label value: {value}.", LABELS)


def declare(kind: Kind) -> Kind:
    """Register a kind."""
    KINDS[kind.methods] = kind
    return kind


def handler(id: str) -> Handler | None:
    """Who answers a method: a handler of its own, or the standard method of a kind."""
    own = HANDLERS.get(id)
    if own is not None:
        return own
    methods, _, verb = id.rpartition(".")
    kind = KINDS.get(methods)
    if kind is None:
        return None
    if verb == kind.create:
        return lambda call: _create(call, kind)
    standard = _STANDARD.get(verb)
    return None if standard is None else lambda call: standard(call, kind)


def _create(call: Call, kind: Kind) -> dict[str, Any]:
    body = call.body
    item: dict[str, Any] = copy.deepcopy(body.get(kind.wrapped, {}) if kind.wrapped and not kind.exact else body)
    parent = path_of(call)
    if kind.exact:
        name, id = parent, parent.rpartition("/")[2]
    else:
        if kind.numbered:
            id = call.number()[:19]
        else:
            source: Any = call.query if kind.id and not kind.wrapped else body if kind.id else item
            for step in (kind.id or kind.named).split("."):
                source = source.get(step) if isinstance(source, dict) else None
            id = str(source or "")
            if not id:
                raise missing(call, kind.id or kind.named)
            id = id.removeprefix(f"{parent}/")
        name = f"{parent}/{id}"
    if not kind.numbered and not re.fullmatch(kind.ids, id):
        raise wrong(f"Invalid resource id '{id}': it must match {kind.ids}.", ID)
    check_place(call, kind, name)
    if thing(call.world, kind.service, name) is not None:
        raise taken(call, kind, name)
    for member in kind.needed:
        if item.get(member) in (None, "", {}, []):
            raise missing(call, member)
    if kind.labels:
        check_labels(item.get(kind.labels))
    if kind.full and kind.service not in OLDER:
        item["name"] = name
    created, updated = kind.stamps
    if created:
        item[created] = call.now
    if updated:
        item[updated] = call.now
    if kind.prepare is not None:
        kind.prepare(call, item, name, None)
    keep(call, kind, name, item)
    return answer(call, kind, name, item, "create")


def taken(call: Call, kind: Kind, name: str) -> Refusal:
    """The refusal of a name that exists."""
    if kind.service in OLDER:
        return Refusal(409, f"The resource '{name}' already exists", reason="alreadyExists")
    return Refusal(409, f"Resource '{name}' already exists", state=kind.conflict)


def keep(call: Call, kind: Kind, name: str, item: dict[str, Any]) -> None:
    """Store a resource."""
    call.world.state.things[f"{kind.service}/{name}"] = item


def found(call: Call, kind: Kind, name: str | None = None) -> dict[str, Any]:
    """The stored resource that the path names. Raises Refusal (404)."""
    wanted = name if name is not None else path_of(call)
    item = thing(call.world, kind.service, wanted)
    if item is None:
        raise absent(call, wanted)
    return item


def show(call: Call, kind: Kind, name: str, item: dict[str, Any]) -> dict[str, Any]:
    """A resource as the API answers it."""
    seen = {k: v for k, v in item.items() if not k.startswith("_")}
    return kind.shown(call, name, seen | {k: v for k, v in item.items() if k.startswith("_")}) if kind.shown else seen


def _get(call: Call, kind: Kind) -> dict[str, Any]:
    name = path_of(call)
    return show(call, kind, name, found(call, kind))


def _list(call: Call, kind: Kind) -> dict[str, Any]:
    where = re.escape(path_of(call)).replace("/\\-", "/[^/]+")
    rows = [show(call, kind, n, i) for n, i in things(call.world, kind.service, f"{where}/[^/]+")]
    start = int(call.query.get("pageToken") or 0)
    size = int(call.query.get("pageSize") or call.query.get("maxResults") or 0) or 500
    page = rows[start : start + size]
    made: dict[str, Any] = {kind.listed or kind.collection: page} if page else {}
    if start + size < len(rows):
        made["nextPageToken"] = str(start + size)
    return made


def _snake(member: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), member)


def merged(old: Any, new: Any) -> Any:
    """JSON merge patch (RFC 7396)."""
    if not isinstance(new, dict) or not isinstance(old, dict):
        return copy.deepcopy(new)
    made = dict(old)
    for key, value in new.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merged(made.get(key), value)
    return made


def _masked(wanted: dict[str, Any], body: dict[str, Any], path: list[str]) -> None:
    head, rest = path[0], path[1:]
    if not rest:
        if body.get(head) is None:
            wanted.pop(head, None)
        else:
            wanted[head] = copy.deepcopy(body[head])
        return
    inner = wanted.setdefault(head, {})
    given = body.get(head)
    if isinstance(inner, dict):
        _masked(inner, given if isinstance(given, dict) else {}, rest)


def _update(call: Call, kind: Kind, *, whole: bool) -> dict[str, Any]:
    name = path_of(call)
    item = found(call, kind, name)
    body = call.body.get(kind.wrapped, {}) if kind.wrapped and kind.wrapped in call.body else call.body
    if body.get("etag") and item.get("etag") and body["etag"] != item["etag"]:
        raise Refusal(409, "The etag does not match the current one.", state="ABORTED", rule=ETAG)
    mask = call.query.get("updateMask") or (
        call.body.get("updateMask") if kind.wrapped or "updateMask" in call.body else ""
    )
    wanted = copy.deepcopy(item)
    if mask and mask != "*":
        paths = [[_snake(p) for p in path.strip().split(".")] for path in str(mask).split(",") if path.strip()]
        for path in paths:
            _masked(wanted, body, path)
    elif whole:
        kept = {k: v for k, v in item.items() if k.startswith("_") or k in kind.stamps or k in _SERVERS}
        wanted = {**copy.deepcopy(body), **kept}
    else:
        sent = call.request.json()
        sent = sent.get(kind.wrapped, sent) if kind.wrapped else sent
        wanted = merged(item, {k: v for k, v in sent.items() if v is None or k in body})
    for member in sorted(set(wanted) | set(item)):
        if wanted.get(member) == item.get(member) or member in (*kind.stamps, "etag", "updateMask"):
            continue
        if member in kind.fixed or (kind.changes is not None and member not in kind.changes):
            raise wrong(f"Field '{member}' is immutable and cannot be updated.", MASK)
    if kind.labels:
        check_labels(wanted.get(kind.labels))
    if "name" in item:
        wanted["name"] = item["name"]
    if kind.stamps[1]:
        wanted[kind.stamps[1]] = call.now
    if kind.prepare is not None:
        kind.prepare(call, wanted, name, item)
    keep(call, kind, name, wanted)
    return answer(call, kind, name, wanted, "update")


_SERVERS = frozenset({"name", "id", "selfLink", "kind", "uid", "state", "creationTime", "uniqueId"})
"""Members that the service sets and that a whole update does not send."""


def _delete(call: Call, kind: Kind) -> dict[str, Any]:
    name = path_of(call)
    item = found(call, kind, name)
    if call.query.get("etag") and item.get("etag") and call.query["etag"] != item["etag"]:
        raise Refusal(409, "The etag does not match the current one.", state="ABORTED", rule=ETAG)
    below = [n for n, _ in things(call.world, kind.service, re.escape(name) + "/.+")]
    held = [n for n in below if n.split("/")[-2] in kind.children]
    if held and call.query.get("force", "").lower() != "true":
        raise Refusal(400, f"Resource '{name}' still holds '{held[0]}'.", state="FAILED_PRECONDITION", rule=CHILDREN)
    if kind.leave is not None:
        kind.leave(call, name, item)
    done = answer(call, kind, name, item, "delete")
    for gone in (name, *below):
        call.world.state.things.pop(f"{kind.service}/{gone}", None)
        call.world.state.policies.pop(f"{kind.service}/{gone}", None)
    return done


def _get_policy(call: Call, kind: Kind) -> dict[str, Any]:
    name = path_of(call)
    found(call, kind, name)
    return policies.read(call.world, f"{kind.service}/{name}")


def _set_policy(call: Call, kind: Kind) -> dict[str, Any]:
    name = path_of(call)
    found(call, kind, name)
    return policies.write(call, f"{kind.service}/{name}", call.body.get("policy", {}))


_STANDARD: dict[str, Callable[[Call, Kind], dict[str, Any]]] = {
    "get": _get,
    "list": _list,
    "patch": lambda call, kind: _update(call, kind, whole=False),
    "update": lambda call, kind: _update(call, kind, whole=not call.query.get("updateMask")),
    "delete": _delete,
    "getIamPolicy": _get_policy,
    "setIamPolicy": _set_policy,
    "testIamPermissions": lambda call, kind: {"permissions": call.body.get("permissions", [])},
}

# What a change answers ------------------------------------------------------------------------------------------------


def answer(call: Call, kind: Kind, name: str, item: dict[str, Any], verb: str) -> dict[str, Any]:
    """What a change is answered with: the resource, or an operation."""
    seen = show(call, kind, name, item)
    if kind.operations in ("rpc", "flat", "below"):
        response = {} if verb == "delete" else seen
        return operation(call, kind.service, name, verb, response, where=kind.operations)
    if kind.operations == "container":
        return _container_operation(call, name, verb)
    if kind.operations == "sql":
        return _sql_operation(call, name, verb)
    return {} if verb == "delete" else seen


def operation(
    call: Call, service: str, name: str, verb: str, response: dict[str, Any], *, where: str = "flat"
) -> dict[str, Any]:
    """A long-running operation. It is answered as running; the next look at it finds it done."""
    parts = name.split("/")
    place = {"rpc": "/".join(parts[:4]) + "/", "flat": "", "below": name + "/"}[where]
    id = f"operation-{int(call.moment.now.timestamp() * 1000)}-{call.hexadecimal(13)}-{call.hexadecimal(8)}"
    full = f"{place}operations/{id}"
    kind = "google.protobuf.Empty" if verb == "delete" else f"google.cloud.{service}.{parts[-2]}"
    running = {"name": full, "metadata": {"createTime": call.now, "target": name, "verb": verb}}
    body = {"@type": f"type.googleapis.com/{kind}", **response}
    call.world.state.operations[f"{service}/{full}"] = {**running, "done": True, "response": body}
    return running


def operations(service: str, *methods: str) -> None:
    """Register the methods that look at a service's operations."""

    def get(call: Call) -> dict[str, Any]:
        done = call.world.state.operations.get(f"{service}/{path_of(call)}")
        if done is None:
            raise absent(call, path_of(call))
        return done

    for method in methods:
        handles(method)(get)


def _container_operation(call: Call, name: str, verb: str) -> dict[str, Any]:
    parts = name.split("/")
    stamp = int(call.moment.now.timestamp() * 1000)
    id = f"operation-{stamp}-{call.hexadecimal(8)}-{call.hexadecimal(4)}-{call.hexadecimal(4)}-{call.hexadecimal(12)}"
    full = "/".join([*parts[:4], "operations", id])
    running = {
        "name": id,
        "operationType": f"{verb.upper()}_{'NODE_POOL' if 'nodePools' in parts else 'CLUSTER'}",
        "status": "RUNNING",
        "selfLink": f"https://container.googleapis.com/v1/{full}",
        "targetLink": f"https://container.googleapis.com/v1/{name}",
        "startTime": call.now,
    }
    running["zone" if facts.zone_exists(parts[3]) else "location"] = parts[3]
    call.world.state.operations[f"container/{full}"] = {**running, "status": "DONE", "endTime": call.now}
    return running


def _sql_operation(call: Call, name: str, verb: str) -> dict[str, Any]:
    parts = name.split("/")
    id = "-".join(call.hexadecimal(n) for n in (8, 4, 4, 4, 12))
    running = {
        "kind": "sql#operation",
        "name": id,
        "status": "PENDING",
        "operationType": f"{verb.upper()}{'' if len(parts) == 4 else '_' + parts[-2][:-1].upper()}",
        "targetId": parts[3],
        "targetProject": parts[1],
        "targetLink": f"https://sqladmin.googleapis.com/sql/v1beta4/{name}",
        "selfLink": f"https://sqladmin.googleapis.com/sql/v1beta4/projects/{parts[1]}/operations/{id}",
        "insertTime": call.now,
    }
    done = {**running, "status": "DONE", "startTime": call.now, "endTime": call.now}
    call.world.state.operations[f"sqladmin/projects/{parts[1]}/operations/{id}"] = done
    return running


def digest(*parts: object, length: int = 8) -> str:
    """Hexadecimal digits that follow from the parts."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:length]


def inventory(world: GcpWorld) -> Iterator[dict[str, Any]]:
    """Every resource that is told by a table, but those that came with another one."""
    for key, item in world.state.things.items():
        service, _, name = key.partition("/")
        labels = item.get("labels") or item.get("resourceLabels") or item.get("userLabels") or {}
        row = {
            "type": f"{service}.{name.split('/')[-2]}",
            "name": name,
            "link": f"https://{service}.googleapis.com/{name}",
            "labels": dict(labels) if isinstance(labels, dict) else {},
        }
        if item.get("_madeBy"):
            row["made_by"] = item["_madeBy"]
        yield row
