"""Every planted conflict is refused with its code, in a stack file and on a node; and nothing is refused by mistake."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import pytest
from example_stacks import AWS, GONE, GPU, TPU, plan_of
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_versions import PLANTED, Planted

from fleetyard.catalog import Cloud, Machine, catalog
from fleetyard.checks import check
from fleetyard.findings import Finding, Level
from fleetyard.versions import Target, all_rules, judge, manifest, missing, planned

TRAIN = "pools/train/"


def machine(name: str) -> Machine:
    return next(each for each in catalog().machines() if each.name == name)


def names(rows: tuple[Planted, ...]) -> list[str]:
    return [f"{row.code}-{row.machine}-{row.told}" for row in rows]


def on_a_node(row: Planted) -> list[Finding]:
    target = Target.of(machine(row.machine), row.os, "slurm")
    installed = dict(planned(row.version_set, target, {})[0].installed)
    for component, version in row.changed.items():
        if version is None:
            del installed[component]
        else:
            installed[component] = version
    return judge(installed, machine(row.machine), row.os, scheduler="slurm")


def in_a_stack(row: Planted) -> list[Finding]:
    of = machine(row.machine)
    base: dict[str, Any] = AWS if of.cloud is Cloud.AWS else GPU
    changes: dict[str, Any] = {TRAIN + "machine": row.machine, TRAIN + "image": row.os, "scheduler": "slurm"}
    if of.accelerator is not None and of.accelerator.kind == "tpu":
        base = TPU
        slices = {"v5e": ("v5litepod-4", "2x2"), "v6e": ("v6e-4", "2x2")}
        changes = {}
        changes[TRAIN + "machine"], changes[TRAIN + "topology"] = slices[of.accelerator.generation]
    changes |= {TRAIN + "versions": dict(row.changed), "versions": {"set": row.version_set}, TRAIN + "cache": GONE}
    return check(plan_of(base, changes))


@pytest.mark.parametrize("row", PLANTED, ids=names(PLANTED))
def test_a_conflict_on_a_node_is_refused_with_its_code(row: Planted) -> None:
    rule = next(rule for rule in all_rules() if rule.code == row.code)
    found = [finding for finding in on_a_node(row) if finding.code == row.code]
    assert found, on_a_node(row)
    for finding in found:
        assert finding.level is rule.level is not Level.INFO
        assert finding.path.startswith("installed.")
        assert finding.fix
    told = " ".join(finding.message for finding in found)
    assert any((version or component) in told for component, version in row.changed.items()), told


@pytest.mark.parametrize(
    "row", [r for r in PLANTED if r.in_a_stack], ids=names(tuple(r for r in PLANTED if r.in_a_stack))
)
def test_a_conflict_in_a_stack_file_is_refused_with_its_code(row: Planted) -> None:
    found = [finding for finding in in_a_stack(row) if finding.code == row.code]
    assert found
    assert all(finding.path.startswith("pools.train.versions.") and finding.fix for finding in found)


@pytest.mark.parametrize("row", [r for r in PLANTED if r.code not in ("FY2091", "FY2092")], ids=lambda row: row.code)
def test_a_message_names_two_things_and_a_version(row: Planted) -> None:
    """The two components, or the component and the machine, that do not go together."""
    chip = machine(row.machine).accelerator
    words = [*manifest().components, row.machine, row.os, *([chip.id] if chip else [])]
    for finding in on_a_node(row):
        if finding.code == row.code:
            assert sum(word in finding.message for word in words) >= 2, finding
            assert any(character.isdigit() for character in finding.message)


def test_enough_is_planted() -> None:
    assert len(PLANTED) >= 40
    assert {row.code for row in PLANTED} == {rule.code for rule in all_rules()}


CLEAN = [
    (name, each.name, os)
    for name, version_set in manifest().sets.items()
    for each in catalog().machines()
    for os in version_set.os
    if each.accelerator is None or each.accelerator.id not in version_set.not_for
]


def test_an_untouched_set_raises_nothing_on_any_machine_and_system() -> None:
    """No rule fires falsely: every set on every machine of the catalogue under every system it was made for."""
    assert len(CLEAN) > 800
    by_name = {each.name: each for each in catalog().machines()}
    for name, of, os in CLEAN:
        for scheduler in ("slurm", "none"):
            target = Target.of(by_name[of], os, scheduler)
            node, chosen = planned(name, target, {})
            assert not missing(name, target, chosen), (name, of, os)
            findings = judge(node.installed, by_name[of], os, scheduler=scheduler)
            if of == "a3-megagpu-8g" and os in ("rocky-9", "amazon-2023"):
                assert {finding.code for finding in findings} == {"FY2071"}, "its plugin needs a newer glibc"
            else:
                assert not findings, (name, of, os, findings)


def test_an_upgrade_of_the_driver_alone_is_told_everything_that_has_to_follow() -> None:
    """A driver upgraded by hand: modules and fabric manager stay behind, and each is named."""
    row = Planted("", "p5.48xlarge", {"nvidia-driver": "580.173.02"})
    assert {(f.code, f.path) for f in on_a_node(row)} == {
        ("FY2010", "installed.nvidia-module-open"),
        ("FY2033", "installed.fabric-manager"),
    }


@pytest.mark.parametrize("base", [AWS, TPU, GPU])
def test_a_good_stack_breaks_no_rule_about_versions(base: dict[str, Any]) -> None:
    assert not [finding for finding in check(plan_of(base)) if finding.code.startswith("FY20")]


def test_a_stack_wide_version_is_overruled_by_the_pools() -> None:
    changes = {"versions": {"pin": {"cuda": "latest"}}}
    assert "FY2092" in {f.code for f in check(plan_of(AWS, changes))}
    plan = plan_of(
        AWS, {**changes, TRAIN + "versions": {"cuda": "13.0.2"}, "pools/control/versions": {"cuda": "13.0.2"}}
    )
    assert "FY2092" not in {f.code for f in check(plan)}


def test_a_conflict_can_be_waived_with_a_reason() -> None:
    plan = plan_of(AWS, {TRAIN + "versions": {"nccl": "2.28.9-1+cuda12.9"}, "waive/FY2027": "measured, it works"})
    (finding,) = [finding for finding in check(plan) if finding.code == "FY2027"]
    assert finding.level is Level.INFO


def test_a_set_that_lacks_a_needed_component_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    book = importlib.import_module("fleetyard.versions.lock")
    less = dataclasses.replace(manifest(), pins=tuple(pin for pin in manifest().pins if pin.component != "efa"))
    judging = importlib.import_module("fleetyard.versions.verdicts")
    judging._planned.cache_clear()
    monkeypatch.setattr(book, "manifest", lambda: less)
    found = [finding for finding in check(plan_of(AWS)) if finding.code == "FY2006"]
    monkeypatch.undo()
    judging._planned.cache_clear()
    assert [finding.path for finding in found] == ["pools.train.versions.efa"]
    assert "FY2006" not in {finding.code for finding in check(plan_of(AWS))}


WORDS = st.one_of(
    st.sampled_from([str(version) for row in PLANTED for version in row.changed.values() if version]),
    st.text(max_size=20),
    st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}([+-](cuda|slurm)[0-9]{1,2}(\.[0-9]{1,2})?)?", fullmatch=True),
)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(list(catalog().machines())),
    st.sampled_from(["debian-12", "ubuntu-24.04", "rocky-9", "ubuntu-20.04", "plan9", ""]),
    st.dictionaries(st.one_of(st.sampled_from(list(manifest().components)), st.text(max_size=12)), WORDS, max_size=12),
)
def test_whatever_a_node_says_is_judged(of: Machine, os: str, installed: dict[str, str]) -> None:
    """A node may say anything: it is judged, every finding has a place and a fix, and the answer does not change."""
    findings = judge(installed, of, os)
    again = judge(dict(reversed(installed.items())), of, os)
    assert {str(finding) for finding in findings} == {str(finding) for finding in again}
    assert all(finding.path.startswith("installed.") and finding.fix and finding.message for finding in findings)
    assert all(str(finding).isprintable() for finding in findings)
    assert [f.level for f in findings] == sorted((f.level for f in findings), key=list(Level).index)
