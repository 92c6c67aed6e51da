"""How the report says things. Unknown is said, never left out."""

from __future__ import annotations

from fleetyard.catalog import Cloud, Fabric, Nvme, Unknown, known
from fleetyard.plan import PoolPlan
from fleetyard.spec import Access, Egress

FABRICS = {
    Fabric.EFA: "EFA",
    Fabric.TCPX: "GPUDirect-TCPX",
    Fabric.TCPXO: "GPUDirect-TCPXO",
    Fabric.ROCE: "RoCE",
    Fabric.GVNIC: "gVNIC",
    Fabric.ICI: "ICI",
    Fabric.NONE: "no fabric",
}
CLOUDS = {Cloud.AWS: "AWS", Cloud.GCP: "Google Cloud"}
PEOPLE = {Access.SSM: "Session Manager", Access.IAP: "Identity-Aware Proxy"}
DOORS = {Access.SSM: "Systems Manager endpoints", Access.IAP: "SSH from IAP only"}
STORAGE_DOOR = {Cloud.AWS: "S3 gateway endpoint", Cloud.GCP: "Private Google Access"}
WAY_OUT = {Cloud.AWS: "internet gateway", Cloud.GCP: "Cloud NAT"}
NAT = {Egress.NAT_SHARED: "shared", Egress.NAT_PER_ZONE: "one a zone", Egress.NONE: "none"}


def money(usd_per_hour: float | Unknown | None) -> str:
    """Dollars an hour."""
    if usd_per_hour is None or isinstance(usd_per_hour, Unknown):
        return "cost unknown"
    return f"${usd_per_hour:,.2f} an hour"


def chip_name(accelerator_id: str) -> str:
    """`a100-sxm4-40gb` as people write it: A100 SXM4 40 GB; TPU v5e; Trainium2."""
    if accelerator_id.startswith("tpu-"):
        return f"TPU {accelerator_id.removeprefix('tpu-')}"
    if accelerator_id.startswith(("trainium", "inferentia")):
        return accelerator_id.capitalize()
    name = accelerator_id.upper().replace("-", " ")
    return f"{name.removesuffix('GB')} GB" if name.endswith("GB") else name


def accelerators(pool: PoolPlan) -> int:
    """Accelerators of a pool."""
    if pool.shape is not None:
        return pool.count * pool.shape.chips
    return pool.count * (pool.machine.accelerators if pool.machine else 0)


def what(pool: PoolPlan) -> str:
    """How many of what."""
    if pool.shape is not None:
        return f"{pool.count:,} × {pool.machine_name} ({pool.topology}), {pool.hosts:,} hosts"
    return f"{pool.count:,} × {pool.machine_name}"


def facts(pool: PoolPlan) -> list[str]:
    """The lines under a pool's picture."""
    lines = []
    chip = pool.machine.accelerator if pool.machine else None
    if chip is not None:
        lines.append(f"{accelerators(pool):,} × {chip_name(chip.id)}")
    if pool.fabric is not Fabric.NONE:
        lines.append(_fabric(pool))
    if pool.cache is not None:
        lines.append(f"{pool.cache.at} {_medium(pool)}, filled from {pool.cache.store}")
    buy = pool.buy or "no way to buy it"
    lines.append(f"{buy}, {money(pool.usd_per_hour)}")
    return lines


def _fabric(pool: PoolPlan) -> str:
    machine = pool.machine
    if machine is None:
        return ""
    rate = f", {machine.network_gbps:,.0f} Gbps" if known(machine.network_gbps) else ""
    if pool.fabric is Fabric.EFA:
        cards = "1 card" if machine.efa == 1 else f"{machine.efa} cards"
        return f"EFA on {cards}{rate} each way"
    if pool.fabric is Fabric.ICI:
        return f"ICI inside a slice{', ' + rate.removeprefix(', ') + ' a host outside' if rate else ''}"
    return f"{FABRICS[pool.fabric]}{rate}"


def _medium(pool: PoolPlan) -> str:
    if pool.cache is None or pool.cache.medium == "ram":
        return "in host memory"
    nvme = pool.machine.nvme if pool.machine else None
    if isinstance(nvme, Nvme):
        return f"on {nvme.total_gb / 1000:.3g} TB NVMe"
    return f"on {pool.local_ssds} local SSD{'s' if pool.local_ssds != 1 else ''}"
