"""Rules over a plan. `check(plan)` runs them all; `rules()` lists them for the documentation."""

from __future__ import annotations

from fleetyard.checks import buying, machines, network, stores, tpu, versions, work
from fleetyard.checks.registry import Hit, Rule, check, rule, rules

__all__ = [
    "Hit",
    "Rule",
    "buying",
    "check",
    "machines",
    "network",
    "rule",
    "rules",
    "stores",
    "tpu",
    "versions",
    "work",
]
