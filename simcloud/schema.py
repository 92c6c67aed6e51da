"""What the Pulumi SDKs themselves say of every resource type: its inputs, what is required, its outputs, its secrets.

Importing the two SDKs whole takes half a minute, so this is done once per SDK release (`python -m simcloud.schema`)
and kept
as a small database in the user's cache folder. Source: the installed `pulumi_aws` and `pulumi_gcp` packages, through
the getters of `pulumi._types`; the names come from those getters and never from a guess at camel case.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import re
import sqlite3
import sys
import typing
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from simcloud.registry import Registry

SDKS = {"aws": "pulumi_aws", "gcp": "pulumi_gcp"}
FORMAT = 6
"""Raised when what is stored changes shape."""
_DEPTH = 6


@dataclass(frozen=True, slots=True)
class ResourceSchema:
    """One resource type. Types are `str`, `int`, `float`, `bool`, `any`, `[T]`, `{T}` or `@Name` of a nested type."""

    token: str
    inputs: Mapping[str, str]
    required: frozenset[str]
    outputs: Mapping[str, str]
    secrets: frozenset[str]
    replaces: frozenset[str] = frozenset()
    """Inputs (dotted, nested ones too) of which the SDK's documentation says that a change replaces the resource."""
    always: frozenset[str] = frozenset()
    """Outputs that are never missing: an optional input among them is filled in by the provider or the cloud."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Inputs (dotted, nested ones too) of which the documentation says what they are when nobody says anything."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Inputs (dotted, nested ones too) of which the documentation lists all values."""
    create_only: frozenset[str] = frozenset()
    """Inputs that CloudFormation's registry lets nobody change after creation (AWS only)."""
    import_id: str = ""
    """The id in the documentation's first example of an import: its form."""
    import_by: tuple[str, ...] = ()
    """The words in backticks of the sentence that says what an import takes (`name`, or `cluster` and `service`)."""


@dataclass(frozen=True, slots=True)
class NestedSchema:
    """One nested input type."""

    properties: Mapping[str, str]
    required: frozenset[str]
    replaces: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def sdk_version(package: str) -> str:
    """The installed SDK's version, for example `7.51.1`."""
    return metadata.version(SDKS[package].replace("_", "-"))


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fleetyard" / "types"


def database_path(package: str) -> Path:
    """Where the index of `aws` or `gcp` lies."""
    return _cache_folder() / f"{package}-{sdk_version(package)}-{FORMAT}.sqlite"


class TypeIndex:
    """The types of one SDK. Opening it makes the index when it is missing (half a minute)."""

    def __init__(self, package: str) -> None:
        self.package = package
        path = database_path(package)
        if not path.exists():
            build(package)
        self._rows = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - an index lives as long as its process
    def _load(self, kind: str, name: str) -> Any:
        row = self._rows.execute("select body from types where kind = ? and name = ?", (kind, name)).fetchone()
        return json.loads(row[0]) if row else None

    @functools.lru_cache(maxsize=4096)  # noqa: B019
    def resource(self, token: str) -> ResourceSchema | None:
        """The schema of a resource token such as `aws:ec2/vpc:Vpc`; None when the SDK has no such type."""
        body = self._load("resource", token)
        if body is None:
            return None
        replaces, defaults, choices = set(body["f"]), dict(body["d"]), {n: tuple(v) for n, v in body["v"].items()}
        for name, kind in body["i"].items():
            for path, nested in self._below(name, kind):
                replaces |= {f"{path}.{inner}" for inner in nested.replaces}
                defaults |= {f"{path}.{inner}": value for inner, value in nested.defaults.items()}
                choices |= {f"{path}.{inner}": values for inner, values in nested.choices.items()}
        return ResourceSchema(
            token,
            body["i"],
            frozenset(body["r"]),
            body["o"],
            frozenset(body["s"]),
            frozenset(replaces),
            frozenset(body["a"]),
            defaults,
            choices,
            frozenset(body["c"]),
            body["id"],
            tuple(body["by"]),
        )

    def _below(self, path: str, kind: str, depth: int = 0) -> Iterable[tuple[str, NestedSchema]]:
        """The nested types inside a property, with their paths. A type that holds itself ends after a few levels."""
        plain = kind.strip("[]{}")
        nested = self.nested(plain[1:]) if plain.startswith("@") and depth < _DEPTH else None
        if nested is None:
            return
        yield path, nested
        for name, inner in nested.properties.items():
            yield from self._below(f"{path}.{name}", inner, depth + 1)

    @functools.lru_cache(maxsize=8192)  # noqa: B019
    def nested(self, name: str) -> NestedSchema | None:
        """The schema of a nested input type, named as in a `@Name` type."""
        body = self._load("nested", name)
        if body is None:
            return None
        choices = {name: tuple(values) for name, values in body["v"].items()}
        return NestedSchema(body["p"], frozenset(body["r"]), frozenset(body["f"]), body["d"], choices)

    def tokens(self) -> list[str]:
        """All resource tokens of the SDK, in order."""
        rows = self._rows.execute("select name from types where kind = 'resource' order by name")
        return [name for (name,) in rows]


class _Reader:
    """Reads one SDK by introspection."""

    def __init__(self, package: str) -> None:
        self.sdk = SDKS[package]
        self.resources: dict[str, Any] = {}
        self.nested: dict[str, Any] = {}

    def read(self) -> None:
        text = Path(importlib.import_module(self.sdk).__file__ or "").read_text()
        listing = re.search(r'resource_modules="""\n(.*?)\n"""', text, re.S)
        if listing is None:
            raise RuntimeError(f"{self.sdk} no longer lists its resource modules: the reader must learn its new form")
        for module in json.loads(listing.group(1)):
            for token, class_name in module["classes"].items():
                self._resource(token, module["fqn"], class_name)

    def _resource(self, token: str, module_name: str, class_name: str) -> None:
        from pulumi import _types

        module = importlib.import_module(module_name)
        cls = getattr(module, class_name)
        source_module = sys.modules[cls.__module__]
        # A nested type may have taken the name `…Args`; the resource's own class is then called `…InitArgs`.
        args = getattr(source_module, class_name + "InitArgs", None) or getattr(
            source_module, class_name + "Args", None
        )
        inputs, required, said = self._properties(args) if args is not None else ({}, [], _Said())
        outputs = {name: self._type(hint) for name, hint in _types.resource_types(cls).items()}
        source = inspect.getsource(source_module)
        secrets = re.findall(r"additional_secret_outputs=\[([^\]]*)\]", source)
        names = re.findall(r'"(\w+)"', " ".join(secrets))
        example = re.search(r"\$ pulumi import " + re.escape(token) + r" \S+ (\S+)", source)
        sentence = re.search(r"Using `pulumi import`, import (.*?)For example", source, re.S)
        self.resources[token] = {
            "i": inputs,
            "r": required,
            "o": outputs,
            "s": names,
            "a": _always(source, class_name),
            **said.as_dict(),
            "id": example.group(1).strip("\"'") if example else "",
            "by": re.findall(r"`(\w+)`", sentence.group(1).partition(" using ")[2]) if sentence else [],
        }

    def _properties(self, args: Any) -> tuple[dict[str, str], list[str], _Said]:
        from pulumi import _types

        names = _types.input_type_py_to_pulumi_names(args)
        parameters = inspect.signature(args.__init__).parameters
        required = [
            wire
            for python, wire in names.items()
            if python in parameters and parameters[python].default is inspect.Parameter.empty
        ]
        types = {name: self._type(hint) for name, hint in _types.input_type_types(args).items()}
        said = _Said()
        for python, wire in names.items():
            said.read(wire, types.get(wire, "any"), inspect.getdoc(getattr(args, python, None)))
        return types, required, said

    def _type(self, hint: Any) -> str:
        plain = _plain(hint)
        simple = {str: "str", int: "int", float: "float", bool: "bool"}.get(plain)
        if simple:
            return simple
        origin, members = typing.get_origin(plain), typing.get_args(plain)
        if origin is not None and members:
            if len(members) == 1:
                return f"[{self._type(members[0])}]"
            return f"{{{self._type(members[1])}}}"
        if isinstance(plain, type) and hasattr(plain, "_pulumi_input_type"):
            return self._nested(plain)
        return "any"

    def _nested(self, cls: type) -> str:
        module = cls.__module__.removeprefix(self.sdk + ".").removesuffix("._inputs")
        name = f"{module}.{cls.__name__.removesuffix('Args')}"
        if name not in self.nested:
            self.nested[name] = {}  # a type may hold itself
            properties, required, said = self._properties(cls)
            self.nested[name] = {"p": properties, "r": required, **said.as_dict()}
        return f"@{name}"


@dataclass
class _Said:
    """What the documentation of one type's properties says of them."""

    replaces: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def read(self, name: str, kind: str, text: str | None) -> None:
        """Take in one property."""
        if says_replaced(text):
            self.replaces.append(name)
        default = said_default(text, kind)
        if default is not None:
            self.defaults[name] = default
        values = said_choices(text)
        if values:
            self.choices[name] = values

    def as_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return {"f": self.replaces, "d": self.defaults, "v": self.choices}


_DEFAULT = re.compile(r"(?:Default value is|Defaults to|Default is|The default is)\s+`([^`]*)`", re.I)
_CHOICES = re.compile(r"Possible values are:? ((?:`[^`]+`(?:, | or |, or | and |, and )?)+)\.")


def said_default(text: str | None, kind: str) -> Any:
    """The value that the documentation calls the default, in the property's own type; None when it names none."""
    found = _DEFAULT.search(text or "")
    if found is None:
        return None
    value = found.group(1).strip().strip('"')
    if kind == "bool":
        return {"true": True, "false": False}.get(value.lower())
    if kind in ("int", "float"):
        return (int if kind == "int" else float)(value) if re.fullmatch(r"-?\d+", value) else None
    return value if kind == "str" and value else None


def said_choices(text: str | None) -> list[str]:
    """All values that the documentation says are possible; none when it does not list them."""
    found = _CHOICES.search(" ".join((text or "").split()))
    return re.findall(r"`([^`]+)`", found.group(1)) if found else []


_GETTER = re.compile(
    r"@pulumi\.getter(?:\(name=\"(\w+)\"\))?\s+(?:@\S+\s+)*def (\w+)\(self\) -> pulumi\.Output\[(?!Optional\[)"
)


def _always(source: str, class_name: str) -> list[str]:
    """The outputs of a resource class that are not optional, by their wire names."""
    body = source.partition(f"class {class_name}(pulumi.CustomResource)")[2]
    return [wire or python for wire, python in _GETTER.findall(body)]


_REPLACED = re.compile(
    r"\b(forc|caus|creat|trigger|requir)\w*\b.*"
    r"\b(new resource|new cluster|new interface|replacement|re-?creation|re-?create)"
    r"|\bwill re-?create\b|\b(?-i:[Ii]mmutable)\b",
    re.I | re.S,
)
_SOMETIMES = re.compile(
    r"\b(if|when|unless|other time|except|without|not|doesn't|in[- ]place|other changes|user)\b", re.I
)
_ALWAYS = re.compile(r"\b(if|when) (it is )?(changed|modified|mutated)\b", re.I)


def says_replaced(text: str | None) -> bool:
    """Whether a property's documentation says, without a condition, that a change makes a new resource."""
    sentences = re.split(r"(?<=[.!])\s+|\n\s*\n", text or "")
    return any(_REPLACED.search(one) and not _SOMETIMES.search(_ALWAYS.sub("", one)) for one in sentences)


def _plain(hint: Any) -> Any:
    """A type hint without Optional, Awaitable, Output and typed-dict alternatives."""
    while typing.get_origin(hint) is typing.Union:
        members = [m for m in typing.get_args(hint) if m is not type(None) and not _is_wrapper(m)]
        if not members:
            return Any
        classes = [m for m in members if isinstance(m, type) and hasattr(m, "_pulumi_input_type")]
        if classes and any(isinstance(m, type) and issubclass(m, str) for m in members):
            return Any  # a JSON document, given as text or as an object
        hint = classes[0] if classes else members[0]
    if isinstance(hint, type) and issubclass(hint, str):
        return str
    return hint


def _is_wrapper(hint: Any) -> bool:
    origin = typing.get_origin(hint) or hint
    return getattr(origin, "__name__", "") in ("Awaitable", "Output")


def build(package: str) -> Path:
    """Read one SDK and store its types; return the path of the database. About 20 s and 650 MB of memory."""
    path = database_path(package)
    path.parent.mkdir(parents=True, exist_ok=True)
    reader = _Reader(package)
    reader.read()
    registry = Registry() if package == "aws" else None
    for token, body in reader.resources.items():
        body["c"] = sorted(registry.create_only(token, body["i"])) if registry else []
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    rows: Iterable[tuple[str, str, str]] = [
        *(("resource", name, json.dumps(body)) for name, body in reader.resources.items()),
        *(("nested", name, json.dumps(body)) for name, body in reader.nested.items()),
    ]
    with sqlite3.connect(unfinished) as database:
        database.execute("create table types (kind text, name text, body text, primary key (kind, name)) without rowid")
        database.executemany("insert into types values (?, ?, ?)", rows)
    database.close()
    unfinished.replace(path)
    return path


def main() -> int:
    """Make the indexes that are missing, both at once."""
    missing = [package for package in SDKS if not database_path(package).exists()]
    if missing:
        with ProcessPoolExecutor(max_workers=len(missing)) as workers:
            for path in workers.map(build, missing):
                print(f"simcloud: indexed {path.name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
