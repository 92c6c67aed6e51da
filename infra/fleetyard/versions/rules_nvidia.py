"""Rules about NVIDIA's driver, CUDA and what is built on them."""

from __future__ import annotations

from collections.abc import Iterator

from fleetyard.findings import Level
from fleetyard.versions.registry import Clash, Node, rule

_OPEN, _CLOSED = "nvidia-module-open", "nvidia-module-proprietary"
_BEFORE_TURING = ("kepler", "maxwell", "pascal", "volta")
_B200 = ("b200-sxm", "gb200")
_B300 = ("b300-sxm", "gb300")
_HGX_B = ("b200-sxm", "b300-sxm")
_NVL72 = ("gb200", "gb300")
_NVSWITCH = (
    "p4d.24xlarge", "p4de.24xlarge", "p5.48xlarge", "p5e.48xlarge", "p5en.48xlarge", "p6-b200.48xlarge",
    "p6-b300.48xlarge", "a3-highgpu-8g", "a3-edgegpu-8g", "a3-megagpu-8g", "a3-ultragpu-8g", "a4-highgpu-8g",
)  # fmt: skip
"""Machines that pass a whole HGX board through to the guest."""
_MAYBE_NVSWITCH = ("a2-highgpu-8g", "a2-megagpu-16g", "a2-ultragpu-8g")
"""Whether Google passes the switches of these on to the guest, no source says: nothing is asked of them."""

CUDA_DRIVERS = {11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}
"""The oldest driver for each major version of CUDA."""
CUDA_BRANCHES = {
    "12.0": 525, "12.1": 530, "12.2": 535, "12.3": 545, "12.4": 550, "12.5": 555, "12.6": 560, "12.8": 570, "12.9": 575,
    "13.0": 580, "13.1": 590,
}  # fmt: skip
"""The driver branch that came with each toolkit: what it can do in full."""
DRIVER_CUDA = {525: 12, 530: 12, 535: 12, 545: 12, 550: 12, 555: 12, 560: 12, 565: 12, 570: 12, 575: 12}
"""The CUDA that older driver branches speak; from 580 on it is 13."""


@rule(
    "FY2010",
    Level.ERROR,
    "NVIDIA driver installation guide: user space and kernel modules of one driver carry one version",
)
def modules_are_the_drivers(node: Node) -> Iterator[Clash]:
    """The kernel modules carry the driver's full version, or nvidia-smi reports a version mismatch."""
    driver = node.get("nvidia-driver")
    for name in (_OPEN, _CLOSED):
        module = node.get(name)
        if driver and module and module.numbers != driver.numbers:
            yield Clash(name, f"{node.say(name, 'nvidia-driver')} differ", f"{name}: {driver}")


@rule(
    "FY2011",
    Level.ERROR,
    "AWS ParallelCluster issue 6014; NVIDIA driver installation guide, kernel modules",
)
def open_modules_need_turing(node: Node) -> Iterator[Clash]:
    """Open kernel modules need a GPU system processor: Turing or newer. V100 and older take the proprietary ones."""
    if node.target.generation in _BEFORE_TURING and _OPEN in node.installed:
        message = f"{node.say(_OPEN)} cannot drive {node.target.accelerator} ({node.target.generation})"
        yield Clash(_OPEN, message, f"{_CLOSED} of the same version, or a newer machine")


@rule(
    "FY2012",
    Level.ERROR,
    "NVIDIA driver installation guide, kernel modules: Blackwell and Grace Hopper need the open flavour",
)
def blackwell_needs_open_modules(node: Node) -> Iterator[Clash]:
    """Blackwell GPUs are driven by the open kernel modules only."""
    if node.target.generation == "blackwell" and _CLOSED in node.installed:
        message = f"{node.say(_CLOSED)} cannot drive {node.target.accelerator}"
        yield Clash(_CLOSED, message, f"{_OPEN} of the same version")


@rule("FY2013", Level.ERROR, "NVIDIA driver installation guide: the packages of the two flavours exclude each other")
def one_flavour_of_modules(node: Node) -> Iterator[Clash]:
    """Open and proprietary kernel modules are not installed together."""
    if _OPEN in node.installed and _CLOSED in node.installed:
        keep = _CLOSED if node.target.generation in _BEFORE_TURING else _OPEN
        drop = _OPEN if keep == _CLOSED else _CLOSED
        yield Clash(drop, f"{node.say(_OPEN, _CLOSED)} are both there", f"remove {drop}")


@rule(
    "FY2014",
    Level.ERROR,
    "NVIDIA/aicr recipes; NVIDIA gpu-operator platform support (cloud-native-docs pull request 184)",
)
def b200_driver_floor(node: Node) -> Iterator[Clash]:
    """B200 and GB200 need driver 570.133.20 or newer."""
    yield from _driver_floor(node, _B200, "570.133.20")


@rule("FY2015", Level.ERROR, "GKE documentation of A4X Max: A4X Max needs 580.95.05; B300 came with the same branch")
def b300_driver_floor(node: Node) -> Iterator[Clash]:
    """B300 and GB300 need driver 580.95.05 or newer."""
    yield from _driver_floor(node, _B300, "580.95.05")


@rule("FY2016", Level.ERROR, "NVIDIA data center driver release notes: Hopper and Ada from R525")
def hopper_driver_floor(node: Node) -> Iterator[Clash]:
    """Hopper and Ada GPUs need driver 525.60.13 or newer."""
    driver = node.get("nvidia-driver")
    if driver and node.target.generation in ("hopper", "ada") and driver.below("525.60.13"):
        yield _too_old(node, "525.60.13")


@rule(
    "FY2017",
    Level.ERROR,
    "NixOS/nixpkgs legacy_580 (Maxwell to Volta); NVIDIA driver installation guide, kernel modules",
)
def volta_driver_ceiling(node: Node) -> Iterator[Clash]:
    """Volta and older GPUs are driven by branch 580 at the latest."""
    driver = node.get("nvidia-driver")
    if driver and node.target.generation in _BEFORE_TURING and driver.major > 580:
        message = f"{node.say('nvidia-driver')} no longer drives {node.target.accelerator} ({node.target.generation})"
        yield Clash("nvidia-driver", message, "nvidia-driver: 570.172.08")


def _driver_floor(node: Node, chips: tuple[str, ...], floor: str) -> Iterator[Clash]:
    driver = node.get("nvidia-driver")
    if driver and node.target.accelerator in chips and driver.below(floor):
        yield _too_old(node, floor)


def _too_old(node: Node, floor: str) -> Clash:
    message = f"{node.say('nvidia-driver')} is too old for {node.target.accelerator}"
    return Clash("nvidia-driver", message, f"nvidia-driver: {floor} or newer")


@rule(
    "FY2018",
    Level.ERROR,
    "GoogleCloudPlatform/ops-agent pull request 2426; void-linux/void-packages issue 61087",
)
def driver_builds_on_the_kernel(node: Node) -> Iterator[Clash]:
    """DKMS builds the driver on kernel 7.0 only from 595, or from 580.142 within its branch (7.1: 580.159.04)."""
    driver, kernel = node.get("nvidia-driver"), node.get("kernel")
    if driver is None or kernel is None or kernel.below("7.0") or driver.major >= 595:
        return
    floor = "580.142" if kernel.starts("7.0") else "580.159.04"
    if driver.major != 580 or driver.below(floor):
        message = f"{node.say('nvidia-driver')} does not build on {node.say('kernel')}"
        yield Clash("nvidia-driver", message, f"nvidia-driver: {floor} or newer in 580, or 595; or a kernel before 7.0")


@rule("FY2019", Level.ERROR, "GoogleCloudPlatform/cluster-toolkit pull requests 5285 and 5484")
def kernel_617_breaks_google_machines(node: Node) -> Iterator[Clash]:
    """Kernel 6.17 breaks A3 Mega's dma-buf helper until it is patched, and broke G4: these pin an older kernel."""
    kernel, driver = node.get("kernel"), node.get("nvidia-driver")
    mega_or_g4 = node.target.fabric == "tcpxo" or node.target.machine.startswith("g4-")
    if kernel and driver and mega_or_g4 and kernel.starts("6.17"):
        message = f"{node.say('kernel')} with {node.say('nvidia-driver')} does not work on {node.target.machine}"
        yield Clash("kernel", message, "kernel: 6.8, held; or patch the helper and waive this rule")


@rule("FY2020", Level.ERROR, "GoogleCloudPlatform/cluster-toolkit issue 3032 and pull request 4821")
def a3_high_keeps_its_driver(node: Node) -> Iterator[Clash]:
    """GPUDirect-TCPX of A3 High works with the pinned driver branch 570 and CUDA 12.8 at the newest."""
    driver, cuda = node.get("nvidia-driver"), node.get("cuda")
    if node.target.fabric != "tcpx":
        return
    if driver and driver.major > 570:
        message = f"{node.say('nvidia-driver')} breaks {node.say('tcpx')} on {node.target.machine}"
        yield Clash("nvidia-driver", message, "nvidia-driver: 570.172.08, with modules and fabric manager")
    if cuda and cuda.at_least("12.9"):
        yield Clash("cuda", f"{node.say('cuda')} breaks {node.say('tcpx')} on {node.target.machine}", "cuda: 12.8.1")


@rule(
    "FY2021",
    Level.ERROR,
    "NVIDIA/aicr issue 2383; NVIDIA driver 595.91.07 release notes: backward incompatible with EFA of P6e-GB200",
)
def p6e_keeps_580(node: Node) -> Iterator[Clash]:
    """On P6e-GB200 the driver branch 595 refuses GPUDirect over EFA: 580 stays."""
    driver = node.get("nvidia-driver")
    if driver and node.target.machine.startswith("p6e-") and driver.major >= 595:
        message = f"{node.say('nvidia-driver')} refuses dma-buf to {node.say('efa')} on {node.target.machine}"
        yield Clash("nvidia-driver", message, "nvidia-driver: 580.173.02 or another of branch 580")


@rule(
    "FY2022",
    Level.ERROR,
    "NVIDIA CUDA compatibility guide, minor version compatibility; cuDNN support matrix (580.65.06)",
)
def cuda_has_its_driver(node: Node) -> Iterator[Clash]:
    """CUDA 12 needs driver 525.60.13, CUDA 13 needs 580.65.06, whatever the minor version."""
    cuda, driver = node.get("cuda"), node.get("nvidia-driver")
    if cuda is None or driver is None:
        return
    floor = CUDA_DRIVERS.get(cuda.major)
    if floor and driver.below(floor):
        newest = max(major for major, least in CUDA_DRIVERS.items() if driver.at_least(least) or major == 11)
        fix = f"nvidia-driver: {floor} or newer, or cuda {newest}.x"
        yield Clash("cuda", f"{node.say('cuda')} does not run on {node.say('nvidia-driver')}", fix)


@rule(
    "FY2023",
    Level.WARNING,
    "CUDA Toolkit release notes, toolkit driver versions (the branch in the installer's own name)",
)
def driver_is_of_the_toolkits_branch(node: Node) -> Iterator[Clash]:
    """A driver older than the one the toolkit came with runs it, but without new features and without PTX."""
    cuda, driver = node.get("cuda"), node.get("nvidia-driver")
    branch = CUDA_BRANCHES.get(cuda.release) if cuda else None
    if cuda and driver and branch and driver.major < branch and driver.at_least(CUDA_DRIVERS[cuda.major]):
        message = f"{node.say('nvidia-driver')} is older than branch {branch}, which {node.say('cuda')} came with"
        yield Clash("nvidia-driver", message, f"nvidia-driver: {branch} or newer")


@rule("FY2024", Level.ERROR, "CUDA 13.0 release notes, dropped architectures; NVIDIA/cuDecomp pull request 97")
def cuda_13_needs_turing(node: Node) -> Iterator[Clash]:
    """CUDA 13 has no code for Volta and older GPUs."""
    cuda = node.get("cuda")
    if cuda and cuda.major >= 13 and node.target.generation in _BEFORE_TURING:
        yield Clash("cuda", f"{node.say('cuda')} has no code for {node.target.accelerator}", "cuda: 12.8.1")


@rule(
    "FY2025",
    Level.ERROR,
    "cuDNN support matrix (compute capability 10.0 and 12.0 from CUDA 12.8); CUDA features archive, 12.9 (10.3)",
)
def blackwell_cuda_floor(node: Node) -> Iterator[Clash]:
    """Blackwell needs CUDA 12.8; B300 and GB300 need 12.9."""
    cuda = node.get("cuda")
    floor = "12.9" if node.target.accelerator in _B300 else "12.8"
    if cuda and node.target.generation == "blackwell" and cuda.below(floor):
        yield Clash("cuda", f"{node.say('cuda')} has no code for {node.target.accelerator}", f"cuda: {floor} or newer")


@rule("FY2026", Level.ERROR, "awslabs/awsome-distributed-training efa-cheatsheet")
def p5_cuda_floor(node: Node) -> Iterator[Clash]:
    """P5 machines need CUDA 12.0 or newer."""
    cuda = node.get("cuda")
    if cuda and node.target.machine.startswith("p5") and cuda.below("12.0"):
        yield Clash("cuda", f"{node.say('cuda')} is too old for {node.target.machine}", "cuda: 12.0 or newer")


@rule("FY2027", Level.WARNING, "GoogleCloudPlatform/cluster-toolkit blueprints of A3 Ultra and A4, which mix them")
def nccl_is_built_for_the_cuda(node: Node) -> Iterator[Clash]:
    """NCCL was built for the CUDA major version that is installed; otherwise it works by luck."""
    yield from _built_for_cuda(node, "nccl")


@rule("FY2028", Level.ERROR, "cuDNN support matrix: one package for each CUDA major version, whose libraries it links")
def cudnn_is_built_for_the_cuda(node: Node) -> Iterator[Clash]:
    """cuDNN was built for the CUDA major version that is installed: it links its libraries by major version."""
    yield from _built_for_cuda(node, "cudnn")


def _built_for_cuda(node: Node, name: str) -> Iterator[Clash]:
    cuda, library = node.get("cuda"), node.get(name)
    built = library.built_for("cuda") if library else None
    if cuda and library and built and built.major != cuda.major:
        dash = "+" if "+" in library.text else "-"
        fix = f"{name}: {library.plain}{dash}cuda{cuda.release if dash == '+' else cuda.major}, or cuda {built.major}.x"
        yield Clash(name, f"{node.say(name)} was built for another CUDA than {node.say('cuda')}", fix)


@rule("FY2029", Level.ERROR, "cuDNN support matrix: 9.10 lists Volta, 9.11 and later do not")
def cudnn_still_knows_volta(node: Node) -> Iterator[Clash]:
    """cuDNN 9.11 and newer have no code for Volta and older GPUs."""
    cudnn = node.get("cudnn")
    if cudnn and node.target.generation in _BEFORE_TURING and cudnn.at_least("9.11"):
        yield Clash("cudnn", f"{node.say('cudnn')} has no code for {node.target.accelerator}", "cudnn: 9.10 or older")


@rule("FY2030", Level.ERROR, "awslabs/awsome-distributed-training efa-cheatsheet")
def p5_nccl_floor(node: Node) -> Iterator[Clash]:
    """P5 machines need NCCL 2.18.5 or newer."""
    nccl = node.get("nccl")
    if nccl and node.target.machine.startswith("p5") and nccl.below("2.18.5"):
        message = f"{node.say('nccl')} is too old for {node.target.machine} with {node.say('efa')}"
        yield Clash("nccl", message, "nccl: 2.18.5 or newer")


@rule("FY2031", Level.WARNING, "aws/aws-ofi-nccl src/platform-aws.cpp")
def netdevs_policy_nccl_floor(node: Node) -> Iterator[Clash]:
    """On P5en and P6-B200 the OFI plugin sets a device policy that NCCL knows from 2.28.3 on."""
    nccl = node.get("nccl")
    if nccl and node.target.machine.startswith(("p5en", "p6-b200")) and nccl.below("2.28.3"):
        message = f"{node.say('nccl')} does not know NCCL_NETDEVS_POLICY, which {node.say('ofi-nccl')} sets"
        yield Clash("nccl", message, "nccl: 2.28.3 or newer")


@rule("FY2032", Level.ERROR, "NCCL 2.25.1-1 release notes, as in ROCm/rccl pull request 1662: Blackwell")
def blackwell_nccl_floor(node: Node) -> Iterator[Clash]:
    """Blackwell needs NCCL 2.25.1 or newer."""
    nccl = node.get("nccl")
    if nccl and node.target.generation == "blackwell" and nccl.below("2.25.1"):
        yield Clash("nccl", f"{node.say('nccl')} has no code for {node.target.accelerator}", "nccl: 2.25.1 or newer")


@rule("FY2033", Level.ERROR, "NVIDIA gpu-operator issue 544; AWS ParallelCluster 3.16.0")
def fabric_manager_is_the_drivers(node: Node) -> Iterator[Clash]:
    """Fabric manager carries the driver's full version, or it refuses to start and CUDA with it."""
    yield from _locked_to_driver(node, "fabric-manager")


@rule(
    "FY2034",
    Level.ERROR,
    "AWS ParallelCluster 3.16.0 locks driver, fabric manager and IMEX to one number",
)
def imex_is_the_drivers(node: Node) -> Iterator[Clash]:
    """IMEX carries the driver's full version."""
    yield from _locked_to_driver(node, "imex")


def _locked_to_driver(node: Node, name: str) -> Iterator[Clash]:
    driver, other = node.get("nvidia-driver"), node.get(name)
    if driver and other and other.numbers != driver.numbers:
        ahead = "ahead of" if other > driver else "behind"
        yield Clash(name, f"{node.say(name)} is {ahead} {node.say('nvidia-driver')}", f"{name}: {driver}")


@rule("FY2035", Level.ERROR, "NVIDIA Fabric Manager user guide: HGX boards with NVSwitch")
def nvswitch_needs_fabric_manager(node: Node) -> Iterator[Clash]:
    """A machine with a whole HGX board needs fabric manager: without it CUDA reports error 802."""
    driver = node.get("nvidia-driver")
    if driver and node.target.machine in _NVSWITCH and "fabric-manager" not in node.installed:
        message = f"{node.say('nvidia-driver', 'fabric-manager')} leave the NVSwitches of {node.target.machine} unset"
        yield Clash("fabric-manager", message, f"fabric-manager: {driver}")


@rule(
    "FY2036",
    Level.WARNING,
    "NVIDIA Fabric Manager user guide: single-node HGX and DGX; MNNVL user guide: NVL72 is run by its switches",
)
def fabric_manager_needs_nvswitch(node: Node) -> Iterator[Clash]:
    """Fabric manager is installed only where there are NVSwitches to manage: elsewhere its service fails."""
    if "fabric-manager" in node.installed and node.target.machine not in (*_NVSWITCH, *_MAYBE_NVSWITCH):
        message = f"{node.say('fabric-manager')} finds no NVSwitch on {node.target.machine}"
        yield Clash("fabric-manager", message, "remove fabric-manager")


@rule("FY2037", Level.ERROR, "NVIDIA gpu-operator issue 2781; Fabric Manager user guide 1.5")
def fifth_nvlink_needs_nvlsm(node: Node) -> Iterator[Clash]:
    """HGX B200 and B300 need the NVLink subnet manager beside fabric manager, or CUDA reports error 802."""
    if node.target.accelerator in _HGX_B and "nvidia-driver" in node.installed and "nvlsm" not in node.installed:
        message = f"{node.say('fabric-manager', 'nvlsm')} cannot bring up NVLink on {node.target.machine}"
        yield Clash("nvlsm", message, "nvlsm: 2025.06.11")


@rule(
    "FY2038",
    Level.WARNING,
    "Fabric Manager user guide 1.3.1: switches before the fourth generation have no subnet manager",
)
def nvlsm_needs_fifth_nvlink(node: Node) -> Iterator[Clash]:
    """The NVLink subnet manager is for HGX B200 and B300 only."""
    if "nvlsm" in node.installed and node.target.accelerator not in _HGX_B:
        message = f"{node.say('nvlsm')} manages nothing on {node.target.machine}, which has {node.say('nvidia-driver')}"
        yield Clash("nvlsm", message, "remove nvlsm")


@rule("FY2039", Level.ERROR, "NVIDIA gpu-operator issue 2781")
def nvlsm_needs_its_modules(node: Node) -> Iterator[Clash]:
    """On HGX B200 and B300 the kernel modules mlx5_ib and ib_umad are there, through which the switches are reached."""
    for name in ("mlx5_ib", "ib_umad"):
        if node.target.accelerator in _HGX_B and "nvidia-driver" in node.installed and name not in node.installed:
            message = f"{node.say('nvlsm', name)}: the NVSwitches of {node.target.machine} cannot be reached"
            yield Clash(name, message, f"load {name} at boot")


@rule("FY2040", Level.ERROR, "AWS documentation of P6e-GB200 UltraServers on EKS; NVIDIA IMEX guide")
def nvl72_needs_imex(node: Node) -> Iterator[Clash]:
    """Machines of an NVL72 domain need IMEX to reach each other's memory over NVLink."""
    driver = node.get("nvidia-driver")
    if driver and node.target.accelerator in _NVL72 and "imex" not in node.installed:
        message = f"{node.say('nvidia-driver', 'imex')} keep {node.target.machine} out of its NVLink domain"
        yield Clash("imex", message, f"imex: {driver}")


@rule("FY2041", Level.WARNING, "NVIDIA IMEX guide: for multi-node NVLink systems")
def imex_needs_nvl72(node: Node) -> Iterator[Clash]:
    """IMEX is for machines of an NVL72 domain only."""
    if "imex" in node.installed and node.target.accelerator not in _NVL72:
        message = f"{node.say('imex')} has no NVLink domain on {node.target.machine}, with {node.say('nvidia-driver')}"
        yield Clash("imex", message, "remove imex")


@rule("FY2042", Level.ERROR, "NVIDIA/DCGM issues 59 and 255, pull request 249; DCGM user guide, getting started")
def dcgm_3_ends_at_cuda_12(node: Node) -> Iterator[Clash]:
    """DCGM 3 does not know CUDA 13, which drivers from 580 on speak."""
    dcgm, driver, cuda = node.get("dcgm"), node.get("nvidia-driver"), node.get("cuda")
    if dcgm and dcgm.major < 4 and ((driver and driver.major >= 580) or (cuda and cuda.major >= 13)):
        message = f"{node.say('dcgm')} does not work with {node.say('nvidia-driver', 'cuda')}"
        yield Clash("dcgm", message, "dcgm: 4.4.1-1-cuda13 or newer")


@rule("FY2043", Level.WARNING, "NVIDIA/DCGM pull request 249: full support for CUDA 13 from 4.4.0")
def dcgm_44_for_cuda_13(node: Node) -> Iterator[Clash]:
    """DCGM supports CUDA 13 in full from 4.4 on."""
    dcgm, driver = node.get("dcgm"), node.get("nvidia-driver")
    if dcgm and driver and dcgm.major == 4 and dcgm.below("4.4") and driver.major >= 580:
        message = f"{node.say('dcgm')} does not support CUDA 13 of {node.say('nvidia-driver')} in full"
        yield Clash("dcgm", message, "dcgm: 4.4.1-1-cuda13 or newer")


@rule(
    "FY2044",
    Level.ERROR,
    "NVIDIA/DCGM issue 255; DCGM user guide: the package is chosen by the driver's own CUDA version",
)
def dcgm_speaks_the_drivers_cuda(node: Node) -> Iterator[Clash]:
    """DCGM's package is the one for the CUDA that the driver speaks: cuda13 from branch 580 on, cuda12 before."""
    dcgm, driver = node.get("dcgm"), node.get("nvidia-driver")
    built = dcgm.built_for("cuda") if dcgm else None
    if dcgm and driver and built:
        speaks = 13 if driver.major >= 580 else DRIVER_CUDA.get(driver.major)
        if speaks and built.major != speaks:
            message = f"{node.say('dcgm')} is not for {node.say('nvidia-driver')}, which speaks CUDA {speaks}"
            yield Clash("dcgm", message, f"dcgm: {dcgm.plain}-cuda{speaks}")


@rule("FY2045", Level.ERROR, "DKMS builds the modules on the node; NVIDIA driver installation guide, prerequisites")
def modules_need_dkms(node: Node) -> Iterator[Clash]:
    """Kernel modules that DKMS builds need DKMS."""
    for name in (_OPEN, _CLOSED, "neuron-driver", "gvnic"):
        if name in node.installed and "dkms" not in node.installed:
            yield Clash(
                "dkms", f"{node.say(name, 'dkms')}: a new kernel would come up without it", "dkms: 2.8.7 or newer"
            )


@rule("FY2046", Level.ERROR, "nothing else drives these chips")
def nvidia_needs_nvidia(node: Node) -> Iterator[Clash]:
    """NVIDIA's driver and libraries are installed only on machines with NVIDIA GPUs."""
    for name in ("nvidia-driver", "cuda", "dcgm", "container-toolkit"):
        if name in node.installed and node.target.vendor != "nvidia":
            message = f"{node.say(name)} has no NVIDIA GPU on {node.target.machine}"
            yield Clash(name, message, f"remove {name}")
