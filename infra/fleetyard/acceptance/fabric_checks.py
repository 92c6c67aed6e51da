"""What is checked of the networks between machines."""

from __future__ import annotations

from fleetyard.acceptance.bounds import all_reduce_bound, ceiling
from fleetyard.acceptance.model import Measure
from fleetyard.acceptance.parsers import fi_info, ibstat, ibv_devinfo, rdma_statistic
from fleetyard.acceptance.registry import Bench, Found, at_least, check, ruled, skipped, unjudged, unmeasured
from fleetyard.catalog import Fabric, Unknown, known


@check(
    "FY3131", required=True, fix="the launch template's interfaces and the EFA driver; a device plugin may hide some"
)
def efa_devices(bench: Bench) -> Found:
    """libfabric sees every EFA device of the machine, once."""
    wanted = bench.machine.efa
    if not wanted:
        return skipped(f"{bench.machine.name} has no EFA")
    source = f"catalogue, {bench.machine.source}"
    seen = bench.evidence.read("fi_info", fi_info.parse)
    if isinstance(seen, Unknown):
        return unmeasured(seen, Measure(wanted, "devices"), source)
    found = fi_info.devices(seen)
    why = f"libfabric sees {len(found)} of {wanted} EFA devices"
    return ruled(len(found) == wanted, Measure(len(found), "devices"), Measure(wanted, "devices"), source, why)


@check("FY3132", required=True, fix="the RDMA network's subnets and NICs, and the mlx5 driver")
def rdma_devices(bench: Bench) -> Found:
    """Every RDMA device of a machine with RoCE is there."""
    if bench.machine.fabric is not Fabric.ROCE:
        return skipped(f"{bench.machine.name} has no RoCE network")
    floor, source = bench.of_machine.rdma_devices, bench.of_machine.source
    seen = bench.evidence.read("ibv_devinfo", ibv_devinfo.parse)
    count = seen if isinstance(seen, Unknown) else len(seen)
    return at_least(count, floor, "devices", source)


@check("FY3133", required=True, fix="a port that stays down: replace the machine")
def rdma_ports(bench: Bench) -> Found:
    """Every port of an RDMA device is active."""
    if not bench.machine.efa and bench.machine.fabric is not Fabric.ROCE:
        return skipped(f"{bench.machine.name} has no RDMA network")
    source, none = "ibv_devinfo: PORT_ACTIVE", Measure(0, "devices down")
    seen = bench.evidence.read("ibv_devinfo", ibv_devinfo.parse)
    if isinstance(seen, Unknown):
        return unmeasured(seen, none, source)
    asked = [each for each in seen if each.efa] if bench.machine.efa else list(seen)
    wanted = bench.machine.efa or bench.of_machine.rdma_devices
    if not asked or (known(wanted) and len(asked) < wanted):
        return unmeasured(Unknown(f"ibv_devinfo shows {len(asked)} of {wanted} devices"), none, source)
    down = [each.name for each in asked if not each.up]
    return ruled(not down, Measure(len(down), "devices down"), none, source, f"down: {', '.join(down)}")


@check("FY3134", required=False, fix="stop and start the machine; a port that stays slow: replace it")
def rdma_rate(bench: Bench) -> Found:
    """Every active RDMA port runs at its card's rate."""
    if bench.machine.fabric is not Fabric.ROCE or isinstance(bench.of_machine.rdma_devices, Unknown):
        return skipped("only asked of RoCE cards: EFA reports rates of its own")
    ports = bench.evidence.read("ibstat", ibstat.parse)
    total, count = bench.of_machine.fabric_gbps, bench.of_machine.rdma_devices
    floor = total / count if known(total) else total
    source = bench.of_machine.source
    if isinstance(ports, Unknown):
        return unmeasured(ports, Measure(floor, "Gbps") if known(floor) else None, source)
    low = min((port.gbps for port in ports if port.up), default=Unknown("no port is up"))
    return at_least(low, floor, "Gbps", source)


@check(
    "FY3135", required=False, fix="look at the peers too: errors on one side are often the other's; replace what stays"
)
def rdma_errors(bench: Bench) -> Found:
    """No RDMA read or write of this machine has ended in an error since boot."""
    if not bench.machine.efa and bench.machine.fabric is not Fabric.ROCE:
        return skipped(f"{bench.machine.name} has no RDMA network")
    source, none = "EFA hardware counters", Measure(0, "failed requests")
    counters = bench.evidence.read("rdma_counters", rdma_statistic.parse)
    if isinstance(counters, Unknown):
        return unmeasured(counters, none, source)
    bad = {
        f"{port} {name}": value
        for port, row in counters.items()
        for name, value in row.items()
        if name in ("rdma_read_wr_err", "rdma_write_wr_err") and value
    }
    why = ", ".join(f"{name} {value}" for name, value in list(bad.items())[:3])
    return ruled(not bad, Measure(sum(bad.values()), "failed requests"), none, source, why)


def _rates(bench: Bench) -> tuple[float | Unknown | None, float | Unknown | None]:
    """GB/s of the wire of one node and of the links of one chip, one direction; None where there is none."""
    gbps = bench.of_machine.fabric_gbps
    if isinstance(gbps, Unknown):
        gbps = bench.machine.network_gbps
    wire = gbps / 8 if known(gbps) else gbps
    link = bench.chip.link_gb_per_s if bench.chip else None
    return wire if bench.nodes > 1 else None, None if link == 0 or bench.machine.accelerators < 2 else link


@check(
    "FY3136", required=False, fix="run it on pairs of nodes to find the slow one; look at EFA devices and NVLinks first"
)
def all_reduce_rate(bench: Bench) -> Found:
    """An all-reduce over the nodes reaches a share of what wire and links allow for that many nodes.

    More than switches that reduce could reach is no pass: then the measurement is wrong.
    """
    if bench.chip is None or bench.nodes * bench.machine.accelerators < 2:
        return skipped("no two accelerators")
    wire, link = _rates(bench)
    gap = next((rate for rate in (wire, link) if isinstance(rate, Unknown)), None)
    run = bench.all_reduce
    value = run if isinstance(run, Unknown) else run.best(bench.facts.all_reduce_bytes)
    if gap is not None:
        return unmeasured(value) if isinstance(value, Unknown) else unjudged(Measure(value, "GB/s"), gap)
    rates = [None if isinstance(rate, Unknown) else rate for rate in (wire, link)]
    if rates == [None, None]:
        why = Unknown("chips meet over PCIe only, whose bound is not derived")
        return unmeasured(value) if isinstance(value, Unknown) else unjudged(Measure(value, "GB/s"), why)
    per_node = bench.machine.accelerators
    bound = all_reduce_bound(rates[0], rates[1], bench.nodes, per_node)
    share = bench.facts.shares["all_reduce"]
    source = f"{share:.0%} of the bound {bound:.4g} GB/s for {bench.nodes} x {per_node} (hardware.md 7.2)"
    if isinstance(run, Unknown) or isinstance(value, Unknown):
        return unmeasured(
            run if isinstance(run, Unknown) else Unknown("no large message"), Measure(bound * share, "GB/s"), source
        )
    if run.ranks and run.ranks != bench.nodes * per_node:
        why = Unknown(f"the run had {run.ranks} ranks, not {bench.nodes} x {per_node}")
        return unmeasured(why, Measure(bound * share, "GB/s"), source)
    most = ceiling(rates[0], rates[1], bench.nodes, per_node)
    if value > 1.02 * most:
        why = Unknown(
            f"{value:.4g} GB/s is more than the {most:.4g} GB/s that physics allows: the measurement is wrong"
        )
        return unmeasured(why, Measure(bound * share, "GB/s"), source)
    return at_least(value, bound * share, "GB/s", source, f"over {bench.nodes} nodes")


@check("FY3137", required=False, fix="find the node by halves (nccl-tests -c 1 on pairs); replace it")
def all_reduce_values(bench: Bench) -> Found:
    """An all-reduce gives the right numbers."""
    run = bench.all_reduce
    if bench.chip is None or bench.nodes * bench.machine.accelerators < 2:
        return skipped("no two accelerators")
    source, none = "nccl-tests with -c 1", Measure(0, "wrong values")
    if isinstance(run, Unknown):
        return unmeasured(run, none, source)
    counts = [each.wrong for each in run.sizes if known(each.wrong)]
    if not counts and isinstance(run.out_of_bounds, Unknown):
        return unmeasured(Unknown("the run did not check its values"), none, source)
    wrong = sum(counts) + (run.out_of_bounds if known(run.out_of_bounds) else 0)
    return ruled(wrong == 0, Measure(wrong, "wrong values"), none, source, f"{wrong} wrong values")


@check(
    "FY3138", required=False, fix="look at the node's and its peer's interface (ethtool, MTU) and at the security group"
)
def tcp_rate(bench: Bench) -> Found:
    """TCP to the next node reaches a share of what one flow may have."""
    rate = bench.evidence.part("network", "send_gbps")
    if isinstance(rate, Unknown) and bench.evidence.parts.get("network") is None:
        return skipped("no peer was given to the probe")
    share, limit = bench.facts.shares["tcp"], bench.facts.tcp_flow_gbps
    whole = bench.machine.network_gbps
    floor = share * min(limit, whole) if known(whole) else whole
    source = (
        f"{share:.0%} of the lower of {limit} Gbps a flow and the machine's {whole} Gbps; {bench.facts.limits_source}"
    )
    return at_least(rate, floor, "Gbps", source)
