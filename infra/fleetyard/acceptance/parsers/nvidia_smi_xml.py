"""`nvidia-smi -q -x`: every GPU with its memory, ECC, links, power and clocks (DTD versions 8 to 13)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import partial

from fleetyard.acceptance.parsers.reading import LOST, ParseError, absent, flag, number, whole
from fleetyard.catalog import Unknown, known

TOOL = "nvidia-smi -q -x"
_whole = partial(whole, TOOL)
_number = partial(number, TOOL)
_BUS = re.compile(r"[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7]")
_BASICS = ("product_name", "uuid", "pci", "fb_memory_usage", "temperature")
"""Elements that the DTD requires of every GPU: without them the text is something else."""


@dataclass(frozen=True, slots=True)
class Ecc:
    """Error counts since the driver was loaded, and over the life of the board."""

    dram_uncorrectable: int | Unknown
    sram_uncorrectable: int | Unknown
    dram_correctable: int | Unknown
    life_dram_uncorrectable: int | Unknown
    life_sram_uncorrectable: int | Unknown
    sram_threshold_exceeded: bool | Unknown


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as the driver reports it. Memory in MiB, power in W, clocks in MHz, temperature in degrees Celsius."""

    bus: str
    name: str
    uuid: str
    lost: bool
    memory_mib: int | Unknown
    ecc_on: bool | Unknown
    ecc: Ecc
    remap_pending: bool | Unknown
    remap_failed: bool | Unknown
    remapped_uncorrectable: int | Unknown
    retirement_pending: bool | Unknown
    pcie_gen_now: int | Unknown
    pcie_gen_most: int | Unknown
    pcie_width_now: int | Unknown
    pcie_width_most: int | Unknown
    pcie_replays: int | Unknown
    power_cap_w: float | Unknown
    power_default_w: float | Unknown
    sm_mhz_now: int | Unknown
    sm_mhz_most: int | Unknown
    state: str | Unknown
    slowdowns: tuple[str, ...] | Unknown
    recovery: str | Unknown
    fabric: str | Unknown
    mig: bool | Unknown
    celsius: int | Unknown


@dataclass(frozen=True, slots=True)
class Smi:
    """The whole log."""

    driver: str
    attached: int
    gpus: tuple[Gpu, ...]


def parse(text: str) -> Smi:
    """Read the log. Raises ParseError for anything that is not a whole one."""
    start = text.find("<?xml")
    start = start if start >= 0 else text.find("<nvidia_smi_log")
    if start < 0:
        raise ParseError(TOOL, "an XML document", text.strip() or "nothing")
    body = text[start:]
    if "<!ENTITY" in body:
        raise ParseError(TOOL, "an XML document without entities of its own", "<!ENTITY")
    try:
        root = ET.fromstring(body)  # noqa: S314 - entities are refused above
    except ET.ParseError as wrong:
        raise ParseError(TOOL, "a whole XML document", str(wrong)) from wrong
    if root.tag != "nvidia_smi_log":
        raise ParseError(TOOL, "<nvidia_smi_log>", f"<{root.tag}>")
    attached = _whole("attached_gpus", _text(root, "attached_gpus"))
    gpus = tuple(_gpu(each) for each in root.findall("gpu"))
    if isinstance(attached, Unknown) or len(gpus) > attached:
        raise ParseError(TOOL, "as many GPUs as are attached", f"{len(gpus)} GPUs, attached_gpus {attached}")
    return Smi(_text(root, "driver_version"), attached, gpus)


def _text(node: ET.Element, path: str) -> str:
    return (node.findtext(path) or "").strip()


def _first(node: ET.Element, *paths: str) -> str:
    return next((found for path in paths if (found := _text(node, path))), "")


def _word(text: str) -> str | Unknown:
    missing = absent(text)
    return text if missing is None or text == "None" else missing


def _gpu(node: ET.Element) -> Gpu:
    for each in _BASICS:
        if node.find(each) is None:
            raise ParseError(TOOL, f"<{each}> of every GPU", f"GPU {node.get('id')} without it")
    bus = _text(node, "pci/pci_bus_id") or node.get("id", "")
    if not _BUS.fullmatch(bus):
        if absent(bus) is None:
            raise ParseError(TOOL, "a PCI address", bus)
        bus = node.get("id", "unknown")
    heard = [_text(node, path).lower() for path in ("fb_memory_usage/total", "temperature/gpu_temp", "fabric/state")]
    gen, width = "pci/pci_gpu_link_info/pcie_gen", "pci/pci_gpu_link_info/link_widths"
    power = ("gpu_power_readings", "power_readings")
    return Gpu(
        bus=bus.lower(),
        name=_text(node, "product_name"),
        uuid=_text(node, "uuid"),
        lost=any(word in said for said in heard for word in LOST),
        memory_mib=_whole("memory", _text(node, "fb_memory_usage/total"), "MiB"),
        ecc_on=flag(TOOL, "ECC mode", _text(node, "ecc_mode/current_ecc"), "Enabled", "Disabled"),
        ecc=_ecc(node),
        remap_pending=_yes(node, "remapped_rows/remapped_row_pending"),
        remap_failed=_yes(node, "remapped_rows/remapped_row_failure"),
        remapped_uncorrectable=_whole("remapped rows", _text(node, "remapped_rows/remapped_row_unc")),
        retirement_pending=_yes(node, "retired_pages/pending_retirement"),
        pcie_gen_now=_whole("PCIe generation", _text(node, f"{gen}/current_link_gen")),
        pcie_gen_most=_whole("PCIe generation", _text(node, f"{gen}/max_link_gen")),
        pcie_width_now=_lanes(_text(node, f"{width}/current_link_width")),
        pcie_width_most=_lanes(_text(node, f"{width}/max_link_width")),
        pcie_replays=_whole("replay counter", _text(node, "pci/replay_counter")),
        power_cap_w=_number(
            "power limit",
            _first(node, *(f"{p}/{key}" for p in power for key in ("current_power_limit", "enforced_power_limit"))),
            "W",
        ),
        power_default_w=_number("power limit", _first(node, *(f"{p}/default_power_limit" for p in power)), "W"),
        sm_mhz_now=_whole("SM clock", _text(node, "clocks/sm_clock"), "MHz"),
        sm_mhz_most=_whole("SM clock", _text(node, "max_clocks/sm_clock"), "MHz"),
        state=_word(_text(node, "performance_state")),
        slowdowns=_slowdowns(node),
        recovery=_word(_text(node, "gpu_recovery_action")),
        fabric=_word(_text(node, "fabric/state")),
        mig=flag(TOOL, "MIG mode", _text(node, "mig_mode/current_mig"), "Enabled", "Disabled"),
        celsius=_whole("temperature", _text(node, "temperature/gpu_temp"), "C"),
    )


def _yes(node: ET.Element, path: str) -> bool | Unknown:
    return flag(TOOL, path.rsplit("/", 1)[-1], _text(node, path), "Yes", "No")


def _lanes(text: str) -> int | Unknown:
    missing = absent(text)
    if missing is not None:
        return missing
    if not text.endswith("x"):
        raise ParseError(TOOL, "a link width such as 16x", text)
    return _whole("link width", text[:-1])


def _ecc(node: ET.Element) -> Ecc:
    def count(span: str, place: str) -> int | Unknown:
        """A counter of newer drivers, their two halves added up, or the totals of older ones."""
        at = f"ecc_errors/{span}"
        if place == "sram_uncorrectable" and node.find(f"{at}/sram_uncorrectable_parity") is not None:
            halves = [_whole(place, _text(node, f"{at}/{place}_{half}")) for half in ("parity", "secded")]
            return sum(h for h in halves if known(h)) if all(known(h) for h in halves) else Unknown("N/A")
        old = {
            "dram_uncorrectable": "double_bit/device_memory",
            "sram_uncorrectable": "double_bit/register_file",
            "dram_correctable": "single_bit/device_memory",
        }[place]
        return _whole(place, _first(node, f"{at}/{place}", f"{at}/{old}"))

    return Ecc(
        count("volatile", "dram_uncorrectable"),
        count("volatile", "sram_uncorrectable"),
        count("volatile", "dram_correctable"),
        count("aggregate", "dram_uncorrectable"),
        count("aggregate", "sram_uncorrectable"),
        _yes(node, "ecc_errors/aggregate/sram_threshold_exceeded"),
    )


_SLOW = ("hw_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown", "sw_thermal_slowdown")


def _slowdowns(node: ET.Element) -> tuple[str, ...] | Unknown:
    """Reasons that hold the clocks down and should not, by name: `hw_thermal_slowdown`."""
    found: list[str] = []
    seen = False
    for group, prefix in (
        ("clocks_event_reasons", "clocks_event_reason_"),
        ("clocks_throttle_reasons", "clocks_throttle_reason_"),
    ):
        for name in _SLOW:
            held = flag(TOOL, name, _text(node, f"{group}/{prefix}{name}"), "Active", "Not Active")
            if known(held):
                seen = True
                found += [name] if held else []
    return tuple(found) if seen else Unknown("the driver names no reasons")
