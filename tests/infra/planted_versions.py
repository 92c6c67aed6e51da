"""Planted version conflicts: what is changed in a set, and the code that must come up. For tests and documentation.

`changed`: component to version; None takes the component away, as a node may lack it. A row without a removal is
planted in a stack file and goes through `fleetyard check`; every row is planted on a node too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetyard.versions import Version

NEWEST, OLD = "2026-10", "2025-08"
R535, R570, R580, R590, R595 = "535.288.01", "570.172.08", "580.159.04", "590.48.01", "595.91.07"
OPEN, CLOSED = "nvidia-module-open", "nvidia-module-proprietary"


@dataclass(frozen=True, slots=True)
class Planted:
    """One conflict. `machine` and `os` say where; the rest of the set is untouched."""

    code: str
    machine: str
    changed: Mapping[str, str | None]
    os: str = "ubuntu-22.04"
    version_set: str = NEWEST

    @property
    def in_a_stack(self) -> bool:
        """Whether a stack file can say it."""
        return all(version is not None for version in self.changed.values())

    @property
    def told(self) -> str:
        """The change in a few words."""
        return ", ".join(f"{name} {version}" if version else f"no {name}" for name, version in self.changed.items())


def driver(version: str) -> dict[str, str | None]:
    """A driver with modules of its own version."""
    return {"nvidia-driver": version, OPEN: version}


def locked(version: str) -> dict[str, str | None]:
    """A driver with modules and fabric manager of its own version."""
    return {**driver(version), "fabric-manager": version}


PLANTED: tuple[Planted, ...] = (
    # driver and modules
    Planted("FY2010", "p4d.24xlarge", {OPEN: "580.126.20"}),
    Planted("FY2010", "p3.16xlarge", {CLOSED: R580}),
    Planted("FY2011", "p3.16xlarge", {OPEN: R570}),
    Planted("FY2012", "p6-b200.48xlarge", {CLOSED: R580}),
    Planted("FY2012", "g4-standard-48", {CLOSED: R580}),
    Planted("FY2013", "p5.48xlarge", {CLOSED: R580}),
    Planted("FY2014", "p6-b200.48xlarge", locked("570.124.06")),
    Planted("FY2014", "a4x-highgpu-4g", {**driver("570.86.15"), "imex": "570.86.15"}),
    Planted("FY2015", "p6-b300.48xlarge", locked("580.65.06")),
    Planted("FY2015", "a4x-maxgpu-4g-metal", {**driver("580.82.07"), "imex": "580.82.07"}),
    Planted("FY2016", "p5.48xlarge", locked("515.105.01")),
    Planted("FY2016", "g6.xlarge", driver("515.105.01")),
    Planted("FY2017", "p3.2xlarge", {"nvidia-driver": R590, CLOSED: R590}),
    Planted("FY2018", "p5.48xlarge", {"kernel": "7.1.0-1004-aws", **locked("580.142")}),
    Planted("FY2018", "g2-standard-4", {"kernel": "7.0.0-1011-gcp", **driver(R590)}, "ubuntu-24.04"),
    Planted("FY2018", "a2-highgpu-1g", {"kernel": "7.0.0-1011-gcp", **driver("580.119.02")}, "ubuntu-24.04"),
    Planted("FY2019", "a3-megagpu-8g", {"kernel": "6.17.0-1006-gcp"}, "ubuntu-24.04"),
    Planted("FY2019", "g4-standard-384", {"kernel": "6.17.0-1006-gcp"}, "ubuntu-24.04"),
    Planted("FY2020", "a3-highgpu-8g", locked(R580)),
    Planted("FY2020", "a3-highgpu-8g", {"cuda": "12.9.1"}),
    Planted("FY2021", "p6e-gb200.36xlarge", {**driver(R595), "imex": R595}),
    # CUDA and what is built for it
    Planted("FY2022", "p4d.24xlarge", locked(R570)),
    Planted("FY2022", "g5.xlarge", {**driver("470.256.02"), "cuda": "12.4.1"}),
    Planted("FY2023", "p4d.24xlarge", {"cuda": "13.1.1"}),
    Planted("FY2023", "p4d.24xlarge", {**locked(R535), "cuda": "12.8.1"}, version_set=OLD),
    Planted("FY2024", "p3.8xlarge", {"cuda": "13.0.2"}),
    Planted("FY2025", "p6-b200.48xlarge", {"cuda": "12.6.3"}),
    Planted("FY2025", "p6-b300.48xlarge", {"cuda": "12.8.1"}),
    Planted("FY2026", "p5.48xlarge", {"cuda": "11.8.0"}),
    Planted("FY2027", "a3-ultragpu-8g", {"nccl": "2.27.5-1+cuda12.9"}, "ubuntu-24.04"),
    Planted("FY2027", "p4d.24xlarge", {"nccl": "2.28.9-1+cuda13.0"}, version_set=OLD),
    Planted("FY2028", "p5.48xlarge", {"cudnn": "9.20.0.48-cuda12"}),
    Planted("FY2029", "p3.16xlarge", {"cudnn": "9.12.0.46-cuda12"}),
    Planted("FY2030", "p5.48xlarge", {"nccl": "2.18.3-1+cuda13.0"}),
    Planted("FY2031", "p5en.48xlarge", {"nccl": "2.27.7-1+cuda13.0"}),
    Planted("FY2031", "p6-b200.48xlarge", {"nccl": "2.28.2-1+cuda13.0"}),
    Planted("FY2032", "p6-b300.48xlarge", {"nccl": "2.24.3-1+cuda13.0"}),
    # fabric manager, subnet manager, IMEX
    Planted("FY2033", "p4d.24xlarge", {"fabric-manager": "580.173.02"}),
    Planted("FY2033", "p5.48xlarge", {"fabric-manager": "580.126.20"}),
    Planted("FY2034", "a4x-highgpu-4g", {"imex": "580.126.09"}),
    Planted("FY2035", "p5en.48xlarge", {"fabric-manager": None}),
    Planted("FY2036", "g5.48xlarge", {"fabric-manager": R580}),
    Planted("FY2036", "a4x-highgpu-4g", {"fabric-manager": "580.126.20"}),
    Planted("FY2037", "p6-b200.48xlarge", {"nvlsm": None}),
    Planted("FY2038", "p5.48xlarge", {"nvlsm": "2025.06.11"}),
    Planted("FY2039", "p6-b200.48xlarge", {"ib_umad": None}),
    Planted("FY2039", "a4-highgpu-8g", {"mlx5_ib": None}),
    Planted("FY2040", "a4x-highgpu-4g", {"imex": None}),
    Planted("FY2041", "p6-b200.48xlarge", {"imex": R580}),
    # DCGM, DKMS
    Planted("FY2042", "p4d.24xlarge", {"dcgm": "1:3.3.9-1"}),
    Planted("FY2043", "p4d.24xlarge", {"dcgm": "1:4.3.1-1-cuda13"}),
    Planted("FY2044", "p5.48xlarge", {"dcgm": "4.5.2-1-cuda12"}),
    Planted("FY2044", "a3-highgpu-8g", {"dcgm": "4.5.2-1-cuda13"}),
    Planted("FY2045", "p4d.24xlarge", {"dkms": None}),
    Planted("FY2046", "m7i.xlarge", {"nvidia-driver": R580}),
    Planted("FY2046", "trn2.48xlarge", {"cuda": "13.0.2"}),
    # EFA
    Planted("FY2050", "g5.xlarge", {"efa": "1.50.0"}),
    Planted("FY2050", "a3-megagpu-8g", {"efa": "1.50.0"}),
    Planted("FY2051", "p4d.24xlarge", {"efa": None}),
    Planted("FY2052", "p5.48xlarge", {"efa": "1.27.0"}),
    Planted("FY2053", "p5.48xlarge", {"efa": "1.28.0"}),
    Planted("FY2054", "p4d.24xlarge", {"efa": "1.29.0"}),
    Planted("FY2055", "p5.48xlarge", {"ofi-nccl": "1.19.0"}),
    Planted("FY2056", "p4d.24xlarge", {"efa": "1.35.0", "ofi-nccl": "1.12.0-aws"}),
    Planted("FY2057", "p5.48xlarge", {"ofi-nccl": "1.7.2"}),
    Planted("FY2058", "p4d.24xlarge", {"rdma-core": "44.0-2"}, "debian-12"),
    Planted("FY2058", "p5.48xlarge", {"rdma-core": "65.0"}),
    Planted("FY2059", "p4d.24xlarge", {"libfabric": "1.17.0-3"}, "debian-12"),
    Planted("FY2060", "p4d.24xlarge", {"libfabric": "1.21.0"}),
    Planted("FY2060", "p4d.24xlarge", {"nccl": "2.16.2-1+cuda13.0"}),
    Planted("FY2061", "p4d.24xlarge", {"efa": "1.51.0"}, "debian-11"),
    Planted("FY2061", "p4d.24xlarge", {"efa": "1.50.0"}, "amazon-2"),
    Planted("FY2061", "p4d.24xlarge", {"efa": "1.43.2"}, "ubuntu-20.04", OLD),
    Planted("FY2062", "p4d.24xlarge", {"efa": "1.26.0"}),
    Planted("FY2063", "p4d.24xlarge", {CLOSED: R580}),
    # Kubernetes
    Planted("FY2064", "p6-b200.48xlarge", {"efa-device-plugin": "0.5.8"}),
    Planted("FY2065", "p6e-gb200.36xlarge", {"kubernetes": "1.32.4"}),
    Planted("FY2066", "a4x-maxgpu-4g-metal", {"kubernetes": "1.34.1-gke.2541000"}),
    # Google Cloud's fabrics
    Planted("FY2067", "a3-megagpu-8g", {"tcpx": "3.1.9"}),
    Planted("FY2068", "a3-highgpu-8g", {"tcpxo": "1.0.15"}),
    Planted("FY2069", "a3-megagpu-8g", {"gib": "1.1.1"}),
    Planted("FY2069", "p5.48xlarge", {"gib": "1.1.1"}),
    Planted("FY2070", "a3-megagpu-8g", {"tcpxo-rxdm": "1.0.14"}),
    Planted("FY2070", "a3-megagpu-8g", {"tcpxo": "1.0.8"}),
    Planted("FY2071", "a3-megagpu-8g", {"tcpxo": "1.0.15"}, "ubuntu-20.04"),
    Planted("FY2071", "a3-megagpu-8g", {"tcpxo": "1.0.15"}, "rocky-9"),
    Planted("FY2072", "p4d.24xlarge", {"gvnic": "1.4.3"}),
    # containers and the scheduler
    Planted("FY2075", "a3-ultragpu-8g", {"container-toolkit": "1.17.7-1"}),
    Planted("FY2076", "p4d.24xlarge", {"container-toolkit": "1.17.4-1"}),
    Planted("FY2077", "p4d.24xlarge", {"container-toolkit": "1.11.0-1"}),
    Planted("FY2078", "p4d.24xlarge", {"container-toolkit": "1.17.8-1"}),
    Planted("FY2079", "p4d.24xlarge", {"docker": "20.10.24+dfsg1-1"}, "debian-12"),
    Planted("FY2079", "p4d.24xlarge", {"containerd": "1.6.20~ds1-1+deb12u3"}, "debian-12"),
    Planted("FY2080", "p4d.24xlarge", {"slurm": "24.11.6"}),
    Planted("FY2080", "p4d.24xlarge", {"pyxis": "0.20.0+slurm25.05"}),
    Planted("FY2081", "p4d.24xlarge", {"enroot": None}),
    Planted("FY2081", "p4d.24xlarge", {"enroot": "3.0.2-1"}),
    Planted("FY2082", "p4d.24xlarge", {"slurm": "19.05.8", "pyxis": "0.20.0+slurm19.05"}),
    # Neuron, TPU
    Planted("FY2083", "trn1.32xlarge", {"neuron-driver": "2.30.2.0"}),
    Planted("FY2083", "trn2.48xlarge", {"neuron-runtime": "2.34.10.0", "neuron-tools": "2.32.28.0"}),
    Planted("FY2084", "trn2.48xlarge", {"neuron-driver": "2.18.20.0"}),
    Planted("FY2085", "p4d.24xlarge", {"neuron-driver": "2.31.7.0"}),
    Planted("FY2086", "ct5lp-hightpu-4t", {"libtpu": "0.0.37"}),
    Planted("FY2086", "ct6e-standard-4t", {"jax": "0.9.2"}),
    Planted("FY2087", "p4d.24xlarge", {"libtpu": "0.0.42.1"}),
    # file systems, floors, bad input
    Planted("FY2088", "p4d.24xlarge", {"kernel": "6.18.39-79.141.amzn2023"}, "amazon-2023"),
    Planted("FY2089", "p4d.24xlarge", {"lustre-client": "2.16.1"}),
    Planted("FY2090", "p4d.24xlarge", {"kernel": "5.15.0-1084-aws"}, "ubuntu-24.04"),
    Planted("FY2091", "p4d.24xlarge", {"nvidia-drivers": R580}),
    Planted("FY2092", "p4d.24xlarge", {"cuda": "latest"}),
)

assert all(Version(v) for row in PLANTED for v in row.changed.values() if v and v != "latest")
