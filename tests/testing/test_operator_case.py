"""What a suite works with."""

from __future__ import annotations

import torch
from torch import nn

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.testing.operator_case import OperatorCase, affine, reorder_lists


def case(name: str) -> OperatorCase:
    found = OperatorCase()
    found.name = name
    return found


def test_inputs_have_a_full_and_an_empty_sample() -> None:
    xs, present = case("sum").inputs([TokenShape(2, 3), TokenShape(1, 4)])
    assert [tuple(x.shape) for x in xs] == [(5, 2, 3), (5, 1, 4)]
    assert all(mask[0] and not mask[-1] for mask in present)


def test_layers_are_reproducible() -> None:
    suite = case("film")
    left, right, other = (suite.build(suite.shapes(), seed=seed).scale.weight for seed in (0, 0, 1))
    assert torch.equal(left, right)  # type: ignore[arg-type]  # a layer's attribute
    assert not torch.equal(left, other)  # type: ignore[arg-type]  # a layer's attribute


def test_shapes_cover_every_number_of_arguments() -> None:
    assert {len(shapes) for shapes in case("sum").shape_sets()} == {2, 3}
    assert {len(shapes) for shapes in case("expert_gated_unit").shape_sets()} == {4}
    assert {shapes[0].width for shapes in case("vote_mean").shape_sets()} == {3, 1}


def test_lists_with_an_item_an_argument_are_reordered() -> None:
    module = nn.Module()
    module.maps = nn.ModuleList([nn.Linear(1, 1, bias=False) for _ in range(3)])
    module.head = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
    state, moved = module.state_dict(), reorder_lists(module, (2, 0, 1))
    assert moved.keys() == state.keys()
    assert [
        moved[f"maps.{new}.weight"] is not None and bool(moved[f"maps.{new}.weight"] == state[f"maps.{old}.weight"])
        for new, old in enumerate((2, 0, 1))
    ] == [True] * 3
    assert torch.equal(moved["head.2.weight"], state["head.2.weight"])


def test_affine_is_a_linear_layer() -> None:
    linear, vector = nn.Linear(3, 2), torch.ones(3)
    assert torch.allclose(affine(linear, vector), linear(vector))
    assert affine(nn.Identity(), vector) is vector
