"""What one look at a node says: rulings on what the kernel wrote, and on what devices show of themselves now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleetyard.acceptance.evidence import Evidence
from fleetyard.acceptance.parsers import kernel_log, nvidia_smi_xml, rdma_statistic, smart
from fleetyard.acceptance.parsers.kernel_log import Event
from fleetyard.catalog import Unknown
from fleetyard.health.actions import Action, Ruling
from fleetyard.health.classify import classify
from fleetyard.health.devices import SIGNS, counter_rulings, drive_action, gpu_rulings

LASTING = frozenset(sign.title for sign in SIGNS.values() if sign.kind == "thermal")
"""Signs that must be seen at two looks: one hot second drains nobody."""

ANOTHER_BOOT_S = 60.0
"""Documents of one boot agree better than this on when it was: with another one counters began anew."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look. heard: from events; shown: from devices and counters; booted_s: since when the node runs."""

    events: tuple[Event, ...]
    heard: tuple[Ruling, ...]
    shown: tuple[Ruling, ...]
    booted_s: float


def look(now: Evidence, before: Evidence | None = None) -> Look:
    """Judge a node's document; with the one before, also the growth of its counters."""
    booted = _booted(now)
    if before is not None and abs(_booted(before) - booted) > ANOTHER_BOOT_S:
        before = None
    events = now.read("kernel_log", kernel_log.parse)
    events = () if isinstance(events, Unknown) else events
    shown = (*devices(now), *(growth(before, now) if before is not None else ()))
    lasting = {(each.device, each.title) for each in devices(before)} if before is not None else set()
    kept = tuple(each for each in shown if each.title not in LASTING or (each.device, each.title) in lasting)
    return Look(events, classify(events), kept, booted)


def _booted(probe: Evidence) -> float:
    said = probe.part("booted_s")
    return 0.0 if isinstance(said, Unknown) else said


def devices(probe: Evidence) -> Iterator[Ruling]:
    """What GPUs and drives show."""
    smi = probe.read("smi_xml", nvidia_smi_xml.parse)
    if not isinstance(smi, Unknown):
        for gpu in smi.gpus:
            yield from gpu_rulings(gpu)
    for name in probe.names("nvme_smart:"):
        drive = probe.read(name, smart.parse)
        if not isinstance(drive, Unknown) and (ruling := drive_action(drive)).action is not Action.IGNORE:
            yield ruling


def growth(first: Evidence, last: Evidence) -> tuple[Ruling, ...]:
    """What the growth of the RDMA counters between two documents of one node means; nothing where one has none."""
    seconds = 0.0 if isinstance(first.at, Unknown) or isinstance(last.at, Unknown) else last.at - first.at
    if first.host != last.host or seconds <= 0:
        return ()
    read: list[Mapping[str, Mapping[str, int]]] = []
    for each in (first, last):
        counters = each.read("rdma_counters", rdma_statistic.parse)
        if isinstance(counters, Unknown):
            return ()
        read.append(counters)
    return counter_rulings(read[0], read[1], seconds)
