"""IAM documents, always with their keys in one order: a preview then shows only real changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

VERSION = "2012-10-17"


def trust(service: str) -> str:
    """The policy that lets one AWS service take a role."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": VERSION, "Statement": [statement]}, sort_keys=True)


def allow(
    actions: Sequence[str], resources: Sequence[pulumi.Input[str]], condition: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A statement that allows; resources may be outputs."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement


def deny(action: str, resources: Sequence[pulumi.Input[str]], condition: Mapping[str, Any]) -> dict[str, Any]:
    """A statement of a resource's own policy that denies everybody under a condition."""
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": list(resources), "Condition": condition}


def policy(*statements: dict[str, Any]) -> pulumi.Output[str]:
    """A policy document."""
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": list(statements)}, sort_keys=True)
