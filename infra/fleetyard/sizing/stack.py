"""From a stack to its sizings: which workload sizes which pool, and every reason why one cannot.

The stack is taken by its shape, not by its class, so that this room needs nothing but the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from fleetyard.catalog import Buy, Catalog, Cloud, NotInCatalogError, TpuShape, catalog
from fleetyard.findings import Finding, FleetyardError, Level, StackPath
from fleetyard.sizing import size
from fleetyard.sizing.models import UnknownModelError
from fleetyard.sizing.result import Choice, ImpossibleError, Kind, Sizing, Workload

SIZED = "sized"


class PoolLike(Protocol):
    """What sizing reads of a pool."""

    @property
    def machine(self) -> str:
        """Machine type, or the type of a TPU slice."""

    @property
    def count(self) -> int | str | None:
        """Machines, or `sized`."""

    @property
    def slices(self) -> int | str | None:
        """TPU slices, or `sized`."""


class WorkloadLike(Protocol):
    """What sizing reads of a workload."""

    @property
    def kind(self) -> str:
        """`train` or `serve`."""

    @property
    def pool(self) -> str:
        """The pool it runs on."""

    @property
    def model(self) -> str:
        """A named model."""

    @property
    def tokens(self) -> float | None:
        """Tokens to train on."""

    @property
    def deadline(self) -> timedelta | None:
        """From the first machine to the last step."""

    @property
    def requests_per_s(self) -> float | None:
        """Requests each second."""

    @property
    def prompt_tokens(self) -> float | None:
        """Tokens of a prompt."""

    @property
    def output_tokens(self) -> float | None:
        """Tokens of an answer."""

    @property
    def precision(self) -> str:
        """Number format of the matrix multiplications: `bf16` or `fp8`."""


class StackLike(Protocol):
    """What sizing reads of a stack."""

    @property
    def name(self) -> str:
        """The stack's name."""

    @property
    def cloud(self) -> Cloud:
        """Where it stands."""

    @property
    def region(self) -> str:
        """Where prices are taken."""

    @property
    def pools(self) -> Mapping[str, PoolLike]:
        """Pools by name."""

    @property
    def workloads(self) -> Mapping[str, WorkloadLike]:
        """Workloads by name."""


@dataclass(frozen=True, slots=True)
class StackSizing:
    """The counts of the pools that are sized, and every workload's sizing."""

    counts: Mapping[str, int]
    units: Mapping[str, str]
    workloads: Mapping[str, Sizing]


def workload_of(name: str, given: WorkloadLike) -> Workload:
    """A stack's workload in the words of sizing."""
    return Workload(
        name=name,
        kind=Kind(given.kind),
        model=given.model,
        tokens=given.tokens,
        deadline_s=given.deadline.total_seconds() if given.deadline is not None else None,
        requests_per_s=given.requests_per_s,
        prompt_tokens=given.prompt_tokens,
        output_tokens=given.output_tokens,
        precision=given.precision,
    )


def choice_of(stack: StackLike, pool: PoolLike, facts: Catalog, count: int | None) -> Choice:
    """What a pool is made of. Raises NotInCatalogError for a machine that the catalogue does not hold."""
    shape = _shape(pool.machine, facts) if stack.cloud is Cloud.GCP else None
    machine = facts.machine(stack.cloud, shape.machine if shape else pool.machine)
    return Choice(machine, shape, facts.price(machine, stack.region, Buy.ON_DEMAND), count, stack.region)


def _shape(name: str, facts: Catalog) -> TpuShape | None:
    try:
        return facts.tpu_shape(name)
    except NotInCatalogError:
        return None


def size_stack(stack: StackLike, facts: Catalog | None = None) -> StackSizing:
    """Size every workload of a stack; a pool with several gets the largest count.

    Raises FleetyardError (exit 65) with one finding for each workload that cannot be sized and each pool that is to be
    sized by none.
    """
    facts = facts or catalog()
    wrong: list[Finding] = []
    done: dict[str, Sizing] = {}
    for name, given in stack.workloads.items():
        try:
            done[name] = _size_one(stack, name, given, facts)
        except _RefusedError as refused:
            wrong.append(refused.finding)
    sized = {name: pool for name, pool in stack.pools.items() if SIZED in (pool.count, pool.slices)}
    for name, pool in sized.items():
        if all(given.pool != name for given in stack.workloads.values()):
            field = "slices" if pool.slices is not None else "count"
            fix = "add a workload that names the pool, or write a number"
            wrong.append(
                _finding("FY1615", StackPath("pools") / name / field, "is `sized`, but no workload runs here", fix)
            )
    if wrong:
        raise FleetyardError(wrong)
    counts = {
        name: max(sizing.count for workload, sizing in done.items() if stack.workloads[workload].pool == name)
        for name in sized
    }
    units = {name: "slices" if pool.slices is not None else "count" for name, pool in sized.items()}
    return StackSizing(counts, units, done)


class _RefusedError(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def _finding(code: str, path: str, message: str, fix: str) -> Finding:
    return Finding(code, Level.ERROR, path, message, fix)


def _size_one(stack: StackLike, name: str, given: WorkloadLike, facts: Catalog) -> Sizing:
    path = StackPath("workloads") / name
    pool = stack.pools.get(given.pool)
    if pool is None:
        raise _RefusedError(
            _finding(
                "FY1611", path / "pool", f"{given.pool} is no pool of this stack", f"one of {', '.join(stack.pools)}"
            )
        )
    typed = pool.slices if pool.slices is not None else pool.count
    try:
        choice = choice_of(stack, pool, facts, typed if isinstance(typed, int) else None)
    except NotInCatalogError as missing:
        fix = f"one of {', '.join(missing.near)}" if missing.near else "`fleetyard catalog` lists the machines"
        place = StackPath("pools") / given.pool / "machine"
        raise _RefusedError(_finding("FY1612", place, str(missing), fix)) from None
    for field in ("tokens", "requests_per_s", "prompt_tokens", "output_tokens"):
        amount = getattr(given, field)
        if amount is not None and not 0 < amount < 1e18:
            raise _RefusedError(
                _finding("FY1614", path / field, f"{amount:g} is no amount to size for", "between 1 and 1e18")
            )
    if given.deadline is not None and given.deadline.total_seconds() <= 0:
        raise _RefusedError(_finding("FY1614", path / "deadline", "leaves no time", "a deadline such as 14d"))
    try:
        return size(workload_of(name, given), choice)
    except UnknownModelError as unknown:
        fix = f"one of {', '.join(unknown.near)}" if unknown.near else "`fleetyard catalog --models` lists them"
        raise _RefusedError(_finding("FY1613", path / "model", str(unknown), fix)) from None
    except ImpossibleError as impossible:
        message = f"cannot be done with {pool.machine}: {impossible}"
        raise _RefusedError(_finding("FY1610", path, message, impossible.fix)) from None
