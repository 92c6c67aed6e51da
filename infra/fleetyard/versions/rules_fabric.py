"""Rules about what carries traffic between machines: EFA on AWS; TCPX, TCPXO and gIB on Google Cloud."""

from __future__ import annotations

from collections.abc import Iterator

from fleetyard.findings import Level
from fleetyard.versions.registry import Clash, Node, rule

_CHANGELOG = "EC2 User Guide, Elastic Fabric Adapter release notes"

EFA_BUNDLES = {
    "1.51.0": ("2.7.0", "65.0", "1.22.0"),
    "1.50.0": ("2.6.0", "64.0", "1.21.1"),
    "1.43.2": ("2.1.0", "58.0", "1.16.3"),
    "1.43.1": ("2.1.0", "58.0", "1.16.2"),
    "1.43.0": ("2.1.0", "58.0", "1.16.1"),
    "1.42.0": ("2.1.0", "57.0", "1.15.0"),
}
"""EFA installer: the libfabric, rdma-core and OFI plugin that it brings. Source: the EFA release notes."""
EFA_DROPPED = (("1.43.0", "ubuntu-20.04"), ("1.50.0", "amazon-2"), ("1.51.0", "debian-11"))
"""From which EFA installer an operating system is no longer supported."""
TCPXO_PAIRS = {"1.0.15": "1.0.21"}
"""GPUDirect-TCPXO plugin and the receive manager it was released with."""
GLIBC = {
    "ubuntu-20.04": "2.31", "ubuntu-22.04": "2.35", "ubuntu-24.04": "2.39", "debian-11": "2.31", "debian-12": "2.36",
    "debian-13": "2.41", "rocky-8": "2.28", "rocky-9": "2.34", "amazon-2": "2.26", "amazon-2023": "2.34",
}  # fmt: skip
"""The C library of each operating system."""


@rule("FY2050", Level.ERROR, "catalogue: the machine has no card that takes an EFA interface")
def efa_needs_efa_cards(node: Node) -> Iterator[Clash]:
    """The EFA software is installed only on machines with EFA cards."""
    if "efa" in node.installed and not node.target.efa:
        where = f"{node.target.machine}, whose fabric is {node.target.fabric}"
        yield Clash("efa", f"{node.say('efa')} finds no EFA card on {where}", "remove efa, or a machine with EFA")


@rule("FY2051", Level.WARNING, "catalogue: without it NCCL falls back to TCP")
def efa_cards_need_efa(node: Node) -> Iterator[Clash]:
    """A machine with EFA cards has the EFA software, or NCCL falls back to TCP without a word."""
    if (
        node.target.efa
        and "efa" not in node.installed
        and ("nccl" in node.installed or "neuron-driver" in node.installed)
    ):
        talks = "nccl" if "nccl" in node.installed else "neuron-collectives"
        yield Clash("efa", f"{node.say(talks, 'efa')}: {node.target.machine} would talk over TCP", "efa: 1.50.0")


@rule("FY2052", Level.ERROR, "awslabs/awsome-distributed-training efa-cheatsheet")
def p5_efa_floor(node: Node) -> Iterator[Clash]:
    """P5 machines need EFA installer 1.29 or newer."""
    efa = node.get("efa")
    if efa and node.target.machine.startswith("p5") and efa.below("1.29"):
        message = f"{node.say('efa')} with {node.say('nccl')} is too old for {node.target.machine}"
        yield Clash("efa", message, "efa: 1.29.1 or newer")


@rule("FY2053", Level.ERROR, "aws/aws-ofi-nccl issue 584")
def nccl_219_needs_efa_129(node: Node) -> Iterator[Clash]:
    """On P5 machines NCCL 2.19 and newer need EFA installer 1.29."""
    nccl, efa = node.get("nccl"), node.get("efa")
    if nccl and efa and node.target.machine.startswith("p5") and nccl.at_least("2.19") and efa.below("1.29"):
        yield Clash("efa", f"{node.say('nccl')} does not work with {node.say('efa')}", "efa: 1.29.1 or newer")


@rule("FY2054", Level.WARNING, "aws/aws-ofi-nccl doc/efa-env-var.md")
def efa_1290_needs_a_variable(node: Node) -> Iterator[Clash]:
    """EFA installer 1.29.0 needs FI_EFA_SET_CUDA_SYNC_MEMOPS=0 with NCCL 2.19 and newer; 1.29.1 does not."""
    nccl, efa = node.get("nccl"), node.get("efa")
    if nccl and efa and nccl.at_least("2.19") and efa.at_least("1.29") and efa.below("1.29.1"):
        message = f"{node.say('nccl')} with {node.say('efa')} needs FI_EFA_SET_CUDA_SYNC_MEMOPS=0"
        yield Clash("efa", message, "efa: 1.29.1 or newer")


@rule("FY2055", Level.ERROR, "awslabs/awsome-distributed-training issue 667; EFA release notes of 1.38")
def one_ofi_plugin(node: Node) -> Iterator[Clash]:
    """From 1.38 on the EFA installer brings the OFI plugin; a second one beside it is the one that NCCL may load."""
    efa, plugin = node.get("efa"), node.get("ofi-nccl")
    brings = EFA_BUNDLES.get(efa.text) if efa else None
    if efa and plugin and brings and efa.at_least("1.38") and plugin.plain != brings[2]:
        message = f"{node.say('ofi-nccl')} is a second plugin: {node.say('efa')} brings {brings[2]}"
        yield Clash("ofi-nccl", message, f"ofi-nccl: {brings[2]}, the installer's own")


@rule("FY2056", Level.ERROR, "aws-ofi-nccl release notes of 1.12.1 and 1.11.1")
def ofi_112_regression(node: Node) -> Iterator[Clash]:
    """OFI plugin 1.12.0 and 1.11.0 crash or crawl on EFA installer 1.35.0 and newer."""
    efa, plugin = node.get("efa"), node.get("ofi-nccl")
    if efa and plugin and efa.at_least("1.35.0") and plugin.plain.removesuffix("-aws") in ("1.12.0", "1.11.0"):
        fixed = "1.12.1" if plugin.starts("1.12") else "1.11.1"
        yield Clash("ofi-nccl", f"{node.say('ofi-nccl')} regresses on {node.say('efa')}", f"ofi-nccl: {fixed}")


@rule("FY2057", Level.ERROR, "awslabs/awsome-distributed-training efa-cheatsheet")
def p5_ofi_floor(node: Node) -> Iterator[Clash]:
    """P5 machines need OFI plugin 1.7.3 or newer."""
    plugin = node.get("ofi-nccl")
    if plugin and node.target.machine.startswith("p5") and plugin.below("1.7.3"):
        message = f"{node.say('ofi-nccl')} with {node.say('nccl')} is too old for {node.target.machine}"
        yield Clash("ofi-nccl", message, "ofi-nccl: 1.7.3 or newer")


@rule("FY2058", Level.ERROR, "PrimeIntellect-ai/prime-rl pull request 3454: symbol EFA_1.4")
def rdma_core_is_efas(node: Node) -> Iterator[Clash]:
    """libfabric is linked against the rdma-core of its EFA installer; the distribution's lacks, or moves, symbols."""
    yield from _bundled(node, "rdma-core", 1)


@rule("FY2059", Level.WARNING, _CHANGELOG)
def libfabric_is_efas(node: Node) -> Iterator[Clash]:
    """libfabric is the one of the EFA installer: another is found first or second, by luck."""
    yield from _bundled(node, "libfabric", 0)


def _bundled(node: Node, name: str, index: int) -> Iterator[Clash]:
    efa, own = node.get("efa"), node.get(name)
    brings = EFA_BUNDLES.get(efa.text) if efa else None
    if own and brings and not own.starts(brings[index]):
        yield Clash(name, f"{node.say(name)} is not the one of {node.say('efa')}", f"{name}: {brings[index]}")


@rule("FY2060", Level.ERROR, "aws-ofi-nccl release notes of 1.21.1: libfabric 1.22.0 on AWS, NCCL 2.17.1")
def ofi_121_floors(node: Node) -> Iterator[Clash]:
    """OFI plugin 1.21 and newer need libfabric 1.22 and NCCL 2.17.1."""
    plugin = node.get("ofi-nccl")
    if plugin is None or plugin.below("1.21"):
        return
    for name, floor in (("libfabric", "1.22.0"), ("nccl", "2.17.1")):
        other = node.get(name)
        if other and other.below(floor):
            yield Clash(name, f"{node.say(name)} is too old for {node.say('ofi-nccl')}", f"{name}: {floor} or newer")


@rule("FY2061", Level.ERROR, f"{_CHANGELOG}")
def efa_still_knows_the_system(node: Node) -> Iterator[Clash]:
    """EFA still supports the operating system: 1.43 dropped Ubuntu 20.04, 1.50 Amazon Linux 2, 1.51 Debian 11."""
    efa = node.get("efa")
    for version, system in EFA_DROPPED:
        if efa and node.target.os == system and efa.at_least(version):
            message = f"{node.say('efa')} no longer supports {system} ({node.say('kernel')})"
            yield Clash("efa", message, f"efa: older than {version}, or a newer system")


@rule("FY2062", Level.ERROR, "aws/aws-parallelcluster issues 6014 and 6015: EFA 1.29.0 is the first for open modules")
def open_modules_need_efa_129(node: Node) -> Iterator[Clash]:
    """GPUDirect over EFA with the open kernel modules works from EFA installer 1.29.0 on."""
    efa = node.get("efa")
    if efa and "nvidia-module-open" in node.installed and efa.below("1.29.0"):
        message = f"{node.say('efa')} cannot reach GPU memory through {node.say('nvidia-module-open')}"
        yield Clash("efa", message, "efa: 1.29.1 or newer")


@rule(
    "FY2063",
    Level.WARNING,
    "aws/aws-parallelcluster issues 6014 and 6015: kernels after 5.10.205 and their like hide symbols",
)
def efa_wants_open_modules(node: Node) -> Iterator[Clash]:
    """On current kernels EFA reaches GPU memory through the open kernel modules only."""
    closed = "nvidia-module-proprietary"
    if "efa" in node.installed and closed in node.installed and node.target.generation not in ("volta", "pascal"):
        message = f"{node.say('efa')} cannot reach GPU memory through {node.say(closed)} on current kernels"
        yield Clash(closed, message, "nvidia-module-open of the same version")


@rule("FY2064", Level.ERROR, "aws/sagemaker-hyperpod-cli pull request 282")
def b200_device_plugin_floor(node: Node) -> Iterator[Clash]:
    """On P6-B200 under Kubernetes the EFA device plugin is 0.5.10 or newer: older ones count NVLink devices as EFA."""
    plugin = node.get("efa-device-plugin")
    if plugin and node.target.machine.startswith("p6-b200") and plugin.below("0.5.10"):
        message = f"{node.say('efa-device-plugin')} with {node.say('efa')} counts NVLink devices as EFA cards"
        yield Clash("efa-device-plugin", message, "efa-device-plugin: 0.5.10 or newer")


@rule("FY2065", Level.ERROR, "AWS documentation of P6e-GB200 UltraServers on EKS")
def p6e_kubernetes_floor(node: Node) -> Iterator[Clash]:
    """P6e-GB200 under EKS needs Kubernetes 1.33: resources of a domain are claimed dynamically."""
    kubernetes = node.get("kubernetes")
    if kubernetes and node.target.machine.startswith("p6e-") and kubernetes.below("1.33"):
        message = f"{node.say('kubernetes')} cannot claim {node.say('imex')} domains on {node.target.machine}"
        yield Clash("kubernetes", message, "kubernetes: 1.33 or newer")


@rule("FY2066", Level.ERROR, "GKE documentation of A4X Max")
def a4x_max_gke_floor(node: Node) -> Iterator[Clash]:
    """A4X Max under GKE needs 1.34.3-gke.1318000 or newer."""
    kubernetes = node.get("kubernetes")
    if kubernetes and node.target.machine.startswith("a4x-max") and kubernetes.below("1.34.3-gke.1318000"):
        message = f"{node.say('kubernetes')} does not know {node.target.machine} with {node.say('nvidia-driver')}"
        yield Clash("kubernetes", message, "kubernetes: 1.34.3-gke.1318000 or newer")


@rule("FY2067", Level.ERROR, "GKE documentation, GPUDirect-TCPX: A3 High")
def tcpx_is_for_a3_high(node: Node) -> Iterator[Clash]:
    """GPUDirect-TCPX is for A3 High only."""
    yield from _fabric_only(node, ("tcpx", "tcpx-rxdm"), "tcpx")


@rule("FY2068", Level.ERROR, "GKE documentation, GPUDirect-TCPXO: A3 Mega")
def tcpxo_is_for_a3_mega(node: Node) -> Iterator[Clash]:
    """GPUDirect-TCPXO is for A3 Mega only."""
    yield from _fabric_only(node, ("tcpxo", "tcpxo-rxdm"), "tcpxo")


@rule("FY2069", Level.ERROR, "GoogleCloudPlatform/cluster-toolkit blueprints of A3 Ultra, A4 and A4X")
def gib_is_for_roce(node: Node) -> Iterator[Clash]:
    """gIB is for the machines with RoCE: A3 Ultra, A4 and A4X."""
    yield from _fabric_only(node, ("gib",), "roce")


def _fabric_only(node: Node, names: tuple[str, ...], fabric: str) -> Iterator[Clash]:
    for name in names:
        if name in node.installed and node.target.fabric != fabric:
            other = {"tcpx": "tcpx", "tcpxo": "tcpxo", "roce": "gib", "efa": "ofi-nccl"}.get(node.target.fabric)
            message = (
                f"{node.say(name)} with {node.say('nccl')} is not for {node.target.machine} ({node.target.fabric})"
            )
            yield Clash(name, message, f"remove {name}" + (f"; {other} is this machine's" if other else ""))


@rule(
    "FY2070",
    Level.ERROR,
    "container-engine-accelerators gpudirect-tcpxo README: plugin and RxDM of one release, everywhere",
)
def tcpxo_is_of_one_release(node: Node) -> Iterator[Clash]:
    """GPUDirect-TCPXO's plugin and receive manager are of one release, the same on every node."""
    plugin, manager = node.get("tcpxo"), node.get("tcpxo-rxdm")
    if plugin is None or manager is None:
        return
    plugins = {theirs: ours for ours, theirs in TCPXO_PAIRS.items()}
    fits = TCPXO_PAIRS.get(plugin.text.removeprefix("v"))
    other = plugins.get(manager.text.removeprefix("v"))
    if fits != manager.text.removeprefix("v") and (fits or other):
        fix = f"tcpxo-rxdm: {fits}" if fits else f"tcpxo: {other}"
        yield Clash("tcpxo-rxdm" if fits else "tcpxo", f"{node.say('tcpxo', 'tcpxo-rxdm')} are of two releases", fix)


@rule("FY2071", Level.ERROR, "GoogleCloudPlatform/container-engine-accelerators gpudirect-tcpxo README: glibc 2.35")
def tcpxo_needs_glibc_235(node: Node) -> Iterator[Clash]:
    """GPUDirect-TCPXO's plugin needs glibc 2.35, as in Ubuntu 22.04 or Debian 12."""
    glibc = GLIBC.get(node.target.os)
    if "tcpxo" in node.installed and glibc and tuple(map(int, glibc.split("."))) < (2, 35):
        message = f"{node.say('tcpxo')} does not load with glibc {glibc} of {node.target.os}"
        yield Clash("tcpxo", message, "ubuntu-22.04 or newer, or debian-12")


@rule("FY2072", Level.ERROR, "gVNIC is Google Cloud's card")
def gvnic_is_googles(node: Node) -> Iterator[Clash]:
    """The gVNIC driver is for Google Cloud only."""
    if "gvnic" in node.installed and node.target.cloud != "gcp":
        message = f"{node.say('gvnic')} has no card on {node.target.machine} ({node.say('kernel')})"
        yield Clash("gvnic", message, "remove gvnic")
