"""A stack file, however broken, becomes a Stack or readable findings; nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from broken_stacks import LINE, NAMES, STACKS, garbled, mutated, outcome, restructured
from example_stacks import AWS, GPU, TPU, varied
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.findings import FleetyardError
from fleetyard.spec import Effect, Stack, load_stack, load_stack_text, parse_stack, update_effect
from fleetyard.spec.model import Pool

TEXT = (STACKS / "Pulumi.a100-train.yaml").read_text(encoding="utf-8")


def refused(text: str) -> FleetyardError:
    with pytest.raises(FleetyardError) as wrong:
        load_stack_text(text, "Pulumi.broken.yaml")
    assert wrong.value.exit_code == 65
    for finding in wrong.value.findings:
        assert LINE.match(str(finding)), str(finding)
    return wrong.value


@pytest.mark.parametrize("name", NAMES)
def test_the_repositorys_stacks_are_read(name: str) -> None:
    stack = load_stack(STACKS / f"Pulumi.{name}.yaml")
    assert stack.name == name


def test_tokens_may_be_a_number_or_the_string_that_some_readers_make_of_it() -> None:
    for written in ('"200e9"', "200e9", "200000000000", "2.0e+11"):
        text = TEXT.replace('"200e9"', written)
        assert load_stack_text(text, "Pulumi.x.yaml").workloads["train"].tokens == 200e9


@pytest.mark.parametrize(
    ("old", "new", "code", "path", "says"),
    [
        ("owner:", "ownr:", "FY1010", "ownr", "`owner`"),
        ("count: sized", "count: size", "FY1015", "pools.train.count", "sized"),
        ("count: sized", "count: -1", "FY1015", "pools.train.count", "whole number"),
        ("count: sized", "count: 1.5", "FY1015", "pools.train.count", "whole number"),
        ("count: sized", "count: " + "9" * 5000, "FY1014", "pools.train.count", "count with"),
        ("count: sized", "count: true", "FY1015", "pools.train.count", "not a count"),
        ("count: sized", "slices: 1, count: 1", "FY1004", "Pulumi.broken.yaml", "not YAML"),
        ("        count: sized", "        slices: 1\n        count: 1", "FY1015", "pools.train", "both"),
        ("        count: sized", "", "FY1015", "pools.train", "no `count`"),
        ("role: compute", "role: comput", "FY1013", "pools.train.role", "`compute`"),
        ("count: 1}", "count: 1, cuont: 2}", "FY1010", "pools.control.cuont", "`count`"),
        ("count: 1}", "count: 1, count: 2}", "FY1005", "pools.control", "twice"),
        ("deadline: 14d", "deadline: 14", "FY1015", "workloads.train.deadline", "not a duration"),
        ("deadline: 14d", "deadline: 9999w", "FY1015", "workloads.train.deadline", "ten years"),
        (", deadline: 14d", "", "FY1015", "workloads.train", "deadline"),
        ("10.40.0.0/16", "10.40.0.1/16", "FY1015", "network.cidr", "10.40.0.0/16"),
        ("10.40.0.0/16", "8.8.0.0/16", "FY1015", "network.cidr", "private"),
        ("10.40.0.0/16", "fd00::/16", "FY1015", "network.cidr", "IPv4"),
        ("usd_per_hour: 700", "usd_per_hour: .nan", "FY1014", "budget.usd_per_hour", "count"),
        ("usd_per_hour: 700", "usd_per_hour: 1e999", "FY1014", "budget.usd_per_hour", "count"),
        ("usd_per_hour: 700", "usd_per_hour: -1", "FY1015", "budget.usd_per_hour", "US dollars"),
        ("[use1-az6]", "use1-az6", "FY1012", "zones", "a list"),
        ("[use1-az6]", "[]", "FY1014", "zones", "at least 1"),
        ("[use1-az6]", "[use1-az6, use1-az6]", "FY1015", "stack", "twice"),
        ("at: /cache", "at: cache", "FY1012", "pools.train.cache.at", "/cache"),
        ("at: /cache", "at: /../etc", "FY1012", "pools.train.cache.at", "/cache"),
        ("      train:\n        role", "      Train:\n        role", "FY1012", "pools.Train", "lower-case"),
        ("cloud: aws", "cloud: azure", "FY1013", "cloud", "aws, gcp"),
        ("cloud: aws", "cloud: gcp", "FY1015", "stack", "project"),
        ("cloud: aws", "cloud: aws\n    project: p", "FY1015", "stack", "remove `project`"),
        ("cloud: aws", "cloud: aws\n    name: other", "FY1010", "name", "file's name"),
        ("owner: research ", "owner: &a research ", "FY1006", None, None),
        ("owner: research ", "owner: !!binary aGk= ", "FY1004", "owner", "tag"),
        ("owner: research ", "owner: !python/object:os.system x ", "FY1004", "owner", "tag"),
        ("    zones", "\tzones", "FY1004", "Pulumi.broken.yaml", "spaces"),
        ("fleetyard:stack", "fleetyard:stak", "FY1008", "Pulumi.broken.yaml", "fleetyard:stack"),
    ],
)
def test_a_mistake_names_its_place_and_its_fix(
    old: str, new: str, code: str, path: str | None, says: str | None
) -> None:
    text = TEXT.replace(old, new, 1)
    assert text != TEXT
    if path is None:
        text = text.replace("cloud: aws", "cloud: *a")
    wrong = refused(text)
    finding = wrong.findings[0]
    assert finding.code == code, str(wrong)
    if path is not None and says is not None:
        assert finding.path == path
        assert says in str(wrong)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "FY1009"),
        (b"hello", "FY1009"),
        (b"- 1\n- 2\n", "FY1009"),
        (b"config: 3\n", "FY1008"),
        (b"config:\n  fleetyard:stack:\n", "FY1009"),
        (b"config:\n  fleetyard:stack: [1, 2]\n", "FY1009"),
        (b"config:\n  fleetyard:stack: {1: 2}\n", "FY1011"),
        (b"config:\n  fleetyard:stack: {[1]: 2}\n", "FY1004"),
        (b"\xff\xfe\x00\x01", "FY1003"),
        (b"\x00\x01\x02", "FY1004"),
        (b"a: b: c\n", "FY1004"),
        (b"{" * 3000, "FY1007"),
        (b"[" * 60000, "FY1007"),
        (b"a: " + b"[" * 60 + b"]" * 60, "FY1007"),
        (b"x" * 70000, "FY1002"),
        (b"--- 1\n--- 2\n", "FY1004"),
    ],
)
def test_a_file_that_is_no_stack_file_is_refused(raw: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.broken.yaml"
    path.write_bytes(raw)
    with pytest.raises(FleetyardError) as wrong:
        load_stack(path)
    codes = [finding.code for finding in wrong.value.findings]
    assert code in codes, str(wrong.value)
    assert wrong.value.exit_code == 65


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "Pulumi.none.yaml", tmp_path):
        with pytest.raises(FleetyardError) as wrong:
            load_stack(path)
        assert wrong.value.findings[0].code == "FY1001"


def test_an_alias_bomb_is_refused_at_once() -> None:
    levels = "\n".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]" for n in range(1, 30))
    assert refused(f"b0: &b0 [x]\n{levels}\n").findings[0].code == "FY1006"


def test_several_mistakes_are_told_at_once() -> None:
    text = TEXT.replace("owner:", "ownr:").replace("role: control", "role: contrl").replace("14d", "14")
    assert len(refused(text).findings) == 4


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(NAMES))
def test_a_mutated_file_is_a_stack_or_readable_findings(seed: int, name: str) -> None:
    text = mutated((STACKS / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"), random.Random(seed))
    for finding in outcome(lambda: load_stack_text(text, "Pulumi.broken.yaml")):
        assert LINE.match(str(finding)), str(finding)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(NAMES))
def test_a_rearranged_file_is_a_stack_or_readable_findings(seed: int, name: str) -> None:
    text = restructured((STACKS / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"), random.Random(seed))
    for finding in outcome(lambda: load_stack_text(text, "Pulumi.broken.yaml")):
        assert LINE.match(str(finding)), str(finding)


@pytest.mark.parametrize("seed", range(50))
def test_a_spoiled_file_is_a_stack_or_readable_findings(seed: int, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.broken.yaml"
    file.write_bytes(garbled(TEXT, random.Random(seed)))
    for finding in outcome(lambda: load_stack(file)):
        assert LINE.match(str(finding)), str(finding)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = ["owner", "cloud", "zones", "network", "network/cidr", "network/access", "stores/data"]
PLACES += ["stores/data/lifecycle"]
PLACES += ["pools", "pools/train", "pools/train/buy", "pools/train/cache", "pools/train/count", "pools/train/topology"]
PLACES += ["workloads", "workloads/job/tokens", "workloads/job/deadline", "budget", "budget/usd", "tags", "waive"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([AWS, TPU, GPU]), st.sampled_from(PLACES), JUNK)
def test_junk_from_pulumis_config_is_a_stack_or_readable_findings(base: dict, place: str, junk: object) -> None:
    if place.startswith("workloads/") and base is not AWS:
        base = AWS
    for finding in outcome(lambda: parse_stack(varied(base, {place: junk}))):
        assert LINE.match(str(finding)), str(finding)


@pytest.mark.parametrize("junk", [None, 3, "x", [], [1]])
def test_config_that_is_no_mapping_is_refused(junk: object) -> None:
    with pytest.raises(FleetyardError):
        parse_stack(junk)


def test_every_field_says_what_changing_it_does() -> None:
    for field in (name for name, field in Stack.model_fields.items() if not field.exclude):
        assert update_effect(field) is not None, field
    for name, field in Pool.model_fields.items():
        assert update_effect(f"pools.train.{field.alias or name}") is not None, name
    assert update_effect("pools.train.machine") is Effect.TEMPLATE
    assert update_effect("pools.train.topology") is Effect.REPLACES_MACHINES
    assert update_effect("pools.train.cache.from") is Effect.TEMPLATE
    assert update_effect("stores.data.lifecycle") is Effect.LIVE
    assert update_effect("region") is Effect.REPLACES_DATA
    assert update_effect("pools.train.nothing") is None
