"""One resource type's life without the engine: made, read, refreshed, changed in place, imported, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_bench import REGION, Bench

from simcloud import snapshot
from simcloud.aws.client import AwsClient
from simcloud.aws.types import REGISTRY
from simcloud.aws.types.base import index
from simcloud.provider.servicer import _imported, _refreshed, _sameness
from simcloud.provider.typecheck import conform
from simcloud.provider.values import changes


@dataclass
class Made:
    """A resource that stands."""

    token: str
    id: str
    inputs: dict[str, Any]
    state: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.id if name == "id" else self.state[name]


@dataclass
class Life:
    """Resources of one account, in the order in which they were made."""

    aws: Bench
    made: list[Made] = field(default_factory=list)

    @property
    def cloud(self) -> AwsClient:
        return AwsClient(self.aws.clients, REGION)

    def make(self, token: str, /, **inputs: Any) -> Made:
        """Make a resource; what it shows right afterwards must be what the program said."""
        kind, schema = REGISTRY[token], index().resource(token)
        assert schema is not None, f"the SDK has no type {token}"
        checked, failures = conform(index(), schema, {**kind.defaults, **inputs})
        assert not failures, f"{token}: {failures}"
        assert not list(kind.check(checked)), f"{token}: {list(kind.check(checked))}"
        id = kind.create(self.cloud, checked)
        state = kind.read(self.cloud, id, checked)
        assert state is not None, f"{token}: {id} is not there right after it was made"
        one = Made(token, id, checked, state)
        self.same_as_said(one)
        self.made.append(one)
        return one

    def same_as_said(self, one: Made) -> None:
        """A refresh finds no change, and everything that the SDK names as an output has its name."""
        kind, schema = REGISTRY[one.token], index().resource(one.token)
        assert schema is not None
        state = kind.read(self.cloud, one.id, one.state)
        assert state is not None, f"{one.token}: {one.id} is gone"
        strange = state.keys() - schema.outputs.keys() - schema.inputs.keys()
        assert not strange, f"{one.token}: outputs that the SDK does not name: {sorted(strange)}"
        for name, kind_of in {**schema.outputs, **schema.inputs}.items():
            wrong = _mistyped(kind_of, state.get(name), name)
            assert not wrong, f"{one.token}: {wrong}"
        fresh = _refreshed(schema, kind, one.inputs, state)
        drift = [
            (c.key, one.inputs.get(c.key.split(".")[0]), fresh.get(c.key.split(".")[0]))
            for c in changes(one.inputs, fresh, _sameness(kind))
        ]
        assert not drift, f"{one.token}: a refresh finds a change: {drift}"
        assert not kind.outdated(self.cloud, state, one.inputs), (
            f"{one.token}: {kind.outdated(self.cloud, state, one.inputs)}"
        )
        one.state = state

    def change(self, one: Made, /, **new: Any) -> None:
        """Change it in place; the cloud must show it, and a refresh no difference."""
        kind, schema = REGISTRY[one.token], index().resource(one.token)
        assert schema is not None
        wanted, failures = conform(index(), schema, {**one.inputs, **new})
        assert not failures, f"{one.token}: {failures}"
        found = frozenset(c.key for c in changes(one.inputs, wanted, _sameness(kind)))
        assert found, f"{one.token}: no change in {new}"
        assert not kind.replaces(one.inputs, wanted, found), (
            f"{one.token}: {kind.replaces(one.inputs, wanted, found)} would replace"
        )
        carried = {n: one.state[n] for n in kind.carried if n in one.state}
        kind.update(self.cloud, one.id, one.inputs | carried, wanted)
        one.inputs = wanted
        # What the program no longer knows must come from the cloud.
        live = kind.read(self.cloud, one.id, {k: v for k, v in one.state.items() if k not in new} | self._identity(one))
        if live is None:  # a type that is found by what was changed
            live = kind.read(self.cloud, one.id, one.state | new)
        assert live is not None
        for name, value in new.items():
            if name in kind.write_only or getattr(kind, "provider_only", frozenset()) & {name}:
                continue
            assert name in live or value in (None, "", [], {}), (
                f"{one.token}: the cloud has no {name} after the change: {live}"
            )
        one.state = {k: v for k, v in one.state.items() if k not in one.inputs} | wanted
        self.same_as_said(one)

    def _identity(self, one: Made) -> dict[str, Any]:
        kind = REGISTRY[one.token]
        return {n: v for n, v in one.inputs.items() if n in kind.replace_on}

    def imported(self, one: Made) -> Mapping[str, Any]:
        """The inputs that an import would propose; None when the type cannot be found by its id alone."""
        kind, schema = REGISTRY[one.token], index().resource(one.token)
        assert schema is not None
        state = kind.read(self.cloud, one.id, {})
        return {} if state is None else _imported(schema, kind, state)

    def outlive(self) -> None:
        """The world ends and begins again, out of its journal and out of its snapshot: everything is as it was."""
        before = self._seen()
        self.aws.world.close()
        assert snapshot.reach(self.aws.home) is not None, "the world cannot be written down"
        (self.aws.home / snapshot.FILE).rename(self.aws.home / "aside")
        self.aws.open()
        assert self.aws.world._saved_seq == 0
        assert_same(self._seen(), before, "out of the journal: ")
        self.aws.world._journal.close()
        (self.aws.home / "aside").rename(self.aws.home / snapshot.FILE)
        self.aws.open()
        assert self.aws.world._saved_seq == self.aws.world.records(), "the snapshot was passed over"
        assert_same(self._seen(), before, "out of the snapshot: ")

    def _seen(self) -> Any:
        """What its API shows of each resource."""
        shown = [(one.token, one.id, REGISTRY[one.token].read(self.cloud, one.id, one.state)) for one in self.made]
        return shown, self.aws.world.inventory()

    def unmake(self) -> None:
        """Outlive the process, then delete everything, the last first; nothing may stay."""
        self.outlive()
        for one in reversed(self.made):
            kind = REGISTRY[one.token]
            kind.delete(self.cloud, one.id, one.state)
        self.made.clear()


def assert_same(found: Any, expected: Any, path: str = "") -> None:
    """Equal, or the first place where they are not."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in found.keys() | expected.keys():
            assert_same(found.get(name), expected.get(name), f"{path}.{name}")
    elif isinstance(expected, list | tuple) and isinstance(found, list | tuple) and len(found) == len(expected):
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{path}[{index}]")
    else:
        assert found == expected, f"{path}: {found!r} instead of {expected!r}"


def _mistyped(kind: str, value: Any, path: str) -> str:
    """Where a value is not of the SDK's type, which would break every program that reads it; empty when it is."""
    if value is None or kind == "any":
        return ""
    if kind.startswith("["):
        if not isinstance(value, list):
            return f"{path} is {value!r}, not a list"
        return next((w for i, v in enumerate(value) if (w := _mistyped(kind[1:-1], v, f"{path}[{i}]"))), "")
    if kind.startswith("{"):
        if not isinstance(value, dict):
            return f"{path} is {value!r}, not a mapping"
        return next((w for k, v in value.items() if (w := _mistyped(kind[1:-1], v, f"{path}.{k}"))), "")
    if kind.startswith("@"):
        nested = index().nested(kind[1:])
        if not isinstance(value, dict) or nested is None:
            return f"{path} is {value!r}, not a block"
        strange = value.keys() - nested.properties.keys()
        if strange:
            return f"{path} has {sorted(strange)}, which the SDK does not name"
        return next((w for k, v in value.items() if (w := _mistyped(nested.properties[k], v, f"{path}.{k}"))), "")
    wanted = {"str": str, "int": int, "float": (int, float), "bool": bool}[kind]
    return "" if isinstance(value, wanted) else f"{path} is {value!r}, not of type {kind}"
