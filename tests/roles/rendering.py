"""A role's templates as Ansible renders them: with its own engine, filters and the role's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROOT = Path(__file__).resolve().parents[2]


def _trusted(value: Any) -> Any:
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: _trusted(each) for key, each in value.items()}
    return [_trusted(each) for each in value] if isinstance(value, list) else value


def variables_of(role: str) -> dict[str, Any]:
    """Defaults and private variables of a role."""
    found: dict[str, Any] = {}
    for part in ("defaults", "vars"):
        path = ROOT / "roles" / role / part / "main.yml"
        if path.exists():
            found |= yaml.safe_load(path.read_text()) or {}
    return found


def render(role: str, template: str, variables: Mapping[str, Any] | None = None) -> str:
    """The text of a template."""
    path = ROOT / "roles" / role / "templates" / template
    values = _trusted({**variables_of(role), **(variables or {})})
    templar = Templar(loader=DataLoader(), variables=values)
    # As the template module does: a block's line leaves nothing behind.
    head = "#jinja2: trim_blocks: True, keep_trailing_newline: True\n"
    return str(templar.template(trust_as_template(head + path.read_text()), escape_backslashes=False))
