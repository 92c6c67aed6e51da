"""What a baked image saves: seconds that no host spends on installing any more, and what those would have cost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fleetyard.catalog import Unknown, known
from fleetyard.findings import error
from fleetyard.plan import Plan


@dataclass(frozen=True, slots=True)
class Record:
    """What was measured while an image was baked: `install_s` is the installing part of `site.yml` on one bare host."""

    name: str
    install_s: float
    size_mib: float
    packages: int


@dataclass(frozen=True, slots=True)
class Saving:
    """By pool: `s` on every start of a host, and over one start of all hosts; usd is Unknown where a price is."""

    pool: str
    hosts: int
    s: float
    usd: float | Unknown

    @property
    def host_min(self) -> float:
        """Minutes of all hosts together."""
        return self.hosts * self.s / 60


def read(path: Path) -> Record:
    """A record that `make setup-hosts` wrote. Raises FleetyardError (exit 65, FY2123)."""
    fix = "make setup-hosts writes one beside the image that it bakes"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Record(str(found["name"]), float(found["install_s"]), float(found["size_mib"]), int(found["packages"]))
    except OSError as wrong:
        raise error("FY2123", str(path), f"cannot be read: {wrong.strerror}", fix) from None
    except (ValueError, KeyError, TypeError) as wrong:
        raise error("FY2123", str(path), f"is no record of baking: {wrong}", fix) from None


def savings(record: Record, plan: Plan) -> Iterable[Saving]:
    """What each pool that boots images saves at one start of all its hosts. usd_per_hour is the pool's as planned."""
    for pool in plan.pools:
        if pool.tpu:
            continue
        usd = pool.usd_per_hour
        cost = usd * record.install_s / 3600 if known(usd) else usd
        yield Saving(pool.name, pool.hosts, record.install_s, cost)
