"""`pulumi preview` and `pulumi up` of both environments, against a bare program on a provider that does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.bare import differences
from bench.measure import Defect, Ratio, Result, in_turn
from bench.sandbox import Project, sandbox, stack_config

STACKS = ("a100-train", "tpu-train")
PREVIEW_BUDGET = 1.3
UP_BUDGET = 2.0
AGAINST = "bare program, no cloud"

Step = Callable[[Project, str], float]


def preview(pairs: int) -> Iterator[Result]:
    """Preview of either stack, nothing standing yet."""
    yield from _both("preview", Project.preview, pairs, PREVIEW_BUDGET)


def up(pairs: int) -> Iterator[Result]:
    """Up of either stack from nothing, in a world that already runs."""
    yield from _both("up", Project.up, pairs, UP_BUDGET)


def _both(name: str, step: Step, pairs: int, budget: float) -> Iterator[Result]:
    with sandbox() as place:
        for stack in STACKS:
            ours = place.ours({stack: stack_config(stack)})
            recorded = ours.recorded(stack)
            bare = place.bare(stack, recorded)
            for what in differences(recorded, bare.recorded(stack)):
                yield Defect(f"{name} {stack}: the bare program is another program", what)
            # The recording has warmed both sides.
            yield _ratio(f"{name} {stack}", step, ours, bare, stack, pairs, budget)


def _ratio(name: str, step: Step, ours: Project, bare: Project, stack: str, pairs: int, budget: float) -> Ratio:
    a, b = in_turn(lambda: step(ours, stack), lambda: step(bare, stack), pairs, warm=0)
    return Ratio(name, a, b, budget, AGAINST)
