"""From an inventory file's options to an inventory: the only part that asks Pulumi and the cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetyard.catalog import catalog
from fleetyard.findings import error
from fleetyard.inventory.access import Access
from fleetyard.inventory.export import exported
from fleetyard.inventory.hosts import Inventory, build
from fleetyard.inventory.packages import Packages
from fleetyard.outputs import parse_outputs
from fleetyard.report.members import Finder, find
from fleetyard.settings import refuse_mixed_settings


@dataclass(frozen=True, slots=True)
class Options:
    """What an inventory file says. project: the folder of Pulumi.yaml; outputs: a file to read instead of the state.

    package_base, package_key, checksums: of a mirror for packages, on a real cloud.
    """

    stack: str
    project: Path
    outputs: Path | None = None
    user: str | None = None
    private_key: str | None = None
    package_base: str | None = None
    package_key: str | None = None
    checksums: Path | None = None


def read(options: Options, env: Mapping[str, str], finder: Finder = find) -> Inventory:
    """The live inventory of a stack.

    Raises FleetyardError: FY1401/FY1402 mixed settings, FY1501.. and FY1904.. for the export, FY1932 when the export is
    another stack's, FY1911..FY1913 when the cloud cannot be asked, FY1813..FY1816 for the mirror.
    """
    refuse_mixed_settings(env)
    said = exported(str(options.outputs) if options.outputs else None, options.stack, options.project)
    outputs = parse_outputs(said)
    if outputs.stack != options.stack:
        message = f"is the export of stack {outputs.stack}, not of {options.stack}"
        raise error("FY1932", str(options.outputs or "output fleetyard"), message, f"stack: {outputs.stack}")
    access = Access.of(outputs.stack, env, options.user, options.private_key)
    access.known_hosts.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if access.simulated:
        packages = Packages.simulated(env)
    else:
        packages = Packages.mirror(options.package_base, options.package_key, options.checksums)
    return build(outputs, finder(outputs, env), access, catalog(), env, packages)
