"""How large a pool must be for a workload: a structural performance model, calibrated on published runs.

`size` takes a workload and a choice of machines. Importing this package imports no numpy; sizing does.
"""

from __future__ import annotations

from fleetyard.sizing.assumptions import Assumptions, assumptions
from fleetyard.sizing.models import Model, UnknownModelError, model, models
from fleetyard.sizing.result import Choice, ImpossibleError, Kind, Memory, Sizing, Workload

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
    wanted = model(workload.model)
    if workload.kind is Kind.TRAIN:
        from fleetyard.sizing.train import size_training

        return size_training(workload, wanted, choice, assume or assumptions())
    from fleetyard.sizing.serve import size_serving

    return size_serving(workload, wanted, choice, assume or assumptions())
