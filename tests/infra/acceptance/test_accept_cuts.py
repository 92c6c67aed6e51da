# ruff: noqa: E501
"""Whatever happens to an output on its way, it never turns into a number that the tool did not print."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import tool_outputs as out
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.acceptance.evidence import load
from fleetyard.acceptance.judge import judge
from fleetyard.acceptance.model import Verdict
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
from fleetyard.acceptance.parsers.reading import ParseError
from fleetyard.catalog import Cloud, catalog

Parse = Callable[[str], Any]
SAMPLES: Mapping[str, tuple[Parse, str]] = {
    "smi_xml": (nvidia_smi_xml.parse, out.smi_xml(2, memory="40961 MiB", power="401.25 W")),
    "smi_csv": (nvidia_smi_csv.parse, out.smi_csv()),
    "smi_csv-nounits": (nvidia_smi_csv.parse, out.smi_csv(units=False)),
    "nvlink": (nvlink.parse, out.nvlink(2, 12, "26.562", down=[(1, 11)])),
    "topo": (topo.parse, out.topo(4)),
    "dcgm-json": (dcgm_diag.parse, out.dcgm_json({"pcie": "Fail"})),
    "dcgm-table": (dcgm_diag.parse, out.dcgm_table("Fail", each_gpu=True)),
    "dcgm-health": (dcgm_health.parse, out.dcgm_health("Failure")),
    "dcgm-health-json": (dcgm_health.parse, out.dcgm_health("Failure", as_json=True)),
    "ibstat": (ibstat.parse, out.ibstat()),
    "ibv": (ibv_devinfo.parse, out.ibv_devinfo(2)),
    "fi_info": (fi_info.parse, out.fi_info(2)),
    "rdma-files": (rdma_statistic.parse, out.rdma_files(12345)),
    "rdma-show": (rdma_statistic.parse, out.rdma_show()),
    "nccl": (nccl_tests.parse, out.nccl()),
    "lspci": (lspci.parse, out.lspci(8)),
    "lsblk": (lsblk.parse, out.lsblk(2)),
    "nvme": (nvme_list.parse, out.nvme_list(2)),
    "fio": (fio.parse, out.fio()),
    "neuron": (neuron_ls.parse, out.neuron_ls(2)),
    "smart": (smart.parse, out.smart_log()),
    "stream": (stream.parse, out.stream()),
    "gemm": (gemm.parse, out.gemm(2)),
    "tpu": (tpu_devices.parse, "/dev/vfio/0\n/dev/vfio/11\n/dev/vfio/vfio\n"),
    "kernel": (kernel_log.parse, out.xid(119) + out.xid(79) + "4,1,22,-;NVRM: Xid (PCI:0000:10:1c): 144, SAW_MVB Nonfatal\n"),
}  # fmt: skip


def numbers(value: Any) -> Iterator[float]:
    """Every number in a parsed result, however deep."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield float(value)
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            if each.name == "ranks":  # a count of lines; the check compares it with the nodes
                continue
            yield from numbers(getattr(value, each.name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from numbers(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from numbers(each)


def cells(value: Any) -> set[str]:
    """The same for rows that keep text."""
    rows = [row for row in value if isinstance(row, nvidia_smi_csv.Row)] if isinstance(value, tuple) else []
    return {cell for row in rows for cell in row.values.values()}


@pytest.mark.parametrize("name", SAMPLES)
def test_cut_at_any_byte(name: str) -> None:
    parse, text = SAMPLES[name]
    whole = parse(text)
    printed, written = set(numbers(whole)), cells(whole)
    step = max(1, len(text) // 400)
    for end in [*range(0, len(text), step), *range(max(0, len(text) - 120), len(text))]:
        try:
            found = parse(text[:end])
        except ParseError:
            continue
        assert set(numbers(found)) <= printed, f"cut at {end}"
        assert cells(found) <= written, f"cut at {end}"


@pytest.mark.parametrize("name", SAMPLES)
def test_any_line_may_be_lost(name: str) -> None:
    parse, text = SAMPLES[name]
    printed = set(numbers(parse(text)))
    lines = text.splitlines(keepends=True)
    for index in range(len(lines)):
        try:
            found = parse("".join(lines[:index] + lines[index + 1 :]))
        except ParseError:
            continue
        assert set(numbers(found)) <= printed, f"without line {index}: {lines[index]}"


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_nothing_crashes(name: str, data: st.DataObject) -> None:
    parse, text = SAMPLES[name]
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    other = data.draw(
        st.one_of(
            st.text(max_size=30), st.sampled_from(["N/A", "[Not Supported]", "\x00", "{", "[[[[", "é", "-1", "1e999"])
        )
    )
    for broken in (text[:begin] + other + text[end:], other, text[begin:end]):
        try:
            parse(broken)
        except ParseError:
            continue


LATE_FAULTS: Mapping[str, tuple[str, str]] = {
    "FY3110": ("nvlink", out.nvlink(8, down=[(7, 11)])),
    "FY3112": ("topo", out.topo(8, apart=(6, 7))),
    "FY3118": ("dcgm_diag", out.dcgm_table("Fail")),
    "FY3119": ("dcgm_health", out.dcgm_health("Failure")),
    "FY3120": ("gemm", out.gemm(7) + out.gemm(1, tflops=100.0).replace('"device": 0', '"device": 7')),
    "FY3133": ("ibv_devinfo", out.ibv_devinfo(4, down=3)),
    "FY3101": ("smi_xml", out.smi_xml(7)),
    "FY3106": ("smi_xml", out.smi_xml(8, odd={7: {"dram": "1"}})),
}


@pytest.mark.parametrize("code", LATE_FAULTS)
def test_a_cut_output_opens_no_node_that_the_whole_one_keeps_out(code: str) -> None:
    """The fault stands last, so a cut would hide it."""
    tool, text = LATE_FAULTS[code]
    machine = catalog().machine(Cloud.AWS, "p4d.24xlarge")
    step = max(1, len(text) // 60)
    for end in [*range(0, len(text), step), len(text)]:
        evidence = load(out.probe(out.p4d_tools(**{tool: text[:end]})), "probe")
        (found,) = [each for each in judge(machine, evidence).outcomes if each.code == code]
        assert found.verdict in (Verdict.FAIL, Verdict.UNKNOWN), f"cut at {end}: {found}"
