# ruff: noqa: E501
"""Outputs of tools as tools write them, with values of our own.

The forms were checked against outputs in public code and threads; docs/acceptance.md lists which.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

LEGEND = """
Legend:

  X    = Self
  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes (e.g., QPI/UPI)
  NV#  = Connection traversing a bonded set of # NVLinks
"""


def bus(index: int) -> str:
    return f"00000000:{0x10 + index:02X}:1C.0"


def smi_gpu(index: int = 0, **other: str) -> str:
    """One GPU of `nvidia-smi -q -x`, form of DTD version 13; `other` replaces values by name."""
    v = {
        "name": "NVIDIA A100-SXM4-40GB", "memory": "40960 MiB", "ecc": "Enabled", "sram": "0", "parity": "0", "dram": "0",
        "corrected": "7", "pending": "No", "failure": "No", "remapped": "0", "retirement": "N/A", "threshold": "No",
        "gen": "4", "gen_most": "4", "width": "16x", "replays": "12", "power": "400.00 W", "default": "400.00 W",
        "sm": "1095 MHz", "sm_most": "1410 MHz", "state": "P0", "hw": "Not Active", "hw_thermal": "Not Active",
        "brake": "Not Active", "sw_thermal": "Not Active", "recovery": "None", "fabric": "N/A", "mig": "Disabled",
        "celsius": "31 C", "bus": bus(index), "uuid": f"GPU-00000000-0000-4000-8000-{index:012d}",
    } | other  # fmt: skip
    spans = "".join(
        f"""
            <{span}>
                <sram_correctable>0</sram_correctable>
                <sram_uncorrectable_parity>{v["parity"]}</sram_uncorrectable_parity>
                <sram_uncorrectable_secded>{v["sram"]}</sram_uncorrectable_secded>
                <dram_correctable>{v["corrected"]}</dram_correctable>
                <dram_uncorrectable>{v["dram"]}</dram_uncorrectable>{
            "<sram_threshold_exceeded>" + v["threshold"] + "</sram_threshold_exceeded>" if span == "aggregate" else ""
        }
            </{span}>"""
        for span in ("volatile", "aggregate")
    )
    return f"""    <gpu id="{v["bus"]}">
        <product_name>{v["name"]}</product_name>
        <product_architecture>Ampere</product_architecture>
        <persistence_mode>Enabled</persistence_mode>
        <mig_mode><current_mig>{v["mig"]}</current_mig><pending_mig>{v["mig"]}</pending_mig></mig_mode>
        <mig_devices>None</mig_devices>
        <serial>13201200{index:05d}</serial>
        <uuid>{v["uuid"]}</uuid>
        <minor_number>{index}</minor_number>
        <gpu_recovery_action>{v["recovery"]}</gpu_recovery_action>
        <pci>
            <pci_bus_id>{v["bus"]}</pci_bus_id>
            <pci_gpu_link_info>
                <pcie_gen>
                    <max_link_gen>{v["gen_most"]}</max_link_gen>
                    <current_link_gen>{v["gen"]}</current_link_gen>
                </pcie_gen>
                <link_widths>
                    <max_link_width>16x</max_link_width>
                    <current_link_width>{v["width"]}</current_link_width>
                </link_widths>
            </pci_gpu_link_info>
            <replay_counter>{v["replays"]}</replay_counter>
        </pci>
        <performance_state>{v["state"]}</performance_state>
        <clocks_event_reasons>
            <clocks_event_reason_gpu_idle>Active</clocks_event_reason_gpu_idle>
            <clocks_event_reason_sw_power_cap>Not Active</clocks_event_reason_sw_power_cap>
            <clocks_event_reason_hw_slowdown>{v["hw"]}</clocks_event_reason_hw_slowdown>
            <clocks_event_reason_hw_thermal_slowdown>{v["hw_thermal"]}</clocks_event_reason_hw_thermal_slowdown>
            <clocks_event_reason_hw_power_brake_slowdown>{v["brake"]}</clocks_event_reason_hw_power_brake_slowdown>
            <clocks_event_reason_sw_thermal_slowdown>{v["sw_thermal"]}</clocks_event_reason_sw_thermal_slowdown>
        </clocks_event_reasons>
        <fb_memory_usage><total>{v["memory"]}</total><used>0 MiB</used></fb_memory_usage>
        <ecc_mode><current_ecc>{v["ecc"]}</current_ecc><pending_ecc>{v["ecc"]}</pending_ecc></ecc_mode>
        <ecc_errors>{spans}
        </ecc_errors>
        <retired_pages><pending_retirement>{v["retirement"]}</pending_retirement></retired_pages>
        <remapped_rows>
            <remapped_row_corr>0</remapped_row_corr>
            <remapped_row_unc>{v["remapped"]}</remapped_row_unc>
            <remapped_row_pending>{v["pending"]}</remapped_row_pending>
            <remapped_row_failure>{v["failure"]}</remapped_row_failure>
        </remapped_rows>
        <temperature><gpu_temp>{v["celsius"]}</gpu_temp></temperature>
        <gpu_power_readings>
            <current_power_limit>{v["power"]}</current_power_limit>
            <default_power_limit>{v["default"]}</default_power_limit>
        </gpu_power_readings>
        <clocks><sm_clock>{v["sm"]}</sm_clock></clocks>
        <max_clocks><sm_clock>{v["sm_most"]}</sm_clock></max_clocks>
        <fabric><state>{v["fabric"]}</state></fabric>
    </gpu>
"""


def smi_xml(
    gpus: int = 8, attached: int | None = None, odd: Mapping[int, Mapping[str, str]] | None = None, **all_: str
) -> str:
    """The whole log; `odd` changes single GPUs."""
    rows = "".join(smi_gpu(index, **{**all_, **(odd or {}).get(index, {})}) for index in range(gpus))
    count = gpus if attached is None else attached
    return f"""<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v13.dtd">
<nvidia_smi_log>
    <timestamp>Sun Nov 22 09:00:00 2026</timestamp>
    <driver_version>580.126.20</driver_version>
    <cuda_version>13.0</cuda_version>
    <attached_gpus>{count}</attached_gpus>
{rows}</nvidia_smi_log>
"""


def smi_csv(units: bool = True) -> str:
    unit = " MiB" if units else ""
    return (
        "index, name, memory.total [MiB], pcie.link.gen.max, ecc.errors.uncorrected.volatile.total, power.draw [W]\n"
        f"0, NVIDIA H100 80GB HBM3, 81559{unit}, 5, 0, 71.25{' W' if units else ''}\n"
        f"1, NVIDIA H100 80GB HBM3, 81559{unit}, 5, [N/A], [Not Supported]\n"
    )


def nvlink(
    gpus: int = 8, links: int = 12, rate: str = "25", down: Sequence[tuple[int, int]] = (), silent: int | None = None
) -> str:
    lines = []
    for gpu in range(gpus):
        lines.append(f"GPU {gpu}: NVIDIA A100-SXM4-40GB (UUID: GPU-00000000-0000-4000-8000-{gpu:012d})")
        if gpu == silent:
            lines.append("NVML: Unable to retrieve NVLink information as all links are inActive")
            continue
        lines += [f"\t Link {i}: {'<inactive>' if (gpu, i) in down else rate + ' GB/s'}" for i in range(links)]
    return "".join(f"{line}\n" for line in lines)


def topo(gpus: int = 8, nics: int = 2, apart: tuple[int, int] | None = None) -> str:
    names = [f"GPU{i}" for i in range(gpus)] + [f"NIC{i}" for i in range(nics)]

    def path(a: int, b: int) -> str:
        if a == b:
            return " X "
        if a < gpus and b < gpus:
            return "SYS" if apart in ((a, b), (b, a)) else "NV12"
        return "PXB" if (a + b) % 2 else "SYS"

    rows = ["\t" + "\t".join(names) + "\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID"]
    for a, name in enumerate(names):
        tail = "\t0-47\t0\t\tN/A" if a < gpus else ""
        rows.append("\t".join([name, *(path(a, b) for b in range(len(names)))]) + tail)
    return "\n".join(rows) + "\n" + LEGEND


def dcgm_json(fails: Mapping[str, str] | None = None, generation: int = 4) -> str:
    fails = fails or {}
    tests = []
    for name in ("software", "memory", "pcie"):
        status = fails.get(name, "Pass")
        row: dict[str, Any] = {"status": status}
        if generation >= 4:
            row |= {"entity_group": "GPU", "entity_group_id": 1, "entity_id": 0}
        if status == "Fail":
            said = f"{name} went wrong"
            row["warnings"] = (
                [{"warning": said, "error_id": 29, "error_category": 1, "error_severity": 2}]
                if generation >= 4
                else said
            )
        tests.append({"name": name, "results": [row], "test_summary": {"status": status}})
    key = "DCGM Diagnostic" if generation >= 4 else "DCGM GPU Diagnostic"
    return json.dumps({key: {"test_categories": [{"category": "Hardware", "tests": tests}]}}, indent=2) + "\n"


def dcgm_table(pcie: str = "Pass", each_gpu: bool = False) -> str:
    border = "+---------------------------+------------------------------------------------+\n"

    def row(key: str, value: str) -> str:
        return f"| {key:<26}| {value:<47}|\n"

    text = "Successfully ran diagnostic for group.\n" + border + row("Diagnostic", "Result") + border.replace("-", "=")
    text += "|-----  Metadata  ----------+------------------------------------------------|\n" + row(
        "DCGM Version", "4.5.1"
    )
    text += "|-----  Deployment  --------+------------------------------------------------|\n"
    text += row("Denylist", "Pass") + row("NVML Library", "Pass")
    text += "+-----  Integration  -------+------------------------------------------------+\n"
    if each_gpu:
        text += row("PCIe", pcie) + row("", "GPU0: Pass") + row("", f"GPU1: {pcie}")
    else:
        text += row("PCIe", f"{pcie} - All")
    if pcie == "Fail":
        text += row("Warning", "GPU 1 the link to the host is narrower than it") + row("", "should be: 8 lanes of 16.")
    return (
        text
        + "+-----  Hardware  ----------+------------------------------------------------+\n"
        + row("GPU Memory", "Skip - All")
        + border
    )


def dcgm_health(state: str = "Healthy", as_json: bool = False) -> str:
    if as_json:
        body: dict[str, Any] = {"Overall Health": {"value": state}}
        if state != "Healthy":
            body["GPU"] = {
                "children": {"3": {"value": state, "children": {"NVLINK system": {"value": "a link is down"}}}}
            }
        return json.dumps({"body": body, "header": ["Health Monitor Report"]}, indent=1) + "\n"
    border = "+---------------------------+----------------------------------------------------------+\n"
    text = border + "| Health Monitor Report                                                                |\n"
    text += border.replace("-", "=") + f"| Overall Health            | {state:<57}|\n"
    if state != "Healthy":
        text += f"| GPU                       | {'':<57}|\n| -> 3                      | {state:<57}|\n"
    return text + border


def ibstat(ports: Sequence[tuple[str, str, int]] = (("Active", "LinkUp", 400),) * 2) -> str:
    return "".join(
        f"CA 'mlx5_{i}'\n\tCA type: MT4129\n\tNumber of ports: 1\n\tFirmware version: 28.41.1000\n\tHardware version: 0\n"
        f"\tNode GUID: 0x946dae0300{i:06x}\n\tSystem image GUID: 0x946dae0300{i:06x}\n\tPort 1:\n\t\tState: {state}\n"
        f"\t\tPhysical state: {physical}\n\t\tRate: {rate}\n\t\tBase lid: 0\n\t\tLMC: 0\n\t\tSM lid: 0\n"
        f"\t\tCapability mask: 0x00010000\n\t\tPort GUID: 0x966daefffe{i:06x}\n\t\tLink layer: Ethernet\n"
        for i, (state, physical, rate) in enumerate(ports)
    )


def ibv_devinfo(count: int = 4, down: int | None = None, efa: bool = True) -> str:
    return "".join(
        f"hca_id:\t{'rdmap' + str(16 * (i + 1)) + 's27' if efa else 'mlx5_' + str(i)}\n\ttransport:\t\t\t"
        f"{'unspecified (4)' if efa else 'InfiniBand (0)'}\n\tfw_ver:\t\t\t\t0.0.0.0\n\tnode_guid:\t\t\t0000:0000:0000:0000\n"
        f"\tsys_image_guid:\t\t\t0000:0000:0000:0000\n\tvendor_id:\t\t\t{'0x1d0f' if efa else '0x02c9'}\n"
        f"\tvendor_part_id:\t\t\t61344\n\thw_ver:\t\t\t\t0xEFA1\n\tphys_port_cnt:\t\t\t1\n\t\tport:\t1\n"
        f"\t\t\tstate:\t\t\t{'PORT_DOWN (1)' if i == down else 'PORT_ACTIVE (4)'}\n\t\t\tmax_mtu:\t\t4096 (5)\n"
        f"\t\t\tactive_mtu:\t\t4096 (5)\n\t\t\tsm_lid:\t\t\t0\n\t\t\tport_lid:\t\t0\n\t\t\tport_lmc:\t\t0x01\n"
        f"\t\t\tlink_layer:\t\tUnspecified\n\n"
        for i in range(count)
    )


def fi_info(devices: int = 4, fabrics: Sequence[str] = ("efa", "efa-direct")) -> str:
    return "".join(
        f"provider: efa\n    fabric: {fabric}\n    domain: rdmap{16 * (i + 1)}s27-{kind}\n    version: 203.10\n"
        f"    type: {'FI_EP_RDM' if kind == 'rdm' else 'FI_EP_DGRAM'}\n    protocol: FI_PROTO_EFA\n"
        for fabric in fabrics
        for i in range(devices)
        for kind in (("rdm",) if fabric != "efa" else ("rdm", "dgrm"))
    )


def rdma_files(errors: int = 0) -> str:
    return "".join(
        f"/sys/class/infiniband/rdmap16s27/ports/1/hw_counters/{name}:{value}\n"
        for name, value in (("lifespan", 12), ("rdma_read_bytes", 83812), ("rdma_read_wr_err", errors), ("rx_drops", 0))
    )


def rdma_show() -> str:
    return "link rdmap16s27/1 tx_bytes 8812 tx_pkts 91 rx_drops 0 rdma_write_wr_err 3 \nlink rdmap32s27/1 tx_bytes 17 tx_pkts 1 \n"


def nccl(
    rates: Sequence[tuple[int, float]] = ((33554432, 40.1), (268435456, 71.2), (1073741824, 77.9)),
    ranks: int = 16,
    per_host: int = 8,
    wrong: str = "0",
    tail: str = "",
) -> str:
    head = "# nThread 1 nGpus 1 minBytes 33554432 maxBytes 1073741824 step: 2(factor) warmup iters: 5 iters: 20 agg iters: 1\n#\n"
    head += "# Using devices\n" + "".join(
        f"#  Rank {r:2d} Group  0 Pid {7000 + r} on node-{r // per_host} device {r % per_host:2d} [0x{r:02x}] NVIDIA A100-SXM4-40GB\n"
        for r in range(ranks)
    )
    head += (
        "#\n#                                                              out-of-place                       in-place          \n"
        "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong\n"
        "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)       \n"
    )
    body = "".join(
        f"{size:12d}  {size // 4:12d}     float     sum      -1   {8000.5:6.1f}  {rate / 1.875:6.2f}  {rate:6.2f}      {wrong}"
        f"   8001.2  {rate / 1.875:6.2f}  {rate:6.2f}      {wrong}\n"
        for size, rate in rates
    )
    bad = sum(2 for _ in rates) if wrong not in ("0", "N/A") else 0
    return (
        head
        + body
        + f"# Out of bounds values : {bad} {'FAILED' if bad else 'OK'}\n# Avg bus bandwidth    : 63.0667 \n#\n{tail}"
    )


def lspci(width: int = 16) -> str:
    return (
        "0000:00:00.0 Host bridge: Intel Corporation 440FX - 82441FX PMC [Natoma]\n\tControl: I/O- Mem+\n\n"
        "0000:10:1c.0 3D controller: NVIDIA Corporation GA100 [A100 SXM4 40GB] (rev a1)\n"
        "\tCapabilities: [78] Express (v2) Endpoint, MSI 00\n"
        "\t\tLnkCap:\tPort #0, Speed 16GT/s, Width x16, ASPM not supported\n"
        "\t\tLnkCtl:\tASPM Disabled; RCB 64 bytes, Disabled- CommClk+\n"
        f"\t\tLnkSta:\tSpeed 16GT/s (ok), Width x{width} ({'ok' if width == 16 else 'downgraded'})\n"
    )


def lsblk(local: int = 8) -> str:
    rows = [{"name": "nvme0n1", "type": "disk", "size": 107374182400, "model": "Amazon Elastic Block Store", "mountpoint": None,
             "children": [{"name": "nvme0n1p1", "type": "part", "size": 107373116928, "model": None, "mountpoint": "/"}]}]  # fmt: skip
    rows += [
        {"name": f"nvme{i + 1}n1", "type": "disk", "size": 1000000000000, "model": "Amazon EC2 NVMe Instance Storage"}
        for i in range(local)
    ]
    return json.dumps({"blockdevices": rows}, indent=3) + "\n"


def nvme_list(local: int = 8, gb: float = 1000, noise: bool = False) -> str:
    rows = [
        {
            "DevicePath": "/dev/nvme0n1",
            "ModelNumber": "Amazon Elastic Block Store",
            "SerialNumber": "vol0a",
            "PhysicalSize": 107374182400,
        }
    ]
    rows += [
        {"NameSpace": 1, "DevicePath": f"/dev/nvme{i + 1}n1", "Firmware": "0", "Index": i + 1, "ModelNumber": "Amazon EC2 NVMe Instance Storage",
         "SerialNumber": f"AWS{i}", "UsedBytes": 0, "MaximumLBA": 1953125000, "PhysicalSize": int(gb * 1e9), "SectorSize": 512}
        for i in range(local)
    ]  # fmt: skip
    said = "Failed to open /sys/class/nvme/nvme1/device/class with errno No such file or directory\n" if noise else ""
    return said + json.dumps({"Devices": rows}, indent=2) + "\n"


def fio(read_bytes: int | None = 2_500_000_000, read_kib: int = 2441406, error: int = 0) -> str:
    half: dict[str, Any] = {"io_bytes": 1, "bw": read_kib, "iops": 19.5}
    if read_bytes is not None:
        half["bw_bytes"] = read_bytes
    none = {"io_bytes": 0, "bw_bytes": 0, "bw": 0, "iops": 0.0}
    jobs = [{"jobname": "seq", "groupid": 0, "error": error, "read": half, "write": none}]
    return (
        "note: both iodepth >= 1 and synchronous I/O engine are selected\n"
        + json.dumps({"fio version": "fio-3.36", "jobs": jobs})
        + "\n"
    )


def neuron_ls(count: int = 16, mib: int = 32768) -> str:
    rows = [
        {"neuron_device": i, "bdf": f"{i:02x}:1e.0", "connected_to": [(i + 1) % count] if count > 1 else None, "nc_count": 2,
         "memory_size": mib * 2**20, "neuroncore_ids": [2 * i, 2 * i + 1], "neuron_processes": []}
        for i in range(count)
    ]  # fmt: skip
    return json.dumps(rows)


def smart_log(**other: Any) -> str:
    row = {
        "critical_warning": 0,
        "temperature": 311,
        "avail_spare": 100,
        "spare_thresh": 10,
        "percent_used": 3,
        "media_errors": 0,
    }
    return json.dumps(row | other) + "\n"


def smartctl(**other: Any) -> str:
    log = {"critical_warning": 0, "temperature": 38, "available_spare": 100, "available_spare_threshold": 10, "percentage_used": 3,
           "media_errors": 0}  # fmt: skip
    return (
        json.dumps({"device": {"name": "/dev/nvme1", "type": "nvme"}, "nvme_smart_health_information_log": log | other})
        + "\n"
    )


def stream(triad: float = 363208.7) -> str:
    rule = "-------------------------------------------------------------\n"
    rows = "".join(f"{name:<12}{rate:>11.1f}     0.018755     0.018713     0.018895\n"
                   for name, rate in (("Copy:", 342008.3), ("Scale:", 342409.6), ("Add:", 343827.7), ("Triad:", triad)))  # fmt: skip
    head = (
        rule
        + "STREAM version $Revision: 5.10 $\n"
        + rule
        + "Function    Best Rate MB/s  Avg time     Min time     Max time\n"
    )
    return head + rows + rule + "Solution Validates: avg error less than 1.000000e-13 on all three arrays\n" + rule


def gemm(count: int = 8, tflops: float = 265.0, copy: float = 1390.0) -> str:
    return "".join(
        json.dumps({"device": i, "dtype": "bf16", "tflops": tflops, "copy_gb_per_s": copy}) + "\n" for i in range(count)
    )


KERNEL_QUIET = (
    "[    0.000000] Linux version 6.8.0-1021-aws\n[   12.345678] nvidia: module license 'NVIDIA' taints kernel.\n"
)


def xid(
    code: int, said: str = "pid=4711, name=python3, Ch 00000008", at: float = 100.0, gpu: str = "0000:10:1c"
) -> str:
    return f"[{at:12.6f}] NVRM: Xid (PCI:{gpu}): {code}, {said}\n"


def p4d_tools(**other: str | None) -> dict[str, dict[str, Any]]:
    """What a healthy p4d.24xlarge prints; `other` replaces one tool's output, None takes the tool away."""
    outputs: dict[str, str | None] = {
        "smi_xml": smi_xml(), "nvlink": nvlink(), "topo": topo(), "dcgm_diag": dcgm_json(), "dcgm_health": dcgm_health(as_json=True),
        "fi_info": fi_info(), "ibv_devinfo": ibv_devinfo(), "nvme_list": nvme_list(), "lsblk": lsblk(), "kernel_log": KERNEL_QUIET,
        "rdma_counters": rdma_files(), "gemm": gemm(), "device_nodes": "none\n", "nvme_smart:/dev/nvme1n1": smart_log(),
    } | other  # fmt: skip
    return {name: tool(text) for name, text in outputs.items()}


def tool(text: str | None, status: int = 0) -> dict[str, Any]:
    if text is None:
        return {"command": "tool --all", "missing": True, "status": None, "out": "", "err": "", "took_s": 0.0}
    return {"command": "tool --all", "status": status, "out": text, "err": "", "took_s": 0.1}


P4D_PARTS: dict[str, Any] = {
    "cpu": {"count": 96, "mhz": 2999.0},
    "memory": {"total_gib": 1121.8, "copy_gb_per_s": 190.0},
    "disk": {"read_gb_per_s": 15.1, "write_gb_per_s": 8.0, "folder": "/cache"},
    "network": {"send_gbps": 9.1, "peer": "10.40.0.6:45990"},
}


def probe(
    tools: Mapping[str, Any] | None = None, parts: Mapping[str, Any] | None = None, host: str = "ip-10-40-0-5"
) -> str:
    document = {"version": 1, "host": host, "took_s": 31.5, "tools": tools or p4d_tools(), "parts": parts or P4D_PARTS}
    return json.dumps(document)
