"""What `fleetyard bootstrap` writes: a Pulumi project of its own, all of whose rights can be read before anything is
made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

KEY = "fleetyard:bootstrap"
FOLDER = "bootstrap"
PROJECT = """\
name: fleetyard-bootstrap
description: What stands before a stack does - its state, its key, and who may deploy and preview it
runtime:
  name: python
main: ../infra/bootstrap
"""


class Forge(StrEnum):
    """Where the project's changes are reviewed and its jobs run."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class Settings:
    """One stack's bootstrap. `deploy`, `preview`: IAM statements on AWS, permissions on Google Cloud."""

    stack: str
    cloud: str
    region: str
    project: str | None
    forge: str
    repository: str
    branch: str
    deploy: tuple[Any, ...]
    preview: tuple[Any, ...]


def write(root: Path, settings: Settings) -> list[Path]:
    """Write the project and the stack's file; what was written."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    project, stack = folder / "Pulumi.yaml", folder / f"Pulumi.{settings.stack}.yaml"
    project.write_text(PROJECT)
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(settings).items()}
    place = {"aws:region": settings.region} if settings.cloud == "aws" else {"gcp:project": settings.project}
    stack.write_text(yaml.safe_dump({"config": {**place, KEY: plain}}, sort_keys=False, width=110))
    return [project, stack]


def read(found: Mapping[str, Any]) -> Settings:
    """The settings as the program's configuration has them. Raises TypeError for a file of another make."""
    return Settings(**{**found, "deploy": tuple(found["deploy"]), "preview": tuple(found["preview"])})
