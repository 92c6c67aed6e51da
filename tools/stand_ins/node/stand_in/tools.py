"""Small programs: nvidia-ctk, nvcc, gdrcopy_sanity, fi_info, ibv_devinfo, ibstat, neuron-ls, neuron-top, enroot."""

# ruff: noqa: E501 - lines are as long as what the tools print

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from stand_in import smi
from stand_in.node import NOTE, Node, uuid


def ctk(node: Node, arguments: list[str]) -> int:
    """nvidia-ctk: writes CDI specifications and the settings of container engines, as files that engines read."""
    if "--version" in arguments:
        print(f"NVIDIA Container Toolkit CLI version {node.version('container-toolkit').partition('-')[0]} ({NOTE})")
        return 0
    if arguments[:2] == ["cdi", "generate"]:
        return _cdi(node, _option(arguments, "--output"))
    if arguments[:2] == ["cdi", "list"]:
        names = [f"nvidia.com/gpu={index}" for index in node.gpus()] + ["nvidia.com/gpu=all"]
        print(f"Found {len(names)} CDI devices\n" + "\n".join(names))
        return 0
    if arguments[:2] == ["runtime", "configure"]:
        return _runtime(node, _option(arguments, "--runtime") or "docker", _option(arguments, "--config"),
                        any(word in arguments for word in ("--cdi.enabled", "--cdi.enabled=true")))  # fmt: skip
    print(f"nvidia-ctk: {NOTE} knows cdi generate, cdi list and runtime configure", file=sys.stderr)
    return 1


def _option(arguments: list[str], name: str) -> str:
    for place, word in enumerate(arguments):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name and place + 1 < len(arguments):
            return arguments[place + 1]
    return ""


def _cdi(node: Node, output: str) -> int:
    try:
        version = smi.driver(node)
    except smi.Refused:
        print(
            "ERRO[0000] failed to generate CDI spec: failed to initialize NVML: ERROR_DRIVER_NOT_LOADED",
            file=sys.stderr,
        )
        return 1

    def device(name: str, indices: list[int]) -> dict[str, Any]:
        return {"name": name, "containerEdits": {"deviceNodes": [{"path": f"/dev/nvidia{index}"} for index in indices]}}

    gpus = node.gpus()
    devices = [device(str(index), [index]) for index in gpus] + [device(uuid(index), [index]) for index in gpus]
    common = [
        {"path": path} for path in ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset")
    ]
    edits = {"env": [f"NVIDIA_CTK_LIBCUDA_DIR=/usr/lib/{NOTE}", f"FLEETYARD_DRIVER={version}"], "deviceNodes": common}
    spec = {
        "cdiVersion": "0.5.0",
        "kind": "nvidia.com/gpu",
        "devices": [*devices, device("all", gpus)],
        "containerEdits": edits,
    }
    # JSON is YAML, too.
    text = json.dumps(spec, indent=2) + "\n"
    if not output:
        sys.stdout.write(text)
        return 0
    path = node.root / output.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return 0


def _runtime(node: Node, runtime: str, config: str, cdi: bool) -> int:
    if runtime == "docker":
        path = node.root / (config or "/etc/docker/daemon.json").lstrip("/")
        found = json.loads(path.read_text()) if path.exists() and path.read_text().strip() else {}
        found.setdefault("runtimes", {})["nvidia"] = {"args": [], "path": "nvidia-container-runtime"}
        if cdi:
            found.setdefault("features", {})["cdi"] = True
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=4, sort_keys=True))
        return 0
    if runtime == "containerd":
        path = node.root / (config or "/etc/containerd/conf.d/99-nvidia.toml").lstrip("/")
        plugin = 'plugins."io.containerd.grpc.v1.cri"'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"version = 2\n\n[{plugin}]\n  enable_cdi = {'true' if cdi else 'false'}\n\n"
            f'[{plugin}.containerd.runtimes.nvidia]\n  runtime_type = "io.containerd.runc.v2"\n\n'
            f'[{plugin}.containerd.runtimes.nvidia.options]\n  BinaryName = "/usr/bin/nvidia-container-runtime"\n'
        )
        return 0
    print(f"unrecognized runtime '{runtime}'", file=sys.stderr)
    return 1


def nvcc(node: Node, arguments: list[str]) -> int:
    """The compiler says its version and compiles nothing."""
    beside = Path(node.program).parent.parent / "version.json"
    version = str(json.loads(beside.read_text())["cuda"]["version"])
    if "--version" in arguments or "-V" in arguments:
        short = ".".join(version.split(".")[:2])
        print(f"nvcc: NVIDIA (R) Cuda compiler driver ({NOTE})\nCuda compilation tools, release {short}, V{version}")
        return 0
    print(f"nvcc: {NOTE}: cannot compile", file=sys.stderr)
    return 1


def gdrcopy(node: Node, arguments: list[str]) -> int:
    """gdrcopy_sanity: passes where a GPU answers."""
    try:
        smi.driver(node)
    except smi.Refused:
        print("Error: gdrdrv or CUDA driver is not loaded", file=sys.stderr)
        return 1
    print(
        f"Running 28 test(s) ({NOTE}):\nTotal: 28, Passed: 28, Failed: 0, Waived: 0\n\nList of failed tests:\n\n\nList of waived tests:"
    )
    return 0


def efa_devices(node: Node) -> list[str]:
    """Names of the EFA devices that answer."""
    lost = set(node.faults.get("efa_missing") or [])
    return [f"rdmap{16 + index}s{27 + index % 4}" for index in range(int(node.fact("efa", 0))) if index not in lost]


def fi_info(node: Node, arguments: list[str]) -> int:
    """libfabric's listing of the efa provider."""
    version = node.version("libfabric") or "0"
    if "--version" in arguments:
        print(f"fi_info: {version} ({NOTE})\nlibfabric: {version}")
        return 0
    found = efa_devices(node)
    if not found:
        print("fi_getinfo: -61 (No data available)", file=sys.stderr)
        return 61
    major = "".join(version.replace("amzn", " ").split()[:1]) or "2.0"
    for name in found:
        for kind, protocol in (("FI_EP_RDM", "FI_PROTO_EFA"), ("FI_EP_DGRAM", "FI_PROTO_EFA")):
            suffix = "rdm" if kind == "FI_EP_RDM" else "dgrm"
            print(
                f"provider: efa\n    fabric: efa\n    domain: {name}-{suffix}\n    version: {major}\n    type: {kind}\n    protocol: {protocol}"
            )
    return 0


def ibv_devinfo(node: Node, arguments: list[str]) -> int:
    """RDMA devices: EFA's and others, with the state of their ports."""
    down = set(node.faults.get("rdma_down") or [])
    rows = [(name, "unspecified (4)", "0x1d0f", "Unspecified", True) for name in efa_devices(node)]
    rows += [
        (f"mlx5_{index}", "InfiniBand (0)", "0x02c9", "Ethernet", index not in down)
        for index in range(int(node.fact("rdma", 0)))
    ]
    if not rows:
        print("No IB devices found", file=sys.stderr)
        return 255
    for index, (name, transport, vendor, layer, up) in enumerate(rows):
        state = "PORT_ACTIVE (4)" if up else "PORT_DOWN (1)"
        print(
            f"hca_id:\t{name}\n\ttransport:\t\t\t{transport}\n\tfw_ver:\t\t\t\t{NOTE}\n\tnode_guid:\t\t\t0000:0000:0000:{index:04x}\n"
            f"\tvendor_id:\t\t\t{vendor}\n\tphys_port_cnt:\t\t\t1\n\t\tport:\t1\n\t\t\tstate:\t\t\t{state}\n"
            f"\t\t\tlink_layer:\t\t{layer}\n"
        )
    return 0


def ibstat(node: Node, arguments: list[str]) -> int:
    """RDMA adapters and their ports."""
    down = set(node.faults.get("rdma_down") or [])
    for index in range(int(node.fact("rdma", 0))):
        state, physical = ("Down", "Disabled") if index in down else ("Active", "LinkUp")
        print(
            f"CA 'mlx5_{index}'\n\tCA type: MT4129\n\tNumber of ports: 1\n\tFirmware version: {NOTE}\n\tHardware version: 0\n"
            f"\tNode GUID: 0x{index:016x}\n\tSystem image GUID: 0x{index:016x}\n\tPort 1:\n\t\tState: {state}\n"
            f"\t\tPhysical state: {physical}\n\t\tRate: {node.fact('rdma_gbps', 400)}\n\t\tBase lid: 0\n\t\tLMC: 0\n\t\tSM lid: 0\n"
            f"\t\tCapability mask: 0x00010000\n\t\tPort GUID: 0x{index:016x}\n\t\tLink layer: Ethernet"
        )
    return 0


def neuron_ls(node: Node, arguments: list[str]) -> int:
    """Trainium and Inferentia chips."""
    if "--version" in arguments:
        print(f"neuron-ls {node.version('neuron-tools')} ({NOTE})")
        return 0
    count = int(node.fact("count", 0)) if node.facts.get("kind") == "neuron" else 0
    found = [index for index in range(count) if index not in (node.faults.get("missing") or [])]
    if not found:
        print("neuron-ls: No neuron device found", file=sys.stderr)
        return 1
    size = int(node.fact("memory_mib", 0)) * 2**20
    cores = int(node.fact("cores", 2))
    rows = [
        {"neuron_device": index, "bdf": f"{index:02x}:1e.0", "connected_to": [(index - 1) % count, (index + 1) % count] if count > 1 else None,
         "nc_count": cores, "memory_size": size, "neuron_processes": []}
        for index in found
    ]  # fmt: skip
    if any(word in arguments for word in ("-j", "--json-output")):
        print(json.dumps(rows))
        return 0
    print(
        f"instance-type: {node.fact('machine')} ({NOTE})\n+--------+--------+--------+\n| NEURON | NEURON | NEURON |\n| DEVICE | CORES  | MEMORY |\n+--------+--------+--------+"
    )
    for row in rows:
        print(f"| {row['neuron_device']:<6} | {cores:<6} | {size // 2**30:>3} GB |")
    print("+--------+--------+--------+")
    return 0


def neuron_top(node: Node, arguments: list[str]) -> int:
    """Says its version; shows nothing."""
    print(f"neuron-top {node.version('neuron-tools')} ({NOTE})")
    return 0


def enroot(node: Node, arguments: list[str]) -> int:
    """Says its version and its settings; runs no container."""
    if arguments[:1] == ["version"]:
        print(f"{node.version('enroot').partition('-')[0]} ({NOTE})")
        return 0
    if arguments[:1] == ["list"]:
        return 0
    print(f"[ERROR] {NOTE}: cannot run containers", file=sys.stderr)
    return 1


def container_runtime(node: Node, arguments: list[str]) -> int:
    """nvidia-container-runtime: hands over to runc, as the real one does with CDI."""
    for place in ("/usr/sbin/runc", "/usr/bin/runc"):
        if Path(place).exists():
            import os

            os.execv(place, ["runc", *arguments])  # noqa: S606
    return 1
