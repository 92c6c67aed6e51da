"""Property names of the translation are those of the installed pulumi-gcp, at every depth."""

from __future__ import annotations

import importlib
import json
import re
import typing
from pathlib import Path
from typing import Any

import pulumi_gcp
import pytest
from pulumi._types import input_type_py_to_pulumi_names, input_type_types, resource_py_to_pulumi_names

from simcloud.gcp.types import INVOKES, REGISTRY
from simcloud.gcp.types.base import GcpType
from simcloud.gcp.types.codec import Field


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


def test_every_type_and_function_is_one_of_the_sdk(sdk: dict[str, tuple[type, type]]) -> None:
    assert set(sdk) == set(REGISTRY)
    for token in INVOKES:
        module = token.split(":")[1].split("/")[0]
        source = Path(importlib.import_module(f"pulumi_gcp.{module}").__file__ or "").parent
        assert any(f"'{token}'" in p.read_text() for p in source.glob("get_*.py")), token
