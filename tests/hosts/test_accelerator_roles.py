"""All roles of accelerators on one host that plays a p5.48xlarge: real packages, a real DKMS build, real refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts_bench import Hosts, Play
from stand_ins import fill, repository
from stand_ins.variables import node

from fleetyard.acceptance.parsers import fi_info, kernel_log, nvidia_smi_xml

pytestmark = pytest.mark.timeout(1500)
PLAYBOOK = "playbooks/accelerators.yml"
NEWER = "580.173.02-1"
OTHER_ROLES = """
- name: Roles of other machines
  hosts: role_compute
  become: true
  gather_facts: false
  roles:
    - {role: package_source, tags: [package_source]}
    - {role: neuron, tags: [neuron]}
    - {role: gcp_fabric, tags: [gcp_fabric]}
    - {role: tpu_runtime, tags: [tpu_runtime]}
"""


@dataclass
class Node:
    """A lab host, and the variables that an inventory would give it."""

    hosts: Hosts
    variables: dict[str, Any]
    folder: Path
    fresh_check: Play | None = None
    first: Play | None = None
    second: Play | None = None
    check: Play | None = None

    def play(self, *words: str, path: str | Path = PLAYBOOK, **more: Any) -> Play:
        file = self.folder / "variables.json"
        file.write_text(json.dumps({**self.variables, **more}))
        return self.hosts.playbook(path, "-e", f"@{file}", *words)

    def on(self, command: str) -> str:
        return self.hosts.inside(self.hosts.listed()[0]["key"], command)

    def version(self, package: str) -> str:
        return self.on(f"dpkg-query --show --showformat='${{Version}}' {package}").strip()

    def calls(self, program: str) -> list[list[str]]:
        rows = [json.loads(line) for line in self.on("fleetyard-stand-in calls").splitlines()]
        return [row["arguments"] for row in rows if row["program"] == program]


@pytest.fixture(scope="module")
def p5(labs: Callable[..., Hosts], tmp_path_factory: pytest.TempPathFactory) -> Node:
    """The playbook was run: as a check, twice for real, and as a check again."""
    tree = fill()
    hosts = labs({"train": ("compute", 1)})
    made = Node(hosts, node("aws", "p5.48xlarge", tree), tmp_path_factory.mktemp("node"))
    # As role base does before.
    made.on("apt-get update >&2")
    made.fresh_check = made.play("--check")
    made.first = made.play()
    made.second = made.play()
    # Where a second look has a logic of its own.
    made.check = made.play("--check", "--tags", "package_source,nvidia_driver,gpu_settings,container_toolkit,efa")
    return made


# Converging


def test_check_mode_on_a_fresh_host_ends_well_and_names_what_would_come(p5: Node) -> None:
    assert p5.fresh_check is not None
    p5.fresh_check.worked()
    assert p5.fresh_check.changed > 0
    assert "would be installed" in p5.fresh_check.text


def test_it_converges_and_a_second_run_changes_nothing(p5: Node) -> None:
    assert p5.first is not None
    assert p5.second is not None
    p5.first.worked()
    assert p5.second.worked().changed == 0, re.findall(r"^(?:TASK|changed: ).*", p5.second.text, re.MULTILINE)


def test_check_mode_on_a_converged_host_changes_nothing(p5: Node) -> None:
    assert p5.check is not None
    assert p5.check.worked().changed == 0, re.findall(r"^changed: .*", p5.check.text, re.MULTILINE)


# What is there


def test_the_module_was_really_built_for_debians_kernel(p5: Node) -> None:
    status = p5.on("dkms status")
    assert re.search(r"nvidia/580.159.04, 6\.1\.\d+-\d+-cloud-amd64, x86_64: installed", status)
    assert re.search(r"gdrdrv/2.5.1, .*: installed", status)
    for name in ("nvidia", "nvidia-uvm", "gdrdrv"):
        about = p5.on(f"modinfo $(ls /lib/modules/*/updates/dkms/{name}.ko*)")
        assert re.search(r"vermagic: +6\.1\.\S*cloud-amd64", about)
        assert "stand-in" in about.lower()


def test_the_node_plays_its_machine(p5: Node) -> None:
    log = nvidia_smi_xml.parse(p5.on("nvidia-smi -q -x"))
    assert (log.driver, log.attached) == ("580.159.04", 8)
    assert {gpu.fabric for gpu in log.gpus} == {"Completed"}
    assert {gpu.memory_mib for gpu in log.gpus} == {81559}
    assert len(fi_info.devices(fi_info.parse(p5.on("/opt/amazon/efa/bin/fi_info -p efa")))) == 32
    assert "stand-in" in p5.on("cat /etc/motd.d/fleetyard-stand-in")
    assert json.loads(p5.on("cat /etc/fleetyard/stand-in.json"))["stand_in"] is True


def test_services_run(p5: Node) -> None:
    units = "nvidia-persistenced nvidia-fabricmanager nvidia-dcgm fleetyard-gpu-settings docker"
    assert p5.on(f"systemctl is-active {units}").split() == ["active"] * 5
    assert "Overall Health            | Healthy" in p5.on("dcgmi health -g 0 -c")


def test_versions_that_must_agree_are_pinned_and_held(p5: Node) -> None:
    held = set(p5.on("apt-mark showhold").split())
    wanted = {
        "nvidia-kernel-open-dkms", "nvidia-driver-cuda", "libcuda1", "nvidia-fabricmanager", "libnccl2",
        "libcudnn9-cuda-13", "datacenter-gpu-manager-4-core", "gdrdrv-dkms", "nvidia-container-toolkit",
        "cuda-toolkit-13-0",
    }  # fmt: skip
    assert wanted <= held
    # A newer patch is in the repository; an upgrade of everything leaves the driver alone.
    assert NEWER in p5.on("apt-cache madison nvidia-driver-cuda")
    assert "nvidia" not in p5.on("apt-get --simulate dist-upgrade | grep ^Inst || true")


def test_the_plugin_of_slurm_was_built_for_this_slurm(p5: Node) -> None:
    slurm = p5.version("libslurm-dev")
    assert p5.on("readlink /usr/local/lib/fleetyard/spank_pyxis.so").strip() == (
        f"/usr/local/lib/fleetyard/pyxis-0.20.0-slurm-{slurm}/spank_pyxis.so"
    )
    assert "plugin_version" in p5.on(
        'python3 -c \'print(open("/usr/local/lib/fleetyard/spank_pyxis.so", "rb").read())\''
    )


def test_installers_and_tools_were_called_as_they_should_be(p5: Node) -> None:
    assert p5.calls("efa_installer.sh") == [["--yes"]]
    assert [
        "runtime",
        "configure",
        "--runtime=docker",
        "--config=/etc/docker/daemon.json",
        "--cdi.enabled",
    ] in p5.calls("nvidia-ctk")
    assert ["health", "-g", "0", "-s", "a"] in p5.calls("dcgmi")
    assert ["-rgc"] in p5.calls("nvidia-smi")


def test_a_planted_xid_is_found_where_the_drivers_are(p5: Node) -> None:
    p5.on("fleetyard-stand-in xid 79 3")
    (event,) = kernel_log.parse(p5.on("journalctl -t kernel -o short-iso --no-pager"))
    assert (event.kind, event.code) == ("xid", 79)
    assert event.device in {gpu.bus[4:-2] for gpu in nvidia_smi_xml.parse(p5.on("nvidia-smi -q -x")).gpus}


# What goes wrong


def test_a_driver_that_was_changed_by_hand_is_refused_and_repaired_when_told(p5: Node) -> None:
    names = "nvidia-kernel-open-dkms nvidia-driver-cuda libcuda1 libnvidia-ml1 nvidia-persistenced nvidia-modprobe"
    p5.on(f"apt-get install -y --allow-change-held-packages $(for n in {names}; do echo $n={NEWER}; done) >&2")
    refused = p5.play("--tags", "nvidia_driver")
    assert refused.status != 0
    assert "FY2801 error train-0: nvidia-driver-cuda is 580.173.02-1" in re.sub(r"\s+", " ", refused.text)
    assert "nvidia_driver_change repair" in re.sub(r"\s+", " ", refused.text)
    assert p5.version("nvidia-driver-cuda") == NEWER
    p5.play("--tags", "nvidia_driver", nvidia_driver_change="repair").worked()
    assert p5.version("nvidia-driver-cuda") == "580.159.04-1"
    assert "nvidia-driver-cuda" in p5.on("apt-mark showhold").split()
    assert re.search(r"nvidia/580.159.04, .*: installed", p5.on("dkms status"))


def test_an_upgrade_that_nobody_asked_for_is_refused(p5: Node) -> None:
    refused = p5.play("--tags", "dcgm", dcgm_version="4.4.1-1-cuda12")
    # Another package name, the same core: what is held at another version stops it.
    assert refused.status != 0
    assert "FY2802 error train-0: datacenter-gpu-manager-4-core is held at 1:4.5.2-1" in re.sub(
        r"\s+", " ", refused.text
    )
    assert p5.version("datacenter-gpu-manager-4-core") == "1:4.5.2-1"


def test_a_fabric_manager_ahead_of_its_driver_is_refused_before_anything_changes(p5: Node) -> None:
    refused = p5.play("--tags", "nvidia_fabric", nvidia_fabric_version="580.173.02", nvidia_fabric_change="upgrade")
    assert refused.status != 0
    text = re.sub(r"\s+", " ", refused.text)
    assert "FY2808 error train-0: fabric manager or IMEX 580.173.02 is ahead of driver 580.159.04" in text
    assert p5.version("nvidia-fabricmanager") == "580.159.04-1"


def test_a_package_that_is_in_no_repository_is_refused_with_what_to_do(p5: Node) -> None:
    refused = p5.play("--tags", "nccl", nccl_version="9.9.9-1+cuda13.0", nccl_change="upgrade")
    assert refused.status != 0
    text = re.sub(r"\s+", " ", refused.text)
    assert "FY2803 error train-0: nccl cannot be installed: no repository has libnccl2, libnccl-dev" in text
    assert "fleetyard mirror" in text
    assert p5.version("libnccl2") == "2.28.9-1+cuda13.0"
    assert p5.play("--tags", "nccl").worked().changed == 0


def test_a_key_that_is_not_the_one_named_is_refused_before_it_is_trusted(p5: Node) -> None:
    refused = p5.play("--tags", "package_source", fleetyard_package_key="0" * 40, package_source_name="other")
    assert refused.status != 0
    text = re.sub(r"\s+", " ", refused.text)
    assert f"is {p5.variables['fleetyard_package_key']}, and {'0' * 40} is trusted" in text
    assert "FY2805" in text
    assert p5.on(f"ls /etc/apt/keyrings/{'0' * 40}.asc /etc/apt/sources.list.d/other.sources 2>/dev/null || true") == ""


def test_a_repository_signed_by_somebody_else_is_refused_by_apt_and_taken_away(p5: Node, tmp_path: Path) -> None:
    other = repository.key(tmp_path / "gnupg")
    shelf = fill().parents[1] / "mirror" / "wrong-key.asc"
    shelf.write_bytes(other.public())
    try:
        source = {
            "name": "Impostor", "uri": p5.variables["fleetyard_package_base"] + "/google-apt",
            "suite": "gpudirect-gib-apt", "components": "main",
            "key_url": "http://169.254.169.250/wrong-key.asc", "key_fingerprint": other.fingerprint,
        }  # fmt: skip
        more = {"package_source_sources": [source], "package_source_name": "impostor"}
        refused = p5.play("--tags", "package_source", **more)
    finally:
        shelf.unlink()
    assert refused.status != 0
    text = re.sub(r"\s+", " ", refused.text)
    assert "FY2806 error train-0: apt does not accept" in text
    assert "NO_PUBKEY" in text
    assert "not signed with the key that it is trusted for" in text
    assert "It was taken away again." in text
    assert p5.on("ls /etc/apt/sources.list.d/impostor.sources 2>/dev/null || true") == ""
    p5.on("apt-get update --error-on=any >&2")


def test_a_second_plugin_of_nccl_is_refused(p5: Node) -> None:
    p5.on("mkdir /opt/aws-ofi-nccl")
    try:
        refused = p5.play("--tags", "efa")
    finally:
        p5.on("rmdir /opt/aws-ofi-nccl")
    assert refused.status != 0
    assert "FY2810" in refused.text


def test_settings_that_somebody_changed_are_named(p5: Node) -> None:
    p5.on("nvidia-smi -mig 1 -i 0 >&2")
    refused = p5.play("--tags", "gpu_settings")
    assert refused.status != 0
    assert "MIG is on" in refused.text
    p5.on("systemctl restart fleetyard-gpu-settings")
    p5.play("--tags", "gpu_settings").worked()


# Machines of other kinds, on the same host


def test_roles_of_trainium_google_and_tpu_work_too(p5: Node) -> None:
    book = p5.folder / "others.yml"
    book.write_text(OTHER_ROLES)
    tree = fill()
    neuron, gib = node("aws", "trn1.32xlarge", tree), node("gcp", "a3-ultragpu-8g", tree)
    p5.on("cp /etc/fleetyard/stand-in.json /root/p5.json")
    p5.hosts.sim("exec", p5.hosts.listed()[0]["key"], "--", "python3", "-c", (
        "import json, pathlib; pathlib.Path('/etc/fleetyard/stand-in.json').write_text("
        f"json.dumps({neuron['fleetyard_hardware']!r} | {{'stand_in': True}}))"
    ))  # fmt: skip
    common = {
        "key_url": f"{neuron['fleetyard_package_base']}/key.asc",
        "key_fingerprint": neuron["fleetyard_package_key"],
    }
    base = neuron["fleetyard_package_base"]
    more = {
        "fleetyard_versions": neuron["fleetyard_versions"] | {"gib": gib["fleetyard_versions"]["gib"]},
        "package_source_name": "others",
        "package_source_sources": [
            {"name": "Neuron", "uri": f"{base}/neuron-apt", "suite": "jammy", "components": "main", **common},
            {"name": "gIB", "uri": f"{base}/google-apt", "suite": "gpudirect-gib-apt", "components": "main", **common},
        ],
        "neuron_kernel": "newest",
        "neuron_devices": 16,
        "gcp_fabric_kind": "roce",
        "gcp_fabric_nic_driver": "",
        "tpu_runtime_workers": ["10.90.0.10"],
    }
    try:
        p5.play(path=book, **more).worked()
        assert p5.play(path=book, **more).worked().changed == 0
        assert "aws-neuronx" in p5.on("dkms status")
        assert "NCCL_NET=gIB" in p5.on("bash -lc env")
    finally:
        p5.on("mv /root/p5.json /etc/fleetyard/stand-in.json")
