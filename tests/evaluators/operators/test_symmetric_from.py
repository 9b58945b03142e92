"""Of operators that say so, the order of the arguments behind the first ones means nothing (`Operator.symmetric_from`)."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import fusearch.evaluators.operators  # noqa: F401  # registers the layers
from fusearch.evaluators.network.operator_layer import LAYERS, TokenShape
from fusearch.search_space import OPERATORS
from fusearch.search_space.entries.parameter import complete_params

# Widths that no layer has inside, so that the columns of a weight tell which arguments it reads.
WIDTHS = {1: [9, 6, 4], 2: [9, 9, 6, 4]}
# One step, as a list of steps is none of arguments; and the block that joins nothing to the conditions.
PARAMS = {"recursive_dynamic_mlp": {"steps": 1, "block": "a"}}
NAMES = [name for name in OPERATORS if OPERATORS[name].symmetric_from is not None]


def exchanged(module: nn.Module, widths: list[int]) -> dict[str, Tensor]:
    """Return the weights with which the last two arguments, which have changed places, are what they were."""
    last, total = len(widths) - 1, sum(widths)
    state = {}
    for key, value in module.state_dict().items():
        words = key.split(".")
        for place, word in enumerate(words):
            parent = module.get_submodule(".".join(words[:place]))
            count = len(parent) if isinstance(parent, nn.ModuleList) else 0
            if word.isdigit() and count in (len(widths), last):
                before = count - len(widths)  # a list of the arguments behind the first begins with the second
                swapped = {str(last + before): str(last - 1 + before), str(last - 1 + before): str(last + before)}
                words[place] = swapped.get(word, word)
                break
        moved = value
        if value.ndim == 2 and value.shape[1] in (total, widths[-1] + widths[-2]):
            rest = value.shape[1] - widths[-1] - widths[-2]
            moved = torch.cat([value[:, :rest], value[:, rest + widths[-2] :], value[:, rest : rest + widths[-2]]], dim=1)
        state[".".join(words)] = moved
    return state


def test_the_operators_that_read_the_others_alike() -> None:
    assert {name: OPERATORS[name].symmetric_from for name in NAMES if OPERATORS[name].symmetric_from != 1} == {"expert_gated_unit": 2}
    assert {"film", "cross_attention", "cat_channels", "spatial_gate", "sum_on_grid"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_other_arguments_may_change_places(name: str) -> None:
    operator = OPERATORS[name]
    widths = WIDTHS[operator.symmetric_from or 0]
    shapes = [TokenShape(4, width, (2, 2)) for width in widths]
    params = complete_params(PARAMS.get(name, {}), operator.params, name)
    torch.manual_seed(0)
    layer = LAYERS[name](shapes, 11, **params).double().eval()
    other = LAYERS[name]([*shapes[:-2], shapes[-1], shapes[-2]], 11, **params).double().eval()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    other.load_state_dict(exchanged(layer, widths))
    xs = [torch.randn(6, 4, width, dtype=torch.float64) for width in widths]
    present = [torch.rand(6) < 0.7 for _ in widths]
    wanted = layer(xs, present, None)
    found = other([*xs[:-2], xs[-1], xs[-2]], [*present[:-2], present[-1], present[-2]], None)
    assert torch.is_tensor(wanted)
    torch.testing.assert_close(found, wanted)
    assert not torch.allclose(layer([*xs[:-2], 0 * xs[-2], xs[-1]], present, None), wanted)
