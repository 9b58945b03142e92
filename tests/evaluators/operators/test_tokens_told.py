"""What the entries of fusearch's own operators tell of tokens is exact, so that nothing is offered that could not be trained."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

import fusearch.evaluators.operators  # noqa: F401  # registers the layers
from fusearch.evaluators.network.operator_layer import LAYERS, TokenShape, argument_order
from fusearch.search_space import OPERATORS
from fusearch.search_space.entries.operator import Operator

ONE, MANY, SCORES = TokenShape(1, 8), TokenShape(9, 8, (3, 3)), TokenShape(1, 3, classes=True)


def settings(operator: Operator) -> Iterator[dict[str, Any]]:
    """Give the defaults, and each other choice of a word or a switch."""
    default = {name: param.default for name, param in operator.params.items()}
    yield default
    for name, param in operator.params.items():
        if isinstance(param.default, str | bool):
            yield from ({**default, name: choice} for choice in param.choices or (False, True) if choice != param.default)


@pytest.mark.parametrize("operator", [each for each in OPERATORS.values() if not each.scores_only], ids=lambda each: each.name)
def test_tokens_of_the_result(operator: Operator) -> None:
    for params, many in product(settings(operator), product((False, True), repeat=operator.min_args)):
        shapes = [MANY if each else ONE for each in many]
        if operator.takes_width_of_one(params):
            shapes = [shapes[index] for index in argument_order(shapes)]  # as the network does
        out = LAYERS[operator.name](shapes, 8, **params).out
        if isinstance(out, tuple):
            assert tuple(shape.tokens > 1 for shape in out) == many
        else:
            assert (out.tokens > 1) == operator.has_many(params, many), (params, many)


@pytest.mark.parametrize("operator", [each for each in OPERATORS.values() if each.scores_only], ids=lambda each: each.name)
def test_votes_give_one_vector(operator: Operator) -> None:
    out = LAYERS[operator.name]([SCORES] * 2, 8, **next(settings(operator))).out
    assert isinstance(out, TokenShape)
    assert out.tokens == 1
    assert not operator.has_many(next(settings(operator)), (False, False))
