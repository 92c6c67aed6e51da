"""What roles of accelerators write, and their scripts run against stand-ins."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import rendering
import yaml
from accelerator_bench import PlayedNode
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from rendering import render, variables_of

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = ROOT / "playbooks" / "accelerators.yml"
VARIABLES = ROOT / "playbooks" / "vars" / "accelerators.yml"


# Settings of GPUs


class Settings:
    """The program of role gpu_settings on a node that is played."""

    def __init__(self, node: PlayedNode, **variables: Any) -> None:
        self.node = node
        node.link("nvidia-smi")
        self.script = node.root / "settings"
        text = render("gpu_settings", "gpu-settings.sh.j2", {f"gpu_settings_{k}": v for k, v in variables.items()})
        self.script.write_text(text.replace("/run/reboot-required", str(node.root / "reboot-required")))

    def run(self, verb: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(self.script), verb]
        return subprocess.run(command, env=self.node.env, capture_output=True, text=True, check=False, timeout=60)

    def differs(self) -> list[str]:
        done = self.run("check")
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"power_watts": 500, "clocks_mhz": "1980,1980", "memory_clocks_mhz": "2619"},
        {"mig": ["3g.40gb", "3g.40gb"]},
        {"mig": ["1g.10gb"] * 7},
        {"ecc": False},
    ],
    ids=["plain", "caps", "halves", "sevenths", "no-ecc"],
)
def test_gpus_are_set_once_and_found_so(tmp_path: Path, variables: dict[str, Any]) -> None:
    node = PlayedNode.make(tmp_path)
    node.said("nvidia-smi", "-pm", "1")
    settings = Settings(node, **variables)
    for _ in range(2):
        done = settings.run("set")
        assert done.returncode == 0, done.stdout + done.stderr
        assert settings.differs() == []
    made = [row for row in node.calls() if "-cgi" in row["arguments"]]
    assert len(made) == (1 if variables.get("mig") else 0)


def test_what_somebody_else_set_is_named(tmp_path: Path) -> None:
    node = PlayedNode.make(tmp_path)
    settings = Settings(node, power_watts=500)
    assert settings.run("set").returncode == 0
    node.said("nvidia-smi", "-pl", "700", "-i", "3")
    node.said("nvidia-smi", "-mig", "1", "-i", "0")
    node.said("nvidia-smi", "-e", "0", "-i", "1")
    node.said("nvidia-smi", "-pm", "0")
    said = "\n".join(settings.differs())
    for word in (
        "persistence mode is not on",
        "ECC is not on",
        "power cap is 500.00 700.00 and not 500 W",
        "MIG is on",
    ):
        assert word in said
    node.said("nvidia-smi", "-pm", "1")
    assert settings.run("set").returncode == 0
    assert settings.differs() == []


def test_a_cap_that_the_board_refuses_fails_the_unit(tmp_path: Path) -> None:
    done = Settings(PlayedNode.make(tmp_path), power_watts=900).run("set")
    assert done.returncode != 0
    assert "should be between" in done.stdout


def test_the_unit_comes_between_the_driver_and_the_jobs() -> None:
    text = render("gpu_settings", "fleetyard-gpu-settings.service.j2")
    assert "After=nvidia-persistenced.service nvidia-fabricmanager.service" in text
    assert "slurmd.service" in next(line for line in text.splitlines() if line.startswith("Before="))


# Environments


def shell(text: str, tmp_path: Path) -> dict[str, str]:
    """The environment that a profile makes."""
    path = tmp_path / "profile.sh"
    path.write_text(text)
    command = ["env", "-i", "PATH=/usr/bin:/bin", "bash", "-ec", f". {path}; env"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


@pytest.mark.parametrize(
    ("kind", "wanted", "count"),
    [
        ("gvnic", {}, 0),
        ("tcpx", {"NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": "eth1,eth2,eth3,eth4", "NCCL_PROTO": "Simple"}, 13),
        ("tcpxo", {"NCCL_FASTRAK_IFNAME": ",".join(f"eth{n}" for n in range(1, 9)), "NCCL_PROTO": "Simple,LL128"}, 21),
        ("roce", {"NCCL_NET": "gIB"}, 1),
    ],
)
def test_each_fabric_of_google_has_its_environment(
    tmp_path: Path, kind: str, wanted: dict[str, str], count: int
) -> None:
    said = shell(render("gcp_fabric", "environment.sh.j2", {"gcp_fabric_kind": kind}), tmp_path)
    assert {name: said.get(name) for name in wanted} == wanted
    assert len([name for name in said if name.startswith("NCCL_")]) == count
    more = {"gcp_fabric_kind": kind, "gcp_fabric_environment": {"NCCL_DEBUG": "INFO x"}}
    assert shell(render("gcp_fabric", "environment.sh.j2", more), tmp_path)["NCCL_DEBUG"] == "INFO x"


OUTDATED = ("FI_PROVIDER", "FI_EFA_USE_DEVICE_RDMA", "FI_EFA_FORK_SAFE", "RDMAV_", "NCCL_NET_GDR_LEVEL")


def test_efa_sets_nothing_that_the_plugin_sets_or_that_is_outdated() -> None:
    text = (ROOT / "roles" / "efa" / "defaults" / "main.yml").read_text()
    assert not any(name in text for name in (*OUTDATED, "NCCL_PROTO", "NCCL_BUFFSIZE", "NCCL_P2P_NET_CHUNKSIZE"))


def test_a_slice_of_hosts_without_metadata_learns_who_it_is(tmp_path: Path) -> None:
    values = {"tpu_runtime_worker": 2, "tpu_runtime_workers": ["10.0.0.1", "10.0.0.2"], "tpu_runtime_version": "0.0.42"}
    said = shell("set -a\n" + render("tpu_runtime", "tpu.env.j2", values), tmp_path)
    assert said["TPU_WORKER_ID"] == "2"
    assert said["TPU_WORKER_HOSTNAMES"] == "10.0.0.1,10.0.0.2"
    assert "TPU_" not in render("tpu_runtime", "tpu.env.j2", {"tpu_runtime_version": "0.0.42"}).replace("LIBTPU_", "")


# Repositories


def play() -> dict[str, Any]:
    (found,) = yaml.safe_load(PLAYBOOK.read_text())
    return {**found, "vars": yaml.safe_load(VARIABLES.read_text())}


def test_each_repository_is_trusted_for_its_own_key_alone() -> None:
    sources = [
        {"name": "A", "uri": "http://mirror/a", "suite": "/", "key_fingerprint": "A" * 40, "pin": "release o=A"},
        {"name": "B", "uri": "http://mirror/b", "suite": "jammy", "components": "main", "key_fingerprint": "B" * 40},
    ]
    text = render("package_source", "sources.j2", {"package_source_sources": sources})
    first, second = text.split("\n# ")[1:]
    assert f"Signed-By: /etc/apt/keyrings/{'A' * 40}.asc" in first
    assert "Components" not in first
    assert f"Signed-By: /etc/apt/keyrings/{'B' * 40}.asc" in second
    assert "Components: main" in second
    assert "trusted" not in text.lower()
    pins = render("package_source", "preferences.j2", {"package_source_sources": sources})
    assert pins.count("Pin-Priority: 600") == 1


def test_vendors_are_known_by_whole_fingerprints_and_every_url_is_a_variable() -> None:
    sources = play()["vars"]["fleetyard_all_sources"]
    assert len(sources) == 4
    for source in sources:
        assert source["uri"].startswith("{{ fleetyard_origin_")
        assert "fleetyard_key" in source["key_fingerprint"]
    text = VARIABLES.read_text()
    assert text.count("https://") == 4
    for line in text.splitlines():
        assert "https://" not in line or "fleetyard_base" in line


def test_every_role_of_the_playbook_waits_for_what_it_is_for() -> None:
    names = [row["role"] for row in play()["roles"]]
    assert names[:2] == ["stand_in", "package_source"]
    assert names.index("nvidia_driver") < names.index("nvidia_fabric") < names.index("gpu_settings")
    assert all("when" in row and row["tags"] == [row["role"]] for row in play()["roles"])


# Packages


def value(role: str, name: str, variables: dict[str, Any]) -> Any:
    """A variable of a role, as its tasks see it."""
    templar = Templar(loader=DataLoader(), variables=rendering._trusted({**variables_of(role), **variables}))
    return templar.template(trust_as_template("{{ " + name + " }}"))


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        ({"fabric-manager": "580.159.04"}, {"nvidia-fabricmanager": "580.159.04-1", "libnvidia-nscq": "580.159.04-1"}),
        (
            {"fabric-manager": "570.172.08"},
            {"nvidia-fabricmanager-570": "570.172.08-1", "libnvidia-nscq-570": "570.172.08-1"},
        ),
        (
            {"fabric-manager": "580.159.04", "nvlsm": "2025.06.11"},
            {"nvidia-fabricmanager": "580.159.04-1", "libnvidia-nscq": "580.159.04-1", "nvlsm": "2025.06.11-1"},
        ),
        ({"imex": "580.126.20"}, {"nvidia-imex": "580.126.20-1"}),
    ],
    ids=["h100", "a3-high", "b200", "gb200"],
)
def test_each_fabric_has_its_packages_by_the_names_of_its_branch(
    versions: dict[str, str], wanted: dict[str, str]
) -> None:
    given = {"fleetyard_versions": {name: {"version": version} for name, version in versions.items()}}
    found = value("nvidia_fabric", "__nvidia_fabric_set", given)
    assert {row["name"]: row["version"] for row in found} == wanted


@pytest.mark.parametrize(
    ("generation", "kernel_package"),
    [
        ("volta", "nvidia-kernel-dkms"),
        ("turing", "nvidia-kernel-open-dkms"),
        ("hopper", "nvidia-kernel-open-dkms"),
        ("blackwell", "nvidia-kernel-open-dkms"),
    ],
)
def test_the_generation_decides_the_flavour_of_the_modules(generation: str, kernel_package: str) -> None:
    found = value("nvidia_driver", "nvidia_driver_packages", {"nvidia_driver_generation": generation})
    assert found[0] == kernel_package
    assert len(found) == 6


def test_words_of_the_manifest_become_names_of_packages() -> None:
    assert value("dcgm", "__dcgm_packages", {"dcgm_version": "4.5.2-1-cuda12"})[1] == "datacenter-gpu-manager-4-cuda12"
    given = {"nccl_version": "2.28.9-1+cuda13.0", "nccl_cudnn_version": "9.20.0.48-cuda13"}
    found = {row["name"]: row["version"] for row in value("nccl", "__nccl_set", given)}
    assert found == {
        "libnccl2": "2.28.9-1+cuda13.0",
        "libnccl-dev": "2.28.9-1+cuda13.0",
        "libcudnn9-cuda-13": "9.20.0.48-1",
    }
    assert value("cuda", "cuda_packages", {"cuda_version": "12.8.1"}) == ["cuda-toolkit-12-8"]


# Versions


PINNED = {
    "nvidia_driver": ["nvidia_driver_version"],
    "nvidia_fabric": ["nvidia_fabric_version", "nvidia_fabric_subnet_manager_version", "nvidia_fabric_imex_version"],
    "cuda": ["cuda_version"],
    "nccl": ["nccl_version", "nccl_cudnn_version"],
    "dcgm": ["dcgm_version"],
    "gdrcopy": ["gdrcopy_version"],
    "container_toolkit": ["container_toolkit_version"],
    "efa": ["efa_version", "efa_url", "efa_sha256"],
    "enroot_pyxis": ["enroot_pyxis_pyxis_version"],
    "gcp_fabric": ["gcp_fabric_gib_version"],
    "neuron": ["neuron_driver_version", "neuron_runtime_version", "neuron_collectives_version", "neuron_tools_version"],
    "tpu_runtime": ["tpu_runtime_version"],
}


@pytest.mark.parametrize("role", sorted(PINNED))
def test_versions_come_from_the_manifest_when_the_host_has_it_and_are_never_latest(role: str) -> None:
    from fleetyard.versions import manifest

    found = variables_of(role)
    for name in PINNED[role]:
        component = found[name].split("['")[1].split("']")[0]
        assert component in manifest().components, name
        assert "default('')" in found[name]
    for folder in ("defaults", "tasks", "vars"):
        for path in (ROOT / "roles" / role / folder).glob("*.yml"):
            assert "latest" not in path.read_text()


def test_only_one_role_installs_packages_whose_versions_must_agree() -> None:
    """The others would not refuse what somebody changed by hand."""
    for role in sorted(PINNED):
        for path in (ROOT / "roles" / role / "tasks").glob("*.yml"):
            for task in yaml.safe_load(path.read_text()) or ():
                if "ansible.builtin.apt" in task:
                    names = str(task["ansible.builtin.apt"]["name"])
                    assert "headers" in names or "build_packages" in names or "engine_packages" in names


def test_scripts_of_the_roles_are_valid_shell(tmp_path: Path) -> None:
    from shutil import which

    assert which("bash")
    text = render(
        "gpu_settings", "gpu-settings.sh.j2", {"gpu_settings_mig": ["1g.10gb"], "gpu_settings_power_watts": 1}
    )
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False, env=dict(os.environ))
    assert done.stderr == ""
