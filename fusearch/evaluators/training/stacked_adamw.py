"""AdamW of several members, whose tensors are stacked. Axis letters: N tensors, M members."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import groupby

import torch
from torch import Tensor
from torch.optim.adamw import adamw

__all__ = ["StackedAdamW", "laid_out_as", "only", "spans"]


class StackedAdamW:
    """AdamW that changes the tensors of several members in place, each as it would be alone.

    The fused kernel reads a tensor and its gradient as they lie in memory. So both are handed over with their axes in that order: nothing
    is copied where they lie alike (`laid_out_as`).

    Args:
        values: What is trained, (M, ...) each.
        numbers: Learning rate, weight decay and steps of an epoch of each member: neighbours of which all are equal are one call.
    """

    def __init__(self, values: Sequence[Tensor], numbers: Sequence[tuple[float, float, int]]) -> None:
        self.values, self.numbers = list(values), list(numbers)
        self.moments = [(torch.zeros_like(each), torch.zeros_like(each)) for each in values]
        self.steps_NM = torch.zeros(len(values), len(numbers), device=values[0].device)
        self.axes = [_axes_in_memory(each) for each in values]

    @torch.no_grad()
    def step(self, part: slice, gradients: Sequence[Tensor | None]) -> None:
        """Take a step of some members, given the gradients of them alone, one for each tensor; None where there is none."""
        numbers = self.numbers[part]
        for span in spans(numbers):
            learning_rate, weight_decay, _ = numbers[span.start]
            here = slice(part.start + span.start, part.start + span.stop)
            for vectors in (False, True):
                own = [
                    (at, gradient)
                    for at, gradient in enumerate(gradients)
                    if gradient is not None and (gradient.ndim <= 2) == vectors  # (M, D) is a vector
                ]
                adamw(
                    [self.values[at][here].permute(self.axes[at]) for at, _ in own],
                    [gradient[span].permute(self.axes[at]).contiguous() for at, gradient in own],
                    [self.moments[at][0][here].permute(self.axes[at]) for at, _ in own],
                    [self.moments[at][1][here].permute(self.axes[at]) for at, _ in own],
                    [],
                    [self.steps_NM[at, here.start] for at, _ in own],
                    fused=True,
                    amsgrad=False,
                    beta1=0.9,
                    beta2=0.999,
                    lr=learning_rate,
                    weight_decay=0.0 if vectors else weight_decay,
                    eps=1e-8,
                    maximize=False,
                )
            self.steps_NM[:, here.start + 1 : here.stop] = self.steps_NM[:, here.start, None]

    def keep(self, values: Sequence[Tensor], places: Sequence[int]) -> None:
        """Go on with the members of these places, whose tensors are these from now on."""
        self.values = list(values)
        self.numbers = [self.numbers[place] for place in places]
        self.moments = [(only(first, places), only(second, places)) for first, second in self.moments]
        self.steps_NM = self.steps_NM[:, list(places)]


def laid_out_as(values: Tensor, gradient: Tensor) -> Tensor:
    """Return the values (M, ...) with their axes in memory as those of their gradient, where that has no gaps and each member a piece.

    The gradient of a stacked matrix comes transposed: to copy it is a good part of a step of large designs (decision 0047).
    """
    axes = _axes_in_memory(gradient)
    fits = axes[0] == 0 and gradient.permute(axes).is_contiguous()
    return torch.empty_like(gradient, dtype=values.dtype).copy_(values) if fits else values


def only(values: Tensor, places: Sequence[int]) -> Tensor:
    """Return the values (M, ...) of the members of these places, with their axes in memory as before."""
    axes = _axes_in_memory(values)
    return values.permute(axes)[list(places)].permute([axes.index(axis) for axis in range(values.ndim)])


def spans(keys: Sequence[Hashable]) -> list[slice]:
    """Return the stretches of equal keys.

    Example:
        >>> spans(["a", "a", "b"])
        [slice(0, 2, None), slice(2, 3, None)]
    """
    found, start = [], 0
    for _, group in groupby(keys):
        stop = start + len(list(group))
        found.append(slice(start, stop))
        start = stop
    return found


def _axes_in_memory(values: Tensor) -> list[int]:
    """Return the axes, those first that take the longest steps in memory."""
    return sorted(range(values.ndim), key=lambda axis: (-values.stride()[axis], axis))
