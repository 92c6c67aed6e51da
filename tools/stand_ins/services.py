"""Stand-ins of what watches and serves nodes: the exporter of DCGM, Grafana, and clients of shared storage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stand_ins import archives, modules, repository
from stand_ins.deb import File, Package, build
from stand_ins.packages import BASE, base, programs, says, unit

EXPORTER = {"4.5.2": "4.8.1"}
"""The exporter that belongs to a DCGM. Source: tags of NVIDIA's images, such as 4.5.2-4.8.1."""
GRAFANA = "12.4.3"
LUSTRE = "public/lustre/lustre-{version}"


def exporter() -> list[Package]:
    """DCGM's exporter, of NVIDIA's CUDA repository. It says which DCGM it belongs to."""
    return [
        Package(
            "datacenter-gpu-manager-exporter",
            f"{version}-1",
            "DCGM Exporter",
            {
                **programs("usr/bin/dcgm-exporter"),
                **says("dcgm-exporter", f"{dcgm}-{version}"),
                "etc/dcgm-exporter/default-counters.csv": File(
                    b"DCGM_FI_DEV_GPU_TEMP, gauge, GPU temperature (in C).\n"
                ),
                **unit(
                    "nvidia-dcgm-exporter.service",
                    "NVIDIA DCGM Exporter",
                    "/usr/bin/dcgm-exporter -f /etc/dcgm-exporter/default-counters.csv",
                    kind="simple",
                ),
            },
            (BASE,),
        )
        for dcgm, version in EXPORTER.items()
    ]


def grafana() -> list[Package]:
    """Grafana: answers what its API says of health, data sources and dashboards."""
    conf = b"# stand-in\n[server]\nhttp_port = 3000\n"
    user = "adduser --system --group --quiet --home /usr/share/grafana --no-create-home grafana"
    return [
        Package(
            "grafana",
            GRAFANA,
            "Grafana",
            {
                **programs("usr/sbin/grafana-server"),
                **says("grafana", GRAFANA),
                "etc/grafana/grafana.ini": File(conf),
                **unit(
                    "grafana-server.service",
                    "Grafana instance",
                    "/usr/sbin/grafana-server --config=/etc/grafana/grafana.ini --homepath=/usr/share/grafana",
                    more="User=grafana\nGroup=grafana\n",
                ),
            },
            (BASE, "python3-yaml", "adduser"),
            scripts={"postinst": f"#!/bin/sh\nset -e\n{user}\n"},
        )
    ]


def gcsfuse(version: str) -> Package:
    """Cloud Storage FUSE. bindfs makes a real mount of a folder that plays the bucket."""
    files = {**programs("usr/bin/gcsfuse"), **says("gcsfuse", version)}
    return Package("gcsfuse", version, "Cloud Storage FUSE", files, (BASE, "fuse3", "bindfs"))


def lustre(version: str) -> list[Package]:
    """The client's tools, and its modules as a source that DKMS builds."""
    full, title = f"{version}-1", "Lustre client's kernel modules"
    tools = {**programs("usr/sbin/mount.lustre", "usr/sbin/lctl", "usr/bin/lfs"), **says("lustre-client", version)}
    return [
        base(),
        Package("lustre-client-utils", full, "Lustre client", tools, (BASE,)),
        Package(
            "lustre-client-modules-dkms", full, title,
            modules.source("lustre-client-modules", version, ("lnet", "lustre"), title), (BASE, "dkms"),
            scripts=modules.scripts("lustre-client-modules", version),
        ),
    ]  # fmt: skip


def make(root: Path, versions: Mapping[str, tuple[str, ...]], signer: repository.Key) -> None:
    """Lay them down as their owners do, signed."""
    at = root / "grafana"
    for package in (base(), *grafana()):
        build(package, at / "pool/main")
    repository.index(at, "stable", "grafana", signer)
    # Google has one repository for each of its suites below one folder; what they hold here is the same.
    at = root / "google-apt"
    for version in versions["gcsfuse"]:
        build(gcsfuse(version), at / "pool/main")
    for suite in ("gcsfuse-bookworm", "gcsfuse-jammy", "gcsfuse-noble"):
        repository.index(at, suite, "gcsfuse", signer)
    for version in versions["lustre-client"]:
        at = root / "lustre" / LUSTRE.format(version=version)
        for package in lustre(version):
            build(package, at)
        repository.index(at, "/", "lustre", signer)
    for version in versions["mountpoint-s3"]:
        at = root / "s3/mountpoint-s3-release" / version / "x86_64"
        archives.mountpoint(version, at / f"mount-s3-{version}-x86_64.tar.gz")
