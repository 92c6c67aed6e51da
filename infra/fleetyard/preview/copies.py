"""Throw-away copies of a version: its program by a link, its stack files without what only the real state can open."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from fleetyard.cli.project import STACKS, stack_names
from fleetyard.preview.sides import Side

PLACEHOLDER = "a-secret-that-only-the-real-stack-knows"
_OF_THE_STATE = ("encryptionsalt", "encryptedkey", "secretsprovider")


def copy(side: Side, into: Path) -> Path:
    """The folder to run Pulumi in."""
    (into / STACKS).mkdir(parents=True)
    shutil.copy(side.root / "Pulumi.yaml", into)
    (into / "infra").symlink_to(side.root / "infra")
    for name in stack_names(side.root / STACKS):
        file = f"Pulumi.{name}.yaml"
        (into / STACKS / file).write_text(without_secrets((side.root / STACKS / file).read_text()))
    for lock in (side.root / STACKS).glob("*.sizing.json"):
        shutil.copy(lock, into / STACKS)
    return into


def without_secrets(text: str) -> str:
    """A stack file whose encrypted values are placeholders: nobody who previews it has the key.

    A file that cannot be read as YAML is left as it is; reading it will say what is wrong.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    if not isinstance(document, dict):
        return text
    kept = {name: value for name, value in document.items() if name not in _OF_THE_STATE}
    plain = _plain(kept)
    return text if plain == document else yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"secure"}:
            return PLACEHOLDER
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value
