"""The Pulumi program: load, plan, check, build, export. One stack file in, one cluster out."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pulumi

from fleetyard.checks import check
from fleetyard.findings import FleetyardError, Level, has_errors
from fleetyard.outputs import NAME
from fleetyard.plan import make_plan, read_sized
from fleetyard.settings import refuse_mixed_settings
from fleetyard.spec import parse_stack


def main() -> None:
    """Register the stack's resources. Raises FleetyardError before the first one when something is wrong."""
    refuse_mixed_settings(os.environ)
    stack = parse_stack(pulumi.Config("fleetyard").require_object("stack"), pulumi.get_stack())
    plan = make_plan(stack, read_sized(stack, Path(__file__).parents[1] / "stacks"))
    findings = check(plan)
    if has_errors(findings):
        raise FleetyardError(findings)
    for finding in findings:
        if finding.level is Level.WARNING:
            pulumi.log.warn(str(finding))
    pulumi.export(NAME, importlib.import_module(f"fleetyard.{plan.cloud}").build(plan))


try:
    main()
except FleetyardError as wrong:
    raise pulumi.RunError(str(wrong)) from None
