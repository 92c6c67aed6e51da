"""Look-ups over the loaded facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from fleetyard.catalog.model import (
    Accelerator,
    Buy,
    Cloud,
    Image,
    Interface,
    Machine,
    Price,
    Region,
    Source,
    TpuShape,
    Unknown,
    Zone,
)

DOCUMENTED_LAYOUT = "aws-documentation"


class NotInCatalogError(KeyError):
    """A name that the catalogue does not hold, with the names that look like it."""

    def __init__(self, what: str, name: str, near: tuple[str, ...]) -> None:
        super().__init__(name)
        self.what = what
        self.name = name
        self.near = near

    def __str__(self) -> str:
        hint = f" Near: {', '.join(self.near)}." if self.near else ""
        return f"{self.name!r} is no {self.what} of the catalogue.{hint}"


class UnknownMachineError(NotInCatalogError):
    """A machine type that the catalogue does not hold."""


def _near(name: str, names: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(get_close_matches(name, names, n=4, cutoff=0.6))


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every fact, indexed. Made once by `fleetyard.catalog.catalog`; nothing in it changes."""

    _machines: Mapping[Cloud, Mapping[str, Machine]]
    _accelerators: Mapping[str, Accelerator]
    _prices: Mapping[tuple[str, str, Buy], Price]
    _layouts: Mapping[str, Mapping[str, tuple[Interface, ...]]]
    _shapes: Mapping[str, TpuShape]
    _regions: Mapping[Cloud, Mapping[str, Region]]
    _offered: Mapping[tuple[str, str], tuple[str, ...]]
    _listed: frozenset[str]
    _images: tuple[Image, ...]
    _runtimes: Mapping[str, str]
    _sources: Mapping[str, Source]

    def machine(self, cloud: Cloud | str, name: str) -> Machine:
        """One machine type. Raises UnknownMachineError with near names."""
        rows = self._machines[Cloud(cloud)]
        if name not in rows:
            raise UnknownMachineError(f"machine type ({Cloud(cloud).value})", name, _near(name, rows))
        return rows[name]

    def find(self, name: str, cloud: Cloud | str | None = None) -> tuple[Machine, TpuShape | None]:
        """A machine type of any cloud, or the machine of a TPU slice with the slice, by what a person typed.

        cloud: where two clouds have the name. Raises UnknownMachineError with the near names of all of them.
        """
        near: list[str] = []
        for each in Cloud if cloud is None else (Cloud(cloud),):
            try:
                return self.machine(each, name), None
            except UnknownMachineError as missing:
                near.extend(missing.near)
        try:
            shape = self.tpu_shape(name)
            return self.machine(Cloud.GCP, shape.machine), shape
        except NotInCatalogError as missing:
            near.extend(missing.near)
        raise UnknownMachineError("machine type", name, tuple(near))

    def machines(self, cloud: Cloud | str | None = None) -> tuple[Machine, ...]:
        """All machine types of one cloud, or of both, in the order of the data."""
        clouds = tuple(Cloud) if cloud is None else (Cloud(cloud),)
        return tuple(machine for each in clouds for machine in self._machines[each].values())

    def accelerator(self, accelerator_id: str) -> Accelerator:
        """One chip. Raises NotInCatalogError with near names."""
        if accelerator_id not in self._accelerators:
            raise NotInCatalogError("accelerator", accelerator_id, _near(accelerator_id, self._accelerators))
        return self._accelerators[accelerator_id]

    def accelerators(self) -> tuple[Accelerator, ...]:
        """All chips."""
        return tuple(self._accelerators.values())

    def price(self, machine: Machine | str, region: str, buy: Buy | str = Buy.ON_DEMAND) -> Price | Unknown:
        """The price of a machine type, or of a TPU chip by generation ("tpu-v5e"), in one region."""
        name = machine if isinstance(machine, str) else machine.name
        found = self._prices.get((name, region, Buy(buy)))
        if found is None and isinstance(machine, Machine) and machine.accelerator is not None:
            found = self._prices.get((machine.accelerator.id, region, Buy(buy)))
        return found or Unknown(f"no {Buy(buy).value} price of {name} in {region} in the sources")

    def prices(self) -> tuple[Price, ...]:
        """All prices."""
        return tuple(self._prices.values())

    def layout(self, machine: Machine, variant: str = DOCUMENTED_LAYOUT) -> tuple[Interface, ...]:
        """The network interfaces that a launch template of this machine asks for, in one named layout.

        One plain interface for machines without EFA. Raises NotInCatalogError for a layout that nobody published for
        this machine.
        """
        variants = self._layouts[machine.name]
        if variant not in variants:
            raise NotInCatalogError(f"network layout for {machine.name}", variant, tuple(variants))
        return variants[variant]

    def layouts(self, machine: Machine) -> Mapping[str, tuple[Interface, ...]]:
        """All published layouts of a machine by name."""
        return self._layouts[machine.name]

    def tpu_shapes(self, generation: str | None = None) -> tuple[TpuShape, ...]:
        """Slices that can be ordered, smallest first, of one generation ("v5e") or of all."""
        return tuple(s for s in self._shapes.values() if generation is None or s.generation == generation)

    def tpu_shape(self, type_name: str) -> TpuShape:
        """One slice by its accelerator type ("v5litepod-16"). Raises NotInCatalogError with near names."""
        if type_name not in self._shapes:
            raise NotInCatalogError("TPU slice", type_name, _near(type_name, self._shapes))
        return self._shapes[type_name]

    def tpu_runtime(self, generation: str) -> str | Unknown:
        """The TPU VM runtime version to ask for."""
        return self._runtimes.get(generation, Unknown(f"no runtime version for TPU {generation} in the sources"))

    def regions(self, cloud: Cloud | str) -> tuple[Region, ...]:
        """The regions whose zones are known."""
        return tuple(self._regions[Cloud(cloud)].values())

    def region(self, cloud: Cloud | str, name: str) -> Region:
        """One region. Raises NotInCatalogError with near names."""
        rows = self._regions[Cloud(cloud)]
        if name not in rows:
            raise NotInCatalogError(f"region ({Cloud(cloud).value})", name, _near(name, rows))
        return rows[name]

    def zones(self, region: str) -> tuple[Zone, ...]:
        """The zones of a region of either cloud; empty for a region that the catalogue does not hold."""
        for rows in self._regions.values():
            if region in rows:
                return rows[region].zones
        return ()

    def offered(self, machine: Machine, region: str) -> tuple[str, ...] | Unknown:
        """The zones of a region in which the cloud offers a machine type; empty when it offers it in none.

        Offered is not available: capacity is asked for at launch. Unknown where no list was read.
        """
        found = self._offered.get((machine.name, region))
        if found is None and machine.cloud is Cloud.AWS and region in self._listed:
            return ()
        return found if found is not None else Unknown(f"no list of the zones that offer {machine.name} in {region}")

    def image(self, cloud: Cloud | str, name: str, region: str | None, arch: str = "x86_64") -> Image | Unknown:
        """The pinned build of an image in a region (GCP images are global: any region finds them)."""
        for image in self._images:
            if (image.cloud, image.name, image.arch) == (Cloud(cloud), name, arch) and image.region in (None, region):
                return image
        return Unknown(f"no pinned {name} image for {arch} in {region} in the sources")

    def images(self, cloud: Cloud | str | None = None, name: str | None = None) -> tuple[Image, ...]:
        """All pinned images of a cloud, or of a name."""
        return tuple(
            i for i in self._images if (cloud is None or i.cloud == Cloud(cloud)) and (name is None or i.name == name)
        )

    def source(self, source_id: str) -> Source:
        """Where a fact was read. Raises NotInCatalogError."""
        if source_id not in self._sources:
            raise NotInCatalogError("source", source_id, _near(source_id, self._sources))
        return self._sources[source_id]

    def sources(self) -> tuple[Source, ...]:
        """Everything that was read."""
        return tuple(self._sources.values())
