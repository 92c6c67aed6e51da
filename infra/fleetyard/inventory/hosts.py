"""Hosts, groups and their variables. No cloud is asked here and nothing is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleetyard.catalog import Catalog, NotInCatalogError, Nvme
from fleetyard.findings import error
from fleetyard.inventory.accelerators import variables
from fleetyard.inventory.access import Access, environment_of

if TYPE_CHECKING:
    from fleetyard.inventory.packages import Packages
    from fleetyard.outputs import StackOutputs
    from fleetyard.report.members import Member

ALL = "fleetyard"
ABSENT = "absent"
"""The group of machines that the cloud lists and that are not up: on no play's list, and seen by whoever asks."""


@dataclass(frozen=True, slots=True)
class Host:
    """One machine as Ansible sees it."""

    name: str
    groups: tuple[str, ...]
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inventory:
    """All machines of a stack, and what is true of every one of them."""

    hosts: tuple[Host, ...]
    common: Mapping[str, Any]

    def groups(self) -> dict[str, list[str]]:
        """The names of the hosts of every group."""
        found: dict[str, list[str]] = {}
        for host in self.hosts:
            for group in host.groups:
                found.setdefault(group, []).append(host.name)
        return found


def build(
    outputs: StackOutputs,
    members: Iterable[Member],
    access: Access,
    facts: Catalog,
    env: Mapping[str, str],
    packages: Packages | None = None,
) -> Inventory:
    """The inventory of a stack. packages: where what accelerators need is had from; None: they get nothing.

    Raises FleetyardError (FY1933) when two machines that are up have one name.
    """
    named = _named(sorted(members, key=lambda member: (member.pool, member.name)))
    of_kind: dict[tuple[str, str], Mapping[str, Any]] = {}
    for _, member in named:
        kind = (member.pool, member.machine)
        if kind not in of_kind:
            of_kind[kind] = _facts(outputs, member, facts, packages)
    hosts = tuple(_host(outputs, name, member, access, of_kind[member.pool, member.machine]) for name, member in named)
    return Inventory(hosts, _common(outputs, access, env, named))


def group_word(prefix: str, name: str) -> str:
    """A group's name: Ansible takes letters, digits and underscores."""
    return re.sub(r"\W", "_", f"{prefix}_{name}")


def _named(members: Sequence[Member]) -> list[tuple[str, Member]]:
    """Each machine's name in the inventory. One that is not up gives its name away to one that is."""
    taken: dict[str, Member] = {}
    for member in members:
        name = member.host_name or member.name
        if name not in taken:
            taken[name] = member
            continue
        other = taken.pop(name)
        if member.up and other.up:
            message = f"{other.name} of {other.pool} and {member.name} of {member.pool} are both called so"
            raise error("FY1933", f"host {name}", message, "give the stacks' networks different ranges, or end one")
        first, second = (member, other) if member.up else (other, member)
        taken[name] = first
        taken[second.name if second.name != name else f"{name}-{second.key}"] = second
    return sorted(taken.items())


def _host(outputs: StackOutputs, name: str, member: Member, access: Access, facts: Mapping[str, Any]) -> Host:
    pool = outputs.pools[member.pool]
    ready = member.up and member.address is not None
    groups = (group_word("pool", member.pool), group_word("role", pool.role), f"cloud_{outputs.cloud}", ALL)
    variables = {
        **access.variables(outputs, member),
        **facts,
        "fleetyard_pool": member.pool,
        "fleetyard_role": pool.role,
        "fleetyard_zone": member.zone,
        "fleetyard_machine": member.machine,
        "fleetyard_instance": member.key,
        "fleetyard_state": member.state,
        "fleetyard_address": member.address or "",
    }
    return Host(name, groups if ready else (ABSENT,), variables)


def _facts(outputs: StackOutputs, member: Member, facts: Catalog, packages: Packages | None) -> dict[str, Any]:
    """What the catalogue and the export say of a pool's machines; a machine it does not know has no accelerator."""
    pool = outputs.pools[member.pool]
    kind, count, drives = "", 0, 0
    installed: Mapping[str, Any] = {}
    try:
        if pool.kind.startswith("tpu"):
            shape = facts.tpu_shape(member.machine)
            kind, count = f"tpu-{shape.generation}", shape.chips_per_host
            machine = facts.machine(outputs.cloud, shape.machine)
        else:
            machine = facts.machine(outputs.cloud, member.machine)
            kind = machine.accelerator.id if machine.accelerator else ""
            count = machine.accelerators
            drives = machine.nvme.drives if isinstance(machine.nvme, Nvme) else 0
        installed = variables(pool, outputs.scheduler, machine, packages)
    except NotInCatalogError:
        count = pool.accelerators // pool.hosts if pool.hosts else 0
    return {
        "fleetyard_accelerator": kind,
        "fleetyard_accelerators": count,
        "fleetyard_drives": drives,
        "fleetyard_cache": pool.cache or "",
        "fleetyard_cache_store": pool.cache_store or "",
        "fleetyard_cache_medium": "ram" if pool.kind.startswith("tpu") else "nvme",
        **installed,
    }


def _common(
    outputs: StackOutputs, access: Access, env: Mapping[str, str], named: Sequence[tuple[str, Member]]
) -> dict[str, Any]:
    """Variables of every host. The list of members stands once, so that no template asks a thousand hosts."""
    return {
        "fleetyard_stack": outputs.stack,
        "fleetyard_owner": outputs.owner,
        "fleetyard_cloud": outputs.cloud,
        "fleetyard_region": outputs.region,
        "fleetyard_project": outputs.project or "",
        "fleetyard_scheduler": outputs.scheduler,
        "fleetyard_network": outputs.network.cidr,
        "fleetyard_simulated": access.simulated,
        "fleetyard_stores": {name: store.url for name, store in sorted(outputs.stores.items())},
        "fleetyard_endpoint_environment": environment_of(outputs, env),
        "fleetyard_members": [
            {
                "name": name,
                "address": member.address,
                "pool": member.pool,
                "role": outputs.pools[member.pool].role,
                "instance": member.key,
            }
            for name, member in named
            if member.up and member.address is not None
        ],
    }
