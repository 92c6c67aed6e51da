# ruff: noqa: E501
"""Each parser reads what its tool writes, and refuses what is something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tool_outputs as out

from fleetyard.acceptance.parsers import (
    dcgm_diag,
    dcgm_health,
    fi_info,
    fio,
    gemm,
    ibstat,
    ibv_devinfo,
    kernel_log,
    lsblk,
    lspci,
    nccl_tests,
    neuron_ls,
    nvidia_smi_csv,
    nvidia_smi_xml,
    nvlink,
    nvme_list,
    rdma_statistic,
    smart,
    stream,
    topo,
    tpu_devices,
)
from fleetyard.acceptance.parsers.reading import ParseError, absent, flag, number, whole
from fleetyard.catalog import Unknown, known

# nvidia-smi


def test_every_gpu_of_the_log_is_read() -> None:
    smi = nvidia_smi_xml.parse(
        out.smi_xml(8, odd={3: {"dram": "2", "width": "8x", "pending": "Yes", "hw_thermal": "Active"}})
    )
    assert (smi.driver, smi.attached, len(smi.gpus)) == ("580.126.20", 8, 8)
    good, bad = smi.gpus[0], smi.gpus[3]
    assert (good.memory_mib, good.ecc_on, good.power_cap_w, good.sm_mhz_most) == (40960, True, 400.0, 1410)
    assert (good.ecc.dram_uncorrectable, good.ecc.sram_uncorrectable, good.remap_pending, good.slowdowns) == (
        0,
        0,
        False,
        (),
    )
    assert (bad.ecc.dram_uncorrectable, bad.pcie_width_now, bad.remap_pending) == (2, 8, True)
    assert bad.slowdowns == ("hw_thermal_slowdown",)


def test_both_halves_of_sram_errors_count() -> None:
    (gpu,) = nvidia_smi_xml.parse(out.smi_xml(1, parity="2", sram="3")).gpus
    assert gpu.ecc.sram_uncorrectable == 5
    (gpu,) = nvidia_smi_xml.parse(out.smi_xml(1, parity="N/A", sram="3")).gpus
    assert isinstance(gpu.ecc.sram_uncorrectable, Unknown)


def test_older_logs_name_things_otherwise() -> None:
    text = (
        out.smi_xml(1)
        .replace("clocks_event_reason", "clocks_throttle_reason")
        .replace("gpu_power_readings", "power_readings")
        .replace("current_power_limit", "enforced_power_limit")
    )
    (gpu,) = nvidia_smi_xml.parse(text).gpus
    assert (gpu.power_cap_w, gpu.slowdowns) == (400.0, ())


@pytest.mark.parametrize(
    "said", ["N/A", "[N/A]", "[Not Supported]", "Not Supported", "Requested functionality has been deprecated"]
)
def test_what_the_driver_does_not_say_is_unknown_and_never_nought(said: str) -> None:
    (gpu,) = nvidia_smi_xml.parse(
        out.smi_xml(1, dram=said, ecc=said, pending=said, memory=said, power=said, sm_most=said)
    ).gpus
    for value in (
        gpu.ecc.dram_uncorrectable,
        gpu.ecc_on,
        gpu.remap_pending,
        gpu.memory_mib,
        gpu.power_cap_w,
        gpu.sm_mhz_most,
    ):
        assert isinstance(value, Unknown)


def test_a_lost_gpu_is_lost() -> None:
    smi = nvidia_smi_xml.parse(
        out.smi_xml(2, odd={1: {"memory": "GPU is lost", "celsius": "GPU is lost", "fabric": "GPU is lost"}})
    )
    assert [gpu.lost for gpu in smi.gpus] == [False, True]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda t: t.replace("40960 MiB", "40960"), "memory"),
        (lambda t: t.replace("40960 MiB", "40960 GiB"), "memory"),
        (lambda t: t.replace("40960 MiB", "40.960,00 MiB"), "memory"),
        (lambda t: t.replace("400.00 W", "400,00 W"), "power limit"),
        (lambda t: t.replace("<current_ecc>Enabled", "<current_ecc>Aktiviert"), "ECC mode"),
        (lambda t: t.replace("16x", "16"), "link width"),
        (lambda t: t.replace("<attached_gpus>2", "<attached_gpus>1"), "as many GPUs"),
        (lambda t: t.replace("</gpu>", "", 1), "whole XML"),
        (lambda t: t.replace("<fb_memory_usage><total>40960 MiB</total><used>0 MiB</used></fb_memory_usage>", ""), "fb_memory"),
        (lambda t: t.replace('v13.dtd">', 'v13.dtd" [<!ENTITY a "b">]>'), "entities"),
        (lambda t: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", "an XML document"),
        (lambda t: "", "an XML document"),
    ],
)  # fmt: skip
def test_logs_that_are_none_are_refused(change: Callable[[str], str], expected: str) -> None:
    with pytest.raises(ParseError, match=expected):
        nvidia_smi_xml.parse(change(out.smi_xml(2)))


@pytest.mark.parametrize("units", [True, False])
def test_queries_give_numbers_with_or_without_units(units: bool) -> None:
    first, second = nvidia_smi_csv.parse(out.smi_csv(units))
    assert (first.number("memory.total"), first.number("power.draw"), first.number("pcie.link.gen.max")) == (
        81559,
        71.25,
        5,
    )
    assert isinstance(second.number("power.draw"), Unknown)
    assert isinstance(second.number("ecc.errors.uncorrected.volatile.total"), Unknown)
    assert isinstance(first.number("temperature.gpu"), Unknown)
    with pytest.raises(ParseError):
        first.number("name")


def test_queries_refuse_rows_of_another_length() -> None:
    with pytest.raises(ParseError, match="6 values"):
        nvidia_smi_csv.parse(out.smi_csv() + "2, NVIDIA H100\n")
    with pytest.raises(ParseError, match="header of field names"):
        nvidia_smi_csv.parse("Unable to determine the device handle for GPU0000:01:00.0: Unknown Error\n")


def test_links_are_counted_for_each_gpu() -> None:
    found = nvlink.parse(out.nvlink(8, 12, down=[(2, 5), (2, 6)]))
    assert [each.up for each in found] == [12, 12, 10, 12, 12, 12, 12, 12]
    (blackwell,) = nvlink.parse(out.nvlink(1, 18, "53.125"))
    assert known(blackwell.links)
    assert blackwell.links[0] == 53.125
    silent = nvlink.parse(out.nvlink(4, silent=2))
    assert isinstance(silent[2].up, Unknown)
    assert "inActive" in silent[2].up.reason


@pytest.mark.parametrize(
    "text", ["", "\n", "Link 0: 25 GB/s\n", out.nvlink(2).replace("Link 3:", "Link 4:", 1), out.nvlink(2).rsplit("\n", 2)[0] + "\n",
             out.nvlink(2).replace("25 GB/s", "25 Go/s", 1)]
)  # fmt: skip
def test_links_that_do_not_add_up_are_refused(text: str) -> None:
    with pytest.raises(ParseError):
        nvlink.parse(text)


def test_topology_tells_pairs_without_nvlink() -> None:
    assert topo.parse(out.topo(8)).pairs_without_nvlink() == ()
    seen = topo.parse(out.topo(8, apart=(2, 5)))
    assert seen.pairs_without_nvlink() == (("GPU2", "GPU5"),)
    assert seen.devices[-2:] == ("NIC0", "NIC1")
    assert topo.parse(
        "\x1b[4mGPU0\tGPU1\tCPU Affinity\x1b[0m\n" + "GPU0\t X \tPHB\t0\nGPU1\tPHB\t X \t0\n" + out.LEGEND
    ).gpus == ("GPU0", "GPU1")
    with pytest.raises(ParseError, match="symmetric"):
        topo.parse(out.topo(4).replace("NV12", "SYS", 1))


# DCGM


@pytest.mark.parametrize("generation", [3, 4])
def test_diagnostics_as_json(generation: int) -> None:
    tests = dcgm_diag.parse(out.dcgm_json({"pcie": "Fail", "memory": "Skip"}, generation))
    assert {each.name: each.state for each in tests} == {"software": "pass", "memory": "skip", "pcie": "fail"}
    assert tests[-1].said == "pcie went wrong"


@pytest.mark.parametrize("each_gpu", [True, False])
def test_diagnostics_as_a_table(each_gpu: bool) -> None:
    assert {each.state for each in dcgm_diag.parse(out.dcgm_table(each_gpu=each_gpu))} == {"pass", "skip"}
    failed = [each for each in dcgm_diag.parse(out.dcgm_table("Fail", each_gpu)) if each.state == "fail"]
    assert failed[-1].name == "PCIe"
    assert "8 lanes of 16" in failed[-1].said
    assert failed[-1].category == "Integration"


@pytest.mark.parametrize(
    "text",
    [
        "", "Error: unable to establish a connection to the specified host: localhost\n", "{}", '{"DCGM Diagnostic": []}',
        '{"DCGM Diagnostic": {"runtime_error": "no GPU"}}', out.dcgm_json().replace('"Pass"', '"Bestanden"'),
        out.dcgm_table().replace("Pass", "OK"), '{"DCGM Diagnostic": {"test_categories": []}}',
    ],
)  # fmt: skip
def test_diagnostics_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ParseError):
        dcgm_diag.parse(text)


@pytest.mark.parametrize("as_json", [True, False])
def test_health_watches(as_json: bool) -> None:
    assert dcgm_health.parse(out.dcgm_health("Healthy", as_json)) == dcgm_health.Health("healthy", ())
    seen = dcgm_health.parse(out.dcgm_health("Failure", as_json))
    assert seen.overall == "failure"
    assert any("3" in each for each in seen.incidents)
    with pytest.raises(ParseError):
        dcgm_health.parse(out.dcgm_health("Gesund", as_json))
    with pytest.raises(ParseError):
        dcgm_health.parse("Error: Health watches not enabled. Please enable watches. \n")


# Fabrics


def test_ports_of_adapters() -> None:
    ports = ibstat.parse(out.ibstat([("Active", "LinkUp", 400), ("Down", "Disabled", 10)]))
    assert [(p.adapter, p.up, p.gbps, p.layer) for p in ports] == [
        ("mlx5_0", True, 400, "Ethernet"),
        ("mlx5_1", False, 10, "Ethernet"),
    ]
    with pytest.raises(ParseError, match="2 ports"):
        ibstat.parse(out.ibstat().replace("Number of ports: 1", "Number of ports: 2", 1))
    with pytest.raises(ParseError, match="rate"):
        ibstat.parse(out.ibstat().replace("Rate: 400", "Rate: NDR", 1))
    with pytest.raises(ParseError):
        ibstat.parse("ibpanic: [4711] main: stat of IB device 'mlx5_0' failed: No such file or directory\n")


def test_rdma_devices() -> None:
    found = ibv_devinfo.parse(out.ibv_devinfo(4, down=2))
    assert [(d.name, d.efa, d.up) for d in found][1:3] == [("rdmap32s27", True, True), ("rdmap48s27", True, False)]
    assert not ibv_devinfo.parse(out.ibv_devinfo(1, efa=False))[0].efa
    for text in ("No IB devices found\n", "", out.ibv_devinfo(1).replace("\t\t\tstate:", "\t\t\tstatus:")):
        with pytest.raises(ParseError):
            ibv_devinfo.parse(text)


def test_one_efa_device_counts_once_however_often_libfabric_lists_it() -> None:
    endpoints = fi_info.parse(out.fi_info(4))
    assert len(endpoints) == 12
    assert fi_info.devices(endpoints) == ("rdmap16s27", "rdmap32s27", "rdmap48s27", "rdmap64s27")
    assert fi_info.parse("fi_getinfo: -61\n") == ()
    assert fi_info.devices(fi_info.parse(out.fi_info(2).replace("provider: efa", "provider: sockets"))) == ()
    for text in ("", "fi_info: command not found\n", out.fi_info(1).replace("    domain", "    Domäne", 1)):
        with pytest.raises(ParseError):
            fi_info.parse(text)


def test_counters_from_files_and_from_rdma() -> None:
    assert rdma_statistic.parse(out.rdma_files(7))["rdmap16s27/1"]["rdma_read_wr_err"] == 7
    shown = rdma_statistic.parse(out.rdma_show())
    assert (shown["rdmap16s27/1"]["rdma_write_wr_err"], shown["rdmap32s27/1"]["tx_pkts"]) == (3, 1)
    for text in ("link a/1 tx_bytes\n", "link a/1 tx_bytes viele\n", "error\n", "link a/1 tx_bytes -1\n"):
        with pytest.raises(ParseError):
            rdma_statistic.parse(text)


def test_collectives() -> None:
    run = nccl_tests.parse(out.nccl())
    assert (run.hosts, run.ranks, run.average_gb_per_s, run.out_of_bounds) == (("node-0", "node-1"), 16, 63.0667, 0)
    assert run.best(2**28) == 77.9
    assert isinstance(run.best(2**40), Unknown)
    assert run.sizes[0].wrong == 0
    assert isinstance(nccl_tests.parse(out.nccl(wrong="N/A")).sizes[0].wrong, Unknown)
    bad = nccl_tests.parse(out.nccl(wrong="3", tail=" .. node-0 pid 7000: Test failure common.cu:1127\n"))
    assert (bad.sizes[0].wrong, bad.out_of_bounds) == (6, 6)
    assert "Test failure" in bad.failure


def test_collectives_through_mpirun_and_of_older_versions() -> None:
    tagged = "".join(f"[1,0]<stdout>:{line}\n" for line in out.nccl().splitlines())
    assert nccl_tests.parse(tagged).best(2**28) == 77.9
    without_root = out.nccl().replace("     sum      -1", "     sum")
    assert nccl_tests.parse(without_root).best(2**28) == 77.9
    with_iterations = out.nccl().replace("      0\n", "      0      20\n")
    assert nccl_tests.parse(with_iterations).best(2**28) == 77.9


def test_a_collective_that_did_not_run_is_refused() -> None:
    mpi = "There are not enough slots available in the system to satisfy the 16\nslots that were requested by the application:\n"
    for text in ("", mpi, out.nccl().replace("77.90", "77,90"), out.nccl().split("# Out of bounds")[0]):
        with pytest.raises(ParseError):
            nccl_tests.parse(text)


# Host


def test_pci_links() -> None:
    host, gpu = lspci.parse(out.lspci(8))
    assert isinstance(host.degraded, Unknown)
    assert gpu.degraded is True
    assert gpu.can == lspci.Link(4, 16)
    assert lspci.parse(out.lspci())[1].degraded is False
    slow = lspci.parse(out.lspci().replace("Speed 16GT/s (ok)", "Speed unknown"))[1]
    assert slow.does is not None
    assert isinstance(slow.does.generation, Unknown)
    for text in ("", "lspci: Unable to load libkmod resources\n", out.lspci().replace("Width x16", "Breite x16")):
        with pytest.raises(ParseError):
            lspci.parse(text)


def test_drives() -> None:
    found = nvme_list.parse(out.nvme_list(8, noise=True))
    assert (sum(d.local for d in found), found[1].bytes, len(found)) == (8, 1e12, 9)
    assert nvme_list.parse('{"Devices": []}') == ()
    nested = '{"Devices":[{"Subsystems":[{"Controllers":[{"ModelNumber":"nvme_card0","SerialNumber":"a","Namespaces":[]}],"Namespaces":[{"NameSpace":"nvme0n1","PhysicalSize":402653184000}]}]}]}'
    (google,) = nvme_list.parse(nested)
    assert (google.path, google.local, google.bytes) == ("/dev/nvme0n1", True, 402653184000)
    blocks = lsblk.parse(out.lsblk(2))
    assert [b.name for b in blocks] == ["nvme0n1", "nvme0n1p1", "nvme1n1", "nvme2n1"]
    assert isinstance(lsblk.parse('{"blockdevices":[{"name":"sda","type":"disk","size":"1,8T"}]}')[0].bytes, Unknown)
    for parse, text in (
        (nvme_list.parse, ""),
        (lsblk.parse, "lsblk: unknown column\n"),
        (nvme_list.parse, "Permission denied\n"),
    ):
        with pytest.raises(ParseError):
            parse(text)


def test_rates_of_fio() -> None:
    (job,) = fio.parse(out.fio())
    assert (job.read_gb_per_s, job.write_gb_per_s, job.error) == (2.5, 0.0, 0)
    assert fio.parse(out.fio(read_bytes=None))[0].read_gb_per_s == pytest.approx(2.5, rel=1e-3)
    for text in (
        "fio: pid=42, err=84/file:io_u.c:2141\n",
        '{"jobs": []}',
        '{"jobs": [{"jobname": "a", "error": "no"}]}',
    ):
        with pytest.raises(ParseError):
            fio.parse(text)


def test_smart_of_both_tools() -> None:
    assert smart.parse(out.smart_log(critical_warning=4)).critical_warning == 4
    assert smart.parse(out.smart_log(critical_warning={"value": 1, "available_spare": 1})).critical_warning == 1
    seen = smart.parse(out.smartctl(available_spare=8))
    assert (seen.device, seen.spare_percent, seen.spare_threshold_percent) == ("/dev/nvme1", 8, 10)
    with pytest.raises(ParseError):
        smart.parse('{"smartctl": {"exit_status": 2}}')


def test_neuron_and_tpu_devices() -> None:
    found = neuron_ls.parse(out.neuron_ls(16))
    assert (len(found), found[0].memory_mib, found[3].neighbours) == (16, 32768, (4,))
    assert neuron_ls.parse(out.neuron_ls(1))[0].neighbours == ()
    assert tpu_devices.parse("/dev/accel1\n/dev/accel0\n") == ("/dev/accel0", "/dev/accel1")
    assert tpu_devices.parse("/dev/vfio/vfio\n/dev/vfio/10\n/dev/vfio/2\n") == ("/dev/vfio/2", "/dev/vfio/10")
    assert tpu_devices.parse("none\n") == ()
    with pytest.raises(ParseError):
        tpu_devices.parse("ls: cannot access '/dev/accel*': No such file or directory\n")
    with pytest.raises(ParseError):
        neuron_ls.parse('[{"neuron_device": 0}, {"neuron_device": 0}]')


def test_memory_bandwidth_and_gemm() -> None:
    assert stream.parse(out.stream()).triad == pytest.approx(363.2087)
    with pytest.raises(ParseError, match="Validates"):
        stream.parse(out.stream().replace("Solution Validates", "Failed Validation"))
    assert [row.tflops for row in gemm.parse(out.gemm(2))] == [265.0, 265.0]
    for text in ('{"error": "PyTorch sees no GPU"}\n', '{"device": 0, "dtype": "bf16", "tflops": 0}\n', ""):
        with pytest.raises(ParseError):
            gemm.parse(text)


@pytest.mark.parametrize(
    ("line", "code", "seconds"),
    [
        ("[ 4711.250000] NVRM: Xid (PCI:0000:9b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", 79, 4711.25),
        ("4,1227,437812449932,c;NVRM: Xid (PCI:0000:9b:00): 43, pid=18, name=a, Ch 00000018", 43, 437812.449932),
        ("2026-11-22T09:00:00+0000 node kernel: NVRM: Xid (PCI:0000:9B:00): 94, pid=1, name=a", 94, 1795338000.0),
        ("NVRM: Xid (0000:9b:00): 14, Channel 00000001", 14, None),
    ],
)  # fmt: skip
def test_xids_in_every_dress(line: str, code: int, seconds: float | None) -> None:
    (event,) = kernel_log.parse(line + "\n")
    assert (event.kind, event.code, event.device) == ("xid", code, "0000:9b:00")
    assert event.seconds == seconds if seconds is not None else isinstance(event.seconds, Unknown)


def test_other_events_of_the_kernel() -> None:
    lines = """\
[    9.1] nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 20034, Fatal, Link 30 LTSSM Fault Up
[   10.1] mlx5_core 0000:5e:00.0 ens5f0np0: Link down
[   11.1] mlx5_core 0000:5e:00.0 ens5f0np0: Link up
[   12.1] nvme nvme3: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff
[   13.1] pcieport 0000:10:00.0: AER: Uncorrectable (Fatal) error message received
[   14.1] nvidia 0000:10:1c.0: PCIe Bus Error: severity=Correctable, type=Physical Layer
[   15.1] usb 1-1: new high-speed USB device
"""
    found = kernel_log.parse(lines)
    assert [(e.kind, e.device) for e in found] == [
        ("sxid", "0000:05:00.0"), ("link-down", "ens5f0np0"), ("link-up", "ens5f0np0"), ("nvme", "nvme3"), ("pcie", "0000:10:00.0"),
    ]  # fmt: skip


# Values


@pytest.mark.parametrize("text", ["12 MiB", "1.5e3 MiB", "-4 MiB"])
def test_numbers_with_their_unit(text: str) -> None:
    assert number("t", "x", text, "MiB") == float(text.split()[0])


@pytest.mark.parametrize(
    "text",
    ["12", "12 Mi", "12 MiB x", "1,5 MiB", "0x10 MiB", "nan MiB", "inf MiB", "\u0661\u0662 MiB", "12MiB"],
)
def test_numbers_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(ParseError):
        number("t", "x", text, "MiB")


def test_counts_and_flags() -> None:
    assert whole("t", "x", "7") == 7
    for text in ("7.5", "-1"):
        with pytest.raises(ParseError):
            whole("t", "x", text)
    assert flag("t", "x", "Yes", "Yes", "No") is True
    with pytest.raises(ParseError):
        flag("t", "x", "Oui", "Yes", "No")
    assert absent("GPU is lost") == Unknown("GPU is lost")
    assert absent("0") is None


def test_an_error_names_the_tool_and_what_it_found() -> None:
    wrong = ParseError("fio", "a JSON document", "x" * 200)
    assert str(wrong).startswith("fio: expected a JSON document, found 'xxx")
    assert len(str(wrong)) < 120


def test_modules_all_have_a_parser() -> None:
    modules: list[Any] = [nvidia_smi_xml, nvidia_smi_csv, nvlink, topo, dcgm_diag, dcgm_health, ibstat, ibv_devinfo, fi_info,
                          rdma_statistic, nccl_tests, lspci, lsblk, nvme_list, fio, neuron_ls, tpu_devices, stream, gemm, smart, kernel_log]  # fmt: skip
    assert all(callable(module.parse) and module.TOOL for module in modules)
