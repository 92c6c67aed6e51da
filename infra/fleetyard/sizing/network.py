"""Time on the wire. Bytes are bytes, rates are bytes a second unless a name says bits."""

from __future__ import annotations

from fleetyard.sizing.guard import finite, positive

BITS_PER_BYTE = 8


def transfer_s(size_bytes: float, rate_bits_per_s: float, delay_s: float = 0.0, messages: int = 1) -> float:
    """Seconds to send `size_bytes` in `messages` pieces over one link (Q20): fixed delays plus time on the wire.

    size_bytes: bytes in all; rate_bits_per_s: bits a second, as links are sold; delay_s: fixed delay of each message.
    Raises ValueError for a rate that is not above zero or a negative size or delay.
    Source: Kurose and Ross, Computer Networking, transmission and propagation delay.
    """
    positive(rate_bits_per_s=rate_bits_per_s, messages=messages)
    finite(size_bytes=size_bytes, delay_s=delay_s)
    return messages * delay_s + BITS_PER_BYTE * size_bytes / rate_bits_per_s


def shared_transfer_s(
    demand_bytes: float, channels: float, channel_bytes_per_s: float, sharing_tasks: int = 1
) -> float:
    """Seconds to move a demand over parallel channels that several tasks share (Q19).

    demand_bytes: bytes of one task; channel_bytes_per_s: bytes a second of one channel. Raises ValueError for no
    channel or task.
    """
    positive(channels=channels, channel_bytes_per_s=channel_bytes_per_s, sharing_tasks=sharing_tasks)
    finite(demand_bytes=demand_bytes)
    return sharing_tasks * demand_bytes / (channels * channel_bytes_per_s)


def ring_all_reduce_s(size_bytes: float, nodes: int, node_bytes_per_s: float) -> float:
    """Seconds in which a ring of nodes sums a buffer that each of them holds; 0 for one node (the T_comm of Q10).

    size_bytes: the buffer, bytes; node_bytes_per_s: what one node sends, one direction, bytes a second. Latency is left
    out: this is the time of large buffers. Raises ValueError for fewer than one node or a rate that is not above zero.
    Source: Patarasuk and Yuan 2009; nccl-tests doc/PERFORMANCE.md.
    """
    positive(nodes=nodes, node_bytes_per_s=node_bytes_per_s)
    finite(size_bytes=size_bytes)
    return 2 * (nodes - 1) / nodes * size_bytes / node_bytes_per_s


def ring_gather_s(size_bytes: float, nodes: int, node_bytes_per_s: float) -> float:
    """Seconds in which a ring of nodes gathers (or reduces and scatters) a buffer of which each node holds its part.

    size_bytes: the whole buffer, bytes; node_bytes_per_s: what one node sends, one direction, bytes a second.
    Raises ValueError for fewer than one node or a rate that is not above zero.
    Source: nccl-tests doc/PERFORMANCE.md.
    """
    return ring_all_reduce_s(size_bytes, nodes, node_bytes_per_s) / 2


def parallel_speed_up(one_node_s: float, nodes: int, comm_s: float) -> float:
    """How many times faster `nodes` nodes are than one when communication is not hidden (Q10).

    one_node_s: seconds of the work on one node; comm_s: seconds of communication on `nodes` nodes, for gradients
    `ring_all_reduce_s`. Raises ValueError for no work or fewer than one node.
    Source: Amdahl 1967, with the communication time as the part that does not shrink.
    """
    positive(one_node_s=one_node_s, nodes=nodes)
    finite(comm_s=comm_s)
    return one_node_s / (one_node_s / nodes + comm_s)
