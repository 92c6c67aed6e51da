"""Drift: the engine's answer and the nodes' are read, joined and told."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fleetyard.drift import cloud, nodes
from fleetyard.drift.model import CLOUD, Difference, Report
from fleetyard.drift.text import page, render
from fleetyard.findings import FleetyardError


def step(op: str, type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "urn": f"urn:pulumi:s::p::fleetyard:index:Pool${type_}::{name}", **more}


def test_a_refresh_is_read() -> None:
    old = {"outputs": {"tags": {"Name": "x", "a.b": "1"}, "ingress": [{"port": 22}], "long": "y" * 100}}
    new = {"outputs": {"tags": {"Name": "y", "a.b": "2"}, "ingress": [{"port": 23}], "long": "z" * 99}}
    changes = {
        "tags.Name": {"kind": "update", "inputDiff": True},
        'tags["a.b"]': {"kind": "update", "inputDiff": True},
        "ingress[0].port": {"kind": "update", "inputDiff": True},
        "long": {"kind": "update", "inputDiff": True},
        "tagsAll": {"kind": "update", "inputDiff": False},
    }
    text = json.dumps(
        {
            "steps": [
                step("refresh", "aws:ec2/vpc:Vpc", "same"),
                step("update", "aws:ec2/vpc:Vpc", "v", oldState=old, newState=new, detailedDiff=changes),
                step("delete", "aws:ec2/subnet:Subnet", "s", oldState={"id": "subnet-1"}),
            ]
        }
    )
    assert cloud.read(text) == [
        Difference(CLOUD, "resource", "aws:ec2/vpc:Vpc v ingress[0].port", "22", "23"),
        Difference(CLOUD, "resource", "aws:ec2/vpc:Vpc v long", "100 characters", "99 characters"),
        Difference(CLOUD, "resource", "aws:ec2/vpc:Vpc v tags.Name", "x", "y"),
        Difference(CLOUD, "resource", 'aws:ec2/vpc:Vpc v tags["a.b"]', "1", "2"),
        Difference(CLOUD, "resource", "aws:ec2/subnet:Subnet s", "subnet-1", None),
    ]


def test_a_change_of_outputs_alone_is_told() -> None:
    states = {"oldState": {"outputs": {"state": "running"}}, "newState": {"outputs": {"state": "stopped"}}}
    changes = {"state": {"kind": "update", "inputDiff": False}}
    text = json.dumps({"steps": [step("update", "aws:ec2/instance:Instance", "i", detailedDiff=changes, **states)]})
    (found,) = cloud.read(text)
    assert found.said() == "running -> stopped"


@pytest.mark.parametrize("text", ["", "error: no stack", "[]", '{"steps": [1]}', '{"steps": [{"op": "update"}]}'])
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(FleetyardError, match="FY1520"):
        cloud.read(text)


def test_nodes_are_read_and_the_silent_ones_named(tmp_path: Path) -> None:
    row = {"kind": "hold", "name": "libcuda1:amd64", "was": "held", "is": "not held"}
    (tmp_path / "a.json").write_text("[]")
    (tmp_path / "b.json").write_text(json.dumps([row]))
    (tmp_path / "c.json").write_text("null")
    (tmp_path / "d.json").write_text('[{"kind": "hold"}]')
    (tmp_path / "e.json").write_text('[{"kind": ')
    found, unknown = nodes.read(tmp_path, ["f", "e", "d", "c", "b", "a"])
    assert found == [Difference("b", "hold", "libcuda1:amd64", "held", "not held")]
    assert list(unknown) == ["c", "d", "e", "f"]
    assert unknown["f"] == nodes.NO_ANSWER
    assert unknown["c"] == nodes.NO_BASELINE


def report(**more: Any) -> Report:
    said: dict[str, Any] = {"cloud": (), "nodes": (), "asked": ("a", "b"), "unknown": ()}
    return Report("a100-train", simulated=True, **{**said, **more})


DRIFT = report(
    cloud=(Difference(CLOUD, "resource", "aws:ec2/vpc:Vpc v tags.Name", "x", "<y>"),),
    nodes=(Difference("b", "file", "/etc/new", None, "there"), Difference("b", "user", "eve", "{}", None)),
    unknown=(("c", nodes.NO_ANSWER),),
)


def test_no_drift_is_one_line() -> None:
    assert report().clean
    assert render(report()) == (
        "a100-train on the simulated cloud: no drift; the cloud and 2 hosts are as they were left\n"
    )


def test_a_host_that_did_not_answer_is_not_called_clean() -> None:
    assert not report(unknown=(("c", nodes.NO_ANSWER),)).clean


def test_the_text_names_every_difference() -> None:
    text = render(DRIFT)
    first = text.splitlines()[0]
    assert "1 file, 1 resource, 1 user" in first or "1 resource" in first
    assert "1 of 2 hosts differ; 1 could not be asked" in first
    for word in ("aws:ec2/vpc:Vpc v tags.Name", "x -> <y>", "new: there", "gone; it was {}", nodes.NO_ANSWER):
        assert word in text


def test_the_page_is_whole_and_escaped() -> None:
    class Reader(HTMLParser):
        seen = ""

        def handle_data(self, data: str) -> None:
            self.seen += data

    html = page(DRIFT)
    reader = Reader()
    reader.feed(html)
    assert "<y>" not in html
    assert "<y>" in reader.seen
    assert all(each.name in reader.seen for each in (*DRIFT.cloud, *DRIFT.nodes))


def test_json_holds_all_of_it() -> None:
    said = json.loads(json.dumps(DRIFT.as_dict()))
    assert said["clean"] is False
    assert said["nodes"][0] == {"where": "b", "kind": "file", "name": "/etc/new", "was": None, "now": "there"}
    assert said["unknown"] == {"c": nodes.NO_ANSWER}
