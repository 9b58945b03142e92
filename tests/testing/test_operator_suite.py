"""The suite passes a plug-in that keeps the contract, and finds each way to break it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import fusearch.testing
from fusearch.evaluators.network.operator_layer import LAYERS, OperatorLayer, TokenShape, mask_absent, operator_layer
from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.testing import OperatorSuite, affine

ENTRY = Operator(
    "weighted_pair",
    "tensor",
    params={"scale": Param(1.0, (1.0, 2.0))},
    max_args=2,
    equation="y = scale * W_1 mean(x_1) + W_2 mean(x_2)",
    absent="adds nothing",
    reference="this test",
)


class WeightedPair(OperatorLayer):
    """y = scale * W_1 mean(x_1) + W_2 mean(x_2)."""

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.maps = nn.ModuleList(nn.Linear(shape.width, width, bias=False) for shape in shapes)
        self.out: TokenShape = TokenShape(1, width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Any = None) -> Tensor:
        left, right = (linear(mask_absent(x, mask).mean(dim=1)) for linear, x, mask in zip(self.maps, xs, present, strict=True))
        return (self.scale * left + right)[:, None]


class WeightedPairSuite(OperatorSuite):
    """What a plug-in would write."""

    name = "weighted_pair"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Any) -> Tensor:
        left, right = (affine(linear, sum(x) / len(x)) for linear, x in zip(layer.maps, xs, strict=True))
        return (params["scale"] * left + right)[None]


LAWS = [name for name in dir(OperatorSuite) if name.startswith("test_")]


@pytest.fixture
def registered() -> Iterator[Any]:
    """Register an entry and a layer for the length of a test."""

    def register(entry: Operator, layer: type[OperatorLayer]) -> None:
        OPERATORS.add(entry.name, entry)
        operator_layer(entry.name)(layer)

    yield register
    OPERATORS.remove("weighted_pair")
    LAYERS.remove("weighted_pair")


@pytest.mark.parametrize("law", LAWS)
def test_a_plug_in_that_keeps_the_contract_passes(registered: Any, law: str) -> None:
    registered(ENTRY, WeightedPair)
    getattr(WeightedPairSuite(), law)()


class ReadsTheAbsent(WeightedPair):
    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Any = None) -> Tensor:
        return super().forward(xs, [torch.ones_like(mask) for mask in present])


class MultipliesByTheMask(WeightedPair):
    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Any = None) -> Tensor:
        xs = [x * mask[:, None, None] for x, mask in zip(xs, present, strict=True)]
        return super().forward(xs, [torch.ones_like(mask) for mask in present])


class MixesSamples(WeightedPair):
    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Any = None) -> Tensor:
        result = super().forward(xs, present)
        return result - result.mean(dim=0)


class ForgetsItsParameter(WeightedPair):
    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Any = None) -> Tensor:
        self.scale = 1.0
        return super().forward(xs, present)


class HasADeadParameter(WeightedPair):
    def __init__(self, shapes: Sequence[TokenShape], width: int, *, scale: float) -> None:
        super().__init__(shapes, width, scale=scale)
        self.unused = nn.Parameter(torch.ones(3))


class PromisesAnotherShape(WeightedPair):
    def __init__(self, shapes: Sequence[TokenShape], width: int, *, scale: float) -> None:
        super().__init__(shapes, width, scale=scale)
        self.out = TokenShape(2, width)


class TakesAnotherKeyword(WeightedPair):
    def __init__(self, shapes: Sequence[TokenShape], width: int, *, factor: float = 1.0) -> None:
        super().__init__(shapes, width, scale=factor)


class AddsALoss(WeightedPair):
    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Any = None) -> Tensor:
        result = super().forward(xs, present)
        if losses is not None:
            losses.add(result.sum())
        return result


class DependsOnTheData(WeightedPair):
    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Any = None) -> Tensor:
        return super().forward(xs, present) * (1 if xs[0].sum().item() > 0 else 2)


@pytest.mark.parametrize(
    ("layer", "law"),
    [
        (ReadsTheAbsent, "test_absent_content_has_no_influence"),
        (MultipliesByTheMask, "test_absent_content_has_no_influence"),
        (MixesSamples, "test_samples_do_not_mix"),
        (MixesSamples, "test_layer_matches_its_naive_twin"),
        (ForgetsItsParameter, "test_parameters_are_honoured"),
        (HasADeadParameter, "test_gradients_reach_everything"),
        (PromisesAnotherShape, "test_any_tokens_and_widths"),
        (TakesAnotherKeyword, "test_entry_and_layer_agree"),
        (AddsALoss, "test_losses_come_in_training_only"),
        (DependsOnTheData, "test_torch_export"),
        (DependsOnTheData, "test_members_run_in_one_batch"),
    ],
)
def test_each_breach_is_found(registered: Any, layer: type[OperatorLayer], law: str) -> None:
    registered(ENTRY, layer)
    with pytest.raises(Exception, match=r".") as found:
        getattr(WeightedPairSuite(), law)()
    assert not isinstance(found.value, AttributeError | NameError | TypeError)


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"symmetric": True}, "test_symmetric_arguments_may_change_places"),
        ({"keeps": "first"}, "test_any_tokens_and_widths"),
        ({"absent": ""}, "test_entry_and_layer_agree"),
        ({"trained": False}, "test_gradients_reach_everything"),
        ({"adds_loss": True}, "test_losses_come_in_training_only"),
    ],
)
def test_an_entry_that_promises_too_much_is_found(registered: Any, change: dict[str, Any], law: str) -> None:
    registered(replace(ENTRY, **change), WeightedPair)
    suite = WeightedPairSuite()
    suite.params = {"scale": 2.0}  # type: ignore[misc]  # a class attribute elsewhere
    with pytest.raises(AssertionError):
        getattr(suite, law)()


def test_without_a_twin_the_law_is_skipped(registered: Any) -> None:
    registered(ENTRY, WeightedPair)
    suite = OperatorSuite()
    suite.name = "weighted_pair"
    with pytest.raises(pytest.skip.Exception, match="no naive twin"):
        suite.test_layer_matches_its_naive_twin()


def test_names_of_the_package_resolve() -> None:
    assert all(getattr(fusearch.testing, name) for name in fusearch.testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'OperatorSuit'"):
        fusearch.testing.OperatorSuit  # noqa: B018  # the look-up is the test
