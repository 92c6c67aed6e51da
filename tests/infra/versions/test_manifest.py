"""The data file is sound: sources, checksums, one pin for each target; and a broken one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetyard.catalog import Unknown, catalog
from fleetyard.findings import FleetyardError
from fleetyard.versions import ManifestError, Target, choose, lock, manifest, read_manifest

TEXT = Path(lock.__file__).with_name("manifest.toml").read_text(encoding="utf-8")
WANTED = {
    "nvidia-driver", "nvidia-module-open", "nvidia-module-proprietary", "cuda", "nccl", "cudnn", "fabric-manager",
    "nvlsm", "imex", "dcgm", "gdrcopy", "container-toolkit", "docker", "containerd", "enroot", "pyxis", "slurm", "efa",
    "ofi-nccl", "libfabric", "rdma-core", "gvnic", "tcpx", "tcpxo", "gib", "neuron-driver", "neuron-runtime",
    "neuron-tools", "libtpu", "jax", "lustre-client", "gcsfuse", "mountpoint-s3", "kernel", "dkms",
}  # fmt: skip


def target(machine: str, os: str = "ubuntu-24.04", scheduler: str = "slurm") -> Target:
    return Target.of(next(m for m in catalog().machines() if m.name == machine), os, scheduler)


def test_everything_that_a_node_needs_is_there() -> None:
    assert set(manifest().components) >= WANTED
    assert 2 <= len(manifest().sets) <= 5


def test_an_unknown_checksum_says_who_was_asked() -> None:
    for pin in manifest().pins:
        if isinstance(pin.sha256, Unknown):
            assert len(pin.sha256.reason) > 10, pin
        assert len(manifest().sources[pin.source]) > 10


def test_a_checksum_belongs_to_one_file() -> None:
    """Two files of one checksum would mean that one of them was copied by mistake."""
    files: dict[str, set[tuple[str, str | None]]] = {}
    for pin in manifest().pins:
        if isinstance(pin.sha256, str):
            assert pin.path, pin
            files.setdefault(pin.sha256, set()).add((pin.version, pin.path))
    assert all(len(each) == 1 for each in files.values())


def test_every_path_is_filled_in_and_stays_under_its_origin() -> None:
    for machine in catalog().machines():
        for name, version_set in manifest().sets.items():
            for os in version_set.os:
                for chosen in choose(name, Target.of(machine, os, "slurm")):
                    if chosen.path is not None:
                        assert not any(part in chosen.path for part in ("{", "}", "//", "..", " ")), chosen
                        assert not chosen.path.startswith("/")


def test_the_most_specific_pin_wins() -> None:
    versions = {of: {c.component: c.version for c in choose("2026-10", target(of))} for of in
                ("p5.48xlarge", "a3-highgpu-8g", "a4x-highgpu-4g", "p3.16xlarge")}  # fmt: skip
    assert versions["p5.48xlarge"]["nvidia-driver"] == "580.159.04"
    assert versions["a3-highgpu-8g"]["nvidia-driver"] == "570.172.08", "TCPX needs its branch"
    assert versions["a4x-highgpu-4g"]["nvidia-driver"] == versions["a4x-highgpu-4g"]["imex"]
    assert "nvidia-module-open" not in versions["p3.16xlarge"]


def test_rpm_systems_get_rpms() -> None:
    paths = {os: {c.component: c.path for c in choose("2026-10", target("p4d.24xlarge", os))} for os in
             ("rocky-9", "debian-12", "amazon-2023")}  # fmt: skip
    assert str(paths["rocky-9"]["nccl"]).endswith("repos/rhel9/x86_64/libnccl-2.28.9-1+cuda13.0.x86_64.rpm")
    assert str(paths["amazon-2023"]["dcgm"]).endswith("-4-cuda13-4.5.2-1.x86_64.rpm")
    assert str(paths["debian-12"]["nccl"]).endswith("repos/debian12/x86_64/libnccl2_2.28.9-1+cuda13.0_amd64.deb")
    neuron = {c.component: c.origin for c in choose("2026-10", target("trn1.32xlarge", "amazon-2023"))}
    assert neuron["neuron-driver"] == "neuron-yum"


def test_a_persons_version_has_no_checksum_of_ours() -> None:
    (chosen,) = [c for c in choose("2026-10", target("p5.48xlarge"), (("efa", "1.51.0"),)) if c.component == "efa"]
    assert chosen.overridden
    assert isinstance(chosen.sha256, Unknown)
    assert chosen.path == "aws-efa-installer-1.51.0.tar.gz"
    (same,) = [c for c in choose("2026-10", target("p5.48xlarge"), (("efa", "1.50.0"),)) if c.component == "efa"]
    assert isinstance(same.sha256, str), "saying what the set says changes nothing"


def test_an_unknown_set_is_refused_with_the_nearest() -> None:
    with pytest.raises(FleetyardError) as refused:
        manifest().version_set("2026-11")
    (finding,) = refused.value.findings
    assert (finding.code, finding.fix) == ("FY1811", "`2026-10`")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('default = "2026-10"', 'default = "2027-01"', "no set 2027-01"),
        ('component = "gdrcopy"', 'component = "gdrcpy"', "no component gdrcpy"),
        ('source = "nixpkgs-x11"', 'source = "somebody"', "no source somebody"),
        ('origin = "nvidia-driver"', 'origin = "elsewhere"', "no origin elsewhere"),
        ('version = "580.159.04"', 'version = "latest"', "is no version"),
        ('sha256 = "c1e667', 'sha256 = "zzz', "is no SHA-256"),
        ('sha256 = "c1e66761b088d17b3adf6cb6979de9af38be2684d102b001a176dcfafabdca1e"\n', "", "sha256"),
        ('when = { arch = ["x86_64"] }', 'when = { colour = ["x86_64"] }', "no condition colour"),
        ('licence = "vendor terms"', 'licence = "whatever"', "whatever"),
        ("[[pin]]", "[[pin", "TOML"),
        ("[sets.", "[lots.", "no set 2026-10"),
    ],
)
def test_a_wrong_data_file_is_told(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(ManifestError, match=told):
        read_manifest(TEXT.replace(old, new, 1))


def test_two_pins_that_fit_equally_are_a_mistake() -> None:
    twice = TEXT + '\n[[pin]]\ncomponent = "efa"\nsets = ["2026-10"]\nversion = "1.51.0"\norigin = "efa"\n'
    made = read_manifest(twice + 'path = "x"\nsource = "efa-changelog"\nsha256 = { unknown = "nobody said" }\n')
    with pytest.raises(ManifestError, match="equally well"):
        made.pin("2026-10", "efa", target("p5.48xlarge"))
