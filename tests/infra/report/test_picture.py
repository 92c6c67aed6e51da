"""The picture: true to the plan, well-formed, nothing outside its box, nothing over its neighbour."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
from example_stacks import AWS, GPU, TPU, plan_of
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.plan import Plan
from fleetyard.report.picture import draw
from fleetyard.report.style import DARK, LIGHT
from fleetyard.report.svg import text_width
from fleetyard.report.words import chip_name

SPACE = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


def parsed(plan: Plan, labels: tuple[str, ...] = ()) -> ElementTree.Element:
    return ElementTree.fromstring(draw(plan, labels))


def boxes(svg: ElementTree.Element, style: str) -> list[Box]:
    found = [r for r in svg.iter(f"{SPACE}rect") if style in r.attrib["class"].split()]
    return [_box(rect) for rect in found]


def _box(rect: ElementTree.Element) -> Box:
    x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def words(svg: ElementTree.Element) -> str:
    return "\n".join(text.text or "" for text in svg.iter(f"{SPACE}text"))


def inside(inner: Box, outer: Box, slack: float = 0.6) -> bool:
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def overlap(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.6 and min(a[3], b[3]) - max(a[1], b[1]) > 0.6


WIDE: dict[str, Any] = {
    "zones": ["use1-az2", "use1-az4", "use1-az6"],
    "network/egress": "nat-per-zone",
    "pools/login": {"role": "login", "machine": "m7i.xlarge", "count": 3},
    "pools/big": {"role": "compute", "machine": "p5.48xlarge", "count": 512, "zones": ["use1-az6"]},
    "pools/train/zones": ["use1-az4"],
    "stores/more": {"on_destroy": "empty", "lifecycle": [{"after": "30d", "to": "delete"}]},
}
CUBE: dict[str, Any] = {
    "zones": ["us-central1-a", "us-central1-b"],
    "network/egress": "none",
    "network/access": [],
    "stores": {},
    "pools": {
        "cube": {"role": "compute", "machine": "v5p-1024", "slices": 12, "zones": ["us-central1-a"]},
        "control": {"role": "control", "machine": "e2-standard-4", "count": 1},
    },
}
PLANS = {
    "aws": plan_of(AWS),
    "tpu": plan_of(TPU),
    "gpu": plan_of(GPU),
    "wide": plan_of(AWS, WIDE),
    "cube": plan_of(TPU, CUBE),
    "names": plan_of(AWS, {"owner": 'R & D <all of us> "quoted"'}, name="a-stack-with-a-very-long-name"),
}


@pytest.mark.parametrize("name", PLANS)
def test_every_box_lies_in_the_page_and_every_text_too(name: str) -> None:
    svg = parsed(PLANS[name], ("simulated", "planned"))
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    page = (0.0, 0.0, width, height)
    for rect in svg.iter(f"{SPACE}rect"):
        assert inside(_box(rect), page)
    for text in svg.iter(f"{SPACE}text"):
        size = float(text.attrib["font-size"])
        wide = text_width(text.text or "", size, "bold" in text.attrib["class"])
        x = float(text.attrib["x"]) - (wide / 2 if text.attrib.get("text-anchor") == "middle" else 0)
        y = float(text.attrib["y"])
        assert inside((x, y - size, x + wide, y), page), text.text


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("style", ["card", "zone", "public", "door", "outside", "store", "machine", "badge"])
def test_boxes_of_one_kind_do_not_overlap(name: str, style: str) -> None:
    found = boxes(parsed(PLANS[name], ("simulated", "planned")), style)
    assert not [pair for pair in combinations(found, 2) if overlap(*pair)]


@pytest.mark.parametrize("name", PLANS)
def test_boxes_nest_as_the_cluster_does(name: str) -> None:
    svg = parsed(PLANS[name])
    (network,) = boxes(svg, "network")
    for style, around in (("zone", "network"), ("card", "private"), ("machine", "card"), ("public", "zone")):
        outer = [network] if around == "network" else boxes(svg, around)
        for box in boxes(svg, style):
            assert any(inside(box, each) for each in outer), f"{style} outside {around}"
    for style in ("outside", "store"):
        assert not any(overlap(box, network) for box in boxes(svg, style))


def test_accelerators_and_cards_are_those_of_the_plan() -> None:
    svg = parsed(PLANS["aws"])
    legend = 1
    assert len(boxes(svg, "gpu")) == 4 * 8 + legend
    assert len(boxes(svg, "machine")) == 1 + 4
    dots = [dot.attrib["class"] for dot in svg.iter(f"{SPACE}circle")]
    assert dots.count("fabric") == 4 * 4 + legend
    assert dots.count("ip") == 1 + legend


def test_slices_show_their_chips() -> None:
    assert len(boxes(parsed(PLANS["tpu"]), "tpu")) == 2 * 16 + 1


def test_many_machines_are_a_few_and_a_number() -> None:
    svg = parsed(PLANS["wide"])
    assert "+ 505" in words(svg)
    assert "512 × p5.48xlarge" in words(svg)
    assert "× 32" in words(svg)


def test_the_picture_says_what_matters() -> None:
    said = words(parsed(PLANS["aws"], ("simulated",)))
    for word in (
        "SIMULATED",
        "AWS us-east-1",
        "owner research",
        "10.40.0.0/16",
        "zone use1-az6",
        "NAT gateway (shared)",
        "Systems Manager endpoints",
        "S3 gateway endpoint",
        "cluster placement group",
        "bucket data",
        "on destroy: keep",
        "EFA on 4 cards, 400 Gbps each way",
        "/cache on 8 TB NVMe, filled from data",
        "on-demand, $87.83 an hour",
    ):
        assert word in said, word
    google = words(parsed(PLANS["tpu"]))
    for word in ("Cloud NAT", "SSH from IAP only", "Private Google Access", "2 × v5litepod-16 (4x4), 8 hosts"):
        assert word in google, word
    assert "SIMULATED" not in google


def test_an_unknown_cost_is_called_unknown() -> None:
    assert "cost unknown" in words(parsed(PLANS["gpu"]))


def test_a_pool_over_three_zones_is_drawn_once_and_named_in_the_others() -> None:
    said = words(parsed(PLANS["wide"]))
    assert said.count("3 × m7i.xlarge") == 1
    assert said.count("spread over this zone too") >= 2


def test_two_pictures_of_one_plan_are_the_same_bytes() -> None:
    assert draw(PLANS["wide"], ["simulated"]) == draw(plan_of(AWS, WIDE), ["simulated"])


def test_names_cannot_break_the_document() -> None:
    assert "R & D <all of us>" in words(parsed(PLANS["names"]))
    assert "<all of us>" not in draw(PLANS["names"])


def test_a_picture_has_words_for_those_who_do_not_see_it() -> None:
    svg = parsed(PLANS["aws"])
    assert (svg.findtext(f"{SPACE}title") or "").endswith("demo")
    assert "4 × p4d.24xlarge in use1-az6" in (svg.findtext(f"{SPACE}desc") or "")


def test_every_style_that_is_used_has_a_light_and_a_dark_value() -> None:
    used = {
        c for plan in PLANS.values() for name in re.findall(r'class="([^"]+)"', draw(plan, ["x"])) for c in name.split()
    }
    assert {f".{style}" for style in used} <= LIGHT.keys() | {".bold", ".dash"}
    assert LIGHT.keys() == DARK.keys()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(min_value=0, max_value=700),
    st.sampled_from(["p4d.24xlarge", "p5.48xlarge", "trn1.32xlarge", "g5.xlarge", "p6-b300.48xlarge", "m7i.xlarge"]),
    st.integers(min_value=1, max_value=3),
)
def test_any_size_draws_without_overlap(count: int, machine: str, zones: int) -> None:
    names = ["use1-az2", "use1-az4", "use1-az6"][:zones]
    svg = parsed(plan_of(AWS, {"zones": names, "pools/train/machine": machine, "pools/train/count": max(1, count)}))
    for style in ("card", "machine", "zone"):
        assert not [pair for pair in combinations(boxes(svg, style), 2) if overlap(*pair)]
    for box in boxes(svg, "machine"):
        assert any(inside(box, card) for card in boxes(svg, "card"))


@pytest.mark.parametrize(
    ("chip", "name"),
    [
        ("a100-sxm4-40gb", "A100 SXM4 40 GB"),
        ("tpu-v5e", "TPU v5e"),
        ("trainium2", "Trainium2"),
        ("gb200", "GB200"),
        ("l4", "L4"),
    ],
)
def test_chips_have_the_names_that_people_use(chip: str, name: str) -> None:
    assert chip_name(chip) == name
