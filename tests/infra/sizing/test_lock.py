"""The lock: same inputs, same bytes; other inputs make it stale; a broken one is an error with a fix."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleetyard.findings import FleetyardError
from fleetyard.sizing.lock import (
    LockBrokenError,
    LockMissingError,
    LockStaleError,
    lock_document,
    lock_inputs_hash,
    lock_path,
    read_lock,
    require_fresh,
    write_lock,
)
from fleetyard.sizing.stack import size_stack
from fleetyard.spec import Stack, parse_stack

STACK: dict[str, Any] = {
    "owner": "research",
    "cloud": "aws",
    "region": "us-east-1",
    "zones": ["use1-az6"],
    "network": {"cidr": "10.40.0.0/16"},
    "pools": {
        "control": {"role": "control", "machine": "m7i.xlarge", "count": 1},
        "train": {"role": "compute", "machine": "p4d.24xlarge", "count": "sized"},
    },
    "workloads": {
        "train": {"kind": "train", "pool": "train", "model": "llama-2-7b", "tokens": "200e9", "deadline": "14d"}
    },
}
TPU: dict[str, Any] = {
    **STACK,
    "cloud": "gcp",
    "project": "demo-project",
    "region": "us-west4",
    "zones": ["us-west4-a"],
    "pools": {"train": {"role": "compute", "machine": "v5litepod-16", "slices": "sized"}},
    "workloads": {
        "train": {"kind": "train", "pool": "train", "model": "gpt3-6.7b", "tokens": "100e9", "deadline": "21d"}
    },
}


def stack(base: dict[str, Any] = STACK, **changes: Any) -> Stack:
    return parse_stack({**base, **changes}, "demo")


def changed(**fields: Any) -> Stack:
    return stack(workloads={"train": {**STACK["workloads"]["train"], **fields}})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    for base in (STACK, TPU):
        path = lock_path(tmp_path, "demo")
        sized = size_stack(stack(base))
        write_lock(path, lock_document(stack(base), sized))
        lock = read_lock(path)
        assert lock.pools == {"train": sized.workloads["train"].count}
        require_fresh(lock, stack(base))


def test_slices_are_called_slices_in_the_file() -> None:
    for base, word in ((TPU, "slices"), (STACK, "count")):
        sized = size_stack(stack(base))
        assert lock_document(stack(base), sized)["pools"] == {"train": {word: sized.counts["train"]}}


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys, json; from pathlib import Path; from fleetyard.spec import parse_stack;"
        "from fleetyard.sizing.lock import lock_document, write_lock; from fleetyard.sizing.stack import size_stack;"
        "stack = parse_stack(json.loads(sys.argv[1]), 'demo');"
        "write_lock(Path(sys.argv[2]), lock_document(stack, size_stack(stack)))"
    )
    written = []
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.sizing.json"
        env = {"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"}
        subprocess.run([sys.executable, "-c", code, json.dumps(STACK), str(path)], check=True, env=env)
        written.append(path.read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    "other",
    [
        changed(tokens="201e9"),
        changed(deadline="15d"),
        changed(model="llama-2-13b"),
        stack(pools={**STACK["pools"], "train": {**STACK["pools"]["train"], "machine": "p5.48xlarge"}}),
        stack(workloads={**STACK["workloads"], "more": STACK["workloads"]["train"]}),
    ],
)
def test_what_counts_follow_from_makes_a_lock_stale(tmp_path: Path, other: Stack) -> None:
    path = lock_path(tmp_path, "demo")
    write_lock(path, lock_document(stack(), size_stack(stack())))
    with pytest.raises(LockStaleError) as caught:
        require_fresh(read_lock(path), other)
    (finding,) = caught.value.findings
    assert (finding.code, caught.value.exit_code) == ("FY1603", 65)
    assert "fleetyard size --stack demo" in finding.fix


@pytest.mark.parametrize(
    "same",
    [
        stack(owner="somebody else"),
        stack(network={"cidr": "10.50.0.0/16"}),
        stack(budget={"usd_per_hour": 1}),
        stack(pools={**STACK["pools"], "control": {"role": "control", "machine": "m6i.xlarge", "count": 2}}),
    ],
)
def test_what_counts_do_not_follow_from_leaves_a_lock_fresh(same: Stack) -> None:
    assert lock_inputs_hash(same) == lock_inputs_hash(stack())


def test_a_missing_lock_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(LockMissingError) as caught:
        read_lock(lock_path(tmp_path, "demo"))
    assert caught.value.findings[0].code == "FY1601"
    assert caught.value.findings[0].fix == "run `fleetyard size --stack demo`"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "\x00",
        '{"version": 2}',
        '{"version": 1}',
        '{"version": 1, "inputs_hash": 3, "pools": {}, "workloads": {}}',
        '{"version": 1, "inputs_hash": "x", "pools": {"a": {"count": 0}}, "workloads": {}}',
        '{"version": 1, "inputs_hash": "x", "pools": {"a": {"count": true}}, "workloads": {}}',
        '{"version": 1, "inputs_hash": "x", "pools": {"a": {"count": "7"}}, "workloads": {}}',
        '{"version": 1, "inputs_hash": "x", "pools": {"a": {}}, "workloads": {}}',
        '{"version": 1, "inputs_hash": "x", "pools": {"a": 7}, "workloads": {}}',
    ],
)
def test_a_broken_lock_is_an_error_with_a_fix(tmp_path: Path, text: str) -> None:
    path = lock_path(tmp_path, "demo")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LockBrokenError) as caught:
        read_lock(path)
    assert caught.value.findings[0].code == "FY1602"
    assert "fleetyard size --stack demo" in caught.value.findings[0].fix


def test_a_lock_that_is_no_text_is_broken(tmp_path: Path) -> None:
    path = lock_path(tmp_path, "demo")
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(LockBrokenError):
        read_lock(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(LockBrokenError):
        read_lock(path)


def test_every_workload_that_cannot_be_sized_is_named_with_its_place() -> None:
    wrong = stack(
        workloads={
            "late": {**STACK["workloads"]["train"], "deadline": "1h"},
            "typo": {**STACK["workloads"]["train"], "model": "llama-2-7"},
            "lost": {**STACK["workloads"]["train"], "pool": "nowhere"},
            "control": {**STACK["workloads"]["train"], "pool": "control"},
        }
    )
    with pytest.raises(FleetyardError) as caught:
        size_stack(wrong)
    found = {finding.path: finding for finding in caught.value.findings}
    assert found["workloads.late"].code == "FY1610"
    assert "days late" in found["workloads.late"].message
    assert found["workloads.typo.model"].fix.startswith("one of ")
    assert "llama-2-7b" in found["workloads.typo.model"].fix
    assert found["workloads.lost.pool"].code == "FY1611"
    assert "has none" in found["workloads.control"].message
    assert caught.value.exit_code == 65


def test_a_sized_pool_without_a_workload_is_an_error() -> None:
    with pytest.raises(FleetyardError) as caught:
        size_stack(stack(workloads={}))
    assert caught.value.findings[0].path == "pools.train.count"


def test_a_pool_with_two_workloads_gets_the_larger_count() -> None:
    both = stack(workloads={**STACK["workloads"], "small": {**STACK["workloads"]["train"], "tokens": "1e9"}})
    sizing = size_stack(both)
    assert sizing.workloads["small"].count < sizing.workloads["train"].count == sizing.counts["train"]


def test_a_fixed_count_that_is_too_small_is_named() -> None:
    fixed = stack(pools={"train": {**STACK["pools"]["train"], "count": 2}})
    with pytest.raises(FleetyardError, match="2 machines are fixed"):
        size_stack(fixed)


def test_a_mistyped_machine_hashes_and_is_named() -> None:
    wrong = stack(pools={"train": {**STACK["pools"]["train"], "machine": "p4d.24xlage"}})
    assert lock_inputs_hash(wrong) != lock_inputs_hash(stack())
    with pytest.raises(FleetyardError) as caught:
        size_stack(wrong)
    assert caught.value.findings[0].path == "pools.train.machine"
    assert "p4d.24xlarge" in caught.value.findings[0].fix
