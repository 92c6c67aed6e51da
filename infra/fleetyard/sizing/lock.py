"""The sizing lock, `stacks/<stack>.sizing.json`: counts that a program may use without sizing anything itself.

`fleetyard size` writes it; the program reads it and compares a hash of everything that the counts follow from. Prices
are not among that: a new price changes what a run costs, not how many machines it needs. Nothing in it is random or
depends on the clock, so the same inputs give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fleetyard.catalog import Catalog, NotInCatalogError, Unknown, catalog, known
from fleetyard.findings import Exit, FleetyardError, error
from fleetyard.sizing.assumptions import Assumptions, assumptions
from fleetyard.sizing.models import UnknownModelError, model
from fleetyard.sizing.result import Choice, Sizing
from fleetyard.sizing.stack import StackLike, StackSizing, choice_of, workload_of

VERSION = 1
METHOD = "structural-1"
"""Names the model behind the counts; a new model makes old locks stale."""

DATA_FILES = ("chips", "constants", "frameworks", "intervals", "serving")
"""What the performance model was calibrated to: new values make old locks stale."""


class LockError(FleetyardError):
    """The lock cannot be used. Carries one finding whose fix is to size again."""


class LockMissingError(LockError):
    """There is no lock (FY1601)."""


class LockBrokenError(LockError):
    """The file is not a lock that this version reads (FY1602)."""


class LockStaleError(LockError):
    """The lock was made from other inputs (FY1603)."""


@dataclass(frozen=True, slots=True)
class SizingLock:
    """A lock as read. pools: pool to count (machines, or slices); workloads: results for people and reports."""

    inputs_hash: str
    pools: Mapping[str, int]
    workloads: Mapping[str, Mapping[str, Any]]


def lock_path(stacks: Path, stack: str) -> Path:
    """Where the lock of a stack lies."""
    return stacks / f"{stack}.sizing.json"


def lock_inputs_hash(stack: StackLike, facts: Catalog | None = None, assume: Assumptions | None = None) -> str:
    """SHA-256, in hex, over everything that the counts follow from, as canonical JSON.

    Names that nobody knows (a mistyped machine or model) take part as they are typed, so hashing never fails.
    """
    facts, assume = facts or catalog(), assume or assumptions()
    inputs = {
        "method": METHOD,
        "assumptions": asdict(assume),
        "calibration": _calibration(),
        "workloads": {
            name: {"pool": given.pool, "model": _model(given.model), "given": asdict(workload_of(name, given))}
            for name, given in stack.workloads.items()
        },
        "pools": {
            name: {
                "machine": pool.machine,
                "count": pool.count,
                "slices": pool.slices,
                "facts": _facts(stack, name, facts),
            }
            for name, pool in stack.pools.items()
            if any(given.pool == name for given in stack.workloads.values())
        },
    }
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _calibration() -> dict[str, str]:
    """Digests of the data that the performance model reads."""
    folder = Path(__file__).parent
    return {name: hashlib.sha256((folder / f"{name}.toml").read_bytes()).hexdigest() for name in DATA_FILES}


def _model(name: str) -> dict[str, Any]:
    try:
        facts = asdict(model(name))
        return {field: value for field, value in facts.items() if field not in ("aliases", "source")}
    except UnknownModelError:
        return {"name": name}


def _facts(stack: StackLike, pool: str, facts: Catalog) -> dict[str, Any]:
    """The facts of the catalogue that sizing uses, and nothing else."""
    try:
        choice = choice_of(stack, stack.pools[pool], facts, None)
    except NotInCatalogError:
        return {}
    chip = choice.machine.accelerator
    return {
        "machine": choice.machine.name,
        "accelerators": choice.accelerators_per_unit,
        "hosts": choice.hosts_per_unit,
        "network_gbps": _value(choice.machine.network_gbps),
        "ip_gbps": _ip(choice),
        "chip": None
        if chip is None
        else {
            "id": chip.id,
            "memory_mib": _value(chip.memory_mib),
            "bf16_tflops_peak": _value(chip.bf16_tflops_peak),
            "memory_gb_per_s": _value(chip.memory_gb_per_s),
        },
    }


def _value(fact: float | Unknown) -> float | None:
    return fact if known(fact) else None


def _ip(choice: Choice) -> float | None:
    return next((_value(card.gbps) for card in choice.machine.network_cards if card.ena), None)


def lock_document(stack: StackLike, sizing: StackSizing, facts: Catalog | None = None) -> dict[str, Any]:
    """What the lock says, as plain data."""
    return {
        "version": VERSION,
        "made_by": f"fleetyard size --stack {stack.name}",
        "inputs_hash": lock_inputs_hash(stack, facts),
        "pools": {name: {sizing.units[name]: count} for name, count in sizing.counts.items()},
        "workloads": {name: as_data(result) for name, result in sizing.workloads.items()},
    }


def as_data(sizing: Sizing) -> dict[str, Any]:
    """One sizing as plain data: numbers to six digits, unknown as null."""
    return {
        "pool_unit": sizing.unit,
        "count": sizing.count,
        "hosts": sizing.hosts,
        "accelerators": sizing.accelerators,
        "seconds": _round(sizing.seconds),
        "seconds_high": _round(sizing.seconds_high),
        "step_s": _round(sizing.step_s),
        "step_interval_s": [_round(sizing.step_low_s), _round(sizing.step_high_s)],
        "layout": sizing.layout,
        "memory_gib": {name: _round(size) for name, size in sizing.memory.parts_gib},
        "memory_usable_gib": _round(sizing.memory.usable_gib),
        "checkpoint_gb": _round(sizing.checkpoint_gb),
        "checkpoint_interval_s": _round(sizing.checkpoint_interval_s),
        "goodput": _round(sizing.goodput),
        "hydrate_s": _round(sizing.hydrate_s),
        "usd_per_hour": _round(sizing.usd_per_hour),
        "usd": _round(sizing.usd),
        "kwh": _round(sizing.kwh),
        "carbon_kg": _round(sizing.carbon_kg),
        "binding": sizing.binding,
        "assumptions": list(sizing.assumptions),
    }


def _round(number: float | Unknown | None) -> float | None:
    return None if number is None or not known(number) else float(f"{number:.6g}")


def write_lock(path: Path, document: Mapping[str, Any]) -> None:
    """Write a lock, whole or not at all. Raises FleetyardError (exit 77) where writing is not allowed."""
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as problem:
        message = f"cannot be written: {problem.strerror or problem}"
        raise error("FY1604", path.name, message, "make its folder writable", Exit.PERMISSION) from None


def read_lock(path: Path) -> SizingLock:
    """Read a lock. Raises LockMissingError or LockBrokenError (exit 65)."""
    fix = f"run `fleetyard size --stack {path.name.removesuffix('.sizing.json')}`"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LockMissingError(
            error("FY1601", path.name, "is missing: the stack has not been sized", fix).findings
        ) from None
    except (OSError, ValueError, RecursionError):
        raise _broken(path, "is no JSON that can be read", fix) from None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise _broken(path, f"is not a sizing lock of version {VERSION}", fix)
    pools, digest, results = document.get("pools"), document.get("inputs_hash"), document.get("workloads")
    if not isinstance(pools, dict) or not isinstance(digest, str) or not isinstance(results, dict):
        raise _broken(path, "lacks `pools`, `inputs_hash` or `workloads`", fix)
    counts: dict[str, int] = {}
    for name, row in pools.items():
        count = next(iter(row.values()), None) if isinstance(row, dict) else None
        if type(count) is not int or count < 1:
            raise _broken(path, f"has no count for pool {name}", fix)
        counts[name] = count
    return SizingLock(digest, counts, results)


def _broken(path: Path, what: str, fix: str) -> LockBrokenError:
    return LockBrokenError(error("FY1602", path.name, what, fix).findings)


def require_fresh(lock: SizingLock, stack: StackLike, facts: Catalog | None = None) -> None:
    """Raise LockStaleError (exit 65) when the lock was made from other inputs than these."""
    if lock.inputs_hash != lock_inputs_hash(stack, facts):
        fix = f"run `fleetyard size --stack {stack.name}` and look at what changed"
        message = "is stale: the workloads, the pools or the facts they were sized from have changed"
        raise LockStaleError(error("FY1603", f"{stack.name}.sizing.json", message, fix).findings)
