"""What replaces a resource and what is changed in place, against sources that are not ours.

For every modelled type, each input is changed and the provider asked what that does. The sources: CloudFormation's
registry (`createOnlyProperties`) and the Pulumi SDKs' own documentation ("Changing this forces a new resource"); for
Google Cloud also the discovery documents ("Immutable", "can only be set at creation", collections that know no change).
Where the real provider does otherwise than a source, `ELSEWHERE` says so with the reason; an entry that no longer
differs fails too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from simcloud.aws.types import REGISTRY as AWS
from simcloud.gcp.types import REGISTRY as GCP
from simcloud.provider.model import ResourceType
from simcloud.provider.values import Sameness, changes
from simcloud.registry import Registry
from simcloud.schema import ResourceSchema, TypeIndex

ELSEWHERE: Mapping[str, str] = json.loads((Path(__file__).parent / "replacement_exceptions.json").read_text())
"""`type.property` to the reason why what replaces is not what the source says."""
TYPES = {"aws": AWS, "gcp": GCP}


@lru_cache(maxsize=2)
def index(cloud: str) -> TypeIndex:
    return TypeIndex(cloud)


@lru_cache(maxsize=1)
def registry() -> Registry:
    return Registry()


def two_values(kind: str) -> tuple[Any, Any]:
    """Two different values of a type."""
    simple = {"str": ("a", "b"), "int": (1, 2), "float": (1.0, 2.0), "bool": (True, False), "any": ("a", "b")}
    if kind.startswith("["):
        return [], [two_values(kind[1:-1])[0]]
    if kind.startswith("{"):
        return {}, {"k": two_values(kind[1:-1])[0]}
    return (None, {}) if kind.startswith("@") else simple[kind]


def replaces(kind: ResourceType[Any], name: str, shape: str) -> bool:
    """Whether changing one input, alone, replaces the resource."""
    old, new = ({name: value} if value is not None else {} for value in two_values(shape))
    found = frozenset(c.key for c in changes(old, new, Sameness(kind.unordered, kind.canonical)))
    assert found, f"{name}: {old} and {new} do not differ"
    return bool(kind.replaces(old, new, found))


def said(cloud: str, schema: ResourceSchema, name: str) -> bool | None:
    """What the sources say of an input: it replaces, it does not, or (None) they say nothing."""
    if name in schema.replaces or name in schema.create_only:
        return True
    if cloud == "aws" and name.lower() in registry().properties(schema.token):
        return False
    return None


def modelled() -> Iterator[tuple[str, str]]:
    for cloud, types in TYPES.items():
        for token in sorted(types):
            if index(cloud).resource(token) is not None:
                yield cloud, token


def disagreements(cloud: str, token: str) -> dict[str, str]:
    """`type.property` to what we do and the source does not."""
    schema, kind = index(cloud).resource(token), TYPES[cloud][token]
    assert schema is not None
    found = {}
    for name, shape in schema.inputs.items():
        expected = said(cloud, schema, name)
        if expected is not None and replaces(kind, name, shape) != expected:
            found[f"{token}.{name}"] = "should replace" if expected else "should be changed in place"
    return found


@pytest.mark.parametrize(("cloud", "token"), list(modelled()))
def test_each_property_does_what_the_sources_say(cloud: str, token: str) -> None:
    wrong = {place: what for place, what in disagreements(cloud, token).items() if place not in ELSEWHERE}
    assert wrong == {}


def test_every_exception_is_one() -> None:
    real = {place for cloud, token in modelled() for place in disagreements(cloud, token)}
    assert sorted(ELSEWHERE.keys() - real) == []
    assert [place for place, why in ELSEWHERE.items() if len(why) < 15] == []


def test_the_table_decides_much() -> None:
    """The sources speak of enough properties for the comparison to mean something."""
    decided: dict[str, int] = {"aws": 0, "gcp": 0}
    for cloud, token in modelled():
        schema = index(cloud).resource(token)
        assert schema is not None
        decided[cloud] += sum(said(cloud, schema, name) is not None for name in schema.inputs)
    assert decided["aws"] > 700
    assert decided["gcp"] > 20


NOT_MARKED = {
    "gcp:compute/regionBackendService:RegionBackendService.region",
    "gcp:compute/regionUrlMap:RegionUrlMap.region",
    "gcp:filestore/instance:Instance.name",
    "gcp:logging/metric:Metric.name",
}
"""Parts of an id that the real provider lets a program change, and then sends to where nothing is."""


def test_what_names_a_resource_replaces_it() -> None:
    """A Google resource's project and place are part of its id: the SDK's import documentation has them in it."""
    missing = []
    for token, kind in sorted(GCP.items()):
        schema = index("gcp").resource(token)
        if schema is None:
            continue
        parts = {re.sub(r"_(\w)", lambda m: m.group(1).upper(), p) for p in re.findall(r"{{(\w+)}}", schema.import_id)}
        for name in sorted(parts & {"project", "region", "zone", "location", "name"} & schema.inputs.keys()):
            if not replaces(kind, name, schema.inputs[name]):
                missing.append(f"{token}.{name}")
    assert sorted(missing) == sorted(NOT_MARKED)
