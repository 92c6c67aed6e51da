"""How large a pool must be for a workload: first-order arithmetic with its assumptions spelled out.

`size` is the interface that stays when the model behind it is replaced.
"""

from __future__ import annotations

from fleetyard.sizing.assumptions import Assumptions, assumptions
from fleetyard.sizing.models import Model, UnknownModelError, model, models
from fleetyard.sizing.result import Choice, ImpossibleError, Kind, Memory, Sizing, Workload
from fleetyard.sizing.serve import size_serving
from fleetyard.sizing.train import size_training

__all__ = [
    "Assumptions",
    "Choice",
    "ImpossibleError",
    "Kind",
    "Memory",
    "Model",
    "Sizing",
    "UnknownModelError",
    "Workload",
    "assumptions",
    "model",
    "models",
    "size",
]


def size(workload: Workload, choice: Choice, assume: Assumptions | None = None) -> Sizing:
    """The fewest machines or slices for a workload, or the prediction for a count that is fixed.

    Raises ImpossibleError (which constraint fails, and by how much), UnknownModelError, and ValueError for a workload
    that is not complete.
    """
    if choice.count is not None and choice.count < 1:
        raise ImpossibleError(
            "count", 1, choice.count, choice.unit, "an empty pool does no work", "a count, or `sized`"
        )
    sizer = size_training if workload.kind is Kind.TRAIN else size_serving
    return sizer(workload, model(workload.model), choice, assume or assumptions())
