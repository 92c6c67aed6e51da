"""Stand-ins answer as the tools do: the gate's own parsers read them, planted faults show, every call is on record."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from accelerator_bench import DRIVER, PlayedNode

from fleetyard.acceptance.parsers import (
    dcgm_diag,
    dcgm_health,
    fi_info,
    ibstat,
    ibv_devinfo,
    neuron_ls,
    nvidia_smi_csv,
    nvidia_smi_xml,
    nvlink,
    topo,
)


@pytest.fixture
def node(tmp_path: Path) -> PlayedNode:
    """A p5.48xlarge with its driver."""
    return PlayedNode.make(tmp_path)


# nvidia-smi


@pytest.mark.parametrize(
    ("cloud", "machine", "count"),
    [("aws", "p4d.24xlarge", 8), ("aws", "g6.xlarge", 1), ("aws", "p6-b200.48xlarge", 8), ("gcp", "a3-highgpu-8g", 8)],
)
def test_every_machine_of_the_catalogue_can_be_played(tmp_path: Path, cloud: str, machine: str, count: int) -> None:
    node = PlayedNode.make(tmp_path, cloud, machine)
    log = nvidia_smi_xml.parse(node.said("nvidia-smi", "-q", "-x"))
    assert (log.driver, log.attached, len(log.gpus)) == (DRIVER, count, count)
    assert len({gpu.uuid for gpu in log.gpus}) == len({gpu.bus for gpu in log.gpus}) == count
    assert not any(gpu.lost for gpu in log.gpus)
    links = nvlink.parse(node.said("nvidia-smi", "nvlink", "-s"))
    assert len(links) == count


def test_the_log_the_rows_and_the_list_agree(node: PlayedNode) -> None:
    log = nvidia_smi_xml.parse(node.said("nvidia-smi", "-q", "-x"))
    fields = "index,uuid,memory.total,power.limit,driver_version,ecc.mode.current"
    rows = nvidia_smi_csv.parse(node.said("nvidia-smi", f"--query-gpu={fields}", "--format=csv"))
    listed = node.said("nvidia-smi", "-L").splitlines()
    for gpu, row, line in zip(log.gpus, rows, listed, strict=True):
        assert row.values["uuid"] == gpu.uuid
        assert f"(UUID: {gpu.uuid})" in line
        assert row.number("memory.total") == gpu.memory_mib == 81559
        assert row.number("power.limit") == gpu.power_cap_w == 700
        assert gpu.ecc_on
    shape = topo.parse(node.said("nvidia-smi", "topo", "-m"))
    assert len(shape.gpus) == 8
    assert shape.pairs_without_nvlink() == ()
    assert {links.up for links in nvlink.parse(node.said("nvidia-smi", "nvlink", "-s"))} == {18}


def test_units_and_headers_are_left_out_when_asked(node: PlayedNode) -> None:
    asked = node.said("nvidia-smi", "--query-gpu=index,power.limit", "--format=csv,noheader,nounits", "-i", "2")
    assert asked == "2, 700.00\n"
    done = node.run("nvidia-smi", "--query-gpu=colour", "--format=csv")
    assert done.returncode == 2
    assert "not a valid field" in done.stdout


def test_without_a_module_the_driver_does_not_answer(node: PlayedNode) -> None:
    (node.root / "var/lib/dkms/nvidia/kernel-6.1.0-x86_64").unlink()
    done = node.run("nvidia-smi", "-L")
    assert done.returncode == 9
    assert "couldn't communicate with the NVIDIA driver" in done.stdout


def test_a_driver_that_was_changed_waits_for_a_restart(node: PlayedNode) -> None:
    assert node.said("nvidia-smi", "-L")
    node.says("nvidia-driver", "580.173.02")
    node.module("580.173.02")
    done = node.run("nvidia-smi", "-L")
    assert done.returncode == 18
    assert "Driver/library version mismatch" in done.stdout
    # /run is empty after a restart.
    (node.root / "run/fleetyard-stand-in/loaded").unlink()
    assert nvidia_smi_xml.parse(node.said("nvidia-smi", "-q", "-x")).driver == "580.173.02"


def test_a_node_that_plays_nothing_has_no_driver(tmp_path: Path) -> None:
    node = PlayedNode.make(tmp_path)
    (tmp_path / "etc/fleetyard/stand-in.json").unlink()
    assert node.run("nvidia-smi").returncode == 9


def test_settings_hold_and_limits_are_kept(node: PlayedNode) -> None:
    assert "All done." in node.said("nvidia-smi", "-pl", "500", "-i", "1")
    node.said("nvidia-smi", "-lgc", "1980,1980")
    rows = nvidia_smi_csv.parse(node.said("nvidia-smi", "--query-gpu=power.limit,clocks.sm", "--format=csv"))
    assert [row.number("power.limit") for row in rows[:3]] == [700, 500, 700]
    assert rows[0].number("clocks.sm") == 1980
    done = node.run("nvidia-smi", "-pl", "900")
    assert done.returncode == 2
    assert "should be between 196.00 W and 700.00 W" in done.stdout


def test_instances_are_made_until_the_memory_is_given_away(node: PlayedNode) -> None:
    assert node.run("nvidia-smi", "mig", "-cgi", "9", "-C").returncode == 6
    node.said("nvidia-smi", "-mig", "1", "-i", "0")
    assert node.said("nvidia-smi", "mig", "-cgi", "9,3g.40gb", "-C", "-i", "0").count("3g.40gb") == 2
    done = node.run("nvidia-smi", "mig", "-cgi", "1g.10gb", "-C", "-i", "0")
    assert "Insufficient Resources" in done.stdout
    assert node.said("nvidia-smi", "mig", "-lgi").count("MIG 3g.40gb") == 2
    assert node.said("nvidia-smi", "-L").count("MIG 3g.40gb") == 2
    assert nvidia_smi_xml.parse(node.said("nvidia-smi", "-q", "-x")).gpus[0].mig


# Faults


def test_planted_faults_show_where_the_real_ones_do(node: PlayedNode) -> None:
    node.plant(
        missing=[3], ecc_uncorrectable={"2": 5}, remap_pending=[2], nvlink_down={"1": [4]}, thermal=[0],
        pcie_width={"5": 8}, ecc_off=[6], driver_version="570.1",
    )  # fmt: skip
    log = nvidia_smi_xml.parse(node.said("nvidia-smi", "-q", "-x"))
    by_bus = {gpu.uuid[-1]: gpu for gpu in log.gpus}
    assert log.attached == 7
    assert "3" not in by_bus
    assert log.driver == "570.1"
    assert by_bus["2"].ecc.dram_uncorrectable == 5
    assert by_bus["2"].remap_pending
    assert by_bus["0"].slowdowns == ("hw_thermal_slowdown",)
    assert by_bus["5"].pcie_width_now == 8
    assert by_bus["5"].pcie_width_most == 16
    assert by_bus["6"].ecc_on is False
    assert [links.up for links in nvlink.parse(node.said("nvidia-smi", "nvlink", "-s"))][1] == 17
    assert node.run("fleetyard-stand-in", "clear").returncode == 0
    assert nvidia_smi_xml.parse(node.said("nvidia-smi", "-q", "-x")).attached == 8


def test_a_fault_that_nobody_knows_is_refused_and_the_known_are_named(node: PlayedNode) -> None:
    done = node.run("fleetyard-stand-in", "plant", '{"on_fire": [1]}')
    assert done.returncode == 2
    assert "ecc_uncorrectable" in done.stdout


# DCGM


@pytest.fixture
def engine(node: PlayedNode) -> PlayedNode:
    """With a host engine that runs."""
    node.says("dcgm", "4.5.2")
    node.write("run/fleetyard-stand-in/hostengine", "1")
    return node


def test_dcgm_needs_its_host_engine(node: PlayedNode) -> None:
    assert node.run("dcgmi", "discovery", "-l").returncode == 225


@pytest.mark.parametrize("level", ["1", "2", "3"])
def test_diagnostics_pass_on_a_healthy_node_and_name_a_sick_gpu(engine: PlayedNode, level: str) -> None:
    tests = dcgm_diag.parse(engine.said("dcgmi", "diag", "-r", level, "-j"))
    assert {test.state for test in tests} == {"pass"}
    assert len({test.category for test in tests}) == int(level)
    engine.plant(ecc_uncorrectable={"2": 1})
    done = engine.run("dcgmi", "diag", "-r", level, "-j")
    assert done.returncode == 226
    failed = [test for test in dcgm_diag.parse(done.stdout) if test.state == "fail"]
    assert {test.device for test in failed} == {"GPU2"}
    assert "uncorrectable" in failed[0].said
    table = dcgm_diag.parse(engine.run("dcgmi", "diag", "-r", level).stdout)
    assert {test.state for test in table} == {"fail"}


@pytest.mark.parametrize("words", [("health", "-g", "0", "-c"), ("health", "-g", "0", "-c", "-j")])
def test_health_is_said_once_watches_are_on(engine: PlayedNode, words: tuple[str, ...]) -> None:
    assert "not enabled" in engine.said("dcgmi", *words)
    engine.said("dcgmi", "health", "-g", "0", "-s", "a")
    assert dcgm_health.parse(engine.said("dcgmi", *words)).overall == "healthy"
    engine.plant(nvlink_down={"1": [4]})
    found = dcgm_health.parse(engine.said("dcgmi", *words))
    assert found.overall == "failure"
    assert any("link 4" in said for said in found.incidents)


# Fabric, network, containers


def test_a_fabric_manager_of_another_version_does_not_start(node: PlayedNode) -> None:
    node.says("fabric-manager", "580.173.02")
    done = node.run("nv-fabricmanager", "-c", "/dev/null")
    assert done.returncode == 1
    assert f"580.173.02 don't match with driver version {DRIVER}" in done.stderr


def test_daemons_say_that_they_run_and_end_when_told(node: PlayedNode) -> None:
    import signal
    import subprocess

    node.says("fabric-manager", DRIVER)
    with subprocess.Popen([str(node.link("nv-fabricmanager"))], env=node.env, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        assert "stand-in" in one.stdout.readline()
        assert {gpu.fabric for gpu in nvidia_smi_xml.parse(node.said("nvidia-smi", "-q", "-x")).gpus} == {"Completed"}
        one.send_signal(signal.SIGTERM)
        assert one.wait(10) == 0


def test_efa_devices_are_those_of_the_machine(node: PlayedNode) -> None:
    node.says("libfabric", "2.6.0amzn1.0")
    assert len(fi_info.devices(fi_info.parse(node.said("fi_info", "-p", "efa")))) == 32
    node.plant(efa_missing=[0, 1])
    assert len(fi_info.devices(fi_info.parse(node.said("fi_info", "-p", "efa")))) == 30
    node.plant(efa_missing=list(range(32)))
    done = node.run("fi_info", "-p", "efa")
    assert done.returncode == 61
    assert fi_info.parse(done.stderr) == ()


def test_efa_devices_are_rdma_devices_too(tmp_path: Path) -> None:
    node = PlayedNode.make(tmp_path, "aws", "p5.48xlarge")
    found = ibv_devinfo.parse(node.said("ibv_devinfo"))
    assert [(each.efa, each.up) for each in found] == [(True, True)] * 32
    node.plant(efa_missing=[3])
    assert len(ibv_devinfo.parse(node.said("ibv_devinfo"))) == 31


def test_rdma_ports_are_up_until_planted_otherwise(tmp_path: Path) -> None:
    node = PlayedNode.make(tmp_path, "gcp", "a3-ultragpu-8g")
    assert [port.up for port in ibstat.parse(node.said("ibstat"))] == [True] * 8
    node.plant(rdma_down=[7])
    assert [port.up for port in ibstat.parse(node.said("ibstat"))] == [True] * 7 + [False]
    assert [each.up for each in ibv_devinfo.parse(node.said("ibv_devinfo"))] == [True] * 7 + [False]


def test_trainium_lists_its_chips(tmp_path: Path) -> None:
    node = PlayedNode.make(tmp_path, "aws", "trn1.32xlarge")
    found = neuron_ls.parse(node.said("neuron-ls", "--json-output"))
    assert len(found) == 16
    node.plant(missing=[5])
    assert len(neuron_ls.parse(node.said("neuron-ls", "-j"))) == 15
    assert node.run("nvidia-smi").returncode == 9


def test_the_toolkit_writes_files_that_engines_read(node: PlayedNode) -> None:
    node.write("etc/docker/daemon.json", '{"log-driver": "journald"}')
    node.said("nvidia-ctk", "runtime", "configure", "--runtime=docker", "--cdi.enabled")
    said = json.loads((node.root / "etc/docker/daemon.json").read_text())
    assert said["log-driver"] == "journald"
    assert said["runtimes"]["nvidia"]["path"] == "nvidia-container-runtime"
    assert said["features"]["cdi"] is True
    node.said("nvidia-ctk", "cdi", "generate", "--output=/etc/cdi/nvidia.yaml")
    spec = json.loads((node.root / "etc/cdi/nvidia.yaml").read_text())
    assert spec["kind"] == "nvidia.com/gpu"
    assert {"0", "7", "all"} < {device["name"] for device in spec["devices"]}
    assert "nvidia.com/gpu=all" in node.said("nvidia-ctk", "cdi", "list")


# What all have in common


def test_every_call_is_on_record_with_its_arguments_and_who_made_it(node: PlayedNode) -> None:
    began = time.time() - 1
    node.said("nvidia-smi", "-L")
    node.run("nvidia-smi", "-pl", "9999")
    node.run("dcgmi", "discovery", "-l")
    rows = node.calls()
    assert [(row["program"], row["arguments"]) for row in rows] == [
        ("nvidia-smi", ["-L"]),
        ("nvidia-smi", ["-pl", "9999"]),
        ("dcgmi", ["discovery", "-l"]),
    ]
    assert all(began < row["time"] < time.time() + 1 and row["uid"] == os.getuid() for row in rows)
    assert node.said("fleetyard-stand-in", "calls").count("\n") == 3


@pytest.mark.parametrize(
    ("program", "component", "word"),
    [
        ("nvidia-smi", "nvidia-driver", "--version"),
        ("nvidia-persistenced", "nvidia-driver", "--version"),
        ("nv-fabricmanager", "fabric-manager", "--version"),
        ("nvlsm", "nvlsm", "--version"),
        ("nvidia-imex", "imex", "--version"),
        ("nv-hostengine", "dcgm", "--version"),
        ("dcgmi", "dcgm", "--version"),
        ("nvidia-ctk", "container-toolkit", "--version"),
        ("fi_info", "libfabric", "--version"),
        ("neuron-ls", "neuron-tools", "--version"),
        ("neuron-top", "neuron-tools", "--version"),
        ("enroot", "enroot", "version"),
    ],
)
def test_every_program_says_its_version_and_that_it_is_a_stand_in(
    node: PlayedNode, program: str, component: str, word: str
) -> None:
    node.says(component, "7.8.9")
    said = node.said(program, word)
    assert "7.8.9" in said
    assert "stand-in" in said


def test_the_compiler_reads_its_version_from_the_toolkit_around_it(node: PlayedNode) -> None:
    (node.root / "version.json").write_text('{"cuda": {"version": "13.0.2"}}')
    said = node.said("nvcc", "--version")
    assert "release 13.0, V13.0.2" in said
    assert "stand-in" in said
    assert node.run("nvcc", "a.cu").returncode == 1
