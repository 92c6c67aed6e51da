"""What is checked of the accelerators themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from fleetyard.acceptance.model import Measure
from fleetyard.acceptance.parsers import (
    dcgm_diag,
    dcgm_health,
    gemm,
    kernel_log,
    neuron_ls,
    nvidia_smi_xml,
    nvlink,
    topo,
    tpu_devices,
)
from fleetyard.acceptance.registry import (
    Bench,
    Found,
    at_least,
    check,
    ruled,
    skipped,
    unjudged,
    unmeasured,
)
from fleetyard.catalog import Unknown, known
from fleetyard.health import Action, classify

Smi = nvidia_smi_xml.Smi
Gpu = nvidia_smi_xml.Gpu
REPLACE = "replace the machine"
RESET = "drain the node and reset the GPU (nvidia-smi --gpu-reset) or reboot; replace the machine when it comes back"


def _smi(bench: Bench) -> Smi | Unknown:
    return bench.evidence.read("smi_xml", nvidia_smi_xml.parse)


def _or_none(silent: Unknown | None) -> Unknown:
    """What the driver did not say, or that it lists nothing (an unknown is falsy, so `or` would lose it)."""
    return Unknown("nvidia-smi lists no GPU") if silent is None else silent


def _no_gpu(bench: Bench) -> Found:
    return skipped(f"{bench.machine.name} has no NVIDIA GPU")


def _each(gpus: Iterable[Gpu], value: Callable[[Gpu], float | Unknown], floor: float | Unknown) -> float | Unknown:
    """The lowest of all GPUs. Unknown as soon as one is, unless another is below the floor already."""
    found: list[float] = []
    silent: Unknown | None = None
    for gpu in gpus:
        one = value(gpu)
        if isinstance(one, Unknown):
            silent = Unknown(f"GPU {gpu.bus}: {one.reason}")
        else:
            found.append(one)
    if silent is not None and not (found and known(floor) and min(found) < floor):
        return silent
    return min(found) if found else Unknown("nvidia-smi lists no GPU")


def _counted(bench: Bench, value: Callable[[Gpu], int | bool | Unknown], what: str, source: str) -> Found:
    """A count over all GPUs that should be nought."""
    if not bench.gpu:
        return _no_gpu(bench)
    smi = _smi(bench)
    none = Measure(0, what)
    if isinstance(smi, Unknown):
        return unmeasured(smi, none, source)
    total, where = 0, []
    silent = None if smi.gpus else Unknown("nvidia-smi lists no GPU")
    for gpu in smi.gpus:
        one = value(gpu)
        if isinstance(one, Unknown):
            silent = Unknown(f"GPU {gpu.bus}: {one.reason}")
        else:
            total += int(one)
            where += [gpu.bus] if one else []
    if silent is not None and not total:
        return unmeasured(silent, none, source)
    return ruled(total == 0, Measure(total, what), none, source, f"{total} {what} on {', '.join(where)}")


@check("FY3101", required=True, fix=f"look for Xid 79 and at the PCIe slots in dmesg; {REPLACE}")
def accelerator_count(bench: Bench) -> Found:
    """Every accelerator that was paid for answers: by nvidia-smi, neuron-ls or the TPU's device nodes."""
    if bench.chip is None:
        return skipped(f"{bench.machine.name} has no accelerator")
    wanted, source = Measure(bench.machine.accelerators, "accelerators"), f"catalogue, {bench.machine.source}"
    if bench.gpu:
        smi = _smi(bench)
        if isinstance(smi, Unknown):
            return unmeasured(smi, wanted, source)
        answering = sum(not gpu.lost for gpu in smi.gpus)
        lost = [gpu.bus for gpu in smi.gpus if gpu.lost]
        why = f"{answering} of {bench.machine.accelerators} GPUs answer" + (
            f", lost: {', '.join(lost)}" if lost else ""
        )
        same = answering == bench.machine.accelerators and not lost
        return ruled(same, Measure(answering, "accelerators"), wanted, source, why)
    listed: tuple[object, ...] | Unknown
    if bench.chip.kind == "neuron":
        listed = bench.evidence.read("neuron_ls", neuron_ls.parse)
    else:
        listed = bench.evidence.read("device_nodes", tpu_devices.parse)
    if isinstance(listed, Unknown):
        return unmeasured(listed, wanted, source)
    why = f"{len(listed)} of {bench.machine.accelerators} chips answer"
    return ruled(len(listed) == bench.machine.accelerators, Measure(len(listed), "accelerators"), wanted, source, why)


@check("FY3102", required=True, fix="the machine type is not what was ordered: terminate it and ask the cloud")
def accelerator_model(bench: Bench) -> Found:
    """The GPUs are of the kind that the catalogue names for the machine."""
    if not bench.gpu:
        return _no_gpu(bench)
    smi = _smi(bench)
    names, source = bench.of_chip.names, bench.of_chip.source
    wanted = Measure(" or ".join(names)) if names else None
    if isinstance(smi, Unknown):
        return unmeasured(smi, wanted, source)
    seen = sorted({gpu.name for gpu in smi.gpus})
    if wanted is None or not seen:
        return unjudged(Measure(", ".join(seen)), Unknown("no product name of this accelerator in the sources"))
    odd = [name for name in seen if not any(re.search(rf"\b{re.escape(part)}\b", name) for part in names)]
    return ruled(not odd, Measure(", ".join(seen)), wanted, source, f"found {', '.join(odd)}")


@check("FY3103", required=True, fix=f"MIG or a vGPU may hold memory back; else {REPLACE}")
def accelerator_memory(bench: Bench) -> Found:
    """Each accelerator has the memory that the catalogue gives, less what ECC and firmware hold back."""
    if bench.chip is None:
        return skipped(f"{bench.machine.name} has no accelerator")
    share = bench.facts.shares["memory_hbm" if bench.of_chip.hbm else "memory_gddr"]
    memory = bench.chip.memory_mib
    floor = memory * share if known(memory) else memory
    source = f"{share:.0%} of the catalogue's {memory} MiB, {bench.chip.source}"
    low: float | Unknown
    if bench.gpu:
        smi = _smi(bench)
        low = smi if isinstance(smi, Unknown) else _each(smi.gpus, lambda gpu: gpu.memory_mib, floor)
    elif bench.chip.kind == "neuron":
        listed = bench.evidence.read("neuron_ls", neuron_ls.parse)
        if isinstance(listed, Unknown):
            low = listed
        else:
            sizes = [each.memory_mib for each in listed]
            low = min((s for s in sizes if known(s)), default=Unknown("neuron-ls gives no memory"))
    else:
        return skipped("no tool of the host shows a TPU's memory")
    return at_least(low, floor, "MiB", source)


@check("FY3104", required=True, fix=RESET)
def accelerator_state(bench: Bench) -> Found:
    """No GPU asks for a reset, a drain or a reboot (`gpu_recovery_action`), and none is out of its NVLink fabric."""
    if not bench.gpu:
        return _no_gpu(bench)
    smi, source = _smi(bench), "nvidia-smi: gpu_recovery_action, fabric state"
    if isinstance(smi, Unknown):
        return unmeasured(smi, Measure("None"), source)
    wants = [f"{g.bus}: {g.recovery}" for g in smi.gpus if known(g.recovery) and g.recovery != "None"]
    wants += [
        f"{g.bus}: fabric {g.fabric.reason if isinstance(g.fabric, Unknown) else g.fabric}"
        for g in smi.gpus
        if (known(g.fabric) and g.fabric not in ("Completed", "None"))
        or (isinstance(g.fabric, Unknown) and "lost" in g.fabric.reason.lower())
    ]
    return ruled(
        not wants, Measure(f"{len(wants)} wants" if wants else "None"), Measure("None"), source, "; ".join(wants)
    )


@check("FY3105", required=True, fix="nvidia-smi --ecc-config=1 and reboot; where the board cannot, waive the check")
def ecc_mode(bench: Bench) -> Found:
    """ECC is on, so that an error in memory is found rather than trained on."""
    if not bench.gpu:
        return _no_gpu(bench)
    smi, source = _smi(bench), "NVIDIA data centre GPUs come with ECC on"
    if isinstance(smi, Unknown):
        return unmeasured(smi, Measure("Enabled"), source)
    silent = next((g.ecc_on for g in smi.gpus if isinstance(g.ecc_on, Unknown)), None)
    off = [g.bus for g in smi.gpus if g.ecc_on is False]
    if not off and (silent is not None or not smi.gpus):
        return unmeasured(_or_none(silent), Measure("Enabled"), source)
    measured = Measure("Disabled" if off else "Enabled")
    return ruled(not off, measured, Measure("Enabled"), source, f"off on {', '.join(off)}")


_ECC_SOURCE = "NVIDIA GPU memory error management: no uncorrectable error since the driver was loaded"


@check("FY3106", required=True, fix=RESET)
def dram_errors(bench: Bench) -> Found:
    """No uncorrectable error in device memory since the driver was loaded."""
    return _counted(bench, lambda gpu: gpu.ecc.dram_uncorrectable, "uncorrectable DRAM errors", _ECC_SOURCE)


@check("FY3107", required=True, fix=f"{RESET}; SRAM is not remapped")
def sram_errors(bench: Bench) -> Found:
    """No uncorrectable error in caches and registers since the driver was loaded, and the board's own limit is kept."""

    def bad(gpu: Gpu) -> int | Unknown:
        count = gpu.ecc.sram_uncorrectable
        return count if isinstance(count, Unknown) else count + (gpu.ecc.sram_threshold_exceeded is True)

    return _counted(bench, bad, "uncorrectable SRAM errors", _ECC_SOURCE)


def _remap(gpu: Gpu, rows: bool | Unknown) -> bool | Unknown:
    """Row remapping, or on boards before Ampere whether pages wait to be retired."""
    return gpu.retirement_pending if isinstance(rows, Unknown) and known(gpu.retirement_pending) else rows


@check("FY3108", required=True, fix="drain the node and reset the GPU or reboot: the remapping happens at reset")
def row_remap_pending(bench: Bench) -> Found:
    """No row of memory waits to be remapped (before Ampere: no page waits to be retired)."""
    source = "NVIDIA GPU memory error management: a pending remap takes effect at the next reset"
    return _counted(bench, lambda gpu: _remap(gpu, gpu.remap_pending), "GPUs with a remap pending", source)


@check("FY3109", required=True, fix=f"the board has used up its spare rows: {REPLACE}")
def row_remap_failure(bench: Bench) -> Found:
    """No remapping of a row has failed."""
    source = "NVIDIA GPU memory error management: a failed remap is a reason to return the board"

    def failed(gpu: Gpu) -> bool | Unknown:
        # Boards before Ampere retire pages and have nothing to remap.
        older = isinstance(gpu.remap_failed, Unknown) and known(gpu.retirement_pending)
        return False if older else gpu.remap_failed

    return _counted(bench, failed, "GPUs with a failed remap", source)


@check(
    "FY3110", required=True, fix=f"restart the fabric manager once it matches the driver, then reset; else {REPLACE}"
)
def nvlink_count(bench: Bench) -> Found:
    """Every GPU has all its NVLinks up."""
    if not bench.gpu:
        return _no_gpu(bench)
    floor, source = bench.of_chip.nvlinks, bench.of_chip.source
    if floor == 0:
        return skipped(f"{bench.chip.id if bench.chip else ''} has no NVLink")
    listed = bench.evidence.read("nvlink", nvlink.parse)
    if isinstance(listed, Unknown):
        return unmeasured(listed, Measure(floor, "links") if known(floor) else None, source)
    if len(listed) < bench.machine.accelerators:
        why = f"nvidia-smi nvlink lists {len(listed)} of {bench.machine.accelerators} GPUs"
        return unmeasured(Unknown(why), Measure(floor, "links") if known(floor) else None, source)
    # NVML refuses to speak of a GPU whose links are all inactive.
    up = {
        each.index: 0 if isinstance(each.up, Unknown) and "inactive" in each.up.reason.lower() else each.up
        for each in listed
    }
    silent = next((value for value in up.values() if isinstance(value, Unknown)), None)
    low = min((value for value in up.values() if known(value)), default=0)
    if silent is not None and not (known(floor) and 0 < low < floor):
        return unmeasured(silent, None, source)
    worst = [str(index) for index, value in up.items() if value == low]
    return at_least(low, floor, "links", source, f"on GPU {', '.join(worst)}")


@check("FY3111", required=False, fix=f"reset the GPUs and the fabric manager; else {REPLACE}")
def nvlink_rate(bench: Bench) -> Found:
    """Every NVLink that is up runs at its full rate."""
    if not bench.gpu or bench.of_chip.nvlinks == 0:
        return skipped("no NVLink")
    listed = bench.evidence.read("nvlink", nvlink.parse)
    if isinstance(listed, Unknown):
        return unmeasured(listed)
    rates = [rate for each in listed if not isinstance(each.links, Unknown) for rate in each.links if rate is not None]
    low = min(rates, default=Unknown("no link is up"))
    return at_least(low, bench.of_chip.nvlink_gb_per_s, "GB/s", bench.of_chip.source)


@check("FY3112", required=False, fix=f"restart the fabric manager; else {REPLACE}")
def nvlink_topology(bench: Bench) -> Found:
    """Any two GPUs of a machine with NVLink meet over it, not over PCIe."""
    if not bench.gpu or bench.of_chip.nvlinks == 0 or bench.machine.accelerators < 2:
        return skipped("no two GPUs that NVLink would join")
    if isinstance(bench.of_chip.nvlinks, Unknown):
        return unjudged(None, bench.of_chip.nvlinks)
    seen = bench.evidence.read("topo", topo.parse)
    source = "nvidia-smi topo -m: NV# between all pairs"
    if isinstance(seen, Unknown):
        return unmeasured(seen, Measure(0, "pairs without NVLink"), source)
    apart = seen.pairs_without_nvlink()
    why = ", ".join(f"{a}-{b} over {seen.paths[a][b]}" for a, b in apart[:4])
    none = Measure(0, "pairs without NVLink")
    return ruled(not apart, Measure(len(apart), "pairs without NVLink"), none, source, why)


@check("FY3113", required=False, fix=f"reseat or {REPLACE}: the link trained below its generation")
def pcie_generation(bench: Bench) -> Found:
    """The link to the host can run at its generation. What it runs at this moment may be less: idle links slow down."""
    if not bench.gpu:
        return _no_gpu(bench)
    smi = _smi(bench)
    low = (
        smi
        if isinstance(smi, Unknown)
        else _each(smi.gpus, lambda gpu: gpu.pcie_gen_most, bench.of_chip.pcie_generation)
    )
    source = bench.of_chip.source
    return at_least(low, bench.of_chip.pcie_generation, "generation", source)


@check("FY3114", required=False, fix=f"reset the machine (stop and start it); else {REPLACE}")
def pcie_width(bench: Bench) -> Found:
    """The link to the host has all its lanes."""
    if not bench.gpu:
        return _no_gpu(bench)
    smi = _smi(bench)
    low = smi if isinstance(smi, Unknown) else _each(smi.gpus, lambda gpu: gpu.pcie_width_now, bench.of_chip.pcie_width)
    return at_least(low, bench.of_chip.pcie_width, "lanes", bench.of_chip.source)


@check(
    "FY3115",
    required=False,
    fix="nvidia-smi --power-limit=WATTS, or find who lowered it; a cloud's own cap stays: waive it",
)
def power_cap(bench: Bench) -> Found:
    """No GPU is capped below the power of its board."""
    if not bench.gpu or bench.chip is None:
        return _no_gpu(bench)
    smi = _smi(bench)
    low = smi if isinstance(smi, Unknown) else _each(smi.gpus, lambda gpu: gpu.power_cap_w, bench.chip.watts)
    return at_least(low, bench.chip.watts, "W", f"catalogue, {bench.chip.source}")


@check("FY3116", required=False, fix="nvidia-smi --reset-gpu-clocks; clocks that a role set on purpose: waive it")
def clock_ceiling(bench: Bench) -> Found:
    """No GPU is kept below the highest SM clock of its board."""
    if not bench.gpu:
        return _no_gpu(bench)
    smi = _smi(bench)
    low = smi if isinstance(smi, Unknown) else _each(smi.gpus, lambda gpu: gpu.sm_mhz_most, bench.of_chip.sm_mhz)
    return at_least(low, bench.of_chip.sm_mhz, "MHz", bench.of_chip.source)


@check("FY3117", required=False, fix=f"wait until it has cooled and look again; heat or power that stays: {REPLACE}")
def slowdown(bench: Bench) -> Found:
    """Neither heat nor the power brake holds a clock down."""
    if not bench.gpu:
        return _no_gpu(bench)
    smi, source = _smi(bench), "nvidia-smi: clocks_event_reasons"
    none = Measure("none")
    if isinstance(smi, Unknown):
        return unmeasured(smi, none, source)
    held = [f"{g.bus}: {', '.join(g.slowdowns)}" for g in smi.gpus if known(g.slowdowns) and g.slowdowns]
    silent = next((g.slowdowns for g in smi.gpus if isinstance(g.slowdowns, Unknown)), None)
    if not held and (silent is not None or not smi.gpus):
        return unmeasured(_or_none(silent), none, source)
    return ruled(not held, Measure("; ".join(held) or "none"), none, source, "; ".join(held))


@check(
    "FY3118", required=False, fix="dcgmi diag -r 3 on the drained node names the part; replace it when that fails too"
)
def dcgm_diagnostic(bench: Bench) -> Found:
    """No test of `dcgmi diag` fails."""
    if not bench.gpu:
        return _no_gpu(bench)
    tests = bench.evidence.read("dcgm_diag", dcgm_diag.parse)
    none, source = Measure(0, "failed tests"), "dcgmi diag"
    if isinstance(tests, Unknown):
        return unmeasured(tests, none, source)
    failed = [each for each in tests if each.state == "fail"]
    why = "; ".join(f"{each.name} {each.device}: {each.said}".strip(": ") for each in failed[:3])
    if not failed and not any(each.state == "pass" for each in tests):
        return unmeasured(Unknown("every test was skipped"), none, source)
    return ruled(not failed, Measure(len(failed), "failed tests"), none, source, why)


@check("FY3119", required=False, fix="dcgmi health -c on the node names the part")
def dcgm_watches(bench: Bench) -> Found:
    """DCGM's health watches report no failure."""
    if not bench.gpu:
        return _no_gpu(bench)
    seen = bench.evidence.read("dcgm_health", dcgm_health.parse)
    if isinstance(seen, Unknown):
        return unmeasured(seen, Measure("healthy"), "dcgmi health")
    why = "; ".join(seen.incidents[:3]) or seen.overall
    return ruled(seen.overall != "failure", Measure(seen.overall), Measure("healthy"), "dcgmi health", why)


@check("FY3120", required=False, fix="look at clocks, power and heat under load; a chip that stays slow is replaced")
def gemm_rate(bench: Bench) -> Found:
    """Large bf16 matrices multiply at nine tenths of what a healthy chip was measured at (not of its peak)."""
    if bench.chip is None:
        return skipped(f"{bench.machine.name} has no accelerator")
    rows = bench.evidence.read("gemm", gemm.parse)
    share, best = bench.facts.shares["gemm"], bench.chip.matmul_tflops_achievable
    floor = best * share if known(best) else best
    source = f"{share:.0%} of {best} TFLOPS, catalogue, {bench.chip.source}"
    if isinstance(rows, Unknown):
        return unmeasured(rows, Measure(floor, "TFLOPS") if known(floor) else None, source)
    if len(rows) < bench.machine.accelerators:
        return unmeasured(Unknown(f"{len(rows)} of {bench.machine.accelerators} devices were measured"), None, source)
    low = min(rows, key=lambda row: row.tflops)
    peak = bench.chip.bf16_tflops_peak
    if known(peak) and max(row.tflops for row in rows) > 1.05 * peak:
        return unmeasured(Unknown(f"more than the peak of {peak} TFLOPS: the measurement is wrong"), None, source)
    return at_least(low.tflops, floor, "TFLOPS", source, f"on device {low.device}")


@check("FY3121", required=False, fix="as for the GEMM rate; ECC errors that are corrected also cost bandwidth")
def device_memory_rate(bench: Bench) -> Found:
    """A copy within device memory reaches four fifths of the memory's rate."""
    if bench.chip is None:
        return skipped(f"{bench.machine.name} has no accelerator")
    rows = bench.evidence.read("gemm", gemm.parse)
    share, rate = bench.facts.shares["device_memory"], bench.chip.memory_gb_per_s
    floor = rate * share if known(rate) else rate
    source = f"{share:.0%} of {rate} GB/s, catalogue, {bench.chip.source}"
    if isinstance(rows, Unknown):
        return unmeasured(rows, Measure(floor, "GB/s") if known(floor) else None, source)
    low: float | Unknown = min(
        (row.copy_gb_per_s for row in rows if known(row.copy_gb_per_s)), default=Unknown("not measured")
    )
    return at_least(low, floor, "GB/s", source)


@check(
    "FY3122", required=False, fix="docs/health.md says what each code means; a node with one that drains does not open"
)
def kernel_events(bench: Bench) -> Found:
    """The kernel has reported nothing since boot that would drain the node: Xid, SXid, PCIe, NVMe, links."""
    events = bench.evidence.read("kernel_log", kernel_log.parse)
    none, source = Measure(0, "events that drain"), "docs/health.md"
    if isinstance(events, Unknown):
        return unmeasured(events, none, source)
    grave = [each for each in classify(events) if each.action in (Action.DRAIN, Action.REPLACE)]
    why = "; ".join(f"{each.title} ({each.device})" for each in grave[:3])
    return ruled(not grave, Measure(len(grave), "events that drain"), none, source, why)
