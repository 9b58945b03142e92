"""Which rows an epoch takes, in which order, and what the noise of each hangs on. Axis letters: N rows, S rows of an epoch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["RowOrder", "draw_balanced"]


@dataclass(frozen=True)
class RowOrder:
    """The rows of each epoch of one optimization, drawn on the CPU, so that every device and every pack sees the same.

    Attributes:
        num_rows: Number of training rows.
        size: Rows of a step.
        generator: What draws the order.
        weights: How often each row is drawn, relative to the others, (N,); None: each once an epoch.
        noise: What draws the keys that changes of the rows hang on; None: they are not changed.
    """

    num_rows: int
    size: int
    generator: torch.Generator
    weights: Tensor | None = None
    noise: torch.Generator | None = None

    @property
    def sizes(self) -> list[int]:
        """How many rows each step of an epoch takes.

        A last portion below a quarter of `size` is dropped, unless it is the only one: its few rows would weigh as much as a whole batch,
        and the next epoch draws them again.

        Example:
            >>> [RowOrder(rows, 8, torch.Generator()).sizes for rows in (20, 17, 1)]
            [[8, 8, 4], [8, 8], [1]]
        """
        whole, rest = divmod(self.num_rows, self.size)
        return [self.size] * whole + [rest] * (rest > 0 and (not whole or rest * 4 >= self.size))

    def draw(self) -> tuple[Tensor, Tensor | None]:
        """Return the row numbers of the next epoch in the order of its steps, and the key of each, (S,)."""
        if self.weights is None:
            rows = torch.randperm(self.num_rows, generator=self.generator)
        else:
            rows = draw_balanced(self.weights, self.generator)
        rows = rows[: sum(self.sizes)]
        return rows, None if self.noise is None else torch.randint(2**62, rows.shape, generator=self.noise)

    def portions(self, device: torch.device | str = "cpu") -> list[tuple[Tensor, Tensor | None]]:
        """Return the row numbers of the next epoch and their keys, step by step."""
        rows, keys = self.draw()
        parts = torch.split(rows.to(device), self.sizes)
        return list(zip(parts, [None] * len(parts) if keys is None else torch.split(keys.to(device), self.sizes), strict=True))


def draw_balanced(weights: Tensor, generator: torch.Generator) -> Tensor:
    """Draw as many rows as there are, each as often as its weight says, in random order, (N,).

    Of the expected number of times each row gets the whole part, and one more as often as the rest says; so do rows of equal weight
    together, such as those of a class (systematic sampling).

    Args:
        weights: Of each row, (N,), none below 0, on the CPU.
        generator: Source of chance.

    Example:
        >>> drawn = draw_balanced(torch.tensor([3.0, 1.0, 1.0, 1.0]), torch.Generator().manual_seed(0))
        >>> sorted(drawn.bincount(minlength=4).tolist(), reverse=True)
        [2, 1, 1, 0]
    """
    count = len(weights)
    mixed = torch.randperm(count, generator=generator)
    order = mixed[torch.argsort(weights[mixed], stable=True)]
    ends = weights[order].double().cumsum(0)
    points = (torch.arange(count, dtype=torch.float64) + torch.rand((), generator=generator, dtype=torch.float64)) * (ends[-1] / count)
    rows = order[torch.searchsorted(ends, points, right=True).clamp(max=count - 1)]
    return rows[torch.randperm(count, generator=generator)]
