# ruff: noqa: E501
"""A node opens when it shows what was paid for, and stays out with a reason when it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tool_outputs as out
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.acceptance.evidence import load
from fleetyard.acceptance.facts import facts
from fleetyard.acceptance.judge import judge, reason_line
from fleetyard.acceptance.model import REASON_LIMIT, Decision, Measure, NodeVerdict, Outcome, Verdict
from fleetyard.acceptance.parsers import nccl_tests
from fleetyard.acceptance.registry import check, checks
from fleetyard.catalog import Cloud, Unknown, catalog
from fleetyard.findings import FleetyardError

P4D = catalog().machine(Cloud.AWS, "p4d.24xlarge")


def verdict(machine: Any = P4D, parts: Any = None, **tools: str | None) -> NodeVerdict:
    evidence = load(out.probe(out.p4d_tools(**tools), parts), "probe")
    return judge(machine, evidence, nodes=2, all_reduce=nccl_tests.parse(out.nccl()))


def outcome(code: str, **tools: str | None) -> Outcome:
    (found,) = [each for each in verdict(**tools).outcomes if each.code == code]
    return found


def test_a_healthy_node_opens_with_every_check_that_can_be_judged_passed() -> None:
    seen = verdict()
    assert seen.decision is Decision.OPEN
    assert seen.reason == "accepted"
    left = {each.code: each.verdict for each in seen.outcomes if each.verdict is not Verdict.PASS}
    assert left == {"FY3132": Verdict.NOT_APPLICABLE, "FY3134": Verdict.NOT_APPLICABLE, "FY3143": Verdict.UNKNOWN}


FAULTS: dict[str, dict[str, str | None]] = {
    "FY3101": {"smi_xml": out.smi_xml(7)},
    "FY3102": {"smi_xml": out.smi_xml(8, name="NVIDIA A100-PCIE-40GB")},
    "FY3103": {"smi_xml": out.smi_xml(8, odd={5: {"memory": "20480 MiB"}})},
    "FY3104": {"smi_xml": out.smi_xml(8, odd={5: {"recovery": "GPU Reset"}})},
    "FY3105": {"smi_xml": out.smi_xml(8, odd={2: {"ecc": "Disabled"}})},
    "FY3106": {"smi_xml": out.smi_xml(8, odd={2: {"dram": "1"}})},
    "FY3107": {"smi_xml": out.smi_xml(8, odd={2: {"threshold": "Yes"}})},
    "FY3108": {"smi_xml": out.smi_xml(8, odd={2: {"pending": "Yes"}})},
    "FY3109": {"smi_xml": out.smi_xml(8, odd={2: {"failure": "Yes"}})},
    "FY3110": {"nvlink": out.nvlink(8, down=[(3, 0)])},
    "FY3111": {"nvlink": out.nvlink(8, rate="20")},
    "FY3112": {"topo": out.topo(8, apart=(1, 2))},
    "FY3113": {"smi_xml": out.smi_xml(8, odd={0: {"gen_most": "3"}})},
    "FY3114": {"smi_xml": out.smi_xml(8, odd={0: {"width": "8x"}})},
    "FY3115": {"smi_xml": out.smi_xml(8, odd={0: {"power": "250.00 W"}})},
    "FY3116": {"smi_xml": out.smi_xml(8, odd={0: {"sm_most": "1110 MHz"}})},
    "FY3117": {"smi_xml": out.smi_xml(8, odd={0: {"hw_thermal": "Active"}})},
    "FY3118": {"dcgm_diag": out.dcgm_json({"memory": "Fail"})},
    "FY3119": {"dcgm_health": out.dcgm_health("Failure")},
    "FY3120": {"gemm": out.gemm(8, tflops=240)},
    "FY3121": {"gemm": out.gemm(8, copy=1100)},
    "FY3122": {"kernel_log": out.xid(79, "GPU has fallen off the bus.")},
    "FY3131": {"fi_info": out.fi_info(3)},
    "FY3133": {"ibv_devinfo": out.ibv_devinfo(4, down=1)},
    "FY3135": {"rdma_counters": out.rdma_files(5)},
    "FY3144": {"nvme_list": out.nvme_list(7)},
    "FY3145": {"nvme_list": out.nvme_list(8, gb=900)},
    "FY3147": {"nvme_smart:/dev/nvme1n1": out.smart_log(critical_warning=8)},
}  # fmt: skip


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_is_found_by_its_own_check_and_drains(code: str) -> None:
    before, seen = verdict(), verdict(**FAULTS[code])
    assert seen.decision is Decision.DRAIN
    (found,) = [each for each in seen.outcomes if each.code == code]
    assert (found.verdict, found.blocks) == (Verdict.FAIL, True)
    assert found.fix
    assert found.reason
    assert code in seen.reason
    assert found.measured is not None
    assert found.floor is not None
    assert found.source
    others = {
        each.code for each, old in zip(seen.outcomes, before.outcomes, strict=True) if each.verdict != old.verdict
    }
    assert len(others) <= 2, "one fault, one finding (a count brings its size along)"


@pytest.mark.parametrize(
    "name", ["memory", "ecc", "dram", "pending", "failure", "gen_most", "width", "power", "sm_most"]
)
def test_a_silent_gpu_hides_no_fault_of_another(name: str) -> None:
    bad = {"memory": "20480 MiB", "ecc": "Disabled", "dram": "1", "pending": "Yes", "failure": "Yes", "gen_most": "3", "width": "8x",
           "power": "250.00 W", "sm_most": "1110 MHz"}[name]  # fmt: skip
    for silent, faulty in ((0, 7), (7, 0)):
        seen = verdict(smi_xml=out.smi_xml(8, odd={silent: {name: "N/A"}, faulty: {name: bad}}))
        assert [each.verdict for each in seen.outcomes if each.blocks].count(Verdict.FAIL) >= 1


@pytest.mark.parametrize(
    ("machine", "name", "good"),
    [("g6.xlarge", "NVIDIA L40S", False), ("g6.xlarge", "NVIDIA L4", True), ("p5en.48xlarge", "NVIDIA GH200 480GB", False),
     ("p5en.48xlarge", "NVIDIA H200", True), ("p6-b200.48xlarge", "NVIDIA GB200", False)],
)  # fmt: skip
def test_names_are_compared_as_words(machine: str, name: str, good: bool) -> None:
    bought = catalog().machine(Cloud.AWS, machine)
    seen = verdict(bought, smi_xml=out.smi_xml(bought.accelerators, name=name))
    assert {each.verdict is Verdict.PASS for each in seen.outcomes if each.code == "FY3102"} == {good}


PARTS: dict[str, dict[str, Any]] = {
    "FY3138": {"network": {"send_gbps": 0.9}},
    "FY3141": {"cpu": {"count": 95}},
    "FY3142": {"memory": {"total_gib": 900.0, "copy_gb_per_s": 190.0}},
    "FY3146": {"disk": {"read_gb_per_s": 9.0}},
}


@pytest.mark.parametrize("code", PARTS)
def test_each_fault_of_the_host_is_found(code: str) -> None:
    seen = verdict(parts=out.P4D_PARTS | PARTS[code])
    assert [each.code for each in seen.outcomes if each.verdict is Verdict.FAIL] == [code]


TOOLS = {
    "smi_xml": ["FY3101", "FY3102", "FY3103", "FY3104", "FY3105", "FY3106", "FY3107", "FY3108", "FY3109"],
    "nvlink": ["FY3110"], "fi_info": ["FY3131"], "ibv_devinfo": ["FY3133"],
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("said", [None, "", "N/A\n", "Failed to initialize NVML: Driver/library version mismatch\n"])
def test_a_node_that_cannot_be_measured_does_not_open(tool: str, said: str | None) -> None:
    seen = verdict(**{tool: said})
    assert seen.decision is Decision.DRAIN
    blocking = [each for each in seen.outcomes if each.blocks]
    assert [each.code for each in blocking] == TOOLS[tool]
    assert {each.verdict for each in blocking} == {Verdict.UNKNOWN}
    assert all(each.measured is None for each in blocking)


def test_values_that_the_driver_does_not_give_are_unknown_and_keep_the_node_out() -> None:
    for code, name in (("FY3105", "ecc"), ("FY3106", "dram"), ("FY3108", "pending"), ("FY3103", "memory")):
        found = outcome(code, smi_xml=out.smi_xml(8, odd={7: {name: "[Not Supported]"}}))
        assert (found.verdict, found.blocks) == (Verdict.UNKNOWN, True)
        assert "Not Supported" in found.reason or "N/A" in found.reason


def test_what_no_source_says_is_unknown_and_opens() -> None:
    """The floor is unknown, not the measurement."""
    h200 = catalog().machine(Cloud.AWS, "p5en.48xlarge")
    found = {
        each.code: each
        for each in verdict(h200, smi_xml=out.smi_xml(8, name="NVIDIA H200", memory="143771 MiB")).outcomes
    }
    gemm_rate, ceiling = found["FY3120"], found["FY3116"]
    assert (gemm_rate.verdict, gemm_rate.blocks, gemm_rate.floor) == (Verdict.UNKNOWN, False, None)
    assert gemm_rate.measured == Measure(265.0, "TFLOPS")
    assert (ceiling.verdict, ceiling.blocks) == (Verdict.UNKNOWN, False)
    assert found["FY3143"].measured == Measure(190.0, "GB/s")


def test_a_status_other_than_nought_is_no_result() -> None:
    tools = out.p4d_tools() | {"smi_xml": out.tool(out.smi_xml(), status=14)}
    seen = judge(P4D, load(out.probe(tools), "probe"))
    assert {each.verdict for each in seen.outcomes if each.code == "FY3101"} == {Verdict.UNKNOWN}
    for mark in ({"timed_out": True, "status": None}, {"cut": True}):
        tools = out.p4d_tools() | {"nvlink": out.tool(out.nvlink()) | mark}
        assert judge(P4D, load(out.probe(tools), "probe")).decision is Decision.DRAIN


def test_dcgm_ends_with_a_status_when_a_test_fails_and_is_heard_all_the_same() -> None:
    tools = out.p4d_tools() | {"dcgm_diag": out.tool(out.dcgm_json({"pcie": "Fail"}), status=226)}
    (found,) = [each for each in judge(P4D, load(out.probe(tools), "probe")).outcomes if each.code == "FY3118"]
    assert found.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("nodes", "rate", "expected"),
    [
        (2, 78.0, Verdict.PASS),  # what two p4de were measured at
        (2, 60.0, Verdict.FAIL),
        (2, 97.0, Verdict.UNKNOWN),  # more than the wire carries
        (16, 45.0, Verdict.PASS),
        (16, 78.0, Verdict.UNKNOWN),  # right for two nodes, impossible for sixteen
        (16, 30.0, Verdict.FAIL),
        (1, 235.0, Verdict.PASS),  # one A100 machine
        (1, 182.0, Verdict.FAIL),
    ],
)
def test_collectives_are_judged_by_physics_and_node_count(nodes: int, rate: float, expected: Verdict) -> None:
    run = nccl_tests.parse(out.nccl([(2**30, rate)], ranks=8 * nodes))
    evidence = load(out.probe(), "probe")
    (found,) = [each for each in judge(P4D, evidence, nodes=nodes, all_reduce=run).outcomes if each.code == "FY3136"]
    assert found.verdict is expected
    assert found.blocks == (expected is Verdict.FAIL)


def test_a_collective_over_other_nodes_says_nothing() -> None:
    run = nccl_tests.parse(out.nccl(ranks=8))
    (found,) = [
        each for each in judge(P4D, load(out.probe(), "p"), nodes=2, all_reduce=run).outcomes if each.code == "FY3136"
    ]
    assert found.verdict is Verdict.UNKNOWN
    assert "8 ranks" in found.reason
    small = nccl_tests.parse(out.nccl([(2**20, 78.0)]))
    (found,) = [
        each for each in judge(P4D, load(out.probe(), "p"), nodes=2, all_reduce=small).outcomes if each.code == "FY3136"
    ]
    assert found.verdict is Verdict.UNKNOWN


def test_wrong_values_drain() -> None:
    run = nccl_tests.parse(out.nccl(wrong="2"))
    seen = judge(P4D, load(out.probe(), "p"), nodes=2, all_reduce=run)
    assert [each.code for each in seen.outcomes if each.blocks] == ["FY3137"]


def test_machines_without_accelerators_are_judged_by_their_host() -> None:
    control = catalog().machine(Cloud.AWS, "m7i.xlarge")
    parts = {"cpu": {"count": 4}, "memory": {"total_gib": 15.2, "copy_gb_per_s": 20.0}, "disk": {"read_gb_per_s": 0.2}}
    seen = judge(control, load(out.probe({"kernel_log": out.tool(out.KERNEL_QUIET)}, parts), "p"))
    assert seen.decision is Decision.OPEN


def test_trainium_and_tpu_count_by_their_own_tools() -> None:
    trn = catalog().machine(Cloud.AWS, "trn1.32xlarge")
    tools = {"neuron_ls": out.tool(out.neuron_ls(16))}
    found = {each.code: each for each in judge(trn, load(out.probe(tools), "p")).outcomes}
    assert (found["FY3101"].verdict, found["FY3103"].verdict) == (Verdict.PASS, Verdict.PASS)
    tools = {"neuron_ls": out.tool(out.neuron_ls(15))}
    assert {e.verdict for e in judge(trn, load(out.probe(tools), "p")).outcomes if e.code == "FY3101"} == {Verdict.FAIL}
    host = catalog().machine(Cloud.GCP, catalog().tpu_shape("v5litepod-16").machine)
    nodes = "".join(f"/dev/vfio/{i}\n" for i in range(host.accelerators)) + "/dev/vfio/vfio\n"
    found = {each.code: each for each in judge(host, load(out.probe({"device_nodes": out.tool(nodes)}), "p")).outcomes}
    assert found["FY3101"].verdict is Verdict.PASS


def test_a_waiver_lets_a_node_open_and_keeps_the_reason() -> None:
    evidence = load(out.probe(out.p4d_tools(nvme_list=out.nvme_list(0))), "probe")
    assert judge(P4D, evidence).decision is Decision.DRAIN
    waive = {"FY3144": "simulated hosts have no drives", "FY3145": "same"}
    seen = judge(P4D, evidence, waive=waive)
    (found,) = [each for each in seen.outcomes if each.code == "FY3144"]
    assert (seen.decision, found.verdict, found.blocks) == (Decision.OPEN, Verdict.WAIVED, False)
    assert "simulated hosts have no drives" in found.reason
    passing = judge(P4D, load(out.probe(), "p"), waive=waive)
    assert {each.verdict for each in passing.outcomes if each.code == "FY3144"} == {Verdict.PASS}


# The line for the scheduler


texts = st.text(max_size=120)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(checks()), texts, st.booleans()), min_size=1, max_size=20))
def test_the_reason_is_one_short_plain_line(rows: list[Any]) -> None:
    outcomes = [
        Outcome(
            each.code, each.name, Verdict.FAIL if hard else Verdict.UNKNOWN, None, None, "", reason, "", blocks=True
        )
        for each, reason, hard in rows
    ]
    line = reason_line(outcomes)
    assert len(line) <= REASON_LIMIT
    assert line.startswith("acceptance: FY31")
    assert line.isprintable()
    assert line.isascii()
    assert not set(line) & set("\"'`$\\\n")
    if any(hard for _, _, hard in rows):
        first = min(each.code for each, _, hard in rows if hard)
        assert line.startswith(f"acceptance: {first}")


def test_failures_come_before_what_was_not_measured() -> None:
    seen = verdict(nvlink=None, nvme_list=out.nvme_list(7))
    assert seen.reason.startswith("acceptance: FY3144")
    assert "FY3110" in seen.reason


# What is registered


def test_checks_are_documented_and_have_codes_of_their_own() -> None:
    listed = checks()
    assert len({each.code for each in listed}) == len(listed) >= 37
    for each in listed:
        assert each.code.startswith("FY31")
        assert each.about.endswith((".", ")"))
        assert each.fix
    with pytest.raises(ValueError, match="is taken"):
        check("FY3101", required=True, fix="")(lambda bench: None)  # type: ignore[arg-type,return-value]


def test_facts_speak_of_accelerators_and_machines_of_the_catalogue() -> None:
    book = catalog()
    assert set(facts().chips) <= {each.id for each in book.accelerators()}
    assert set(facts().machines) <= {each.name for each in book.machines()}
    for name, chip in facts().chips.items():
        link = book.accelerator(name).link_gb_per_s
        if isinstance(chip.nvlinks, int) and isinstance(chip.nvlink_gb_per_s, int) and not isinstance(link, Unknown):
            assert chip.nvlinks * chip.nvlink_gb_per_s == link, f"{name}: links times rate is the catalogue's link rate"
        if chip.nvlinks == 0 and not isinstance(link, Unknown):
            assert link == 0
    for name, each in facts().machines.items():
        (machine,) = [m for m in book.machines() if m.name == name]
        if not isinstance(each.fabric_gbps, Unknown) and not isinstance(machine.network_gbps, Unknown):
            assert each.fabric_gbps <= machine.network_gbps


# Files


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 2}', '{"version": 1, "tools": [], "parts": {}}', '{"version": 1, "tools": {"a": 1}, "parts": {}}',
     '{"version": 1, "tools": {}, "parts": {}, "host": "", "took_s": 1}', '{"version": 1, "tools": {}, "parts": {}, "host": "a"}'],
)  # fmt: skip
def test_files_that_are_no_probes_are_refused(text: str) -> None:
    with pytest.raises(FleetyardError) as wrong:
        load(text, "node.json")
    assert wrong.value.findings[0].code == "FY3100"
    assert wrong.value.exit_code == 65


@pytest.mark.parametrize("end", [10, 100, 5000])
def test_a_probe_that_was_cut_is_refused(end: int) -> None:
    with pytest.raises(FleetyardError):
        load(out.probe()[:end], "node.json")


def test_odd_parts_are_unknown() -> None:
    document = json.loads(out.probe())
    document["parts"] = {"cpu": {"count": True}, "memory": {"total_gib": "no MemTotal"}, "disk": None}
    evidence = load(json.dumps(document), "p")
    for path in (("cpu", "count"), ("memory", "total_gib"), ("disk", "read_gb_per_s"), ("network", "send_gbps")):
        assert isinstance(evidence.part(*path), Unknown)
