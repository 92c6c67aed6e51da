"""Which stand-ins there are: every version that the manifest pins, and one newer driver to go wrong with."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fleetyard.versions import manifest
from stand_ins import modules
from stand_ins.deb import File, Files, Link, Package
from stand_ins.elf import shared_library

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "infra" / "fleetyard" / "versions" / "manifest.toml"
NODE = Path(__file__).resolve().parent / "node"
NEWER = {"nvidia-driver": ["580.173.02"], "fabric-manager": ["580.173.02"]}
"""The newest patch of the branch (AWS ParallelCluster 3.16.0): in the repositories, pinned by nothing."""
LIB = "usr/lib/x86_64-linux-gnu"
AT = "usr/share/fleetyard-stand-in"
HERE = "usr/lib/fleetyard-stand-in"
BASE = "fleetyard-stand-in"


def pinned() -> Mapping[str, tuple[str, ...]]:
    """Versions by component: all that the manifest has for Debian's like, and the newer ones."""
    found: dict[str, set[str]] = defaultdict(set)
    for pin in manifest().pins:
        found[pin.component].add(pin.version)
    for name, more in NEWER.items():
        found[name] |= set(more)
    return {name: tuple(sorted(rows)) for name, rows in found.items()}


# How they are made


def base() -> Package:
    """The programs themselves."""
    files: dict[str, File | Link] = {}
    for path in sorted(NODE.rglob("*")):
        if path.is_file() and path.suffix in ("", ".py"):
            files[f"{HERE}/{path.relative_to(NODE)}"] = File(path.read_bytes(), 0o755 if path.name == "run" else 0o644)
    digest = hashlib.sha256(b"".join(name.encode() + what.content for name, what in files.items()))  # type: ignore[union-attr]
    files["usr/bin/fleetyard-stand-in"] = Link(f"/{HERE}/run")
    # Before the distribution's own, which asks hardware that is not there.
    for name in ("ibstat", "ibv_devinfo"):
        files[f"usr/local/sbin/{name}"] = Link(f"/{HERE}/run")
    note = "This node has no accelerators: stand-ins answer for them (fleetyard-stand-in calls lists what was asked).\n"
    files[f"{AT}/README"] = File(note.encode())
    return Package(
        BASE,
        f"1.{int(digest.hexdigest()[:8], 16)}",
        "programs that stand in for vendors' tools",
        files,
        ("python3",),
        scripts={
            # Whoever calls a program must be able to write it down.
            "postinst": "#!/bin/sh\nset -e\nat=/var/lib/fleetyard-stand-in\ninstall -d -m 1777 $at\n"
            "[ -e $at/calls.jsonl ] || install -m 666 /dev/null $at/calls.jsonl\n"
        },
    )


def programs(*paths: str) -> dict[str, File | Link]:
    """Files of programs that the base package answers for."""
    return {path: Link(f"/{HERE}/run") for path in paths}


def says(component: str, version: str) -> dict[str, File | Link]:
    """What makes a program know its version."""
    return {f"{AT}/{component}": File(f"{version}\n".encode())}


def library(path: str, soname: str) -> dict[str, File | Link]:
    """A library by its full name, with the name that the loader looks for beside it."""
    folder = path.rpartition("/")[0]
    found: dict[str, File | Link] = {path: File(shared_library(soname))}
    if path != f"{folder}/{soname}":
        found[f"{folder}/{soname}"] = Link(path.rpartition("/")[2])
    return found


def unit(name: str, about: str, command: str, kind: str = "notify", more: str = "") -> Files:
    """A systemd unit."""
    text = f"[Unit]\nDescription={about} (stand-in)\nAfter=local-fs.target\n\n[Service]\nType={kind}\n"
    text += f"ExecStart={command}\n{more}\n[Install]\nWantedBy=multi-user.target\n"
    return {f"lib/systemd/system/{name}": File(text.encode())}


def _plain(name: str, version: str, title: str, files: Files, depends: Iterable[str] = (), **relations: str) -> Package:
    return Package(name, version, title, files, (BASE, *depends), relations)


# NVIDIA's CUDA repository


def driver(version: str) -> Iterator[Package]:
    """Kernel modules in both flavours, and the user space that talks to them."""
    full = f"{version}-1"
    same = f"(= {full})"
    names = ("nvidia", "nvidia-uvm", "nvidia-modeset", "nvidia-drm", "nvidia-peermem")
    for name, other in (
        ("nvidia-kernel-open-dkms", "nvidia-kernel-dkms"),
        ("nvidia-kernel-dkms", "nvidia-kernel-open-dkms"),
    ):
        title = f"NVIDIA kernel modules, {'open' if 'open' in name else 'proprietary'} flavour"
        yield Package(
            name,
            full,
            title,
            modules.source("nvidia", version, names, title),
            (BASE, "dkms"),
            {"Conflicts": other, "Provides": f"nvidia-kernel-{version}"},
            modules.scripts("nvidia", version),
        )
    yield _plain(
        "nvidia-driver-cuda",
        full,
        "NVIDIA driver, computing parts",
        {**programs("usr/bin/nvidia-smi"), **says("nvidia-driver", version)},
        (f"libcuda1 {same}", f"libnvidia-ml1 {same}", f"nvidia-persistenced {same}", f"nvidia-modprobe {same}"),
    )
    yield _plain("libcuda1", full, "CUDA driver library", library(f"{LIB}/libcuda.so.{version}", "libcuda.so.1"))
    yield _plain("libnvidia-ml1", full, "NVML", library(f"{LIB}/libnvidia-ml.so.{version}", "libnvidia-ml.so.1"))
    yield _plain(
        "nvidia-persistenced",
        full,
        "NVIDIA persistence daemon",
        {
            **programs("usr/bin/nvidia-persistenced"),
            **unit(
                "nvidia-persistenced.service", "NVIDIA Persistence Daemon", "/usr/bin/nvidia-persistenced --verbose"
            ),
        },
    )
    yield _plain("nvidia-modprobe", full, "loads NVIDIA modules for users", says("nvidia-modprobe", version))
    yield _plain(
        "nvidia-open",
        full,
        "everything of the open flavour",
        {},
        (f"nvidia-kernel-open-dkms {same}", f"nvidia-driver-cuda {same}"),
    )
    yield _plain(
        "cuda-drivers",
        full,
        "everything of the proprietary flavour",
        {},
        (f"nvidia-kernel-dkms {same}", f"nvidia-driver-cuda {same}"),
    )
    pin = f"Package: src:*nvidia*:any *nvidia* libcuda*\nPin: version {version}-*\nPin-Priority: 1000\n"
    yield _plain(
        f"nvidia-driver-pinning-{version}",
        full,
        "pins the driver's version",
        {f"etc/apt/preferences.d/nvidia-driver-pinning-{version}": File(pin.encode())},
    )


def fabric(version: str) -> Iterator[Package]:
    """Fabric manager, NSCQ and IMEX: one number with the driver. Below branch 580 the names carry the branch."""
    branch = int(version.partition(".")[0])
    tail = "" if branch >= 580 else f"-{branch}"
    full = f"{version}-1"
    conf = b"LOG_LEVEL=4\nFABRIC_MODE=0\nDAEMONIZE=0\n"
    yield _plain(
        f"nvidia-fabricmanager{tail}",
        full,
        "NVIDIA Fabric Manager",
        {
            **programs("usr/bin/nv-fabricmanager"),
            **says("fabric-manager", version),
            "usr/share/nvidia/nvswitch/fabricmanager.cfg": File(conf),
            **unit(
                "nvidia-fabricmanager.service",
                "NVIDIA Fabric Manager",
                "/usr/bin/nv-fabricmanager -c /usr/share/nvidia/nvswitch/fabricmanager.cfg",
                more="ExecStopPost=/bin/rm -f /run/fleetyard-stand-in/fabric-manager\n",
            ),
        },
    )
    yield _plain(
        f"libnvidia-nscq{tail}",
        full,
        "NVSwitch queries",
        library(f"{LIB}/libnvidia-nscq.so.{version}", "libnvidia-nscq.so.2"),
    )
    yield _plain(
        f"nvidia-imex{tail}",
        full,
        "NVIDIA IMEX",
        {
            **programs("usr/bin/nvidia-imex"),
            **says("imex", version),
            "etc/nvidia-imex/config.cfg": File(
                b"IMEX_CMD_ENABLED=1\nIMEX_NODE_CONFIG_FILE=/etc/nvidia-imex/nodes_config.cfg\n"
            ),
            **unit("nvidia-imex.service", "NVIDIA IMEX", "/usr/bin/nvidia-imex -c /etc/nvidia-imex/config.cfg"),
        },
    )


def cuda(version: str) -> Iterator[Package]:
    """The toolkit as a meta package, and its compiler."""
    short = ".".join(version.split(".")[:2])
    dashed = short.replace(".", "-")
    at = f"usr/local/cuda-{short}"
    about = json.dumps({"cuda": {"name": "CUDA SDK (stand-in)", "version": version}}).encode()
    link = f"update-alternatives --install /usr/local/cuda cuda /{at} {dashed.replace('-', '')}"
    yield Package(
        f"cuda-nvcc-{dashed}",
        f"{version}-1",
        "CUDA compiler",
        {**programs(f"{at}/bin/nvcc"), f"{at}/version.json": File(about)},
        (BASE,),
        scripts={
            "postinst": f"#!/bin/sh\nset -e\n{link}\n",
            "prerm": f"#!/bin/sh\nset -e\nupdate-alternatives --remove cuda /{at}\n",
        },
    )
    yield _plain(
        f"cuda-cudart-{dashed}",
        f"{version}-1",
        "CUDA runtime",
        library(f"{at}/targets/x86_64-linux/lib/libcudart.so.{version}", f"libcudart.so.{short.partition('.')[0]}"),
    )
    same = f"(= {version}-1)"
    yield _plain(
        f"cuda-toolkit-{dashed}",
        f"{version}-1",
        "CUDA Toolkit",
        {},
        (f"cuda-nvcc-{dashed} {same}", f"cuda-cudart-{dashed} {same}"),
    )


def nccl(version: str) -> Iterator[Package]:
    """NCCL, built for the CUDA that its version names."""
    number = version.partition("-")[0]
    yield _plain("libnccl2", version, "NCCL", library(f"{LIB}/libnccl.so.{number}", "libnccl.so.2"))
    head = b'#define NCCL_VERSION "stand-in"\n'
    yield _plain(
        "libnccl-dev", version, "NCCL, for building", {"usr/include/nccl.h": File(head)}, (f"libnccl2 (= {version})",)
    )


def cudnn(version: str) -> Iterator[Package]:
    """cuDNN; the manifest's `9.20.0.48-cuda13` is package libcudnn9-cuda-13."""
    number, _, major = version.partition("-cuda")
    yield _plain(
        f"libcudnn9-cuda-{major}", f"{number}-1", "cuDNN", library(f"{LIB}/libcudnn.so.{number}", "libcudnn.so.9")
    )


def dcgm(version: str) -> Iterator[Package]:
    """DCGM; the manifest's `4.5.2-1-cuda13` is version 1:4.5.2-1 of the packages for CUDA 13."""
    plain, _, major = version.partition("-cuda")
    full = f"1:{plain}"
    yield _plain(
        "datacenter-gpu-manager-4-core",
        full,
        "DCGM",
        {
            **programs("usr/bin/dcgmi", "usr/bin/nv-hostengine"),
            **says("dcgm", plain.partition("-")[0]),
            **unit("nvidia-dcgm.service", "NVIDIA DCGM", "/usr/bin/nv-hostengine -n --service-account nvidia-dcgm",
                   more="ExecStopPost=/bin/rm -f /run/fleetyard-stand-in/hostengine\n"),
        },
        Conflicts="datacenter-gpu-manager",
    )  # fmt: skip
    yield _plain(
        f"datacenter-gpu-manager-4-cuda{major}",
        full,
        f"DCGM's plugins for CUDA {major}",
        {},
        (f"datacenter-gpu-manager-4-core (= {full})",),
    )


def gdrcopy(version: str) -> Iterator[Package]:
    """GDRCopy: a module that DKMS builds, a library and its tests."""
    full = f"{version}-1"
    title = "GDRCopy's kernel module"
    yield Package(
        "gdrdrv-dkms", full, title, modules.source("gdrdrv", version, ("gdrdrv",), title), (BASE, "dkms"),
        scripts=modules.scripts("gdrdrv", version),
    )  # fmt: skip
    yield _plain("libgdrapi", full, "GDRCopy's library", library(f"{LIB}/libgdrapi.so.{version}", "libgdrapi.so.2"))
    yield _plain(
        "gdrcopy-tests", full, "GDRCopy's tests", programs("usr/bin/gdrcopy_sanity"), (f"libgdrapi (= {full})",)
    )
    yield _plain("gdrcopy", full, "GDRCopy", {}, (f"gdrdrv-dkms (= {full})", f"libgdrapi (= {full})"))


def toolkit(version: str) -> Iterator[Package]:
    """The container toolkit's four packages."""
    same = f"(= {version})"
    refresh = "ExecStart=/usr/bin/nvidia-ctk cdi generate --output=/var/run/cdi/nvidia.yaml\n"
    service = (
        f"[Unit]\nDescription=Refresh NVIDIA CDI specification file (stand-in)\n\n[Service]\nType=oneshot\n{refresh}"
    )
    service += "\n[Install]\nWantedBy=multi-user.target\n"
    yield _plain(
        "libnvidia-container1",
        version,
        "container library",
        library(f"{LIB}/libnvidia-container.so.{version.partition('-')[0]}", "libnvidia-container.so.1"),
    )
    yield _plain(
        "libnvidia-container-tools", version, "container library's tool", {}, (f"libnvidia-container1 {same}",)
    )
    yield _plain(
        "nvidia-container-toolkit-base",
        version,
        "NVIDIA Container Toolkit, base",
        {
            **programs("usr/bin/nvidia-ctk", "usr/bin/nvidia-container-runtime"),
            **says("container-toolkit", version),
            "lib/systemd/system/nvidia-cdi-refresh.service": File(service.encode()),
        },
    )
    yield _plain(
        "nvidia-container-toolkit",
        version,
        "NVIDIA Container Toolkit",
        {},
        (f"nvidia-container-toolkit-base {same}", f"libnvidia-container-tools {same}"),
    )


def nvidia_repository(versions: Mapping[str, tuple[str, ...]]) -> list[Package]:
    """Everything of NVIDIA's CUDA repository."""
    makers = (
        ("nvidia-driver", driver), ("fabric-manager", fabric), ("cuda", cuda), ("nccl", nccl), ("cudnn", cudnn),
        ("dcgm", dcgm), ("gdrcopy", gdrcopy),
    )  # fmt: skip
    found = [package for component, make in makers for version in versions[component] for package in make(version)]
    found += [
        _plain(
            "nvlsm", f"{version}-1", "NVLink subnet manager", {**programs("usr/bin/nvlsm"), **says("nvlsm", version)}
        )
        for version in versions["nvlsm"]
    ]
    # One version of a package for each of its CUDA builds would be the same package twice.
    return [base(), *{(package.name, package.version): package for package in found}.values()]


# Others


def neuron_repository(versions: Mapping[str, tuple[str, ...]]) -> list[Package]:
    """AWS Neuron's."""
    found = [base()]
    for version in versions["neuron-driver"]:
        title = "AWS Neuron's kernel module"
        found.append(
            Package(
                "aws-neuronx-dkms", version, title, modules.source("aws-neuronx", version, ("neuron",), title),
                (BASE, "dkms"), scripts=modules.scripts("aws-neuronx", version),
            )
        )  # fmt: skip
    at = "opt/aws/neuron"
    for component, name, title, files in (
        ("neuron-runtime", "aws-neuronx-runtime-lib", "runtime", library(f"{at}/lib/libnrt.so.1", "libnrt.so.1")),
        (
            "neuron-collectives",
            "aws-neuronx-collectives",
            "collectives",
            library(f"{at}/lib/libnccom.so.2", "libnccom.so.2"),
        ),
        ("neuron-tools", "aws-neuronx-tools", "tools", programs(f"{at}/bin/neuron-ls", f"{at}/bin/neuron-top")),
    ):
        found += [
            _plain(name, version, f"AWS Neuron {title}", {**files, **says(component, version)})
            for version in versions[component]
        ]
    return found


def google_repository(versions: Mapping[str, tuple[str, ...]]) -> list[Package]:
    """Google's gIB plugin."""
    at = "usr/local/gib"
    env = b"export NCCL_NET=gIB\nexport NCCL_CROSS_NIC=0\nexport NCCL_NET_GDR_LEVEL=PIX\n"
    files = {
        **library(f"{at}/lib64/libnccl-net.so", "libnccl-net.so"),
        f"{at}/scripts/set_nccl_env.sh": File(b"# stand-in\n" + env),
    }
    return [
        base(),
        *(_plain("nccl-gib", version, "gIB plugin", {**files, **says("gib", version)}) for version in versions["gib"]),
    ]


def enroot(version: str) -> list[Package]:
    """Enroot's two packages, which lie on a release page."""
    return [
        Package("enroot", version, "Enroot", {**programs("usr/bin/enroot"), **says("enroot", version),
                "etc/enroot/enroot.conf": File(b"# stand-in\n")}, (BASE,)),
        Package("enroot+caps", version, "Enroot's rights", says("enroot-caps", version), (f"enroot (= {version})",)),
    ]  # fmt: skip
