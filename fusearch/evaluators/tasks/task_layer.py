"""The contract of the torch half of a task. Axis letters: B batch, K logits, O outputs, M members."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusearch.errors import EvaluationError
from fusearch.evaluators.tasks.convex import STRENGTHS, Floats, LinearMap, Solver
from fusearch.registry import Registry
from fusearch.tasks import Task

__all__ = ["TASK_LAYERS", "TaskLayer", "at_least_float32", "bind_task", "task_layer"]


class TaskLayer(nn.Module, ABC):
    """What a task is to a network: how many logits it gives, the loss of a whole batch of them, and what they say.

    It has no parameters. What it takes from targets (`fit`) are numbers of the training rows of a fold, and what it takes from a trained
    network as well (`settled`) are numbers of that network. It is part of an exported model.

    Args:
        task: What is predicted.

    Attributes:
        classes: Whether logits are scores of classes of which a sample has one, so that votes join probabilities, not values.
        unit: What one unit of a logit is in the units of the target, for tolerances and attributions.
        grid: Of a dense task, the grid whose positions have classes: a network says (classes, *grid) of a sample, flat; else empty.
    """

    classes: ClassVar[bool] = False
    grid: tuple[int, ...] = ()

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        self.unit = 1.0

    @property
    @abstractmethod
    def num_logits(self) -> int:
        """Numbers that a network returns for a sample."""

    @abstractmethod
    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss of a whole batch, a scalar of at least float32 that does not hang on the order of its rows.

        Args:
            logits_BK: What the network says, possibly in half precision.
            targets_B: Targets as `encode` gives them, (B,) or (B, numbers of a sample).
            weights: What `class_weights` gives, where the recipe asks for balanced classes.
        """

    def loss_of_known(self, logits_BK: Tensor, targets_B: Tensor, known_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss of the rows that have a label, 0 where none has; beside other tasks a sample may lack it.

        By default those rows are selected, which members that are trained together cannot do: they are then trained one by one.

        Args:
            logits_BK: As for `loss`.
            targets_B: As for `loss`, 0 in rows without a label.
            known_B: Which rows have one.
            weights: As for `loss`.
        """
        if not bool(known_B.any()):
            return 0.0 * at_least_float32(logits_BK).sum()
        return self.loss(logits_BK[known_B], targets_B[known_B], weights)

    @property
    def logit_columns(self) -> Mapping[str, slice]:
        """Of several tasks, where the logits of each stand, by its name; empty where there is one."""
        return {}

    @abstractmethod
    def forward(self, logits_BK: Tensor) -> Tensor:
        """Turn logits into outputs, (B, O), in the units of the target: one for each name in `task.outputs`."""

    def average(self, outputs_MBO: Tensor) -> Tensor:
        """Return what several networks say together: the mean of their outputs."""
        return outputs_MBO.mean(dim=0)

    def fit(self, targets: NDArray[Any]) -> TaskLayer:
        """Take from training targets what `encode`, `loss` and outputs need of them, and return itself; by default nothing."""
        del targets
        return self

    def settled(self, logits: Callable[[], Tensor], targets_N: Tensor) -> TaskLayer:
        """Return the layer that turns the logits of one trained network into outputs; by default itself.

        What outputs need and the loss leaves open, such as a baseline hazard, is estimated here on the training rows.

        Args:
            logits: Gives what the network says of the training rows, (N, K); it is asked only where that is needed.
            targets_N: Their targets, as `encode` gives them.
        """
        del logits, targets_N
        return self

    def constant_logits(self, targets_N: Tensor, weights: Tensor | None = None) -> Tensor | None:
        """Return the logits that say the shares of the training rows of every sample, (K,): heads start there (decision 0112).

        By default None: they start at 0.

        Args:
            targets_N: Targets of the training rows, as `encode` gives them.
            weights: What `loss_weights` gives: of balanced classes the shares are equal.
        """
        del targets_N, weights
        return None

    def encode(self, targets: NDArray[Any]) -> Tensor:
        """Return targets as the loss reads them; by default as they are."""
        return torch.as_tensor(np.ascontiguousarray(targets))

    def solver(self, *, balanced: bool) -> Solver | None:
        """Return what solves a linear model of some columns; by default None: it is trained by steps, and a stack of votes is their mean.

        Args:
            balanced: Whether rare classes weigh as much as frequent ones.
        """
        del balanced
        return None

    def solve(
        self,
        solver: Solver,
        columns_ND: Floats,
        targets_N: Tensor,
        *,
        weights: Tensor | None = None,
        held: tuple[Floats, Tensor] | None = None,
        sides: Iterable[tuple[Tensor, Tensor]] = (),
    ) -> tuple[LinearMap, float]:
        """Solve a linear model for the strength of regularization that has the least loss on held-out rows; of too few rows it is 1.

        Args:
            solver: What `solver` gives.
            columns_ND: What the model reads.
            targets_N: Targets of these rows, as `encode` gives them.
            weights: What `class_weights` gives, where the recipe asks for balanced classes.
            held: Columns and targets of rows that choose the strength.
            sides: Where there are none: which rows to solve for and which to hold out, (N,) each, in turn.

        Returns:
            The solution, and the loss of the held-out rows; NaN where none were held out.
        """

        def solved(rows: NDArray[np.bool_] | slice) -> Callable[[float], LinearMap]:
            return solver(columns_ND[rows], targets_N[rows].cpu().numpy())

        def loss(solution: LinearMap, columns: Floats, targets: Tensor) -> float:
            weight, bias = solution
            logits = torch.as_tensor(columns @ weight.T + bias, dtype=torch.float32, device=targets.device)
            return float(self.loss(logits, targets, weights))

        whole = solved(slice(None))
        if held is not None:
            judged = [(whole, *held)]
        else:
            judged = [(solved(seen.cpu().numpy()), columns_ND[rest.cpu().numpy()], targets_N[rest]) for seen, rest in sides]
        if not judged:
            return whole(1.0), math.nan
        losses = [sum(loss(each(strength), columns, targets) for each, columns, targets in judged) / len(judged) for strength in STRENGTHS]
        best = min(range(len(STRENGTHS)), key=losses.__getitem__)
        return whole(STRENGTHS[best]), losses[best]

    def class_weights(self, targets_B: Tensor) -> Tensor | None:
        """Return weights that make rare classes count as much as frequent ones; None where there are no classes."""
        del targets_B
        return None

    def row_weights(self, targets_N: Tensor) -> Tensor | None:
        """Return how often to draw each row so that each class comes equally often, (N,), relative; None where there are no classes."""
        del targets_N
        return None

    def focal_loss(self, logits_BK: Tensor, targets_B: Tensor, gamma: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss with each sample weighed by (1 - p)^gamma, p what it gives the truth (Lin et al. 2017).

        Args:
            logits_BK: As in `loss`.
            targets_B: As in `loss`.
            gamma: A scalar, 0 for the loss as it is.
            weights: As in `loss`.

        Raises:
            EvaluationError: The task says no focal loss.
        """
        del logits_BK, targets_B, gamma, weights
        raise EvaluationError(f"recipe: focal: the task {self.task.kind!r} has no focal loss, expected 0")

    def loss_weights(self, targets_B: Tensor, *, balanced: bool) -> Tensor | None:
        """Return the weights that the loss takes: those of `class_weights` where the recipe asks for balanced classes."""
        return self.class_weights(targets_B) if balanced else None

    def scored(self, logits_NK: Tensor) -> NDArray[np.float64]:
        """Return what metrics read, (N, O), or (N,) where a sample has one output."""
        return self.task.scored(self(logits_NK.double().cpu()).numpy())

    def judged(self, logits_NK: Tensor, targets: NDArray[Any]) -> NDArray[np.float64]:
        """Return what metrics read of some rows; a dense task scores each of them by its target.

        Args:
            logits_NK: What a network says.
            targets: Targets of the rows, as the data set holds them.
        """
        del targets
        return self.scored(logits_NK)

    def chosen(self, logits_BK: Tensor) -> Tensor:
        """Return the position of the largest logit, (B,), as `explained` reads it."""
        return logits_BK.argmax(dim=1)

    def explained(self, logits_BK: Tensor, chosen_B: Tensor) -> Tensor:
        """Return what attributions are shares of, (B,); `chosen_B` is what `chosen` said before anything moved."""
        del chosen_B
        return logits_BK[:, 0]

    def residuals(self, logits_NMK: Tensor, targets_N: Tensor) -> Tensor:
        """Return the errors of M voters, (N, M, any), which weights of votes are fitted on; by default none, so that all weigh alike."""
        del targets_N
        return torch.zeros_like(logits_NMK)

    def certainty(self, logits_BK: Tensor, targets_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return how much a network trusts the truth, from 0 to 1, and its error, (B,) each.

        By default, for tasks that cannot say it row by row, it trusts all rows and errs in none. There may be more logits than
        `num_logits`.
        """
        del targets_B
        error_B = 0.0 * logits_BK.sum(dim=1)
        return torch.exp(-error_B), error_B

    def alike(self, targets_B: Tensor) -> Tensor:
        """Return how alike the targets of two samples are, (B, B) from 0 to 1; by default exp(-|t_i - t_j|^2)."""
        rows_BN = targets_B.reshape(len(targets_B), -1)
        return torch.exp(-(rows_BN[:, None] - rows_BN[None]).square().sum(dim=2))


def at_least_float32(logits: Tensor) -> Tensor:
    """Return logits in float32 where they come in half precision."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


TASK_LAYERS: Registry[type[TaskLayer]] = Registry("task layer")

L = TypeVar("L", bound=type[TaskLayer])


def task_layer(kind: str) -> Callable[[L], L]:
    """Bind a layer to the task of that name."""

    def register(layer: L) -> L:
        TASK_LAYERS.add(kind, layer)
        return layer

    return register


def bind_task(task: Task) -> TaskLayer:
    """Return the torch half of a task, not fitted.

    Raises:
        UnknownNameError: It has none.
    """
    return TASK_LAYERS[task.kind](task)
