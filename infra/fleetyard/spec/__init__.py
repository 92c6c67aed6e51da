"""What a person types: the stack file, read and checked for shape. Every error is a line with a place and a fix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleetyard.findings import FleetyardError, error
from fleetyard.spec.effects import Effect
from fleetyard.spec.model import (
    Access,
    Budget,
    Cache,
    Egress,
    LifecycleStep,
    Network,
    OnDestroy,
    Placement,
    Pool,
    Role,
    Stack,
    Store,
    Tier,
    Update,
    Versions,
    Workload,
)
from fleetyard.spec.problems import as_error, model_at, nearest
from fleetyard.spec.units import show
from fleetyard.spec.yaml_reader import parse_yaml, read_yaml

__all__ = [
    "Access",
    "Budget",
    "Cache",
    "Effect",
    "Egress",
    "LifecycleStep",
    "Network",
    "OnDestroy",
    "Placement",
    "Pool",
    "Role",
    "Stack",
    "Store",
    "Tier",
    "Update",
    "Versions",
    "Workload",
    "load_stack",
    "load_stack_text",
    "nearest",
    "parse_stack",
    "stack_file",
    "update_effect",
]

CONFIG_KEY = "fleetyard:stack"


def stack_file(stacks: Path, name: str) -> Path:
    """Where the stack called `name` is described."""
    return stacks / f"Pulumi.{name}.yaml"


def load_stack(path: Path) -> Stack:
    """Read `stacks/Pulumi.<stack>.yaml`. Raises FleetyardError (exit 65); never anything else for a broken file."""
    return _from_file(read_yaml(path), path.name)


def load_stack_text(text: str, file_name: str) -> Stack:
    """Like `load_stack`, for text already in hand."""
    return _from_file(parse_yaml(text, file_name), file_name)


def _from_file(document: Any, file_name: str) -> Stack:
    if not isinstance(document, dict):
        raise error(
            "FY1009", file_name, f"is {show(document)}, not a mapping", f"start it with `config:` and `{CONFIG_KEY}:`"
        )
    config = document.get("config")
    if not isinstance(config, dict) or CONFIG_KEY not in config:
        raise error(
            "FY1008", file_name, f"has no `config` with `{CONFIG_KEY}`", f"put the stack under config: {CONFIG_KEY}:"
        )
    name = file_name.removesuffix(".yaml").removesuffix(".yml").removeprefix("Pulumi.")
    return parse_stack(config[CONFIG_KEY], name)


def parse_stack(value: Any, name: str = "stack") -> Stack:
    """The stack in a plain value, as a file or `pulumi.Config("fleetyard").require_object("stack")` gives it.

    name: the stack's name; it goes into the names of what is made. Raises FleetyardError (exit 65).
    """
    if not isinstance(value, Mapping):
        raise error(
            "FY1009", "stack", f"is {show(value)}, not a mapping", "write keys such as `owner`, `cloud`, `pools`"
        )
    if "name" in value:
        raise error(
            "FY1010", "name", "is not a key that Fleetyard knows", "remove it: the file's name is the stack's name"
        )
    try:
        return Stack.model_validate({**value, "name": name})
    except ValidationError as wrong:
        raise as_error(wrong, Stack, value) from None
    except RecursionError:
        raise FleetyardError(error("FY1007", "stack", "is nested too deeply", "flatten it").findings) from None


def update_effect(field_path: str) -> Effect | None:
    """What changing a field does: `update_effect("pools.train.machine")`. None when there is no such field."""
    *parents, last = field_path.split(".")
    model = model_at(Stack, parents)
    if model is None:
        return None
    for name, field in model.model_fields.items():
        if (field.alias or name) == last and isinstance(field.json_schema_extra, dict):
            return Effect(str(field.json_schema_extra["effect"]))
    return None
