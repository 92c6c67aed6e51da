# SPDX-License-Identifier: Apache-2.0
"""Ansible's side of the inventory: reads the file's options, asks `fleetyard.inventory`, hands the hosts over."""

from __future__ import annotations

import os
from pathlib import Path

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = r"""
name: fleetyard
short_description: Live machines of a Fleetyard stack
description:
  - Reads the stack's output C(fleetyard) and asks the cloud for the live members of its groups.
  - Groups are C(pool_<name>), C(role_<role>), C(cloud_<cloud>) and C(fleetyard). Machines that the cloud lists and
    that are not up are in C(absent) and in no other group.
  - Machines are reached through Session Manager (AWS), Identity-Aware Proxy (Google Cloud), or the simulated cloud's
    own way when C(FLEETYARD_SIM=1). Host keys are kept by machine id and always checked.
options:
  plugin:
    description: Names this plugin.
    required: true
    choices: [fleetyard]
  stack:
    description: The stack's name.
    type: str
    required: true
  project:
    description: The folder with Pulumi.yaml, relative to the inventory file. Without it the nearest one, going up.
    type: str
  outputs:
    description: A file with the stack's output, relative to the inventory file, instead of asking Pulumi.
    type: str
  user:
    description: Who logs in on a real cloud. Without it C(ubuntu) on AWS, C(ansible) on Google Cloud.
    type: str
    env: [{name: FLEETYARD_SSH_USER}]
  private_key:
    description: The key to log in with on a real cloud; on AWS its public half is sent ahead by EC2 Instance Connect.
    type: str
    env: [{name: FLEETYARD_SSH_KEY}]
  package_base:
    description: Base URL of a mirror that has every origin as a folder (C(fleetyard mirror)). Without it the vendors'.
    type: str
    env: [{name: FLEETYARD_PACKAGE_BASE}]
  package_key:
    description: Fingerprint of the key that signs the mirror's repositories. Without it the vendors' own keys.
    type: str
    env: [{name: FLEETYARD_PACKAGE_KEY}]
  checksums:
    description: A JSON file with the mirror's checksums, path to SHA-256, relative to the inventory file.
    type: str
"""

EXAMPLES = r"""
# inventory/a100-train.fleetyard.yml
plugin: fleetyard
stack: a100-train
"""

ENDINGS = (".fleetyard.yml", ".fleetyard.yaml")


class InventoryModule(BaseInventoryPlugin):
    """The plugin `fleetyard`."""

    NAME = "fleetyard"

    def verify_file(self, path: str) -> bool:
        """Only files that say so in their names."""
        return super().verify_file(path) and path.endswith(ENDINGS)

    def parse(self, inventory, loader, path, cache=True):
        """Fill the inventory. Raises AnsibleParserError with Fleetyard's own words."""
        super().parse(inventory, loader, path, cache)
        try:
            from fleetyard.findings import FleetyardError
            from fleetyard.inventory.export import project_root
            from fleetyard.inventory.source import Options, read
        except ImportError as missing:
            raise AnsibleParserError(
                f"FY1931 error {path}: the inventory needs the package of this project: {missing}. "
                "Fix: make setup, and ansible from .venv/bin."
            ) from missing
        self._read_config_data(path)
        folder = Path(path).resolve().parent
        named, outputs, sums = (self.get_option(word) for word in ("project", "outputs", "checksums"))
        options = Options(
            stack=self.get_option("stack"),
            project=folder / named if named else project_root(folder),
            outputs=folder / outputs if outputs else None,
            user=self.get_option("user"),
            private_key=self.get_option("private_key"),
            package_base=self.get_option("package_base"),
            package_key=self.get_option("package_key"),
            checksums=folder / sums if sums else None,
        )
        try:
            found = read(options, os.environ)
        except FleetyardError as wrong:
            raise AnsibleParserError(str(wrong)) from None
        inventory.add_group("fleetyard")
        inventory.add_group("absent")
        for name, value in found.common.items():
            inventory.set_variable("fleetyard", name, value)
        for group in found.groups():
            inventory.add_group(group)
        for host in found.hosts:
            inventory.add_host(host.name, group=host.groups[0])
            for group in host.groups[1:]:
                inventory.add_host(host.name, group=group)
            for name, value in host.variables.items():
                inventory.set_variable(host.name, name, value)
