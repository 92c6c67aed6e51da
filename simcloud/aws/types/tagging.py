"""How each service puts tags on what stands: three operations, whose members the service model names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simcloud.aws.types.shapes import to_api

USUAL = ("TagResource", "UntagResource", "ListTagsForResource")
"""What most services call them."""
_OF_RESOURCE = ("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource")
BY_SERVICE: Mapping[str, tuple[str, str, str]] = {
    "ec2": ("CreateTags", "DeleteTags", ""),
    "sqs": ("TagQueue", "UntagQueue", "ListQueueTags"),
    "elbv2": ("AddTags", "RemoveTags", "DescribeTags"),
    "elb": ("AddTags", "RemoveTags", "DescribeTags"),
    "rds": _OF_RESOURCE,
    "elasticache": _OF_RESOURCE,
    "ssm": _OF_RESOURCE,
    "acm": ("AddTagsToCertificate", "RemoveTagsFromCertificate", "ListTagsForCertificate"),
    "kinesis": ("AddTagsToStream", "RemoveTagsFromStream", "ListTagsForStream"),
    "dynamodb": ("TagResource", "UntagResource", "ListTagsOfResource"),
    "lambda": ("TagResource", "UntagResource", "ListTags"),
    "apigatewayv2": ("TagResource", "UntagResource", "GetTags"),
    "apigateway": ("TagResource", "UntagResource", "GetTags"),
    "secretsmanager": ("TagResource", "UntagResource", ""),
    "kms": ("TagResource", "UntagResource", "ListResourceTags"),
    "route53": ("ChangeTagsForResource", "ChangeTagsForResource", "ListTagsForResource"),
    "redshift": ("CreateTags", "DeleteTags", ""),
}
_TAGS = ("Tags", "tags", "TagList", "tagList", "TagSet", "AddTags")
_KEYS = ("TagKeys", "tagKeys", "Keys", "RemoveTagKeys", "TagKeyList")


def tags_member(shape: Any) -> str:
    """The member of an operation's input that takes tags; empty when it has none."""
    return next((m for m in _TAGS if m in shape.members), "")


def put(api: Any, operation: str, target: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    """Put tags on the target."""
    shape = api.shape(operation)
    member = tags_member(shape)
    api.does(operation, **target, **{member: to_api(shape.members[member], dict(tags), {})})


def take(api: Any, operation: str, target: Mapping[str, Any], keys: list[str]) -> None:
    """Take tags off the target."""
    shape = api.shape(operation)
    member = next((m for m in _KEYS if m in shape.members), "")
    if member:
        api.does(operation, **target, **{member: keys})
    else:  # the keys stand in a list of tags without values
        member = tags_member(shape)
        api.does(operation, **target, **{member: [{"Key": key} for key in keys]})


def shown(value: Any) -> dict[str, str]:
    """Tags of an answer, as a mapping: a mapping, a list of pairs, or one of those inside."""
    if isinstance(value, Mapping):
        inside = next((value[m] for m in (*_TAGS, "TagDescriptions", "ResourceTagSet") if m in value), None)
        if isinstance(inside, list | Mapping):
            return shown(inside)
        return {str(k): str(v) for k, v in value.items() if isinstance(v, str)}
    found: dict[str, str] = {}
    for row in value or ():
        if "Tags" in row:
            found |= shown(row["Tags"])
        else:
            key = next(k for k in ("Key", "key", "TagKey") if k in row)
            held = {"Key": "Value", "key": "value", "TagKey": "TagValue"}[key]
            found[row[key]] = row.get(held) or ""
    return found
