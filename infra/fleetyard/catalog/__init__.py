"""Facts about accelerators, machines, zones, quotas, prices and images, each with its source.

`catalog()` loads the data files once. Imports nothing else of Fleetyard.
"""

from __future__ import annotations

from functools import cache

from fleetyard.catalog.index import DOCUMENTED_LAYOUT, Catalog, NotInCatalogError, UnknownMachineError
from fleetyard.catalog.model import (
    Accelerator,
    Answer,
    Buy,
    Cloud,
    Fabric,
    Image,
    Interface,
    Legality,
    Machine,
    NetworkCard,
    Nvme,
    Port,
    Price,
    Quota,
    Region,
    Source,
    TpuShape,
    Unknown,
    Zone,
    known,
)

__all__ = [
    "DOCUMENTED_LAYOUT",
    "Accelerator",
    "Answer",
    "Buy",
    "Catalog",
    "Cloud",
    "Fabric",
    "Image",
    "Interface",
    "Legality",
    "Machine",
    "NetworkCard",
    "NotInCatalogError",
    "Nvme",
    "Port",
    "Price",
    "Quota",
    "Region",
    "Source",
    "TpuShape",
    "Unknown",
    "UnknownMachineError",
    "Zone",
    "catalog",
    "known",
]


@cache
def catalog() -> Catalog:
    """The catalogue, loaded once for the life of the process."""
    from fleetyard.catalog.load import load

    return load()
