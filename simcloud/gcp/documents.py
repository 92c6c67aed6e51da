"""Google's discovery documents, as google-api-python-client ships them, and the routes they describe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
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
    "cloudresourcemanager_v3": "v3",
}
"""The services of the world. One API in two versions has its version in the second one's key."""


@cache
def document(api: str) -> dict[str, Any]:
    """The discovery document of one of `APIS`."""
    name = f"{api.removesuffix('_v3')}.{APIS[api]}.json"
    text = files("googleapiclient.discovery_cache").joinpath("documents", name).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@dataclass(frozen=True, slots=True)
class Method:
    """One method of one API. `query` holds the names of the query parameters, `request` the body's schema."""

    api: str
    id: str
    http: str
    request: str | None
    query: dict[str, dict[str, Any]]
    upload: bool = False


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
def routes() -> _Node:
    """All methods of all `APIS` as one tree over path segments."""
    root = _Node({}, {})
    for api in APIS:
        doc = document(api)
        for method in _methods(doc):
            query = {n: p for n, p in method.get("parameters", {}).items() if p.get("location") == "query"}
            made = Method(
                api.removesuffix("_v3"),
                method["id"] if not api.endswith("_v3") else f"v3.{method['id']}",
                method["httpMethod"],
                method.get("request", {}).get("$ref"),
                query,
            )
            path = doc["servicePath"] + (method.get("flatPath") or method["path"])
            _add(root, path, made)
            upload = method.get("mediaUpload", {}).get("protocols", {}).get("simple", {}).get("path")
            if upload:
                _add(root, upload.lstrip("/"), Method(made.api, made.id, made.http, made.request, query, upload=True))
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


def find(http: str, path: str) -> Match | None:
    """The method for an HTTP method and a path; None when Google has no such method."""
    # Cloud Storage's own clients fetch content below /download, which the document does not list.
    segments = path.removeprefix("/download").lstrip("/").split("/")
    for node, values in _walk(routes(), segments, ()):
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
