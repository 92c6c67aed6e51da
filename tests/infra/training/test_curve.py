"""The loss curve, and the data set that makes one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fleetyard.training.curve import draw, read_points
from fleetyard.training.sample import write_sample


def line(step: int, restarts: int, time: float) -> str:
    return json.dumps({"step": step, "loss": 5.0 / step, "time": time, "restarts": restarts, "seconds": 0.1})


RECORD = [line(step, 0, 1000.0 + step) for step in range(1, 31)] + [
    line(step, 1, 1100.0 + step) for step in range(21, 61)
]


def test_a_restart_is_marked_with_where_it_continued_and_what_it_cost() -> None:
    picture = draw(read_points(RECORD), "Loss of a job")
    assert "resumed at step 21, 91 s after step 30" in picture
    root = ElementTree.fromstring(picture)
    curves = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(curve.attrib["points"].split()) for curve in curves] == [30, 40]
    assert "1 restart." in root.findtext("{http://www.w3.org/2000/svg}desc", "")


def test_the_curve_stays_inside_the_picture() -> None:
    root = ElementTree.fromstring(draw(read_points(RECORD), "Loss"))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for curve in root.findall("{http://www.w3.org/2000/svg}polyline"):
        for pair in curve.attrib["points"].split():
            x, y = map(float, pair.split(","))
            assert 0 < x < width
            assert 0 < y < height


def test_lines_in_any_order_and_a_line_cut_by_a_power_loss_are_read() -> None:
    points = read_points([*reversed(RECORD), '{"step": 31, "lo', "", "Slurm: a message"])
    assert len(points) == len(RECORD)
    assert [(p.restarts, p.step) for p in points] == sorted((p.restarts, p.step) for p in points)


def test_nothing_recorded_is_said() -> None:
    with pytest.raises(ValueError, match="no steps"):
        draw([], "Loss")


def test_one_step_can_be_drawn() -> None:
    assert "<polyline" in draw(read_points([line(1, 0, 5.0)]), "Loss")


def test_the_sample_is_what_its_manifest_says_and_the_same_every_time(tmp_path: Path) -> None:
    assert write_sample(tmp_path / "a", shards=3, bytes_each=5000) == 15000
    write_sample(tmp_path / "b", shards=3, bytes_each=5000)
    listed = json.loads((tmp_path / "a" / "manifest.json").read_text())["objects"]
    for each in listed:
        content = (tmp_path / "a" / each["key"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (each["bytes"], each["sha256"])
        assert content == (tmp_path / "b" / each["key"]).read_bytes()
    assert len({each["sha256"] for each in listed}) == 3
