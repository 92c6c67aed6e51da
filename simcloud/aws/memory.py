"""moto's whole state as one value, and back: what a snapshot holds of it.

moto keeps a backend for each service, account and region in tables of its own, for the life of the process. The
tables stay; only the backends in them are taken out and put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto import backends
from moto.core.base_backend import BackendDict

from simcloud.aws import moto_bridge


@dataclass(frozen=True, slots=True)
class Table:
    """One service: its backends by account and region, and what else its table knows (S3: who owns which name)."""

    backends: dict[str, dict[str, Any]]
    more: dict[str, Any]


def taken() -> dict[str, Table]:
    """Every service that the world has used."""
    return {
        table.service_name: Table(
            {account: dict(dict.items(regions)) for account, regions in dict.items(table)},
            moto_bridge.of_the_service(table),
        )
        for table in BackendDict._instances
    }


def put_back(state: dict[str, Table]) -> None:
    """Let moto go on with these, and nothing else."""
    moto_bridge.forget()
    for service, kept in state.items():
        table = backends.get_backend(service)
        for account, regions in kept.backends.items():
            dict.update(table[account], regions)
        vars(table).update(kept.more)
