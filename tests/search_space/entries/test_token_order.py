"""What the entries of fusearch's own operators say of the order of tokens is what their layers do."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

import fusearch.evaluators.operators  # noqa: F401  # registers the layers
from fusearch.evaluators.network.operator_layer import LAYERS, TokenShape, argument_order
from fusearch.search_space import OPERATORS
from fusearch.search_space.entries.operator import Operator
from fusearch.search_space.entries.parameter import Value
from fusearch.search_space.entries.token_order import order_kept_of_first, order_kept_of_one

# A join of tokens has no grid. Where tokens stand beside a grid, the entry says of them what it says of the grid.
ONE, MANY = TokenShape(1, 8), TokenShape(6, 8)
ORDER = torch.tensor([3, 5, 0, 2, 1, 4])
NAMES = [operator.name for operator in OPERATORS.values() if not operator.scores_only and not operator.needs_grid]


def defaults(name: str) -> dict[str, Value]:
    return {key: param.default for key, param in OPERATORS[name].params.items()}


def sorted_tokens(x_BTD: Tensor) -> Tensor:
    """The tokens of each sample in an order of their own."""
    order = (x_BTD @ torch.linspace(1, 2, x_BTD.shape[2], dtype=x_BTD.dtype)).argsort(dim=1)
    return x_BTD.gather(1, order[:, :, None].expand_as(x_BTD))


def happens(operator: Operator, params: dict[str, Value], many: tuple[bool, ...], index: int) -> str:
    """What becomes of the result where the tokens of one argument change places."""
    shapes = [MANY if each else ONE for each in many]
    order = argument_order(shapes) if operator.takes_width_of_one(params) else tuple(range(len(shapes)))
    torch.manual_seed(0)
    layer = LAYERS[operator.name]([shapes[at] for at in order], 8, **params).double().eval()
    for name, parameter in layer.named_parameters():
        torch.nn.init.normal_(parameter, std=0.0 if "positions" in name else 0.5)  # learned positions move with the tokens
    xs = [torch.randn(3, shape.tokens, shape.width, dtype=torch.float64) for shape in shapes]
    moved = [x[:, ORDER] if at == index else x for at, x in enumerate(xs)]
    present = [torch.ones(3, dtype=torch.bool)] * len(xs)
    before, after = (layer([each[at] for at in order], present) for each in (xs, moved))
    pairs = list(zip(before, after, strict=True)) if isinstance(before, list) else [(before, after)]
    if all(torch.allclose(one, other) for one, other in pairs):
        return "lost"
    return "kept" if all(torch.allclose(sorted_tokens(one), sorted_tokens(other)) for one, other in pairs) else "seen"


@pytest.mark.parametrize("name", NAMES)
def test_the_entry_says_what_becomes_of_the_order(name: str) -> None:
    operator, params, how = OPERATORS[name], defaults(name), ("lost", "kept", "seen")
    switches = {key: param.choices or (True,) for key, param in operator.params.items() if isinstance(param.default, str | bool)}
    for changed in [{}, *({key: choice} for key, choices in switches.items() for choice in choices)]:
        for many in product((False, True), repeat=operator.min_args):
            told = operator.token_order({**params, **changed}, many)
            for index in (at for at, each in enumerate(many) if each):
                found = happens(operator, {**params, **changed}, many, index)
                assert how.index(found) <= how.index(told[index]), (changed, many, index, found)


def test_what_is_said_is_no_more_than_what_happens() -> None:
    """That an order is seen is said of everything; these are told more closely."""
    told = {name: tuple(OPERATORS[name].token_order(defaults(name), (True, True))) for name in NAMES}
    assert told["cat_tokens"] == ("kept", "kept")
    assert told["cat"] == told["sum"] == ("seen", "seen")
    assert told["cross_attention"] == tuple(order_kept_of_first({}, (True, True))) == ("kept", "lost")
    assert tuple(order_kept_of_one({}, (True, False))) == ("kept", "kept")
