"""Rulings on what devices report of themselves: GPUs by nvidia-smi, drives by SMART, RDMA ports by their counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetyard.acceptance.parsers.nvidia_smi_xml import Gpu
from fleetyard.acceptance.parsers.smart import Smart
from fleetyard.catalog import Unknown, known
from fleetyard.health.actions import Action, Ruling
from fleetyard.health.windows import rate_per_s

_MEMORY = "NVIDIA GPU memory error management"
_SMI = "nvidia-smi manual: clocks event reasons, GPU recovery action"
_NVME = "NVM Express base specification, SMART / health information log"
_OURS = "ours (docs/health.md)"


@dataclass(frozen=True, slots=True)
class Sign:
    """One row of the table of signs: what a device reports, what is done, who says so."""

    kind: str
    title: str
    action: Action
    source: str


SIGNS: Mapping[str, Sign] = {
    "lost": Sign("gpu", "GPU is lost", Action.REPLACE, _SMI),
    "recovery": Sign("gpu", "the driver asks for a recovery action", Action.DRAIN, _SMI),
    "remap-pending": Sign("ecc", "a row waits to be remapped", Action.DRAIN, _MEMORY),
    "remap-failed": Sign("ecc", "a row could not be remapped", Action.REPLACE, _MEMORY),
    "dram": Sign("ecc", "uncorrectable DRAM errors since the driver was loaded", Action.DRAIN, _MEMORY),
    "sram": Sign("ecc", "uncorrectable SRAM errors since the driver was loaded", Action.DRAIN, _MEMORY),
    "sram-threshold": Sign("ecc", "SRAM errors beyond the board's own limit", Action.REPLACE, _MEMORY),
    "hw_thermal_slowdown": Sign("thermal", "hardware slows down for heat", Action.DRAIN, _SMI),
    "hw_power_brake_slowdown": Sign("thermal", "the power brake slows down", Action.DRAIN, _SMI),
    "hw_slowdown": Sign("thermal", "hardware slows down", Action.DRAIN, _SMI),
    "sw_thermal_slowdown": Sign("thermal", "the driver slows down for heat", Action.LOOK, _SMI),
    "fabric": Sign("nvlink", "GPU is not part of its NVLink fabric", Action.DRAIN, _SMI),
    "smart-temperature": Sign("nvme", "drive is too hot or too cold", Action.LOOK, _NVME),
    "smart-warning": Sign("nvme", "drive warns: spare blocks, reliability, read-only or backup", Action.REPLACE, _NVME),
    "smart-spare": Sign("nvme", "spare blocks are below their threshold", Action.REPLACE, _NVME),
    "smart-worn": Sign("nvme", "drive has outlived its rated wear", Action.LOOK, _NVME),
    "smart-media": Sign("nvme", "drive has errors of its media", Action.LOOK, _NVME),
}
"""Everything that a device may report of itself, with what is done about it."""


def gpu_rulings(gpu: Gpu) -> tuple[Ruling, ...]:
    """What one GPU's report means. Values that it does not give mean nothing here: the gate asks for them."""
    signs: list[tuple[str, str]] = []
    if gpu.lost:
        signs.append(("lost", ""))
    if known(gpu.recovery) and gpu.recovery != "None":
        signs.append(("recovery", gpu.recovery))
    for name, value in (("remap-pending", gpu.remap_pending), ("remap-failed", gpu.remap_failed)):
        signs += [(name, "")] if value is True else []
    for name, count in (("dram", gpu.ecc.dram_uncorrectable), ("sram", gpu.ecc.sram_uncorrectable)):
        signs += [(name, f"{count}")] if known(count) and count else []
    if gpu.ecc.sram_threshold_exceeded is True:
        signs.append(("sram-threshold", ""))
    if known(gpu.slowdowns):
        signs += [(name, "") for name in gpu.slowdowns]
    if known(gpu.fabric) and gpu.fabric not in ("Completed", "None", "In Progress"):
        signs.append(("fabric", gpu.fabric))
    return tuple(_ruling(gpu.bus, name, said) for name, said in signs)


def _ruling(device: str, name: str, said: str) -> Ruling:
    sign = SIGNS[name]
    return Ruling(device, sign.kind, None, sign.title, sign.action, 1, said, sign.source)


_TEMPERATURE_BIT = 0b10


def drive_action(drive: Smart) -> Ruling:
    """The heaviest of what a drive's SMART log says; ignore for a drive that is well."""
    names: list[tuple[str, str]] = []
    warning = drive.critical_warning
    if known(warning) and warning:
        if warning & ~_TEMPERATURE_BIT:
            names.append(("smart-warning", f"critical warning {warning:#04x}"))
        else:
            names.append(("smart-temperature", f"critical warning {warning:#04x}"))
    spare, limit = drive.spare_percent, drive.spare_threshold_percent
    if known(spare) and known(limit) and spare < limit:
        names.append(("smart-spare", f"{spare:.0f} % of {limit:.0f} %"))
    if known(drive.used_percent) and drive.used_percent >= 100:
        names.append(("smart-worn", f"{drive.used_percent:.0f} % used"))
    if known(drive.media_errors) and drive.media_errors:
        names.append(("smart-media", f"{drive.media_errors:.0f} media errors"))
    rulings = [_ruling(drive.device, name, said) for name, said in names]
    well = Ruling(drive.device, "nvme", None, "drive is well", Action.IGNORE, 1, "", _NVME)
    return max(rulings, key=lambda each: each.action.weight, default=well)


@dataclass(frozen=True, slots=True)
class Limit:
    """How fast a counter may grow: above `look` a person should look, above `drain` the node takes no new jobs."""

    look_per_s: float
    drain_per_s: float | None
    about: str


COUNTERS: Mapping[str, Limit] = {
    "rdma_read_wr_err": Limit(0.0, 0.1, "RDMA reads ended in an error: a job is failing, or a peer is gone"),
    "rdma_write_wr_err": Limit(0.0, 0.1, "RDMA writes ended in an error: a job is failing, or a peer is gone"),
    "unresponsive_remote_events": Limit(0.0, None, "a peer does not answer: look there"),
    "impaired_remote_conn_events": Limit(0.0, None, "a path to a peer is impaired"),
    "retrans_timeout_events": Limit(0.1, 10.0, "packets are sent again after a time-out"),
    "rx_drops": Limit(1.0, None, "packets are dropped at arrival: buffers, or a slow host"),
    "local_ack_timeout_err": Limit(0.1, 10.0, "acknowledgements do not come (RoCE)"),
    "packet_seq_err": Limit(1.0, None, "packets come out of sequence (RoCE)"),
    "link_downed": Limit(0.0, 2 / 600, "the link went down"),
    "symbol_error": Limit(0.0, 1.0, "symbols do not decode: cable, module or port"),
}
"""Limits on counters, in events a second between two readings. Ours: AWS documents the counters, not thresholds."""


def counter_rulings(
    before: Mapping[str, Mapping[str, int]], after: Mapping[str, Mapping[str, int]], seconds: float
) -> tuple[Ruling, ...]:
    """What the growth of ports' counters means. A port that was not there before is read from nought.

    Raises ValueError for no time between the readings.
    """
    found = []
    for port, row in sorted(after.items()):
        for name, limit in COUNTERS.items():
            if name not in row:
                continue
            rate = rate_per_s(before.get(port, {}).get(name, 0), row[name], seconds)
            if rate <= limit.look_per_s:
                continue
            action = Action.DRAIN if limit.drain_per_s is not None and rate > limit.drain_per_s else Action.LOOK
            said = f"{name} grows by {rate:.3g} a second"
            found.append(Ruling(port, "rdma", None, limit.about, action, 1, said, _OURS))
    gone = sorted(set(before) - set(after))
    found += [Ruling(port, "rdma", None, "port is gone", Action.DRAIN, 1, "", _OURS) for port in gone]
    return tuple(sorted(found, key=lambda each: (-each.action.weight, each.device, each.said)))


def persistent(name: str, readings: list[bool | Unknown], needed: int) -> bool | Unknown:
    """Whether the last `needed` readings all show a sign: one hot second drains nobody.

    Unknown when fewer are known. Raises ValueError for a name that is no sign or for needed < 1.
    """
    if name not in SIGNS or needed < 1:
        raise ValueError("a sign of the table, and at least one reading")
    last = readings[-needed:]
    silent = next((each for each in last if isinstance(each, Unknown)), None)
    if any(each is False for each in last):
        return False
    if len(last) < needed or silent is not None:
        return Unknown(f"{len(last)} of {needed} readings") if silent is None else silent
    return True
