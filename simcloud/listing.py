"""The page `docs/simulated-types.md`, made from the code: what is modelled, from which sources, and what is not.

`python -m simcloud.listing > docs/simulated-types.md`
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from simcloud.provider.model import ResourceType
from simcloud.schema import TypeIndex

CLOUDS = {"aws": "AWS", "gcp": "Google Cloud"}
_INTRODUCTION = """\
# What the simulated clouds model

Made from the code (`python -m simcloud.listing`); a test compares. Three kinds of things:

- **modelled** types are translated into calls of the cloud's own API, with its rules; they are listed below with what
  replaces a resource and where that can be checked.
- **documented** types are all others of the SDK. Inputs are checked against the SDK's types and kept; the form of the
  id, the ARN and what replaces the resource follow the SDK's own documentation and, for AWS, CloudFormation's registry.
  No rule of the cloud is applied and no other output is computed. The provider says so for each.
- **functions** (data sources) are those listed; any other is refused by name.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield "| | modelled types | documented only | of these with a documented id | functions | rules with a source |"
    yield "|---|--:|--:|--:|--:|--:|"
    for cloud, name in CLOUDS.items():
        types, functions = _registry(cloud)
        yield f"| {name} | {_counts(cloud, types)} | {len(functions)} | {len(_rules(cloud))} |"
    for cloud, name in CLOUDS.items():
        types, functions = _registry(cloud)
        yield f"\n## {name}: types"
        index = TypeIndex(cloud)
        known = [token for token in sorted(types) if index.resource(token)]  # some go by names of older releases too
        for module, tokens in groupby(known, key=_module):
            yield f"\n### {module}\n"
            yield "| type | replaced when these change | sources |"
            yield "|---|---|---|"
            yield from (_row(token, types[token]) for token in tokens)
        yield f"\n## {name}: functions\n"
        yield ", ".join(f"`{token}`" for token in sorted(functions))
        yield f"\n## {name}: rules\n"
        yield "What is refused beyond the service models' own shapes (required members, types, enums, sizes).\n"
        yield "| where | what | source |"
        yield "|---|---|---|"
        yield from (f"| `{where}` | {_cell(says)} | {_cell(source)} |" for where, says, source in _rules(cloud))


def _registry(cloud: str) -> tuple[Mapping[str, ResourceType[Any]], Mapping[str, Callable[..., Any]]]:
    if cloud == "aws":
        from simcloud.aws.types import INVOKES, REGISTRY

        return REGISTRY, INVOKES
    from simcloud.gcp.types import INVOKES as FUNCTIONS
    from simcloud.gcp.types import REGISTRY as TYPES

    return TYPES, FUNCTIONS


def _counts(cloud: str, types: Mapping[str, ResourceType[Any]]) -> str:
    index = TypeIndex(cloud)
    tokens = index.tokens()
    others = [schema for token in tokens if token not in types and (schema := index.resource(token))]
    modelled = sum(token in types for token in tokens)
    return f"{modelled} | {len(others):,} | {sum(bool(schema.import_id) for schema in others):,}"


def _module(token: str) -> str:
    return token.split(":")[1].partition("/")[0]


def _row(token: str, kind: ResourceType[Any]) -> str:
    replaced = ", ".join(f"`{name}`" for name in sorted(kind.replace_on)) or "never"
    return f"| `{token.rpartition(':')[2]}` | {replaced} | {_cell('; '.join(kind.sources))} |"


def _rules(cloud: str) -> list[tuple[str, str, str]]:
    if cloud == "aws":
        from simcloud.aws import world
        from simcloud.aws.rules import all_rules

        assert world.RULE_MODULES  # importing them is what registers the rules
        return [(rule.operation, rule.says, rule.source) for rule in all_rules()]
    from simcloud.gcp.cloud import Gcp
    from simcloud.gcp.errors import RULES

    Gcp()  # making one imports every module that has rules
    return [(code, rule.says, rule.source) for code, rule in sorted(RULES.items())]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    """Print the page."""
    sys.stdout.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
