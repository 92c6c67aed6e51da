"""Rules of a VPC as an nftables ruleset: read back from the text as a packet would meet it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from simcloud.hosts.firewall import ruleset
from simcloud.hosts.model import Rule

CARDS = {"i-1": "hone", "i-2": "htwo"}


def chain(text: str, name: str) -> list[str]:
    found = re.search(rf"chain {name} {{\n(.*?)\n  }}", text, re.DOTALL)
    assert found
    return [line.strip() for line in found.group(1).splitlines()]


def test_without_a_rule_nothing_comes_in() -> None:
    assert chain(ruleset([], CARDS), "in_hone") == ["counter drop"]


def test_both_sides_must_let_a_packet_pass() -> None:
    forward = chain(ruleset([], CARDS), "forward")
    leave, enter = (
        next(i for i, line in enumerate(forward) if line.startswith(word)) for word in ("iifname", "oifname")
    )
    assert forward[0].endswith("policy drop;")
    assert forward[leave] == 'iifname vmap { "hone" : jump out_hone, "htwo" : jump out_htwo }'
    assert leave < enter < forward.index("accept")


def test_an_acceptance_names_range_protocol_and_ports() -> None:
    rules = [Rule("i-1", "in", ("10.0.0.0/24", "10.0.0.7/32"), "tcp", (22, 22))]
    assert chain(ruleset(rules, CARDS), "in_hone") == [
        "ip saddr { 10.0.0.0/24 } tcp dport 22-22 return",
        "counter drop",
    ]


def test_everywhere_needs_no_range() -> None:
    assert chain(ruleset([Rule("i-1", "out", ("0.0.0.0/0",), "all")], CARDS), "out_hone")[0] == "return"


def test_no_peers_accept_nobody() -> None:
    """A rule for a group without members lets nobody in."""
    line = chain(ruleset([Rule("i-1", "in", (), "all")], CARDS), "in_hone")[0]
    assert line != "return"
    assert "ttl 0" in line


def test_a_denial_goes_before_an_acceptance_of_its_priority() -> None:
    rules = [
        Rule("i-1", "in", ("0.0.0.0/0",), "all", priority=5),
        Rule("i-1", "in", ("0.0.0.0/0",), "all", None, False, 5),
    ]
    assert chain(ruleset(rules, CARDS), "in_hone")[:2] == ["counter drop", "return"]


RULES = st.builds(
    Rule,
    machine=st.sampled_from(["i-1", "i-2", "gone"]),
    direction=st.sampled_from(["in", "out"]),
    peers=st.lists(st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "192.0.2.1/32", "::/0"])).map(tuple),
    protocol=st.sampled_from(["tcp", "udp", "icmp", "all"]),
    ports=st.none() | st.tuples(st.integers(0, 100), st.integers(100, 65535)),
    accept=st.booleans(),
    priority=st.integers(0, 3),
)


@given(st.lists(RULES, max_size=12))
def test_every_rule_of_a_machine_is_there_in_order_of_priority(rules: list[Rule]) -> None:
    text = ruleset(rules, CARDS)
    for machine, card in CARDS.items():
        for direction in ("in", "out"):
            mine = sorted(
                (rule for rule in rules if (rule.machine, rule.direction) == (machine, direction)),
                key=lambda rule: (rule.priority, rule.accept),
            )
            lines = chain(text, f"{direction}_{card}")
            assert [line.endswith("return") for line in lines] == [rule.accept for rule in mine] + [False]
