"""What a suite of operators works with: shapes, layers, arguments, and the naive twin."""

# ruff: noqa: S101  # laws are assertions

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, TokenShape
from fusearch.evaluators.operators import LAYERS, OperatorLayer
from fusearch.evaluators.tasks import TaskLayer, bind_task
from fusearch.search_space.entries.parameter import Value, complete_params
from fusearch.search_space.operators import OPERATORS, Operator
from fusearch.tasks.classification import Classification
from fusearch.tasks.regression import Regression

__all__ = ["CLASSES", "SCORES", "WIDTH", "OperatorCase", "affine"]

WIDTH = 8
CLASSES = 3

#: What an argument of a decision-level operator carries: scores of classes.
SCORES = TokenShape(1, CLASSES, classes=True)


class OperatorCase:
    """An operator under test; see `OperatorSuite`."""

    name: str
    params: ClassVar[Mapping[str, Value]] = {}
    features_move: ClassVar[bool] = False
    no_vmap: ClassVar[str] = ""

    @property
    def operator(self) -> Operator:
        """The entry of the operator."""
        return OPERATORS[self.name]

    def shape_sets(self) -> Iterator[list[TokenShape]]:
        """Give shapes that the layer must take: vectors, grids of several ranks, mixtures; for each number of arguments."""
        if self.operator.scores_only:
            sets = [[SCORES] * 4, [TokenShape(1, 1)] * 4]
        else:
            sets = [
                [TokenShape(1, 5), TokenShape(1, 3), TokenShape(1, 8), TokenShape(1, 1)],
                [TokenShape(12, 6, (3, 4)), TokenShape(1, 4), TokenShape(6, 6, (2, 3)), TokenShape(5, 2)],
                [TokenShape(4, 3, (4,)), TokenShape(8, 3, (2, 2, 2)), TokenShape(4, 3), TokenShape(8, 8, (8,))],
            ]
        most = self.operator.max_args or max(3, self.operator.min_args)
        for shapes in sets:
            for count in range(self.operator.min_args, min(4, most) + 1):
                yield shapes[:count]

    def shapes(self) -> list[TokenShape]:
        """Return the shapes of arguments that most laws use: several tokens, different widths."""
        if self.operator.scores_only:
            return [SCORES] * 3
        most = self.operator.max_args or 3
        shapes = [TokenShape(6, 4, (2, 3)), TokenShape(4, 5, (4,)), TokenShape(3, 8), TokenShape(2, 3)]
        return shapes[: max(self.operator.min_args, min(3, most))]

    def build(self, shapes: Sequence[TokenShape], changed: Mapping[str, Value] | None = None, seed: int = 0) -> OperatorLayer:
        """Return the layer in float64 and evaluation mode, with every parameter away from zero and votes fitted."""
        params = complete_params({**self.params, **(changed or {})}, self.operator.params, self.name)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            layer = LAYERS[self.name](shapes, WIDTH, **params).double().eval()
            for parameter in layer.parameters():
                parameter.data += 0.1 * torch.randn(parameter.shape, dtype=parameter.dtype)
        fit = getattr(layer, "fit", None)
        if fit is not None:
            xs, _ = self.inputs(shapes, batch=40, seed=1)
            fit(xs, self.targets(40, shapes), [torch.ones(40, dtype=torch.bool)] * len(shapes), self.task(shapes))
        return layer

    def inputs(self, shapes: Sequence[TokenShape], batch: int = 5, seed: int = 0) -> tuple[list[Tensor], list[Tensor]]:
        """Return arguments and masks; the first sample has all arguments, the last one has none."""
        generator = torch.Generator().manual_seed(seed)
        xs = [torch.randn(batch, shape.tokens, shape.width, generator=generator, dtype=torch.float64) for shape in shapes]
        present = [torch.rand(batch, generator=generator) < 0.6 for _ in shapes]
        for mask in present:
            mask[0], mask[-1] = True, False
        return xs, present

    def targets(self, batch: int, shapes: Sequence[TokenShape]) -> Tensor:
        """Return class codes, or numbers where scores are values."""
        if not self.operator.scores_only:
            return torch.arange(batch) % CLASSES
        return torch.arange(batch) % shapes[0].width if shapes[0].classes else torch.arange(batch).double()

    def task(self, shapes: Sequence[TokenShape]) -> TaskLayer:
        """Return the task of these targets."""
        classes = not self.operator.scores_only or shapes[0].classes
        width = shapes[0].width if self.operator.scores_only else CLASSES
        return bind_task(Classification("class", tuple(map(str, range(width)))) if classes else Regression("value"))

    def losses(self, batch: int, shapes: Sequence[TokenShape]) -> Losses | None:
        """Return what an operator that adds a loss puts it into; None for the others."""
        return Losses(self.targets(batch, shapes), self.task(shapes)) if self.operator.adds_loss else None

    def permute_state(self, layer: OperatorLayer, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:  # noqa: ARG002  # for subclasses
        """Return the weights with which a layer for `[shapes[i] for i in order]` computes what `layer` does for `shapes`.

        Here: every list of modules or parameters with one item an argument is reordered, the lists in it alike. Override it where an
        argument has weights in another place.
        """
        return reorder_lists(layer, order)

    def run(self, layer: OperatorLayer, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return the results as a list, one where the operator has no ports."""
        result = layer(xs, present, losses)
        assert isinstance(result, list) == self.operator.ports, f"{self.name}: a list of results if and only if the operator has ports"
        return result if isinstance(result, list) else [result]

    def expected(self, layer: OperatorLayer, xs: list[Tensor], here: list[bool], params: Mapping[str, Value]) -> Tensor | list[Tensor]:
        """Return what the equation gives for one sample, written as plainly as can be: the naive twin of the layer.

        Args:
            layer: Where the weights are.
            xs: One (T, D) tensor an argument, zero where it is absent.
            here: Whether each argument is present.
            params: The complete parameters.
        """
        raise NotImplementedError

    def twin_shapes(self) -> list[list[TokenShape]]:
        """Return shapes for the naive twin, which need not know how tokens are resized: equal numbers of tokens."""
        return [[TokenShape(tokens, shape.width) for shape in self.shapes()] for tokens in ((1,) if self.operator.scores_only else (1, 3))]

    def trained(self, layer: nn.Module) -> list[nn.Parameter]:
        """Return the parameters that a gradient moves."""
        return [parameter for parameter in layer.parameters() if parameter.requires_grad]

    def deployable(self) -> tuple[OperatorLayer, list[Tensor], list[Tensor]]:
        """Return the layer in float32, arguments and masks."""
        shapes = self.shapes()
        xs, present = self.inputs(shapes)
        return self.build(shapes).float(), [x.float() for x in xs], present


def reorder_lists(module: nn.Module, order: Sequence[int]) -> dict[str, Tensor]:
    """Return the state of a module in which every list of `len(order)` items is reordered."""
    state = {name: tensor for name, tensor in module.state_dict().items() if "." not in name}
    for name, child in module.named_children():
        positions = {str(old): str(new) for new, old in enumerate(order)}
        moves = isinstance(child, nn.ModuleList | nn.ParameterList) and len(child) == len(order)
        for key, tensor in reorder_lists(child, order).items():
            first, *rest = key.split(".")
            state[".".join([name, positions[first] if moves else first, *rest])] = tensor
    return state


def affine(module: nn.Module, vector: Tensor) -> Tensor:
    """Apply a linear layer (or none) to one vector, written out: for naive twins."""
    if isinstance(module, nn.Identity):
        return vector
    weight, bias = module.weight, module.bias
    assert isinstance(weight, Tensor)
    return weight @ vector + bias if isinstance(bias, Tensor) else weight @ vector
