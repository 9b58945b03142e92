"""How a training makes up for rare classes: weights in the loss, how rows are drawn, a loss that counts what is told well less.

Axis letters: N rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusearch.errors import EvaluationError
from fusearch.evaluators.tasks import TaskLayer
from fusearch.search_space import Recipe

__all__ = ["Balance", "constant_logits", "row_weights"]


@dataclass(frozen=True)
class Balance:
    """How classes, and samples that are told well already, count in a loss (decision 0097).

    Attributes:
        class_weights: Weights of the classes in training; None: all alike.
        held_weights: Weights of the classes where epochs are chosen: those that training has, by weights or by how rows are drawn.
        focal: Gamma of the focal loss, a scalar; None: the loss as it is.
    """

    class_weights: Tensor | None = None
    held_weights: Tensor | None = None
    focal: Tensor | None = None

    @classmethod
    def of(cls, recipe: Recipe, task: TaskLayer, targets_N: Tensor) -> Balance:
        """Return what a recipe asks for.

        Args:
            recipe: The recipe.
            task: What is predicted.
            targets_N: Targets of the training rows.

        Raises:
            EvaluationError: It draws by classes, or wants a focal loss, and the task has no classes.
        """
        wanted = next((name for name, off in (("sampling", "none"), ("focal", 0.0)) if getattr(recipe, name) != off), None)
        if wanted and not task.task.balances:
            raise EvaluationError(f"recipe: {wanted} is {getattr(recipe, wanted)}, but a {task.task.kind} has no classes to balance")
        weights = task.loss_weights(targets_N, balanced=recipe.class_weights == "balanced")
        held = task.loss_weights(targets_N, balanced=recipe.balances)
        focal = torch.tensor(recipe.focal, device=targets_N.device) if recipe.focal else None
        return cls(weights, held, focal)


def constant_logits(recipe: Recipe, task: TaskLayer, targets_N: Tensor) -> Tensor | None:
    """Return what heads start at: the shares of the classes as the recipe makes them count; None: 0."""
    return task.constant_logits(targets_N, task.loss_weights(targets_N, balanced=recipe.balances))


def row_weights(recipe: Recipe, task: TaskLayer, targets_N: Tensor) -> Tensor | None:
    """Return how often each row is drawn, (N,) on the CPU; None: each once an epoch."""
    weights = task.row_weights(targets_N) if recipe.sampling == "balanced" else None
    return None if weights is None else weights.cpu()
