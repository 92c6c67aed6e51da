"""Hosts that no cloud owns: the file that `fleetyard sim hosts start --fleet` follows, and an inventory for Ansible.

Images are baked on such a host, and roles are tested on them. The inventory has the variables of a stack's, without a
store.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RANGE = "10.90.0.0/16"


@dataclass(frozen=True, slots=True)
class Row:
    """One host. roles: the groups `role_...` that it is in; the first is its own."""

    name: str
    pool: str
    roles: tuple[str, ...]
    address: str

    @property
    def key(self) -> str:
        """Its machine's key."""
        return f"i-{self.name}"


def write_fleet(file: Path, rows: Iterable[Row]) -> None:
    """All in one VPC that lets everything pass."""
    machines: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    for row in rows:
        machine = dict.fromkeys(("subnet", "zone", "region", "network"), "lab")
        machine |= dict.fromkeys(("identity", "image"), "") | dict.fromkeys(("name", "host_name"), row.name)
        machine |= {"cloud": "aws", "cidr": RANGE, "address": row.address, "machine": "m7i.xlarge", "key": row.key}
        machines.append({**machine, "disk": "1", "boots": 1, "power": True})
        for direction in ("in", "out"):
            rules.append({"machine": row.key, "direction": direction, "peers": ["0.0.0.0/0"], "protocol": "all"})
    file.write_text(json.dumps({"revision": "", "machines": machines, "networks": [], "rules": rules}))


def write_inventory(file: Path, home: Path, rows: Sequence[Row], cache: str = "") -> None:
    """How Ansible reaches them. home: of the hosts' process. cache: where their local cache is, if they have one."""
    groups: dict[str, Any] = {}
    for row in rows:
        for group in ("fleetyard", "cloud_aws", f"pool_{row.pool}", *(f"role_{role}" for role in row.roles)):
            groups.setdefault(group, {"hosts": {}})["hosts"][row.name] = _variables(home / "hosts", row) | {
                "fleetyard_cache": cache
            }
    members = [
        {"name": row.name, "address": row.address, "pool": row.pool, "role": row.roles[0], "instance": row.key}
        for row in rows
    ]
    groups["fleetyard"]["vars"] = {
        "fleetyard_stack": f"lab-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}",
        "fleetyard_owner": "lab",
        "fleetyard_cloud": "aws",
        "fleetyard_region": "lab",
        "fleetyard_project": "",
        "fleetyard_scheduler": "slurm",
        "fleetyard_network": RANGE,
        "fleetyard_simulated": True,
        "fleetyard_stores": {},
        "fleetyard_endpoint_environment": {},
        "fleetyard_members": members,
    }
    file.write_text(json.dumps({"all": {"children": groups}}))


def _variables(own: Path, row: Row) -> dict[str, Any]:
    proxy = ["env", f"FLEETYARD_SIM_HOME={own.parent}", sys.executable, "-m", "simcloud.hosts", "connect", row.key]
    options = [f"ProxyCommand={shlex.join(proxy)}", f"HostKeyAlias={row.key}", "StrictHostKeyChecking=yes"]
    options += [f"UserKnownHostsFile={own / 'known_hosts'}", "GlobalKnownHostsFile=/dev/null"]
    return {
        "ansible_host": row.key,
        "ansible_user": "ansible",
        "ansible_ssh_private_key_file": str(own / "id_ed25519"),
        # Hosts of another lab may have the same names: kept connections must not be shared.
        "ansible_control_path_dir": f"~/.ansible/cp/{hashlib.sha256(str(own.parent).encode()).hexdigest()[:8]}",
        "ansible_ssh_common_args": " ".join(f"-o {shlex.quote(option)}" for option in options),
        "fleetyard_pool": row.pool,
        "fleetyard_role": row.roles[0],
        "fleetyard_zone": "lab",
        "fleetyard_machine": "m7i.xlarge",
        "fleetyard_instance": row.key,
        "fleetyard_address": row.address,
        "fleetyard_state": "running",
        "fleetyard_accelerator": "",
        "fleetyard_accelerators": 0,
        "fleetyard_drives": 0,
        "fleetyard_cache": "",
        "fleetyard_cache_store": "",
        "fleetyard_cache_medium": "nvme",
    }
