"""Time of collectives over a group of chips that spans scale-up domains.

T = alpha + x + root * sqrt(alpha * x), with x the time of the bytes at the sustained rate: the middle term is what a
model of latency and bandwidth alone misses by up to 45 % between 4 and 64 MB. Source: fits of nccl-tests curves,
shared constants.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fleetyard.sizing.constants import Constants
from fleetyard.sizing.plans import Floats, Gear


class Wires:
    """Latencies and sustained rates of plans' links and networks."""

    def __init__(self, gear: Gear, k: Constants, flat: Floats = 0.0) -> None:
        self.domain = gear.domain
        self.up: Any = gear.link * (k.link_share + gear.torus * (k.torus_share - k.link_share))
        self.out: Any = gear.nic * k.nic_share
        self.up_alpha = k.link_alpha_us * 1e-6
        self.out_alpha = k.nic_alpha_us * 1e-6
        self.root = k.root
        self.flat = flat
        self.tree = k.tree

    def gather(self, size: Floats, group: Floats, stride: Floats = 1.0) -> Any:
        """Seconds to gather (or reduce and scatter) `size` bytes over `group` chips that stand `stride` apart.

        A group that leaves its domain does an inner and an outer stage; all inner chips share the outer traffic.
        """
        inner = np.minimum(group, np.maximum(1.0, self.domain / stride))
        outer = group / inner
        near = self._stage(size * (1.0 - 1.0 / inner) / self.up, self.up_alpha * (inner > 1))
        rails = np.where(self.flat > 0, 1.0, inner)
        far_bytes = size * (1.0 - 1.0 / outer) / rails / self.out
        far = self._stage(far_bytes, self.out_alpha * np.log2(np.maximum(1.0, outer)))
        return np.maximum(near, far) + (1.0 - self.tree) * np.minimum(near, far)

    def dispatch(self, size: Floats, group: Floats, copies: Floats) -> Any:
        """Seconds to send tokens to `copies` experts each over a group: `size` bytes with all copies.

        Between domains a token travels once for each domain that holds some of its experts, and is copied there.
        """
        inner = np.minimum(group, self.domain)
        outer = np.maximum(1.0, group / inner)
        many = np.maximum(copies, 1.0)
        visited = outer * (1.0 - (1.0 - 1.0 / outer) ** many)  # domains that a token visits, its own among them
        near = size * (inner - 1.0) / np.maximum(inner, 1.0) / self.up
        far = size / many * visited * (1.0 - 1.0 / outer) / self.out
        alpha = self.up_alpha * (group > 1) + self.out_alpha * np.log2(outer)
        return self._stage(near + far, alpha)

    def send(self, size: Floats, distance: Floats) -> Any:
        """Seconds to send `size` bytes to a chip `distance` chips away."""
        away = distance >= self.domain
        rate = np.where(away, self.out, self.up)
        return size / rate + np.where(away, self.out_alpha, self.up_alpha)

    def _stage(self, transfer: Any, alpha: Any) -> Any:
        return alpha + transfer + self.root * np.sqrt(alpha * transfer)
