"""What is checked of the host around the accelerators."""

from __future__ import annotations

from fleetyard.acceptance.model import Measure
from fleetyard.acceptance.parsers import lsblk, nvme_list, smart
from fleetyard.acceptance.registry import Bench, Found, at_least, check, ruled, skipped, unjudged, unmeasured
from fleetyard.catalog import Nvme, Unknown, known
from fleetyard.health import Action, drive_action


@check("FY3141", required=True, fix="the machine type is another, or CPUs are offline (lscpu)")
def cpu_count(bench: Bench) -> Found:
    """The host has all its processors online."""
    count = bench.evidence.part("cpu", "count")
    return at_least(count, bench.machine.vcpu, "vCPU", f"catalogue, {bench.machine.source}")


@check("FY3142", required=True, fix="a memory module is gone, or the machine type is another (dmidecode -t memory)")
def host_memory(bench: Bench) -> Found:
    """The host has its memory, less what firmware and kernel hold back."""
    size = bench.evidence.part("memory", "total_gib")
    share, wanted = bench.facts.shares["host_memory"], bench.machine.ram_gib
    floor = wanted * share if known(wanted) else wanted
    source = f"{share:.0%} of the catalogue's {wanted} GiB, {bench.machine.source}"
    return at_least(size, floor, "GiB", source)


@check("FY3143", required=False, fix="compare with the other nodes of the pool: one that stands out is replaced")
def host_memory_rate(bench: Bench) -> Found:
    """Memory bandwidth of the host: measured, and judged by nobody, for no cloud publishes one."""
    rate = bench.evidence.part("memory", "copy_gb_per_s")
    if isinstance(rate, Unknown):
        return unmeasured(rate)
    return unjudged(Measure(rate, "GB/s"), Unknown("no cloud publishes the memory bandwidth of its machines"))


def _local(bench: Bench) -> tuple[str, ...] | Unknown:
    """Local drives by name; from nvme-cli, else from lsblk by their models."""
    listed = bench.evidence.read("nvme_list", nvme_list.parse)
    if not isinstance(listed, Unknown):
        return tuple(drive.path for drive in listed if drive.local)
    blocks = bench.evidence.read("lsblk", lsblk.parse)
    if isinstance(blocks, Unknown):
        return Unknown(f"{listed.reason}; {blocks.reason}")
    named = [block for block in blocks if block.kind == "disk"]
    if any(block.name.startswith("nvme") and not block.model for block in named):
        return Unknown(f"{listed.reason}; lsblk shows no models")
    return tuple(
        b.name for b in named if b.model.startswith(nvme_list.LOCAL) and not b.model.startswith("nvme_card-pd")
    )


@check(
    "FY3144",
    required=True,
    fix="stop and start the machine: it moves to another host; a drive that stays away is reported",
)
def nvme_count(bench: Bench) -> Found:
    """Every local NVMe drive of the machine is there."""
    wanted = bench.machine.nvme
    if wanted is None:
        return skipped(f"{bench.machine.name} has no local drives")
    source, found = f"catalogue, {bench.machine.source}", _local(bench)
    if isinstance(found, Unknown):
        return unmeasured(found, Measure(wanted.drives, "drives") if isinstance(wanted, Nvme) else None, source)
    if isinstance(wanted, Unknown):
        return unjudged(Measure(len(found), "drives"), wanted)
    why = f"{len(found)} of {wanted.drives} local drives"
    return ruled(
        len(found) == wanted.drives, Measure(len(found), "drives"), Measure(wanted.drives, "drives"), source, why
    )


@check("FY3145", required=False, fix="the drive reports less than its size: stop and start the machine")
def nvme_size(bench: Bench) -> Found:
    """Each local drive has its size."""
    wanted = bench.machine.nvme
    if wanted is None:
        return skipped(f"{bench.machine.name} has no local drives")
    listed = bench.evidence.read("nvme_list", nvme_list.parse)
    if isinstance(listed, Unknown):
        return unmeasured(listed)
    sizes = [drive.bytes / 1e9 for drive in listed if drive.local and known(drive.bytes)]
    low: float | Unknown = min(sizes, default=Unknown("no local drive"))
    share = bench.facts.shares["nvme_size"]
    floor = wanted if isinstance(wanted, Unknown) else wanted.gb_each * share
    source = f"{share:.0%} of the catalogue's size, {bench.machine.source}"
    return at_least(low, floor, "GB", source)


@check("FY3146", required=False, fix="look at SMART and at what else uses the drives; replace the machine")
def nvme_rate(bench: Bench) -> Found:
    """The cache reads at a share of what the cloud publishes for its drives."""
    rate = bench.evidence.part("disk", "read_gb_per_s")
    if bench.machine.nvme is None:
        return skipped(f"{bench.machine.name} has no local drives")
    share, published = bench.facts.shares["nvme_rate"], bench.of_machine.nvme_read_gb_per_s
    floor = published * share if known(published) else published
    source = f"{share:.0%} of {published} GB/s, {bench.of_machine.source}"
    return at_least(rate, floor, "GB/s", source)


@check("FY3147", required=False, fix="replace the machine: a drive that warns loses what it caches")
def nvme_smart(bench: Bench) -> Found:
    """No drive warns by SMART: spare blocks, wear, read-only, media errors."""
    if bench.machine.nvme is None:
        return skipped(f"{bench.machine.name} has no local drives")
    source, none = "NVMe base specification, SMART log; docs/health.md", Measure(0, "drives that warn")
    asked = bench.evidence.names("nvme_smart:")
    if not asked:
        return unmeasured(Unknown("the probe found no drive to ask"), none, source)
    bad: list[str] = []
    silent: Unknown | None = None
    for name in asked:
        seen = bench.evidence.read(name, smart.parse)
        if isinstance(seen, Unknown):
            silent = Unknown(f"{name.split(':', 1)[1]}: {seen.reason}")
            continue
        ruling = drive_action(seen)
        if ruling.action in (Action.DRAIN, Action.REPLACE):
            bad.append(f"{name.split(':', 1)[1]}: {ruling.said}")
    if silent is not None and not bad:
        return unmeasured(silent, none, source)
    return ruled(not bad, Measure(len(bad), "drives that warn"), none, source, "; ".join(bad[:3]))
