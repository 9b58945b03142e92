"""Which recipes of a design leave its training early: successive halving by the loss of held-out rows (decision 0068)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

from fusearch.contracts import Outrun
from fusearch.errors import EvaluationError
from fusearch.evaluators.training.training_settings import TrainingSettings

__all__ = ["OutrunError", "is_rung", "worse_half"]

#: Times the patience of a training after which the worse half of the recipes that are left leaves. Earlier, those that learn fast look
#: best and those that end best do not (decision 0068).
RUNGS = (2, 4)

R = TypeVar("R", bound=Hashable)


class OutrunError(EvaluationError):
    """A training that was stopped as better recipes of its design train on.

    Attributes:
        outrun: When, and how it stood.
    """

    def __init__(self, outrun: Outrun) -> None:
        super().__init__(outrun.reason)
        self.outrun = outrun


def is_rung(epoch: int, settings: TrainingSettings) -> bool:
    """Whether recipes leave after an epoch: after the last one nothing is left to be saved.

    Example:
        >>> [epoch for epoch in range(100) if is_rung(epoch, TrainingSettings(epochs=60, patience=10))]
        [20, 40]
    """
    return epoch < settings.epochs and epoch in [times * settings.patience for times in RUNGS]


def worse_half(losses: Mapping[R, float], epoch: int) -> dict[R, Outrun]:
    """Return the recipes that leave: the worse half by their losses, of an odd number the smaller one; of equals the first stay.

    Args:
        losses: What each recipe has, in the order in which they were asked for.
        epoch: When this is.

    Example:
        >>> worse_half({"fast": 0.4, "slow": 0.6, "wild": 0.9}, 10)
        {'wild': Outrun(epoch=10, place=3, recipes=3)}
    """
    order = sorted(losses, key=losses.__getitem__)
    stay = len(order) - len(order) // 2
    return {recipe: Outrun(epoch, place, len(order)) for place, recipe in enumerate(order, 1) if place > stay}
