"""Tables that say how a Pulumi property and an API member stand for each other, and the two ways through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource lives; the empty string where the scope has no such part."""

    project: str
    region: str = ""
    zone: str = ""

    def refer(self, value: str, collection: str) -> str:
        """What the provider sends for a reference: a bare name becomes a path in the right scope."""
        if "/" in value:
            return value
        scope = _SCOPE.get(collection, "global")
        if scope == "zone":
            return f"projects/{self.project}/zones/{self.zone}/{collection}/{value}"
        if scope == "region":
            return f"projects/{self.project}/regions/{self.region}/{collection}/{value}"
        return f"projects/{self.project}/global/{collection}/{value}"


_SCOPE = {
    "subnetworks": "region",
    "addresses": "region",
    "resourcePolicies": "region",
    "instances": "zone",
    "disks": "zone",
    "diskTypes": "zone",
    "machineTypes": "zone",
    "acceleratorTypes": "zone",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One property. `api` is the member's path, with dots; without it, the same name.

    `kind`: `plain`; `int` (the API writes a string); `ref` (a reference to a resource of `collection`); `short`
    (the API gives a URL, the provider the last part); `one` (the API has a list, the provider its only entry);
    `first` (a nested block that the API has as a list of one); `single` (a list of one block that the API has as an
    object); `listed` (the same for what is only read).
    """

    name: str
    api: str = ""
    kind: str = "plain"
    collection: str = ""
    sub: tuple[Field, ...] = ()
    many: bool = False
    default: Any = None

    @property
    def path(self) -> list[str]:
        """The member's path."""
        return (self.api or self.name).split(".")


def plain(value: Any) -> Any:
    """A copy with whole floats as integers: on Pulumi's wire every number is a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def to_api(fields: tuple[Field, ...], props: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """The API's members for the properties that are given."""
    made: dict[str, Any] = {}
    for field in fields:
        value = props.get(field.name)
        if value is None:
            continue
        _put(made, field.path, _out(field, value, place))
    return made


def _out(field: Field, value: Any, place: Place) -> Any:
    if field.sub:
        if field.many:
            return [to_api(field.sub, v, place) for v in value]
        if field.kind == "single":
            return to_api(field.sub, value[0], place) if value else {}
        inner = to_api(field.sub, value, place)
        return [inner] if field.kind == "first" else inner
    if field.kind == "ref":
        if isinstance(value, list):
            return [place.refer(str(v), field.collection) for v in value]
        return place.refer(str(value), field.collection)
    if field.kind == "one":
        return [place.refer(str(value), field.collection) if field.collection else value]
    if field.kind == "int":
        return str(plain(value))
    return plain(value)


def _put(made: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        made = made.setdefault(part, {})
    made[path[-1]] = value


def from_api(fields: tuple[Field, ...], item: Mapping[str, Any]) -> dict[str, Any]:
    """The properties for the members that are there; a field's default where they are not."""
    made: dict[str, Any] = {}
    for field in fields:
        value: Any = item
        for part in field.path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None or value == []:
            if field.default is not None:
                made[field.name] = field.default
            continue
        made[field.name] = _in(field, value)
    return made


def _in(field: Field, value: Any) -> Any:
    if field.sub:
        if field.many:
            return [from_api(field.sub, v) for v in value]
        if field.kind == "single":
            return [from_api(field.sub, value)]
        return from_api(field.sub, value[0] if field.kind == "first" else value)
    if field.kind == "int":
        return int(value)
    if field.kind == "short":
        return value.rpartition("/")[2]
    if field.kind == "one":
        return value[0]
    if field.kind == "listed":
        return [value]
    return value


Extra = Callable[[Mapping[str, Any]], dict[str, Any]]
