"""What every Compute Engine collection shares: names and links, operations, get, list, delete, labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, fingerprint, handles
from simcloud.gcp.errors import Refusal, already_exists, in_use, invalid_field, missing_field, not_found, rule

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

LINK = "https://www.googleapis.com/compute/v1/"
_API_LINK = re.compile(r"^https?://(?:www|compute)\.googleapis\.com/compute/[a-z0-9]+/")
_ANY_LINK = re.compile(r"^https?://[^/]+/compute/[a-z0-9]+/")

_DOC = "discovery document compute.v1"
rule("compute.reference", "a reference names an existing resource by URL or partial URL", _DOC + ", API errors seen")
rule("compute.fingerprint", "an update carries the current fingerprint", _DOC)
rule(
    "compute.label",
    "labels follow the pattern and number limits",
    "docs.cloud.google.com/compute/docs/labeling-resources",
)
LABEL_WORDS = rule("compute.label-words", "wording of label refusals", "same page", ours=True)
rule("compute.in-use", "what another resource uses is not deleted", "API errors seen: resourceInUseByAnotherResource")
rule("compute.place", "zones and regions of a path exist", "API errors seen")

SINGULAR: dict[str, str] = {
    "networks": "network",
    "subnetworks": "subnetwork",
    "firewalls": "firewall",
    "routes": "route",
    "routers": "router",
    "addresses": "address",
    "globalAddresses": "address",
    "disks": "disk",
    "images": "image",
    "instances": "instance",
    "instanceTemplates": "instance_template",
    "regionInstanceTemplates": "instance_template",
    "instanceGroupManagers": "instance_group_manager",
    "regionInstanceGroupManagers": "instance_group_manager",
    "instanceGroups": "instance_group",
    "regionInstanceGroups": "instance_group",
    "resourcePolicies": "resource_policy",
    "healthChecks": "health_check",
    "snapshots": "snapshot",
}
"""How Compute Engine names one resource of a collection in its messages."""


def key_of(call: Call) -> str:
    """The name of the resource that a path is about: `projects/p/zones/z/instances/i`."""
    parts = call.match.name.split("/")[1:]
    if parts[2] not in ("global", "regions", "zones"):
        parts.insert(2, "global")  # a few older methods leave it out: projects/p/targetHttpProxies/x/setUrlMap
    return "/".join(parts[: 5 if parts[2] == "global" else 6])


def collection_of(call: Call) -> str:
    """The name of the collection that a path is about: `projects/p/zones/z/instances`."""
    parts = call.match.name.split("/")[1:]
    return "/".join(parts[: 4 if parts[2] == "global" else 5])


def link(key: str) -> str:
    """The self link of a resource name."""
    return LINK + key


def key_from(value: str) -> str:
    """The resource name in a full or partial URL; an empty string when it is none."""
    value = _ANY_LINK.sub("", value)
    return value.lstrip("/") if value.lstrip("/").startswith("projects/") else ""


def last(value: str) -> str:
    """The last part of a URL or name."""
    return value.rpartition("/")[2]


def check_place(call: Call) -> None:
    """Raises Refusal when the path's zone or region does not exist."""
    zone, region = call.args.get("zone"), call.args.get("region")
    if zone is not None and not facts.zone_exists(zone):
        raise Refusal(
            400,
            f"Invalid value for field 'zone': '{zone}'. Unknown zone.",
            reason="invalid",
        )
    if region is not None and region not in facts.regions():
        raise Refusal(400, f"Invalid value for field 'region': '{region}'. Unknown region.", reason="invalid")


def reference(call: Call, value: str, collection: str, field: str, *, must_exist: bool = True) -> str:
    """The self link of what `value` names.

    `value` may be a URL, `projects/...`, or a path below the call's project. Raises Refusal when it is malformed or
    names nothing.
    """
    path = _ANY_LINK.sub("", value).lstrip("/")
    if path.startswith(("global/", "regions/", "zones/")):
        path = f"projects/{call.project}/{path}"
    parts = path.split("/")
    ok = len(parts) in (5, 6) and parts[0] == "projects" and parts[-2] == collection
    if not ok:
        raise invalid_field(field, value, "The URL is malformed.")
    if must_exist and not exists(call.world, path):
        noun = {"resourcePolicies": "resourcePolicy", "addresses": "address"}.get(collection, collection[:-1])
        raise invalid_field(field, f"{LINK}{path}", f"The referenced {noun} resource cannot be found.")
    return link(path)


def resource(call: Call, key: str | None = None) -> dict[str, Any]:
    """The stored resource. Raises Refusal (404) when there is none."""
    name = key if key is not None else key_of(call)
    if not exists(call.world, name):
        raise not_found(name)
    return call.world.state.compute[name]


_DEFAULT = re.compile(r"projects/([^/]+)/(?:global/networks|regions/[^/]+/subnetworks)/default")
MAKE_DEFAULT: list[Callable[[GcpWorld, str], None]] = []
"""Who makes a project's default network."""


def exists(world: GcpWorld, key: str) -> bool:
    """Whether there is a resource of this name. A project's default network, which every new project has, is made when
    somebody first asks for it."""
    if key in world.state.compute:
        return True
    asked = _DEFAULT.fullmatch(key)
    if asked is None or world.state.defaults.get(asked.group(1)) is not None:
        return False
    MAKE_DEFAULT[0](world, asked.group(1))
    return key in world.state.compute


def of_kind(world: GcpWorld, collection: str, project: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Stored resources of a collection, oldest first."""
    for key, item in world.state.compute.items():
        parts = key.split("/")
        if parts[-2] == collection and (project is None or parts[1] == project):
            yield key, item


_LABEL_KEY = re.compile(r"[^\W\dA-Z_][\w-]{0,62}", re.UNICODE)
_LABEL_VALUE = re.compile(r"[\w-]{0,63}", re.UNICODE)


def check_labels(labels: dict[str, str], field: str = "resource.labels") -> None:
    """Raises Refusal for labels that Google does not take."""
    if len(labels) > 64:
        raise invalid_field(field, f"{len(labels)} labels", "At most 64 labels.", rule=LABEL_WORDS)
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or key != key.lower():
            raise invalid_field(f"{field}.key", key, "Not a valid label key.", rule=LABEL_WORDS)
        if not _LABEL_VALUE.fullmatch(value) or value != value.lower():
            raise invalid_field(f"{field}.value", value, "Not a valid label value.", rule=LABEL_WORDS)


def new(call: Call, kind: str, *, labels: bool = False) -> dict[str, Any]:
    """A new resource from the call's body, with what Compute Engine adds to every resource, stored.

    Raises Refusal when the name is missing or taken.
    """
    check_place(call)
    name = call.body.get("name")
    if not name:
        raise missing_field("resource.name")
    key = f"{collection_of(call)}/{name}"
    if key in call.world.state.compute:
        raise already_exists(key)
    made = {
        "kind": f"compute#{kind}",
        "id": call.number(),
        "creationTimestamp": call.compute_now,
        "selfLink": link(key),
        **{k: v for k, v in call.body.items() if k not in ("id", "selfLink", "creationTimestamp", "kind")},
    }
    if "zone" in call.args:
        made["zone"] = link(f"projects/{call.project}/zones/{call.args['zone']}")
    if "region" in call.args:
        made["region"] = link(f"projects/{call.project}/regions/{call.args['region']}")
    if labels:
        check_labels(made.get("labels", {}))
        made["labelFingerprint"] = fingerprint(made.get("labels"))
    return made


def store(call: Call, item: dict[str, Any]) -> str:
    """Keep a new resource; returns its name."""
    key = key_from(item["selfLink"])
    call.world.state.compute[key] = item
    return key


def operation(call: Call, target: str, kind: str, *, error: tuple[str, str, int] | None = None) -> dict[str, Any]:
    """The long-running operation of a change. It is answered as running; the next look at it finds it done.

    `error` is a code, a message and an HTTP status: the operation has failed.
    """
    scope = "/".join(target.split("/")[2:4]) if "/global/" not in target else "global"
    number = call.number()
    stamp = int(call.moment.now.timestamp() * 1000)
    name = f"operation-{stamp}-{call.hexadecimal(13)}-{call.hexadecimal(8)}-{call.hexadecimal(8)}"
    key = f"projects/{target.split('/')[1]}/{scope}/operations/{name}"
    running: dict[str, Any] = {
        "kind": "compute#operation",
        "id": number,
        "name": name,
        "operationType": kind,
        "targetLink": link(target),
        "status": "RUNNING",
        "user": "simulated@fleetyard.invalid",
        "progress": 0,
        "insertTime": call.compute_now,
        "startTime": call.compute_now,
        "selfLink": link(key),
    }
    if item := call.world.state.compute.get(target):
        running["targetId"] = item["id"]
    parts = target.split("/")
    if parts[2] == "zones":
        running["zone"] = link(f"projects/{parts[1]}/zones/{parts[3]}")
    if parts[2] == "regions":
        running["region"] = link(f"projects/{parts[1]}/regions/{parts[3]}")
    done = {**running, "status": "DONE", "progress": 100, "endTime": call.compute_now}
    if error is not None:
        code, message, status = error
        done["error"] = {"errors": [{"code": code, "message": message}]}
        done["httpErrorStatusCode"] = status
        done["httpErrorMessage"] = {403: "FORBIDDEN", 503: "SERVICE UNAVAILABLE"}.get(status, "BAD REQUEST")
    call.world.state.operations[key] = done
    return running


def listing(call: Call, items: Iterable[dict[str, Any]], kind: str) -> dict[str, Any]:
    """A page of a list: filtered, ordered, cut as the query asks."""
    chosen = [item for item in items if matches(call.query.get("filter", ""), item)]
    if call.query.get("orderBy", "").startswith("creationTimestamp"):
        chosen.sort(key=lambda i: str(i.get("creationTimestamp")), reverse="desc" in call.query["orderBy"])
    else:
        chosen.sort(key=lambda i: str(i.get("name")))
    start = int(call.query.get("pageToken", "0") or 0)
    size = min(int(call.query.get("maxResults", "500") or 500), 500)
    page = chosen[start : start + size]
    answer: dict[str, Any] = {
        "kind": f"compute#{kind}",
        "id": call.match.name.removeprefix("v1/"),
        "selfLink": LINK + call.match.name.removeprefix("v1/"),
    }
    if page:
        answer["items"] = page
    if start + size < len(chosen):
        answer["nextPageToken"] = str(start + size)
    return answer


FILTER = rule("compute.filter", "a filter compares fields with =, !=, eq, ne or :", _DOC + ", list methods")
_TERM = re.compile(r"""^\s*([\w.]+)\s*(=|!=|:|\beq\b|\bne\b)\s*(?:"([^"]*)"|'([^']*)'|(\S+))\s*$""")


def matches(filter: str, item: dict[str, Any]) -> bool:
    """Whether an item passes a list filter: comparisons joined by AND, in parentheses or not."""
    if not filter.strip():
        return True
    for term in re.split(r"\)\s*(?:AND\s*)?\(|\s+AND\s+", filter.strip().removeprefix("(").removesuffix(")")):
        found = _TERM.match(term)
        if found is None:
            raise Refusal(400, f"Invalid value for field 'filter': '{filter}'.", reason="invalid", rule=FILTER)
        name, operator = found.group(1), found.group(2)
        wanted = next(g for g in found.groups()[2:] if g is not None)
        value: Any = item
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        shown = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        same = _compare(operator, shown, wanted, present=value is not None)
        if same == (operator in ("!=", "ne")):
            return False
    return True


def _compare(operator: str, shown: str, wanted: str, *, present: bool) -> bool:
    if operator in ("eq", "ne"):
        return re.fullmatch(wanted, shown) is not None
    if operator == ":":
        return present if wanted == "*" else wanted.rstrip("*") in shown
    if wanted.endswith("*"):
        return shown.startswith(wanted[:-1])
    return shown == wanted


Deletable = Callable[[Call, str, dict[str, Any]], None]
_CHECKS: dict[str, Deletable] = {}
Showing = Callable[["GcpWorld", dict[str, Any]], dict[str, Any]]
SHOWN: dict[str, Showing] = {}
"""By collection: members that the API computes when it answers."""


def shown(world: GcpWorld, item: dict[str, Any]) -> dict[str, Any]:
    """A stored resource as the API answers it: without what only the world knows."""
    more = SHOWN.get(item["selfLink"].split("/")[-2])
    found = {k: v for k, v in item.items() if not k.startswith("_")}
    return {**found, **more(world, item)} if more else found


def collection(name: str, kind: str, *, delete: bool = True, labels: bool = False) -> Callable[[Deletable], Deletable]:
    """Register get, list, delete and setLabels of a collection. The decorated function refuses or completes a
    deletion: it gets the call, the resource's name and the resource before it goes."""
    short = kind

    def get(call: Call) -> dict[str, Any]:
        check_place(call)
        return shown(call.world, resource(call))

    def list_all(call: Call) -> dict[str, Any]:
        check_place(call)
        where = collection_of(call) + "/"
        found = [shown(call.world, i) for k, i in call.world.state.compute.items() if k.startswith(where)]
        return listing(call, found, f"{short}List")

    def aggregated(call: Call) -> dict[str, Any]:
        plural = "addresses" if name == "globalAddresses" else _plural(name)
        scopes: dict[str, dict[str, Any]] = {}
        for key, item in of_kind(call.world, plural, call.project):
            if matches(call.query.get("filter", ""), item):
                scope = "/".join(key.split("/")[2:-2])
                scopes.setdefault(scope, {plural: []})[plural].append(shown(call.world, item))
        return {"kind": f"compute#{short}AggregatedList", "id": call.match.name.removeprefix("v1/"), "items": scopes}

    def remove(call: Call) -> dict[str, Any]:
        check_place(call)
        key = key_of(call)
        item = resource(call, key)
        _CHECKS[name](call, key, item)
        answer = operation(call, key, "delete")
        call.world.state.compute.pop(key, None)
        return answer

    def set_labels(call: Call) -> dict[str, Any]:
        key = key_of(call)
        item = resource(call, key)
        if call.body.get("labelFingerprint") != item.get("labelFingerprint"):
            raise stale("Labels fingerprint either invalid or resource labels have changed")
        labels = call.body.get("labels", {})
        check_labels(labels)
        item["labels"] = labels
        item["labelFingerprint"] = fingerprint(labels)
        return operation(call, key, "setLabels")

    handles(f"compute.{name}.get")(get)
    handles(f"compute.{name}.list")(list_all)
    if not name.startswith("region") and name not in _NO_AGGREGATE:
        handles(f"compute.{name}.aggregatedList")(aggregated)
    if delete:
        handles(f"compute.{name}.delete")(remove)
    if labels:
        handles(f"compute.{name}.setLabels")(set_labels)

    def register(check: Deletable) -> Deletable:
        _CHECKS[name] = check
        return check

    return register


_NO_AGGREGATE = frozenset({"networks", "firewalls", "routes", "images", "globalAddresses"}) | {
    "globalForwardingRules",
    "httpHealthChecks",
    "httpsHealthChecks",
    "snapshots",
    "targetSslProxies",
}


def _plural(name: str) -> str:
    return {"regionInstanceTemplates": "instanceTemplates"}.get(name, name)


def stale(message: str) -> Refusal:
    """The refusal of an update whose fingerprint is not the current one."""
    return Refusal(412, f"{message}.", reason="conditionNotMet")


def refuse_use(call: Call, key: str, users: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Raises Refusal when one of the resources holds the self link of `key` anywhere."""
    wanted = link(key)
    for user, item in users:
        if user != key and _holds(item, wanted):
            plural = key.split("/")[-2]
            raise in_use(SINGULAR.get(plural) or _snake(plural), key, user)


def _snake(plural: str) -> str:
    """A collection's name as one resource of it is called: `backendServices` is `backend_service`."""
    single = plural[:-3] + "y" if plural.endswith("ies") else plural[:-1]
    return re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), single)


def _holds(value: Any, wanted: str) -> bool:
    if isinstance(value, dict):
        # Who uses a resource, and a group's members, are told by the used one: that holds nobody.
        return any(_holds(v, wanted) for k, v in value.items() if k not in ("users", "_members"))
    if isinstance(value, list):
        return any(_holds(v, wanted) for v in value)
    return bool(value == wanted)


def users_of(world: GcpWorld, *collections: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Stored resources of several collections."""
    for key, item in world.state.compute.items():
        if key.split("/")[-2] in collections:
            yield key, item


def inventory(world: GcpWorld) -> Iterator[dict[str, Any]]:
    """Compute Engine's part of the inventory."""
    for key, item in world.state.compute.items():
        kind = key.split("/")[-2]
        entry: dict[str, Any] = {
            "type": f"compute.{kind}",
            "name": key,
            "link": item["selfLink"],
            "labels": _labels(item),
        }
        if item.get("_madeBy"):
            entry["made_by"] = item["_madeBy"]
        yield entry


def _labels(item: dict[str, Any]) -> dict[str, str]:
    found = item.get("labels") or item.get("properties", {}).get("labels") or {}
    return dict(found)
