"""The Pulumi program: load, plan, check, build, export. One stack file in, one cluster out."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pulumi

from fleetyard.checks import check
from fleetyard.findings import FleetyardError, Level, has_errors
from fleetyard.outputs import NAME
from fleetyard.plan import make_plan, read_sized
from fleetyard.settings import refuse_mixed_settings
from fleetyard.spec import parse_stack

MESSAGE_SHOWN = 32
"""The exit status by which Pulumi's Python host knows that the program has said what is wrong."""


def _configured() -> Any:
    config = pulumi.Config("fleetyard")
    try:
        return config.get_object("stack")
    except pulumi.ConfigTypeError:
        return config.get("stack")


def main() -> None:
    """Register the stack's resources. Raises FleetyardError before the first one when something is wrong."""
    refuse_mixed_settings(os.environ)
    stack = parse_stack(_configured(), pulumi.get_stack())
    plan = make_plan(stack, read_sized(stack, Path(__file__).parents[1] / "stacks"))
    findings = [finding for finding in check(plan) if finding.level is not Level.INFO]
    if has_errors(findings):
        raise FleetyardError(findings)
    for finding in findings:
        pulumi.log.warn(str(finding))
    pulumi.export(NAME, importlib.import_module(f"fleetyard.{plan.cloud}").build(plan))


try:
    main()
except FleetyardError as wrong:
    for finding in wrong.findings:
        (pulumi.log.error if finding.level is Level.ERROR else pulumi.log.warn)(str(finding))
    sys.exit(MESSAGE_SHOWN)
