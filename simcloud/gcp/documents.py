"""Google's discovery documents, as google-api-python-client ships them, and the routes they describe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

APIS: dict[str, str] = {
    "compute": "v1",
    "storage": "v1",
    "iam": "v1",
    "cloudkms": "v1",
    "tpu": "v2",
    "cloudresourcemanager": "v1",
    "v3.cloudresourcemanager": "v3",
    "container": "v1",
    "file": "v1",
    "secretmanager": "v1",
    "pubsub": "v1",
    "run": "v2",
    "v1.run": "v1",
    "cloudfunctions": "v1",
    "v2.cloudfunctions": "v2",
    "artifactregistry": "v1",
    "sqladmin": "v1",
    "dns": "v1",
    "bigquery": "v2",
    "redis": "v1",
    "logging": "v2",
    "monitoring": "v3",
    "v1.monitoring": "v1",
    "servicenetworking": "v1",
    "serviceusage": "v1",
    "vpcaccess": "v1",
    "cloudscheduler": "v1",
    "cloudbilling": "v1",
    "billingbudgets": "v1",
    "cloudbuild": "v1",
    "parallelstore": "v1",
}
"""The services of the world, by the key that their methods' ids begin with. A service's second version has the version
before its name: `v3.cloudresourcemanager`."""

_ALONE = {"compute": "compute", "storage": "storage", "upload": "storage", "bigquery": "bigquery", "dns": "dns"}
"""By a path's first part: APIs that can be told without the host."""


def text(api: str) -> str:
    """The discovery document of one of `APIS` as it is shipped."""
    name = f"{api.rpartition('.')[2]}.{APIS[api]}.json"
    return files("googleapiclient.discovery_cache").joinpath("documents", name).read_text(encoding="utf-8")


@cache
def document(api: str) -> dict[str, Any]:
    """The discovery document of one of `APIS`, read when it is first needed."""
    found: dict[str, Any] = json.loads(text(api))
    return found


@dataclass(frozen=True, slots=True)
class Method:
    """One method of one API. `query` holds the names of the query parameters, `request` the body's schema.

    `key` is the API's key in `APIS`, `api` its name without a version.
    """

    key: str
    id: str
    http: str
    request: str | None
    query: dict[str, dict[str, Any]]
    upload: bool = False

    @property
    def api(self) -> str:
        """The service's name."""
        return self.key.rpartition(".")[2]


@dataclass(slots=True)
class _Node:
    fixed: dict[str, _Node]
    variable: dict[str, _Node]
    """By the custom verb after the colon; the empty verb for none."""
    name: str = ""
    methods: dict[str, tuple[Method, tuple[str, ...]]] | None = None


_SEGMENT = re.compile(r"^\{\+?([A-Za-z0-9_]+)\}(?::([A-Za-z]+))?$")
_VERB = re.compile(r"^(.*):([A-Za-z]+)$")


def _methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for child in resource.get("resources", {}).values():
        yield from _methods(child)


@cache
def routes(api: str) -> _Node:
    """All methods of one of `APIS` as a tree over path segments."""
    root = _Node({}, {})
    doc = document(api)
    version = api.rpartition(".")[0]
    for method in _methods(doc):
        query = {n: p for n, p in method.get("parameters", {}).items() if p.get("location") == "query"}
        id = f"{version}.{method['id']}" if version else method["id"]
        made = Method(api, id, method["httpMethod"], method.get("request", {}).get("$ref"), query)
        _add(root, doc["servicePath"] + (method.get("flatPath") or method["path"]), made)
        upload = method.get("mediaUpload", {}).get("protocols", {}).get("simple", {}).get("path")
        if upload:
            for verb in (made.http, "PUT"):  # content in pieces comes by PUT
                _add(root, upload.lstrip("/"), Method(api, id, verb, made.request, query, upload=True))
    return root


def _add(root: _Node, path: str, method: Method) -> None:
    node, names = root, []
    for segment in path.split("/"):
        match = _SEGMENT.match(segment)
        if match is None:
            node = node.fixed.setdefault(segment, _Node({}, {}))
        else:
            names.append(match.group(1))
            node = node.variable.setdefault(match.group(2) or "", _Node({}, {}))
    node.methods = node.methods or {}
    node.methods.setdefault(method.http, (method, tuple(names)))


@dataclass(frozen=True, slots=True)
class Match:
    """A method found for a path, with the path's parameters. `name` is the path below the version, without verb:
    what the newer APIs call the resource name."""

    method: Method
    args: dict[str, str]
    name: str


def _asked(path: str, host: str) -> Iterator[str]:
    """The APIs that a path may belong to. Google tells its services apart by their hosts; a client that knows only
    this machine's address gets the first service that has the path."""
    service = host.partition(".")[0] if host.endswith(".googleapis.com") else ""
    if service and service != "www":
        yield from (api for api in APIS if api.rpartition(".")[2] == service)
        return
    alone = _ALONE.get(path.partition("/")[0])
    yield from ([alone] if alone else (api for api in APIS if api not in _ALONE.values()))


@lru_cache(maxsize=4096)
def find(http: str, path: str, host: str = "") -> Match | None:
    """The method for an HTTP method, a path and a host; None when Google has no such method."""
    # Cloud Storage's own clients fetch content below /download, which the document does not list.
    plain = path.removeprefix("/download").lstrip("/")
    segments = plain.split("/")
    for api in _asked(plain, host):
        for node, values in _walk(routes(api), segments, ()):
            if node.methods and http in node.methods:
                method, names = node.methods[http]
                args = dict(zip(names, (unquote(v) for v in values), strict=True))
                name = "/".join(unquote(s) for s in segments[1:])
                verb = method.id.rsplit(".", 1)[-1]
                return Match(method, args, name.removesuffix(f":{verb}"))
    return None


def _walk(node: _Node, segments: list[str], values: tuple[str, ...]) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    if not segments:
        yield node, values
        return
    head, rest = segments[0], segments[1:]
    if head in node.fixed:
        yield from _walk(node.fixed[head], rest, values)
    verb = _VERB.match(head)
    if verb and verb.group(2) in node.variable:
        yield from _walk(node.variable[verb.group(2)], rest, (*values, verb.group(1)))
    if "" in node.variable:
        yield from _walk(node.variable[""], rest, (*values, head))
