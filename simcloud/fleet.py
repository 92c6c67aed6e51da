"""All that should run, over both clouds, with a revision that changes whenever anything in it does.

Each cloud's `fleet` module reads its state into a `Part`; nothing here or there changes anything.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from simcloud.hosts.model import Fleet, Machine, Network, Rule


@dataclass(frozen=True, slots=True)
class Part:
    """What one cloud has to run."""

    machines: tuple[Machine, ...] = ()
    networks: tuple[Network, ...] = ()
    rules: tuple[Rule, ...] = ()


def joined(parts: Iterable[Part]) -> Fleet:
    """The parts as one. The revision is a digest of all of it, so a world that was rebuilt says the same again."""
    held = list(parts)
    machines = tuple(m for p in held for m in p.machines)
    networks = tuple(n for p in held for n in p.networks)
    rules = tuple(r for p in held for r in p.rules)
    rows = [[asdict(one) for one in table] for table in (machines, networks, rules)]
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    return Fleet(digest[:24], machines, networks, rules)


def hosts_of(addresses: Iterable[str | None]) -> tuple[str, ...]:
    """Single addresses as the fewest ranges that hold them and nothing else."""
    single = {ipaddress.IPv4Network(a) for a in addresses if a}
    return tuple(str(n) for n in ipaddress.collapse_addresses(single))
