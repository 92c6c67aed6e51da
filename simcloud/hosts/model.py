"""What should be running, as the world says it and the hosts' process reads it: machines, networks, firewalls.

The world (no privileges) answers `machines` with a `Fleet`; the hosts' process (root) makes it so. Addresses are
IPv4 texts, ranges CIDR texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Cloud = Literal["aws", "gcp"]


@dataclass(frozen=True, slots=True)
class Machine:
    """One instance, or one host of a TPU slice.

    key: names it over both clouds and all its life (an instance id; a Google instance's numeric id; `<node>/<worker>`).
    host_name: as the cloud gives it (`ip-10-40-0-5`, the instance's name, `t1v-n-...-w-0`).
    disk: names its root disk's life: another value means an empty disk from the image again.
    drives_life: the same for its local drives: another value means that they are empty (a stop keeps the root disk).
    boots: how often it was started or restarted; a higher number than the one seen is a reboot.
    power: whether it should run. reachable: False while its network is cut.
    user_data: for cloud-init (AWS) or the startup script (Google Cloud), as stored; never written to a log.
    """

    cloud: Cloud
    key: str
    name: str
    host_name: str
    network: str
    subnet: str
    cidr: str
    address: str
    machine: str
    zone: str
    region: str
    image: str
    identity: str
    disk: str
    boots: int
    power: bool
    drives_life: str = ""
    reachable: bool = True
    user_data: str = field(default="", repr=False)
    project: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    drives: int = 0
    """Local NVMe drives that the machine type brings; their content is lost when it stops."""
    accelerators: int = 0
    mac: str = ""
    """The hardware address of its interface, as the metadata service says it (cloud-init matches interfaces by it)."""
    image_name: str = ""
    """What the image's owner calls it, where `image` is only an id."""
    failed: bool = False
    """Its hardware failed: without power it ended at once, and did not shut down."""


@dataclass(frozen=True, slots=True)
class Network:
    """One VPC: its ranges, and its subnets by id."""

    cloud: Cloud
    id: str
    cidrs: tuple[str, ...]
    subnets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """One firewall rule of one machine. Lower priority numbers go first, equal ones in the order of the list (which
    names refusals first); what no rule accepts is dropped.

    peers: ranges on the other side. ports: first and last of the receiver, None for all.
    """

    machine: str
    direction: Literal["in", "out"]
    peers: tuple[str, ...]
    protocol: Literal["tcp", "udp", "icmp", "all"]
    ports: tuple[int, int] | None = None
    accept: bool = True
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Fleet:
    """All that should run. revision changes when anything here does."""

    revision: str
    machines: tuple[Machine, ...]
    networks: tuple[Network, ...]
    rules: tuple[Rule, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the wire."""
        return asdict(self)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Fleet:
        """From the wire. Raises TypeError or KeyError for another shape."""
        return cls(
            said["revision"],
            tuple(Machine(**row) for row in said["machines"]),
            tuple(Network(**{**row, "cidrs": tuple(row["cidrs"])}) for row in said["networks"]),
            tuple(_rule(row) for row in said["rules"]),
        )


def _rule(row: Mapping[str, Any]) -> Rule:
    ports = row.get("ports")
    return Rule(**{**row, "peers": tuple(row["peers"]), "ports": (ports[0], ports[1]) if ports else None})
