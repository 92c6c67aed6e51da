"""Mistakes in plain Pulumi programs are refused as the clouds refuse them; the same programs put right are accepted."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest
from engine_bench import Engine

HERE = Path(__file__).parent
PROGRAM = """
import sys
sys.path.insert(0, {here!r})
import planted
planted.declare({area!r}, {wrong!r}, {only!r})
"""
CONFIG = {
    "aws": "config:\n  aws:region: us-east-1\n",
    "gcp": "config:\n  gcp:project: planted-mistakes\n  gcp:region: us-central1\n  gcp:zone: us-central1-a\n",
}


def _use(engine: Engine, area: str, wrong: bool, only: str = "") -> None:
    """The program of an area, or of one mistake of it, on the stack that the area has."""
    text = PROGRAM.format(here=str(HERE), area=area, wrong=wrong, only=only)
    if (engine.project / "__main__.py").exists():
        (engine.project / "__main__.py").write_text(text)
    else:
        engine.use_program(text, CONFIG[area.split("_")[0]])


def _errors(engine: Engine, area: str, wrong: bool) -> dict[str, str]:
    """What the engine says of each resource that failed, by logical name."""
    _use(engine, area, wrong)
    fails = wrong and any(m.operation != planted.CHECK for m in planted.of(area))
    found = engine.errors("up", "--yes", "--skip-preview", "--continue-on-error", fails=fails)
    for one in planted.of(area):
        if wrong and one.operation == planted.CHECK:
            _use(engine, area, wrong, one.name)
            found |= {
                k: v for k, v in engine.errors("up", "--yes", "--skip-preview", fails=True).items() if k == one.name
            }
    return found


def _said(text: str) -> str:
    """The lines of a preview that say what is wrong."""
    return "\n".join(line for line in text.splitlines() if "error: " in line)


@pytest.mark.parametrize("area", planted.areas())
def test_put_right_everything_is_accepted(engine: Engine, area: str) -> None:
    assert _errors(engine, area, wrong=False) == {}


@pytest.mark.parametrize("area", planted.areas())
def test_each_mistake_is_refused_in_the_services_own_words(engine: Engine, area: str) -> None:
    errors = _errors(engine, area, wrong=True)
    missed = []
    for one in planted.of(area):
        said = errors.pop(one.name, None)
        if said is None:
            missed.append(f"{one.name}: accepted; {one.source}: {one.operation} should say {one.code}")
        elif one.operation == planted.CHECK:
            if one.code not in said or one.property not in said:
                missed.append(f"{one.name}: should name {one.property!r} and say {one.code!r}; it said: {said}")
        elif f"{one.operation}: {one.code}: " not in said:
            missed.append(f"{one.name}: should say '{one.operation}: {one.code}: ...'; it said: {said}")
    assert not missed, "\n".join(missed)
    if errors.get("") == "update failed\n":  # what the engine says when any resource failed
        del errors[""]
    assert errors == {}, f"these were right and failed: {errors}"


def test_every_mistake_has_a_source() -> None:
    sources = {m.name: m.source for area in planted.areas() for m in planted.of(area)}
    assert [name for name, source in sources.items() if len(source) < 10] == []
