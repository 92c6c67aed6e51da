"""How fast one chip reaches other machines, from the free text in which people describe a network."""

from __future__ import annotations

import re
from functools import cache

GBPS = 1e9 / 8

_RATE = re.compile(r"(\d+)\s*x\s*(?:[a-z0-9-]+\s+){0,3}?(\d+(?:\.\d+)?)\s*(gbe|gb/s|gbps|gbit|g\b)", re.IGNORECASE)
_EACH = re.compile(
    r"(?<!x)(\d{2,5})\s*(?:gbe|gb/s|gbps|gbit/s)\s*(per\s+gpu|per\s+chip|per\s+node|node-node|per\s+host)?",
    re.IGNORECASE,
)
_SCALE_UP = re.compile(r"nvlink|nvl72|nvswitch|infinity fabric|xgmi|neuronlink|storage|management|pcie", re.IGNORECASE)


@cache
def scale_out(text: str, node_size: int) -> float | None:
    """Bytes a second that one chip sends to other machines, one direction; None where the text gives no rate.

    text: such as `8x400 Gb/s NDR InfiniBand`, `EFA 3200 Gb/s`, `RoCE 1600 Gbps node-node`; parts about scale-up links,
    storage and management are passed over. A rate without `per GPU` that is below 1000 counts for each card (cards for
    each chip unknown, one taken) when it stands behind InfiniBand or RoCE, else for the node.
    """
    rates: list[float] = []
    for part in re.split(r"[;/,+](?![sS])", text):
        lower = part.lower()
        if _SCALE_UP.search(lower) and not re.search(r"efa|infiniband|connectx|roce|ib ", lower):
            continue
        many = _RATE.search(lower)
        if many:
            rates.append(float(many[1]) * float(many[2]) * GBPS / node_size)
            continue
        one = _EACH.search(lower)
        if one:
            rate = float(one[1]) * GBPS
            per = (one[2] or "").replace(" ", "")
            card = per in ("pergpu", "perchip") or (not per and float(one[1]) <= 800 and "efa" not in lower)
            rates.append(rate if card else rate / node_size)
    return max(rates) if rates else None
