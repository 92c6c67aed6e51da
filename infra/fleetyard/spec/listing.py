"""The stack file as a page of documentation: `python -m fleetyard.spec.listing > docs/stack-file.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from fleetyard.spec.model import Stack

_HEAD = """\
# The stack file

Made from the models in `infra/fleetyard/spec`. A stack is described under `config`, `fleetyard:stack` of
`stacks/Pulumi.<stack>.yaml`; the file's name is the stack's name. Keys that are not listed here are refused.

What changing a field does to what stands:

- **live**: changes in place; no machine notices.
- **template**: makes a new machine template; the pool's `update` decides what running machines do about it.
  TPU slices have no template: a change replaces them, but for what their hosts do at boot (`cache`), which waits,
  and for labels (`owner`, `tags`), which are live.
- **replaces machines**: running machines are ended and new ones started.
- **replaces data**: the thing that holds data is replaced, or data is lost.

| field | default | changing it |
|---|---|---|
"""


def fields(model: type[BaseModel] = Stack, path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field that can be typed, with its place; `*` stands for a name of the person's own, `[]` for an entry."""
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        place = f"{path}{field.alias or name}"
        yield place, field
        for inner, step in _models(field.annotation, ""):
            yield from fields(inner, f"{place}{step}.")


def _models(kind: Any, step: str) -> Iterator[tuple[type[BaseModel], str]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind, step
    origin = get_origin(kind)
    inside = ".*" if origin is dict else "[]" if origin is tuple else ""
    for argument in get_args(kind):
        yield from _models(argument, step + inside)


def page() -> str:
    """The page as Markdown."""
    rows = [f"| `{place}` | {_default(field)} | {_effect(field)} |" for place, field in fields()]
    return _HEAD + "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value is PydanticUndefined or value == ():
        return "–"
    if isinstance(value, tuple):
        return f"`[{', '.join(str(each) for each in value)}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _effect(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra["effect"]) if isinstance(extra, dict) else "–"


if __name__ == "__main__":
    print(page(), end="")
