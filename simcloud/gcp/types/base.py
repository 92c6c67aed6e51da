"""What the Google provider does for every resource: places, ids, deletion policy, labels."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from simcloud.gcp import facts
from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.codec import Field, Place, from_api, plain, to_api
from simcloud.provider.model import AutoName, CloudError, Failure, Props, ResourceType
from simcloud.provider.values import holds_unknown

NAME = AutoName(max_length=63, lower=True)
_LINK = re.compile(r"^https?://[^/]+/compute/[a-z0-9]+/")
PROVIDER = "registry.terraform.io/providers/hashicorp/google/latest/docs/resources/"


def last(value: str) -> str:
    """The last part of a URL, a path or a name."""
    return value.rpartition("/")[2]


def relative(value: str) -> str:
    """A compute URL without its host."""
    return _LINK.sub("", value)


class Spelling(ResourceType[GcpClient]):
    """What the Google provider takes for one spelling of the same thing."""

    def canonical(self, value: str) -> str:
        """A full link and a relative one are the same to the provider, as are a bucket's name and its `b/` form."""
        short = relative(value)
        return short[2:] if short.startswith("b/") and short.count("/") == 1 else short


class GcpType(Spelling):
    """A type of the Google provider.

    Subclasses give `fetch` (the resource as the API has it) and `state` (its outputs); `deletionPolicy`, which the
    provider keeps to itself, is handled here.
    """

    computed = frozenset({"project"})
    scope: ClassVar[str] = "global"
    """`global`, `region` or `zone`."""
    path: ClassVar[str] = ""
    """The id's form, with `{project}`, `{region}`, `{zone}`, `{name}`: the provider's own."""
    carried = frozenset({"pulumiLabels"})
    labelled: ClassVar[bool] = False
    inner: ClassVar[tuple[Field, ...]] = ()
    """Tables of blocks that stand beside `fields`."""
    has_deletion_policy: ClassVar[bool] = True

    def canonical(self, value: str) -> str:
        """A compute URL and the path in it are one thing."""
        return relative(value)

    def place(self, cloud: GcpClient, props: Props) -> Place:
        """Where the resource belongs, by its inputs and the provider's defaults. Raises CloudError without one."""
        project = str(props.get("project") or cloud.project)
        zone = last(str(props.get("zone") or cloud.zone or ""))
        region = last(str(props.get("region") or ""))
        if not region:
            region = zone.rpartition("-")[0] if props.get("zone") else str(cloud.region or zone.rpartition("-")[0])
        for wanted, found in (("zone", zone), ("region", region)):
            if self.scope == wanted and not found:
                raise CloudError(
                    "invalid", self.token, f"Cannot determine {wanted}: set it in this resource or the provider"
                )
        return Place(project, region, zone)

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """The parts of an id, in full or in one of the short forms that import takes. Raises CloudError."""
        wanted = re.findall(r"\{(\w+)\}", self.path)
        text = relative(id)
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        full = re.fullmatch(pattern, text)
        if full:
            return full.groupdict()
        parts = text.split("/")
        if len(parts) > len(wanted):
            raise CloudError(
                "invalid", self.token, f"Import id {id!r} doesn't match any of the accepted formats: {self.path}"
            )
        found = dict(zip(wanted[len(wanted) - len(parts) :], parts, strict=True))
        defaults = {"project": cloud.project, "region": cloud.region or "", "zone": cloud.zone or ""}
        for name in wanted:
            found.setdefault(name, defaults.get(name, ""))
        if not all(found.values()):
            raise CloudError("invalid", self.token, f"Import id {id!r} doesn't say enough: {self.path}")
        return found

    def id_of(self, parts: Mapping[str, str]) -> str:
        """The id of a resource."""
        return self.path.format(**parts)

    @abstractmethod
    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """The resource as the API has it; None when it is gone."""

    @abstractmethod
    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """The outputs of a resource that exists."""

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """Delete the resource. Raises CloudError; one that says 404 is taken as done."""
        raise NotImplementedError

    def check(self, inputs: Props) -> list[Failure]:
        """The deletion policy is one of three."""
        policy = inputs.get("deletionPolicy")
        if policy is not None and policy not in ("DELETE", "PREVENT", "ABANDON"):
            return [Failure("deletionPolicy", f"expected DELETE, PREVENT or ABANDON, got {policy}")]
        return []

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType. The state holds the full id under `id`."""
        parts = self.parse(cloud, id)
        item = self.fetch(cloud, parts)
        if item is None:
            return None
        made = {k: v for k, v in self.state(cloud, parts, item, known).items() if v is not None}
        made = {k: respelled(v, known.get(k)) for k, v in made.items()}
        mapped = {f.name: f for f in (*getattr(self, "fields", ()), *self.inner)}
        for name, value in made.items():
            if name in mapped:
                made[name] = _with_unmapped(mapped[name], value, known.get(name))
            elif isinstance(value, dict) and isinstance(known.get(name), Mapping) and name not in _APART:
                made[name] = _with_unmapped(Field(name), value, known[name])
        if self.labelled:
            made |= self._labels(cloud, dict(self.labels_in(item)), known)
        for name in self.write_only:
            if known.get(name) is not None and name not in made:
                made[name] = plain(known[name])
        if self.has_deletion_policy:
            made["deletionPolicy"] = known.get("deletionPolicy") or "DELETE"
        made["id"] = self.id_of(parts)
        return made

    def labels_in(self, item: Mapping[str, Any]) -> Mapping[str, str]:
        """The labels of the resource as the API has it."""
        found: Mapping[str, str] = item.get("labels", {})
        return found

    def _labels(self, cloud: GcpClient, actual: dict[str, str], known: Props) -> dict[str, Any]:
        """`labels` are those that the program gives, `pulumiLabels` these and the provider's defaults,
        `effectiveLabels` all that the cloud has (the provider's "Understanding labels")."""
        defaults = cloud.default_labels
        given = known.get("labels")
        if given is None and not known:
            given = {k: v for k, v in actual.items() if defaults.get(k) != v}
        mine = {k: v for k, v in actual.items() if k in (given or {})}
        pulumi = {k: v for k, v in actual.items() if k in mine or k in defaults}
        return {
            **({"labels": mine} if mine or (given is not None and known) else {}),
            "pulumiLabels": pulumi,
            "effectiveLabels": actual,
        }

    def merged(self, cloud: GcpClient, inputs: Props) -> dict[str, str]:
        """The labels that a new resource is sent with."""
        return {**cloud.default_labels, **dict(inputs.get("labels") or {})}

    def relabelled(self, actual: Mapping[str, str], cloud: GcpClient, old: Props, new: Props) -> dict[str, str]:
        """The labels after an update: those of others stay."""
        wanted = self.merged(cloud, new)
        gone = {*(old.get("labels") or {}), *(old.get("pulumiLabels") or {})} - wanted.keys()
        return {**{k: v for k, v in actual.items() if k not in gone}, **wanted}

    def outdated(self, cloud: GcpClient, state: Props, new: Props) -> Mapping[str, bool]:
        """Default labels that changed are put on."""
        had, labels = state.get("pulumiLabels"), new.get("labels")
        if not self.labelled or not isinstance(had, Mapping) or holds_unknown(labels):
            return {}
        return {"pulumiLabels": "labels" in self.replace_on} if dict(had) != self.merged(cloud, new) else {}

    def labels_change(self, cloud: GcpClient, old: Props, new: Props) -> bool:
        """Whether an update has labels to change: the resource's own, or the provider's default ones."""
        return differs(old, new, "labels") or bool(self.outdated(cloud, old, new))

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See ResourceType. PREVENT refuses, ABANDON leaves the resource in the cloud."""
        policy = state.get("deletionPolicy")
        if policy == "PREVENT":
            raise CloudError(
                "deletionPolicy", self.token, f"cannot destroy {id} without setting deletion_policy to something else"
            )
        if policy == "ABANDON":
            return
        try:
            self.remove(cloud, self.parse(cloud, id), state)
        except CloudError as error:
            if error.status != 404:
                raise


_APART = frozenset({"labels", "metadata", "effectiveLabels", "pulumiLabels", "settings", "template"})
"""Maps whose keys are the user's, and blocks that their types settle themselves."""


def _with_unmapped(field: Field, live: Any, known: Any) -> Any:
    """A block with the members that the translation does not know, as the program gave them."""
    if isinstance(live, list) and isinstance(known, list | tuple) and len(live) == len(known):
        return [_with_unmapped(field, a, b) for a, b in zip(live, known, strict=True)]
    if not isinstance(live, dict) or not isinstance(known, Mapping):
        return live
    inner = {f.name: f for f in field.sub}
    made = {k: _with_unmapped(inner[k], v, known.get(k)) if k in inner else v for k, v in live.items()}
    return made | {k: plain(v) for k, v in known.items() if k not in inner and k not in made and v is not None}


def respelled(live: Any, known: Any) -> Any:
    """What the cloud says, with the program's words where these are names or image families for the same thing.

    The real provider keeps the cloud's words and suppresses the difference; what cannot be suppressed without
    knowing both sides is settled here.
    """
    if isinstance(live, dict) and isinstance(known, Mapping):
        return {k: respelled(v, known.get(k)) for k, v in live.items()}
    if isinstance(live, list) and isinstance(known, list | tuple) and len(live) == len(known):
        return [respelled(a, b) for a, b in zip(live, known, strict=True)]
    if isinstance(live, str) and isinstance(known, str) and live != known:
        path = relative(live)
        if path.startswith("projects/"):
            named = "/" not in known and last(path) == known
            pictured = "/global/images/" in path and image_key(known) == image_key(path)
            return known if named or pictured else live
    return live


_WELL_KNOWN = {
    "debian": "debian-cloud",
    "ubuntu": "ubuntu-os-cloud",
    "rocky-linux": "rocky-linux-cloud",
    "cos": "cos-cloud",
    "centos": "centos-cloud",
    "rhel": "rhel-cloud",
    "windows": "windows-cloud",
}
"""Image projects that the provider finds by a name's beginning (its resolveImage)."""


def image_path(value: str) -> str:
    """A partial URL for what a program may call an image: a URL, `project/image`, `project/family`, a name."""
    path = relative(value)
    if path.startswith(("projects/", "global/images/")):
        return path
    project, _, name = path.removesuffix("/").rpartition("/")
    project = project.removesuffix("/family")
    if not project:
        project = next((p for start, p in _WELL_KNOWN.items() if name.startswith(start)), "")
    project = _WELL_KNOWN.get(project, project)
    dated = name.rpartition("-")[2].lstrip("v")
    exact = (dated.isdigit() and len(dated) == 8) or facts.image(project, name) is not None
    return f"projects/{project}/global/images/{name}" if exact else f"projects/{project}/global/images/family/{name}"


def image_key(value: str) -> tuple[str, str]:
    """Project and family of an image, or project and name where the family is not known."""
    path = image_path(value)
    parts = path.split("/")
    if "family" in parts:
        return parts[1], parts[-1]
    found = facts.image(parts[1], parts[-1])
    return (parts[1], found.family) if found else (parts[1], parts[-1])


class ComputeType(GcpType):
    """A resource of Compute Engine whose inputs and members correspond by a table."""

    collection: ClassVar[str]
    """For example `networks`."""
    argument: ClassVar[str]
    """The path parameter of its methods: `network`."""
    kind: ClassVar[str] = ""
    """The collection in the id, where it differs from the methods'."""
    fields: ClassVar[tuple[Field, ...]]
    """Inputs."""
    outputs: ClassVar[tuple[Field, ...]] = ()
    """Computed members."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "collection" in cls.__dict__ and "path" not in cls.__dict__:
            where = {"global": "global", "region": "regions/{region}", "zone": "zones/{zone}"}[cls.scope]
            cls.path = f"projects/{{project}}/{where}/{cls.kind or cls.collection}/{{name}}"

    def address(self, parts: Mapping[str, str]) -> dict[str, str]:
        """The path parameters of the resource's methods."""
        found = {"project": parts["project"], self.argument: parts["name"]}
        if self.scope != "global":
            found[self.scope] = parts[self.scope]
        return found

    def where(self, place: Place) -> dict[str, str]:
        """The path parameters of the collection's methods."""
        found = {"project": place.project}
        if self.scope != "global":
            found[self.scope] = getattr(place, self.scope)
        return found

    def body(self, props: Props, place: Place) -> dict[str, Any]:
        """What is sent to create the resource."""
        return to_api(self.fields, props, place)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        place = self.place(cloud, inputs)
        body = self.body(inputs, place)
        if self.labelled and (labels := self.merged(cloud, inputs)):
            body["labels"] = labels
        cloud.change(f"compute.{self.collection}.insert", **self.where(place), body=body)
        return self.id_of({"project": place.project, "region": place.region, "zone": place.zone, "name": body["name"]})

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find(f"compute.{self.collection}.get", **self.address(parts))

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = from_api(self.fields + self.outputs, item)
        made["project"] = parts["project"]
        if self.scope != "global":
            made[self.scope] = parts[self.scope]
        return made

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        cloud.change(f"compute.{self.collection}.delete", **self.address(parts))

    def set_labels(self, cloud: GcpClient, parts: dict[str, str], old: Props, new: Props) -> None:
        """Bring the labels of a resource to the new inputs."""
        item = self.fetch(cloud, parts) or {}
        labels = self.relabelled(item.get("labels", {}), cloud, old, new)
        body = {"labels": labels, "labelFingerprint": item.get("labelFingerprint")}
        where = self.address(parts)
        if self.argument != "instance":
            where["resource"] = where.pop(self.argument)
        cloud.change(f"compute.{self.collection}.setLabels", **where, body=body)


def differs(old: Props, new: Props, *names: str) -> bool:
    """Whether one of the properties is not what it was."""
    return any(plain(old.get(n)) != plain(new.get(n)) for n in names)
