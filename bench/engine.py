"""`pulumi preview` and `pulumi up` of both environments, against a bare program on a provider that does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Ratio, Result, in_turn
from bench.sandbox import sandbox, stack_config

STACKS = ("a100-train", "tpu-train")
PREVIEW_BUDGET = 1.3
UP_BUDGET = 2.0
AGAINST = "bare program, no cloud"


def preview(pairs: int) -> Iterator[Result]:
    """Preview of either stack, nothing standing yet."""
    with sandbox() as place:
        for stack in STACKS:
            ours = place.ours({stack: stack_config(stack)})
            bare = place.bare(stack, ours.recorded(stack))
            a, b = in_turn(lambda p=ours, s=stack: p.preview(s), lambda p=bare, s=stack: p.preview(s), pairs)  # type: ignore[misc]
            yield Ratio(f"preview {stack}", a, b, PREVIEW_BUDGET, AGAINST)


def up(pairs: int) -> Iterator[Result]:
    """Up of either stack from nothing, in a world that already runs."""
    with sandbox() as place:
        for stack in STACKS:
            ours = place.ours({stack: stack_config(stack)})
            bare = place.bare(stack, ours.recorded(stack))
            a, b = in_turn(lambda p=ours, s=stack: p.up(s), lambda p=bare, s=stack: p.up(s), pairs)  # type: ignore[misc]
            yield Ratio(f"up {stack}", a, b, UP_BUDGET, AGAINST)
