"""Throw-away copies of a project, for Pulumi writes into stack files: its program by a link, its stack files copied."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from fleetyard.cli.project import STACKS

PLACEHOLDER = "a-secret-that-only-the-real-stack-knows"
_OF_THE_STATE = ("encryptionsalt", "encryptedkey", "secretsprovider")


def copy(root: Path, into: Path, keep_secrets: bool = False) -> Path:
    """The folder to run Pulumi in. keep_secrets: for the state that can open them; else they are placeholders."""
    (into / STACKS).mkdir(parents=True)
    shutil.copy(root / "Pulumi.yaml", into)
    (into / "infra").symlink_to(root / "infra")
    for file in sorted((root / STACKS).iterdir()):
        text = file.read_text()
        plain = text if keep_secrets or file.suffix == ".json" else without_secrets(text)
        (into / STACKS / file.name).write_text(plain)
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
