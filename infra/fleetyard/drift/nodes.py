"""What nodes say of themselves: one report a host, which `playbooks/drift.yml` fetched."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from fleetyard.drift.model import Difference

NO_ANSWER = "did not answer"
NO_BASELINE = "has no baseline: site.yml has not run to its end there"


def read(folder: Path, hosts: Iterable[str]) -> tuple[list[Difference], dict[str, str]]:
    """The differences of the hosts, and why nothing is known of some."""
    found: list[Difference] = []
    unknown: dict[str, str] = {}
    for host in sorted(hosts):
        try:
            rows = json.loads((folder / f"{host}.json").read_text())
        except OSError:
            unknown[host] = NO_ANSWER
            continue
        except ValueError:
            unknown[host] = "answered with something that is no report"
            continue
        if rows is None:
            unknown[host] = NO_BASELINE
            continue
        try:
            found += [Difference(host, row["kind"], row["name"], row["was"], row["is"]) for row in rows]
        except (TypeError, KeyError):
            unknown[host] = "answered with something that is no report"
    return found, unknown
