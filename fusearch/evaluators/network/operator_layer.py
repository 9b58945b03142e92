"""The contract of every operator layer.

Axis letters: B batch, T tokens, D width. Every edge of a design carries `x_BTD`; a vector has T = 1, an image its positions
(row by row), a series its steps. `present_B` says which samples have the modality at all.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from fusearch.errors import DesignError
from fusearch.evaluators.tasks import TaskLayer
from fusearch.registry import Registry

__all__ = ["LAYERS", "Losses", "OperatorLayer", "TokenShape", "argument_order", "mask_absent", "operator_layer", "resize_tokens"]


@dataclass(frozen=True)
class TokenShape:
    """What an edge carries: number of tokens, width, and the grid that the tokens came from where there is one.

    `classes`: whether the numbers are scores of classes of which a sample has one; scores of other tasks are values.
    """

    tokens: int
    width: int
    grid: tuple[int, ...] | None = None
    classes: bool = False

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.width < 1:
            raise DesignError(f"token shape {self.tokens} x {self.width}: expected at least one token of width one")
        if self.grid is not None and math.prod(self.grid) != self.tokens:
            raise DesignError(f"grid {self.grid} has {math.prod(self.grid)} positions, expected {self.tokens}")


@dataclass
class Losses:
    """Collects the losses that operators add in one training step; absent (None) at inference and in an export.

    Attributes:
        targets: Targets of the batch, as `task` encodes them.
        task: What they are targets of.
        terms: Scalars added so far; the trainer weighs their sum by the recipe's `loss_weight`.
        weights: Weight of each row (B,), 0 for a row that only fills up the batch; None: all rows count alike.
    """

    targets: Tensor
    task: TaskLayer
    terms: list[Tensor] = field(default_factory=list)
    weights: Tensor | None = None

    def add(self, term: Tensor) -> None:
        """Add a scalar."""
        self.terms.append(term)

    def rows(self, present_B: Tensor) -> Tensor:
        """Return the weight (B,) of each row in a loss that only the `present_B` rows enter."""
        weights_B = self.targets.new_ones(self.targets.shape[:1], dtype=torch.get_default_dtype()) if self.weights is None else self.weights
        return torch.where(present_B, weights_B, torch.zeros_like(weights_B))

    def total(self) -> Tensor:
        """Return the sum of all terms."""
        return torch.stack(self.terms).sum() if self.terms else self.targets.new_zeros((), dtype=torch.float32)


class OperatorLayer(nn.Module, ABC):
    """Computes one operator.

    A layer is built from the shapes of its arguments and works for any T and D. It must be batch-equivariant: no statistics over the
    batch (no BatchNorm). The class docstring says what absent arguments (`present` False) do; what stands in them is arbitrary and must not
    matter (`mask_absent`).

    Args:
        shapes: Shape of each argument, in order.
        width: Hidden and output width where the operator is free to choose one.

    Attributes:
        out: Shape of the result; a tuple with one shape an argument where the operator has ports.
        per_result: Names of the module lists that hold, of an operator with ports, one module for each result and make nothing else.
        unread: Results that nothing reads, by position. They are not made: what stands in their places is arbitrary.
    """

    out: TokenShape | tuple[TokenShape, ...]
    per_result: tuple[str, ...] = ()
    unread: frozenset[int] = frozenset()

    def leave_out(self, unread: Collection[int]) -> None:
        """Drop what only makes results that nothing reads: no gradient would ever reach its weights."""
        self.unread = frozenset(unread)
        for name in self.per_result:
            modules: nn.ModuleList = getattr(self, name)
            for index in self.unread:
                modules[index] = nn.Identity()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Pass over weights of results that nothing reads: runs of version 0.1.0 kept them."""
        left_out = tuple(f"{prefix}{name}." for name, module in self.named_modules() if isinstance(module, nn.Identity))
        for key in [key for key in state_dict if left_out and key.startswith(left_out)]:
            del state_dict[key]
        super()._load_from_state_dict(state_dict, prefix, *rest)

    @abstractmethod
    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor | list[Tensor]:
        """Join the arguments.

        Args:
            xs: One (B, T_i, D_i) tensor an argument.
            present: One (B,) boolean tensor an argument.
            losses: Where an operator with `adds_loss` puts its term during training.

        Returns:
            (B, T, D), or a list of one result per argument where the operator has ports.
        """


LAYERS: Registry[type[OperatorLayer]] = Registry("operator layer")

L = TypeVar("L", bound=type[OperatorLayer])


def operator_layer(name: str) -> Callable[[L], L]:
    """Bind a layer to the operator of that name."""

    def register(layer: L) -> L:
        LAYERS.add(name, layer)
        return layer

    return register


def argument_order(shapes: Sequence[TokenShape], continued: int | None = None) -> tuple[int, ...]:
    """Return the order in which a symmetric operator that keeps its first argument's shape takes its arguments (decision 0030).

    A symmetric operator must not depend on the order in which a formula names its arguments, but where their shapes differ it has to
    keep one of them: the argument whose stream the trunk continues, else the one with the most tokens, then the largest width.

    Args:
        shapes: Shape of each argument, in the order of the formula.
        continued: Position of the argument whose stream the trunk continues.
    """

    def rank(index: int) -> tuple[bool, int, int, tuple[int, ...]]:
        shape = shapes[index]
        return index != continued, -shape.tokens, -shape.width, tuple(-size for size in shape.grid or ())

    return tuple(sorted(range(len(shapes)), key=rank))


def mask_absent(x_BTD: Tensor, present_B: Tensor) -> Tensor:
    """Zero the samples that lack the argument; unlike a product it also stops NaN and infinity, forward and backward.

    Each operator masks its own arguments (decision 0045), so that an absent one is the neutral element of its join (decision 0031).
    """
    return torch.where(present_B[:, None, None], x_BTD, 0.0)


def resize_tokens(x_BTD: Tensor, source: TokenShape, target: TokenShape) -> Tensor:
    """Bring tokens onto the grid of `target`: linear interpolation where both have a grid of equal rank, else mean then repeat.

    One token is repeated; equal token counts pass unchanged.
    """
    if source.tokens == target.tokens:
        return x_BTD
    batch, _, width = x_BTD.shape
    if source.grid is not None and target.grid is not None and len(source.grid) == len(target.grid) <= 3:
        mode = ("linear", "bilinear", "trilinear")[len(source.grid) - 1]
        grid_BDs = x_BTD.transpose(1, 2).reshape(batch, width, *source.grid)
        grid_BDs = nn.functional.interpolate(grid_BDs, size=target.grid, mode=mode, align_corners=False)
        return grid_BDs.flatten(2).transpose(1, 2)
    return x_BTD.mean(dim=1, keepdim=True).expand(batch, target.tokens, width)
