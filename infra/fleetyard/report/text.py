"""What stands, as plain text: one table for pools, one for the network and stores, one for the members."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from fleetyard.catalog import Cloud
from fleetyard.findings import Finding, Level, StackPath
from fleetyard.outputs import StackOutputs
from fleetyard.plan import Plan
from fleetyard.report.members import Member
from fleetyard.report.tables import table
from fleetyard.report.words import CLOUDS, money

MEMBERS_SHOWN = 20
"""Members of a pool that are listed; the others are counted by state."""


def standing(outputs: StackOutputs, members: Sequence[Member] | None, labels: Sequence[str]) -> str:
    """The tables. members: None when the cloud was not asked; labels: words such as "simulated"."""
    return "\n".join(_sections(outputs, members, labels)) + "\n"


def _sections(outputs: StackOutputs, members: Sequence[Member] | None, labels: Sequence[str]) -> Iterator[str]:
    place = f"{CLOUDS[Cloud(outputs.cloud)]} {outputs.region}"
    said = [outputs.stack, place, f"owner {outputs.owner}", money(outputs.usd_per_hour), *labels]
    yield "  ·  ".join(said)
    yield ""
    yield table(_pools(outputs, members), right=frozenset({3, 4, 5, 7})).rstrip("\n")
    yield ""
    yield table(_network(outputs)).rstrip("\n")
    if outputs.stores:
        yield ""
        rows = [("store", "at", "on destroy")]
        rows += [(name, store.url, store.on_destroy) for name, store in outputs.stores.items()]
        yield table(rows).rstrip("\n")
    if members:
        yield ""
        yield table([("member", "pool", "state", "zone", "address"), *_members(members)]).rstrip("\n")
    for name, url in outputs.endpoints.items():
        yield f"endpoint {name}: {url}"


def _pools(outputs: StackOutputs, members: Sequence[Member] | None) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("pool", "role", "machine", "count", "hosts", "accelerators", "bought", "$ an hour", "live", "group")
    ]
    for name, pool in outputs.pools.items():
        price = f"{pool.usd_per_hour:,.2f}" if pool.usd_per_hour is not None else "unknown"
        groups = ", ".join(group.rpartition("/")[2] for group in pool.groups.values())
        counted = (f"{pool.count:,}", f"{pool.hosts:,}", f"{pool.accelerators:,}")
        live = "not asked" if members is None else _live([member for member in members if member.pool == name])
        rows.append((name, pool.role, pool.machine, *counted, pool.buy, price, live, groups))
    return rows


def _live(members: Sequence[Member]) -> str:
    """How many members in which state: `7 running`, or `6 running, 1 pending`."""
    states = Counter(member.state.lower() for member in members)
    return ", ".join(f"{count} {state}" for state, count in states.most_common()) or "none"


def _network(outputs: StackOutputs) -> list[tuple[str, ...]]:
    network = outputs.network
    rows: list[tuple[str, ...]] = [
        ("network", "range", "zone", "id"),
        (outputs.stack, network.cidr, "", _short(network.id)),
    ]
    rows += [(f"  {key}", s.cidr, s.zone or "regional", _short(s.id)) for key, s in network.subnets.items()]
    return rows


def _short(name: str) -> str:
    """A Google resource by its own name; its path says only what stands above it."""
    return name.rpartition("/")[2]


def _members(members: Sequence[Member]) -> Iterator[tuple[str, ...]]:
    shown: Counter[str] = Counter()
    for member in members:
        shown[member.pool] += 1
        if shown[member.pool] <= MEMBERS_SHOWN:
            yield member.name, member.pool, member.state, member.zone, member.address or "none yet"
    for pool, count in shown.items():
        if count > MEMBERS_SHOWN:
            yield f"... {count - MEMBERS_SHOWN:,} more", pool, "", "", ""


def missing_members(outputs: StackOutputs, members: Sequence[Member]) -> list[Finding]:
    """Pools with fewer machines up than they should have: the cloud is still making them, or cannot."""
    found = []
    for name, pool in outputs.pools.items():
        up = sum(member.pool == name and member.up for member in members)
        if up < pool.hosts:
            message = f"{up:,} of {pool.hosts:,} machines are up"
            fix = "wait, or look at the group's activities"
            found.append(Finding("FY1907", Level.WARNING, StackPath("pools") / name, message, fix))
    return found


def differences(plan: Plan, outputs: StackOutputs) -> list[Finding]:
    """Where the stack file and what stands do not say the same: what the next `pulumi up` would change."""
    fix = "`pulumi up`, or set the stack file back"
    found = []
    planned = {pool.name: pool for pool in plan.pools}
    for name in sorted(planned.keys() | outputs.pools.keys()):
        path = StackPath("pools") / name
        if name not in outputs.pools:
            found.append((path, "is in the stack file and does not stand"))
        elif name not in planned:
            found.append((path, "stands and is not in the stack file"))
        else:
            want, have = planned[name], outputs.pools[name]
            pairs = (("machine", want.machine_name, have.machine), ("count", want.count, have.count))
            found += [
                (path / field, f"is {mine}; what stands has {theirs}")
                for field, mine, theirs in pairs
                if mine != theirs
            ]
    if str(plan.network.cidr) != outputs.network.cidr:
        found.append((StackPath("network.cidr"), f"is {plan.network.cidr}; what stands has {outputs.network.cidr}"))
    missing = sorted({store.name for store in plan.stores} ^ outputs.stores.keys())
    found += [(StackPath("stores") / name, "is in only one of stack file and what stands") for name in missing]
    return [Finding("FY1903", Level.WARNING, path, message, fix) for path, message in found]
