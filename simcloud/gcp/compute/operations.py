"""Operations: get, list and wait."""

from __future__ import annotations

from typing import Any

from simcloud.gcp.call import Call, handles
from simcloud.gcp.compute.base import collection_of, key_of, listing
from simcloud.gcp.errors import not_found


@handles(
    "compute.globalOperations.get",
    "compute.regionOperations.get",
    "compute.zoneOperations.get",
    "compute.globalOperations.wait",
    "compute.regionOperations.wait",
    "compute.zoneOperations.wait",
)
def get(call: Call) -> dict[str, Any]:
    """An operation as it is now: always done, for the world finishes what it accepts."""
    key = key_of(call)
    found = call.world.state.operations.get(key)
    if found is None:
        raise not_found(key)
    return found


@handles("compute.globalOperations.list", "compute.regionOperations.list", "compute.zoneOperations.list")
def list_all(call: Call) -> dict[str, Any]:
    """Operations of a scope."""
    where = collection_of(call) + "/"
    return listing(call, [o for k, o in call.world.state.operations.items() if k.startswith(where)], "operationList")
