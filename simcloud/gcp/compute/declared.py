"""Collections of Compute Engine that are told by a table: insert, patch and update beside what all of them share.

A table says which members name other resources, what is filled in, and what an update may change. What a collection
does beyond that stands in its module.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simcloud.gcp.call import Call, fingerprint, handles
from simcloud.gcp.compute.base import (
    check_labels,
    collection,
    key_from,
    key_of,
    last,
    new,
    operation,
    reference,
    refuse_use,
    resource,
    store,
)
from simcloud.gcp.errors import Refusal, invalid_field, missing_field, rule

FIXED = rule(
    "compute.immutable",
    "what the API marks as unchangeable, or has no method to change, stays",
    "discovery document compute.v1: which patch, update and set methods a collection has",
    ours=True,
)
KIND = rule(
    "compute.reference-kind",
    "a reference names a resource of the right collection",
    "discovery document compute.v1: descriptions of target, backendService, urlMap",
    ours=True,
)

Fill = Callable[[Call, dict[str, Any], dict[str, Any] | None], None]
"""Completes and checks a resource: the call, the resource, and as it was before (None when it is new)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One collection.

    `refs`: members (dotted, through lists) that name resources, with the collections they may name; `needed`: members
    without which insert is refused; `fixed`: what an update may not change.
    """

    name: str
    kind: str
    refs: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...] = ()
    fixed: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] | None = None
    fill: Fill | None = None
    updates: tuple[str, ...] = ("patch",)
    labels: bool = False
    printed: bool = False
    """Whether it has a fingerprint."""
    leave: Callable[[Call, str, dict[str, Any]], None] | None = None
    """What happens when one goes, after nothing was found that uses it."""


SHAPES: dict[str, Shape] = {}
"""Every shape by its collection."""


def _spots(item: Any, path: str, where: str) -> Iterator[tuple[dict[str, Any], str, str]]:
    """The places of a dotted member: its holder, its name, the path for a message."""
    head, _, rest = path.partition(".")
    if not isinstance(item, dict) or item.get(head) is None:
        return
    if not rest:
        yield item, head, f"{where}.{head}"
        return
    inner = item[head]
    for i, one in enumerate(inner if isinstance(inner, list) else [inner]):
        yield from _spots(one, rest, f"{where}.{head}[{i}]" if isinstance(inner, list) else f"{where}.{head}")


def resolve(call: Call, value: str, collections: tuple[str, ...], field: str) -> str:
    """The self link of what a value names, in one of several collections. Raises Refusal."""
    path = value.split("?")[0]
    found = path.rstrip("/").split("/")
    if len(found) >= 2 and found[-2] in collections:
        return reference(call, path, found[-2], field)
    if len(found) >= 2:
        raise invalid_field(
            field, value, f"Unexpected resource collection '{found[-2]}'.", rule=KIND if len(found) > 4 else None
        )
    return reference(call, path, collections[0], field)


def link_all(call: Call, item: dict[str, Any], refs: Mapping[str, tuple[str, ...]]) -> None:
    """Turn every reference into a self link. Raises Refusal for one that names nothing."""
    for path, collections in refs.items():
        for holder, name, field in list(_spots(item, path, "resource")):
            value = holder[name]
            if isinstance(value, list):
                holder[name] = [resolve(call, str(v), collections, f"{field}[{i}]") for i, v in enumerate(value)]
            elif value:
                holder[name] = resolve(call, str(value), collections, field)


def _complete(call: Call, shape: Shape, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    for name, value in (shape.defaults or {}).items():
        item.setdefault(name, copy.deepcopy(value))
    link_all(call, item, shape.refs)
    if shape.fill is not None:
        shape.fill(call, item, old)
    if shape.printed:
        item["fingerprint"] = fingerprint({k: v for k, v in item.items() if k != "fingerprint"})


def shape(made: Shape) -> None:
    """Register a collection's methods."""
    SHAPES[made.name] = made

    def insert(call: Call) -> dict[str, Any]:
        item = new(call, made.kind, labels=made.labels)
        for name in made.needed:
            if item.get(name) in (None, "", []):
                raise missing_field(f"resource.{name}")
        _complete(call, made, item, None)
        return operation(call, store(call, item), "insert")

    def update(call: Call) -> dict[str, Any]:
        key = key_of(call)
        return change(call, made, key, call.match.method.id.rsplit(".", 1)[-1])

    def leave(call: Call, key: str, item: dict[str, Any]) -> None:
        refuse_use(call, key, call.world.state.compute.items())
        if made.leave is not None:
            made.leave(call, key, item)

    handles(f"compute.{made.name}.insert")(insert)
    for verb in made.updates:
        handles(f"compute.{made.name}.{verb}")(update)
    collection(made.name, made.kind, labels=made.labels)(leave)


def change(call: Call, made: Shape, key: str, verb: str) -> dict[str, Any]:
    """Carry out a patch or an update of a resource."""
    item = resource(call, key)
    sent = call.request.json()
    stamp = call.body.get("fingerprint")
    if made.printed and stamp and stamp != item.get("fingerprint"):
        raise Refusal(412, "Invalid fingerprint.", reason="conditionNotMet")
    if verb == "update":
        wanted = {**{k: v for k, v in item.items() if k in _SERVERS}, **call.body}
    else:
        wanted = {k: v for k, v in item.items() if not (k in sent and sent[k] is None)}
        wanted = copy.deepcopy(wanted) | call.body
    wanted |= {k: item[k] for k in _SERVERS if k in item}
    _complete(call, made, wanted, item)
    for name in sorted(made.fixed):
        if wanted.get(name) != item.get(name):
            raise invalid_field(f"resource.{name}", wanted.get(name), "It cannot be changed.", rule=FIXED)
    check_labels(wanted.get("labels", {}))
    call.world.state.compute[key] = wanted
    return operation(call, key, verb)


_SERVERS = frozenset(
    {"kind", "id", "creationTimestamp", "selfLink", "selfLinkWithId", "name", "region", "zone", "labelFingerprint"}
    | {"fingerprint", "_madeBy", "status"}
)


def setter(name: str, verb: str, member: str, collections: tuple[str, ...] = (), *, many: bool = False) -> None:
    """Register a method that sets one member: `setUrlMap`, `setTarget`."""

    def put(call: Call) -> dict[str, Any]:
        key = key_of(call)
        item = resource(call, key)
        value = call.body.get(member)
        if value is None and "target" in call.body:
            value = call.body["target"]
        if collections and value:
            field = f"resource.{member}"
            value = (
                [resolve(call, str(v), collections, field) for v in value]
                if many
                else resolve(call, str(value), collections, field)
            )
        if value is None:
            item.pop(member, None)
        else:
            item[member] = value
        return operation(call, key, verb)

    handles(f"compute.{name}.{verb}")(put)


__all__ = ["FIXED", "Shape", "change", "key_from", "last", "link_all", "resolve", "setter", "shape"]
