"""The Pulumi program, run as the engine runs it, up to the engine."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from resource_graph import STACKS, graph

PROGRAM = Path(__file__).parents[2] / "infra"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def real_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLEETYARD_SIM", "FLEETYARD_SIM_HOME", "AWS_ENDPOINT_URL", "PULUMI_DEBUG_PROVIDERS"):
        monkeypatch.delenv(name, raising=False)


def run(stack: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, Any], list[str]]:
    """Tokens registered, what was exported, and what was logged; a SystemExit becomes `exit N` in the log."""
    said: list[str] = []
    exported: dict[str, Any] = {}
    monkeypatch.setattr(pulumi.log, "error", lambda text, *_: said.append(f"error {text}"))
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(f"warn {text}"))
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    monkeypatch.setattr(sys, "argv", ["program"])

    def program() -> dict[str, Any]:
        pulumi.runtime.set_all_config({} if stack is None else {"fleetyard:stack": json.dumps(stack)})
        try:
            runpy.run_path(str(PROGRAM), run_name="__main__")
        except SystemExit as done:
            said.append(f"exit {done.code}")
        return {}

    rows, _ = graph(program, stack=name)
    return [row.token for row in rows], exported, said


def written(name: str) -> Any:
    return yaml.safe_load((STACKS / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"))["config"]["fleetyard:stack"]


@pytest.mark.parametrize("name", ["a100-train", "tpu-train", "gpu-mig"])
def test_a_good_stack_is_built_and_exported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, exported, said = run(written(name), name, monkeypatch)
    assert len(tokens) > 15
    assert exported["fleetyard"]["stack"] == name
    assert not [line for line in said if not line.startswith("warn FY2")]


def test_a_failing_check_ends_the_program_before_the_first_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = written("gpu-mig")
    stack["pools"]["experiments"]["machine"] = "a2-highgpu-1"
    tokens, exported, said = run(stack, "gpu-mig", monkeypatch)
    assert tokens == []
    assert exported == {}
    assert said[0].startswith("error FY2101 error pools.experiments.machine: ")
    assert said[-1] == "exit 32"


@pytest.mark.parametrize("stack", [None, "words", [1], {"owner": 3}])
def test_config_that_is_no_stack_ends_in_findings(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, _, said = run(stack, "demo", monkeypatch)
    assert tokens == []
    assert said[0].startswith("error FY1")
    assert said[-1] == "exit 32"


def test_mixed_settings_end_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    tokens, _, said = run(written("gpu-mig"), "gpu-mig", monkeypatch)
    assert tokens == []
    assert "FY1402" in said[0]
