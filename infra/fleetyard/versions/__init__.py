"""Which version of what goes on which machine, and which do not go together.

`judge` says what is wrong with a node; `choose` what a set puts on it. Reads one data file, when first asked.
"""

from __future__ import annotations

from fleetyard.versions.compare import Version
from fleetyard.versions.lock import Manifest, ManifestError, choose, manifest, read_manifest
from fleetyard.versions.model import Chosen, Component, Licence, Pin, Target, VersionSet
from fleetyard.versions.registry import Clash, Node, VersionRule
from fleetyard.versions.verdicts import all_rules, judge, missing, planned, unlocked

__all__ = [
    "Chosen",
    "Clash",
    "Component",
    "Licence",
    "Manifest",
    "ManifestError",
    "Node",
    "Pin",
    "Target",
    "Version",
    "VersionRule",
    "VersionSet",
    "all_rules",
    "choose",
    "judge",
    "manifest",
    "missing",
    "planned",
    "read_manifest",
    "unlocked",
]
