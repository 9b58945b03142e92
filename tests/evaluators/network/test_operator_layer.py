"""The contract of operator layers."""

from __future__ import annotations

import inspect
from importlib.resources import files

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toy_tasks import class_task

from fusearch.errors import DesignError
from fusearch.evaluators.network.operator_layer import (
    LAYERS,
    Losses,
    OperatorLayer,
    TokenShape,
    argument_order,
    mask_absent,
    operator_layer,
    resize_tokens,
)
from fusearch.evaluators.operators import LAYERS as REGISTERED
from fusearch.search_space.operators import OPERATORS

shapes = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5)).map(lambda s: TokenShape(s[0] * s[1], s[2], (s[0], s[1])))


def test_every_operator_has_exactly_one_layer() -> None:
    assert REGISTERED is LAYERS
    assert sorted(LAYERS) == sorted(OPERATORS)
    assert len(set(LAYERS.values())) == len(OPERATORS)


def test_a_layers_keywords_are_its_operators_parameters() -> None:
    for name in OPERATORS:
        parameters = list(inspect.signature(LAYERS[name]).parameters.values())
        assert [parameter.name for parameter in parameters[:2]] == ["shapes", "width"]
        assert [parameter.name for parameter in parameters[2:]] == list(OPERATORS[name].params), name
        assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters[2:]), name


def test_layers_keep_no_statistics_over_the_batch() -> None:
    for layer in LAYERS.values():
        assert issubclass(layer, OperatorLayer)
        assert "BatchNorm" not in inspect.getsource(inspect.getmodule(layer)), layer  # type: ignore[arg-type]  # a class has a module


def test_a_second_layer_of_a_name_is_refused() -> None:
    class Other(OperatorLayer):
        pass

    with pytest.raises(Exception, match="'cat' is registered already"):
        operator_layer("cat")(Other)


@pytest.mark.parametrize(
    ("shape", "message"), [((0, 3), "at least one token"), ((6, 3, (2, 2)), r"grid \(2, 2\) has 4 positions, expected 6")]
)
def test_impossible_shapes_are_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        TokenShape(*shape)


def test_masking_stops_what_is_not_finite() -> None:
    x = torch.tensor([[[1.0]], [[float("nan")]], [[float("inf")]]], requires_grad=True)
    masked = mask_absent(x, torch.tensor([True, False, False]))
    assert masked.flatten().tolist() == [1.0, 0.0, 0.0]
    masked.square().sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [2.0, 0.0, 0.0]


@given(shapes, shapes)
def test_resizing_keeps_constants(source: TokenShape, target: TokenShape) -> None:
    x = torch.ones(2, source.tokens, source.width)
    assert torch.allclose(resize_tokens(x, source, target), torch.ones(2, target.tokens, source.width))


def test_resizing_interpolates_between_grids() -> None:
    x = torch.tensor([0.0, 1.0])[None, :, None]
    doubled = resize_tokens(x, TokenShape(2, 1, (2,)), TokenShape(4, 1, (4,)))
    assert doubled.flatten().tolist() == [0.0, 0.25, 0.75, 1.0]


def test_resizing_without_a_grid_takes_the_mean() -> None:
    x = torch.tensor([0.0, 1.0, 5.0])[None, :, None]
    assert resize_tokens(x, TokenShape(3, 1), TokenShape(2, 1)).flatten().tolist() == [2.0, 2.0]
    assert resize_tokens(x, TokenShape(3, 1), TokenShape(3, 1, (3,))) is x


@given(st.lists(shapes, min_size=2, max_size=4), st.randoms())
def test_argument_order_depends_on_the_shapes_alone(given_shapes: list[TokenShape], random: object) -> None:
    moved = list(given_shapes)
    random.shuffle(moved)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    ordered = [[each[i] for i in argument_order(each)] for each in (given_shapes, moved)]
    assert ordered[0] == ordered[1]
    assert argument_order(given_shapes, continued=1)[0] == 1


def test_losses_weigh_rows() -> None:
    losses = Losses(torch.tensor([0, 1, 2]), class_task(3), weights=torch.tensor([1.0, 2.0, 0.0]))
    assert losses.rows(torch.tensor([True, False, True])).tolist() == [1.0, 0.0, 0.0]
    assert Losses(torch.tensor([0, 1]), class_task(2)).rows(torch.tensor([True, False])).tolist() == [1.0, 0.0]


def test_losses_add_up() -> None:
    losses = Losses(torch.tensor([0, 1]), class_task(2))
    assert float(losses.total()) == 0.0
    losses.add(torch.tensor(2.0))
    losses.add(torch.tensor(0.5))
    assert float(losses.total()) == 2.5


@pytest.mark.parametrize("name", list(OPERATORS))
def test_entry_and_layer_stand_in_files_of_the_same_name(name: str) -> None:
    layer = LAYERS[name].__module__.rpartition(".")[2]
    entries = files("fusearch.search_space.operators").joinpath(f"{layer}.py").read_text(encoding="utf-8")
    assert f'"{name}",' in entries


@pytest.mark.parametrize("name", [operator.name for operator in OPERATORS.values() if operator.ports])
def test_a_layer_that_leaves_results_out_takes_the_weights_of_a_whole_one(name: str) -> None:
    """Whatever is read is as it was: the results do not hang on each other."""
    params = {key: param.default for key, param in OPERATORS[name].params.items()}
    shapes = [TokenShape(4, 6, (2, 2)), TokenShape(1, 5)]
    xs, present = [torch.randn(3, shape.tokens, shape.width) for shape in shapes], [torch.tensor([True, True, False])] * 2
    whole = LAYERS[name](shapes, 8, **params)
    wanted = whole(xs, present)
    for unread in (0, 1):
        part = LAYERS[name](shapes, 8, **params)
        part.leave_out([unread])
        part.load_state_dict(whole.state_dict())
        torch.testing.assert_close(part(xs, present)[1 - unread], wanted[1 - unread])
