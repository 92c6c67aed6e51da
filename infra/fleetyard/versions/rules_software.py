"""Rules about containers, the scheduler, Neuron, TPU software, file systems, and about the set itself."""

from __future__ import annotations

from collections.abc import Iterator

from fleetyard.findings import Level
from fleetyard.spec.problems import nearest
from fleetyard.versions.compare import Version
from fleetyard.versions.lock import manifest
from fleetyard.versions.registry import Clash, Node, rule

NEURON_SDKS = {
    "2.25": ("2.23", "2.27", "2.25"),
    "2.26": ("2.24", "2.28", "2.26"),
    "2.27": ("2.25", "2.29", "2.27"),
    "2.28": ("2.26", "2.30", "2.28"),
    "2.29": ("2.27", "2.31", "2.29"),
    "2.30": ("2.28", "2.32", "2.30"),
    "2.31": ("2.29", "2.33", "2.31"),
    "2.32": ("2.30", "2.34", "2.32"),
    "2.33": ("2.31", "2.35", "2.33"),
}
"""Neuron SDK: releases of its driver, runtime and tools. Source: release content pages of each SDK."""
JAX_LIBTPU = {"0.10.2": "0.0.42", "0.9.2": "0.0.37", "0.8.2": "0.0.32", "0.7.2": "0.0.23", "0.6.2": "0.0.17"}
"""JAX and the libtpu series that `jax[tpu]` asks for. Source: PyPI, 2026-11-22."""


@rule("FY2075", Level.ERROR, "GoogleCloudPlatform/cluster-toolkit blueprints, which forbid it")
def toolkit_1177_is_broken(node: Node) -> Iterator[Clash]:
    """NVIDIA Container Toolkit 1.17.7 is not used: it is marked broken."""
    toolkit = node.get("container-toolkit")
    if toolkit and toolkit.numbers[:3] == (1, 17, 7):
        message = f"{node.say('container-toolkit')} with {node.say('docker')} is marked broken"
        yield Clash("container-toolkit", message, "container-toolkit: 1.17.8-1 or newer")


@rule("FY2076", Level.ERROR, "CVE-2025-23266: every version up to 1.17.7")
def toolkit_is_not_vulnerable(node: Node) -> Iterator[Clash]:
    """NVIDIA Container Toolkit before 1.17.8 lets a container take over its host."""
    toolkit = node.get("container-toolkit")
    if toolkit and toolkit.below("1.17.8"):
        message = f"{node.say('container-toolkit')} with {node.say('docker')} has CVE-2025-23266"
        yield Clash("container-toolkit", message, "container-toolkit: 1.17.8-1 or newer")


@rule("FY2077", Level.ERROR, "NVIDIA Container Toolkit documentation, CDI support: from 1.12.0")
def toolkit_makes_cdi(node: Node) -> Iterator[Clash]:
    """Containers get their GPUs by CDI, which the toolkit generates from 1.12.0 on."""
    toolkit = node.get("container-toolkit")
    if toolkit and toolkit.below("1.12.0"):
        message = f"{node.say('container-toolkit')} makes no CDI specification for {node.say('containerd')}"
        yield Clash("container-toolkit", message, "container-toolkit: 1.18.2-1")


@rule("FY2078", Level.WARNING, "NVIDIA Container Toolkit documentation, CDI support: nvidia-cdi-refresh from 1.18.0")
def toolkit_refreshes_cdi(node: Node) -> Iterator[Clash]:
    """From 1.18.0 on the toolkit renews its CDI specification after a change of the driver."""
    toolkit = node.get("container-toolkit")
    if toolkit and toolkit.at_least("1.12.0") and toolkit.below("1.18.0"):
        message = (
            f"{node.say('container-toolkit')} keeps an old CDI specification when {node.say('nvidia-driver')} changes"
        )
        yield Clash("container-toolkit", message, "container-toolkit: 1.18.2-1")


@rule("FY2079", Level.ERROR, "moby/moby 25.0.0 release notes; NVIDIA/gpu-operator pull request 1285 (containerd 1.7)")
def engines_know_cdi(node: Node) -> Iterator[Clash]:
    """Docker from 25.0 and containerd from 1.7 on know CDI."""
    for name, floor in (("docker", "25.0"), ("containerd", "1.7")):
        engine = node.get(name)
        if engine and engine.below(floor) and "container-toolkit" in node.installed:
            message = f"{node.say(name)} does not know the CDI devices of {node.say('container-toolkit')}"
            yield Clash(name, message, f"{name}: {floor} or newer")


@rule(
    "FY2080",
    Level.ERROR,
    "AWS PCS User Guide, SPANK plug-ins; Slurm's spank manual: plug-ins are compiled again for each release",
)
def pyxis_is_built_for_the_slurm(node: Node) -> Iterator[Clash]:
    """Pyxis was built for the Slurm release that is installed: the plug-in interface changes with each."""
    pyxis, slurm = node.get("pyxis"), node.get("slurm")
    built = pyxis.built_for("slurm") if pyxis else None
    if pyxis and slurm and built and _slurm(built) != _slurm(slurm):
        fix = f"pyxis: {pyxis.plain}+slurm{_slurm(slurm)}, built again"
        yield Clash("pyxis", f"{node.say('pyxis')} was built for another Slurm than {node.say('slurm')}", fix)


def _slurm(version: Version) -> str:
    year, month = (*version.numbers, 0)[:2]
    return f"{year}.{month:02d}"


@rule("FY2081", Level.ERROR, "NVIDIA/pyxis wiki, Installation: it runs containers with Enroot 3.1 or newer")
def pyxis_needs_enroot(node: Node) -> Iterator[Clash]:
    """Pyxis runs its containers with Enroot, 3.1 or newer."""
    enroot = node.get("enroot")
    if "pyxis" in node.installed and (enroot is None or enroot.below("3.1")):
        yield Clash("enroot", f"{node.say('pyxis', 'enroot')} cannot start a container", "enroot: 3.5.0-1")


@rule("FY2082", Level.ERROR, "NVIDIA/pyxis release notes of 0.8.0: Slurm 20.02")
def pyxis_slurm_floor(node: Node) -> Iterator[Clash]:
    """Pyxis 0.8 and newer need Slurm 20.02."""
    pyxis, slurm = node.get("pyxis"), node.get("slurm")
    if pyxis and slurm and pyxis.at_least("0.8") and slurm.below("20.02"):
        yield Clash("slurm", f"{node.say('slurm')} is too old for {node.say('pyxis')}", "slurm: 20.02 or newer")


@rule("FY2083", Level.ERROR, "AWS Neuron documentation, release content of each SDK")
def neuron_is_of_one_sdk(node: Node) -> Iterator[Clash]:
    """Neuron's driver, runtime and tools are of one SDK release."""
    names = ("neuron-driver", "neuron-runtime", "neuron-tools")
    found = {name: version for name in names if (version := node.get(name))}
    sdks = {name: _sdk(index, found[name]) for index, name in enumerate(names) if name in found}
    known = {name: sdk for name, sdk in sdks.items() if sdk}
    if len(set(known.values())) > 1:
        newest = max(known.values(), key=Version)
        odd = next(name for name, sdk in known.items() if sdk != newest)
        series = NEURON_SDKS[newest][names.index(odd)]
        message = f"{node.say(*found)} are of several SDKs ({', '.join(sorted(set(known.values()), key=Version))})"
        yield Clash(odd, message, f"{odd}: {series}, of SDK {newest}")


def _sdk(index: int, version: Version) -> str | None:
    return next((sdk for sdk, releases in NEURON_SDKS.items() if releases[index] == version.release), None)


@rule("FY2084", Level.ERROR, "AWS Neuron SDK 2.21: Trainium2; a driver has the number of its SDK, less two (derived)")
def trainium2_sdk_floor(node: Node) -> Iterator[Clash]:
    """Trainium2 needs Neuron SDK 2.21 or newer, whose driver is 2.19."""
    driver = node.get("neuron-driver")
    if driver and node.target.generation == "trainium2" and driver.below("2.19"):
        message = f"{node.say('neuron-driver')} with {node.say('neuron-runtime')} does not know {node.target.machine}"
        yield Clash("neuron-driver", message, "neuron-driver: 2.19 or newer")


@rule("FY2085", Level.ERROR, "nothing else has these chips")
def neuron_needs_neuron(node: Node) -> Iterator[Clash]:
    """Neuron's software is installed only on machines with Trainium or Inferentia."""
    for name in ("neuron-driver", "neuron-runtime"):
        if name in node.installed and node.target.kind != "neuron":
            message = f"{node.say(name)} has no Neuron device on {node.target.machine}"
            yield Clash(name, message, f"remove {name}")


@rule("FY2086", Level.ERROR, "PyPI: what `jax[tpu]` of each version requires")
def libtpu_is_jaxs(node: Node) -> Iterator[Clash]:
    """libtpu is of the series that the installed JAX asks for."""
    jax, libtpu = node.get("jax"), node.get("libtpu")
    series = JAX_LIBTPU.get(jax.text) if jax else None
    if jax and libtpu and series and not libtpu.starts(series):
        yield Clash("libtpu", f"{node.say('libtpu')} is not the one of {node.say('jax')}", f"libtpu: {series}")


@rule("FY2087", Level.ERROR, "nothing else has these chips")
def libtpu_needs_a_tpu(node: Node) -> Iterator[Clash]:
    """libtpu is installed only on TPU hosts."""
    if "libtpu" in node.installed and node.target.kind != "tpu":
        yield Clash("libtpu", f"{node.say('libtpu', 'jax')} find no TPU on {node.target.machine}", "remove libtpu")


@rule("FY2088", Level.ERROR, "microsoft/amlFilesystem-lustre release notes of 2.17.0: kernels up to 6.17")
def lustre_builds_on_the_kernel(node: Node) -> Iterator[Clash]:
    """The Lustre 2.17 client builds on kernels up to 6.17."""
    lustre, kernel = node.get("lustre-client"), node.get("kernel")
    if lustre and kernel and lustre.starts("2.17") and kernel.at_least("6.18"):
        message = f"{node.say('lustre-client')} does not build on {node.say('kernel')}"
        yield Clash("lustre-client", message, "a kernel up to 6.17, held")


@rule("FY2089", Level.WARNING, "microsoft/amlFilesystem-lustre release notes of 2.17.0: 2.16 is at its end")
def lustre_is_maintained(node: Node) -> Iterator[Clash]:
    """Lustre 2.16 is at its end and gets no support for newer kernels."""
    lustre = node.get("lustre-client")
    if lustre and lustre.starts("2.16"):
        yield Clash(
            "lustre-client",
            f"{node.say('lustre-client')} ({node.say('kernel')}) is at its end",
            "lustre-client: 2.17.0",
        )


@rule("FY2090", Level.WARNING, "the set's own floor: what the operating system's release shipped with")
def floors_hold(node: Node) -> Iterator[Clash]:
    """The kernel and DKMS are no older than the operating system's release shipped with."""
    book = manifest()
    for name in ("kernel", "dkms"):
        own = node.get(name)
        pin = book.pin(book.default, name, node.target) if own else None
        if own and pin and pin.floor and own.below(".".join(str(number) for number in Version(pin.version).numbers)):
            message = f"{node.say(name)} is older than {node.target.os} shipped with ({pin.version})"
            yield Clash(name, message, f"{name}: {pin.version} or newer")


@rule("FY2091", Level.ERROR, "the manifest")
def component_is_known(node: Node) -> Iterator[Clash]:
    """Every component that is named is one of the manifest's."""
    known = manifest().components
    for name, version in node.installed.items():
        if name not in known:
            close = nearest(name, known)
            fix = f"`{close}`" if close else "`fleetyard versions list` shows the components"
            yield Clash(name, f"there is no component {name[:60]} (of version {version[:40]})", fix)


@rule("FY2092", Level.ERROR, "the manifest")
def versions_are_exact(node: Node) -> Iterator[Clash]:
    """A version is exact and starts with a number: `latest` locks nothing."""
    for name, text in node.installed.items():
        if name in manifest().components and node.get(name) is None:
            yield Clash(
                name, f"`{text[:60]}` is no exact version of {name}", f"a version such as {_example(name, node)}"
            )


def _example(name: str, node: Node) -> str:
    book = manifest()
    pin = book.pin(book.default, name, node.target)
    return pin.version if pin else "1.2.3"
