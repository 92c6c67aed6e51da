"""The Pulumi program of `bootstrap/`: what stands before a stack does. Its settings are written by `fleetyard
bootstrap`."""

from __future__ import annotations

import importlib
import os

import pulumi

from fleetyard.bootstrap.files import read
from fleetyard.settings import refuse_mixed_settings


def main() -> None:
    """Register the resources and export what people and CI need to know."""
    refuse_mixed_settings(os.environ)
    settings = read(pulumi.Config("fleetyard").require_object("bootstrap"))
    made = importlib.import_module(f"fleetyard.{settings.cloud}.bootstrap").Bootstrap(settings)
    for name, value in made.report().items():
        pulumi.export(name, value)


main()
