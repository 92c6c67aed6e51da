"""What physics allows a collective to reach, by node count. Source: hardware.md 7.2, derived there; restated below."""

from __future__ import annotations


def wire_bound(wire_gb_per_s: float, nodes: int, per_node: int) -> float:
    """The highest bus bandwidth of an all-reduce that the network between nodes allows, GB/s.

    wire_gb_per_s: W, what one node sends, one direction (Gbps / 8); nodes: N >= 2; per_node: g >= 1 ranks on each,
    n = N g. To reduce S bytes over all nodes, each node has to send at least 2 (N-1)/N S over its cards, so the time is
    at least 2 (N-1)/N S / W. Bus bandwidth is by definition S / time times 2 (n-1)/n, hence at most

        W N (n-1) / ((N-1) n)

    1.875 W for two nodes of eight, W itself for very many. The short form 2 (n-1)/n W holds for two nodes only, and at
    scale promises twice what the wire carries. Raises ValueError for fewer than two nodes or no ranks.
    """
    if nodes < 2 or per_node < 1 or wire_gb_per_s <= 0:
        raise ValueError("a wire bound takes two nodes or more, a rank or more on each, and a positive rate")
    ranks = nodes * per_node
    return wire_gb_per_s * nodes * (ranks - 1) / ((nodes - 1) * ranks)


def link_bound(link_gb_per_s: float, nodes: int, per_node: int) -> float:
    """The highest bus bandwidth that links within a node allow without reduction in the switch, GB/s.

    link_gb_per_s: L, what one chip sends to its neighbours, one direction. Within a node each of g chips sends at least
    2 (g-1)/g S bytes to reduce and spread S, so the time is at least that over L, and bus bandwidth at most

        L g / (g-1) (n-1) / n

    L itself for one node, 482 GB/s for two nodes of eight H100 (L = 450). In-switch reduction (NVLS)
    goes beyond it: `switch_bound`. Raises ValueError for fewer than two chips in a node.
    """
    if nodes < 1 or per_node < 2 or link_gb_per_s <= 0:
        raise ValueError("a link bound takes a node or more, two chips or more on each, and a positive rate")
    ranks = nodes * per_node
    return link_gb_per_s * per_node / (per_node - 1) * (ranks - 1) / ranks


def switch_bound(link_gb_per_s: float, nodes: int, per_node: int) -> float:
    """As `link_bound`, where the switch reduces: each chip sends its S bytes once, so 2 (n-1)/n L. GB/s."""
    if nodes < 1 or per_node < 2 or link_gb_per_s <= 0:
        raise ValueError("a switch bound takes a node or more, two chips or more on each, and a positive rate")
    ranks = nodes * per_node
    return 2 * link_gb_per_s * (ranks - 1) / ranks


def all_reduce_bound(wire_gb_per_s: float | None, link_gb_per_s: float | None, nodes: int, per_node: int) -> float:
    """What an all-reduce without help from the switch can reach: the lower of the bounds that apply, GB/s.

    The wire does not apply to one node, links not to one chip in a node or where chips meet over PCIe only (None).
    Raises ValueError when neither applies.
    """
    bounds = []
    if wire_gb_per_s is not None and nodes > 1:
        bounds.append(wire_bound(wire_gb_per_s, nodes, per_node))
    if link_gb_per_s is not None and per_node > 1:
        bounds.append(link_bound(link_gb_per_s, nodes, per_node))
    if not bounds:
        raise ValueError("neither a wire between nodes nor links within one")
    return min(bounds)


def ceiling(wire_gb_per_s: float | None, link_gb_per_s: float | None, nodes: int, per_node: int) -> float:
    """What nothing can exceed, switches that reduce included: a higher reading is a wrong one. GB/s."""
    bounds = []
    if wire_gb_per_s is not None and nodes > 1:
        bounds.append(wire_bound(wire_gb_per_s, nodes, per_node))
    if link_gb_per_s is not None and per_node > 1:
        bounds.append(max(link_bound(link_gb_per_s, nodes, per_node), switch_bound(link_gb_per_s, nodes, per_node)))
    if not bounds:
        raise ValueError("neither a wire between nodes nor links within one")
    return min(bounds)
