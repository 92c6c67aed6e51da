"""Types of the Google provider made out of what the SDK and a discovery document say.

The SDK has the properties and their nested types, what is required, what is never missing, which values its
documentation calls the default, what an import's id looks like; the document has the API's members, most of which have
the same name. What neither says (above all what replaces a resource) each type says itself, after its page of the
provider's documentation.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any, ClassVar

from simcloud.gcp.client import CALLED, GcpClient
from simcloud.gcp.documents import document
from simcloud.gcp.types.base import NAME, PROVIDER, GcpType, differs, last, relative
from simcloud.gcp.types.codec import Field, Place, from_api, plain, to_api
from simcloud.provider.model import CloudError, Failure, Props
from simcloud.provider.typecheck import choose
from simcloud.schema import ResourceSchema, TypeIndex


@cache
def index() -> TypeIndex:
    """The SDK's types."""
    return TypeIndex("gcp")


def _spellings(name: str) -> Iterator[str]:
    yield name
    yield name.removesuffix("s")
    yield name + "s"
    if name.endswith("ies"):
        yield name[:-3] + "y"
    if name.endswith("es"):
        yield name[:-2]
    if name.startswith("effective"):
        yield name.removeprefix("effective")


def _member(name: str, members: Mapping[str, Any]) -> str | None:
    """The API's member for a property: the same name, whatever its case, in the singular or the plural."""
    lower = {m.lower(): m for m in members}
    return next((lower[s.lower()] for s in _spellings(name) if s.lower() in lower), None)


class _Deriver:
    """Makes a type's fields out of its two schemas."""

    def __init__(self, api: str, told: Mapping[str, str], local: frozenset[str], refs: Mapping[str, str]) -> None:
        self.schemas: dict[str, Any] = document(api)["schemas"]
        self.told = told
        self.local = local
        self.refs = refs

    def fields(
        self, types: Mapping[str, str], schema: str, path: str = "", seen: tuple[str, ...] = ()
    ) -> tuple[Field, ...]:
        members = self.schemas[schema].get("properties", {})
        made = []
        for name, kind in types.items():
            here = f"{path}.{name}" if path else name
            if here in self.local:
                continue
            api = self.told.get(here) or _member(name, members)
            if api is None:
                continue
            field = self._field(name, api, kind, self._spec(schema, api), here, seen)
            if field is not None:
                made.append(field)
        return tuple(made)

    def _spec(self, schema: str, api: str) -> dict[str, Any]:
        """The schema of a member's path."""
        spec: dict[str, Any] = {"$ref": schema}
        for part in api.split("."):
            shape = self.schemas.get(spec.get("$ref", ""), spec)
            spec = shape.get("properties", {}).get(part, {})
        return spec

    def _field(
        self, name: str, api: str, kind: str, spec: dict[str, Any], here: str, seen: tuple[str, ...]
    ) -> Field | None:
        nested = re.fullmatch(r"(\[?)@([^\]]+)\]?", kind)
        listed = spec.get("type") == "array"
        inner = spec.get("items", {}) if listed else spec
        if nested and "$ref" in inner and nested.group(2) not in seen:
            shape = index().nested(nested.group(2))
            types = shape.properties if shape else {}
            sub = self.fields(types, inner["$ref"], here, (*seen, nested.group(2)))
            many = bool(nested.group(1))
            if many and not listed:
                return Field(name, api, kind="single", sub=sub, many=False) if sub else None
            return (
                Field(name, api, kind="first" if listed and not many else "plain", sub=sub, many=many) if sub else None
            )
        if here in self.refs:
            return Field(name, api, kind="ref", collection=self.refs[here])
        if kind == "int" and spec.get("type") == "string":
            return Field(name, api, kind="int")
        if kind == "[any]" and not listed and ("$ref" in spec or spec.get("type") == "object"):
            return Field(name, api, kind="listed")
        return Field(name, api)


class Table(GcpType):
    """A type told by tables. A subclass names its methods and its schema, and says what is its own."""

    methods: ClassVar[str]
    """The API's collection: `redis.projects.locations.instances`."""
    schema: ClassVar[str]
    """The resource's schema in the document."""
    id_argument: ClassVar[str] = ""
    """The parameter of create that holds the id; the empty string when the body holds it."""
    wrapped: ClassVar[str] = ""
    """The member of a create request that holds the resource."""
    creates: ClassVar[str] = "create"
    updates: ClassVar[str] = "mask"
    """How an update is sent: `mask` (patch with a mask), `patch` (a merge patch), `whole` (the resource)."""
    resource: ClassVar[str] = ""
    """The API's name of the resource where it is not the id, with the id's parts."""
    at: ClassVar[Mapping[str, str]] = {}
    """The path parameters of its methods, with the id's parts, where they are not `name` and `parent`."""
    under: ClassVar[Mapping[str, str]] = {}
    """The path parameters of create."""
    renamed: ClassVar[Mapping[str, str]] = {}
    """Properties (dotted) and the API's members for them, where the names differ by more than their number."""
    kept: ClassVar[frozenset[str]] = frozenset()
    """Inputs (dotted) that have a member's name and are not that member: the provider keeps them to itself, or `encode`
    and `decode` translate them."""
    refs: ClassVar[Mapping[str, str]] = {}
    """Inputs (dotted) that name a Compute Engine resource, with its collection: the provider completes names."""
    bare: ClassVar[frozenset[str]] = frozenset()
    """Outputs of which the provider shows the last part only."""
    protected: ClassVar[str] = "deletionProtection"
    in_place: ClassVar[frozenset[str]] = frozenset()
    """Inputs that change in place though they are part of the id or the documentation says otherwise."""
    replace_block: ClassVar[frozenset[str]] = frozenset()
    """Blocks that replace when they come or go, while members of them change in place."""
    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of inputs of which a program gives one at most."""
    checked: ClassVar[frozenset[str]] = frozenset()
    """Inputs (dotted) whose values the provider holds against the API's enumeration before any call, though its
    documentation does not list them."""
    said: ClassVar[Mapping[str, Any]] = {}
    """What a type and those it derives from say by hand, by the attribute's name."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.said = {**cls.said, **{n: v for n, v in cls.__dict__.items() if n in _BY_HAND}}
        if "token" not in cls.__dict__:
            return
        schema = index().resource(cls.token)
        assert schema is not None, cls.token
        none: frozenset[str] = frozenset()
        inputs = frozenset(schema.inputs)
        cls.path = cls.said.get("path") or _id_form(schema)
        parts = frozenset(re.findall(r"\{(\w+)\}", cls.path))
        identity = (parts | {"project"}) & inputs
        cls.replace_on = (identity | schema.replaces | cls.said.get("replace_on", none)) - cls.in_place
        filled = (schema.always & inputs) - schema.required - (parts - _PLACES) - {"deletionPolicy"}
        by_default = frozenset(cls.said.get("defaults", ()))
        cls.computed = (filled - by_default) | cls.said.get("computed", none) | cls.inner_computed
        known = {n: v for n, v in schema.defaults.items() if n in inputs - cls.computed - {"deletionPolicy"}}
        cls.defaults = {n: v for n, v in {**known, **cls.said.get("defaults", {})}.items() if v is not None}
        cls.changed_by_update = (_STAMPS & schema.outputs.keys()) - inputs | cls.said.get("changed_by_update", none)
        cls.labelled = "effectiveLabels" in schema.outputs
        cls.has_deletion_policy = "deletionPolicy" in inputs
        if "auto_name" not in cls.__dict__ and "{name}" in cls.path.removeprefix("{name}"):
            cls.auto_name = NAME

    @property
    def api(self) -> str:
        """The key of its document."""
        head = self.methods.split(".")
        api = ".".join(head[:2]) if re.fullmatch(r"v\d+", head[0]) else head[0]
        return CALLED.get(api, api)

    def _derived(self, types: Mapping[str, str], told: Mapping[str, str]) -> tuple[Field, ...]:
        return _Deriver(self.api, told, self.kept, self.refs).fields(types, self.schema)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The inputs that the API has."""
        schema = index().resource(self.token)
        assert schema is not None, self.token
        apart = set(_PROVIDERS) | set(self._variables)
        return self._derived({n: k for n, k in schema.inputs.items() if n not in apart}, self.renamed)

    @cached_property
    def outputs(self) -> tuple[Field, ...]:
        """The computed members that the API has. A `proxyId` is the API's `id`."""
        schema = index().resource(self.token)
        assert schema is not None, self.token
        apart = {*_PROVIDERS, *schema.inputs, *self._variables, "labels", "effectiveLabels", "pulumiLabels"}
        types = {n: k for n, k in schema.outputs.items() if n not in apart}
        members = document(self.api)["schemas"][self.schema].get("properties", {})
        ids = {n: "id" for n in types if n.endswith("Id") and "id" in members and _member(n, members) is None}
        return self._derived(types, {**ids, **self.renamed})

    @cached_property
    def _variables(self) -> tuple[str, ...]:
        return tuple(v for v in re.findall(r"\{(\w+)\}", self.path) if v != "name" or self._short_name)

    @property
    def _short_name(self) -> bool:
        schema = index().resource(self.token)
        return schema is not None and "name" in schema.inputs

    # What a subclass may say in code

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """What is sent, out of what the tables give."""
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """The outputs, out of what the tables give."""
        return made

    # The provider's methods

    def check(self, inputs: Props) -> list[Failure]:
        """What the provider refuses before any call: values that the API does not know, blocks that exclude others."""
        found = [*super().check(inputs), *choose(self._enumerated, inputs)]
        for group in self.exclusive:
            # A value that is only the provider's default was not given by the program.
            given = [n for n in group if inputs.get(n) is not None and inputs[n] != self.defaults.get(n)]
            if len(given) > 1:
                found.append(Failure(given[0], f'"{given[0]}": only one of `{",".join(group)}` can be specified'))
        return found

    @cached_property
    def _enumerated(self) -> ResourceSchema:
        """The type with the enumerations of the document for what is `checked`."""
        schema = index().resource(self.token)
        assert schema is not None, self.token
        return dataclasses.replace(schema, choices={path: self.enumeration(path) for path in self.checked})

    def enumeration(self, path: str) -> tuple[str, ...]:
        """The values that the API knows for an input. Raises StopIteration or KeyError where it lists none."""
        schemas = document(self.api)["schemas"]
        fields, spec = self.fields, schemas[self.schema]
        for name in path.split("."):
            field = next(f for f in fields if f.name == name)
            for part in field.path:
                spec = schemas.get(spec.get("$ref", ""), spec)["properties"][part]
                spec = spec.get("items", spec)
            fields = field.sub
        return tuple(spec["enum"])

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """See ResourceType. Some blocks replace only when they come or go."""
        return super().replaces(old, new, changed) | (changed & self.replace_block)

    def parts_of(self, cloud: GcpClient, inputs: Props) -> dict[str, str]:
        """The parts of the id that inputs and the provider's defaults give. Raises CloudError when one is missing."""
        found: dict[str, str] = {}
        for name in dict.fromkeys(re.findall(r"\{(\w+)\}", self.path)):
            value: Any = inputs.get(name)
            if value is None and name == "project":
                value = cloud.project
            elif value is None and name == "region":
                value = cloud.region
            elif value is None and name == "zone":
                value = cloud.zone
            elif value is None and name == "location":
                value = inputs.get("zone") or cloud.zone or cloud.region
            if value is None and name != "name":
                raise CloudError(
                    "invalid", self.token, f"Cannot determine {name}: set it in this resource or the provider"
                )
            found[name] = str(value) if name in self.whole else last(str(value or ""))
        return found

    whole: ClassVar[frozenset[str]] = frozenset()
    """Parts of the id that may hold slashes."""

    def _name(self, parts: Mapping[str, str]) -> str:
        return (self.resource or self.path).format(**parts)

    def place_of(self, parts: Mapping[str, str]) -> Place:
        """The parts as a place, for completing references."""
        zone = parts.get("zone", "")
        return Place(parts.get("project", ""), parts.get("region") or zone.rpartition("-")[0], zone)

    def _at(self, parts: Mapping[str, str]) -> dict[str, str]:
        if self.at:
            return {k: v.format(**parts) for k, v in self.at.items()}
        return {"name": self._name(parts)}

    def _under(self, parts: Mapping[str, str]) -> dict[str, str]:
        if self.under:
            return {k: v.format(**parts) for k, v in self.under.items()}
        return {"parent": self._name(parts).rsplit("/", 2)[0]}

    def make(self, cloud: GcpClient, inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """The body of create."""
        body = to_api(self.fields, inputs, self.place_of(parts))
        if self.labelled and (labels := self.merged(cloud, inputs)):
            body[self.label_member] = labels
        return self.encode(cloud, body, inputs, parts)

    label_member: ClassVar[str] = "labels"

    def labels_in(self, item: Mapping[str, Any]) -> Mapping[str, str]:
        """See GcpType."""
        found: Mapping[str, str] = item.get(self.label_member) or {}
        return found

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        parts = self.parts_of(cloud, inputs)
        body = self.make(cloud, inputs, parts)
        more = {}
        if self.id_argument and not self.wrapped:
            more[self.id_argument] = parts[re.findall(r"\{(\w+)\}", self.resource or self.path)[-1]]
        elif self.id_argument:
            body = {self.id_argument: parts[re.findall(r"\{(\w+)\}", self.path)[-1]], self.wrapped: body}
        elif self.wrapped:
            body = {self.wrapped: body}
        answer = cloud.change(f"{self.methods}.{self.creates}", **self._under(parts), **more, body=body)
        return self.id_of(self.named(parts, answer))

    def named(self, parts: dict[str, str], answer: Mapping[str, Any]) -> dict[str, str]:
        """The parts of the id when the service has answered: what it named itself is filled in."""
        if "name" in parts and not parts["name"] and answer.get("name"):
            parts["name"] = str(answer["name"])
        return parts

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find(f"{self.methods}.get", **self._at(parts))

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = from_api(self.fields + self.outputs, item)
        schema = index().resource(self.token)
        assert schema is not None, self.token
        for name, value in parts.items():
            if name in schema.outputs:
                made[name] = value
        if "name" in parts and not self._short_name and "name" in schema.outputs:
            made["name"] = str(item.get("name") or parts["name"])
        for name in self.bare:
            if isinstance(made.get(name), str):
                made[name] = last(made[name])
        made = self.decode(cloud, made, item, known, parts)
        told = {f.name for f in self.fields} | set(_PROVIDERS)
        for name in schema.inputs:
            if name in self.kept or (name not in made and (name not in told or not known.get(name))):
                given = known.get(name)
                if given is None and not known:
                    given = self.defaults.get(name)
                if given is not None:
                    made[name] = plain(given)
        return {n: _settled(v, known.get(n), n, self.kept) for n, v in made.items()}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """See ResourceType."""
        parts = self.parse(cloud, id)
        before, after = self.make(cloud, old, dict(parts)), self.make(cloud, new, dict(parts))
        changed = sorted(m for m in {*before, *after} if before.get(m) != after.get(m) and m != self.label_member)
        body: dict[str, Any] = {m: after[m] for m in changed if m in after}
        if self.labelled and self.labels_change(cloud, old, new):
            actual = self.labels_in(self.fetch(cloud, parts) or {})
            body[self.label_member] = self.relabelled(actual, cloud, old, new)
            changed.append(self.label_member)
        if changed:
            self.send(cloud, parts, changed, body, after)

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """Send an update: the members that changed, their new values (those that go are absent), and the whole."""
        if self.updates == "whole":
            cloud.change(f"{self.methods}.update", **self._at(parts), body={**whole, **body})
        elif self.updates == "patch":
            gone: dict[str, Any] = dict.fromkeys(sorted(set(changed) - body.keys()))
            cloud.change(f"{self.methods}.patch", **self._at(parts), body={**body, **gone})
        else:
            cloud.change(
                f"{self.methods}.patch", **self._at(parts), updateMask=",".join(changed), body=body or {"name": ""}
            )

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See GcpType. A protected resource stays."""
        if self.protected in self.defaults and state.get(self.protected):
            snake = re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), self.protected)
            raise CloudError(
                "deletionProtection",
                self.token,
                f"cannot destroy {last(id)} without setting {snake}=false and running `pulumi up`",
            )
        super().delete(cloud, id, state)

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        cloud.change(f"{self.methods}.delete", **self._at(parts))


_PROVIDERS = ("project", "deletionPolicy", "labels")
_PLACES = frozenset({"project", "region", "zone", "location"})
_BY_HAND = frozenset({"path", "replace_on", "computed", "defaults", "changed_by_update"})
_STAMPS = frozenset(
    {"etag", "fingerprint", "labelFingerprint", "generation", "observedGeneration", "updateTime", "lastModifiedTime"}
    | {"effectiveLabels", "effectiveAnnotations", "pulumiLabels"}
)
"""Outputs that any update changes."""


def _id_form(schema: ResourceSchema) -> str:
    """The id as the documentation's first import example has it: `projects/{project}/topics/{name}`."""
    named = re.sub(r"\{\{(\w+)\}\}", r"{\1}", schema.import_id)
    return re.sub(r"_(\w)", lambda m: m.group(1).upper(), named)


def _settled(live: Any, known: Any, path: str, local: frozenset[str]) -> Any:
    """What the cloud says, with what only the provider knows, and with the program's empty values where the cloud
    leaves them out."""
    if isinstance(live, Mapping) and isinstance(known, Mapping):
        made = {k: _settled(v, known.get(k), f"{path}.{k}", local) for k, v in live.items()}
        for name, value in known.items():
            if name not in made and value is not None and (f"{path}.{name}" in local or not value):
                made[name] = plain(value)
        return made
    if isinstance(live, list) and isinstance(known, list | tuple) and len(live) == len(known):
        return [_settled(a, b, path, local) for a, b in zip(_ordered(live, known), known, strict=True)]
    return live


def _ordered(live: list[Any], known: Any) -> list[Any]:
    """Blocks in the program's order: the cloud gives back what is a set in an order of its own."""
    rest, made = list(live), []
    for one in known:
        fit = next((item for item in rest if _holds(item, one)), None)
        if fit is None:
            return live
        rest.remove(fit)
        made.append(fit)
    return made


def _holds(live: Any, known: Any) -> bool:
    if isinstance(live, Mapping) and isinstance(known, Mapping):
        return all(v is None or not v or (k in live and _holds(live[k], v)) for k, v in known.items())
    if isinstance(live, list) and isinstance(known, list | tuple):
        return len(live) == len(known) and all(any(_holds(a, b) for a in live) for b in known)
    return bool(str(live) == str(known) or (isinstance(live, str) and relative(live) == relative(str(known))))


class ComputeTable(Table):
    """A type of Compute Engine told by tables: its methods take project, scope and name."""

    argument: ClassVar[str]
    """The path parameter that names the resource."""
    creates = "insert"
    updates = "patch"
    setters: ClassVar[Mapping[str, str]] = {}
    """Inputs that have a method of their own, and that method; the body has the API's member alone."""

    @property
    def _scope(self) -> dict[str, str]:
        found = {"project": "{project}"}
        for name in ("region", "zone"):
            if "{" + name + "}" in self.path:
                found[name] = "{" + name + "}"
        return found

    def _at(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {k: v.format(**parts) for k, v in {**self._scope, self.argument: "{name}"}.items()}

    def _under(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {k: v.format(**parts) for k, v in self._scope.items()}

    def make(self, cloud: GcpClient, inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. The body holds the name."""
        return {"name": parts["name"], **super().make(cloud, inputs, parts)}

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """Labels, and what has a method of its own, are set one by one; then the rest."""
        where = self._at(parts)
        rest = list(changed)
        if "labels" in rest:
            rest.remove("labels")
            item = self.fetch(cloud, parts) or {}
            renamed = {k: v for k, v in where.items() if k != self.argument}
            cloud.change(
                f"{self.methods}.setLabels",
                **renamed,
                resource=parts["name"],
                body={"labels": body.pop("labels"), "labelFingerprint": item.get("labelFingerprint")},
            )
        for member, method in self.setters.items():
            if member in rest:
                rest.remove(member)
                cloud.change(f"{self.methods}.{method}", **where, body={member: body.pop(member, None)})
        if rest:
            super().send(cloud, parts, rest, body, {**whole, **self._print(cloud, parts)})

    def _print(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any]:
        found = self.fetch(cloud, parts) or {}
        return {"fingerprint": found["fingerprint"]} if "fingerprint" in found else {}


__all__ = ["PROVIDER", "ComputeTable", "Table", "differs", "index"]
