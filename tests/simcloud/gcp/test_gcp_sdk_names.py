"""Property names of the translation are those of the installed pulumi-gcp, at every depth."""

from __future__ import annotations

import importlib
import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi_gcp
import pytest
from pulumi._types import input_type_py_to_pulumi_names, input_type_types, resource_py_to_pulumi_names

from simcloud.gcp.types import INVOKES, REGISTRY
from simcloud.gcp.types.base import GcpType
from simcloud.gcp.types.codec import Field
from simcloud.gcp.types.table import Table, index


def classes() -> dict[str, tuple[type, type]]:
    """Resource and argument class by token."""
    text = Path(pulumi_gcp.__file__).read_text()
    found = re.search(r'resource_modules="""\n(.*?)"""', text, re.DOTALL)
    assert found is not None
    made = {}
    for module in json.loads(found.group(1)):
        for token, name in module["classes"].items():
            if token in REGISTRY:
                cls = getattr(importlib.import_module(module["fqn"]), name)
                made[token] = (cls, getattr(importlib.import_module(cls.__module__), name + "Args"))
    return made


@pytest.fixture(scope="module")
def sdk() -> dict[str, tuple[type, type]]:
    return classes()


def nested(kind: Any) -> type | None:
    """The argument class inside a type annotation."""
    if isinstance(kind, type) and kind.__name__.endswith("Args"):
        return kind
    for inner in typing.get_args(kind):
        found = nested(inner)
        if found is not None:
            return found
    return None


def wrong(fields: tuple[Field, ...], args: type, where: str = "") -> list[str]:
    """Fields that the class does not have."""
    names, types = input_type_py_to_pulumi_names(args), input_type_types(args)
    found = []
    for field in fields:
        if field.name not in names.values():
            # An interface's name is computed, so it is no input.
            found += [] if (where, field.name) == ("networkInterfaces.", "name") else [where + field.name]
        elif field.sub:
            inner = nested(types[field.name])
            assert inner is not None, field.name
            found += wrong(field.sub, inner, f"{where}{field.name}.")
    return found


@pytest.mark.parametrize("token", REGISTRY)
def test_fields_are_inputs_of_the_sdk(token: str, sdk: dict[str, tuple[type, type]]) -> None:
    kind = REGISTRY[token]
    cls, args = sdk[token]
    inputs = set(input_type_py_to_pulumi_names(args).values())
    outputs = set(resource_py_to_pulumi_names(cls).values())
    assert wrong(getattr(kind, "fields", ()), args) == []
    assert {f.name for f in getattr(kind, "outputs", ())} <= outputs
    for names in (kind.defaults, kind.unordered, kind.write_only, kind.computed, kind.replace_on):
        assert {name.split(".")[0] for name in names} <= inputs
    assert kind.changed_by_update <= outputs
    assert kind.auto_name is None or kind.auto_name.property in inputs
    assert kind.sources
    if isinstance(kind, GcpType):
        assert kind.has_deletion_policy == ("deletionPolicy" in inputs)
        assert kind.labelled == ("effectiveLabels" in outputs)


def every_path(kind: str, path: str, depth: int = 0) -> Iterator[str]:
    """A property and those inside it, dotted."""
    yield path
    shape = index().nested(kind.strip("[]{}@")) if "@" in kind and depth < 8 else None
    for name, inner in (shape.properties if shape else {}).items():
        yield from every_path(inner, f"{path}.{name}", depth + 1)


TABLES = sorted(token for token, kind in REGISTRY.items() if isinstance(kind, Table))


@pytest.mark.parametrize("token", TABLES)
def test_what_a_type_says_by_hand_is_said_of_properties_that_exist(token: str) -> None:
    kind, schema = REGISTRY[token], index().resource(token)
    assert isinstance(kind, Table)
    assert schema is not None
    inputs = {path for name, type in schema.inputs.items() for path in every_path(type, name)}
    outputs = {path for name, type in schema.outputs.items() for path in every_path(type, name)}
    said = kind.replace_on | kind.replace_block | kind.unordered | kind.checked | kind.in_place
    said |= {name for group in kind.exclusive for name in group}
    assert sorted(said - inputs) == []
    assert sorted(name for name in kind.inner_computed if name.rpartition(".")[0] not in inputs) == []
    # What an output says of itself (`effective…`) has no input of its name.
    assert sorted(kind.renamed.keys() - inputs - outputs) == []
    # Two sources cannot both be right about one property.
    assert kind.replace_on & kind.in_place == frozenset()
    assert kind.computed & kind.said.get("defaults", {}).keys() == frozenset()


@pytest.mark.parametrize("token", TABLES)
def test_the_api_lists_the_values_that_the_provider_checks(token: str) -> None:
    kind = REGISTRY[token]
    assert isinstance(kind, Table)
    for path in kind.checked:
        assert len(kind.enumeration(path)) > 1


def test_what_the_sdk_says_of_a_type_needs_no_word_of_ours() -> None:
    repository, topic = (REGISTRY[f"gcp:{t}"] for t in ("artifactregistry/repository:Repository", "pubsub/topic:Topic"))
    assert isinstance(repository, Table)
    assert isinstance(topic, Table)
    assert topic.path == "projects/{project}/topics/{name}"
    assert {"name", "project"} <= topic.replace_on
    assert {"location", "project", "vulnerabilityScanningConfig"} <= repository.computed
    assert repository.defaults["mode"] == "STANDARD_REPOSITORY"
    assert "updateTime" in repository.changed_by_update
    assert repository.labelled
    assert not REGISTRY["gcp:compute/sSLPolicy:SSLPolicy"].computed & {"name"}


def test_a_value_outside_the_apis_enumeration_is_refused_before_any_call() -> None:
    pool = REGISTRY["gcp:container/nodePool:NodePool"]
    good: dict[str, Any] = {
        "cluster": "c",
        "nodeConfig": {"taints": [{"key": "a", "value": "b", "effect": "NO_EXECUTE"}]},
    }
    bad: dict[str, Any] = {"cluster": "c", "nodeConfig": {"taints": [{"key": "a", "value": "b", "effect": "NEVER"}]}}
    assert list(pool.check(good)) == []
    assert [f.property for f in pool.check(bad)] == ["nodeConfig.taints[0].effect"]


def test_blocks_that_exclude_each_other_are_refused_together() -> None:
    job = REGISTRY["gcp:cloudscheduler/job:Job"]
    one: dict[str, Any] = {"httpTarget": {"uri": "https://example.com"}}
    assert list(job.check(one)) == []
    assert len(list(job.check({**one, "pubsubTarget": {"topicName": "t"}}))) == 1


def test_a_block_that_comes_replaces_and_a_member_of_it_may_not() -> None:
    disk = REGISTRY["gcp:filestore/instance:Instance"]
    assert disk.replaces({}, {}, frozenset({"networks"})) == {"networks"}
    assert disk.replaces({}, {}, frozenset({"networks.network"})) == {"networks.network"}
    assert disk.replaces({}, {}, frozenset({"initialReplication.role", "description", "name"})) == frozenset()


def test_every_type_and_function_is_one_of_the_sdk(sdk: dict[str, tuple[type, type]]) -> None:
    assert set(sdk) == set(REGISTRY)
    for token in INVOKES:
        module = token.split(":")[1].split("/")[0]
        source = Path(importlib.import_module(f"pulumi_gcp.{module}").__file__ or "").parent
        assert any(f"'{token}'" in p.read_text() for p in source.glob("get_*.py")), token


def test_a_version_of_a_secret_has_a_policy_of_its_own_and_one_value() -> None:
    version = REGISTRY["gcp:secretmanager/secretVersion:SecretVersion"]
    good: dict[str, Any] = {"secret": "s", "secretData": "x", "deletionPolicy": "DISABLE"}
    assert list(version.check(good)) == []
    assert [f.property for f in version.check({**good, "deletionPolicy": "PREVENT"})] == ["deletionPolicy"]
    assert [f.property for f in version.check({**good, "secretDataWo": "y"})] == ["secretData"]
