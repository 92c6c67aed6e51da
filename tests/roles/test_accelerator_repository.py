"""The repositories of stand-ins: true names and versions, signed; apt refuses what is wrong with them."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from stand_ins import fill, packages, repository  # noqa: E402
from stand_ins.fill import FLAT  # noqa: E402
from stand_ins.variables import node  # noqa: E402

pytestmark = pytest.mark.skipif(
    not all(shutil.which(program) for program in ("dpkg-deb", "gpg", "gpgv", "apt-get")),
    reason="repositories are made with dpkg-deb and gpg, and read by apt",
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All repositories, made once."""
    at = tmp_path_factory.mktemp("stand-ins")
    return fill(at / "kept", at / "mirror")


class Apt:
    """apt with folders of its own."""

    def __init__(self, home: Path, uri: str, key: Path, suite: str = "/", components: str = "") -> None:
        for name in ("lists/partial", "cache/archives/partial"):
            (home / name).mkdir(parents=True)
        (home / "status").touch()
        rows = {"Types": "deb", "URIs": uri, "Suites": suite, "Components": components, "Signed-By": str(key)}
        (home / "one.sources").write_text("".join(f"{name}: {value}\n" for name, value in rows.items() if value))
        self._options = [
            *("Dir::Etc::sourceparts=-", "Dir::Etc::preferences=/dev/null", "Dir::Etc::preferencesparts=-"),
            *("Debug::NoLocking=1", "APT::Sandbox::User="),
            f"Dir::Etc::sourcelist={home / 'one.sources'}",
            f"Dir::State::lists={home / 'lists'}",
            f"Dir::State::status={home / 'status'}",
            f"Dir::Cache={home / 'cache'}",
        ]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        options = [word for option in self._options for word in ("-o", option)]
        command = ["apt-get", *options, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def update(self) -> subprocess.CompletedProcess[str]:
        return self.run("update", "--error-on=any")


def fields(deb: Path) -> dict[str, str]:
    text = subprocess.run(["dpkg-deb", "--field", str(deb)], capture_output=True, text=True, check=True).stdout
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def tops(tree: Path) -> Iterator[Path]:
    for path in sorted(tree.rglob("Release")):
        yield path.parent


# Signatures


def test_every_repository_is_signed_with_the_one_key(tree: Path) -> None:
    found = list(tops(tree))
    assert len(found) == 9
    for top in found:
        for words in ([top / "InRelease"], [top / "Release.gpg", top / "Release"]):
            command = ["gpgv", "--keyring", str(tree / "key.gpg"), *map(str, words)]
            assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_another_key_does_not_verify(tree: Path, tmp_path: Path) -> None:
    other = repository.key(tmp_path / "other")
    assert other.fingerprint != (tree / "fingerprint").read_text().strip()
    (tmp_path / "other.gpg").write_bytes(other.binary())
    command = ["gpgv", "--keyring", str(tmp_path / "other.gpg"), str(tree / "nvidia" / FLAT / "InRelease")]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_the_private_key_lies_in_no_folder_that_is_served(tree: Path) -> None:
    served = [path for path in tree.rglob("*") if path.is_file()]
    assert not any(b"PRIVATE KEY" in path.read_bytes() for path in served)
    assert tree.parent.joinpath("gnupg").stat().st_mode & 0o077 == 0
    assert not tree.is_relative_to(ROOT)


# apt


def test_apt_reads_flat_and_other_repositories(tree: Path, tmp_path: Path) -> None:
    for place, (folder, suite, components) in enumerate(
        [
            (tree / "nvidia" / FLAT, "/", ""),
            (tree / "nvidia-container/stable/deb/amd64", "/", ""),
            (tree / "neuron-apt", "jammy", "main"),
            (tree / "google-apt", "gpudirect-gib-apt", "main"),
        ]
    ):
        apt = Apt(tmp_path / str(place), f"file:{folder}", tree / "key.asc", suite, components)
        done = apt.update()
        assert done.returncode == 0, done.stderr


def test_apt_refuses_a_wrong_key_and_a_file_that_was_changed(tree: Path, tmp_path: Path) -> None:
    other = repository.key(tmp_path / "gnupg")
    (tmp_path / "other.asc").write_bytes(other.public())
    done = Apt(tmp_path / "wrong", f"file:{tree / 'nvidia' / FLAT}", tmp_path / "other.asc").update()
    assert done.returncode != 0
    assert "NO_PUBKEY" in done.stderr
    copy = tmp_path / "copy"
    shutil.copytree(tree / "nvidia" / FLAT, copy)
    (copy / "Packages").write_bytes((copy / "Packages").read_bytes().replace(b"580.159.04", b"580.159.05"))
    (copy / "Packages.gz").unlink()
    assert Apt(tmp_path / "changed", f"file:{copy}", tree / "key.asc").update().returncode != 0


DRIVER = ("nvidia-driver-cuda", "libcuda1", "libnvidia-ml1", "nvidia-persistenced", "nvidia-modprobe")


def planned(text: str) -> set[tuple[str, str]]:
    """What a simulated installation would install."""
    return set(re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", text, re.MULTILINE))


def test_one_transaction_installs_the_driver_of_one_version_and_no_newer_one(tree: Path, tmp_path: Path) -> None:
    apt = Apt(tmp_path / "apt", f"file:{tree / 'nvidia' / FLAT}", tree / "key.asc")
    # Debian's own packages are in no list here.
    about = (
        "Status: install ok installed\nVersion: 3.11\nArchitecture: all\nMaintainer: x <x@invalid>\nDescription: x\n\n"
    )
    (tmp_path / "apt/status").write_text("".join(f"Package: {name}\n{about}" for name in ("python3", "dkms")))
    assert apt.update().returncode == 0
    newest = planned(apt.run("install", "--simulate", *DRIVER).stdout)
    assert {(name, "580.173.02-1") for name in DRIVER} <= newest
    exact = planned(apt.run("install", "--simulate", *(f"{name}=580.159.04-1" for name in DRIVER)).stdout)
    assert {(name, "580.159.04-1") for name in DRIVER} <= exact
    assert {version for name, version in exact if name != packages.BASE} == {"580.159.04-1"}
    # One of them alone would leave the others behind: refused.
    assert apt.run("install", "--simulate", "nvidia-driver-cuda=580.159.04-1").returncode == 100


@pytest.mark.parametrize("package", ["nvidia-driver-cuda=1.2.3-1", "nvidia-nothing"])
def test_a_package_that_is_not_there_is_refused(tree: Path, tmp_path: Path, package: str) -> None:
    apt = Apt(tmp_path / "apt", f"file:{tree / 'nvidia' / FLAT}", tree / "key.asc")
    assert apt.update().returncode == 0
    refused = apt.run("install", "--simulate", package)
    assert refused.returncode == 100
    assert "was not found" in refused.stderr or "Unable to locate" in refused.stderr


# Packages


def test_names_and_versions_are_those_of_the_manifest(tree: Path) -> None:
    found = {(row["Package"], row["Version"]) for row in map(fields, tree.rglob("*.deb"))}
    pins = tomllib.loads(packages.MANIFEST.read_text())["pin"]
    versions = {
        name: {row["version"] for row in pins if row["component"] == name}
        for name in ("nccl", "container-toolkit", "dcgm")
    }
    for name in ("libnccl2", "libnccl-dev"):
        assert versions["nccl"] <= {version for package, version in found if package == name}
    assert versions["container-toolkit"] <= {
        version for package, version in found if package == "nvidia-container-toolkit"
    }
    for version in versions["dcgm"]:
        plain, _, major = version.partition("-cuda")
        assert (f"datacenter-gpu-manager-4-cuda{major}", f"1:{plain}") in found
    for driver in ("580.159.04", "570.172.08"):
        for name in ("nvidia-kernel-open-dkms", "nvidia-kernel-dkms", "nvidia-driver-cuda", "libnvidia-ml1"):
            assert (name, f"{driver}-1") in found
    # Below branch 580 the names carry the branch.
    assert ("nvidia-fabricmanager", "580.159.04-1") in found
    assert ("nvidia-fabricmanager-570", "570.172.08-1") in found
    assert ("cuda-toolkit-13-0", "13.0.2-1") in found


def test_every_package_says_that_it_is_a_stand_in_and_holds_nothing_of_a_vendor(tree: Path) -> None:
    debs = list(tree.rglob("*.deb"))
    assert len(debs) > 80
    for deb in debs:
        row = fields(deb)
        assert "stand-in" in row["Description"], deb.name
        assert row["Architecture"] == "all"
        assert deb.stat().st_size < 40_000


def test_modules_are_sources_of_our_own_with_one_version(tree: Path, tmp_path: Path) -> None:
    deb = tree / "nvidia" / FLAT / "nvidia-kernel-open-dkms_580.159.04-1_all.deb"
    subprocess.run(["dpkg-deb", "--extract", str(deb), str(tmp_path)], check=True)
    at = tmp_path / "usr/src/nvidia-580.159.04"
    conf = (at / "dkms.conf").read_text()
    for name in ("nvidia", "nvidia-uvm", "nvidia-modeset", "nvidia-drm", "nvidia-peermem"):
        assert f'="{name}"' in conf
        assert 'MODULE_VERSION("580.159.04")' in (at / f"{name}.c").read_text()
        assert 'MODULE_LICENSE("GPL")' in (at / f"{name}.c").read_text()
    assert "stand-in" in (at / "nvidia.c").read_text()


def test_libraries_are_found_by_the_loader(tree: Path, tmp_path: Path) -> None:
    import ctypes

    deb = tree / "nvidia" / FLAT / "libnccl2_2.28.9-1+cuda13.0_all.deb"
    subprocess.run(["dpkg-deb", "--extract", str(deb), str(tmp_path)], check=True)
    library = tmp_path / packages.LIB / "libnccl.so.2"
    assert library.resolve().name == "libnccl.so.2.28.9"
    assert ctypes.CDLL(str(library))


def test_the_installer_of_efa_takes_its_flags_and_no_others(tree: Path, tmp_path: Path) -> None:
    with tarfile.open(tree / "efa/aws-efa-installer-1.50.0.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    script = tmp_path / "aws-efa-installer/efa_installer.sh"
    assert "stand-in" in subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    done = subprocess.run([script, "-y", "--faster"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--faster" in done.stderr
    assert {deb.name.split("_")[0] for deb in (tmp_path / "aws-efa-installer/DEBS").iterdir()} == {
        "efa-config", "efa-profile", "fleetyard-stand-in", "libfabric-aws", "libnccl-ofi",
    }  # fmt: skip


# The whole


def test_a_second_call_makes_nothing_anew(tree: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    assert fill(tree.parent, tree.parents[1] / "mirror") == tree
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before
    assert (tree.parents[1] / "mirror/stand-ins").resolve() == tree


def test_checksums_are_those_of_the_files(tree: Path) -> None:
    said = json.loads((tree / "checksums.json").read_text())
    assert said
    for path, digest in said.items():
        assert hashlib.sha256((tree / path).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    ("cloud", "machine", "wanted"),
    [
        ("aws", "p5.48xlarge", {"nvidia-driver", "fabric-manager", "efa", "enroot", "pyxis", "nccl"}),
        ("gcp", "a3-ultragpu-8g", {"nvidia-driver", "fabric-manager", "gib"}),
        ("aws", "trn1.32xlarge", {"neuron-driver", "efa"}),
        ("gcp", "ct5lp-hightpu-4t", {"libtpu"}),
    ],
)
def test_variables_of_a_node_name_files_that_are_there(tree: Path, cloud: str, machine: str, wanted: set[str]) -> None:
    said = node(cloud, machine, tree)
    assert wanted <= set(said["fleetyard_versions"])
    assert said["fleetyard_hardware"]["machine"] == machine
    for name in {"efa", "enroot", "pyxis"} & wanted:
        row = said["fleetyard_versions"][name]
        path = tree / row["url"].removeprefix(said["fleetyard_package_base"] + "/")
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
