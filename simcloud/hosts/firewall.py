"""Firewall rules of a VPC as one nftables ruleset. Pure: rules in, text out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from simcloud.hosts.model import Rule

EVERYWHERE = "0.0.0.0/0"
IAP = "35.235.240.0/20"
"""Where Identity-Aware Proxy's connections come from. Source: Google Cloud, "Using IAP for TCP forwarding"."""
IAP_ADDRESS = "35.235.240.1"
TABLE = "inet fleetyard"


def ruleset(rules: Iterable[Rule], cards: Mapping[str, str]) -> str:
    """The whole ruleset for `nft -f -`, replacing the one before it in one step.

    cards: by machine, its network card in the VPC's namespace. A packet between two machines must leave the first one
    and enter the second one; answers to what was accepted pass (security groups and VPC firewalls are stateful).
    """
    by_machine: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        by_machine.setdefault((rule.machine, rule.direction), []).append(rule)
    lines = [f"table {TABLE}", f"delete table {TABLE}", f"table {TABLE} {{"]
    for direction in ("in", "out"):
        for machine, card in sorted(cards.items()):
            lines.append(f"  chain {direction}_{card} {{")
            lines += [f"    {_line(rule)}" for rule in _ordered(by_machine.get((machine, direction), []))]
            lines += ["    counter drop", "  }"]
    leave = ", ".join(f'"{card}" : jump out_{card}' for card in sorted(cards.values()))
    enter = ", ".join(f'"{card}" : jump in_{card}' for card in sorted(cards.values()))
    lines += ["  chain forward {", "    type filter hook forward priority filter; policy drop;"]
    if cards:
        lines += [
            "    ct state established,related accept",
            f"    iifname vmap {{ {leave} }}",
            f"    oifname vmap {{ {enter} }}",
            "    accept",
        ]
    lines += ["  }", "  chain output {", "    type filter hook output priority filter; policy accept;"]
    if cards:
        lines += ["    ct state established,related accept", f"    ip saddr {IAP} oifname vmap {{ {enter} }}"]
    lines += ["  }", "}"]
    return "\n".join(lines) + "\n"


def _ordered(rules: Sequence[Rule]) -> list[Rule]:
    """By priority; of equal priority a denial goes first, as Google Cloud has it."""
    return sorted(rules, key=lambda rule: (rule.priority, rule.accept))


def _line(rule: Rule) -> str:
    words = []
    peers = _merged(rule.peers)
    if EVERYWHERE not in peers:
        side = "saddr" if rule.direction == "in" else "daddr"
        words.append(f"ip {side} {{ {', '.join(peers)} }}" if peers else f"ip {side} {EVERYWHERE} ip ttl 0")
    if rule.protocol in ("tcp", "udp"):
        first, last = rule.ports or (0, 65535)
        words.append(f"{rule.protocol} dport {first}-{last}")
    elif rule.protocol == "icmp":
        words.append("ip protocol icmp")
    # `return` goes back to the hook's chain, where the other machine's side is still to be asked.
    words.append("return" if rule.accept else "counter drop")
    return " ".join(words)


def _merged(peers: Iterable[str]) -> list[str]:
    """Ranges without overlaps, which a set of nftables refuses. IPv6 is left out: hosts have none."""
    ranges = [net for net in map(ipaddress.ip_network, peers) if isinstance(net, ipaddress.IPv4Network)]
    return [str(net) for net in ipaddress.collapse_addresses(ranges)]
