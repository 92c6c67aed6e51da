"""What an engine recorded of a stack, written out again as the plainest Pulumi program that registers the same.

The same types, names, parents, inputs, dependencies and options, through the same SDK classes; no plan, no checks, no
configuration, no components of its own. It is Python text, so that anyone can read what Fleetyard is compared with.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STACK = "pulumi:pulumi:Stack"
PROVIDERS = "pulumi:providers:"


@dataclass(frozen=True, slots=True)
class SdkClass:
    """A resource class of an SDK: the module that people import, its name, and its arguments by their wire names."""

    package: str
    module: str
    name: str
    arguments: Mapping[str, str]

    @property
    def spelled(self) -> str:
        """As a program writes it: `ec2.Vpc`, or `Provider` where the class lies in the package itself."""
        return f"{self.module}.{self.name}" if self.module else self.name


def program(deployment: Mapping[str, Any]) -> str:
    """The text of `__main__.py`, from what `pulumi stack export` prints. Secrets in it are not supported."""
    resources = deployment["deployment"]["resources"]
    stack = next(r for r in resources if r["type"] == STACK)
    names = {r["urn"]: f"r{number}" for number, r in enumerate(resources) if r["type"] != STACK}
    classes = {r["type"]: sdk_class(r["type"]) for r in resources if r["custom"]}
    lines = ["import pulumi", *_imports(classes.values()), "", _AFTER, ""]
    for resource in resources:
        if resource["type"] == STACK:
            continue
        kind = classes.get(resource["type"])
        lines.append(_registration(resource, names, kind, resources))
    everything = ", ".join(names[r["urn"]] for r in resources if r["custom"])
    for name, value in (stack.get("outputs") or {}).items():
        lines.append(f"pulumi.export({name!r}, after({value!r}, [{everything}]))")
    return "\n".join(lines) + "\n"


def differences(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """What one deployment registers and the other does not: a comparison with another program would be worth nothing.

    Compared are names, types, parents, options and every input that the program itself set; what a provider fills in
    (names, defaults) is no input of the program.
    """
    a, b = (_registered(deployment) for deployment in (wanted, got))
    missing = [f"{urn} is registered by one side only" for urn in sorted(a.keys() ^ b.keys())]
    return missing + [f"{urn} is registered otherwise" for urn in sorted(a.keys() & b.keys()) if a[urn] != b[urn]]


def _registered(deployment: Mapping[str, Any]) -> dict[str, Any]:
    registered = {}
    for resource in deployment["deployment"]["resources"]:
        depends = resource.get("propertyDependencies") or {}
        said = {k: v for k, v in (resource.get("inputs") or {}).items() if k in depends}
        on = sorted(resource.get("dependencies") or ())
        registered[resource["urn"]] = (resource.get("parent"), resource.get("retainOnDelete"), on, said)
    return registered


_AFTER = '''
def after(value, resources):
    """A value that is known when these resources are: what an input made of their outputs is to the engine."""
    return pulumi.Output.all(*[r.id for r in resources]).apply(lambda _: value)
'''


def _imports(classes: Iterable[SdkClass]) -> list[str]:
    wanted: dict[str, set[str]] = {}
    for kind in classes:
        wanted.setdefault(kind.package, set()).add(kind.module or kind.name)
    return [f"from {package} import {', '.join(sorted(names))}" for package, names in sorted(wanted.items())]


def _registration(
    resource: Mapping[str, Any],
    names: Mapping[str, str],
    kind: SdkClass | None,
    resources: Sequence[Mapping[str, Any]],
) -> str:
    urn, logical = resource["urn"], resource["urn"].split("::")[-1]
    if kind is None:
        through = [f"{r['type'].removeprefix(PROVIDERS)!r}: {names[r['urn']]}" for r in _providers(resources)]
        options = _options(resource, names, [f"providers={{{', '.join(through)}}}"])
        return f"{names[urn]} = pulumi.ComponentResource({resource['type']!r}, {logical!r}, None, {options})"
    depends = resource.get("propertyDependencies") or {}
    said = {name: resource["inputs"][name] for name in depends if name in (resource.get("inputs") or {})}
    values = [
        f"{kind.arguments[name]}={_value(value, depends[name], names, resource['type'])}"
        for name, value in said.items()
    ]
    through_properties = {urn for urns in depends.values() for urn in urns}
    only = [names[u] for u in resource.get("dependencies") or () if u not in through_properties]
    more = [f"depends_on=[{', '.join(only)}]"] if only else []
    if resource.get("retainOnDelete"):
        more.append("retain_on_delete=True")
    options = _options(resource, names, more)
    return f"{names[urn]} = {kind.spelled}({', '.join([repr(logical), *values, f'opts={options}'])})"


def _providers(resources: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [r for r in resources if r["type"].startswith(PROVIDERS)]


def _options(resource: Mapping[str, Any], names: Mapping[str, str], more: Sequence[str]) -> str:
    parent = resource.get("parent")
    words = [f"parent={names[parent]}"] if parent is not None and parent in names else []
    return f"pulumi.ResourceOptions({', '.join([*words, *more])})"


def _value(value: Any, depends: Sequence[str], names: Mapping[str, str], type: str) -> str:
    if type.startswith(PROVIDERS) and isinstance(value, str):
        value = _from_text(value)
    on = ", ".join(names[urn] for urn in sorted(set(depends)) if urn in names)
    return f"after({value!r}, [{on}])" if on else repr(value)


def _from_text(value: str) -> Any:
    # A provider's own configuration is recorded as text, whatever its type.
    try:
        return json.loads(value)
    except ValueError:
        return value


@functools.cache
def sdk_class(token: str) -> SdkClass:
    """The class of a resource type such as `aws:ec2/vpc:Vpc`, with its arguments' names as the SDK itself has them."""
    from pulumi import _types

    if token.startswith(PROVIDERS):
        package, fqn, name = "pulumi_" + token.removeprefix(PROVIDERS), "", "Provider"
    else:
        package = "pulumi_" + token.split(":")[0]
        fqn, name = _listed(package)[token]
    module = fqn.removeprefix(package).lstrip(".")
    source = importlib.import_module(getattr(importlib.import_module(fqn or package), name).__module__)
    # A nested type may have taken the name `...Args`; the resource's own class is then called `...InitArgs`.
    arguments = getattr(source, f"{name}InitArgs", None) or getattr(source, f"{name}Args")
    by_wire = {wire: python for python, wire in _types.input_type_py_to_pulumi_names(arguments).items()}
    return SdkClass(package, module, name, by_wire)


@functools.cache
def _listed(package: str) -> Mapping[str, tuple[str, str]]:
    """Every resource type that a package says it has: the module that exports it and the class."""
    spec = importlib.util.find_spec(package)
    text = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
    listing = re.search(r'resource_modules="""\n(.*?)\n"""', text, re.S)
    if listing is None:
        raise RuntimeError(f"{package} no longer lists its resource modules: the bench must learn its new form")
    return {
        token: (module["fqn"], name)
        for module in json.loads(listing.group(1))
        for token, name in module["classes"].items()
    }
