"""Any workload that a stack file can hold ends in a sizing or in findings with a place, never in a traceback."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.catalog import catalog
from fleetyard.findings import Finding, FleetyardError
from fleetyard.sizing.lock import lock_document, lock_inputs_hash
from fleetyard.sizing.models import models
from fleetyard.sizing.stack import StackSizing, size_stack
from fleetyard.spec import Stack, parse_stack

AWS = [machine.name for machine in catalog().machines("aws")]
GCP = [machine.name for machine in catalog().machines("gcp")] + [s.type_name for s in catalog().tpu_shapes()]
AMOUNTS = st.sampled_from(["1", "1e3", "1e9", "200e9", "15e12", "1e15", "0.5"])
WORKLOADS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["train", "serve"]),
        "pool": st.sampled_from(["main", "main", "main", "nowhere"]),
        "model": st.sampled_from([*models(), "gpt-9"]),
        "tokens": AMOUNTS,
        "deadline": st.sampled_from(["1s", "1h", "14d", "400d", "3000d"]),
        "requests_per_s": AMOUNTS,
    },
    optional={"prompt_tokens": AMOUNTS, "output_tokens": AMOUNTS},
)
COUNTS = st.sampled_from(["sized", "sized", 0, 1, 7, 64, 100000])


def document(cloud: str, machine: str, count: str | int, workload: dict[str, Any]) -> dict[str, Any]:
    place = {"aws": ("us-east-1", "use1-az6"), "gcp": ("us-central1", "us-central1-a")}[cloud]
    field = "slices" if machine in {shape.type_name for shape in catalog().tpu_shapes()} else "count"
    return {
        "owner": "o",
        "cloud": cloud,
        **({"project": "demo-project"} if cloud == "gcp" else {}),
        "region": place[0],
        "zones": [place[1]],
        "network": {"cidr": "10.0.0.0/16"},
        "pools": {"main": {"role": "compute", "machine": machine, field: count}},
        "workloads": {"work": workload},
    }


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.tuples(st.just("aws"), st.sampled_from([*AWS, "p9.none"])),
        st.tuples(st.just("gcp"), st.sampled_from([*GCP, "v9-none"])),
    ),
    COUNTS,
    WORKLOADS,
)
def test_every_workload_ends_in_a_sizing_or_in_findings(
    place: tuple[str, str], count: str | int, workload: dict[str, Any]
) -> None:
    stack = parse_stack(document(*place, count, workload), "demo")
    assert len(lock_inputs_hash(stack)) == 64
    sizing, findings, status = attempt(stack)
    assert (sizing is None) == bool(findings)
    if sizing is None:
        assert status == 65
        assert all(finding.path and finding.message and finding.code.startswith("FY16") for finding in findings)
        return
    result, deadline = sizing.workloads["work"], stack.workloads["work"].deadline
    assert result.count >= 1
    assert result.memory.fits
    assert result.step_s > 0
    if result.seconds is not None and deadline is not None:
        assert 0 < result.seconds <= deadline.total_seconds()
    assert lock_document(stack, sizing)["workloads"]["work"]["count"] == result.count


def attempt(stack: Stack) -> tuple[StackSizing | None, tuple[Finding, ...], int]:
    try:
        return size_stack(stack), (), 0
    except FleetyardError as wrong:
        return None, wrong.findings, wrong.exit_code
