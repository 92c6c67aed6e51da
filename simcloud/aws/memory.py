"""moto's whole state as one value, and back: what a snapshot holds of it.

moto keeps a backend for each service, account and region in tables of its own, for the life of the process. The
tables stay; only the backends in them are taken out and put back.
"""

from __future__ import annotations

import copyreg
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any

from moto import backends
from moto.core.base_backend import BackendDict


@dataclass(frozen=True, slots=True)
class Table:
    """One service: its backends by account and region, and what else its table knows (S3: who owns which name)."""

    backends: dict[str, dict[str, Any]]
    more: dict[str, Any]


def _remade(kind: Any, rows: dict[Any, Any], state: dict[str, Any]) -> Any:
    made = kind.__new__(kind)
    vars(made).update(state)
    dict.update(made, rows)
    return made


def _reduced(table: Any) -> Any:
    """A table of a kind of its own, whose constructor takes what a plain table's does not."""
    return _remade, (type(table), dict(dict.items(table)), dict(vars(table)))


def _nameable(backend: Any) -> None:
    """Give a backend's tables factories that can be written down, in place of functions without a name."""
    for table in vars(backend).values():
        if isinstance(table, defaultdict) and type(table) is not defaultdict:
            copyreg.pickle(type(table), _reduced)
            continue
        factory = getattr(table, "default_factory", None)
        if factory is None or getattr(factory, "__name__", "") != "<lambda>":
            continue
        made = factory()
        inner = getattr(made, "default_factory", None)
        table.default_factory = partial(defaultdict, inner) if isinstance(made, defaultdict) else type(made)


def taken() -> dict[str, Table]:
    """Every service that this process has used."""
    for one in BackendDict._instances:
        for regions in dict.values(one):
            for backend in dict.values(regions):
                _nameable(backend)
    return {
        table.service_name: Table(
            {account: dict(dict.items(regions)) for account, regions in dict.items(table)},
            {name: value for name, value in vars(table).items() if name not in _OF_THE_TABLE},
        )
        for table in BackendDict._instances
    }


def put_back(state: dict[str, Table]) -> None:
    """Let moto go on with these."""
    for service, kept in state.items():
        table = backends.get_backend(service)
        for account, regions in kept.backends.items():
            dict.update(table[account], regions)
        vars(table).update(kept.more)


_OF_THE_TABLE = frozenset({"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"})
