"""One fusion of a design: its operator and its trunk. Axis letters: B batch, T tokens, D width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

import fusearch.evaluators.operators  # noqa: F401  # registers the layers
from fusearch.errors import DesignError
from fusearch.evaluators.network.blocks import ConvBlock, DenseBlock, RecurrentBlock, TransformerBlock
from fusearch.evaluators.network.encoder_network import StageEncoder
from fusearch.evaluators.network.operator_layer import LAYERS, Losses, OperatorLayer, TokenShape, argument_order, resize_tokens
from fusearch.search_space import OPERATORS, Fusion, Recipe

__all__ = ["Continuation", "Join", "concatenate_ports", "make_stage"]


def make_stage(family: str, shape: TokenShape, width: int, dropout: float) -> tuple[nn.Module, TokenShape]:
    """Return one stage of a new trunk and the shape of its result.

    `fc` works on each token alone, `conv` on the grid (tokens without a grid are a sequence), `rnn` along the tokens, `attention`
    between them.
    """
    if family == "conv":
        block = ConvBlock(shape, width, dropout)
        return block, block.out
    out = TokenShape(shape.tokens, width, shape.grid)
    if family == "fc":
        return DenseBlock(shape.width, width, dropout), out
    if family == "rnn":
        return RecurrentBlock(shape.width, width, dropout), out
    attention = TransformerBlock(width, dropout)
    return (attention if shape.width == width else nn.Sequential(nn.Linear(shape.width, width), attention)), out


def concatenate_ports(states: Sequence[Tensor], shapes: Sequence[TokenShape]) -> Tensor:
    """Put several results of one fusion side by side, on the tokens of the one that has most."""
    target = _port_tokens(shapes)
    return torch.cat([resize_tokens(x_BTD, shape, target) for x_BTD, shape in zip(states, shapes, strict=True)], dim=2)


def concatenated_shape(shapes: Sequence[TokenShape]) -> TokenShape:
    """Return the shape of `concatenate_ports`."""
    target = _port_tokens(shapes)
    return TokenShape(target.tokens, sum(shape.width for shape in shapes), target.grid)


def _port_tokens(shapes: Sequence[TokenShape]) -> TokenShape:
    return max(shapes, key=lambda shape: shape.tokens)


@dataclass(frozen=True)
class Continuation:
    """A trunk `continue(stream)`.

    Attributes:
        encoder: The encoder (owned by the streams, whose weights it shares).
        argument: Which argument it goes on with.
        behind: How many stages that has behind it.
        links: The stream at depth 0, where the encoder reads the links of positions there.
    """

    encoder: StageEncoder
    argument: int
    behind: int
    links: tuple[str, int] | None = None


class Join(nn.Module):
    """An operator and the trunk after it.

    Where the operator gives one result per argument, a new trunk has its own weights for each result that is read.

    Args:
        fusion: The fusion, complete.
        shapes: Shape of each argument.
        depths: Deepest read of each result: position of the argument (0 where the operator has no ports) -> depth.
        continuation: Where the trunk continues a stream.
        recipe: Width and dropout.
        outputs: Numbers that the task asks for a sample.

    Attributes:
        shapes: Result -> shape at each depth.

    Raises:
        DesignError: The operator does not keep the shape that the continued stream needs.
    """

    def __init__(
        self,
        fusion: Fusion,
        shapes: Sequence[TokenShape],
        depths: Mapping[int, int],
        continuation: Continuation | None,
        recipe: Recipe,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        operator = OPERATORS[fusion.operator]
        # A symmetric operator keeps the shape of one argument, whatever the order in which the formula names them.
        keeps_one = operator.takes_width_of_one(fusion.params)
        first = continuation.argument if continuation is not None else None
        self.order = argument_order(shapes, first) if keeps_one else tuple(range(len(shapes)))
        params = dict(fusion.params)
        if operator.classifies:
            params["classes"] = max(int(params["classes"]), outputs)
        self.layer: OperatorLayer = LAYERS[fusion.operator]([shapes[index] for index in self.order], recipe.width, **params)
        self.ports = operator.ports
        if operator.ports:
            self.layer.leave_out([index for index in range(len(shapes)) if index not in depths])
        out = self.layer.out if isinstance(self.layer.out, tuple) else (self.layer.out,)
        self.depths = dict(depths)
        # In a tuple, the encoder is not registered as a submodule a second time.
        self.continuation = (continuation,)
        self.shapes: dict[int, tuple[TokenShape, ...]] = {}
        self.trunks = nn.ModuleDict()
        for port, depth in self.depths.items():
            found = [out[port]]
            if continuation is None:
                stages = nn.ModuleList()
                for _ in range(depth):
                    stage, shape = make_stage(fusion.trunk.family, found[-1], recipe.width, recipe.dropout)
                    stages.append(stage)
                    found.append(shape)
                if depth:
                    self.trunks[f"result_{port}"] = stages
            elif depth:
                found += _continued_shapes(fusion, out[port], continuation, depth)
            self.shapes[port] = tuple(found)

    def forward(
        self, xs: Sequence[Tensor], present: Sequence[Tensor], losses: Losses | None = None, links: Tensor | None = None
    ) -> dict[tuple[int, int], Tensor]:
        """Return the state of every (result, depth); `links` is the state that a continuation names."""
        results = self.layer([xs[index] for index in self.order], [present[index] for index in self.order], losses)
        results = results if self.ports else [results]
        (continuation,) = self.continuation
        states: dict[tuple[int, int], Tensor] = {}
        for port, depth in self.depths.items():
            x_BTD = states[port, 0] = results[port]
            for index in range(depth):
                if continuation is not None:
                    x_BTD = continuation.encoder.stage(continuation.behind + index + 1, x_BTD, links)
                else:
                    x_BTD = self.trunks[f"result_{port}"][index](x_BTD)  # type: ignore[index]  # a ModuleList
                states[port, index + 1] = x_BTD
        return states


def _continued_shapes(fusion: Fusion, shape: TokenShape, continuation: Continuation, depth: int) -> tuple[TokenShape, ...]:
    shapes, behind = continuation.encoder.shapes, continuation.behind
    expected = shapes[behind]
    if (shape.tokens, shape.width) != (expected.tokens, expected.width):
        raise DesignError(
            f"{fusion.name}: {fusion.operator} gives {shape.tokens} x {shape.width} values a sample, but continue({fusion.trunk.stream}) "
            f"needs the {expected.tokens} x {expected.width} of {fusion.trunk.stream}@{behind}"
        )
    return shapes[behind + 1 : behind + depth + 1]
