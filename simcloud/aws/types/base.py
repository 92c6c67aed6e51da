"""What all AWS resource types share: the region, tags, and names between Pulumi's properties and the API's members."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from simcloud.aws.client import AwsClient, pairs
from simcloud.provider.model import CloudError, ResourceType
from simcloud.provider.values import holds_unknown
from simcloud.schema import TypeIndex

Props = Mapping[str, Any]

REGIONAL = frozenset({"region"})


class AwsType(ResourceType[AwsClient]):
    """Base of the AWS types. Every one has a `region` of its own in pulumi-aws 7; changing it replaces."""

    service: ClassVar[str] = "ec2"
    also: ClassVar[tuple[str, ...]] = ()
    """Other tokens of the same type."""
    computed = REGIONAL
    carried = frozenset({"tagsAll"})

    def region(self, cloud: AwsClient, props: Props) -> str:
        """The resource's region."""
        return props.get("region") or cloud.region

    def outdated(self, cloud: AwsClient, state: Props, new: Props) -> Mapping[str, bool]:
        """Default tags that changed are put on; another region of the provider's replaces what named none itself."""
        found = {}
        if state.get("region") and not new.get("region") and state["region"] != cloud.region:
            found["region"] = True
        tags = new.get("tags")
        tagged = isinstance(state.get("tagsAll"), Mapping) and (tags is None or isinstance(tags, Mapping))
        if tagged and not holds_unknown(tags) and dict(state["tagsAll"]) != cloud.tags(new):
            found["tagsAll"] = False
        return found

    def api(self, cloud: AwsClient, props: Props) -> Any:
        """The API of the type's service in the resource's region."""
        return cloud.api(self.service, self.region(cloud, props))


def retag_ec2(api: Any, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
    """Change the tags of an EC2 resource."""
    gone, changed = cloud.tag_changes(old, new)
    if gone:
        api.delete_tags(Resources=[id], Tags=[{"Key": k} for k in gone])
    if changed:
        api.create_tags(Resources=[id], Tags=pairs(changed))


def specification(kind: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """The TagSpecifications member of an EC2 call; nothing when there are no tags."""
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": pairs(tags)}]} if tags else {}


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without the members that are None."""
    return {k: v for k, v in values.items() if v is not None}


def one_or_none(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The only row of an answer."""
    return rows[0] if rows else None


def wire(shape: Any, value: Any, renames: Mapping[str, str]) -> Any:
    """A Pulumi value as the API takes it, led by botocore's shape: names get their first letter, "true" becomes true.

    `renames` maps Pulumi's names to the API's where they differ otherwise. Raises CloudError for a name the API lacks.
    """
    if value is None:
        return None
    kind = shape.type_name
    if kind == "structure":
        out = {}
        for name, member in value.items():
            theirs = renames.get(name) or name[:1].upper() + name[1:]
            if theirs not in shape.members:
                raise CloudError(
                    "InvalidParameter", shape.name, f"the API has no member {theirs} for the property {name}"
                )
            out[theirs] = wire(shape.members[theirs], member, renames)
        return present(out)
    if kind == "list":
        if isinstance(value, Mapping):  # a map of tags
            return pairs(value)
        return [wire(shape.member, member, renames) for member in value]
    if kind == "boolean" and isinstance(value, str):
        return value == "true"
    if kind in ("integer", "long") and isinstance(value, str):
        return int(value)
    return str(value) if kind == "string" and not isinstance(value, str) else value


@lru_cache(maxsize=1)
def index() -> TypeIndex:
    """The SDK's types."""
    return TypeIndex("aws")


def unwire(kind: str, value: Any, renames: Mapping[str, str]) -> Any:
    """An API value as Pulumi shows it, led by the SDK's type: what the type has no property for is left out."""
    if value is None:
        return None
    if kind.startswith("["):
        return [unwire(kind[1:-1], member, renames) for member in value]
    if kind.startswith("{") and isinstance(value, list):
        return {t["Key"]: t.get("Value", "") for t in value}
    if kind.startswith("@"):
        nested = index().nested(kind[1:])
        if nested is None or not isinstance(value, Mapping):
            return value
        out = {}
        for name, member in nested.properties.items():
            theirs = renames.get(name) or name[:1].upper() + name[1:]
            if theirs in value:
                out[name] = unwire(member, value[theirs], renames)
        return out
    if kind == "str" and isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if kind == "str" and not isinstance(value, str) else value
