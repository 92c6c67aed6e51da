"""nvidia-smi."""

# ruff: noqa: E501 - lines are as long as what the tools print

from __future__ import annotations

import sys
import time
from typing import Any
from xml.sax.saxutils import escape

from stand_in.node import NOTE, Node, bus, cuda_of, uuid

NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n"
)
SETTERS = {"-pm": "persistence", "-pl": "power", "-e": "ecc", "-mig": "mig", "-lgc": "clocks", "-lmc": "memory_clocks"}
LONG = {
    "--persistence-mode": "-pm", "--power-limit": "-pl", "--ecc-config": "-e", "--multi-instance-gpu": "-mig",
    "--lock-gpu-clocks": "-lgc", "--lock-memory-clocks": "-lmc", "--reset-gpu-clocks": "-rgc", "--id": "-i",
    "--list-gpus": "-L", "--query": "-q", "--xml-format": "-x",
}  # fmt: skip
PROFILES = {
    # Share of the compute slices (of 7) and of the memory slices (of 8). Source: NVIDIA MIG user guide.
    "1g": (1, 1), "1g.me": (1, 1), "2g": (2, 2), "3g": (3, 4), "4g": (4, 4), "7g": (7, 8),
}  # fmt: skip
PROFILE_IDS = {"19": "1g", "20": "1g.me", "14": "2g", "9": "3g", "5": "4g", "0": "7g"}


class Refused(Exception):  # noqa: N818 - no error of ours
    """The tool would say this and end with that status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


def run(node: Node, arguments: list[str]) -> int:
    """The program."""
    try:
        sys.stdout.write(_answer(node, [_short(word) for word in arguments]))
    except Refused as refused:
        sys.stdout.write(str(refused))
        return refused.status
    return 0


def _short(word: str) -> str:
    key, equals, value = word.partition("=")
    return LONG.get(key, key) + equals + value


def driver(node: Node) -> str:
    """Ask the driver for its version, or say why it does not answer."""
    planted = node.faults.get("driver_version")
    library, loaded = node.version("nvidia-driver"), node.loaded()
    if not loaded or node.facts.get("kind") != "gpu":
        raise Refused(NO_DRIVER, 9)
    if library and library != loaded:
        branch = ".".join(library.split(".")[:2])
        raise Refused(
            f"Failed to initialize NVML: Driver/library version mismatch\nNVML library version: {branch}\n", 18
        )
    return str(planted or loaded)


def _answer(node: Node, words: list[str]) -> str:
    if "--version" in words:
        version = node.version("nvidia-driver")
        try:
            loaded = driver(node)
        except Refused:
            loaded = "Not Found"
        return (
            f"NVIDIA-SMI version  : {version} ({NOTE})\nNVML version        : {'.'.join(version.split('.')[:2])}\n"
            f"DRIVER version      : {loaded}\nCUDA Version        : {cuda_of(version)}\n"
        )
    version = driver(node)
    gpus = _chosen(node, words)
    if words[:1] == ["nvlink"]:
        return _nvlink(node, gpus)
    if words[:1] == ["topo"]:
        return _topo(node)
    if words[:1] == ["mig"]:
        return _mig(node, words[1:], gpus)
    query = next((word for word in words if word.startswith(("--query-gpu=", "--query-gpu "))), None)
    if query:
        how = next((word.split("=", 1)[1] for word in words if word.startswith("--format=")), "csv").split(",")
        return _csv(node, query.split("=", 1)[1].split(","), how, version, gpus)
    if "-L" in words:
        return _list(node, gpus)
    if "-q" in words:
        return _xml(node, version, gpus) if "-x" in words else _text(node, version, gpus)
    done = [_set(node, word, words, gpus) for word in words if word.split("=")[0] in {*SETTERS, "-rgc", "-rmc"}]
    if done:
        return "".join(done)
    return _table(node, version, gpus)


def _value(words: list[str], key: str) -> str:
    for place, word in enumerate(words):
        if word.startswith(f"{key}="):
            return word.partition("=")[2]
        if word == key and place + 1 < len(words):
            return words[place + 1]
    return ""


def _chosen(node: Node, words: list[str]) -> list[int]:
    found = node.gpus()
    if not found:
        raise Refused("No devices were found\n", 6)
    wanted = _value(words, "-i")
    if not wanted or words[:1] == ["topo"]:
        return found
    chosen = [index for index in found if {str(index), uuid(index), bus(index)} & set(wanted.split(","))]
    if not chosen:
        raise Refused("No devices were found\n", 6)
    return chosen


def _mode(node: Node, setting: str, index: int, otherwise: bool = False) -> bool:
    return bool((node.settings().get(setting) or {}).get(str(index), otherwise))


def _set(node: Node, word: str, words: list[str], gpus: list[int]) -> str:
    key, said = word.split("=")[0], []
    if key in ("-rgc", "-rmc"):
        name = {"-rgc": "clocks", "-rmc": "memory_clocks"}[key]
        node.set(**{name: {}})
        return f"All {'GPU' if key == '-rgc' else 'memory'} clocks reset to default.\nAll done.\n"
    name, text = SETTERS[key], _value(words, key)
    if key == "-pl":
        most = node.fact("watts", 0)
        if not text.replace(".", "").isdigit() or not most * 0.28 <= float(text) <= most:
            least = most * 0.28
            raise Refused(
                f"Provided power limit {text} W is not a valid power limit which should be between {least:.2f} W and "
                f"{most:.2f} W for GPU {bus(gpus[0])}\nTerminating early due to previous errors.\n", 2
            )  # fmt: skip
    if key in ("-pm", "-e", "-mig") and text not in ("0", "1"):
        raise Refused(f"Invalid combination of input arguments. {key} takes 0 or 1.\n", 2)
    if key == "-mig" and not node.facts.get("mig"):
        raise Refused(f"Unable to enable MIG Mode for GPU {bus(gpus[0])}: Not Supported\n", 3)
    kept = dict(node.settings().get(name) or {})
    for index in gpus:
        kept[str(index)] = int(text) if key in ("-pm", "-e", "-mig") else text
        word = "Enabled" if text == "1" else "Disabled"
        said.append(
            {
                "-pm": f"{word} persistence mode for GPU {bus(index)}.\n",
                "-e": f"{word} ECC support for GPU {bus(index)}.\n",
                "-mig": f"{word} MIG Mode for GPU {bus(index)}\n",
                "-pl": f"Power limit for GPU {bus(index)} was set to {float(text or 0):.2f} W.\n"
                if key == "-pl"
                else "",
                "-lgc": f'GPU clocks set to "(gpuClkMin {text.partition(",")[0]}, gpuClkMax {text.rpartition(",")[2]})" '
                f"for GPU {bus(index)}\n",
                "-lmc": f"Memory clocks set to {text} for GPU {bus(index)}\n",
            }[key]
        )
    node.set(**{name: kept})
    return "".join(said) + "All done.\n"


# MIG


def _profile(node: Node, text: str) -> str:
    text = text.partition(".")[0] if text[:1].isdigit() and "g" in text else PROFILE_IDS.get(text, text)
    if text not in PROFILES:
        raise Refused(f'Unable to find GPU instance profile "{text}"\n', 2)
    return text


def _full(node: Node, profile: str) -> str:
    gib = int(node.fact("memory_mib", 0)) / 1024
    return f"{profile}.{max(1, round(gib * PROFILES[profile][1] / 8))}gb"


def _mig(node: Node, words: list[str], gpus: list[int]) -> str:
    on = [index for index in gpus if _mode(node, "mig", index)]
    if not on:
        raise Refused("No MIG-enabled devices found.\n", 6)
    held: dict[str, list[str]] = dict(node.settings().get("instances") or {})
    said = []
    if "-cgi" in words:
        for index in on:
            for wanted in _value(words, "-cgi").split(","):
                profile = _profile(node, wanted)
                mine = held.setdefault(str(index), [])
                if sum(PROFILES[each][1] for each in [*mine, profile]) > 8:
                    raise Refused(
                        f"Unable to create a GPU instance on GPU {index:2} using profile {wanted}: Insufficient Resources\n"
                        "Failed to create GPU instances: Insufficient Resources\n", 19
                    )  # fmt: skip
                mine.append(profile)
                said.append(
                    f"Successfully created GPU instance ID {len(mine):2} on GPU {index:2} using profile MIG "
                    f"{_full(node, profile)} (ID {next(k for k, v in PROFILE_IDS.items() if v == profile):>2})\n"
                )
        node.set(instances=held)
        return "".join(said)
    if "-dgi" in words or "-dci" in words:
        if "-dgi" in words:
            node.set(instances={key: rows for key, rows in held.items() if int(key) not in on})
        return "".join(f"Successfully destroyed instances from GPU {index:2}\n" for index in on)
    if "-lgip" in words:
        rows = [
            f"|  {index:2}  MIG {_full(node, name):12} |\n" for index in on for name in PROFILES if "me" not in name
        ]
        return "+" + "-" * 24 + "+\n" + "".join(rows) + "+" + "-" * 24 + "+\n"
    rows = [(i, n, name) for i in on for n, name in enumerate(held.get(str(i), []), 1)]
    if not rows:
        raise Refused("No GPU instances found: Not Found\n", 6)
    line = "+" + "-" * 55 + "+\n"
    body = "".join(
        f"|{i:4}  MIG {_full(node, name):14} {next(k for k, v in PROFILE_IDS.items() if v == name):>4} {n:8}"
        f"{'0:' + str(PROFILES[name][1]):>14}   |\n"
        for i, n, name in rows
    )
    head = "| GPU instances:                                        |\n| GPU   Name             Profile  Instance   Placement  |\n"
    return line + head + line + body + line


def _list(node: Node, gpus: list[int]) -> str:
    rows = []
    for index in gpus:
        rows.append(f"GPU {index}: {node.fact('product')} (UUID: {uuid(index)})\n")
        if _mode(node, "mig", index):
            for n, name in enumerate((node.settings().get("instances") or {}).get(str(index), [])):
                rows.append(f"  MIG {_full(node, name):12} Device {n:2}: (UUID: {uuid(index * 16 + n, 'MIG')})\n")
    return "".join(rows)


# One GPU's values


def values(node: Node, version: str, index: int) -> dict[str, Any]:
    """Fields of --query-gpu, with their units."""
    held = node.settings()
    watts = node.fact("watts", 0)
    cap = float((held.get("power") or {}).get(str(index), watts) or 0)
    most = node.fact("sm_mhz")
    locked = str((held.get("clocks") or {}).get(str(index), "")).rpartition(",")[2]
    hot = node.fault("thermal", index)
    sick = int(node.fault("ecc_uncorrectable", index))
    width = node.fault("pcie_width", index, node.fact("pcie_width"))
    return {
        "index": index, "name": node.fact("product"), "gpu_name": node.fact("product"), "uuid": uuid(index), "gpu_uuid": uuid(index),
        "count": len(node.gpus()), "driver_version": version, "serial": f"16500000{index:05}", "gpu_serial": f"16500000{index:05}",
        "pci.bus_id": bus(index), "gpu_bus_id": bus(index), "vbios_version": f"00.00.00.00.{NOTE}", "compute_cap": node.fact("compute_capability"),
        "memory.total": (node.fault("memory_mib", index, node.fact("memory_mib")), "MiB"), "memory.used": (1, "MiB"),
        "memory.free": (int(node.fact("memory_mib", 1)) - 1, "MiB"),
        "temperature.gpu": 91 if hot else 31, "temperature.memory": 95 if hot else 40, "pstate": "P0",
        "persistence_mode": "Enabled" if _mode(node, "persistence", index) else "Disabled",
        "power.draw": (round(watts * 0.1, 2), "W"), "power.limit": (f"{cap:.2f}", "W"), "enforced.power.limit": (f"{cap:.2f}", "W"),
        "power.default_limit": (f"{watts:.2f}", "W"), "power.max_limit": (f"{watts:.2f}", "W"), "power.min_limit": (f"{watts * 0.28:.2f}", "W"),
        "clocks.sm": (locked or most, "MHz"), "clocks.current.sm": (locked or most, "MHz"), "clocks.gr": (locked or most, "MHz"),
        "clocks.max.sm": (most, "MHz"), "clocks.max.gr": (most, "MHz"), "clocks.applications.gr": (most, "MHz"),
        "ecc.mode.current": _ecc_mode(node, index), "ecc.mode.pending": _ecc_mode(node, index),
        "ecc.errors.uncorrected.volatile.total": sick, "ecc.errors.uncorrected.aggregate.total": sick,
        "ecc.errors.corrected.volatile.total": int(node.fault("ecc_correctable", index)),
        "retired_pages.pending": "No", "pcie.link.gen.current": node.fact("pcie_generation"), "pcie.link.gen.max": node.fact("pcie_generation"),
        "pcie.link.width.current": width, "pcie.link.width.max": node.fact("pcie_width"),
        "mig.mode.current": _mig_mode(node, index), "mig.mode.pending": _mig_mode(node, index),
        "utilization.gpu": (0, "%"), "utilization.memory": (0, "%"),
        "clocks_event_reasons.hw_thermal_slowdown": "Active" if hot else "Not Active",
        "clocks_throttle_reasons.hw_thermal_slowdown": "Active" if hot else "Not Active",
        "fabric.state": "Completed" if node.facts.get("nvlinks") and _fabric(node) else "N/A",
    }  # fmt: skip


def _ecc_mode(node: Node, index: int) -> str:
    if not node.facts.get("ecc", True):
        return "N/A"
    return "Enabled" if _mode(node, "ecc", index, True) and not node.fault("ecc_off", index) else "Disabled"


def _mig_mode(node: Node, index: int) -> str:
    if not node.facts.get("mig"):
        return "[N/A]"
    return "Enabled" if _mode(node, "mig", index) else "Disabled"


def _fabric(node: Node) -> bool:
    """Whether the fabric manager said that it has started."""
    return (node.root / "run/fleetyard-stand-in/fabric-manager").exists()


def _csv(node: Node, fields: list[str], how: list[str], version: str, gpus: list[int]) -> str:
    lines = []
    for place, index in enumerate(gpus):
        row = values(node, version, index)
        for field in fields:
            if field.strip() not in row:
                raise Refused(f'Field "{field.strip()}" is not a valid field to query.\n', 2)
        cells = [row[field.strip()] for field in fields]
        if not place and "noheader" not in how:
            units = [f" [{cell[1]}]" if isinstance(cell, tuple) else "" for cell in cells]
            lines.append(", ".join(field.strip() + unit for field, unit in zip(fields, units)))  # noqa: B905 - Python 3.9
        bare = "nounits" in how
        lines.append(
            ", ".join(
                str(c[0]) + ("" if bare or c[0] == "N/A" else f" {c[1]}") if isinstance(c, tuple) else str(c)
                for c in cells
            )
        )
    return "\n".join(lines) + "\n"


# Reports


def _tree(node: Node, version: str, index: int) -> dict[str, Any]:
    row = values(node, version, index)

    def said(field: str) -> str:
        cell = row[field]
        return (
            f"{cell[0]} {cell[1]}"
            if isinstance(cell, tuple) and cell[0] != "N/A"
            else str(cell[0] if isinstance(cell, tuple) else cell)
        )

    def lanes(field: str) -> str:
        return f"{row[field]}x" if row[field] != "N/A" else "N/A"

    sick, mild = row["ecc.errors.uncorrected.volatile.total"], row["ecc.errors.corrected.volatile.total"]
    counts = {
        "sram_correctable": 0, "sram_uncorrectable_parity": 0, "sram_uncorrectable_secded": 0,
        "dram_correctable": mild, "dram_uncorrectable": sick,
    }  # fmt: skip
    reasons = ("gpu_idle", "applications_clocks_setting", "sw_power_cap", "hw_slowdown", "hw_thermal_slowdown",
               "hw_power_brake_slowdown", "sync_boost", "sw_thermal_slowdown", "display_clocks_setting")  # fmt: skip
    hot = node.fault("thermal", index)
    held = {
        f"clocks_event_reason_{name}": "Active" if name == "hw_thermal_slowdown" and hot else "Not Active"
        for name in reasons
    }
    remap = {
        "remapped_row_corr": 0, "remapped_row_unc": int(bool(sick)),
        "remapped_row_pending": "Yes" if node.fault("remap_pending", index) else "No",
        "remapped_row_failure": "Yes" if node.fault("remap_failed", index) else "No",
    }  # fmt: skip
    return {
        "product_name": row["name"], "product_brand": "NVIDIA", "persistence_mode": row["persistence_mode"],
        "mig_mode": {"current_mig": row["mig.mode.current"].strip("[]"), "pending_mig": row["mig.mode.current"].strip("[]")},
        "serial": row["serial"], "uuid": row["uuid"], "minor_number": index, "vbios_version": row["vbios_version"],
        "gpu_recovery_action": "Reset" if node.fault("remap_pending", index) else "None",
        "pci": {
            "pci_bus_id": bus(index),
            "pci_gpu_link_info": {
                "pcie_gen": {"max_link_gen": row["pcie.link.gen.max"], "current_link_gen": row["pcie.link.gen.current"]},
                "link_widths": {"max_link_width": lanes("pcie.link.width.max"), "current_link_width": lanes("pcie.link.width.current")},
            },
            "replay_counter": 0,
        },
        "performance_state": "P0", "clocks_event_reasons": held,
        "fb_memory_usage": {"total": said("memory.total"), "reserved": "0 MiB", "used": said("memory.used"), "free": said("memory.free")},
        "compute_mode": "Default",
        "ecc_mode": {"current_ecc": row["ecc.mode.current"], "pending_ecc": row["ecc.mode.pending"]},
        "ecc_errors": {"volatile": counts, "aggregate": {**counts, "sram_threshold_exceeded": "No"}},
        "retired_pages": {"pending_retirement": "N/A"}, "remapped_rows": remap,
        "temperature": {"gpu_temp": f"{row['temperature.gpu']} C", "memory_temp": f"{row['temperature.memory']} C"},
        "gpu_power_readings": {
            "instant_power_draw": said("power.draw"), "current_power_limit": said("power.limit"),
            "default_power_limit": said("power.default_limit"), "min_power_limit": said("power.min_limit"),
            "max_power_limit": said("power.max_limit"),
        },
        "clocks": {"graphics_clock": said("clocks.gr"), "sm_clock": said("clocks.sm")},
        "max_clocks": {"graphics_clock": said("clocks.max.gr"), "sm_clock": said("clocks.max.sm")},
        "fabric": {"state": row["fabric.state"], "status": "Success" if row["fabric.state"] == "Completed" else "N/A"},
        "processes": {},
    }  # fmt: skip


def _xml(node: Node, version: str, gpus: list[int]) -> str:
    lines = [
        '<?xml version="1.0" ?>', '<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v13.dtd">', f"<!-- {NOTE} -->", "<nvidia_smi_log>",
        f"\t<timestamp>{time.strftime('%a %b %e %H:%M:%S %Y')}</timestamp>", f"\t<driver_version>{version}</driver_version>",
        f"\t<cuda_version>{cuda_of(version)}</cuda_version>", f"\t<attached_gpus>{len(node.gpus())}</attached_gpus>",
    ]  # fmt: skip

    def put(name: str, value: Any, depth: int) -> None:
        pad = "\t" * depth
        if isinstance(value, dict):
            lines.append(f"{pad}<{name}>")
            for key, each in value.items():
                put(key, each, depth + 1)
            lines.append(f"{pad}</{name}>")
        else:
            lines.append(f"{pad}<{name}>{escape(str(value))}</{name}>")

    for index in gpus:
        lines.append(f'\t<gpu id="{bus(index)}">')
        for key, each in _tree(node, version, index).items():
            put(key, each, 2)
        lines.append("\t</gpu>")
    return "\n".join([*lines, "</nvidia_smi_log>"]) + "\n"


def _text(node: Node, version: str, gpus: list[int]) -> str:
    lines = [
        f"==============NVSMI LOG ({NOTE})==============",
        "",
        f"Driver Version : {version}",
        f"Attached GPUs : {len(node.gpus())}",
    ]

    def put(name: str, value: Any, depth: int) -> None:
        title = name.replace("_", " ").title()
        if isinstance(value, dict):
            lines.append("    " * depth + title)
            for key, each in value.items():
                put(key, each, depth + 1)
        else:
            lines.append("    " * depth + f"{title:40} : {value}")

    for index in gpus:
        put(f"GPU {bus(index)}", _tree(node, version, index), 0)
    return "\n".join(lines) + "\n"


def _table(node: Node, version: str, gpus: list[int]) -> str:
    line = "+" + "-" * 89 + "+"
    rows = [line, f"| {f'NVIDIA-SMI {version} ({NOTE})':44}{f'CUDA Version: {cuda_of(version)}':43} |", line]
    for index in gpus:
        row = values(node, version, index)
        name, memory = f"{index}  {row['name']}", f"{row['memory.total'][0]}MiB"
        rows.append(f"| {name:44}{memory:43} |")
    return "\n".join([*rows, line]) + "\n"


def _nvlink(node: Node, gpus: list[int]) -> str:
    count, rate = int(node.fact("nvlinks", 0)), node.fact("nvlink_gb_per_s", 0)
    lines = []
    for index in gpus:
        lines.append(f"GPU {index}: {node.fact('product')} (UUID: {uuid(index)})")
        down = node.fault("nvlink_down", index, []) or []
        for link in range(count):
            lines.append(f"\t Link {link}: " + ("<inactive>" if link in down else f"{rate} GB/s"))
    return "\n".join(lines) + "\n"


def _topo(node: Node) -> str:
    gpus = [f"GPU{index}" for index in node.gpus()]
    links = int(node.fact("nvlinks", 0))
    lines = ["\t" + "\t".join(gpus) + "\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID"]
    for a in gpus:
        cells = ["X" if a == b else f"NV{links}" if links else "SYS" for b in gpus]
        lines.append(f"{a}\t " + "\t".join(cells) + "\t0-95\t0\t\tN/A")
    legend = [
        "",
        "Legend:",
        "",
        "  X    = Self",
        "  SYS  = Connection over the interconnect of NUMA nodes",
        "  NV#  = Connection over # NVLinks",
    ]
    return "\n".join([*lines, *legend]) + "\n"
