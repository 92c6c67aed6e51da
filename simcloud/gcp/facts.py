"""The simulated Google Cloud's own facts: places, machine types, TPU slices, images, quotas.

They come from Google's public pages (each data file names them) and are kept apart from fleetyard's catalogue on
purpose, so that one wrong fact cannot pass on both sides.
"""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def data(name: str) -> dict[str, Any]:
    """One data file, parsed."""
    return tomllib.loads(files("simcloud.gcp").joinpath("data", f"{name}.toml").read_text(encoding="utf-8"))


def regions() -> dict[str, list[str]]:
    """Zone names by region."""
    return {r: [f"{r}-{z}" for z in zones] for r, zones in data("places")["regions"].items()}


def region_of(zone: str) -> str:
    """The region of a zone's name."""
    return zone.rpartition("-")[0]


def zone_exists(zone: str) -> bool:
    """Whether the zone is one of the simulated ones."""
    return zone in regions().get(region_of(zone), [])


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine type. `gpu` and `tpu` are a name and a count; `local_ssds` the counts that may be attached."""

    name: str
    vcpus: int
    memory_mib: int
    cpu: str
    gpu: tuple[str, int] | None
    tpu: tuple[str, int] | None
    local_ssds: tuple[int, ...]
    bundled_ssds: int
    attachable: tuple[str, ...]
    models: tuple[str, ...]
    nics: int
    persistent_disk: bool
    zones: tuple[str, ...] | None
    """None: everywhere."""

    @property
    def family(self) -> str:
        """The series: the name's first part."""
        return self.name.split("-")[0]


TPU_GENERATION = {"v5e": "V5LITE_POD", "v5p": "V5P", "v6e": "V6E", "v4": "V4"}


def _machine(name: str, spec: dict[str, Any]) -> Machine:
    gpu, tpu = spec.get("gpu"), spec.get("tpu")
    zones: tuple[str, ...] | None = None
    if gpu:
        zones = tuple(data("machines")["accelerators"][gpu[0]]["zones"])
    if tpu:
        zones = tuple(data("tpu")["generations"][TPU_GENERATION[tpu[0]]]["zones"])
    vcpus = spec["vcpus"]
    return Machine(
        name=name,
        vcpus=vcpus,
        memory_mib=int(spec["gib"] * 1024),
        cpu=spec["cpu"],
        gpu=(gpu[0], gpu[1]) if gpu else None,
        tpu=(tpu[0], tpu[1]) if tpu else None,
        local_ssds=tuple(spec.get("local_ssds", ())),
        bundled_ssds=spec.get("bundled_ssds", 0),
        attachable=tuple(spec.get("attachable", ())),
        models=tuple(spec.get("models", ())),
        nics=spec.get("nics", min(8, max(2, vcpus))),
        persistent_disk=spec.get("persistent_disk", True),
        zones=zones,
    )


@cache
def machines() -> dict[str, Machine]:
    """All machine types by name."""
    facts = data("machines")
    found = {name: _machine(name, spec) for name, spec in facts["machines"].items()}
    for family, spec in facts["families"].items():
        for size in spec["sizes"]:
            one = {**spec, "vcpus": size, "gib": size * spec["gib_per_vcpu"]}
            found[f"{family}-{size}"] = _machine(f"{family}-{size}", one)
    return found


def machine(name: str, zone: str) -> Machine | None:
    """The machine type in a zone; None when the zone does not have it. Custom types (`n2-custom-8-16384`) count."""
    found = machines().get(name)
    if found is None:
        custom = re.fullmatch(r"(?:(e2|n1|n2|n2d|n4)-)?custom-(\d+)-(\d+)(-ext)?", name)
        if custom is None:
            return None
        spec = dict(data("machines")["families"][f"{custom.group(1) or 'n1'}-standard"])
        found = _machine(name, {**spec, "vcpus": int(custom.group(2)), "gib": int(custom.group(3)) / 1024})
    if found.zones is not None and zone not in found.zones:
        return None
    return found


def accelerators(zone: str) -> dict[str, dict[str, Any]]:
    """GPU types that the zone offers, by name."""
    return {n: a for n, a in data("machines")["accelerators"].items() if zone in a["zones"]}


@dataclass(frozen=True, slots=True)
class Slice:
    """One TPU slice: the generation, its topology, chips and hosts. `units` is what its quota counts."""

    generation: str
    topology: str
    chips: int
    hosts: int
    name: str
    units: int


def tpu_slice(generation: str, topology: str) -> Slice | None:
    """The slice of a generation with a topology; None when there is none."""
    spec = data("tpu")["generations"].get(generation)
    if spec is None or not re.fullmatch(r"\d+(x\d+){1,2}", topology):
        return None
    axes = [int(a) for a in topology.split("x")]
    chips = math.prod(axes)
    known = spec.get("topologies")
    if known is not None:
        if topology not in known:
            return None
        hosts = 1 if chips <= 8 else chips // int(spec["host_chips"])
    else:
        # Three axes, in rising order; up to 2x4x4 the listed ones, above that every axis is a multiple of four.
        small = ("2x2x1", "2x2x2", "2x2x4", "2x4x4")
        cube = len(axes) == 3 and all(a % 4 == 0 for a in axes) and axes == sorted(axes)
        if (topology not in small and not cube) or chips > spec["max_chips"]:
            return None
        hosts = chips // int(spec["host_chips"])
    units = chips * int(spec["cores_per_chip"]) if spec["unit"] == "core" else chips
    return Slice(generation, topology, chips, hosts, f"{spec['prefix']}-{units}", units)


def tpu_slice_by_name(name: str) -> Slice | None:
    """The slice that an accelerator type such as `v5litepod-16` names, with its default topology."""
    prefix, _, number = name.rpartition("-")
    if not number.isdigit():
        return None
    for generation, spec in data("tpu")["generations"].items():
        if spec["prefix"] != prefix:
            continue
        for topology in _topologies(spec):
            found = tpu_slice(generation, topology)
            if found is not None and found.name == name:
                return found
    return None


def _topologies(spec: dict[str, Any]) -> list[str]:
    if "topologies" in spec:
        return list(spec["topologies"])
    cubes = [(a, b, c) for a in range(4, 29, 4) for b in range(a, 29, 4) for c in range(b, 29, 4)]
    # The default topology of a size is the one nearest to a cube: the smallest sum of axes.
    cubes.sort(key=lambda t: (math.prod(t), sum(t)))
    return ["2x2x1", "2x2x2", "2x2x4", "2x4x4", *("x".join(map(str, t)) for t in cubes)]


def tpu_types(zone: str) -> list[Slice]:
    """Every slice that a zone offers."""
    found: dict[str, Slice] = {}
    for generation, spec in data("tpu")["generations"].items():
        if zone in spec["zones"]:
            for topology in _topologies(spec):
                one = tpu_slice(generation, topology)
                if one is not None:
                    found.setdefault(one.name, one)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Image:
    """A public image. `gb` is its disk's size, decimal as Google says it."""

    project: str
    name: str
    family: str
    gb: int
    arch: str
    date: str

    @property
    def key(self) -> str:
        """Its resource name."""
        return f"projects/{self.project}/global/images/{self.name}"


def image(project: str, name: str) -> Image | None:
    """A public image by its name; None when there is none."""
    for spec in data("images")["families"]:
        pattern = re.escape(spec["name"]).replace(re.escape("{date}"), r"(\d{8})")
        found = re.fullmatch(pattern, name)
        if spec["project"] == project and found and found.group(1) <= spec["newest"]:
            return Image(project, name, spec["family"], spec["gb"], spec["arch"], found.group(1))
        if spec["project"] == project and spec.get("also") and re.fullmatch(spec["also"], name):
            return Image(project, name, spec["family"], spec["gb"], spec["arch"], spec["newest"])
    return None


def image_families(project: str) -> list[Image]:
    """The newest image of each family of a public project."""
    return [
        Image(
            s["project"],
            s["name"].replace("{date}", s["newest"]),
            s["family"],
            s["gb"],
            s["arch"],
            s["newest"],
        )
        for s in data("images")["families"]
        if s["project"] == project
    ]
