"""One VPC as a network namespace: every host hangs on a card of its own and talks to others through its router.

There is no common wire: a packet between two hosts, also of one subnet, passes the namespace's forwarding, where the
firewall stands, as it does in both clouds. What the cloud offers to every host by a link-local address (metadata)
and what the simulation offers in place of the way out (its APIs, package caches) is served in the namespace itself.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable

from simcloud.hosts.firewall import IAP_ADDRESS, ruleset
from simcloud.hosts.model import Machine, Network, Rule
from simcloud.hosts.spaces import NetworkSpace

METADATA = "169.254.169.254"
"""Both clouds' metadata service."""
AWS_API, GCP_API, MIRROR = "169.254.169.251", "169.254.169.252", "169.254.169.250"
"""The simulation's own: where its APIs and the package caches answer inside a VPC."""
MTU = {"aws": 9001, "gcp": 8896}
"""Bytes. Sources: EC2 User Guide, "Network maximum transmission unit"; Google Cloud, "Maximum transmission unit"."""


def card_name(key: str) -> str:
    """The name of a machine's card in its VPC's namespace: at most fifteen characters."""
    return "h" + hashlib.sha256(key.encode()).hexdigest()[:12]


class Vpc:
    """A VPC's namespace with its hosts' cards and its firewall."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.space = NetworkSpace()
        self._cards: dict[str, str] = {}
        self._rules: tuple[Rule, ...] = ()
        self.space.write([("ipv4/ip_forward", "1"), ("ipv4/conf/all/rp_filter", "0")])
        own = [METADATA, AWS_API, GCP_API, MIRROR, IAP_ADDRESS]
        self.space.ip([f"addr add {address}/32 dev lo" for address in own])
        self._gateways: set[str] = set()
        self.guard(())

    def attach(self, machine: Machine) -> NetworkSpace:
        """A namespace for a host, its card and address in it. Raises RuntimeError."""
        card, subnet = card_name(machine.key), ipaddress.ip_network(machine.cidr)
        gateway = str(subnet.network_address + 1)
        host = NetworkSpace()
        mac = f"address {machine.mac} " if machine.mac else ""
        lines = [f"link add {card} mtu {MTU[machine.cloud]} type veth peer name host0 {mac}netns {host.path}"]
        if gateway not in self._gateways:
            lines.append(f"addr add {gateway}/32 dev lo")
            self._gateways.add(gateway)
        lines += [f"link set {card} up", f"route replace {machine.address}/32 dev {card}"]
        self.space.ip(lines)
        # The router answers for every address behind it: hosts of one subnet find each other through it.
        self.space.write([(f"ipv4/conf/{card}/proxy_arp", "1"), (f"ipv4/neigh/{card}/proxy_delay", "0")])
        host.ip(
            [
                f"addr add {machine.address}/{subnet.prefixlen} dev host0",
                f"link set host0 mtu {MTU[machine.cloud]} up",
                f"route add default via {gateway} dev host0 onlink",
            ]
        )
        self._cards[machine.key] = card
        self.guard(self._rules)
        return host

    def detach(self, key: str) -> None:
        """Take a host's card away."""
        card = self._cards.pop(key, None)
        if card:
            self.guard(self._rules)
            self.space.ip([f"link del {card}"])

    def cut(self, machine: Machine, reachable: bool) -> None:
        """Cut a host's network, or give it back with its route, which the kernel drops with the link."""
        card = self._cards[machine.key]
        lines = [f"link set {card} {'up' if reachable else 'down'}"]
        if reachable:
            lines.append(f"route replace {machine.address}/32 dev {card}")
        self.space.ip(lines)

    def guard(self, rules: Iterable[Rule]) -> None:
        """Put the firewall's rules in force."""
        self._rules = tuple(rules)
        self.space.run(["nft", "-f", "-"], ruleset(self._rules, self._cards))

    def close(self) -> None:
        """Let the namespace go."""
        self.space.close()
