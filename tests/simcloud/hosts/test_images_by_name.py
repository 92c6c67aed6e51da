"""A machine boots from a baked image, where the cloud's image has its name, and from the usual one otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_decide import machine

from simcloud.hosts import images
from simcloud.hosts.images import Image
from simcloud.hosts.process import Images

NAME = "baked-0123456789ab"


def test_an_image_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "own").mkdir()
    usual = Image("bookworm", (tmp_path / "base",))
    own = Image(f"bookworm-{NAME}", (tmp_path / "own", tmp_path / "base"))
    monkeypatch.setattr(images, "baked", lambda suite, name: {("bookworm", NAME): own}.get((suite, name)))
    find = Images("bookworm", usual)
    assert find(machine(image_name=NAME)) is own
    assert find(machine(image_name="ubuntu/images/hvm-ssd/ubuntu-jammy-22.04")) is usual
    assert find(machine(image_name="")) is usual
    assert capsys.readouterr().out == ""
    missing = NAME.replace("0", "f")
    assert find(machine(image_name=missing)) is usual
    assert f"no image {missing}" in capsys.readouterr().out
    # Nobody drops what machines boot from.
    assert images.drop(tmp_path / "own") is False
