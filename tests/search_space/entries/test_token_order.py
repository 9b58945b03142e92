"""What the entries of fusearch's own operators say of the order of tokens is what their layers do."""

from __future__ import annotations

from itertools import product
from zlib import crc32

import pytest
import torch
from torch import Tensor

import fusearch.evaluators.operators  # noqa: F401  # registers the layers
from fusearch.evaluators.network.operator_layer import LAYERS, TokenShape, argument_order
from fusearch.search_space import OPERATORS
from fusearch.search_space.entries.operator import Operator
from fusearch.search_space.entries.parameter import Value
from fusearch.search_space.entries.token_order import order_kept_of_one, order_linear_in_first

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


def run(operator: Operator, params: dict[str, Value], shapes: list[TokenShape], xs: list[Tensor]) -> list[Tensor]:
    """The results, whatever the number of tokens by the same weights."""
    order = argument_order(shapes) if operator.takes_width_of_one(params) else tuple(range(len(shapes)))
    layer = LAYERS[operator.name]([shapes[at] for at in order], 8, **params).double().eval()
    for name, parameter in layer.named_parameters():
        generator = torch.Generator().manual_seed(crc32(f"{name} {tuple(parameter.shape)}".encode()))
        values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2
        parameter.data = torch.zeros_like(values) if "positions" in name else values  # learned positions move with the tokens
    present = [torch.ones(3, dtype=torch.bool)] * len(xs)
    results = layer([xs[at] for at in order], present)
    return results if isinstance(results, list) else [results]


def happens(operator: Operator, params: dict[str, Value], many: tuple[bool, ...], index: int) -> set[str]:
    """What is true of the tokens of one argument."""
    shapes = [MANY if each else ONE for each in many]
    generator = torch.Generator().manual_seed(0)
    xs = [torch.randn(3, shape.tokens, shape.width, generator=generator, dtype=torch.float64) for shape in shapes]

    def changed(x: Tensor, shape: TokenShape = MANY) -> list[Tensor]:
        return run(operator, params, [*shapes[:index], shape, *shapes[index + 1 :]], [*xs[:index], x, *xs[index + 1 :]])

    def all_close(before: list[Tensor], after: list[Tensor]) -> bool:
        return all(one.shape == other.shape and torch.allclose(one, other) for one, other in zip(before, after, strict=True))

    before, moved, mean = changed(xs[index]), changed(xs[index][:, ORDER]), changed(xs[index].mean(dim=1, keepdim=True), ONE)
    true = {"seen"}
    if all_close(before, moved):
        true |= {"lost", "kept"}
    if all_close([sorted_tokens(x) for x in before], [sorted_tokens(x) for x in moved]):
        true.add("kept")
    if all_close(before, mean):
        true.add("averaged")
    if "kept" in true and all_close([x.mean(dim=1) for x in before], [x.mean(dim=1) for x in mean]):
        true.add("linear")
    return true


@pytest.mark.parametrize("name", NAMES)
def test_the_entry_says_what_becomes_of_the_order(name: str) -> None:
    operator, params = OPERATORS[name], defaults(name)
    switches = {key: param.choices or (True,) for key, param in operator.params.items() if isinstance(param.default, str | bool)}
    for changed in [{}, *({key: choice} for key, choices in switches.items() for choice in choices)]:
        for many in product((False, True), repeat=operator.min_args):
            told = operator.token_order({**params, **changed}, many)
            for index in (at for at, each in enumerate(many) if each):
                if told[index] != "linear" or sum(many) == 1:
                    assert told[index] in happens(operator, {**params, **changed}, many, index), (changed, many, index)


def test_what_is_said_is_no_more_than_what_happens() -> None:
    """That an order is seen is said of everything; these are told more closely."""
    told = {name: tuple(OPERATORS[name].token_order(defaults(name), (True, True))) for name in NAMES}
    assert told["cat_tokens"] == ("kept", "kept")
    assert told["cat"] == told["sum"] == ("seen", "seen")
    assert told["film"] == tuple(order_linear_in_first({}, (True, True))) == ("linear", "averaged")
    assert tuple(order_kept_of_one({}, (True, False))) == ("kept", "kept")
